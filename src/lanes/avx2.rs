//! The same passes, compiled for 256-bit registers.

use super::portable;

#[target_feature(enable = "avx2")]
pub(super) fn span(times: &[i64]) -> (i64, i64) {
    portable::span(times)
}

#[target_feature(enable = "avx2")]
pub(super) fn union(counts: &[u32]) -> u32 {
    portable::union(counts)
}

#[target_feature(enable = "avx2")]
pub(super) fn any_exceeds(counts: &[u32], limits: &[u32]) -> bool {
    portable::any_exceeds(counts, limits)
}
