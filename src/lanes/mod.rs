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
    /// The largest of some counts; 0 for none.
    pub(crate) fn largest(counts: &[u32]) -> u32;
    /// The largest input and the largest output, and whether any input has more cached tokens than it has tokens.
    pub(crate) fn tokens(input: &[u32], cached: &[u32], output: &[u32]) -> ([u32; 2], bool);
    /// Short counts as long ones, of the same length.
    pub(crate) fn widen(short: &[u16], long: &mut [u32]);
    /// Copies values past the caches, where that can be done; [`settle`] follows.
    fn send(values: &[f64], to: &mut [f64]);
    /// The same, rounded to 32 bits.
    fn send_short(values: &[f64], to: &mut [f32]);
}

/// What a column of results is made of. Sums are always 64 bits wide; only what is handed out may be narrower.
pub trait Float: store::Store + Copy + Send + Sync + Into<f64> + 'static {
    /// Not a number.
    const NAN: Self;
}

impl Float for f64 {
    const NAN: Self = Self::NAN;
}

impl Float for f32 {
    const NAN: Self = Self::NAN;
}

/// Kept in the house: whoever stores past the caches has to settle it.
pub(crate) mod store {
    /// Numbers that can be stored.
    pub trait Store: Sized {
        /// Writes values of the same number; past the caches if they are not read again soon, and [`super::settle`] follows.
        fn store(values: &[f64], to: &mut [Self], past: bool);
    }
}

impl store::Store for f64 {
    fn store(values: &[Self], to: &mut [Self], past: bool) {
        if past { send(values, to) } else { portable::send(values, to) }
    }
}

impl store::Store for f32 {
    fn store(values: &[f64], to: &mut [Self], past: bool) {
        if past { send_short(values, to) } else { portable::send_short(values, to) }
    }
}

/// Lets other threads see what was written past the caches.
pub(crate) fn settle() {
    #[cfg(target_arch = "x86_64")]
    #[expect(unsafe_code, reason = "it belongs to the stores past the caches")]
    // SAFETY: a fence orders stores and does nothing else; every processor of the architecture has it.
    unsafe {
        std::arch::x86_64::_mm_sfence();
    }
}

/// Memory that is read soon, asked for a line at a time while there is other work.
#[derive(Clone, Copy, Debug, Default)]
pub struct Ahead<'a> {
    parts: [&'a [u8]; 5],
    part: usize,
    at: usize,
}

impl<'a> Ahead<'a> {
    /// Will ask for these parts, one after the other.
    pub(crate) fn new(parts: [&'a [u8]; 5]) -> Self {
        Self { parts, part: 0, at: 0 }
    }

    /// Asks for the next line, if any is left.
    #[inline]
    pub(crate) fn line(&mut self) {
        let Some(part) = self.parts.get(self.part) else { return };
        prefetch::<LATER>(part.as_ptr().wrapping_add(self.at));
        self.at += 64;
        if self.at >= part.len() {
            (self.part, self.at) = (self.part + 1, 0);
        }
    }
}

/// Asks for what is read next.
#[inline]
pub(crate) fn soon<T>(value: &T) {
    prefetch::<NEXT>(std::ptr::from_ref(value).cast());
}

/// Into the first-level cache, as the processor's hints have it.
const NEXT: i32 = 3;
/// Into the second.
const LATER: i32 = 2;

#[inline]
fn prefetch<const HINT: i32>(address: *const u8) {
    #[cfg(target_arch = "x86_64")]
    #[expect(unsafe_code, reason = "it takes an address")]
    // SAFETY: a prefetch is a hint: it reads nothing that a program can see, and never fails.
    unsafe {
        std::arch::x86_64::_mm_prefetch::<HINT>(address.cast());
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = address;
}

#[cfg(test)]
mod tests {
    use super::portable;
    use super::store::Store;
    use proptest::prelude::*;

    proptest! {
        #[test]
        #[expect(clippy::cast_precision_loss, clippy::cast_possible_truncation, clippy::float_cmp, reason = "any values do")]
        fn every_form_says_the_same(
            times in prop::collection::vec(any::<i64>(), 0..40),
            pairs in prop::collection::vec((0..9_u32, 0..99_u32), 0..40),
            large in any::<u32>(),
        ) {
            let span = (times.iter().copied().min().unwrap_or(i64::MAX), times.iter().copied().max().unwrap_or(i64::MIN));
            prop_assert_eq!([super::span(&times), portable::span(&times)], [span; 2]);
            let (cached, mut input): (Vec<u32>, Vec<u32>) = pairs.into_iter().unzip();
            let exceeds = cached.iter().zip(&input).any(|(count, limit)| count > limit);
            let all = |counts: &[u32]| counts.iter().fold(0, |most, count| most.max(*count));
            let output: Vec<u32> = input.iter().map(|input| large >> input.min(&31)).collect();
            let told = ([all(&input), all(&output)], exceeds);
            prop_assert_eq!(super::tokens(&input, &cached, &output), told);
            prop_assert_eq!(portable::tokens(&input, &cached, &output), told);
            input.push(large);
            let values: Vec<f64> = times.iter().map(|time| *time as f64 / 3.0).collect();
            for past in [false, true] {
                // From an odd place on, whatever the memory's alignment is.
                let (mut long, mut short) = (vec![0.0; values.len() + 1], vec![0.0; values.len() + 1]);
                f64::store(&values, &mut long[1..], past);
                f32::store(&values, &mut short[1..], past);
                super::settle();
                prop_assert_eq!(&long[1..], &values);
                prop_assert!(short[1..].iter().zip(&values).all(|(short, value)| *short == *value as f32));
            }
            prop_assert_eq!([super::largest(&input), portable::largest(&input)], [all(&input); 2]);
            let short: Vec<u16> = input.iter().map(|count| *count as u16).collect();
            let mut long = [vec![0; short.len()], vec![0; short.len()]];
            super::widen(&short, &mut long[0]);
            portable::widen(&short, &mut long[1]);
            prop_assert!(long.iter().all(|long| long.iter().copied().eq(short.iter().map(|short| u32::from(*short)))));
        }
    }
}
