//! Nothing gets lost: parts sum to wholes, groups to totals, and what served nobody is told apart.
#![expect(clippy::float_cmp, reason = "what is not charged is zero and not nearly zero")]

use crate::support::{busy_hour, by, close, estimate, fleet, ledger, logged, value};
use wattledger::estimate::Estimate;
use wattledger::fleet::Fleet;

const DEDICATED: &str = "replicas = 2";

/// Two busy hours with a silent one between them.
fn silent_between() -> Vec<crate::support::Logged> {
    busy_hour(0).chain(busy_hour(7200)).collect()
}

#[test]
fn components_sum_to_the_facility() {
    for more in [DEDICATED, "tenancy = 'shared'", "replicas = 2\nconcurrency = 8"] {
        let total = estimate(&silent_between(), &fleet(more)).total();
        let v = |column: &str| value(&total, column);
        assert!(close(v("it_kwh"), v("prefill_kwh") + v("decode_kwh") + v("idle_kwh") + v("host_kwh")));
        assert!(close(v("facility_kwh"), v("it_kwh") + v("cooling_kwh") + v("power_delivery_kwh")));
        assert!(close(v("facility_kwh"), 1.25 * v("it_kwh")));
        assert!(close(v("water_onsite_l"), 2.0 * v("it_kwh")));
        assert!(close(v("water_offsite_l"), 1.5 * v("facility_kwh")));
        assert!(close(v("co2e_location_g"), 300.0 * v("facility_kwh")));
        // 350 g lifecycle less 300 g direct, and 6.7 % of generation lost on the way.
        assert!(close(v("co2e_upstream_g"), (50.0 + 350.0 * 0.067 / 0.933) * v("facility_kwh")));
        assert!(close(v("co2e_market_g"), v("co2e_location_g")), "no contract, no residual mix");
    }
}

#[test]
fn groups_sum_to_the_total_whatever_the_keys() {
    let mut requests = silent_between();
    for (i, request) in requests.iter_mut().enumerate() {
        request.labels.push(("team", ["red", "blue"][i % 2]));
        request.labels.push(("region", ["us-east-1", "eu-north-1", "mars"][i % 3]));
    }
    let estimate = estimate(&requests, &fleet(DEDICATED));
    let whole = estimate.total();
    for keys in [&[][..], &["team"], &["hour"], &["region", "team"], &["deployment", "day", "bin"], &["logged_model"]] {
        let table = by(&estimate, keys);
        assert_eq!(table.total, whole, "{keys:?}");
        let requests: u128 = table.rows.iter().map(|row| row.total.counts[0]).sum();
        assert_eq!(requests, 720);
        for column in ["it_kwh", "facility_kwh", "water_onsite_l", "co2e_location_g", "replica_seconds"] {
            let sum: f64 = table.rows.iter().map(|row| value(&row.total, column)).sum();
            assert!(close(sum, value(&whole, column)), "{keys:?} {column}");
        }
    }
}

#[test]
fn a_silent_hour_of_a_dedicated_deployment_is_unallocated() {
    let table = by(&estimate(&silent_between(), &fleet(DEDICATED)), &["hour"]);
    let hours: Vec<(&str, bool)> =
        table.rows.iter().map(|row| (row.keys[0].as_deref().unwrap(), row.unallocated)).collect();
    let hour = |h: u8| format!("2026-01-01T0{h}:00:00Z");
    assert_eq!(hours, [(hour(0).as_str(), false), (hour(1).as_str(), true), (hour(2).as_str(), false)]);
    let silent = &table.rows[1].total;
    assert_eq!(silent.counts, [0; 4]);
    // Two accelerators wait for most of an hour; the last requests of the hour before run on for ten seconds.
    let idle = estimate(&silent_between(), &fleet(DEDICATED)).plan().deployments()[0].idle.0 * 2.0 / 1000.0;
    let found = value(silent, "idle_kwh");
    assert!(found > 0.99 * idle && found <= idle, "{found} of {idle}");
    assert!(value(silent, "host_kwh") > 0.0);
    assert_eq!((value(silent, "prefill_kwh"), value(silent, "decode_kwh")), (0.0, 0.0));
    assert!(table.rows.iter().all(|row| value(&row.total, "idle_kwh") > 0.0));
}

#[test]
fn single_events_and_the_unallocated_sum_to_the_estimate() {
    for more in [DEDICATED, "tenancy = 'shared'", "replicas = 2\nconcurrency = 8"] {
        let mut requests = silent_between();
        for (i, request) in requests.iter_mut().enumerate() {
            request.tokens =
                [u32::try_from(37 * i % 4000).expect("small") + 100, 50, u32::try_from(i % 900).expect("small")];
            request.labels.push(("team", ["red", "blue"][i % 2]));
        }
        let estimate = estimate(&requests, &fleet(more));
        let (table, batch) = crate::support::events(&requests);
        let columns = crate::support::annotated(&estimate, &batch.columns(), &table);
        let (whole, rest) = (estimate.total(), estimate.unallocated());
        for column in [
            "prefill_kwh",
            "decode_kwh",
            "idle_kwh",
            "host_kwh",
            "facility_kwh",
            "replica_seconds",
            "co2e_embodied_g",
            "water_embodied_l",
            "adpe_embodied_kg_sb",
            "primary_energy_embodied_mj",
            "ewaste_kg",
        ] {
            let at = wattledger::estimate::columns::sum(column);
            let sum: f64 = columns[at].iter().sum::<f64>() + rest.value(at).unwrap_or(0.0);
            assert!(close(sum, value(&whole, column)), "{more}: {column} {sum} {}", value(&whole, column));
        }
    }
}

#[test]
fn more_replicas_idle_more_and_cost_the_requests_own_work_nothing() {
    let [two, eight] = ["replicas = 2\nconcurrency = 4", "replicas = 8\nconcurrency = 4"]
        .map(|more| estimate(&silent_between(), &fleet(more)).total());
    assert!(value(&eight, "idle_kwh") > 3.0 * value(&two, "idle_kwh"));
    assert!(close(value(&eight, "decode_kwh"), value(&two, "decode_kwh")));
}

#[test]
fn idle_is_charged_only_where_the_log_shows_the_whole_load() {
    for more in ["tenancy = 'shared'", "", "replicas = 2\nlog_fraction = 0.5", "replicas = 2\ntenancy = 'shared'"] {
        let estimate = estimate(&silent_between(), &fleet(more));
        assert_eq!(value(&estimate.total(), "idle_kwh"), 0.0, "{more}");
        assert!(by(&estimate, &["hour"]).rows.iter().all(|row| !row.unallocated));
    }
    let part = estimate(&silent_between(), &fleet("replicas = 2\nlog_fraction = 0.5"));
    assert!(part.assumptions().iter().any(|note| note.what == "log_fraction"));
}

#[test]
fn an_unknown_model_stays_unknown_and_is_listed() {
    let mut requests: Vec<_> = busy_hour(0).collect();
    for request in requests.iter_mut().take(3) {
        request.labels = vec![("model", "colossus-9000")];
    }
    let estimate = estimate(&requests, &Fleet::assumed());
    let unknown: Vec<_> = estimate.unknown().iter().filter(|unknown| unknown.column == "it_kwh").collect();
    assert_eq!(unknown.len(), 1);
    assert_eq!(unknown[0].requests, 3);
    assert_eq!(unknown[0].reason, "unknown model: `colossus-9000`");
    let table = by(&estimate, &["model"]);
    let row = table.rows.iter().find(|row| row.keys[0].as_deref() == Some("colossus-9000")).unwrap();
    assert_eq!(row.total.counts, [3, 3000, 0, 1500]);
    assert!(row.total.values().iter().all(Option::is_none));
    assert!(value(&table.total, "it_kwh") > 0.0);
    let it = wattledger::estimate::columns::sum("it_kwh");
    assert_eq!(table.total.unknown_requests[it], 3);
}

#[test]
fn an_estimate_is_the_same_bits_again() {
    let ledger = ledger(&silent_between());
    let bits = || {
        let estimate = Estimate::new(&ledger, &fleet(DEDICATED)).unwrap();
        estimate.total().values().into_iter().map(|value| value.map(f64::to_bits)).collect::<Vec<_>>()
    };
    assert_eq!(bits(), bits());
}

#[test]
fn requests_without_tokens_are_counted_and_cost_no_work() {
    let empty = crate::support::Logged { tokens: [0, 0, 0], latency_s: None, ..logged(0) };
    for more in [DEDICATED, "tenancy = 'shared'"] {
        let total = estimate(std::slice::from_ref(&empty), &fleet(more)).total();
        assert_eq!(total.counts, [1, 0, 0, 0]);
        assert_eq!(value(&total, "prefill_kwh") + value(&total, "decode_kwh"), 0.0);
        assert!(total.values().iter().flatten().all(|value| value.is_finite()));
    }
}
