//! Every site of an estimate in every hour that it needs: first the IT power of all that runs there, then what stands
//! around it, then what contracts cover of the sum.

use super::columns::Values;
use crate::fleet::Matching;
use crate::hours::{HOUR_S, Step, hour_of};
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
    /// Energy of the facility, as meters leave it.
    pub load_kwh: f64,
    /// Share of it that contracts cover.
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
            ((site, hour), Hour { at, it_kwh, covered_h, load_kwh: 0.0, matched: 0.0, carbon_free_kwh: None })
        };
        Self { hours: it_kwh.iter().map(evaluate).collect() }
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

    /// Holds contracts against the loads of sites, in kWh by site and hour: by volume over the period, or hour by hour.
    pub(super) fn contract(&mut self, plan: &Plan, loads: &BTreeMap<(usize, i64), f64>, period: Option<(i64, i64)>) {
        for (site, compiled) in plan.sites().iter().enumerate() {
            let contracts = &compiled.contracts;
            let of_site = || loads.range((site, i64::MIN)..=(site, i64::MAX)).map(|((_, hour), load)| (*hour, *load));
            let load: f64 = of_site().map(|(_, load)| load).sum();
            // Volume counts over every hour of the period, those without a load as well.
            let volume: f64 = match period {
                Some((start, end)) => (hour_of(start)..=hour_of(end - 1))
                    .map(|hour| contracted(contracts, hour, 0.0, covered_h(hour, period)))
                    .sum(),
                None => 0.0,
            };
            let annual = matched(KilowattHours(volume + contracts.share.unwrap_or(0.0) * load), KilowattHours(load));
            for (hour, load) in of_site() {
                let Some(value) = self.hours.get_mut(&(site, hour)) else { continue };
                let contracted = KilowattHours(contracted(contracts, hour, load, value.covered_h));
                let load = KilowattHours(load);
                value.load_kwh = load.0;
                value.matched = match contracts.matching {
                    // What has no hour is covered as the whole is.
                    Matching::Hourly if hour != TIMELESS => matched(contracted, load),
                    _ => annual,
                };
                if contracts.any() {
                    value.at = value.at.with_contracts(value.matched, contracts.direct);
                }
                // The 24/7 score goes by the hour: of a volume without hours it says nothing, and only what is
                // carbon-free counts.
                let by_hour = !contracts.any() || contracts.matching == Matching::Hourly || contracts.kwh.is_some();
                let free = if contracts.direct.0 == 0.0 { contracted } else { KilowattHours(0.0) };
                value.carbon_free_kwh =
                    value.at.grid.carbon_free.filter(|_| by_hour).map(|(share, _)| carbon_free(free, load, share).0);
            }
        }
    }
}

/// Energy under contract in an hour.
#[expect(clippy::cast_precision_loss, reason = "hours of a year")]
fn contracted(contracts: &Contracts, hour: i64, load: f64, covered_h: f64) -> f64 {
    let by_share = contracts.share.map_or(0.0, |share| share * load);
    if hour == TIMELESS {
        return by_share;
    }
    let hours_of = |step: Step| {
        let number = step.of(hour);
        if step == Step::Hour { 1 } else { step.first_hour(number + 1) - step.first_hour(number) }
    };
    let by_year = contracts.kwh_per_year.map_or(0.0, |kwh| kwh / hours_of(Step::Year) as f64 * covered_h);
    let series = contracts.kwh.as_ref();
    let series = series.and_then(|series| Some(series.at(hour)? / hours_of(series.step()) as f64 * covered_h));
    by_share + by_year + series.unwrap_or(0.0)
}

/// What a site takes in an hour in which its IT draws nothing.
pub(super) fn empty_hour(around: &Around, hour: &SiteHour, covered_h: f64) -> Values {
    let mut values = Values::overhead(KilowattHours(covered_h), around, hour);
    values.causes(hour);
    values
}
