//! Arrow IPC, as a stream or as a file (Feather): record batches, one after the other.
//!
//! A file is a stream between a mark and an index, so both are read in the same way, packed or from a pipe. As with Parquet
//! the crate underneath is not trusted with damaged bytes: a panic inside it is damage to the file.

use super::compiled::CompiledMap;
use super::container::{Container, damaged};
use super::csv::Ended;
use super::drive::{Run, Worker};
use super::parquet::quiet;
use super::{Sink, columns};
use crate::error::{Error, Result};
use arrow_array::RecordBatch;
use arrow_buffer::Buffer;
use arrow_ipc::reader::StreamDecoder;
use std::io::{self, Read};

/// The mark that a file begins with, padded.
pub(super) const FILE: &[u8] = b"ARROW1\0\0";
/// What every message of a stream begins with.
pub(super) const STREAM: &[u8] = &[0xff; 4];

/// Bytes that are read at once.
const PIECE: usize = 1 << 20;

/// Reads a stream or a file.
pub(super) fn read<S: Sink>(run: &Run, container: Container, name: &str, worker: &mut Worker<S>) -> Result<Ended> {
    let path = container.path().to_owned();
    let mut from = Batches::new(container)?;
    let mut map: Option<CompiledMap> = None;
    let mut rows = 0;
    let damage = loop {
        if (run.should_stop)() {
            return Err(Error::Interrupted);
        }
        match from.next() {
            Ok(Some(batch)) => {
                let map = match &mut map {
                    Some(map) => map,
                    none => none.insert(chosen(run, &batch, name)?),
                };
                worker.batch(&batch, map, rows, name)?;
                rows += batch.num_rows() as u64;
            }
            Ok(None) => break None,
            Err(error) => break Some(error),
        }
    };
    let damage = damage.map(|error| damaged(&path, &error));
    match (map, damage) {
        (None, Some(damage)) => Err(damage),
        (None, None) => Err(super::kind::empty(&path)),
        (Some(map), damage) => Ok(Ended { container: from.container, format: map.format().into(), damage, note: None }),
    }
}

fn chosen(run: &Run, batch: &RecordBatch, name: &str) -> Result<CompiledMap> {
    let schema = batch.schema();
    let map = run.mapper.choose(&|column| schema.column_with_name(column).is_some())?;
    columns::bound(&schema, &map, name)?;
    Ok(map)
}

struct Batches {
    container: Container,
    decoder: StreamDecoder,
    waiting: Buffer,
    ended: bool,
}

impl Batches {
    fn new(mut container: Container) -> Result<Self> {
        if container.head().starts_with(FILE) {
            let mark = container.read_exact(&mut [0; FILE.len()]);
            mark.map_err(|error| container.refusal(&error))?;
        }
        let waiting = Buffer::from(Vec::<u8>::new());
        Ok(Self { container, decoder: StreamDecoder::new(), waiting, ended: false })
    }

    fn next(&mut self) -> io::Result<Option<RecordBatch>> {
        while !self.ended {
            if self.waiting.is_empty() && !self.fill()? {
                let whole = quiet(|| self.decoder.finish());
                self.ended = true;
                return whole.map(|()| None).map_err(io::Error::other);
            }
            match quiet(|| self.decoder.decode(&mut self.waiting)) {
                Ok(Some(batch)) => return Ok(Some(batch)),
                Ok(None) => {}
                // Behind the end of the stream stands the index of a file, which nobody needs.
                Err(_) if self.decoder.finish().is_ok() => self.ended = true,
                Err(problem) => {
                    self.ended = true;
                    return Err(io::Error::other(problem));
                }
            }
        }
        Ok(None)
    }

    /// Reads the next piece; `false` at the end.
    fn fill(&mut self) -> io::Result<bool> {
        let mut piece = vec![0; PIECE];
        let mut filled = 0;
        while filled < PIECE {
            match self.container.read(&mut piece[filled..]) {
                Ok(0) => break,
                Ok(length) => filled += length,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        piece.truncate(filled);
        self.waiting = Buffer::from_vec(piece);
        Ok(filled > 0)
    }
}
