//! What the tests share.

use std::path::{Path, PathBuf};
use wattledger::Result;
use wattledger::event::{Coverage, EventColumns, InputIdentity, NO_LATENCY};
use wattledger::intake::{Options, Sink, discover, read};
use wattledger::keys::SeriesTable;

/// One event with its labels written out, so that events of different tables compare.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Row {
    pub time_us: i64,
    pub labels: Vec<Option<String>>,
    pub input_tokens: u32,
    pub cached_tokens: u32,
    pub output_tokens: u32,
    pub latency_us: i64,
}

#[derive(Default)]
pub struct Collect(pub Vec<Row>);

impl Sink for Collect {
    fn events(&mut self, batch: &EventColumns<'_>, table: &SeriesTable) -> Result<()> {
        for i in 0..batch.series.len() {
            let labels = table.get(batch.series[i]).labels();
            self.0.push(Row {
                time_us: batch.time_us(i),
                labels: labels.iter().map(|label| label.as_deref().map(str::to_owned)).collect(),
                input_tokens: batch.input_tokens[i],
                cached_tokens: batch.cached_tokens.map_or(0, |cached| cached[i]),
                output_tokens: batch.output_tokens[i],
                latency_us: batch.latency_us.map_or(NO_LATENCY, |latency| latency[i]),
            });
        }
        Ok(())
    }
}

#[derive(Clone, Debug, PartialEq)]
pub struct Scan {
    /// In the order of the log with one thread; sorted otherwise.
    pub rows: Vec<Row>,
    pub coverage: Coverage,
    pub inputs: Vec<InputIdentity>,
}

pub fn scan_all<P: AsRef<Path>>(places: &[P], options: &Options) -> Result<Scan> {
    let outcome = read(&discover(places)?, options, Collect::default, &|| false)?;
    assert!(outcome.coverage.closes());
    let one = outcome.workers.len() == 1;
    let mut rows: Vec<Row> = outcome.workers.into_iter().flat_map(|(_, sink)| sink.0).collect();
    assert_eq!(rows.len() as u64, outcome.coverage.counted);
    if !one {
        rows.sort();
    }
    Ok(Scan { rows, coverage: outcome.coverage, inputs: outcome.inputs })
}

pub fn scan(path: impl AsRef<Path>, options: &Options) -> Result<Scan> {
    scan_all(&[path], options)
}

pub fn with_threads(threads: usize) -> Options {
    Options { threads, ..Options::default() }
}

/// A file in a folder of its own.
pub fn file(name: &str, bytes: &[u8]) -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join(name);
    std::fs::write(&path, bytes).expect("a file");
    (folder, path)
}

/// The developers' data; tests that need it say so and pass where it is not.
pub fn shared(below: &str) -> Option<PathBuf> {
    let root = std::env::var_os("WATTLEDGER_SHARED")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared"), PathBuf::from);
    let path = root.join(below);
    if path.exists() {
        return Some(path);
    }
    println!("skipped: no {} (set WATTLEDGER_SHARED)", path.display());
    None
}
