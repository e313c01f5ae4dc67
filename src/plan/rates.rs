//! Rates: what one unit of each feature costs in one deployment and bin, at its operating point.
//!
//! An estimate is rates × moments and an annotation is rates × features of one event: the same numbers, so they agree.

use crate::hours::Timeline;
use crate::physics::inference::{Coefficients, Features};

/// Costs of one deployment in one bin.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rate {
    /// Joules and seconds per unit of each feature, the rated-power cap applied.
    pub coefficients: Coefficients,
    /// Idle accelerator energy per second of replica time, in joules.
    pub idle_j_per_s: f64,
    /// Host energy, working and idle, per second of replica time, in joules.
    pub host_j_per_s: f64,
    /// Concurrency while busy.
    pub concurrency: f64,
    /// Provisioned replica seconds per second of replica time; 0 where nothing is provisioned for this load alone.
    pub provisioned_per_s: f64,
    /// Busy replica seconds per second of replica time.
    pub busy_per_s: f64,
}

/// Energy of some load by component, in joules, and its time on the replica in seconds.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Parts {
    /// Accelerators in prefill.
    pub prefill_j: f64,
    /// Accelerators in decode.
    pub decode_j: f64,
    /// Accelerators in training.
    pub training_j: f64,
    /// Accelerators provisioned and idle.
    pub idle_j: f64,
    /// Host.
    pub host_j: f64,
    /// Share of the wall time of whole replicas.
    pub replica_s: f64,
}

impl Parts {
    /// IT energy.
    #[must_use]
    pub fn it_j(&self) -> f64 {
        self.prefill_j + self.decode_j + self.training_j + self.idle_j + self.host_j
    }

    /// The same time with energies of another size.
    #[must_use]
    pub fn scaled(&self, factor: f64) -> Self {
        Self {
            prefill_j: self.prefill_j * factor,
            decode_j: self.decode_j * factor,
            training_j: self.training_j * factor,
            idle_j: self.idle_j * factor,
            host_j: self.host_j * factor,
            replica_s: self.replica_s,
        }
    }

    /// The sum of two.
    #[must_use]
    pub fn plus(&self, other: &Self) -> Self {
        Self {
            prefill_j: self.prefill_j + other.prefill_j,
            decode_j: self.decode_j + other.decode_j,
            training_j: self.training_j + other.training_j,
            idle_j: self.idle_j + other.idle_j,
            host_j: self.host_j + other.host_j,
            replica_s: self.replica_s + other.replica_s,
        }
    }
}

impl Rate {
    /// Costs of this load.
    #[must_use]
    pub fn parts(&self, features: &Features) -> Parts {
        let (prefill, decode) = self.coefficients.energy(features);
        let replica_s = self.coefficients.replica_time(features).0;
        Parts {
            prefill_j: prefill.0,
            decode_j: decode.0,
            training_j: 0.0,
            idle_j: self.idle_j_per_s * replica_s,
            host_j: self.host_j_per_s * replica_s,
            replica_s,
        }
    }
}

/// Rates by deployment and bin. What is the same in all bins of a deployment is kept once.
#[derive(Clone, Debug, Default)]
pub struct RateTable {
    rates: Vec<Rate>,
    /// By deployment: where the rate of each bin lies.
    places: Vec<Timeline<usize>>,
}

impl RateTable {
    /// Adds the rate of a deployment and bin.
    ///
    /// # Panics
    /// If it is not behind the bins of the deployment that are there.
    pub fn insert(&mut self, deployment: usize, bin: i64, rate: Rate) {
        if self.places.len() <= deployment {
            self.places.resize_with(deployment + 1, Timeline::default);
        }
        let places = &mut self.places[deployment];
        let same = places.values().last().filter(|at| self.rates[**at] == rate).copied();
        places.push(bin, same.unwrap_or(self.rates.len()));
        if same.is_none() {
            self.rates.push(rate);
        }
    }

    /// Every rate there is.
    #[must_use]
    pub fn all(&self) -> &[Rate] {
        &self.rates
    }

    /// The rate of a deployment and bin.
    #[must_use]
    pub fn get(&self, deployment: usize, bin: i64) -> Option<&Rate> {
        self.places.get(deployment)?.get(bin).map(|at| &self.rates[*at])
    }
}
