//! Occupancy: what five minutes of a route saw, whatever the moments are sorted by.

use super::cell::Arrivals;
use super::gather;
use super::simd::Record;
use super::slabs::Slabs;
use super::tile::Tile;
use super::{MICROS, bin_of};
use crate::Result;
use crate::event::{NO_LATENCY, NO_TIME};
use crate::ledger::{OCCUPANCY_BIN_S, Rows, fold};

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
    pub fn tile(&mut self, tile: &Tile<'_>, route_of: &[u32]) -> Result<()> {
        let keys = route_of.len();
        // Without user dimensions every series is its own route.
        let routes = if self.one_to_one(route_of) {
            tile.series
        } else {
            self.routes.clear();
            self.routes.extend(tile.series.iter().map(|series| route_of[*series as usize]));
            &self.routes
        };
        let bins = tile.bins(WIDTH_S);
        let Self { plain, timed, at, places, .. } = self;
        if let Some(latency_us) = tile.latency_us {
            for (i, route) in routes.iter().enumerate() {
                add_timed(timed, *route, keys, tile.time_us(i), latency_us[i], tile.output[i])?;
            }
            return Ok(());
        }
        if let Some(cells) = plain.span(bins, keys, tile.len() as u64, tile.output_bits, places)? {
            let (at, cells) = match places.as_slice() {
                [start] => (routes, &mut cells[*start..*start + keys]),
                places => {
                    tile.places(bins, places, routes, at);
                    (at.as_slice(), cells)
                }
            };
            for (at, output) in at.iter().zip(tile.output) {
                cells[*at as usize].add(*output);
            }
            return Ok(());
        }
        for (i, route) in routes.iter().enumerate() {
            let cells = plain.bin(tile.bin(tile.time[i], WIDTH_S), keys, 1, tile.output_bits)?;
            cells[*route as usize].add(tile.output[i]);
        }
        Ok(())
    }

    fn one_to_one(&mut self, route_of: &[u32]) -> bool {
        let (known, same) = &mut self.same;
        *same = *same && (*known..).zip(&route_of[*known..]).all(|(series, route)| series == *route as usize);
        *known = route_of.len();
        *same
    }

    /// Adds records that lie bin by bin.
    pub fn records(&mut self, records: &[Record], route_of: &[u32]) -> Result<()> {
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
                    add_timed(&mut self.timed, route, keys, record.time_us, record.latency_us, output)?;
                }
                continue;
            }
            let bits = u32::BITS - outputs.leading_zeros();
            for few in group.chunks(1 << 20) {
                let cells = self.plain.bin(bin(&group[0]), keys, few.len() as u64, bits)?;
                for Record { values: [series, _, _, output], .. } in few {
                    cells[route_of[*series as usize] as usize].add(*output);
                }
            }
        }
        Ok(())
    }

    /// The rows of all routes.
    pub fn rows(self, routes: &[u32]) -> Result<Rows<4>> {
        if self.timed.bytes() == 0 && self.timed.folded().is_empty() {
            return gather::rows(&self.plain, routes);
        }
        if self.plain.bytes() == 0 && self.plain.folded().is_empty() {
            return gather::rows(&self.timed, routes);
        }
        let mut rows = gather::folded(&self.plain, routes)?;
        rows.extend(gather::folded(&self.timed, routes)?);
        fold(rows)
    }
}

/// Adds an event, its latency split exactly at the bin edges: the parts add up to the whole.
fn add_timed(
    cells: &mut Slabs<[u64; 4], 4>,
    route: u32,
    keys: usize,
    start: i64,
    latency_us: i64,
    output: u32,
) -> Result<()> {
    let route = route as usize;
    let timed = latency_us != NO_LATENCY && start != NO_TIME;
    let bin = bin_of(start, WIDTH_US);
    let end = if timed { start + latency_us } else { start };
    let edge = if timed { (bin + WIDTH_S) * MICROS } else { end };
    let cell = &mut cells.bin(bin, keys, 1, BITS)?[route];
    cell[0] += end.min(edge).abs_diff(start);
    cell[1] += u64::from(timed);
    cell[2] += 1;
    cell[3] += u64::from(output);
    let mut from = edge;
    while from < end {
        let to = end.min(from + WIDTH_US);
        cells.bin(bin_of(from, WIDTH_US), keys, 1, BITS)?[route][0] += to.abs_diff(from);
        from = to;
    }
    Ok(())
}
