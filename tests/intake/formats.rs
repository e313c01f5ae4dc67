//! Formats, maps and overrides: the same rows give the same events, whatever they are written in.

use crate::support::{Row, file, scan, with_threads};
use arrow_array::types::Int32Type;
use arrow_array::{
    ArrayRef, DictionaryArray, Float64Array, Int64Array, RecordBatch, StringArray, TimestampMicrosecondArray,
};
use proptest::prelude::*;
use std::fmt::Write;
use std::path::Path;
use std::sync::Arc;
use wattledger::event::{Coverage, EventBatch};
use wattledger::intake::{CompiledMap, Options, batch_to_events};
use wattledger::keys::SeriesTable;
use wattledger::{Error, Result};

fn options(map: &[(&str, &str)]) -> Options {
    Options { map: map.iter().map(|(f, c)| ((*f).into(), (*c).into())).collect(), ..with_threads(1) }
}

#[test]
fn a_flat_log_is_read_without_being_told_how() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/flat.jsonl");
    let options = Options { dimensions: vec!["tenant".into()], ..with_threads(1) };
    let scan = scan(path, &options).expect("a good file");
    let tenants: Vec<Option<&str>> = scan.rows.iter().map(|row| row.labels[6].as_deref()).collect();
    assert_eq!(tenants, [Some("x"), Some("7"), None]);
    let rejects: Vec<_> = scan.coverage.rejects.iter().map(|r| (r.line, r.reason.name(), r.field.as_deref())).collect();
    assert_eq!(rejects, [(4, "naive_timestamp", Some("timestamp")), (5, "not_a_count", Some("input_tokens"))]);
    let times: Vec<i64> = scan.rows.iter().map(|row| row.time_us - 1_767_225_600_000_000).collect();
    assert_eq!(times, [0, 250_000, 0]);
    assert_eq!(scan.rows.iter().map(|row| row.latency_us).collect::<Vec<_>>(), [900_000, -1, 900_000]);
}

#[test]
fn overrides_name_columns_or_declare_that_there_are_none() {
    let (_folder, path) = file("log.csv", b"at,in,out\n2026-01-01T00:00:00Z,3,4\n");
    let mapped = options(&[("timestamp", "at"), ("input_tokens", "in"), ("output_tokens", "out"), ("model", "")]);
    assert_eq!(scan(&path, &mapped).expect("mapped").coverage.counted, 1);
    let missing = scan(&path, &options(&[("timestamp", "at")])).expect_err("three are missing");
    let Error::MissingColumns { missing, found, .. } = missing else { panic!("{missing}") };
    assert_eq!(
        (missing, found),
        (
            vec!["model".into(), "input_tokens".into(), "output_tokens".into()],
            vec!["at".into(), "in".into(), "out".into()]
        )
    );
    let unknown = scan(&path, &options(&[("inputtokens", "in")])).expect_err("no such field");
    assert_eq!(unknown.hint().as_deref(), Some("did you mean `input_tokens`?"));
    let format = Options { format: Some("azure".into()), ..with_threads(1) };
    assert!(matches!(scan(&path, &format), Err(Error::UnknownName { kind: "format", .. })));
    let zone = Options { input_timezone: Some("Mars/Base".into()), ..with_threads(1) };
    assert!(matches!(scan(&path, &zone), Err(Error::UnknownName { kind: "time zone", .. })));
}

#[test]
fn a_map_of_ones_own_reads_nested_keys_and_ends_of_requests() {
    let map = r#"
        name = "gateway"
        timestamp_is = "end"
        input_timezone = "Europe/Berlin"
        [columns]
        timestamp = ["done"]
        model = ["llm.name"]
        input_tokens = ["usage.in"]
        output_tokens = ["usage.out"]
        latency_s = ["took"]
    "#;
    let options = Options { map_toml: Some(map.into()), dimensions: vec!["meta.team".into()], ..with_threads(1) };
    let log = r#"{"done":"2026-07-01T12:00:00","llm":{"name":"m"},"usage":{"in":1,"x":{"in":9},"out":2},"took":60,"meta":{"team":true}}
{"done":"2026-07-01T12:00:00Z","llm.name":"m","usage":{"in":1,"out":2},"usage":{"in":1}}
{"done":"2026-07-01T12:00:00Z","llm.name":"m","llm":{"name":"m"},"usage":{"in":1,"out":2}}
{"done":"2026-07-01T12:00:00Z","llm":"m","usage":{"in":1,"out":2}}
"#;
    let (_folder, path) = file("log.jsonl", log.as_bytes());
    let scan = scan(path, &options).expect("a good file");
    assert_eq!(scan.inputs[0].format, "gateway");
    let wanted: jiff::Timestamp = "2026-07-01T09:59:00Z".parse().expect("a time");
    assert_eq!((scan.rows[0].time_us, scan.rows[0].input_tokens), (wanted.as_microsecond(), 1));
    assert_eq!(scan.rows[0].labels[6].as_deref(), Some("true"));
    let rejects: Vec<_> = scan.coverage.rejects.iter().map(|r| (r.line, r.reason.name())).collect();
    assert_eq!(rejects, [(2, "duplicate_key"), (3, "duplicate_key"), (4, "missing_field")]);
}

/// A row as a writer has it.
#[derive(Clone, Debug)]
struct Written {
    time_us: i64,
    model: String,
    input: i64,
    cached: Option<i64>,
    output: i64,
    latency_ms: Option<f64>,
}

fn written() -> impl Strategy<Value = Written> {
    let time = 1_420_000_000_000_000_i64..1_500_000_000_000_000;
    let model = prop::sample::select(vec!["a", "b,c", "d\"e", "f\ng", "ü"]);
    let cached = prop::option::of(0_i64..60);
    let latency = prop::option::of(prop::sample::select(vec![0.0, 0.5, 12.25, 1e4, -1.0]));
    (time, model, -5_i64..100, cached, 0_i64..2_000_000_000, latency).prop_map(
        |(time_us, model, input, cached, output, latency_ms)| Written {
            time_us,
            model: model.into(),
            input,
            cached,
            output,
            latency_ms,
        },
    )
}

fn batch(rows: &[Written]) -> RecordBatch {
    let times = rows.iter().map(|row| row.time_us).collect::<Vec<_>>();
    let models: DictionaryArray<Int32Type> = rows.iter().map(|row| row.model.as_str()).collect();
    let columns: [(&str, ArrayRef); 7] = [
        ("ignored", Arc::new(StringArray::from(vec!["x"; rows.len()]))),
        ("timestamp", Arc::new(TimestampMicrosecondArray::from(times).with_timezone("UTC"))),
        ("model", Arc::new(models)),
        ("input_tokens", Arc::new(rows.iter().map(|row| Some(row.input)).collect::<Int64Array>())),
        ("cached_tokens", Arc::new(rows.iter().map(|row| row.cached).collect::<Int64Array>())),
        (
            "output_tokens",
            Arc::new(
                rows.iter().map(|row| row.output).collect::<Vec<_>>().into_iter().map(Some).collect::<Int64Array>(),
            ),
        ),
        ("latency_ms", Arc::new(rows.iter().map(|row| row.latency_ms).collect::<Float64Array>())),
    ];
    RecordBatch::try_from_iter(columns).expect("columns of one length")
}

fn parquet(rows: &[Written]) -> Vec<u8> {
    let batch = batch(rows);
    let properties =
        parquet::file::properties::WriterProperties::builder().set_max_row_group_row_count(Some(7)).build();
    let mut bytes = Vec::new();
    let mut writer =
        parquet::arrow::ArrowWriter::try_new(&mut bytes, batch.schema(), Some(properties)).expect("a writer");
    writer.write(&batch).expect("written");
    writer.close().expect("closed");
    bytes
}

#[test]
fn a_damaged_row_group_leaves_the_others_counted_and_the_file_incomplete() {
    use parquet::file::reader::{FileReader, SerializedFileReader};
    let row = Written {
        time_us: 1_430_000_000_000_000,
        model: "m".into(),
        input: 9,
        cached: None,
        output: 1,
        latency_ms: None,
    };
    let mut bytes = parquet(&vec![row; 21]);
    let (_folder, path) = file("good.parquet", &bytes);
    let reader = SerializedFileReader::new(std::fs::File::open(&path).expect("opens")).expect("a good file");
    let column = reader.metadata().row_group(1).column(3);
    let at = usize::try_from(column.dictionary_page_offset().unwrap_or(column.data_page_offset())).expect("an offset");
    bytes[at..at + 12].fill(0xff);
    let (_folder, path) = file("damaged.parquet", &bytes);
    let [one, three] = [1, 3].map(|threads| scan(&path, &with_threads(threads)).expect("two good row groups"));
    assert_eq!(one, three);
    assert_eq!(one.coverage.counted, 14);
    assert!(one.coverage.incomplete[0].contains("row group 1"), "{:?}", one.coverage.incomplete);
}

fn text(rows: &[Written]) -> (String, String) {
    let (mut json, mut csv) =
        (String::new(), "latency_ms,timestamp,model,input_tokens,cached_tokens,output_tokens\n".to_owned());
    for row in rows {
        let time = jiff::Timestamp::from_microsecond(row.time_us).expect("a time");
        let object = serde_json::json!({"timestamp": time.to_string(), "model": row.model, "input_tokens": row.input,
            "cached_tokens": row.cached, "output_tokens": row.output, "latency_ms": row.latency_ms});
        writeln!(json, "{object}").expect("memory");
        let model = format!("\"{}\"", row.model.replace('"', "\"\""));
        let cached = row.cached.map(|n| n.to_string()).unwrap_or_default();
        let latency = row.latency_ms.map(|n| n.to_string()).unwrap_or_default();
        writeln!(csv, "{latency},{time},{model},{},{cached},{}", row.input, row.output).expect("memory");
    }
    (json, csv)
}

fn account(result: Result<crate::support::Scan>) -> (Vec<Row>, Vec<(wattledger::event::Reason, u64)>) {
    let mut scan = result.expect("a good file");
    scan.rows.sort();
    (scan.rows, scan.coverage.by_reason.into_iter().collect())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn one_log_in_four_formats_is_one_log(rows in prop::collection::vec(written(), 1..40)) {
        let (json, csv) = text(&rows);
        let reference = account(scan(file("a.jsonl", json.as_bytes()).keep(), &with_threads(1)));
        prop_assert_eq!(&account(scan(file("a.csv", csv.as_bytes()).keep(), &with_threads(1))), &reference);
        for threads in [1, 3] {
            let read = scan(file("a.parquet", &parquet(&rows)).keep(), &with_threads(threads));
            prop_assert_eq!(&account(read), &reference);
        }
        let batch = batch(&rows);
        let map = CompiledMap::for_schema(&batch.schema(), &Options::default()).expect("a map");
        let (mut table, mut events, mut coverage) = (SeriesTable::new(vec![]), EventBatch::default(), Coverage::default());
        batch_to_events(&batch, &map, 0, &mut table, &mut events, &mut coverage, "table").expect("columns");
        let mut sink = crate::support::Collect::default();
        wattledger::intake::Sink::events(&mut sink, &events.columns(), &table).expect("collected");
        sink.0.sort();
        prop_assert_eq!(&sink.0, &reference.0);
        prop_assert_eq!(coverage.by_reason.into_iter().collect::<Vec<_>>(), reference.1);
    }
}

/// Holds the folder of a file for as long as the path is in use.
struct Kept(tempfile::TempDir, std::path::PathBuf);

impl AsRef<Path> for Kept {
    fn as_ref(&self) -> &Path {
        debug_assert!(self.1.starts_with(self.0.path()));
        &self.1
    }
}

trait Keep {
    fn keep(self) -> Kept;
}

impl Keep for (tempfile::TempDir, std::path::PathBuf) {
    fn keep(self) -> Kept {
        Kept(self.0, self.1)
    }
}
