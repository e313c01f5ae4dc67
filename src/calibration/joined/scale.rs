//! The scale that closes the balance, and what is left over in each bin.

use super::Residual;
use crate::Result;
use crate::calibration::argument;
use crate::units::{Joules, KilowattHours};

/// The scale at which idle and busy energy, at most rated power, come to the metered energy.
pub(super) fn solve(place: &str, metered_j: f64, idle_j: f64, busy: &[(f64, f64)]) -> Result<f64> {
    let target = metered_j - idle_j;
    let kwh = |joules: f64| format!("{:.4}", KilowattHours::from(Joules(joules)).0);
    if target <= 0.0 {
        let expected = format!(
            "more than the {} kWh that its accelerators draw merely waiting; state their metered idle power in a \
             [[hardware]] row, idle_context_w",
            kwh(idle_j)
        );
        return Err(argument(&format!("{place}, metered energy in kWh"), kwh(metered_j), expected));
    }
    let mut parts: Vec<(f64, f64)> = busy.iter().copied().filter(|(raw, _)| *raw > 0.0).collect();
    let bound = |(raw, most): &(f64, f64)| most / raw;
    parts.sort_by(|a, b| bound(a).total_cmp(&bound(b)));
    let mut free: f64 = parts.iter().map(|(raw, _)| raw).sum();
    let mut held = 0.0;
    for part in &parts {
        let scale = (target - held) / free;
        if scale <= bound(part) {
            return Ok(scale);
        }
        held += part.1;
        free -= part.0;
    }
    // The last digits of an estimate that stands at rated power throughout.
    if let Some(last) = parts.last().filter(|_| target <= held * (1.0 + 1e-9)) {
        return Ok(bound(last));
    }
    // Whatever the scale, the estimate cannot come out at what was metered.
    let expected = format!(
        "at most {} kWh, waiting and at rated power for as long as the method thinks that the requests take; set a \
         time_scale from metered throughput first, or check that only this deployment was metered",
        kwh(held + idle_j)
    );
    Err(argument(&format!("{place}, metered energy in kWh"), kwh(metered_j), expected))
}

pub(super) fn residual(pairs: impl Iterator<Item = (f64, f64)>) -> Residual {
    let (mut errors, mut sums) = (Vec::new(), (0.0, 0.0));
    for (estimated, metered) in pairs {
        sums = (sums.0 + estimated, sums.1 + metered);
        if metered > 0.0 {
            errors.push((estimated / metered - 1.0).abs());
        }
    }
    Residual { median: quantile(&mut errors, 0.5), p90: quantile(&mut errors, 0.9), bias: sums.0 / sums.1 - 1.0 }
}

/// A quantile between the two values around it.
#[expect(clippy::cast_precision_loss, clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "few values")]
pub(super) fn quantile(values: &mut [f64], share: f64) -> f64 {
    values.sort_by(f64::total_cmp);
    let Some(last) = values.len().checked_sub(1) else { return 0.0 };
    let at = share * last as f64;
    let (low, part) = (at.floor() as usize, at.fract());
    values[low] + part * (values[(low + 1).min(last)] - values[low])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_scale_closes_the_balance_where_rated_power_binds_in_some_bins() {
        let busy = [(100.0, 150.0), (200.0, 1000.0), (0.0, 0.0)];
        // 1.5 is the bound of the first bin.
        let scale = |metered: f64| solve("here", metered, 10.0, &busy);
        assert_eq!(scale(10.0 + 300.0), Ok(1.0));
        assert_eq!(scale(10.0 + 150.0 + 500.0), Ok(2.5));
        assert_eq!(scale(10.0 + 150.0 + 1000.0), Ok(5.0));
        assert!(scale(10.0 + 1151.0).is_err());
        assert!(scale(9.0).is_err());
    }

    #[test]
    fn quantiles_stand_between_values() {
        let near = |found: f64, expected: f64| assert!((found - expected).abs() < 1e-12, "{found}");
        near(quantile(&mut [4.0, 1.0, 3.0, 2.0], 0.5), 2.5);
        near(quantile(&mut [7.0], 0.9), 7.0);
    }
}
