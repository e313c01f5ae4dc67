//! The passes in plain Rust, in the shape that compilers turn into vectors.

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
pub(super) fn union(counts: &[u32]) -> u32 {
    counts.iter().fold(0, |union, count| union | count)
}

#[inline(always)]
#[expect(clippy::needless_bitwise_bool, reason = "without an early way out the comparison runs over vectors")]
pub(super) fn any_exceeds(counts: &[u32], limits: &[u32]) -> bool {
    counts.iter().zip(limits).fold(false, |any, (count, limit)| any | (count > limit))
}
