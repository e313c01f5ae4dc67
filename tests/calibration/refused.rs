//! Series that are refused: every sentence names the place and the value, every hint the way out.

use super::*;
use support::START_S;
use wattledger::calibration::joined::Options as Join;

/// A file, what has to stand in the sentence, and in the hint.
const REFUSED: [(&str, &str, &str); 24] = [
    ("", "empty", "header"),
    ("timestamp,power_w\n", "no reading", "rows"),
    ("timestamp;power_w\n", "commas", "commas"),
    ("2026-01-01T00:00:00Z,310\n", "no column of times", "noheader"),
    ("zeit,power_w\n", "no column of times", "timestamp"),
    ("timestamp,power\n", "no column of readings with its unit", "power_w"),
    ("timestamp,power_w,energy_j\n", "power_w and energy_j both", "--unit"),
    ("timestamp,power_w,power_w\n", "two columns are named `power_w`", "rename"),
    ("timestamp,power_w\n2026-01-01T00:00:00,310\n", "line 2: time `2026-01-01T00:00:00` (naive_timestamp)", "zone"),
    ("timestamp, power.draw [W]\n2026/01/01 00:00:00.000, 310 W\n", "line 2: time `2026/01/01", "zone"),
    ("timestamp,power_w\nyesterday,310\n", "line 2: time `yesterday` (bad_timestamp)", "RFC 3339"),
    ("timestamp,power_w\n12,310\n", "line 2: time `12` (timestamp_out_of_range)", "2015"),
    ("timestamp,power_w\n1767225600,\n", "line 2, power_w: `` is no number", "gap"),
    ("timestamp,power_w\n1767225600,[N/A]\n", "`[N/A]` is no number", "gap"),
    ("timestamp,power_w\n1767225600,NaN\n", "line 2, power_w: NaN is no number", "gap"),
    ("timestamp,power_w\n1767225600,inf\n", "inf is no number", "gap"),
    ("timestamp,power_w\n1767225600,-3.5\n", "line 2, power_w: -3.5 is below zero", "sign"),
    ("timestamp,power_w\n1767225600,1e12\n", "more than a machine room", "unit"),
    ("timestamp,power_w\n1767225600,1\n1767225600,1\n", "line 2 and line 3 both read 2026-01-01T00:00:00Z", "gpu"),
    ("timestamp,power_w\n1767225600\n", "record", "cells"),
    ("{\"status\":\"error\",\"error\":\"too many points\"}", "error: too many points", "again"),
    (
        r#"{"status":"success","data":{"resultType":"vector","result":[]}}"#,
        "kind `vector`, not a matrix",
        "query_range",
    ),
    (
        r#"{"status":"success","data":{"resultType":"matrix","result":[{"metric":{},"values":[[1767225600,"1"]]}]}}"#,
        "no name that says its unit",
        "--unit",
    ),
    (
        r#"{"status":"success","data":{"resultType":"matrix","result":[{"metric":{"__name__":"a_watts","x":"1"},"values":[[1767225600,"NaN"]]}]}}"#,
        "result 1, _watts: NaN is no number",
        "gap",
    ),
];

#[test]
fn what_cannot_be_read_is_refused_with_place_value_and_way_out() {
    for (text, sentence, way_out) in REFUSED {
        let error = read(&[text]).expect_err(text);
        let (said, hint) = (error.to_string(), error.hint().unwrap_or_default());
        assert!(said.contains(sentence), "{said}\n  should hold {sentence}");
        assert!(hint.contains(way_out), "{said}\n  {hint}\n  should hold {way_out}");
        assert!(said.contains("series-0.csv"), "{said}");
        assert!(!said.contains('\n') && said.len() < 500, "{said}");
    }
}

#[test]
fn power_and_energy_do_not_mix_across_files() {
    let error = read(&["timestamp,power_w\n1767225600,1\n", "timestamp,energy_kwh\n1767225600,1\n"]).unwrap_err();
    assert!(error.to_string().contains("energy_kwh where `series-0.csv` has power_w"), "{error}");
}

#[test]
fn accelerators_that_stand_in_one_column_are_seen() {
    let rows: String =
        (0..20).flat_map(|s| (0..8).map(move |gpu| format!("2026/01/01 00:00:{s:02}.{gpu:03}, 300.00 W\n"))).collect();
    let reading = Reading { timezone: Some("UTC".into()), unit: None };
    let error = Series::read(&files(&[&format!("timestamp, power.draw [W]\n{rows}")]), &reading).unwrap_err();
    assert!(error.to_string().contains("several accelerators"), "{error}");
    assert!(error.hint().unwrap().contains("timestamp,index,uuid,power.draw"));
}

#[test]
fn a_unit_says_which_column_counts_and_what_a_nameless_sum_is() {
    let reading = |unit: &str| Reading { timezone: None, unit: Some(unit.into()) };
    let both = "timestamp,power_w,energy_j\n1767225600,1,5\n1767225610,1,15\n";
    let read = |text: &str, unit: &str| Series::read(&files(&[text]), &reading(unit));
    assert!((read(both, "energy_j").unwrap().samples_of(0)[1].value - 15.0).abs() < 1e-12);
    let sum = REFUSED[22].0;
    assert!((read(sum, "power_kw").unwrap().samples_of(0)[0].value - 1000.0).abs() < 1e-12);
    assert!(read(both, "power_hp").unwrap_err().to_string().contains("unknown unit of a meter: `power_hp`"));
}

fn watts(watts: f64, from: i64) -> String {
    let rows: Vec<String> = (0..=7200).step_by(30).map(|s| format!("{},{watts}\n", START_S + from + s)).collect();
    let rows = rows.concat();
    format!("timestamp,power_w\n{rows}")
}

fn refused(text: &str, fleet: &Fleet) -> String {
    let ledger = ledger(&varied(), 300);
    let error = calibrate(&ledger, fleet, &read(&[text]).unwrap(), &Join::default()).expect_err("refused");
    format!("{error} {}", error.hint().unwrap_or_default())
}

#[test]
fn a_reading_of_a_whole_server_is_refused() {
    let said = refused(&watts(1900.0, 0), &dedicated());
    assert!(said.contains("metered power in W is `1900.0`") && said.contains("whole servers"), "{said}");
    assert!(said.contains("700 W, what its 1 accelerators"), "{said}");
}

#[test]
fn series_and_fleets_that_do_not_fit_are_refused() {
    let said = refused(&watts(10.0, 0), &dedicated());
    assert!(said.contains("merely waiting") && said.contains("idle_context_w"), "{said}");
    let said = refused(&watts(400.0, 86_400), &dedicated());
    assert!(said.contains("bins that the series tells is `0`") && said.contains("2026-01-02T00:00:00Z"), "{said}");
    let said = refused(&watts(400.0, 0), &support::fleet("tenancy = 'shared'"));
    assert!(said.contains("load that the log does not show") && said.contains("one metered point"), "{said}");
    let said = refused(&watts(400.0, 0), &support::fleet("replicas = 1\nmatch = { host = ['other'] }"));
    assert!(said.contains("requests with a time is `0`") && said.contains("match"), "{said}");
    let said = refused(&watts(400.0, 0), &Fleet::assumed());
    assert!(said.contains("a fleet file with the deployment"), "{said}");
    let seldom = "timestamp,power_w\n1767225600,300\n1767229200,300\n";
    assert!(refused(seldom, &dedicated()).contains("--bin 3600"));
    let once = "timestamp,power_w\n1767225600,300\n";
    assert!(refused(once, &dedicated()).contains("at least two readings"));
}
