//! The Arrow boundary: PyCapsules in and out, without a copy. All `unsafe` of the porch is here and in `columns`.
#![expect(unsafe_code, reason = "the Arrow C data interface is made of raw pointers")]

use crate::{Error, Result};
use arrow_array::ffi_stream::{FFI_ArrowArrayStream, RecordBatchStreamReader};
use arrow_array::{RecordBatch, RecordBatchIterator, RecordBatchReader};
use arrow_schema::{ArrowError, SchemaRef};
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::PyCapsule;
use std::ffi::CStr;

const STREAM: &CStr = c"arrow_array_stream";

/// The batches of any object with `__arrow_c_stream__`: pyarrow, Polars, pandas, DuckDB, …
pub(super) fn stream(data: &Bound<'_, PyAny>) -> PyResult<RecordBatchStreamReader> {
    let Ok(method) = data.getattr("__arrow_c_stream__") else {
        let found = data.get_type().name()?;
        let problem = format!("expected paths, an Arrow table or a dict of columns, found {found}");
        return Err(PyTypeError::new_err(problem));
    };
    let capsule = method.call0()?.cast_into::<PyCapsule>()?;
    let pointer = capsule.pointer_checked(Some(STREAM))?.cast::<FFI_ArrowArrayStream>();
    // SAFETY: the capsule has the name the Arrow PyCapsule interface reserves for a valid stream, checked above, and it
    // stays alive through the call; `from_raw` moves the stream out and leaves a released one behind, as the interface asks.
    let reader = unsafe { RecordBatchStreamReader::from_raw(pointer.as_ptr()) };
    reader.map_err(|e| Error::from(e).into())
}

/// The batches of a stream as results of this crate.
pub(super) fn batches(reader: RecordBatchStreamReader) -> impl Iterator<Item = Result<RecordBatch>> {
    reader.map(|batch| batch.map_err(Error::from))
}

/// A capsule that streams these batches.
pub(super) fn capsule(py: Python<'_>, schema: SchemaRef, batches: Vec<RecordBatch>) -> PyResult<Bound<'_, PyCapsule>> {
    let reader = RecordBatchIterator::new(batches.into_iter().map(Ok::<_, ArrowError>), schema);
    let reader: Box<dyn RecordBatchReader + Send> = Box::new(reader);
    PyCapsule::new_with_value(py, FFI_ArrowArrayStream::new(reader), STREAM)
}
