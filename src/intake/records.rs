//! CSV records: RFC 4180 with what spreadsheets add, one record at a time, in bounded memory.
//!
//! The fields are those of the csv crate, which a test holds. Beside them this reader knows the line a record began
//! on, whether its last quote was closed, and stops at the line limit instead of holding a file that lost a quote.

use std::io::{self, Read};
use std::ops::Range;

/// Bytes asked for at once.
const PIECE: usize = 1 << 17;

/// How a record ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    Good,
    /// The file ended inside quotes.
    Unclosed,
    /// Longer than the limit; nothing after it can be trusted to be outside quotes.
    TooLong,
}

/// One field: its bytes in the record's memory, and whether doubled quotes stand in it.
#[derive(Clone, Debug)]
struct Field {
    bytes: Range<usize>,
    /// Pieces of a quoted field, where it is not one piece of the input.
    pieces: Option<Vec<u8>>,
}

/// A reader of records.
pub(super) struct Records<R> {
    source: R,
    limit: usize,
    memory: Vec<u8>,
    start: usize,
    next: usize,
    ended: bool,
    /// The line of the current record.
    line: u64,
    next_line: u64,
    fields: Vec<Field>,
}

impl<R: Read> Records<R> {
    pub fn new(source: R, limit: usize) -> Self {
        Self {
            source,
            limit,
            memory: Vec::new(),
            start: 0,
            next: 0,
            ended: false,
            line: 1,
            next_line: 1,
            fields: Vec::new(),
        }
    }

    /// The line the current record began on.
    pub fn line(&self) -> u64 {
        self.line
    }

    pub fn into_source(self) -> R {
        self.source
    }

    /// Number of fields of the current record.
    pub fn len(&self) -> usize {
        self.fields.len()
    }

    /// One field of the current record.
    pub fn get(&self, field: usize) -> &[u8] {
        let field = &self.fields[field];
        field.pieces.as_deref().unwrap_or(&self.memory[field.bytes.clone()])
    }

    /// One field of the current record, out of [`Self::raw`] as text.
    pub fn text<'r>(&'r self, raw: &'r str, field: usize) -> Option<&'r str> {
        let Field { bytes, pieces } = &self.fields[field];
        match pieces {
            Some(pieces) => std::str::from_utf8(pieces).ok(),
            None => raw.get(bytes.start - self.start..bytes.end - self.start),
        }
    }

    /// The bytes of the current record, as they stand in the file.
    pub fn raw(&self) -> &[u8] {
        &self.memory[self.start..self.next]
    }

    /// Goes to the next record that is not blank; `None` at the end.
    pub fn advance(&mut self) -> io::Result<Option<End>> {
        loop {
            self.start = self.next;
            self.line = self.next_line;
            let end = loop {
                match self.scan() {
                    Some(end) => break end,
                    None if self.next_piece()? => {}
                    None => return Ok(None),
                }
            };
            self.next_line += memchr::memchr_iter(b'\n', self.raw()).count() as u64;
            let blank = self.raw().iter().all(u8::is_ascii_whitespace);
            if end != End::Good || !blank {
                return Ok(Some(end));
            }
        }
    }

    /// Reads on, keeping the record that has begun; `false` where nothing is left of it.
    fn next_piece(&mut self) -> io::Result<bool> {
        if self.ended {
            return Ok(false);
        }
        self.memory.drain(..self.start);
        self.start = 0;
        let kept = self.memory.len();
        // Pieces double with the record, so that looking at it again from its start stays linear.
        self.memory.resize(kept + PIECE.max(kept), 0);
        loop {
            match self.source.read(&mut self.memory[kept..]) {
                Ok(length) => {
                    self.memory.truncate(kept + length);
                    self.ended = length == 0;
                    return Ok(!self.ended || kept > 0);
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => {
                    self.memory.truncate(kept);
                    self.ended = true;
                    return Err(error);
                }
            }
        }
    }

    /// Splits the record at `start`; `None` if it does not end in memory and more may follow.
    fn scan(&mut self) -> Option<End> {
        self.fields.clear();
        let mut at = self.start;
        if at == self.memory.len() {
            return None;
        }
        loop {
            let quoted = self.memory.get(at) == Some(&b'"');
            let (field, end) = if quoted { self.quoted(at) } else { self.plain(at) };
            self.fields.push(field);
            match self.memory.get(end) {
                Some(b',') => at = end + 1,
                Some(b'\n') => {
                    self.next = end + 1;
                    return Some(if self.next - self.start > self.limit.saturating_add(2) {
                        End::TooLong
                    } else {
                        End::Good
                    });
                }
                _ => break,
            }
        }
        // The memory ended first.
        self.next = self.memory.len();
        if self.next - self.start > self.limit.saturating_add(2) {
            return Some(End::TooLong);
        }
        if !self.ended {
            return None;
        }
        let open = self.fields.last().is_some_and(|last| last.pieces.is_some() && last.bytes.is_empty());
        Some(if open { End::Unclosed } else { End::Good })
    }

    /// A field without quotes in front, and where it ends.
    fn plain(&self, start: usize) -> (Field, usize) {
        let length = memchr::memchr2(b',', b'\n', &self.memory[start..]);
        let end = length.map_or(self.memory.len(), |length| start + length);
        let last = self.memory.get(end) != Some(&b',');
        let shown = end - usize::from(last && end > start && self.memory[end - 1] == b'\r');
        (Field { bytes: start..shown, pieces: None }, end)
    }

    /// A field that begins with a quote, and where it ends. An unclosed one has pieces and an empty range.
    fn quoted(&self, start: usize) -> (Field, usize) {
        let mut pieces: Option<Vec<u8>> = None;
        let mut from = start + 1;
        loop {
            let Some(length) = memchr::memchr(b'"', &self.memory[from..]) else {
                let mut pieces = pieces.unwrap_or_default();
                pieces.extend_from_slice(&self.memory[from..]);
                return (Field { bytes: 0..0, pieces: Some(pieces) }, self.memory.len());
            };
            let quote = from + length;
            if self.memory.get(quote + 1) == Some(&b'"') {
                pieces.get_or_insert_default().extend_from_slice(&self.memory[from..=quote]);
                from = quote + 2;
                continue;
            }
            // What stands between the closing quote and the comma belongs to the field.
            let (rest, end) = self.plain(quote + 1);
            if pieces.is_none() && rest.bytes.is_empty() {
                return (Field { bytes: from..quote, pieces: None }, end);
            }
            let mut pieces = pieces.unwrap_or_default();
            pieces.extend_from_slice(&self.memory[from..quote]);
            pieces.extend_from_slice(&self.memory[rest.bytes]);
            // The range is never read where pieces are; that it is not empty says that the quote was closed.
            return (Field { bytes: start..quote + 1, pieces: Some(pieces) }, end);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn records(text: &[u8], limit: usize) -> Vec<(u64, End, Vec<Vec<u8>>)> {
        let mut reader = Records::new(text, limit);
        let mut all = Vec::new();
        while let Some(end) = reader.advance().expect("memory reads") {
            all.push((reader.line(), end, (0..reader.len()).map(|i| reader.get(i).to_vec()).collect()));
        }
        all
    }

    #[test]
    fn a_record_knows_the_line_it_began_on() {
        let all = records(b"a,b\r\n\r\n\"x\ny\",\"he said \"\"no\"\"\"\r\n1,2", 100);
        let lines: Vec<u64> = all.iter().map(|(line, ..)| *line).collect();
        assert_eq!(lines, [1, 3, 5]);
        assert_eq!(all[1].2, [b"x\ny".to_vec(), b"he said \"no\"".to_vec()]);
        assert!(all.iter().all(|(_, end, _)| *end == End::Good));
    }

    #[test]
    fn an_unclosed_quote_is_seen() {
        let all = records(b"a,b\n1,\"2\n3,4\n", 100);
        assert_eq!((all.len(), all[1].0, all[1].1), (2, 2, End::Unclosed));
        assert_eq!(records(b"a,b\n1,\"22222222222222222\n3,4\n", 10)[1].1, End::TooLong);
        assert_eq!(records(b"a,\"\"", 100)[0].1, End::Good);
    }

    proptest! {
        #[test]
        fn fields_are_those_of_the_csv_crate(text in "[ab\",\n]{0,40}") {
            let mut theirs = csv::ReaderBuilder::new();
            theirs.has_headers(false).flexible(true).terminator(csv::Terminator::Any(b'\n'));
            let theirs: Vec<Vec<Vec<u8>>> = theirs
                .from_reader(text.as_bytes())
                .into_byte_records()
                .map(|record| record.unwrap().iter().map(<[u8]>::to_vec).collect())
                .collect();
            let ours: Vec<Vec<Vec<u8>>> = records(text.as_bytes(), 1000).into_iter().map(|(_, _, fields)| fields).collect();
            prop_assert_eq!(ours, theirs);
        }
    }
}
