//! One deployment: its bins joined to the readings of its meters.

use super::scale::{quantile, residual, solve};
use super::{Bin, DeploymentCalibration, UNBOUND, Waiting};
use crate::calibration::join::{Missing, Rule, energies, together};
use crate::calibration::lag::{Lag, detect};
use crate::calibration::series::Series;
use crate::calibration::spread::spread;
use crate::calibration::{argument, check_scale};
use crate::estimate::{AcceleratorBin, Estimate};
use crate::fleet::Fleet;
use crate::ledger::OCCUPANCY_BIN_S;
use crate::plan::Deployed;
use crate::plan::Metered;
use crate::units::{Joules, KilowattHours};
use crate::{Error, Result};
use std::collections::BTreeMap;

/// What a reading may lie above rated power: errors of meters.
const ABOVE_RATED: f64 = 1.02;

/// One deployment with what a meter and the method say of its bins.
struct Joined<'a> {
    place: String,
    deployed: &'a Deployed,
    /// Bins that the series tells, with metered joules.
    used: Vec<(AcceleratorBin, f64)>,
    /// Factor on the replica time of the method, as far as the balance needs one.
    stretch: f64,
    excluded: BTreeMap<&'static str, u64>,
}

impl Joined<'_> {
    /// All accelerators at rated power, in watts.
    fn rated_w(&self) -> f64 {
        self.deployed.rated.0 * self.deployed.replicas
    }

    /// Busy time in the log over the replica time that the method thinks its requests take.
    fn busy_over_replica_time(&self) -> f64 {
        let sum = |of: fn(&AcceleratorBin) -> f64| self.used.iter().map(|(bin, _)| of(bin)).sum::<f64>();
        sum(|bin| bin.busy_s) / sum(|bin| bin.replica_s)
    }

    /// The scale that closes the balance. Where rated power over the method's own time is too little for what was
    /// metered, and requests were in the replica for longer than that, the time is stretched with it.
    fn solve(&mut self) -> Result<f64> {
        let metered_j = self.used.iter().map(|(_, joules)| joules).sum();
        let idle_j = self.used.iter().map(|(bin, _)| bin.idle.0).sum();
        let busy = |joined: &Self| joined.used.iter().map(|(bin, _)| joined.busy(bin)).collect::<Vec<_>>();
        let first = match solve(&self.place, metered_j, idle_j, &busy(self)) {
            Ok(scale) => return Ok(scale),
            Err(error) => error,
        };
        let stretch = self.busy_over_replica_time();
        if !stretch.is_finite() || stretch <= 1.0 {
            return Err(first);
        }
        self.stretch = stretch;
        solve(&self.place, metered_j, idle_j, &busy(self)).map_err(|_| first)
    }

    fn accelerators(&self) -> f64 {
        self.deployed.devices * self.deployed.replicas
    }

    /// Busy energy of a bin without scale, and the most there can be of it.
    fn busy(&self, bin: &AcceleratorBin) -> (f64, f64) {
        (bin.busy.0 / UNBOUND, self.deployed.rated.0 * bin.replica_s * self.stretch)
    }

    fn estimated(&self, bin: &AcceleratorBin, scale: f64) -> f64 {
        let (raw, most) = self.busy(bin);
        (scale * raw).min(most) + bin.idle.0
    }

    /// Refuses what cannot be the power of these accelerators.
    fn check_power(&self, warnings: &mut Vec<String>) -> Result<()> {
        let mut watts: Vec<f64> = self.used.iter().map(|(bin, metered)| metered / bin.seconds()).collect();
        let (rated, n) = (self.rated_w(), self.accelerators());
        let high = quantile(&mut watts, 0.9);
        if high > ABOVE_RATED * rated {
            let expected = format!(
                "at most {rated} W, what its {n} accelerators are rated for; a reading of whole servers or of their \
                 supplies does not fit: give accelerator power (power.draw, DCGM_FI_DEV_POWER_USAGE), or correct \
                 devices and replicas"
            );
            return Err(argument(&format!("{}, metered power in W", self.place), format!("{high:.1}"), expected));
        }
        let most = watts.last().copied().unwrap_or(0.0);
        if most > ABOVE_RATED * rated {
            warnings.push(format!("single bins read up to {most:.0} W, above the {rated} W that {n} accelerators may"));
        }
        Ok(())
    }

    #[expect(clippy::cast_precision_loss, reason = "bins are few")]
    fn waiting(&self) -> Option<Waiting> {
        let (mut bins, mut metered, mut estimated) = (0_u64, 0.0, 0.0);
        for (bin, joules) in self.used.iter().filter(|(bin, _)| bin.requests == 0 && bin.idle.0 > 0.0) {
            // The tail of earlier requests is work, not waiting.
            if bin.idle.0 >= 0.999 * self.deployed.idle.0 * self.deployed.replicas * bin.seconds() {
                bins += 1;
                metered += joules / bin.seconds();
                estimated += bin.idle.0 / bin.seconds();
            }
        }
        let each = bins as f64 * self.accelerators();
        (bins > 0).then(|| Waiting { bins, metered_w_each: metered / each, estimated_w_each: estimated / each })
    }
}

/// Everything that the scales of one deployment follow from.
pub(super) struct Calibrating<'a> {
    pub fleet: &'a Fleet,
    pub series: &'a Series,
    pub estimate: &'a Estimate,
    pub at: usize,
    pub numbers: &'a [usize],
    pub rule: Rule,
    pub bin_s: u32,
}

impl Calibrating<'_> {
    /// Joules of all its meters in these stretches.
    fn metered(&self, stretches: &[(i64, i64)]) -> Vec<std::result::Result<f64, Missing>> {
        let of = |meter: &usize| energies(self.series.samples_of(*meter), self.series.quantity, stretches, self.rule);
        together(&self.numbers.iter().map(of).collect::<Vec<_>>(), stretches.len())
    }

    fn join(&self) -> Result<(Joined<'_>, Vec<String>)> {
        let deployed = &self.estimate.plan().deployments()[self.at];
        let place = format!("deployment `{}`", deployed.name);
        if !deployed.dedicated {
            return Err(Error::FleetConflict {
                place,
                problem: "its accelerators also serve load that the log does not show, or wait uncharged".into(),
                hint:
                    "state replicas, and tenancy = \"dedicated\" and log_fraction = 1 if that is so; or calibrate with \
                       one metered point"
                        .into(),
            });
        }
        let (bins, without_time) = self.estimate.accelerators(self.at);
        if bins.iter().all(|bin| bin.requests == 0) {
            let expected = "requests of it in the log; see `match` in the fleet file";
            return Err(argument(&format!("{place}, requests with a time"), 0, expected));
        }
        let mut warnings = Vec::new();
        if without_time > 0 {
            warnings.push(format!("{without_time} requests have no time: their energy is metered and in no bin"));
        }
        let stretches: Vec<(i64, i64)> = bins.iter().map(|b| (b.start_s * 1_000_000, b.end_s * 1_000_000)).collect();
        let mut joined = Joined { place, deployed, used: Vec::new(), stretch: 1.0, excluded: BTreeMap::new() };
        for (bin, metered) in bins.into_iter().zip(self.metered(&stretches)) {
            match metered {
                Ok(joules) => joined.used.push((bin, joules)),
                Err(missing) => *joined.excluded.entry(missing.name()).or_default() += 1,
            }
        }
        if joined.used.is_empty() {
            let told = |us: i64| jiff::Timestamp::from_microsecond(us).map_or(String::new(), |time| time.to_string());
            let [series, log] =
                [self.series.period_us(), stretches.first().zip(stretches.last()).map(|(a, b)| (a.0, b.1))]
                    .map(|period| period.map_or(String::new(), |(from, to)| format!("{} to {}", told(from), told(to))));
            let why: Vec<String> = joined.excluded.iter().map(|(why, n)| format!("{n} {why}")).collect();
            let expected = format!(
                "at least one: the series runs {series}, the log {log} ({}); check zones, --max-gap and --lag",
                why.join(", ")
            );
            return Err(argument(&format!("{}, bins that the series tells", joined.place), 0, expected));
        }
        self.count_meters(&joined, &mut warnings);
        Ok((joined, warnings))
    }

    #[expect(clippy::cast_precision_loss, reason = "meters are few")]
    fn count_meters(&self, joined: &Joined<'_>, warnings: &mut Vec<String>) {
        let (n, expected) = (self.numbers.len(), joined.accelerators());
        let named = self.numbers.iter().any(|number| !self.series.meters()[*number].name.is_empty());
        if named && (n as f64 - expected).abs() > 0.5 {
            warnings.push(format!(
                "{n} meters for {expected} accelerators: right if each of them is a sum, else some are missing or others \
                 are in it"
            ));
        }
    }

    fn lag(&self, joined: &Joined<'_>, scale: f64) -> Option<Lag> {
        let width = i64::from(self.bin_s.max(OCCUPANCY_BIN_S));
        let whole = f64::from(self.bin_s);
        let estimated: BTreeMap<i64, f64> = joined
            .used
            .iter()
            .filter(|(bin, _)| bin.seconds() >= whole)
            .map(|(bin, _)| (bin.start_s.div_euclid(width), joined.estimated(bin, scale) / bin.seconds()))
            .collect();
        let (from, to) = self.series.period_us()?;
        let bins: Vec<i64> =
            (from.div_euclid(width * 1_000_000)..=to.div_euclid(width * 1_000_000)).take(1 << 20).collect();
        let edge = |bin: i64| bin * width * 1_000_000;
        let stretches: Vec<(i64, i64)> = bins.iter().map(|bin| (edge(*bin), edge(bin + 1))).collect();
        let metered = bins.iter().zip(self.metered(&stretches));
        let metered = metered.filter_map(|(bin, joules)| Some((*bin, joules.ok()? / whole))).collect();
        detect(&metered, &estimated, width)
    }

    /// Its scales.
    pub fn scales(&self) -> Result<DeploymentCalibration> {
        let (mut joined, mut warnings) = self.join()?;
        joined.check_power(&mut warnings)?;
        let stated = &self.fleet.deployments()[self.at];
        let metered_j: f64 = joined.used.iter().map(|(_, joules)| joules).sum();
        let idle_j: f64 = joined.used.iter().map(|(bin, _)| bin.idle.0).sum();
        let busy: Vec<(f64, f64)> = joined.used.iter().map(|(bin, _)| joined.busy(bin)).collect();
        if busy.iter().all(|(raw, _)| *raw <= 0.0) {
            let expected = "energy of requests in the bins that the series tells";
            return Err(argument(&format!("{}, estimated busy energy in J", joined.place), 0, expected));
        }
        let as_stated = stated.energy_scale.unwrap_or(1.0);
        let before: Vec<f64> = joined.used.iter().map(|(bin, _)| joined.estimated(bin, as_stated)).collect();
        let scale = joined.solve()?;
        let busy: Vec<(f64, f64)> = joined.used.iter().map(|(bin, _)| joined.busy(bin)).collect();
        warnings.extend(check_scale(&joined.place, "energy_scale", scale)?);
        let time_scale = (joined.stretch > 1.0).then(|| joined.stretch * stated.time_scale.unwrap_or(1.0));
        if let Some(time_scale) = time_scale {
            warnings.extend(check_scale(&joined.place, "time_scale", time_scale)?);
            warnings.push(format!(
                "requests were in the replicas {:.2} times as long as the method thinks they take; at its own times even \
                 rated power falls short of the metered energy, so that time_scale {time_scale:.3} comes with the scale",
                joined.stretch
            ));
        }
        let kwh = |joules: f64| KilowattHours::from(Joules(joules)).0;
        let bins: Vec<Bin> = joined
            .used
            .iter()
            .zip(&before)
            .map(|((bin, metered), before)| Bin {
                start_s: bin.start_s,
                seconds: bin.seconds(),
                metered_kwh: kwh(*metered),
                estimated_kwh: kwh(*before),
                calibrated_kwh: kwh(joined.estimated(bin, scale)),
            })
            .collect();
        let waiting = joined.waiting();
        if idle_j > 0.5 * metered_j {
            let known = waiting.map_or(String::new(), |w| {
                format!(
                    "; bins without requests read {:.0} W each, estimated {:.0} W",
                    w.metered_w_each, w.estimated_w_each
                )
            });
            warnings.push(format!(
                "{:.0} % of the metered energy is waiting, which is estimated and not scaled: the scale rests on \
                 idle_context_w of the accelerator{known}",
                100.0 * idle_j / metered_j
            ));
        }
        let lag_detected = self.lag(&joined, scale);
        if let Some(lag) = lag_detected.filter(|lag| lag.suspicious) {
            let side = if lag.late_by_s > 0 { "late" } else { "early" };
            warnings.push(format!(
                "the series fits the log better as one that is {} s {side} (correlation {:.2} instead of {:.2}): check zones and \
                 clocks; `--lag {}` takes it off",
                lag.late_by_s.abs(),
                lag.correlation,
                lag.correlation_as_is,
                self.rule.lag_us / 1_000_000 + lag.late_by_s
            ));
        }
        Ok(DeploymentCalibration {
            deployment: stated.name.clone(),
            energy_scale: scale,
            time_scale,
            stated_energy_scale: stated.energy_scale,
            busy_over_replica_time: joined.busy_over_replica_time(),
            meters: self.numbers.len(),
            lag_applied_s: 0.0,
            lag_basis: "",
            bins_used: bins.len() as u64,
            bins_at_rated_power: busy.iter().filter(|(raw, most)| *raw > 0.0 && scale * raw >= *most).count() as u64,
            bins_excluded: joined.excluded.clone(),
            metered_kwh: kwh(metered_j),
            estimated_kwh: kwh(before.iter().sum()),
            estimated_idle_kwh: kwh(idle_j),
            residual_before: residual(bins.iter().map(|bin| (bin.estimated_kwh, bin.metered_kwh))),
            residual_after: residual(bins.iter().map(|bin| (bin.calibrated_kwh, bin.metered_kwh))),
            waiting,
            lag_detected,
            interval: spread(self.fleet, joined.deployed, true, Metered::Middle)?,
            warnings,
            bins,
        })
    }
}
