//! What the benchmarks work on: numbers that look random and are the same every time.
#![allow(dead_code, reason = "no benchmark needs all of it")]

use arrow_array::{ArrayRef, Int64Array, RecordBatch, StringArray, TimestampMicrosecondArray, UInt32Array};
use std::fmt::Write;
use std::path::Path;
use std::sync::Arc;
use wattledger::event::{BATCH_ROWS, Event, EventBatch, NO_LATENCY};
use wattledger::keys::SeriesTable;

const SERIES: u64 = 200;
/// 2026-01-01T00:00:00Z in microseconds.
const START_US: u64 = 1_767_225_600_000_000;

/// Events in batches as intake makes them, and what they add up to.
pub struct Load {
    pub table: SeriesTable,
    pub batches: Vec<EventBatch>,
    pub output_tokens: u128,
    pub input_squared: u128,
}

fn mixed(i: u64) -> u64 {
    let mut x = i.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    x ^ (x >> 29)
}

/// So many events of 200 series over some hours.
pub fn load(events: u64, hours: u64, shuffled: bool, latency: bool) -> Load {
    let mut table = SeriesTable::new(vec![]);
    for series in 0..SERIES {
        let model = format!("model-{}", series % 20);
        let region = format!("region-{}", series / 20);
        table.intern(&[None, Some(&model), Some(&region), None, None, None]);
    }
    let span_us = hours * 3_600_000_000;
    let mut load = Load { table, batches: Vec::new(), output_tokens: 0, input_squared: 0 };
    let small = |x: u64| u32::try_from(x).expect("32 bits");
    for i in 0..events {
        let random = mixed(i);
        let at = if shuffled { mixed(random) % span_us } else { i * (span_us / events) };
        let (input, output) = (random % 8000, (random >> 20) % 1000);
        load.output_tokens += u128::from(output);
        load.input_squared += u128::from(input).pow(2);
        if load.batches.last().is_none_or(|batch| batch.len() >= BATCH_ROWS) {
            load.batches.push(EventBatch::default());
        }
        load.batches.last_mut().expect("pushed above").push(Event {
            series: small((random >> 40) % SERIES),
            time_us: i64::try_from(START_US + at).expect("this century"),
            input_tokens: small(input),
            cached_tokens: small(input / 3),
            output_tokens: small(output),
            latency_us: if latency { i64::from(small(output)) * 20_000 } else { NO_LATENCY },
        });
    }
    load
}

struct Request {
    time_us: i64,
    model: String,
    region: String,
    input: u32,
    cached: u32,
    output: u32,
    latency_ms: u32,
}

fn requests(n: u64) -> impl Iterator<Item = Request> {
    (0..n).map(|i| {
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

/// Writes one log of so many requests with 40 series as `log.jsonl`, `log.csv` and `log.parquet`; says its output tokens.
pub fn logs(folder: &Path, n: u64) -> u64 {
    let (mut jsonl, mut csv) = (String::new(), String::new());
    csv.push_str("timestamp,model,region,input_tokens,cached_tokens,output_tokens,latency_ms\n");
    let mut output_tokens = 0;
    for r in requests(n) {
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
    std::fs::write(folder.join("log.jsonl"), jsonl).expect("a file");
    std::fs::write(folder.join("log.csv"), csv).expect("a file");
    std::fs::write(folder.join("log.parquet"), parquet_bytes(n)).expect("a file");
    output_tokens
}

fn parquet_bytes(n: u64) -> Vec<u8> {
    let all: Vec<Request> = requests(n).collect();
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
