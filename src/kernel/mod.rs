//! The kernel: event columns in, exact sums out. No strings, no hash maps, no clock.
//!
//! Each worker owns an [`Accumulator`]. Sums gather in *slabs*, one array of 64-bit cells per bin, indexed by series;
//! a slab spills into 128-bit rows before a cell could wrap. Integer sums do not depend on the order of anything.

mod slabs;

use crate::Result;
use crate::event::{EventBatch, EventColumns, NO_LATENCY, NO_TIME};
use crate::keys::{Label, Series, SeriesTable};
use crate::ledger::{Ledger, NULL_BIN, OCCUPANCY_BIN_S, WindowFamily};
use crate::physics::attention::doubled_area;
use slabs::Slabs;
use std::collections::{BTreeSet, HashMap};

/// Events looked at together: their columns stay in the first-level cache.
const TILE: usize = 2048;
const MICROS: i64 = 1_000_000;
const OCCUPANCY_US: i64 = OCCUPANCY_BIN_S as i64 * MICROS;

/// Gathers events into the sums of a ledger; one per worker.
#[derive(Debug)]
pub struct Accumulator {
    bin_us: i64,
    moments: Slabs<8>,
    occupancy: Slabs<4, u64>,
    windows: Vec<(u32, Slabs<2>)>,
    /// Occupancy is kept per route: the first series of the same route stands for it.
    route_of: Vec<u32>,
    first_of_route: HashMap<Box<[Label]>, u32>,
}

impl Accumulator {
    /// An empty accumulator for bins of this width, with these sliding windows.
    #[must_use]
    pub fn new(bin_seconds: u32, windows: &[u32]) -> Self {
        Self {
            bin_us: i64::from(bin_seconds) * MICROS,
            moments: Slabs::new(),
            occupancy: Slabs::new(),
            windows: windows.iter().collect::<BTreeSet<_>>().into_iter().map(|w| (*w, Slabs::new())).collect(),
            route_of: Vec::new(),
            first_of_route: HashMap::new(),
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
            self.tile(&Tile::new(events, start, end))?;
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

    fn tile(&mut self, tile: &Tile<'_>) -> Result<()> {
        let keys = self.route_of.len();
        self.moments_tile(tile, keys)?;
        for (window, slabs) in &mut self.windows {
            let area = |x: u64| doubled_area(x, u64::from(*window));
            for i in 0..tile.len() {
                let (input, cached, output) = tile.tokens(i);
                let bin = bin_of(tile.time_us[i], self.bin_us);
                let cell = slabs.cell(bin, tile.series[i], keys, tile.bits)?;
                cell[0] += area(input) - area(cached);
                cell[1] += area(input + output) - area(input);
            }
        }
        self.occupancy_tile(tile, keys)
    }

    fn moments_tile(&mut self, tile: &Tile<'_>, keys: usize) -> Result<()> {
        let bins = tile.bins(self.bin_us);
        if let Some(slabs) = self.moments.span(bins, keys, tile.len(), tile.bits)? {
            if let [slab] = slabs {
                for i in 0..tile.len() {
                    let (input, cached, output) = tile.tokens(i);
                    add_moments(&mut slab.cells[tile.series[i] as usize], input, cached, output);
                }
                return Ok(());
            }
            let start_us = bins.0 * MICROS;
            for i in 0..tile.len() {
                let (input, cached, output) = tile.tokens(i);
                let at = bins_between(start_us, tile.time_us[i], self.bin_us);
                add_moments(&mut slabs[at].cells[tile.series[i] as usize], input, cached, output);
            }
            return Ok(());
        }
        for i in 0..tile.len() {
            let (input, cached, output) = tile.tokens(i);
            let bin = bin_of(tile.time_us[i], self.bin_us);
            add_moments(self.moments.cell(bin, tile.series[i], keys, tile.bits)?, input, cached, output);
        }
        Ok(())
    }

    fn occupancy_tile(&mut self, tile: &Tile<'_>, keys: usize) -> Result<()> {
        // A bin overlaps one request for at most its own width, and a count is below 2^30.
        const BITS: u32 = 30;
        let bins = tile.bins(OCCUPANCY_US);
        if tile.latency_us.is_none()
            && let Some(slabs) = self.occupancy.span(bins, keys, tile.len(), BITS)?
        {
            // A tile of one bin may be one without times.
            let one = slabs.len() == 1;
            let start_us = if one { 0 } else { bins.0 * MICROS };
            for i in 0..tile.len() {
                let route = self.route_of[tile.series[i] as usize] as usize;
                let at = if one { 0 } else { bins_between(start_us, tile.time_us[i], OCCUPANCY_US) };
                let cell = &mut slabs[at].cells[route];
                cell[2] += 1;
                cell[3] += u64::from(tile.output[i]);
            }
            return Ok(());
        }
        for i in 0..tile.len() {
            let route = self.route_of[tile.series[i] as usize];
            let (start, latency) = (tile.time_us[i], tile.latency_us.map_or(NO_LATENCY, |l| l[i]));
            let timed = latency != NO_LATENCY && start != NO_TIME;
            let cell = self.occupancy.cell(bin_of(start, OCCUPANCY_US), route, keys, BITS)?;
            cell[1] += u64::from(timed);
            cell[2] += 1;
            cell[3] += u64::from(tile.output[i]);
            if timed {
                self.overlap(start, start + latency, route, keys)?;
            }
        }
        Ok(())
    }

    /// Books the time from `start` to `end`, split exactly at the bin edges: the parts add up to the whole.
    fn overlap(&mut self, start: i64, end: i64, route: u32, keys: usize) -> Result<()> {
        let mut from = start;
        while from < end {
            let to = end.min((from.div_euclid(OCCUPANCY_US) + 1) * OCCUPANCY_US);
            let cell = self.occupancy.cell(bin_of(from, OCCUPANCY_US), route, keys, 30)?;
            cell[0] += to.abs_diff(from);
            from = to;
        }
        Ok(())
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
        let bin_seconds = u32::try_from(self.bin_us / MICROS).expect("a bin is at most an hour");
        let mut series: Vec<u32> = (0..).take(table.len()).collect();
        series.sort_unstable_by(|a, b| table.get(*a).cmp(table.get(*b)));
        let mut routes: Vec<u32> = self.first_of_route.into_values().collect();
        routes.sort_unstable_by(|a, b| table.get(*a).route().cmp(table.get(*b).route()));
        let mut ledger = Ledger::empty(bin_seconds, table.dimensions().to_vec(), &[])?;
        ledger.fill(
            series.iter().map(|id| table.get(*id).clone()).collect(),
            routes.iter().map(|id| Series::new(table.get(*id).route().to_vec())).collect(),
            self.moments.finish(&series)?,
            self.occupancy.finish(&routes)?,
        );
        for (window, slabs) in self.windows {
            ledger.keep_window(WindowFamily { window, rows: slabs.finish(&series)? });
        }
        Ok(ledger)
    }
}

/// A tile of events with what is known of all of them.
struct Tile<'a> {
    series: &'a [u32],
    time_us: &'a [i64],
    input: &'a [u32],
    cached: Option<&'a [u32]>,
    output: &'a [u32],
    latency_us: Option<&'a [i64]>,
    first: i64,
    last: i64,
    /// Bits of the largest product any event of the tile adds to a cell.
    bits: u32,
}

impl<'a> Tile<'a> {
    fn new(events: &EventColumns<'a>, start: usize, end: usize) -> Self {
        let time_us = &events.time_us[start..end];
        let (input, output) = (&events.input_tokens[start..end], &events.output_tokens[start..end]);
        let (first, last) = events.span_us.filter(|_| end - start == events.time_us.len()).unwrap_or_else(|| {
            let time = || time_us.iter().copied();
            (time().fold(i64::MAX, i64::min), time().fold(i64::MIN, i64::max))
        });
        let any = input.iter().chain(output).fold(0, |any, x| any | x);
        Self {
            series: &events.series[start..end],
            time_us,
            input,
            cached: events.cached_tokens.map(|c| &c[start..end]),
            output,
            latency_us: events.latency_us.map(|l| &l[start..end]).filter(|l| l.iter().any(|x| *x != NO_LATENCY)),
            first,
            last,
            // (input + output)² needs at most this many bits; so does every other product.
            bits: 2 * (u32::BITS - any.leading_zeros() + 1),
        }
    }

    fn len(&self) -> usize {
        self.series.len()
    }

    /// The first and the last bin of the tile, and the distance of neighbours, in seconds.
    fn bins(&self, width_us: i64) -> (i64, i64, i64) {
        (bin_of(self.first, width_us), bin_of(self.last, width_us), width_us / MICROS)
    }

    #[inline]
    fn tokens(&self, i: usize) -> (u64, u64, u64) {
        let cached = self.cached.map_or(0, |c| u64::from(c[i]));
        (u64::from(self.input[i]), cached, u64::from(self.output[i]))
    }
}

/// Start of the bin a time falls into, in seconds; the null bin for no time.
#[inline]
fn bin_of(time_us: i64, width_us: i64) -> i64 {
    if time_us == NO_TIME { NULL_BIN } else { time_us.div_euclid(width_us) * (width_us / MICROS) }
}

/// How many bins after the one that begins at `start_us` a time falls.
#[inline]
fn bins_between(start_us: i64, time_us: i64, width_us: i64) -> usize {
    usize::try_from(time_us.abs_diff(start_us) / width_us.unsigned_abs()).unwrap_or(usize::MAX)
}

#[inline]
fn add_moments(cell: &mut [u64; 8], input: u64, cached: u64, output: u64) {
    cell[0] += 1;
    cell[1] += input;
    cell[2] += cached;
    cell[3] += output;
    cell[4] += input * input;
    cell[5] += cached * cached;
    cell[6] += input * output;
    cell[7] += output * output;
}
