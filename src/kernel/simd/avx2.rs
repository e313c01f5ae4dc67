//! The loops over 256-bit registers: a cell is two of them.

use super::{Arrivals, Moments, Record, Tokens, portable};
use std::arch::x86_64::{
    __m128i, __m256i, _mm_blend_epi32, _mm_set1_epi32, _mm_unpackhi_epi32, _mm_unpacklo_epi32, _mm256_add_epi64,
    _mm256_cvtepu32_epi64, _mm256_mul_epu32, _mm256_permute4x64_epi64,
};

/// Adds an event, given as `[1, i, c, o]` in 32 bits each.
#[inline]
#[target_feature(enable = "avx2")]
fn add(cell: &mut Moments, event: __m128i) {
    // Lanes of the left and the right factors of [i·i, c·c, i·o, o·o].
    const LEFT: i32 = 1 | (2 << 2) | (1 << 4) | (3 << 6);
    const RIGHT: i32 = 1 | (2 << 2) | (3 << 4) | (3 << 6);
    let sums = _mm256_cvtepu32_epi64(event);
    let products = _mm256_mul_epu32(_mm256_permute4x64_epi64::<LEFT>(sums), _mm256_permute4x64_epi64::<RIGHT>(sums));
    let [low, high]: &mut [__m256i; 2] = bytemuck::cast_mut(&mut cell.0);
    *low = _mm256_add_epi64(*low, sums);
    *high = _mm256_add_epi64(*high, products);
}

#[target_feature(enable = "avx2")]
pub(super) fn moments(cells: &mut [Moments], tokens: Tokens<'_>) {
    each(cells, tokens.at, tokens, |_, _| {});
}

#[target_feature(enable = "avx2")]
pub(super) fn moments_and_arrivals(cells: &mut [Moments], arrivals: &mut [Arrivals], at: &[u32], tokens: Tokens<'_>) {
    // Plain integers wait beside the wide registers, so this costs little where the other loop runs.
    each(cells, at, tokens, |at, output| arrivals[at as usize].add(output));
}

/// Adds every event, and calls back with its other place and its output.
#[inline]
#[target_feature(enable = "avx2")]
fn each(cells: &mut [Moments], other_at: &[u32], tokens: Tokens<'_>, mut also: impl FnMut(u32, u32)) {
    let n = tokens.at.len();
    let (other, other_rest) = other_at[..n].as_chunks::<4>();
    let (at, at_rest) = tokens.at.as_chunks::<4>();
    let (input, input_rest) = tokens.input[..n].as_chunks::<4>();
    let (cached, cached_rest) = tokens.cached[..n].as_chunks::<4>();
    let (output, output_rest) = tokens.output[..n].as_chunks::<4>();
    let one = _mm_set1_epi32(1);
    let mut ahead = tokens.ahead;
    for ((((at, input), cached), outputs), other) in at.iter().zip(input).zip(cached).zip(output).zip(other) {
        let [input, cached, output]: [__m128i; 3] = [*input, *cached, *outputs].map(bytemuck::cast);
        let (one_cached, input_output) = (_mm_unpacklo_epi32(one, cached), _mm_unpacklo_epi32(input, output));
        ahead.line();
        ahead.line();
        add(&mut cells[at[0] as usize], _mm_unpacklo_epi32(one_cached, input_output));
        also(other[0], outputs[0]);
        add(&mut cells[at[1] as usize], _mm_unpackhi_epi32(one_cached, input_output));
        also(other[1], outputs[1]);
        let (one_cached, input_output) = (_mm_unpackhi_epi32(one, cached), _mm_unpackhi_epi32(input, output));
        add(&mut cells[at[2] as usize], _mm_unpacklo_epi32(one_cached, input_output));
        also(other[2], outputs[2]);
        add(&mut cells[at[3] as usize], _mm_unpackhi_epi32(one_cached, input_output));
        also(other[3], outputs[3]);
    }
    let rest = Tokens { at: at_rest, input: input_rest, cached: cached_rest, output: output_rest, ahead };
    portable::moments(cells, rest);
    other_rest.iter().zip(output_rest).for_each(|(at, output)| also(*at, *output));
}

#[target_feature(enable = "avx2")]
pub(super) fn moments_of_records(cells: &mut [Moments], records: &[Record]) {
    let one = _mm_set1_epi32(1);
    for record in records {
        let event = _mm_blend_epi32::<1>(bytemuck::cast(record.values), one);
        add(&mut cells[record.values[0] as usize], event);
    }
}
