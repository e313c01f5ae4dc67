//! The loops in plain Rust, in the shape that compilers turn into vectors.

#![expect(clippy::inline_always, reason = "a function that is called does not take the processor of its caller over")]

use super::{DECODE, Factors, GROUP, Group, IT, Loads, PREFILL, TIME, Tokens, Weights};

#[inline(always)]
pub(super) fn weigh(tokens: Tokens<'_>, slots: &[u32], weights: Weights<'_>, loads: &mut [Loads]) {
    match weights.features {
        5 => weighed::<5>(tokens, slots, weights, loads),
        6 => weighed::<6>(tokens, slots, weights, loads),
        _ => weighed::<8>(tokens, slots, weights, loads),
    }
}

#[inline(always)]
fn weighed<const F: usize>(tokens: Tokens<'_>, slots: &[u32], weights: Weights<'_>, loads: &mut [Loads]) {
    let (pairs, more) = (weights.pairs.as_chunks::<F>().0, weights.more.as_chunks::<F>().0);
    let n = loads.len();
    let (input, cached, output) = (&tokens.input[..n], &tokens.cached[..n], &tokens.output[..n]);
    for (i, (slot, loads)) in slots.iter().zip(loads).enumerate() {
        let mut row = features([input[i], cached[i], output[i]]);
        if F > 6 {
            [row[6], row[7]] = tokens.windowed[i];
        }
        [loads[IT], loads[TIME]] = pair(&row, &pairs[*slot as usize]);
        if !more.is_empty() {
            [loads[PREFILL], loads[DECODE]] = pair(&row, &more[*slot as usize]);
        }
    }
}

/// Features of one row: 1, uncached, prefill pairs, output, context pairs, cached, and the two of a window. Those that
/// fewest models need come last.
#[inline(always)]
pub(super) fn features(tokens: [u32; 3]) -> [f64; 8] {
    let [i, c, o] = tokens.map(f64::from);
    // Sums and differences of counts are exact, so each feature is rounded once, as the exact integer would be.
    [1.0, i - c, (i - c) * (i + c) * 0.5, o, o * (i + o * 0.5), c, 0.0, 0.0]
}

#[inline(always)]
fn pair<const F: usize>(row: &[f64; 8], weights: &[[f64; 2]; F]) -> [f64; 2] {
    let mut sums = weights[0];
    for f in 1..F {
        sums = [sums[0] + row[f] * weights[f][0], sums[1] + row[f] * weights[f][1]];
    }
    sums
}

#[inline(always)]
pub(super) fn spread(loads: &[Loads], slots: &[u32], factors: Factors<'_>, values: &mut Group) {
    let Factors { of_load, of_time, groups, group, loads: places } = factors;
    for (i, (loads, slot)) in loads.iter().zip(slots).enumerate() {
        let at = *slot as usize * groups + group;
        for column in 0..GROUP {
            values[column][i] = loads[places[column] as usize] * of_load[at][column];
        }
        if !of_time.is_empty() {
            for column in 0..GROUP {
                values[column][i] += loads[TIME] * of_time[at][column];
            }
        }
    }
}
