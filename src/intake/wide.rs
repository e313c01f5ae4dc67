//! The readers of lines, over wide registers where the processor has them: which bytes of a text are special.

use super::glance::is_special;
use super::paths::PathTree;
use super::plain::Raw;
use super::template::Template;
use super::walk;
use crate::lanes::dispatched;

dispatched! {
    /// Reads the line that starts here, if it has this shape.
    pub(super) fn read(template: &Template, text: &str, start: usize, raws: &mut [Raw]) -> Option<usize>;
    /// Reads the line that starts here, if everything in it is plain.
    pub(super) fn walked(paths: &PathTree, text: &str, start: usize, raws: &mut [Raw]) -> Option<usize>;
}

pub(super) mod portable {
    use super::{PathTree, Raw, Template, is_special, walk};

    /// A bit for each special byte.
    pub fn specials(bytes: &[u8; 32]) -> u32 {
        bytes.iter().rev().fold(0, |mask, byte| (mask << 1) | u32::from(is_special(*byte)))
    }

    pub fn read(template: &Template, text: &str, start: usize, raws: &mut [Raw]) -> Option<usize> {
        template.read(text, start, raws, specials)
    }

    pub fn walked(paths: &PathTree, text: &str, start: usize, raws: &mut [Raw]) -> Option<usize> {
        walk::line(paths, text, start, raws, specials)
    }
}

#[cfg(target_arch = "x86_64")]
mod avx2 {
    use super::{PathTree, Raw, Template, walk};
    use std::arch::x86_64::{
        __m256i, _mm256_cmpeq_epi8, _mm256_min_epu8, _mm256_movemask_epi8, _mm256_or_si256, _mm256_set1_epi8,
    };

    /// A bit for each special byte.
    #[inline]
    #[target_feature(enable = "avx2")]
    fn specials(bytes: &[u8; 32]) -> u32 {
        let bytes: __m256i = bytemuck::cast(*bytes);
        let is = |byte: u8| _mm256_cmpeq_epi8(bytes, _mm256_set1_epi8(byte.cast_signed()));
        let control = _mm256_cmpeq_epi8(_mm256_min_epu8(bytes, _mm256_set1_epi8(0x1f)), bytes);
        let special = _mm256_or_si256(_mm256_or_si256(is(b'"'), is(b'\\')), control);
        _mm256_movemask_epi8(special).cast_unsigned()
    }

    #[target_feature(enable = "avx2")]
    pub fn read(template: &Template, text: &str, start: usize, raws: &mut [Raw]) -> Option<usize> {
        template.read(text, start, raws, |bytes| specials(bytes))
    }

    #[target_feature(enable = "avx2")]
    pub fn walked(paths: &PathTree, text: &str, start: usize, raws: &mut [Raw]) -> Option<usize> {
        walk::line(paths, text, start, raws, |bytes| specials(bytes))
    }
}
