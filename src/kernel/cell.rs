//! Cells: what a bin and key gathers, in as few bits as an event can be added to at once.

use super::simd::Moments;
use bytemuck::Zeroable;

/// A cell of 64-bit words that stands for `M` sums.
pub(super) trait Cell<const M: usize>: Copy + PartialEq + Zeroable {
    /// The sums.
    fn sums(&self) -> [u64; M];

    /// How many events fit that add values of at most `bits` bits each.
    fn most(bits: u32) -> u64;

    /// At most so many events are in it.
    fn events(&self) -> u64 {
        u64::MAX
    }
}

/// How many values of `bits` bits stay within `room` bits together.
fn most(bits: u32, room: u32) -> u64 {
    1_u64.checked_shl(room.saturating_sub(bits)).unwrap_or(u64::MAX) - u64::from(bits > room)
}

impl Cell<8> for Moments {
    fn sums(&self) -> [u64; 8] {
        self.0
    }

    fn most(bits: u32) -> u64 {
        most(bits, 64)
    }

    fn events(&self) -> u64 {
        self.0[0]
    }
}

/// Sums of a sliding window.
impl Cell<2> for [u64; 2] {
    fn sums(&self) -> [u64; 2] {
        *self
    }

    fn most(bits: u32) -> u64 {
        most(bits, 64)
    }
}

/// Occupancy of events with a latency.
impl Cell<4> for [u64; 4] {
    fn sums(&self) -> [u64; 4] {
        *self
    }

    fn most(bits: u32) -> u64 {
        most(bits, 64)
    }
}

/// Occupancy of events without a latency: requests in the low bits and output tokens above them, so that an event is one
/// addition.
#[derive(Clone, Copy, Debug, PartialEq, Zeroable)]
#[repr(transparent)]
pub(super) struct Arrivals(pub u64);

impl Arrivals {
    const REQUEST_BITS: u32 = 24;

    #[inline]
    pub(super) fn add(&mut self, output: u32) {
        self.0 += (u64::from(output) << Self::REQUEST_BITS) | 1;
    }
}

impl Cell<4> for Arrivals {
    fn sums(&self) -> [u64; 4] {
        [0, 0, self.0 & ((1 << Self::REQUEST_BITS) - 1), self.0 >> Self::REQUEST_BITS]
    }

    fn most(bits: u32) -> u64 {
        most(bits, u64::BITS - Self::REQUEST_BITS).min((1 << Self::REQUEST_BITS) - 1)
    }

    fn events(&self) -> u64 {
        self.0 & ((1 << Self::REQUEST_BITS) - 1)
    }
}
