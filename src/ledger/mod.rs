//! The ledger: exact sums of features by key; it adds, and nothing in it was estimated.
//!
//! Two families of rows share one table. **Moments** stand per series (route labels and user dimensions) and UTC bin;
//! **occupancy** stands per route and five-minute bin and belongs to the whole deployment, never to a tenant.
//! Merging is `GROUP BY keys, SUM`, so any split, order, thread count or engine gives the same rows.

mod bound;
mod describe;
mod file;
mod join;
mod merge;
mod rows;

pub use bound::{Bound, Bounded};
pub use describe::Description;
pub use file::{read, read_bytes, to_batch, write};
pub(crate) use merge::add_into as add;
pub use merge::merge;
pub(crate) use rows::Bin;
pub use rows::{Row, Rows};

use crate::event::{Coverage, InputIdentity};
use crate::keys::Series;
use crate::{Error, Result};

/// Bin of events without a time; evaluated with annual factors and flagged.
pub const NULL_BIN: i64 = i64::MIN;
/// Width of an occupancy bin in seconds: hourly bins hide bursts.
pub const OCCUPANCY_BIN_S: u32 = 300;
/// Widths a moments bin may have, in seconds.
pub const MOMENT_BINS_S: [u32; 3] = [300, 900, 3600];
/// Largest sum a cell holds: what DECIMAL(38,0) holds.
pub const CELL_LIMIT: u128 = 10_u128.pow(38) - 1;

/// The eight sums of a moments row, in order; `input_tokens` includes cached ones.
pub const MOMENTS: [&str; 8] = [
    "requests",
    "input_tokens",
    "cached_tokens",
    "output_tokens",
    "input_tokens_squared",
    "cached_tokens_squared",
    "input_tokens_x_output_tokens",
    "output_tokens_squared",
];

/// The four sums of an occupancy row, in order.
pub const OCCUPANCY: [&str; 4] = ["latency_overlap_us", "requests_with_latency", "requests", "output_tokens"];

/// Places of the sums in a moments row.
pub mod moment {
    /// Events.
    pub const REQUESTS: usize = 0;
    /// Σ input, cached included.
    pub const INPUT: usize = 1;
    /// Σ cached.
    pub const CACHED: usize = 2;
    /// Σ output.
    pub const OUTPUT: usize = 3;
    /// Σ input².
    pub const INPUT2: usize = 4;
    /// Σ cached².
    pub const CACHED2: usize = 5;
    /// Σ input·output.
    pub const INPUT_OUTPUT: usize = 6;
    /// Σ output².
    pub const OUTPUT2: usize = 7;
}

/// Twice the attention areas of one sliding window, per series and bin; see `physics::attention`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WindowFamily {
    /// Attention window in tokens.
    pub window: u32,
    /// `[2·Σ(A_W(in) − A_W(cached)), 2·Σ(A_W(in+out) − A_W(in))]`.
    pub rows: Rows<2>,
}

/// What a ledger was made from and by.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Origin {
    /// The account of every line.
    pub coverage: Coverage,
    /// The inputs, so that none is added twice.
    pub inputs: Vec<InputIdentity>,
}

/// Exact sums by key; see the module.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ledger {
    bin_seconds: u32,
    dimensions: Vec<String>,
    series: Vec<Series>,
    moments: Rows<8>,
    windows: Vec<WindowFamily>,
    routes: Vec<Series>,
    occupancy: Rows<4>,
    keeps_occupancy: bool,
    /// The bound on the values of dimensions.
    bound: Option<Bound>,
    /// What it was made from.
    pub origin: Origin,
}

impl Ledger {
    /// An empty ledger.
    ///
    /// # Errors
    /// [`Error::Argument`] for a bin width that is not 300, 900 or 3600 s, or a dimension whose name is taken.
    pub fn empty(bin_seconds: u32, dimensions: Vec<String>, windows: &[u32]) -> Result<Self> {
        if !MOMENT_BINS_S.contains(&bin_seconds) {
            return Err(Error::Argument {
                what: "bin".into(),
                value: bin_seconds.to_string(),
                expected: "300, 900 or 3600 seconds".into(),
            });
        }
        for (i, name) in dimensions.iter().enumerate() {
            if file::is_reserved(name) || dimensions[..i].contains(name) {
                return Err(Error::Argument {
                    what: "dimension".into(),
                    value: name.clone(),
                    expected: "a name that no ledger column has yet".into(),
                });
            }
        }
        let mut windows = windows.to_vec();
        windows.sort_unstable();
        windows.dedup();
        Ok(Self {
            bin_seconds,
            dimensions,
            series: Vec::new(),
            moments: Rows::default(),
            windows: windows.into_iter().map(|window| WindowFamily { window, rows: Rows::default() }).collect(),
            routes: Vec::new(),
            occupancy: Rows::default(),
            keeps_occupancy: true,
            bound: None,
            origin: Origin::default(),
        })
    }

    /// Width of the moments bins in seconds.
    #[must_use]
    pub fn bin_seconds(&self) -> u32 {
        self.bin_seconds
    }

    /// Names of the user dimensions.
    #[must_use]
    pub fn dimensions(&self) -> &[String] {
        &self.dimensions
    }

    /// Series, sorted; [`Row::key`] of a moments row is the place in this list.
    #[must_use]
    pub fn series(&self) -> &[Series] {
        &self.series
    }

    /// Routes, sorted; [`Row::key`] of an occupancy row is the place in this list.
    #[must_use]
    pub fn routes(&self) -> &[Series] {
        &self.routes
    }

    /// Moments rows, sorted by key and bin.
    #[must_use]
    pub fn moments(&self) -> &Rows<8> {
        &self.moments
    }

    /// Occupancy rows, sorted by key and bin.
    #[must_use]
    pub fn occupancy(&self) -> &Rows<4> {
        &self.occupancy
    }

    /// Whether occupancy was kept. Without it nothing can be said of dedicated deployments, whose idle energy follows from
    /// how long they were busy.
    #[must_use]
    pub fn keeps_occupancy(&self) -> bool {
        self.keeps_occupancy
    }

    /// The ledger without its occupancy.
    #[must_use]
    pub fn without_occupancy(self) -> Self {
        Self { occupancy: Rows::default(), keeps_occupancy: false, ..self }
    }

    /// Sliding-window families kept besides the moments, by window.
    #[must_use]
    pub fn windows(&self) -> &[WindowFamily] {
        &self.windows
    }

    /// Place in [`Ledger::routes`] of each series' route.
    #[must_use]
    pub fn route_of_series(&self) -> Vec<u32> {
        let place = |series: &Series| {
            let found = self.routes.binary_search_by(|route| route.labels().cmp(series.route()));
            u32::try_from(found.unwrap_or(usize::MAX)).unwrap_or(u32::MAX)
        };
        self.series.iter().map(place).collect()
    }

    /// Sums over all moments rows.
    ///
    /// # Errors
    /// [`Error::Overflow`] past 38 digits.
    pub fn totals(&self) -> Result<[u128; 8]> {
        let mut totals = [0; 8];
        for row in self.moments.iter() {
            merge::add_into(&mut totals, &row.sums)?;
        }
        Ok(totals)
    }

    /// The ledger without the bins outside `[since, until)`, in seconds since 1970 UTC; the null bin stays out. What it was
    /// made from is still told of the whole.
    ///
    /// # Errors
    /// [`Error::Argument`] if a bound cuts through a bin.
    ///
    /// # Panics
    /// Past 2³² series.
    pub fn between(mut self, since: Option<i64>, until: Option<i64>) -> Result<Self> {
        for (what, bound) in [("--since", since), ("--until", until)] {
            if let Some(at) = bound
                && at.rem_euclid(i64::from(self.bin_seconds)) != 0
            {
                return Err(Error::Argument {
                    what: what.into(),
                    value: jiff::Timestamp::from_second(at).map_or_else(|_| at.to_string(), |time| time.to_string()),
                    expected: format!("an edge of this ledger's bins of {} s; scan with --bin 300", self.bin_seconds),
                });
            }
        }
        if since.is_none() && until.is_none() {
            return Ok(self);
        }
        if let (Some(since), Some(until)) = (since, until)
            && since >= until
        {
            let told =
                |at: i64| jiff::Timestamp::from_second(at).map_or_else(|_| at.to_string(), |time| time.to_string());
            return Err(Error::Argument {
                what: "period".into(),
                value: format!("{} to {}", told(since), told(until)),
                expected: "an end after its beginning".into(),
            });
        }
        let (since, until) = (since.unwrap_or(NULL_BIN + 1), until.unwrap_or(i64::MAX));
        let inside = |bin: i64| bin >= since && bin < until;
        let moments: Vec<Row<8>> = self.moments.iter().filter(|row| inside(row.bin)).collect();
        let mut occupancy: Vec<Row<4>> = self.occupancy.iter().filter(|row| inside(row.bin)).collect();
        let kept = |family: &WindowFamily| family.rows.iter().filter(|row| inside(row.bin)).collect();
        let windows = self.windows.iter().map(|family| (family.window, kept(family))).collect();
        // Series and routes that have no row left go as well, so that nothing is assumed about them.
        let first_route = u32::try_from(self.series.len()).expect("fewer than 2^32 series");
        let routes = self.routes.iter().map(|route| {
            let labels = route.labels().iter().cloned();
            Series::new(labels.chain(self.dimensions.iter().map(|_| None)).collect())
        });
        let series: Vec<Series> = self.series.iter().cloned().chain(routes).collect();
        for row in &mut occupancy {
            row.key += first_route;
        }
        let origin = std::mem::take(&mut self.origin);
        let kept = Self::from_rows(self.bin_seconds, self.dimensions, &series, &moments, windows, &occupancy)?;
        Ok(Self { keeps_occupancy: self.keeps_occupancy, bound: self.bound, origin, ..kept })
    }
}
