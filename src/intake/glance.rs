//! Glances: what the template reader wants to know of bytes, many of them at once.
//!
//! All of it is inlined into [`super::wide`], where it is compiled for the registers of the processor.

#![expect(clippy::inline_always, reason = "a function that is called does not take the processor of its caller over")]
#![expect(clippy::needless_bitwise_bool, reason = "one branch that is never guessed wrong costs less than three")]

/// The place behind a piece of text that has to stand here.
#[inline(always)]
pub(super) fn literal(bytes: &[u8], at: usize, literal: &[u8]) -> Option<usize> {
    let end = at + literal.len();
    same(bytes.get(at..end)?, literal).then_some(end)
}

/// Whether both ends are the same, `N` bytes each; `None` where there are fewer.
#[inline(always)]
fn ends<const N: usize>(a: &[u8], b: &[u8]) -> Option<bool> {
    Some(a.first_chunk::<N>()? == b.first_chunk::<N>()? && a.last_chunk::<N>()? == b.last_chunk::<N>()?)
}

/// Whether two texts are the same, by a few wide comparisons.
#[inline(always)]
pub(super) fn same(a: &[u8], b: &[u8]) -> bool {
    if a.len() != b.len() {
        return false;
    }
    if a.len() >= 32 {
        let chunks = a.as_chunks::<32>().0.iter().zip(b.as_chunks::<32>().0);
        return chunks.fold(true, |same, (a, b)| same & (a == b)) && a.last_chunk::<32>() == b.last_chunk::<32>();
    }
    if a.len() >= 16 {
        return ends::<16>(a, b) == Some(true);
    }
    ends::<8>(a, b).or_else(|| ends::<4>(a, b)).or_else(|| ends::<2>(a, b)).unwrap_or_else(|| a == b)
}

/// The quote that ends a text without escapes.
#[inline(always)]
pub(super) fn plain_text(bytes: &[u8], mut at: usize, specials: impl Fn(&[u8; 32]) -> u32) -> Option<usize> {
    while let Some(some) = bytes.get(at..).and_then(<[u8]>::first_chunk::<32>) {
        let special = specials(some);
        if special != 0 {
            at += special.trailing_zeros() as usize;
            return (bytes[at] == b'"').then_some(at);
        }
        at += 32;
    }
    at += bytes.get(at..)?.iter().position(|byte| is_special(*byte))?;
    (bytes[at] == b'"').then_some(at)
}

/// A plain count and the place behind it.
#[inline(always)]
pub(super) fn plain_count(bytes: &[u8], at: usize) -> Option<(u64, usize)> {
    let (value, digits) = count(bytes, at);
    let end = at + digits;
    let next = *bytes.get(end)?;
    // Every other count is 0: no branch on it.
    let padded = (bytes[at] == b'0') & (digits > 1);
    let more = next.is_ascii_digit() | (next == b'.') | (next | 0x20 == b'e');
    ((digits > 0) & !padded & !more).then_some((value, end))
}

/// Up to sixteen digits, eight at a time: their value and how many they are.
#[inline(always)]
fn count(bytes: &[u8], at: usize) -> (u64, usize) {
    let Some(eight) = bytes.get(at..).and_then(<[u8]>::first_chunk::<8>) else { return (0, 0) };
    let (value, digits) = eight_digits(*eight);
    if digits < 8 {
        return (value, digits);
    }
    let Some(eight) = bytes.get(at + 8..).and_then(<[u8]>::first_chunk::<8>) else { return (0, 0) };
    let (low, more) = eight_digits(*eight);
    (value * POWERS[more] + low, 8 + more)
}

const POWERS: [u64; 9] = [1, 10, 100, 1_000, 10_000, 100_000, 1_000_000, 10_000_000, 100_000_000];

/// The digits at the start of eight bytes: all of them are looked at at once.
#[inline(always)]
fn eight_digits(bytes: [u8; 8]) -> (u64, usize) {
    let values = u64::from_le_bytes(bytes) ^ 0x3030_3030_3030_3030;
    // Above 9, or above 127 to begin with.
    let others = (values.wrapping_add(0x7676_7676_7676_7676) | values) & 0x8080_8080_8080_8080;
    let digits = (others.trailing_zeros() / 8) as usize;
    if digits == 0 {
        return (0, 0);
    }
    // Zeros in front, then pairs, fours and all eight are put together.
    let values = values << (8 * (8 - digits));
    let pairs = values.wrapping_mul(10).wrapping_add(values >> 8);
    let low = (pairs & 0x0000_00ff_0000_00ff).wrapping_mul(0x000f_4240_0000_0064);
    let high = ((pairs >> 16) & 0x0000_00ff_0000_00ff).wrapping_mul(0x0000_2710_0000_0001);
    (low.wrapping_add(high) >> 32, digits)
}

/// Whether a byte ends a plain run of text: a quote, a backslash or a control character.
pub(super) fn is_special(byte: u8) -> bool {
    matches!(byte, b'"' | b'\\' | ..0x20)
}
