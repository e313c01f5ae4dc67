//! The 90 % interval of an energy: how far measured deployments lie from the method that never saw them.
//!
//! ```text
//! h² = h_base² + Σ h_k²  over what holds of the deployment          low = E·e^(−h)      high = E·e^h
//! ```
//!
//! | symbol | meaning | unit |
//! |---|---|---|
//! | h | half width of the interval, as a logarithm | – |
//! | `h_k` | part of a mixture, a hybrid, Blackwell, FP8, media, and of what the fit never saw | – |
//!
//! A deployment scaled to a meter has a half width of its own where that is smaller: smallest near the metered load. The
//! interval is of the accelerator energy of a deployment at a known load, over many requests. It does not cover an
//! unknown load, which has its own range.
//!
//! Source: quantile regression on cross-validated residuals, by whole model groups, and residuals on a generation that the
//! fit never saw (`tools/fit_inference.py`); the parts of generations without kernels, of unfitted software and of
//! serving that was never measured are judgement. Range: deployments like those of the fit; coverage and mean width by
//! slice stand in `docs/validation.md`.

use super::parameters::Spread;

/// What is measured on the accelerator or its generation.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Evidence {
    /// Serving energy, in the fit.
    #[default]
    Served,
    /// Kernels alone.
    Kernels,
    /// Nothing.
    None,
}

/// Where a deployment was metered, as seen from the load that is asked about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Metered {
    /// Over many loads, or in their middle.
    Middle,
    /// At one load within a factor 2.
    Near,
    /// At one load further away.
    Away,
}

impl Metered {
    /// The symbol of its width.
    #[must_use]
    pub fn symbol(self) -> &'static str {
        match self {
            Self::Middle => "spread_metered",
            Self::Near => "spread_metered_near",
            Self::Away => "spread_metered_any",
        }
    }
}

/// Whether and where a deployment was metered.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Meter {
    /// Never.
    Never,
    /// Over many loads.
    Over,
    /// At one concurrency.
    At(f64),
}

impl Meter {
    /// Where it stands as seen from a concurrency.
    ///
    /// ```
    /// use wattledger::physics::spread::{Meter, Metered};
    /// assert_eq!(Meter::At(16.0).seen_from(30.0), Some(Metered::Near));
    /// assert_eq!(Meter::At(16.0).seen_from(64.0), Some(Metered::Away));
    /// assert_eq!(Meter::Over.seen_from(64.0), Some(Metered::Middle));
    /// assert_eq!(Meter::Never.seen_from(64.0), None);
    /// ```
    #[must_use]
    pub fn seen_from(self, concurrency: f64) -> Option<Metered> {
        match self {
            Self::Never => None,
            Self::Over => Some(Metered::Middle),
            Self::At(at) if (concurrency / at).log2().abs() <= 1.01 => Some(Metered::Near),
            Self::At(_) => Some(Metered::Away),
        }
    }

    /// Symbols of the widths it may have.
    #[must_use]
    pub fn symbols(self) -> &'static [&'static str] {
        match self {
            Self::Never => &[],
            Self::Over => &["spread_metered"],
            Self::At(_) => &["spread_metered_near", "spread_metered_any"],
        }
    }
}

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
    /// What is measured on its generation.
    pub evidence: Evidence,
    /// On software that the fit never saw.
    pub unknown_engine: bool,
    /// Served in a way whose energy the fit never saw.
    pub unmeasured_serving: bool,
    /// Generates nothing.
    pub prefill_only: bool,
    /// Of a model or on an accelerator whose size or datasheet has no document behind it.
    pub assumed_cells: bool,
}

impl Widening {
    /// Symbols of the parts of the interval.
    pub fn symbols(self) -> impl Iterator<Item = &'static str> {
        let parts = [
            (true, "spread"),
            (self.moe, "spread_moe"),
            (self.hybrid, "spread_hybrid"),
            (self.blackwell, "spread_blackwell"),
            (self.fp8, "spread_fp8"),
            (self.media, "spread_media"),
            (self.evidence == Evidence::Kernels, "spread_kernels"),
            (self.evidence == Evidence::None, "spread_generation"),
            (self.unknown_engine, "spread_engine"),
            (self.unmeasured_serving, "spread_serving"),
            (self.prefill_only, "spread_prefill"),
            (self.assumed_cells, "spread_assumed"),
        ];
        parts.into_iter().filter(|(holds, _)| *holds).map(|(_, symbol)| symbol)
    }
}

/// Half width of the 90 % interval, as a logarithm.
///
/// ```
/// use wattledger::{catalog::Catalog, plan};
/// use wattledger::physics::spread::{Metered, Widening, half_width};
/// let all: Vec<_> = Catalog::builtin().all_parameters()?.iter().filter(|row| row.set == "V12").collect();
/// let spread = plan::spread_of(&all)?;
/// let dense = half_width(&spread, Widening::default(), None);
/// let experts = half_width(&spread, Widening { moe: true, ..Widening::default() }, None);
/// let metered = half_width(&spread, Widening { moe: true, ..Widening::default() }, Some(Metered::Near));
/// assert!(metered < dense && dense < experts);
/// # Ok::<(), wattledger::Error>(())
/// ```
#[must_use]
pub fn half_width(spread: &Spread, widening: Widening, metered: Option<Metered>) -> f64 {
    let value = |symbol: &str| spread.value(symbol).unwrap_or(0.0);
    let whole = widening.symbols().map(|symbol| value(symbol).powi(2)).sum::<f64>().sqrt();
    metered.map_or(whole, |metered| whole.min(value(metered.symbol())))
}
