//! One job, once, on one thread: for whoever counts instructions, see `tools/count_instructions.py`.
//!
//!     work JOB      prepares, then does the job inside `measured`, and checks what came out
//!     work          names the jobs, each with the items it works on

mod load;

use std::hint::black_box;
use std::process::exit;
use std::sync::Arc;
use wattledger::estimate::{Annotator, Estimate, columns::sum};
use wattledger::event::EventBatch;
use wattledger::fleet::Fleet;
use wattledger::kernel::{Accumulator, Kept};
use wattledger::ledger::Ledger;
use wattledger::scan::{Options, scan};

const EVENTS: u64 = 100_000;
const REQUESTS: u64 = 50_000;
const HOURS: u64 = 48;

const JOBS: [(&str, u64); 9] = [
    ("kernel-in-order", EVENTS),
    ("kernel-moments-alone", EVENTS),
    ("kernel-shuffled", EVENTS),
    ("kernel-with-latency", EVENTS),
    ("scan-jsonl", REQUESTS),
    ("scan-csv", REQUESTS),
    ("scan-parquet", REQUESTS),
    ("annotate-six-columns", EVENTS),
    ("annotate-one-column", EVENTS),
];

/// What is counted; it is looked for by this name.
#[inline(never)]
fn measured<T>(job: impl FnOnce() -> T) -> T {
    black_box(job())
}

fn main() {
    match std::env::args().nth(1).filter(|job| job != "--bench") {
        None => JOBS.iter().for_each(|(job, items)| println!("{job} {items}")),
        Some(job) if job.starts_with("kernel-") => kernel(&job),
        Some(job) if job.starts_with("scan-") => log(&job),
        Some(job) if job.starts_with("annotate-") => annotate(&job),
        Some(job) => {
            eprintln!("no job {job}");
            exit(2);
        }
    }
}

fn ledger(load: &load::Load, kept: &Kept) -> Ledger {
    let mut accumulator = Accumulator::new(kept);
    for batch in &load.batches {
        accumulator.batch(black_box(batch), &load.table).expect("sums fit");
    }
    accumulator.into_ledger(&load.table).expect("sums fit")
}

fn kernel(job: &str) {
    let load = load::load(EVENTS, HOURS, job == "kernel-shuffled", job == "kernel-with-latency");
    let kept = Kept { occupancy: job != "kernel-moments-alone", ..Kept::default() };
    let totals = measured(|| ledger(&load, &kept)).totals().expect("sums fit");
    assert_eq!([totals[0], totals[3], totals[4]], [u128::from(EVENTS), load.output_tokens, load.input_squared]);
}

fn log(job: &str) {
    let folder = tempfile::tempdir().expect("a folder");
    let output_tokens = load::logs(folder.path(), REQUESTS);
    let name = job.replace("scan-", "log.");
    let place = [folder.path().join(name).to_string_lossy().into_owned()];
    let mut options = Options::default();
    options.intake.threads = 1;
    let ledger = measured(|| scan(&place, &options, &|| false)).expect("it is read");
    let totals = ledger.totals().expect("sums fit");
    assert_eq!([totals[0], totals[3]], [REQUESTS, output_tokens].map(u128::from));
}

fn annotate(job: &str) {
    let names = ["it_kwh", "cooling_kwh", "water_onsite_l", "water_offsite_l", "co2e_location_g", "co2e_embodied_g"];
    let keep: Vec<usize> =
        names[..if job == "annotate-one-column" { 1 } else { 6 }].iter().map(|name| sum(name)).collect();
    let load = load::load(EVENTS, HOURS, false, false);
    let fleet = "[[deployment]]\nname = 'chat'\nmodel = 'llama-3.1-8b'\nhardware = 'h100'\nmatch = {}\n";
    let fleet = Fleet::parse(fleet, "fleet.toml").expect("a fleet");
    let estimate = Arc::new(Estimate::new(&ledger(&load, &Kept::default()), &fleet).expect("an estimate"));
    let whole = estimate.total().value(sum("it_kwh")).expect("it is known");
    let mut annotator = Annotator::new(estimate, &keep);
    let mut columns = vec![vec![0.0; load.batches.iter().map(EventBatch::len).sum()]; keep.len()];
    let mut annotate = || {
        let mut start = 0;
        for batch in &load.batches {
            let end = start + batch.len();
            let mut slices: Vec<&mut [f64]> = columns.iter_mut().map(|column| &mut column[start..end]).collect();
            annotator.annotate(&batch.columns(), &load.table, &mut slices);
            start = end;
        }
    };
    // What is worked out for a deployment and a bin is worked out once.
    annotate();
    measured(annotate);
    let found: f64 = columns[0].iter().sum();
    assert!((found / whole - 1.0).abs() < 1e-9, "{found} of {whole}");
}
