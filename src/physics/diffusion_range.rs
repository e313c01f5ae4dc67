//! The 90 % interval of a diffusion estimate: how far measurements lay from estimates made without them.
//!
//! ```text
//! low = E·e^(−h),  high = E·e^(h),  h² = h_shape² + h_gpu² + [passes] h_passes² + [precision] h_precision²
//! h_shape = h_known + h_log2n·log2 n           shape known
//!         = h_scaled, or h_scaled_n for n > 1  sibling's shape, scaled
//!         = h_laws                             parameter count alone
//! ```
//!
//! | symbol | meaning | unit |
//! |---|---|---|
//! | E | estimated energy of one image or video, the median of the range | J |
//! | h | half-width of the range in the natural logarithm | – |
//! | n | devices | – |
//! | `h_gpu` | 0 on the accelerators of the fit, else by how near the accelerator is to one of them | – |
//! | `h_passes`, `h_precision` | passes unknown for a few-step model; weights of other than 16 bits | – |
//!
//! Source: errors of the cross-validation by whole model family (`tools/fit_diffusion.py`), rounded up; the widths for
//! accelerators that were never measured, for passes and for precision are judgement. Range: as [`super::diffusion`].

use crate::units::Joules;

/// What is known of the denoiser's shape.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// Described by its row of the catalog.
    Known,
    /// Scaled from the row of another size.
    Sibling,
    /// From the parameter count alone.
    Laws,
}

/// How near the accelerator is to one of the fit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kinship {
    /// Measured in the fit.
    Fitted,
    /// Another of Ampere, Ada or Hopper.
    Mature,
    /// Another Blackwell.
    Blackwell,
    /// Anything else.
    Other,
}

/// Half-widths in the natural logarithm; symbols in brackets.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct HalfWidths {
    /// Shape known, one device (`h_known`).
    pub known: f64,
    /// Further, per doubling of devices (`h_log2n`).
    pub per_doubling: f64,
    /// Scaled from a sibling, one device (`h_scaled`).
    pub sibling: f64,
    /// Scaled from a sibling, several devices (`h_scaled_n`).
    pub sibling_parallel: f64,
    /// Parameter count alone (`h_laws`).
    pub laws: f64,
    /// Another of Ampere, Ada or Hopper (`h_mature`).
    pub mature: f64,
    /// Another Blackwell (`h_blackwell`).
    pub blackwell: f64,
    /// Any other accelerator (`h_other`).
    pub other: f64,
    /// Passes unknown (`h_passes`).
    pub passes: f64,
    /// Weights of other than 16 bits (`h_precision`).
    pub precision: f64,
}

/// What widens a range.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Case {
    /// What is known of the shape.
    pub shape: Shape,
    /// How near the accelerator is.
    pub kinship: Kinship,
    /// Devices.
    pub devices: f64,
    /// Whether guidance, and so the passes per step, is unknown.
    pub passes_unknown: bool,
    /// Whether weights have other than 16 bits.
    pub other_precision: bool,
}

impl HalfWidths {
    /// Half-width of the 90 % interval in the natural logarithm.
    #[must_use]
    pub fn of(&self, case: &Case) -> f64 {
        let shape = match case.shape {
            Shape::Known => self.known + self.per_doubling * case.devices.max(1.0).log2(),
            Shape::Sibling if case.devices > 1.0 => self.sibling_parallel,
            Shape::Sibling => self.sibling,
            Shape::Laws => self.laws,
        };
        let accelerator = match case.kinship {
            Kinship::Fitted => 0.0,
            Kinship::Mature => self.mature,
            Kinship::Blackwell => self.blackwell,
            Kinship::Other => self.other,
        };
        let passes = if case.passes_unknown { self.passes } else { 0.0 };
        let precision = if case.other_precision { self.precision } else { 0.0 };
        (shape * shape + accelerator * accelerator + passes * passes + precision * precision).sqrt()
    }

    /// Low and high end of the 90 % interval around an estimate.
    ///
    /// ```
    /// # use wattledger::physics::diffusion_range::*;
    /// # use wattledger::units::Joules;
    /// let widths = HalfWidths {
    ///     known: 0.22, per_doubling: 0.03, sibling: 0.55, sibling_parallel: 0.75, laws: 0.62, mature: 0.20,
    ///     blackwell: 0.27, other: 0.40, passes: 0.35, precision: 0.2,
    /// };
    /// let case = Case {
    ///     shape: Shape::Known, kinship: Kinship::Fitted, devices: 1.0, passes_unknown: false, other_precision: false,
    /// };
    /// let (low, high) = widths.range(Joules(1000.0), &case);
    /// assert_eq!((low.0.round(), high.0.round()), (803.0, 1246.0));
    /// ```
    #[must_use]
    pub fn range(&self, energy: Joules, case: &Case) -> (Joules, Joules) {
        let factor = self.of(case).exp();
        (energy / factor, energy * factor)
    }
}
