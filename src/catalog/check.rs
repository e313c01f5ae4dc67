//! The rules of the tables: known columns, numbers in their bands, a source and a licence on every row.

use super::provenance::{CellOrigin, Provenance, Quality};
use super::record::{Column, Content, File, Load, Row};
use crate::error::{Error, Result};
use csv::StringRecord;
use hashbrown::HashMap;

/// Licences that a row of the package may have; `facts` is data that no licence covers.
pub const LICENCES: [&str; 6] = ["facts", "Apache-2.0", "MIT", "CC-BY-4.0", "MPL-2.0", "LicenseRef-US-public-domain"];

/// Columns that say where a row comes from, in this order.
const ABOUT_ROW: [&str; 4] = ["source", "retrieved", "licence", "quality"];

/// A problem of one row.
pub(super) fn refuse(file: &str, row: &str, problem: String) -> Error {
    Error::CatalogRow { file: file.to_owned(), row: row.to_owned(), problem }
}

/// The sentence for a quality that does not exist.
pub(super) fn not_a_quality(column: &str, word: &str) -> String {
    format!("`{column}` is `{word}`, expected measured, vendor, derived or assumed")
}

/// Reads a file into cells in the order of the columns.
pub(super) fn read(file: &File, columns: &[Column]) -> Result<Vec<StringRecord>> {
    let broken = |row: &str, error: &csv::Error| refuse(file.name, row, error.to_string());
    let mut reader = csv::Reader::from_reader(file.text.as_bytes());
    let header = reader.headers().map_err(|error| broken("header", &error))?.clone();
    let mut order = vec![usize::MAX; columns.len()];
    for (at, name) in header.iter().enumerate() {
        let prefixed = format!("{}{name}", file.prefix);
        let is = |wanted: &str| columns.iter().position(|column| column.name == wanted);
        let found = if ABOUT_ROW.contains(&name) { is(&prefixed) } else { is(name) };
        let Some(column) = found else { return Err(refuse(file.name, "header", format!("unknown column `{name}`"))) };
        order[column] = at;
    }
    let mut rows = Vec::new();
    for record in reader.records() {
        let record = record.map_err(|error| broken("?", &error))?;
        let mut cells = StringRecord::with_capacity(record.as_slice().len(), columns.len());
        for at in &order {
            cells.push_field(record.get(*at).unwrap_or_default());
        }
        rows.push(cells);
    }
    Ok(rows)
}

/// Adds the columns of a second file to the rows of the same id.
pub(super) fn join(file: &File, columns: &[Column], rows: &mut [StringRecord]) -> Result<()> {
    let mut at: HashMap<String, usize> = HashMap::new();
    for (index, row) in rows.iter().enumerate() {
        at.insert(row.get(0).unwrap_or_default().to_owned(), index);
    }
    for extra in read(file, columns)? {
        let id = extra.get(0).unwrap_or_default();
        let Some(&index) = at.get(id) else { return Err(refuse(file.name, id, "no such id in the main file".into())) };
        let about_row = |name: &str| name.strip_prefix(file.prefix).is_some_and(|name| ABOUT_ROW.contains(&name));
        let own = columns.iter().zip(&extra).filter(|(column, _)| about_row(column.name));
        let own: Vec<&str> = own.map(|(_, cell)| cell).collect();
        check_provenance(&own, &[]).map_err(|problem| refuse(file.name, id, problem))?;
        let merged = rows[index].iter().zip(&extra).map(|(old, new)| if new.is_empty() { old } else { new }).collect();
        rows[index] = merged;
    }
    Ok(())
}

/// Source, date, licence and quality of a row of the package; names of columns that are assumed exist.
fn check_provenance(own: &[&str], assumed: &[(&str, bool)]) -> std::result::Result<(), String> {
    let [source, retrieved, licence, quality] = own else { return Err("provenance columns are missing".into()) };
    if source.is_empty() {
        return Err("`source` is empty".into());
    }
    let date = |(index, byte): (usize, u8)| if matches!(index, 4 | 7) { byte == b'-' } else { byte.is_ascii_digit() };
    if retrieved.len() != 10 || !retrieved.bytes().enumerate().all(date) {
        return Err(format!("`retrieved` is `{retrieved}`, expected a date such as 2026-11-22"));
    }
    if !LICENCES.contains(licence) {
        return Err(format!("licence `{licence}` is not one that may be shipped: {}", LICENCES.join(", ")));
    }
    if Quality::parse(quality).is_none() {
        return Err(not_a_quality("quality", quality));
    }
    assumed
        .iter()
        .find(|(_, known)| !known)
        .map_or(Ok(()), |(name, _)| Err(format!("`assumed_cells` names `{name}`, which is no column")))
}

/// Checks every cell of a row against its column and makes the record.
pub(super) fn build<T: Load>(file: &str, cells: &StringRecord, cell_origins: Vec<CellOrigin>, user: bool) -> Result<T> {
    let columns = T::COLUMNS;
    let id = cells.get(0).unwrap_or_default();
    let wrong = |problem: String| refuse(file, id, problem);
    let mut numbers = Vec::with_capacity(columns.len());
    for (column, cell) in columns.iter().zip(cells) {
        numbers.push(number(column, cell).map_err(wrong)?);
    }
    let [source, retrieved, licence, quality, assumed] =
        std::array::from_fn(|back| cells.get(columns.len() - 5 + back).unwrap_or_default());
    let named: Vec<(&str, bool)> =
        assumed.split_ascii_whitespace().map(|name| (name, columns.iter().any(|column| column.name == name))).collect();
    let quality_known = Quality::parse(quality).ok_or_else(|| wrong(not_a_quality("quality", quality)))?;
    if !user {
        check_provenance(&[source, retrieved, licence, quality], &named).map_err(wrong)?;
    }
    let provenance = Provenance {
        source: source.to_owned(),
        retrieved: retrieved.to_owned(),
        licence: licence.to_owned(),
        quality: quality_known,
        assumed: assumed.to_owned(),
        cell_origins,
    };
    T::build(&Row { cells, numbers: &numbers, provenance }).map_err(wrong)
}

/// The number in a cell, not-a-number for words and empty cells, or what is wrong with it.
fn number(column: &Column, cell: &str) -> std::result::Result<f64, String> {
    let Column { name, unit, low, high, .. } = column;
    if cell.is_empty() {
        return if column.required { Err(format!("`{name}` is empty")) } else { Ok(f64::NAN) };
    }
    match column.content {
        Content::Text => Ok(f64::NAN),
        Content::Flag if matches!(cell, "yes" | "no") => Ok(f64::NAN),
        Content::Flag => Err(format!("`{name}` is `{cell}`, expected yes or no")),
        Content::Number => {
            let value: f64 = cell.parse().map_err(|_| format!("`{name}` is `{cell}`, expected a number"))?;
            if value.is_finite() && (*low..=*high).contains(&value) {
                return Ok(value);
            }
            let unit = if unit.is_empty() { String::new() } else { format!(" {unit}") };
            Err(format!("`{name}` is {cell}{unit}, outside {low} to {high}{unit}"))
        }
    }
}
