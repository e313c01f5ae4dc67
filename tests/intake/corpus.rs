//! The corpus of bad input: every file has the outcome its table asks for, on one thread and on two.

use crate::support::{Scan, scan, shared, with_threads};
use std::time::{Duration, Instant};
use wattledger::Result;

struct Case {
    file: String,
    rows: Option<u64>,
    rows_ok: Option<u64>,
    rows_bad: Option<u64>,
    outcome: String,
}

fn cases(table: &std::path::Path) -> Vec<Case> {
    let mut reader = csv::Reader::from_path(table).expect("the table");
    let records = reader.records().map(|record| record.expect("a record"));
    records
        .map(|record| Case {
            file: record[0].to_owned(),
            rows: record[2].parse().ok(),
            rows_ok: record[3].parse().ok(),
            rows_bad: record[4].parse().ok(),
            outcome: record[5].to_owned(),
        })
        .filter(|case| !case.file.starts_with("config/"))
        .collect()
}

fn meets(outcome: &str, case: &Case, scan: &Result<Scan>) -> bool {
    match (outcome, scan) {
        ("file", Err(_)) => true,
        ("file", Ok(scan)) => !scan.coverage.incomplete.is_empty(),
        ("ok" | "rows" | "limit", Ok(scan)) => {
            // Where the counts of the table do not add up, it wants every row to have some outcome.
            let counts = case.rows_ok.zip(case.rows_bad).filter(|(ok, bad)| Some(ok + bad) == case.rows);
            let as_wanted = match counts {
                Some(counts) => (scan.coverage.counted, scan.coverage.rejected) == counts,
                None => case.rows.is_none_or(|rows| scan.coverage.lines_in == rows),
            };
            scan.coverage.incomplete.is_empty() && as_wanted
        }
        _ => false,
    }
}

#[test]
fn every_file_has_its_outcome() {
    let Some(folder) = shared("data/bad-input") else { return };
    let mut wrong = Vec::new();
    let cases = cases(&folder.join("cases.csv"));
    assert!(cases.len() > 70);
    for case in &cases {
        let mut scans = [1, 2].map(|threads| {
            let start = Instant::now();
            let scan = scan(folder.join(&case.file), &with_threads(threads));
            assert!(start.elapsed() < Duration::from_secs(10), "{} took too long", case.file);
            if !case.outcome.split("-or-").any(|outcome| meets(outcome, case, &scan)) {
                let got = scan.as_ref().map(|scan| scan.coverage.clone());
                wrong.push(format!("{} ({} threads): wanted {}, got {got:?}", case.file, threads, case.outcome));
            }
            scan
        });
        if let Ok(scan) = &mut scans[0] {
            scan.rows.sort();
        }
        let [one, two] = scans;
        assert!(one == two, "{} depends on threads", case.file);
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn rejects_carry_reason_field_and_place() {
    let Some(folder) = shared("data/bad-input") else { return };
    for (file, expected) in [
        ("jsonl/num_negative.jsonl", vec![(2, "negative_count"), (3, "negative_count"), (4, "bad_latency")]),
        (
            "jsonl/num_types.jsonl",
            vec![(2, "missing_field"), (3, "not_a_count"), (4, "not_a_count"), (5, "not_a_count")],
        ),
        (
            "jsonl/missing_fields.jsonl",
            vec![(2, "missing_field"), (3, "missing_field"), (4, "missing_field"), (5, "missing_field")],
        ),
        ("jsonl/dup_keys.jsonl", vec![(2, "duplicate_key")]),
        ("jsonl/deep_nest_ignored.jsonl", vec![(2, "too_deep")]),
        ("jsonl/wrong_root.jsonl", (2..=6).map(|line| (line, "malformed")).collect()),
        ("jsonl/invalid_utf8.jsonl", vec![(2, "invalid_utf8"), (3, "invalid_utf8")]),
        ("jsonl/tok_cached_gt_input.jsonl", vec![(2, "cached_exceeds_input")]),
        ("jsonl/array_file.jsonl", vec![(1, "malformed"), (2, "malformed"), (3, "malformed")]),
        ("csv/ragged.csv", vec![(3, "ragged_row"), (4, "ragged_row")]),
        ("csv/thousands.csv", vec![(3, "not_a_count")]),
        ("csv/unclosed_quote.csv", vec![(3, "ragged_row")]),
        ("parquet/nulls.parquet", vec![(2, "missing_field"), (4, "missing_field")]),
        ("gz/bomb_one_line_192MiB.jsonl.gz", vec![(1, "line_too_long")]),
    ] {
        let scan = scan(folder.join(file), &with_threads(2)).expect(file);
        let mut found: Vec<(u64, &str)> = scan.coverage.rejects.iter().map(|r| (r.line, r.reason.name())).collect();
        found.sort_unstable();
        assert_eq!(found, expected, "{file}");
        assert!(scan.coverage.rejects.iter().all(|r| r.value.as_ref().is_none_or(|v| v.chars().count() <= 201)));
    }
}

#[test]
fn refusals_say_what_to_do() {
    let Some(folder) = shared("data/bad-input") else { return };
    for (file, code, word) in [
        ("jsonl/utf16le.jsonl", "file_kind", "UTF-16"),
        ("csv/empty.csv", "file_kind", "empty"),
        ("csv/no_header.csv", "missing_columns", "timestamp"),
        ("csv/dup_header.csv", "duplicate_column", "input_tokens"),
        ("csv/semicolon_decimal_comma.csv", "file_kind", "semicolons"),
        ("csv/cr_only.csv", "file_kind", "carriage returns"),
        ("parquet/truncated.parquet", "file_damaged", "cut off"),
        ("parquet/bad_footer_len.parquet", "file_damaged", "claims"),
        ("parquet/thrift_list_2e9.parquet", "file_damaged", "damaged"),
        ("parquet/missing_column.parquet", "missing_columns", "output_tokens"),
        ("parquet/tokens_as_string.parquet", "column_type", "input_tokens"),
    ] {
        let error = scan(folder.join(file), &with_threads(1)).expect_err(file);
        assert_eq!(error.code().name(), code, "{file}: {error}");
        assert!(error.to_string().contains(word), "{file}: {error}");
        assert!(error.hint().is_some());
    }
}
