//! A measurement file as lines of named cells.

use crate::{Error, Result};
use csv::StringRecord;
use std::fs::File;
use std::ops::RangeInclusive;
use std::path::Path;

/// A file with its columns and lines.
#[derive(Debug)]
pub(super) struct Sheet {
    place: String,
    columns: Vec<String>,
    lines: Vec<StringRecord>,
}

/// One line of it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Line<'a> {
    sheet: &'a Sheet,
    cells: &'a StringRecord,
}

impl Sheet {
    /// Reads a CSV file that has to have these columns.
    pub(super) fn read(path: &Path, needed: &[&str]) -> Result<Self> {
        let file = File::open(path).map_err(|error| match error.kind() {
            std::io::ErrorKind::NotFound => Error::FileNotFound { path: path.into() },
            _ => Error::FileAccess { path: path.into(), problem: error.to_string() },
        })?;
        let place = path.to_string_lossy().into_owned();
        let broken = |error: csv::Error| broken(&place, path, error);
        let mut reader = csv::ReaderBuilder::new().trim(csv::Trim::All).from_reader(file);
        let columns: Vec<String> = reader.headers().map_err(broken)?.iter().map(str::to_owned).collect();
        for name in needed {
            let problem = match columns.iter().filter(|column| column == name).count() {
                1 => continue,
                0 => format!("no column `{name}`"),
                _ => format!("two columns are named `{name}`"),
            };
            return Err(Error::Measurements { place, problem });
        }
        let lines = reader.records().collect::<std::result::Result<_, _>>().map_err(broken)?;
        Ok(Self { place, columns, lines })
    }

    pub(super) fn lines(&self) -> impl Iterator<Item = Line<'_>> {
        self.lines.iter().map(|cells| Line { sheet: self, cells })
    }
}

impl<'a> Line<'a> {
    /// Its number in the file, the header being the first.
    pub(super) fn number(&self) -> u64 {
        self.cells.position().map_or(0, csv::Position::line)
    }

    /// Every cell that says something, by its column.
    pub(super) fn cells(&self) -> impl Iterator<Item = (&'a str, &'a str)> {
        let columns = self.sheet.columns.iter().map(String::as_str);
        columns.zip(self.cells).filter(|(_, text)| !text.is_empty())
    }

    /// What a cell says; nothing where it is empty or the column is not there.
    pub(super) fn text(&self, column: &str) -> Option<&'a str> {
        let at = self.sheet.columns.iter().position(|name| name == column)?;
        self.cells.get(at).filter(|text| !text.is_empty())
    }

    /// The number in a cell, which has to be inside its limits.
    pub(super) fn value(&self, column: &str, limits: RangeInclusive<f64>) -> Result<Option<f64>> {
        let Some(text) = self.text(column) else { return Ok(None) };
        match text.parse::<f64>() {
            Ok(value) if limits.contains(&value) => Ok(Some(value)),
            _ => {
                let (low, high) = (limits.start(), limits.end());
                let text = crate::error::excerpt(text);
                Err(Error::Measurements {
                    place: format!("{} line {}", self.sheet.place, self.number()),
                    problem: format!(
                        "`{column}` is `{text}`, expected a number from {} to {}",
                        plain(*low),
                        plain(*high)
                    ),
                })
            }
        }
    }
}

/// A limit as a person writes it: `0.000001`, `65536`, `1e15`.
fn plain(limit: f64) -> String {
    if limit < 1e7 { limit.to_string() } else { format!("{limit:e}") }
}

/// A file that is no CSV from some line on.
fn broken(place: &str, path: &Path, error: csv::Error) -> Error {
    let line = error.position().map_or(0, csv::Position::line);
    let place = if line > 0 { format!("{place} line {line}") } else { place.to_owned() };
    let problem = match error.into_kind() {
        csv::ErrorKind::Io(error) => return Error::FileAccess { path: path.into(), problem: error.to_string() },
        csv::ErrorKind::UnequalLengths { expected_len, len, .. } => {
            format!("{len} cells under {expected_len} columns")
        }
        csv::ErrorKind::Utf8 { .. } => "the text is not UTF-8".to_owned(),
        _ => "this is no CSV".to_owned(),
    };
    Error::Measurements { place, problem }
}
