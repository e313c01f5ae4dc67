//! What leaves the house: JSON by the contract, CSV that is safe to open, tables that keep counts exact.

use crate::support::{Logged, busy_hour, by, estimate, fleet, logged};
use arrow_array::Array;
use serde_json::Value;
use wattledger::estimate::columns::{COUNTS, RATIOS, SUMS};
use wattledger::fleet::Fleet;
use wattledger::keys::Series;
use wattledger::ledger::{Ledger, Row};
use wattledger::report::{describe_json, estimate_json, request_json, to_batch, to_csv, to_parquet};

fn keys(value: &Value) -> Vec<&str> {
    value.as_object().expect("an object").keys().map(String::as_str).collect()
}

#[test]
fn json_has_the_keys_of_the_contract() {
    let requests: Vec<Logged> = busy_hour(0).collect();
    let mut ledger = crate::support::ledger(&requests);
    ledger.origin.coverage.count_many(360);
    let made = wattledger::estimate::Estimate::new(&ledger, &fleet("replicas = 2")).unwrap();
    let document: Value = serde_json::from_str(&estimate_json(&made, &by(&made, &["model", "hour"]))).unwrap();
    assert_eq!(
        keys(&document),
        [
            "totals",
            "rows",
            "coverage",
            "unknown",
            "unknown_models",
            "sites",
            "embodied",
            "reconciliation",
            "assumptions",
            "provenance"
        ]
    );
    let mut columns: Vec<&str> = COUNTS.iter().chain(&SUMS).chain(&RATIOS).map(|column| column.name).collect();
    columns.insert(COUNTS.len(), wattledger::report::UNESTIMATED);
    assert_eq!(keys(&document["totals"]), columns);
    let row = keys(&document["rows"][0]);
    assert_eq!(row[..3], ["model", "hour", "unallocated"]);
    assert_eq!(row[3..], columns);
    for key in
        ["lines_in", "events_in", "counted", "rejected", "duplicates", "no_usage", "aggregates", "cached_locally"]
    {
        assert!(document["coverage"][key].is_u64(), "{key}");
    }
    assert!(document["coverage"]["by_reason"].is_object() && document["coverage"]["rejects"].is_array());
    assert_eq!(document["totals"]["requests"], 360);
    assert!(document["totals"]["co2e_embodied_g"].as_f64().is_some_and(|grams| grams > 0.0));
    assert_eq!(document["totals"]["co2e_marginal_g"], Value::Null);
    let provenance = &document["provenance"];
    for key in ["engine_version", "method_edition", "parameter_set", "fleet_digest", "catalog_digest"] {
        assert!(provenance[key].as_str().is_some_and(|text| !text.is_empty()), "{key}");
    }
    let facts = provenance["facts"].as_array().unwrap();
    assert!(facts.iter().all(|fact| fact["source"].as_str().is_some_and(|source| !source.is_empty())));
    for note in document["assumptions"].as_array().unwrap() {
        assert_eq!(keys(note), ["place", "what", "value", "why"]);
    }
}

#[test]
fn counts_beyond_what_json_readers_hold_are_text() {
    let row = Row { key: 0, bin: 0, sums: [1, 1 << 60, 0, 0, 0, 0, 0, 0] };
    let ledger = Ledger::from_rows(3600, vec![], &[Series::new(vec![None; 6])], &[row], vec![], &[]).unwrap();
    let described: Value = serde_json::from_str(&describe_json(&ledger).unwrap()).unwrap();
    assert_eq!(described["requests"], 1);
    assert_eq!(described["input_tokens"], "1152921504606846976");
    assert_eq!(described["first_bin"], "1970-01-01T00:00:00Z");
}

#[test]
fn a_request_in_json_carries_its_chain() {
    let asked = wattledger::estimate::Request {
        model: Some("llama-3.1-8b-instruct".into()),
        output_tokens: Some(100),
        ..Default::default()
    };
    let made = wattledger::estimate::request(&Fleet::assumed(), &asked).unwrap();
    let document: Value = serde_json::from_str(&request_json(&made)).unwrap();
    assert!(document["values"]["it_kwh"]["low"].as_f64() < document["values"]["it_kwh"]["high"].as_f64());
    assert!(document["chain"].as_array().unwrap().len() > 10);
    for unknown in document["unknown"].as_array().unwrap() {
        assert_eq!(document["values"][unknown["column"].as_str().unwrap()], Value::Null);
    }
}

#[test]
fn csv_for_people_guards_formula_cells() {
    let teams = ["=1+1", "+cmd", "-2", "@SUM(A1)", "\tx", "a,\"b\"\nc", "plain"];
    let requests: Vec<Logged> = teams
        .iter()
        .map(|team| Logged { labels: vec![("model", "llama-3.1-8b-instruct"), ("team", team)], ..logged(0) })
        .collect();
    let made = estimate(&requests, &fleet("tenancy = 'shared'"));
    let table = by(&made, &["team"]);
    let cells = |text: String| -> Vec<String> {
        let mut reader = csv::Reader::from_reader(text.as_bytes());
        reader.records().map(|record| record.unwrap()[0].to_owned()).collect()
    };
    let guarded = cells(to_csv(&table, true).unwrap());
    let raw = cells(to_csv(&table, false).unwrap());
    for team in teams {
        assert!(raw.iter().any(|cell| cell == team), "{team}");
    }
    assert!(guarded.iter().all(|cell| !cell.starts_with(['=', '+', '-', '@', '\t'])), "{guarded:?}");
    assert!(guarded.contains(&"'=1+1".to_owned()) && guarded.contains(&"plain".to_owned()));
}

#[test]
fn tables_keep_counts_exact_and_unknown_values_null() {
    let made = estimate(&[logged(0)], &fleet("replicas = 1"));
    let batch = to_batch(&by(&made, &["deployment", "hour"]));
    let names: Vec<String> = batch.schema().fields().iter().map(|field| field.name().clone()).collect();
    assert_eq!(names[..4], ["deployment", "hour", "unallocated", "requests"]);
    let marginal = batch.column_by_name("co2e_marginal_g").unwrap();
    assert_eq!(marginal.null_count(), batch.num_rows());
    let wide = Row { key: 0, bin: 0, sums: [1, 10_u128.pow(30), 0, 0, 0, 0, 0, 0] };
    let ledger = Ledger::from_rows(3600, vec![], &[Series::new(vec![None; 6])], &[wide], vec![], &[]).unwrap();
    let made = wattledger::estimate::Estimate::new(&ledger, &Fleet::assumed()).unwrap();
    let batch = to_batch(&by(&made, &[]));
    let input = batch.column_by_name("input_tokens").unwrap();
    assert_eq!(input.data_type(), &arrow_schema::DataType::Decimal128(38, 0));
    let bytes = to_parquet(&[batch], Some("{}".into())).unwrap();
    assert!(bytes.starts_with(b"PAR1") && bytes.ends_with(b"PAR1"));
}

#[test]
fn sums_beyond_38_digits_are_an_error() {
    let row = |bin| Row { key: 0, bin, sums: [1, wattledger::ledger::CELL_LIMIT, 0, 0, 0, 0, 0, 0] };
    let series = [Series::new(vec![None; 6])];
    let ledger = Ledger::from_rows(3600, vec![], &series, &[row(0), row(3600)], vec![], &[]).unwrap();
    let made = wattledger::estimate::Estimate::new(&ledger, &Fleet::assumed());
    assert!(matches!(made, Err(wattledger::Error::Overflow { .. })));
}
