//! The columns of an estimate: name, unit, meaning; and values by column.

use crate::physics::embodied::Burden;
use crate::physics::emissions;
use crate::plan::{Around, Parts, SiteHour};
use crate::units::{GRAMS_PER_KILOGRAM, Joules, KilowattHours};

/// A column of an estimate.
#[derive(Clone, Copy, Debug)]
pub struct Column {
    /// Name with its unit.
    pub name: &'static str,
    /// Unit.
    pub unit: &'static str,
    /// What it is.
    pub meaning: &'static str,
}

const fn column(name: &'static str, unit: &'static str, meaning: &'static str) -> Column {
    Column { name, unit, meaning }
}

/// Counts: exact integers, from the ledger.
pub const COUNTS: [Column; 4] = [
    column("requests", "", "requests"),
    column("input_tokens", "tokens", "input tokens, cached ones included"),
    column("cached_tokens", "tokens", "input tokens read from a prefix cache"),
    column("output_tokens", "tokens", "generated tokens"),
];

/// Estimated sums; every one of them adds over rows.
pub const SUMS: [Column; 26] = [
    column("replica_seconds", "s", "this load's share of the wall time of whole replicas"),
    column("prefill_kwh", "kWh", "accelerators, prefill"),
    column("decode_kwh", "kWh", "accelerators, decode"),
    column("training_kwh", "kWh", "accelerators, training; of a training run alone"),
    column("idle_kwh", "kWh", "accelerators provisioned and idle"),
    column("host_kwh", "kWh", "CPU, DRAM, NIC, fans, power supplies"),
    column("it_kwh", "kWh", "prefill + decode + training + idle + host"),
    column("cooling_kwh", "kWh", "cooling"),
    column("power_delivery_kwh", "kWh", "UPS, distribution, lighting, other"),
    column("facility_kwh", "kWh", "IT + cooling + power delivery"),
    column("water_onsite_l", "L", "water taken in at the site"),
    column("water_onsite_consumed_l", "L", "water evaporated or carried off at the site"),
    column("water_offsite_l", "L", "water consumed by generation, without reservoir evaporation"),
    column("water_offsite_with_hydro_l", "L", "water consumed by generation, with reservoir evaporation"),
    column("water_stress_weighted_l", "L", "water consumed at the site weighted by the stress of its basin"),
    column("co2e_location_g", "g", "Scope 2, direct factors of the grid"),
    column("co2e_market_g", "g", "Scope 2, contracts and residual mix"),
    column("co2e_upstream_g", "g", "Scope 3 category 3: lifecycle minus direct, grid losses"),
    column("co2e_marginal_g", "g", "consequence of one more kWh; never inside an inventory total"),
    column("co2e_embodied_g", "g", "manufacture of machines and building, amortised over the time they stand there"),
    column("water_embodied_l", "L", "water of manufacture, amortised"),
    column("adpe_embodied_kg_sb", "kg", "abiotic depletion (antimony) by manufacture, amortised"),
    column("adpe_kg_sb", "kg", "abiotic depletion by manufacture and by generation"),
    column("primary_energy_embodied_mj", "MJ", "primary energy of manufacture, amortised"),
    column("primary_energy_mj", "MJ", "primary energy of manufacture and of generation"),
    column("ewaste_kg", "kg", "mass of machines that becomes waste, amortised"),
];

/// Columns derived from sums: they do not add.
pub const RATIOS: [Column; 7] = [
    column("concurrency", "requests", "requests a replica runs at once, mean over its busy time"),
    column("utilisation", "", "busy share of provisioned replica time"),
    column("pue", "", "facility energy over IT energy"),
    column("wue_l_per_kwh", "L/kWh", "water taken in at the site over IT energy"),
    column("wue_consumed_l_per_kwh", "L/kWh", "water consumed at the site over IT energy"),
    column("cue_g_per_kwh", "g/kWh", "location-based emissions over IT energy"),
    column("tue", "", "facility energy over IT energy without fans and power supplies inside the IT"),
];

/// Place of a sum by name.
///
/// # Panics
/// For a name that is no sum.
#[must_use]
pub fn sum(name: &str) -> usize {
    SUMS.iter().position(|c| c.name == name).expect("a column of SUMS")
}

/// Whether a sum is of manufacture alone: its range is that of the burden, not that of energy.
#[must_use]
pub(super) const fn of_manufacture(column: usize) -> bool {
    matches!(column, EMBODIED | WATER_EMBODIED | ADPE_EMBODIED | PRIMARY_EMBODIED | EWASTE)
}

/// What a column is a multiple of, for one deployment in one bin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Multiple {
    /// IT energy: what stands around it and what it causes.
    It,
    /// Replica time: what a replica draws, and what it took to make.
    Time,
    Prefill,
    Decode,
    ItAndTime,
}

/// What a column is a multiple of.
#[must_use]
pub(super) const fn multiple(column: usize) -> Multiple {
    match column {
        1 => Multiple::Prefill,
        2 => Multiple::Decode,
        IT..EMBODIED => Multiple::It,
        ADPE | PRIMARY => Multiple::ItAndTime,
        _ => Multiple::Time,
    }
}

/// Values by column; not a number is unknown.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Values {
    /// One value per column of [`SUMS`].
    pub sums: [f64; SUMS.len()],
    /// Replica seconds × concurrency.
    pub(crate) weighted_concurrency: f64,
    /// Busy and provisioned replica seconds.
    pub(crate) busy_s: f64,
    pub(crate) provisioned_s: f64,
    /// IT energy without fans and power supplies; not a number is unknown.
    pub(crate) compute_kwh: f64,
}

impl Values {
    /// Nothing, known to be nothing.
    pub(crate) const ZERO: Self =
        Self { sums: [0.0; SUMS.len()], weighted_concurrency: 0.0, busy_s: 0.0, provisioned_s: 0.0, compute_kwh: 0.0 };

    /// Everything unknown.
    pub(crate) const UNKNOWN: Self = Self { sums: [f64::NAN; SUMS.len()], compute_kwh: f64::NAN, ..Self::ZERO };

    /// The columns that follow from the energy of some load at a site in an hour, with the mean of its overhead.
    #[must_use]
    pub fn at_site(parts: &Parts, hour: &SiteHour) -> Self {
        let ([prefill, decode, training, idle, host], it) = Self::it(parts);
        let mut values = Self::overhead(it, &hour.facility.average, hour);
        let parts = [parts.replica_s, prefill.0, decode.0, training.0, idle.0, host.0, it.0];
        values.sums[..parts.len()].copy_from_slice(&parts);
        values.sums[FACILITY] += it.0;
        values.causes(hour);
        values
    }

    /// IT energy by component, and in all.
    fn it(parts: &Parts) -> ([KilowattHours; 5], KilowattHours) {
        let joules = [parts.prefill_j, parts.decode_j, parts.training_j, parts.idle_j, parts.host_j];
        let [prefill, decode, training, idle, host] = joules.map(|joules| KilowattHours::from(Joules(joules)));
        ([prefill, decode, training, idle, host], prefill + decode + training + idle + host)
    }

    /// Energy of the facility alone, as [`Self::at_site`] has it.
    pub(super) fn facility_kwh(parts: &Parts, around: &Around) -> f64 {
        let (_, it) = Self::it(parts);
        it.0 * around.cooling + it.0 * around.power_delivery + it.0
    }

    /// What stands around some IT energy, without that energy and without what it causes.
    pub(super) fn overhead(it: KilowattHours, around: &Around, hour: &SiteHour) -> Self {
        let mut values = Self::ZERO;
        let (cooling, power_delivery) = (it.0 * around.cooling, it.0 * around.power_delivery);
        let consumed = it.0 * around.water_consumed_l;
        values.sums[COOLING] = cooling;
        values.sums[COOLING + 1] = power_delivery;
        values.sums[FACILITY] = cooling + power_delivery;
        values.sums[FACILITY + 1] = it.0 * around.water_input_l;
        values.sums[FACILITY + 2] = consumed;
        values.sums[STRESS] = hour.stress_weight.map_or(f64::NAN, |weight| consumed * weight);
        values
    }

    /// Fills in what the energy of the facility drinks and emits at its grid.
    pub(super) fn causes(&mut self, hour: &SiteHour) {
        let all = KilowattHours(self.sums[FACILITY]);
        let grid = &hour.grid;
        let unknown = f64::NAN;
        let sums = &mut self.sums;
        sums[WATER_OFFSITE] = grid.water.map_or(unknown, |(w, _)| (w * all).0);
        sums[WATER_OFFSITE + 1] = grid.water_with_hydro.map_or(unknown, |(w, _)| (w * all).0);
        sums[LOCATION] = grid.direct.map_or(unknown, |(factor, _)| emissions::location(all, factor).0);
        sums[MARKET] = grid.market.map_or(unknown, |factor| emissions::market(all, factor).0);
        sums[UPSTREAM] = grid.upstream.map_or(unknown, |factor| emissions::upstream(all, factor).0);
        sums[MARGINAL] = grid.marginal.map_or(unknown, |(factor, _)| emissions::marginal(all, factor).0);
        let of_grid = |factor: Option<f64>| factor.map_or(unknown, |factor| factor * all.0);
        sums[ADPE] = of_grid(grid.adpe_kg_sb_per_kwh);
        sums[PRIMARY] = of_grid(grid.primary_energy_mj_per_kwh);
    }

    /// Time that machines stand there for this load: what is provisioned for it, else what it takes of them.
    pub(super) const fn standing_s(&self) -> f64 {
        if self.provisioned_s > 0.0 { self.provisioned_s } else { self.sums[0] }
    }

    /// Adds what making the machines takes, of the time that they stand there for this load.
    pub(super) fn embody(&mut self, per_second: &Burden, time_s: f64) {
        let [gwp_kg, adpe_kg, primary_mj, water_l, mass_kg] = per_second.parts().map(|range| range.value * time_s);
        let sums = &mut self.sums;
        sums[EMBODIED] += gwp_kg * GRAMS_PER_KILOGRAM;
        sums[WATER_EMBODIED] += water_l;
        sums[ADPE_EMBODIED] += adpe_kg;
        sums[ADPE] += adpe_kg;
        sums[PRIMARY_EMBODIED] += primary_mj;
        sums[PRIMARY] += primary_mj;
        sums[EWASTE] += mass_kg;
    }

    /// Sets the market-based account by the contracts of the hour.
    pub(super) fn market(&mut self, hour: &SiteHour) {
        let all = KilowattHours(self.sums[FACILITY]);
        self.sums[MARKET] = hour.grid.market.map_or(f64::NAN, |factor| emissions::market(all, factor).0);
    }

    /// The columns that are unknown, one bit each.
    pub(super) fn unknown(&self) -> u32 {
        const { assert!(SUMS.len() <= u32::BITS as usize, "one bit each") };
        self.sums.iter().rev().fold(0, |bits, value| bits << 1 | u32::from(value.is_nan()))
    }

    /// The same load at another size: every sum but time scales; before [`Self::embody`].
    #[must_use]
    pub(super) fn scaled(mut self, factor: f64) -> Self {
        for sum in &mut self.sums[1..] {
            *sum *= factor;
        }
        self.compute_kwh *= factor;
        self
    }

    /// Adds another load column by column.
    pub(super) fn plus(mut self, other: &Self) -> Self {
        for (sum, more) in self.sums.iter_mut().zip(other.sums) {
            *sum += more;
        }
        self.compute_kwh += other.compute_kwh;
        self
    }
}

/// The places of the bits that are set.
pub(super) fn bits(mut set: u32) -> impl Iterator<Item = usize> {
    std::iter::from_fn(move || {
        let at = (set != 0).then(|| set.trailing_zeros() as usize)?;
        set &= set - 1;
        Some(at)
    })
}

/// Places of columns in [`SUMS`].
const COOLING: usize = 7;
/// Facility energy; water taken in and consumed stand behind it.
pub(super) const FACILITY: usize = 9;
const WATER_OFFSITE: usize = 12;
const STRESS: usize = 14;
const LOCATION: usize = 15;
const MARKET: usize = 16;
const UPSTREAM: usize = 17;
const MARGINAL: usize = 18;
/// The first column of what making the machines takes.
pub(super) const EMBODIED: usize = 19;
const WATER_EMBODIED: usize = 20;
const ADPE_EMBODIED: usize = 21;
const ADPE: usize = 22;
const PRIMARY_EMBODIED: usize = 23;
const PRIMARY: usize = 24;
const EWASTE: usize = 25;
pub(super) const IT: usize = 6;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_those_of_the_columns() {
        for (place, name) in [
            (IT, "it_kwh"),
            (COOLING, "cooling_kwh"),
            (COOLING + 1, "power_delivery_kwh"),
            (FACILITY, "facility_kwh"),
            (FACILITY + 1, "water_onsite_l"),
            (FACILITY + 2, "water_onsite_consumed_l"),
            (WATER_OFFSITE, "water_offsite_l"),
            (WATER_OFFSITE + 1, "water_offsite_with_hydro_l"),
            (STRESS, "water_stress_weighted_l"),
            (LOCATION, "co2e_location_g"),
            (MARKET, "co2e_market_g"),
            (UPSTREAM, "co2e_upstream_g"),
            (MARGINAL, "co2e_marginal_g"),
            (EMBODIED, "co2e_embodied_g"),
            (WATER_EMBODIED, "water_embodied_l"),
            (ADPE_EMBODIED, "adpe_embodied_kg_sb"),
            (ADPE, "adpe_kg_sb"),
            (PRIMARY_EMBODIED, "primary_energy_embodied_mj"),
            (PRIMARY, "primary_energy_mj"),
            (EWASTE, "ewaste_kg"),
        ] {
            assert_eq!(SUMS[place].name, name);
        }
    }
}
