//! `wattledger.TrainingEstimate`.

use super::estimate::{Estimate, EstimateTable, everyday};
use super::wait::interruptible;
use super::{arrow, loads};
use crate::fleet::Run;
use crate::report;
use crate::training::{Served, TrainingEstimate as Inner};
use pyo3::prelude::*;
use pyo3::types::PyCapsule;
use std::path::PathBuf;

/// A training run in the columns of an estimate.
#[pyclass(frozen, module = "wattledger")]
pub(super) struct TrainingEstimate {
    run: Run,
    inner: Inner,
}

fn estimated(py: Python<'_>, run: Run) -> PyResult<TrainingEstimate> {
    let inner = interruptible(py, |_| Inner::new(&run))?;
    Ok(TrainingEstimate { run, inner })
}

/// A run from a file.
#[pyfunction]
pub(super) fn train_file(py: Python<'_>, path: PathBuf) -> PyResult<TrainingEstimate> {
    estimated(py, Run::load(&path)?)
}

/// A run from its tables, given as JSON.
#[pyfunction]
pub(super) fn train_tables(py: Python<'_>, tables: &str) -> PyResult<TrainingEstimate> {
    estimated(py, Run::from_json(tables, "run")?)
}

/// Keys that a run can be grouped by.
#[pyfunction]
pub(super) fn run_groups() -> Vec<&'static str> {
    crate::training::RUN_GROUPS.to_vec()
}

/// Keys of a run's file: table, name, unit, default, meaning.
#[pyfunction]
pub(super) fn run_keys() -> Vec<(&'static str, &'static str, &'static str, &'static str, &'static str)> {
    use crate::fleet::{Key, PHASE_KEYS, RUN_KEYS, RUN_TABLES};
    let tables: [(&str, &[Key]); 3] = [("", &RUN_TABLES), ("[run]", &RUN_KEYS), ("[[phase]]", &PHASE_KEYS)];
    tables.iter().flat_map(|(t, keys)| keys.iter().map(|k| (*t, k.name, k.unit, k.default, k.meaning))).collect()
}

impl TrainingEstimate {
    fn json(&self, by: &[String], beside: Option<&Estimate>) -> PyResult<String> {
        let table = self.inner.by(by)?;
        let beside = beside.map(|estimate| {
            let served = Served { total: estimate.0.total(), days: estimate.0.days() };
            self.inner.beside(&served)
        });
        Ok(report::training_json(&self.inner, &table, self.run.fleet.catalog(), beside.as_deref())?)
    }
}

#[pymethods]
impl TrainingEstimate {
    #[getter]
    fn name(&self) -> &str {
        self.inner.name()
    }

    #[pyo3(signature = (*keys))]
    fn by(&self, keys: Vec<String>) -> PyResult<EstimateTable> {
        Ok(EstimateTable(self.inner.by(&keys)?))
    }

    #[pyo3(signature = (*, by = None, beside = None))]
    fn to_json(&self, by: Option<Vec<String>>, beside: Option<PyRef<'_, Estimate>>) -> PyResult<String> {
        let by = by.unwrap_or_else(|| vec!["phase".into(), "activity".into()]);
        self.json(&by, beside.as_deref())
    }

    #[pyo3(signature = (*, by = None, beside = None))]
    fn to_dict<'py>(
        &self,
        py: Python<'py>,
        by: Option<Vec<String>>,
        beside: Option<PyRef<'py, Estimate>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        loads(py, &self.to_json(by, beside)?)
    }

    #[getter]
    fn totals<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        self.to_dict(py, None, None)?.get_item("totals")
    }

    #[getter]
    fn factors<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        self.to_dict(py, None, None)?.get_item("factors")
    }

    #[getter]
    fn assumptions<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        self.to_dict(py, None, None)?.get_item("assumptions")
    }

    fn range<'py>(&self, py: Python<'py>, column: &str) -> PyResult<Bound<'py, PyAny>> {
        self.to_dict(py, None, None)?.get_item("ranges")?.get_item(column)
    }

    fn beside<'py>(&self, py: Python<'py>, estimate: PyRef<'py, Estimate>) -> PyResult<Bound<'py, PyAny>> {
        self.to_dict(py, None, Some(estimate))?.get_item("beside")
    }

    fn equivalents<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        everyday(py, &self.inner.total(), self.run.fleet.catalog())
    }

    fn explain<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        self.to_dict(py, None, None)?.get_item("tree")
    }

    #[pyo3(signature = (requested_schema = None))]
    fn __arrow_c_stream__<'py>(
        &self,
        py: Python<'py>,
        requested_schema: Option<Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyCapsule>> {
        let _ = requested_schema;
        let keys = ["phase", "activity", "hour"].map(str::to_owned);
        let batch = report::to_batch(&self.inner.by(&keys)?);
        arrow::capsule(py, batch.schema(), vec![batch])
    }

    fn __repr__(&self) -> String {
        let total = self.inner.total();
        let facility = total.value(crate::estimate::columns::sum("facility_kwh"));
        let facility = facility.map_or_else(|| "unknown".into(), |kwh| format!("{:.3} MWh", kwh / 1e3));
        format!("<wattledger.TrainingEstimate: {}, {facility} at the facility>", self.inner.name())
    }
}
