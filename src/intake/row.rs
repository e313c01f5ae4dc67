//! Rows: from the cells of one row to an event, or to the reason why not. Every reader ends here.

use super::compiled::CompiledMap;
use super::field::{FIELDS, Field};
use super::glance::same;
use super::map::TimestampIs;
use super::time;
use super::value::{Fault, Scalar};
use crate::event::{Coverage, Event, EventBatch, NO_LATENCY, NO_TIME, Reason};
use crate::keys::{ROUTE_LABELS, SeriesTable};
use std::borrow::Cow;

/// The slot of the first label.
pub(super) const LABELS_FROM: usize = Field::Provider as usize;

/// The cells of one row: the fields in their order, then the user dimensions.
pub(super) type Cells<'a> = [Scalar<'a>];

/// Numbers the labels of rows. A log has few series at a time, so the last ones are remembered by a cheap hash, each with
/// its labels beside it; only what is not among them pays for the keyed hash of the table. Labels made to collide are
/// merely not remembered.
#[derive(Debug)]
pub(super) struct Interner {
    recent: Vec<Recent>,
}

const RECENT: usize = 2048;
/// Labels longer than this together are not remembered.
const BYTES: usize = 100;

/// A series: its number, the length of each label, and the labels one behind the other.
#[derive(Clone, Copy, Debug)]
struct Recent {
    id: u32,
    lens: [u8; 8],
    bytes: [u8; BYTES],
}

/// The length of a label that is absent, and of all where nothing is remembered yet.
const ABSENT: u8 = u8::MAX;
const NOTHING: u8 = u8::MAX - 1;

impl Default for Interner {
    fn default() -> Self {
        Self { recent: vec![Recent { id: 0, lens: [NOTHING; 8], bytes: [0; BYTES] }; RECENT] }
    }
}

impl Interner {
    pub(super) fn intern(&mut self, labels: &[Option<&str>], table: &mut SeriesTable) -> u32 {
        let Some(lens) = lens(labels) else { return table.intern(labels) };
        let recent = &mut self.recent[slot(labels)];
        if recent.lens == lens {
            let mut at = 0;
            let known = labels.iter().flatten().all(|label| {
                let start = at;
                at += label.len();
                same(&recent.bytes[start..at], label.as_bytes())
            });
            if known {
                return recent.id;
            }
        }
        *recent = Recent { id: table.intern(labels), lens, bytes: [0; BYTES] };
        let mut at = 0;
        for label in labels.iter().flatten() {
            recent.bytes[at..at + label.len()].copy_from_slice(label.as_bytes());
            at += label.len();
        }
        recent.id
    }
}

/// The lengths of some labels; `None` where they are too many or too long.
fn lens(labels: &[Option<&str>]) -> Option<[u8; 8]> {
    let mut lens = [ABSENT; 8];
    let mut all = 0;
    for (len, label) in lens.get_mut(..labels.len())?.iter_mut().zip(labels) {
        if let Some(label) = label {
            all += label.len();
            *len = u8::try_from(label.len()).unwrap_or(ABSENT);
        }
    }
    (all <= BYTES).then_some(lens)
}

/// Every byte counts: names of models often differ in their middle alone.
fn slot(labels: &[Option<&str>]) -> usize {
    let mut hash = 0_u64;
    let mut mix = |word: u64| hash = (hash.rotate_left(5) ^ word).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    for label in labels.iter().flatten() {
        let bytes = label.as_bytes();
        for word in bytes.as_chunks().0 {
            mix(u64::from_le_bytes(*word));
        }
        mix(match bytes.last_chunk() {
            Some(word) => u64::from_le_bytes(*word) ^ bytes.len() as u64,
            None => bytes.iter().fold(1, |word, byte| (word << 8) | u64::from(*byte)),
        });
    }
    let [high, low, ..] = hash.to_be_bytes();
    usize::from(u16::from_be_bytes([high, low])) % RECENT
}

/// Where rows go.
pub(super) struct Book<'a> {
    pub table: &'a mut SeriesTable,
    pub out: &'a mut EventBatch,
    pub coverage: &'a mut Coverage,
    pub place: &'a str,
}

impl Book<'_> {
    /// Books one row as an event or as a reject.
    pub fn row(&mut self, map: &CompiledMap, cells: &Cells, interner: &mut Interner, line: u64) {
        match event(map, cells, interner, self.table) {
            Ok(event) => self.event(event),
            Err(fault) => self.fault(fault, line),
        }
    }

    /// Books an event.
    #[inline]
    pub fn event(&mut self, event: Event) {
        self.out.push(event);
        self.coverage.count();
    }

    /// Books a row that is none.
    pub fn fault(&mut self, fault: Fault, line: u64) {
        self.coverage.reject(fault.at(self.place, line));
    }
}

fn event(map: &CompiledMap, cells: &Cells, interner: &mut Interner, table: &mut SeriesTable) -> Result<Event, Fault> {
    let cell = |field: Field| &cells[field as usize];
    let at = |field: Field| move |reason| Fault::field(reason, field, &cells[field as usize]);
    for field in Field::ALL {
        if cell(field).is_null() && map.needs(field) {
            return Err(at(field)(Reason::MissingField));
        }
    }
    let mut time_us = match cell(Field::Timestamp) {
        Scalar::Null => NO_TIME,
        time => time::instant(time, &map.zone).map_err(at(Field::Timestamp))?,
    };
    let labels = labels(cells)?;
    let input_tokens = cell(Field::InputTokens).count().map_err(at(Field::InputTokens))?;
    let cached_tokens = cell(Field::CachedTokens).count().map_err(at(Field::CachedTokens))?;
    let output_tokens = cell(Field::OutputTokens).count().map_err(at(Field::OutputTokens))?;
    if cached_tokens > input_tokens {
        return Err(at(Field::CachedTokens)(Reason::CachedExceedsInput));
    }
    let latency_us = match cell(Field::LatencyMs) {
        Scalar::Null => cell(Field::LatencyS).latency_us(1e6).map_err(at(Field::LatencyS))?,
        latency => latency.latency_us(1e3).map_err(at(Field::LatencyMs))?,
    };
    if map.timestamp_is == TimestampIs::End && time_us != NO_TIME && latency_us != NO_LATENCY {
        time_us = time::in_range(time_us - latency_us).map_err(at(Field::Timestamp))?;
    }
    let series = if cells.len() == FIELDS {
        interner.intern(&labels, table)
    } else {
        let dimensions = dimensions(map, cells)?;
        let all: Vec<Option<&str>> = labels.into_iter().chain(dimensions.iter().map(Option::as_deref)).collect();
        interner.intern(&all, table)
    };
    Ok(Event { series, time_us, input_tokens, cached_tokens, output_tokens, latency_us })
}

fn labels<'c>(cells: &'c Cells) -> Result<[Option<&'c str>; ROUTE_LABELS.len()], Fault> {
    let mut labels = [None; ROUTE_LABELS.len()];
    for (i, label) in labels.iter_mut().enumerate() {
        *label = match &cells[LABELS_FROM + i] {
            Scalar::Null => None,
            Scalar::Text(text) | Scalar::Cell(text) => Some(&**text),
            other => return Err(Fault::field(Reason::BadLabel, Field::ALL[LABELS_FROM + i], other)),
        };
    }
    Ok(labels)
}

fn dimensions<'c>(map: &CompiledMap, cells: &'c Cells) -> Result<Vec<Option<Cow<'c, str>>>, Fault> {
    let cells = cells[FIELDS..].iter().zip(&map.dimensions);
    cells
        .map(|(cell, name)| match cell {
            Scalar::Null => Ok(None),
            Scalar::Nested => Err(Fault { reason: Reason::BadLabel, field: Some(name.clone()), value: cell.shown() }),
            other => Ok(other.as_text()),
        })
        .collect()
}
