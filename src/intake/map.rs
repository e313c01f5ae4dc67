//! Column maps: which column of a log is which field. Formats are such maps, kept as data in `formats/`.

use super::field::{FIELDS, Field};
use crate::error::{Error, Result, nearest};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::sync::LazyLock;

/// The formats that ship, in the order they are tried; the last one is taken where none is recognised.
static FORMATS: LazyLock<Vec<ColumnMap>> = LazyLock::new(|| {
    [include_str!("formats/azure-llm-2023.toml"), include_str!("formats/flat.toml")]
        .into_iter()
        .map(|text| ColumnMap::from_toml(text).expect("a test reads every format"))
        .collect()
});

/// What a time of a log marks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TimestampIs {
    /// The start of the request.
    #[default]
    Start,
    /// Its end: where a latency is known, it is taken off.
    End,
}

/// A column map as it stands in TOML, for formats that ship and for those of users.
///
/// Every required field is either given columns or declared as carried by none (`[]`).
///
/// ```
/// use wattledger::intake::ColumnMap;
/// let map = ColumnMap::from_toml(r#"
///     name = "gateway"
///     [columns]
///     timestamp = ["at"]
///     model = ["llm.name"]
///     input_tokens = ["usage.in"]
///     output_tokens = ["usage.out"]
/// "#)?;
/// assert_eq!(map.name(), "gateway");
/// # Ok::<(), wattledger::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct ColumnMap {
    name: String,
    description: String,
    detect: Vec<String>,
    pub(super) input_timezone: Option<String>,
    pub(super) timestamp_is: TimestampIs,
    pub(super) columns: [Vec<String>; FIELDS],
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    name: String,
    #[serde(default)]
    description: String,
    #[serde(default, rename = "source")]
    _source: String,
    #[serde(default)]
    detect: Vec<String>,
    input_timezone: Option<String>,
    #[serde(default)]
    timestamp_is: TimestampIs,
    columns: BTreeMap<String, Vec<String>>,
}

impl ColumnMap {
    /// Reads a map.
    ///
    /// # Errors
    /// [`Error::ColumnMap`] for text that is no such map, a field nobody knows, or a required field that is missing.
    pub fn from_toml(text: &str) -> Result<Self> {
        let document: Document = toml::from_str(text).map_err(|error| Error::ColumnMap {
            problem: error.message().to_owned(),
            hint: "a map has name, columns and, where needed, detect, input_timezone and timestamp_is".into(),
        })?;
        let mut columns: [Vec<String>; FIELDS] = Default::default();
        for (name, candidates) in &document.columns {
            columns[field(name)? as usize].clone_from(candidates);
        }
        let missing = Field::ALL.into_iter().find(|f| f.required() && !document.columns.contains_key(f.name()));
        if let Some(field) = missing {
            return Err(Error::ColumnMap {
                problem: format!("map `{}` says nothing about {}", document.name, field.name()),
                hint: format!("name its columns, or declare that the log has none with {} = []", field.name()),
            });
        }
        Ok(Self {
            name: document.name,
            description: document.description,
            detect: document.detect,
            input_timezone: document.input_timezone,
            timestamp_is: document.timestamp_is,
            columns,
        })
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What it reads, in one sentence.
    #[must_use]
    pub fn description(&self) -> &str {
        &self.description
    }

    fn recognises(&self, carries: &dyn Fn(&str) -> bool) -> bool {
        !self.detect.is_empty() && self.detect.iter().all(|column| carries(column))
    }
}

/// The formats that ship, by the names `--format` takes.
#[must_use]
pub fn formats() -> &'static [ColumnMap] {
    &FORMATS
}

/// The format with this name.
pub(super) fn format_named(name: &str) -> Result<&'static ColumnMap> {
    formats().iter().find(|format| format.name == name).ok_or_else(|| Error::UnknownName {
        kind: "format",
        name: name.into(),
        nearest: nearest(name, formats().iter().map(ColumnMap::name)),
    })
}

/// The format of an input that carries these columns.
pub(super) fn format_for(carries: &dyn Fn(&str) -> bool) -> &'static ColumnMap {
    let recognised = formats().iter().find(|format| format.recognises(carries));
    recognised.unwrap_or(&formats()[formats().len() - 1])
}

/// The field with this name, or an error that names its neighbour.
pub(super) fn field(name: &str) -> Result<Field> {
    Field::from_name(name).ok_or_else(|| {
        let near = nearest(name, Field::ALL.map(Field::name));
        let hint = match near.first() {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("fields are {}", Field::ALL.map(Field::name).join(", ")),
        };
        Error::ColumnMap { problem: format!("unknown field: `{}`", crate::error::excerpt(name)), hint }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_format_reads_and_flat_comes_last() {
        assert_eq!(formats().last().map(ColumnMap::name), Some("flat"));
        assert!(formats().iter().all(|format| !format.description().is_empty()));
        assert_eq!(
            format_for(&|c| ["TIMESTAMP", "ContextTokens", "GeneratedTokens"].contains(&c)).name(),
            "azure-llm-2023"
        );
        assert_eq!(format_for(&|_| false).name(), "flat");
    }

    #[test]
    fn misspelt_fields_name_their_neighbour() {
        let Err(Error::ColumnMap { hint, .. }) = field("input_token") else { panic!("an unknown field") };
        assert_eq!(hint, "did you mean `input_tokens`?");
        let partial = ColumnMap::from_toml("name = 'x'\n[columns]\ntimestamp = ['t']\n");
        assert!(matches!(partial, Err(Error::ColumnMap { .. })));
        assert!(matches!(format_named("flta"), Err(Error::UnknownName { .. })));
    }
}
