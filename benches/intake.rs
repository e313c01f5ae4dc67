//! Intake: bytes of a file into events, and all the way into a ledger.
//!
//! One log of 200,000 requests with 40 series, written once as JSONL, as CSV and as Parquet; the page cache is warm, so
//! this is parsing and not the disk. Each case checks counts and tokens, so a wrong answer cannot win. `scan` is what the
//! command does: intake, kernel and merge on all cores; the others read on one thread into a sink that only adds tokens.

mod load;

use divan::Bencher;
use divan::counter::{BytesCount, ItemsCount};
use std::path::{Path, PathBuf};
use std::sync::LazyLock;
use wattledger::event::EventColumns;
use wattledger::intake::{Options, Sink, discover, read};
use wattledger::keys::SeriesTable;

const REQUESTS: u64 = 200_000;

struct Logs {
    folder: tempfile::TempDir,
    output_tokens: u64,
}

static LOGS: LazyLock<Logs> = LazyLock::new(|| {
    let folder = tempfile::tempdir().expect("a folder");
    let output_tokens = load::logs(folder.path(), REQUESTS);
    Logs { folder, output_tokens }
});

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
