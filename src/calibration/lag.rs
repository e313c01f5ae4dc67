//! Whether a series fits the estimate better some bins earlier or later: clocks that differ, zones that were mixed up.
//!
//! Pearson's correlation of metered power k bins on with estimated power, over the bins that have both.

use serde::Serialize;
use std::collections::BTreeMap;

/// Fewest pairs of bins that say anything.
const FEWEST: usize = 12;
/// Largest shift that is tried, in seconds: no two zones differ by more.
const FURTHEST_S: i64 = 26 * 3600;
/// A shift is worth a word from this correlation on, and this much better than none.
const WORTH: [f64; 2] = [0.6, 0.1];

/// The shift at which metered and estimated power go together best.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Lag {
    /// How much later the series is than the log, in seconds; whole bins.
    pub late_by_s: i64,
    /// Correlation there.
    pub correlation: f64,
    /// Correlation as the times stand.
    pub correlation_as_is: f64,
    /// Bins it was worked out from.
    pub bins: usize,
    /// Whether it is so much better that something is wrong with the times.
    pub suspicious: bool,
}

fn correlation(pairs: &[(f64, f64)]) -> Option<f64> {
    if pairs.len() < FEWEST {
        return None;
    }
    #[expect(clippy::cast_precision_loss, reason = "bins are few")]
    let n = pairs.len() as f64;
    let (sx, sy) = pairs.iter().fold((0.0, 0.0), |(sx, sy), (x, y)| (sx + x, sy + y));
    let (mx, my) = (sx / n, sy / n);
    let (mut xx, mut yy, mut xy) = (0.0, 0.0, 0.0);
    for (x, y) in pairs {
        xx += (x - mx) * (x - mx);
        yy += (y - my) * (y - my);
        xy += (x - mx) * (y - my);
    }
    // A load that hardly changes says nothing about time.
    let flat = |squares: f64, mean: f64| squares <= n * (1e-6 * mean).powi(2);
    (!flat(xx, mx) && !flat(yy, my)).then(|| xy / (xx * yy).sqrt())
}

/// The best shift of metered against estimated power, both by number of the bin.
pub(super) fn detect(metered: &BTreeMap<i64, f64>, estimated: &BTreeMap<i64, f64>, bin_s: i64) -> Option<Lag> {
    let pairs = |shift: i64| -> Vec<(f64, f64)> {
        estimated.iter().filter_map(|(bin, e)| metered.get(&(bin + shift)).map(|m| (*m, *e))).collect()
    };
    let as_is = correlation(&pairs(0))?;
    let mut best = (0, as_is, pairs(0).len());
    // A shift has to keep half of the bins, or chance finds one that fits.
    let enough = estimated.len() / 2;
    for k in 1..=FURTHEST_S / bin_s {
        for shift in [k, -k] {
            let pairs = pairs(shift);
            if pairs.len() >= enough
                && let Some(r) = correlation(&pairs)
                && r > best.1
            {
                best = (shift, r, pairs.len());
            }
        }
    }
    let (shift, correlation, pairs) = best;
    let suspicious = shift != 0 && correlation >= WORTH[0] && correlation - as_is >= WORTH[1];
    Some(Lag { late_by_s: shift * bin_s, correlation, correlation_as_is: as_is, bins: pairs, suspicious })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shift_of_three_bins_is_found() {
        let load = |bin: i64| 100.0 + f64::from(u32::try_from((bin * bin * 7 + bin * 3).rem_euclid(101)).unwrap());
        let estimated: BTreeMap<i64, f64> = (0..60).map(|bin| (bin, load(bin))).collect();
        let metered: BTreeMap<i64, f64> = (0..63).map(|bin| (bin, 2.0 * load(bin - 3) + 50.0)).collect();
        let lag = detect(&metered, &estimated, 300).unwrap();
        assert_eq!((lag.late_by_s, lag.suspicious), (900, true));
        assert!((lag.correlation - 1.0).abs() < 1e-12);
        let none = detect(&estimated, &estimated, 300).unwrap();
        assert_eq!((none.late_by_s, none.suspicious), (0, false));
    }

    #[test]
    fn a_load_that_never_changes_says_nothing_about_time() {
        let flat: BTreeMap<i64, f64> = (0..60).map(|bin| (bin, 300.0)).collect();
        assert_eq!(detect(&flat, &flat, 300), None);
    }
}
