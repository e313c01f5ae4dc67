//! Walking: a line whose shape nobody knows is read key by key, as long as everything in it is plain.
//!
//! Where the keys of every line stand in another order no template fits. A key that stands twice, an escape, a list where a
//! value belongs: such lines are nobody's decision here either, they go to the parser that decides about all of JSON.

#![expect(clippy::inline_always, reason = "it is compiled for the processor of its caller")]

use super::glance::{plain_count, plain_text};
use super::paths::PathTree;
use super::plain::{Kind, Raw};
use super::template::{literal, nested, number_end};
use super::value::decimal_at;

/// Objects in objects that are walked; deeper ones are for the parser.
const DEEPEST: usize = 8;

/// Reads the line that starts here; the answer is its end, before the newline. `specials` marks what ends a plain run of
/// text.
#[inline(always)]
pub(super) fn line(
    paths: &PathTree,
    text: &str,
    start: usize,
    raws: &mut [Raw],
    specials: impl Fn(&[u8; 32]) -> u32 + Copy,
) -> Option<usize> {
    raws.fill(Raw::NULL);
    if paths.edges() > 64 {
        return None;
    }
    let mut walk = Walk { paths, text, bytes: text.as_bytes(), raws, seen: 0, open: [None; DEEPEST] };
    let at = walk.read(start, specials)?;
    match walk.bytes.get(at..) {
        None | Some([] | [b'\n', ..] | [b'\r', b'\n', ..] | [b'\r']) => Some(at),
        Some(_) => None,
    }
}

struct Walk<'a> {
    paths: &'a PathTree,
    text: &'a str,
    bytes: &'a [u8],
    raws: &'a mut [Raw],
    /// A bit for each edge that was met.
    seen: u64,
    /// The node of each object that is open.
    open: [Option<usize>; DEEPEST],
}

impl Walk<'_> {
    #[inline(always)]
    fn blank(&self, mut at: usize) -> usize {
        while matches!(self.bytes.get(at), Some(b' ' | b'\t')) {
            at += 1;
        }
        at
    }

    #[inline(always)]
    fn read(&mut self, start: usize, specials: impl Fn(&[u8; 32]) -> u32 + Copy) -> Option<usize> {
        let mut at = self.enter(self.blank(start), Some(0), 0)?;
        let mut depth = 1;
        loop {
            // A key, unless the object is empty.
            let end = if self.bytes.get(at) == Some(&b'}') && self.bytes[..at].last() == Some(&b'{') {
                at
            } else {
                let end = plain_text(self.bytes, self.key(at)?, specials)?;
                let edge = self.edge(depth, &self.text[at + 1..end])?;
                let colon = self.blank(end + 1);
                let value = (self.bytes.get(colon) == Some(&b':')).then(|| self.blank(colon + 1))?;
                let child = edge.and_then(|edge| self.paths.get(edge).child);
                let wanted = edge.is_some_and(|edge| !self.paths.get(edge).targets.is_empty());
                if self.bytes.get(value) == Some(&b'{') && !wanted {
                    at = self.enter(value, child, depth)?;
                    depth += 1;
                    continue;
                }
                let end = self.value(value, edge, specials)?;
                self.blank(end)
            };
            // Objects that end here, then the next key.
            at = end;
            while self.bytes.get(at) == Some(&b'}') {
                depth -= 1;
                if depth == 0 {
                    return Some(at + 1);
                }
                at = self.blank(at + 1);
            }
            at = (self.bytes.get(at) == Some(&b',')).then(|| self.blank(at + 1))?;
        }
    }

    /// Goes into an object.
    #[inline(always)]
    fn enter(&mut self, at: usize, node: Option<usize>, depth: usize) -> Option<usize> {
        *self.open.get_mut(depth)? = node;
        let inside = (self.bytes.get(at) == Some(&b'{')).then(|| self.blank(at + 1))?;
        // Blanks in an empty object are rare enough for the parser.
        (self.bytes.get(inside) != Some(&b'}') || inside == at + 1).then_some(inside)
    }

    /// Where the text of a key begins.
    #[inline(always)]
    fn key(&self, at: usize) -> Option<usize> {
        (self.bytes.get(at) == Some(&b'"')).then_some(at + 1)
    }

    /// The edge of a key, if it matters; no answer where it stands twice.
    #[inline(always)]
    #[expect(clippy::option_option, reason = "a key that does not matter is no reason to stop")]
    fn edge(&mut self, depth: usize, key: &str) -> Option<Option<usize>> {
        let Some(edge) = self.open[depth - 1].and_then(|node| self.paths.find(node, key)) else { return Some(None) };
        let bit = 1 << edge;
        let is_first = self.seen & bit == 0;
        self.seen |= bit;
        is_first.then_some(Some(edge))
    }

    /// A value that is no object to walk into, and the place behind it.
    #[inline(always)]
    fn value(&mut self, at: usize, edge: Option<usize>, specials: impl Fn(&[u8; 32]) -> u32 + Copy) -> Option<usize> {
        let targets = edge.map_or(&[][..], |edge| &self.paths.get(edge).targets);
        let place = |start: usize, end: usize| (start as u64, u32::try_from(end - start).ok());
        let (kind, (value, len), end) = match *self.bytes.get(at)? {
            b'"' => {
                let end = plain_text(self.bytes, at + 1, specials)?;
                (Kind::Text, place(at + 1, end), end + 1)
            }
            b'0'..=b'9' | b'-' => {
                if let Some((count, end)) = plain_count(self.bytes, at) {
                    (Kind::Count, (count, Some(0)), end)
                } else if let Some((value, end)) = decimal_at(self.bytes, at) {
                    (Kind::Decimal, (value.to_bits(), Some(0)), end)
                } else {
                    let end = number_end(self.text, at)?;
                    (Kind::Number, place(at, end), end)
                }
            }
            b't' => (Kind::Flag, (1, Some(0)), literal(self.bytes, at, b"true")?),
            b'f' => (Kind::Flag, (0, Some(0)), literal(self.bytes, at, b"false")?),
            b'n' => return literal(self.bytes, at, b"null"),
            b'[' if targets.is_empty() => return nested(self.text, at),
            _ => return None,
        };
        for target in targets {
            let raw = &mut self.raws[target.slot];
            if target.rank == raw.rank {
                return None;
            }
            if target.rank < raw.rank {
                *raw = Raw { kind, rank: target.rank, len: len?, value };
            }
        }
        Some(end)
    }
}
