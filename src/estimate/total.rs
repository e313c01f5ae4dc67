//! Sums of lines, with what was unknown in them.

use super::columns::{COUNTS, FACILITY, IT, RATIOS, SUMS, Values, bits, sum};

/// Sums that remember what was unknown in them.
#[derive(Clone, Debug, PartialEq)]
pub struct Total {
    /// Exact counts by column of [`COUNTS`].
    pub counts: [u128; COUNTS.len()],
    known: [f64; SUMS.len()],
    /// IT energy of the lines whose value is known.
    it_of_known: [f64; SUMS.len()],
    any: [bool; SUMS.len()],
    /// Columns that a line without requests lacks, and that are unknown as a whole for it.
    lacking: [bool; SUMS.len()],
    /// Requests whose value is unknown, by column of [`SUMS`].
    pub unknown_requests: [u128; SUMS.len()],
    weighted_concurrency: f64,
    busy_s: f64,
    provisioned_s: f64,
    compute_kwh: f64,
    facility_of_compute: f64,
}

impl Default for Total {
    fn default() -> Self {
        Self {
            counts: [0; COUNTS.len()],
            known: [0.0; SUMS.len()],
            it_of_known: [0.0; SUMS.len()],
            any: [false; SUMS.len()],
            lacking: [false; SUMS.len()],
            unknown_requests: [0; SUMS.len()],
            weighted_concurrency: 0.0,
            busy_s: 0.0,
            provisioned_s: 0.0,
            compute_kwh: 0.0,
            facility_of_compute: 0.0,
        }
    }
}

impl Total {
    /// Adds a line.
    pub fn add(&mut self, counts: &[u128; COUNTS.len()], values: &Values) {
        for (sum, n) in self.counts.iter_mut().zip(counts) {
            *sum += n;
        }
        for (i, value) in values.sums.into_iter().enumerate() {
            let known = !value.is_nan();
            self.known[i] += if known { value } else { 0.0 };
            self.it_of_known[i] += if known { values.sums[IT] } else { 0.0 };
            self.any[i] |= known;
        }
        for at in bits(values.unknown()) {
            self.unknown_requests[at] += counts[0];
        }
        self.weighted_concurrency += values.weighted_concurrency;
        self.busy_s += values.busy_s;
        self.provisioned_s += values.provisioned_s;
        if !values.compute_kwh.is_nan() {
            self.compute_kwh += values.compute_kwh;
            self.facility_of_compute += values.sums[FACILITY];
        }
    }

    /// Adds a line that no request stands behind: what is unknown of it is unknown of the whole.
    pub fn add_whole(&mut self, values: &Values) {
        self.add(&[0; COUNTS.len()], values);
        for (lacking, value) in self.lacking.iter_mut().zip(values.sums) {
            *lacking |= value.is_nan();
        }
    }

    /// Requests without an energy estimate: their route goes nowhere, or their bin has no operating point.
    #[must_use]
    pub fn unestimated_requests(&self) -> u128 {
        self.unknown_requests[sum("it_kwh")]
    }

    /// The known part of a sum, or `None` where nothing of it is known.
    #[must_use]
    pub fn value(&self, column: usize) -> Option<f64> {
        (self.any[column] && !self.lacking[column]).then_some(self.known[column])
    }

    /// The sums and then the ratios, in the order of [`SUMS`] and [`RATIOS`].
    #[must_use]
    pub fn values(&self) -> Vec<Option<f64>> {
        (0..SUMS.len()).map(|i| self.value(i)).chain(self.ratios()).collect()
    }

    /// The ratios, in the order of [`RATIOS`].
    pub(super) fn ratios(&self) -> [Option<f64>; RATIOS.len()] {
        let replica_s = self.known[0];
        let over_it = |name: &str| {
            let at = sum(name);
            (self.value(at).is_some() && self.it_of_known[at] > 0.0).then(|| self.known[at] / self.it_of_known[at])
        };
        [
            (replica_s > 0.0).then(|| self.weighted_concurrency / replica_s),
            (self.provisioned_s > 0.0).then(|| self.busy_s / self.provisioned_s),
            over_it("facility_kwh"),
            over_it("water_onsite_l"),
            over_it("water_onsite_consumed_l"),
            over_it("co2e_location_g"),
            (self.compute_kwh > 0.0).then(|| self.facility_of_compute / self.compute_kwh),
        ]
    }
}
