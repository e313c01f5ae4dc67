//! Log files: a row for each event, with what the log says of it and what it is estimated at, in the order of the log.

use super::{Annotation, Number, Pool};
use crate::estimate::{Annotator, GroupBy};
use crate::event::{Coverage, EventBatch, EventColumns};
use crate::intake::{self, Source};
use crate::keys::SeriesTable;
use crate::{Error, Result, files, report};
use arrow_array::RecordBatch;
use arrow_buffer::ScalarBuffer;
use arrow_schema::SchemaRef;
use std::marker::PhantomData;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

/// How often a waiting taker looks whether it is to stop.
const PATIENCE: Duration = Duration::from_millis(50);

/// Batches that wait for their taker.
const WAITING: usize = 2;

/// Refuses logs that cannot be read a second time: the first pass would leave nothing.
///
/// # Errors
/// [`Error::Argument`] for standard input and pipes.
pub fn check_twice_readable(places: &[String]) -> Result<()> {
    for source in intake::discover(places)? {
        let again = match &source {
            Source::Stdin => false,
            Source::Path(path) => std::fs::metadata(path).is_ok_and(|about| about.is_file()),
        };
        if !again {
            return Err(Error::Argument {
                what: "log".into(),
                value: source.name(),
                expected: "files, which can be read twice, or operating points from a ledger made before".into(),
            });
        }
    }
    Ok(())
}

/// What the rows of a log are handed to.
type Take<'a> = &'a (dyn Fn(RecordBatch) -> Result<()> + Sync);

struct Rows<'a, T> {
    keep: &'a [usize],
    annotator: Annotator,
    pool: Pool,
    take: Take<'a>,
    numbers: PhantomData<T>,
}

impl<T: Number> intake::Sink for Rows<'_, T> {
    fn events(&mut self, events: &EventColumns<'_>, table: &SeriesTable) -> Result<()> {
        let mut columns: Vec<Vec<T>> = self.keep.iter().map(|_| self.pool.take(events.series.len())).collect();
        let mut slices: Vec<&mut [T]> = columns.iter_mut().map(Vec::as_mut_slice).collect();
        self.annotator.annotate(events, table, &mut slices);
        let columns = columns.into_iter().map(|column| self.pool.lend(column));
        (self.take)(report::events_batch(events, table, self.keep, columns))
    }
}

fn read<T: Number>(
    annotation: &Annotation,
    sources: &[Source],
    take: Take<'_>,
    should_stop: &(dyn Fn() -> bool + Sync),
) -> Result<Coverage> {
    // One worker keeps the order of the log.
    let options = intake::Options { threads: 1, ..annotation.options.clone() };
    let new = || Rows::<T> {
        keep: &annotation.keep,
        annotator: Annotator::new(Arc::clone(&annotation.estimate), &annotation.keep),
        pool: Pool::default(),
        take,
        numbers: PhantomData,
    };
    Ok(intake::read(sources, &options, new, should_stop)?.coverage)
}

/// What the rows of any log look like.
fn schema<T: Number>(annotation: &Annotation) -> SchemaRef {
    let table = SeriesTable::new(annotation.options.dimensions.clone());
    let none = annotation.keep.iter().map(|_| ScalarBuffer::<T>::from(Vec::new()));
    report::events_batch(&EventBatch::default().columns(), &table, &annotation.keep, none).schema()
}

/// Writes the rows of logs to a Parquet file, whole or not at all, in bounded memory; rejected lines are in the account.
///
/// # Errors
/// As [`intake::read`], and what the system says of the file to write.
pub fn into_parquet<T: Number>(
    annotation: &Annotation,
    places: &[String],
    output: &Path,
    should_stop: &(dyn Fn() -> bool + Sync),
) -> Result<Coverage> {
    let sources = intake::discover(places)?;
    let read_from = sources.iter().filter_map(|source| match source {
        Source::Path(path) => Some(path.as_path()),
        Source::Stdin => None,
    });
    files::check_not_read(output, read_from)?;
    let whole = annotation.estimate.by(&GroupBy::new(&[], None)?)?;
    let metadata = report::estimate_json(&annotation.estimate, &whole);
    let file = files::Whole::create(output)?;
    let writer = Mutex::new(report::ParquetWriter::new(file, schema::<T>(annotation), Some(metadata))?);
    let take = |batch: RecordBatch| writer.lock().unwrap_or_else(PoisonError::into_inner).write(&batch);
    let coverage = read::<T>(annotation, &sources, &take, should_stop)?;
    writer.into_inner().unwrap_or_else(PoisonError::into_inner).finish()?.finish()?;
    Ok(coverage)
}

/// The rows of logs, batch by batch, read on a thread of its own a little ahead of who takes them.
pub struct Batches {
    waiting: Option<Receiver<RecordBatch>>,
    stop: Arc<AtomicBool>,
    reader: Option<JoinHandle<Result<Coverage>>>,
    coverage: Option<Coverage>,
}

impl Batches {
    /// Begins to read.
    ///
    /// # Errors
    /// As [`intake::discover`].
    pub fn new<T: Number>(annotation: Arc<Annotation>, places: &[String]) -> Result<Self> {
        let sources = intake::discover(places)?;
        let (sender, receiver) = sync_channel(WAITING);
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = Arc::clone(&stop);
        let reader = thread::spawn(move || {
            let take = |batch| sender.send(batch).map_err(|_| Error::Interrupted);
            read::<T>(&annotation, &sources, &take, &|| stopped.load(Ordering::Relaxed))
        });
        Ok(Self { waiting: Some(receiver), stop, reader: Some(reader), coverage: None })
    }

    /// The account of every line, once the last batch was taken.
    #[must_use]
    pub fn coverage(&self) -> Option<&Coverage> {
        self.coverage.as_ref()
    }

    /// The next batch, or `None` after the last.
    ///
    /// # Errors
    /// As [`intake::read`]; [`Error::Interrupted`] if `should_stop` says so.
    pub fn next(&mut self, should_stop: &(dyn Fn() -> bool + Sync)) -> Result<Option<RecordBatch>> {
        while let Some(waiting) = &self.waiting {
            match waiting.recv_timeout(PATIENCE) {
                Ok(batch) => return Ok(Some(batch)),
                Err(RecvTimeoutError::Timeout) if should_stop() => {
                    // The reader may wait for input that never comes: it is told to stop, and not waited for.
                    self.stop.store(true, Ordering::Relaxed);
                    self.waiting = None;
                    return Err(Error::Interrupted);
                }
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => {
                    if let Some(read) = self.end() {
                        self.coverage = Some(read?);
                    }
                }
            }
        }
        Ok(None)
    }

    /// Waits for a reader that has let its end go.
    fn end(&mut self) -> Option<Result<Coverage>> {
        self.waiting = None;
        let read = self.reader.take()?.join();
        Some(read.unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
    }
}

impl Drop for Batches {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
    }
}
