//! `wattledger.Ledger`.

use super::estimate::Estimate;
use super::fleet::Fleet;
use super::wait::interruptible;
use super::{arrow, loads};
use crate::{Error, ledger, report};
use pyo3::prelude::*;
use pyo3::types::PyCapsule;
use std::path::PathBuf;

/// Exact sums by key.
#[pyclass(frozen, module = "wattledger")]
pub(super) struct Ledger(pub(super) ledger::Ledger);

impl From<ledger::Ledger> for Ledger {
    fn from(ledger: ledger::Ledger) -> Self {
        Self(ledger)
    }
}

#[pymethods]
impl Ledger {
    #[staticmethod]
    fn read(py: Python<'_>, path: PathBuf) -> PyResult<Self> {
        let read = interruptible(py, |_| ledger::read(&path))?;
        read.map(Self).ok_or_else(|| {
            let hint = "make one with wattledger.scan or `wattledger ledger`".into();
            Error::FileKind { path, problem: "this is no ledger".into(), hint }.into()
        })
    }

    fn write(&self, py: Python<'_>, path: PathBuf) -> PyResult<()> {
        interruptible(py, |_| ledger::write(&self.0, &path))
    }

    #[pyo3(signature = (fleet = None))]
    fn estimate(&self, py: Python<'_>, fleet: Option<&Bound<'_, Fleet>>) -> PyResult<Estimate> {
        let fleet = fleet.map_or_else(crate::fleet::Fleet::assumed, |f| f.get().0.clone());
        interruptible(py, |_| crate::estimate::Estimate::new(&self.0, &fleet)).map(Estimate)
    }

    fn between(&self, since_s: Option<i64>, until_s: Option<i64>) -> PyResult<Self> {
        Ok(Self(self.0.clone().between(since_s, until_s)?))
    }

    fn describe<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        loads(py, &report::describe_json(&self.0)?)
    }

    #[getter]
    fn coverage<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        self.describe(py)?.get_item("coverage")
    }

    #[getter]
    fn rejected_share(&self) -> f64 {
        self.0.origin.coverage.rejected_share()
    }

    #[pyo3(signature = (requested_schema = None))]
    fn __arrow_c_stream__<'py>(
        &self,
        py: Python<'py>,
        requested_schema: Option<Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyCapsule>> {
        let _ = requested_schema;
        let batch = ledger::to_batch(&self.0);
        arrow::capsule(py, batch.schema(), vec![batch])
    }

    fn __eq__(&self, other: &Bound<'_, Self>) -> bool {
        let other = &other.get().0;
        self.0.moments() == other.moments()
            && self.0.occupancy() == other.occupancy()
            && self.0.windows() == other.windows()
            && self.0.series() == other.series()
            && self.0.routes() == other.routes()
            && self.0.bin_seconds() == other.bin_seconds()
    }

    fn __repr__(&self) -> PyResult<String> {
        let totals = self.0.totals()?;
        let rows = self.0.moments().len() + self.0.occupancy().len();
        let rejected = match self.0.origin.coverage.rejected {
            0 => String::new(),
            n => format!(", {n} rejected"),
        };
        Ok(format!("<wattledger.Ledger: {} requests in {rows} rows{rejected}>", totals[0]))
    }
}

#[pyfunction]
#[pyo3(signature = (ledgers, *, allow_overlap = false))]
pub(super) fn merge(py: Python<'_>, ledgers: Vec<Bound<'_, Ledger>>, allow_overlap: bool) -> PyResult<Ledger> {
    let ledgers = ledgers.iter().map(|l| l.get().0.clone()).collect();
    interruptible(py, |_| ledger::merge(ledgers, allow_overlap)).map(Ledger)
}
