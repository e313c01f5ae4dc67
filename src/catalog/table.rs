//! Tables: the rows of a kind, what a user put over them, and the look-up by name.

use super::check::{build, join, not_a_quality, read, refuse};
use super::names::{Alias, Aliases, Resolved, Rule, rule_named};
use super::overlay::{UserAlias, UserRow};
use super::provenance::{CellOrigin, Quality};
use super::record::{CLOSING, Column, Load, shared};
use super::spelling::{Taken, reductions};
use crate::error::{Error, Result, nearest};
use csv::StringRecord;
use hashbrown::HashMap;
use serde::Serialize;
use std::collections::BTreeSet;
use std::sync::OnceLock;

/// What stands for the source of a cell that an overlay replaced without saying more.
pub(super) const USER: &str = "user overlay";

/// One cell as the command prints it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Cell<'a> {
    /// The text; empty where the value is unknown.
    pub value: &'a str,
    /// Where it comes from.
    pub source: &'a str,
    /// Day it was read there.
    pub retrieved: &'a str,
    /// Licence of the source; `facts` where only facts were taken.
    pub licence: &'a str,
    /// How it came to be.
    pub quality: Quality,
}

/// How a name led to its row, in words.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Resolution {
    /// The row.
    pub id: String,
    /// The rule that matched: `id`, `alias`, `glob`, `regex`, `spelling` or `part`.
    pub rule: &'static str,
    /// The entry of the table of names that matched.
    pub alias: Option<String>,
    /// What was taken off the name: `path`, `date`, …
    pub taken: Vec<&'static str>,
    /// Where the name was seen.
    pub seen: Option<String>,
    /// What had to be chosen to get there.
    pub note: Option<String>,
    /// Precision of the weights that the name speaks of.
    pub precision_hint: Option<String>,
    /// Whether the name is a pointer whose target changes.
    pub moving: bool,
    /// Quality of the step from name to row; none where the name is the id.
    pub quality: Option<&'static str>,
}

/// A kind as rows of cells under its columns.
#[derive(Clone, Debug, PartialEq)]
pub struct Table<'a> {
    /// The kind, as in [`super::Catalog::KINDS`].
    pub kind: &'static str,
    /// The columns.
    pub columns: &'static [Column],
    /// The rows, in the order of the files.
    pub rows: Vec<Vec<Cell<'a>>>,
}

/// A row that a name means.
#[derive(Clone, Copy)]
struct Meant<'a> {
    rule: Rule,
    target: u32,
    alias: Option<&'a Alias>,
}

impl Meant<'_> {
    fn plain(rule: Rule, target: u32) -> Self {
        Self { rule, target, alias: None }
    }
}

/// Adds a row that is not there yet.
fn add<'a>(found: &mut Vec<Meant<'a>>, one: Meant<'a>) {
    if found.iter().all(|other| other.target != one.target) {
        found.push(one);
    }
}

/// The rows of one kind, ready to be asked.
#[derive(Debug)]
pub(super) struct Store<T> {
    pub(super) rows: Vec<T>,
    cells: Vec<StringRecord>,
    ids: HashMap<String, u32>,
    user_aliases: Aliases,
    aliases: OnceLock<Result<Aliases>>,
    /// Rows by the last part of their repository; two rows are no answer.
    tails: OnceLock<HashMap<String, Option<u32>>>,
}

impl<T: Load + 'static> Store<T> {
    /// Reads the embedded files and what a user put over them.
    pub(super) fn load(user: &[UserRow], user_aliases: &[UserAlias]) -> Result<Self> {
        let mut store = Self::empty();
        let (first, joined) = T::FILES.split_first().map_or((None, &[][..]), |(first, rest)| (Some(first), rest));
        if let Some(file) = first {
            let mut rows = read(file, T::COLUMNS)?;
            for file in joined {
                join(file, T::COLUMNS, &mut rows)?;
            }
            store.rows.reserve(rows.len());
            for cells in rows {
                store.push(file.name, cells, Vec::new(), false)?;
            }
        }
        for file in T::MORE {
            for cells in read(file, T::COLUMNS)? {
                store.push(file.name, cells, Vec::new(), false)?;
            }
        }
        for (index, row) in user.iter().enumerate() {
            // Within one place a second row of an id is a mistake; of another place it goes over the first.
            let twice = |before: &UserRow| before.place == row.place && T::key(&before.id) == T::key(&row.id);
            if user[..index].iter().any(twice) {
                return Err(refuse(&row.place, &row.id, "the id stands twice".into()));
            }
            store.overlay(row)?;
        }
        for entry in user_aliases {
            store.add_alias(entry)?;
        }
        Ok(store)
    }

    fn empty() -> Self {
        let (rows, cells, ids) = (Vec::new(), Vec::new(), HashMap::new());
        let (aliases, tails) = (OnceLock::new(), OnceLock::new());
        Self { rows, cells, ids, user_aliases: Aliases::default(), aliases, tails }
    }

    /// Checks one row, builds its record and adds it.
    fn push(&mut self, file: &str, cells: StringRecord, cell_origins: Vec<CellOrigin>, user: bool) -> Result<()> {
        let record: T = build(file, &cells, cell_origins, user)?;
        let index = u32::try_from(self.rows.len()).map_err(|_| Error::Overflow { what: "rows of a catalog".into() })?;
        if self.ids.insert(T::key(record.id()).into_owned(), index).is_some() {
            return Err(refuse(file, record.id(), "the id stands twice".into()));
        }
        self.rows.push(record);
        self.cells.push(cells);
        Ok(())
    }

    /// Puts a user's row over the row of the same id, or adds it.
    fn overlay(&mut self, user: &UserRow) -> Result<()> {
        let names = || T::COLUMNS.iter().map(|column| column.name);
        for (key, _) in &user.cells {
            if !names().any(|name| name == key) {
                let place = format!("{} [[{}]] `{}`", user.place, user.table, user.id);
                return Err(Error::UnknownKey { place, key: key.clone(), nearest: nearest(key, names()) });
            }
        }
        let Some(&index) = self.ids.get(T::key(&user.id).as_ref()) else {
            let cell = |column: &Column| match (user.get(column.name), column.name) {
                (Some(value), _) => value,
                (None, "id") => &user.id,
                (None, "retrieved" | "licence") => "user",
                (None, _) => "",
            };
            return self.push(&user.place, T::COLUMNS.iter().map(cell).collect(), Vec::new(), true);
        };
        let index = index as usize;
        let quality = match user.get("quality") {
            None => Quality::Assumed,
            Some(word) => {
                Quality::parse(word).ok_or_else(|| refuse(&user.place, &user.id, not_a_quality("quality", word)))?
            }
        };
        let source = user.get("source").map_or_else(|| USER.to_owned(), |source| format!("{USER}: {source}"));
        let about_row = ["id", "source", "retrieved", "licence", "quality"];
        let (mut cells, before) = (StringRecord::new(), &self.rows[index].provenance().cell_origins);
        let mut cell_origins: Vec<CellOrigin> =
            before.iter().filter(|origin| origin.source.starts_with(USER)).cloned().collect();
        for (column, old) in T::COLUMNS.iter().zip(&self.cells[index]) {
            let given = user.get(column.name).filter(|_| !about_row.contains(&column.name));
            cells.push_field(given.unwrap_or(old));
            if given.is_some() {
                cell_origins.push(CellOrigin {
                    column: column.name,
                    source: source.clone(),
                    retrieved: user.get("retrieved").unwrap_or("user").to_owned(),
                    licence: user.get("licence").unwrap_or("user").to_owned(),
                    quality,
                });
            }
        }
        self.rows[index] = build(&user.place, &cells, cell_origins, true)?;
        self.cells[index] = cells;
        Ok(())
    }

    fn add_alias(&mut self, entry: &UserAlias) -> Result<()> {
        let refuse = |problem: String| refuse(&entry.place, &entry.alias, problem);
        let rule = rule_named(&entry.rule).ok_or_else(|| refuse(super::names::not_a_rule(&entry.rule)))?;
        if rule == Rule::Regex {
            super::names::whole(&entry.alias).map_err(|error| refuse(format!("not a regular expression: {error}")))?;
        }
        let quality = Quality::parse(&entry.quality);
        let quality = quality.ok_or_else(|| refuse(not_a_quality("quality", &entry.quality)))?;
        let target = self.ids.get(T::key(&entry.id).as_ref()).copied();
        let target = target.ok_or_else(|| self.unknown(&entry.id))?;
        let alias = if rule == Rule::Regex { entry.alias.clone() } else { T::key(&entry.alias).into_owned() };
        let alias = Alias {
            name: alias.into(),
            rule,
            target,
            precision_hint: entry.precision_hint.clone().into(),
            note: USER.into(),
            moving: false,
            source: USER.into(),
            quality,
        };
        self.user_aliases.insert(alias).map_err(refuse)
    }

    fn unknown(&self, name: &str) -> Error {
        let ids = self.rows.iter().map(T::id);
        Error::UnknownName { kind: T::KIND, name: name.to_owned(), nearest: nearest(name, ids) }
    }

    /// The row a name means: its id, a name that a table lists, or what is left of it without paths, regions and dates.
    pub(super) fn resolve(&self, name: &str) -> Result<Resolved<'_, T>> {
        let key = T::key(name);
        let mut meant = self.meant(&key)?;
        let mut part = (Taken::default(), "");
        if meant.is_empty() && T::WRAPPED {
            for reduced in reductions(&key) {
                meant = self.meant(&reduced.name)?;
                if reduced.taken.has_path() && !reduced.name.contains('/') {
                    // The end of a path may be a repository's as well as a name that means another row.
                    match self.tails().get(&reduced.name) {
                        Some(Some(index)) => add(&mut meant, Meant::plain(Rule::Part, *index)),
                        Some(None) => return Err(self.several(name, &self.ending(&reduced.name))),
                        None => {}
                    }
                }
                if !meant.is_empty() {
                    part = (reduced.taken, reduced.precision_hint);
                    break;
                }
            }
        }
        if meant.is_empty() {
            meant = T::respell(&self.rows, &key)
                .into_iter()
                .filter_map(|index| u32::try_from(index).ok())
                .map(|index| Meant::plain(Rule::Spelling, index))
                .collect();
        }
        match meant[..] {
            [] => Err(self.unknown(name)),
            [found] => Ok(self.resolved(found, part)),
            _ => Err(self.several(name, &meant.iter().map(|found| found.target).collect::<Vec<_>>())),
        }
    }

    /// Rows that a name means without taking anything off it, one entry each.
    fn meant(&self, key: &str) -> Result<Vec<Meant<'_>>> {
        if let Some(index) = self.ids.get(key) {
            return Ok(vec![Meant::plain(Rule::Id, *index)]);
        }
        let mut found = self.user_aliases.find(key);
        if found.is_empty() {
            let aliases = self.aliases.get_or_init(|| {
                T::ALIASES.map_or_else(
                    || Ok(Aliases::default()),
                    |file| Aliases::read(&file, |id| self.ids.get(T::key(id).as_ref()).copied()),
                )
            });
            found = shared(aliases)?.find(key);
        }
        Ok(found
            .into_iter()
            .map(|alias| Meant { rule: alias.rule, target: alias.target, alias: Some(alias) })
            .collect())
    }

    fn resolved<'a>(&'a self, found: Meant<'a>, (taken, hint): (Taken, &'static str)) -> Resolved<'a, T> {
        let said = |text: &'a str| Some(text).filter(|text| !text.is_empty());
        let alias = found.alias;
        let by_part = (!taken.is_empty()).then_some(Quality::Derived);
        let quality = match found.rule {
            Rule::Id => None,
            _ => Some(alias.map_or(Quality::Derived, |alias| alias.quality)),
        };
        Resolved {
            row: &self.rows[found.target as usize],
            rule: if taken.is_empty() { found.rule } else { Rule::Part },
            alias: alias.map(|alias| alias.name.as_ref()),
            seen: alias.and_then(|alias| said(&alias.source)),
            taken,
            note: alias.and_then(|alias| said(&alias.note)),
            precision_hint: said(hint).or_else(|| alias.and_then(|alias| said(&alias.precision_hint))),
            moving: alias.is_some_and(|alias| alias.moving),
            quality: quality.or(by_part),
        }
    }

    fn tails(&self) -> &HashMap<String, Option<u32>> {
        self.tails.get_or_init(|| {
            let mut tails: HashMap<String, Option<u32>> = HashMap::new();
            for (index, row) in (0_u32..).zip(&self.rows) {
                let Some(tail) = row.repository().and_then(|repository| repository.rsplit('/').next()) else {
                    continue;
                };
                let place = tails.entry(T::key(tail).into_owned()).or_insert(Some(index));
                *place = place.filter(|known| *known == index);
            }
            tails
        })
    }

    /// Rows whose repository ends so.
    fn ending(&self, tail: &str) -> Vec<u32> {
        let ends =
            |row: &T| row.repository().and_then(|r| r.rsplit('/').next()).is_some_and(|last| T::key(last) == tail);
        (0_u32..).zip(&self.rows).filter(|(_, row)| ends(row)).map(|(index, _)| index).collect()
    }

    fn several(&self, name: &str, targets: &[u32]) -> Error {
        let candidates = targets.iter().map(|index| self.rows[*index as usize].id().to_owned()).collect();
        Error::AmbiguousName { kind: T::KIND, name: name.to_owned(), candidates }
    }

    /// How a name leads to its row, in words.
    pub(super) fn resolution(&self, name: &str) -> Result<Resolution> {
        let found = self.resolve(name)?;
        let owned = |text: Option<&str>| text.map(str::to_owned);
        Ok(Resolution {
            id: found.row.id().to_owned(),
            rule: found.rule.name(),
            alias: owned(found.alias),
            taken: found.taken.words().collect(),
            seen: owned(found.seen),
            note: owned(found.note),
            precision_hint: owned(found.precision_hint),
            moving: found.moving,
            quality: found.quality.map(Quality::name),
        })
    }

    /// Places of the rows that hold a text in any cell of words, or that a listed name with it means; in their order.
    pub(super) fn search(&self, text: &str) -> Result<Vec<usize>> {
        let wanted = super::names::lower(text);
        let words = |cell: &str| super::names::lower(cell).contains(wanted.as_ref());
        let about = T::COLUMNS.len() - CLOSING.len();
        let has = |cells: &StringRecord| cells.iter().take(about.min(6)).any(words);
        let mut found: BTreeSet<usize> = (0..self.rows.len()).filter(|at| has(&self.cells[*at])).collect();
        self.meant("")?;
        let listed = self.aliases.get().and_then(|aliases| aliases.as_ref().ok());
        for alias in listed.into_iter().chain([&self.user_aliases]).flat_map(Aliases::entries) {
            if alias.name.contains(wanted.as_ref()) {
                found.insert(alias.target as usize);
            }
        }
        Ok(found.into_iter().collect())
    }

    /// All rows as cells.
    pub(super) fn table(&self, kind: &'static str) -> Table<'_> {
        self.rows_of(kind, 0..self.rows.len())
    }

    /// These rows as cells.
    pub(super) fn rows_of(&self, kind: &'static str, places: impl IntoIterator<Item = usize>) -> Table<'_> {
        let rows = places.into_iter().map(|index| self.cells(index).map(|(_, cell)| cell).collect()).collect();
        Table { kind, columns: T::COLUMNS, rows }
    }

    /// One row as columns and cells.
    pub(super) fn item(&self, name: &str) -> Result<Vec<(&'static Column, Cell<'_>)>> {
        let row = self.resolve(name)?.row;
        let index = self.ids.get(T::key(row.id()).as_ref()).map_or(0, |index| *index as usize);
        Ok(self.cells(index).collect())
    }

    fn cells(&self, index: usize) -> impl Iterator<Item = (&'static Column, Cell<'_>)> {
        let provenance = self.rows[index].provenance();
        T::COLUMNS.iter().zip(&self.cells[index]).map(|(column, value)| {
            let origin = provenance.of(column.name);
            let super::Origin { source, retrieved, licence, quality } = origin;
            (column, Cell { value, source, retrieved, licence, quality })
        })
    }
}
