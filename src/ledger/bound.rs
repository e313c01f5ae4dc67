//! A ledger with a bound on the values of its dimensions: what is beyond is one value, and nothing is lost.

use super::{Ledger, Row, Rows, WindowFamily, merge};
use crate::hours::Gathering;
use crate::keys::{self, OTHER, Series};
use crate::{Error, Result};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, HashSet};

/// How many values of each dimension a ledger holds apart, and which.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bound {
    /// At most so many values of each dimension.
    pub most: usize,
    /// Of each dimension, the largest [`keys::rank`] that stays; `None` where all do.
    pub up_to: Vec<Option<u64>>,
}

/// A dimension of which some values are summed as [`OTHER`].
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Bounded {
    /// Its name.
    pub dimension: String,
    /// Values that stand apart.
    pub kept: usize,
    /// Values that there are, estimated from the ranks of those that stand apart.
    pub about: f64,
}

impl Bound {
    /// What holds where both hold.
    pub(super) fn and(&self, other: &Self) -> Self {
        let least = |(a, b): (&Option<u64>, &Option<u64>)| match (a, b) {
            (Some(a), Some(b)) => Some(*a.min(b)),
            (a, b) => a.or(*b),
        };
        let up_to = self.up_to.iter().zip(&other.up_to).map(least).collect();
        Self { most: self.most.min(other.most), up_to }
    }
}

impl Ledger {
    /// The ledger with at most so many values of each dimension; the others are summed as [`OTHER`].
    ///
    /// ```
    /// use wattledger::keys::Series;
    /// use wattledger::ledger::{Ledger, Row};
    /// let of = |user: &str| Series::new([None, None, None, None, None, None, Some(user.into())].into());
    /// let series: Vec<Series> = ["ann", "bob", "eve"].map(of).into();
    /// let row = |key| Row { key, bin: 0, sums: [1, 100, 0, 20, 10_000, 0, 2_000, 400] };
    /// let all = Ledger::from_rows(3600, vec!["user".into()], &series, &[row(0), row(1), row(2)], vec![], &[])?;
    /// let bounded = all.clone().bounded(1)?;
    /// assert_eq!(bounded.series().len(), 2, "one of them, and the others");
    /// assert_eq!(bounded.totals()?, all.totals()?);
    /// # Ok::<(), wattledger::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::Argument`] for a bound of nothing, [`Error::Overflow`] past 38 digits.
    pub fn bounded(self, most: usize) -> Result<Self> {
        if most == 0 {
            return Err(Error::Argument {
                what: "max_groups".into(),
                value: "0".into(),
                expected: "at least one value of each dimension".into(),
            });
        }
        let up_to = vec![None; self.dimensions.len()];
        let bound = Bound { most, up_to };
        let bound = self.bound.as_ref().map_or_else(|| bound.clone(), |own| own.and(&bound));
        self.within(bound)
    }

    /// The ledger with what is beyond a bound summed as one.
    pub(super) fn within(mut self, mut bound: Bound) -> Result<Self> {
        for (at, up_to) in bound.up_to.iter_mut().enumerate() {
            let within = |value: &&str| *value == OTHER || up_to.is_none_or(|up_to| keys::rank(value) <= up_to);
            let values = self.series.iter().filter_map(|series| series.dimensions()[at].as_deref()).filter(within);
            *up_to = keys::threshold(values, bound.most).or(*up_to);
        }
        if bound.up_to.iter().any(Option::is_some) {
            self = self.folded(&bound)?;
        }
        self.bound = Some(bound);
        Ok(self)
    }

    fn folded(self, bound: &Bound) -> Result<Self> {
        let stays = |at: usize, value: &str| bound.up_to[at].is_none_or(|up_to| keys::rank(value) <= up_to);
        let folded = |series: &Series| {
            let values = series.dimensions().iter().enumerate().map(|(at, value)| {
                let stays = value.as_deref().is_none_or(|value| stays(at, value));
                if stays { value.clone() } else { Some(OTHER.into()) }
            });
            Series::new(series.route().iter().cloned().chain(values).collect())
        };
        // Which of the series that there are each of the new ones is made of.
        let mut parts: BTreeMap<Series, Vec<u32>> = BTreeMap::new();
        for (series, key) in self.series.iter().zip(0..) {
            parts.entry(folded(series)).or_default().push(key);
        }
        let windows = self
            .windows
            .iter()
            .map(|family| Ok(WindowFamily { window: family.window, rows: summed(&family.rows, parts.values())? }));
        Ok(Self {
            windows: windows.collect::<Result<_>>()?,
            moments: summed(&self.moments, parts.values())?,
            series: parts.into_keys().collect(),
            ..self
        })
    }

    /// The dimensions of which some values are summed as [`OTHER`].
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "an estimate")]
    pub fn bounded_dimensions(&self) -> Vec<Bounded> {
        let up_to = self.bound.iter().flat_map(|bound| &bound.up_to);
        let bounded = up_to.zip(&self.dimensions).enumerate().filter_map(|(at, (up_to, dimension))| {
            let up_to = (*up_to)?;
            let values = self.series.iter().filter_map(|series| series.dimensions()[at].as_deref());
            let kept = values.filter(|value| *value != OTHER).collect::<HashSet<_>>().len();
            // Ranks are spread evenly: so many of all values lie up to the last that stays.
            let about = kept as f64 / (up_to as f64 / u64::MAX as f64);
            Some(Bounded { dimension: dimension.clone(), kept, about })
        });
        bounded.collect()
    }
}

/// The rows of new keys, each the sum of some keys.
fn summed<'a, const N: usize>(rows: &Rows<N>, parts: impl Iterator<Item = &'a Vec<u32>>) -> Result<Rows<N>> {
    let mut all = Rows::with_capacity(rows.len());
    for (key, parts) in (0..).zip(parts) {
        let mut sums = Gathering::default();
        for row in parts.iter().flat_map(|part| rows.of_key(*part)) {
            merge::add_into(sums.at(row.bin, || [0; N]), &row.sums)?;
        }
        sums.finish().iter().for_each(|(bin, sums)| all.push(&Row { key, bin, sums: *sums }));
    }
    Ok(all)
}
