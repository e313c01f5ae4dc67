//! The corridor from logs to a ledger: intake hands events to one accumulator per worker, and the ledgers add up.

use crate::event::{Coverage, EventColumns, InputIdentity};
use crate::intake::{self, CompiledMap, Period, Source};
use crate::kernel::{Accumulator, Kept};
use crate::keys::SeriesTable;
use crate::ledger::{self, Ledger};
use crate::{Error, Result};
use arrow_array::RecordBatch;
use arrow_schema::SchemaRef;
use std::thread;

/// How logs become a ledger.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// How logs are read.
    pub intake: intake::Options,
    /// What the ledger holds.
    pub kept: Kept,
    /// Whether ledgers that hold the same input may be added.
    pub allow_overlap: bool,
}

struct Worker(Accumulator);

impl intake::Sink for Worker {
    fn events(&mut self, events: &EventColumns<'_>, table: &SeriesTable) -> Result<()> {
        self.0.add(events, table)
    }
}

/// The ledger of logs and ledger files, named by paths, globs, folders, or `-` for standard input.
///
/// ```no_run
/// use wattledger::scan::{Options, scan};
/// let ledger = scan(&["logs/*.jsonl.zst".into()], &Options::default(), &|| false)?;
/// println!("{} requests", ledger.totals()?[0]);
/// # Ok::<(), wattledger::Error>(())
/// ```
///
/// # Errors
/// As [`intake::read`], [`ledger::read`] and [`ledger::merge`]; [`Error::Interrupted`] if `should_stop` says so.
pub fn scan(places: &[String], options: &Options, should_stop: &(dyn Fn() -> bool + Sync)) -> Result<Ledger> {
    let empty = || {
        let kept = &options.kept;
        let ledger = Ledger::empty(kept.bin_seconds, options.intake.dimensions.clone(), &kept.windows)?;
        Result::Ok(if kept.occupancy { ledger } else { ledger.without_occupancy() })
    };
    let Period { since_s, until_s } = options.intake.period;
    bounded(empty()?, options)?;
    let (mut ledgers, mut logs) = (Vec::new(), Vec::new());
    for source in intake::discover(places)? {
        match ledger_of(&source)? {
            Some(ledger) => ledgers.push(ledger),
            None => logs.push(source),
        }
    }
    if !logs.is_empty() || ledgers.is_empty() {
        // A period that cuts through bins is refused before anything is read.
        empty()?.between(since_s, until_s)?;
        let new = || Worker(Accumulator::new(&options.kept));
        let outcome = intake::read(&logs, &options.intake, new, should_stop)?;
        let workers = outcome.workers.into_iter().filter(|(table, _)| !table.is_empty());
        let parts = into_ledgers(workers.map(|(table, worker)| (table, worker.0)).collect())?;
        let mut ledger = if parts.is_empty() { empty()? } else { ledger::merge(parts, false)? };
        // Ledgers that are read go by the bounds that they were made with.
        ledger = bounded(ledger, options)?;
        ledger.origin.coverage = outcome.coverage;
        ledger.origin.inputs = outcome.inputs;
        ledger.origin.inputs.sort();
        if !options.allow_overlap {
            check_twice(&ledger.origin.inputs)?;
        }
        ledgers.push(ledger);
    }
    ledger::merge(ledgers, options.allow_overlap)?.between(since_s, until_s)
}

/// Refuses two files of the same content: a copied log would count twice.
fn check_twice(inputs: &[InputIdentity]) -> Result<()> {
    for (i, input) in inputs.iter().enumerate() {
        if inputs[..i].iter().any(|other| input.same_content(other)) {
            return Err(Error::LedgerOverlap { input: input.name.clone() });
        }
    }
    Ok(())
}

/// The ledger in a file, if it is one.
fn ledger_of(source: &Source) -> Result<Option<Ledger>> {
    match source {
        Source::Path(path) if path.extension().is_some_and(|e| e == "parquet") => ledger::read(path),
        _ => Ok(None),
    }
}

/// The ledger of record batches of one schema, from whichever library made them.
///
/// # Errors
/// As [`intake::batch_to_events`].
pub fn scan_batches(
    schema: &SchemaRef,
    batches: impl IntoIterator<Item = Result<RecordBatch>>,
    options: &Options,
) -> Result<Ledger> {
    let Period { since_s, until_s } = options.intake.period;
    let empty = Ledger::empty(options.kept.bin_seconds, options.intake.dimensions.clone(), &options.kept.windows)?;
    bounded(empty, options)?.between(since_s, until_s)?;
    if let Some(name) = options.intake.dimensions.iter().find(|name| schema.column_with_name(name).is_none()) {
        return Err(Error::MissingColumns {
            place: MEMORY.into(),
            missing: vec![name.clone()],
            found: schema.fields().iter().map(|field| field.name().clone()).collect(),
        });
    }
    let map = CompiledMap::for_schema(schema, &options.intake)?;
    let threads = match options.intake.threads {
        0 => thread::available_parallelism().map_or(1, usize::from),
        threads => threads,
    };
    let new = || Part {
        table: SeriesTable::bounded(options.intake.dimensions.clone(), options.intake.max_groups),
        accumulator: Accumulator::new(&options.kept),
        coverage: Coverage::default(),
    };
    let mut parts: Vec<Part> = vec![new()];
    let mut rows = 0;
    for batch in batches {
        let batch = batch?;
        let share = batch.num_rows().div_ceil(threads).max(LEAST_ROWS);
        let shares = batch.num_rows().div_ceil(share).max(1);
        if parts.len() < shares {
            parts.resize_with(shares, new);
        }
        let add = |i: usize, part: &mut Part| {
            let start = i * share;
            let slice = batch.slice(start, share.min(batch.num_rows() - start));
            part.add(&slice, &map, rows + start as u64)
        };
        if shares == 1 {
            add(0, &mut parts[0])?;
        } else {
            thread::scope(|scope| {
                let add = &add;
                let working: Vec<_> =
                    parts[..shares].iter_mut().enumerate().map(|(i, part)| scope.spawn(move || add(i, part))).collect();
                working
                    .into_iter()
                    .try_for_each(|part| part.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
            })?;
        }
        rows += batch.num_rows() as u64;
    }
    let mut coverage = Coverage::default();
    let mut gathered = Vec::new();
    for part in parts {
        coverage.merge(&part.coverage);
        gathered.push((part.table, part.accumulator));
    }
    let mut ledger = ledger::merge(into_ledgers(gathered)?, false)?;
    ledger.origin.coverage = coverage;
    ledger.origin.inputs =
        vec![InputIdentity { name: MEMORY.into(), bytes: 0, digest: String::new(), format: map.format().into() }];
    bounded(ledger, options)?.between(since_s, until_s)
}

/// The ledgers of what workers gathered, each on a thread of its own.
fn into_ledgers(gathered: Vec<(SeriesTable, Accumulator)>) -> Result<Vec<Ledger>> {
    let into = |(table, accumulator): (SeriesTable, Accumulator)| accumulator.into_ledger(&table);
    if gathered.len() < 2 {
        return gathered.into_iter().map(into).collect();
    }
    thread::scope(|scope| {
        let working: Vec<_> = gathered.into_iter().map(|one| scope.spawn(move || into(one))).collect();
        working.into_iter().map(|one| one.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))).collect()
    })
}

/// Which values of dimensions stay is decided over the whole.
fn bounded(ledger: Ledger, options: &Options) -> Result<Ledger> {
    match options.intake.max_groups {
        Some(most) => ledger.bounded(most),
        None => Ok(ledger),
    }
}

/// Rows that are worth a thread of their own.
const LEAST_ROWS: usize = 1 << 18;

/// What one thread gathers of columns in memory.
struct Part {
    table: SeriesTable,
    accumulator: Accumulator,
    coverage: Coverage,
}

impl Part {
    fn add(&mut self, batch: &RecordBatch, map: &CompiledMap, rows_before: u64) -> Result<()> {
        let Self { table, accumulator, coverage } = self;
        let add = &mut |_, events: &EventColumns<'_>, table: &SeriesTable| accumulator.add(events, table);
        intake::batch_to_columns(batch, map, rows_before, table, coverage, MEMORY, add)
    }
}

/// Name of inputs that are no files.
const MEMORY: &str = "memory";

/// Whether the share of rejected events is beyond what is borne.
///
/// # Errors
/// [`Error::Argument`] if the bound is no share.
pub fn too_many_rejects(coverage: &Coverage, max_bad: f64) -> Result<bool> {
    if !(0.0..=1.0).contains(&max_bad) {
        return Err(Error::Argument {
            what: "--max-bad".into(),
            value: max_bad.to_string(),
            expected: "a share from 0 to 1, such as 0.001".into(),
        });
    }
    Ok(coverage.rejected_share() > max_bad)
}
