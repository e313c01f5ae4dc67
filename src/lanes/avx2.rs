//! The same passes over 256-bit registers.

use super::portable;
use std::arch::x86_64::{
    __m128, __m256d, __m256i, _mm256_and_si256, _mm256_blendv_epi8, _mm256_cmpeq_epi32, _mm256_cmpgt_epi64,
    _mm256_cvtpd_ps, _mm256_max_epu32, _mm256_set1_epi32, _mm256_set1_epi64x, _mm256_setzero_si256, _mm256_stream_pd,
    _mm256_stream_ps,
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

#[target_feature(enable = "avx2")]
pub(super) fn send(values: &[f64], to: &mut [f64]) {
    let head = to.as_ptr().align_offset(32).min(to.len());
    let ((first, values), (to_first, to)) = (values.split_at(head), to.split_at_mut(head));
    portable::send(first, to_first);
    let ((fours, rest), (to_fours, to_rest)) = (values.as_chunks::<4>(), to.as_chunks_mut::<4>());
    for (four, to) in fours.iter().zip(to_fours) {
        #[expect(unsafe_code, reason = "a store past the caches takes an address")]
        // SAFETY: the address is that of four numbers that are borrowed mutably, and a multiple of 32 bytes, as it asks.
        unsafe {
            _mm256_stream_pd(to.as_mut_ptr(), bytemuck::cast(*four));
        }
    }
    portable::send(rest, to_rest);
}

#[target_feature(enable = "avx2")]
pub(super) fn send_short(values: &[f64], to: &mut [f32]) {
    let head = to.as_ptr().align_offset(32).min(to.len());
    let ((first, values), (to_first, to)) = (values.split_at(head), to.split_at_mut(head));
    portable::send_short(first, to_first);
    let ((eights, rest), (to_eights, to_rest)) = (values.as_chunks::<8>(), to.as_chunks_mut::<8>());
    for (eight, to) in eights.iter().zip(to_eights) {
        let [low, high]: [__m256d; 2] = bytemuck::cast(*eight);
        let short: [__m128; 2] = [_mm256_cvtpd_ps(low), _mm256_cvtpd_ps(high)];
        #[expect(unsafe_code, reason = "a store past the caches takes an address")]
        // SAFETY: the address is that of eight numbers that are borrowed mutably, and a multiple of 32 bytes, as it asks.
        unsafe {
            _mm256_stream_ps(to.as_mut_ptr(), bytemuck::cast(short));
        }
    }
    portable::send_short(rest, to_rest);
}
