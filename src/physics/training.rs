//! Work and time of training: floating-point operations of the tokens, and the accelerator-hours that they take.
//!
//! ```text
//! φ = 2·N + a(S)
//! F = T·( b·φ + 2·Z )
//! h = F·(1 + r/b) / ( 3600·p·v )   =   F / ( 3600·p·u ),     u = v/(1 + r/b)
//! ```
//!
//! | symbol | meaning | unit |
//! |---|---|---|
//! | N | weights a token is multiplied with | – |
//! | a(S) | attention of a token, at the mean over a sequence of S tokens | FLOP |
//! | φ | forward pass of a token | FLOP |
//! | b | passes: 3 where every weight learns (backward is twice forward), 2 where only adapters do | – |
//! | Z | weights that are only run forward: a teacher, a reference, a reward model | – |
//! | T | tokens trained on | tokens |
//! | r | forward passes computed again for want of memory: 0 none, 0.1 selective, 1 full | – |
//! | p | dense peak at the precision of the matrices | FLOP/s |
//! | v, u | hardware and model FLOPs utilisation (HFU, MFU): peak that is reached with and without what is computed again | – |
//! | h | accelerator-hours | h |
//!
//! Without attention, 3·φ is the rule 6·N. Source: J. Kaplan et al., Scaling Laws for Neural Language Models
//! (arXiv:2001.08361) for 6·N; A. Chowdhery et al., PaLM (arXiv:2204.02311), appendix B, for attention and MFU; V. Korthikanti
//! et al., Reducing Activation Recomputation (arXiv:2205.05198) for r; E. Hu et al., LoRA (arXiv:2106.09685): gradients of
//! frozen weights are not formed. Range: transformers and what counts like them. Error: of F below a tenth; of u where
//! nobody states it, docs/validation.md.

/// Forward passes that the backward pass costs where every weight learns.
pub const PASSES_FULL: f64 = 3.0;
/// The same where only adapters learn: gradients flow through the frozen weights and none of these weights has its own.
pub const PASSES_ADAPTERS: f64 = 2.0;

/// How much of the forward pass is computed again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Recomputation {
    /// Nothing.
    None,
    /// The attention core alone.
    Selective,
    /// Every layer.
    Full,
}

impl Recomputation {
    /// Forward passes computed again.
    #[must_use]
    pub const fn passes(self) -> f64 {
        match self {
            Self::None => 0.0,
            Self::Selective => 0.1,
            Self::Full => 1.0,
        }
    }
}

/// What is trained.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Work {
    /// Weights a token is multiplied with.
    pub active_parameters: f64,
    /// FLOP of attention in a token's forward pass.
    pub attention_flop: f64,
    /// Passes: [`PASSES_FULL`] or [`PASSES_ADAPTERS`].
    pub passes: f64,
    /// Weights only run forward.
    pub frozen_parameters: f64,
}

impl Work {
    /// FLOP of one token.
    ///
    /// ```
    /// use wattledger::physics::training::{PASSES_ADAPTERS, PASSES_FULL, Work};
    /// let gpt3 = Work { active_parameters: 175e9, attention_flop: 0.0, passes: PASSES_FULL, frozen_parameters: 0.0 };
    /// assert_eq!(gpt3.flop_per_token() * 300e9, 3.15e23, "3.14e23 in the paper");
    /// let adapters = Work { passes: PASSES_ADAPTERS, ..gpt3 };
    /// assert_eq!(adapters.flop_per_token(), 4.0 * 175e9);
    /// let distilled = Work { active_parameters: 8e9, frozen_parameters: 70e9, ..gpt3 };
    /// assert_eq!(distilled.flop_per_token(), 6.0 * 8e9 + 2.0 * 70e9);
    /// ```
    #[must_use]
    pub fn flop_per_token(&self) -> f64 {
        self.passes * (2.0 * self.active_parameters + self.attention_flop) + 2.0 * self.frozen_parameters
    }

    /// Model FLOPs utilisation where the hardware's is known.
    #[must_use]
    pub fn model_utilisation(&self, hardware_utilisation: f64, again: Recomputation) -> f64 {
        hardware_utilisation / (1.0 + again.passes() / self.passes)
    }
}

/// Accelerator-hours of some work.
///
/// ```
/// use wattledger::physics::training::accelerator_hours;
/// // Llama 2 70B: 2e12 tokens on A100 in 1 720 320 hours.
/// let hours = accelerator_hours(6.0 * 68.98e9 * 2e12, 312e12, 0.428);
/// assert!((hours / 1_720_320.0 - 1.0).abs() < 0.01);
/// ```
#[must_use]
pub fn accelerator_hours(flop: f64, peak_flop_per_s: f64, utilisation: f64) -> f64 {
    flop / (3600.0 * peak_flop_per_s * utilisation)
}

/// Utilisation that some work in some hours is.
///
/// ```
/// use wattledger::physics::training::{accelerator_hours, utilisation};
/// let hours = accelerator_hours(1e23, 312e12, 0.4);
/// assert!((utilisation(1e23, 312e12, hours) - 0.4).abs() < 1e-12);
/// ```
#[must_use]
pub fn utilisation(flop: f64, peak_flop_per_s: f64, accelerator_hours: f64) -> f64 {
    flop / (3600.0 * peak_flop_per_s * accelerator_hours)
}
