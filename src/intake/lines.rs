//! Lines: a stream cut into blocks of whole lines, each knowing the number of its first.

use std::io::{self, Read};

/// Bytes in memory that is zeroed once and used many times.
#[derive(Debug, Default)]
pub(super) struct Buffer {
    memory: Vec<u8>,
    len: usize,
}

impl Buffer {
    fn extend(&mut self, bytes: &[u8]) {
        self.room(bytes.len()).copy_from_slice(bytes);
        self.len += bytes.len();
    }

    /// So many bytes behind the last one.
    fn room(&mut self, bytes: usize) -> &mut [u8] {
        let end = self.len + bytes;
        if self.memory.len() < end {
            self.memory.resize(end, 0);
        }
        &mut self.memory[self.len..end]
    }

    fn truncate(&mut self, len: usize) {
        self.len = self.len.min(len);
    }

    /// Drops the bytes between two places.
    fn cut(&mut self, from: usize, to: usize) {
        self.memory.copy_within(to..self.len, from);
        self.len -= to - from;
    }
}

impl std::ops::Deref for Buffer {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.memory[..self.len]
    }
}

/// Whole lines; only the last line of a stream may lack its newline.
#[derive(Debug)]
pub(super) struct Block {
    pub bytes: Buffer,
    pub first_line: u64,
}

/// Cuts blocks of about `block_bytes`. A line longer than the limit is cut short, just beyond it, so that it is still
/// seen to be too long and no more than the limit is ever held.
pub(super) struct Blocks<R> {
    source: R,
    block_bytes: usize,
    limit: usize,
    next_line: u64,
    carry: Buffer,
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
            carry: Buffer::default(),
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
    pub fn next(&mut self, mut bytes: Buffer) -> io::Result<Option<Block>> {
        bytes.truncate(0);
        bytes.extend(&self.carry);
        self.carry.truncate(0);
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
                self.carry.extend(&bytes[searched + at + 1..]);
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

    fn give(&mut self, bytes: Buffer) -> Block {
        let first_line = self.next_line;
        self.next_line += memchr::memchr_iter(b'\n', &bytes).count() as u64;
        Block { bytes, first_line }
    }

    /// Reads until `wanted` bytes are there, a line had to be cut, or the stream ends.
    fn fill(&mut self, bytes: &mut Buffer, wanted: usize) -> io::Result<()> {
        while bytes.len() < wanted || self.dropping {
            let start = bytes.len();
            let room = wanted.saturating_sub(start).max(if self.dropping { 1 << 16 } else { 1 });
            let read = self.source.read(bytes.room(room));
            let length = match read {
                Ok(length) => length,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {
                    continue;
                }
                Err(error) => {
                    self.ended = true;
                    self.rescue(bytes);
                    return Err(error);
                }
            };
            bytes.len += length;
            if length == 0 {
                self.ended = true;
                return Ok(());
            }
            if self.dropping {
                match memchr::memchr(b'\n', &bytes[start..]) {
                    None => bytes.truncate(start),
                    Some(at) => {
                        bytes.cut(start, start + at);
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
        self.carry.extend(&bytes[..whole]);
    }
}
