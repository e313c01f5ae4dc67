//! The accelerators of one deployment by bin: what a meter on them would show.

use super::Estimate;
use super::columns::sum;
use crate::ledger::{NULL_BIN, OCCUPANCY_BIN_S};
use crate::units::{Joules, KilowattHours};
use std::collections::BTreeMap;

/// Estimated accelerator energy of one deployment in one bin, without its host.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct AcceleratorBin {
    /// Start of what is estimated, seconds since 1970 UTC: that of the bin, or of the provisioned period inside it.
    pub start_s: i64,
    /// Its end.
    pub end_s: i64,
    /// Requests that began in it.
    pub requests: u128,
    /// Prefill and decode.
    pub busy: Joules,
    /// Provisioned and idle.
    pub idle: Joules,
    /// Time of whole replicas that the requests take, in seconds.
    pub replica_s: f64,
    /// Busy time of replicas by the operating points: what the log shows, where it shows latency.
    pub busy_s: f64,
}

impl AcceleratorBin {
    /// Length in seconds.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "at most an hour")]
    pub fn seconds(&self) -> f64 {
        (self.end_s - self.start_s) as f64
    }
}

impl Estimate {
    /// Accelerator energy of a deployment of the plan by bin, in order of time, and the requests whose time is unknown.
    #[must_use]
    pub fn accelerators(&self, deployment: usize) -> (Vec<AcceleratorBin>, u128) {
        let [prefill, decode, idle] = ["prefill_kwh", "decode_kwh", "idle_kwh"].map(sum);
        let width = i64::from(self.bin_seconds.max(OCCUPANCY_BIN_S));
        let mut bins: BTreeMap<i64, AcceleratorBin> = BTreeMap::new();
        let mut without_time = 0;
        for line in self.lines.iter().filter(|line| line.deployment() == Some(deployment)) {
            if line.bin == NULL_BIN {
                without_time += line.counts[0];
                continue;
            }
            let (start, end) = self.periods[deployment].unwrap_or((line.bin, line.bin + width));
            let bin = bins.entry(line.bin).or_insert(AcceleratorBin {
                start_s: line.bin.max(start),
                end_s: (line.bin + width).min(end),
                ..AcceleratorBin::default()
            });
            let values = self.values(line);
            let joules = |column: usize| Joules::from(KilowattHours(values.sums[column]));
            bin.requests += line.counts[0];
            bin.busy += joules(prefill) + joules(decode);
            bin.idle += joules(idle);
            bin.replica_s += values.sums[0];
            bin.busy_s += values.busy_s;
        }
        (bins.into_values().filter(|bin| bin.end_s > bin.start_s).collect(), without_time)
    }
}
