//! The loops over the rows of a tile, in a portable form and over wide registers; see [`crate::lanes`]. No form fuses a
//! product with a sum, so all of them give the same bits.

#[cfg(target_arch = "x86_64")]
mod avx2;
mod portable;

use crate::lanes::dispatched;

/// Rows of a tile.
pub(super) const TILE: usize = 256;

/// Columns that are worked out at once.
pub(super) const GROUP: usize = 4;

/// Columns of tokens of equal length, and the pairs inside a window in prefill and in decode, where there are windows.
#[derive(Clone, Copy)]
pub(super) struct Tokens<'a> {
    pub input: &'a [u32],
    pub cached: &'a [u32],
    pub output: &'a [u32],
    pub windowed: &'a [[f64; 2]],
}

/// What columns are multiples of: IT energy, replica time, and the energy of prefill and of decode.
pub(super) type Loads = [f64; 4];

/// Place of IT energy among the loads.
pub(super) const IT: usize = 0;
/// Place of replica time.
pub(super) const TIME: usize = 1;
/// Place of prefill energy.
pub(super) const PREFILL: usize = 2;
/// Place of decode energy.
pub(super) const DECODE: usize = 3;

/// Values of a group of columns.
pub(super) type Group = [[f64; TILE]; GROUP];

/// What one unit of each feature weighs, by slot and then by feature: IT energy and time.
#[derive(Clone, Copy)]
pub(super) struct Weights<'a> {
    /// IT energy and time.
    pub pairs: &'a [[f64; 2]],
    /// Prefill and decode, or nothing where no column needs them.
    pub more: &'a [[f64; 2]],
    /// Features that weigh anything, 5 to 8.
    pub features: usize,
}

/// A group of columns: each is its factor times a load, and more of time where it is of both.
#[derive(Clone, Copy)]
pub(super) struct Factors<'a> {
    /// By slot and then by group.
    pub of_load: &'a [[f64; GROUP]],
    /// The same for the time of columns that are of two loads, or nothing where none is.
    pub of_time: &'a [[f64; GROUP]],
    pub groups: usize,
    /// The group.
    pub group: usize,
    /// The load of each of its columns.
    pub loads: [u32; GROUP],
}

dispatched! {
    /// The loads of each row, by the weights of its slot.
    pub(super) fn weigh(tokens: Tokens<'_>, slots: &[u32], weights: Weights<'_>, loads: &mut [Loads]);
    /// A group of columns of each row, by the factors of its slot.
    pub(super) fn spread(loads: &[Loads], slots: &[u32], factors: Factors<'_>, values: &mut Group);
}

#[cfg(test)]
mod tests;
