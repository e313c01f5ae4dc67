//! Meters beside estimates: scales from points and series, and readings that are refused.

#[path = "../estimate/support.rs"]
#[allow(dead_code, reason = "shared with the tests of estimates")]
mod support;

mod laws;
mod point;
mod profile;
mod refused;
mod series;

use std::path::PathBuf;
use support::{Logged, events, logged};
use wattledger::calibration::joined::{DeploymentCalibration, JoinedCalibration, Options, calibrate};
use wattledger::calibration::series::{Options as Reading, Series};
use wattledger::error::Error;
use wattledger::estimate::{AcceleratorBin, Estimate};
use wattledger::fleet::Fleet;
use wattledger::kernel::{Accumulator, Kept};
use wattledger::ledger::Ledger;

/// One replica of the small Llama on one H100.
fn dedicated() -> Fleet {
    support::fleet("replicas = 1\nmax_concurrency = 64")
}

fn ledger(requests: &[Logged], bin_s: u32) -> Ledger {
    let (table, batch) = events(requests);
    let mut accumulator = Accumulator::new(&Kept { bin_seconds: bin_s, ..Kept::default() });
    accumulator.batch(&batch, &table).expect("sums fit");
    accumulator.into_ledger(&table).expect("sums fit")
}

/// Two hours with a request of four seconds every so many seconds, which changes from bin to bin.
fn varied() -> Vec<Logged> {
    let mut requests = Vec::new();
    let mut at = 0;
    while at < 7190 {
        requests.push(Logged { latency_s: Some(4), ..logged(at) });
        at += 1 + (at / 300 * 7) % 4;
    }
    requests
}

fn bins(ledger: &Ledger, fleet: &Fleet) -> Vec<AcceleratorBin> {
    Estimate::new(ledger, fleet).expect("an estimate").accelerators(0).0
}

fn files(texts: &[&str]) -> Vec<(PathBuf, Vec<u8>)> {
    let named = texts.iter().enumerate();
    named.map(|(i, text)| (format!("series-{i}.csv").into(), text.as_bytes().to_vec())).collect()
}

fn read(texts: &[&str]) -> Result<Series, Error> {
    Series::read(&files(texts), &Reading::default())
}

/// A counter that counts what is estimated, times a factor, read at the edges of the bins.
fn counter(bins: &[AcceleratorBin], factor: f64) -> String {
    let mut lines = vec!["timestamp,energy_j".to_owned()];
    let mut joules = 1000.0;
    for bin in bins {
        lines.push(format!("{},{joules:e}", bin.start_s));
        joules += factor * (bin.busy.0 + bin.idle.0);
    }
    lines.push(format!("{},{joules:e}\n", bins.last().expect("bins").end_s));
    lines.join("\n")
}

fn joined(ledger: &Ledger, fleet: &Fleet, texts: &[&str]) -> Result<JoinedCalibration, Error> {
    calibrate(ledger, fleet, &read(texts)?, &Options { max_gap_s: Some(3600.0), ..Options::default() })
}

fn one(found: Result<JoinedCalibration, Error>) -> DeploymentCalibration {
    found.expect("scales").deployments.remove(0)
}
