//! Gathering: cells lie bin by bin and are wanted key by key.

use super::cell::Cell;
use super::slabs::Slabs;
use crate::Result;
use crate::ledger::{Bin, Row, Rows, add};
use crate::memory;
use bytemuck::Zeroable;

/// Sums that left their cell.
#[derive(Clone, Copy, Debug, Zeroable)]
pub(super) struct Run<const M: usize> {
    pub bin: i64,
    pub sums: [u64; M],
    pub key: u32,
}

/// The rows of one family. `order` lists the numbers of the keys as they are to be sorted; a row's key is its place there.
pub(super) fn rows<const M: usize, C: Cell<M>>(slabs: Slabs<C, M>, order: &[u32]) -> Result<Rows<M>> {
    if slabs.has_runs() { folded(slabs.into_runs(), order) } else { Ok(of_cells(&slabs, order)) }
}

/// The rows of cells that never were emptied. Neighbouring keys share lines of the cache, so they are read together.
fn of_cells<const M: usize, C: Cell<M>>(slabs: &Slabs<C, M>, order: &[u32]) -> Rows<M> {
    const LINE: usize = 64;
    let bin = |start| Bin::at(start).expect("bins start where bins do");
    let places: Vec<(Bin, &[C])> = slabs.bins().map(|(start, cells)| (bin(start), cells)).collect();
    let keys = places.iter().map(|(_, cells)| cells.len()).max().unwrap_or(0);
    let together = (LINE / size_of::<C>()).max(1);
    // Room that is not used is never touched.
    let mut rows = Rows::with_capacity(slabs.cells());
    let mut columns = vec![vec![(bin(0), C::zeroed()); places.len() + 1]; together];
    for first in (0..keys).step_by(together) {
        let mut lens = vec![0; together];
        for (bin, cells) in &places {
            let cells = &cells[first.min(cells.len())..(first + together).min(cells.len())];
            for ((cell, column), len) in cells.iter().zip(&mut columns).zip(&mut lens) {
                // Written in any case, kept if there is something: no branch to guess.
                column[*len] = (*bin, *cell);
                *len += usize::from(*cell != C::zeroed());
            }
        }
        for (column, len) in columns.iter().zip(lens).take(keys - first) {
            let column = &column[..len];
            let mut most = [0; M];
            for (_, cell) in column {
                most.iter_mut().zip(cell.sums()).for_each(|(most, sum)| *most = sum.max(*most));
            }
            rows.extend_key(column.iter().map(|(bin, _)| *bin), most, |which, row| column[row].1.sums()[which]);
        }
    }
    rows.order_keys(order);
    rows
}

/// The rows of runs in any order; runs of one place are added.
pub(super) fn folded<const M: usize>(runs: Vec<Run<M>>, order: &[u32]) -> Result<Rows<M>> {
    let mut place = vec![0_u32; order.iter().max().map_or(0, |most| *most as usize + 1)];
    for (to, from) in (0..).zip(order) {
        place[*from as usize] = to;
    }
    let runs = sorted(runs, order.len(), |key| place[key as usize]);
    let mut rows = Rows::default();
    for same in runs.chunk_by(|a, b| (a.key, a.bin) == (b.key, b.bin)) {
        let mut sums = [0; M];
        for run in same {
            add(&mut sums, &run.sums.map(u128::from))?;
        }
        rows.push(&Row { key: same[0].key, bin: same[0].bin, sums });
    }
    Ok(rows)
}

/// Adds runs of one place where they fit together, so that as few as can be remain.
pub(super) fn shrunk<const M: usize>(runs: Vec<Run<M>>) -> Vec<Run<M>> {
    let keys = runs.iter().map(|run| run.key as usize + 1).max().unwrap_or(0);
    let mut runs = sorted(runs, keys, |key| key);
    runs.dedup_by(|run, sum| {
        if (run.key, run.bin) != (sum.key, sum.bin) {
            return false;
        }
        let mut both = sum.sums;
        let fit = both.iter_mut().zip(run.sums).all(|(sum, more)| {
            let (total, wrapped) = sum.overflowing_add(more);
            *sum = total;
            !wrapped
        });
        if fit {
            sum.sums = both;
        }
        fit
    });
    runs
}

/// Runs by key and bin, the keys renamed: counted into their place, as bins mostly come in order.
fn sorted<const M: usize>(runs: Vec<Run<M>>, keys: usize, place: impl Fn(u32) -> u32) -> Vec<Run<M>> {
    let mut next = vec![0_usize; keys + 1];
    for run in &runs {
        next[place(run.key) as usize + 1] += 1;
    }
    for key in 0..keys {
        next[key + 1] += next[key];
    }
    let mut sorted = memory::zeroed::<Run<M>>(runs.len());
    for run in runs {
        let key = place(run.key);
        let next = &mut next[key as usize];
        sorted[*next] = Run { key, ..run };
        *next += 1;
    }
    let mut start = 0;
    for end in next.into_iter().take(keys) {
        let of_key = &mut sorted[start..end];
        if !of_key.is_sorted_by_key(|run| run.bin) {
            of_key.sort_by_key(|run| run.bin);
        }
        start = end;
    }
    sorted
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    type Pairs = Slabs<[u64; 2], 2>;

    fn order() -> Vec<u32> {
        (0..64).rev().collect()
    }

    #[test]
    fn a_cell_is_emptied_before_it_wraps() {
        let mut slabs = Pairs::new();
        for _ in 0..40 {
            slabs.bin(0, 64, 1, 63)[1][0] += 1 << 62;
        }
        let rows: Vec<Row<2>> = rows(slabs, &order()).unwrap().iter().collect();
        assert_eq!(rows, [Row { key: 62, bin: 0, sums: [40 << 62, 0] }]);
    }

    #[test]
    fn bins_are_made_ready_only_as_far_as_events_pay_for_it() {
        let mut slabs = Pairs::new();
        let hours = |n: i64| (0, (n - 1) * 3600, 3600);
        assert!(slabs.scattered(hours(100), 1, (1, 399), 20).is_none());
        assert!(slabs.scattered(hours(100), 1, (1, 400), 20).is_some());
        assert!(slabs.scattered(hours(50), 1, (1, 400), 20).is_some(), "those are ready");
        assert!(slabs.scattered(hours(101), 1, (1, 400), 20).is_none(), "all would be made ready again for one more");
        assert!(slabs.scattered(hours(101), 1, (1, 804), 20).is_some());
    }

    /// Events of neighbouring bins, added together as tiles are: the first bin, and for each event the bin behind it and the
    /// key. Keys become more as tiles go on.
    fn tiles() -> impl Strategy<Value = Vec<(i64, Vec<(usize, u32)>)>> {
        prop::collection::vec((0..40_i64, prop::collection::vec((0..3_usize, 0..64_u32), 1..20)), 1..60)
    }

    fn gathered(budget: usize, tiles: &[(i64, Vec<(usize, u32)>)]) -> Rows<2> {
        let (mut slabs, mut places) = (Pairs::with_budget(budget), Vec::new());
        for (i, (first, events)) in tiles.iter().enumerate() {
            let keys = (i + 4).min(64);
            let bins = (first * 300, (first + 2) * 300, 300);
            let cells = slabs.span(bins, keys, events.len() as u64, 20, &mut places);
            let alone = cells.is_none();
            for (bin, key) in events {
                let key = *key as usize % keys;
                if alone {
                    slabs.bin((first + i64::try_from(*bin).unwrap()) * 300, keys, 1, 20)[key][0] += 1;
                } else {
                    slabs.span(bins, keys, 0, 20, &mut places).unwrap()[places[*bin] + key][0] += 1;
                }
            }
        }
        rows(slabs, &order()).unwrap()
    }

    proptest! {
        #[test]
        fn the_budget_cannot_be_seen_in_the_result(tiles in tiles(), cells in 1..600_usize) {
            prop_assert_eq!(gathered(cells * size_of::<[u64; 2]>(), &tiles), gathered(1 << 20, &tiles));
            let events: usize = tiles.iter().map(|(_, events)| events.len()).sum();
            let sum: u128 = gathered(1 << 20, &tiles).iter().map(|row| row.sums[0]).sum();
            prop_assert_eq!(sum, events as u128);
        }
    }
}
