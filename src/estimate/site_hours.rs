//! Every site of an estimate in every hour that it needs: first the IT power of all that runs there, then what stands
//! around it, then what contracts cover of the sum.

use super::columns::Values;
use crate::fleet::{Allocation, Matching};
use crate::hours::{Gathering, HOUR_S, Step, Timeline, hour_of};
use crate::ledger::NULL_BIN;
use crate::physics::market::{carbon_free, matched};
use crate::plan::{Around, Contracts, Parts, Plan, Site, SiteHour};
use crate::units::KilowattHours;

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
    /// The columns that its factors leave unknown, one bit each.
    pub unknown: u32,
}

/// Energy by the hours of every site, in kWh.
pub(super) struct Energies(Vec<Gathering<f64>>);

impl Energies {
    pub(super) fn of(plan: &Plan) -> Self {
        Self(plan.sites().iter().map(|_| Gathering::default()).collect())
    }

    pub(super) fn add(&mut self, site: usize, hour: i64, kwh: f64) {
        *self.0[site].at(hour, || 0.0) += kwh;
    }

    fn finish(self) -> impl Iterator<Item = Timeline<f64>> {
        self.0.into_iter().map(Gathering::finish)
    }
}

/// Sites by hour.
#[derive(Clone, Debug, Default)]
pub(super) struct SiteHours {
    sites: Vec<Timeline<Hour>>,
}

impl SiteHours {
    /// Evaluates the sites of a plan at these IT energies.
    pub(super) fn new(plan: &Plan, it: Energies, period: Option<(i64, i64)>, allocation: Allocation) -> Self {
        let of_site = |(site, it): (&Site, Timeline<f64>)| {
            let evaluate = |(hour, &it_kwh): (i64, &f64)| {
                let covered_h = covered_h(hour, period);
                let power = (hour != TIMELESS).then_some(it_kwh / covered_h);
                let timed = (hour != TIMELESS).then_some(hour);
                let at = match allocation {
                    Allocation::Average => site.hour(timed, power),
                    Allocation::Marginal => site.hour_with_marginal(timed, power),
                };
                (hour, Hour { at, it_kwh, covered_h, load_kwh: 0.0, matched: 0.0, carbon_free_kwh: None, unknown: 0 })
            };
            it.iter().map(evaluate).collect()
        };
        Self { sites: plan.sites().iter().zip(it.finish()).map(of_site).collect() }
    }

    /// The site in the hour of a bin.
    pub(super) fn get(&self, site: usize, bin: i64) -> Option<&Hour> {
        self.sites.get(site)?.get(hour_of_bin(bin))
    }

    /// The hours of a site, those without a time first.
    pub(super) fn of(&self, site: usize) -> impl Iterator<Item = (Option<i64>, &Hour)> {
        let hours = self.sites.get(site).into_iter().flat_map(Timeline::iter);
        hours.map(|(hour, value)| ((hour != TIMELESS).then_some(hour), value))
    }

    /// Holds contracts against the loads of sites: by volume over the period, or hour by hour.
    pub(super) fn contract(&mut self, plan: &Plan, loads: Energies, period: Option<(i64, i64)>) {
        for ((compiled, hours), loads) in plan.sites().iter().zip(&mut self.sites).zip(loads.finish()) {
            let contracts = &compiled.contracts;
            let load: f64 = loads.values().iter().sum();
            // Volume counts over every hour of the period, those without a load as well.
            let volume: f64 = match period.filter(|_| contracts.any()) {
                Some((start, end)) => (hour_of(start)..=hour_of(end - 1))
                    .map(|hour| contracted(contracts, hour, 0.0, covered_h(hour, period)))
                    .sum(),
                None => 0.0,
            };
            let annual = matched(KilowattHours(volume + contracts.share.unwrap_or(0.0) * load), KilowattHours(load));
            for (hour, &load) in loads.iter() {
                let Some(place) = hours.place(hour) else { continue };
                let value = &mut hours.values_mut()[place];
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
                let mut values = Values::at_site(&Parts::default(), &value.at);
                values.market(&value.at);
                value.unknown = values.unknown();
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
