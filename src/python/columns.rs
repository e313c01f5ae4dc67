//! NumPy columns as an Arrow batch that borrows their memory.
#![expect(unsafe_code, reason = "buffers of the Python buffer protocol are raw memory")]

use crate::Error;
use arrow_array::cast::AsArray;
use arrow_array::types::{
    ArrowDictionaryKeyType, Int8Type, Int16Type, Int32Type, Int64Type, UInt8Type, UInt16Type, UInt32Type, UInt64Type,
};
use arrow_array::{Array, ArrayRef, DictionaryArray, PrimitiveArray, RecordBatch, StringArray, make_array};
use arrow_buffer::{Buffer, NullBuffer};
use arrow_data::ArrayData;
use arrow_schema::{DataType, Field, Schema, TimeUnit};
use pyo3::buffer::{Element, ElementType, PyBuffer, PyUntypedBuffer};
use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::prelude::*;
use std::ops::Range;
use std::ptr::NonNull;
use std::sync::Arc;

/// One column as `wattledger._columns` prepares it.
#[derive(FromPyObject)]
pub(super) enum Column<'py> {
    /// Codes and the texts they stand for.
    Labels(Bound<'py, PyAny>, Vec<Option<String>>),
    /// Numbers, and the unit if they are times: `s`, `ms`, `us`, `ns`.
    Numbers(Bound<'py, PyAny>, String),
}

/// Keeps an exported buffer alive for as long as an array borrows it.
struct Owner(#[expect(dead_code, reason = "held for its drop")] PyUntypedBuffer);

// A buffer is only released on drop, and its release attaches to the interpreter by itself.
impl std::panic::RefUnwindSafe for Owner {}

/// A batch of named columns of equal length.
pub(super) fn batch(columns: Vec<(String, Column<'_>)>) -> PyResult<RecordBatch> {
    let mut fields = Vec::new();
    let mut arrays: Vec<ArrayRef> = Vec::new();
    for (name, column) in columns {
        let array = match column {
            Column::Numbers(values, unit) => numbers(&name, &values, &unit)?,
            Column::Labels(codes, texts) => labels(&name, &codes, &texts)?,
        };
        if arrays.first().is_some_and(|first| first.len() != array.len()) {
            let (first, here) = (arrays[0].len(), array.len());
            return Err(PyValueError::new_err(format!("column '{name}' has {here} rows, the others have {first}")));
        }
        fields.push(Field::new(name, array.data_type().clone(), true));
        arrays.push(array);
    }
    RecordBatch::try_new(Arc::new(Schema::new(fields)), arrays).map_err(|e| Error::from(e).into())
}

/// Arrays of the caller to write to, all of one kind.
pub(super) enum Targets {
    Long(Writable<f64>),
    Short(Writable<f32>),
}

/// Writable buffers of one length; no two of them share memory, nor do they with what is read.
pub(super) struct Writable<T: Element>(Vec<PyBuffer<T>>);

impl Targets {
    /// Arrays for so many rows that are not memory of `read`.
    pub(super) fn new(out: Vec<(String, Bound<'_, PyAny>)>, rows: usize, read: &[RecordBatch]) -> PyResult<Self> {
        let is_short = match out.first() {
            Some((_, first)) => matches!(
                ElementType::from_format(PyUntypedBuffer::get(first)?.format()),
                ElementType::Float { bytes: 4 }
            ),
            None => false,
        };
        let mut taken: Vec<Range<usize>> = read.iter().flat_map(memory).collect();
        if is_short {
            writable(out, rows, &mut taken).map(Self::Short)
        } else {
            writable(out, rows, &mut taken).map(Self::Long)
        }
    }
}

impl<T: Element> Writable<T> {
    /// The memory of each array.
    pub(super) fn columns(&mut self) -> Vec<&mut [T]> {
        let slice = |buffer: &mut PyBuffer<T>| {
            if buffer.item_count() == 0 {
                return &mut [][..];
            }
            // SAFETY: the buffer protocol guarantees so many writable elements of the type, checked, at an aligned pointer
            // until the buffer is released, which `self` puts off. No two of these ranges meet, nor do they meet what is
            // read, both checked; that nobody else uses them meanwhile is asked of the caller in the documentation.
            unsafe { std::slice::from_raw_parts_mut(buffer.buf_ptr().cast::<T>(), buffer.item_count()) }
        };
        self.0.iter_mut().map(slice).collect()
    }
}

/// Where the buffers of a batch lie.
fn memory(batch: &RecordBatch) -> Vec<Range<usize>> {
    fn add(data: &ArrayData, ranges: &mut Vec<Range<usize>>) {
        let buffers = data.buffers().iter().chain(data.nulls().map(NullBuffer::buffer));
        ranges.extend(buffers.map(|buffer| buffer.as_ptr().addr()..buffer.as_ptr().addr() + buffer.len()));
        data.child_data().iter().for_each(|child| add(child, ranges));
    }
    let mut ranges = Vec::new();
    for column in batch.columns() {
        add(&column.to_data(), &mut ranges);
    }
    ranges
}

fn writable<T: Element>(
    out: Vec<(String, Bound<'_, PyAny>)>,
    rows: usize,
    taken: &mut Vec<Range<usize>>,
) -> PyResult<Writable<T>> {
    let buffer = |(name, array): (String, Bound<'_, PyAny>)| {
        let refuse = |problem: String| Err(PyValueError::new_err(format!("out['{name}'] {problem}")));
        let Ok(buffer) = PyBuffer::<T>::get(&array) else {
            return refuse("is no array of float64, or of float32 as the others are".into());
        };
        // The protocol says by a mark in front that bytes stand in the order of another machine.
        let order = buffer.format().to_bytes().first();
        if matches!(order, Some(b'>' | b'!')) && cfg!(target_endian = "little") {
            return refuse("has its bytes in the order of another machine".into());
        }
        if buffer.readonly() || buffer.dimensions() != 1 || !buffer.is_c_contiguous() {
            return refuse("is not a writable, contiguous 1-d array".into());
        }
        if buffer.item_count() != rows {
            return refuse(format!("has {} rows, the data have {rows}", buffer.item_count()));
        }
        let start = buffer.buf_ptr().addr();
        let here = start..start + buffer.len_bytes();
        if taken.iter().any(|other| here.start < other.end && other.start < here.end) {
            return refuse("shares memory with another column".into());
        }
        taken.push(here);
        Ok(buffer)
    };
    out.into_iter().map(buffer).collect::<PyResult<_>>().map(Writable)
}

/// An array over the memory of a contiguous one-dimensional buffer.
fn numbers(name: &str, values: &Bound<'_, PyAny>, unit: &str) -> PyResult<ArrayRef> {
    let buffer = PyUntypedBuffer::get(values)?;
    if buffer.dimensions() != 1 {
        let found = buffer.dimensions();
        return Err(PyTypeError::new_err(format!("'{name}' is a {found}-d array, only 1-d arrays are supported")));
    }
    if !buffer.is_c_contiguous() {
        return Err(PyValueError::new_err(format!("'{name}' is not contiguous")));
    }
    let plain = match ElementType::from_format(buffer.format()) {
        ElementType::SignedInteger { bytes: 1 } => DataType::Int8,
        ElementType::SignedInteger { bytes: 2 } => DataType::Int16,
        ElementType::SignedInteger { bytes: 4 } => DataType::Int32,
        ElementType::SignedInteger { bytes: 8 } => DataType::Int64,
        ElementType::UnsignedInteger { bytes: 1 } => DataType::UInt8,
        ElementType::UnsignedInteger { bytes: 2 } => DataType::UInt16,
        ElementType::UnsignedInteger { bytes: 4 } => DataType::UInt32,
        ElementType::UnsignedInteger { bytes: 8 } => DataType::UInt64,
        ElementType::Float { bytes: 4 } => DataType::Float32,
        ElementType::Float { bytes: 8 } => DataType::Float64,
        _ => {
            let format = buffer.format().to_string_lossy().into_owned();
            return Err(PyTypeError::new_err(format!("'{name}' has buffer format {format}, expected numbers")));
        }
    };
    let data_type = match unit {
        "" => plain,
        "s" => DataType::Timestamp(TimeUnit::Second, Some("UTC".into())),
        "ms" => DataType::Timestamp(TimeUnit::Millisecond, Some("UTC".into())),
        "us" => DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into())),
        "ns" => DataType::Timestamp(TimeUnit::Nanosecond, Some("UTC".into())),
        naive => DataType::Timestamp(
            match naive {
                "naive s" => TimeUnit::Second,
                "naive ms" => TimeUnit::Millisecond,
                "naive us" => TimeUnit::Microsecond,
                _ => TimeUnit::Nanosecond,
            },
            None,
        ),
    };
    let (length, bytes) = (buffer.item_count(), buffer.len_bytes());
    let memory = match NonNull::new(buffer.buf_ptr().cast::<u8>()) {
        Some(pointer) if bytes > 0 => {
            // SAFETY: the buffer protocol guarantees `bytes` readable bytes at its pointer until the buffer is released,
            // which `Owner` puts off until the last array over it is dropped. That nobody writes to them meanwhile is
            // asked of the caller in the documentation of `scan`.
            unsafe { Buffer::from_custom_allocation(pointer, bytes, Arc::new(Owner(buffer))) }
        }
        _ => Buffer::from_vec(Vec::<u64>::new()),
    };
    let data = ArrayData::builder(data_type).len(length).add_buffer(memory).align_buffers(true).build();
    data.map(make_array).map_err(|e| Error::from(e).into())
}

/// A dictionary array; codes outside the texts, and codes of a missing text, are nulls.
fn labels(name: &str, codes: &Bound<'_, PyAny>, texts: &[Option<String>]) -> PyResult<ArrayRef> {
    let codes = numbers(name, codes, "")?;
    let values: StringArray = texts.iter().map(|text| Some(text.as_deref().unwrap_or_default())).collect();
    if values.is_empty() {
        return Ok(arrow_array::new_null_array(&DataType::Utf8, codes.len()));
    }
    macro_rules! dictionary {
        ($($data_type:pat => $primitive:ty),+ $(,)?) => {
            match codes.data_type() {
                $($data_type => Ok(keyed(codes.as_primitive::<$primitive>(), texts, Arc::new(values))?),)+
                _ => Err(PyTypeError::new_err(format!("codes of '{name}' are not integers"))),
            }
        };
    }
    dictionary! {
        DataType::Int8 => Int8Type,
        DataType::Int16 => Int16Type,
        DataType::Int32 => Int32Type,
        DataType::Int64 => Int64Type,
        DataType::UInt8 => UInt8Type,
        DataType::UInt16 => UInt16Type,
        DataType::UInt32 => UInt32Type,
        DataType::UInt64 => UInt64Type,
    }
}

/// Codes as they are where every text is one; else with nulls for those that stand for none.
fn keyed<T>(codes: &PrimitiveArray<T>, texts: &[Option<String>], values: ArrayRef) -> Result<ArrayRef, Error>
where
    T: ArrowDictionaryKeyType,
    usize: TryFrom<T::Native>,
{
    if texts.iter().all(Option::is_some) {
        // SAFETY: codes out of range are only unsafe to those who take them for checked. These arrays go to intake alone,
        // which looks at every code before it uses it, as it must for arrays of other libraries.
        return Ok(Arc::new(unsafe { DictionaryArray::new_unchecked(codes.clone(), values) }));
    }
    let known = |code: T::Native| usize::try_from(code).is_ok_and(|at| texts.get(at).is_some_and(Option::is_some));
    let keys: PrimitiveArray<T> = codes.values().iter().map(|code| known(*code).then_some(*code)).collect();
    Ok(Arc::new(DictionaryArray::try_new(keys, values)?))
}
