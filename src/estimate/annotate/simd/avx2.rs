//! The same loops over 256-bit registers.

use super::{Factors, GROUP, Group, Loads, TIME, Tokens, Weights, portable};
use std::arch::x86_64::{
    __m256d, __m256i, _mm256_add_pd, _mm256_castpd_ps, _mm256_castps_pd, _mm256_mul_pd, _mm256_permute2f128_pd,
    _mm256_permutevar8x32_ps, _mm256_set1_pd, _mm256_unpackhi_pd, _mm256_unpacklo_pd,
};

#[target_feature(enable = "avx2")]
pub(super) fn weigh(tokens: Tokens<'_>, slots: &[u32], weights: Weights<'_>, loads: &mut [Loads]) {
    portable::weigh(tokens, slots, weights, loads);
}

#[target_feature(enable = "avx2")]
pub(super) fn spread(loads: &[Loads], slots: &[u32], factors: Factors<'_>, values: &mut Group) {
    // Halves of a 64-bit number, as permutations of 32-bit lanes count them.
    let mut places = [0_u32; 8];
    for (i, place) in factors.loads.iter().enumerate() {
        places[2 * i] = 2 * *place;
        places[2 * i + 1] = 2 * *place + 1;
    }
    let places: __m256i = bytemuck::cast(places);
    let row = |loads: &Loads, slot: u32| {
        let at = slot as usize * factors.groups + factors.group;
        let of_load: __m256d = bytemuck::cast(factors.of_load[at]);
        let chosen = _mm256_castps_pd(_mm256_permutevar8x32_ps(_mm256_castpd_ps(bytemuck::cast(*loads)), places));
        let values = _mm256_mul_pd(chosen, of_load);
        match factors.of_time.get(at) {
            None => values,
            Some(of_time) => {
                _mm256_add_pd(values, _mm256_mul_pd(_mm256_set1_pd(loads[TIME]), bytemuck::cast(*of_time)))
            }
        }
    };
    let ((load_fours, load_rest), (slot_fours, slot_rest)) = (loads.as_chunks::<GROUP>(), slots.as_chunks::<GROUP>());
    let mut columns = values.each_mut().map(|column| column.as_chunks_mut::<GROUP>().0);
    for (i, (loads, slots)) in load_fours.iter().zip(slot_fours).enumerate() {
        let rows =
            [row(&loads[0], slots[0]), row(&loads[1], slots[1]), row(&loads[2], slots[2]), row(&loads[3], slots[3])];
        // Rows become columns.
        let pairs = [_mm256_unpacklo_pd(rows[0], rows[1]), _mm256_unpackhi_pd(rows[0], rows[1])];
        let next = [_mm256_unpacklo_pd(rows[2], rows[3]), _mm256_unpackhi_pd(rows[2], rows[3])];
        columns[0][i] = bytemuck::cast(_mm256_permute2f128_pd::<0x20>(pairs[0], next[0]));
        columns[1][i] = bytemuck::cast(_mm256_permute2f128_pd::<0x20>(pairs[1], next[1]));
        columns[2][i] = bytemuck::cast(_mm256_permute2f128_pd::<0x31>(pairs[0], next[0]));
        columns[3][i] = bytemuck::cast(_mm256_permute2f128_pd::<0x31>(pairs[1], next[1]));
    }
    let done = load_fours.len();
    for (i, (loads, slot)) in load_rest.iter().zip(slot_rest).enumerate() {
        let values: [f64; GROUP] = bytemuck::cast(row(loads, *slot));
        for (column, value) in columns.iter_mut().zip(values) {
            column[done][i] = value;
        }
    }
}
