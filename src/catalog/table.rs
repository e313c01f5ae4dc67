//! Tables: the rows of a kind, what a user put over them, and the look-up by name.

use super::check::{build, join, not_a_quality, read, refuse};
use super::names::{Alias, Aliases, Resolved, Rule, rule_named};
use super::overlay::{UserAlias, UserRow};
use super::provenance::{CellOrigin, Quality};
use super::record::{Column, Load, shared};
use crate::error::{Error, Result, nearest};
use csv::StringRecord;
use hashbrown::HashMap;
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
    /// How it came to be.
    pub quality: Quality,
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

/// The rows of one kind, ready to be asked.
#[derive(Debug)]
pub(super) struct Store<T> {
    pub(super) rows: Vec<T>,
    cells: Vec<StringRecord>,
    ids: HashMap<String, u32>,
    user_aliases: Aliases,
    aliases: OnceLock<Result<Aliases>>,
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
        for (index, row) in user.iter().enumerate() {
            if user[..index].iter().any(|before| T::key(&before.id) == T::key(&row.id)) {
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
        Self { rows, cells, ids, user_aliases: Aliases::default(), aliases: OnceLock::new() }
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
        let (mut cells, mut cell_origins) = (StringRecord::new(), Vec::new());
        for (column, before) in T::COLUMNS.iter().zip(&self.cells[index]) {
            let given = user.get(column.name).filter(|_| !about_row.contains(&column.name));
            cells.push_field(given.unwrap_or(before));
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
            quality,
        };
        self.user_aliases.insert(alias).map_err(refuse)
    }

    fn unknown(&self, name: &str) -> Error {
        let ids = self.rows.iter().map(T::id);
        Error::UnknownName { kind: T::KIND, name: name.to_owned(), nearest: nearest(name, ids) }
    }

    /// The row a name means.
    pub(super) fn resolve(&self, name: &str) -> Result<Resolved<'_, T>> {
        let key = T::key(name);
        if let Some(&index) = self.ids.get(key.as_ref()) {
            let row = &self.rows[index as usize];
            return Ok(Resolved {
                row,
                rule: Rule::Id,
                alias: None,
                note: None,
                precision_hint: None,
                moving: false,
                quality: None,
            });
        }
        let mut found = self.user_aliases.find(&key);
        if found.is_empty() {
            let aliases = self.aliases.get_or_init(|| {
                T::ALIASES.map_or_else(
                    || Ok(Aliases::default()),
                    |file| Aliases::read(&file, |id| self.ids.get(T::key(id).as_ref()).copied()),
                )
            });
            found = shared(aliases)?.find(&key);
        }
        if let [entry] = found[..] {
            let said = |text: &'_ str| !text.is_empty();
            return Ok(Resolved {
                row: &self.rows[entry.target as usize],
                rule: entry.rule,
                alias: Some(&entry.name),
                note: Some(entry.note.as_ref()).filter(|text| said(text)),
                precision_hint: Some(entry.precision_hint.as_ref()).filter(|text| said(text)),
                moving: entry.moving,
                quality: Some(entry.quality),
            });
        }
        let mut targets: Vec<usize> = found.iter().map(|entry| entry.target as usize).collect();
        if targets.is_empty() {
            targets = T::respell(&self.rows, &key);
        }
        match targets[..] {
            [] => Err(self.unknown(name)),
            [index] => Ok(Resolved {
                row: &self.rows[index],
                rule: Rule::Spelling,
                alias: None,
                note: None,
                precision_hint: None,
                moving: false,
                quality: Some(Quality::Derived),
            }),
            _ => Err(Error::AmbiguousName {
                kind: T::KIND,
                name: name.to_owned(),
                candidates: targets.into_iter().map(|index| self.rows[index].id().to_owned()).collect(),
            }),
        }
    }

    /// All rows as cells.
    pub(super) fn table(&self, kind: &'static str) -> Table<'_> {
        let rows = (0..self.rows.len()).map(|index| self.cells(index).map(|(_, cell)| cell).collect()).collect();
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
            (column, Cell { value, source: origin.source, quality: origin.quality })
        })
    }
}
