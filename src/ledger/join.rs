//! Joining rows: which row of each side a row is made of is decided once, then every sum is added for itself.

use super::CELL_LIMIT;
use super::rows::{Rows, Sums};
use crate::memory;
use crate::{Error, Result};
use std::cmp::Ordering;

/// The rows of both sides that one row is made of.
type Pair = (Option<usize>, Option<usize>);

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
            while !x.is_empty() || !y.is_empty() {
                let order = match (x.is_empty(), y.is_empty()) {
                    (false, false) => a.bins[x.start].cmp(&b.bins[y.start]),
                    (false, true) => Ordering::Less,
                    (true, _) => Ordering::Greater,
                };
                let pair = match order {
                    Ordering::Less => (x.next(), None),
                    Ordering::Greater => (None, y.next()),
                    Ordering::Equal => (x.next(), y.next()),
                };
                joined.bins.extend(pair.0.map(|at| a.bins[at]).or(pair.1.map(|at| b.bins[at])));
                pairs.push(pair);
            }
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
    long.extend(pairs.iter().map(|(x, y)| {
        let (x, x_wide) = x.map_or((0, false), |at| a.low(at));
        let (y, y_wide) = y.map_or((0, false), |at| b.low(at));
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
    let sum = |(x, y): &Pair| {
        let sum = x.map_or(0, |at| a.get(at)).checked_add(y.map_or(0, |at| b.get(at)));
        let fits = sum.filter(|sum| *sum <= CELL_LIMIT);
        fits.ok_or_else(|| Error::Overflow { what: "a ledger sum of more than 38 digits".into() })
    };
    Ok(Sums::Wide(pairs.iter().map(sum).collect::<Result<_>>()?))
}
