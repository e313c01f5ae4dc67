//! The loader's rules, on small planted tables.

use super::check::{join, read};
use super::record::{CLOSING, File, Load, Row, record};
use crate::error::Error;

record! {
    /// A table of two columns.
    Thing = "thing" {
        /// Key.
        id: String,
        /// A number.
        power_w: f64 = "W" [1.0, 100.0],
        /// A flag.
        lit: Option<bool>,
    }
}

impl Load for Thing {
    const FILES: &'static [File] = &[];

    fn build(row: &Row<'_>) -> Result<Self, String> {
        Ok(Self::read(row))
    }
}

const HEADER: &str = "id,power_w,lit,source,retrieved,licence,quality,assumed_cells\n";

/// Loads one line and says what is wrong with it.
fn problem(line: &str) -> String {
    let text: &'static str = Box::leak(format!("{HEADER}{line}\n").into_boxed_str());
    let file = File { name: "things.csv", text, prefix: "", sources: None };
    let loaded = read(&file, Thing::COLUMNS)
        .and_then(|rows| super::check::build::<Thing>(file.name, &rows[0], Vec::new(), false));
    match loaded {
        Ok(thing) => format!("fine: {thing:?}"),
        Err(Error::CatalogRow { problem, .. }) => problem,
        Err(other) => other.to_string(),
    }
}

#[test]
fn each_rule_refuses_its_planted_row() {
    assert!(problem("a,5,yes,book,2026-11-22,facts,vendor,power_w").starts_with("fine"));
    for (line, said) in [
        ("a,,yes,book,2026-11-22,facts,vendor,", "`power_w` is empty"),
        ("a,500,yes,book,2026-11-22,facts,vendor,", "`power_w` is 500 W, outside 1 to 100 W"),
        ("a,NaN,yes,book,2026-11-22,facts,vendor,", "`power_w` is NaN W, outside 1 to 100 W"),
        ("a,five,yes,book,2026-11-22,facts,vendor,", "`power_w` is `five`, expected a number"),
        ("a,5,maybe,book,2026-11-22,facts,vendor,", "`lit` is `maybe`, expected yes or no"),
        (",5,yes,book,2026-11-22,facts,vendor,", "`id` is empty"),
        ("a,5,yes,,2026-11-22,facts,vendor,", "`source` is empty"),
        ("a,5,yes,book,,facts,vendor,", "`retrieved` is empty"),
        ("a,5,yes,book,last week,facts,vendor,", "`retrieved` is `last week`, expected a date such as 2026-11-22"),
        ("a,5,yes,book,2026-11-22,,vendor,", "`licence` is empty"),
        ("a,5,yes,book,2026-11-22,facts,,", "`quality` is empty"),
        ("a,5,yes,book,2026-11-22,facts,good,", "`quality` is `good`, expected measured, vendor, derived or assumed"),
        ("a,5,yes,book,2026-11-22,facts,vendor,volts", "`assumed_cells` names `volts`, which is no column"),
    ] {
        assert_eq!(problem(line), said, "{line}");
    }
    assert!(problem("a,5,yes,book,2026-11-22,ODbL-1.0,vendor,").starts_with("licence `ODbL-1.0` is not one"));
    assert!(problem("a,5").contains("found record with 2 fields"));
}

#[test]
fn unknown_columns_are_refused() {
    let file = File { name: "things.csv", text: "id,colour\na,red\n", prefix: "", sources: None };
    let error = read(&file, Thing::COLUMNS).unwrap_err();
    assert_eq!(error.to_string(), "catalog things.csv, row `header`: unknown column `colour`");
}

#[test]
fn a_joined_file_needs_a_row_to_join_and_a_licence() {
    let main = File { name: "grids.csv", text: "id,name\nX,X land\n", prefix: "", sources: None };
    let columns = <super::Grid as super::Record>::COLUMNS;
    for (line, said) in
        [("Y,1,book,2026-11-22,MPL-2.0,derived", "no such id"), ("X,1,,2026-11-22,MPL-2.0,derived", "`source`")]
    {
        let text = format!("id,water_with_hydro_l_per_kwh,source,retrieved,licence,quality\n{line}\n");
        let water =
            File { name: "grid-water.csv", text: Box::leak(text.into_boxed_str()), prefix: "water_", sources: None };
        let mut rows = read(&main, columns).unwrap();
        let error = join(&water, columns, &mut rows).unwrap_err();
        assert!(error.to_string().contains(said), "{error}");
    }
}

#[test]
fn every_table_ends_with_its_provenance() {
    for kind in super::Catalog::KINDS {
        let columns = super::Catalog::columns(kind).unwrap();
        assert_eq!(columns[columns.len() - CLOSING.len()..], CLOSING);
        assert!(columns.iter().all(|column| !column.meaning.is_empty()));
    }
}
