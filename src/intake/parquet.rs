//! Parquet: the columns that are needed, row group by row group.
//!
//! The crate underneath is not trusted with damaged files: what a file claims is checked before, and a panic inside
//! it is damage to the file, not to us.

use super::compiled::CompiledMap;
use super::drive::{Run, Worker};
use super::pages::Group;
use super::{Sink, columns, ranges};
use crate::error::{Error, Result};
use crate::event::InputIdentity;
use arrow_array::RecordBatch;
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{ArrowReaderMetadata, ArrowReaderOptions, ParquetRecordBatchReaderBuilder};
use std::fs::File;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;

/// Rows decoded at once.
const ROWS: usize = 8192;

/// Damage to a row group: its number, and what is wrong.
type Damage = Option<(usize, String)>;

/// A file ready to be read by many.
struct Plan<'a> {
    path: &'a Path,
    name: &'a str,
    map: CompiledMap,
    index: ArrowReaderMetadata,
    needed: Vec<Vec<usize>>,
    columns: ProjectionMask,
    /// Rows before each row group.
    bases: Vec<u64>,
    next: AtomicUsize,
    stop: AtomicBool,
}

/// Reads a file; the second answer is the damage met on the way.
pub(super) fn read<S: Sink>(
    run: &Run,
    file: &File,
    path: &Path,
    name: &str,
    workers: &mut [Worker<S>],
) -> Result<(InputIdentity, Option<Error>)> {
    let access = |error: std::io::Error| super::discover::access(path, &error);
    let damaged = |problem: String| Error::FileDamaged { path: PathBuf::from(path), problem };
    let mut own = file.try_clone().map_err(access)?;
    crate::files::check_parquet_footer(&own, path)?;
    let (bytes, digest) = ranges::identity(&mut own).map_err(access)?;
    let index = quiet(|| ArrowReaderMetadata::load(&own, ArrowReaderOptions::new())).map_err(damaged)?;
    crate::files::check_parquet_ranges(index.metadata(), bytes, path)?;
    let map = run.mapper.choose(&|column| index.schema().column_with_name(column).is_some())?;
    let needed = columns::bound(index.schema(), &map, name)?;
    let columns = ProjectionMask::roots(index.parquet_schema(), needed.iter().flatten().copied());
    let mut bases = Vec::with_capacity(index.metadata().num_row_groups());
    let mut rows = 0;
    for group in index.metadata().row_groups() {
        bases.push(rows);
        rows += group.num_rows().unsigned_abs();
    }
    let format = map.format.clone();
    let groups = bases.len();
    let (next, stop) = (AtomicUsize::new(0), AtomicBool::new(false));
    let plan = Plan { path, name, map, index, needed, columns, bases, next, stop };
    let mut damage: Damage = None;
    let active = workers.len().min(groups);
    if active <= 1 {
        damage = plan.work(run, &mut workers[0])?;
    } else {
        let plan = &plan;
        let results: Vec<Result<Damage>> = thread::scope(|scope| {
            let started: Vec<_> =
                workers[..active].iter_mut().map(|worker| scope.spawn(move || plan.work(run, worker))).collect();
            started.into_iter().map(|w| w.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))).collect()
        });
        for result in results {
            damage = damage.into_iter().chain(result?).min();
        }
    }
    let damage = damage.map(|(group, problem)| damaged(format!("row group {group}: {problem}")));
    Ok((InputIdentity { name: name.into(), bytes, digest, format }, damage))
}

impl Plan<'_> {
    /// Reads row groups until none is left. A damaged one does not keep the others from being read, so that what is
    /// counted does not depend on who came first.
    fn work<S: Sink>(&self, run: &Run, worker: &mut Worker<S>) -> Result<Damage> {
        let mut damage: Damage = None;
        loop {
            let group = self.next.fetch_add(1, Ordering::Relaxed);
            if group >= self.bases.len() || self.stop.load(Ordering::Relaxed) {
                return Ok(damage);
            }
            match self.group(group, run, worker) {
                Ok(None) => {}
                Ok(Some(problem)) => damage = damage.into_iter().chain([(group, problem)]).min(),
                Err(error) => {
                    self.stop.store(true, Ordering::Relaxed);
                    return Err(error);
                }
            }
        }
    }

    fn group<S: Sink>(&self, group: usize, run: &Run, worker: &mut Worker<S>) -> Result<Option<String>> {
        let about = self.index.metadata().row_group(group);
        if run.options.period.leaves_out(about, self.index.schema(), &self.map, &self.needed) {
            worker.coverage.outside_period += about.num_rows().unsigned_abs();
            return Ok(None);
        }
        // Each row group has a file of its own: copies of one handle share its position.
        let file = File::open(self.path).map_err(|error| super::discover::access(self.path, &error))?;
        let rows = self.index.metadata().row_group(group).num_rows();
        let from = Group {
            file: &Arc::new(file),
            metadata: self.index.metadata().row_group(group),
            schema: self.index.schema(),
            map: &self.map,
            columns: &self.needed,
        };
        let done = worker.pages(&from, run.should_stop)?;
        if i64::try_from(done) == Ok(rows) {
            return Ok(None);
        }
        let file = File::open(self.path).map_err(|error| super::discover::access(self.path, &error))?;
        let mut reader = match quiet(|| {
            ParquetRecordBatchReaderBuilder::new_with_metadata(file, self.index.clone())
                .with_row_groups(vec![group])
                .with_projection(self.columns.clone())
                .with_batch_size(ROWS)
                .with_offset(done)
                .build()
        }) {
            Ok(reader) => reader,
            Err(problem) => return Ok(Some(problem)),
        };
        let mut row = self.bases[group] + done as u64;
        loop {
            if (run.should_stop)() {
                return Err(Error::Interrupted);
            }
            let batch: RecordBatch = match quiet(|| reader.next().transpose()) {
                Ok(Some(batch)) => batch,
                Ok(None) => return Ok(None),
                Err(problem) => return Ok(Some(problem)),
            };
            let Worker { table, out, coverage, .. } = worker;
            columns::batch_to_events(&batch, &self.map, row, table, out, coverage, self.name)?;
            row += batch.num_rows() as u64;
            worker.flush_full()?;
        }
    }
}

/// Runs a step of the reader; its errors and panics are words about the file.
pub(super) fn quiet<T, E: std::fmt::Display>(
    step: impl FnOnce() -> std::result::Result<T, E>,
) -> std::result::Result<T, String> {
    match catch_unwind(AssertUnwindSafe(step)) {
        Ok(Ok(value)) => Ok(value),
        Ok(Err(error)) => Err(crate::error::excerpt(&error.to_string())),
        Err(_) => Err("its pages contradict each other".into()),
    }
}
