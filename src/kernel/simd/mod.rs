//! The inner loops, each in a portable form and, where the processor has them, over wide registers; see [`crate::lanes`].

#[cfg(target_arch = "x86_64")]
mod avx2;
mod portable;

use super::cell::Arrivals;
use crate::event::Ahead;
use crate::lanes::dispatched;
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

dispatched! {
    /// Adds `[1, i, c, o, i², c², i·o, o²]` of each event to its cell.
    pub(super) fn moments(cells: &mut [Moments], tokens: Tokens<'_>);
    /// The same, and each event to its cell of arrivals.
    pub(super) fn moments_and_arrivals(cells: &mut [Moments], arrivals: &mut [Arrivals], at: &[u32], tokens: Tokens<'_>);
    /// The same for records, whose first value is the cell.
    pub(super) fn moments_of_records(cells: &mut [Moments], records: &[Record]);
}

#[cfg(test)]
mod tests;
