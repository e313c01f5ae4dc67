//! Every reason a line is refused for, earned by a line of a log.

use std::fmt::Write;
use wattledger::event::{Coverage, EventColumns, Reason, Reject};
use wattledger::intake::{Options, Sink, discover, read};
use wattledger::keys::SeriesTable;

struct Nobody;

impl Sink for Nobody {
    fn events(&mut self, _: &EventColumns<'_>, _: &SeriesTable) -> wattledger::Result<()> {
        Ok(())
    }
}

/// A line of JSON with one value replaced.
fn json(field: &str, value: &str) -> Vec<u8> {
    let fields = [
        ("timestamp", "\"2026-01-01T00:00:00Z\""),
        ("model", "\"m\""),
        ("input_tokens", "100"),
        ("cached_tokens", "40"),
        ("output_tokens", "20"),
        ("latency_ms", "900"),
    ];
    let fields = fields.map(|(name, good)| format!("\"{name}\":{}", if name == field { value } else { good }));
    format!("{{{}}}", fields.join(",")).into_bytes()
}

/// A file name, its bytes, and the longest line that is read of it.
fn line(reason: Reason) -> (&'static str, Vec<u8>, usize) {
    let limit = Options::default().max_line_bytes;
    let jsonl = |bytes: Vec<u8>| ("log.jsonl", bytes, limit);
    match reason {
        Reason::Malformed => jsonl(b"{\"timestamp\": 2026".to_vec()),
        Reason::InvalidUtf8 => jsonl([json("", ""), b"\n{\"model\":\"\xff\"}".to_vec()].concat()),
        Reason::TooDeep => jsonl(json("model", &format!("{}1{}", "[".repeat(200), "]".repeat(200)))),
        Reason::LineTooLong => ("log.jsonl", json("model", &format!("\"{}\"", "m".repeat(1000))), 500),
        Reason::RaggedRow => {
            let text = "timestamp,model,input_tokens,output_tokens\n2026-01-01T00:00:00Z,a,b,100,20\n";
            ("log.csv", text.into(), limit)
        }
        Reason::DuplicateKey => jsonl(json("model", "\"a\",\"model\":\"b\"")),
        Reason::MissingField => jsonl(json("output_tokens", "null")),
        Reason::BadTimestamp => jsonl(json("timestamp", "\"yesterday\"")),
        Reason::NaiveTimestamp => jsonl(json("timestamp", "\"2026-01-01T00:00:00\"")),
        Reason::TimestampOutOfRange => jsonl(json("timestamp", "\"1999-12-31T00:00:00Z\"")),
        Reason::NotACount => jsonl(json("input_tokens", "\"100\"")),
        Reason::NegativeCount => jsonl(json("output_tokens", "-1")),
        Reason::FractionalCount => jsonl(json("output_tokens", "19.5")),
        Reason::ImplausibleCount => jsonl(json("input_tokens", "1000000001")),
        Reason::CachedExceedsInput => jsonl(json("cached_tokens", "101")),
        Reason::BadLatency => jsonl(json("latency_ms", "-5")),
        Reason::BadLabel => jsonl(json("model", "7")),
    }
}

fn read_one((name, bytes, max_line_bytes): (&str, Vec<u8>, usize)) -> Coverage {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join(name);
    std::fs::write(&path, bytes).expect("a file");
    let options = Options { max_line_bytes, threads: 1, ..Options::default() };
    let sources = discover(&[path]).expect("the file is there");
    read(&sources, &options, || Nobody, &|| false).expect("lines are refused one by one").coverage
}

#[test]
fn every_reason_is_earned_by_a_line_and_says_the_way_out() {
    let mut shown = String::new();
    for reason in Reason::ALL {
        let coverage = read_one(line(*reason));
        assert_eq!(coverage.by_reason.keys().collect::<Vec<_>>(), [reason], "{coverage:?}");
        assert!(coverage.closes() && coverage.rejected == 1, "{coverage:?}");
        let Reject { line, field, value, .. } = &coverage.rejects[0];
        writeln!(shown, "{}: {}", reason.name(), reason.way_out()).unwrap();
        let value = value.as_deref().map_or("nothing".into(), |value| format!("`{}`", short(value)));
        writeln!(shown, "  line {line}, {}: {value}\n", field.as_deref().unwrap_or("the whole line")).unwrap();
    }
    insta::with_settings!({ omit_expression => true }, { insta::assert_snapshot!("reasons", shown) });
}

/// A value cut to what a snapshot bears.
fn short(value: &str) -> String {
    if value.chars().count() <= 60 { value.into() } else { value.chars().take(60).chain(['…']).collect() }
}

#[test]
fn reasons_are_named_as_they_stand_in_json() {
    for reason in Reason::ALL {
        assert_eq!(serde_json::to_value(reason).unwrap(), reason.name());
    }
}
