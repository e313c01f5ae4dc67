//! Scanning: paths, Arrow streams and NumPy columns to a ledger.

use super::columns::Column;
use super::ledger::Ledger;
use super::wait::interruptible;
use super::{arrow, columns};
use crate::intake;
use crate::kernel::Kept;
use crate::scan::{self, Options};
use arrow_array::RecordBatchReader;
use pyo3::prelude::*;
use std::path::PathBuf;

/// Options of every scan, as keyword arguments of the private functions.
#[derive(FromPyObject)]
#[pyo3(from_item_all)]
pub(super) struct ScanOptions {
    format: Option<String>,
    map: Vec<(String, String)>,
    map_toml: Option<String>,
    dimensions: Vec<String>,
    max_groups: Option<usize>,
    input_timezone: Option<String>,
    max_line_bytes: usize,
    threads: usize,
    period: (Option<i64>, Option<i64>),
    bin_seconds: u32,
    windows: Vec<u32>,
    occupancy: bool,
    allow_overlap: bool,
}

impl From<ScanOptions> for Options {
    fn from(o: ScanOptions) -> Self {
        Self {
            intake: intake::Options {
                format: o.format,
                map: o.map,
                map_toml: o.map_toml,
                dimensions: o.dimensions,
                max_groups: o.max_groups,
                input_timezone: o.input_timezone,
                max_line_bytes: o.max_line_bytes,
                threads: o.threads,
                period: intake::Period { since_s: o.period.0, until_s: o.period.1 },
                ..intake::Options::default()
            },
            kept: Kept { bin_seconds: o.bin_seconds, windows: o.windows, occupancy: o.occupancy },
            allow_overlap: o.allow_overlap,
        }
    }
}

#[pyfunction]
pub(super) fn scan_paths(py: Python<'_>, paths: Vec<String>, options: ScanOptions) -> PyResult<Ledger> {
    let options = options.into();
    interruptible(py, |should_stop| scan::scan(&paths, &options, should_stop)).map(Ledger::from)
}

#[pyfunction]
pub(super) fn scan_stream(py: Python<'_>, data: &Bound<'_, PyAny>, options: ScanOptions) -> PyResult<Ledger> {
    let options = options.into();
    let reader = arrow::stream(data)?;
    let schema = reader.schema();
    interruptible(py, |_| scan::scan_batches(&schema, arrow::batches(reader), &options)).map(Ledger::from)
}

#[pyfunction]
pub(super) fn scan_columns(
    py: Python<'_>,
    columns: Vec<(String, Column<'_>)>,
    options: ScanOptions,
) -> PyResult<Ledger> {
    let options = options.into();
    let batch = columns::batch(columns)?;
    interruptible(py, |_| scan::scan_batches(&batch.schema(), [Ok(batch.clone())], &options)).map(Ledger::from)
}

/// Names and descriptions of the log formats.
#[pyfunction]
pub(super) fn formats() -> Vec<(String, String)> {
    intake::formats().iter().map(|f| (f.name().to_owned(), f.description().to_owned())).collect()
}

/// What a reader can do about each reason for a reject.
#[pyfunction]
pub(super) fn ways_out() -> std::collections::BTreeMap<&'static str, &'static str> {
    crate::event::Reason::ALL.iter().map(|reason| (reason.name(), reason.way_out())).collect()
}

/// Writes a file whole or not at all.
#[pyfunction]
pub(super) fn write_whole(path: std::path::PathBuf, bytes: &[u8]) -> PyResult<()> {
    Ok(crate::files::write_whole(&path, bytes)?)
}

/// Refuses to write over one of the logs that are read.
#[pyfunction]
pub(super) fn check_not_read(output: PathBuf, paths: Vec<String>) -> PyResult<()> {
    let sources = intake::discover(&paths)?;
    let paths = sources.iter().filter_map(|source| match source {
        intake::Source::Path(path) => Some(path.as_path()),
        intake::Source::Stdin => None,
    });
    Ok(crate::files::check_not_read(&output, paths)?)
}
