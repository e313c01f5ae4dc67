//! What every kind declares once: its columns with unit, band and meaning, and how a row becomes a record.

use super::provenance::{Provenance, Quality};
use crate::error::Result;
use csv::StringRecord;

/// What a cell may hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Content {
    /// Words.
    Text,
    /// A finite decimal number inside the band.
    Number,
    /// `yes` or `no`.
    Flag,
}

/// One column of a kind: the schema that the loader checks and the reference prints.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Column {
    /// Name, unit included where there is one.
    pub name: &'static str,
    /// Unit; empty for words and ratios.
    pub unit: &'static str,
    /// What a cell may hold.
    pub content: Content,
    /// Smallest plausible number.
    pub low: f64,
    /// Largest plausible number.
    pub high: f64,
    /// Whether an empty cell is refused.
    pub required: bool,
    /// What it is, in words.
    pub meaning: &'static str,
}

impl Column {
    pub(super) const fn text(name: &'static str, required: bool, meaning: &'static str) -> Self {
        Self { name, unit: "", content: Content::Text, low: 0.0, high: 0.0, required, meaning }
    }
}

/// Columns that close every table.
pub(super) const CLOSING: [Column; 5] = [
    Column::text("source", true, "Where the row comes from"),
    Column::text("retrieved", true, "Day it was read"),
    Column::text("licence", true, "Licence of the row; facts where only facts were taken"),
    Column::text("quality", true, "measured, vendor, derived or assumed"),
    Column::text("assumed_cells", false, "Columns of this row that have no document behind them"),
];

/// A row of the catalogue.
pub trait Record: Sized {
    /// The kind in the singular, as messages say it.
    const KIND: &'static str;
    /// The columns, in the order of [`super::Table`].
    const COLUMNS: &'static [Column];

    /// The key.
    fn id(&self) -> &str;

    /// Where the row comes from.
    fn provenance(&self) -> &Provenance;

    /// Quality of the value of one column: `hardware.cell_quality("idle_w")`.
    fn cell_quality(&self, column: &str) -> Quality {
        self.provenance().cell_quality(column)
    }
}

/// What the loader needs of a kind beyond its columns.
pub(super) trait Load: Record {
    /// The data files; later ones are joined to the first by id.
    const FILES: &'static [File];
    /// Files with further rows.
    const MORE: &'static [File] = &[];
    /// The names file, where there is one.
    const ALIASES: Option<File> = None;

    /// Builds the record from cells that have passed the column checks; the text says which rule across columns fails.
    fn build(row: &Row<'_>) -> std::result::Result<Self, String>;

    /// The form in which two spellings of a name are equal.
    fn key(name: &str) -> std::borrow::Cow<'_, str> {
        super::names::dashed(name)
    }

    /// Whether names of this kind come wrapped in paths, regions, dates (see [`super::spelling`]).
    const WRAPPED: bool = false;

    /// The repository of a row, whose last part is what served paths end in.
    fn repository(&self) -> Option<&str> {
        None
    }

    /// Rows that a name means although no table lists the spelling: a display name, a version prefix.
    fn respell(_rows: &[Self], _key: &str) -> Vec<usize> {
        Vec::new()
    }
}

/// An embedded data file.
#[derive(Clone, Copy, Debug)]
pub(super) struct File {
    pub name: &'static str,
    pub text: &'static str,
    /// What the provenance columns of this file are prefixed with when it is joined to another.
    pub prefix: &'static str,
    /// For a table of names: the list of sources that it gives keys of.
    pub sources: Option<&'static str>,
}

/// The text and the numbers of one checked row, by position of the column.
pub(super) struct Row<'a> {
    pub cells: &'a StringRecord,
    /// Not a number where the cell is empty or holds words.
    pub numbers: &'a [f64],
    pub provenance: Provenance,
}

/// A type that a cell can be read into; the checks come before, so reading cannot fail.
pub(super) trait Field {
    const CONTENT: Content;
    const REQUIRED: bool;
    fn read(text: &str, number: f64) -> Self;
}

impl Field for String {
    const CONTENT: Content = Content::Text;
    const REQUIRED: bool = true;
    fn read(text: &str, _: f64) -> Self {
        text.to_owned()
    }
}

impl Field for Option<String> {
    const CONTENT: Content = Content::Text;
    const REQUIRED: bool = false;
    fn read(text: &str, _: f64) -> Self {
        (!text.is_empty()).then(|| text.to_owned())
    }
}

impl Field for f64 {
    const CONTENT: Content = Content::Number;
    const REQUIRED: bool = true;
    fn read(_: &str, number: f64) -> Self {
        number
    }
}

impl Field for Option<f64> {
    const CONTENT: Content = Content::Number;
    const REQUIRED: bool = false;
    fn read(_: &str, number: f64) -> Self {
        number.is_finite().then_some(number)
    }
}

impl Field for Option<u16> {
    const CONTENT: Content = Content::Number;
    const REQUIRED: bool = false;
    fn read(text: &str, _: f64) -> Self {
        text.parse().ok()
    }
}

impl Field for Option<bool> {
    const CONTENT: Content = Content::Flag;
    const REQUIRED: bool = false;
    fn read(text: &str, _: f64) -> Self {
        (!text.is_empty()).then_some(text == "yes")
    }
}

/// Declares a record once: the struct, its columns with unit and band, and how a row becomes it.
macro_rules! record {
    ($(#[$attr:meta])* $visibility:vis $name:ident = $kind:literal {
        $(#[doc = $meaning:literal] $field:ident: $type:ty $(= $unit:literal [$low:expr, $high:expr])?,)+
    }) => {
        $(#[$attr])*
        #[derive(Clone, Debug, PartialEq)]
        $visibility struct $name {
            $(#[doc = $meaning] pub $field: $type,)+
            /// Where the row comes from.
            pub provenance: $crate::catalog::Provenance,
        }

        impl $name {
            #[allow(unused_mut, unused_assignments, reason = "a column of words has no unit and no band")]
            pub(super) const COLUMNS: &'static [$crate::catalog::Column] = &{
                use $crate::catalog::record::{CLOSING, Field};
                use $crate::catalog::Column;
                [
                    $({
                        let (mut unit, mut low, mut high) = ("", 0.0, 0.0);
                        $((unit, low, high) = ($unit, $low, $high);)?
                        Column {
                            name: stringify!($field),
                            unit,
                            content: <$type as Field>::CONTENT,
                            low,
                            high,
                            required: <$type as Field>::REQUIRED,
                            meaning: $meaning.trim_ascii(),
                        }
                    },)+
                    CLOSING[0], CLOSING[1], CLOSING[2], CLOSING[3], CLOSING[4],
                ]
            };

            pub(super) fn read(row: &$crate::catalog::record::Row<'_>) -> Self {
                let mut columns = row.numbers.iter().enumerate();
                let mut next = || {
                    let (index, number) = columns.next().unwrap_or((usize::MAX, &f64::NAN));
                    (row.cells.get(index).unwrap_or_default(), *number)
                };
                Self {
                    $($field: {
                        let (text, number) = next();
                        $crate::catalog::record::Field::read(text, number)
                    },)+
                    provenance: row.provenance.clone(),
                }
            }
        }

        impl $crate::catalog::Record for $name {
            const KIND: &'static str = $kind;
            const COLUMNS: &'static [$crate::catalog::Column] = Self::COLUMNS;

            fn id(&self) -> &str {
                &self.id
            }

            fn provenance(&self) -> &$crate::catalog::Provenance {
                &self.provenance
            }
        }
    };
}
pub(super) use record;

/// Low, typical and high have to stand in that order where they are given.
pub(super) fn ordered(what: &str, values: [Option<f64>; 3]) -> std::result::Result<(), String> {
    let given: Vec<f64> = values.into_iter().flatten().collect();
    if given.is_sorted() { Ok(()) } else { Err(format!("{what}: low, typical and high are not in that order")) }
}

/// A result whose error is shared by everybody who asks.
pub(super) fn shared<T>(result: &Result<T>) -> Result<&T> {
    result.as_ref().map_err(Clone::clone)
}
