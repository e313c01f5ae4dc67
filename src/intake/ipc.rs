//! Arrow IPC: record batches one after the other, as a stream, or as a file (Feather) with an index at its end.
//!
//! A file that can be read from any place is read by its index. From a pipe, or packed, it is read as the stream that stands
//! between its mark and its index. As with Parquet the crate underneath is not trusted with damaged bytes: sizes are looked
//! at before it allocates by their word, and a panic inside it is damage to the file.

use super::compiled::CompiledMap;
use super::container::{Container, damaged};
use super::csv::Ended;
use super::drive::{Run, Worker};
use super::parquet::quiet;
use super::{Sink, columns, ranges};
use crate::error::{Error, Result};
use crate::event::InputIdentity;
use arrow_array::RecordBatch;
use arrow_buffer::Buffer;
use arrow_ipc::convert::try_fb_to_schema;
use arrow_ipc::reader::{FileDecoder, StreamDecoder, read_footer_length};
use arrow_ipc::{Block, CompressionType, Message, root_as_footer, root_as_message};
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::Path;
use std::sync::Arc;

/// The mark that a file begins with, padded.
pub(super) const FILE: &[u8] = b"ARROW1\0\0";
/// What every message of a stream begins with.
pub(super) const STREAM: &[u8] = &[0xff; 4];

/// Largest description of a message or a file.
const DESCRIPTION: usize = 64 << 20;
/// Bytes that one byte of LZ4 can stand for.
const LZ4_MOST: i64 = 255;

/// The column map, chosen by the first batch, and how many rows were read.
struct Rows {
    map: Option<CompiledMap>,
    read: u64,
}

impl Rows {
    fn add<S: Sink>(&mut self, run: &Run, batch: &RecordBatch, name: &str, worker: &mut Worker<S>) -> Result<()> {
        let map = match &mut self.map {
            Some(map) => map,
            none => {
                let schema = batch.schema();
                let map = run.mapper.choose(&|column| schema.column_with_name(column).is_some())?;
                columns::bound(&schema, &map, name)?;
                none.insert(map)
            }
        };
        worker.batch(batch, map, self.read, name)?;
        self.read += batch.num_rows() as u64;
        Ok(())
    }

    fn format(self) -> String {
        self.map.map_or_else(String::new, |map| map.format().into())
    }
}

/// Reads a stream, or a file that stands in one.
pub(super) fn stream<S: Sink>(run: &Run, container: Container, name: &str, worker: &mut Worker<S>) -> Result<Ended> {
    let path = container.path().to_owned();
    let (mut messages, mut rows) = (Messages::new(container)?, Rows { map: None, read: 0 });
    let damage = loop {
        if (run.should_stop)() {
            return Err(Error::Interrupted);
        }
        match messages.next() {
            Ok(Some(Next::Batch(batch))) => rows.add(run, &batch, name, worker)?,
            // Another stream stands behind; it may have other columns.
            Ok(Some(Next::Stream)) => rows.map = None,
            Ok(None) => break None,
            Err(error) => break Some(damaged(&path, &error)),
        }
    };
    match damage {
        Some(damage) if rows.read == 0 => Err(damage),
        damage => Ok(Ended { container: messages.container, format: rows.format(), damage, note: None }),
    }
}

enum Next {
    Batch(RecordBatch),
    Stream,
}

/// The messages of a stream.
struct Messages {
    container: Container,
    decoder: StreamDecoder,
    /// What is read stands between the mark and the index of a file.
    is_file: bool,
}

impl Messages {
    fn new(mut container: Container) -> Result<Self> {
        let is_file = container.head().starts_with(FILE);
        if is_file {
            let mark = container.read_exact(&mut [0; FILE.len()]);
            mark.map_err(|error| container.refusal(&error))?;
        }
        Ok(Self { container, decoder: StreamDecoder::new(), is_file })
    }

    fn next(&mut self) -> io::Result<Option<Next>> {
        loop {
            let Some(mut size) = self.word()? else {
                return if self.is_file { Err(other("it ends before its index")) } else { Ok(None) };
            };
            if size == STREAM {
                size = self.word()?.ok_or_else(|| other("it ends inside a message"))?;
            }
            if size == [0; 4] {
                // What stands behind the end of a file is its index.
                if self.is_file {
                    return Ok(None);
                }
                match self.word()? {
                    None => return Ok(None),
                    Some(word) if word == STREAM => {}
                    Some(_) => return Err(other("bytes after the end of the stream are not read")),
                }
                self.decoder = StreamDecoder::new();
                let size = self.word()?.ok_or_else(|| other("it ends inside a message"))?;
                self.message(size)?;
                return Ok(Some(Next::Stream));
            }
            if let Some(batch) = self.message(size)? {
                return Ok(Some(Next::Batch(batch)));
            }
        }
    }

    /// Four bytes; `None` at the end.
    fn word(&mut self) -> io::Result<Option<[u8; 4]>> {
        let mut word = Vec::with_capacity(4);
        self.container.by_ref().take(4).read_to_end(&mut word)?;
        match word.as_slice().try_into() {
            Ok(word) => Ok(Some(word)),
            Err(_) if word.is_empty() => Ok(None),
            Err(_) => Err(other("it ends inside a message")),
        }
    }

    fn message(&mut self, size: [u8; 4]) -> io::Result<Option<RecordBatch>> {
        let length = usize::try_from(u32::from_le_bytes(size)).unwrap_or(usize::MAX);
        if length > DESCRIPTION {
            return Err(other("a message claims to be longer than any is"));
        }
        let mut bytes = [STREAM, &size].concat();
        self.more(&mut bytes, length as u64)?;
        let body = root_as_message(&bytes[8..]).map(|message| message.bodyLength());
        let body = body.ok().and_then(|body| u64::try_from(body).ok());
        self.more(&mut bytes, body.ok_or_else(|| other("a message contradicts itself"))?)?;
        check(&bytes[8..8 + length], &bytes[8 + length..])?;
        let mut bytes = Buffer::from_vec(bytes);
        quiet(|| self.decoder.decode(&mut bytes)).map_err(io::Error::other)
    }

    fn more(&mut self, bytes: &mut Vec<u8>, length: u64) -> io::Result<()> {
        let read = self.container.by_ref().take(length).read_to_end(bytes)?;
        if read as u64 == length { Ok(()) } else { Err(other("it ends inside a message")) }
    }
}

fn other(problem: &str) -> io::Error {
    io::Error::other(problem)
}

/// Refuses a message whose packed buffers claim to hold what they cannot: a reader would allocate by their word.
fn check(description: &[u8], body: &[u8]) -> io::Result<()> {
    let message = root_as_message(description).map_err(|_| other("a message contradicts itself"))?;
    if impossible(&message, body) { Err(other("a packed buffer claims more than it can hold")) } else { Ok(()) }
}

fn impossible(message: &Message<'_>, body: &[u8]) -> bool {
    let of_dictionary = || message.header_as_dictionary_batch().and_then(|dictionary| dictionary.data());
    let Some(batch) = message.header_as_record_batch().or_else(of_dictionary) else { return false };
    if batch.compression().is_none_or(|compression| compression.codec() != CompressionType::LZ4_FRAME) {
        return false;
    }
    let claims_too_much = |buffer: &arrow_ipc::Buffer| {
        let start = usize::try_from(buffer.offset()).ok();
        let claimed = start.and_then(|start| body.get(start..)?.first_chunk::<8>().copied());
        let most = buffer.length().saturating_mul(LZ4_MOST);
        buffer.length() > 0 && claimed.is_some_and(|claimed| i64::from_le_bytes(claimed) > most)
    };
    batch.buffers().is_some_and(|buffers| buffers.iter().any(claims_too_much))
}

/// Reads a file by its index; the second answer is the damage met on the way.
pub(super) fn file<S: Sink>(
    run: &Run,
    mut file: File,
    path: &Path,
    name: &str,
    worker: &mut Worker<S>,
) -> Result<(InputIdentity, Option<Error>)> {
    let access = |error: io::Error| super::discover::access(path, &error);
    let (bytes, digest) = ranges::identity(&mut file).map_err(access)?;
    let mut index = Index::read(file, bytes).map_err(|error| damaged(path, &error))?;
    let mut rows = Rows { map: None, read: 0 };
    let mut damage = None;
    for block in std::mem::take(&mut index.batches) {
        if (run.should_stop)() {
            return Err(Error::Interrupted);
        }
        match index.batch(&block) {
            Ok(Some(batch)) => rows.add(run, &batch, name, worker)?,
            Ok(None) => {}
            Err(error) => {
                damage = Some(damaged(path, &error));
                break;
            }
        }
    }
    Ok((InputIdentity { name: name.into(), bytes, digest, format: rows.format() }, damage))
}

/// The index of a file.
struct Index {
    file: File,
    bytes: u64,
    decoder: FileDecoder,
    batches: Vec<Block>,
}

impl Index {
    fn read(mut file: File, bytes: u64) -> io::Result<Self> {
        let mut tail = [0; 10];
        if bytes < (FILE.len() + tail.len()) as u64 {
            return Err(other("it is too short for an Arrow file"));
        }
        file.seek(SeekFrom::End(-10))?;
        file.read_exact(&mut tail)?;
        let length =
            read_footer_length(tail).map_err(|_| other("it does not end as an Arrow file does, it may be cut off"))?;
        let start = bytes.checked_sub((length + tail.len()) as u64).filter(|_| length <= DESCRIPTION);
        file.seek(SeekFrom::Start(start.ok_or_else(|| other("its index claims more bytes than there are"))?))?;
        let mut footer = vec![0; length];
        file.read_exact(&mut footer)?;
        let footer = root_as_footer(&footer).map_err(|_| other("its index contradicts itself"))?;
        let schema = footer.schema().ok_or_else(|| other("its index names no columns"))?;
        let schema = quiet(|| try_fb_to_schema(schema)).map_err(io::Error::other)?;
        let dictionaries: Vec<Block> = footer.dictionaries().into_iter().flatten().copied().collect();
        let batches = footer.recordBatches().into_iter().flatten().copied().collect();
        let mut index = Self { file, bytes, decoder: FileDecoder::new(Arc::new(schema), footer.version()), batches };
        for block in dictionaries {
            let bytes = index.block(&block)?;
            quiet(|| index.decoder.read_dictionary(&block, &bytes)).map_err(io::Error::other)?;
        }
        Ok(index)
    }

    fn batch(&mut self, block: &Block) -> io::Result<Option<RecordBatch>> {
        let bytes = self.block(block)?;
        quiet(|| self.decoder.read_record_batch(block, &bytes)).map_err(io::Error::other)
    }

    /// The bytes of a block, with what they say of themselves looked at.
    fn block(&mut self, block: &Block) -> io::Result<Buffer> {
        let part = |length: i64| u64::try_from(length).ok();
        let (start, description) = (part(block.offset()), part(block.metaDataLength().into()));
        let length = part(block.bodyLength()).zip(description).and_then(|(body, about)| body.checked_add(about));
        let inside = |(start, length): &(u64, u64)| start.checked_add(*length).is_some_and(|end| end <= self.bytes);
        let (start, length) =
            start.zip(length).filter(inside).ok_or_else(|| other("its index claims more bytes than there are"))?;
        self.file.seek(SeekFrom::Start(start))?;
        let mut bytes = vec![0; usize::try_from(length).map_err(io::Error::other)?];
        self.file.read_exact(&mut bytes)?;
        let (description, body) = bytes.split_at(usize::try_from(block.metaDataLength()).unwrap_or(0).min(bytes.len()));
        // A length stands before the description, and from some writers a mark before that.
        let marks = if description.starts_with(STREAM) { 8 } else { 4 };
        check(description.get(marks..).unwrap_or_default(), body)?;
        Ok(Buffer::from_vec(bytes))
    }
}
