//! Ranges: what a Parquet file claims about itself, checked against its size before anyone allocates for it.

use parquet::file::metadata::ParquetMetaData;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use xxhash_rust::xxh3::Xxh3;

/// Bytes of head and tail that stand for the content.
const EDGE: u64 = 64 << 10;

/// Checks that every column chunk lies inside the file.
pub(super) fn chunks(metadata: &ParquetMetaData, size: u64) -> Result<(), String> {
    for (i, group) in metadata.row_groups().iter().enumerate() {
        let bad = |what: &str| Err(format!("row group {i} claims {what}"));
        if group.num_rows() < 0 {
            return bad("fewer than no rows");
        }
        for column in group.columns() {
            let start = column.dictionary_page_offset().unwrap_or(column.data_page_offset());
            let (Ok(start), Ok(length)) = (u64::try_from(start), u64::try_from(column.compressed_size())) else {
                return bad("a negative range");
            };
            if start.checked_add(length).is_none_or(|end| end > size) || column.num_values() < 0 {
                return bad("bytes beyond the end of the file");
            }
        }
    }
    Ok(())
}

/// Size and digest: xxh3-128 of the size, the first and the last 64 KiB.
pub(super) fn identity(file: &mut File) -> io::Result<(u64, String)> {
    let size = file.seek(SeekFrom::End(0))?;
    let mut hash = Xxh3::new();
    hash.update(&size.to_le_bytes());
    for start in [0, size.saturating_sub(EDGE)] {
        file.seek(SeekFrom::Start(start))?;
        let mut edge = Vec::new();
        file.take(EDGE).read_to_end(&mut edge)?;
        hash.update(&edge);
    }
    Ok((size, format!("{:032x}", hash.digest128())))
}
