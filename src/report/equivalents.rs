//! Everyday equivalents of sums: for people, never for inventories.

use crate::Result;
use crate::catalog::{Catalog, Record};
use crate::estimate::Total;
use crate::estimate::columns::sum;
use serde::Serialize;

/// A sum in everyday things.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Everyday {
    /// Catalog id of the thing.
    pub id: String,
    /// How many of it.
    pub count: f64,
    /// Its name, in the plural unless it is one.
    pub name: String,
    /// Column that it is an equivalent of.
    pub column: &'static str,
    /// What one of it is, in the unit of the column.
    pub amount: f64,
    /// Where that comes from.
    pub source: String,
}

/// What some sums are in everyday things; unknown columns and those that are zero are left out.
///
/// # Errors
/// [`crate::Error::CatalogRow`] for a catalog that breaks its rules.
pub fn equivalents(total: &Total, catalog: &Catalog) -> Result<Vec<Everyday>> {
    let mut found = Vec::new();
    for row in catalog.all_equivalents()? {
        let column = match row.of.as_str() {
            "emissions" => "co2e_location_g",
            "electricity" => "facility_kwh",
            _ => "water_onsite_l",
        };
        let Some(value) = total.value(sum(column)).filter(|value| *value > 0.0) else { continue };
        let count = value / row.amount;
        let name = if (count - 1.0).abs() < 0.005 { &row.name } else { &row.plural };
        let source = row.provenance().of("amount").source.to_owned();
        found.push(Everyday { id: row.id.clone(), count, name: name.clone(), column, amount: row.amount, source });
    }
    Ok(found)
}
