//! The catalog as the command shows it.

use crate::catalog::Catalog;
use pyo3::prelude::*;

#[pyfunction]
pub(super) fn catalog_kinds() -> Vec<&'static str> {
    Catalog::KINDS.to_vec()
}

/// Columns (name, unit, meaning) and rows of text of a kind.
#[pyfunction]
#[expect(clippy::type_complexity, reason = "tuples of text for Python")]
pub(super) fn catalog_table(kind: &str) -> PyResult<(Vec<(String, String, String)>, Vec<Vec<String>>)> {
    let columns = Catalog::columns(kind)?;
    let table = Catalog::builtin().table(kind)?;
    let columns = columns.iter().map(|c| (c.name.into(), c.unit.into(), c.meaning.into())).collect();
    Ok((columns, table.rows.iter().map(|row| row.iter().map(|cell| cell.value.to_owned()).collect()).collect()))
}

/// Column, unit, text, quality, source.
type Item = (String, String, String, String, String);

/// One row of a kind.
#[pyfunction]
pub(super) fn catalog_item(kind: &str, name: &str) -> PyResult<Vec<Item>> {
    let item = Catalog::builtin().item(kind, name)?;
    Ok(item
        .into_iter()
        .map(|(column, cell)| {
            let origin = (cell.quality.name().to_owned(), cell.source.to_owned());
            (column.name.into(), column.unit.into(), cell.value.to_owned(), origin.0, origin.1)
        })
        .collect())
}
