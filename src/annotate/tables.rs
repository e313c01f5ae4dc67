//! Columns in memory: a value of each kept column for each row, in the order of the rows.

use super::{Annotation, Number, Pool, Worker};
use crate::event::{Coverage, EventBatch, EventColumns};
use crate::intake::{self, CompiledMap};
use crate::keys::SeriesTable;
use crate::{Error, Result, report};
use arrow_array::RecordBatch;
use std::ops::Range;
use std::thread;

/// Rows that are worth a thread of their own.
const LEAST_ROWS: usize = 1 << 16;

/// Bytes of results that a processor's caches may hold.
const CACHES: usize = 4 << 20;

/// Name of inputs that are no files.
const MEMORY: &str = "memory";

impl Annotation {
    /// Writes the values of every row of a batch into columns of the caller, one for each that is kept and each as long as
    /// the batch; not a number for a row that is no event. All cores take part, unless the options say otherwise.
    ///
    /// # Errors
    /// As [`intake::batch_to_events`]; [`Error::Argument`] for columns of another length;
    /// [`Error::Interrupted`] if `should_stop` says so, with part of the columns written.
    pub fn write<T: Number>(
        &self,
        batch: &RecordBatch,
        columns: &mut [&mut [T]],
        should_stop: &(dyn Fn() -> bool + Sync),
    ) -> Result<()> {
        self.check(batch, columns)?;
        let map = CompiledMap::for_schema(&batch.schema(), &self.options)?;
        let threads = match self.options.threads {
            0 => thread::available_parallelism().map_or(1, usize::from),
            threads => threads,
        };
        let share = batch.num_rows().div_ceil(threads).max(LEAST_ROWS);
        let count = columns.len();
        let mut rest: Vec<&mut [T]> = columns.iter_mut().map(|column| &mut **column).collect();
        let mut shares = Vec::new();
        for start in (0..batch.num_rows()).step_by(share) {
            let rows = share.min(batch.num_rows() - start);
            let (here, after) = rest.into_iter().map(|column| column.split_at_mut(rows)).unzip();
            rest = after;
            shares.push((batch.slice(start, rows), here));
        }
        let beyond_caches = batch.num_rows() * count * size_of::<T>() > CACHES;
        let one = |(batch, mut columns): (RecordBatch, Vec<&mut [T]>)| {
            let mut worker = self.worker();
            worker.annotator.past_caches(beyond_caches);
            let done = worker.share(&batch, &map, &mut columns, should_stop);
            self.rest(worker);
            done
        };
        if shares.len() <= 1 {
            return shares.into_iter().try_for_each(one);
        }
        thread::scope(|scope| {
            let one = &one;
            let working: Vec<_> = shares.into_iter().map(|share| scope.spawn(move || one(share))).collect();
            let mut shares = working.into_iter().map(thread::ScopedJoinHandle::join);
            shares.try_for_each(|share| share.unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
        })
    }

    /// The kept columns of a batch as a batch, row for row; null for what is unknown, and for a row that is no event.
    ///
    /// # Errors
    /// As [`Annotation::write`].
    pub fn batch<T: Number>(
        &self,
        batch: &RecordBatch,
        pool: &mut Pool,
        should_stop: &(dyn Fn() -> bool + Sync),
    ) -> Result<RecordBatch> {
        let mut columns: Vec<Vec<T>> = self.keep.iter().map(|_| pool.take(batch.num_rows())).collect();
        let mut slices: Vec<&mut [T]> = columns.iter_mut().map(Vec::as_mut_slice).collect();
        self.write(batch, &mut slices, should_stop)?;
        let columns = columns.into_iter().map(|column| pool.lend(column));
        Ok(report::estimated(&self.keep, columns))
    }

    fn check<T>(&self, batch: &RecordBatch, columns: &[&mut [T]]) -> Result<()> {
        let expected = |what: &str, value: usize, expected: usize| Error::Argument {
            what: what.into(),
            value: value.to_string(),
            expected: format!("exactly {expected}"),
        };
        if columns.len() != self.keep.len() {
            return Err(expected("columns to write to", columns.len(), self.keep.len()));
        }
        let rows = batch.num_rows();
        let other = columns.iter().find(|column| column.len() != rows);
        other.map_or(Ok(()), |column| Err(expected("rows to write to", column.len(), rows)))
    }
}

impl Worker {
    fn share<T: Number>(
        &mut self,
        batch: &RecordBatch,
        map: &CompiledMap,
        columns: &mut [&mut [T]],
        should_stop: &(dyn Fn() -> bool + Sync),
    ) -> Result<()> {
        let Self { table, annotator } = self;
        let mut mixed: Vec<Range<usize>> = Vec::new();
        let mut take = |rows: Range<usize>, events: &EventColumns<'_>, table: &SeriesTable| {
            if should_stop() {
                return Err(Error::Interrupted);
            }
            if events.series.len() < rows.len() {
                mixed.push(rows);
            } else {
                annotator.annotate(events, table, &mut part(columns, rows));
            }
            Ok(())
        };
        intake::batch_to_columns(batch, map, 0, table, &mut Coverage::default(), MEMORY, &mut take)?;
        for rows in mixed {
            self.halves(batch, rows, map, columns)?;
        }
        Ok(())
    }

    /// Rows of which some are no events: halves are tried until those stand alone.
    fn halves<T: Number>(
        &mut self,
        batch: &RecordBatch,
        rows: Range<usize>,
        map: &CompiledMap,
        columns: &mut [&mut [T]],
    ) -> Result<()> {
        let mut events = EventBatch::default();
        let slice = batch.slice(rows.start, rows.len());
        let account = &mut Coverage::default();
        intake::batch_to_events(&slice, map, 0, &mut self.table, &mut events, account, MEMORY)?;
        if events.len() == rows.len() {
            self.annotator.annotate(&events.columns(), &self.table, &mut part(columns, rows));
        } else if events.is_empty() {
            for column in part(columns, rows) {
                column.fill(T::NAN);
            }
        } else {
            let middle = rows.start + rows.len() / 2;
            self.halves(batch, rows.start..middle, map, columns)?;
            self.halves(batch, middle..rows.end, map, columns)?;
        }
        Ok(())
    }
}

fn part<'a, T>(columns: &'a mut [&mut [T]], rows: Range<usize>) -> Vec<&'a mut [T]> {
    columns.iter_mut().map(|column| &mut column[rows.clone()]).collect()
}
