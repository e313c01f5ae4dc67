//! The ledger as a Parquet file: key columns, one exact integer column per sum, the origin in the metadata.

use super::{Bound, Ledger, MOMENTS, NULL_BIN, OCCUPANCY, OCCUPANCY_BIN_S, Row};
use crate::event::{Coverage, InputIdentity};
use crate::keys::{Label, ROUTE_LABELS, SeriesTable};
use crate::{Error, Result};
use arrow_array::builder::{Decimal128Builder, Int32Builder, StringBuilder, TimestampMicrosecondBuilder};
use arrow_array::cast::AsArray;
use arrow_array::types::{Decimal128Type, Int32Type, TimestampMicrosecondType};
use arrow_array::{Array, ArrayRef, RecordBatch};
use arrow_schema::{DataType, Field, Schema, TimeUnit};
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use parquet::basic::{Compression, ZstdLevel};
use parquet::file::metadata::KeyValue;
use parquet::file::properties::WriterProperties;
use serde::{Deserialize, Serialize};
use std::fs::File;
use std::io::{Read, Write};
use std::path::Path;
use std::sync::Arc;

/// Version of the columns and of the metadata.
pub(super) const SCHEMA_VERSION: u32 = 1;
const METADATA_KEY: &str = "wattledger.ledger";
const FAMILY: &str = "family";
const BIN_START: &str = "bin_start";
const BIN_SECONDS: &str = "bin_seconds";

#[derive(Serialize, Deserialize)]
struct Metadata {
    schema_version: u32,
    engine_version: String,
    bin_seconds: u32,
    dimensions: Vec<String>,
    windows: Vec<u32>,
    #[serde(default = "kept")]
    occupancy: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    bound: Option<Bound>,
    duplicates: String,
    rejects: String,
    coverage: Coverage,
    inputs: Vec<InputIdentity>,
}

/// Files of the first version say nothing: all of them keep occupancy.
fn kept() -> bool {
    true
}

/// Columns that only occupancy rows fill; the other two occupancy sums share a column with the moments.
const OCCUPANCY_ONLY: [&str; 2] = [OCCUPANCY[0], OCCUPANCY[1]];

fn window_columns(window: u32) -> [String; 2] {
    [format!("window_{window}_prefill_x2"), format!("window_{window}_decode_x2")]
}

/// Whether a user dimension may not have this name.
pub(super) fn is_reserved(name: &str) -> bool {
    [FAMILY, BIN_START, BIN_SECONDS].contains(&name)
        || ROUTE_LABELS.contains(&name)
        || MOMENTS.contains(&name)
        || OCCUPANCY.contains(&name)
        || name.starts_with("window_")
        || name.is_empty()
}

fn decimal() -> DataType {
    DataType::Decimal128(38, 0)
}

fn schema(ledger: &Ledger) -> Schema {
    let mut fields = vec![Field::new(FAMILY, DataType::Utf8, false)];
    let labels = ROUTE_LABELS.iter().copied().chain(ledger.dimensions.iter().map(String::as_str));
    fields.extend(labels.map(|name| Field::new(name, DataType::Utf8, true)));
    fields.push(Field::new(BIN_START, DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into())), true));
    fields.push(Field::new(BIN_SECONDS, DataType::Int32, false));
    let windows = ledger.windows.iter().flat_map(|w| window_columns(w.window));
    let sums = MOMENTS.iter().map(|m| (*m).to_owned()).chain(windows).chain(OCCUPANCY_ONLY.map(str::to_owned));
    fields.extend(sums.map(|name| Field::new(name, decimal(), true)));
    Schema::new(fields)
}

struct Columns {
    family: StringBuilder,
    labels: Vec<StringBuilder>,
    start: TimestampMicrosecondBuilder,
    width: Int32Builder,
    sums: Vec<Decimal128Builder>,
}

impl Columns {
    fn keys(&mut self, family: &str, labels: &[Label], bin: i64, width: u32) {
        self.family.append_value(family);
        for (i, column) in self.labels.iter_mut().enumerate() {
            column.append_option(labels.get(i).and_then(Option::as_deref));
        }
        self.start.append_option((bin != NULL_BIN).then(|| bin * 1_000_000));
        self.width.append_value(i32::try_from(width).expect("a bin is at most an hour"));
    }

    fn sums(&mut self, values: &[Option<u128>]) {
        for (column, value) in self.sums.iter_mut().zip(values) {
            column.append_option(value.map(|v| i128::try_from(v).expect("cells hold at most 38 digits")));
        }
    }
}

/// The ledger as one Arrow table, sums as DECIMAL(38,0).
///
/// # Panics
/// Never: the columns are built to the schema.
#[must_use]
pub fn to_batch(ledger: &Ledger) -> RecordBatch {
    let schema = schema(ledger);
    let n_sums = MOMENTS.len() + 2 * ledger.windows.len() + OCCUPANCY_ONLY.len();
    let new_decimal = || Decimal128Builder::new().with_data_type(decimal());
    let mut columns = Columns {
        family: StringBuilder::new(),
        labels: (0..ROUTE_LABELS.len() + ledger.dimensions.len()).map(|_| StringBuilder::new()).collect(),
        start: TimestampMicrosecondBuilder::new().with_timezone("UTC"),
        width: Int32Builder::new(),
        sums: (0..n_sums).map(|_| new_decimal()).collect(),
    };
    // Window rows stand at the same keys as the moments, so one cursor per family walks along.
    let mut cursors: Vec<_> = ledger.windows.iter().map(|family| family.rows.iter().peekable()).collect();
    for row in ledger.moments.iter() {
        columns.keys("moments", ledger.series[row.key as usize].labels(), row.bin, ledger.bin_seconds);
        let mut values: Vec<Option<u128>> = row.sums.iter().map(|s| Some(*s)).collect();
        for cursor in &mut cursors {
            let here = cursor.next_if(|w| (w.key, w.bin) == (row.key, row.bin));
            values.extend(here.map_or([0, 0], |w| w.sums).map(Some));
        }
        values.extend([None, None]);
        columns.sums(&values);
    }
    for row in ledger.occupancy.iter() {
        columns.keys("occupancy", ledger.routes[row.key as usize].labels(), row.bin, OCCUPANCY_BIN_S);
        let mut values = vec![None; n_sums];
        let [overlap, with_latency, requests, output] = row.sums.map(Some);
        values[super::moment::REQUESTS] = requests;
        values[super::moment::OUTPUT] = output;
        values[n_sums - 2] = overlap;
        values[n_sums - 1] = with_latency;
        columns.sums(&values);
    }
    let mut arrays: Vec<ArrayRef> = vec![Arc::new(columns.family.finish())];
    arrays.extend(columns.labels.iter_mut().map(|c| Arc::new(c.finish()) as ArrayRef));
    arrays.push(Arc::new(columns.start.finish()));
    arrays.push(Arc::new(columns.width.finish()));
    arrays.extend(columns.sums.iter_mut().map(|c| Arc::new(c.finish()) as ArrayRef));
    RecordBatch::try_new(Arc::new(schema), arrays).expect("columns follow the schema")
}

/// Writes the ledger as Parquet, whole or not at all.
///
/// # Errors
/// [`Error::FileNotFound`] or [`Error::FileAccess`] if the folder does not exist or cannot be written.
///
/// # Panics
/// Never: the metadata is plain data.
pub fn write(ledger: &Ledger, path: &Path) -> Result<()> {
    let batch = to_batch(ledger);
    let metadata = Metadata {
        schema_version: SCHEMA_VERSION,
        engine_version: env!("CARGO_PKG_VERSION").into(),
        bin_seconds: ledger.bin_seconds,
        dimensions: ledger.dimensions.clone(),
        windows: ledger.windows.iter().map(|w| w.window).collect(),
        occupancy: ledger.keeps_occupancy,
        bound: ledger.bound.clone(),
        duplicates: "none removed".into(),
        rejects: "bad lines are rejected one by one and counted by reason".into(),
        coverage: ledger.origin.coverage.clone(),
        inputs: ledger.origin.inputs.clone(),
    };
    let json = serde_json::to_string(&metadata).expect("plain data");
    let properties = WriterProperties::builder()
        .set_compression(Compression::ZSTD(ZstdLevel::default()))
        .set_key_value_metadata(Some(vec![KeyValue::new(METADATA_KEY.into(), json)]))
        .set_created_by(format!("wattledger {}", env!("CARGO_PKG_VERSION")))
        .build();
    let access = |problem: String| Error::FileAccess { path: path.into(), problem };
    let mut bytes = Vec::new();
    let mut writer =
        ArrowWriter::try_new(&mut bytes, batch.schema(), Some(properties)).map_err(|e| access(e.to_string()))?;
    writer.write(&batch).and_then(|()| writer.close()).map_err(|e| access(e.to_string()))?;
    crate::files::write_whole(path, &bytes)
}

/// Reads a ledger file, or `None` if the file is Parquet without a ledger's metadata.
///
/// # Errors
/// [`Error::FileNotFound`], [`Error::FileDamaged`], or [`Error::LedgerMismatch`] for a newer schema.
pub fn read(path: &Path) -> Result<Option<Ledger>> {
    let file = File::open(path).map_err(|e| match e.kind() {
        std::io::ErrorKind::NotFound => Error::FileNotFound { path: path.into() },
        _ => Error::FileAccess { path: path.into(), problem: e.to_string() },
    })?;
    let mut magic = [0; 4];
    let begins =
        (&file).read(&mut magic).map_err(|e| Error::FileAccess { path: path.into(), problem: e.to_string() })?;
    if begins == magic.len() && magic != *b"PAR1" {
        return Ok(None);
    }
    read_from(file, path)
}

/// Reads a ledger from the bytes of its file.
///
/// # Errors
/// As [`read`].
pub fn read_bytes(bytes: &[u8]) -> Result<Option<Ledger>> {
    let mut file = tempfile::tempfile()
        .map_err(|e| Error::FileAccess { path: "temporary file".into(), problem: e.to_string() })?;
    file.write_all(bytes).map_err(|e| Error::FileAccess { path: "temporary file".into(), problem: e.to_string() })?;
    read_from(file, Path::new("bytes"))
}

fn read_from(file: File, path: &Path) -> Result<Option<Ledger>> {
    crate::files::check_parquet_footer(&file, path)?;
    // The reader's own promise is an error, not a panic; on hostile bytes it is held to it.
    let read = std::panic::catch_unwind(|| read_checked(file, path));
    read.unwrap_or_else(|_| {
        Err(Error::FileDamaged { path: path.into(), problem: "its index or a page cannot be read".into() })
    })
}

fn read_checked(file: File, path: &Path) -> Result<Option<Ledger>> {
    let damaged = |problem: String| Error::FileDamaged { path: path.into(), problem };
    let bytes = file.metadata().map_or(0, |m| m.len());
    let builder = ParquetRecordBatchReaderBuilder::try_new(file).map_err(|e| damaged(e.to_string()))?;
    crate::files::check_parquet_ranges(builder.metadata(), bytes, path)?;
    let pairs = builder.metadata().file_metadata().key_value_metadata();
    let Some(json) = pairs.and_then(|p| p.iter().find(|kv| kv.key == METADATA_KEY)).and_then(|kv| kv.value.clone())
    else {
        return Ok(None);
    };
    let version: serde_json::Value = serde_json::from_str(&json).map_err(|e| damaged(e.to_string()))?;
    if version["schema_version"] != SCHEMA_VERSION {
        return Err(Error::LedgerMismatch {
            problem: format!("the file has schema {}, {SCHEMA_VERSION} is read", version["schema_version"]),
            hint: "read it with the version of wattledger that wrote it".into(),
        });
    }
    let metadata: Metadata = serde_json::from_str(&json).map_err(|e| damaged(e.to_string()))?;
    let reader = builder.build().map_err(|e| damaged(e.to_string()))?;
    let mut batches = Vec::new();
    for batch in reader {
        batches.push(batch.map_err(|e| damaged(e.to_string()))?);
    }
    from_batches(&batches, metadata).map(Some).map_err(|e| match e {
        Error::FileDamaged { problem, .. } => damaged(problem),
        Error::Argument { what, value, expected } => damaged(format!("{what} is {value}, expected {expected}")),
        other => other,
    })
}

fn from_batches(batches: &[RecordBatch], metadata: Metadata) -> Result<Ledger> {
    let mut table = SeriesTable::new(metadata.dimensions.clone());
    let mut moments = Vec::new();
    let mut occupancy = Vec::new();
    let mut windows: Vec<(u32, Vec<Row<2>>)> = metadata.windows.iter().map(|window| (*window, Vec::new())).collect();
    for batch in batches {
        let columns = Reading::new(batch, &metadata)?;
        for i in 0..batch.num_rows() {
            let labels: Vec<Option<&str>> = columns.labels.iter().map(|c| c.is_valid(i).then(|| c.value(i))).collect();
            let key = table.intern(&labels);
            let bin = if columns.start.is_valid(i) { columns.start.value(i) / 1_000_000 } else { NULL_BIN };
            match columns.family.value(i) {
                "moments" => {
                    let mut sums = [0; 8];
                    for (sum, column) in sums.iter_mut().zip(&columns.sums) {
                        *sum = cell(column, i)?;
                    }
                    moments.push(Row { key, bin, sums });
                    for (w, (_, rows)) in windows.iter_mut().enumerate() {
                        let at = MOMENTS.len() + 2 * w;
                        let sums = [cell(columns.sums[at], i)?, cell(columns.sums[at + 1], i)?];
                        rows.push(Row { key, bin, sums });
                    }
                }
                "occupancy" => {
                    let at = columns.sums.len() - 2;
                    let places = [at, at + 1, super::moment::REQUESTS, super::moment::OUTPUT];
                    let mut sums = [0; 4];
                    for (sum, place) in sums.iter_mut().zip(places) {
                        *sum = cell(columns.sums[place], i)?;
                    }
                    occupancy.push(Row { key, bin, sums });
                }
                other => return Err(broken(format!("unknown row family `{other}`"))),
            }
        }
    }
    let mut ledger =
        Ledger::from_rows(metadata.bin_seconds, metadata.dimensions, table.series(), &moments, windows, &occupancy)?;
    if !metadata.occupancy {
        ledger = ledger.without_occupancy();
    }
    if metadata.bound.as_ref().is_some_and(|bound| bound.most == 0 || bound.up_to.len() != ledger.dimensions.len()) {
        return Err(broken("its bound is not of its dimensions".into()));
    }
    ledger.bound = metadata.bound;
    ledger.origin = super::Origin { coverage: metadata.coverage, inputs: metadata.inputs };
    Ok(ledger)
}

struct Reading<'a> {
    family: &'a arrow_array::StringArray,
    labels: Vec<&'a arrow_array::StringArray>,
    start: &'a arrow_array::PrimitiveArray<TimestampMicrosecondType>,
    sums: Vec<&'a arrow_array::PrimitiveArray<Decimal128Type>>,
}

impl<'a> Reading<'a> {
    fn new(batch: &'a RecordBatch, metadata: &Metadata) -> Result<Self> {
        let column = |name: &str| batch.column_by_name(name).ok_or_else(|| broken(format!("no column `{name}`")));
        let text = |name: &str| {
            column(name)?.as_string_opt::<i32>().ok_or_else(|| broken(format!("column `{name}` is not text")))
        };
        let sum = |name: &str| {
            column(name)?
                .as_primitive_opt::<Decimal128Type>()
                .ok_or_else(|| broken(format!("column `{name}` is not DECIMAL(38,0)")))
        };
        let labels = ROUTE_LABELS.iter().copied().chain(metadata.dimensions.iter().map(String::as_str));
        let windows = metadata.windows.iter().flat_map(|w| window_columns(*w));
        let sums = MOMENTS.iter().map(|m| (*m).to_owned()).chain(windows).chain(OCCUPANCY_ONLY.map(str::to_owned));
        column(BIN_SECONDS)?
            .as_primitive_opt::<Int32Type>()
            .ok_or_else(|| broken("bin_seconds is no integer".into()))?;
        Ok(Self {
            family: text(FAMILY)?,
            labels: labels.map(text).collect::<Result<_>>()?,
            start: column(BIN_START)?
                .as_primitive_opt()
                .ok_or_else(|| broken("bin_start is no microsecond timestamp".into()))?,
            sums: sums.map(|name| sum(&name)).collect::<Result<_>>()?,
        })
    }
}

fn cell(column: &arrow_array::PrimitiveArray<Decimal128Type>, row: usize) -> Result<u128> {
    if column.is_null(row) {
        return Err(broken("a sum is null".into()));
    }
    u128::try_from(column.value(row)).map_err(|_| broken("a sum is negative".into()))
}

fn broken(problem: String) -> Error {
    Error::FileDamaged { path: "ledger".into(), problem }
}
