//! Events: one request each, as columns of plain numbers.
//!
//! An event is what is left of a log line when format, spelling and units are gone. Batches are the unit of work
//! between intake and kernel: small enough for the cache, large enough to forget the cost of a call.

mod coverage;

pub use crate::lanes::Ahead;
pub use coverage::{Coverage, Disposition, InputIdentity, Reason, Reject};

/// Marks an event without a time; it goes to the null bin.
pub const NO_TIME: i64 = i64::MIN;
/// Marks an event without a latency.
pub const NO_LATENCY: i64 = -1;

/// What one request may plausibly be. Anything beyond is rejected with its reason, never clipped.
pub mod limits {
    /// Tokens of one kind in one request.
    pub const TOKENS: u64 = 1_000_000_000;
    /// Latency of one request: thirty days, beyond any batch window.
    pub const LATENCY_US: i64 = 30 * 86_400 * 1_000_000;
    /// 2015-01-01T00:00:00Z.
    pub const FIRST_TIME_US: i64 = 1_420_070_400_000_000;
    /// 2100-01-01T00:00:00Z, exclusive.
    pub const END_TIME_US: i64 = 4_102_444_800_000_000;
}

/// Rows a batch aims for: the columns of one batch stay in the second-level cache.
pub const BATCH_ROWS: usize = 16_384;

/// Owned event columns of equal length.
///
/// Every value is inside [`limits`], and `cached_tokens` never exceeds `input_tokens`: intake rejects the rest.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EventBatch {
    /// Number of the series in the scan's `SeriesTable`.
    pub series: Vec<u32>,
    /// Start of the request, microseconds since 1970 UTC, or [`NO_TIME`].
    pub time_us: Vec<i64>,
    /// Input tokens, cached ones included.
    pub input_tokens: Vec<u32>,
    /// Input tokens read from a prefix cache.
    pub cached_tokens: Vec<u32>,
    /// Generated tokens, reasoning included.
    pub output_tokens: Vec<u32>,
    /// Wall time from start to last token in microseconds, or [`NO_LATENCY`].
    pub latency_us: Vec<i64>,
}

/// One event, for the places that handle them singly.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Event {
    /// See [`EventBatch::series`].
    pub series: u32,
    /// See [`EventBatch::time_us`].
    pub time_us: i64,
    /// See [`EventBatch::input_tokens`].
    pub input_tokens: u32,
    /// See [`EventBatch::cached_tokens`].
    pub cached_tokens: u32,
    /// See [`EventBatch::output_tokens`].
    pub output_tokens: u32,
    /// See [`EventBatch::latency_us`].
    pub latency_us: i64,
}

impl EventBatch {
    /// Adds one event.
    pub fn push(&mut self, event: Event) {
        self.series.push(event.series);
        self.time_us.push(event.time_us);
        self.input_tokens.push(event.input_tokens);
        self.cached_tokens.push(event.cached_tokens);
        self.output_tokens.push(event.output_tokens);
        self.latency_us.push(event.latency_us);
    }

    /// Number of events.
    #[must_use]
    pub fn len(&self) -> usize {
        self.series.len()
    }

    /// Whether there is no event.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.series.is_empty()
    }

    /// Forgets the events and keeps the memory.
    pub fn clear(&mut self) {
        self.series.clear();
        self.time_us.clear();
        self.input_tokens.clear();
        self.cached_tokens.clear();
        self.output_tokens.clear();
        self.latency_us.clear();
    }

    /// The columns, borrowed.
    #[must_use]
    pub fn columns(&self) -> EventColumns<'_> {
        EventColumns {
            series: &self.series,
            time: &self.time_us,
            ticks: Ticks::Micros,
            input_tokens: &self.input_tokens,
            cached_tokens: Some(&self.cached_tokens),
            output_tokens: &self.output_tokens,
            latency_us: Some(&self.latency_us),
            span: None,
            largest: None,
            ahead: Ahead::default(),
        }
    }
}

/// Borrowed event columns of equal length; a column that no event has is absent.
#[derive(Clone, Copy, Debug)]
pub struct EventColumns<'a> {
    /// See [`EventBatch::series`].
    pub series: &'a [u32],
    /// Start of each request since 1970 UTC, counted in [`EventColumns::ticks`], or [`NO_TIME`].
    pub time: &'a [i64],
    /// What times are counted in.
    pub ticks: Ticks,
    /// See [`EventBatch::input_tokens`].
    pub input_tokens: &'a [u32],
    /// See [`EventBatch::cached_tokens`].
    pub cached_tokens: Option<&'a [u32]>,
    /// See [`EventBatch::output_tokens`].
    pub output_tokens: &'a [u32],
    /// See [`EventBatch::latency_us`].
    pub latency_us: Option<&'a [i64]>,
    /// Earliest and latest time of the events, where they were looked for and every event has one.
    pub span: Option<(i64, i64)>,
    /// The largest input and the largest output, where they were looked for.
    pub largest: Option<[u32; 2]>,
    /// Memory of the events that come after these.
    pub ahead: Ahead<'a>,
}

impl EventColumns<'_> {
    /// Start of a request, microseconds since 1970 UTC, or [`NO_TIME`].
    #[must_use]
    pub fn time_us(&self, at: usize) -> i64 {
        self.ticks.micros(self.time[at])
    }
}

/// What the times of a column are counted in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ticks {
    /// Seconds.
    Seconds,
    /// Milliseconds.
    Millis,
    /// Microseconds.
    Micros,
    /// Nanoseconds.
    Nanos,
}

impl Ticks {
    /// Ticks of a second.
    #[must_use]
    pub const fn per_second(self) -> i64 {
        match self {
            Self::Seconds => 1,
            Self::Millis => 1_000,
            Self::Micros => 1_000_000,
            Self::Nanos => 1_000_000_000,
        }
    }

    /// Microseconds of a time inside [`limits`], cut off towards the past; [`NO_TIME`] stays.
    #[must_use]
    pub const fn micros(self, time: i64) -> i64 {
        match self {
            _ if time == NO_TIME => NO_TIME,
            Self::Seconds => time * 1_000_000,
            Self::Millis => time * 1_000,
            Self::Micros => time,
            Self::Nanos => time.div_euclid(1_000),
        }
    }
}
