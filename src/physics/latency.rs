//! Latency of a request from its share of replica time.
//!
//! ```text
//! ITL     = B·(S − S_prefill)/O + B·S_prefill/O       a step serves B sequences and the prefill of those that arrive
//! TTFT    = S_prefill + ITL
//! latency = TTFT + (O − 1)·ITL
//! ```
//!
//! | symbol | meaning | unit |
//! |---|---|---|
//! | B | sequences running in the replica | – |
//! | S, `S_prefill` | replica time of the request, and the prefill part of it | s |
//! | O | output tokens | tokens |
//! | ITL, TTFT | inter-token latency; time to first token, without queueing | s |
//!
//! In a steady state every running sequence gets one token a step, and the prefill of arriving requests takes part in the
//! steps: S·B is about the latency. That is why latency times device power counts the device B times.
//!
//! Source: follows from the shares of [`super::inference`]. Measured time per token lies within 14 % at the median and
//! 55 % at the 90th percentile (cross-validated, `docs/validation.md`). Range: requests alike, no queue;
//! prefer the latency that a log states.
//!
//! Measured error: step times of models left out of the fit 13.5 % median.

use crate::units::Seconds;

/// Latencies of one request.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Latency {
    /// Time to the first token, without queueing.
    pub first_token: Seconds,
    /// Time between tokens.
    pub between_tokens: Seconds,
    /// From arrival to the last token.
    pub whole: Seconds,
}

/// Latencies from the prefill and decode shares of replica time.
///
/// ```
/// use wattledger::{physics::latency::latency, units::Seconds};
/// let l = latency(Seconds(0.01), Seconds(0.99), 100.0, 10.0);
/// assert!((l.between_tokens.0 - 0.1).abs() < 1e-12);
/// assert!((l.whole.0 - (0.01 + 100.0 * 0.1)).abs() < 1e-12);
/// ```
#[must_use]
pub fn latency(prefill: Seconds, decode: Seconds, output_tokens: f64, concurrency: f64) -> Latency {
    let between = if output_tokens > 0.0 { concurrency * (prefill.0 + decode.0) / output_tokens } else { 0.0 };
    let first = prefill.0 + between;
    let whole = first + (output_tokens - 1.0).max(0.0) * between;
    Latency { first_token: Seconds(first), between_tokens: Seconds(between), whole: Seconds(whole) }
}
