//! Rows of the catalog in CSV files of the user's: what a TOML table says, cell by cell.

use crate::{Error, Result};
use std::path::Path;
use toml::{Table, Value};

/// Tables that a file may be named for, in the plural as well.
const KINDS: [&str; 9] = ["hardware", "server", "model", "engine", "site", "grid", "cooling", "embodied", "parameter"];

/// The rows of a CSV file as TOML. The kind is the first word of its name: `hardware.csv`, `models-ours.csv`. Empty cells
/// say nothing.
///
/// # Errors
/// [`Error::FleetSyntax`] for a file of no kind, and for one that is no CSV.
pub(super) fn rows(path: &Path, text: &str) -> Result<String> {
    let place = path.to_string_lossy().into_owned();
    let stem = path.file_stem().map(|stem| stem.to_string_lossy().to_lowercase()).unwrap_or_default();
    let word = stem.split(['-', '_', '.', ' ']).next().unwrap_or_default();
    let kind = KINDS.into_iter().find(|kind| *kind == word || word.strip_suffix('s') == Some(*kind));
    let Some(kind) = kind else {
        let problem = format!("the file's name does not begin with the kind of its rows: {}", KINDS.join(", "));
        return Err(Error::FleetSyntax { place, problem });
    };
    let broken = |error: csv::Error| {
        let line = error.position().map_or(String::new(), |at| format!(", line {}", at.line()));
        Error::FleetSyntax { place: format!("{place}{line}"), problem: format!("this is no CSV: {error}") }
    };
    let mut reader = csv::ReaderBuilder::new().trim(csv::Trim::All).from_reader(text.as_bytes());
    let header = reader.headers().map_err(broken)?.clone();
    let mut rows = Vec::new();
    for record in reader.records() {
        let record = record.map_err(broken)?;
        let cells = header.iter().zip(&record).filter(|(_, cell)| !cell.is_empty());
        rows.push(Value::Table(cells.map(|(name, cell)| (name.to_owned(), Value::String(cell.to_owned()))).collect()));
    }
    let table: Table = [(kind.to_owned(), Value::Array(rows))].into_iter().collect();
    toml::to_string(&table).map_err(|error| Error::FleetSyntax { place, problem: error.to_string() })
}
