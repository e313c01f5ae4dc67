//! Compiled maps: a format with the user's overrides, ready for rows.

use super::Options;
use super::field::{FIELDS, Field};
use super::map::{self, ColumnMap, TimestampIs};
use super::paths::PathTree;
use super::time::Zone;
use crate::error::{Error, Result};
use arrow_schema::Schema;

/// What the options say about columns, checked once before anything is opened.
#[derive(Debug)]
pub(super) struct Mapper {
    fixed: Option<ColumnMap>,
    overrides: Vec<(Field, Vec<String>)>,
    dimensions: Vec<String>,
    zone: Option<Zone>,
}

/// A column map ready for rows: the format, the user's overrides, the dimensions and the zone.
#[derive(Debug)]
pub struct CompiledMap {
    pub(super) format: String,
    pub(super) columns: [Vec<String>; FIELDS],
    pub(super) dimensions: Vec<String>,
    pub(super) zone: Zone,
    pub(super) timestamp_is: TimestampIs,
    pub(super) paths: PathTree,
}

/// Where the columns of one header are: for each field and dimension the columns that may hold it, best first.
#[derive(Debug)]
pub(super) struct Binding {
    pub fields: [Vec<usize>; FIELDS],
    pub dimensions: Vec<Option<usize>>,
}

impl Mapper {
    pub fn new(options: &Options) -> Result<Self> {
        let named = options.format.as_deref().filter(|name| *name != "auto");
        let fixed = match (&options.map_toml, named) {
            (Some(_), Some(name)) => {
                return Err(Error::ColumnMap {
                    problem: format!("both a map and the format `{}` are given", crate::error::excerpt(name)),
                    hint: "a map is a format of its own: drop one of the two".into(),
                });
            }
            (Some(text), None) => Some(ColumnMap::from_toml(text)?),
            (None, Some(name)) => Some(map::format_named(name)?.clone()),
            (None, None) => None,
        };
        let mut overrides: Vec<(Field, Vec<String>)> = Vec::new();
        for (name, column) in &options.map {
            let field = map::field(name)?;
            let columns = if column.is_empty() { Vec::new() } else { vec![column.clone()] };
            if overrides.iter().any(|(known, _)| *known == field) {
                return Err(Error::ColumnMap {
                    problem: format!("{name} is mapped twice"),
                    hint: "which of the two counts is not guessed".into(),
                });
            }
            overrides.push((field, columns));
        }
        let zone = options.input_timezone.as_deref().map(Zone::parse).transpose()?;
        Ok(Self { fixed, overrides, dimensions: options.dimensions.clone(), zone })
    }

    /// The map for an input that carries these columns.
    pub fn choose(&self, carries: &dyn Fn(&str) -> bool) -> Result<CompiledMap> {
        let format = self.fixed.as_ref().unwrap_or_else(|| map::format_for(carries));
        let mut columns = format.columns.clone();
        let overridden = |field: Field| self.overrides.iter().any(|(other, _)| *other == field);
        for (field, candidates) in &self.overrides {
            columns[*field as usize].clone_from(candidates);
            // A latency that the user names stands alone.
            let other = match field {
                Field::LatencyMs => Field::LatencyS,
                Field::LatencyS => Field::LatencyMs,
                _ => continue,
            };
            if !overridden(other) {
                columns[other as usize].clear();
            }
        }
        let declared = format.input_timezone.as_deref().map(Zone::parse).transpose()?;
        let paths = PathTree::new(&columns, &self.dimensions);
        Ok(CompiledMap {
            format: format.name().to_owned(),
            columns,
            dimensions: self.dimensions.clone(),
            zone: self.zone.clone().or(declared).unwrap_or_default(),
            timestamp_is: format.timestamp_is,
            paths,
        })
    }
}

impl CompiledMap {
    /// The map for rows that come with a schema (Arrow, NumPy): chosen as for a file.
    ///
    /// # Errors
    /// What is wrong with the options.
    pub fn for_schema(schema: &Schema, options: &Options) -> Result<Self> {
        Mapper::new(options)?.choose(&|name| schema.column_with_name(name).is_some())
    }

    /// The name of the format.
    #[must_use]
    pub fn format(&self) -> &str {
        &self.format
    }

    /// Whether a row without this field is refused.
    pub(super) fn needs(&self, field: Field) -> bool {
        field.required() && !self.columns[field as usize].is_empty()
    }

    /// Finds the columns of a header.
    pub(super) fn bind(&self, place: &str, header: &[&str]) -> Result<Binding> {
        let find = |column: &String| -> Result<Option<usize>> {
            let mut at = header.iter().enumerate().filter(|(_, name)| *name == column).map(|(i, _)| i);
            match (at.next(), at.next()) {
                (_, Some(_)) => Err(Error::DuplicateColumn { place: place.into(), column: column.clone() }),
                (first, None) => Ok(first),
            }
        };
        let mut fields: [Vec<usize>; FIELDS] = Default::default();
        let mut missing = Vec::new();
        for field in Field::ALL {
            for column in &self.columns[field as usize] {
                fields[field as usize].extend(find(column)?);
            }
            if self.needs(field) && fields[field as usize].is_empty() {
                missing.push(field.name().to_owned());
            }
        }
        let dimensions = self.dimensions.iter().map(find).collect::<Result<Vec<_>>>()?;
        if missing.is_empty() {
            return Ok(Binding { fields, dimensions });
        }
        let found = header.iter().map(|name| (*name).to_owned()).collect();
        Err(Error::MissingColumns { place: place.into(), missing, found })
    }
}
