//! A user's own rows and names, in TOML, over the rows of the package.

use crate::error::{Error, Result, nearest};
use toml::{Table, Value};

/// One `[[table]]` entry as text cells.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct UserRow {
    pub place: String,
    pub table: &'static str,
    pub id: String,
    pub cells: Vec<(String, String)>,
}

impl UserRow {
    pub(super) fn get(&self, column: &str) -> Option<&str> {
        self.cells.iter().find(|(key, _)| key == column).map(|(_, value)| value.as_str())
    }
}

/// One `[[alias]]` entry.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct UserAlias {
    pub place: String,
    pub kind: String,
    pub alias: String,
    pub rule: String,
    pub id: String,
    pub precision_hint: String,
    pub quality: String,
}

/// Everything an overlay holds, before it meets the rows of the package.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Overlay {
    pub text: String,
    pub rows: Vec<UserRow>,
    pub aliases: Vec<UserAlias>,
}

/// Tables of an overlay: the kinds in the singular, and names.
pub(super) const TABLES: [&str; 17] = [
    "hardware",
    "server",
    "model",
    "engine",
    "site",
    "grid",
    "cooling",
    "power_chain",
    "technology",
    "embodied",
    "fab_node",
    "bill_line",
    "equivalent",
    "parameter",
    "diffusion",
    "diffusion_parameter",
    "alias",
];

impl Overlay {
    /// Puts another overlay behind this one.
    pub(super) fn add(&mut self, other: Self) {
        self.text.push_str(&other.text);
        self.rows.extend(other.rows);
        self.aliases.extend(other.aliases);
    }

    /// Reads an overlay; `place` names it in messages.
    pub(super) fn parse(text: &str, place: &str) -> Result<Self> {
        let syntax = |problem: String| Error::FleetSyntax { place: place.to_owned(), problem };
        let document: Table = text.parse().map_err(|error: toml::de::Error| syntax(error.message().to_owned()))?;
        let mut overlay = Self { text: text.to_owned(), ..Self::default() };
        for (name, value) in document {
            let Some(table) = TABLES.into_iter().find(|table| *table == name) else {
                return Err(Error::UnknownKey { place: place.to_owned(), nearest: nearest(&name, TABLES), key: name });
            };
            let Value::Array(entries) = value else {
                return Err(syntax(format!("`{name}` is not a list of tables, [[{name}]]")));
            };
            for entry in entries {
                let Value::Table(entry) = entry else {
                    return Err(syntax(format!("an entry of `{name}` is not a table")));
                };
                let row = UserRow::parse(entry, table, place)?;
                if table == "alias" {
                    overlay.aliases.push(UserAlias::parse(&row)?);
                } else {
                    overlay.rows.push(row);
                }
            }
        }
        Ok(overlay)
    }
}

impl UserRow {
    fn parse(entry: Table, table: &'static str, place: &str) -> Result<Self> {
        let id = entry.get("id").and_then(Value::as_str).unwrap_or_default().to_owned();
        let refuse = |problem: String| Error::CatalogRow { file: place.to_owned(), row: id.clone(), problem };
        if id.is_empty() {
            return Err(refuse(format!("a [[{table}]] needs an `id`")));
        }
        let mut cells = Vec::with_capacity(entry.len());
        for (key, value) in entry {
            let value = match value {
                Value::String(text) => text,
                Value::Integer(number) => number.to_string(),
                Value::Float(number) => number.to_string(),
                Value::Boolean(flag) => if flag { "yes" } else { "no" }.to_owned(),
                other => return Err(refuse(format!("`{key}` is {}, expected text or a number", other.type_str()))),
            };
            cells.push((key, value));
        }
        Ok(Self { place: place.to_owned(), table, id, cells })
    }
}

impl UserAlias {
    const KEYS: [&'static str; 7] = ["kind", "alias", "match", "id", "precision_hint", "source", "quality"];

    fn parse(row: &UserRow) -> Result<Self> {
        if let Some((key, _)) = row.cells.iter().find(|(key, _)| !Self::KEYS.contains(&key.as_str())) {
            let place = format!("{} [[alias]] `{}`", row.place, row.id);
            return Err(Error::UnknownKey { place, key: key.clone(), nearest: nearest(key, Self::KEYS) });
        }
        let text = |key: &str, default: &str| row.get(key).unwrap_or(default).to_owned();
        let kinds = &TABLES[..TABLES.len() - 1];
        let kind = text("kind", "model");
        if !kinds.contains(&kind.as_str()) {
            return Err(Error::UnknownName {
                kind: "catalog kind",
                nearest: nearest(&kind, kinds.iter().copied()),
                name: kind,
            });
        }
        let alias = text("alias", "");
        if alias.is_empty() {
            let problem = "an [[alias]] needs an `alias`".to_owned();
            return Err(Error::CatalogRow { file: row.place.clone(), row: row.id.clone(), problem });
        }
        Ok(Self {
            place: row.place.clone(),
            kind,
            alias,
            rule: text("match", "exact"),
            id: row.id.clone(),
            precision_hint: text("precision_hint", ""),
            quality: text("quality", "assumed"),
        })
    }
}
