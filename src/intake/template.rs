//! Templates: lines of a log look alike, so the shape of one is learned from it and the next are compared with it.
//!
//! A template is what stands between the values of a line (keys, colons, braces, whitespace) and what each value is for.
//! A line that fits is read by comparing long pieces of it and looking at the values alone. Whatever does not fit, an
//! escape in a text, a key more or less, is nobody's decision here: the line goes to the parser that decides about all of
//! JSON. A test holds the two against each other, line by line.

pub(super) use super::glance::literal;
use super::glance::{plain_count, plain_text};
use super::paths::{PathTree, Target};
use super::plain::{Kind, Raw};
use super::skip::Skip;
use super::value::{decimal_at, number};
use super::wide;
use serde::Deserialize;

/// Shapes that are remembered.
const TEMPLATES: usize = 8;
/// Shapes that are learned in all: lines that never look alike are walked.
const LESSONS: usize = 64;
/// Lines in a row that have to have a text for it to count as constant.
const ALIKE: usize = 16;
/// Longest line that is learned from.
const LONGEST: usize = 1 << 16;
/// Brackets in a list or object that nobody asked for; more may be nested too deep.
const BRACKETS: usize = 100;

/// A value, and what stands before it.
#[derive(Debug)]
struct Part {
    literal: Box<[u8]>,
    targets: Box<[Target]>,
}

#[derive(Debug)]
pub(super) struct Template {
    parts: Vec<Part>,
    tail: Box<[u8]>,
}

/// The shapes of the lines of one log.
#[derive(Debug, Default)]
pub(super) struct Templates {
    known: Vec<Template>,
    recent: usize,
    lessons: usize,
}

impl Templates {
    /// Reads the line that starts here, if it has a known shape; the answer is its end, before the newline.
    #[inline]
    pub fn read(&mut self, paths: &PathTree, text: &str, start: usize, raws: &mut [Raw]) -> Option<usize> {
        if let Some(end) = wide::read(self.known.get(self.recent)?, text, start, raws) {
            return Some(end);
        }
        if self.lessons >= LESSONS {
            return wide::walked(paths, text, start, raws);
        }
        for (at, template) in self.known.iter().enumerate() {
            if at != self.recent
                && let Some(end) = wide::read(template, text, start, raws)
            {
                self.recent = at;
                return Some(end);
            }
        }
        None
    }

    /// Learns the shape of the line of a block that starts and ends there, a JSON object.
    pub fn learn(&mut self, block: &str, (start, end): (usize, usize), paths: &PathTree) {
        if self.lessons >= LESSONS || end - start > LONGEST {
            return;
        }
        self.lessons += 1;
        let Some(mut template) = Template::of(&block[start..end], paths) else { return };
        if self.lessons <= LESSONS / 8 {
            template.keep_constants(&block[start..]);
        }
        if self.known.len() < TEMPLATES {
            self.known.push(template);
        } else {
            self.known[self.lessons % TEMPLATES] = template;
        }
    }
}

impl Template {
    /// The shape of a line that is known to be valid.
    fn of(line: &str, paths: &PathTree) -> Option<Self> {
        let mut learner = Learner { line: line.as_bytes(), at: 0, from: 0, paths, parts: Vec::new() };
        learner.blank();
        learner.object(Some(0))?;
        let template = Self { parts: learner.parts, tail: learner.line[learner.from..].into() };
        // A column that stands in two places is decided by the parser.
        let targets = || template.parts.iter().flat_map(|part| &part.targets).map(|target| (target.slot, target.rank));
        let alone = targets().enumerate().all(|(i, target)| targets().skip(i + 1).all(|other| other != target));
        alone.then_some(template)
    }

    /// Makes texts that nobody asked for a part of the shape where several lines have the same. A line that differs is no
    /// line of this shape.
    fn keep_constants(&mut self, lines: &str) {
        let parts = self
            .parts
            .iter()
            .enumerate()
            .map(|(slot, part)| Part { literal: part.literal.clone(), targets: Box::new([Target { slot, rank: 0 }]) });
        let all = Self { parts: parts.collect(), tail: self.tail.clone() };
        let mut first: Option<Vec<&str>> = None;
        let mut constant: Vec<bool> = self.parts.iter().map(|part| part.targets.is_empty()).collect();
        let mut raws = vec![Raw::NULL; self.parts.len()];
        let mut start = 0;
        for _ in 0..ALIKE {
            let Some(end) = all.read(lines, start, &mut raws, wide::portable::specials) else { return };
            let values: Vec<&str> = raws.iter().map(|raw| raw.text(lines)).collect();
            let known = first.get_or_insert_with(|| values.clone());
            for (i, constant) in constant.iter_mut().enumerate() {
                *constant &= raws[i].kind == Kind::Text && known[i] == values[i];
            }
            start = end + 1;
        }
        let Some(values) = first else { return };
        let mut literal = Vec::new();
        for ((part, value), constant) in std::mem::take(&mut self.parts).into_iter().zip(values).zip(constant) {
            literal.extend_from_slice(&part.literal);
            if constant {
                literal.extend_from_slice(format!("\"{value}\"").as_bytes());
            } else {
                self.parts.push(Part { literal: std::mem::take(&mut literal).into(), targets: part.targets });
            }
        }
        literal.extend_from_slice(&self.tail);
        self.tail = literal.into();
    }

    /// Reads the line that starts here, if it has this shape. `specials` marks what ends a plain run of text.
    #[expect(clippy::inline_always, reason = "it is compiled for the processor of its caller")]
    #[inline(always)]
    pub fn read(
        &self,
        text: &str,
        start: usize,
        raws: &mut [Raw],
        specials: impl Fn(&[u8; 32]) -> u32,
    ) -> Option<usize> {
        let bytes = text.as_bytes();
        let mut at = start;
        raws.fill(Raw::NULL);
        for part in &self.parts {
            at = literal(bytes, at, &part.literal)?;
            let place = |start: usize, end: usize| (start as u64, u32::try_from(end - start).ok());
            let (kind, (value, len), end) = match *bytes.get(at)? {
                b'"' => {
                    let end = plain_text(bytes, at + 1, &specials)?;
                    (Kind::Text, place(at + 1, end), end + 1)
                }
                b'0'..=b'9' | b'-' => {
                    if let Some((count, end)) = plain_count(bytes, at) {
                        (Kind::Count, (count, Some(0)), end)
                    } else if let Some((value, end)) = decimal_at(bytes, at) {
                        (Kind::Decimal, (value.to_bits(), Some(0)), end)
                    } else {
                        let end = number_end(text, at)?;
                        (Kind::Number, place(at, end), end)
                    }
                }
                b't' => (Kind::Flag, (1, Some(0)), literal(bytes, at, b"true")?),
                b'f' => (Kind::Flag, (0, Some(0)), literal(bytes, at, b"false")?),
                b'n' => {
                    at = literal(bytes, at, b"null")?;
                    continue;
                }
                b'[' | b'{' if part.targets.is_empty() => {
                    at = nested(text, at)?;
                    continue;
                }
                _ => return None,
            };
            at = end;
            for target in &part.targets {
                let raw = &mut raws[target.slot];
                if target.rank < raw.rank {
                    *raw = Raw { kind, rank: target.rank, len: len?, value };
                }
            }
        }
        at = literal(bytes, at, &self.tail)?;
        match bytes.get(at..) {
            None | Some([] | [b'\n', ..] | [b'\r', b'\n', ..] | [b'\r']) => Some(at),
            Some(_) => None,
        }
    }
}

/// The place behind any other number, by the rules of the parser.
#[cold]
pub(super) fn number_end(text: &str, at: usize) -> Option<usize> {
    let other = |byte: &u8| !matches!(byte, b'0'..=b'9' | b'-' | b'+' | b'.' | b'e' | b'E');
    let end = at + text.as_bytes()[at..].iter().position(other)?;
    number(&text[at..end]).map(|_| end)
}

/// The place behind a list or an object that nobody asked for. It is parsed all the same.
pub(super) fn nested(text: &str, at: usize) -> Option<usize> {
    struct Anything;
    impl<'de> Deserialize<'de> for Anything {
        fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
            deserializer.deserialize_any(Skip).map(|()| Self)
        }
    }
    let line = &text[at..];
    let line = &line[..memchr::memchr(b'\n', line.as_bytes()).unwrap_or(line.len())];
    let mut values = serde_json::Deserializer::from_str(line).into_iter::<Anything>();
    values.next()?.ok()?;
    let length = values.byte_offset();
    // How deep it may go depends on what it stands in.
    let brackets = memchr::memchr2_iter(b'[', b'{', &line.as_bytes()[..length]).take(BRACKETS).count();
    (brackets < BRACKETS).then_some(at + length)
}

/// Walks a line that is known to be valid.
struct Learner<'a> {
    line: &'a [u8],
    at: usize,
    /// Where the literal began that the walk is in.
    from: usize,
    paths: &'a PathTree,
    parts: Vec<Part>,
}

impl Learner<'_> {
    fn blank(&mut self) {
        while self.line.get(self.at).is_some_and(u8::is_ascii_whitespace) {
            self.at += 1;
        }
    }

    fn take(&mut self, byte: u8) -> Option<()> {
        self.blank();
        (self.line.get(self.at) == Some(&byte)).then(|| self.at += 1)
    }

    /// A key or a text as it stands, without its quotes; none with escapes.
    fn text(&mut self) -> Option<&str> {
        self.take(b'"')?;
        let start = self.at;
        let end = plain_text(self.line, start, wide::portable::specials)?;
        self.at = end + 1;
        std::str::from_utf8(&self.line[start..end]).ok()
    }

    fn object(&mut self, node: Option<usize>) -> Option<()> {
        self.take(b'{')?;
        self.blank();
        if self.line.get(self.at) == Some(&b'}') {
            self.at += 1;
            return Some(());
        }
        loop {
            let paths = self.paths;
            let key = self.text()?;
            let edge = node.and_then(|node| paths.find(node, key)).map(|edge| paths.get(edge));
            self.take(b':')?;
            self.blank();
            let targets = edge.map_or(&[][..], |edge| &edge.targets);
            match self.line.get(self.at)? {
                // What is inside of a mapped object may be asked for.
                b'{' if edge.is_some() => {
                    // An object that is itself asked for is no value, and the parser says so.
                    if !targets.is_empty() {
                        return None;
                    }
                    self.object(edge.and_then(|edge| edge.child))?;
                }
                _ => self.value(targets)?,
            }
            self.blank();
            match self.line.get(self.at)? {
                b',' => self.at += 1,
                b'}' => {
                    self.at += 1;
                    return Some(());
                }
                _ => return None,
            }
        }
    }

    fn value(&mut self, targets: &[Target]) -> Option<()> {
        let literal = self.line[self.from..self.at].into();
        match self.line.get(self.at)? {
            b'"' => {
                self.text()?;
            }
            b'[' | b'{' => {
                let text = std::str::from_utf8(self.line).ok()?;
                self.at = nested(text, self.at)?;
            }
            _ => {
                let end = |byte: &u8| matches!(byte, b',' | b'}') || byte.is_ascii_whitespace();
                self.at += self.line[self.at..].iter().position(end)?;
            }
        }
        self.from = self.at;
        self.parts.push(Part { literal, targets: targets.into() });
        Some(())
    }
}
