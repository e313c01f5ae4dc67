//! Threads and blocks never show in what a scan returns.

use crate::support::{Fact, facts, labels, ledger};
use proptest::prelude::*;
use wattledger::intake;
use wattledger::kernel::Kept;
use wattledger::ledger::Ledger;
use wattledger::scan::{Options, scan};

/// A line of the log: an event, or a line that is none.
fn line(fact: &Fact, bad: bool) -> String {
    let labels = labels(fact);
    let mut object = serde_json::Map::new();
    for (name, label) in [("model", &labels[1]), ("region", &labels[2]), ("tenant", &labels[6])] {
        object.extend(label.clone().map(|label| (name.to_owned(), label.into())));
    }
    #[expect(clippy::cast_precision_loss, reason = "microseconds of 2026 fit")]
    object.extend(fact.time_us.map(|t| ("timestamp".to_owned(), (t as f64 / 1e6).into())));
    object.insert("input_tokens".into(), if bad { "many".into() } else { fact.input.into() });
    object.insert("cached_tokens".into(), fact.cached.into());
    object.insert("output_tokens".into(), fact.output.into());
    #[expect(clippy::cast_precision_loss, reason = "thirty days of microseconds fit")]
    object.extend(fact.latency_us.map(|t| ("latency_ms".to_owned(), (t as f64 / 1e3).into())));
    serde_json::Value::Object(object).to_string()
}

fn scanned(path: &std::path::Path, threads: usize, block_bytes: usize) -> Ledger {
    let intake = intake::Options { threads, block_bytes, dimensions: vec!["tenant".into()], ..Default::default() };
    let windows = crate::support::WINDOWS.to_vec();
    let kept = Kept { bin_seconds: crate::support::BIN_S, windows, occupancy: true };
    let options = Options { intake, kept, ..Options::default() };
    scan(&[path.to_string_lossy().into_owned()], &options, &|| false).expect("it is read")
}

proptest! {
    #[test]
    fn one_two_and_seven_threads_make_one_ledger(
        facts in facts(80),
        bad in prop::collection::vec(prop::bool::weighted(0.1), 80),
        block_bytes in 64_usize..2000,
    ) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("log.jsonl");
        let lines: Vec<String> = facts.iter().zip(&bad).map(|(fact, bad)| line(fact, *bad)).collect();
        std::fs::write(&path, lines.join("\n") + "\n\n").unwrap();
        if lines.is_empty() {
            return Ok(());
        }
        let one = scanned(&path, 1, 1 << 20);
        prop_assert!(one.origin.coverage.closes());
        prop_assert_eq!(one.origin.coverage.lines_in, lines.len() as u64);
        for threads in [2, 7] {
            prop_assert_eq!(&scanned(&path, threads, block_bytes), &one);
        }
        // A log line without a time is refused, so those of the events that have one make the ledger.
        let good = facts.iter().zip(&bad).filter(|(fact, bad)| fact.time_us.is_some() && !**bad);
        let mut expected = ledger(&good.map(|(fact, _)| fact.clone()).collect::<Vec<_>>());
        expected.origin = one.origin.clone();
        prop_assert_eq!(one, expected);
    }
}
