//! What a fit found for an engine, as rows that a fleet file takes: one `[[engine]]`, and one `[[parameter]]` for every
//! value of its stack.

use crate::catalog::Parameter;
use std::fmt::Write;
use toml::Value;

/// The rows of an engine as TOML. `source` says what it was fitted to, `note` how well, in lines of a comment.
///
/// ```
/// use wattledger::{calibration::profile::overlay, catalog::Catalog, fleet::Fleet};
/// let rows = Catalog::builtin().all_parameters()?;
/// let row = rows.iter().find(|row| row.id == "V12/stack/*/*/t_step").unwrap().clone();
/// let mine = row.for_engine("mine-1.0", "hopper", 0.002);
/// let text = overlay("mine-1.0", &[&mine], "runs of 24 November", "one line");
/// let fleet = Fleet::parse(&text, "mine.toml")?;
/// assert_eq!(fleet.catalog().engine("mine-1.0")?.row.name, "mine-1.0");
/// # Ok::<(), wattledger::Error>(())
/// ```
#[must_use]
pub fn overlay(engine: &str, rows: &[&Parameter], source: &str, note: &str) -> String {
    let mut text = String::new();
    for line in note.lines() {
        text.push_str(format!("# {line}").trim_end());
        text.push('\n');
    }
    let words = |text: &str| Value::String(text.to_owned()).to_string();
    let mut table = |name: &str, cells: &[(&str, String)]| {
        // Writing to a string cannot fail.
        let _ = writeln!(text, "\n[[{name}]]");
        for (key, value) in cells {
            let _ = writeln!(text, "{key} = {value}");
        }
    };
    let (name, version) = engine.split_at(engine.rfind('-').unwrap_or(engine.len()));
    let mut cells = vec![("id", words(engine)), ("name", words(engine)), ("engine", words(name))];
    if version.len() > 1 {
        cells.push(("version", words(&version[1..])));
    }
    cells.extend([("source", words(source)), ("quality", words("measured"))]);
    table("engine", &cells);
    for row in rows {
        let mut cells = vec![("id", words(&row.id)), ("set", words(&row.set)), ("layer", words(&row.layer))];
        let stated = [("engine", &row.engine), ("generation", &row.generation)];
        cells.extend(stated.iter().filter_map(|(key, value)| Some((*key, words(value.as_deref()?)))));
        cells.push(("symbol", words(&row.symbol)));
        cells.push(("value", Value::Float(row.value).to_string()));
        cells.extend([("source", words(source)), ("quality", words("measured"))]);
        table("parameter", &cells);
    }
    text
}
