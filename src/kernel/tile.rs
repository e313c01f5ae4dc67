//! Tiles: events looked at together, with what is known of all of them.

use crate::event::{Ahead, EventColumns, NO_LATENCY, NO_TIME, Ticks};
use crate::lanes;
use crate::ledger::NULL_BIN;

/// Events of a tile: their columns stay in the first-level cache.
pub(super) const TILE: usize = 1024;
const NONE_CACHED: [u32; TILE] = [0; TILE];

/// At most [`TILE`] events.
pub(super) struct Tile<'a> {
    pub series: &'a [u32],
    pub time: &'a [i64],
    pub ticks: Ticks,
    pub input: &'a [u32],
    pub cached: &'a [u32],
    pub output: &'a [u32],
    pub latency_us: Option<&'a [i64]>,
    pub ahead: Ahead<'a>,
    first: i64,
    last: i64,
    /// Bits of the largest product any event of the tile adds to a cell.
    pub product_bits: u32,
    /// Bits of the largest output.
    pub output_bits: u32,
}

impl<'a> Tile<'a> {
    pub fn new(events: &EventColumns<'a>, start: usize, end: usize) -> Self {
        let whole = end - start == events.time.len();
        let time = &events.time[start..end];
        let (input, output) = (&events.input_tokens[start..end], &events.output_tokens[start..end]);
        let (first, last) = events.span.filter(|_| whole).unwrap_or_else(|| lanes::span(time));
        let [most_input, most_output] =
            events.largest.filter(|_| whole).unwrap_or_else(|| [lanes::largest(input), lanes::largest(output)]);
        Self {
            series: &events.series[start..end],
            time,
            ticks: events.ticks,
            input,
            cached: events.cached_tokens.map_or(&NONE_CACHED[..end - start], |c| &c[start..end]),
            output,
            latency_us: events.latency_us.map(|l| &l[start..end]).filter(|l| l.iter().any(|x| *x != NO_LATENCY)),
            ahead: if whole { events.ahead } else { Ahead::default() },
            first,
            last,
            // (input + output)² needs at most this many bits; so does every other product.
            product_bits: 2 * (u32::BITS - most_input.max(most_output).leading_zeros() + 1),
            output_bits: u32::BITS - most_output.leading_zeros(),
        }
    }

    pub fn len(&self) -> usize {
        self.series.len()
    }

    /// The first and the last bin of the tile, and the distance of neighbours, in seconds.
    pub fn bins(&self, width_s: i64) -> (i64, i64, i64) {
        (self.bin(self.first, width_s), self.bin(self.last, width_s), width_s)
    }

    /// Start of the bin a time falls into, in seconds; the null bin for no time.
    pub fn bin(&self, time: i64, width_s: i64) -> i64 {
        if time == NO_TIME { NULL_BIN } else { time.div_euclid(width_s * self.ticks.per_second()) * width_s }
    }

    /// Microseconds of the time of an event.
    pub fn time_us(&self, i: usize) -> i64 {
        self.ticks.micros(self.time[i])
    }

    /// For each event the place of its bin, counted from the first, in `places` and its key in `keys` behind it.
    pub fn places(&self, (first, last, step): (i64, i64, i64), places: &[usize], keys: &[u32], at: &mut Vec<u32>) {
        let place = |bin: usize| u32::try_from(places[bin]).expect("an arena has fewer than 2^32 cells");
        at.clear();
        if first == last {
            let start = place(0);
            at.extend(keys.iter().map(|key| start + key));
        } else if last == first + step {
            let edge = last * self.ticks.per_second();
            let (early, late) = (place(0), place(1));
            at.extend(keys.iter().zip(self.time).map(|(key, time)| key + if *time < edge { early } else { late }));
        } else {
            let (start, width) = (first * self.ticks.per_second(), step * self.ticks.per_second());
            let bin = |time: &i64| usize::try_from(time.abs_diff(start) / width.unsigned_abs()).unwrap_or(usize::MAX);
            at.extend(keys.iter().zip(self.time).map(|(key, time)| place(bin(time)) + key));
        }
    }

    /// For each event the place of its bin, counted from the first, in `places` and its key in `keys` behind it; any number
    /// of bins.
    pub fn scatter(&self, (first, step): (i64, i64), places: &[u32], keys: &[u32], at: &mut Vec<u32>) {
        let start = first * self.ticks.per_second();
        let width = (step * self.ticks.per_second()).unsigned_abs();
        // A product is faster than a quotient, and short of it by one at most.
        let inverse = u64::MAX / width;
        at.clear();
        at.extend(keys.iter().zip(self.time).map(|(key, time)| {
            let since = time.abs_diff(start);
            let short = high(since, inverse);
            let bin = short + u64::from(since - short * width >= width);
            places[usize::try_from(bin).unwrap_or(usize::MAX)] + key
        }));
    }
}

/// The upper half of a product.
#[inline]
fn high(a: u64, b: u64) -> u64 {
    ((u128::from(a) * u128::from(b)) >> 64) as u64
}
