//! `wattledger.validate`.

use super::wait::interruptible;
use crate::validation::{self, Kind};
use pyo3::prelude::*;
use std::path::PathBuf;

/// The report on a file of measurements, as JSON of the contract.
#[pyfunction]
pub(super) fn validate(py: Python<'_>, kind: &str, path: PathBuf) -> PyResult<String> {
    let kind = Kind::parse(kind)?;
    interruptible(py, |_| validation::validate(kind, &path).map(|report| report.to_json()))
}

/// Kinds of measurements that can be validated.
#[pyfunction]
pub(super) fn validation_kinds() -> Vec<&'static str> {
    Kind::ALL.into_iter().map(Kind::name).collect()
}
