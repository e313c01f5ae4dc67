//! Names: from what a log or a person writes to the row that is meant. Nothing is guessed.

use super::provenance::Quality;
use super::record::File;
use super::spelling::Taken;
use crate::error::{Error, Result};
use hashbrown::HashMap;
use regex_lite::Regex;
use std::borrow::Cow;
use std::sync::OnceLock;

/// How a name led to its row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rule {
    /// The name is the id.
    Id,
    /// The name stands in the table of names.
    Alias,
    /// A pattern with `*` or `?` covers the name.
    Glob,
    /// A regular expression covers the name.
    Regex,
    /// Another spelling of the id: display name, availability zone, shorter version.
    Spelling,
    /// A part of the name, without what [`Taken`] says: a path, a region, a date.
    Part,
}

impl Rule {
    /// The word in JSON.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Id => "id",
            Self::Alias => "alias",
            Self::Glob => "glob",
            Self::Regex => "regex",
            Self::Spelling => "spelling",
            Self::Part => "part",
        }
    }
}

/// A row and how its name was understood.
#[derive(Debug, PartialEq)]
pub struct Resolved<'a, T> {
    /// The row.
    pub row: &'a T,
    /// How the name led to it.
    pub rule: Rule,
    /// The entry of the table of names that matched.
    pub alias: Option<&'a str>,
    /// Where the name was seen.
    pub seen: Option<&'a str>,
    /// What was taken off the name.
    pub taken: Taken,
    /// What had to be chosen to get there: `SXM5 board meant where none is named`.
    pub note: Option<&'a str>,
    /// Precision of the weights that the name speaks of: `fp8`, `q4_K_M`.
    pub precision_hint: Option<&'a str>,
    /// Whether the name is a pointer whose target changes, such as `-latest`.
    pub moving: bool,
    /// Quality of the step from name to row; none where the name is the id.
    pub quality: Option<Quality>,
}

impl<T> Clone for Resolved<'_, T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Resolved<'_, T> {}

/// Lower case, without a copy where nothing changes.
pub(super) fn lower(name: &str) -> Cow<'_, str> {
    if name.bytes().all(|byte| byte.is_ascii() && !byte.is_ascii_uppercase()) {
        Cow::Borrowed(name)
    } else {
        Cow::Owned(name.to_lowercase())
    }
}

/// Lower case with dashes for spaces and underscores.
pub(super) fn dashed(name: &str) -> Cow<'_, str> {
    let name = lower(name);
    if name.contains([' ', '_']) { Cow::Owned(name.replace([' ', '_'], "-")) } else { name }
}

/// One entry of a table of names.
#[derive(Clone, Debug)]
pub(super) struct Alias {
    pub name: Cow<'static, str>,
    pub rule: Rule,
    pub target: u32,
    pub precision_hint: Cow<'static, str>,
    pub note: Cow<'static, str>,
    pub moving: bool,
    /// Where the name was seen.
    pub source: Cow<'static, str>,
    pub quality: Quality,
}

/// A table of names, arranged so that one look-up touches a handful of entries.
#[derive(Debug, Default)]
pub(super) struct Aliases {
    entries: Vec<Alias>,
    exact: HashMap<Cow<'static, str>, u32>,
    globs: Vec<u32>,
    regexes: Vec<(u32, OnceLock<Option<Regex>>)>,
}

impl Aliases {
    /// Reads an embedded table. Its cells hold neither commas nor quotes, so a line splits into slices of the text.
    pub(super) fn read(file: &File, target: impl Fn(&str) -> Option<u32>) -> Result<Self> {
        let refuse =
            |row: &str, problem: String| Error::CatalogRow { file: file.name.to_owned(), row: row.to_owned(), problem };
        let origins = Origins::read(file.sources).map_err(|problem| refuse("sources", problem))?;
        let mut lines = file.text.lines();
        let header: Vec<&str> = lines.next().unwrap_or_default().split(',').collect();
        let place = |name: &str| header.iter().position(|column| *column == name);
        let columns = ["alias", "match", "id", "precision_hint", "moving", "note", "source"].map(place);
        let own = ["retrieved", "licence", "quality"].map(place);
        let mut aliases = Self::default();
        let count = lines.clone().count();
        aliases.entries.reserve(count);
        aliases.exact.reserve(count);
        let mut cells = Vec::with_capacity(header.len());
        for line in lines {
            cells.clear();
            cells.extend(line.split(','));
            let cell = |at: Option<usize>| at.and_then(|at| cells.get(at).copied()).unwrap_or_default();
            let [alias, rule, id, precision_hint, moving, note, source] = columns.map(cell);
            if cells.len() != header.len() || [alias, source].contains(&"") {
                return Err(refuse(alias, "a name needs its source, and no commas".into()));
            }
            let origin = match origins.find(source) {
                Some(origin) => origin,
                None => Origin::new(source, own.map(cell)).map_err(|problem| refuse(alias, problem))?,
            };
            let rule = rule_named(rule).ok_or_else(|| refuse(alias, not_a_rule(rule)))?;
            let target = target(id).ok_or_else(|| refuse(alias, format!("names `{id}`, which does not exist")))?;
            let entry = Alias {
                name: alias.into(),
                rule,
                target,
                precision_hint: precision_hint.into(),
                note: note.into(),
                moving: moving == "yes",
                source: origin.source.into(),
                quality: origin.quality,
            };
            aliases.insert(entry).map_err(|problem| refuse(alias, problem))?;
        }
        Ok(aliases)
    }

    /// Adds an entry; two that cover the same names have to mean the same row.
    pub(super) fn insert(&mut self, entry: Alias) -> std::result::Result<(), String> {
        let index = u32::try_from(self.entries.len()).map_err(|_| "too many names".to_owned())?;
        let place = match entry.rule {
            Rule::Regex => {
                self.regexes.push((index, OnceLock::new()));
                None
            }
            Rule::Glob => {
                self.globs.push(index);
                None
            }
            _ => Some((&mut self.exact, entry.name.clone())),
        };
        if let Some((table, key)) = place
            && let Some(before) = table.insert(key, index)
            && self.entries[before as usize].target != entry.target
        {
            return Err("the name already means something else".into());
        }
        self.entries.push(entry);
        Ok(())
    }

    /// Every entry.
    pub(super) fn entries(&self) -> &[Alias] {
        &self.entries
    }

    /// Entries that cover the name, one per row that is meant; an exact name wins over patterns.
    pub(super) fn find(&self, name: &str) -> Vec<&Alias> {
        if let Some(index) = self.exact.get(name) {
            return vec![&self.entries[*index as usize]];
        }
        let mut found: Vec<&Alias> = Vec::new();
        let mut add = |index: u32| {
            let entry = &self.entries[index as usize];
            if found.iter().all(|other| other.target != entry.target) {
                found.push(entry);
            }
        };
        self.globs.iter().copied().filter(|index| covers(&self.entries[*index as usize].name, name)).for_each(&mut add);
        if found.is_empty() {
            for (index, regex) in &self.regexes {
                let pattern = &self.entries[*index as usize].name;
                let regex = regex.get_or_init(|| whole(pattern).ok());
                if regex.as_ref().is_some_and(|regex| regex.is_match(name)) {
                    let entry = &self.entries[*index as usize];
                    if found.iter().all(|other| other.target != entry.target) {
                        found.push(entry);
                    }
                }
            }
        }
        found
    }
}

/// Where names come from, for tables that give a key of this list as their source.
struct Origins(Vec<(&'static str, Origin)>);

#[derive(Clone, Copy)]
struct Origin {
    source: &'static str,
    quality: Quality,
}

impl Origin {
    /// A source with its day, licence and quality, all of which it needs.
    fn new(source: &'static str, [retrieved, licence, quality]: [&str; 3]) -> std::result::Result<Self, String> {
        if retrieved.is_empty() {
            return Err("a name needs the day it was read".into());
        }
        if !super::LICENCES.contains(&licence) {
            return Err(format!("licence `{licence}` is not one that may be shipped"));
        }
        let quality = Quality::parse(quality).ok_or_else(|| super::check::not_a_quality("quality", quality))?;
        Ok(Self { source, quality })
    }
}

impl Origins {
    fn read(text: Option<&'static str>) -> std::result::Result<Self, String> {
        let lines = text.unwrap_or_default().lines().skip(1);
        let read = lines.map(|line| {
            let cells: Vec<&'static str> = line.split(',').collect();
            let [key, source, retrieved, licence, quality] = cells[..] else {
                return Err(format!("`{line}` has not the five cells of a source"));
            };
            Ok((key, Origin::new(source, [retrieved, licence, quality])?))
        });
        Ok(Self(read.collect::<std::result::Result<_, _>>()?))
    }

    fn find(&self, key: &str) -> Option<Origin> {
        self.0.iter().find(|(known, _)| *known == key).map(|(_, origin)| *origin)
    }
}

/// The rule of that name in a table of names.
pub(super) fn rule_named(word: &str) -> Option<Rule> {
    match word {
        "" | "exact" => Some(Rule::Alias),
        "glob" => Some(Rule::Glob),
        "regex" => Some(Rule::Regex),
        _ => None,
    }
}

/// The sentence for a rule that does not exist.
pub(super) fn not_a_rule(word: &str) -> String {
    format!("`match` is `{word}`, expected exact, glob or regex")
}

/// A regular expression that has to cover the whole name.
pub(super) fn whole(pattern: &str) -> std::result::Result<Regex, regex_lite::Error> {
    Regex::new(&format!("^(?:{pattern})$"))
}

/// Whether a pattern covers the whole name: `*` is any run of characters, `?` is one. Time is at most the product of
/// the lengths, space is constant.
fn covers(pattern: &str, name: &str) -> bool {
    let (pattern, name) = (pattern.as_bytes(), name.as_bytes());
    let (mut p, mut n) = (0, 0);
    let mut retry: Option<(usize, usize)> = None;
    while n < name.len() {
        match pattern.get(p) {
            Some(b'*') => {
                retry = Some((p, n));
                p += 1;
            }
            Some(b'?') => {
                p += 1;
                n = character_end(name, n);
            }
            Some(byte) if *byte == name[n] => {
                p += 1;
                n += 1;
            }
            _ => {
                let Some((star, from)) = retry else { return false };
                let from = character_end(name, from);
                retry = Some((star, from));
                (p, n) = (star + 1, from);
            }
        }
    }
    pattern[p..].iter().all(|byte| *byte == b'*')
}

/// Where the UTF-8 character at `at` ends.
fn character_end(text: &[u8], at: usize) -> usize {
    (at + 1..text.len()).find(|next| text[*next] & 0xC0 != 0x80).unwrap_or(text.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_is_any_run_and_a_question_mark_one_character() {
        for (pattern, name, covered) in [
            ("*", "", true),
            ("a*c", "abbbc", true),
            ("a*c", "abbb", false),
            ("a?c", "aéc", true),
            ("a?c", "ac", false),
            ("*b*b*", "abab", true),
            ("arn:*:*/x", "arn:1:2/x", true),
        ] {
            assert_eq!(covers(pattern, name), covered, "{pattern} {name}");
        }
    }
}
