//! The passes in plain Rust, in the shape that compilers turn into vectors.

#![expect(clippy::inline_always, reason = "a function that is called does not take the processor of its caller over")]

#[inline(always)]
pub(super) fn span(times: &[i64]) -> (i64, i64) {
    let (eights, rest) = times.as_chunks::<8>();
    let (mut first, mut last) = ([i64::MAX; 8], [i64::MIN; 8]);
    for eight in eights {
        for i in 0..8 {
            first[i] = first[i].min(eight[i]);
            last[i] = last[i].max(eight[i]);
        }
    }
    let first = first.iter().chain(rest).fold(i64::MAX, |a, b| a.min(*b));
    (first, last.iter().chain(rest).fold(i64::MIN, |a, b| a.max(*b)))
}

#[inline(always)]
pub(super) fn largest(counts: &[u32]) -> u32 {
    counts.iter().fold(0, |most, count| most.max(*count))
}

#[inline(always)]
#[expect(clippy::needless_bitwise_bool, reason = "without an early way out the comparison runs over vectors")]
pub(super) fn tokens(input: &[u32], cached: &[u32], output: &[u32]) -> ([u32; 2], bool) {
    let mut all = ([0, 0], false);
    for ((input, cached), output) in input.iter().zip(cached).zip(output) {
        all = ([all.0[0].max(*input), all.0[1].max(*output)], all.1 | (cached > input));
    }
    all
}

#[inline(always)]
pub(super) fn widen(short: &[u16], long: &mut [u32]) {
    long.iter_mut().zip(short).for_each(|(long, short)| *long = (*short).into());
}

#[inline(always)]
pub(super) fn send(values: &[f64], to: &mut [f64]) {
    to.copy_from_slice(values);
}

#[inline(always)]
#[expect(clippy::cast_possible_truncation, reason = "narrower results were asked for")]
pub(super) fn send_short(values: &[f64], to: &mut [f32]) {
    to.iter_mut().zip(values).for_each(|(to, value)| *to = *value as f32);
}
