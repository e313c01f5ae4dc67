//! Attention area: how many (query, key) pairs a stretch of tokens makes, with and without a sliding window.
//!
//! ```text
//! A_W(x) = x²/2              for x ≤ W
//!        = W·x − W²/2        for x > W
//! ```
//!
//! | symbol | meaning | unit |
//! |---|---|---|
//! | x | position in the context | tokens |
//! | W | attention window; without one, W → ∞ | tokens |
//!
//! Prefill of a request with `in` input tokens of which `cached` come from a cache: `A_W(in) − A_W(cached)`. Decoding `out`
//! tokens after it: `A_W(in + out) − A_W(in)`. With W → ∞ they are (in² − cached²)/2 and in·out + out²/2, the polynomials
//! the moments of a ledger hold. The area is kept doubled so that it is a whole number and sums of it are exact.
//!
//! Source: causal attention reads every earlier position once; the window term of the baseline fit (`Iu·min(I,W)`)
//! counted a window that does not bind twice and is corrected here. Range: any counts below 2³¹.

/// Twice the attention area, `2·A_W(x)`, in token pairs; exact.
///
/// ```
/// use wattledger::physics::attention::doubled_area;
/// assert_eq!(doubled_area(10, 1_000), 100); // the window does not bind
/// assert_eq!(doubled_area(10, 4), 2 * 4 * 10 - 16);
/// ```
#[must_use]
#[inline]
pub fn doubled_area(tokens: u64, window: u64) -> u64 {
    if tokens <= window { tokens * tokens } else { window * (2 * tokens - window) }
}

#[cfg(test)]
mod tests {
    use super::doubled_area;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn an_endless_window_is_full_attention(input in 0_u64..1 << 30, cached in 0_u64..1 << 30, output in 0_u64..1 << 30) {
            let cached = cached.min(input);
            let w = 1 << 31;
            prop_assert_eq!(doubled_area(input, w) - doubled_area(cached, w), input * input - cached * cached);
            prop_assert_eq!(doubled_area(input + output, w) - doubled_area(input, w), 2 * input * output + output * output);
        }

        #[test]
        fn a_window_never_adds_work_and_more_tokens_never_take_some_away(x in 0_u64..1 << 30, w in 1_u64..1 << 30) {
            prop_assert!(doubled_area(x, w) <= x * x);
            prop_assert!(doubled_area(x + 1, w) >= doubled_area(x, w));
            prop_assert!(doubled_area(x, w + 1) >= doubled_area(x, w));
        }
    }
}
