//! Coverage: what became of every line, with a reason and a place.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Rejects of one reason that are kept with their place and value.
pub const KEPT_PER_REASON: usize = 10;

macro_rules! reasons {
    ($($(#[$doc:meta])* $name:ident = $text:literal: $way_out:literal),+ $(,)?) => {
        /// Why a line was not counted.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(rename_all = "snake_case")]
        pub enum Reason { $($(#[$doc])* $name),+ }

        impl Reason {
            /// Every reason there is.
            pub const ALL: &'static [Self] = &[$(Self::$name),+];

            /// The stable name.
            #[must_use]
            pub fn name(self) -> &'static str {
                match self { $(Self::$name => $text),+ }
            }

            /// What a reader can do about it.
            #[must_use]
            pub fn way_out(self) -> &'static str {
                match self { $(Self::$name => $way_out),+ }
            }
        }
    };
}

reasons! {
    /// Not one JSON object, or not JSON at all.
    Malformed = "malformed": "one JSON object a line is read; a JSON array is not",
    /// Bytes that are not UTF-8.
    InvalidUtf8 = "invalid_utf8": "logs are read as UTF-8",
    /// Nested deeper than 128 levels.
    TooDeep = "too_deep": "at most 128 levels are read",
    /// Longer than the line limit.
    LineTooLong = "line_too_long": "raise the limit with --max-line-bytes",
    /// More or fewer fields than the header.
    RaggedRow = "ragged_row": "quote fields that hold the separator",
    /// A key that counts stands twice.
    DuplicateKey = "duplicate_key": "which of the two counts is not guessed",
    /// A required field is absent or null.
    MissingField = "missing_field": "map another column with --map, or declare that the log has none with --map FIELD=",
    /// A time that is none.
    BadTimestamp = "bad_timestamp": "RFC 3339, HTTP dates and epoch seconds to nanoseconds are read",
    /// A time without an offset.
    NaiveTimestamp = "naive_timestamp": "declare the zone with --input-timezone",
    /// Outside 2015 to 2100.
    TimestampOutOfRange = "timestamp_out_of_range": "times from 2015 to 2100 are read",
    /// Text, a flag or a list where a count belongs.
    NotACount = "not_a_count": "counts are numbers; text is not converted",
    /// A count below zero.
    NegativeCount = "negative_count": "counts are zero or more",
    /// A count that is no whole number.
    FractionalCount = "fractional_count": "counts are whole; 100.0 is, 100.5 is not",
    /// A count above 10⁹.
    ImplausibleCount = "implausible_count": "more than 10^9 tokens in one request is taken for an error",
    /// More cached than input tokens.
    CachedExceedsInput = "cached_exceeds_input": "input includes cached tokens",
    /// A latency that is negative, not a number, or beyond thirty days.
    BadLatency = "bad_latency": "latency is a time from 0 to 30 days",
    /// A label that is not text.
    BadLabel = "bad_label": "labels are text",
}

/// One line that was not counted.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Reject {
    /// Name of the input.
    pub file: String,
    /// Line, from 1; for Parquet and columns the row, from 1.
    pub line: u64,
    /// Why.
    pub reason: Reason,
    /// The field at fault, where one is.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub field: Option<String>,
    /// The value at fault: at most 200 characters, control characters escaped.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub value: Option<String>,
}

/// What a line was taken for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Disposition {
    /// An event.
    Counted,
    /// No event, with the reason.
    Rejected(Reason),
}

/// Where events came from, so that nothing is added twice.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct InputIdentity {
    /// The name as given.
    pub name: String,
    /// Size as stored, in bytes.
    pub bytes: u64,
    /// xxh3-128 of the stored bytes (of size, head and tail for Parquet, which is not read whole); empty for memory.
    pub digest: String,
    /// The format it was read as.
    pub format: String,
}

impl InputIdentity {
    /// Whether both name the same content. Inputs from memory are never known to be the same.
    #[must_use]
    pub fn same_content(&self, other: &Self) -> bool {
        !self.digest.is_empty() && self.digest == other.digest && self.bytes == other.bytes
    }
}

/// The account of a scan: `events_in = counted + rejected + duplicates + no_usage + cached_locally`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Coverage {
    /// Lines or rows read, blank ones apart.
    pub lines_in: u64,
    /// Events those lines stand for.
    pub events_in: u64,
    /// Events in the ledger.
    pub counted: u64,
    /// Events refused, see `by_reason`.
    pub rejected: u64,
    /// Events another line already counts.
    pub duplicates: u64,
    /// Events of unknown size.
    pub no_usage: u64,
    /// Lines that stand for many requests.
    pub aggregates: u64,
    /// Events answered by a gateway cache: no model ran.
    pub cached_locally: u64,
    /// Rows that were not read, as the index of their file says that they lie outside the period asked for.
    #[serde(default)]
    pub outside_period: u64,
    /// Rejected events by reason.
    pub by_reason: BTreeMap<Reason, u64>,
    /// The first rejects of each reason, by place.
    pub rejects: Vec<Reject>,
    /// Inputs that ended early or were damaged, with what is known of it.
    #[serde(default)]
    pub incomplete: Vec<String>,
}

impl Coverage {
    /// Books one counted event.
    pub fn count(&mut self) {
        self.lines_in += 1;
        self.events_in += 1;
        self.counted += 1;
    }

    /// Books many counted events at once.
    pub fn count_many(&mut self, events: u64) {
        self.lines_in += events;
        self.events_in += events;
        self.counted += events;
    }

    /// Books one rejected event and keeps it if it is among the first of its reason.
    pub fn reject(&mut self, reject: Reject) {
        self.lines_in += 1;
        self.events_in += 1;
        self.rejected += 1;
        *self.by_reason.entry(reject.reason).or_default() += 1;
        self.keep(reject);
    }

    fn keep(&mut self, reject: Reject) {
        let mine = self.rejects.iter().filter(|r| r.reason == reject.reason).count();
        if mine < KEPT_PER_REASON {
            self.rejects.push(reject);
            return;
        }
        let last = self.rejects.iter_mut().filter(|r| r.reason == reject.reason).max();
        if let Some(last) = last.filter(|last| reject < **last) {
            *last = reject;
        }
    }

    /// Adds the account of another part of the same or another input; the order does not matter.
    pub fn merge(&mut self, other: &Self) {
        self.lines_in += other.lines_in;
        self.events_in += other.events_in;
        self.counted += other.counted;
        self.rejected += other.rejected;
        self.duplicates += other.duplicates;
        self.no_usage += other.no_usage;
        self.aggregates += other.aggregates;
        self.cached_locally += other.cached_locally;
        self.outside_period += other.outside_period;
        for (reason, n) in &other.by_reason {
            *self.by_reason.entry(*reason).or_default() += n;
        }
        for reject in &other.rejects {
            self.keep(reject.clone());
        }
        self.rejects.sort();
        self.incomplete.extend_from_slice(&other.incomplete);
        self.incomplete.sort();
    }

    /// Whether every event is accounted for.
    #[must_use]
    pub fn closes(&self) -> bool {
        self.events_in == self.counted + self.rejected + self.duplicates + self.no_usage + self.cached_locally
    }

    /// Share of events that were rejected, 0 where there were none.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "a share for people")]
    pub fn rejected_share(&self) -> f64 {
        if self.events_in == 0 { 0.0 } else { self.rejected as f64 / self.events_in as f64 }
    }
}
