//! Intake: bytes of a file into events, and all the way into a ledger.
//!
//! One log of 200,000 requests with 40 series, written once as JSONL, as CSV and as Parquet; the page cache is warm, so
//! this is parsing and not the disk. Each case checks counts and tokens, so a wrong answer cannot win. `scan` is what the
//! command does: intake, kernel and merge on all cores; the others read on one thread into a sink that only adds tokens.

use arrow_array::{ArrayRef, Int64Array, RecordBatch, StringArray, TimestampMicrosecondArray, UInt32Array};
use divan::Bencher;
use divan::counter::{BytesCount, ItemsCount};
use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::sync::{Arc, LazyLock};
use wattledger::event::EventColumns;
use wattledger::intake::{Options, Sink, discover, read};
use wattledger::keys::SeriesTable;

const REQUESTS: u64 = 200_000;

struct Request {
    time_us: i64,
    model: String,
    region: String,
    input: u32,
    cached: u32,
    output: u32,
    latency_ms: u32,
}

fn requests() -> impl Iterator<Item = Request> {
    (0..REQUESTS).map(|i| {
        let random = i.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 20;
        let small = |x: u64| u32::try_from(x).expect("32 bits");
        let input = small(random % 8000);
        Request {
            time_us: 1_767_225_600_000_000 + i64::try_from(i).expect("small") * 400_000,
            model: format!("llama-3.1-{}b-instruct", random % 10),
            region: format!("us-east-{}", (random >> 8) % 4),
            input,
            cached: input / 3,
            output: small((random >> 12) % 1000),
            latency_ms: small((random >> 16) % 30_000),
        }
    })
}

struct Logs {
    folder: tempfile::TempDir,
    output_tokens: u64,
}

static LOGS: LazyLock<Logs> = LazyLock::new(|| {
    let folder = tempfile::tempdir().expect("a folder");
    let (mut jsonl, mut csv) = (String::new(), String::new());
    csv.push_str("timestamp,model,region,input_tokens,cached_tokens,output_tokens,latency_ms\n");
    let mut output_tokens = 0;
    for r in requests() {
        let (s, us) = (r.time_us / 1_000_000, r.time_us % 1_000_000);
        let Request { model, region, input, cached, output, latency_ms, .. } = &r;
        writeln!(
            jsonl,
            "{{\"timestamp\":{s}.{us:06},\"model\":\"{model}\",\"region\":\"{region}\",\"input_tokens\":{input},\
             \"cached_tokens\":{cached},\"output_tokens\":{output},\"latency_ms\":{latency_ms},\"user\":\"nobody\"}}"
        )
        .expect("memory");
        writeln!(csv, "{s}.{us:06},{model},{region},{input},{cached},{output},{latency_ms}").expect("memory");
        output_tokens += u64::from(r.output);
    }
    std::fs::write(folder.path().join("log.jsonl"), jsonl).expect("a file");
    std::fs::write(folder.path().join("log.csv"), csv).expect("a file");
    std::fs::write(folder.path().join("log.parquet"), parquet_bytes()).expect("a file");
    Logs { folder, output_tokens }
});

fn parquet_bytes() -> Vec<u8> {
    let all: Vec<Request> = requests().collect();
    let number = |f: fn(&Request) -> u32| Arc::new(all.iter().map(|r| Some(f(r))).collect::<UInt32Array>()) as ArrayRef;
    let text = |f: fn(&Request) -> &str| Arc::new(all.iter().map(|r| Some(f(r))).collect::<StringArray>()) as ArrayRef;
    let time: TimestampMicrosecondArray = all.iter().map(|r| Some(r.time_us)).collect();
    let latency: Int64Array = all.iter().map(|r| Some(i64::from(r.latency_ms))).collect();
    let batch = RecordBatch::try_from_iter([
        ("timestamp", Arc::new(time.with_timezone("UTC")) as ArrayRef),
        ("model", text(|r| &r.model)),
        ("region", text(|r| &r.region)),
        ("input_tokens", number(|r| r.input)),
        ("cached_tokens", number(|r| r.cached)),
        ("output_tokens", number(|r| r.output)),
        ("latency_ms", Arc::new(latency)),
    ]);
    let batch = batch.expect("columns of one length");
    let mut bytes = Vec::new();
    let mut writer = parquet::arrow::ArrowWriter::try_new(&mut bytes, batch.schema(), None).expect("a writer");
    writer.write(&batch).expect("a table");
    writer.close().expect("an end");
    bytes
}

fn log(name: &str) -> PathBuf {
    LOGS.folder.path().join(name)
}

struct Tokens(u64);

impl Sink for Tokens {
    fn events(&mut self, batch: &EventColumns<'_>, _: &SeriesTable) -> wattledger::Result<()> {
        self.0 += batch.output_tokens.iter().map(|tokens| u64::from(*tokens)).sum::<u64>();
        Ok(())
    }
}

fn read_one(path: &Path) {
    let options = Options { threads: 1, ..Options::default() };
    let sources = discover(&[path]).expect("the file is there");
    let outcome = read(&sources, &options, || Tokens(0), &|| false).expect("it is read");
    assert_eq!((outcome.coverage.counted, outcome.coverage.rejected), (REQUESTS, 0));
    assert_eq!(outcome.workers.iter().map(|(_, tokens)| tokens.0).sum::<u64>(), LOGS.output_tokens);
}

#[divan::bench(args = ["log.jsonl", "log.csv", "log.parquet"], sample_count = 10)]
fn one_thread(bencher: Bencher, name: &str) {
    let path = log(name);
    let bytes = path.metadata().expect("it is there").len();
    bencher.counter(ItemsCount::new(REQUESTS)).counter(BytesCount::new(bytes)).bench_local(|| read_one(&path));
}

#[divan::bench(args = ["log.jsonl", "log.csv", "log.parquet"], sample_count = 10)]
fn scan(bencher: Bencher, name: &str) {
    let place = [log(name).to_string_lossy().into_owned()];
    bencher.counter(ItemsCount::new(REQUESTS)).bench_local(|| {
        let ledger = wattledger::scan::scan(&place, &wattledger::scan::Options::default(), &|| false);
        let totals = ledger.expect("it is read").totals().expect("sums fit");
        assert_eq!([totals[0], totals[3]], [REQUESTS, LOGS.output_tokens].map(u128::from));
    });
}

fn main() {
    divan::main();
}
