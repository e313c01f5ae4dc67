//! Gathering: cells lie bin by bin and are wanted key by key. They are read in order and written to one place for each key.

use super::cell::Cell;
use super::slabs::Slabs;
use crate::Result;
use crate::ledger::{Bin, Row, Rows, Sums, fold};
use crate::memory;

/// Sums that left their cell.
#[derive(Clone, Copy, Debug)]
pub(super) struct Run<const M: usize> {
    pub key: u32,
    pub bin: i64,
    pub sums: [u64; M],
}

impl<const M: usize> Run<M> {
    pub fn row(self) -> Row<M> {
        Row { key: self.key, bin: self.bin, sums: self.sums.map(u128::from) }
    }
}

/// The rows of one family. `order` lists the numbers of the keys as they are to be sorted; a row's key is its place there.
pub(super) fn rows<const M: usize, C: Cell<M>>(slabs: &Slabs<C, M>, order: &[u32]) -> Result<Rows<M>> {
    match in_order(slabs, order) {
        Some(rows) => Ok(rows),
        None => folded(slabs, order).and_then(fold),
    }
}

/// Every row that there is, with its key's place in `order`; places may come twice.
pub(super) fn folded<const M: usize, C: Cell<M>>(slabs: &Slabs<C, M>, order: &[u32]) -> Result<Vec<Row<M>>> {
    let mut place = vec![u32::MAX; order.iter().max().map_or(0, |most| *most as usize + 1)];
    for (to, from) in (0..).zip(order) {
        place[*from as usize] = to;
    }
    let mut rows: Vec<Row<M>> = slabs.folded().iter().collect();
    slabs.each(|key, bin, sums| rows.push(Run { key, bin, sums }.row()));
    for row in &mut rows {
        row.key = place[row.key as usize];
    }
    Ok(rows)
}

/// The rows, if every place came once and every key's bins in ascending order.
fn in_order<const M: usize, C: Cell<M>>(slabs: &Slabs<C, M>, order: &[u32]) -> Option<Rows<M>> {
    if !slabs.folded().is_empty() {
        return None;
    }
    let keys = order.iter().max().map_or(0, |most| *most as usize + 1);
    let mut seen = vec![(0_usize, i64::MIN); keys];
    let (mut union, mut sorted) = ([0; M], true);
    slabs.each(|key, bin, sums| {
        let (count, last) = &mut seen[key as usize];
        sorted &= *count == 0 || bin > *last;
        (*count, *last) = (*count + 1, bin);
        union.iter_mut().zip(sums).for_each(|(union, sum)| *union |= sum);
    });
    if !sorted {
        return None;
    }
    // Where the rows of each number begin.
    let mut starts = vec![0];
    let mut next = vec![0; keys];
    for number in order {
        let begin = starts[starts.len() - 1];
        next[*number as usize] = begin;
        starts.push(begin + seen[*number as usize].0);
    }
    let rows = starts[starts.len() - 1];
    let mut bins = memory::zeroed(rows);
    let mut sums = union.map(|union| match (union, u32::try_from(union)) {
        (0, _) => Sums::Zero,
        (_, Ok(_)) => Sums::Short(memory::zeroed(rows)),
        (_, Err(_)) => Sums::Long(memory::zeroed(rows)),
    });
    let mut known = None;
    slabs.each(|key, start, values| {
        let at = &mut next[key as usize];
        // Places come bin by bin.
        let bin = match known {
            Some((known, bin)) if known == start => bin,
            _ => Bin::at(start).expect("bins of the kernel start where bins do"),
        };
        known = Some((start, bin));
        bins[*at] = bin;
        for (sums, value) in sums.iter_mut().zip(values) {
            match sums {
                #[expect(clippy::cast_possible_truncation, reason = "no sum has more bits")]
                Sums::Short(sums) => sums[*at] = value as u32,
                Sums::Long(sums) => sums[*at] = value,
                Sums::Zero | Sums::Wide(_) => {}
            }
        }
        *at += 1;
    });
    Some(Rows::new(starts, bins, sums))
}
