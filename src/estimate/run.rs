//! Loads that stand at their sites by the hour without a ledger: those of a training run.

use super::columns::Values;
use super::site_hours::{Energies, SiteHours, hour_of_bin};
use crate::fleet::Allocation;
use crate::hours::HOUR_S;
use crate::ledger::NULL_BIN;
use crate::physics::embodied::Burden;
use crate::plan::{Parts, Plan};
use crate::units::{Joules, KilowattHours};

/// A load of one kind in one hour of a site.
#[derive(Clone, Copy, Debug)]
pub struct HourLoad {
    /// Place of what it is in a list of the caller's.
    pub of: usize,
    /// Place of the site in the plan.
    pub site: usize,
    /// The hour since 1970; `None` is not known, and factors of a year stand in.
    pub hour: Option<i64>,
    /// Energy by component.
    pub parts: Parts,
    /// Time that machines stand there for it, in seconds.
    pub standing_s: f64,
    /// What a second of them bears of making them.
    pub embodied_per_s: Burden,
}

impl HourLoad {
    fn bin(&self) -> i64 {
        self.hour.map_or(NULL_BIN, |hour| hour * HOUR_S)
    }
}

/// Every load with what stands around it at its site and hour, in the order given: all of them together make the power
/// of the site, and contracts are held against the whole.
#[must_use]
pub fn placed(plan: &Plan, loads: &[HourLoad]) -> Vec<Values> {
    let mut it_kwh = Energies::of(plan);
    for load in loads {
        it_kwh.add(load.site, hour_of_bin(load.bin()), KilowattHours::from(Joules(load.parts.it_j())).0);
    }
    let hours = || loads.iter().filter_map(|load| load.hour);
    let period = hours().min().zip(hours().max()).map(|(first, last)| (first * HOUR_S, (last + 1) * HOUR_S));
    let mut site_hours = SiteHours::new(plan, it_kwh, period, Allocation::Average);
    let at = |hours: &SiteHours, load: &HourLoad| hours.get(load.site, load.bin()).map(|hour| hour.at);
    let mut values: Vec<Values> = loads
        .iter()
        .map(|load| at(&site_hours, load).map_or(Values::UNKNOWN, |hour| Values::at_site(&load.parts, &hour)))
        .collect();
    let mut facility = Energies::of(plan);
    for (load, values) in loads.iter().zip(&values) {
        facility.add(load.site, hour_of_bin(load.bin()), values.sums[super::columns::FACILITY]);
    }
    site_hours.contract(plan, facility, period);
    for (load, values) in loads.iter().zip(&mut values) {
        if let Some(hour) = at(&site_hours, load) {
            values.market(&hour);
        }
        values.embody(&load.embodied_per_s, load.standing_s);
    }
    values
}
