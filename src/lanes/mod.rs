//! Lanes: passes over whole columns, over registers as wide as the processor has.
//!
//! Which form runs is decided where the program runs, so one build serves every processor of its architecture. All of them
//! give the same integers. On aarch64 the portable form is the wide one: NEON belongs to the architecture, and the compiler
//! uses it.

#[cfg(target_arch = "x86_64")]
mod avx2;
mod portable;

/// Functions that have one form in the module `portable` and, on x86-64, another in `avx2`.
macro_rules! dispatched {
    ($($(#[$doc:meta])* $public:vis fn $name:ident($($arg:ident: $type:ty),*) $(-> $answer:ty)?;)*) => {$(
        $(#[$doc])*
        #[inline]
        $public fn $name($($arg: $type),*) $(-> $answer)? {
            #[cfg(target_arch = "x86_64")]
            if std::arch::is_x86_feature_detected!("avx2") {
                #[expect(unsafe_code, reason = "a function for a processor is called where that processor was found")]
                // SAFETY: the one thing asked of the caller is a processor with AVX2, which was just found.
                return unsafe { avx2::$name($($arg),*) };
            }
            portable::$name($($arg),*)
        }
    )*};
}
pub(crate) use dispatched;

dispatched! {
    /// The earliest and the latest of some times; `(i64::MAX, i64::MIN)` for none.
    pub(crate) fn span(times: &[i64]) -> (i64, i64);
    /// All bits that any of the counts has.
    pub(crate) fn union(counts: &[u32]) -> u32;
    /// Whether any count is larger than the one it belongs to.
    pub(crate) fn any_exceeds(counts: &[u32], limits: &[u32]) -> bool;
}

#[cfg(test)]
mod tests {
    use super::portable;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn every_form_says_the_same(
            times in prop::collection::vec(any::<i64>(), 0..40),
            pairs in prop::collection::vec((0..9_u32, 0..99_u32), 0..40),
            large in any::<u32>(),
        ) {
            let span = (times.iter().copied().min().unwrap_or(i64::MAX), times.iter().copied().max().unwrap_or(i64::MIN));
            prop_assert_eq!([super::span(&times), portable::span(&times)], [span; 2]);
            let (mut counts, limits): (Vec<u32>, Vec<u32>) = pairs.into_iter().unzip();
            let exceeds = counts.iter().zip(&limits).any(|(count, limit)| count > limit);
            prop_assert_eq!([super::any_exceeds(&counts, &limits), portable::any_exceeds(&counts, &limits)], [exceeds; 2]);
            counts.push(large);
            let union = counts.iter().fold(0, |union, count| union | count);
            prop_assert_eq!([super::union(&counts), portable::union(&counts)], [union; 2]);
        }
    }
}
