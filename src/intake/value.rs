//! Values: what a cell of a log holds, and which cells are counts, latencies and labels.

use super::field::Field;
use crate::error::excerpt;
use crate::event::{NO_LATENCY, Reason, Reject, limits};
use std::borrow::Cow;

/// One cell, before anyone decided what it means.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) enum Scalar<'a> {
    /// Absent or null.
    #[default]
    Null,
    Bool(bool),
    Int(i64),
    UInt(u64),
    Float(f64),
    /// Text in a format that tells text from numbers.
    Text(Cow<'a, str>),
    /// Text in a format that holds nothing else (CSV).
    Cell(Cow<'a, str>),
    /// A typed instant, microseconds since 1970 UTC.
    Instant(i64),
    /// A typed local time without a zone, microseconds since 1970 on the local clock.
    Naive(i64),
    /// A list or an object.
    Nested,
}

/// Why a row is no event.
#[derive(Debug)]
pub(super) struct Fault {
    pub reason: Reason,
    pub field: Option<String>,
    pub value: Option<String>,
}

impl Fault {
    /// A fault of a whole line; `value` is its beginning.
    pub fn line(reason: Reason, value: &str) -> Self {
        Self { reason, field: None, value: Some(excerpt(value)) }
    }

    /// A fault of one field.
    pub fn field(reason: Reason, field: Field, value: &Scalar) -> Self {
        Self { reason, field: Some(field.name().into()), value: value.shown() }
    }

    /// The fault with its place.
    pub fn at(self, file: &str, line: u64) -> Reject {
        Reject { file: file.into(), line, reason: self.reason, field: self.field, value: self.value }
    }
}

impl Scalar<'_> {
    pub fn is_null(&self) -> bool {
        matches!(self, Self::Null)
    }

    /// The value as a message may quote it.
    pub fn shown(&self) -> Option<String> {
        match self {
            Self::Null => None,
            Self::Nested => Some("a list or an object".into()),
            Self::Instant(v) => Some(super::time::shown(*v) + "Z"),
            Self::Naive(v) => Some(super::time::shown(*v)),
            other => other.as_text().map(|text| excerpt(&text)),
        }
    }

    /// The value as a label of a user dimension: text as it is, numbers and flags as JSON writes them.
    pub fn as_text(&self) -> Option<Cow<'_, str>> {
        match self {
            Self::Null | Self::Nested => None,
            Self::Bool(v) => Some(v.to_string().into()),
            Self::Int(v) | Self::Instant(v) | Self::Naive(v) => Some(v.to_string().into()),
            Self::UInt(v) => Some(v.to_string().into()),
            Self::Float(v) => {
                Some(serde_json::Number::from_f64(*v).map_or_else(|| v.to_string(), |n| n.to_string()).into())
            }
            Self::Text(v) | Self::Cell(v) => Some(Cow::Borrowed(v)),
        }
    }

    /// A count of tokens; absent is 0.
    pub fn count(&self) -> Result<u32, Reason> {
        match self {
            Self::Null => Ok(0),
            Self::UInt(v) => plausible(*v),
            Self::Int(v) => u64::try_from(*v).map_or(Err(Reason::NegativeCount), plausible),
            Self::Float(v) => integral(*v),
            Self::Cell(text) => match number(text) {
                Some(Self::Null) | None => Err(Reason::NotACount),
                Some(number) => number.count(),
            },
            _ => Err(Reason::NotACount),
        }
    }

    /// A latency in microseconds, from a number of `unit_us` microseconds each; halves round to even. Absent stays so.
    pub fn latency_us(&self, unit_us: f64) -> Result<i64, Reason> {
        #[expect(clippy::cast_precision_loss, reason = "beyond 2^53 the limit refuses it anyway")]
        let value = match self {
            Self::Null => return Ok(NO_LATENCY),
            Self::Int(v) => *v as f64,
            Self::UInt(v) => *v as f64,
            Self::Float(v) => *v,
            Self::Cell(text) => match number(text) {
                Some(Self::Null) | None => return Err(Reason::BadLatency),
                Some(number) => return number.latency_us(unit_us),
            },
            _ => return Err(Reason::BadLatency),
        };
        let micros = (value * unit_us).round_ties_even();
        #[expect(clippy::cast_precision_loss, reason = "the limit is below 2^53")]
        let plausible = (0.0..=limits::LATENCY_US as f64).contains(&micros) && value >= 0.0;
        #[expect(clippy::cast_possible_truncation, reason = "inside the limit")]
        if plausible { Ok(micros as i64) } else { Err(Reason::BadLatency) }
    }
}

fn plausible(count: u64) -> Result<u32, Reason> {
    if count > limits::TOKENS {
        return Err(Reason::ImplausibleCount);
    }
    u32::try_from(count).map_err(|_| Reason::ImplausibleCount)
}

fn integral(count: f64) -> Result<u32, Reason> {
    if !count.is_finite() {
        return Err(Reason::NotACount);
    }
    if count < 0.0 {
        return Err(Reason::NegativeCount);
    }
    if count.fract() != 0.0 {
        return Err(Reason::FractionalCount);
    }
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "saturates, and the limit refuses it")]
    plausible(count as u64)
}

/// A number in the spelling of JSON, and nothing around it.
pub(super) fn number(text: &str) -> Option<Scalar<'static>> {
    let bytes = text.as_bytes();
    let digits = bytes.iter().all(u8::is_ascii_digit);
    if digits && (1..=18).contains(&bytes.len()) && (bytes[0] != b'0' || bytes.len() == 1) {
        return Some(Scalar::UInt(bytes.iter().fold(0, |n, d| n * 10 + u64::from(d - b'0'))));
    }
    if !matches!(bytes.first()?, b'-' | b'0'..=b'9') || !bytes.last()?.is_ascii_digit() {
        return None;
    }
    if let Some(value) = decimal(bytes) {
        return Some(Scalar::Float(value));
    }
    let number: serde_json::Number = serde_json::from_str(text).ok()?;
    let whole = number.as_u64().map(Scalar::UInt).or_else(|| number.as_i64().map(Scalar::Int));
    whole.or_else(|| number.as_f64().map(Scalar::Float))
}

fn decimal(bytes: &[u8]) -> Option<f64> {
    decimal_at(bytes, 0).filter(|(_, end)| *end == bytes.len()).map(|(value, _)| value)
}

/// A plain decimal fraction that needs no care, and the place behind it: its digits are one exact number, and so is the
/// power of ten under it, so the quotient is rounded once.
pub(super) fn decimal_at(bytes: &[u8], at: usize) -> Option<(f64, usize)> {
    const POWERS: [f64; 10] = [1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9];
    const EXACT: u64 = 1 << 53;
    // Eighteen digits cannot pass 64 bits.
    let end = bytes.len().min(at + 19);
    let run = |mut at: usize, mut number: u64| {
        while at < end && bytes[at].is_ascii_digit() {
            number = number * 10 + u64::from(bytes[at] - b'0');
            at += 1;
        }
        (at, number)
    };
    let (point, whole) = run(at, 0);
    if point == at || bytes.get(point) != Some(&b'.') || (bytes[at] == b'0' && point > at + 1) {
        return None;
    }
    let (end, number) = run(point + 1, whole);
    let more = matches!(bytes.get(end), Some(b'0'..=b'9' | b'.' | b'e' | b'E' | b'+' | b'-'));
    if end == point + 1 || number >= EXACT || more {
        return None;
    }
    #[expect(clippy::cast_precision_loss, reason = "below 2^53")]
    let value = number as f64 / POWERS.get(end - point - 1)?;
    Some((value, end))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn plain_decimals_are_read_as_the_parser_reads_them(text in "-?(0|[1-9][0-9]{0,12})\\.[0-9]{1,12}") {
            let expected: f64 = text.parse().unwrap();
            if let Some(value) = decimal(text.as_bytes()) {
                prop_assert_eq!(value.to_bits(), expected.to_bits());
            }
            let Some(Scalar::Float(value)) = number(&text) else { panic!("{text} is a number") };
            prop_assert!((value - expected).abs() <= expected.abs() * 1e-15);
            let more = text + "e";
            prop_assert!(decimal(more.as_bytes()).is_none());
        }

        #[test]
        fn what_is_no_number_is_no_decimal(text in "[0-9.+eE-]{1,9}") {
            if decimal(text.as_bytes()).is_some() {
                prop_assert!(serde_json::from_str::<f64>(&text).is_ok(), "{text}");
            }
        }
    }

    fn cell(text: &str) -> Scalar<'_> {
        Scalar::Cell(text.into())
    }

    #[test]
    fn integral_floats_are_counts_and_fractions_are_not() {
        assert_eq!(Scalar::Float(100.0).count(), Ok(100));
        assert_eq!(cell("1e2").count(), Ok(100));
        assert_eq!(Scalar::Float(1.5).count(), Err(Reason::FractionalCount));
        assert_eq!(Scalar::Float(f64::NAN).count(), Err(Reason::NotACount));
        assert_eq!(Scalar::Float(1e300).count(), Err(Reason::ImplausibleCount));
    }

    #[test]
    fn cells_are_strict_numbers() {
        for text in ["1,234", "0100", "+1", " 1", "1 ", "1_000", ".5", "5.", "NaN", "0x10", "abc", "-", "null"] {
            assert_eq!(cell(text).count(), Err(Reason::NotACount), "{text}");
        }
        assert_eq!(cell("-3").count(), Err(Reason::NegativeCount));
        assert_eq!(cell("1000000000").count(), Ok(1_000_000_000));
        assert_eq!(cell("1000000001").count(), Err(Reason::ImplausibleCount));
        assert_eq!(cell("99999999999999999999999").count(), Err(Reason::ImplausibleCount));
    }

    #[test]
    fn text_is_not_a_count() {
        assert_eq!(Scalar::Text("100".into()).count(), Err(Reason::NotACount));
        assert_eq!(Scalar::Bool(true).count(), Err(Reason::NotACount));
    }

    #[test]
    fn latencies_round_half_to_even_and_stay_inside_thirty_days() {
        assert_eq!(Scalar::Float(0.0005).latency_us(1e3), Ok(0));
        assert_eq!(Scalar::Float(0.0015).latency_us(1e3), Ok(2));
        assert_eq!(Scalar::UInt(900).latency_us(1e3), Ok(900_000));
        assert_eq!(Scalar::Null.latency_us(1e3), Ok(NO_LATENCY));
        assert_eq!(cell("0.25").latency_us(1e6), Ok(250_000));
        for bad in [Scalar::Int(-1), Scalar::Float(-1e-9), Scalar::Float(f64::INFINITY), Scalar::UInt(u64::MAX)] {
            assert_eq!(bad.latency_us(1e3), Err(Reason::BadLatency), "{bad:?}");
        }
    }
}
