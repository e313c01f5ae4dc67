//! Keys put into a fleet file, everything else in it left as its author wrote it.

use crate::{Error, Result};
use serde::Serialize;
use toml_edit::{DocumentMut, Item, TableLike, Value, value};

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
        let deployments = document.get_mut("deployment").ok_or_else(unknown)?;
        // `[[deployment]]`, or `deployment = [{ … }]`.
        let mut tables: Vec<&mut dyn TableLike> = match deployments {
            Item::ArrayOfTables(tables) => tables.iter_mut().map(|table| table as &mut dyn TableLike).collect(),
            Item::Value(Value::Array(array)) => array
                .iter_mut()
                .filter_map(Value::as_inline_table_mut)
                .map(|table| table as &mut dyn TableLike)
                .collect(),
            _ => Vec::new(),
        };
        let name = Some(wanted.deployment.as_str());
        let at =
            tables.iter().position(|table| table.get("name").and_then(Item::as_str) == name).ok_or_else(unknown)?;
        let table = &mut tables[at];
        match (wanted.value, table.get_mut(&wanted.key)) {
            (Some(number), Some(Item::Value(before))) => {
                // What stands around a value, its comment for one, stays.
                let decor = before.decor().clone();
                *before = Value::from(number);
                *before.decor_mut() = decor;
            }
            (Some(number), _) => _ = table.insert(&wanted.key, value(number)),
            (None, _) => _ = table.remove(&wanted.key),
        }
    }
    Ok(document.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scaled(text: &str, value: Option<f64>) -> Result<String> {
        edit(text, "fleet.toml", &[Edit { deployment: "b".into(), key: "energy_scale".into(), value }])
    }

    #[test]
    fn comments_stay_and_only_the_named_deployment_changes() {
        let text =
            "[[deployment]]\nname = 'a'\nenergy_scale = 2.0\n\n[[deployment]]\nname = 'b'\nenergy_scale = 1.0 # May\n";
        let (first, second) = text.split_at(text.len() - "energy_scale = 1.0 # May\n".len());
        assert_eq!(scaled(text, Some(1.25)).unwrap(), format!("{first}{}", second.replace("1.0", "1.25")));
        assert_eq!(scaled(text, None).unwrap(), first);
    }

    #[test]
    fn inline_tables_are_edited_and_unknown_names_refused() {
        let text = "deployment = [{ name = 'b', model = 'm' }]\n";
        let edited = scaled(text, Some(1.5)).unwrap();
        assert_eq!(edited.replace(' ', ""), "deployment=[{name='b',model='m',energy_scale=1.5}]\n");
        assert!(matches!(scaled("deployment = []", Some(1.0)), Err(Error::UnknownName { .. })));
        assert!(matches!(scaled("deployment = [", Some(1.0)), Err(Error::FleetSyntax { .. })));
    }
}
