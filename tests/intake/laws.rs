//! Laws: blocks and threads never show, and the fast parser agrees with a naive one.

use crate::support::{Scan, file, scan, with_threads};
use proptest::prelude::*;
use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::Value;
use std::fmt;
use wattledger::intake::Options;

/// Counts and model of an event.
type Facts = (String, u64, u64, u64);

/// The reference: one line through [`Value`], judged by the rules as they are written down. Times are not its matter.
fn naive(line: &str) -> Option<Facts> {
    let object: Value = serde_json::from_str(line).ok()?;
    let object = object.as_object()?;
    let mut keys = serde_json::from_str::<Keys>(line).ok()?.0;
    keys.retain(|key| MAPPED.contains(&key.as_str()));
    keys.sort();
    let all = keys.len();
    keys.dedup();
    if keys.len() != all {
        return None;
    }
    let first = |names: &[&str]| names.iter().filter_map(|name| object.get(*name)).find(|value| !value.is_null());
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "whole, and saturating")]
    let count = |value: &Value| {
        let whole =
            value.as_u64().or_else(|| value.as_f64().filter(|v| v.fract() == 0.0 && *v >= 0.0).map(|v| v as u64));
        whole.filter(|count| *count <= 1_000_000_000)
    };
    first(&["timestamp"])?;
    let model = first(&["model", "model_name"])?.as_str()?;
    let input = count(first(&["input_tokens", "prompt_tokens"])?)?;
    let cached = first(&["cached_tokens"]).map_or(Some(0), count)?;
    let output = count(first(&["output_tokens"])?)?;
    (cached <= input).then(|| (model.to_owned(), input, cached, output))
}

const MAPPED: [&str; 7] =
    ["timestamp", "model", "model_name", "input_tokens", "prompt_tokens", "cached_tokens", "output_tokens"];

/// Keys in the order they stand, twice where they stand twice.
struct Keys(Vec<String>);

impl<'de> Deserialize<'de> for Keys {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Collect;
        impl<'de> Visitor<'de> for Collect {
            type Value = Keys;
            fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
                f.write_str("an object")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Keys, A::Error> {
                let mut keys = Vec::new();
                while let Some((key, _)) = map.next_entry::<String, Value>()? {
                    keys.push(key);
                }
                Ok(Keys(keys))
            }
        }
        deserializer.deserialize_map(Collect)
    }
}

fn scalar() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => (0_u32..200).prop_map(|n| n.to_string()),
        1 => prop::sample::select(vec![
            "null", "true", "-1", "1.0", "1.5", "1e2", "-0", "1e999", "1000000000", "1000000001",
            "18446744073709551616", "\"7\"", "\"m\"", "\"\\u0041\"", "\"\\ud800\"", "[1]", "{}", "{\"model\":\"x\"}",
            "[[]", "01", "NaN", "\"\t\"", "\"é\"", "[{\"a\":[1,{\"b\":null}]}]",
        ]).prop_map(str::to_owned),
    ]
}

/// A line that is nearly an event.
fn line() -> impl Strategy<Value = String> {
    let keys = prop::sample::select(vec![
        "model",
        "input_tokens",
        "prompt_tokens",
        "cached_tokens",
        "output_tokens",
        "other",
        "inp\\u0075t_tokens",
    ]);
    let extra = prop::collection::vec((keys, scalar()), 0..4);
    let tail = prop_oneof![12 => Just(""), 1 => Just(","), 1 => Just("}"), 1 => Just(" {}"), 1 => Just(" \t")];
    (extra, any::<prop::sample::Index>(), tail, 0_u8..8).prop_map(|(extra, at, tail, base)| {
        let mut pairs: Vec<(String, String)> = [("model", "\"m\""), ("input_tokens", "150"), ("output_tokens", "5")]
            .into_iter()
            .filter(|(key, _)| base > 3 || extra.iter().all(|(other, _)| other != key))
            .map(|(key, value)| (key.to_owned(), value.to_owned()))
            .collect();
        for (key, value) in extra {
            pairs.insert(at.index(pairs.len() + 1), (key.to_owned(), value));
        }
        pairs.insert(0, ("timestamp".into(), "1767225600".into()));
        let pairs: Vec<String> = pairs.iter().map(|(key, value)| format!("\"{key}\": {value}")).collect();
        format!("{{{}}}{tail}", pairs.join(", "))
    })
}

fn noise() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        6 => line().prop_map(String::into_bytes),
        1 => Just(Vec::new()),
        1 => Just(b" \r".to_vec()),
        1 => prop::collection::vec(any::<u8>().prop_filter("one line", |b| *b != b'\n'), 0..20),
        1 => (100_usize..400).prop_map(|length| vec![b'x'; length]),
        1 => (100_usize..400).prop_map(|length| format!("{{\"pad\":\"{}\"}}\r", "y".repeat(length)).into_bytes()),
    ]
}

fn sorted(scan: Scan) -> Scan {
    let mut scan = scan;
    scan.rows.sort();
    scan
}

proptest! {
    #[test]
    fn the_fast_parser_agrees_with_the_naive_one(lines in prop::collection::vec(line(), 1..30)) {
        let (_folder, path) = file("log.jsonl", lines.join("\n").as_bytes());
        let scan = scan(path, &with_threads(1)).expect("a file of lines");
        let fast: Vec<Facts> = scan.rows.iter().map(|row| {
            let model = row.labels[1].clone().expect("a model");
            (model, row.input_tokens.into(), row.cached_tokens.into(), row.output_tokens.into())
        }).collect();
        let slow: Vec<Facts> = lines.iter().filter_map(|line| naive(line)).collect();
        prop_assert_eq!(fast, slow);
        prop_assert_eq!(scan.coverage.lines_in, lines.len() as u64);
    }

    #[test]
    fn blocks_and_threads_never_show(
        lines in prop::collection::vec(noise(), 1..60),
        block_bytes in prop_oneof![1_usize..40, 40_usize..2_000, 2_000_usize..65_536],
        threads in 1_usize..4,
        ends in any::<bool>(),
    ) {
        // The first line decides the kind of file, so it is a plain one.
        let mut text = b"{\"first\": 1}\n".to_vec();
        text.extend(lines.join(&b'\n'));
        if ends {
            text.push(b'\n');
        }
        let (_folder, path) = file("log.jsonl", &text);
        let whole = Options { max_line_bytes: 256, ..with_threads(1) };
        let parts = Options { block_bytes, threads, ..whole.clone() };
        let reference = sorted(scan(&path, &whole).expect("a file of lines"));
        prop_assert_eq!(sorted(scan(&path, &parts).expect("a file of lines")), reference);
    }
}

#[test]
fn a_line_at_the_limit_is_read_and_one_beyond_is_not() {
    let line = |length: usize| {
        let open = r#"{"ts":1767225600,"model":"m","input_tokens":1,"output_tokens":1,"pad":""#;
        format!("{open}{}\"}}", "x".repeat(length - open.len() - 2))
    };
    for end in ["\n", "\r\n", ""] {
        for block_bytes in [1, 7, 1 << 20] {
            let text = format!("{}{}{}{end}", line(300), if end.is_empty() { "\n" } else { end }, line(301));
            let (_folder, path) = file("log.jsonl", text.as_bytes());
            let options = Options { max_line_bytes: 300, block_bytes, ..with_threads(2) };
            let coverage = scan(&path, &options).expect("a file of lines").coverage;
            assert_eq!((coverage.counted, coverage.rejected), (1, 1), "{end:?} {block_bytes}");
            assert_eq!((coverage.rejects[0].line, coverage.rejects[0].reason.name()), (2, "line_too_long"));
        }
    }
}
