//! The catalog as the command shows it: that of the package, or that of a fleet with rows of its own.

use super::fleet::Fleet;
use super::loads;
use crate::catalog::{Catalog, Table, model_from_config};
use crate::estimate::made_of;
use crate::files;
use crate::plan::accelerator_parts;
use pyo3::exceptions::PyRuntimeError;
use pyo3::prelude::*;
use std::path::PathBuf;

#[pyfunction]
pub(super) fn catalog_kinds() -> Vec<&'static str> {
    Catalog::KINDS.to_vec()
}

/// Edition, content hash and, by data file, its rows.
#[pyfunction]
#[pyo3(signature = (fleet = None))]
pub(super) fn catalog_edition(fleet: Option<&Bound<'_, Fleet>>) -> (&'static str, String) {
    (Catalog::edition(), of(fleet.map(Bound::get)).content_hash().to_owned())
}

fn of(fleet: Option<&Fleet>) -> &Catalog {
    match fleet {
        Some(fleet) => fleet.0.catalog(),
        None => Catalog::builtin(),
    }
}

/// Columns (name, unit, meaning) and rows of text of a kind.
type Rows = (Vec<(String, String, String)>, Vec<Vec<String>>);

fn rows(kind: &str, table: &Table<'_>) -> PyResult<Rows> {
    let columns = Catalog::columns(kind)?;
    let columns = columns.iter().map(|c| (c.name.into(), c.unit.into(), c.meaning.into())).collect();
    Ok((columns, table.rows.iter().map(|row| row.iter().map(|cell| cell.value.to_owned()).collect()).collect()))
}

/// All rows of a kind.
#[pyfunction]
#[pyo3(signature = (kind, fleet = None))]
pub(super) fn catalog_table(kind: &str, fleet: Option<&Bound<'_, Fleet>>) -> PyResult<Rows> {
    rows(kind, &of(fleet.map(Bound::get)).table(kind)?)
}

/// The rows of a kind that a text is found in.
#[pyfunction]
#[pyo3(signature = (kind, text, fleet = None))]
pub(super) fn catalog_search(kind: &str, text: &str, fleet: Option<&Bound<'_, Fleet>>) -> PyResult<Rows> {
    rows(kind, &of(fleet.map(Bound::get)).search(kind, text)?)
}

/// How a name leads to its row.
#[pyfunction]
#[pyo3(signature = (kind, name, fleet = None))]
pub(super) fn catalog_resolution<'py>(
    py: Python<'py>,
    kind: &str,
    name: &str,
    fleet: Option<&Bound<'_, Fleet>>,
) -> PyResult<Bound<'py, PyAny>> {
    let found = of(fleet.map(Bound::get)).resolution(kind, name)?;
    let json = serde_json::to_string(&found).map_err(|error| PyRuntimeError::new_err(error.to_string()))?;
    loads(py, &json)
}

/// Column, unit, text, quality, source, day it was read, licence.
type Item = [String; 7];

/// One row of a kind, every cell with where it comes from.
#[pyfunction]
#[pyo3(signature = (kind, name, fleet = None))]
pub(super) fn catalog_item(kind: &str, name: &str, fleet: Option<&Bound<'_, Fleet>>) -> PyResult<Vec<Item>> {
    let item = of(fleet.map(Bound::get)).item(kind, name)?;
    let cells = item.into_iter().map(|(column, cell)| {
        [column.name, column.unit, cell.value, cell.quality.name(), cell.source, cell.retrieved, cell.licence]
            .map(str::to_owned)
    });
    Ok(cells.collect())
}

/// A model described by a released configuration, as a `[[model]]` row for a fleet file.
#[pyfunction]
pub(super) fn catalog_from_config(path: PathBuf, id: &str) -> PyResult<String> {
    let bytes = files::read_whole(&path)?;
    let place = path.file_name().unwrap_or_default().to_string_lossy();
    Ok(model_from_config(&String::from_utf8_lossy(&bytes), id, &place)?)
}

/// What one accelerator with its board took to make, part by part.
#[pyfunction]
pub(super) fn accelerator_burden<'py>(py: Python<'py>, hardware: &str) -> PyResult<Bound<'py, PyAny>> {
    let row = Catalog::builtin().hardware(hardware)?.row;
    let made = accelerator_parts(Catalog::builtin(), row)?;
    let told = made_of(&row.id, &row.id, &made, (1.0, 1.0));
    loads(py, &serde_json::to_string(&told).expect("plain data"))
}
