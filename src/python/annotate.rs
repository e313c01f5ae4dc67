//! `wattledger.annotate`: events with their estimates, from files to a file or from columns to columns.

use super::columns::Column;
use super::fleet::Fleet;
use super::ledger::Ledger;
use super::scan::ScanOptions;
use super::wait::interruptible;
use super::{arrow, columns, loads};
use crate::estimate::Estimate;
use crate::scan::{self, Options};
use crate::{Error, Result, annotate, files, report};
use arrow_array::{RecordBatch, RecordBatchReader};
use arrow_schema::SchemaRef;
use pyo3::prelude::*;
use pyo3::types::PyCapsule;
use std::path::PathBuf;

/// Writes one row per event to a Parquet file and returns the account of every line.
#[pyfunction]
pub(super) fn annotate_files<'py>(
    py: Python<'py>,
    paths: Vec<String>,
    fleet: &Bound<'_, Fleet>,
    operating_points: Option<Bound<'_, Ledger>>,
    keep: Vec<String>,
    output: PathBuf,
    options: ScanOptions,
) -> PyResult<Bound<'py, PyAny>> {
    let options: Options = options.into();
    let fleet = fleet.get().0.clone();
    let points = operating_points.map(|l| l.get().0.clone());
    let coverage = interruptible(py, |should_stop| {
        let keep = annotate::columns(&keep)?;
        let ledger = match points {
            Some(ledger) => ledger,
            None => scan::scan(&paths, &options, should_stop)?,
        };
        let estimate = Estimate::new(&ledger, &fleet)?;
        let (rows, coverage) = annotate::files(&paths, &options.intake, &estimate, &keep, should_stop)?;
        let table = estimate.by(&crate::estimate::GroupBy::new(&[], None)?)?;
        let metadata = report::estimate_json(&estimate, &table);
        files::write_whole(&output, &report::to_parquet(&rows, Some(metadata))?)?;
        Ok(coverage)
    })?;
    let json = serde_json::to_string(&coverage).map_err(|e| Error::Argument {
        what: "coverage".into(),
        value: e.to_string(),
        expected: "plain data".into(),
    })?;
    loads(py, &json)
}

/// Estimated columns for the rows of an Arrow stream.
#[pyfunction]
pub(super) fn annotate_stream(
    py: Python<'_>,
    data: &Bound<'_, PyAny>,
    fleet: &Bound<'_, Fleet>,
    operating_points: Option<Bound<'_, Ledger>>,
    keep: Vec<String>,
    options: ScanOptions,
) -> PyResult<AnnotatedRows> {
    let reader = arrow::stream(data)?;
    let schema = reader.schema();
    let batches = arrow::batches(reader).collect::<Result<Vec<_>>>()?;
    rows(py, schema, batches, fleet, operating_points, keep, options)
}

/// Estimated columns for the rows of NumPy columns.
#[pyfunction]
pub(super) fn annotate_columns(
    py: Python<'_>,
    data: Vec<(String, Column<'_>)>,
    fleet: &Bound<'_, Fleet>,
    operating_points: Option<Bound<'_, Ledger>>,
    keep: Vec<String>,
    options: ScanOptions,
) -> PyResult<AnnotatedRows> {
    let batch = columns::batch(data)?;
    rows(py, batch.schema(), vec![batch], fleet, operating_points, keep, options)
}

fn rows(
    py: Python<'_>,
    schema: SchemaRef,
    batches: Vec<RecordBatch>,
    fleet: &Bound<'_, Fleet>,
    operating_points: Option<Bound<'_, Ledger>>,
    keep: Vec<String>,
    options: ScanOptions,
) -> PyResult<AnnotatedRows> {
    let options: Options = options.into();
    let fleet = fleet.get().0.clone();
    let points = operating_points.map(|l| l.get().0.clone());
    interruptible(py, |_| {
        let keep = annotate::columns(&keep)?;
        let ledger = match points {
            Some(ledger) => ledger,
            None => scan::scan_batches(&schema, batches.iter().cloned().map(Ok), &options)?,
        };
        let estimate = Estimate::new(&ledger, &fleet)?;
        annotate::batches(&schema, &batches, &options.intake, &estimate, &keep)
    })
    .map(AnnotatedRows)
}

/// Estimated columns, row for row with the data they were asked for.
#[pyclass(frozen, module = "wattledger")]
pub(super) struct AnnotatedRows(Vec<RecordBatch>);

#[pymethods]
impl AnnotatedRows {
    /// Names of the columns.
    #[getter]
    fn columns(&self) -> Vec<String> {
        let names = |batch: &RecordBatch| batch.schema().fields().iter().map(|f| f.name().clone()).collect();
        self.0.first().map(names).unwrap_or_default()
    }

    fn __len__(&self) -> usize {
        self.0.iter().map(RecordBatch::num_rows).sum()
    }

    #[pyo3(signature = (requested_schema = None))]
    fn __arrow_c_stream__<'py>(
        &self,
        py: Python<'py>,
        requested_schema: Option<Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyCapsule>> {
        let _ = requested_schema;
        let schema = self.0.first().map_or_else(|| arrow_schema::Schema::empty().into(), RecordBatch::schema);
        arrow::capsule(py, schema, self.0.clone())
    }

    /// The values of one column as 64-bit floats in bytes, not a number where unknown.
    fn column_bytes<'py>(&self, py: Python<'py>, name: &str) -> PyResult<Bound<'py, pyo3::types::PyBytes>> {
        let mut bytes = Vec::with_capacity(self.__len__() * 8);
        for batch in &self.0 {
            let column =
                batch.column_by_name(name).and_then(|c| c.as_any().downcast_ref::<arrow_array::Float64Array>());
            let column = column.ok_or_else(|| pyo3::exceptions::PyKeyError::new_err(name.to_owned()))?;
            bytes.extend(column.iter().flat_map(|v| v.unwrap_or(f64::NAN).to_le_bytes()));
        }
        Ok(pyo3::types::PyBytes::new(py, &bytes))
    }
}
