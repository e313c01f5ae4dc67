//! Real traces: the sums are those their publishers' files add up to.

use crate::support::{scan, shared, with_threads};

#[test]
fn azure_2023_sums() {
    let Some(folder) = shared("data/traces/azure-2023") else { return };
    for (name, rows, input, output) in
        [("conv", 19_366, 22_361_870, 4_088_665), ("code", 8_819, 18_059_974_u64, 245_896_u64)]
    {
        for threads in [1, 2] {
            let path = folder.join(format!("AzureLLMInferenceTrace_{name}.csv"));
            let scan = scan(path, &with_threads(threads)).expect("a good file");
            assert_eq!((scan.coverage.counted, scan.coverage.rejected), (rows, 0));
            assert_eq!(scan.rows.iter().map(|row| u64::from(row.input_tokens)).sum::<u64>(), input);
            assert_eq!(scan.rows.iter().map(|row| u64::from(row.output_tokens)).sum::<u64>(), output);
            assert_eq!(scan.inputs[0].format, "azure-llm-2023");
            assert!(scan.rows.iter().all(|row| row.labels.iter().all(Option::is_none)));
        }
    }
}

#[test]
fn flat_log_line_by_line() {
    let Some(folder) = shared("data/log-formats") else { return };
    let scan = scan(folder.join("flat.jsonl"), &with_threads(1)).expect("a good file");
    let expected = std::fs::read_to_string(folder.join("expected/flat.jsonl")).expect("the expectations");
    let mut counted = scan.rows.iter();
    for expected in expected.lines() {
        let expected: serde_json::Value = serde_json::from_str(expected).expect("an object");
        let line = expected["line"].as_u64().expect("a line");
        if expected["disposition"] == "count" {
            let row = counted.next().expect("one more event");
            let time: jiff::Timestamp = expected["ts"].as_str().expect("a time").parse().expect("a time");
            assert_eq!(i128::from(row.time_us), time.as_nanosecond().div_euclid(1000), "line {line}");
            assert_eq!(u64::from(row.input_tokens), expected["input"], "line {line}");
            assert_eq!(u64::from(row.cached_tokens), expected["cache_read"], "line {line}");
            assert_eq!(u64::from(row.output_tokens), expected["output"], "line {line}");
            assert_eq!(row.latency_us, 900_000, "line {line}");
        } else {
            let reject = scan.coverage.rejects.iter().find(|reject| reject.line == line).expect("a reject");
            assert_eq!(
                (expected["disposition"].as_str(), reject.reason.name()),
                (Some("ambiguous_time"), "naive_timestamp")
            );
        }
    }
    assert_eq!(counted.next(), None);
    let utc = wattledger::intake::Options { input_timezone: Some("UTC".into()), ..with_threads(1) };
    assert_eq!(crate::support::scan(folder.join("flat.jsonl"), &utc).expect("a good file").coverage.counted, 12);
}
