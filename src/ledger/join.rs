//! Joining rows: which row of each side a row is made of is decided once, then every sum is added for itself.

use super::CELL_LIMIT;
use super::rows::{Rows, Sums};
use crate::memory;
use crate::{Error, Result};
use std::cmp::Ordering;

/// The rows of both sides that one row is made of; [`NONE`] where a side has none. There are millions of them.
type Pair = (u32, u32);
const NONE: u32 = u32::MAX;

fn short(at: usize) -> u32 {
    u32::try_from(at).ok().filter(|at| *at != NONE).expect("a ledger has fewer than 2^32 rows")
}

impl<const N: usize> Rows<N> {
    /// The sum of two families whose keys are places in lists that were united, in order.
    ///
    /// # Errors
    /// [`Error::Overflow`] past 38 digits.
    pub(super) fn joined((a, keys_a): (&Self, &[u32]), (b, keys_b): (&Self, &[u32])) -> Result<Self> {
        let united = keys_a.iter().chain(keys_b).max().map_or(0, |most| *most as usize + 1);
        let mut pairs: Vec<Pair> = memory::with_capacity(a.len() + b.len());
        let mut joined = Self::with_capacity(a.len() + b.len());
        let ranges = |rows: &Self, keys: &[u32]| {
            let mut ranges = vec![0..0; united];
            for (range, key) in rows.keys.iter().zip(keys) {
                ranges[*key as usize] = range.clone();
            }
            ranges
        };
        for (mut x, mut y) in ranges(a, keys_a).into_iter().zip(ranges(b, keys_b)) {
            let start = pairs.len();
            while !x.is_empty() && !y.is_empty() {
                let (bin_a, bin_b) = (a.bins[x.start], b.bins[y.start]);
                let pair = match bin_a.cmp(&bin_b) {
                    Ordering::Less => (short(x.start), NONE),
                    Ordering::Greater => (NONE, short(y.start)),
                    Ordering::Equal => (short(x.start), short(y.start)),
                };
                (x.start, y.start) = (x.start + usize::from(pair.0 != NONE), y.start + usize::from(pair.1 != NONE));
                joined.bins.push(bin_a.min(bin_b));
                pairs.push(pair);
            }
            // What only one of them has follows as it is.
            joined.bins.extend_from_slice(&a.bins[x.clone()]);
            joined.bins.extend_from_slice(&b.bins[y.clone()]);
            pairs.extend(x.map(|at| (short(at), NONE)));
            pairs.extend(y.map(|at| (NONE, short(at))));
            joined.keys.push(start..pairs.len());
        }
        for (sums, (x, y)) in joined.sums.iter_mut().zip(a.sums.iter().zip(&b.sums)) {
            *sums = added(x, y, &pairs)?;
        }
        Ok(joined)
    }
}

fn added(a: &Sums, b: &Sums, pairs: &[Pair]) -> Result<Sums> {
    if matches!((a, b), (Sums::Zero, Sums::Zero)) {
        return Ok(Sums::Zero);
    }
    let (mut most, mut wrapped) = (0, false);
    let mut long: Vec<u64> = memory::with_capacity(pairs.len());
    let low = |sums: &Sums, at: u32| if at == NONE { (0, false) } else { sums.low(at as usize) };
    long.extend(pairs.iter().map(|(x, y)| {
        let ((x, x_wide), (y, y_wide)) = (low(a, *x), low(b, *y));
        let (sum, over) = x.overflowing_add(y);
        wrapped |= over | x_wide | y_wide;
        most = most.max(sum);
        sum
    }));
    if !wrapped {
        #[expect(clippy::cast_possible_truncation, reason = "the largest fits")]
        return Ok(if most == 0 {
            Sums::Zero
        } else if u32::try_from(most).is_ok() {
            Sums::Short(long.iter().map(|sum| *sum as u32).collect())
        } else {
            Sums::Long(long)
        });
    }
    let get = |sums: &Sums, at: u32| if at == NONE { 0 } else { sums.get(at as usize) };
    let sum = |(x, y): &Pair| {
        let sum = get(a, *x).checked_add(get(b, *y));
        let fits = sum.filter(|sum| *sum <= CELL_LIMIT);
        fits.ok_or_else(|| Error::Overflow { what: "a ledger sum of more than 38 digits".into() })
    };
    Ok(Sums::Wide(pairs.iter().map(sum).collect::<Result<_>>()?))
}
