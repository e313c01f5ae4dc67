//! Edges of sites by the hour: hours that are not known, hours without load, windows, meters that meet nothing.

use crate::support::{at, by, close, estimate, fleet, hours, ledger, logged, site, three_hours, value};
use wattledger::estimate::columns::sum;
use wattledger::estimate::{Estimate, Request, request};
use wattledger::fleet::Fleet;

const STATED: &str = "pue = 1.2\nwue_l_per_kwh = 1\ncarbon_direct_g_per_kwh = 300";

#[test]
fn hours_that_are_not_known_are_counted_as_unknown() {
    let csv = "hour_utc,carbon_direct_g_per_kwh\n2026-01-01T00:00Z,\n2026-01-01T01:00Z,700\n2026-01-01T02:00Z,100\n";
    let lines = "pue = 1.0\nwue_l_per_kwh = 0\nseries = 'series.csv'";
    let made = estimate(&three_hours(), &at(lines, "", &[("series.csv", csv.to_owned())]));
    let lacking: Vec<_> = made.unknown().iter().filter(|one| one.column == "co2e_location_g").collect();
    assert_eq!(lacking.len(), 1);
    assert_eq!(lacking[0].requests, 360, "the requests of the hour that is not known, and no others");
}

#[test]
fn a_measured_pue_holds_in_hours_without_it_as_well() {
    let text = "[[deployment]]\nname = 'chat'\nmodel = 'llama-3.1-8b-instruct'\nhardware = 'h100-sxm5-80gb'\n\
                tenancy = 'shared'\nsite = 'here'\n[site.here]\npue = 1.2\nweather = 'london-gb'\n\
                it_capacity_kw = 10\n";
    let made = estimate(&three_hours(), &Fleet::parse(text, "fleet.toml").unwrap());
    assert!(close(site(&made).pue.unwrap(), 1.2), "{:?}", site(&made).pue);
}

#[test]
fn contracts_are_held_against_the_load_that_a_meter_found() {
    let lines = |more: &str| format!("{STATED}\nresidual_direct_g_per_kwh = 500\n{more}");
    let plain = estimate(&three_hours(), &at(&lines(""), "", &[]));
    let load: Vec<f64> = by(&plain, &["hour"]).rows.iter().map(|row| value(&row.total, "facility_kwh")).collect();
    let doubled: Vec<f64> = load.iter().map(|kwh| 2.0 * kwh).collect();
    let rows = (0..3).map(|i| format!("2026-01-01T0{i}:00Z,{},{}\n", load[i], doubled[i]));
    // One file for contracts, one for the meter.
    let rows: Vec<String> = rows.collect();
    let column = |at: usize, name: &str| {
        let cells = rows.iter().map(|row| {
            let cells: Vec<&str> = row.trim().split(',').collect();
            format!("{},{}\n", cells[0], cells[at])
        });
        format!("hour_utc,{name}\n{}", cells.collect::<String>())
    };
    let files = [("series.csv", column(1, "contracted_kwh")), ("meter.csv", column(2, "facility_kwh"))];
    let meter = "[[meter]]\nfile = 'meter.csv'\nsite = 'here'";
    for matching in ["annual", "hourly"] {
        let fleet = at(&lines(&format!("series = 'series.csv'\nmatching = '{matching}'")), meter, &files);
        let made = estimate(&three_hours(), &fleet);
        assert!(close(site(&made).contracted_share.unwrap(), 0.5), "{matching}");
        let whole = value(&made.total(), "facility_kwh");
        assert!(close(value(&made.total(), "co2e_market_g"), 250.0 * whole), "{matching}");
    }
}

#[test]
fn what_is_metered_where_nothing_is_estimated_stands_unallocated() {
    let text = |rule: &str| {
        format!(
            "[[deployment]]\nname = 'chat'\nmodel = 'llama-3.1-8b-instruct'\nhardware = 'h100-sxm5-80gb'\n\
             tenancy = 'shared'\nsite = 'here'\n[site.here]\n{STATED}\n[[meter]]\nfile = 'series.csv'\n\
             site = 'here'\nresidual = '{rule}'\n"
        )
    };
    for rule in ["proportional", "unallocated"] {
        for (column, whole) in [("facility_kwh", 6.0), ("it_kwh", 6.0)] {
            let folder = tempfile::tempdir().unwrap();
            let (name, csv) = hours(column, &[2.0, 2.0, 2.0]);
            std::fs::write(folder.path().join(name), csv).unwrap();
            let path = folder.path().join("fleet.toml");
            std::fs::write(&path, text(rule)).unwrap();
            let made = Estimate::new(&ledger(&three_hours()), &Fleet::load(&path).unwrap()).unwrap();
            assert!(close(value(&made.total(), column), whole), "{rule} {column}");
            assert!(made.reconciled().iter().all(|step| step.applied));
            assert!(made.reconciled()[1].note.unwrap().contains("nothing is estimated"));
        }
    }
}

#[test]
fn a_window_of_one_deployment_is_its_own() {
    let one = |name: &str, model: &str, more: &str| {
        format!(
            "[[deployment]]\nname = '{name}'\nmodel = '{model}'\nhardware = 'h100-sxm5-80gb'\nreplicas = 1\n\
             match = {{ model = '{model}' }}\nsite = 'here'\n{more}\n"
        )
    };
    let window = "provisioned_from = '2026-01-01T01:00Z'\nprovisioned_until = '2026-01-01T02:00Z'";
    let text = format!(
        "{}{}[site.here]\n{STATED}\n",
        one("chat", "llama-3.1-8b-instruct", ""),
        one("batch", "qwen3-8b", window)
    );
    let made = estimate(&three_hours(), &Fleet::parse(&text, "fleet.toml").unwrap());
    let table = by(&made, &["deployment", "hour"]);
    let rows: Vec<_> = table.rows.iter().filter(|row| row.keys[0].as_deref() == Some("batch")).collect();
    assert_eq!(rows.len(), 1, "an hour of waiting, inside its window");
    let idle_kw = made.plan().deployments()[1].idle.0 / 1000.0;
    assert!(close(value(&rows[0].total, "idle_kwh"), idle_kw));
    // Requests outside of it are served, and nothing is charged as waiting.
    let requests = [logged(0)];
    let outside = estimate(&requests, &fleet(&format!("replicas = 1\n{window}")));
    let total = outside.total();
    assert!(value(&total, "decode_kwh") > 0.0);
    let served = &by(&outside, &["hour"]).rows[0];
    assert!(value(&served.total, "idle_kwh").abs() < 1e-12);
}

#[test]
fn one_deployments_window_covers_no_others_meter() {
    let text = |more: &str| {
        format!(
            "[[deployment]]\nname = 'chat'\nmodel = 'llama-3.1-8b-instruct'\nhardware = 'h100-sxm5-80gb'\n\
             replicas = 1\nsite = 'here'\n[[deployment]]\nname = 'other'\nmodel = 'qwen3-8b'\n\
             hardware = 'h100-sxm5-80gb'\nreplicas = 1\nsite = 'there'\n{more}\n[site.here]\n{STATED}\n\
             [site.there]\n{STATED}\n[[meter]]\nfile = 'series.csv'\ndeployments = ['chat']\n"
        )
    };
    let window = "provisioned_from = '2025-12-31'\nprovisioned_until = '2026-01-02'";
    for more in ["", window] {
        let folder = tempfile::tempdir().unwrap();
        let (name, csv) = hours("it_kwh", &[2.0, 2.0]);
        std::fs::write(folder.path().join(name), csv).unwrap();
        let path = folder.path().join("fleet.toml");
        std::fs::write(&path, text(more)).unwrap();
        // The log ends in the middle of the second hour.
        let requests = [logged(0), logged(3600), logged(3600 + 1790)];
        let made = Estimate::new(&ledger(&requests), &Fleet::load(&path).unwrap()).unwrap();
        let covered: Vec<(f64, bool)> = made.reconciled().iter().map(|step| (step.covered, step.applied)).collect();
        assert_eq!(covered.len(), 2);
        assert!(close(covered[0].0, 1.0) && covered[0].1, "{more}");
        assert!(covered[1].0 < 0.6 && !covered[1].1, "{more}: {covered:?}");
    }
}

#[test]
fn an_hours_direct_factor_meets_no_years_lifecycle_factor() {
    let csv = "hour_utc,carbon_direct_g_per_kwh\n2026-01-01T00:00Z,100\n2026-01-01T01:00Z,700\n2026-01-01T02:00Z,100\n";
    let lines =
        "pue = 1.0\nwue_l_per_kwh = 0\ncarbon_lifecycle_g_per_kwh = 450\ngrid_losses_pct = 0\nseries = 'series.csv'";
    let made = estimate(&three_hours(), &at(lines, "", &[("series.csv", csv.to_owned())]));
    // The pair of the year: 450 less the mean of 300.
    assert!(close(value(&made.total(), "co2e_upstream_g"), 150.0 * value(&made.total(), "facility_kwh")));
}

#[test]
fn a_score_by_the_hour_counts_what_is_carbon_free_and_has_hours() {
    let lines = |more: &str| format!("pue = 1.0\nwue_l_per_kwh = 0\ngeneration_mix = {{ coal = 1.0 }}\n{more}");
    let score = |more: &str| site(&estimate(&three_hours(), &at(&lines(more), "", &[]))).carbon_free_score;
    assert_eq!(score("contracted_share = 1.0"), None, "a volume has no hours");
    assert!(close(score("contracted_share = 1.0\nmatching = 'hourly'").unwrap(), 1.0));
    assert_eq!(score("contracted_share = 1.0\nmatching = 'hourly'\ncontract_direct_g_per_kwh = 400"), Some(0.0));
}

#[test]
fn a_technology_without_a_factor_has_that_of_its_source() {
    let lines = "pue = 1.0\nwue_l_per_kwh = 0\ncatalog = 'aws/us-east-1'\ngeneration_mix = { coal-igcc-tower = 1.0 }";
    let made = estimate(&three_hours(), &at(lines, "", &[]));
    assert!(close(value(&made.total(), "co2e_location_g"), 760.0 * value(&made.total(), "facility_kwh")));
    assert_eq!(site(&made).levels["carbon_direct"].keys().copied().collect::<Vec<_>>(), ["stated"]);
}

#[test]
fn where_a_figure_comes_from_is_told_by_the_hour() {
    let monthly = ("series.csv", "month,pue\n2025-12,1.5\n".to_owned());
    let lines = "catalog = 'gcp/asia-southeast1'\ncooling = 'water-chiller'\nseries = 'series.csv'";
    let found = site(&estimate(&three_hours(), &at(lines, "", &[monthly])));
    assert_eq!(found.levels["pue"]["model"], 3, "the measured month is over");
    assert_eq!(found.levels["weather"]["other-year"], 3);
    let peak = found.peak_hour.unwrap();
    assert!(peak.facility_kw > 0.0 && found.peak_day.unwrap().day_utc == "2026-01-01");
    // Fans and supplies take 13 % of the IT behind a chiller.
    assert!(close(found.tue.unwrap(), found.pue.unwrap() / 0.87));
}

#[test]
fn one_request_at_an_hour_says_what_it_used() {
    let asked = |hour: Option<i64>| Request {
        model: Some("llama-3.1-8b-instruct".into()),
        site: Some("aws/us-east-2".into()),
        output_tokens: Some(500),
        hour,
        ..Request::default()
    };
    // 2022-07-05T17:00Z, of which the generation in PJM is known.
    let one = request(&Fleet::assumed(), &asked(Some(460_169))).unwrap();
    let used = one.details().tree.parts.iter().find(|node| node.what == "co2e_location_g").unwrap().parts[0].clone();
    assert_eq!((used.what.as_str(), used.formula.as_str()), ("factor used", "zone-hour"));
    let v = |name: &str| one.values().iter().find(|(column, _)| *column == name).unwrap().1.unwrap()[0];
    assert!(close(used.value * v("facility_kwh"), v("co2e_location_g")));
    let year = request(&Fleet::assumed(), &asked(None)).unwrap();
    assert!(
        year.details()
            .tree
            .parts
            .iter()
            .any(|node| node.what == "co2e_location_g" && node.parts[0].formula == "zone-year")
    );
    assert_eq!(sum("it_kwh"), 6);
}
