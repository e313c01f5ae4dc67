//! The eight features of a request in which energy and time are linear, and their coefficients.
//!
//! ```text
//! Σ over requests of e·f(request) = e · Σ f(request)
//! ```
//!
//! Because the coefficients do not depend on the request, a ledger of the sums of features answers for millions of them.
//!
//! Source: the linear form is that of [`super::inference`]. Range: any counts.

use crate::units::{Joules, Seconds};

/// Coefficients of the eight features: joules or seconds per unit of each.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Basis {
    /// Per request.
    pub request: f64,
    /// Per cached input token.
    pub cached: f64,
    /// Per uncached input token.
    pub input: f64,
    /// Per pair of (I² − Ic²)/2.
    pub prefill_pair: f64,
    /// Per pair of `A_W(I) − A_W(Ic)`.
    pub prefill_window_pair: f64,
    /// Per output token.
    pub output: f64,
    /// Per pair of I·O + O²/2.
    pub context: f64,
    /// Per pair of `A_W(I+O) − A_W(I)`.
    pub window_context: f64,
}

/// Features of one request, or their sums over many.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Features {
    /// Requests.
    pub requests: f64,
    /// Cached input tokens.
    pub cached: f64,
    /// Uncached input tokens.
    pub uncached: f64,
    /// (I² − Ic²)/2.
    pub prefill_pairs: f64,
    /// `A_W(I) − A_W(Ic)`; 0 without windows.
    pub prefill_window_pairs: f64,
    /// Output tokens.
    pub output: f64,
    /// I·O + O²/2.
    pub context_pairs: f64,
    /// `A_W(I+O) − A_W(I)`; 0 without windows.
    pub window_context_pairs: f64,
}

impl Basis {
    /// The prefill part.
    #[must_use]
    pub fn prefill(&self, f: &Features) -> f64 {
        self.request * f.requests
            + self.cached * f.cached
            + self.input * f.uncached
            + self.prefill_pair * f.prefill_pairs
            + self.prefill_window_pair * f.prefill_window_pairs
    }

    /// The decode part.
    #[must_use]
    pub fn decode(&self, f: &Features) -> f64 {
        self.output * f.output + self.context * f.context_pairs + self.window_context * f.window_context_pairs
    }

    /// Each coefficient from those of both.
    #[must_use]
    pub fn zip(&self, other: &Self, with: impl Fn(f64, f64) -> f64) -> Self {
        Self {
            request: with(self.request, other.request),
            cached: with(self.cached, other.cached),
            input: with(self.input, other.input),
            prefill_pair: with(self.prefill_pair, other.prefill_pair),
            prefill_window_pair: with(self.prefill_window_pair, other.prefill_window_pair),
            output: with(self.output, other.output),
            context: with(self.context, other.context),
            window_context: with(self.window_context, other.window_context),
        }
    }

    /// Every coefficient times a factor.
    #[must_use]
    pub fn times(&self, factor: f64) -> Self {
        self.zip(self, |value, _| value * factor)
    }
}

/// Energy and time coefficients of a deployment at one concurrency.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Coefficients {
    /// Joules per unit of each feature.
    pub energy_j: Basis,
    /// Replica seconds per unit of each feature.
    pub time_s: Basis,
}

impl Coefficients {
    /// Accelerator energy of prefill and decode.
    #[must_use]
    pub fn energy(&self, f: &Features) -> (Joules, Joules) {
        (Joules(self.energy_j.prefill(f)), Joules(self.energy_j.decode(f)))
    }

    /// Share of the wall time of the replica.
    #[must_use]
    pub fn replica_time(&self, f: &Features) -> Seconds {
        Seconds(self.time_s.prefill(f) + self.time_s.decode(f))
    }

    /// Shares of prefill and decode in that.
    #[must_use]
    pub fn replica_times(&self, f: &Features) -> (Seconds, Seconds) {
        (Seconds(self.time_s.prefill(f)), Seconds(self.time_s.decode(f)))
    }

    /// These and `share` of others added.
    #[must_use]
    pub fn plus(&self, others: &Self, share: f64) -> Self {
        let add = |a: f64, b: f64| a + share * b;
        Self { energy_j: self.energy_j.zip(&others.energy_j, add), time_s: self.time_s.zip(&others.time_s, add) }
    }
}
