//! Occupancy: what five minutes of a route saw, whatever the moments are sorted by.

use super::cell::{Arrivals, Cell};
use super::gather;
use super::simd::Record;
use super::slabs::Slabs;
use super::tile::Tile;
use super::{MICROS, bin_of};
use crate::Result;
use crate::event::{NO_LATENCY, NO_TIME};
use crate::ledger::{OCCUPANCY_BIN_S, Rows};

const WIDTH_S: i64 = OCCUPANCY_BIN_S as i64;
const WIDTH_US: i64 = WIDTH_S * MICROS;
/// A bin overlaps one request for at most its own width, and a count is below 2^30.
const BITS: u32 = 30;

/// Occupancy cells: narrow ones for events without a latency, full ones for those with it.
#[derive(Debug)]
pub(super) struct Occupancy {
    plain: Slabs<Arrivals, 4>,
    timed: Slabs<[u64; 4], 4>,
    /// How many series were looked at, and whether each of them is the first of its route.
    same: (usize, bool),
    routes: Vec<u32>,
    at: Vec<u32>,
    places: Vec<usize>,
}

impl Occupancy {
    pub fn new() -> Self {
        Self {
            plain: Slabs::new(),
            timed: Slabs::new(),
            same: (0, true),
            routes: Vec::new(),
            at: Vec::new(),
            places: Vec::new(),
        }
    }

    /// Adds a tile.
    pub fn tile(&mut self, tile: &Tile<'_>, route_of: &[u32]) {
        let keys = route_of.len();
        // Without user dimensions every series is its own route.
        let routes = if self.one_to_one(route_of) {
            tile.series
        } else {
            self.routes.clear();
            self.routes.extend(tile.series.iter().map(|series| route_of[*series as usize]));
            &self.routes
        };
        let Self { plain, timed, .. } = self;
        if let Some(latency_us) = tile.latency_us {
            for (i, route) in routes.iter().enumerate() {
                add_timed(timed, *route, keys, tile.time_us(i), latency_us[i], tile.output[i]);
            }
            return;
        }
        for (i, route) in routes.iter().enumerate() {
            let cells = plain.bin(tile.bin(tile.time[i], WIDTH_S), keys, 1, tile.output_bits);
            cells[*route as usize].add(tile.output[i]);
        }
    }

    /// Cells that a tile can be added to together with its moments: the cells, and which of them each event is in.
    pub fn arrivals<'t>(
        &'t mut self,
        tile: &Tile<'t>,
        route_of: &[u32],
        seen: u64,
    ) -> Option<(&'t mut [Arrivals], &'t [u32])> {
        if !self.is_plain(tile, route_of) {
            return None;
        }
        let Self { plain, at, places, .. } = self;
        let keys = route_of.len();
        let bins = tile.bins(WIDTH_S);
        if Slabs::<Arrivals, 4>::is_far(bins) {
            let found = plain.scattered(bins, keys, (tile.len() as u64, seen), tile.output_bits)?;
            tile.scatter((found.first, WIDTH_S), found.places, tile.series, at);
            return Some((found.cells, at));
        }
        let cells = plain.span(bins, keys, tile.len() as u64, tile.output_bits, places)?;
        if let [start] = places.as_slice() {
            return Some((&mut cells[*start..*start + keys], tile.series));
        }
        tile.places(bins, places, tile.series, at);
        Some((cells, at))
    }

    /// Whether a tile has no latencies and every series is a route of its own.
    pub fn is_plain(&mut self, tile: &Tile<'_>, route_of: &[u32]) -> bool {
        tile.latency_us.is_none() && self.one_to_one(route_of)
    }

    fn one_to_one(&mut self, route_of: &[u32]) -> bool {
        let (known, same) = &mut self.same;
        *same = *same && (*known..).zip(&route_of[*known..]).all(|(series, route)| series == *route as usize);
        *known = route_of.len();
        *same
    }

    /// Adds records that lie bin by bin.
    pub fn records(&mut self, records: &[Record], route_of: &[u32]) {
        let keys = route_of.len();
        let bin = |record: &Record| bin_of(record.time_us, WIDTH_US);
        for group in records.chunk_by(|a, b| bin(a) == bin(b)) {
            let (mut latencies, mut outputs) = (false, 0);
            for record in group {
                latencies |= record.latency_us != NO_LATENCY;
                outputs |= record.values[3];
            }
            if latencies {
                for record in group {
                    let [series, _, _, output] = record.values;
                    let route = route_of[series as usize];
                    add_timed(&mut self.timed, route, keys, record.time_us, record.latency_us, output);
                }
                continue;
            }
            let bits = u32::BITS - outputs.leading_zeros();
            for few in group.chunks(usize::try_from(Arrivals::most(bits)).unwrap_or(usize::MAX)) {
                let cells = self.plain.bin(bin(&group[0]), keys, few.len() as u64, bits);
                for Record { values: [series, _, _, output], .. } in few {
                    cells[route_of[*series as usize] as usize].add(*output);
                }
            }
        }
    }

    /// The rows of all routes.
    pub fn rows(self, routes: &[u32]) -> Result<Rows<4>> {
        match (self.plain.is_empty(), self.timed.is_empty()) {
            (_, true) => gather::rows(self.plain, routes),
            (true, false) => gather::rows(self.timed, routes),
            (false, false) => {
                let mut runs = self.plain.into_runs();
                runs.extend(self.timed.into_runs());
                gather::folded(runs, routes)
            }
        }
    }
}

/// Adds an event, its latency split exactly at the bin edges: the parts add up to the whole.
fn add_timed(cells: &mut Slabs<[u64; 4], 4>, route: u32, keys: usize, start: i64, latency_us: i64, output: u32) {
    let route = route as usize;
    let timed = latency_us != NO_LATENCY && start != NO_TIME;
    let bin = bin_of(start, WIDTH_US);
    let end = if timed { start + latency_us } else { start };
    let edge = if timed { (bin + WIDTH_S) * MICROS } else { end };
    let cell = &mut cells.bin(bin, keys, 1, BITS)[route];
    cell[0] += end.min(edge).abs_diff(start);
    cell[1] += u64::from(timed);
    cell[2] += 1;
    cell[3] += u64::from(output);
    let mut from = edge;
    while from < end {
        let to = end.min(from + WIDTH_US);
        cells.bin(bin_of(from, WIDTH_US), keys, 1, BITS)[route][0] += to.abs_diff(from);
        from = to;
    }
}
