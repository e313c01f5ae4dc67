//! Speculative decoding: a draft proposes tokens that one step of the network checks.
//!
//! ```text
//! τ = (1 − α^(γ+1)) / (1 − α)                     tokens a step yields per sequence;  γ + 1 for α = 1
//! per output token: step, streamed weights, cache read   ÷ τ
//!                   FLOP                                 × (γ + 1)/τ
//!                   + γ/τ passes of the draft
//! ```
//!
//! | symbol | meaning | unit |
//! |---|---|---|
//! | γ | tokens drafted per step | – |
//! | α | chance that a drafted token is accepted, each after the ones before it | – |
//! | τ | expected tokens per step, the one of the network itself included | – |
//!
//! The draft is counted by its weights: streamed once and multiplied once for each drafted token. A layer added to the network
//! itself (multi-token prediction, EAGLE) is a small draft; n-gram look-up is a draft without weights.
//!
//! Source: Leviathan, Kalman and Matias, "Fast Inference from Transformers via Speculative Decoding" (2023), equation 1, for τ.
//! Range: independent acceptance; at large batches it costs energy, which the formula shows. No energy measurement of
//! ours checks it.
//!
//! Measured error: none measured; widened by `spread_serving`.

/// Drafting in a deployment.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Speculation {
    /// Tokens drafted per step, γ.
    pub drafted: f64,
    /// Chance of acceptance of a drafted token, α.
    pub acceptance: f64,
    /// Weights of the draft.
    pub draft_parameters: f64,
}

impl Speculation {
    /// No drafting: one token a step.
    pub const NONE: Self = Self { drafted: 0.0, acceptance: 0.0, draft_parameters: 0.0 };

    /// Expected tokens per sequence and step, τ.
    ///
    /// ```
    /// use wattledger::physics::speculative::Speculation;
    /// let three = Speculation { drafted: 3.0, acceptance: 0.7, draft_parameters: 1e9 };
    /// assert!((three.yielded() - (1.0 + 0.7 + 0.49 + 0.343)).abs() < 1e-12);
    /// assert_eq!(Speculation::NONE.yielded(), 1.0);
    /// ```
    #[must_use]
    pub fn yielded(&self) -> f64 {
        if self.acceptance >= 1.0 {
            return self.drafted + 1.0;
        }
        (1.0 - self.acceptance.powf(self.drafted + 1.0)) / (1.0 - self.acceptance)
    }
}
