//! `wattledger.Annotator`: events with their estimates, from files to a file, from columns to columns, batch by batch.

use super::columns::{Column, Targets};
use super::fleet::Fleet;
use super::ledger::Ledger;
use super::scan::ScanOptions;
use super::wait::interruptible;
use super::{arrow, columns, loads};
use crate::annotate::{self, Annotation, Batches, Pool};
use crate::estimate::Estimate;
use crate::scan::Options;
use crate::{Error, Result};
use arrow_array::cast::AsArray;
use arrow_array::types::{Float32Type, Float64Type};
use arrow_array::{Array, RecordBatch, RecordBatchIterator, RecordBatchReader};
use arrow_schema::SchemaRef;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyCapsule};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

/// Most rows of a batch that is cut from tables in memory.
const BATCH_ROWS: usize = 1 << 19;

/// Refuses logs that a first pass would use up.
#[pyfunction]
pub(super) fn check_twice_readable(paths: Vec<String>) -> PyResult<()> {
    Ok(annotate::check_twice_readable(&paths)?)
}

/// The batches of an Arrow stream, to be streamed as often as it takes.
#[pyfunction]
pub(super) fn hold(data: &Bound<'_, PyAny>) -> PyResult<AnnotatedRows> {
    let reader = arrow::stream(data)?;
    let schema = reader.schema();
    let batches = arrow::batches(reader).collect::<Result<Vec<_>>>()?;
    Ok(AnnotatedRows { schema, batches })
}

/// An estimate made ready for single events.
#[pyclass(frozen, module = "wattledger")]
pub(super) struct Annotator {
    annotation: Arc<Annotation>,
    short: bool,
}

#[pymethods]
impl Annotator {
    #[new]
    fn new(
        py: Python<'_>,
        fleet: &Bound<'_, Fleet>,
        operating_points: &Bound<'_, Ledger>,
        keep: Vec<String>,
        short: bool,
        options: ScanOptions,
    ) -> PyResult<Self> {
        let options: Options = options.into();
        let (fleet, ledger) = (&fleet.get().0, &operating_points.get().0);
        let annotation = interruptible(py, |_| {
            let estimate = Estimate::new(ledger, fleet)?;
            Annotation::new(Arc::new(estimate), &keep, options.intake)
        })?;
        Ok(Self { annotation: Arc::new(annotation), short })
    }

    #[getter]
    fn columns(&self) -> Vec<&'static str> {
        self.annotation.columns()
    }

    /// Writes one row per event to a Parquet file and returns the account of every line.
    fn files<'py>(&self, py: Python<'py>, paths: Vec<String>, output: PathBuf) -> PyResult<Bound<'py, PyAny>> {
        let coverage = interruptible(py, |should_stop| {
            let write = if self.short { annotate::into_parquet::<f32> } else { annotate::into_parquet::<f64> };
            write(&self.annotation, &paths, &output, should_stop)
        })?;
        loads(py, &serde_json::to_string(&coverage).expect("plain data"))
    }

    /// Writes the values of NumPy columns into arrays of the caller.
    fn columns_into(
        &self,
        py: Python<'_>,
        data: Vec<(String, Column<'_>)>,
        out: Vec<(String, Bound<'_, PyAny>)>,
    ) -> PyResult<()> {
        let batch = columns::batch(data)?;
        let rows = batch.num_rows();
        self.into(py, vec![batch], rows, out)
    }

    /// Writes the values of an Arrow stream into arrays of the caller.
    fn stream_into(
        &self,
        py: Python<'_>,
        data: &Bound<'_, PyAny>,
        out: Vec<(String, Bound<'_, PyAny>)>,
    ) -> PyResult<()> {
        let batches = arrow::batches(arrow::stream(data)?).collect::<Result<Vec<_>>>()?;
        let rows = batches.iter().map(RecordBatch::num_rows).sum();
        self.into(py, batches, rows, out)
    }

    /// Estimated columns for the rows of an Arrow stream.
    fn stream(&self, py: Python<'_>, data: &Bound<'_, PyAny>) -> PyResult<AnnotatedRows> {
        let reader = arrow::stream(data)?;
        let pool = &mut Pool::default();
        interruptible(py, |should_stop| {
            let batches = arrow::batches(reader).map(|batch| self.batch(&batch?, pool, should_stop));
            let mut batches = batches.collect::<Result<Vec<_>>>()?;
            let schema = match batches.first() {
                Some(first) => first.schema(),
                None => self.empty(),
            };
            batches.retain(|batch| batch.num_rows() > 0);
            Ok(AnnotatedRows { schema, batches })
        })
    }

    /// The rows of logs, batch by batch.
    fn batches_of_files(&self, paths: Vec<String>) -> PyResult<AnnotatedBatches> {
        let annotation = Arc::clone(&self.annotation);
        let new = if self.short { Batches::new::<f32> } else { Batches::new::<f64> };
        Ok(AnnotatedBatches::of(self, From::Logs(new(annotation, &paths)?)))
    }

    /// The rows of an Arrow stream, batch by batch.
    fn batches_of_stream(&self, data: &Bound<'_, PyAny>) -> PyResult<AnnotatedBatches> {
        Ok(AnnotatedBatches::of(self, From::tables(arrow::stream(data)?)))
    }

    /// The rows of NumPy columns, batch by batch.
    fn batches_of_columns(&self, data: Vec<(String, Column<'_>)>) -> PyResult<AnnotatedBatches> {
        let batch = columns::batch(data)?;
        let schema = batch.schema();
        Ok(AnnotatedBatches::of(self, From::tables(RecordBatchIterator::new([Ok(batch)], schema))))
    }
}

impl Annotator {
    fn batch(
        &self,
        batch: &RecordBatch,
        pool: &mut Pool,
        should_stop: &(dyn Fn() -> bool + Sync),
    ) -> Result<RecordBatch> {
        if self.short {
            return self.annotation.batch::<f32>(batch, pool, should_stop);
        }
        self.annotation.batch::<f64>(batch, pool, should_stop)
    }

    fn empty(&self) -> SchemaRef {
        let field = |name| arrow_schema::Field::new(name, self.data_type(), true);
        Arc::new(arrow_schema::Schema::new(self.columns().into_iter().map(field).collect::<Vec<_>>()))
    }

    fn data_type(&self) -> arrow_schema::DataType {
        if self.short { arrow_schema::DataType::Float32 } else { arrow_schema::DataType::Float64 }
    }

    fn into(
        &self,
        py: Python<'_>,
        batches: Vec<RecordBatch>,
        rows: usize,
        out: Vec<(String, Bound<'_, PyAny>)>,
    ) -> PyResult<()> {
        match Targets::new(out, rows, &batches)? {
            Targets::Long(mut targets) => {
                let columns = targets.columns();
                interruptible(py, |should_stop| write(&self.annotation, &batches, columns, should_stop))
            }
            Targets::Short(mut targets) => {
                let columns = targets.columns();
                interruptible(py, |should_stop| write(&self.annotation, &batches, columns, should_stop))
            }
        }
    }
}

fn write<T: annotate::Number>(
    annotation: &Annotation,
    batches: &[RecordBatch],
    mut rest: Vec<&mut [T]>,
    should_stop: &(dyn Fn() -> bool + Sync),
) -> Result<()> {
    for batch in batches {
        let (mut here, after): (Vec<_>, _) =
            rest.into_iter().map(|column| column.split_at_mut(batch.num_rows())).unzip();
        annotation.write(batch, &mut here, should_stop)?;
        rest = after;
    }
    Ok(())
}

/// Estimated columns, row for row with the data they were asked for.
#[pyclass(frozen, module = "wattledger")]
pub(super) struct AnnotatedRows {
    schema: SchemaRef,
    batches: Vec<RecordBatch>,
}

#[pymethods]
impl AnnotatedRows {
    /// Names of the columns.
    #[getter]
    fn columns(&self) -> Vec<String> {
        self.schema.fields().iter().map(|field| field.name().clone()).collect()
    }

    fn __len__(&self) -> usize {
        self.batches.iter().map(RecordBatch::num_rows).sum()
    }

    #[pyo3(signature = (requested_schema = None))]
    fn __arrow_c_stream__<'py>(
        &self,
        py: Python<'py>,
        requested_schema: Option<Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyCapsule>> {
        let _ = requested_schema;
        arrow::capsule(py, Arc::clone(&self.schema), self.batches.clone())
    }

    /// A copy of each numeric column as a NumPy array, not a number where unknown.
    fn to_numpy<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, pyo3::types::PyDict>> {
        let arrays = pyo3::types::PyDict::new(py);
        let from = py.import("numpy")?.getattr("frombuffer")?;
        for (i, field) in self.schema.fields().iter().enumerate() {
            let (bytes, dtype) = match field.data_type() {
                arrow_schema::DataType::Float64 => (bytes(&self.batches, i, long), "<f8"),
                arrow_schema::DataType::Float32 => (bytes(&self.batches, i, short), "<f4"),
                _ => continue,
            };
            arrays.set_item(field.name(), from.call1((PyBytes::new(py, &bytes), dtype))?)?;
        }
        Ok(arrays)
    }
}

fn bytes(batches: &[RecordBatch], column: usize, add: fn(&dyn Array, &mut Vec<u8>)) -> Vec<u8> {
    let mut bytes = Vec::new();
    for batch in batches {
        add(batch.column(column), &mut bytes);
    }
    bytes
}

fn long(column: &dyn Array, bytes: &mut Vec<u8>) {
    let values = column.as_primitive::<Float64Type>().iter();
    bytes.extend(values.flat_map(|value| value.unwrap_or(f64::NAN).to_le_bytes()));
}

fn short(column: &dyn Array, bytes: &mut Vec<u8>) {
    let values = column.as_primitive::<Float32Type>().iter();
    bytes.extend(values.flat_map(|value| value.unwrap_or(f32::NAN).to_le_bytes()));
}

/// Batches of annotated rows, each worked out when it is asked for; buffers that nobody holds any more are used again.
#[pyclass(frozen, module = "wattledger")]
pub(super) struct AnnotatedBatches {
    annotator: Annotator,
    from: Mutex<From>,
}

enum From {
    Logs(Batches),
    /// Batches of any length, and what is left of the one at hand.
    Tables(Box<dyn RecordBatchReader + Send>, RecordBatch, Pool),
}

impl From {
    fn tables(tables: impl RecordBatchReader + Send + 'static) -> Self {
        let none = RecordBatch::new_empty(tables.schema());
        Self::Tables(Box::new(tables), none, Pool::default())
    }
}

impl AnnotatedBatches {
    fn of(annotator: &Annotator, from: From) -> Self {
        let annotator = Annotator { annotation: Arc::clone(&annotator.annotation), short: annotator.short };
        Self { annotator, from: Mutex::new(from) }
    }

    fn next(&self, should_stop: &(dyn Fn() -> bool + Sync)) -> Result<Option<RecordBatch>> {
        match &mut *self.from.lock().unwrap_or_else(PoisonError::into_inner) {
            From::Logs(batches) => batches.next(should_stop),
            From::Tables(tables, rest, pool) => {
                while rest.num_rows() == 0 {
                    match tables.next() {
                        None => return Ok(None),
                        Some(batch) => *rest = batch.map_err(Error::from)?,
                    }
                }
                let rows = BATCH_ROWS.min(rest.num_rows());
                let batch = self.annotator.batch(&rest.slice(0, rows), pool, should_stop)?;
                *rest = rest.slice(rows, rest.num_rows() - rows);
                Ok(Some(batch))
            }
        }
    }
}

#[pymethods]
impl AnnotatedBatches {
    const fn __iter__(slf: Bound<'_, Self>) -> Bound<'_, Self> {
        slf
    }

    fn __next__(&self, py: Python<'_>) -> PyResult<Option<AnnotatedRows>> {
        let batch = interruptible(py, |should_stop| self.next(should_stop))?;
        Ok(batch.map(|batch| AnnotatedRows { schema: batch.schema(), batches: vec![batch] }))
    }

    /// The account of every line of logs, once the last batch was taken.
    #[getter]
    fn coverage<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyAny>>> {
        // Whoever works out a batch holds the lock, and may need the interpreter for it.
        let json = py.detach(|| match &*self.from.lock().unwrap_or_else(PoisonError::into_inner) {
            From::Logs(batches) => batches.coverage().map(|c| serde_json::to_string(c).expect("plain data")),
            From::Tables(..) => None,
        });
        json.map(|json| loads(py, &json)).transpose()
    }
}
