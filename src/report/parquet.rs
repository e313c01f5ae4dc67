//! Tables as Parquet, for pipelines.

use crate::{Error, Result};
use arrow_array::RecordBatch;
use arrow_schema::{Schema, SchemaRef};
use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression, ZstdLevel};
use parquet::errors::ParquetError;
use parquet::file::metadata::KeyValue;
use parquet::file::properties::WriterProperties;
use std::io::Write;
use std::sync::Arc;

/// Rows of a row group: what is held before it is written.
const GROUP_ROWS: usize = 1 << 17;

/// Writes batches as they come; no more than a row group is held.
pub struct ParquetWriter<W: Write + Send>(ArrowWriter<W>);

impl<W: Write + Send> ParquetWriter<W> {
    /// Begins a file; `metadata` is kept under `wattledger`.
    ///
    /// # Errors
    /// What the writer below says.
    pub fn new(to: W, schema: SchemaRef, metadata: Option<String>) -> Result<Self> {
        let pairs = metadata.map(|json| vec![KeyValue::new("wattledger".into(), json)]);
        let properties = WriterProperties::builder()
            .set_compression(Compression::ZSTD(ZstdLevel::default()))
            .set_key_value_metadata(pairs)
            .set_max_row_group_row_count(Some(GROUP_ROWS))
            .set_created_by(format!("wattledger {}", env!("CARGO_PKG_VERSION")))
            .build();
        ArrowWriter::try_new(to, schema, Some(properties)).map(Self).map_err(|e| failed(&e))
    }

    /// Adds a batch.
    ///
    /// # Errors
    /// What the writer below says.
    pub fn write(&mut self, batch: &RecordBatch) -> Result<()> {
        self.0.write(batch).map_err(|e| failed(&e))
    }

    /// Ends the file and gives back what it was written to.
    ///
    /// # Errors
    /// What the writer below says.
    pub fn finish(self) -> Result<W> {
        self.0.into_inner().map_err(|e| failed(&e))
    }
}

fn failed(e: &ParquetError) -> Error {
    Error::Argument { what: "table".into(), value: e.to_string(), expected: "a table that Parquet can hold".into() }
}

/// Batches as the bytes of a Parquet file; `metadata` is kept under `wattledger`.
///
/// # Errors
/// None of what a ledger makes; an Arrow error would be a defect and is reported as one.
pub fn to_parquet(batches: &[RecordBatch], metadata: Option<String>) -> Result<Vec<u8>> {
    let schema = batches.first().map_or_else(|| Arc::new(Schema::empty()), RecordBatch::schema);
    let mut writer = ParquetWriter::new(Vec::new(), schema, metadata)?;
    batches.iter().try_for_each(|batch| writer.write(batch))?;
    writer.finish()
}
