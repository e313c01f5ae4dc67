//! Columns: Arrow batches to events, for Parquet and for tables that never were a file.

use super::compiled::CompiledMap;
use super::field::{FIELDS, Field};
use super::row::{Book, Interner};
use super::typed::{Role, Typed};
use super::value::Scalar;
use crate::error::{Error, Result};
use crate::event::{Coverage, EventBatch};
use crate::keys::SeriesTable;
use arrow_array::RecordBatch;
use arrow_schema::Schema;

/// Reads every row of a batch as an event or a reject. Rows are numbered from `row_base + 1`.
///
/// ```
/// use std::sync::Arc;
/// use arrow_array::{ArrayRef, Int64Array, RecordBatch, StringArray};
/// use wattledger::event::{Coverage, EventBatch};
/// use wattledger::intake::{CompiledMap, Options, batch_to_events};
/// use wattledger::keys::SeriesTable;
///
/// let table = RecordBatch::try_from_iter([
///     ("ts", Arc::new(Int64Array::from(vec![1_767_225_600])) as ArrayRef),
///     ("model", Arc::new(StringArray::from(vec!["m"]))),
///     ("prompt_tokens", Arc::new(Int64Array::from(vec![100]))),
///     ("completion_tokens", Arc::new(Int64Array::from(vec![20]))),
/// ]).unwrap();
/// let map = CompiledMap::for_schema(&table.schema(), &Options::default())?;
/// let (mut series, mut events, mut coverage) = (SeriesTable::new(vec![]), EventBatch::default(), Coverage::default());
/// batch_to_events(&table, &map, 0, &mut series, &mut events, &mut coverage, "table")?;
/// assert_eq!(events.input_tokens, [100]);
/// # Ok::<(), wattledger::Error>(())
/// ```
///
/// # Errors
/// [`Error::MissingColumns`], [`Error::DuplicateColumn`] and [`Error::ColumnType`], before any row is read.
pub fn batch_to_events(
    batch: &RecordBatch,
    map: &CompiledMap,
    row_base: u64,
    table: &mut SeriesTable,
    out: &mut EventBatch,
    coverage: &mut Coverage,
    place: &str,
) -> Result<()> {
    let columns = bound(&batch.schema(), map, place)?;
    let typed: Vec<Vec<Typed>> = columns
        .iter()
        .map(|candidates| candidates.iter().filter_map(|at| Typed::new(&**batch.column(*at))).collect())
        .collect();
    let mut cells = vec![Scalar::Null; typed.len()];
    let mut interner = Interner::default();
    let mut book = Book { table, out, coverage, place };
    for row in 0..batch.num_rows() {
        for (cell, candidates) in cells.iter_mut().zip(&typed) {
            let values = candidates.iter().map(|column| column.cell(row));
            *cell = values.into_iter().find(|value| !value.is_null()).unwrap_or_default();
        }
        book.row(map, &cells, &mut interner, row_base + row as u64 + 1);
    }
    Ok(())
}

/// The columns for each field and dimension, best first, after a look at their types.
pub(super) fn bound(schema: &Schema, map: &CompiledMap, place: &str) -> Result<Vec<Vec<usize>>> {
    let names: Vec<&str> = schema.fields().iter().map(|field| field.name().as_str()).collect();
    let binding = map.bind(place, &names)?;
    let dimensions = binding.dimensions.into_iter().map(|column| column.into_iter().collect());
    let columns: Vec<Vec<usize>> = binding.fields.into_iter().chain(dimensions).collect();
    for (slot, candidates) in columns.iter().enumerate() {
        let role = if slot < FIELDS { Role::Field(Field::ALL[slot]) } else { Role::Dimension };
        for at in candidates {
            let field = schema.field(*at);
            if let Some(expected) = role.refuses(field.data_type()) {
                return Err(Error::ColumnType {
                    place: place.into(),
                    column: field.name().clone(),
                    found: field.data_type().to_string(),
                    expected: expected.into(),
                });
            }
        }
    }
    Ok(columns)
}
