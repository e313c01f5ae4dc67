//! The second corridor: events once more, each with its estimate, at the operating points of a first pass.

use crate::error::Result;
use crate::estimate::columns::SUMS;
use crate::estimate::{Annotator, Estimate};
use crate::event::{Coverage, EventBatch, EventColumns};
use crate::intake::{self, CompiledMap, Options};
use crate::keys::SeriesTable;
use crate::report;
use arrow_array::RecordBatch;
use arrow_schema::{Schema, SchemaRef};
use std::sync::Arc;

/// Places of the estimated columns to keep, by name; all that can be known of single events where none are named.
///
/// # Errors
/// [`crate::Error::UnknownName`] for a column that is none.
pub fn columns(names: &[String]) -> Result<Vec<usize>> {
    if names.is_empty() {
        // No request trains.
        return Ok((0..SUMS.len()).filter(|i| SUMS[*i].name != "training_kwh").collect());
    }
    let place = |name: &String| {
        SUMS.iter().position(|c| c.name == name).ok_or_else(|| crate::Error::UnknownName {
            kind: "column",
            name: name.clone(),
            nearest: crate::error::nearest(name, SUMS.iter().map(|c| c.name)),
        })
    };
    names.iter().map(place).collect()
}

struct Rows<'a> {
    annotator: Annotator<'a>,
    keep: &'a [usize],
    batches: Vec<RecordBatch>,
}

impl intake::Sink for Rows<'_> {
    fn events(&mut self, events: &EventColumns<'_>, table: &SeriesTable) -> Result<()> {
        let values = self.annotator.annotate(events, table);
        self.batches.push(report::events_batch(events, table, &values, self.keep));
        Ok(())
    }
}

/// The events of log files in the order of the log, with their estimates; rejected lines are in the account.
///
/// # Errors
/// As [`intake::read`].
pub fn files(
    places: &[String],
    options: &Options,
    estimate: &Estimate,
    keep: &[usize],
    should_stop: &(dyn Fn() -> bool + Sync),
) -> Result<(Vec<RecordBatch>, Coverage)> {
    let sources = intake::discover(places)?;
    // One worker keeps the order of the log.
    let options = Options { threads: 1, ..options.clone() };
    let new = || Rows { annotator: Annotator::new(estimate), keep, batches: Vec::new() };
    let outcome = intake::read(&sources, &options, new, should_stop)?;
    let batches = outcome.workers.into_iter().flat_map(|(_, rows)| rows.batches).collect();
    Ok((batches, outcome.coverage))
}

/// Estimated columns for the rows of record batches, row for row; a row that is no event has nulls.
///
/// # Errors
/// As [`intake::batch_to_events`].
pub fn batches(
    schema: &SchemaRef,
    batches: &[RecordBatch],
    options: &Options,
    estimate: &Estimate,
    keep: &[usize],
) -> Result<Vec<RecordBatch>> {
    let map = CompiledMap::for_schema(schema, options)?;
    let mut table = SeriesTable::new(options.dimensions.clone());
    let mut annotator = Annotator::new(estimate);
    let mut annotated = Vec::with_capacity(batches.len());
    for batch in batches {
        let values = rows(batch, &map, &mut table, &mut annotator)?;
        let columns = report::estimated(&values, keep);
        let fields: Schema = report::fields(&columns);
        let arrays = columns.into_iter().map(|(_, array)| array).collect();
        annotated.push(RecordBatch::try_new(Arc::new(fields), arrays)?);
    }
    Ok(annotated)
}

/// Values of every row of a batch. Where rows were rejected, halves are tried until the rows at fault stand alone.
fn rows(
    batch: &RecordBatch,
    map: &CompiledMap,
    table: &mut SeriesTable,
    annotator: &mut Annotator<'_>,
) -> Result<Vec<Vec<f64>>> {
    let mut events = EventBatch::default();
    intake::batch_to_events(batch, map, 0, table, &mut events, &mut Coverage::default(), "memory")?;
    if events.len() == batch.num_rows() {
        return Ok(annotator.annotate(&events.columns(), table));
    }
    if batch.num_rows() == 1 {
        return Ok(vec![vec![f64::NAN]; SUMS.len()]);
    }
    let half = batch.num_rows() / 2;
    let mut values = rows(&batch.slice(0, half), map, table, annotator)?;
    let rest = rows(&batch.slice(half, batch.num_rows() - half), map, table, annotator)?;
    for (column, more) in values.iter_mut().zip(rest) {
        column.extend(more);
    }
    Ok(values)
}
