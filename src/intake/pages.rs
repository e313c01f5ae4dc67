//! Pages: the columns of a row group straight from its pages, where their encodings are the common ones.
//!
//! The parquet crate finds the pages and unpacks them; values are decoded here, a few thousand rows at a time, and never
//! become arrays. Whatever is not plain, dictionary-encoded, flat and without nulls is not read here at all: the answer
//! says how many rows were, and the crate reads the others.

use super::clean::{Clean, Counts, Dictionary, Labels, Scratch, is_plain, label_places};
use super::compiled::CompiledMap;
use super::fast::TILE;
use super::field::Field;
use super::hybrid::Hybrid;
use crate::event::{EventColumns, Ticks};
use crate::keys::SeriesTable;
use crate::{Error, Result};
use arrow_schema::{DataType, Schema, TimeUnit};
use bytes::Bytes;
use parquet::basic::{Encoding, Type};
use parquet::column::page::{Page, PageReader};
use parquet::file::metadata::RowGroupMetaData;
use parquet::file::serialized_reader::SerializedPageReader;
use std::fs::File;
use std::sync::Arc;

/// Rows decoded at once: their columns stay in the second-level cache.
const ROWS: usize = 4 * TILE;

/// What reads a row group.
pub(super) struct Group<'a> {
    pub file: &'a Arc<File>,
    pub metadata: &'a RowGroupMetaData,
    pub schema: &'a Schema,
    pub map: &'a CompiledMap,
    pub columns: &'a [Vec<usize>],
}

/// Reads rows from the first on and hands them on; the answer is how many, all of them good.
pub(super) fn read(
    from: &Group<'_>,
    table: &mut SeriesTable,
    should_stop: &dyn Fn() -> bool,
    take: &mut dyn FnMut(&EventColumns<'_>, &SeriesTable) -> Result<()>,
) -> Result<usize> {
    let Some(mut columns) = quiet(|| Columns::new(from)) else { return Ok(0) };
    let Some(texts) = quiet(|| columns.texts()) else { return Ok(0) };
    let rows = usize::try_from(from.metadata.num_rows()).unwrap_or(0);
    let slots = label_places(from.columns).count();
    let dictionaries = columns.labels.iter().zip(&texts);
    let dictionaries = dictionaries
        .map(|((slot, _), texts)| Dictionary { slot: *slot, values: texts.iter().map(String::as_str).collect() });
    let Some(mut labels) = Labels::new(dictionaries.collect(), slots, rows, table) else { return Ok(0) };
    let mut scratch = Scratch::default();
    let mut done = 0;
    while done < rows {
        if should_stop() {
            return Err(Error::Interrupted);
        }
        let n = ROWS.min(rows - done);
        if quiet(|| columns.decode(n)).is_none() {
            break;
        }
        let clean = columns.clean(n);
        for start in (0..n).step_by(TILE) {
            let len = TILE.min(n - start);
            let Some(tile) = clean.tile(&mut labels, (start, len), table, &mut scratch) else {
                return Ok(done + start);
            };
            take(&tile, table)?;
        }
        done += n;
    }
    Ok(done)
}

/// Runs a step on bytes that may be hostile: what the crate panics at is not read here.
fn quiet<T>(step: impl FnOnce() -> Option<T>) -> Option<T> {
    std::panic::catch_unwind(std::panic::AssertUnwindSafe(step)).ok().flatten()
}

/// The columns of a group, with the rows that were decoded last.
struct Columns {
    time: (Column, Ticks, Vec<i64>),
    /// Input, cached and output tokens, and the latency in milliseconds.
    counts: [Option<(Column, Vec<u32>)>; 4],
    labels: Vec<(usize, Column)>,
    keys: Vec<Vec<u32>>,
}

impl Columns {
    /// `None` where a column is of another kind.
    fn new(from: &Group<'_>) -> Option<Self> {
        if !is_plain(from.map, from.columns) {
            return None;
        }
        let only = |at: usize| from.columns[at].first().copied();
        let timestamp = only(Field::Timestamp as usize)?;
        let DataType::Timestamp(unit, zone) = from.schema.field(timestamp).data_type() else { return None };
        if zone.is_none() && !from.map.zone.is_utc() {
            return None;
        }
        let ticks = match unit {
            // Parquet has no seconds.
            TimeUnit::Second => return None,
            TimeUnit::Millisecond => Ticks::Millis,
            TimeUnit::Microsecond => Ticks::Micros,
            TimeUnit::Nanosecond => Ticks::Nanos,
        };
        let counts = |field: Field| match only(field as usize) {
            None => Some(None),
            Some(at) if from.schema.field(at).data_type().is_integer() => {
                Some(Some((Column::new(from, at, &[Type::INT32, Type::INT64])?, Vec::new())))
            }
            Some(_) => None,
        };
        let mut labels = Vec::new();
        for (slot, place) in label_places(from.columns).enumerate() {
            if let Some(at) = only(place) {
                labels.push((slot, Column::new(from, at, &[Type::BYTE_ARRAY])?));
            }
        }
        Some(Self {
            time: (Column::new(from, timestamp, &[Type::INT64])?, ticks, Vec::new()),
            counts: [
                counts(Field::InputTokens)?,
                counts(Field::CachedTokens)?,
                counts(Field::OutputTokens)?,
                counts(Field::LatencyMs)?,
            ],
            keys: vec![Vec::new(); labels.len()],
            labels,
        })
    }

    /// The texts of each label.
    fn texts(&mut self) -> Option<Vec<Vec<String>>> {
        let texts = |(_, column): &mut (usize, Column)| {
            column.next_page()?;
            match std::mem::take(&mut column.dictionary) {
                Values::Texts(texts) => Some(texts),
                _ => None,
            }
        };
        self.labels.iter_mut().map(texts).collect()
    }

    /// Decodes the next rows of every column.
    fn decode(&mut self, rows: usize) -> Option<()> {
        let (column, _, times) = &mut self.time;
        times.resize(rows, 0);
        column.longs(times)?;
        for (column, counts) in self.counts.iter_mut().flatten() {
            counts.resize(rows, 0);
            column.counts(counts)?;
        }
        for ((_, column), keys) in self.labels.iter_mut().zip(&mut self.keys) {
            keys.resize(rows, 0);
            column.keys(keys)?;
        }
        Some(())
    }

    fn clean(&self, rows: usize) -> Clean<'_> {
        let counts = |i: usize| self.counts[i].as_ref().map(|(_, counts)| Counts::U32(&counts[..rows]));
        Clean {
            time: (&self.time.2[..rows], self.time.1),
            tokens: [counts(0), counts(1), counts(2)],
            latency_ms: counts(3),
            keys: self.keys.iter().map(|keys| Counts::U32(&keys[..rows])).collect(),
        }
    }
}

/// The values of a dictionary.
#[derive(Default)]
enum Values {
    #[default]
    None,
    Longs(Vec<i64>),
    Counts(Vec<u32>),
    Texts(Vec<String>),
}

/// What is left of a page.
enum Left {
    Plain(Bytes),
    Keys(Hybrid),
}

/// A column without repetition.
struct Column {
    pages: SerializedPageReader<File>,
    kind: Type,
    is_time: bool,
    optional: bool,
    dictionary: Values,
    left: Left,
    values: usize,
    keys: Vec<u32>,
}

impl Column {
    fn new(from: &Group<'_>, at: usize, kinds: &[Type]) -> Option<Self> {
        // Only a file without nested columns numbers its leaves as its columns.
        let leaf = from.metadata.columns().iter().find(|column| {
            let parts = column.column_path().parts();
            parts.len() == 1 && parts[0] == *from.schema.field(at).name()
        })?;
        let described = leaf.column_descr();
        let kind = described.physical_type();
        if described.max_rep_level() > 0 || described.max_def_level() > 1 || !kinds.contains(&kind) {
            return None;
        }
        let rows = usize::try_from(from.metadata.num_rows()).ok()?;
        let pages = SerializedPageReader::new(Arc::clone(from.file), leaf, rows, None).ok()?;
        let optional = described.max_def_level() == 1;
        let left = Left::Plain(Bytes::new());
        let is_time = Some(&at) == from.columns[Field::Timestamp as usize].first();
        Some(Self { pages, kind, is_time, optional, dictionary: Values::None, left, values: 0, keys: Vec::new() })
    }

    /// Goes to the next page of values; `None` at the end, at nulls and at encodings that are not read here.
    fn next_page(&mut self) -> Option<()> {
        loop {
            let (values, encoding, bytes) = match self.pages.get_next_page().ok()?? {
                Page::DictionaryPage {
                    buf,
                    num_values,
                    encoding: Encoding::PLAIN | Encoding::PLAIN_DICTIONARY,
                    ..
                } => {
                    self.dictionary = dictionary(&buf, num_values as usize, self.kind, self.is_time)?;
                    continue;
                }
                Page::DataPage { buf, num_values, encoding, def_level_encoding, .. } => {
                    let mut bytes = buf;
                    if self.optional {
                        if def_level_encoding != Encoding::RLE {
                            return None;
                        }
                        let length = u32::from_le_bytes(*bytes.first_chunk()?) as usize;
                        let levels = (4 + length <= bytes.len()).then(|| bytes.slice(4..4 + length))?;
                        if !Hybrid::new(levels, 1)?.all(1, num_values as usize)? {
                            return None;
                        }
                        bytes = bytes.slice(4 + length..);
                    }
                    (num_values, encoding, bytes)
                }
                Page::DataPageV2 {
                    buf,
                    num_values,
                    encoding,
                    num_nulls: 0,
                    def_levels_byte_len,
                    rep_levels_byte_len: 0,
                    ..
                } => {
                    let levels = def_levels_byte_len as usize;
                    let bytes = (levels <= buf.len()).then(|| buf.slice(levels..))?;
                    (num_values, encoding, bytes)
                }
                Page::DictionaryPage { .. } | Page::DataPageV2 { .. } => return None,
            };
            self.left = match encoding {
                Encoding::PLAIN => Left::Plain(bytes),
                Encoding::RLE_DICTIONARY | Encoding::PLAIN_DICTIONARY => {
                    let width = u32::from(*bytes.first()?);
                    Left::Keys(Hybrid::new(bytes.slice(1..), width)?)
                }
                _ => return None,
            };
            self.values = values as usize;
            if self.values > 0 {
                return Some(());
            }
        }
    }

    /// Fills `out` piece by piece, each from one page.
    fn fill<T>(&mut self, mut out: &mut [T], mut piece: impl FnMut(&mut Self, &mut [T]) -> Option<()>) -> Option<()> {
        while !out.is_empty() {
            if self.values == 0 {
                self.next_page()?;
            }
            let (here, rest) = out.split_at_mut(out.len().min(self.values));
            piece(self, here)?;
            self.values -= here.len();
            out = rest;
        }
        Some(())
    }

    fn longs(&mut self, out: &mut [i64]) -> Option<()> {
        self.fill(out, |column, out| {
            if let Left::Plain(bytes) = &mut column.left {
                let (values, _) = bytes.as_chunks::<8>();
                let values = values.get(..out.len())?;
                out.iter_mut().zip(values).for_each(|(out, value)| *out = i64::from_le_bytes(*value));
                *bytes = bytes.slice(8 * out.len()..);
                return Some(());
            }
            column.decode_keys(out.len())?;
            let Values::Longs(values) = &column.dictionary else { return None };
            for (out, key) in out.iter_mut().zip(&column.keys) {
                *out = *values.get(*key as usize)?;
            }
            Some(())
        })
    }

    /// What is no 32-bit count becomes one beyond every limit.
    fn counts(&mut self, out: &mut [u32]) -> Option<()> {
        let kind = self.kind;
        self.fill(out, |column, out| {
            match &mut column.left {
                Left::Plain(bytes) if kind == Type::INT32 => {
                    let (values, _) = bytes.as_chunks::<4>();
                    let values = values.get(..out.len())?;
                    out.iter_mut().zip(values).for_each(|(out, value)| *out = u32::from_le_bytes(*value));
                    *bytes = bytes.slice(4 * out.len()..);
                }
                Left::Plain(bytes) => {
                    let (values, _) = bytes.as_chunks::<8>();
                    let values = values.get(..out.len())?;
                    out.iter_mut().zip(values).for_each(|(out, value)| *out = count(i64::from_le_bytes(*value)));
                    *bytes = bytes.slice(8 * out.len()..);
                }
                Left::Keys(keys) => {
                    keys.read(out)?;
                    let Values::Counts(values) = &column.dictionary else { return None };
                    for out in out {
                        *out = *values.get(*out as usize)?;
                    }
                }
            }
            Some(())
        })
    }

    fn keys(&mut self, out: &mut [u32]) -> Option<()> {
        self.fill(out, |column, out| match &mut column.left {
            Left::Keys(keys) => keys.read(out),
            Left::Plain(_) => None,
        })
    }

    fn decode_keys(&mut self, n: usize) -> Option<()> {
        let Left::Keys(keys) = &mut self.left else { return None };
        self.keys.resize(n, 0);
        keys.read(&mut self.keys)
    }
}

fn count(value: i64) -> u32 {
    u32::try_from(value).unwrap_or(u32::MAX)
}

/// The values of a dictionary page.
fn dictionary(bytes: &[u8], n: usize, kind: Type, is_time: bool) -> Option<Values> {
    match kind {
        // Counts above 2^31 are implausible, signed or not.
        Type::INT32 => {
            let values = bytes.as_chunks::<4>().0.get(..n)?;
            Some(Values::Counts(values.iter().map(|value| u32::from_le_bytes(*value)).collect()))
        }
        Type::INT64 => {
            let values = bytes.as_chunks::<8>().0.get(..n)?.iter().map(|value| i64::from_le_bytes(*value));
            Some(if is_time { Values::Longs(values.collect()) } else { Values::Counts(values.map(count).collect()) })
        }
        Type::BYTE_ARRAY => {
            let (mut texts, mut rest) = (Vec::new(), bytes);
            for _ in 0..n {
                let (length, after) = rest.split_first_chunk::<4>()?;
                let (text, after) = after.split_at_checked(u32::from_le_bytes(*length) as usize)?;
                texts.push(std::str::from_utf8(text).ok()?.to_owned());
                rest = after;
            }
            Some(Values::Texts(texts))
        }
        _ => None,
    }
}
