//! Estimates as tables: Arrow for programs, CSV for people and for machines.

use crate::estimate::columns::{COUNTS, RATIOS, SUMS};
use crate::estimate::{Float, Table};
use crate::event::{EventColumns, NO_LATENCY, NO_TIME};
use crate::keys::{ROUTE_LABELS, SeriesTable};
use crate::{Error, Result};
use arrow_array::builder::StringDictionaryBuilder;
use arrow_array::cast::AsArray;
use arrow_array::types::{Float32Type, Float64Type, TimestampSecondType, UInt32Type};
use arrow_array::{
    Array, ArrayRef, ArrowPrimitiveType, BooleanArray, Decimal128Array, Float64Array, PrimitiveArray, RecordBatch,
    StringArray, TimestampMicrosecondArray, UInt32Array,
};
use arrow_buffer::{ArrowNativeType, ScalarBuffer};
use arrow_schema::{ArrowError, Field, Schema};
use std::sync::Arc;

pub(super) fn build(columns: Vec<(String, ArrayRef)>) -> RecordBatch {
    let schema = Arc::new(fields(&columns));
    let arrays: Vec<ArrayRef> = columns.into_iter().map(|(_, array)| array).collect();
    RecordBatch::try_new(schema, arrays).expect("columns of one length")
}

/// The schema of named arrays.
pub(crate) fn fields(columns: &[(String, ArrayRef)]) -> Schema {
    Schema::new(columns.iter().map(|(name, a)| Field::new(name, a.data_type().clone(), true)).collect::<Vec<_>>())
}

/// A grouped estimate as one Arrow batch; counts are exact integers, unknown values null.
///
/// # Panics
/// If a count passes 38 digits, which no ledger holds.
#[must_use]
pub fn to_batch(table: &Table) -> RecordBatch {
    let mut columns: Vec<(String, ArrayRef)> = Vec::new();
    for (i, name) in table.keys.iter().enumerate() {
        let values: StringArray = table.rows.iter().map(|row| row.keys[i].as_deref()).collect();
        columns.push((name.clone(), Arc::new(values)));
    }
    let unallocated: BooleanArray = table.rows.iter().map(|row| Some(row.unallocated)).collect();
    columns.push((super::UNALLOCATED.into(), Arc::new(unallocated)));
    for (i, column) in COUNTS.iter().enumerate() {
        let counts = table.rows.iter().map(|row| i128::try_from(row.total.counts[i]).ok());
        let array = if let Ok(small) =
            table.rows.iter().map(|r| i64::try_from(r.total.counts[i])).collect::<std::result::Result<Vec<_>, _>>()
        {
            Arc::new(arrow_array::Int64Array::from(small)) as ArrayRef
        } else {
            let wide = counts.collect::<Decimal128Array>().with_precision_and_scale(38, 0);
            Arc::new(wide.expect("ledger sums have at most 38 digits"))
        };
        columns.push((column.name.into(), array));
    }
    let unestimated = table.rows.iter().map(|row| i64::try_from(row.total.unestimated_requests()).ok());
    columns.push((super::UNESTIMATED.into(), Arc::new(unestimated.collect::<arrow_array::Int64Array>())));
    let values: Vec<Vec<Option<f64>>> = table.rows.iter().map(|row| row.total.values()).collect();
    for (i, column) in SUMS.iter().chain(&RATIOS).enumerate() {
        let array: Float64Array = values.iter().map(|row| row[i]).collect();
        columns.push((column.name.into(), Arc::new(array)));
    }
    build(columns)
}

/// Numbers that an estimated column can be made of.
pub trait Number: Float + ArrowNativeType {
    /// What Arrow calls them.
    type Arrow: ArrowPrimitiveType<Native = Self>;
}

impl Number for f64 {
    type Arrow = Float64Type;
}

impl Number for f32 {
    type Arrow = Float32Type;
}

/// Events with their estimates as one Arrow batch: time, labels, tokens, latency, then the columns of an estimate.
/// `keep` names the estimated columns, by place; their values come in that order.
#[must_use]
pub fn events_batch<T: Number>(
    events: &EventColumns<'_>,
    table: &SeriesTable,
    keep: &[usize],
    values: impl Iterator<Item = ScalarBuffer<T>>,
) -> RecordBatch {
    let time = (0..events.time.len()).map(|at| events.time_us(at)).map(|t| (t != NO_TIME).then_some(t));
    let time = time.collect::<TimestampMicrosecondArray>().with_timezone("UTC");
    let mut columns: Vec<(String, ArrayRef)> = vec![("timestamp".into(), Arc::new(time))];
    let names = ROUTE_LABELS.iter().map(|l| (*l).to_owned()).chain(table.dimensions().iter().cloned());
    for (i, name) in names.enumerate() {
        let mut labels = StringDictionaryBuilder::<UInt32Type>::new();
        for series in events.series {
            labels.append_option(table.get(*series).labels()[i].as_deref());
        }
        columns.push((name, Arc::new(labels.finish())));
    }
    let tokens = |values: &[u32]| Arc::new(UInt32Array::from(values.to_vec())) as ArrayRef;
    columns.push(("input_tokens".into(), tokens(events.input_tokens)));
    let none = vec![0; events.series.len()];
    columns.push(("cached_tokens".into(), tokens(events.cached_tokens.unwrap_or(&none))));
    columns.push(("output_tokens".into(), tokens(events.output_tokens)));
    #[expect(clippy::cast_precision_loss, reason = "thirty days of microseconds fit")]
    let latency: Float64Array = match events.latency_us {
        Some(us) => us.iter().map(|us| (*us != NO_LATENCY).then_some(*us as f64 / 1e6)).collect(),
        None => Float64Array::new_null(events.series.len()),
    };
    columns.push(("latency_s".into(), Arc::new(latency)));
    columns.extend(arrays(keep, values));
    build(columns)
}

/// Estimated columns as a batch; not a number is null.
#[must_use]
pub fn estimated<T: Number>(keep: &[usize], values: impl Iterator<Item = ScalarBuffer<T>>) -> RecordBatch {
    build(arrays(keep, values).collect())
}

fn arrays<T: Number>(
    keep: &[usize],
    values: impl Iterator<Item = ScalarBuffer<T>>,
) -> impl Iterator<Item = (String, ArrayRef)> {
    keep.iter().zip(values).map(|(place, values)| {
        let unknown = |value: &T| (*value).into().is_nan();
        let nulls = values.iter().any(unknown).then(|| values.iter().map(|value| !unknown(value)).collect());
        let array: ArrayRef = Arc::new(PrimitiveArray::<T::Arrow>::new(values, nulls));
        (SUMS[*place].name.to_owned(), array)
    })
}

/// A grouped estimate as CSV. For people, cells that a spreadsheet would take for a formula get a leading `'`.
///
/// # Errors
/// [`Error::Argument`] if the writer refuses a cell, which it does not.
pub fn to_csv(table: &Table, for_people: bool) -> Result<String> {
    let failed = |e: String| Error::Argument { what: "table".into(), value: e, expected: "cells of text".into() };
    let mut writer = csv::Writer::from_writer(Vec::new());
    let columns = COUNTS.iter().chain(&SUMS).chain(&RATIOS).map(|c| c.name);
    let (counts, sums): (Vec<&str>, Vec<&str>) =
        (columns.clone().take(COUNTS.len()).collect(), columns.skip(COUNTS.len()).collect());
    let header = table.keys.iter().map(String::as_str).chain([super::UNALLOCATED]);
    let header = header.chain(counts).chain([super::UNESTIMATED]).chain(sums);
    writer.write_record(header).map_err(|e| failed(e.to_string()))?;
    for row in &table.rows {
        let keys = row.keys.iter().map(|k| guarded(k.as_deref().unwrap_or_default(), for_people));
        let counts = row.total.counts.iter().map(u128::to_string);
        let values = row.total.values().into_iter().map(|v| v.map_or_else(String::new, |v| v.to_string()));
        let unestimated = row.total.unestimated_requests().to_string();
        let cells = keys.chain([row.unallocated.to_string()]).chain(counts).chain([unestimated]).chain(values);
        writer.write_record(cells).map_err(|e| failed(e.to_string()))?;
    }
    let bytes = writer.into_inner().map_err(|e| failed(e.to_string()))?;
    String::from_utf8(bytes).map_err(|e| failed(e.to_string()))
}

/// A batch of names, hours and numbers as CSV.
///
/// # Errors
/// As [`to_csv`].
pub fn batch_csv(batch: &RecordBatch) -> Result<String> {
    let failed = |e: String| Error::Argument { what: "table".into(), value: e, expected: "cells of text".into() };
    let mut writer = csv::Writer::from_writer(Vec::new());
    let schema = batch.schema();
    writer.write_record(schema.fields().iter().map(|field| field.name())).map_err(|e| failed(e.to_string()))?;
    for row in 0..batch.num_rows() {
        let cells = batch.columns().iter().map(|column| cell(column, row));
        writer.write_record(cells).map_err(|e| failed(e.to_string()))?;
    }
    let bytes = writer.into_inner().map_err(|e| failed(e.to_string()))?;
    String::from_utf8(bytes).map_err(|e| failed(e.to_string()))
}

/// A cell of a kind that [`batch_csv`] is given; empty where it is null.
fn cell(column: &ArrayRef, row: usize) -> String {
    if column.is_null(row) {
        return String::new();
    }
    if let Some(text) = column.as_string_opt::<i32>() {
        return guarded(text.value(row), true);
    }
    if let Some(number) = column.as_primitive_opt::<Float64Type>() {
        return number.value(row).to_string();
    }
    let second = column.as_primitive_opt::<TimestampSecondType>().map(|time| time.value(row));
    second.and_then(|second| jiff::Timestamp::from_second(second).ok()).map_or_else(String::new, |t| t.to_string())
}

/// Text that begins like a formula, made harmless.
fn guarded(cell: &str, guard: bool) -> String {
    let formula = cell.starts_with(['=', '+', '-', '@', '\t', '\r', '＝', '＋', '－', '＠']);
    if guard && formula { format!("'{cell}") } else { cell.to_owned() }
}

impl From<ArrowError> for Error {
    fn from(error: ArrowError) -> Self {
        Self::FileDamaged { path: "Arrow stream".into(), problem: error.to_string() }
    }
}
