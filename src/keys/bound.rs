//! A bound on the values of a user dimension: who stays does not depend on how a log is cut.
//!
//! The values with the smallest hashes stay, and all others are one, [`OTHER`]. A value that is among the smallest of the
//! whole is among the smallest of every part, so it is never given up and its sums are exact; the sums of [`OTHER`] are
//! what is left, exact as well. Any split, order or number of threads gives the same.

use std::collections::BTreeSet;
use xxhash_rust::xxh3::xxh3_64;

/// The value that stands for all that are beyond the bound; a log that uses the word itself adds to it.
pub const OTHER: &str = "(other)";

/// The hash that decides; part of what a ledger says, so it never changes.
#[must_use]
pub fn rank(value: &str) -> u64 {
    xxh3_64(value.as_bytes())
}

/// The values of one dimension that may stay so far.
#[derive(Clone, Debug)]
pub(super) struct Bound {
    most: usize,
    ranks: BTreeSet<u64>,
}

impl Bound {
    pub(super) const fn new(most: usize) -> Self {
        Self { most, ranks: BTreeSet::new() }
    }

    /// Whether a value may stay so far; one that may not never will again.
    pub(super) fn admits(&mut self, value: &str) -> bool {
        let rank = rank(value);
        if self.ranks.len() >= self.most && self.ranks.last().is_none_or(|last| rank > *last) {
            return false;
        }
        self.ranks.insert(rank);
        if self.ranks.len() > self.most {
            self.ranks.pop_last();
        }
        self.ranks.contains(&rank)
    }
}

/// The largest rank that stays of some values, at most `most` of them and at least one; `None` if all do. Where some were
/// given up before, the others may be just as many as may stay.
pub(crate) fn threshold<'a>(values: impl Iterator<Item = &'a str>, most: usize) -> Option<u64> {
    let mut given_up = false;
    let mut ranks: Vec<u64> = values
        .filter(|value| {
            given_up |= *value == OTHER;
            *value != OTHER
        })
        .map(rank)
        .collect();
    ranks.sort_unstable();
    ranks.dedup();
    if ranks.len() > most || given_up { ranks.get(most - 1).copied() } else { None }
}
