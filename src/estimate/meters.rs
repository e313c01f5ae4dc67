//! Meters beside an estimate: the difference in every step that is wholly covered, and what becomes of it.
//!
//! A meter of IT scales the IT before anything follows from it, a meter of a facility scales everything of its site. Steps
//! of the meter that the estimate covers in part are told and change nothing.

use super::columns::{FACILITY, Values};
use super::lines::{Line, Load, Work};
use super::site_hours::SiteHours;
use crate::fleet::{Allocation, Meter, Metered, Residual};
use crate::hours::{HOUR_S, hour_of};
use crate::ledger::NULL_BIN;
use crate::plan::{Parts, Plan};
use crate::units::{Joules, KilowattHours};
use crate::{Error, Result};
use std::collections::{BTreeMap, HashMap};

/// A step of a meter beside the estimate.
#[derive(Clone, Debug, PartialEq)]
pub struct Reconciled {
    /// The meter.
    pub meter: String,
    /// The site or the deployments it stands at.
    pub stands_at: String,
    /// `facility_kwh` or `it_kwh`.
    pub quantity: &'static str,
    /// First hour since 1970, and first after the last.
    pub hours: (i64, i64),
    /// What the meter read.
    pub metered_kwh: f64,
    /// What is estimated without the meter.
    pub estimated_kwh: f64,
    /// Share of the step that the estimate covers.
    pub covered: f64,
    /// What becomes of the difference.
    pub rule: &'static str,
    /// Whether it was done: the step is covered, and the meter is not only told.
    pub applied: bool,
    /// Why it was not done, or not in the usual way.
    pub note: Option<&'static str>,
}

/// Factors by deployment and bin that lines were scaled with, for single events.
pub(super) type Scales = HashMap<(usize, i64), f64>;

/// Share of a step from which on it counts as covered: a month whose log begins seven minutes late is one.
const COVERED: f64 = 0.99;

struct Stand<'a> {
    meter: &'a Meter,
    quantity: Metered,
    readings: &'a crate::hours::Series,
    site: Option<usize>,
    deployments: Vec<usize>,
    /// What all that stands behind it is estimated over.
    period: Option<(i64, i64)>,
}

/// The meters of a quantity; those of racks before those of sites, so that the site's is the one that is met.
fn stands<'a>(meters: &'a [Meter], plan: &Plan, periods: &[Option<(i64, i64)>], of: Metered) -> Result<Vec<Stand<'a>>> {
    let mut found = Vec::new();
    for meter in meters {
        let Some((quantity, readings)) = meter.readings().filter(|(quantity, _)| *quantity == of) else { continue };
        let site = match &meter.site {
            None => None,
            Some(name) => Some(plan.sites().iter().position(|site| site.name == *name).ok_or_else(|| {
                let known = plan.sites().iter().map(|site| site.name.as_str());
                Error::UnknownName { kind: "site", name: name.clone(), nearest: crate::error::nearest(name, known) }
            })?),
        };
        let place = |name: &String| plan.deployments().iter().position(|deployed| deployed.name == *name);
        let deployments: Vec<usize> = match site {
            Some(site) => (0..plan.deployments().len()).filter(|at| plan.deployments()[*at].site == site).collect(),
            None => meter.deployments.iter().filter_map(place).collect(),
        };
        let behind = deployments.iter().filter_map(|at| periods[*at]);
        let period = behind.reduce(|a, b| (a.0.max(b.0), a.1.min(b.1)));
        found.push(Stand { meter, quantity, readings, site, deployments, period });
    }
    found.sort_by_key(|stand| stand.site.is_some());
    Ok(found)
}

/// Metered over estimated energy, or its inverse, from which on a unit may have slipped.
const FAR: f64 = 10.0;

/// What becomes of the steps of a meter.
#[derive(Default)]
struct Factors {
    /// Metered over estimated, by step.
    scaled: BTreeMap<i64, f64>,
    /// First hour and energy of steps in which nothing is estimated.
    alone: Vec<(i64, f64)>,
}

impl Stand<'_> {
    /// The step of the meter that a line falls into, where it stands before the meter.
    fn step(&self, line: &Line) -> Option<i64> {
        let behind = match self.site {
            Some(own) => line.site() == Some(own),
            None => line.deployment().is_some_and(|at| self.deployments.contains(&at)),
        };
        (behind && line.bin != NULL_BIN).then(|| self.readings.step().of(hour_of(line.bin)))
    }

    /// Steps with their readings beside what is estimated, and the factor of each that is to be applied.
    fn reconcile(&self, estimated: &BTreeMap<i64, f64>, told: &mut Vec<Reconciled>) -> Factors {
        let step = self.readings.step();
        let mut factors = Factors::default();
        for (number, metered_kwh) in self.readings.iter() {
            let hours = (step.first_hour(number), step.first_hour(number + 1));
            let covered = covered(hours, self.period);
            let estimated_kwh = estimated.get(&number).copied().unwrap_or(0.0);
            if covered == 0.0 {
                continue;
            }
            let only_told = self.meter.residual == Residual::Report;
            let applied = covered >= COVERED && !only_told;
            let note = if only_told {
                Some("only told")
            } else if !applied {
                Some("the estimate covers it in part")
            } else if estimated_kwh <= 0.0 {
                Some("nothing is estimated in it: all of it is unallocated")
            } else {
                let ratio = metered_kwh / estimated_kwh;
                (!(1.0 / FAR..=FAR).contains(&ratio))
                    .then_some("far from the estimate: check unit and scope of the meter")
            };
            if applied && estimated_kwh > 0.0 {
                factors.scaled.insert(number, metered_kwh / estimated_kwh);
            } else if applied {
                factors.alone.push((hours.0, metered_kwh));
            }
            told.push(Reconciled {
                meter: self.meter.name.clone(),
                stands_at: self.meter.site.clone().unwrap_or_else(|| self.meter.deployments.join(", ")),
                quantity: if self.quantity == Metered::It { "it_kwh" } else { "facility_kwh" },
                hours,
                metered_kwh,
                estimated_kwh,
                covered,
                rule: self.meter.residual.name(),
                applied,
                note,
            });
        }
        factors
    }
}

/// Share of some hours that a period covers.
#[expect(clippy::cast_precision_loss, reason = "seconds of a year")]
fn covered((from, until): (i64, i64), period: Option<(i64, i64)>) -> f64 {
    let Some((start, end)) = period else { return 0.0 };
    let seconds = end.min(until * HOUR_S) - start.max(from * HOUR_S);
    seconds.max(0) as f64 / ((until - from) * HOUR_S) as f64
}

/// Scales the IT that stands behind meters of IT; what their rule leaves unallocated is added as lines of its own.
pub(super) fn of_it(
    meters: &[Meter],
    plan: &Plan,
    lines: &mut Vec<Line>,
    periods: &[Option<(i64, i64)>],
    (told, scales): (&mut Vec<Reconciled>, &mut Scales),
) -> Result<()> {
    for stand in stands(meters, plan, periods, Metered::It)? {
        let mut estimated = BTreeMap::new();
        for line in lines.iter() {
            if let (Some(step), Some(it)) = (stand.step(line), line.it()) {
                *estimated.entry(step).or_insert(0.0) += it.0;
            }
        }
        let factors = stand.reconcile(&estimated, told);
        let mut added: BTreeMap<(Option<u32>, i64), Parts> = BTreeMap::new();
        let mut factors_here = Scales::new();
        for line in lines.iter_mut() {
            let Some(factor) = stand.step(line).and_then(|step| factors.scaled.get(&step)) else { continue };
            let deployment = line.deployment;
            let Load::It(work) = &mut line.load else { continue };
            if stand.meter.residual == Residual::Unallocated {
                let sum = added.entry((deployment, line.bin)).or_default();
                *sum = sum.plus(&work.parts.scaled(factor - 1.0));
            } else {
                work.parts = work.parts.scaled(*factor);
                factors_here.extend(deployment.map(|at| ((at as usize, line.bin), *factor)));
            }
        }
        multiply(scales, factors_here);
        let of = |parts: Parts| Work { parts, ..Work::default() };
        if let Some(first) = stand.deployments.first() {
            lines.extend(factors.alone.iter().map(|(hour, kwh)| {
                let idle_j = Joules::from(KilowattHours(*kwh)).0;
                Line::unallocated(Some(*first), plan, hour * HOUR_S, of(Parts { idle_j, ..Parts::default() }))
            }));
        }
        lines.extend(added.into_iter().map(|((deployment, bin), parts)| {
            Line::unallocated(deployment.map(|at| at as usize), plan, bin, of(Parts { replica_s: 0.0, ..parts }))
        }));
    }
    Ok(())
}

/// Scales the lines of sites that have a meter of their facility.
pub(super) fn of_facilities(
    meters: &[Meter],
    plan: &Plan,
    lines: &mut Vec<Line>,
    (site_hours, allocation): (&SiteHours, Allocation),
    periods: &[Option<(i64, i64)>],
    (told, scales): (&mut Vec<Reconciled>, &mut Scales),
) -> Result<()> {
    let values = |line: &Line| {
        let hour = line.site().and_then(|site| site_hours.get(site, line.bin));
        line.values(plan, hour, allocation)
    };
    for stand in stands(meters, plan, periods, Metered::Facility)? {
        let mut estimated = BTreeMap::new();
        for line in lines.iter() {
            let Some(step) = stand.step(line) else { continue };
            let facility = values(line).sums[FACILITY];
            if !facility.is_nan() {
                *estimated.entry(step).or_insert(0.0) += facility;
            }
        }
        let factors = stand.reconcile(&estimated, told);
        let mut added: BTreeMap<(Option<u32>, i64), Values> = BTreeMap::new();
        let mut factors_here = Scales::new();
        for line in lines.iter_mut() {
            let Some(factor) = stand.step(line).and_then(|step| factors.scaled.get(&step)) else { continue };
            if stand.meter.residual == Residual::Unallocated {
                let sum = added.entry((line.site, line.bin)).or_insert(Values::ZERO);
                let mut more = values(line).scaled(factor - 1.0);
                more.sums[0] = 0.0;
                *sum = sum.plus(&more);
            } else {
                line.load = Load::Own(Box::new(values(line).scaled(*factor)));
                factors_here.extend(line.deployment().map(|at| ((at, line.bin), *factor)));
            }
        }
        multiply(scales, factors_here);
        for (hour, kwh) in &factors.alone {
            let Some(site) = stand.site else { continue };
            let at = plan.sites()[site].hour(Some(*hour), None);
            // What it is made of is not known: IT that waits, and what stands around it there.
            let idle_j = Joules::from(KilowattHours(kwh / at.facility.average.pue())).0;
            let values = Values::at_site(&Parts { idle_j, ..Parts::default() }, &at);
            lines.push(Line::of_site(site, hour * HOUR_S, values));
        }
        lines.extend(
            added
                .into_iter()
                .filter_map(|((site, bin), values)| Some(Line::of_site(usize::try_from(site?).ok()?, bin, values))),
        );
    }
    Ok(())
}

/// Notes the factors of one meter over those of the meters before it.
fn multiply(scales: &mut Scales, of_meter: Scales) {
    for (at, factor) in of_meter {
        *scales.entry(at).or_insert(1.0) *= factor;
    }
}

impl Reconciled {
    /// Metered less estimated.
    #[must_use]
    pub fn residual_kwh(&self) -> f64 {
        self.metered_kwh - self.estimated_kwh
    }
}
