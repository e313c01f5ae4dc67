//! The run-length and bit-packed hybrid of Parquet, which holds the keys of dictionaries and whether values are there.
//!
//! Source: Apache Parquet format, Encodings.md, "Run Length Encoding / Bit-Packing Hybrid (RLE = 3)". Whatever contradicts
//! itself is an end, never a panic.

use bytes::Bytes;

/// Values of one width, read in turn.
#[derive(Debug, Default)]
pub(super) struct Hybrid {
    bytes: Bytes,
    at: usize,
    width: u32,
    run: Run,
}

#[derive(Debug, Default)]
enum Run {
    #[default]
    None,
    Same {
        value: u32,
        left: usize,
    },
    Packed {
        /// The bit the next value begins at.
        bit: usize,
        left: usize,
    },
}

impl Hybrid {
    /// Values of `width` bits; none of more than 32.
    pub fn new(bytes: Bytes, width: u32) -> Option<Self> {
        (width <= 32).then_some(Self { bytes, at: 0, width, run: Run::None })
    }

    /// Fills `out`; `None` if there are fewer values.
    pub fn read(&mut self, out: &mut [u32]) -> Option<()> {
        let mut filled = 0;
        while filled < out.len() {
            let rest = &mut out[filled..];
            filled += match &mut self.run {
                Run::Same { value, left } if *left > 0 => {
                    let n = rest.len().min(*left);
                    rest[..n].fill(*value);
                    *left -= n;
                    n
                }
                Run::Packed { bit, left } if *left > 0 => {
                    let n = rest.len().min(*left);
                    unpack(&self.bytes, *bit, self.width, &mut rest[..n])?;
                    *bit += n * self.width as usize;
                    *left -= n;
                    n
                }
                _ => {
                    self.next_run()?;
                    0
                }
            };
        }
        Some(())
    }

    /// Whether the next `n` values are all `value`.
    pub fn all(&mut self, value: u32, n: usize) -> Option<bool> {
        let mut some = [0; 1024];
        let mut left = n;
        while left > 0 {
            if let Run::Same { value: same, left: run } = &mut self.run
                && *run > 0
            {
                if *same != value {
                    return Some(false);
                }
                let n = left.min(*run);
                *run -= n;
                left -= n;
                continue;
            }
            let n = left.min(some.len());
            if let Run::Packed { left: run, .. } = &self.run
                && *run > 0
            {
                let n = n.min(*run);
                self.read(&mut some[..n])?;
                if some[..n].iter().any(|other| *other != value) {
                    return Some(false);
                }
                left -= n;
                continue;
            }
            self.next_run()?;
        }
        Some(true)
    }

    fn next_run(&mut self) -> Option<()> {
        let header = self.varint()?;
        let count = usize::try_from(header >> 1).ok()?;
        if header & 1 == 0 {
            let bytes = self.width.div_ceil(8) as usize;
            let mut value = [0; 4];
            value[..bytes].copy_from_slice(self.bytes.get(self.at..self.at + bytes)?);
            self.at += bytes;
            self.run = Run::Same { value: u32::from_le_bytes(value), left: count };
        } else {
            let groups = count.checked_mul(8)?;
            let bit = self.at * 8;
            self.at = self.at.checked_add(count.checked_mul(self.width as usize)?)?;
            self.run = Run::Packed { bit, left: groups };
        }
        // An empty run would never end.
        (count > 0).then_some(())
    }

    fn varint(&mut self) -> Option<u64> {
        let mut value = 0;
        for shift in (0..63).step_by(7) {
            let byte = *self.bytes.get(self.at)?;
            self.at += 1;
            value |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return Some(value);
            }
        }
        None
    }
}

/// Values of `width` bits each, one behind the other from the lowest bit on.
fn unpack(bytes: &[u8], mut bit: usize, width: u32, mut out: &mut [u32]) -> Option<()> {
    // Eight values from a byte on end at a byte again.
    while !bit.is_multiple_of(8) && !out.is_empty() {
        let (one, rest) = out.split_at_mut(1);
        bit = singles(bytes, bit, width, one)?;
        out = rest;
    }
    let done = groups(bytes.get(bit / 8..)?, width, out);
    singles(bytes, bit + done * width as usize, width, &mut out[done..]).map(|_| ())
}

/// Unpacks values one by one; the answer is the bit behind them.
fn singles(bytes: &[u8], mut bit: usize, width: u32, out: &mut [u32]) -> Option<usize> {
    let mask = u32::try_from((1_u64 << width) - 1).ok()?;
    for out in out {
        let here = bytes.get(bit / 8..)?;
        // The padding of the last group may be left out, the values of it may not.
        if here.len() * 8 < bit % 8 + width as usize {
            return None;
        }
        let mut word = [0; 8];
        word[..here.len().min(8)].copy_from_slice(&here[..here.len().min(8)]);
        *out = low(u64::from_le_bytes(word) >> (bit % 8)) & mask;
        bit += width as usize;
    }
    Some(bit)
}

/// Unpacks groups of eight, as many as are there whole; the answer is how many values that were.
fn groups(bytes: &[u8], width: u32, out: &mut [u32]) -> usize {
    macro_rules! by_width {
        ($($width:literal)+) => {
            match width {
                $($width => groups_of::<$width>(bytes, out),)+
                _ => 0,
            }
        };
    }
    by_width!(1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24)
}

/// With the width known, every place and every shift is.
fn groups_of<const WIDTH: usize>(bytes: &[u8], out: &mut [u32]) -> usize {
    let mask = (1_u32 << WIDTH) - 1;
    let (eights, _) = out.as_chunks_mut::<8>();
    let mut done = 0;
    for (i, eight) in eights.iter_mut().enumerate() {
        // The last value is read with the eight bytes it begins in.
        let Some(group) = bytes.get(i * WIDTH..i * WIDTH + 7 * WIDTH / 8 + 8) else { break };
        for (value, out) in eight.iter_mut().enumerate() {
            let bit = value * WIDTH;
            let word = u64::from_le_bytes(group[bit / 8..bit / 8 + 8].try_into().unwrap_or_default());
            *out = low(word >> (bit % 8)) & mask;
        }
        done += 8;
    }
    done
}

#[expect(clippy::cast_possible_truncation, reason = "the low bits are wanted")]
fn low(word: u64) -> u32 {
    word as u32
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Packs values as the format says, with a padding of zeros to a group.
    fn packed(values: &[u32], width: u32) -> Vec<u8> {
        let mut bits: Vec<bool> =
            values.iter().flat_map(|value| (0..width).map(move |bit| value >> bit & 1 == 1)).collect();
        bits.resize(values.len().next_multiple_of(8) * width as usize, false);
        bits.chunks(8).map(|byte| byte.iter().rev().fold(0, |all, bit| (all << 1) | u8::from(*bit))).collect()
    }

    fn varint(mut value: usize) -> Vec<u8> {
        let mut bytes = Vec::new();
        while value > 0x7f {
            bytes.push(u8::try_from(value & 0x7f).unwrap() | 0x80);
            value >>= 7;
        }
        bytes.push(u8::try_from(value).unwrap());
        bytes
    }

    proptest! {
        #[test]
        fn what_was_packed_comes_back_in_pieces_of_any_size(
            width in 0..=32_u32,
            runs in prop::collection::vec((any::<bool>(), prop::collection::vec(any::<u32>(), 1..70)), 1..6),
            pieces in prop::collection::vec(1..50_usize, 1..20),
        ) {
            let mask = u32::try_from((1_u64 << width) - 1).unwrap();
            let (mut bytes, mut values) = (Vec::new(), Vec::new());
            for (same, run) in runs {
                let mut run: Vec<u32> = run.into_iter().map(|value| value & mask).collect();
                if same {
                    let first = run[0];
                    run.fill(first);
                    bytes.extend(varint(run.len() << 1));
                    bytes.extend(&first.to_le_bytes()[..width.div_ceil(8) as usize]);
                } else {
                    run.resize(run.len().next_multiple_of(8), 0);
                    bytes.extend(varint((run.len() / 8) << 1 | 1));
                    bytes.extend(packed(&run, width));
                }
                values.extend(run);
            }
            let all = Hybrid::new(bytes.clone().into(), width).unwrap().all(values[0], values.len());
            prop_assert_eq!(all, Some(values.iter().all(|value| *value == values[0])));
            let mut hybrid = Hybrid::new(bytes.into(), width).unwrap();
            let mut read = Vec::new();
            for piece in pieces.iter().cycle() {
                let mut some = vec![0; (*piece).min(values.len() - read.len())];
                prop_assert!(hybrid.read(&mut some).is_some());
                read.extend(some);
                if read.len() == values.len() {
                    break;
                }
            }
            prop_assert_eq!(read, values);
            prop_assert!(hybrid.read(&mut [0]).is_none());
        }

        #[test]
        fn hostile_bytes_end_and_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..60), width in 0..=40_u32) {
            if let Some(mut hybrid) = Hybrid::new(bytes.into(), width) {
                let _ = hybrid.read(&mut [0; 300]);
            }
        }
    }
}
