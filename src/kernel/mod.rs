//! The kernel: event columns in, exact sums out. No strings, no hash maps, no clock.
//!
//! Each worker owns an [`Accumulator`]. Events are looked at a tile at a time, and the tile says how they are added:
//!
//! - **in order**, where it falls into a few neighbouring bins: dense cells of those bins, which stay in the cache;
//! - **at once**, where it is wide and all cells of its bins are worth having: cells are asked for before they are needed;
//! - **in lots**, where neither holds: events wait, are sorted by bin, and then are in order. A bin with few events for
//!   many keys is sorted by key as well and needs no cells at all.
//!
//! Cells are 64 bits wide and are emptied into rows before one could wrap. Integer sums do not depend on the order of
//! anything, so which way was taken cannot be seen in the result.

mod cell;
mod gather;
mod lot;
mod occupancy;
mod simd;
mod slabs;
mod tile;

use crate::Result;
use crate::event::{EventBatch, EventColumns, NO_TIME};
use crate::keys::{Label, Series, SeriesTable};
use crate::ledger::{Ledger, NULL_BIN, Rows, WindowFamily};
use crate::physics::attention::doubled_area;
use cell::Cell;
use gather::Run;
use lot::Lot;
use occupancy::Occupancy;
use simd::{Moments, Record, Tokens};
use slabs::{Scattered, Slabs};
use std::collections::{BTreeSet, HashMap};
use tile::{TILE, Tile};

const MICROS: i64 = 1_000_000;
/// Cells that may be met in any order: they fit the second-level cache.
const CACHED_BYTES: usize = 512 << 10;
/// With more cells a bin than this no bin is kept dense because of one tile.
const DENSE_BYTES: usize = 4 << 20;
/// A bin of a lot is gathered in dense cells from this share of events to keys on.
const DENSE_SHARE: usize = 8;

/// What a ledger shall hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kept {
    /// Width of the moments bins in seconds: 300, 900 or 3600.
    pub bin_seconds: u32,
    /// Sliding windows to keep besides the moments, in tokens.
    pub windows: Vec<u32>,
    /// Whether occupancy is kept.
    pub occupancy: bool,
}

impl Default for Kept {
    fn default() -> Self {
        Self { bin_seconds: 3600, windows: Vec::new(), occupancy: true }
    }
}

/// Gathers events into the sums of a ledger; one per worker.
#[derive(Debug)]
pub struct Accumulator {
    bin_s: i64,
    moments: Slabs<Moments, 8>,
    occupancy: Option<Occupancy>,
    windows: Vec<(u32, Slabs<[u64; 2], 2>)>,
    /// Occupancy is kept per route: the first series of the same route stands for it.
    route_of: Vec<u32>,
    first_of_route: HashMap<Box<[Label]>, u32>,
    lot: Lot,
    at: Vec<u32>,
    places: Vec<usize>,
    /// Events that came so far.
    seen: u64,
}

impl Accumulator {
    /// An empty accumulator.
    #[must_use]
    pub fn new(kept: &Kept) -> Self {
        Self {
            bin_s: i64::from(kept.bin_seconds),
            moments: Slabs::new(),
            occupancy: kept.occupancy.then(Occupancy::new),
            windows: kept.windows.iter().collect::<BTreeSet<_>>().into_iter().map(|w| (*w, Slabs::new())).collect(),
            route_of: Vec::new(),
            first_of_route: HashMap::new(),
            lot: Lot::default(),
            at: Vec::new(),
            places: Vec::new(),
            seen: 0,
        }
    }

    /// Adds a batch.
    ///
    /// # Errors
    /// [`crate::Error::Overflow`] if a sum passes 128 bits.
    pub fn batch(&mut self, batch: &EventBatch, table: &SeriesTable) -> Result<()> {
        self.add(&batch.columns(), table)
    }

    /// Adds columns of events, all inside [`crate::event::limits`].
    ///
    /// # Errors
    /// [`crate::Error::Overflow`] if a sum passes 128 bits.
    pub fn add(&mut self, events: &EventColumns<'_>, table: &SeriesTable) -> Result<()> {
        self.learn_routes(table);
        let n = events.series.len();
        let mut start = 0;
        while start < n {
            let end = (start + TILE).min(n);
            self.tile(&Tile::new(events, start, end));
            start = end;
        }
        Ok(())
    }

    fn learn_routes(&mut self, table: &SeriesTable) {
        for id in self.route_of.len()..table.len() {
            let id = u32::try_from(id).expect("series are numbered in 32 bits");
            let route = table.get(id).route();
            let first = if let Some(first) = self.first_of_route.get(route) {
                *first
            } else {
                self.first_of_route.insert(route.into(), id);
                id
            };
            self.route_of.push(first);
        }
    }

    fn tile(&mut self, tile: &Tile<'_>) {
        let keys = self.route_of.len();
        let many = keys * size_of::<Moments>() > DENSE_BYTES;
        self.seen += tile.len() as u64;
        if many || !(self.in_order(tile, keys) || self.scattered(tile, keys)) {
            if self.lot.is_full() {
                self.settle();
            }
            self.lot.push(tile);
            // Where all cells stay in the cache there is nothing to wait for.
            if !many && self.moments.bytes() <= CACHED_BYTES {
                self.settle();
            }
        }
    }

    /// Adds a tile of few neighbouring bins; says whether it was one.
    fn in_order(&mut self, tile: &Tile<'_>, keys: usize) -> bool {
        let bins = tile.bins(self.bin_s);
        let Self { at, places, .. } = self;
        let Some(cells) = self.moments.span(bins, keys, tile.len() as u64, tile.product_bits, places) else {
            return false;
        };
        let Tile { input, cached, output, series, .. } = tile;
        let (cells, at) = if let [start] = places.as_slice() {
            (&mut cells[*start..*start + keys], *series)
        } else {
            tile.places(bins, places, series, at);
            (cells, at.as_slice())
        };
        let tokens = Tokens { at, input, cached, output, ahead: tile.ahead };
        let occupancy = self.occupancy.as_mut();
        if let Some((arrivals, at)) =
            occupancy.and_then(|occupancy| occupancy.arrivals(tile, &self.route_of, self.seen))
        {
            simd::moments_and_arrivals(cells, arrivals, at, tokens);
        } else {
            simd::moments(cells, tokens);
            if let Some(occupancy) = &mut self.occupancy {
                occupancy.tile(tile, &self.route_of);
            }
        }
        for (window, slabs) in &mut self.windows {
            for i in 0..tile.len() {
                let tokens = [tile.input[i], tile.cached[i], tile.output[i]];
                let cells = slabs.bin(tile.bin(tile.time[i], self.bin_s), keys, 1, tile.product_bits);
                add_areas(&mut cells[tile.series[i] as usize], tokens, *window);
            }
        }
        true
    }

    /// Adds a tile of bins that lie far apart, where all cells of them are worth having; says whether it was one.
    fn scattered(&mut self, tile: &Tile<'_>, keys: usize) -> bool {
        let Self { at, moments, occupancy, .. } = self;
        let plain = occupancy.as_mut().is_none_or(|occupancy| occupancy.is_plain(tile, &self.route_of));
        if !plain || !self.windows.is_empty() {
            return false;
        }
        let events = (tile.len() as u64, self.seen);
        let Some(Scattered { cells, first, places }) =
            moments.scattered(tile.bins(self.bin_s), keys, events, tile.product_bits)
        else {
            return false;
        };
        tile.scatter((first, self.bin_s), places, tile.series, at);
        let Tile { input, cached, output, .. } = tile;
        let tokens = Tokens { at, input, cached, output, ahead: tile.ahead };
        match occupancy {
            None => simd::moments_scattered(cells, tokens),
            Some(occupancy) => {
                let Some((arrivals, at)) = occupancy.arrivals(tile, &self.route_of, self.seen) else { return false };
                simd::moments_and_arrivals_scattered(cells, arrivals, at, tokens);
            }
        }
        true
    }

    /// Adds the events that wait.
    fn settle(&mut self) {
        if self.lot.is_empty() {
            return;
        }
        let keys = self.route_of.len();
        let finest_s = self.occupancy.as_ref().map_or(self.bin_s, |_| i64::from(crate::ledger::OCCUPANCY_BIN_S));
        let width_us = self.bin_s * MICROS;
        let records = self.lot.take(finest_s * MICROS);
        let bin = |record: &Record| bin_of(record.time_us, width_us);
        for group in records.chunk_by_mut(|a, b| bin(a) == bin(b)) {
            let start = bin(&group[0]);
            let bits = group.iter().fold(0, |bits, r| bits | r.values[1] | r.values[3]);
            let bits = 2 * (u32::BITS - bits.leading_zeros() + 1);
            if let Some(occupancy) = &mut self.occupancy {
                occupancy.records(group, &self.route_of);
            }
            for (window, slabs) in &mut self.windows {
                for Record { values: [series, tokens @ ..], .. } in &*group {
                    let mut cell = [0; 2];
                    add_areas(&mut cell, *tokens, *window);
                    slabs.run(Run { key: *series, bin: start, sums: cell });
                }
            }
            let dense = group.len().saturating_mul(DENSE_SHARE) >= keys || keys * size_of::<Moments>() <= CACHED_BYTES;
            if dense {
                for few in group.chunks(usize::try_from(Moments::most(bits)).unwrap_or(usize::MAX)) {
                    let cells = self.moments.bin(start, keys, few.len() as u64, bits);
                    simd::moments_of_records(cells, few);
                }
            } else {
                sparse(&mut self.moments, group, start);
            }
        }
    }

    /// The ledger of these events alone.
    ///
    /// # Errors
    /// [`crate::Error::Overflow`] if a sum passes 38 digits.
    ///
    /// # Panics
    /// If the table is not the one the events were numbered in.
    pub fn into_ledger(mut self, table: &SeriesTable) -> Result<Ledger> {
        self.learn_routes(table);
        self.settle();
        let bin_seconds = u32::try_from(self.bin_s).expect("a bin is at most an hour");
        let mut order: Vec<u32> = (0..).take(table.len()).collect();
        order.sort_unstable_by(|a, b| table.get(*a).cmp(table.get(*b)));
        let mut moments = gather::rows(self.moments, &order)?;
        // A dictionary may name what no event has.
        let used = moments.drop_empty_keys(order.len());
        let series = order
            .iter()
            .zip(&used)
            .filter(|(_, used)| **used)
            .map(|(id, _)| table.get(*id).clone())
            .collect::<Vec<_>>();
        let mut routes: Vec<u32> =
            order.iter().zip(&used).filter(|(_, used)| **used).map(|(id, _)| self.route_of[*id as usize]).collect();
        routes.sort_unstable_by(|a, b| table.get(*a).route().cmp(table.get(*b).route()));
        routes.dedup();
        let keeps_occupancy = self.occupancy.is_some();
        let mut ledger = Ledger::empty(bin_seconds, table.dimensions().to_vec(), &[])?;
        ledger.fill(
            series,
            routes.iter().map(|id| Series::new(table.get(*id).route().to_vec())).collect(),
            moments,
            self.occupancy.map_or_else(|| Ok(Rows::default()), |occupancy| occupancy.rows(&routes))?,
        );
        if !keeps_occupancy {
            ledger = ledger.without_occupancy();
        }
        for (window, slabs) in self.windows {
            let mut rows = gather::rows(slabs, &order)?;
            rows.keep_keys(&used);
            ledger.keep_window(WindowFamily { window, rows });
        }
        Ok(ledger)
    }
}

/// Adds the events of one bin without cells: sorted by key, sums leave as they are complete.
fn sparse(moments: &mut Slabs<Moments, 8>, group: &mut [Record], bin: i64) {
    group.sort_unstable_by_key(|record| record.values[0]);
    for same in group.chunk_by(|a, b| a.values[0] == b.values[0]) {
        // So few at once cannot wrap: a product is below 2^62.
        for few in same.chunks(2) {
            let mut sums = [0; 8];
            for record in few {
                let [_, input, cached, output] = record.values.map(u64::from);
                let values =
                    [1, input, cached, output, input * input, cached * cached, input * output, output * output];
                sums.iter_mut().zip(values).for_each(|(sum, value)| *sum += value);
            }
            moments.run(Run { key: same[0].values[0], bin, sums });
        }
    }
}

/// Adds twice the attention areas of an event.
fn add_areas(cell: &mut [u64; 2], tokens: [u32; 3], window: u32) {
    let [input, cached, output] = tokens.map(u64::from);
    let area = |x: u64| doubled_area(x, u64::from(window));
    cell[0] += area(input) - area(cached);
    cell[1] += area(input + output) - area(input);
}

/// Start of the bin a time falls into, in seconds; the null bin for no time.
fn bin_of(time_us: i64, width_us: i64) -> i64 {
    if time_us == NO_TIME { NULL_BIN } else { time_us.div_euclid(width_us) * (width_us / MICROS) }
}
