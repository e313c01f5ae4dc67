//! Lines: a stream cut into blocks of whole lines, each knowing the number of its first.

use std::io::{self, Read};

/// Whole lines; only the last line of a stream may lack its newline.
#[derive(Debug)]
pub(super) struct Block {
    pub bytes: Vec<u8>,
    pub first_line: u64,
}

/// Cuts blocks of about `block_bytes`. A line longer than the limit is cut short, just beyond it, so that it is still
/// seen to be too long and no more than the limit is ever held.
pub(super) struct Blocks<R> {
    source: R,
    block_bytes: usize,
    limit: usize,
    next_line: u64,
    carry: Vec<u8>,
    /// The rest of a line that is cut short is being dropped.
    dropping: bool,
    ended: bool,
}

impl<R: Read> Blocks<R> {
    pub fn new(source: R, block_bytes: usize, limit: usize) -> Self {
        let limit = limit.min(usize::MAX / 2);
        Self {
            source,
            block_bytes: block_bytes.max(1),
            limit,
            next_line: 1,
            carry: Vec::new(),
            dropping: false,
            ended: false,
        }
    }

    pub fn source(&self) -> &R {
        &self.source
    }

    pub fn into_source(self) -> R {
        self.source
    }

    /// The next block, in the memory of an old one. After an error the lines read until then have been given; the
    /// line it fell into has not.
    pub fn next(&mut self, mut bytes: Vec<u8>) -> io::Result<Option<Block>> {
        bytes.clear();
        bytes.append(&mut self.carry);
        let mut wanted = self.block_bytes;
        loop {
            // An earlier look has already searched what stands here.
            let searched = bytes.len();
            if !self.ended {
                self.fill(&mut bytes, wanted)?;
            }
            if self.ended {
                let last = memchr::memrchr(b'\n', &bytes).map_or(0, |at| at + 1);
                if bytes.len() - last > self.longest() {
                    bytes.truncate(last + self.longest());
                }
                return Ok((!bytes.is_empty()).then(|| self.give(bytes)));
            }
            if let Some(at) = memchr::memrchr(b'\n', &bytes[searched.min(bytes.len())..]) {
                self.carry.extend_from_slice(&bytes[searched + at + 1..]);
                bytes.truncate(searched + at + 1);
                return Ok(Some(self.give(bytes)));
            }
            if bytes.len() >= self.longest() {
                bytes.truncate(self.longest());
                self.dropping = true;
            } else {
                wanted = bytes.len() + self.block_bytes.max(bytes.len());
            }
        }
    }

    /// A line one byte longer than the limit and its carriage return.
    fn longest(&self) -> usize {
        self.limit + 2
    }

    fn give(&mut self, bytes: Vec<u8>) -> Block {
        let first_line = self.next_line;
        self.next_line += memchr::memchr_iter(b'\n', &bytes).count() as u64;
        Block { bytes, first_line }
    }

    /// Reads until `wanted` bytes are there, a line had to be cut, or the stream ends.
    fn fill(&mut self, bytes: &mut Vec<u8>, wanted: usize) -> io::Result<()> {
        while bytes.len() < wanted || self.dropping {
            let start = bytes.len();
            let room = wanted.saturating_sub(start).max(if self.dropping { 1 << 16 } else { 1 });
            bytes.resize(start + room, 0);
            let read = self.source.read(&mut bytes[start..]);
            let length = match read {
                Ok(length) => length,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {
                    bytes.truncate(start);
                    continue;
                }
                Err(error) => {
                    bytes.truncate(start);
                    self.ended = true;
                    self.rescue(bytes);
                    return Err(error);
                }
            };
            bytes.truncate(start + length);
            if length == 0 {
                self.ended = true;
                return Ok(());
            }
            if self.dropping {
                match memchr::memchr(b'\n', &bytes[start..]) {
                    None => bytes.truncate(start),
                    Some(at) => {
                        bytes.drain(start..start + at);
                        self.dropping = false;
                        return Ok(());
                    }
                }
            }
        }
        Ok(())
    }

    /// Keeps the whole lines read before an error for one more call.
    fn rescue(&mut self, bytes: &[u8]) {
        let whole = memchr::memrchr(b'\n', bytes).map_or(0, |at| at + 1);
        self.carry.extend_from_slice(&bytes[..whole]);
    }
}
