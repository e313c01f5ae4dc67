//! Lines read by their template and lines read by the parser of all JSON: no line may tell the difference.

use crate::support::{Scan, file, scan, with_threads};
use proptest::prelude::*;
use wattledger::intake::Options;

/// Lines of one shape, with what a line may have in its values.
fn line() -> impl Strategy<Value = String> {
    let id = prop_oneof![
        "[a-f0-9]{16}",
        "[a-z\u{e9}\u{4e2d}]{0,40}",
        Just("a\\u00e9\\n".to_owned()),
        Just("\\ud800".to_owned())
    ];
    let count = prop_oneof![
        (0..5_000_u64).prop_map(|n| n.to_string()),
        any::<u64>().prop_map(|n| n.to_string()),
        prop::sample::select(vec![
            "0", "-1", "00", "1.0", "1.5", "1e2", "1E+2", "01", "1.", "-", "null", "true", "\"7\"", "[]", "{}"
        ])
        .prop_map(str::to_owned),
    ];
    let time = prop_oneof![
        (1_735_689_600_u64..1_767_225_600).prop_map(|t| t.to_string()),
        Just("\"2026-01-01T00:00:00Z\"".to_owned()),
        Just("1735689600.25".to_owned()),
        Just("\"yesterday\"".to_owned()),
    ];
    let model = prop::sample::select(vec!["\"m\"", "\"llama-3.1-70b\"", "\"\"", "null", "7", "\"a\\\"b\""]);
    let extra = prop::sample::select(vec![
        "[]",
        "[1,{\"a\":[2]}]",
        "{\"deep\":{\"er\":[]}}",
        "\"text\"",
        "-0.5e-3",
        "[1,]",
        "tru",
    ]);
    (id, time, model, count.clone(), count.clone(), count, extra).prop_map(|(id, time, model, input, cached, output, extra)| {
        format!(
            "{{\"id\":\"{id}\",\"object\":\"call\",\"timestamp\":{time}, \"model\":{model},\"usage\":{{\"prompt_tokens\":{input},\"more\":{extra},\"completion_tokens\":{output}}},\"cached_tokens\":{cached}}}"
        )
    })
}

/// A plain line, from which the shape is learned.
const PLAIN: &str = "{\"id\":\"a\",\"object\":\"call\",\"timestamp\":1735689600, \"model\":\"m\",\"usage\":{\"prompt_tokens\":3,\"more\":7,\"completion_tokens\":2},\"cached_tokens\":0}";

/// So many shapes that no more are learned: from here on lines are walked.
fn shapes() -> impl Iterator<Item = String> {
    (0..70).map(|i| PLAIN.replacen("\"object\"", &format!("\"shape-{i}\":{{\"a\":{i}}},\"object\""), 1))
}

fn options() -> Options {
    let map = [("input_tokens", "usage.prompt_tokens"), ("output_tokens", "usage.completion_tokens")];
    let map = map.map(|(field, column)| (field.to_owned(), column.to_owned())).to_vec();
    Options { map, ..with_threads(1) }
}

fn read(text: &str) -> Scan {
    let (_folder, path) = file("log.jsonl", text.as_bytes());
    scan(&path, &options()).expect("a log")
}

proptest! {
    #[test]
    fn a_line_means_the_same_behind_others_and_alone(
        lines in prop::collection::vec((line(), any::<u16>(), any::<u8>(), 0..6_u8), 1..10),
        ending in prop::sample::select(vec!["\n", "\r\n"]),
        walked in any::<bool>(),
    ) {
        let first: Vec<String> = if walked { shapes().collect() } else { vec![PLAIN.to_owned(); 20] };
        let lines: Vec<String> = lines.into_iter().map(|(line, at, byte, change)| mutated(line, at, byte, change)).collect();
        let all = read(&format!("{}{ending}", first.iter().chain(&lines).cloned().collect::<Vec<_>>().join(ending)));
        let plain = read(&format!("{PLAIN}{ending}"));
        prop_assert_eq!(plain.rows.len(), 1);
        let mut rows: Vec<_> = std::iter::repeat_n(plain.rows[0].clone(), first.len()).collect();
        let mut rejects = Vec::new();
        for (i, line) in lines.iter().enumerate() {
            // In front nothing was learned yet: the parser of all JSON reads it.
            let one = read(&format!("{line}{ending}{PLAIN}{ending}"));
            rows.extend(one.rows[..one.rows.len() - 1].iter().cloned());
            rejects.extend(one.coverage.rejects.into_iter().map(|reject| ((first.len() + i) as u64 + 1, reject.reason, reject.field, reject.value)));
        }
        prop_assert_eq!(all.rows, rows);
        let found: Vec<_> = all.coverage.rejects.into_iter().map(|r| (r.line, r.reason, r.field, r.value)).collect();
        prop_assert_eq!(found, rejects);
    }
}

/// The line, one byte of it replaced now and then.
fn mutated(mut line: String, at: u16, byte: u8, change: u8) -> String {
    let at = usize::from(at) % line.len();
    if change == 0
        && line.is_char_boundary(at)
        && line.is_char_boundary(at + 1)
        && byte.is_ascii()
        && byte != b'\n'
        && byte != b'\r'
    {
        line.replace_range(at..=at, &char::from(byte).to_string());
    }
    line
}
