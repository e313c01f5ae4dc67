//! What a ledger holds of one deployment: features and occupancy by bin.

use crate::hours::{Gathering, Timeline};
use crate::ledger::{Ledger, NULL_BIN, Row, moment};
use crate::physics::inference::Features;
use crate::{Error, Result};

/// Moments and window areas of one deployment in one bin.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Load {
    pub sums: [u128; 8],
    /// Twice the window areas; `None` if the ledger does not hold the model's window.
    pub window: Option<[u128; 2]>,
}

/// Features of sums; exact integers become floating point here and nowhere before.
pub(super) fn features(sums: &[u128; 8], window: Option<[u128; 2]>) -> Features {
    let half = |doubled: u128| float(doubled) / 2.0;
    let context = 2 * sums[moment::INPUT_OUTPUT] + sums[moment::OUTPUT2];
    let pairs = sums[moment::INPUT2] - sums[moment::CACHED2];
    // Without its own sums a window counts as full attention, an upper bound.
    let [window_prefill, window_context] = window.unwrap_or([pairs, context]);
    Features {
        requests: float(sums[moment::REQUESTS]),
        cached: float(sums[moment::CACHED]),
        uncached: float(sums[moment::INPUT] - sums[moment::CACHED]),
        prefill_pairs: half(pairs),
        prefill_window_pairs: half(window_prefill),
        output: float(sums[moment::OUTPUT]),
        context_pairs: half(context),
        window_context_pairs: half(window_context),
    }
}

#[inline]
#[expect(clippy::cast_precision_loss, reason = "rounding once, to the nearest")]
pub(super) fn float(n: u128) -> f64 {
    // Processors convert 64 bits, and more are rare.
    u64::try_from(n).map_or_else(|_| n as f64, |n| n as f64)
}

/// Window areas by moments row, for the window of each row's deployment.
pub(super) fn window_of(ledger: &Ledger, window: Option<u32>, row: &Row<8>) -> Option<[u128; 2]> {
    let Some(window) = window else { return Some([0, 0]) };
    let family = ledger.windows().iter().find(|family| family.window == window)?;
    Some(family.rows.find(row.key, row.bin).map_or([0, 0], |found| found.sums))
}

/// What these series ask for, by bin.
pub(super) fn loads(ledger: &Ledger, window: Option<u32>, series: &[u32]) -> Result<Timeline<Load>> {
    let mut loads = Gathering::default();
    for row in series.iter().flat_map(|series| ledger.moments().of_key(*series)) {
        let load = loads.at(row.bin, || Load { sums: [0; 8], window: Some([0, 0]) });
        add(&mut load.sums, &row.sums)?;
        load.window = match (load.window, window_of(ledger, window, &row)) {
            (Some(mut sum), Some(more)) => {
                add(&mut sum, &more)?;
                Some(sum)
            }
            _ => None,
        };
    }
    Ok(loads.finish())
}

/// Occupancy of these routes, by five-minute bin.
pub(super) fn occupied(ledger: &Ledger, routes: &[u32]) -> Result<Timeline<[u128; 4]>> {
    let mut occupied = Gathering::default();
    let rows = routes.iter().flat_map(|route| ledger.occupancy().of_key(*route));
    for row in rows.filter(|row| row.bin != NULL_BIN) {
        add(occupied.at(row.bin, || [0; 4]), &row.sums)?;
    }
    Ok(occupied.finish())
}

fn add<const N: usize>(sums: &mut [u128; N], other: &[u128; N]) -> Result<()> {
    for (sum, value) in sums.iter_mut().zip(other) {
        *sum = sum.checked_add(*value).ok_or_else(|| Error::Overflow { what: "a sum of an estimate".into() })?;
    }
    Ok(())
}
