//! Published training runs: what a line says is multiplied out, what it does not say is told, what contradicts is found.

use std::fs;
use std::path::PathBuf;
use wattledger::validation::{Kind, Report, Row, validate};

const HEADER: &str = "id,kind,params_b,tokens_b,hardware,count,days,accel_hours,tdp_w,mean_w_per_accel,power_scope,pue,\
                      grid_gco2e_kwh,wue_onsite_l_kwh,wue_offsite_l_kwh,energy_mwh,energy_scope,tco2e,tco2e_scope,\
                      water_m3,evidence";

/// Cells by column; the others are empty.
fn line(cells: &[(&str, &str)]) -> String {
    let cell = |name: &str| cells.iter().find(|(column, _)| *column == name).map_or("", |(_, value)| value).to_owned();
    HEADER.split(',').map(|name| cell(name.trim())).collect::<Vec<_>>().join(",")
}

fn report(name: &str, lines: &[String]) -> Report {
    let path: PathBuf = std::env::temp_dir().join(format!("wattledger-{}-{name}.csv", std::process::id()));
    let header: String = HEADER.split(',').map(str::trim).collect::<Vec<_>>().join(",");
    fs::write(&path, format!("{header}\n{}\n", lines.join("\n"))).unwrap();
    let report = validate(Kind::Training, &path).unwrap();
    fs::remove_file(path).unwrap();
    report
}

fn one<'a>(report: &'a Report, quantity: &str, efficiency: &str) -> &'a Row {
    let said = |row: &&Row| row.slices.contains(&("efficiency", efficiency.to_owned()));
    let found = report.rows.iter().filter(|row| row.quantity == quantity).find(said);
    found.unwrap_or_else(|| panic!("{quantity}, {efficiency}: {:?}", report.rows))
}

fn value(row: &Row) -> f64 {
    row.predicted.as_ref().unwrap_or_else(|reason| panic!("{reason}")).value
}

#[test]
fn scopes_decide_whether_a_pue_is_in_it() {
    let energy = |scope: &str| {
        let cells = [
            ("id", "x"),
            ("hardware", "A100"),
            ("accel_hours", "1000"),
            ("mean_w_per_accel", "400"),
            ("pue", "1.5"),
            ("energy_mwh", "0.6"),
            ("energy_scope", scope),
            ("evidence", "measured_system"),
        ];
        value(one(
            &report(&scope.replace(|c: char| !c.is_alphanumeric(), ""), &[line(&cells)]),
            "energy_mwh",
            "watts given",
        ))
    };
    for with in [
        "facility (IT x PUE)",
        "GPU x PUE (host excluded)",
        "IT energy x PUE",
        "hours x 400 W x 1.5",
        "scaled by data-centre overhead",
        "whole datacenter",
        "incl. PUE",
    ] {
        assert!((energy(with) - 0.6).abs() < 1e-12, "{with}");
    }
    for without in [
        "GPU only no PUE",
        "chip-hours x 400 W",
        "hours times 400W",
        "operational before PUE",
        "excluding PUE",
        "w/o PUE",
        "PUE not included",
        "whole node",
        "IT only",
        "server energy",
        "measured at wall",
    ] {
        assert!((energy(without) - 0.4).abs() < 1e-12, "{without}");
    }
}

#[test]
fn a_line_that_lacks_something_says_what() {
    let cells = |more: &[(&'static str, &'static str)]| {
        let mut cells = vec![("id", "x"), ("hardware", "H100 SXM"), ("evidence", "measured_gpu"), ("energy_mwh", "5")];
        cells.extend_from_slice(more);
        line(&cells)
    };
    let reason = |name: &str, line: String, quantity: &str| {
        let report = report(name, &[line]);
        let row = report.rows.iter().find(|row| row.quantity == quantity && row.predicted.is_err());
        row.map(|row| row.predicted.clone().unwrap_err()).unwrap_or_default()
    };
    assert!(reason("nothing", cells(&[]), "energy_mwh").contains("no hours, and no weights and tokens"));
    let unknown = cells(&[("accel_hours", "10"), ("hardware", "")]).replace("H100 SXM", "Abacus 9");
    assert!(reason("chip", unknown, "energy_mwh").contains("rated power of `Abacus 9`"));
    let factor = cells(&[("tco2e", "2"), ("accel_hours", "1e4"), ("mean_w_per_accel", "500")]);
    assert!(reason("factor", factor, "tco2e").contains("0.400 kg/kWh is implied"));
    let ragged = report("ragged", &["x,y".into()]);
    assert_eq!(ragged.rows[0].predicted, Err("line 2: 2 cells under 21 columns".into()));
    let damaged = report("damaged", &[cells(&[("accel_hours", "2.5+8.5"), ("params_b", "seven")])]);
    assert!(damaged.rows.iter().all(|row| row.predicted.is_err()), "what is no number is no figure");
    let told = &damaged.rows[0].assumed;
    assert!(told.iter().any(|note| note == "`accel_hours` is `2.5+8.5`: not counted"), "{told:?}");
}

#[test]
fn contradictions_are_found_by_what_they_are() {
    let clean = [("id", "a"), ("hardware", "H100"), ("accel_hours", "1e6"), ("tdp_w", "700"), ("tco2e", "1.5")];
    let rows = |name: &str, more: &[(&'static str, &'static str)]| {
        let mut cells = clean.to_vec();
        cells.extend_from_slice(more);
        report(name, &[line(&cells)])
    };
    let found = rows("clean", &[("evidence", "accounting_tdp")]);
    let trap = one(&found, "tco2e", "watts given").predicted.clone().unwrap_err();
    assert!(trap.starts_with("trap: 1.5 t from 700 MWh is 0.0021 kg/kWh"), "{trap}");
    let net = rows("net", &[("evidence", "accounting_tdp"), ("tco2e_scope", "market-based")]);
    assert!(!one(&net, "tco2e", "watts given").predicted.clone().unwrap_err().starts_with("trap:"), "contracts may");
    let usual = rows("usual", &[("evidence", "accounting_tdp"), ("grid_gco2e_kwh", "2.1")]);
    assert!((value(one(&usual, "tco2e", "watts given")) - 1.47).abs() < 1e-9, "a stated factor is taken");
    let off = rows("off", &[("evidence", "accounting_tdp"), ("grid_gco2e_kwh", "400")]);
    let told = one(&off, "tco2e", "watts given").predicted.clone().unwrap_err();
    assert!(told.starts_with("trap: 1.5 t is printed, and energy and factor of the line give 280"), "{told}");
    let zero = rows("zero", &[("evidence", "accounting_tdp"), ("tco2e_scope", "market-based")]);
    let zero = zero.rows.iter().find(|row| row.quantity == "tco2e").unwrap();
    assert!(zero.predicted.is_err());
    let impossible = rows("impossible", &[("evidence", "hours_only"), ("params_b", "1000"), ("tokens_b", "100000")]);
    let told = one(&impossible, "accel_hours", "utilisation predicted").predicted.clone().unwrap_err();
    assert!(told.contains("of the peak"), "{told}");

    let none = line(&[("id", "z"), ("hardware", "MI250X"), ("energy_mwh", "100"), ("tco2e", "0"), ("water_m3", "0")]);
    let none = report("none", &[none]);
    for quantity in ["tco2e", "water_m3"] {
        let row = none.rows.iter().find(|row| row.quantity == quantity).unwrap();
        assert!(row.predicted.clone().unwrap_err().starts_with("trap: 0"), "{quantity}");
    }

    let facility = [("id", "f"), ("energy_mwh", "500"), ("energy_scope", "facility"), ("pue", "1.25")];
    let water = [
        ("id", "w"),
        ("energy_mwh", "500"),
        ("energy_scope", "server (IT) energy"),
        ("pue", "1.2"),
        ("wue_onsite_l_kwh", "1"),
        ("wue_offsite_l_kwh", "3"),
        ("water_m3", "2300"),
    ];
    let alone = report("alone", &[line(&water)]);
    let formula = 500.0 * (1.0 + 1.2 * 3.0);
    assert!((value(one(&alone, "water_m3", "energy given")) - formula).abs() < 1e-9);
    let both = report("both", &[line(&facility), line(&water)]);
    let twice = one(&both, "water_m3", "energy given").predicted.clone().unwrap_err();
    assert!(twice.contains("PUE twice") && twice.contains("`f`") && twice.contains("1900 m³"), "{twice}");
}

#[test]
fn the_bundled_runs_add_up() {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("data/measurements/training-runs.csv");
    let report = validate(Kind::Training, &path).unwrap();
    let test = |row: &&Row, name: &str| row.slices.contains(&("test", name.to_owned()));
    let off = |name: &str| -> Vec<f64> {
        let rows = report.rows.iter().filter(|row| test(row, name));
        rows.filter_map(Row::ratio).map(|ratio| (ratio - 1.0).abs()).collect()
    };
    assert!(off("accounting, watts given").into_iter().all(|off| off < 0.02));
    assert!(off("metered, watts given").into_iter().all(|off| off < 0.05));
    let mut predicted = off("metered, watts predicted");
    predicted.sort_by(f64::total_cmp);
    assert!(predicted.len() >= 15 && predicted[predicted.len() / 2] < 0.25, "{predicted:?}");
    assert!(
        report.rows.iter().all(|row| row.predicted.as_ref().map_or(true, |p| p.low <= p.value && p.value <= p.high))
    );
}
