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
fn unpack(bytes: &[u8], mut bit: usize, width: u32, out: &mut [u32]) -> Option<()> {
    let mask = u32::try_from((1_u64 << width) - 1).ok()?;
    let mut out = out.iter_mut();
    // A value and the bits before it in its byte fit eight bytes.
    let whole = bytes.len().saturating_sub(7) * 8;
    while bit < whole {
        let Some(out) = out.next() else { return Some(()) };
        let word = u64::from_le_bytes(*bytes[bit / 8..].first_chunk()?);
        *out = low(word >> (bit % 8)) & mask;
        bit += width as usize;
    }
    for out in out {
        let mut word = [0; 8];
        let here = bytes.get(bit / 8..)?;
        // The padding of the last group may be left out, the values of it may not.
        if here.len() * 8 < bit % 8 + width as usize && width > 0 {
            return None;
        }
        word[..here.len().min(8)].copy_from_slice(&here[..here.len().min(8)]);
        *out = low(u64::from_le_bytes(word) >> (bit % 8)) & mask;
        bit += width as usize;
    }
    Some(())
}

#[expect(clippy::cast_possible_truncation, reason = "the low bits are wanted")]
fn low(word: u64) -> u32 {
    word as u32
}
