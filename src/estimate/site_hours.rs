//! Every site of an estimate in every hour that it needs: first the IT power of all that runs there, then what stands
//! around it, then what contracts cover of the sum.

use super::columns::Values;
use crate::fleet::Matching;
use crate::hours::{HOUR_S, Step, YEAR_H, hour_of};
use crate::ledger::NULL_BIN;
use crate::physics::market::{carbon_free, matched};
use crate::plan::{Around, Contracts, Plan, SiteHour};
use crate::units::KilowattHours;
use std::collections::BTreeMap;

/// The hour of events whose time is not known.
const TIMELESS: i64 = i64::MIN;

/// The hour that a bin falls into.
pub(super) fn hour_of_bin(bin: i64) -> i64 {
    if bin == NULL_BIN { TIMELESS } else { hour_of(bin) }
}

/// What of an hour is estimated, in hours: 1, or less at the ends of the period.
#[expect(clippy::cast_precision_loss, reason = "seconds of an hour")]
pub(super) fn covered_h(hour: i64, period: Option<(i64, i64)>) -> f64 {
    let Some((start, end)) = period.filter(|_| hour != TIMELESS) else { return 1.0 };
    let (from, until) = (start.max(hour * HOUR_S), end.min((hour + 1) * HOUR_S));
    if until > from { (until - from) as f64 / HOUR_S as f64 } else { 1.0 }
}

/// An hour of a site with its load.
#[derive(Clone, Copy, Debug)]
pub(super) struct Hour {
    /// The site.
    pub at: SiteHour,
    /// IT energy.
    pub it_kwh: f64,
    /// Share of the hour that is estimated.
    pub covered_h: f64,
    /// Load that contracts cover.
    pub matched: f64,
    /// Load that is carbon-free, where the grid's share is known.
    pub carbon_free_kwh: Option<f64>,
}

/// Sites by hour.
#[derive(Clone, Debug, Default)]
pub(super) struct SiteHours {
    hours: BTreeMap<(usize, i64), Hour>,
}

impl SiteHours {
    /// Evaluates the sites of a plan at these IT energies, in kWh by site and hour.
    pub(super) fn new(plan: &Plan, it_kwh: &BTreeMap<(usize, i64), f64>, period: Option<(i64, i64)>) -> Self {
        let evaluate = |(&(site, hour), &it_kwh): (&(usize, i64), &f64)| {
            let covered_h = covered_h(hour, period);
            let power = (hour != TIMELESS).then_some(it_kwh / covered_h);
            let at = plan.sites()[site].hour((hour != TIMELESS).then_some(hour), power);
            ((site, hour), Hour { at, it_kwh, covered_h, matched: 0.0, carbon_free_kwh: None })
        };
        let mut hours = Self { hours: it_kwh.iter().map(evaluate).collect() };
        for (site, compiled) in plan.sites().iter().enumerate() {
            hours.contract(site, &compiled.contracts);
        }
        hours
    }

    /// The site in the hour of a bin.
    pub(super) fn get(&self, site: usize, bin: i64) -> Option<&Hour> {
        self.hours.get(&(site, hour_of_bin(bin)))
    }

    /// The hours of a site, those without a time first.
    pub(super) fn of(&self, site: usize) -> impl Iterator<Item = (Option<i64>, &Hour)> {
        let hours = self.hours.range((site, i64::MIN)..=(site, i64::MAX));
        hours.map(|((_, hour), value)| ((*hour != TIMELESS).then_some(*hour), value))
    }

    /// Holds contracts against the load of a site.
    fn contract(&mut self, site: usize, contracts: &Contracts) {
        let (mut load_sum, mut contracted_sum) = (0.0, 0.0);
        let loads: Vec<(i64, f64, f64)> = self
            .hours
            .range((site, i64::MIN)..=(site, i64::MAX))
            .map(|((_, hour), value)| {
                let load = value.it_kwh * value.at.facility.average.pue();
                (*hour, load, contracted(contracts, *hour, load, value.covered_h))
            })
            .collect();
        for (_, load, contracted) in &loads {
            load_sum += load;
            contracted_sum += contracted;
        }
        let annual = matched(KilowattHours(contracted_sum), KilowattHours(load_sum));
        for (hour, load, contracted) in loads {
            let Some(value) = self.hours.get_mut(&(site, hour)) else { continue };
            let hourly = matched(KilowattHours(contracted), KilowattHours(load));
            value.matched = match contracts.matching {
                Matching::Annual => annual,
                Matching::Hourly => hourly,
            };
            if contracts.any() {
                value.at = value.at.with_contracts(value.matched, contracts.direct);
            }
            // The 24/7 score always goes by the hour, whatever the account goes by.
            value.carbon_free_kwh = value
                .at
                .grid
                .carbon_free
                .map(|(share, _)| carbon_free(KilowattHours(contracted), KilowattHours(load), share).0);
        }
    }
}

/// Energy under contract in an hour.
#[expect(clippy::cast_precision_loss, reason = "hours of a year")]
fn contracted(contracts: &Contracts, hour: i64, load: f64, covered_h: f64) -> f64 {
    let by_share = contracts.share.map_or(0.0, |share| share * load);
    let by_year = contracts.kwh_per_year.map_or(0.0, |kwh| kwh / YEAR_H * covered_h);
    let series = contracts.kwh.as_ref().filter(|_| hour != TIMELESS).and_then(|series| {
        let step = series.step();
        let number = step.of(hour);
        let hours = if step == Step::Hour { 1 } else { step.first_hour(number + 1) - step.first_hour(number) };
        Some(series.at(hour)? / hours as f64 * covered_h)
    });
    by_share + by_year + series.unwrap_or(0.0)
}

/// What a site takes in an hour in which its IT draws nothing.
pub(super) fn empty_hour(around: &Around, hour: &SiteHour, covered_h: f64) -> Values {
    let mut values = Values::overhead(KilowattHours(covered_h), around, hour);
    values.causes(hour);
    values
}
