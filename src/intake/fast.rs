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
use crate::event::{Coverage, EventBatch, EventColumns, NO_LATENCY, limits};
use crate::keys::{ROUTE_LABELS, SeriesTable};
use arrow_array::cast::AsArray;
use arrow_array::types::{
    Int8Type, Int16Type, Int32Type, Int64Type, TimestampMicrosecondType, TimestampMillisecondType,
    TimestampNanosecondType, TimestampSecondType, UInt8Type, UInt16Type, UInt32Type, UInt64Type,
};
use arrow_array::{Array, ArrowPrimitiveType, RecordBatch};
use arrow_schema::{DataType, TimeUnit};

/// Rows of a tile: its columns stay in the first-level cache from check to sum.
const TILE: usize = 2048;

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
    let mut clean = Clean::new(batch, map, &columns);
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
    time_us: Vec<i64>,
    tokens: [Vec<u32>; 3],
    latency_us: Vec<i64>,
    codes: Vec<usize>,
}

/// The columns of a batch, if their types allow the short way.
struct Clean<'a> {
    time: (&'a [i64], TimeUnit),
    tokens: [Option<Counts<'a>>; 3],
    latency_ms: Option<Counts<'a>>,
    labels: Labels<'a>,
}

impl<'a> Clean<'a> {
    fn new(batch: &'a RecordBatch, map: &CompiledMap, columns: &[Vec<usize>]) -> Option<Self> {
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
            labels: Labels::new(batch, columns)?,
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
        let Scratch { series, time_us, tokens: [input, cached, output], latency_us, codes } = scratch;
        let (time_us, span) = times(self.time, start, len, time_us)?;
        let [input_counts, cached_counts, output_counts] = &self.tokens;
        let input_tokens = input_counts.as_ref()?.tile(start, len, input)?;
        let output_tokens = output_counts.as_ref()?.tile(start, len, output)?;
        let cached_tokens = match cached_counts {
            None => None,
            Some(counts) => Some(counts.tile(start, len, cached)?),
        };
        #[expect(clippy::needless_bitwise_bool, reason = "without an early way out the comparison runs over vectors")]
        let exceeds = |cached: &[u32]| cached.iter().zip(input_tokens).fold(false, |any, (c, i)| any | (c > i));
        if cached_tokens.is_some_and(exceeds) {
            return None;
        }
        let latency_us = match &self.latency_ms {
            None => None,
            Some(counts) => {
                let ms = counts.tile(start, len, &mut Vec::new())?.iter().map(|ms| i64::from(*ms) * 1000).collect();
                *latency_us = ms;
                if latency_us.iter().any(|us| *us > limits::LATENCY_US) {
                    return None;
                }
                Some(latency_us.as_slice())
            }
        };
        const { assert!(NO_LATENCY < 0, "a latency is never taken for none") };
        self.labels.series(start, len, table, codes, series);
        let span_us = Some(span);
        Some(EventColumns { series, time_us, input_tokens, cached_tokens, output_tokens, latency_us, span_us })
    }
}

/// Microseconds of a tile, all inside the years that are read.
fn times<'t>(
    (values, unit): (&'t [i64], TimeUnit),
    start: usize,
    len: usize,
    scratch: &'t mut Vec<i64>,
) -> Option<(&'t [i64], (i64, i64))> {
    let values = &values[start..start + len];
    let times = match unit {
        TimeUnit::Microsecond => values,
        unit => {
            match unit {
                TimeUnit::Second => micros(values, scratch, |v| v.saturating_mul(1_000_000)),
                TimeUnit::Millisecond => micros(values, scratch, |v| v.saturating_mul(1_000)),
                // Unsigned division is the cheaper one; what is before 1970 comes out far beyond every year that is read.
                _ => micros(values, scratch, |v| (v.cast_unsigned() / 1_000).cast_signed()),
            }
            scratch
        }
    };
    let good = limits::FIRST_TIME_US..limits::END_TIME_US;
    let (first, last) = times.iter().fold((i64::MAX, i64::MIN), |(a, b), t| (a.min(*t), b.max(*t)));
    (good.contains(&first) && good.contains(&last)).then_some((times, (first, last)))
}

fn micros(values: &[i64], scratch: &mut Vec<i64>, convert: impl Fn(i64) -> i64) {
    scratch.clear();
    scratch.extend(values.iter().map(|v| convert(*v)));
}

/// Timestamps that stand for an instant: with a zone, or naive in a log whose times are UTC.
fn time<'a>(array: &'a dyn Array, zone: &Zone) -> Option<(&'a [i64], TimeUnit)> {
    let DataType::Timestamp(unit, offset) = array.data_type() else { return None };
    if array.null_count() > 0 || (offset.is_none() && !zone.is_utc()) {
        return None;
    }
    let values: &[i64] = match unit {
        TimeUnit::Second => array.as_primitive::<TimestampSecondType>().values(),
        TimeUnit::Millisecond => array.as_primitive::<TimestampMillisecondType>().values(),
        TimeUnit::Microsecond => array.as_primitive::<TimestampMicrosecondType>().values(),
        TimeUnit::Nanosecond => array.as_primitive::<TimestampNanosecondType>().values(),
    };
    Some((values, *unit))
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

    /// The tile as 32-bit counts inside the limit, borrowed where it can be.
    fn tile<'t>(&'t self, start: usize, len: usize, scratch: &'t mut Vec<u32>) -> Option<&'t [u32]> {
        let range = start..start + len;
        let counts = match self {
            Self::U32(v) => return plausible(&v[range]),
            Self::I8(v) => convert(&v[range], scratch),
            Self::I16(v) => convert(&v[range], scratch),
            Self::I32(v) => convert(&v[range], scratch),
            Self::I64(v) => convert(&v[range], scratch),
            Self::U8(v) => convert(&v[range], scratch),
            Self::U16(v) => convert(&v[range], scratch),
            Self::U64(v) => convert(&v[range], scratch),
        };
        plausible(counts)
    }
}

/// What is no 32-bit count becomes one beyond every limit.
fn convert<'t, T: Copy + TryInto<u32>>(values: &[T], scratch: &'t mut Vec<u32>) -> &'t [u32] {
    scratch.clear();
    scratch.extend(values.iter().map(|v| (*v).try_into().unwrap_or(u32::MAX)));
    scratch
}

fn plausible(counts: &[u32]) -> Option<&[u32]> {
    // The union of all bits is at least the largest count, and cheaper to find.
    let union = counts.iter().fold(0, |union, count| union | count);
    let fits = |count: u32| u64::from(count) <= limits::TOKENS;
    (fits(union) || counts.iter().all(|count| fits(*count))).then_some(counts)
}

/// Combinations of labels that are numbered in a table of their own; more take the ordinary path.
const COMBINATIONS: usize = 1 << 20;

/// Label columns, every one a dictionary: each combination of their keys is numbered once.
struct Labels<'a> {
    dictionaries: Vec<Dictionary<'a>>,
    slots: usize,
    numbers: Vec<u32>,
}

struct Dictionary<'a> {
    slot: usize,
    keys: Counts<'a>,
    values: Vec<&'a str>,
}

impl<'a> Labels<'a> {
    fn new(batch: &'a RecordBatch, columns: &[Vec<usize>]) -> Option<Self> {
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
        Some(Self { dictionaries, slots, numbers: vec![u32::MAX; combinations] })
    }

    fn series(
        &mut self,
        start: usize,
        len: usize,
        table: &mut SeriesTable,
        codes: &mut Vec<usize>,
        series: &mut Vec<u32>,
    ) {
        codes.clear();
        codes.resize(len, 0);
        if let [dictionary] = self.dictionaries.as_slice() {
            let keys = dictionary.keys.tile(start, len, series).unwrap_or_default();
            codes.iter_mut().zip(keys).for_each(|(code, key)| *code = *key as usize);
        } else {
            self.combine(start, len, codes, series);
        }
        series.clear();
        series.extend(codes.iter().map(|code| self.numbers[*code]));
        if series.contains(&u32::MAX) {
            for (number, code) in series.iter_mut().zip(codes) {
                if self.numbers[*code] == u32::MAX {
                    self.numbers[*code] = self.number(*code, table);
                }
                *number = self.numbers[*code];
            }
        }
    }

    /// The combination of every dictionary's key, as a number of mixed base.
    fn combine(&self, start: usize, len: usize, codes: &mut [usize], scratch: &mut Vec<u32>) {
        for dictionary in &self.dictionaries {
            let keys = dictionary.keys.tile(start, len, scratch).unwrap_or_default();
            for (code, key) in codes.iter_mut().zip(keys) {
                *code = *code * dictionary.values.len() + *key as usize;
            }
        }
    }

    #[cold]
    fn number(&self, mut code: usize, table: &mut SeriesTable) -> u32 {
        let mut labels = vec![None; self.slots];
        for dictionary in self.dictionaries.iter().rev() {
            labels[dictionary.slot] = Some(dictionary.values[code % dictionary.values.len()]);
            code /= dictionary.values.len();
        }
        table.intern(&labels)
    }
}
