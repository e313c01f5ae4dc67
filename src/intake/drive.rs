//! The drive: sources through readers into the sinks of the workers.

use super::compiled::{CompiledMap, Mapper};
use super::container::{self, Container, Opened};
use super::csv::{self, Ended};
use super::jsonl::{self, LineState};
use super::kind::{self, Layout};
use super::lines::{Block, Blocks, Buffer};
use super::pages::Group;
use super::row::{Book, Interner};
use super::share::share;
use super::{Options, Outcome, Sink, Source, fast, ipc, parquet};
use crate::error::{Error, Result};
use crate::event::{BATCH_ROWS, Coverage, EventBatch, EventColumns, InputIdentity};
use crate::keys::SeriesTable;
use arrow_array::RecordBatch;
use std::thread;

/// What every reader of one call shares.
pub(super) struct Run<'a> {
    pub options: &'a Options,
    pub mapper: Mapper,
    pub should_stop: &'a (dyn Fn() -> bool + Sync),
}

/// One worker: a sink with all that is its own.
pub(super) struct Worker<S> {
    pub table: SeriesTable,
    pub out: EventBatch,
    pub coverage: Coverage,
    pub lines: LineState,
    pub interner: Interner,
    sink: S,
}

impl<S: Sink> Worker<S> {
    pub fn book<'a>(&'a mut self, place: &'a str) -> Book<'a> {
        Book { table: &mut self.table, out: &mut self.out, coverage: &mut self.coverage, place }
    }

    /// Hands a full batch to the sink.
    pub fn flush_full(&mut self) -> Result<()> {
        if self.out.len() >= BATCH_ROWS { self.flush() } else { Ok(()) }
    }

    fn flush(&mut self) -> Result<()> {
        if !self.out.is_empty() {
            self.sink.events(&self.out.columns(), &self.table)?;
            self.out.clear();
        }
        Ok(())
    }

    /// Hands on the events of a row group that are all plainly good; says how many there were.
    pub fn pages(&mut self, group: &Group<'_>, should_stop: &dyn Fn() -> bool) -> Result<usize> {
        self.flush()?;
        let Self { table, sink, coverage, .. } = self;
        let rows = super::pages::read(group, table, should_stop, &mut |events, table| sink.events(events, table))?;
        coverage.count_many(rows as u64);
        Ok(rows)
    }

    /// Reads every row of a record batch.
    pub fn batch(&mut self, batch: &RecordBatch, map: &CompiledMap, row_base: u64, name: &str) -> Result<()> {
        self.flush()?;
        let Self { table, sink, coverage, .. } = self;
        let mut take = |_, events: &EventColumns<'_>, table: &SeriesTable| sink.events(events, table);
        fast::batch_to_columns(batch, map, row_base, table, coverage, name, &mut take)
    }

    fn lines(&mut self, block: &Block, map: &CompiledMap, name: &str, limit: usize) -> Result<()> {
        let Self { table, out, coverage, lines, interner, .. } = self;
        let mut book = Book { table, out, coverage, place: name };
        jsonl::block(&block.bytes, block.first_line, limit, map, (lines, interner), &mut book);
        self.flush_full()
    }
}

/// Reads sources into sinks, one for each worker.
///
/// `should_stop` is asked every block, from any thread; once it says so the call ends with [`Error::Interrupted`].
///
/// ```
/// use wattledger::event::EventColumns;
/// use wattledger::intake::{Options, Sink, discover, read};
/// use wattledger::keys::SeriesTable;
///
/// struct Tokens(u64);
/// impl Sink for Tokens {
///     fn events(&mut self, events: &EventColumns<'_>, _: &SeriesTable) -> wattledger::Result<()> {
///         self.0 += events.output_tokens.iter().map(|tokens| u64::from(*tokens)).sum::<u64>();
///         Ok(())
///     }
/// }
///
/// let folder = tempfile::tempdir().unwrap();
/// let log = folder.path().join("requests.csv");
/// std::fs::write(&log, "time,model,prompt_tokens,completion_tokens\n2026-01-01T00:00:00Z,m,100,20\n").unwrap();
/// let outcome = read(&discover(&[log])?, &Options::default(), || Tokens(0), &|| false)?;
/// assert_eq!(outcome.workers.iter().map(|(_, tokens)| tokens.0).sum::<u64>(), 20);
/// assert_eq!(outcome.coverage.counted, 1);
/// # Ok::<(), wattledger::Error>(())
/// ```
///
/// # Errors
/// What is wrong with the options or with a file as a whole, [`Error::Interrupted`], and what a sink returns.
pub fn read<S: Sink>(
    sources: &[Source],
    options: &Options,
    new_sink: impl Fn() -> S + Sync,
    should_stop: &(dyn Fn() -> bool + Sync),
) -> Result<Outcome<S>> {
    let run = Run { options, mapper: Mapper::new(options)?, should_stop };
    let threads = match options.threads {
        0 => thread::available_parallelism().map_or(1, usize::from),
        threads => threads,
    };
    let mut workers: Vec<Worker<S>> = (0..threads)
        .map(|_| Worker {
            table: SeriesTable::bounded(options.dimensions.clone(), options.max_groups),
            out: EventBatch::default(),
            coverage: Coverage::default(),
            lines: LineState::default(),
            interner: Interner::default(),
            sink: new_sink(),
        })
        .collect();
    let mut inputs = Vec::with_capacity(sources.len());
    let mut incomplete = Vec::new();
    for source in sources {
        if should_stop() {
            return Err(Error::Interrupted);
        }
        inputs.push(one(&run, source, &mut workers, &mut incomplete)?);
    }
    let mut coverage = Coverage { incomplete, ..Coverage::default() };
    for worker in &mut workers {
        worker.flush()?;
        coverage.merge(&worker.coverage);
    }
    let workers = workers.into_iter().map(|worker| (worker.table, worker.sink)).collect();
    Ok(Outcome { workers, coverage, inputs })
}

fn one<S: Sink>(
    run: &Run,
    source: &Source,
    workers: &mut [Worker<S>],
    incomplete: &mut Vec<String>,
) -> Result<InputIdentity> {
    let name = source.name();
    let path = source.path();
    let opened = match source {
        Source::Path(path) => container::open_path(path)?,
        Source::Stdin => container::open(&path, Box::new(std::io::stdin()), None)?,
    };
    let before = rows(workers);
    let (identity, damage) = match opened {
        Opened::Parquet(file) => parquet::read(run, &file, &path, &name, workers)?,
        Opened::Arrow(file) => ipc::file(run, file, &path, &name, &mut workers[0])?,
        Opened::Text(container) => {
            let ended = match kind::layout(&path, container.head()) {
                Layout::Csv => csv::read(run, *container, &name, &mut workers[0])?,
                Layout::Jsonl => json_lines(run, *container, &name, workers)?,
                Layout::Arrow => ipc::stream(run, *container, &name, &mut workers[0])?,
            };
            let Ended { container, format, damage, note } = ended;
            let (identity, trailing) = container.finish(name.clone(), format);
            incomplete.extend(note.into_iter().chain(trailing));
            (identity, damage)
        }
    };
    match damage {
        Some(error) if rows(workers) == before => Err(error),
        Some(error) => {
            incomplete.push(format!("{name}: {error}"));
            Ok(identity)
        }
        None => Ok(identity),
    }
}

fn rows<S>(workers: &[Worker<S>]) -> u64 {
    workers.iter().map(|worker| worker.coverage.lines_in).sum()
}

/// The map for a JSONL file: by the keys of its first object, where the first line shows one.
fn map_for(run: &Run, head: &[u8]) -> Result<CompiledMap> {
    let first = head.split(|byte| *byte == b'\n').find(|line| !line.iter().all(u8::is_ascii_whitespace));
    let object: Option<serde_json::Value> = first.and_then(|line| serde_json::from_slice(line).ok());
    run.mapper.choose(&|path| {
        let Some(object) = &object else { return false };
        let nested = || path.split('.').try_fold(object, |value, key| value.get(key)).is_some();
        object.get(path).is_some() || nested()
    })
}

fn json_lines<S: Sink>(run: &Run, container: Container, name: &str, workers: &mut [Worker<S>]) -> Result<Ended> {
    let map = map_for(run, container.head())?;
    let limit = run.options.max_line_bytes;
    for worker in &mut *workers {
        worker.lines.begin();
    }
    // A small file is not worth waking anyone.
    let alone = workers.len() == 1 || (container.is_whole() && run.options.block_bytes >= container.head().len());
    let mut blocks = Blocks::new(container, run.options.block_bytes, limit);
    let workers = if alone { &mut workers[..1] } else { workers };
    let mut damage = None;
    let cut = |mut memory: Buffer| loop {
        match blocks.next(std::mem::take(&mut memory)) {
            Ok(block) => return block,
            // One more block holds the lines before the damage.
            Err(error) => damage = Some(error),
        }
    };
    share(workers, Box::new(cut), run.should_stop, |worker, block| worker.lines(block, &map, name, limit))?;
    let damage = damage.map(|error| blocks.source().refusal(&error));
    Ok(Ended { container: blocks.into_source(), format: map.format, damage, note: None })
}
