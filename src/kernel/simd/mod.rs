//! The inner loops, each in a portable form and, where the processor has them, over wide registers; see [`crate::lanes`].

#[cfg(target_arch = "x86_64")]
mod avx2;
mod portable;

use super::cell::Arrivals;
use crate::event::Ahead;
use crate::lanes::{dispatched, soon};
use bytemuck::Zeroable;

/// Eight sums of one series and bin: one line of the cache.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Zeroable)]
#[repr(C, align(64))]
pub(super) struct Moments(pub [u64; 8]);

/// An event that waits for its turn, in the form the loops read fastest.
#[derive(Clone, Copy, Debug, Zeroable)]
#[repr(C, align(32))]
pub(super) struct Record {
    pub time_us: i64,
    pub latency_us: i64,
    /// Series, input, cached and output tokens.
    pub values: [u32; 4],
}

/// Columns of tokens of equal length, and the cell that each event adds to.
#[derive(Clone, Copy)]
pub(super) struct Tokens<'a> {
    pub at: &'a [u32],
    pub input: &'a [u32],
    pub cached: &'a [u32],
    pub output: &'a [u32],
    pub ahead: Ahead<'a>,
}

impl<'a> Tokens<'a> {
    /// Some of them; nothing is read ahead.
    fn part(&self, start: usize, end: usize) -> Tokens<'a> {
        let part = |column: &'a [u32]| &column[start..end];
        Tokens {
            at: part(self.at),
            input: part(self.input),
            cached: part(self.cached),
            output: part(self.output),
            ahead: Ahead::default(),
        }
    }
}

dispatched! {
    /// Adds `[1, i, c, o, i², c², i·o, o²]` of each event to its cell.
    pub(super) fn moments(cells: &mut [Moments], tokens: Tokens<'_>);
    /// The same, and each event to its cell of arrivals.
    pub(super) fn moments_and_arrivals(cells: &mut [Moments], arrivals: &mut [Arrivals], at: &[u32], tokens: Tokens<'_>);
    /// The same for records, whose first value is the cell.
    pub(super) fn moments_of_records(cells: &mut [Moments], records: &[Record]);
}

/// Events between the asking for a cell and the need of it.
const AHEAD: usize = 32;

/// [`moments`] of cells that are far from the processor.
pub(super) fn moments_scattered(cells: &mut [Moments], tokens: Tokens<'_>) {
    let Tokens { at, .. } = tokens;
    at[..AHEAD.min(at.len())].iter().for_each(|at| soon(&cells[*at as usize]));
    for start in (0..at.len()).step_by(AHEAD) {
        let end = (start + AHEAD).min(at.len());
        at[end..(end + AHEAD).min(at.len())].iter().for_each(|at| soon(&cells[*at as usize]));
        moments(cells, tokens.part(start, end));
    }
}

/// [`moments_and_arrivals`] of cells that are far from the processor.
pub(super) fn moments_and_arrivals_scattered(
    cells: &mut [Moments],
    arrivals: &mut [Arrivals],
    at: &[u32],
    tokens: Tokens<'_>,
) {
    let ask = |cells: &[Moments], arrivals: &[Arrivals], start: usize| {
        let end = (start + AHEAD).min(at.len());
        for (cell, arrival) in tokens.at[start..end].iter().zip(&at[start..end]) {
            soon(&cells[*cell as usize]);
            soon(&arrivals[*arrival as usize]);
        }
    };
    ask(cells, arrivals, 0);
    for start in (0..at.len()).step_by(AHEAD) {
        let end = (start + AHEAD).min(at.len());
        ask(cells, arrivals, end);
        moments_and_arrivals(cells, arrivals, &at[start..end], tokens.part(start, end));
    }
}

#[cfg(test)]
mod tests;
