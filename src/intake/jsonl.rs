//! JSONL: one object a line. A line like the others is read by its [`super::template`]; any other is parsed by `serde_json`
//! with a visitor that picks the mapped keys, and its shape is learned. Where lines are never alike they are walked, see
//! [`super::walk`], and parsed if that meets anything that is not plain.
//!
//! What is not mapped is parsed as well, and thrown away: nesting beyond 128 levels, lone surrogates and numbers that
//! JSON forbids reject the line wherever they stand.

use super::compiled::CompiledMap;
use super::field::FIELDS;
use super::paths::{PathTree, Target};
use super::plain::{self, Raw};
use super::row::{Book, Interner};
use super::skip::Skip;
use super::template::Templates;
use super::value::{Fault, Scalar};
use crate::event::Reason;
use serde::de::{DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use std::borrow::Cow;
use std::fmt;

/// How much of a line a fault quotes; [`crate::error::excerpt`] shortens it further.
const QUOTED: usize = 1024;

/// What is kept between lines: which keys the line has shown.
#[derive(Debug, Default)]
pub(super) struct LineState {
    seen: Vec<u64>,
    line: u64,
    /// Shapes of the lines of this log.
    templates: Templates,
}

impl LineState {
    /// Another log begins.
    pub fn begin(&mut self) {
        self.templates = Templates::default();
    }
}

/// The cells of one line while it is parsed.
struct Picked<'a, 'de> {
    paths: &'a PathTree,
    seen: &'a mut [u64],
    line: u64,
    cells: &'a mut [Scalar<'de>],
    ranks: &'a mut [u8],
    duplicate: Option<usize>,
}

/// Books every line of a block. Lines are counted from `first_line`.
pub(super) fn block(
    bytes: &[u8],
    first_line: u64,
    limit: usize,
    map: &CompiledMap,
    state: (&mut LineState, &mut Interner),
    book: &mut Book,
) {
    let (lines, interner) = state;
    lines.seen.resize(map.paths.edges(), 0);
    let mut cells = vec![Scalar::Null; FIELDS + map.dimensions.len()];
    let mut ranks = vec![u8::MAX; cells.len()];
    let mut raws = vec![Raw::NULL; cells.len()];
    let valid = simdutf8::basic::from_utf8(bytes).ok();
    let mut start = 0;
    let mut line = first_line;
    while start < bytes.len() {
        let read = valid.and_then(|text| Some((text, lines.templates.read(&map.paths, text, start, &mut raws)?)));
        if let Some((text, end)) = read.filter(|(_, end)| end - start <= limit) {
            plain::book(book, map, &raws, text, interner, line);
            start = end + 1 + usize::from(bytes.get(end) == Some(&b'\r'));
            line += 1;
            continue;
        }
        let end = memchr::memchr(b'\n', &bytes[start..]).map_or(bytes.len(), |length| start + length);
        let raw = bytes[start..end].strip_suffix(b"\r").unwrap_or(&bytes[start..end]);
        if raw.len() > limit {
            book.fault(Fault::line(Reason::LineTooLong, &quoted(raw)), line);
        } else if !raw.iter().all(u8::is_ascii_whitespace) {
            let text = match valid {
                Some(text) => Ok(&text[start..start + raw.len()]),
                None => simdutf8::basic::from_utf8(raw).map_err(|_| Reason::InvalidUtf8),
            };
            let picked = text.and_then(|text| pick(text, &map.paths, lines, &mut cells, &mut ranks));
            match picked {
                Ok(None) => {
                    book.row(map, &cells, interner, line);
                    if let Some(text) = valid {
                        lines.templates.learn(text, (start, start + raw.len()), &map.paths);
                    }
                }
                Ok(Some(edge)) => book.fault(duplicate(map, edge), line),
                Err(reason) => book.fault(Fault::line(reason, &quoted(raw)), line),
            }
        }
        start = end + 1;
        line += 1;
    }
}

fn quoted(line: &[u8]) -> Cow<'_, str> {
    String::from_utf8_lossy(&line[..line.len().min(QUOTED)])
}

fn duplicate(map: &CompiledMap, edge: usize) -> Fault {
    let slot = map.paths.get(edge).targets.first().map(|target| target.slot);
    let field = slot.map(|slot| match super::field::Field::ALL.get(slot) {
        Some(field) => field.name().to_owned(),
        None => map.dimensions[slot - FIELDS].clone(),
    });
    Fault { reason: Reason::DuplicateKey, field, value: None }
}

/// Parses one line into cells; the answer is the edge of a key that stands twice.
fn pick<'de>(
    line: &'de str,
    paths: &PathTree,
    state: &mut LineState,
    cells: &mut [Scalar<'de>],
    ranks: &mut [u8],
) -> Result<Option<usize>, Reason> {
    cells.fill(Scalar::Null);
    ranks.fill(u8::MAX);
    state.line += 1;
    let mut picked = Picked { paths, seen: &mut state.seen, line: state.line, cells, ranks, duplicate: None };
    let mut json = serde_json::Deserializer::from_str(line);
    let root = json.deserialize_any(Object { picked: &mut picked, node: 0 }).and_then(|()| json.end());
    match root {
        Ok(()) => Ok(picked.duplicate),
        Err(error) if error.to_string().starts_with("recursion limit") => Err(Reason::TooDeep),
        Err(_) => Err(Reason::Malformed),
    }
}

impl<'de> Picked<'_, 'de> {
    fn put(&mut self, edge: usize, value: &Scalar<'de>) {
        let paths = self.paths;
        for Target { slot, rank } in &paths.get(edge).targets {
            if *rank < self.ranks[*slot] {
                self.ranks[*slot] = *rank;
                self.cells[*slot].clone_from(value);
            } else if *rank == self.ranks[*slot] {
                self.duplicate.get_or_insert(edge);
            }
        }
    }
}

/// An object at a node of the path tree.
struct Object<'p, 'a, 'de> {
    picked: &'p mut Picked<'a, 'de>,
    node: usize,
}

impl<'de> Visitor<'de> for Object<'_, '_, 'de> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(edge) = map.next_key_seed(Key { paths: self.picked.paths, node: self.node })? {
            let Some(edge) = edge else {
                map.next_value_seed(Skip)?;
                continue;
            };
            if self.picked.seen[edge] == self.picked.line {
                self.picked.duplicate.get_or_insert(edge);
            }
            self.picked.seen[edge] = self.picked.line;
            map.next_value_seed(Value { picked: self.picked, edge })?;
        }
        Ok(())
    }
}

/// A key: the edge it stands for, if any.
struct Key<'p> {
    paths: &'p PathTree,
    node: usize,
}

impl<'de> DeserializeSeed<'de> for Key<'_> {
    type Value = Option<usize>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl Visitor<'_> for Key<'_> {
    type Value = Option<usize>;

    fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str("a key")
    }

    fn visit_str<E>(self, key: &str) -> Result<Self::Value, E> {
        Ok(self.paths.find(self.node, key))
    }
}

/// The value of a mapped key.
struct Value<'p, 'a, 'de> {
    picked: &'p mut Picked<'a, 'de>,
    edge: usize,
}

impl<'de> DeserializeSeed<'de> for Value<'_, '_, 'de> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Value<'_, '_, 'de> {
    fn put(self, value: &Scalar<'de>) {
        self.picked.put(self.edge, value);
    }
}

impl<'de> Visitor<'de> for Value<'_, '_, 'de> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_bool<E>(self, value: bool) -> Result<(), E> {
        self.put(&Scalar::Bool(value));
        Ok(())
    }

    fn visit_i64<E>(self, value: i64) -> Result<(), E> {
        self.put(&Scalar::Int(value));
        Ok(())
    }

    fn visit_u64<E>(self, value: u64) -> Result<(), E> {
        self.put(&Scalar::UInt(value));
        Ok(())
    }

    fn visit_f64<E>(self, value: f64) -> Result<(), E> {
        self.put(&Scalar::Float(value));
        Ok(())
    }

    fn visit_borrowed_str<E>(self, value: &'de str) -> Result<(), E> {
        self.put(&Scalar::Text(Cow::Borrowed(value)));
        Ok(())
    }

    fn visit_str<E>(self, value: &str) -> Result<(), E> {
        self.put(&Scalar::Text(Cow::Owned(value.to_owned())));
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, seq: A) -> Result<(), A::Error> {
        self.picked.put(self.edge, &Scalar::Nested);
        Skip.visit_seq(seq)
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<(), A::Error> {
        self.picked.put(self.edge, &Scalar::Nested);
        match self.picked.paths.get(self.edge).child {
            Some(node) => Object { picked: self.picked, node }.visit_map(map),
            None => Skip.visit_map(map),
        }
    }
}
