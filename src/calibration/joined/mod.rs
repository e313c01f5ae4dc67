//! A power series and the ledger of the same hours: scales, residuals by bin, and what does not fit.
//!
//! ```text
//! Σ metered = Σ idle + Σ min(energy_scale · busy, rated · S)       over the bins that the series tells
//! ```
//!
//! The right side is what an estimate with the scale comes out at, so the scale is its solution. Residuals are estimated
//! over metered energy of each bin, minus 1.

mod one;
mod scale;

use super::join::Rule;
use super::lag::Lag;
use super::series::{Averaged, Quantity, Series};
use super::{Spread, argument, chosen, edits, snippet};
use crate::Result;
use crate::estimate::Estimate;
use crate::fleet::Fleet;
use crate::fleet::edit::Edit;
use crate::ledger::Ledger;
use one::Calibrating;
use serde::Serialize;
use std::collections::BTreeMap;

/// Gaps up to this many seconds are bridged where nothing is stated, or two and a half times the usual spacing.
const BRIDGED_S: f64 = 60.0;
/// Energy is estimated at this scale, at which no rated power binds, and taken back: a power of two loses no digit.
const UNBOUND: f64 = 1.0 / 1_048_576.0;

/// How a series is joined.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// The deployment that meters without a label belong to; not needed in a fleet of one.
    pub deployment: Option<String>,
    /// Longest time between readings that is bridged, in seconds.
    pub max_gap_s: Option<f64>,
    /// How late the series is, in seconds; `None` takes what is known of its source.
    pub lag_s: Option<f64>,
}

/// Deviation of estimated from metered energy by bin.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Residual {
    /// Median of the absolute deviation, as a ratio.
    pub median: f64,
    /// Its 90th percentile.
    pub p90: f64,
    /// Estimated over metered energy of all bins, minus 1.
    pub bias: f64,
}

/// What the accelerators draw in bins without requests.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Waiting {
    /// Bins without any request.
    pub bins: u64,
    /// Metered power of one accelerator, in watts.
    pub metered_w_each: f64,
    /// Estimated power of one accelerator, in watts.
    pub estimated_w_each: f64,
}

/// One bin that was used.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Bin {
    /// Start, seconds since 1970 UTC.
    pub start_s: i64,
    /// Length in seconds.
    pub seconds: f64,
    /// Metered energy.
    pub metered_kwh: f64,
    /// Estimated energy as the fleet stands.
    pub estimated_kwh: f64,
    /// Estimated energy with the new scale.
    pub calibrated_kwh: f64,
}

/// Scales of one deployment.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct DeploymentCalibration {
    /// Its name.
    pub deployment: String,
    /// Metered over estimated energy of prefill and decode.
    pub energy_scale: f64,
    /// Replica time to state with it, where the balance does not close otherwise.
    pub time_scale: Option<f64>,
    /// The scale that the fleet states already.
    pub stated_energy_scale: Option<f64>,
    /// Busy time in the log over the replica time that the method thinks the requests take; 1 where no latency is logged.
    pub busy_over_replica_time: f64,
    /// Meters that were added up.
    pub meters: usize,
    /// How late the readings were taken to be, in seconds.
    pub lag_applied_s: f64,
    /// Why.
    pub lag_basis: &'static str,
    /// Bins that the series tells.
    pub bins_used: u64,
    /// Bins it does not, by reason.
    pub bins_excluded: BTreeMap<&'static str, u64>,
    /// Bins in which the estimate stands at rated power.
    pub bins_at_rated_power: u64,
    /// Metered energy of the bins used.
    pub metered_kwh: f64,
    /// Estimated energy of the accelerators in them, idle included, as the fleet stands.
    pub estimated_kwh: f64,
    /// The part of it in which they wait.
    pub estimated_idle_kwh: f64,
    /// Residual by bin as the fleet stands.
    pub residual_before: Residual,
    /// Residual by bin with the new scale.
    pub residual_after: Residual,
    /// Bins without requests.
    pub waiting: Option<Waiting>,
    /// Whether the times of the series fit those of the log.
    pub lag_detected: Option<Lag>,
    /// Ranges of nine in ten, before and after.
    pub interval: Spread,
    /// What looks wrong.
    pub warnings: Vec<String>,
    /// The bins used.
    pub bins: Vec<Bin>,
}

/// Scales of all deployments that were metered.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct JoinedCalibration {
    /// By deployment, in the order of the fleet.
    pub deployments: Vec<DeploymentCalibration>,
    /// What the values of the series are.
    pub quantity: Quantity,
    /// Readings.
    pub readings: usize,
    /// Readings that stood before earlier ones.
    pub out_of_order: u64,
    /// Median time between readings of a meter, in seconds.
    pub spacing_s: f64,
    /// Longest time between readings that was bridged.
    pub max_gap_s: f64,
    /// Width of the ledger's bins.
    pub bin_seconds: u32,
    /// Keys of the fleet file that hold the scales.
    pub edits: Vec<Edit>,
    /// The same as lines to paste into the fleet file.
    pub toml: String,
}

/// Meters by place of their deployment in the fleet, and the meters of deployments that are not asked for.
fn assigned(fleet: &Fleet, series: &Series, asked: Option<&str>) -> Result<(BTreeMap<usize, Vec<usize>>, usize)> {
    let (mut meters, mut others): (BTreeMap<usize, Vec<usize>>, usize) = (BTreeMap::new(), 0);
    for (number, meter) in series.meters().iter().enumerate() {
        if let (Some(label), Some(asked)) = (&meter.deployment, asked)
            && label != asked
        {
            others += 1;
            continue;
        }
        let (at, _) = chosen(fleet, meter.deployment.as_deref().or(asked))?;
        meters.entry(at).or_default().push(number);
    }
    if meters.is_empty() {
        let expected = "a deployment that the series has a meter of";
        return Err(argument("deployment", asked.unwrap_or_default(), expected));
    }
    Ok((meters, others))
}

/// How late readings of this series are on this deployment, and why.
fn lag(series: &Series, declared: Option<f64>, hardware: &str, spacing_s: f64) -> (f64, &'static str) {
    // GA100 answers with the power of the moment.
    let ga100 = hardware.starts_with("a100") || hardware.starts_with("a800") || hardware.starts_with("a30");
    match (declared, series.averaged) {
        (Some(lag), _) => (lag, "as declared"),
        (None, Averaged::LastSecond) if ga100 => (0.0, "power.draw of a GA100 is that of the moment"),
        (None, Averaged::LastSecond) if spacing_s <= 1.05 => {
            (0.5, "power.draw is the mean of the last second: half a second late")
        }
        (None, Averaged::LastSecond) => {
            (0.0, "power.draw is the mean of the last second: negligible where readings are further apart than that")
        }
        (None, Averaged::No) => (0.0, "the source tells the moment"),
        (None, Averaged::Unknown) => (0.0, "the source does not say; taken as of the moment"),
    }
}

/// Scales of every deployment that the series meters.
///
/// # Errors
/// A series or a fleet that does not fit: meters of no deployment, a deployment whose log does not show its whole load,
/// power beyond what is rated, scales that no fleet file takes; and as [`Estimate::new`].
pub fn calibrate(ledger: &Ledger, fleet: &Fleet, series: &Series, options: &Options) -> Result<JoinedCalibration> {
    let (meters, others) = assigned(fleet, series, options.deployment.as_deref())?;
    let Some(spacing_s) = series.spacing_s() else {
        return Err(argument("power series", "one reading of each meter", "at least two readings of a meter"));
    };
    let bin_s = ledger.bin_seconds();
    if series.quantity == Quantity::Power && spacing_s > f64::from(bin_s) {
        let expected = format!("at most one bin of {bin_s} s; scan the log with --bin 3600, or use an energy counter");
        return Err(argument("time between readings in s", spacing_s, expected));
    }
    for (what, value) in [("--max-gap", options.max_gap_s), ("--lag", options.lag_s)] {
        if let Some(value) = value.filter(|v| !v.is_finite() || v.abs() > 1e6 || (what == "--max-gap" && *v <= 0.0)) {
            return Err(argument(what, value, "a number of seconds"));
        }
    }
    let max_gap_s = options.max_gap_s.unwrap_or_else(|| BRIDGED_S.max(2.5 * spacing_s));
    let estimate = Estimate::new(ledger, &fleet.with_scales(Some(UNBOUND), None))?;
    let mut deployments = Vec::new();
    for (at, numbers) in &meters {
        let deployed = &estimate.plan().deployments()[*at];
        let (lag_s, basis) = lag(series, options.lag_s, &deployed.hardware, spacing_s);
        let rule = Rule { max_gap_us: micros(max_gap_s), lag_us: micros(lag_s) };
        let mut one = Calibrating { fleet, series, estimate: &estimate, at: *at, numbers, rule, bin_s }.scales()?;
        (one.lag_applied_s, one.lag_basis) = (lag_s, basis);
        if others > 0 {
            one.warnings.push(format!("{others} meters of other deployments were left out"));
        }
        deployments.push(one);
    }
    // A time scale that the fleet states stays where this meter asks for none.
    let edits_of = |one: &DeploymentCalibration| -> Vec<Edit> {
        let found = edits(&one.deployment, one.energy_scale, one.time_scale, None);
        found.into_iter().filter(|edit| edit.key != "time_scale" || edit.value.is_some()).collect()
    };
    let toml = deployments.iter().map(|one| {
        let about = format!(
            "metered {:.4} kWh in {} bins of {bin_s} s, estimated {:.4} kWh before",
            one.metered_kwh, one.bins_used, one.estimated_kwh
        );
        snippet(&about, &edits_of(one))
    });
    Ok(JoinedCalibration {
        edits: deployments.iter().flat_map(edits_of).collect(),
        toml: toml.collect::<Vec<_>>().join("\n"),
        deployments,
        quantity: series.quantity,
        readings: series.len(),
        out_of_order: series.out_of_order,
        spacing_s,
        max_gap_s,
        bin_seconds: bin_s,
    })
}

#[expect(clippy::cast_possible_truncation, reason = "at most 10^6 seconds")]
fn micros(seconds: f64) -> i64 {
    (seconds * 1e6).round() as i64
}
