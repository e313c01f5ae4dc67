//! `wattledger.validate`, and the measurements that parameters are fitted to.

use super::wait::interruptible;
use crate::calibration::profile;
use crate::catalog::Catalog;
use crate::validation::{self, Kind, inference};
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

/// A file of measured serving configurations with the parameters it is predicted with.
#[pyclass(module = "wattledger._engine")]
pub(super) struct InferenceMeasurements {
    inner: inference::Measurements,
}

#[pymethods]
impl InferenceMeasurements {
    #[new]
    fn new(path: PathBuf) -> PyResult<Self> {
        let inner = inference::Measurements::read(&path, Catalog::builtin())?;
        Ok(Self { inner })
    }

    /// Keys of the rows.
    #[getter]
    fn row_ids(&self) -> Vec<&str> {
        self.inner.rows.iter().map(|row| row.id.as_str()).collect()
    }

    /// Cells of a column, as text; empty where the row has none.
    fn column(&self, name: &str) -> Vec<&str> {
        self.inner.rows.iter().map(|row| row.cells.text(name).unwrap_or_default()).collect()
    }

    /// Id, value, prior and its width of every parameter.
    #[getter]
    fn parameters(&self) -> Vec<(&str, f64, Option<f64>, Option<f64>)> {
        self.inner.parameters().iter().map(|p| (p.id.as_str(), p.value, p.prior, p.prior_sigma)).collect()
    }

    /// Gives parameters other values.
    fn set(&mut self, values: Vec<(String, f64)>) -> PyResult<()> {
        for (id, value) in values {
            self.inner.set(&id, value)?;
        }
        Ok(())
    }

    /// Gives an engine a stack of its own; ids of the parameters that a fit may find.
    fn add_engine(&mut self, engine: &str) -> PyResult<Vec<String>> {
        Ok(self.inner.add_engine(engine)?)
    }

    /// What was found about the engine's stack as rows of a fleet file.
    fn profile(&self, engine: &str, source: &str, note: &str) -> String {
        profile::overlay(engine, &self.inner.found(engine), source, note)
    }

    /// Why each row cannot be predicted; empty where it can.
    fn reasons(&self) -> PyResult<Vec<String>> {
        Ok(self.inner.predict()?.into_iter().map(|row| row.err().unwrap_or_default()).collect())
    }

    /// Joules and seconds per output token of every row; not a number where a row cannot be predicted.
    fn predict(&self) -> PyResult<(Vec<f64>, Vec<f64>)> {
        let predicted = self.inner.predict()?;
        let value = |of: fn(&inference::Outcome) -> f64| {
            predicted.iter().map(|row| row.as_ref().map_or(f64::NAN, of)).collect()
        };
        Ok((value(|p| p.energy.0), value(|p| p.time.0)))
    }
}
