//! Clean columns: tiles of rows that are all plainly good, without copying what need not be copied.
//!
//! Tokens that are `uint32` are borrowed as they stand; narrower, wider and signed integers are converted a tile at a time,
//! in the cache. A tile with anything unusual in it is none, and goes another way.

use super::compiled::CompiledMap;
use super::field::{FIELDS, Field};
use super::map::TimestampIs;
use super::row::LABELS_FROM;
use super::time::Zone;
use crate::event::{EventColumns, NO_LATENCY, Ticks, limits};
use crate::keys::{ROUTE_LABELS, SeriesTable};
use crate::lanes;
use arrow_array::cast::AsArray;
use arrow_array::types::{
    Int8Type, Int16Type, Int32Type, Int64Type, TimestampMicrosecondType, TimestampMillisecondType,
    TimestampNanosecondType, TimestampSecondType, UInt8Type, UInt16Type, UInt32Type, UInt64Type,
};
use arrow_array::{Array, ArrowPrimitiveType, RecordBatch};
use arrow_schema::{DataType, TimeUnit};

/// Columns of a tile that had to be converted.
#[derive(Default)]
pub(super) struct Scratch {
    series: Vec<u32>,
    tokens: [Vec<u32>; 3],
    latency_us: Vec<i64>,
    codes: Vec<u32>,
}

/// Columns whose types allow the short way.
pub(super) struct Clean<'a> {
    pub time: (&'a [i64], Ticks),
    /// Input, cached and output tokens.
    pub tokens: [Option<Counts<'a>>; 3],
    pub latency_ms: Option<Counts<'a>>,
    /// Keys of each dictionary of the labels.
    pub keys: Vec<Counts<'a>>,
}

impl<'a> Clean<'a> {
    /// The columns of a batch and the labels they stand for.
    pub fn new(
        batch: &'a RecordBatch,
        map: &CompiledMap,
        columns: &[Vec<usize>],
        table: &mut SeriesTable,
    ) -> Option<(Self, Labels<'a>)> {
        if !is_plain(map, columns) {
            return None;
        }
        let array = |field: Field| columns[field as usize].first().map(|at| batch.column(*at).as_ref());
        let counts = |field: Field| match array(field) {
            None => Some(None),
            Some(array) => Counts::new(array).map(Some),
        };
        let (mut keys, mut dictionaries) = (Vec::new(), Vec::new());
        for (slot, at) in label_places(columns).enumerate() {
            let Some(column) = columns[at].first() else { continue };
            let array = batch.column(*column).as_any_dictionary_opt()?;
            let texts = array.values().as_string_opt::<i32>()?;
            if texts.null_count() > 0 {
                return None;
            }
            keys.push(Counts::new(array.keys())?);
            dictionaries.push(Dictionary { slot, values: texts.iter().flatten().collect() });
        }
        let clean = Self {
            time: time(array(Field::Timestamp)?, &map.zone)?,
            tokens: [counts(Field::InputTokens)?, counts(Field::CachedTokens)?, counts(Field::OutputTokens)?],
            latency_ms: counts(Field::LatencyMs)?,
            keys,
        };
        Some((clean, Labels::new(dictionaries, label_places(columns).count(), batch.num_rows(), table)?))
    }

    /// A tile whose rows are all good, or `None`.
    pub fn tile<'t>(
        &'t self,
        labels: &mut Labels<'_>,
        (start, len): (usize, usize),
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
        let codes_ahead = self.keys.first().map_or(&[][..], |keys| keys.bytes(next.clone()));
        let series = labels.series(&self.keys, (start, len), table, codes, series)?;
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
pub(super) enum Counts<'a> {
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

/// Whether every field has one column at most, and none that is worked out from another.
pub(super) fn is_plain(map: &CompiledMap, columns: &[Vec<usize>]) -> bool {
    let has = |field: Field| !columns[field as usize].is_empty();
    // Several candidates for one field are decided row by row.
    columns.iter().all(|candidates| candidates.len() <= 1)
        && map.timestamp_is == TimestampIs::Start
        && has(Field::InputTokens)
        && has(Field::OutputTokens)
        && !has(Field::LatencyS)
}

/// Places of the labels and the dimensions among the columns.
pub(super) fn label_places(columns: &[Vec<usize>]) -> impl Iterator<Item = usize> + use<> {
    (0..ROUTE_LABELS.len()).map(|i| LABELS_FROM + i).chain(FIELDS..columns.len())
}

/// Labels that are dictionaries: each combination of their keys is numbered once.
pub(super) struct Labels<'a> {
    dictionaries: Vec<Dictionary<'a>>,
    slots: usize,
    numbers: Vec<u32>,
    /// Each code is the number of its series.
    same: bool,
}

/// The texts of a label or dimension, by key.
pub(super) struct Dictionary<'a> {
    pub slot: usize,
    pub values: Vec<&'a str>,
}

impl<'a> Labels<'a> {
    /// Labels for so many rows; `None` where there are too many combinations.
    pub fn new(dictionaries: Vec<Dictionary<'a>>, slots: usize, rows: usize, table: &mut SeriesTable) -> Option<Self> {
        let product = |product: usize, one: &Dictionary<'_>| product.checked_mul(one.values.len());
        let combinations = dictionaries.iter().try_fold(1, product).filter(|n| (1..=COMBINATIONS).contains(n))?;
        let numbers = vec![u32::MAX; combinations];
        let mut labels = Self { dictionaries, slots, numbers, same: false };
        if combinations <= FEW_COMBINATIONS && combinations < rows {
            for code in 0..combinations {
                labels.numbers[code] = number(&labels.dictionaries, slots, code, table);
            }
            labels.same = (0..).zip(&labels.numbers).all(|(code, number): (u32, _)| code == *number);
        }
        Some(labels)
    }

    /// Numbers of the series of a tile; `None` where a code stands for no text.
    fn series<'t>(
        &mut self,
        keys: &'t [Counts<'_>],
        (start, len): (usize, usize),
        table: &mut SeriesTable,
        codes: &'t mut Vec<u32>,
        series: &'t mut Vec<u32>,
    ) -> Option<&'t [u32]> {
        let codes = match keys {
            [one] => one.tile(start, len, codes),
            several => {
                combine(&self.dictionaries, several, (start, len), codes, series);
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
            for (known, code) in series.iter_mut().zip(codes) {
                let code = *code as usize;
                if self.numbers[code] == u32::MAX {
                    self.numbers[code] = number(&self.dictionaries, self.slots, code, table);
                }
                *known = self.numbers[code];
            }
        }
        Some(series)
    }
}

/// The number of the series of a combination.
#[cold]
fn number(dictionaries: &[Dictionary<'_>], slots: usize, mut code: usize, table: &mut SeriesTable) -> u32 {
    let mut labels = vec![None; slots];
    for dictionary in dictionaries.iter().rev() {
        labels[dictionary.slot] = Some(dictionary.values[code % dictionary.values.len()]);
        code /= dictionary.values.len();
    }
    table.intern(&labels)
}

/// The combination of every dictionary's key, as a number of mixed base; one without a text becomes one beyond them all.
fn combine(
    dictionaries: &[Dictionary<'_>],
    keys: &[Counts<'_>],
    (start, len): (usize, usize),
    codes: &mut Vec<u32>,
    scratch: &mut Vec<u32>,
) {
    codes.clear();
    codes.resize(len, 0);
    for (dictionary, keys) in dictionaries.iter().zip(keys) {
        let base = u32::try_from(dictionary.values.len()).expect("combinations are few");
        for (code, key) in codes.iter_mut().zip(keys.tile(start, len, scratch)) {
            let next = if *key < base { code.saturating_mul(base).saturating_add(*key) } else { u32::MAX };
            *code = if *code == u32::MAX { u32::MAX } else { next };
        }
    }
}
