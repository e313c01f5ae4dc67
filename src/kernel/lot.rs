//! Lots: events in no order of time wait here until there are many of them, and are then taken bin by bin.
//!
//! Adding shuffled events one by one means a cache miss for each. Sorted by bin they come as time-ordered events do, and a
//! sort that only counts costs less than the misses.

use super::simd::Record;
use super::tile::Tile;
use crate::event::{NO_LATENCY, NO_TIME};
use crate::memory;

/// Events of a lot: 16 MiB, twice.
const EVENTS: usize = 1 << 19;
/// Bins a lot may span to be sorted by counting.
const MOST_BINS: u64 = 1 << 17;

/// Events that wait.
#[derive(Debug, Default)]
pub(super) struct Lot {
    records: Vec<Record>,
    sorted: Vec<Record>,
}

impl Lot {
    pub fn is_empty(&self) -> bool {
        self.records.is_empty()
    }

    /// Whether another tile may not fit.
    pub fn is_full(&self) -> bool {
        self.records.len() + super::tile::TILE > EVENTS
    }

    pub fn push(&mut self, tile: &Tile<'_>) {
        if self.records.capacity() == 0 {
            self.records = memory::with_capacity(EVENTS);
        }
        self.records.extend((0..tile.len()).map(|i| Record {
            time_us: tile.time_us(i),
            latency_us: tile.latency_us.map_or(NO_LATENCY, |l| l[i]),
            values: [tile.series[i], tile.input[i], tile.cached[i], tile.output[i]],
        }));
    }

    /// Hands out every event, ordered by bins of this width, and forgets them.
    pub fn take(&mut self, width_us: i64) -> &mut [Record] {
        let bin = |record: &Record| record.time_us.div_euclid(width_us);
        let times = || self.records.iter().map(|record| record.time_us).filter(|time| *time != NO_TIME);
        let (first, last) = times().fold((i64::MAX, i64::MIN), |(a, b), time| (a.min(time), b.max(time)));
        let first = first.min(last).div_euclid(width_us);
        let bins = last.div_euclid(width_us).abs_diff(first) + 1;
        if bins > MOST_BINS {
            self.sorted.clear();
            self.sorted.append(&mut self.records);
            self.sorted.sort_unstable_by_key(bin);
            return &mut self.sorted;
        }
        // Events without a time come first.
        let width = width_us.unsigned_abs();
        let start_us = first * width_us;
        let place = |record: &Record| match record.time_us {
            NO_TIME => 0,
            time => usize::try_from(time.abs_diff(start_us) / width).map_or(0, |bin| bin + 1),
        };
        let mut next = vec![0_usize; usize::try_from(bins).unwrap_or(0) + 1];
        for record in &self.records {
            next[place(record)] += 1;
        }
        let mut before = 0;
        for next in &mut next {
            before += std::mem::replace(next, before);
        }
        if self.sorted.len() < self.records.len() {
            self.sorted = memory::zeroed(self.records.len().max(EVENTS));
        }
        for record in &self.records {
            let next = &mut next[place(record)];
            self.sorted[*next] = *record;
            *next += 1;
        }
        let n = self.records.len();
        self.records.clear();
        &mut self.sorted[..n]
    }
}
