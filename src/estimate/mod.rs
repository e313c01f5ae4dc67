//! The estimate: plan × ledger, as one line per series and bin, grouped on demand.
//!
//! Lines are summed in the order of the ledger, so the same inputs give the same bits on any number of threads.

mod accelerators;
mod annotate;
pub mod columns;
mod explain;
mod group;
mod picture;
mod rates;
mod request;
mod unknown;

pub use crate::plan::Picture;
pub use accelerators::AcceleratorBin;
pub use annotate::Annotator;
pub use columns::Total;
pub use explain::{Node, Step};
pub use group::{GroupBy, KEYS, Table, TableRow};
pub use picture::picture;
pub use request::{Request, RequestEstimate, request};
pub use unknown::{Unknown, UnknownModel};

use crate::Result;
use crate::event::{Coverage, InputIdentity};
use crate::fleet::Fleet;
use crate::keys::Series;
use crate::ledger::Ledger;
use crate::plan::{Assumption, LoadRule, Plan, RateTable, Target};
use columns::{COUNTS, Values};

/// Edition of the methods: changes when an estimate of the same input changes.
pub const METHOD_EDITION: &str = "2026.11-3";

/// One line: a series in a bin, or what a deployment left unallocated in a bin.
#[derive(Clone, Debug)]
struct Line {
    /// Place in the ledger's series; `None` for unallocated.
    series: Option<usize>,
    /// Place in the plan's deployments; `None` where the route goes nowhere.
    deployment: Option<usize>,
    bin: i64,
    counts: [u128; COUNTS.len()],
    values: Values,
}

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
    assumptions: Vec<Assumption>,
    unknown: Vec<Unknown>,
    unknown_models: Vec<UnknownModel>,
    parameter_set: String,
    coverage: Coverage,
    inputs: Vec<InputIdentity>,
    period: Option<(i64, i64)>,
}

impl Estimate {
    /// Estimates a ledger under a fleet.
    ///
    /// # Errors
    /// As [`Plan::compile`]; [`crate::Error::Overflow`] if the sums of the ledger pass 38 digits.
    ///
    /// # Panics
    /// Never: every bin with moments is rated.
    pub fn new(ledger: &Ledger, fleet: &Fleet) -> Result<Self> {
        // No sum of a part can pass 128 bits where the sums of the whole fit 38 digits.
        ledger.totals()?;
        let plan = Plan::compile(fleet, ledger.routes())?;
        let rated = rates::rate(ledger, &plan)?;
        let routes = ledger.route_of_series();
        let mut lines = Vec::with_capacity(ledger.moments().len() + rated.unallocated.len());
        for row in ledger.moments() {
            let series = row.key as usize;
            let counts = [row.sums[0], row.sums[1], row.sums[2], row.sums[3]];
            let (deployment, values) = match &plan.targets()[routes[series] as usize] {
                Target::Nowhere(_) => (None, Values::UNKNOWN),
                Target::Deployment(at) => {
                    let rate = rated.table.get(*at, row.bin).expect("every bin with moments is rated");
                    let window = rates::window_of(ledger, plan.deployments()[*at].window, row);
                    let parts = rate.parts(&rates::features(&row.sums, window));
                    let mut values = Values::at_site(&parts, plan.site_of(*at));
                    values.weighted_concurrency = rate.concurrency * parts.replica_s;
                    values.busy_s = rate.busy_per_s * parts.replica_s;
                    values.provisioned_s = rate.provisioned_per_s * parts.replica_s;
                    (Some(*at), values)
                }
            };
            lines.push(Line { series: Some(series), deployment, bin: row.bin, counts, values });
        }
        for u in &rated.unallocated {
            let mut values = Values::at_site(&u.parts, plan.site_of(u.deployment));
            values.busy_s = u.busy_s;
            values.provisioned_s = u.provisioned_s;
            lines.push(Line {
                series: None,
                deployment: Some(u.deployment),
                bin: u.bin,
                counts: [0; COUNTS.len()],
                values,
            });
        }
        let mut estimate = Self {
            lines,
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
            period: rated.period,
        };
        estimate.remark(&rated.remarks);
        estimate.unknown = estimate.unknowns(&routes);
        estimate.unknown_models = estimate.models_of_nothing(&routes);
        Ok(estimate)
    }

    /// Turns what the operating points say into assumptions.
    fn remark(&mut self, remarks: &[rates::Remarks]) {
        let mut say = |place: &str, what: &str, value: String, why: &str| {
            self.assumptions.push(Assumption { place: place.into(), what: what.into(), value, why: why.into() });
        };
        if let Some((start, end)) = self.period
            && self.plan.deployments().iter().any(|d| d.dedicated)
        {
            say(
                "estimate",
                "provisioned period",
                format!("{} to {}", group::time(start), group::time(end)),
                "from the first to the last five-minute bin with a request in the log",
            );
        }
        for (deployed, remarks) in self.plan.deployments().iter().zip(remarks) {
            let place = format!("deployment `{}`", deployed.name);
            if remarks.solved_bins > 0 {
                let bins = format!("solved from arrivals in {} five-minute bins", remarks.solved_bins);
                say(&place, "concurrency", bins, "the log carries no latency");
            } else if deployed.dedicated && remarks.latency_share > 0.0 && remarks.latency_share < 1.0 {
                let share = format!("{:.1} % of requests", 100.0 * remarks.latency_share);
                say(&place, "latency", share, "the others are taken to overlap as these do");
            }
            if let (Some(limit), LoadRule::Declared(stated)) = (remarks.declared_beyond, deployed.load) {
                say(&place, "concurrency", crate::plan::plain(stated), &request::beyond(limit));
            }
            if remarks.overloaded_bins > 0 {
                let bins = format!("overloaded in {} five-minute bins", remarks.overloaded_bins);
                say(
                    &place,
                    "load",
                    bins,
                    "the log asks for more than the replicas can do; concurrency is at its limit",
                );
            }
            if remarks.crowded_bins > 0 {
                let bins = format!("more than the replicas have time for in {} bins", remarks.crowded_bins);
                let why = "the log shows more work, or shorter latencies, than the method thinks these replicas can do; \
                           energy comes out above what they can draw";
                say(&place, "load", bins, why);
            }
            if remarks.window_missing {
                let why = "the ledger was made without this model's window: full attention stands in, an upper bound; \
                           scan with --fleet to keep it";
                say(&place, "attention window", "ignored".into(), why);
            }
            if remarks.null_bin {
                say(
                    &place,
                    "time",
                    "unknown for some requests".into(),
                    "evaluated at the default concurrency, without idle",
                );
            }
        }
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
            total.add(&line.counts, &line.values);
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

    /// Width of the bins, in seconds.
    #[must_use]
    pub fn bin_seconds(&self) -> u32 {
        self.bin_seconds
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
            total.add(&line.counts, &line.values);
        }
        total
    }
}
