//! A measurement file as lines of named cells.

use crate::{Error, Result};
use csv::StringRecord;
use std::ops::RangeInclusive;
use std::path::Path;

/// A file with its columns and lines.
#[derive(Debug)]
pub(super) struct Sheet {
    columns: Vec<String>,
    /// Their number in the file, the header being the first, and their cells.
    lines: Vec<(u64, StringRecord)>,
}

/// One line of it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Line<'a> {
    sheet: &'a Sheet,
    number: u64,
    cells: &'a StringRecord,
}

impl Sheet {
    /// Reads a CSV file that has to have these columns.
    pub(super) fn read(path: &Path, needed: &[&str]) -> Result<Self> {
        let bytes = std::fs::read(path).map_err(|error| match error.kind() {
            std::io::ErrorKind::NotFound => Error::FileNotFound { path: path.into() },
            _ => Error::FileAccess { path: path.into(), problem: error.to_string() },
        })?;
        let place = path.to_string_lossy().into_owned();
        let broken = |error: csv::Error| broken(&place, path, error);
        let mut reader = csv::ReaderBuilder::new().trim(csv::Trim::All).flexible(true).from_reader(bytes.as_slice());
        let columns: Vec<String> = reader.headers().map_err(broken)?.iter().map(str::to_owned).collect();
        for name in needed {
            let problem = match columns.iter().filter(|column| column == name).count() {
                1 => continue,
                0 => format!("no column `{name}`"),
                _ => format!("two columns are named `{name}`"),
            };
            return Err(Error::Measurements { place, problem });
        }
        let mut lines = Vec::new();
        for record in reader.into_records() {
            let record = record.map_err(broken)?;
            lines.push((line_of(&record, &bytes), record));
        }
        Ok(Self { columns, lines })
    }

    pub(super) fn lines(&self) -> impl Iterator<Item = Line<'_>> {
        self.lines.iter().map(|(number, cells)| Line { sheet: self, number: *number, cells })
    }
}

impl<'a> Line<'a> {
    /// Key of the row: its `row_id`, else its line.
    pub(super) fn id(&self) -> String {
        self.text("row_id").or(self.text("id")).map_or_else(|| format!("line {}", self.number), str::to_owned)
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

    /// The number in a cell, which has to be inside its limits; else what is wrong, with the place.
    pub(super) fn value(&self, column: &str, limits: RangeInclusive<f64>) -> std::result::Result<Option<f64>, String> {
        let Some(text) = self.text(column) else { return Ok(None) };
        match text.parse::<f64>() {
            Ok(value) if limits.contains(&value) => Ok(Some(value)),
            _ => {
                let (low, high) = (limits.start(), limits.end());
                let (line, text) = (self.number, crate::error::excerpt(text));
                let range = format!("{} to {}", plain(*low), plain(*high));
                Err(format!("line {line}: `{column}` is `{text}`, expected a number from {range}"))
            }
        }
    }

    /// What is wrong with the line as a whole.
    pub(super) fn whole(&self) -> std::result::Result<(), String> {
        let (cells, columns) = (self.cells.len(), self.sheet.columns.len());
        if cells == columns {
            return Ok(());
        }
        Err(format!("line {}: {cells} cells under {columns} columns", self.number))
    }
}

/// The line that a record begins on; its reader counts from before the empty lines that it passes over.
fn line_of(record: &StringRecord, bytes: &[u8]) -> u64 {
    let Some(at) = record.position() else { return 0 };
    let from = usize::try_from(at.byte()).ok().and_then(|from| bytes.get(from..)).unwrap_or_default();
    let empty = from.iter().take_while(|byte| matches!(byte, b'\n' | b'\r')).filter(|byte| **byte == b'\n').count();
    at.line() + empty as u64
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
        csv::ErrorKind::Utf8 { .. } => "the text is not UTF-8".to_owned(),
        _ => "this is no CSV".to_owned(),
    };
    Error::Measurements { place, problem }
}
