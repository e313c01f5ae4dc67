//! Rows: the sums of one family by key and bin, in as few bytes as they need.
//!
//! A month of a fleet has millions of occupancy rows, and memory that is touched for the first time costs more than what is
//! worked out to fill it. So keys are ranges, bins are counted, and a sum that is 0 in every row is not there.

use super::{NULL_BIN, OCCUPANCY_BIN_S};
use crate::memory;
use std::ops::Range;

/// Sums at one key and bin.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Row<const N: usize> {
    /// Number of the series (moments) or of the route (occupancy) in the ledger's list.
    pub key: u32,
    /// Start of the bin, seconds since 1970 UTC, or [`NULL_BIN`].
    pub bin: i64,
    /// The sums.
    pub sums: [u128; N],
}

/// One sum of every row, of the width that the largest needs.
#[derive(Clone, Debug)]
pub(super) enum Sums {
    /// 0 in every row.
    Zero,
    Short(Vec<u32>),
    Long(Vec<u64>),
    Wide(Vec<u128>),
}

impl Sums {
    /// The low 64 bits of a sum, and whether there are more.
    #[inline]
    pub(super) fn low(&self, at: usize) -> (u64, bool) {
        match self {
            Self::Zero => (0, false),
            Self::Short(sums) => (sums[at].into(), false),
            Self::Long(sums) => (sums[at], false),
            Self::Wide(sums) => u64::try_from(sums[at]).map_or((0, true), |sum| (sum, false)),
        }
    }

    pub(super) fn get(&self, at: usize) -> u128 {
        match self {
            Self::Zero => 0,
            Self::Short(sums) => sums[at].into(),
            Self::Long(sums) => sums[at].into(),
            Self::Wide(sums) => sums[at],
        }
    }

    /// Adds sums of at most `most` behind `len` others; where memory is needed, enough for `room` of them.
    #[expect(clippy::cast_possible_truncation, reason = "no sum is larger than the width was made for")]
    fn extend(&mut self, len: usize, room: usize, most: u128, sums: impl Iterator<Item = u128>) {
        if !self.holds(most) {
            self.widen(len, room, most);
        }
        match self {
            Self::Zero => {}
            Self::Short(all) => all.extend(sums.map(|sum| sum as u32)),
            Self::Long(all) => all.extend(sums.map(|sum| sum as u64)),
            Self::Wide(all) => all.extend(sums),
        }
    }

    fn holds(&self, most: u128) -> bool {
        match self {
            Self::Zero => most == 0,
            Self::Short(_) => most <= u32::MAX.into(),
            Self::Long(_) => most <= u64::MAX.into(),
            Self::Wide(_) => true,
        }
    }

    /// Makes the first `len` sums wide enough for the next.
    fn widen(&mut self, len: usize, room: usize, most: u128) {
        fn copied<T>(len: usize, room: usize, sum: impl Fn(usize) -> T) -> Vec<T> {
            let mut all = memory::with_capacity(room.max(len + 1));
            all.extend((0..len).map(sum));
            all
        }
        let long = |at| u64::try_from(self.get(at)).expect("it was no wider");
        *self = if most <= u32::MAX.into() {
            Self::Short(copied(len, room, |_| 0))
        } else if most <= u64::MAX.into() {
            Self::Long(copied(len, room, long))
        } else {
            Self::Wide(copied(len, room, |at| self.get(at)))
        };
    }
}

/// A bin as rows keep it: counted in the narrowest bins there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, bytemuck::Zeroable)]
#[repr(transparent)]
pub(crate) struct Bin(i32);

impl Bin {
    const NULL: Self = Self(i32::MIN);
    const WIDTH_S: i64 = OCCUPANCY_BIN_S as i64;

    /// The bin that starts at this second, if one does.
    pub(crate) fn at(start: i64) -> Option<Self> {
        if start == NULL_BIN {
            return Some(Self::NULL);
        }
        let number = i32::try_from(start.div_euclid(Self::WIDTH_S)).ok().filter(|n| *n != i32::MIN)?;
        (start.rem_euclid(Self::WIDTH_S) == 0).then_some(Self(number))
    }

    fn start(self) -> i64 {
        if self == Self::NULL { NULL_BIN } else { i64::from(self.0) * Self::WIDTH_S }
    }
}

/// The rows of a family, sorted by key and bin.
#[derive(Clone, Debug)]
pub struct Rows<const N: usize> {
    /// Where the rows of each key lie.
    pub(super) keys: Vec<Range<usize>>,
    pub(super) bins: Vec<Bin>,
    pub(super) sums: [Sums; N],
    /// How many rows memory is asked for.
    room: usize,
}

impl<const N: usize> Default for Rows<N> {
    fn default() -> Self {
        Self { keys: Vec::new(), bins: Vec::new(), sums: [const { Sums::Zero }; N], room: 0 }
    }
}

impl<const N: usize> Rows<N> {
    /// No rows, with room for some.
    pub(crate) fn with_capacity(rows: usize) -> Self {
        Self { bins: memory::with_capacity(rows), room: rows, ..Self::default() }
    }

    /// Adds the rows of the next key, in order: the bins, the largest of each sum, and each sum of each row.
    pub(crate) fn extend_key(
        &mut self,
        bins: impl ExactSizeIterator<Item = Bin>,
        most: [u64; N],
        sum: impl Fn(usize, usize) -> u64,
    ) {
        let (start, rows) = (self.bins.len(), bins.len());
        self.bins.extend(bins);
        for (which, (sums, most)) in self.sums.iter_mut().zip(most).enumerate() {
            sums.extend(start, self.room, most.into(), (0..rows).map(|row| sum(which, row).into()));
        }
        self.keys.push(start..self.bins.len());
    }

    /// Puts the keys in another order: where each comes from.
    pub(crate) fn order_keys(&mut self, order: &[u32]) {
        self.keys = order.iter().map(|key| self.keys.get(*key as usize).cloned().unwrap_or_default()).collect();
    }

    /// How many rows there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.bins.len()
    }

    /// Whether there is no row.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.bins.is_empty()
    }

    /// Every row in order.
    pub fn iter(&self) -> impl Iterator<Item = Row<N>> + Clone + '_ {
        (0_u32..).zip(&self.keys).flat_map(move |(key, rows)| rows.clone().map(move |at| self.row(key, at)))
    }

    /// Every row of a key, in order of its bins.
    pub(crate) fn of_key(&self, key: u32) -> impl Iterator<Item = Row<N>> + '_ {
        let rows = self.keys.get(key as usize).cloned().unwrap_or_default();
        rows.map(move |at| self.row(key, at))
    }

    #[inline]
    fn row(&self, key: u32, at: usize) -> Row<N> {
        Row { key, bin: self.bins[at].start(), sums: std::array::from_fn(|i| self.sums[i].get(at)) }
    }

    /// The start of the bin of every row, in any order.
    pub fn bins(&self) -> impl Iterator<Item = i64> + '_ {
        self.bins.iter().map(|bin| bin.start())
    }

    /// The row at a key and bin.
    #[must_use]
    pub fn find(&self, key: u32, bin: i64) -> Option<Row<N>> {
        let rows = self.keys.get(key as usize)?;
        let found = self.bins[rows.clone()].binary_search(&Bin::at(bin)?);
        found.ok().map(|at| self.row(key, rows.start + at))
    }

    /// Drops the keys that have no row, so that the others move up; says of each of `keys` whether it has any.
    pub(crate) fn drop_empty_keys(&mut self, keys: usize) -> Vec<bool> {
        let mut used: Vec<bool> = self.keys.iter().map(|rows| !rows.is_empty()).collect();
        used.resize(keys, false);
        self.keep_keys(&used);
        used
    }

    /// Drops keys that have no row and are not used.
    pub(crate) fn keep_keys(&mut self, used: &[bool]) {
        let mut used = used.iter();
        self.keys.retain(|_| used.next().copied().unwrap_or(false));
    }

    /// Adds a row behind the last one.
    ///
    /// # Panics
    /// If it does not belong there, or its bin is none.
    pub(crate) fn push(&mut self, row: &Row<N>) {
        let len = self.bins.len();
        assert!(row.key as usize + 1 >= self.keys.len(), "rows come in order of their keys");
        self.keys.resize(row.key as usize + 1, len..len);
        self.keys[row.key as usize].end = len + 1;
        self.bins.push(Bin::at(row.bin).expect("a bin starts where bins do"));
        for (sums, sum) in self.sums.iter_mut().zip(row.sums) {
            sums.extend(len, self.room, sum, std::iter::once(sum));
        }
    }
}

impl<const N: usize> PartialEq for Rows<N> {
    /// By value: the width is how rows are kept, not what they say.
    fn eq(&self, other: &Self) -> bool {
        self.iter().eq(other.iter())
    }
}

impl<const N: usize> Eq for Rows<N> {}

impl<const N: usize> FromIterator<Row<N>> for Rows<N> {
    /// Rows that come in order.
    fn from_iter<I: IntoIterator<Item = Row<N>>>(rows: I) -> Self {
        let mut all = Self::default();
        for row in rows {
            all.push(&row);
        }
        all
    }
}
