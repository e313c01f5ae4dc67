//! Adding ledgers: the same operation as `GROUP BY keys, SUM`, wherever it runs.

use super::{CELL_LIMIT, Ledger, MOMENTS, OccupancyRow, Row, WindowFamily, moment};
use crate::keys::{Label, Series};
use crate::{Error, Result};
use std::cmp::Ordering;
use std::collections::BTreeMap;

/// The sum of ledgers, in canonical order.
///
/// # Errors
/// [`Error::LedgerMismatch`] for other bins, dimensions or windows; [`Error::LedgerOverlap`] if two of them hold the
/// same input and `allow_overlap` is not set; [`Error::Overflow`] if a sum passes 38 digits.
pub fn merge(ledgers: Vec<Ledger>, allow_overlap: bool) -> Result<Ledger> {
    let mut ledgers = ledgers.into_iter();
    let Some(mut sum) = ledgers.next() else {
        return Err(Error::Argument { what: "ledgers".into(), value: "none".into(), expected: "at least one".into() });
    };
    for other in ledgers {
        check(&sum, &other, allow_overlap)?;
        sum.origin.coverage.merge(&other.origin.coverage);
        sum.origin.inputs.extend(other.origin.inputs.iter().cloned());
        sum.origin.inputs.sort();
        sum = combine(sum, &other)?;
    }
    Ok(sum)
}

fn check(a: &Ledger, b: &Ledger, allow_overlap: bool) -> Result<()> {
    let windows = |l: &Ledger| l.windows.iter().map(|w| w.window).collect::<Vec<_>>();
    let mismatch = |what: &str, a: String, b: String| {
        Err(Error::LedgerMismatch {
            problem: format!("{what} {a} here and {b} there"),
            hint: "make both from their logs with the same options".into(),
        })
    };
    if a.bin_seconds != b.bin_seconds {
        return mismatch("bins of", format!("{} s", a.bin_seconds), format!("{} s", b.bin_seconds));
    }
    if a.dimensions != b.dimensions {
        return mismatch("dimensions are", format!("{:?}", a.dimensions), format!("{:?}", b.dimensions));
    }
    if windows(a) != windows(b) {
        return mismatch("windows are", format!("{:?}", windows(a)), format!("{:?}", windows(b)));
    }
    let twice = a.origin.inputs.iter().find(|x| b.origin.inputs.iter().any(|y| x.same_content(y)));
    match twice {
        Some(input) if !allow_overlap => Err(Error::LedgerOverlap { input: input.name.clone() }),
        _ => Ok(()),
    }
}

fn combine(a: Ledger, b: &Ledger) -> Result<Ledger> {
    let (series, [keys_a, keys_b]) = union([&a.series, &b.series]);
    let (routes, [routes_a, routes_b]) = union([&a.routes, &b.routes]);
    let windows = a
        .windows
        .iter()
        .zip(&b.windows)
        .map(|(x, y)| Ok(WindowFamily { window: x.window, rows: join((&x.rows, &keys_a), (&y.rows, &keys_b))? }))
        .collect::<Result<_>>()?;
    Ok(Ledger {
        bin_seconds: a.bin_seconds,
        dimensions: a.dimensions,
        series,
        moments: join((&a.moments, &keys_a), (&b.moments, &keys_b))?,
        windows,
        routes,
        occupancy: join((&a.occupancy, &routes_a), (&b.occupancy, &routes_b))?,
        origin: a.origin,
    })
}

/// Sorted union of series lists, and where each member of each list went.
fn union<const K: usize>(lists: [&[Series]; K]) -> (Vec<Series>, [Vec<u32>; K]) {
    let mut place: BTreeMap<&Series, u32> = lists.iter().flat_map(|list| list.iter()).map(|s| (s, 0)).collect();
    for (n, id) in place.values_mut().enumerate() {
        *id = u32::try_from(n).expect("fewer than 2^32 series");
    }
    let maps = lists.map(|list| list.iter().map(|s| place[s]).collect());
    (place.into_keys().cloned().collect(), maps)
}

fn rekey<const N: usize, T: Copy>(rows: &[Row<N, T>], keys: &[u32]) -> Vec<Row<N, T>> {
    rows.iter().map(|row| Row { key: keys[row.key as usize], ..*row }).collect()
}

/// Adds two sorted lists of rows whose keys are places in lists that were united; the union keeps the order, so they
/// stay sorted.
fn join<const N: usize, T: Cell>(
    (a, keys_a): (&[Row<N, T>], &[u32]),
    (b, keys_b): (&[Row<N, T>], &[u32]),
) -> Result<Vec<Row<N, T>>> {
    let mut joined = Vec::with_capacity(a.len().max(b.len()));
    let mut a = a.iter().map(|row| Row { key: keys_a[row.key as usize], ..*row }).peekable();
    let mut b = b.iter().map(|row| Row { key: keys_b[row.key as usize], ..*row }).peekable();
    let place = |row: &Row<N, T>| (row.key, row.bin);
    loop {
        let order = match (a.peek(), b.peek()) {
            (Some(x), Some(y)) => place(x).cmp(&place(y)),
            (Some(_), None) => Ordering::Less,
            (None, Some(_)) => Ordering::Greater,
            (None, None) => return Ok(joined),
        };
        match order {
            Ordering::Less => joined.extend(a.next()),
            Ordering::Greater => joined.extend(b.next()),
            Ordering::Equal => {
                if let (Some(mut x), Some(y)) = (a.next(), b.next()) {
                    add_into(&mut x.sums, &y.sums)?;
                    joined.push(x);
                }
            }
        }
    }
}

/// An integer that a sum is kept in.
pub(crate) trait Cell: Copy + Default + From<u64> {
    /// How long a sum may be, in words.
    const WIDTH: &'static str;

    /// The sum, if it fits.
    fn plus(self, other: Self) -> Option<Self>;
}

impl Cell for u128 {
    const WIDTH: &'static str = "38 digits";

    fn plus(self, other: Self) -> Option<Self> {
        self.checked_add(other).filter(|sum| *sum <= CELL_LIMIT)
    }
}

impl Cell for u64 {
    const WIDTH: &'static str = "64 bits";

    fn plus(self, other: Self) -> Option<Self> {
        self.checked_add(other)
    }
}

/// Adds `other` to `sums`, checked against the width of a cell.
pub(super) fn add_into<const N: usize, T: Cell>(sums: &mut [T; N], other: &[T; N]) -> Result<()> {
    for (sum, value) in sums.iter_mut().zip(other) {
        let added = sum.plus(*value);
        *sum = added.ok_or_else(|| Error::Overflow { what: format!("a ledger sum of more than {}", T::WIDTH) })?;
    }
    Ok(())
}

/// Rows sorted by key and bin with equal keys added.
pub(crate) fn fold<const N: usize, T: Cell>(mut rows: Vec<Row<N, T>>) -> Result<Vec<Row<N, T>>> {
    rows.sort_unstable_by_key(|row| (row.key, row.bin));
    let mut folded: Vec<Row<N, T>> = Vec::with_capacity(rows.len());
    for row in rows {
        match folded.last_mut() {
            Some(last) if (last.key, last.bin) == (row.key, row.bin) => add_into(&mut last.sums, &row.sums)?,
            _ => folded.push(row),
        }
    }
    Ok(folded)
}

impl Ledger {
    /// A ledger from rows whose keys are places in `series`; routes are derived and everything is put in canonical order.
    /// Occupancy rows name a *series* whose route they belong to.
    ///
    /// # Errors
    /// [`Error::Overflow`] past 38 digits; [`Error::Argument`] for bins, dimensions or rows that cannot be.
    ///
    /// # Panics
    /// If a row names a place beyond `series`.
    pub fn from_rows(
        bin_seconds: u32,
        dimensions: Vec<String>,
        series: &[Series],
        moments: &[Row<8>],
        windows: Vec<WindowFamily>,
        occupancy: &[OccupancyRow],
    ) -> Result<Self> {
        let mut ledger = Self::empty(bin_seconds, dimensions, &windows.iter().map(|w| w.window).collect::<Vec<_>>())?;
        // A series stands in the list only if it has moments, a route only if it has a row of either family: an
        // occupancy row names a route by any series of it.
        let mut used = vec![false; series.len()];
        for row in moments {
            check_cached(row)?;
            used[row.key as usize] = true;
        }
        let (sorted, places) = kept(series, &used);
        for row in occupancy {
            used[row.key as usize] = true;
        }
        let routes: Vec<Series> = series.iter().map(route_of).collect();
        let (sorted_routes, route_places) = kept(&routes, &used);
        ledger.routes = sorted_routes;
        ledger.occupancy = fold(rekey(occupancy, &route_places))?;
        ledger.moments = fold(rekey(moments, &places))?;
        for family in windows {
            let rows: Vec<Row<2>> = family.rows.into_iter().filter(|row| row.sums != [0, 0]).collect();
            let kept = ledger.windows.iter_mut().find(|w| w.window == family.window);
            kept.expect("declared above").rows = fold(rekey(&rows, &places))?;
        }
        ledger.series = sorted;
        Ok(ledger)
    }
}

/// Refuses a row with more cached than input tokens: whatever is worked out from it would be below nothing.
fn check_cached(row: &Row<8>) -> Result<()> {
    for (input, cached) in [(moment::INPUT, moment::CACHED), (moment::INPUT2, moment::CACHED2)] {
        if row.sums[cached] > row.sums[input] {
            return Err(Error::Argument {
                what: MOMENTS[cached].into(),
                value: row.sums[cached].to_string(),
                expected: format!("at most the {} of the row, {}", MOMENTS[input], row.sums[input]),
            });
        }
    }
    Ok(())
}

/// The used ones of a list, sorted, and the place of each; that of an unused one means nothing.
fn kept(list: &[Series], used: &[bool]) -> (Vec<Series>, Vec<u32>) {
    let kept: Vec<Series> = list.iter().zip(used).filter(|(_, used)| **used).map(|(s, _)| s.clone()).collect();
    let (sorted, [_]) = union([&kept]);
    let place = |s| u32::try_from(sorted.binary_search(s).unwrap_or(0)).expect("fewer than 2^32 series");
    let places = list.iter().map(place).collect();
    (sorted, places)
}

impl Ledger {
    /// Fills an empty ledger with rows in canonical order.
    pub(crate) fn fill(
        &mut self,
        series: Vec<Series>,
        routes: Vec<Series>,
        moments: Vec<Row<8>>,
        occupancy: Vec<OccupancyRow>,
    ) {
        self.series = series;
        self.routes = routes;
        self.moments = moments;
        self.occupancy = occupancy;
    }

    /// Keeps a window family with rows in canonical order; rows of nothing are not kept.
    pub(crate) fn keep_window(&mut self, mut family: WindowFamily) {
        family.rows.retain(|row| row.sums != [0, 0]);
        let at = self.windows.partition_point(|w| w.window < family.window);
        self.windows.insert(at, family);
    }
}

fn route_of(series: &Series) -> Series {
    let labels: Vec<Label> = series.route().to_vec();
    Series::new(labels)
}
