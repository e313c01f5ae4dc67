//! The 90 % interval of an energy: how far measured deployments lie from the method that never saw them.
//!
//! ```text
//! h² = h_base² + Σ h_k²  over what holds of the deployment          low = E·e^(−h)      high = E·e^h
//! ```
//!
//! | symbol | meaning | unit |
//! |---|---|---|
//! | h | half width of the interval, as a logarithm | – |
//! | `h_k` | part of a mixture, a hybrid, Blackwell, FP8, media, an unfitted generation, unfitted software | – |
//!
//! A deployment scaled to a meter has a half width of its own where that is smaller. The interval is of the accelerator
//! energy of a deployment at a known load, over many requests. It does not cover
//! an unknown load, which has its own range.
//!
//! Source: quantile regression on cross-validated residuals, by whole model groups (`tools/fit_inference.py`); the parts of
//! unfitted generations and software are judgement. Range: deployments like those of the fit; coverage and mean
//! width by slice stand in `docs/validation.md`.

use super::parameters::Spread;

/// What widens the interval of a deployment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "independent facts, not a state")]
pub struct Widening {
    /// A mixture of experts.
    pub moe: bool,
    /// A hybrid.
    pub hybrid: bool,
    /// On Blackwell.
    pub blackwell: bool,
    /// In FP8.
    pub fp8: bool,
    /// With media whose tokens are not counted.
    pub media: bool,
    /// On a generation that the fit never saw.
    pub unknown_generation: bool,
    /// On software that the fit never saw.
    pub unknown_engine: bool,
    /// Scaled to a meter at one load.
    pub metered: bool,
}

/// Half width of the 90 % interval, as a logarithm.
///
/// ```
/// use wattledger::physics::{parameters::Spread, spread::{Widening, half_width}};
/// let spread = Spread { base: 0.3, moe: 0.4, hybrid: 0.0, blackwell: 0.0, fp8: 0.0, media: 0.0, generation: 0.0, engine: 0.0, metered: 0.2 };
/// assert_eq!(half_width(&spread, Widening::default()), 0.3);
/// assert!((half_width(&spread, Widening { moe: true, ..Widening::default() }) - 0.5).abs() < 1e-12);
/// assert_eq!(half_width(&spread, Widening { metered: true, ..Widening::default() }), 0.2);
/// ```
#[must_use]
pub fn half_width(spread: &Spread, widening: Widening) -> f64 {
    let parts = [
        (true, spread.base),
        (widening.moe, spread.moe),
        (widening.hybrid, spread.hybrid),
        (widening.blackwell, spread.blackwell),
        (widening.fp8, spread.fp8),
        (widening.media, spread.media),
        (widening.unknown_generation, spread.generation),
        (widening.unknown_engine, spread.engine),
    ];
    let whole = parts.iter().filter(|(holds, _)| *holds).map(|(_, part)| part * part).sum::<f64>().sqrt();
    if widening.metered { whole.min(spread.metered) } else { whole }
}
