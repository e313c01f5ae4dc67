//! The same passes over 256-bit registers.

use super::portable;
use std::arch::x86_64::{
    __m256i, _mm256_and_si256, _mm256_blendv_epi8, _mm256_cmpeq_epi32, _mm256_cmpgt_epi64, _mm256_max_epu32,
    _mm256_set1_epi32, _mm256_set1_epi64x, _mm256_setzero_si256,
};

#[target_feature(enable = "avx2")]
pub(super) fn span(times: &[i64]) -> (i64, i64) {
    // Two registers each, so that one step does not wait for the last.
    let (eights, rest) = times.as_chunks::<8>();
    let mut first = [_mm256_set1_epi64x(i64::MAX); 2];
    let mut last = [_mm256_set1_epi64x(i64::MIN); 2];
    for eight in eights {
        let pair: [__m256i; 2] = bytemuck::cast(*eight);
        for i in 0..2 {
            first[i] = _mm256_blendv_epi8(first[i], pair[i], _mm256_cmpgt_epi64(first[i], pair[i]));
            last[i] = _mm256_blendv_epi8(last[i], pair[i], _mm256_cmpgt_epi64(pair[i], last[i]));
        }
    }
    let (first, last): ([i64; 8], [i64; 8]) = (bytemuck::cast(first), bytemuck::cast(last));
    let first = first.iter().chain(rest).fold(i64::MAX, |a, b| a.min(*b));
    (first, last.iter().chain(rest).fold(i64::MIN, |a, b| a.max(*b)))
}

#[target_feature(enable = "avx2")]
pub(super) fn largest(counts: &[u32]) -> u32 {
    let (eights, rest) = counts.as_chunks::<8>();
    let most = eights.iter().fold(_mm256_setzero_si256(), |most, eight| _mm256_max_epu32(most, bytemuck::cast(*eight)));
    most_of(most).max(portable::largest(rest))
}

#[target_feature(enable = "avx2")]
pub(super) fn tokens(input: &[u32], cached: &[u32], output: &[u32]) -> ([u32; 2], bool) {
    let n = input.len();
    let (inputs, input_rest) = input.as_chunks::<8>();
    let (cacheds, cached_rest) = cached[..n].as_chunks::<8>();
    let (outputs, output_rest) = output[..n].as_chunks::<8>();
    let (mut most_input, mut most_output) = (_mm256_setzero_si256(), _mm256_setzero_si256());
    let mut within = _mm256_set1_epi32(-1);
    for ((input, cached), output) in inputs.iter().zip(cacheds).zip(outputs) {
        let [input, cached, output]: [__m256i; 3] = [*input, *cached, *output].map(bytemuck::cast);
        most_input = _mm256_max_epu32(most_input, input);
        most_output = _mm256_max_epu32(most_output, output);
        within = _mm256_and_si256(within, _mm256_cmpeq_epi32(_mm256_max_epu32(input, cached), input));
    }
    let exceeds = bytemuck::cast::<__m256i, [u32; 8]>(within) != [u32::MAX; 8];
    let ([rest_input, rest_output], rest_exceeds) = portable::tokens(input_rest, cached_rest, output_rest);
    ([most_of(most_input).max(rest_input), most_of(most_output).max(rest_output)], exceeds || rest_exceeds)
}

fn most_of(lanes: __m256i) -> u32 {
    portable::largest(&bytemuck::cast::<__m256i, [u32; 8]>(lanes))
}

#[target_feature(enable = "avx2")]
pub(super) fn widen(short: &[u16], long: &mut [u32]) {
    portable::widen(short, long);
}
