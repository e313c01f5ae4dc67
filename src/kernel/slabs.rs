//! Slabs: dense cells per bin that are emptied into rows before anything can wrap.
//!
//! Time-ordered logs touch few bins at once and stay dense: only the slabs of those bins are hot, the others wait. Past a
//! memory budget all of them are emptied into rows. Which of the two happened cannot be seen in the result.

use super::cell::Cell;
use super::gather::{self, Run};
use crate::memory;

/// Memory for dense cells per family, in bytes.
const BUDGET: usize = 128 << 20;
/// Memory of a small scan, in bytes.
const SMALL: usize = 256 << 10;
/// Runs gathered before they are sorted and added.
const LOT: usize = 1 << 20;
/// Neighbouring bins that one tile may fall into.
pub(super) const MOST_BINS: usize = 64;

#[derive(Clone, Copy, Debug)]
struct Slab {
    bin: i64,
    /// Place and number of the cells in the arena.
    start: usize,
    len: usize,
    /// Events since the last emptying, and the bits of the largest value any of them added.
    events: u64,
    bits: u32,
}

/// Neighbouring bins that are ready for events in any order.
#[derive(Debug, Default)]
struct Wide {
    first: i64,
    last: i64,
    step: i64,
    keys: usize,
    bits: u32,
    /// Events that each of the bins has room for.
    left: u64,
    /// Bins that were made ready, each as often as it was.
    spent: u64,
    /// The changes there were then.
    at: u64,
    places: Vec<u32>,
}

impl Wide {
    /// Room that is made in every bin at once.
    const EVENTS: u64 = 1 << 20;
    /// To make a bin ready takes as long as some events take.
    const EVENTS_A_BIN: u64 = 4;
    /// Memory is worth touching for the first time if events come to it.
    const BYTES_AN_EVENT: u64 = 64;

    fn holds(&self, (first, last, step): (i64, i64, i64), keys: usize, events: u64, bits: u32, changes: u64) -> bool {
        self.left >= events
            && self.at == changes
            && self.step == step
            && (self.first..=self.last).contains(&first)
            && last <= self.last
            && keys <= self.keys
            && bits <= self.bits
    }
}

/// Cells of many bins.
pub(super) struct Scattered<'a, C> {
    /// All cells.
    pub cells: &'a mut [C],
    /// The first of the bins, in seconds.
    pub first: i64,
    /// Where the cells of each bin begin.
    pub places: &'a [u32],
}

/// Cells by bin and key; see the module.
#[derive(Debug)]
pub(super) struct Slabs<C, const M: usize> {
    /// Sorted by bin.
    live: Vec<Slab>,
    recent: usize,
    arena: Vec<C>,
    budget: usize,
    runs: Vec<Run<M>>,
    /// Runs there were after the last shrinking.
    shrunk: usize,
    /// Counts whatever moves or empties cells.
    changes: u64,
    wide: Wide,
}

impl<const M: usize, C: Cell<M>> Slabs<C, M> {
    pub(super) fn new() -> Self {
        Self::with_budget(BUDGET)
    }

    pub(super) fn with_budget(budget: usize) -> Self {
        Self {
            live: Vec::new(),
            recent: 0,
            arena: Vec::new(),
            budget,
            runs: Vec::new(),
            shrunk: 0,
            changes: 0,
            wide: Wide::default(),
        }
    }

    /// Bytes of all live cells.
    pub(super) fn bytes(&self) -> usize {
        self.arena.len() * size_of::<C>()
    }

    /// The cells of one bin, with room for these events, of which there are at most [`Cell::most`].
    #[inline]
    pub(super) fn bin(&mut self, bin: i64, keys: usize, events: u64, bits: u32) -> &mut [C] {
        let at = self.ready(bin, keys, events, bits);
        let Slab { start, len, .. } = self.live[at];
        &mut self.arena[start..start + len]
    }

    /// Whether bins lie too far apart for [`Self::span`].
    pub(super) fn is_far((first, last, step): (i64, i64, i64)) -> bool {
        last.abs_diff(first) / step.unsigned_abs() >= MOST_BINS as u64
    }

    /// All cells, with the place of those of each bin from `first` to `last`; `None` where there are too many bins, or
    /// events too large to be added at once.
    pub(super) fn span(
        &mut self,
        (first, last, step): (i64, i64, i64),
        keys: usize,
        events: u64,
        bits: u32,
        places: &mut Vec<usize>,
    ) -> Option<&mut [C]> {
        let distance = usize::try_from(last.abs_diff(first) / step.unsigned_abs()).unwrap_or(usize::MAX);
        if events > C::most(bits)
            || distance >= MOST_BINS
            || (distance + 1).saturating_mul(keys * size_of::<C>()) > self.budget
        {
            return None;
        }
        // Making room for one bin may empty all: then the first ones are made anew, and there is room for them.
        for _ in 0..2 {
            places.clear();
            for bin in (0..).map(|i| first + i * step).take(distance + 1) {
                let at = self.ready(bin, keys, 0, bits);
                places.push(self.live[at].start);
            }
            if self.live.len() > distance {
                break;
            }
        }
        for bin in (0..).map(|i| first + i * step).take(distance + 1) {
            self.ready(bin, keys, events, bits);
        }
        Some(&mut self.arena)
    }

    /// All cells, ready for events that fall into any bin from the first to the last in no order, with the place of every
    /// bin. `None` where they are too many for the `seen` events there were so far, or events too large.
    pub(super) fn scattered(
        &mut self,
        span: (i64, i64, i64),
        keys: usize,
        (events, seen): (u64, u64),
        bits: u32,
    ) -> Option<Scattered<'_, C>> {
        if !self.wide.holds(span, keys, events, bits, self.changes) {
            self.widen(span, keys, seen, bits)?;
        }
        self.wide.left -= events;
        Some(Scattered { cells: &mut self.arena, first: self.wide.first, places: &self.wide.places })
    }

    /// Makes all these bins ready at once, as far as the events so far pay for it.
    fn widen(&mut self, (first, last, step): (i64, i64, i64), keys: usize, seen: u64, bits: u32) -> Option<()> {
        let wide = &self.wide;
        let (first, last) =
            if wide.step == step { (first.min(wide.first), last.max(wide.last)) } else { (first, last) };
        let count = usize::try_from(last.abs_diff(first) / step.unsigned_abs()).ok()?.checked_add(1)?;
        let bytes = count.checked_mul(keys.checked_mul(size_of::<C>())? + size_of::<Slab>() + size_of::<u32>())?;
        let spent = wide.spent + count as u64;
        if C::most(bits) < Wide::EVENTS << 2
            || bytes > self.budget
            || bytes as u64 / Wide::BYTES_AN_EVENT > seen
            || spent.saturating_mul(Wide::EVENTS_A_BIN) > seen
        {
            return None;
        }
        self.wide.spent = spent;
        let starts = || (0..).map(move |i| first + i * step).take(count);
        // Making room for one bin may empty all: then the first ones are made anew, and there is room for them.
        for _ in 0..2 {
            starts().for_each(|bin| _ = self.ready(bin, keys, 0, bits));
        }
        if self.live.len() < count {
            return None;
        }
        let mut places = std::mem::take(&mut self.wide.places);
        places.clear();
        for bin in starts() {
            let at = self.ready(bin, keys, Wide::EVENTS, bits);
            places.push(u32::try_from(self.live[at].start).ok()?);
        }
        self.wide = Wide { first, last, step, keys, bits, left: Wide::EVENTS, spent, at: self.changes, places };
        Some(())
    }

    /// Place of a slab with room for these events.
    #[inline]
    fn ready(&mut self, bin: i64, keys: usize, events: u64, bits: u32) -> usize {
        let at = match self.live.get(self.recent) {
            Some(slab) if slab.bin == bin && slab.len >= keys => self.recent,
            _ => self.find(bin, keys),
        };
        self.recent = at;
        let slab = self.live[at];
        let most = C::most(slab.bits.max(bits));
        if slab.events + events > most && self.counted(at) + events > most / 2 {
            self.empty(at);
        }
        let slab = &mut self.live[at];
        slab.events += events;
        slab.bits = slab.bits.max(bits);
        at
    }

    fn find(&mut self, bin: i64, keys: usize) -> usize {
        match self.live.binary_search_by_key(&bin, |slab| slab.bin) {
            Ok(at) if self.live[at].len >= keys => at,
            Ok(at) => {
                // Keys became more: the cells move to where there is room for more still.
                let Slab { start, len, .. } = self.live[at];
                let Some(to) = self.room(keys.next_power_of_two()) else { return self.insert(bin, keys) };
                self.changes += 1;
                self.arena.copy_within(start..start + len, to);
                let slab = &mut self.live[at];
                (slab.start, slab.len) = (to, keys.next_power_of_two());
                at
            }
            Err(_) => self.insert(bin, keys),
        }
    }

    fn insert(&mut self, bin: i64, keys: usize) -> usize {
        self.changes += 1;
        let start = self.room(keys).or_else(|| self.room(keys)).unwrap_or(0);
        let at = self.live.partition_point(|slab| slab.bin < bin);
        self.live.insert(at, Slab { bin, start, len: keys, events: 0, bits: 0 });
        at
    }

    /// Place of `len` fresh cells; `None` if everything was emptied to make room.
    fn room(&mut self, len: usize) -> Option<usize> {
        let start = self.arena.len();
        if (start + len) * size_of::<C>() > self.budget && !self.live.is_empty() {
            self.spill();
            return None;
        }
        if start + len > self.arena.capacity() {
            // A small scan stays small. Beyond, all that may ever be needed is asked for: memory counts once it is touched, and
            // nothing has to move again.
            let few = SMALL / size_of::<C>();
            let most = if start + len <= few { few } else { (self.budget / size_of::<C>()).max(start + len) };
            let mut larger = memory::with_capacity(most);
            larger.extend_from_slice(&self.arena);
            self.arena = larger;
        }
        self.arena.resize(start + len, C::zeroed());
        Some(start)
    }

    /// Events in the fullest cell of a slab: not all of a bin are of one key, and what was made ready may not have come.
    fn counted(&mut self, at: usize) -> u64 {
        let Slab { start, len, .. } = self.live[at];
        let fullest = self.arena[start..start + len].iter().map(Cell::events).max().unwrap_or(0);
        let slab = &mut self.live[at];
        slab.events = slab.events.min(fullest);
        // Events that bins are ready for may still come.
        self.changes += 1;
        slab.events
    }

    /// Moves what the cells of a slab hold into runs.
    fn empty(&mut self, at: usize) {
        self.changes += 1;
        let Slab { bin, start, len, .. } = self.live[at];
        for (key, cell) in (0..).zip(&mut self.arena[start..start + len]) {
            if *cell != C::zeroed() {
                self.runs.push(Run { key, bin, sums: cell.sums() });
                *cell = C::zeroed();
            }
        }
        (self.live[at].events, self.live[at].bits) = (0, 0);
    }

    fn spill(&mut self) {
        for at in 0..self.live.len() {
            self.empty(at);
        }
        self.live.clear();
        self.arena.clear();
        self.shrink();
    }

    /// Adds sums by themselves.
    pub(super) fn run(&mut self, run: Run<M>) {
        self.runs.push(run);
        self.shrink();
    }

    /// Adds up the runs once they have doubled, so that the work stays linear in the events.
    fn shrink(&mut self) {
        if self.runs.len() >= 2 * self.shrunk + LOT {
            self.runs = gather::shrunk(std::mem::take(&mut self.runs));
            self.shrunk = self.runs.len();
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.live.is_empty() && self.runs.is_empty()
    }

    pub(super) fn has_runs(&self) -> bool {
        !self.runs.is_empty()
    }

    /// Everything as runs.
    pub(super) fn into_runs(mut self) -> Vec<Run<M>> {
        for at in 0..self.live.len() {
            self.empty(at);
        }
        self.runs
    }

    /// Bins that are live, in order, with their cells.
    pub(super) fn bins(&self) -> impl Iterator<Item = (i64, &[C])> + '_ {
        self.live.iter().map(|slab| (slab.bin, &self.arena[slab.start..slab.start + slab.len]))
    }

    /// How many cells are live.
    pub(super) fn cells(&self) -> usize {
        self.arena.len()
    }
}
