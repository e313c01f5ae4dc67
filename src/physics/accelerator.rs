//! One accelerator and how a network is served on it.

use super::parallel::Layout;
use super::precision::{Compute, Precision};
use super::speculative::Speculation;
use crate::units::Watts;

/// One accelerator, from its datasheet.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Accelerator {
    /// Rated power of one device.
    pub rated_power: Watts,
    /// Peak memory bandwidth, bytes per second.
    pub memory_bandwidth_bytes_per_s: f64,
    /// Dense peak in 16 bits, FLOP per second.
    pub peak_flop_per_s: f64,
    /// Dense peak in FP8; `None` where the matrix units lack it.
    pub peak_fp8_flop_per_s: Option<f64>,
    /// Dense peak in FP4; `None` where the matrix units lack it.
    pub peak_fp4_flop_per_s: Option<f64>,
    /// One direction of the scale-up link, bytes per second.
    pub link_bytes_per_s: f64,
}

impl Accelerator {
    /// The peak a format is computed at, and the format: one that the matrix units lack runs in 16 bits.
    #[must_use]
    pub fn peak(&self, compute: Compute) -> (f64, Compute) {
        let lacking = (self.peak_flop_per_s, Compute::Sixteen);
        match compute {
            Compute::Sixteen => lacking,
            Compute::Eight => self.peak_fp8_flop_per_s.map_or(lacking, |peak| (peak, Compute::Eight)),
            Compute::Four => self.peak_fp4_flop_per_s.map_or(lacking, |peak| (peak, Compute::Four)),
        }
    }
}

/// How the network is served.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Serving {
    /// Devices and how they divide the work.
    pub layout: Layout,
    /// Number formats.
    pub precision: Precision,
    /// Speculative decoding.
    pub speculation: Speculation,
}

impl Serving {
    /// Tensor parallel over all devices, without drafting.
    #[must_use]
    pub const fn plain(devices: f64, precision: Precision) -> Self {
        Self { layout: Layout::tensor(devices), precision, speculation: Speculation::NONE }
    }
}
