//! Adding ledgers: the same operation as `GROUP BY keys, SUM`, wherever it runs.

use super::{Bin, CELL_LIMIT, Ledger, MOMENTS, NULL_BIN, OCCUPANCY_BIN_S, Row, Rows, WindowFamily, moment};
use crate::keys::{Label, Series};
use crate::{Error, Result};
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
    match sum.bound.take() {
        Some(bound) => sum.within(bound),
        None => Ok(sum),
    }
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
    if a.keeps_occupancy != b.keeps_occupancy {
        let kept = |ledger: &Ledger| if ledger.keeps_occupancy { "kept" } else { "not kept" }.to_owned();
        return mismatch("occupancy is", kept(a), kept(b));
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
        .map(|(x, y)| {
            Ok(WindowFamily { window: x.window, rows: Rows::joined((&x.rows, &keys_a), (&y.rows, &keys_b))? })
        })
        .collect::<Result<_>>()?;
    Ok(Ledger {
        bin_seconds: a.bin_seconds,
        dimensions: a.dimensions,
        series,
        moments: Rows::joined((&a.moments, &keys_a), (&b.moments, &keys_b))?,
        windows,
        routes,
        occupancy: Rows::joined((&a.occupancy, &routes_a), (&b.occupancy, &routes_b))?,
        keeps_occupancy: a.keeps_occupancy,
        bound: match (a.bound, &b.bound) {
            (Some(a), Some(b)) => Some(a.and(b)),
            (a, b) => a.or_else(|| b.clone()),
        },
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

fn rekey<const N: usize>(rows: &[Row<N>], keys: &[u32]) -> Vec<Row<N>> {
    rows.iter().map(|row| Row { key: keys[row.key as usize], ..*row }).collect()
}

/// Adds `other` to `sums`, checked against the width of a cell.
pub(crate) fn add_into<const N: usize>(sums: &mut [u128; N], other: &[u128; N]) -> Result<()> {
    for (sum, value) in sums.iter_mut().zip(other) {
        let added = sum.checked_add(*value).filter(|sum| *sum <= CELL_LIMIT);
        *sum = added.ok_or_else(|| Error::Overflow { what: "a ledger sum of more than 38 digits".into() })?;
    }
    Ok(())
}

/// Rows sorted by key and bin with equal keys added.
fn fold<const N: usize>(mut rows: Vec<Row<N>>) -> Result<Rows<N>> {
    rows.sort_unstable_by_key(|row| (row.key, row.bin));
    let mut folded = Rows::default();
    for equal in rows.chunk_by(|a, b| (a.key, a.bin) == (b.key, b.bin)) {
        let mut sum = equal[0];
        for row in &equal[1..] {
            add_into(&mut sum.sums, &row.sums)?;
        }
        folded.push(&sum);
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
        windows: Vec<(u32, Vec<Row<2>>)>,
        occupancy: &[Row<4>],
    ) -> Result<Self> {
        let mut ledger =
            Self::empty(bin_seconds, dimensions, &windows.iter().map(|(window, _)| *window).collect::<Vec<_>>())?;
        // A series stands in the list only if it has moments, a route only if it has a row of either family: an
        // occupancy row names a route by any series of it.
        let mut used = vec![false; series.len()];
        check_bins(moments.iter().map(|row| row.bin), bin_seconds)?;
        check_bins(occupancy.iter().map(|row| row.bin), OCCUPANCY_BIN_S)?;
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
        for (window, mut rows) in windows {
            rows.retain(|row| row.sums != [0, 0]);
            check_bins(rows.iter().map(|row| row.bin), bin_seconds)?;
            let kept = ledger.windows.iter_mut().find(|w| w.window == window);
            kept.expect("declared above").rows = fold(rekey(&rows, &places))?;
        }
        ledger.series = sorted;
        Ok(ledger)
    }
}

/// Refuses a start of a bin where none starts.
fn check_bins(mut bins: impl Iterator<Item = i64>, width_s: u32) -> Result<()> {
    let good = |bin: i64| bin == NULL_BIN || (bin.rem_euclid(i64::from(width_s)) == 0 && Bin::at(bin).is_some());
    match bins.find(|bin| !good(*bin)) {
        None => Ok(()),
        Some(bin) => Err(Error::Argument {
            what: "bin_start".into(),
            value: jiff::Timestamp::from_second(bin).map_or_else(|_| bin.to_string(), |time| time.to_string()),
            expected: format!("a start of a bin of {width_s} s"),
        }),
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
    pub(crate) fn fill(&mut self, series: Vec<Series>, routes: Vec<Series>, moments: Rows<8>, occupancy: Rows<4>) {
        self.series = series;
        self.routes = routes;
        self.moments = moments;
        self.occupancy = occupancy;
    }

    /// Keeps a window family with rows in canonical order; rows of nothing are not kept.
    pub(crate) fn keep_window(&mut self, mut family: WindowFamily) {
        if family.rows.iter().any(|row| row.sums == [0, 0]) {
            family.rows = family.rows.iter().filter(|row| row.sums != [0, 0]).collect();
        }
        let at = self.windows.partition_point(|w| w.window < family.window);
        self.windows.insert(at, family);
    }
}

fn route_of(series: &Series) -> Series {
    let labels: Vec<Label> = series.route().to_vec();
    Series::new(labels)
}
