//! `wattledger.Estimate` and its tables.

use super::{arrow, loads};
use crate::catalog::Catalog;
use crate::estimate::{self, GroupBy};
use crate::{files, report};
use pyo3::prelude::*;
use pyo3::types::PyCapsule;
use std::path::PathBuf;

/// Plan × ledger.
#[pyclass(frozen, module = "wattledger")]
pub(super) struct Estimate(pub(super) estimate::Estimate);

fn group(by: &[String], timezone: Option<&str>, filters: &[String]) -> PyResult<GroupBy> {
    let mut group = GroupBy::new(by, timezone)?;
    for expression in filters {
        group = group.filter(expression)?;
    }
    Ok(group)
}

/// Sums in everyday things, as Python objects.
pub(super) fn everyday<'py>(
    py: Python<'py>,
    total: &estimate::Total,
    catalog: &Catalog,
) -> PyResult<Bound<'py, PyAny>> {
    loads(py, &serde_json::to_string(&report::equivalents(total, catalog)?).expect("plain data"))
}

impl Estimate {
    /// One part of the JSON, without the others.
    fn part<'py>(&self, py: Python<'py>, name: &str) -> PyResult<Bound<'py, PyAny>> {
        loads(py, &report::estimate_part_json(&self.0, name))
    }
}

#[pymethods]
impl Estimate {
    #[pyo3(signature = (*keys, timezone = None, r#where = Vec::new()))]
    fn by(&self, keys: Vec<String>, timezone: Option<&str>, r#where: Vec<String>) -> PyResult<EstimateTable> {
        Ok(EstimateTable(self.0.by(&group(&keys, timezone, &r#where)?)?))
    }

    #[pyo3(signature = (*, by = Vec::new(), timezone = None, r#where = Vec::new()))]
    fn to_json(&self, by: Vec<String>, timezone: Option<&str>, r#where: Vec<String>) -> PyResult<String> {
        let table = self.0.by(&group(&by, timezone, &r#where)?)?;
        Ok(report::estimate_json(&self.0, &table))
    }

    #[pyo3(signature = (*, by = Vec::new(), timezone = None, r#where = Vec::new()))]
    fn to_dict<'py>(
        &self,
        py: Python<'py>,
        by: Vec<String>,
        timezone: Option<&str>,
        r#where: Vec<String>,
    ) -> PyResult<Bound<'py, PyAny>> {
        loads(py, &self.to_json(by, timezone, r#where)?)
    }

    #[getter]
    fn totals<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        self.part(py, "totals")
    }

    #[getter]
    fn assumptions<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        self.part(py, "assumptions")
    }

    #[getter]
    fn unknown<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        self.part(py, "unknown")
    }

    #[getter]
    fn coverage<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        self.part(py, "coverage")
    }

    #[getter]
    fn sites<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        self.part(py, "sites")
    }

    #[getter]
    fn reconciliation<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        self.part(py, "reconciliation")
    }

    #[getter]
    fn embodied<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        self.part(py, "embodied")
    }

    fn equivalents<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        everyday(py, &self.0.total(), Catalog::builtin())
    }

    fn explain<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        self.part(py, "provenance")
    }

    #[pyo3(signature = (requested_schema = None))]
    fn __arrow_c_stream__<'py>(
        &self,
        py: Python<'py>,
        requested_schema: Option<Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyCapsule>> {
        self.by(vec!["deployment".into(), "hour".into()], None, Vec::new())?.__arrow_c_stream__(py, requested_schema)
    }

    fn __repr__(&self) -> String {
        let total = self.0.total();
        let facility = total.value(estimate::columns::sum("facility_kwh"));
        let facility = facility.map_or_else(|| "unknown".into(), |kwh| format!("{kwh:.6} kWh"));
        format!("<wattledger.Estimate: {} requests, {facility} at the facility>", total.counts[0])
    }
}

/// An estimate grouped by keys.
#[pyclass(frozen, module = "wattledger")]
pub(super) struct EstimateTable(pub(super) estimate::Table);

#[pymethods]
impl EstimateTable {
    #[getter]
    fn keys(&self) -> Vec<String> {
        self.0.keys.clone()
    }

    #[pyo3(signature = (*, raw = false))]
    fn to_csv(&self, raw: bool) -> PyResult<String> {
        Ok(report::to_csv(&self.0, !raw)?)
    }

    #[pyo3(signature = (path, *, metadata = None))]
    fn write_parquet(&self, path: PathBuf, metadata: Option<String>) -> PyResult<()> {
        let bytes = report::to_parquet(&[report::to_batch(&self.0)], metadata)?;
        Ok(files::write_whole(&path, &bytes)?)
    }

    #[pyo3(signature = (requested_schema = None))]
    fn __arrow_c_stream__<'py>(
        &self,
        py: Python<'py>,
        requested_schema: Option<Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyCapsule>> {
        let _ = requested_schema;
        let batch = report::to_batch(&self.0);
        arrow::capsule(py, batch.schema(), vec![batch])
    }

    fn __len__(&self) -> usize {
        self.0.rows.len()
    }

    fn __repr__(&self) -> String {
        format!("<wattledger.EstimateTable: {} rows by {}>", self.0.rows.len(), self.0.keys.join(", "))
    }
}
