//! Embedded series: Parquet with one row group a series, decoded when a series is first asked for.

use super::check::refuse;
use crate::Result;
use crate::hours::hour_of_date;
use arrow_array::cast::AsArray;
use arrow_array::types::Int32Type;
use bytes::Bytes;
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use std::sync::OnceLock;

/// The row groups of a file, each decoded once.
pub(super) struct Groups<T> {
    bytes: &'static [u8],
    decoded: [OnceLock<std::result::Result<T, String>>; MOST],
}

/// Most series in a file.
const MOST: usize = 64;

impl<T> Groups<T> {
    pub(super) fn new(bytes: &'static [u8]) -> Self {
        Self { bytes, decoded: [const { OnceLock::new() }; MOST] }
    }

    /// The series of a row.
    pub(super) fn get(
        &'static self,
        file: &str,
        id: &str,
        row_group: u16,
        decode: impl FnOnce(&'static [u8], usize) -> std::result::Result<T, String>,
    ) -> Result<&'static T> {
        let at = usize::from(row_group);
        let Some(series) = self.decoded.get(at) else {
            return Err(refuse(file, id, "no series belongs to `row_group`".into()));
        };
        let found = series.get_or_init(|| decode(self.bytes, at));
        found.as_ref().map_err(|problem| refuse(file, id, problem.clone()))
    }
}

/// Integer columns of a row group, in the order asked for.
pub(super) fn columns<const N: usize>(
    bytes: &'static [u8],
    row_group: usize,
    names: [&str; N],
) -> std::result::Result<[Vec<Option<i32>>; N], String> {
    let broken = |error: &dyn std::fmt::Display| format!("its series cannot be read: {error}");
    let builder =
        ParquetRecordBatchReaderBuilder::try_new(Bytes::from_static(bytes)).map_err(|error| broken(&error))?;
    if row_group >= builder.metadata().num_row_groups() {
        return Err("no series belongs to `row_group`".into());
    }
    let wanted = ProjectionMask::columns(builder.parquet_schema(), names);
    let reader = builder.with_row_groups(vec![row_group]).with_projection(wanted).with_batch_size(1 << 16);
    let mut found = names.map(|_| Vec::new());
    for batch in reader.build().map_err(|error| broken(&error))? {
        let batch = batch.map_err(|error| broken(&error))?;
        for (name, values) in names.iter().zip(&mut found) {
            let column = batch.column_by_name(name).and_then(|column| column.as_primitive_opt::<Int32Type>());
            values.extend(column.ok_or_else(|| broken(&format!("no column `{name}`")))?);
        }
    }
    Ok(found)
}

/// The hour of a cell such as `2022-01-01T00`.
pub(super) fn start(column: &str, cell: &str) -> std::result::Result<i64, String> {
    let wrong = || format!("`{column}` is `{cell}`, expected a date and an hour such as 2022-01-01T00");
    let (date, hour) = cell.split_once('T').ok_or_else(wrong)?;
    let date: jiff::civil::Date = date.parse().map_err(|_| wrong())?;
    let hour: i64 = hour.parse().map_err(|_| wrong())?;
    Ok(hour_of_date(date) + hour)
}
