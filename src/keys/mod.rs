//! Keys: the labels a log gives a request, interned to dense numbers.
//!
//! A [`Route`](Series::route) is what the log says about where a request went. It is not a deployment: the fleet maps
//! routes to deployments when an estimate is made. A series is a route plus the values of the user's own dimensions.

mod bound;

pub(crate) use bound::threshold;
pub use bound::{OTHER, rank};

use bound::Bound;
use hashbrown::HashTable;
use std::hash::{BuildHasher, RandomState};

/// The labels of a route, in the order they are stored and sorted.
pub const ROUTE_LABELS: [&str; 6] = ["provider", "model", "region", "deployment", "host", "hardware"];

/// One label; absent where the log does not carry it. Absent is not empty.
pub type Label = Option<Box<str>>;

/// The labels of one series: [`ROUTE_LABELS`] first, then the user dimensions.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Series {
    labels: Box<[Label]>,
}

impl Series {
    /// A series from its labels: [`ROUTE_LABELS`] first, then the dimensions.
    ///
    /// # Panics
    /// With fewer labels than a route has.
    #[must_use]
    pub fn new(labels: Vec<Label>) -> Self {
        assert!(labels.len() >= ROUTE_LABELS.len(), "a series carries every route label");
        Self { labels: labels.into() }
    }

    /// The route labels.
    #[must_use]
    pub fn route(&self) -> &[Label] {
        &self.labels[..ROUTE_LABELS.len()]
    }

    /// The values of the user dimensions.
    #[must_use]
    pub fn dimensions(&self) -> &[Label] {
        &self.labels[ROUTE_LABELS.len()..]
    }

    /// All labels.
    #[must_use]
    pub fn labels(&self) -> &[Label] {
        &self.labels
    }
}

/// One label of a route by its name.
#[must_use]
pub fn route_label<'a>(route: &'a [Label], name: &str) -> Option<&'a str> {
    let at = ROUTE_LABELS.iter().position(|label| *label == name)?;
    route[at].as_deref()
}

/// Series seen so far, numbered in order of appearance.
///
/// ```
/// use wattledger::keys::SeriesTable;
/// let mut table = SeriesTable::new(vec!["tenant".into()]);
/// let labels = [None, Some("llama-3.1-70b"), None, None, None, None, Some("acme")];
/// assert_eq!(table.intern(&labels), 0);
/// assert_eq!(table.intern(&labels), 0);
/// assert_eq!(table.get(0).dimensions()[0].as_deref(), Some("acme"));
/// ```
#[derive(Clone, Debug, Default)]
pub struct SeriesTable {
    dimensions: Vec<String>,
    /// Of each dimension, where its values are bounded.
    bounds: Vec<Bound>,
    series: Vec<Series>,
    // Keyed by a random state: labels come from untrusted logs.
    hasher: RandomState,
    index: HashTable<u32>,
}

impl SeriesTable {
    /// An empty table for these user dimensions.
    #[must_use]
    pub fn new(dimensions: Vec<String>) -> Self {
        Self { dimensions, ..Self::default() }
    }

    /// The same with at most about so many values of each dimension; further ones are numbered as [`OTHER`]. Which ones
    /// stay in the end is decided where all are seen, see [`rank`].
    #[must_use]
    pub fn bounded(dimensions: Vec<String>, most: Option<usize>) -> Self {
        let bounds = most.map_or_else(Vec::new, |most| vec![Bound::new(most); dimensions.len()]);
        Self { bounds, ..Self::new(dimensions) }
    }

    /// The number of the series with these labels, new or known.
    ///
    /// # Panics
    /// If the labels are not one per route label and dimension, or past 2³² series.
    pub fn intern(&mut self, labels: &[Option<&str>]) -> u32 {
        assert_eq!(labels.len(), ROUTE_LABELS.len() + self.dimensions.len(), "one label per route label and dimension");
        let hash = self.hasher.hash_one(labels);
        if let Some(id) = self.find(hash, labels) {
            return id;
        }
        let beyond = |(bound, value): (&mut Bound, Option<&str>)| {
            value.is_some_and(|value| value != OTHER && !bound.admits(value))
        };
        let values = labels[ROUTE_LABELS.len()..].iter().copied();
        let beyond: Vec<bool> = self.bounds.iter_mut().zip(values).map(beyond).collect();
        if !beyond.contains(&true) {
            return self.add(hash, labels);
        }
        let mut labels = labels.to_vec();
        let bounded = labels[ROUTE_LABELS.len()..].iter_mut().zip(beyond);
        bounded.filter(|(_, beyond)| *beyond).for_each(|(value, _)| *value = Some(OTHER));
        let hash = self.hasher.hash_one(labels.as_slice());
        self.find(hash, &labels).unwrap_or_else(|| self.add(hash, &labels))
    }

    fn find(&self, hash: u64, labels: &[Option<&str>]) -> Option<u32> {
        let same = |id: &u32| self.series[*id as usize].labels.iter().map(Option::as_deref).eq(labels.iter().copied());
        self.index.find(hash, same).copied()
    }

    fn add(&mut self, hash: u64, labels: &[Option<&str>]) -> u32 {
        let Self { series, hasher, index, .. } = self;
        let id = u32::try_from(series.len()).expect("fewer than 2^32 series");
        let key = |s: &Series| {
            let labels: Vec<Option<&str>> = s.labels.iter().map(Option::as_deref).collect();
            hasher.hash_one(labels.as_slice())
        };
        series.push(Series::new(labels.iter().map(|l| l.map(Box::from)).collect()));
        index.insert_unique(hash, id, |id| key(&series[*id as usize]));
        id
    }

    /// The series with this number.
    #[must_use]
    pub fn get(&self, id: u32) -> &Series {
        &self.series[id as usize]
    }

    /// All series, by number.
    #[must_use]
    pub fn series(&self) -> &[Series] {
        &self.series
    }

    /// Names of the user dimensions.
    #[must_use]
    pub fn dimensions(&self) -> &[String] {
        &self.dimensions
    }

    /// How many series there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.series.len()
    }

    /// Whether no series was seen.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.series.is_empty()
    }
}
