//! Lines: the IT of a series, or of what no request bears, in a bin. What stands around it at its site and hour is worked
//! out where it is asked for; held for every line it would be ten times the memory.

use super::Estimate;
use super::columns::{COUNTS, Values};
use super::site_hours::Hour;
use crate::fleet::Allocation;
use crate::plan::{Around, Parts, Plan, SiteHour};
use crate::units::{Joules, KilowattHours};

/// One line: a series in a bin, or what a deployment or a site left unallocated in a bin.
#[derive(Clone, Debug)]
pub(super) struct Line {
    /// Place in the ledger's series; `None` for unallocated.
    pub series: Option<u32>,
    /// Place in the plan's deployments; `None` where the route goes nowhere, and for what is a site's alone.
    pub deployment: Option<u32>,
    /// Place in the plan's sites.
    pub site: Option<u32>,
    pub bin: i64,
    pub counts: [u128; COUNTS.len()],
    pub load: Load,
}

/// What a line takes, before contracts and manufacture.
#[derive(Clone, Debug)]
pub(super) enum Load {
    /// Nothing is estimated.
    Unknown,
    /// IT, and what stands around it.
    It(Work),
    /// Values of its own: what is a site's, and what a meter of a facility scaled.
    Own(Box<Values>),
}

/// What machines do for a load.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Work {
    pub parts: Parts,
    /// Replica seconds × concurrency.
    pub weighted_concurrency: f64,
    pub busy_s: f64,
    pub provisioned_s: f64,
}

impl Line {
    /// What no request of a site bears.
    pub fn of_site(site: usize, bin: i64, values: Values) -> Self {
        let load = Load::Own(Box::new(values));
        Self { series: None, deployment: None, site: Some(place(site)), bin, counts: [0; COUNTS.len()], load }
    }

    /// What no request of a deployment bears.
    pub fn unallocated(deployment: Option<usize>, plan: &Plan, bin: i64, work: Work) -> Self {
        let site = deployment.map(|at| place(plan.deployments()[at].site));
        let deployment = deployment.map(place);
        Self { series: None, deployment, site, bin, counts: [0; COUNTS.len()], load: Load::It(work) }
    }

    /// Place of the deployment.
    pub fn deployment(&self) -> Option<usize> {
        self.deployment.map(|at| at as usize)
    }

    /// Place of the site.
    pub fn site(&self) -> Option<usize> {
        self.site.map(|at| at as usize)
    }

    /// IT energy, where nothing but IT stands here.
    pub fn it(&self) -> Option<KilowattHours> {
        match &self.load {
            Load::It(work) => Some(KilowattHours::from(Joules(work.parts.it_j()))),
            _ => None,
        }
    }

    /// The values before contracts and manufacture.
    pub fn values(&self, plan: &Plan, hour: Option<&Hour>, allocation: Allocation) -> Values {
        match (&self.load, hour) {
            (Load::Own(values), _) => **values,
            (Load::It(work), Some(hour)) => {
                let inside = self.site().and_then(|site| plan.sites()[site].it_overhead());
                let it = KilowattHours::from(Joules(work.parts.it_j()));
                Values {
                    weighted_concurrency: work.weighted_concurrency,
                    busy_s: work.busy_s,
                    provisioned_s: work.provisioned_s,
                    compute_kwh: inside.map_or(f64::NAN, |share| it.0 * (1.0 - share)),
                    ..Values::at_site(&work.parts, &charged(hour, allocation))
                }
            }
            _ => Values::UNKNOWN,
        }
    }
}

/// A place in one of the plan's lists.
pub(super) fn place(at: usize) -> u32 {
    u32::try_from(at).expect("a plan has fewer than 2^32 sites and deployments")
}

/// The overhead that the load of an hour is charged.
pub(super) fn charged_around(hour: &Hour, allocation: Allocation) -> &Around {
    let facility = &hour.at.facility;
    match (allocation, &facility.marginal) {
        (Allocation::Marginal, Some(marginal)) => marginal,
        _ => &facility.average,
    }
}

/// The hour with the overhead that its load is charged.
pub(super) fn charged(hour: &Hour, allocation: Allocation) -> SiteHour {
    let mut at = hour.at;
    at.facility.average = *charged_around(hour, allocation);
    at
}

impl Estimate {
    /// The values of a line.
    pub(super) fn values(&self, line: &Line) -> Values {
        let hour = line.site().and_then(|site| self.site_hours.get(site, line.bin));
        let mut values = line.values(&self.plan, hour, self.allocation);
        // What contracts cover depends on the load of the site, meters and all.
        if let Some(hour) = hour {
            values.market(&hour.at);
        }
        if let Some(at) = line.deployment() {
            values.embody(&self.plan.deployments()[at].embodied_per_s, values.standing_s());
        }
        values
    }

    /// The columns that are unknown of a line, one bit each. Only factors of the hour can be unknown: what machines do and what
    /// making them takes are numbers, and what is unknown of the mean overhead is so of the marginal.
    pub(super) fn unknown_columns(&self, line: &Line) -> u32 {
        let hour = || self.site_hours.get(line.site()?, line.bin);
        match (&line.load, hour()) {
            (Load::It(_), Some(hour)) => hour.unknown,
            _ => self.values(line).unknown(),
        }
    }
}
