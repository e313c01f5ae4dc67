//! Slabs: dense 64-bit cells per bin that spill into exact 128-bit rows before anything can wrap.
//!
//! Time-ordered logs touch few bins at once and stay dense. Past a memory budget all slabs are folded into sparse rows.
//! Input that is both wide and shuffled would do little else; it is noticed and kept as loose rows, sorted and added in
//! large lots. Which of the two happened cannot be seen in the result.

use crate::Result;
use crate::ledger::{Cell, Row};

/// Memory for dense cells per family, in bytes.
const BUDGET: usize = 128 << 20;
/// Loose rows gathered before they are sorted and added.
const LOT: usize = 1 << 20;
/// Neighbouring bins that are filled side by side.
const MOST_BINS: usize = 16;
/// A spill that empties fewer than one cell in this many says that dense cells are the wrong shape.
const SPARSE: usize = 8;

#[derive(Debug)]
pub(super) struct Slab<const N: usize> {
    bin: i64,
    /// One cell per key.
    pub cells: Vec<[u64; N]>,
    /// Events since the last spill, and the bits of the largest value any of them added.
    events: u64,
    bits: u32,
}

impl<const N: usize> Slab<N> {
    /// Moves what the cells hold into rows; says how many cells held something.
    fn drain<T: Cell>(&mut self, rows: &mut Vec<Row<N, T>>) -> usize {
        let before = rows.len();
        for (key, cell) in self.cells.iter_mut().enumerate() {
            if *cell != [0; N] {
                let key = u32::try_from(key).expect("keys are numbered in 32 bits");
                rows.push(Row { key, bin: self.bin, sums: cell.map(T::from) });
                *cell = [0; N];
            }
        }
        self.events = 0;
        self.bits = 0;
        rows.len() - before
    }

    fn fits(&self, events: u64, bits: u32) -> bool {
        let bits = self.bits.max(bits);
        bits < 64 && self.events + events <= 1 << (64 - bits)
    }
}

/// Cells by bin and key; see the module.
#[derive(Debug)]
pub(super) struct Slabs<const N: usize, T = u128> {
    /// Sorted by bin.
    live: Vec<Slab<N>>,
    recent: usize,
    bytes: usize,
    budget: usize,
    scattered: bool,
    loose: Vec<(i64, u32, [u64; N])>,
    rows: Vec<Row<N, T>>,
    /// Rows there were after the last fold.
    folded: usize,
}

impl<const N: usize, T: Cell> Slabs<N, T> {
    pub(super) fn new() -> Self {
        Self::with_budget(BUDGET)
    }

    fn with_budget(budget: usize) -> Self {
        Self {
            live: Vec::new(),
            recent: 0,
            bytes: 0,
            budget,
            scattered: false,
            loose: Vec::new(),
            rows: Vec::new(),
            folded: 0,
        }
    }

    /// The slabs of neighbouring bins from `first` to `last`, each with room for `events` events of at most `bits` bits a
    /// value; `None` where events have to be added one by one with [`Slabs::cell`].
    pub(super) fn span(
        &mut self,
        (first, last, step): (i64, i64, i64),
        keys: usize,
        events: usize,
        bits: u32,
    ) -> Result<Option<&mut [Slab<N>]>> {
        if self.scattered || bits >= 64 || events as u64 > 1 << (64 - bits) {
            return Ok(None);
        }
        let distance = usize::try_from(last.abs_diff(first) / step.unsigned_abs()).unwrap_or(usize::MAX);
        if distance >= MOST_BINS {
            return Ok(None);
        }
        let mut bin = first;
        let end = loop {
            let Some(at) = self.ready(bin, keys, events as u64, bits)? else { return Ok(None) };
            if bin == last {
                break at + 1;
            }
            bin += step;
        };
        // Making room for one may have spilled another.
        let slabs = end.checked_sub(distance + 1).map(|start| &mut self.live[start..end]);
        Ok(slabs.filter(|slabs| slabs[0].bin == first))
    }

    /// The cell of one bin and key, for one event of at most `bits` bits a value.
    #[inline]
    pub(super) fn cell(&mut self, bin: i64, key: u32, keys: usize, bits: u32) -> Result<&mut [u64; N]> {
        if !self.scattered
            && let Some(at) = self.ready(bin, keys, 1, bits)?
        {
            return Ok(&mut self.live[at].cells[key as usize]);
        }
        if self.loose.len() >= LOT {
            self.settle()?;
        }
        self.loose.push((bin, key, [0; N]));
        let (_, _, cell) = self.loose.last_mut().expect("pushed above");
        Ok(cell)
    }

    /// Place of a slab with room for these events; `None` once the input proved scattered.
    #[inline]
    fn ready(&mut self, bin: i64, keys: usize, events: u64, bits: u32) -> Result<Option<usize>> {
        let at = match self.live.get(self.recent) {
            Some(slab) if slab.bin == bin => self.recent,
            _ => match self.live.binary_search_by_key(&bin, |slab| slab.bin) {
                Ok(at) => at,
                Err(_) => match self.insert(bin, keys)? {
                    Some(at) => at,
                    None => return Ok(None),
                },
            },
        };
        let at = if self.live[at].cells.len() >= keys {
            at
        } else {
            match self.grow(at, keys)? {
                Some(at) => at,
                None => return Ok(None),
            }
        };
        self.recent = at;
        let slab = &mut self.live[at];
        if !slab.fits(events, bits) {
            slab.drain(&mut self.rows);
        }
        slab.events += events;
        slab.bits = slab.bits.max(bits);
        Ok(Some(at))
    }

    /// Makes a slab longer; past the budget it begins anew.
    #[cold]
    fn grow(&mut self, at: usize, keys: usize) -> Result<Option<usize>> {
        let more = (keys - self.live[at].cells.len()) * size_of::<[u64; N]>();
        if self.bytes + more > self.budget && self.live.len() > 1 {
            let bin = self.live[at].bin;
            self.spill()?;
            return self.insert(bin, keys);
        }
        self.bytes += more;
        self.live[at].cells.resize(keys, [0; N]);
        Ok(Some(at))
    }

    #[cold]
    fn insert(&mut self, bin: i64, keys: usize) -> Result<Option<usize>> {
        let bytes = keys * size_of::<[u64; N]>();
        if self.bytes + bytes > self.budget && !self.live.is_empty() {
            let cells = self.bytes / size_of::<[u64; N]>();
            let filled = self.spill()?;
            self.scattered = filled < cells / SPARSE;
            if self.scattered {
                return Ok(None);
            }
        }
        self.bytes += bytes;
        let at = self.live.partition_point(|slab| slab.bin < bin);
        self.live.insert(at, Slab { bin, cells: vec![[0; N]; keys], events: 0, bits: 0 });
        Ok(Some(at))
    }

    fn spill(&mut self) -> Result<usize> {
        let filled = self.live.iter_mut().map(|slab| slab.drain(&mut self.rows)).sum();
        self.live.clear();
        self.bytes = 0;
        self.shrink()?;
        Ok(filled)
    }

    fn settle(&mut self) -> Result<()> {
        let loose = self.loose.drain(..);
        self.rows.extend(loose.map(|(bin, key, sums)| Row { key, bin, sums: sums.map(T::from) }));
        self.shrink()
    }

    /// Folds the rows once they have doubled, so that the work stays linear in the events.
    fn shrink(&mut self) -> Result<()> {
        if self.rows.len() > 2 * self.folded + LOT {
            self.rows = crate::ledger::fold(std::mem::take(&mut self.rows))?;
            self.folded = self.rows.len();
        }
        Ok(())
    }

    /// Every cell that was touched as a row, sorted by key and bin. `order` lists the numbers of the keys as they are to
    /// be sorted; a row's key is its place there.
    pub(super) fn finish(mut self, order: &[u32]) -> Result<Vec<Row<N, T>>> {
        if self.rows.is_empty() && self.loose.is_empty() {
            return Ok(self.transpose(order));
        }
        self.spill()?;
        self.settle()?;
        let mut place = vec![u32::MAX; order.iter().max().map_or(0, |most| *most as usize + 1)];
        for (to, from) in (0..).zip(order) {
            place[*from as usize] = to;
        }
        for row in &mut self.rows {
            row.key = place[row.key as usize];
        }
        crate::ledger::fold(self.rows)
    }

    /// The rows of slabs alone. They lie bin by bin and are wanted key by key: read in order, written to one place for
    /// each key.
    fn transpose(&self, order: &[u32]) -> Vec<Row<N, T>> {
        let keys = self.live.iter().map(|slab| slab.cells.len()).max().unwrap_or(0);
        let mut counts = vec![0_usize; keys];
        for slab in &self.live {
            for (count, cell) in counts.iter_mut().zip(&slab.cells) {
                *count += usize::from(*cell != [0; N]);
            }
        }
        // Where the rows of each number begin, and the key they get.
        let mut next = vec![(0, 0); keys];
        let mut begin = 0;
        for (key, number) in (0_u32..).zip(order) {
            if let Some(count) = counts.get(*number as usize) {
                next[*number as usize] = (begin, key);
                begin += count;
            }
        }
        let mut rows = vec![Row { key: 0, bin: 0, sums: [T::default(); N] }; begin];
        for slab in &self.live {
            for ((place, key), cell) in next.iter_mut().zip(&slab.cells) {
                if *cell != [0; N] {
                    rows[*place] = Row { key: *key, bin: slab.bin, sums: cell.map(T::from) };
                    *place += 1;
                }
            }
        }
        rows
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Adds `value` at each of these bins and keys and returns the rows.
    fn gather(budget: usize, places: &[(i64, u32)], value: u64) -> Vec<Row<1>> {
        let mut slabs = Slabs::<1>::with_budget(budget);
        for (bin, key) in places {
            slabs.cell(*bin, *key, 64, 64 - value.leading_zeros()).unwrap()[0] += value;
        }
        let order: Vec<u32> = (0..64).collect();
        slabs.finish(&order).unwrap()
    }

    #[test]
    fn a_cell_spills_before_it_wraps() {
        let value = 1 << 62;
        let rows = gather(BUDGET, &[(0, 1); 40], value);
        assert_eq!(rows, [Row { key: 1, bin: 0, sums: [40 * u128::from(value)] }]);
    }

    #[test]
    fn the_budget_cannot_be_seen_in_the_result() {
        let places: Vec<(i64, u32)> = (0..5000_u32).map(|i| (i64::from(i * 7919 % 97), i * 31 % 64)).collect();
        let dense = gather(BUDGET, &places, 3);
        assert_eq!(dense, gather(0, &places, 3));
        assert_eq!(dense, gather(64 * 8 * 5, &places, 3));
    }
}
