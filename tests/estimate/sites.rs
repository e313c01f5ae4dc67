//! Sites by the hour: closure over tenants, hours and meters; contracts; how near a factor is.

use crate::support::{at, busy_hour, by, close, estimate, fleet, hours, ledger, logged, site, three_hours, value};
use wattledger::estimate::{Estimate, site_year};
use wattledger::fleet::Fleet;

const ADDED: [&str; 8] = [
    "it_kwh",
    "cooling_kwh",
    "power_delivery_kwh",
    "facility_kwh",
    "water_onsite_l",
    "water_onsite_consumed_l",
    "co2e_location_g",
    "co2e_market_g",
];

/// Sites of every kind of overhead, with the lines of the fleet file that make them.
fn kinds() -> Vec<Fleet> {
    let model = "catalog = 'gcp/asia-southeast1'\ncooling = 'water-chiller'";
    let capacity = "catalog = 'gcp/asia-southeast1'\ncooling = 'airside-economiser-evaporative'\nit_capacity_kw = 3";
    let measured = "catalog = 'gcp/asia-southeast1'\npue = 1.3\nwue_l_per_kwh = 0";
    let unknown = "weather = 'london-gb'\ncarbon_direct_g_per_kwh = 200";
    let meter = "[[meter]]\nfile = 'series.csv'\nsite = 'here'";
    let metered = || [hours("facility_kwh", &[2.0, 2.0, 2.0])];
    vec![
        at(model, "", &[]),
        at(model, "allocation = 'marginal'", &[]),
        at(capacity, "", &[]),
        at(capacity, "allocation = 'marginal'", &[]),
        at(measured, "", &[]),
        at(unknown, "", &[]),
        at(model, meter, &metered()),
        at(capacity, &format!("{meter}\nresidual = 'unallocated'"), &metered()),
    ]
}

#[test]
fn shares_of_teams_hours_and_what_is_unallocated_sum_to_the_site() {
    for fleet in kinds() {
        let made = estimate(&three_hours(), &fleet);
        let whole = made.total();
        for keys in [&["team"][..], &["hour"], &["team", "hour", "model"], &["site"]] {
            let table = by(&made, keys);
            for column in ADDED {
                let at = wattledger::estimate::columns::sum(column);
                let Some(total) = whole.value(at) else { continue };
                let sum: f64 = table.rows.iter().filter_map(|row| row.total.value(at)).sum();
                assert!((sum - total).abs() <= 1e-12 * total.abs(), "{keys:?} {column}: {sum} of {total}");
            }
        }
        assert!(close(value(&whole, "facility_kwh"), site(&made).facility_kwh.unwrap()));
    }
}

#[test]
fn single_events_and_what_is_unallocated_sum_to_the_site() {
    for fleet in kinds() {
        let requests = three_hours();
        let made = estimate(&requests, &fleet);
        let (table, batch) = crate::support::events(&requests);
        let columns = crate::support::annotated(&made, &batch.columns(), &table);
        for column in ADDED {
            let at = wattledger::estimate::columns::sum(column);
            let Some(total) = made.total().value(at) else { continue };
            let sum = columns[at].iter().sum::<f64>() + made.unallocated().value(at).unwrap_or(0.0);
            assert!((sum - total).abs() <= 1e-12 * total.abs(), "{column}: {sum} of {total}");
        }
    }
}

#[test]
fn a_marginal_allocation_moves_fixed_losses_to_nobody_and_changes_no_sum() {
    let site = "catalog = 'gcp/asia-southeast1'\ncooling = 'water-chiller'\nit_capacity_kw = 4";
    let [average, marginal] =
        ["", "allocation = 'marginal'"].map(|more| estimate(&three_hours(), &at(site, more, &[])));
    for column in ADDED {
        let (a, b) = (value(&average.total(), column), value(&marginal.total(), column));
        assert!((a - b).abs() <= 1e-9 * a, "{column}: {a} {b}");
    }
    let (a, b) = (average.unallocated(), marginal.unallocated());
    assert!(value(&b, "power_delivery_kwh") > value(&a, "power_delivery_kwh"));
}

#[test]
fn an_empty_hall_still_loses_and_cools() {
    // Nothing is provisioned for one deployment alone, so the silent hour has no IT at all.
    let site = "catalog = 'gcp/asia-southeast1'\ncooling = 'water-chiller'\nit_capacity_kw = 10";
    let text = format!(
        "[[deployment]]\nname = 'chat'\nmodel = 'llama-3.1-8b-instruct'\nhardware = 'h100-sxm5-80gb'\ndevices = 1\n\
         tenancy = 'shared'\nsite = 'here'\n[site.here]\n{site}\n"
    );
    let made = estimate(&three_hours(), &Fleet::parse(&text, "fleet.toml").unwrap());
    let table = by(&made, &["hour"]);
    let silent = &table.rows[1];
    assert!(silent.unallocated && silent.total.counts[0] == 0);
    assert!(value(&silent.total, "it_kwh").abs() < 1e-12);
    assert!(value(&silent.total, "facility_kwh") > 0.3, "a tenth of the capacity at least");
    assert!(value(&silent.total, "water_onsite_l") > 0.0 && value(&silent.total, "co2e_location_g") > 0.0);
}

#[test]
fn a_stated_series_goes_by_the_hour_and_an_unknown_hour_falls_to_the_next_rung() {
    let series = ("series.csv", {
        let rows = ["2026-01-01T00:00Z,100", "2026-01-01T01:00Z,200", "2026-01-01T02:00Z,"];
        format!("hour_utc,carbon_direct_g_per_kwh\n{}\n", rows.join("\n"))
    });
    let stated = "pue = 1.0\nwue_l_per_kwh = 0\nseries = 'series.csv'";
    for (more, third) in [("carbon_direct_g_per_kwh = 50", Some(50.0)), ("", None)] {
        let made = estimate(&three_hours(), &at(&format!("{stated}\n{more}"), "", std::slice::from_ref(&series)));
        let table = by(&made, &["hour"]);
        let factors: Vec<Option<f64>> = table
            .rows
            .iter()
            .map(|row| {
                let at = wattledger::estimate::columns::sum("co2e_location_g");
                Some(row.total.value(at)? / value(&row.total, "facility_kwh"))
            })
            .collect();
        for (found, expected) in factors.iter().zip([Some(100.0), Some(200.0), third]) {
            assert_eq!(found.is_some(), expected.is_some());
            assert!(found.zip(expected).is_none_or(|(a, b)| close(a, b)), "{factors:?}");
        }
        let levels = &site(&made).levels["carbon_direct"];
        assert_eq!(levels["stated-hour"], 2);
        assert_eq!(levels[if third.is_some() { "stated" } else { "unknown" }], 1);
    }
}

#[test]
fn monthly_and_annual_measurements_override_the_model() {
    let monthly = |month: &str| ("series.csv", format!("month,pue,wue_l_per_kwh\n{month},1.5,0.7\n"));
    let site_lines = "catalog = 'gcp/asia-southeast1'\ncooling = 'water-chiller'\nseries = 'series.csv'";
    let inside = estimate(&three_hours(), &at(site_lines, "", &[monthly("2026-01")]));
    assert!(close(site(&inside).pue.unwrap(), 1.5) && close(site(&inside).wue_l_per_kwh.unwrap(), 0.7));
    // Four fifths of what a tower takes in at five cycles does not come back.
    assert!(close(site(&inside).wue_consumed_l_per_kwh.unwrap(), 0.56));
    let outside = estimate(&three_hours(), &at(site_lines, "", &[monthly("2025-07")]));
    assert!((1.25..1.45).contains(&site(&outside).pue.unwrap()), "the model, where the month is not known");
}

#[test]
fn contracts_match_by_the_year_or_by_the_hour_and_the_hour_is_stricter() {
    let lines = |matching: &str| {
        format!(
            "pue = 1.0\nwue_l_per_kwh = 0\ncarbon_direct_g_per_kwh = 300\nresidual_direct_g_per_kwh = 500\n\
             series = 'series.csv'\nmatching = '{matching}'"
        )
    };
    // All of the contracted energy comes in the first hour.
    let [annual, hourly] = ["annual", "hourly"].map(|matching| {
        estimate(&three_hours(), &at(&lines(matching), "", &[hours("contracted_kwh", &[100.0, 0.0, 0.0])]))
    });
    let market = |made: &Estimate| value(&made.total(), "co2e_market_g");
    assert!(close(market(&annual), 0.0), "the volume covers everything");
    let table = by(&hourly, &["hour"]);
    for (row, factor) in table.rows.iter().zip([0.0, 500.0, 500.0]) {
        let found = value(&row.total, "co2e_market_g");
        assert!((found - factor * value(&row.total, "facility_kwh")).abs() <= 1e-9 * found.max(1.0));
    }
    for made in [&annual, &hourly] {
        assert!(close(value(&made.total(), "co2e_location_g"), 300.0 * value(&made.total(), "facility_kwh")));
    }
    assert!(site(&hourly).contracted_share < site(&annual).contracted_share);
}

#[test]
fn the_hourly_score_counts_contracts_first_and_then_the_grid() {
    let lines = "pue = 1.0\nwue_l_per_kwh = 0\ncontracted_share = 0.5\nmatching = 'hourly'\ngeneration_mix = { gas = 0.75, wind = 0.25 }";
    let made = estimate(&three_hours(), &at(lines, "", &[]));
    let found = site(&made);
    assert!(close(found.carbon_free_score.unwrap(), 0.5 + 0.5 * 0.25));
    assert!(close(found.renewable_share.unwrap(), 0.25) && close(found.contracted_share.unwrap(), 0.5));
    // The mix gives the factors: 370 and 0 g/kWh direct, 0.776 and 0 L/kWh.
    assert!(close(value(&made.total(), "co2e_location_g"), 0.75 * 370.0 * value(&made.total(), "facility_kwh")));
    assert!(close(value(&made.total(), "water_offsite_l"), 0.75 * 0.776 * value(&made.total(), "facility_kwh")));
}

#[test]
fn a_meter_of_the_facility_is_met_and_its_residual_told() {
    let lines = "pue = 1.2\nwue_l_per_kwh = 1\ncarbon_direct_g_per_kwh = 300";
    let plain = estimate(&three_hours(), &at(lines, "", &[]));
    let before: Vec<f64> = by(&plain, &["hour"]).rows.iter().map(|row| value(&row.total, "facility_kwh")).collect();
    let readings = [before[0] * 1.5, before[1] * 0.5, before[2] * 2.0];
    for (rule, changed) in [("proportional", true), ("unallocated", true), ("report", false)] {
        let meter = format!("[[meter]]\nname = 'main'\nfile = 'series.csv'\nsite = 'here'\nresidual = '{rule}'");
        let made = estimate(&three_hours(), &at(lines, &meter, &[hours("facility_kwh", &readings)]));
        // The last hour ends with the last five-minute bin of the log, so it is covered in full.
        let told = made.reconciled();
        assert_eq!(told.len(), 3, "{rule}");
        for (step, (estimated, metered)) in told.iter().zip(before.iter().zip(readings)) {
            assert!(close(step.estimated_kwh, *estimated) && close(step.metered_kwh, metered));
            assert!(close(step.residual_kwh(), metered - estimated) && step.applied == changed, "{rule}");
        }
        let all: f64 = if changed { readings.iter().sum() } else { before.iter().sum() };
        assert!(close(value(&made.total(), "facility_kwh"), all), "{rule}");
        assert!(close(value(&made.total(), "co2e_location_g"), 300.0 * all), "{rule}");
        let rest = made.unallocated().value(wattledger::estimate::columns::sum("facility_kwh")).unwrap_or(0.0);
        if rule == "unallocated" {
            let own = plain.unallocated().value(wattledger::estimate::columns::sum("facility_kwh")).unwrap_or(0.0);
            assert!(close(rest - own, readings.iter().sum::<f64>() - before.iter().sum::<f64>()));
        }
    }
}

#[test]
fn a_meter_of_a_rack_scales_its_deployment_and_a_month_in_part_changes_nothing() {
    let lines = "pue = 1.2\nwue_l_per_kwh = 1\ncarbon_direct_g_per_kwh = 300";
    let plain = estimate(&three_hours(), &at(lines, "", &[]));
    let meter = "[[meter]]\nfile = 'series.csv'\ndeployments = ['chat']";
    let made = estimate(&three_hours(), &at(lines, meter, &[hours("it_kwh", &[3.0, 2.0, 1.0])]));
    assert!(close(value(&made.total(), "it_kwh"), 6.0) && close(value(&made.total(), "facility_kwh"), 7.2));
    assert!(close(value(&made.total(), "replica_seconds"), value(&plain.total(), "replica_seconds")));
    let month = ("series.csv", "month,it_kwh\n2026-01,500\n".to_owned());
    let made = estimate(&three_hours(), &at(lines, meter, &[month]));
    let told = &made.reconciled()[0];
    assert!(!told.applied && told.covered < 0.01 && close(told.metered_kwh, 500.0));
    assert_eq!(made.total(), plain.total());
}

#[test]
fn replicas_by_the_hour_idle_by_the_hour_and_a_gap_is_refused() {
    let with = |replicas: &[f64]| {
        let folder = tempfile::tempdir().unwrap();
        let (name, text) = hours("replicas", replicas);
        std::fs::write(folder.path().join(name), text).unwrap();
        let path = folder.path().join("fleet.toml");
        let fleet = "[[deployment]]\nname = 'chat'\nmodel = 'llama-3.1-8b-instruct'\nhardware = 'h100-sxm5-80gb'\n\
                     devices = 1\nreplicas = 'series.csv'\n";
        std::fs::write(&path, fleet).unwrap();
        Estimate::new(&ledger(&three_hours()), &Fleet::load(&path).unwrap())
    };
    let scaled = with(&[2.0, 0.0, 4.0]).unwrap();
    let table = by(&scaled, &["hour"]);
    assert_eq!(table.rows.len(), 2, "in the hour without replicas nothing stands there");
    let idle = |row: usize| value(&table.rows[row].total, "idle_kwh");
    assert!(idle(1) > 1.5 * idle(0));
    let refused = with(&[2.0, 1.0]).unwrap_err().to_string();
    assert_eq!(refused, "deployment `chat`: its series of replicas says nothing of 2026-01-01T02:00Z");
}

#[test]
fn what_is_provisioned_stands_there_before_and_after_the_log() {
    let requests = [logged(3600), logged(3610)];
    let hour = |more: &str| estimate(&requests, &fleet(&format!("replicas = 2\n{more}")));
    let log = hour("");
    let day = hour("provisioned_from = '2026-01-01'\nprovisioned_until = '2026-01-02'");
    let idle_kw = day.plan().deployments()[0].idle.0 * 2.0 / 1000.0;
    let idle = value(&day.total(), "idle_kwh");
    assert!((idle / (24.0 * idle_kw) - 1.0).abs() < 0.01, "{idle}");
    assert!(idle > 100.0 * value(&log.total(), "idle_kwh"));
    assert_eq!(by(&day, &["hour"]).rows.len(), 24);
}

#[test]
fn a_grid_hour_is_taken_where_it_is_known_and_its_year_elsewhere() {
    let fleet = |year: i64| {
        let year = site_year(&Fleet::assumed(), "aws/us-east-2", year).unwrap();
        let level = |name: &str| year.levels.iter().find(|(level, _)| *level == name).map_or(0, |(_, hours)| *hours);
        (level("zone-hour"), level("zone-month"), level("zone-year"), year.mean("water_offsite_l_per_kwh"))
    };
    let (hour, month, year, water) = fleet(2022);
    assert_eq!((hour + month, year), (8760, 0));
    assert_eq!(month, 28, "hours that the agency's file lacks");
    // Macknick's medians under the mix of PJM in 2022, without reservoirs.
    assert!((1.5..1.9).contains(&water.unwrap()), "{water:?}");
    let (hour, month, year, _) = fleet(2023);
    assert_eq!((hour, month, year), (0, 0, 8760));
}

#[test]
fn typical_weather_beside_a_real_grid_is_said() {
    let text = "[[deployment]]\nname = 'chat'\nmodel = 'llama-3.1-8b-instruct'\nhardware = 'h100-sxm5-80gb'\n\
                replicas = 1\nsite = 'here'\n[site.here]\ncatalog = 'aws/us-east-2'\ncooling = 'air-chiller'\n";
    let fleet = Fleet::parse(text, "fleet.toml").unwrap();
    let four_years = 4 * 8766 * 3600;
    let requests: Vec<_> = busy_hour(-four_years).collect();
    let made = estimate(&requests, &fleet);
    let said = |what: &str| made.assumptions().iter().any(|note| note.what == what);
    assert!(said("weather and grid") && said("weather"));
    assert_eq!(site(&made).levels["carbon_direct"].get("zone-hour"), Some(&1));
    let now = estimate(&three_hours(), &fleet);
    assert!(!now.assumptions().iter().any(|note| note.what == "weather and grid"));
}
