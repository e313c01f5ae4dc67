//! Keys put into a fleet file, everything else in it left as its author wrote it.

use crate::{Error, Result};
use serde::Serialize;
use toml_edit::{DocumentMut, value};

/// A number for a key of a deployment.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Edit {
    /// Name of the deployment.
    pub deployment: String,
    /// The key.
    pub key: String,
    /// The number; `None` takes the key away.
    pub value: Option<f64>,
}

/// The text of a fleet file with these keys set; `place` names it in messages.
///
/// ```
/// use wattledger::fleet::edit::{Edit, edit};
/// let text = "# ours\n[[deployment]]\nname = 'chat'\nmodel = 'llama-3.1-8b' # the small one\nhardware = 'h100'\n";
/// let scale = Edit { deployment: "chat".into(), key: "energy_scale".into(), value: Some(1.2) };
/// let edited = edit(text, "fleet.toml", &[scale])?;
/// assert_eq!(edited, format!("{text}energy_scale = 1.2\n"));
/// # Ok::<(), wattledger::Error>(())
/// ```
///
/// # Errors
/// [`Error::FleetSyntax`] for text that is no TOML, [`Error::UnknownName`] for a deployment that it does not have.
pub fn edit(text: &str, place: &str, edits: &[Edit]) -> Result<String> {
    let mut document: DocumentMut = text.parse().map_err(|error: toml_edit::TomlError| Error::FleetSyntax {
        place: place.into(),
        problem: error.message().to_owned(),
    })?;
    for wanted in edits {
        let unknown =
            || Error::UnknownName { kind: "deployment", name: wanted.deployment.clone(), nearest: Vec::new() };
        let tables =
            document.get_mut("deployment").and_then(|item| item.as_array_of_tables_mut()).ok_or_else(unknown)?;
        let named = |name: Option<&toml_edit::Item>| name.and_then(|name| name.as_str()) == Some(&wanted.deployment);
        let table = tables.iter_mut().find(|table| named(table.get("name"))).ok_or_else(unknown)?;
        match wanted.value {
            Some(number) => table[&wanted.key] = value(number),
            None => _ = table.remove(&wanted.key),
        }
    }
    Ok(document.to_string())
}
