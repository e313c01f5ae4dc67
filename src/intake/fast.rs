//! Fast batches: rows that are all plainly good are handed on in columns, a tile at a time.
//!
//! A tile with anything unusual in it (a null, a value out of its limits) takes the ordinary path row by row, so what is
//! rejected and why is the same.

use super::clean::{Clean, Scratch};
use super::columns::{batch_to_events, bound};
use super::compiled::CompiledMap;
use crate::error::Result;
use crate::event::{Coverage, EventBatch, EventColumns};
use crate::keys::SeriesTable;
use arrow_array::RecordBatch;
use std::ops::Range;

/// Rows of a tile: its columns stay in the first-level cache from check to sum.
pub(super) const TILE: usize = 1024;

/// What takes events with the rows they come from.
pub type TakeRows<'a> = dyn FnMut(Range<usize>, &EventColumns<'_>, &SeriesTable) -> Result<()> + 'a;

/// Reads every row of a batch as an event or a reject, and hands the events on in columns, with the rows they come from:
/// in order, and fewer than those where rows were rejected.
///
/// # Errors
/// As [`batch_to_events`], and whatever `take` returns.
pub fn batch_to_columns(
    batch: &RecordBatch,
    map: &CompiledMap,
    row_base: u64,
    table: &mut SeriesTable,
    coverage: &mut Coverage,
    place: &str,
    take: &mut TakeRows<'_>,
) -> Result<()> {
    let columns = bound(&batch.schema(), map, place)?;
    let mut clean = Clean::new(batch, map, &columns, table);
    let mut scratch = Scratch::default();
    let mut events = EventBatch::default();
    let mut start = 0;
    while start < batch.num_rows() {
        let len = TILE.min(batch.num_rows() - start);
        let tile = clean.as_mut().and_then(|(clean, labels)| clean.tile(labels, (start, len), table, &mut scratch));
        if let Some(tile) = tile {
            coverage.count_many(len as u64);
            take(start..start + len, &tile, table)?;
        } else {
            events.clear();
            let rows = batch.slice(start, len);
            batch_to_events(&rows, map, row_base + start as u64, table, &mut events, coverage, place)?;
            take(start..start + len, &events.columns(), table)?;
        }
        start += len;
    }
    Ok(())
}
