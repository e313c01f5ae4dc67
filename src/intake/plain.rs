//! Plain rows: what a template found in a line, and the short way from there to an event.
//!
//! The short way takes rows in which everything is as it mostly is; any other row becomes cells and goes where every row
//! goes. So what is rejected, and why, is decided in one place.

use super::compiled::CompiledMap;
use super::field::{FIELDS, Field};
use super::map::TimestampIs;
use super::row::{Book, Interner, LABELS_FROM};
use super::time;
use super::value::{Scalar, number};
use crate::event::{Event, NO_LATENCY, limits};
use crate::keys::ROUTE_LABELS;
use std::borrow::Cow;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Null,
    /// A count: the value itself.
    Count,
    /// A plain decimal fraction: the bits of its value.
    Decimal,
    /// Where text stands in the block.
    Text,
    /// Where any other number stands.
    Number,
    /// 0 or 1.
    Flag,
}

/// One value of a line: the value, or where it begins.
#[derive(Clone, Copy, Debug)]
pub(super) struct Raw {
    pub kind: Kind,
    /// Rank of the column among those that hold the same.
    pub rank: u8,
    pub len: u32,
    pub value: u64,
}

impl Raw {
    pub const NULL: Self = Self { kind: Kind::Null, rank: u8::MAX, len: 0, value: 0 };

    pub fn text(self, block: &str) -> &str {
        let start = usize::try_from(self.value).unwrap_or(usize::MAX);
        block.get(start..start + self.len as usize).unwrap_or_default()
    }

    /// The value as any reader would give it.
    fn scalar(self, block: &str) -> Scalar<'_> {
        match self.kind {
            Kind::Null => Scalar::Null,
            Kind::Count => Scalar::UInt(self.value),
            Kind::Decimal => Scalar::Float(f64::from_bits(self.value)),
            Kind::Text => Scalar::Text(Cow::Borrowed(self.text(block))),
            Kind::Number => number(self.text(block)).unwrap_or_default(),
            Kind::Flag => Scalar::Bool(self.value == 1),
        }
    }
}

/// Books a line: the values of the fields in their order, then of the user dimensions.
pub(super) fn book(book: &mut Book, map: &CompiledMap, raws: &[Raw], block: &str, interner: &mut Interner, line: u64) {
    if let Some((labels, mut event)) = event(map, raws, block) {
        event.series = interner.intern(&labels, book.table);
        book.event(event);
    } else {
        let cells: Vec<Scalar> = raws.iter().map(|raw| raw.scalar(block)).collect();
        book.row(map, &cells, interner, line);
    }
}

type Labels<'a> = [Option<&'a str>; ROUTE_LABELS.len()];

/// The event of a plain row, its series still open.
#[inline]
fn event<'a>(map: &CompiledMap, raws: &[Raw], block: &'a str) -> Option<(Labels<'a>, Event)> {
    if raws.len() != FIELDS || map.timestamp_is == TimestampIs::End {
        return None;
    }
    let raw = |field: Field| raws[field as usize];
    let counted = |field: Field| match raw(field) {
        Raw { kind: Kind::Count, value, .. } if value <= limits::TOKENS => u32::try_from(value).ok(),
        Raw { kind: Kind::Null, .. } if !map.needs(field) => Some(0),
        _ => None,
    };
    let time = raw(Field::Timestamp);
    let time_us = match time.kind {
        Kind::Count => time::instant(&Scalar::UInt(time.value), &map.zone).ok()?,
        Kind::Text | Kind::Decimal => time::instant(&time.scalar(block), &map.zone).ok()?,
        _ => return None,
    };
    let mut labels = [None; ROUTE_LABELS.len()];
    for (i, label) in labels.iter_mut().enumerate() {
        let field = Field::ALL[LABELS_FROM + i];
        *label = match raw(field).kind {
            Kind::Text => Some(raw(field).text(block)),
            Kind::Null if !map.needs(field) => None,
            _ => return None,
        };
    }
    let [input_tokens, cached_tokens, output_tokens] =
        [counted(Field::InputTokens)?, counted(Field::CachedTokens)?, counted(Field::OutputTokens)?];
    let latency_us = match (raw(Field::LatencyMs), raw(Field::LatencyS)) {
        (Raw { kind: Kind::Null, .. }, Raw { kind: Kind::Null, .. }) => NO_LATENCY,
        (Raw { kind: Kind::Null, .. }, seconds) => seconds.scalar(block).latency_us(1e6).ok()?,
        (millis, _) => millis.scalar(block).latency_us(1e3).ok()?,
    };
    let event = Event { series: 0, time_us, input_tokens, cached_tokens, output_tokens, latency_us };
    (cached_tokens <= input_tokens).then_some((labels, event))
}
