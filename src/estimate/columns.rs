//! The columns of an estimate: name, unit, meaning; and values by column.

use crate::physics::{emissions, facility};
use crate::plan::{Parts, Site};
use crate::units::{Joules, KilowattHours};

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
pub const SUMS: [Column; 19] = [
    column("replica_seconds", "s", "this load's share of the wall time of whole replicas"),
    column("prefill_kwh", "kWh", "accelerators, prefill"),
    column("decode_kwh", "kWh", "accelerators, decode"),
    column("idle_kwh", "kWh", "accelerators provisioned and idle"),
    column("host_kwh", "kWh", "CPU, DRAM, NIC, fans, power supplies"),
    column("it_kwh", "kWh", "prefill + decode + idle + host"),
    column("cooling_kwh", "kWh", "cooling"),
    column("power_delivery_kwh", "kWh", "UPS, distribution, lighting, other"),
    column("facility_kwh", "kWh", "IT + cooling + power delivery"),
    column("water_onsite_l", "L", "water taken in at the site"),
    column("water_onsite_consumed_l", "L", "water evaporated at the site"),
    column("water_offsite_l", "L", "water consumed by generation, without reservoir evaporation"),
    column("water_offsite_with_hydro_l", "L", "water consumed by generation, with reservoir evaporation"),
    column("water_stress_weighted_l", "L", "on-site water weighted by the stress of its basin"),
    column("co2e_location_g", "g", "Scope 2, direct factors of the grid"),
    column("co2e_market_g", "g", "Scope 2, contracts and residual mix"),
    column("co2e_upstream_g", "g", "Scope 3 category 3: lifecycle minus direct"),
    column("co2e_marginal_g", "g", "consequence of one more kWh; never inside an inventory total"),
    column("co2e_embodied_g", "g", "manufacture, amortised"),
];

/// Columns derived from sums: they do not add.
pub const RATIOS: [Column; 2] = [
    column("concurrency", "requests", "requests a replica runs at once, mean over its busy time"),
    column("utilisation", "", "busy share of provisioned replica time"),
];

/// Columns nothing here computes yet, each with the reason given for its null.
pub const NOT_COMPUTED: [(&str, &str); 5] = [
    ("water_onsite_consumed_l", "an annual water usage effectiveness does not tell evaporation from blowdown"),
    ("water_stress_weighted_l", "no stress weight is given"),
    ("co2e_market_g", "no contracts and no residual mix are given"),
    ("co2e_marginal_g", "no marginal factor is given"),
    ("co2e_embodied_g", "embodied burdens are not amortised yet"),
];

/// Place of a sum by name.
///
/// # Panics
/// For a name that is no sum.
#[must_use]
pub fn sum(name: &str) -> usize {
    SUMS.iter().position(|c| c.name == name).expect("a column of SUMS")
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
}

impl Values {
    /// Nothing, known to be nothing.
    pub(crate) const ZERO: Self =
        Self { sums: [0.0; SUMS.len()], weighted_concurrency: 0.0, busy_s: 0.0, provisioned_s: 0.0 };

    /// Everything unknown.
    pub(crate) const UNKNOWN: Self =
        Self { sums: [f64::NAN; SUMS.len()], weighted_concurrency: 0.0, busy_s: 0.0, provisioned_s: 0.0 };

    /// The columns that follow from the energy of some load at a site.
    #[must_use]
    pub fn at_site(parts: &Parts, site: &Site) -> Self {
        let kwh = |joules: f64| KilowattHours::from(Joules(joules));
        let (prefill, decode) = (kwh(parts.prefill_j), kwh(parts.decode_j));
        let (idle, host) = (kwh(parts.idle_j), kwh(parts.host_j));
        let it = prefill + decode + idle + host;
        let around = facility::overhead(it, site.pue);
        let all = it + around.cooling + around.power_delivery;
        let unknown = f64::NAN;
        let upstream = site.direct.zip(site.lifecycle).and_then(|(d, l)| emissions::upstream(all, d, l));
        let sums = [
            parts.replica_s,
            prefill.0,
            decode.0,
            idle.0,
            host.0,
            it.0,
            around.cooling.0,
            around.power_delivery.0,
            all.0,
            facility::water(it, site.wue).0,
            unknown,
            site.water.map_or(unknown, |w| facility::water(all, w).0),
            site.water_with_hydro.map_or(unknown, |w| facility::water(all, w).0),
            unknown,
            site.direct.map_or(unknown, |direct| emissions::location(all, direct).0),
            unknown,
            upstream.map_or(unknown, |g| g.0),
            unknown,
            unknown,
        ];
        Self { sums, ..Self::ZERO }
    }
}

/// Sums that remember what was unknown in them.
#[derive(Clone, Debug, PartialEq)]
pub struct Total {
    /// Exact counts by column of [`COUNTS`].
    pub counts: [u128; COUNTS.len()],
    known: [f64; SUMS.len()],
    any: [bool; SUMS.len()],
    /// Requests whose value is unknown, by column of [`SUMS`].
    pub unknown_requests: [u128; SUMS.len()],
    weighted_concurrency: f64,
    busy_s: f64,
    provisioned_s: f64,
}

impl Default for Total {
    fn default() -> Self {
        Self {
            counts: [0; COUNTS.len()],
            known: [0.0; SUMS.len()],
            any: [false; SUMS.len()],
            unknown_requests: [0; SUMS.len()],
            weighted_concurrency: 0.0,
            busy_s: 0.0,
            provisioned_s: 0.0,
        }
    }
}

impl Total {
    /// Adds a line.
    pub fn add(&mut self, counts: &[u128; COUNTS.len()], values: &Values) {
        for (sum, n) in self.counts.iter_mut().zip(counts) {
            *sum += n;
        }
        for (i, value) in values.sums.iter().enumerate() {
            if value.is_nan() {
                self.unknown_requests[i] += counts[0];
            } else {
                self.known[i] += value;
                self.any[i] = true;
            }
        }
        self.weighted_concurrency += values.weighted_concurrency;
        self.busy_s += values.busy_s;
        self.provisioned_s += values.provisioned_s;
    }

    /// Requests without an energy estimate: their route goes nowhere, or their bin has no operating point.
    #[must_use]
    pub fn unestimated_requests(&self) -> u128 {
        self.unknown_requests[sum("it_kwh")]
    }

    /// The known part of a sum, or `None` where nothing of it is known.
    #[must_use]
    pub fn value(&self, column: usize) -> Option<f64> {
        self.any[column].then_some(self.known[column])
    }

    /// The sums and then the ratios, in the order of [`SUMS`] and [`RATIOS`].
    #[must_use]
    pub fn values(&self) -> Vec<Option<f64>> {
        let replica_s = self.known[0];
        let ratios = [
            (replica_s > 0.0).then(|| self.weighted_concurrency / replica_s),
            (self.provisioned_s > 0.0).then(|| self.busy_s / self.provisioned_s),
        ];
        (0..SUMS.len()).map(|i| self.value(i)).chain(ratios).collect()
    }
}
