//! The estimate: plan × ledger, as one line per series and bin, grouped on demand.
//!
//! Lines are summed in the order of the ledger, so the same inputs give the same bits on any number of threads.

mod accelerators;
mod annotate;
pub mod columns;
mod draw;
mod embodied;
mod explain;
mod group;
mod lines;
mod loads;
mod meters;
mod period;
mod picture;
mod rates;
mod remarks;
mod request;
mod run;
mod site_hours;
mod site_year;
mod sites;
mod total;
mod unknown;

pub use crate::lanes::Float;
pub use crate::plan::Picture;
pub use accelerators::AcceleratorBin;
pub use annotate::Annotator;
pub use embodied::{Footprint, MadeOf, Part, Ranged, Share, made_of};
pub use explain::{Node, Step};
pub(crate) use explain::{node, of_fact};
pub use group::{GroupBy, KEYS, Table, TableRow, UNALLOCATED};
pub use meters::Reconciled;
pub use picture::picture;
pub use request::{Details, Request, RequestEstimate, RequestPlan, request};
pub use run::{HourLoad, placed};
pub use site_year::{HOUR_COLUMNS, HourColumn, SiteYear, site_year};
pub use sites::{PeakDay, PeakHour, SiteSummary};
pub use total::Total;
pub use unknown::{Unknown, UnknownModel};

use crate::Result;
use crate::event::{Coverage, InputIdentity};
use crate::fleet::{Allocation, Fleet};
use crate::keys::Series;
use crate::ledger::Ledger;
use crate::plan::{Assumption, Plan, RateTable};
use lines::Line;
use meters::Scales;
use site_hours::SiteHours;

/// Edition of the methods: changes when an estimate of the same input changes.
pub const METHOD_EDITION: &str = "2026.11-5";

/// Values with their keys, coverage, assumptions and provenance; see [`Estimate::by`].
///
/// ```
/// use wattledger::{estimate::Estimate, fleet::Fleet, ledger::Ledger};
/// let ledger = Ledger::empty(3600, vec![], &[])?;
/// let estimate = Estimate::new(&ledger, &Fleet::assumed())?;
/// assert_eq!(estimate.total().counts[0], 0);
/// # Ok::<(), wattledger::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Estimate {
    lines: Vec<Line>,
    series: Vec<Series>,
    routes: Vec<Series>,
    dimensions: Vec<String>,
    bin_seconds: u32,
    /// Windows the ledger holds.
    windows: Vec<u32>,
    plan: Plan,
    rates: RateTable,
    site_hours: SiteHours,
    scales: Scales,
    reconciled: Vec<Reconciled>,
    allocation: Allocation,
    assumptions: Vec<Assumption>,
    unknown: Vec<Unknown>,
    unknown_models: Vec<UnknownModel>,
    parameter_set: String,
    coverage: Coverage,
    inputs: Vec<InputIdentity>,
    log: Option<(i64, i64)>,
    periods: Vec<Option<(i64, i64)>>,
}

impl Estimate {
    /// Estimates a ledger under a fleet.
    ///
    /// # Errors
    /// As [`Plan::compile`]; [`crate::Error::Overflow`] if the sums of the ledger pass 38 digits.
    ///
    pub fn new(ledger: &Ledger, fleet: &Fleet) -> Result<Self> {
        // No sum of a part can pass 128 bits where the sums of the whole fit 38 digits.
        ledger.totals()?;
        let plan = Plan::compile(fleet, ledger.routes())?;
        let rated = rates::rate(ledger, &plan)?;
        let routes = ledger.route_of_series();
        let drawn = draw::draw(ledger, fleet, &plan, &rated, &routes)?;
        let mut estimate = Self {
            lines: drawn.lines,
            site_hours: drawn.site_hours,
            scales: drawn.scales,
            reconciled: drawn.reconciled,
            allocation: fleet.allocation(),
            series: ledger.series().to_vec(),
            routes: ledger.routes().to_vec(),
            dimensions: ledger.dimensions().to_vec(),
            bin_seconds: ledger.bin_seconds(),
            windows: ledger.windows().iter().map(|family| family.window).collect(),
            assumptions: plan.assumptions().to_vec(),
            plan,
            rates: rated.table,
            unknown: Vec::new(),
            unknown_models: Vec::new(),
            parameter_set: fleet.parameter_set().unwrap_or(crate::plan::DEFAULT_SET).to_owned(),
            coverage: ledger.origin.coverage.clone(),
            inputs: ledger.origin.inputs.clone(),
            log: rated.log,
            periods: rated.periods,
        };
        estimate.remark(&rated.remarks);
        estimate.remark_sites();
        estimate.remark_bounds(ledger);
        estimate.unknown = estimate.unknowns(&routes);
        estimate.unknown_models = estimate.models_of_nothing(&routes);
        Ok(estimate)
    }

    /// Models that are estimated nowhere, the one with most tokens first.
    #[must_use]
    pub fn unknown_models(&self) -> &[UnknownModel] {
        &self.unknown_models
    }

    /// The parameter set behind it.
    #[must_use]
    pub fn parameter_set(&self) -> &str {
        &self.parameter_set
    }

    /// Sums over everything.
    #[must_use]
    pub fn total(&self) -> Total {
        let mut total = Total::default();
        for line in &self.lines {
            total.add(&line.counts, &self.values(line));
        }
        total
    }

    /// The plan it was made with.
    #[must_use]
    pub fn plan(&self) -> &Plan {
        &self.plan
    }

    /// What one unit of each feature costs, by deployment and bin: the operating points, ready for single events.
    #[must_use]
    pub fn rates(&self) -> &RateTable {
        &self.rates
    }

    /// Meters beside the estimate, step by step.
    #[must_use]
    pub fn reconciled(&self) -> &[Reconciled] {
        &self.reconciled
    }

    /// How the overhead of sites is charged.
    #[must_use]
    pub fn allocation(&self) -> Allocation {
        self.allocation
    }

    /// Width of the bins, in seconds.
    #[must_use]
    pub fn bin_seconds(&self) -> u32 {
        self.bin_seconds
    }

    /// From the first to the last second that any deployment stands there or the log shows.
    fn period(&self) -> Option<(i64, i64)> {
        self.periods.iter().chain([&self.log]).flatten().copied().reduce(|a, b| (a.0.min(b.0), a.1.max(b.1)))
    }

    /// Length of the period in days; `None` where no event has a time.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "seconds of some years")]
    pub fn days(&self) -> Option<f64> {
        self.period().map(|(start, end)| (end - start) as f64 / 86_400.0)
    }

    /// Values nobody stated.
    #[must_use]
    pub fn assumptions(&self) -> &[Assumption] {
        &self.assumptions
    }

    /// Columns that are unknown for some requests, and why.
    #[must_use]
    pub fn unknown(&self) -> &[Unknown] {
        &self.unknown
    }

    /// The account of every line read.
    #[must_use]
    pub fn coverage(&self) -> &Coverage {
        &self.coverage
    }

    /// The inputs.
    #[must_use]
    pub fn inputs(&self) -> &[InputIdentity] {
        &self.inputs
    }

    /// Sums of what was provisioned in bins without requests, which no request bears.
    #[must_use]
    pub fn unallocated(&self) -> Total {
        let mut total = Total::default();
        for line in self.lines.iter().filter(|line| line.series.is_none()) {
            total.add(&line.counts, &self.values(line));
        }
        total
    }
}
