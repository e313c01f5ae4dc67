//! Kinds: what bytes are, told from the bytes. A name is only asked where content leaves it open.

use super::discover::ending;
use crate::error::{Error, Result};
use std::path::Path;

/// How a file is packed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Packing {
    Plain,
    Gzip,
    Zstd,
    Parquet,
}

/// How rows stand in what was unpacked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Layout {
    Jsonl,
    Csv,
    Arrow,
}

/// Kinds that are recognised to say so.
const FOREIGN: [(&[u8], &str, &str); 7] = [
    (b"PK\x03\x04", "a zip archive is not read", "unpack it first"),
    (b"BZh", "bzip2 is not read", "unpack it, or pack it with gzip or zstd"),
    (b"\xfd7zXZ\0", "xz is not read", "unpack it, or pack it with gzip or zstd"),
    (b"7z\xbc\xaf\x27\x1c", "a 7z archive is not read", "unpack it first"),
    (b"Obj\x01", "Avro is not read", "write it as JSONL or Parquet"),
    (b"ORC", "ORC is not read", "write it as Parquet"),
    (b"SQLite format 3\0", "a database is not read", "export the table as CSV or Parquet"),
];

fn error(path: &Path, problem: &str, hint: &str) -> Error {
    Error::FileKind { path: path.to_owned(), problem: problem.into(), hint: hint.into() }
}

pub(super) fn empty(path: &Path) -> Error {
    error(path, "the file is empty", "a writer may have died before its first line; leave the file out")
}

/// The packing of a file with these first bytes.
pub(super) fn packing(head: &[u8]) -> Packing {
    match head {
        [0x1f, 0x8b, ..] => Packing::Gzip,
        // A frame, or the skippable frame that parallel writers put first.
        [0x28, 0xb5, 0x2f, 0xfd, ..] | [0x50..=0x5f, 0x2a, 0x4d, 0x18, ..] => Packing::Zstd,
        [b'P', b'A', b'R', b'1', ..] => Packing::Parquet,
        _ => Packing::Plain,
    }
}

/// Refuses what is no text in UTF-8 as a whole, rather than line by line. `head` is unpacked.
pub(super) fn check_text(path: &Path, head: &[u8], packed: bool) -> Result<()> {
    if head.is_empty() {
        return Err(empty(path));
    }
    if packed && packing(head) != Packing::Plain {
        return Err(error(path, "the file is packed twice, or packs a Parquet file", "unpack it once"));
    }
    if let Some((_, problem, hint)) = FOREIGN.iter().find(|(magic, ..)| head.starts_with(magic)) {
        return Err(error(path, problem, hint));
    }
    if is_utf16(head) {
        return Err(error(path, "the file is UTF-16", "logs are read as UTF-8: iconv -f UTF-16 -t UTF-8"));
    }
    Ok(())
}

/// A byte order mark, or every other byte of the first 64 a NUL.
fn is_utf16(head: &[u8]) -> bool {
    if head.starts_with(b"\xff\xfe") || head.starts_with(b"\xfe\xff") {
        return true;
    }
    let pairs: Vec<&[u8]> = head[..head.len().min(64)].chunks_exact(2).collect();
    let little = pairs.iter().all(|pair| pair[0] != 0 && pair[1] == 0);
    let big = pairs.iter().all(|pair| pair[0] == 0 && pair[1] != 0);
    pairs.len() > 1 && (little || big)
}

/// The layout: Arrow has a mark; of texts, what begins like JSON is JSONL, the rest is what its name says, or has a comma in its first line.
pub(super) fn layout(path: &Path, head: &[u8]) -> Layout {
    if head.starts_with(super::ipc::FILE) || head.starts_with(super::ipc::STREAM) {
        return Layout::Arrow;
    }
    let first = head.iter().find(|byte| !byte.is_ascii_whitespace());
    if matches!(first, Some(b'{' | b'[')) {
        return Layout::Jsonl;
    }
    match ending(path).as_deref() {
        Some("csv") => Layout::Csv,
        Some("jsonl" | "ndjson" | "json") => Layout::Jsonl,
        _ => {
            let start = head.iter().position(|byte| !byte.is_ascii_whitespace()).unwrap_or(0);
            let line = head[start..].split(|byte| *byte == b'\n').next().unwrap_or_default();
            if line.contains(&b',') { Layout::Csv } else { Layout::Jsonl }
        }
    }
}
