//! Intake: from log bytes to events, with an account of every line.
//!
//! Intake finds files, unpacks them, tells formats apart and reads rows; it knows no catalog and no formula, and it
//! never guesses what a row does not say. What cannot be read is rejected with its reason and place, see
//! [`Coverage`].
//!
//! **Whole or not.** A file that cannot be read at all (wrong kind, empty, footer impossible, columns missing, damaged
//! before its first row) is an error of the whole call: nothing of the other files is handed back. A file that breaks
//! after some of its rows were counted cannot be taken back from the sinks: those rows stay counted,
//! [`Coverage::incomplete`] names the file and what is wrong, and the caller must not present the result as a whole
//! (exit code 4). The line into which the damage fell is not a row.
//!
//! **Absent.** A key that is missing or `null`, a null of Arrow and an empty field of CSV are the same: absent. A
//! required field that is absent rejects the row, cached tokens are 0, a latency is unknown, a label or a dimension has
//! no value. Where several columns of a map hold a value, the first named one counts; in Parquet, Arrow and CSV a
//! dotted name is one column, in JSON it is also a path.
//!
//! **Times.** Where the times of a format mark the end of a request, a known latency is taken off. Binary fractions of
//! epoch seconds are read to the nearest microsecond; written fractions are cut off towards the past.
//!
//! **Order-free.** Each worker has its own series table and sink; which rows a worker sees depends on chance, what all
//! of them see together does not. Neither the account nor the events depend on threads or block sizes.
//!
//! **Bounded.** Files are streamed. Memory is bounded by threads × (block + line limit), by the batches, and by the
//! distinct labels.

mod clean;
mod columns;
mod compiled;
mod container;
mod csv;
mod discover;
mod drive;
mod fast;
mod field;
mod glance;
mod gzip;
mod hybrid;
mod ipc;
mod jsonl;
mod kind;
mod lines;
mod map;
mod pages;
mod parquet;
mod paths;
mod period;
mod plain;
mod ranges;
mod records;
mod row;
mod share;
mod skip;
mod template;
mod time;
mod typed;
mod value;
mod walk;
mod wide;

pub use columns::batch_to_events;
pub use compiled::CompiledMap;
pub use discover::{Source, discover};
pub use drive::read;
pub use fast::batch_to_columns;
pub use field::Field;
pub use map::{ColumnMap, TimestampIs, formats};
pub use period::Period;
pub use time::Clock;

use crate::error::Result;
use crate::event::{Coverage, EventColumns, InputIdentity};
use crate::keys::SeriesTable;

/// Longest line by default.
pub const MAX_LINE_BYTES: usize = 8 << 20;

/// What takes events. Every worker has one.
pub trait Sink: Send {
    /// Takes some events, at most about [`crate::event::BATCH_ROWS`]; their series are numbers in `table`.
    ///
    /// # Errors
    /// Whatever ends the scan.
    fn events(&mut self, events: &EventColumns<'_>, table: &SeriesTable) -> Result<()>;
}

/// How logs are read.
#[derive(Clone, Debug)]
pub struct Options {
    /// Name of a format; `None` or `auto` tells formats apart by their columns.
    pub format: Option<String>,
    /// Overrides: a field, and the column that holds it; an empty column says that the log has none.
    pub map: Vec<(String, String)>,
    /// A column map in TOML, see [`ColumnMap`].
    pub map_toml: Option<String>,
    /// User dimensions: columns or dotted paths, read as text.
    pub dimensions: Vec<String>,
    /// About so many values of each dimension are told apart, the others are [`crate::keys::OTHER`]; `None` is all.
    pub max_groups: Option<usize>,
    /// The zone of times without an offset: `UTC`, `+01:00` or an IANA name. Goes before the format's own.
    pub input_timezone: Option<String>,
    /// The period that is wanted: parts of files that an index tells to lie outside are not read; other events outside
    /// are handed on all the same.
    pub period: Period,
    /// Longest line or record; a longer one is rejected without being held.
    pub max_line_bytes: usize,
    /// Workers; 0 is one for each core.
    pub threads: usize,
    /// Bytes of a block of lines. No result depends on it.
    #[doc(hidden)]
    pub block_bytes: usize,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            format: None,
            map: Vec::new(),
            map_toml: None,
            dimensions: Vec::new(),
            max_groups: None,
            input_timezone: None,
            period: Period::default(),
            max_line_bytes: MAX_LINE_BYTES,
            threads: 0,
            block_bytes: 1 << 18,
        }
    }
}

/// What a scan leaves behind.
#[derive(Debug)]
pub struct Outcome<S> {
    /// The workers that took part: each sink, with the table its series are numbered in.
    pub workers: Vec<(SeriesTable, S)>,
    /// The account of every line.
    pub coverage: Coverage,
    /// What was read, in the order of the sources.
    pub inputs: Vec<InputIdentity>,
}
