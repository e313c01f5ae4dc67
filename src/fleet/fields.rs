//! Values of TOML tables, each checked as it is taken out.

use super::Match;
use super::keys::Key;
use crate::units::Bounds;
use crate::{Error, Result};
use toml::{Table, Value};

/// Longest stated period, in hours.
const LONGEST_H: i64 = 10 * 8784;

/// A table whose keys are taken out one by one.
pub(super) struct Fields {
    pub place: String,
    pub table: Table,
}

impl Fields {
    pub(super) fn expected(&self, key: &str, value: &str, expected: &str) -> Error {
        syntax(&self.place, &format!("{key} is `{}`, expected {expected}", crate::error::excerpt(value)))
    }

    pub(super) fn text(&mut self, key: &str) -> Result<Option<String>> {
        match self.table.remove(key) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(other) => Err(self.expected(key, &other.to_string(), "text in quotes")),
        }
    }

    pub(super) fn required_text(&mut self, key: &str) -> Result<String> {
        self.text(key)?.filter(|t| !t.is_empty()).ok_or_else(|| syntax(&self.place, &format!("`{key}` is required")))
    }

    #[expect(clippy::cast_precision_loss, reason = "limits are far below 2^53")]
    pub(super) fn number(&mut self, key: &str, bounds: Bounds) -> Result<Option<f64>> {
        let value = match self.table.remove(key) {
            None => return Ok(None),
            Some(Value::Integer(n)) => n as f64,
            Some(Value::Float(x)) => x,
            Some(other) => return Err(self.expected(key, &other.to_string(), "a number")),
        };
        if bounds.contains(value) {
            return Ok(Some(value));
        }
        Err(Error::OutOfRange {
            place: format!("{}, {key}", self.place),
            what: bounds.what.into(),
            value: value.to_string(),
            low: bounds.low,
            high: bounds.high,
            unit: bounds.unit,
        })
    }

    pub(super) fn whole(&mut self, key: &str, bounds: Bounds) -> Result<Option<f64>> {
        match self.number(key, bounds)? {
            Some(value) if value.fract() != 0.0 => Err(self.expected(key, &value.to_string(), "a whole number")),
            value => Ok(value),
        }
    }

    /// An emission factor: 0 is a claim that can be made, 0.35 is a factor in kg.
    pub(super) fn carbon(&mut self, key: &str) -> Result<Option<f64>> {
        match self.table.get(key) {
            Some(zero) if zero.as_integer() == Some(0) || zero.as_float() == Some(0.0) => {
                self.table.remove(key);
                Ok(Some(0.0))
            }
            _ => self.number(key, Bounds::CARBON_INTENSITY),
        }
    }

    pub(super) fn patterns(&mut self) -> Result<Option<Match>> {
        let table = match self.table.remove("match") {
            None => return Ok(None),
            Some(Value::Table(table)) => table,
            Some(other) => return Err(self.expected("match", &other.to_string(), "a table of patterns")),
        };
        let mut labels = Vec::new();
        for (label, value) in table {
            let patterns = match value {
                Value::String(one) => vec![one],
                Value::Array(many) => many
                    .into_iter()
                    .map(|v| v.as_str().map(str::to_owned).ok_or_else(|| self.expected(&label, &v.to_string(), "text")))
                    .collect::<Result<_>>()?,
                other => return Err(self.expected(&label, &other.to_string(), "a list of patterns")),
            };
            labels.push((label, patterns));
        }
        Match::new(&self.place, &labels).map(Some)
    }

    /// A list of texts; one text is a list of one.
    pub(super) fn texts(&mut self, key: &str) -> Result<Vec<String>> {
        match self.table.remove(key) {
            None => Ok(Vec::new()),
            Some(Value::String(one)) => Ok(vec![one]),
            Some(Value::Array(many)) => many
                .into_iter()
                .map(|v| v.as_str().map(str::to_owned).ok_or_else(|| self.expected(key, &v.to_string(), "text")))
                .collect(),
            Some(other) => Err(self.expected(key, &other.to_string(), "a list of texts")),
        }
    }

    /// Shares of generation, which have to sum to 1.
    pub(super) fn mix(&mut self) -> Result<Vec<(String, f64)>> {
        let key = "generation_mix";
        let table = match self.table.remove(key) {
            None => return Ok(Vec::new()),
            Some(Value::Table(table)) => table,
            Some(other) => {
                return Err(self.expected(key, &other.to_string(), "a table of shares: { coal = 0.4, wind = 0.6 }"));
            }
        };
        let mut inner = Self { place: format!("{}, {key}", self.place), table };
        let names: Vec<String> = inner.table.keys().cloned().collect();
        let mut mix = Vec::new();
        for name in names {
            let share = inner.number(&name, Bounds::FRACTION)?;
            mix.extend(share.map(|share| (name, share)));
        }
        let sum: f64 = mix.iter().map(|(_, share)| share).sum();
        if (sum - 1.0).abs() > 1e-6 {
            return Err(syntax(&inner.place, &format!("the shares sum to {sum}, expected 1")));
        }
        Ok(mix)
    }

    /// The start of an hour, UTC.
    pub(super) fn hour(&mut self, key: &str) -> Result<Option<i64>> {
        let text = match self.table.remove(key) {
            None => return Ok(None),
            Some(Value::String(text)) => text,
            Some(Value::Datetime(at)) => at.to_string(),
            Some(other) => return Err(self.expected(key, &other.to_string(), "a time")),
        };
        super::series::time(&text)
            .map(Some)
            .ok_or_else(|| self.expected(key, &text, "an hour in UTC such as 2024-07-01 or 2024-07-01T15:00Z"))
    }

    /// Two hours, given together.
    pub(super) fn period(&mut self, from: &str, until: &str) -> Result<Option<(i64, i64)>> {
        match (self.hour(from)?, self.hour(until)?) {
            (None, None) => Ok(None),
            (Some(start), Some(end)) if end - start > LONGEST_H => {
                Err(syntax(&self.place, &format!("{from} to {until} is more than ten years")))
            }
            (Some(start), Some(end)) if start < end => Ok(Some((start, end))),
            (Some(_), Some(_)) => Err(syntax(&self.place, &format!("{until} is not after {from}"))),
            _ => Err(syntax(&self.place, &format!("{from} and {until} go together"))),
        }
    }
}

pub(super) fn check_keys(place: &str, table: &Table, known: &[Key]) -> Result<()> {
    match table.keys().find(|key| known.iter().all(|k| k.name != key.as_str())) {
        None => Ok(()),
        Some(key) => Err(Error::UnknownKey {
            place: place.into(),
            key: key.clone(),
            nearest: crate::error::nearest(key, known.iter().map(|k| k.name)),
        }),
    }
}

pub(super) fn syntax(place: &str, problem: &str) -> Error {
    Error::FleetSyntax { place: place.into(), problem: problem.into() }
}

pub(super) fn conflict(place: &str, problem: String, hint: &str) -> Error {
    Error::FleetConflict { place: place.into(), problem, hint: hint.into() }
}
