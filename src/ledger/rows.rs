//! Rows: the sums of one family by key and bin, in as few bytes as they need.
//!
//! A month of a fleet has millions of occupancy rows, and memory that is touched for the first time costs more than what is
//! worked out to fill it. So keys are ranges, bins are counted, and a sum that is 0 in every row is not there.

use super::{NULL_BIN, OCCUPANCY_BIN_S};

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
pub(crate) enum Sums {
    /// 0 in every row.
    Zero,
    Short(Vec<u32>),
    Long(Vec<u64>),
    Wide(Vec<u128>),
}

impl Sums {
    fn get(&self, at: usize) -> u128 {
        match self {
            Self::Zero => 0,
            Self::Short(sums) => sums[at].into(),
            Self::Long(sums) => sums[at].into(),
            Self::Wide(sums) => sums[at],
        }
    }

    /// Adds a sum behind `len` others.
    fn push(&mut self, len: usize, sum: u128) {
        loop {
            match (&mut *self, u32::try_from(sum), u64::try_from(sum)) {
                (Self::Zero, Ok(0), _) => return,
                (Self::Zero, ..) => *self = Self::Short(vec![0; len]),
                (Self::Short(sums), Ok(short), _) => return sums.push(short),
                (Self::Short(sums), ..) => *self = Self::Long(sums.iter().map(|sum| u64::from(*sum)).collect()),
                (Self::Long(sums), _, Ok(long)) => return sums.push(long),
                (Self::Long(sums), ..) => *self = Self::Wide(sums.iter().map(|sum| u128::from(*sum)).collect()),
                (Self::Wide(sums), ..) => return sums.push(sum),
            }
        }
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
    /// Number of the first row of each key, and of the first that is none.
    starts: Vec<usize>,
    bins: Vec<Bin>,
    sums: [Sums; N],
}

impl<const N: usize> Default for Rows<N> {
    fn default() -> Self {
        Self { starts: vec![0], bins: Vec::new(), sums: [const { Sums::Zero }; N] }
    }
}

impl<const N: usize> Rows<N> {
    /// Rows that are in order already.
    pub(crate) fn new(starts: Vec<usize>, bins: Vec<Bin>, sums: [Sums; N]) -> Self {
        Self { starts, bins, sums }
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
        let keys = (0_u32..).zip(self.starts.windows(2));
        keys.flat_map(move |(key, ends)| (ends[0]..ends[1]).map(move |at| self.row(key, at)))
    }

    fn row(&self, key: u32, at: usize) -> Row<N> {
        Row { key, bin: self.bins[at].start(), sums: std::array::from_fn(|i| self.sums[i].get(at)) }
    }

    /// The start of the bin of every row.
    pub fn bins(&self) -> impl Iterator<Item = i64> + '_ {
        self.bins.iter().map(|bin| bin.start())
    }

    /// One sum of every row.
    pub fn sum(&self, which: usize) -> impl Iterator<Item = u128> + '_ {
        (0..self.len()).map(move |at| self.sums[which].get(at))
    }

    /// The row at a key and bin.
    #[must_use]
    pub fn find(&self, key: u32, bin: i64) -> Option<Row<N>> {
        let start = *self.starts.get(key as usize)?;
        let rows = self.bins.get(start..*self.starts.get(key as usize + 1)?)?;
        rows.binary_search(&Bin::at(bin)?).ok().map(|at| self.row(key, start + at))
    }

    /// Adds a row behind the last one.
    ///
    /// # Panics
    /// If it does not belong there, or its bin is none.
    pub(crate) fn push(&mut self, row: &Row<N>) {
        let len = self.len();
        assert!(row.key as usize + 2 >= self.starts.len(), "rows come in order of their keys");
        self.starts.resize(row.key as usize + 1, len);
        self.starts.push(len + 1);
        self.bins.push(Bin::at(row.bin).expect("a bin starts where bins do"));
        for (sums, sum) in self.sums.iter_mut().zip(row.sums) {
            sums.push(len, sum);
        }
    }
}

impl<const N: usize> PartialEq for Rows<N> {
    /// By value: the width is how rows are kept, not what they say.
    fn eq(&self, other: &Self) -> bool {
        self.bins == other.bins && self.iter().eq(other.iter())
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
