//! Clean columns: batches whose rows are all plainly good, handed on without copying their token columns.
//!
//! A tile of rows whose tokens are `uint32` is borrowed as it stands; narrower, wider and signed integers are converted a
//! tile at a time, in the cache. A tile with anything unusual in it (a null, a value out of its limits) takes the
//! ordinary path row by row, so what is rejected and why is the same.

use super::columns::{batch_to_events, bound};
use super::compiled::CompiledMap;
use super::field::{FIELDS, Field};
use super::map::TimestampIs;
use super::time::Zone;
use crate::error::Result;
use crate::event::{Coverage, EventBatch, EventColumns, NO_LATENCY, Ticks, limits};
use crate::keys::{ROUTE_LABELS, SeriesTable};
use crate::lanes;
use arrow_array::cast::AsArray;
use arrow_array::types::{
    Int8Type, Int16Type, Int32Type, Int64Type, TimestampMicrosecondType, TimestampMillisecondType,
    TimestampNanosecondType, TimestampSecondType, UInt8Type, UInt16Type, UInt32Type, UInt64Type,
};
use arrow_array::{Array, ArrowPrimitiveType, RecordBatch};
use arrow_schema::{DataType, TimeUnit};

/// Rows of a tile: its columns stay in the first-level cache from check to sum.
const TILE: usize = 1024;

/// Reads every row of a batch as an event or a reject, and hands the events on in columns.
///
/// # Errors
/// As [`batch_to_events`], and whatever `take` returns.
pub fn batch_to_columns(
    batch: &RecordBatch,
    map: &CompiledMap,
    row_base: u64,
    table: &mut SeriesTable,
    coverage: &mut Coverage,
    place: &str,
    take: &mut dyn FnMut(&EventColumns<'_>, &SeriesTable) -> Result<()>,
) -> Result<()> {
    let columns = bound(&batch.schema(), map, place)?;
    let mut clean = Clean::new(batch, map, &columns, table);
    let mut scratch = Scratch::default();
    let mut events = EventBatch::default();
    let mut start = 0;
    while start < batch.num_rows() {
        let len = TILE.min(batch.num_rows() - start);
        let tile = clean.as_mut().and_then(|clean| clean.tile(start, len, table, &mut scratch));
        if let Some(tile) = tile {
            coverage.count_many(len as u64);
            take(&tile, table)?;
        } else {
            events.clear();
            let rows = batch.slice(start, len);
            batch_to_events(&rows, map, row_base + start as u64, table, &mut events, coverage, place)?;
            take(&events.columns(), table)?;
        }
        start += len;
    }
    Ok(())
}

/// Columns of a tile that had to be converted.
#[derive(Default)]
struct Scratch {
    series: Vec<u32>,
    tokens: [Vec<u32>; 3],
    latency_us: Vec<i64>,
    codes: Vec<u32>,
}

/// The columns of a batch, if their types allow the short way.
struct Clean<'a> {
    time: (&'a [i64], Ticks),
    tokens: [Option<Counts<'a>>; 3],
    latency_ms: Option<Counts<'a>>,
    labels: Labels<'a>,
}

impl<'a> Clean<'a> {
    fn new(batch: &'a RecordBatch, map: &CompiledMap, columns: &[Vec<usize>], table: &mut SeriesTable) -> Option<Self> {
        // Several candidates for one field are decided row by row.
        if columns.iter().any(|candidates| candidates.len() > 1) {
            return None;
        }
        let array = |field: Field| columns[field as usize].first().map(|at| batch.column(*at).as_ref());
        if map.timestamp_is == TimestampIs::End || array(Field::LatencyS).is_some() {
            return None;
        }
        let counts = |field: Field| match array(field) {
            None => Some(None),
            Some(array) => Counts::new(array).map(Some),
        };
        Some(Self {
            time: time(array(Field::Timestamp)?, &map.zone)?,
            tokens: [counts(Field::InputTokens)?, counts(Field::CachedTokens)?, counts(Field::OutputTokens)?],
            latency_ms: counts(Field::LatencyMs)?,
            labels: Labels::new(batch, columns, table)?,
        })
        .filter(|clean| clean.tokens[0].is_some() && clean.tokens[2].is_some())
    }

    /// A tile whose rows are all good, or `None`.
    fn tile<'t>(
        &'t mut self,
        start: usize,
        len: usize,
        table: &mut SeriesTable,
        scratch: &'t mut Scratch,
    ) -> Option<EventColumns<'t>> {
        let Scratch { series, tokens: [input, cached, output], latency_us, codes } = scratch;
        let (time, span) = times(self.time, start, len)?;
        let [input_counts, cached_counts, output_counts] = &self.tokens;
        let input_tokens = input_counts.as_ref()?.tile(start, len, input);
        let output_tokens = output_counts.as_ref()?.tile(start, len, output);
        let cached_tokens = cached_counts.as_ref().map(|counts| counts.tile(start, len, cached));
        let (largest, exceeds) = match cached_tokens {
            Some(cached) => lanes::tokens(input_tokens, cached, output_tokens),
            None => ([lanes::largest(input_tokens), lanes::largest(output_tokens)], false),
        };
        // What does not exceed the input is plausible as well.
        if exceeds || !plausible(largest[0]) || !plausible(largest[1]) {
            return None;
        }
        let latency_us = match &self.latency_ms {
            None => None,
            Some(counts) => {
                let ms = counts.tile(start, len, codes);
                if i64::from(lanes::largest(ms)) > limits::LATENCY_US / 1000 {
                    return None;
                }
                latency_us.clear();
                latency_us.extend(ms.iter().map(|ms| i64::from(*ms) * 1000));
                Some(latency_us.as_slice())
            }
        };
        const { assert!(NO_LATENCY < 0, "a latency is never taken for none") };
        let next = (start + len).min(self.time.0.len())..(start + 2 * len).min(self.time.0.len());
        let codes_ahead = self.labels.dictionaries.first().map_or(&[][..], |first| first.keys.bytes(next.clone()));
        let series = self.labels.series(start, len, table, codes, series)?;
        let tokens = |i: usize| self.tokens[i].as_ref().map_or(&[][..], |counts| counts.bytes(next.clone()));
        let times = bytemuck::cast_slice(&self.time.0[next.clone()]);
        let ahead = lanes::Ahead::new([times, tokens(0), tokens(1), tokens(2), codes_ahead]);
        let (ticks, span, largest) = (self.time.1, Some(span), Some(largest));
        Some(EventColumns {
            series,
            time,
            ticks,
            input_tokens,
            cached_tokens,
            output_tokens,
            latency_us,
            span,
            largest,
            ahead,
        })
    }
}

/// Times of a tile, all inside the years that are read, with the earliest and the latest.
fn times((values, ticks): (&[i64], Ticks), start: usize, len: usize) -> Option<(&[i64], (i64, i64))> {
    let times = &values[start..start + len];
    let span = lanes::span(times);
    let good = |time: i64| {
        let (first, end) = (limits::FIRST_TIME_US / 1_000_000, limits::END_TIME_US / 1_000_000);
        (first * ticks.per_second()..end * ticks.per_second()).contains(&time)
    };
    (good(span.0) && good(span.1)).then_some((times, span))
}

/// Timestamps that stand for an instant: with a zone, or naive in a log whose times are UTC.
fn time<'a>(array: &'a dyn Array, zone: &Zone) -> Option<(&'a [i64], Ticks)> {
    let DataType::Timestamp(unit, offset) = array.data_type() else { return None };
    if array.null_count() > 0 || (offset.is_none() && !zone.is_utc()) {
        return None;
    }
    Some(match unit {
        TimeUnit::Second => (array.as_primitive::<TimestampSecondType>().values(), Ticks::Seconds),
        TimeUnit::Millisecond => (array.as_primitive::<TimestampMillisecondType>().values(), Ticks::Millis),
        TimeUnit::Microsecond => (array.as_primitive::<TimestampMicrosecondType>().values(), Ticks::Micros),
        TimeUnit::Nanosecond => (array.as_primitive::<TimestampNanosecondType>().values(), Ticks::Nanos),
    })
}

/// A count column without nulls.
enum Counts<'a> {
    I8(&'a [i8]),
    I16(&'a [i16]),
    I32(&'a [i32]),
    I64(&'a [i64]),
    U8(&'a [u8]),
    U16(&'a [u16]),
    U32(&'a [u32]),
    U64(&'a [u64]),
}

fn values<T: ArrowPrimitiveType>(array: &dyn Array) -> &[T::Native] {
    array.as_primitive::<T>().values()
}

impl<'a> Counts<'a> {
    fn new(array: &'a dyn Array) -> Option<Self> {
        if array.null_count() > 0 {
            return None;
        }
        Some(match array.data_type() {
            DataType::Int8 => Self::I8(values::<Int8Type>(array)),
            DataType::Int16 => Self::I16(values::<Int16Type>(array)),
            DataType::Int32 => Self::I32(values::<Int32Type>(array)),
            DataType::Int64 => Self::I64(values::<Int64Type>(array)),
            DataType::UInt8 => Self::U8(values::<UInt8Type>(array)),
            DataType::UInt16 => Self::U16(values::<UInt16Type>(array)),
            DataType::UInt32 => Self::U32(values::<UInt32Type>(array)),
            DataType::UInt64 => Self::U64(values::<UInt64Type>(array)),
            _ => return None,
        })
    }

    /// The memory of some rows.
    fn bytes(&self, rows: std::ops::Range<usize>) -> &'a [u8] {
        match self {
            Self::I8(v) => bytemuck::cast_slice(&v[rows]),
            Self::I16(v) => bytemuck::cast_slice(&v[rows]),
            Self::I32(v) => bytemuck::cast_slice(&v[rows]),
            Self::I64(v) => bytemuck::cast_slice(&v[rows]),
            Self::U8(v) => &v[rows],
            Self::U16(v) => bytemuck::cast_slice(&v[rows]),
            Self::U32(v) => bytemuck::cast_slice(&v[rows]),
            Self::U64(v) => bytemuck::cast_slice(&v[rows]),
        }
    }

    /// The tile as 32-bit counts, borrowed where it can be; what is none becomes one beyond every limit.
    fn tile<'t>(&'t self, start: usize, len: usize, scratch: &'t mut Vec<u32>) -> &'t [u32] {
        let range = start..start + len;
        match self {
            Self::U32(v) => return &v[range],
            Self::I8(v) => convert(&v[range], scratch),
            Self::I16(v) => convert(&v[range], scratch),
            Self::I32(v) => convert(&v[range], scratch),
            Self::I64(v) => convert(&v[range], scratch),
            Self::U8(v) => convert(&v[range], scratch),
            Self::U16(v) => {
                scratch.resize(len, 0);
                lanes::widen(&v[range], scratch);
            }
            Self::U64(v) => convert(&v[range], scratch),
        }
        scratch
    }
}

fn convert<T: Copy + TryInto<u32>>(values: &[T], scratch: &mut Vec<u32>) {
    scratch.clear();
    scratch.extend(values.iter().map(|v| (*v).try_into().unwrap_or(u32::MAX)));
}

/// Whether a count is inside the limit.
fn plausible(count: u32) -> bool {
    u64::from(count) <= limits::TOKENS
}

/// Combinations of labels that are numbered in a table of their own; more take the ordinary path.
const COMBINATIONS: usize = 1 << 20;
/// So many are numbered before they are met: then a code mostly is the number itself.
const FEW_COMBINATIONS: usize = 1 << 12;

/// Label columns, every one a dictionary: each combination of their keys is numbered once.
struct Labels<'a> {
    dictionaries: Vec<Dictionary<'a>>,
    slots: usize,
    numbers: Vec<u32>,
    /// Each code is the number of its series.
    same: bool,
}

struct Dictionary<'a> {
    slot: usize,
    keys: Counts<'a>,
    values: Vec<&'a str>,
}

impl<'a> Labels<'a> {
    fn new(batch: &'a RecordBatch, columns: &[Vec<usize>], table: &mut SeriesTable) -> Option<Self> {
        let places =
            (Field::Provider as usize..Field::Provider as usize + ROUTE_LABELS.len()).chain(FIELDS..columns.len());
        let mut dictionaries = Vec::new();
        let mut combinations: usize = 1;
        for (slot, at) in places.enumerate() {
            let Some(column) = columns[at].first() else { continue };
            let array = batch.column(*column).as_any_dictionary_opt()?;
            let texts = array.values().as_string_opt::<i32>()?;
            if texts.null_count() > 0 || texts.is_empty() {
                return None;
            }
            combinations = combinations.checked_mul(texts.len()).filter(|n| *n <= COMBINATIONS)?;
            let (keys, values) = (Counts::new(array.keys())?, texts.iter().flatten().collect());
            dictionaries.push(Dictionary { slot, keys, values });
        }
        let slots = ROUTE_LABELS.len() + columns.len() - FIELDS;
        let numbers = vec![u32::MAX; combinations];
        let mut labels = Self { dictionaries, slots, numbers, same: false };
        if combinations <= FEW_COMBINATIONS && combinations < batch.num_rows() {
            for code in 0..combinations {
                labels.numbers[code] = labels.number(code, table);
            }
            labels.same = (0..).zip(&labels.numbers).all(|(code, number): (u32, _)| code == *number);
        }
        Some(labels)
    }

    /// Numbers of the series of a tile; `None` where a code stands for no text.
    fn series<'t>(
        &'t mut self,
        start: usize,
        len: usize,
        table: &mut SeriesTable,
        codes: &'t mut Vec<u32>,
        series: &'t mut Vec<u32>,
    ) -> Option<&'t [u32]> {
        let codes = match self.dictionaries.as_slice() {
            [one] => one.keys.tile(start, len, codes),
            several => {
                combine(several, start, len, codes, series);
                codes.as_slice()
            }
        };
        if lanes::largest(codes) as usize >= self.numbers.len() {
            return None;
        }
        if self.same {
            return Some(codes);
        }
        series.clear();
        series.extend(codes.iter().map(|code| self.numbers[*code as usize]));
        if series.contains(&u32::MAX) {
            for (number, code) in series.iter_mut().zip(codes) {
                let code = *code as usize;
                if self.numbers[code] == u32::MAX {
                    self.numbers[code] = number_of(&self.dictionaries, self.slots, code, table);
                }
                *number = self.numbers[code];
            }
        }
        Some(series)
    }

    fn number(&self, code: usize, table: &mut SeriesTable) -> u32 {
        number_of(&self.dictionaries, self.slots, code, table)
    }
}

/// The number of the series of a combination.
#[cold]
fn number_of(dictionaries: &[Dictionary<'_>], slots: usize, mut code: usize, table: &mut SeriesTable) -> u32 {
    let mut labels = vec![None; slots];
    for dictionary in dictionaries.iter().rev() {
        labels[dictionary.slot] = Some(dictionary.values[code % dictionary.values.len()]);
        code /= dictionary.values.len();
    }
    table.intern(&labels)
}

/// The combination of every dictionary's key, as a number of mixed base; one without a text becomes one beyond them all.
fn combine(dictionaries: &[Dictionary<'_>], start: usize, len: usize, codes: &mut Vec<u32>, scratch: &mut Vec<u32>) {
    codes.clear();
    codes.resize(len, 0);
    for dictionary in dictionaries {
        let base = u32::try_from(dictionary.values.len()).expect("combinations are few");
        for (code, key) in codes.iter_mut().zip(dictionary.keys.tile(start, len, scratch)) {
            let next = if *key < base { code.saturating_mul(base).saturating_add(*key) } else { u32::MAX };
            *code = if *code == u32::MAX { u32::MAX } else { next };
        }
    }
}
