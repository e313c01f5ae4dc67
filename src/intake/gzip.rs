//! Gzip streams of any number of members, as log rotation leaves them.

use flate2::bufread::GzDecoder;
use std::io::{self, BufRead, Read};

/// Reads member after member. Bytes that begin no member end the stream and are remembered.
pub(super) struct Members<R> {
    /// `None` only while a member gives way to the next.
    member: Option<GzDecoder<R>>,
    trailing: bool,
}

impl<R: BufRead> Members<R> {
    pub fn new(stored: R) -> Self {
        Self { member: Some(GzDecoder::new(stored)), trailing: false }
    }

    /// Whether bytes that belong to no member follow.
    pub fn trailing(&self) -> bool {
        self.trailing
    }

    pub fn stored(&mut self) -> Option<&mut R> {
        self.member.as_mut().map(GzDecoder::get_mut)
    }
}

impl<R: BufRead> Read for Members<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while !self.trailing && !buffer.is_empty() {
            let Some(member) = &mut self.member else { break };
            let length = member.read(buffer)?;
            if length > 0 {
                return Ok(length);
            }
            let next = member.get_mut().fill_buf()?;
            match next.first() {
                None => break,
                Some(0x1f) => self.member = self.member.take().map(|ended| GzDecoder::new(ended.into_inner())),
                Some(_) => self.trailing = true,
            }
        }
        Ok(0)
    }
}
