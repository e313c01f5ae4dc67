//! The words of each error, and the two helpers that keep words short and safe.

use super::Error;
use std::fmt;

/// Longest piece of input a message quotes, in characters.
const EXCERPT: usize = 200;

/// Input as a message may quote it: at most 200 characters, control and bidirectional characters escaped.
///
/// ```
/// assert_eq!(wattledger::error::excerpt("a\u{1b}[31m"), "a\\u{1b}[31m");
/// ```
#[must_use]
pub fn excerpt(text: &str) -> String {
    let mut out = String::new();
    for (i, c) in text.chars().enumerate() {
        if i == EXCERPT {
            out.push('…');
            break;
        }
        let hidden = c.is_control()
            || matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}');
        if hidden {
            out.extend(c.escape_unicode());
        } else {
            out.push(c);
        }
    }
    out
}

/// The names most like `name`, best first, at most three; empty where nothing is near.
///
/// ```
/// let near = wattledger::error::nearest("H10O", ["H100-SXM5-80GB", "H100", "L40S"]);
/// assert_eq!(near[0], "H100");
/// ```
#[must_use]
pub fn nearest<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> Vec<String> {
    let name = name.to_lowercase();
    let mut scored: Vec<(f64, &str)> = known
        .into_iter()
        .map(|candidate| (likeness(&name, &candidate.to_lowercase()), candidate))
        .filter(|(score, _)| *score > 0.75)
        .collect();
    scored.sort_by(|a, b| b.0.total_cmp(&a.0).then_with(|| a.1.cmp(b.1)));
    scored.dedup_by(|a, b| a.1 == b.1);
    scored.into_iter().take(3).map(|(_, candidate)| candidate.to_owned()).collect()
}

/// How like two names are, from 0 to 1: as wholes, a little less the one and the beginning of the other, and in any case
/// near if one slip of a finger apart.
fn likeness(name: &str, candidate: &str) -> f64 {
    const BEGINNING: f64 = 0.95;
    const SLIP: f64 = 0.8;
    let length = name.chars().count();
    if length >= 3 && candidate.len().abs_diff(name.len()) <= 1 && strsim::osa_distance(name, candidate) == 1 {
        return strsim::jaro_winkler(name, candidate).max(SLIP);
    }
    let beginning: String = candidate.chars().take(length).collect();
    let begun = if length < 4 { 0.0 } else { BEGINNING * strsim::jaro_winkler(name, &beginning) };
    strsim::jaro_winkler(name, candidate).max(begun)
}

fn list(names: &[String]) -> String {
    let quoted: Vec<String> = names.iter().map(|n| format!("`{}`", excerpt(n))).collect();
    quoted.join(", ")
}

/// The columns an input has, in words; of many the first.
fn columns(found: &[String]) -> String {
    const SHOWN: usize = 12;
    match found.len() {
        0 => "it has no columns".into(),
        n if n <= SHOWN => format!("it has {}", list(found)),
        n => format!("it has {} and {} more", list(&found[..SHOWN]), n - SHOWN),
    }
}

/// A number as a person writes it: `20000`, `0.35`, `1e21`.
fn number(value: f64) -> String {
    if value.abs() < 1e15 { format!("{value}") } else { format!("{value:e}") }
}

pub(super) fn sentence(error: &Error, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    match error {
        Error::FileNotFound { path } => write!(f, "no such file or folder: `{}`", excerpt(&path.to_string_lossy())),
        Error::FileAccess { path, problem } => {
            write!(f, "cannot read or write `{}`: {problem}", excerpt(&path.to_string_lossy()))
        }
        Error::FileDamaged { path, problem } => {
            write!(f, "file is damaged or incomplete ({problem}): `{}`", excerpt(&path.to_string_lossy()))
        }
        Error::FileKind { path, problem, .. } => write!(f, "{problem}: `{}`", excerpt(&path.to_string_lossy())),
        Error::NothingToRead { place } => write!(f, "no log file found in: `{}`", excerpt(place)),
        Error::MissingColumns { place, missing, found } => {
            write!(f, "{place} has no column for {}; {}", missing.join(", "), columns(found))
        }
        Error::ColumnType { place, column, found, expected } => {
            write!(f, "{place}: column `{}` has type {found}, expected {expected}", excerpt(column))
        }
        Error::DuplicateColumn { place, column } => write!(f, "{place} has two columns named `{}`", excerpt(column)),
        Error::ColumnMap { problem, .. } => write!(f, "column map: {problem}"),
        Error::UnknownName { kind, name, .. } => write!(f, "unknown {kind}: `{}`", excerpt(name)),
        Error::AmbiguousName { kind, name, candidates } => {
            write!(f, "{kind} `{}` can mean {}", excerpt(name), list(candidates))
        }
        Error::CatalogRow { file, row, problem } => write!(f, "catalog {file}, row `{}`: {problem}", excerpt(row)),
        Error::UnknownKey { place, key, .. } => write!(f, "{place}: unknown key `{}`", excerpt(key)),
        Error::OutOfRange { place, what, value, low, high, unit } => {
            let unit = if unit.is_empty() { String::new() } else { format!(" {unit}") };
            write!(f, "{place}: {what} is {value}, expected {} to {}{unit}", number(*low), number(*high))
        }
        Error::FleetSyntax { place, problem } | Error::FleetConflict { place, problem, .. } => {
            write!(f, "{place}: {problem}")
        }
        Error::Measurements { place, problem } => write!(f, "{}: {problem}", excerpt(place)),
        Error::RouteClaimedTwice { route, first, second } => {
            let [first, second] = [first, second].map(|name| excerpt(name));
            write!(f, "two deployments claim the route {}: `{first}` and `{second}`", excerpt(route))
        }
        Error::Overflow { what } => write!(f, "{what} does not fit its integer"),
        Error::LedgerMismatch { problem, .. } => write!(f, "ledgers do not fit together: {problem}"),
        Error::LedgerOverlap { input } => write!(f, "both ledgers hold the same input: `{}`", excerpt(input)),
        Error::Argument { what, value, expected } => {
            write!(f, "{what} is `{}`, expected {expected}", excerpt(value))
        }
        Error::Interrupted => write!(f, "interrupted; nothing was written"),
    }
}

pub(super) fn hint(error: &Error) -> Option<String> {
    match error {
        Error::FileNotFound { .. } => Some("check the spelling; a pattern with * or ? needs quotes in a shell".into()),
        Error::FileAccess { .. } => Some("check permissions and free space".into()),
        Error::FileDamaged { .. } => Some("fetch or write the file again".into()),
        Error::FileKind { hint, .. }
        | Error::ColumnMap { hint, .. }
        | Error::FleetConflict { hint, .. }
        | Error::LedgerMismatch { hint, .. } => Some(hint.clone()),
        Error::NothingToRead { .. } => {
            Some("logs end in .jsonl, .json, .log, .csv, .parquet, .arrow or .feather, also with .gz or .zst; or name a file".into())
        }
        Error::MissingColumns { missing, .. } => {
            Some(format!("name it with --map {}=COLUMN", missing.first().map_or("input_tokens", String::as_str)))
        }
        Error::ColumnType { .. } => Some("convert the column, or map another one with --map".into()),
        Error::DuplicateColumn { .. } => Some("rename one of them; which of the two counts is not guessed".into()),
        Error::UnknownName { kind, nearest, .. } => Some(if nearest.is_empty() {
            match *kind {
                "hardware" | "model" | "engine" | "site" | "grid" | "cooling" | "server" | "embodied item"
                | "diffusion model" | "parameter" => {
                    format!("`wattledger catalog {}` lists what is known", plural(kind))
                }
                "time zone" => "zones are UTC, an offset such as +01:00, or an IANA name such as Europe/Berlin".into(),
                _ => "see the documentation for the names that exist".into(),
            }
        } else {
            format!("did you mean {}?", list(nearest))
        }),
        Error::UnknownKey { nearest, .. } => Some(if nearest.is_empty() {
            "remove it; unknown keys are refused so that a misspelt one cannot be ignored".into()
        } else {
            format!("did you mean {}?", list(nearest))
        }),
        Error::AmbiguousName { .. } => Some("write the full name".into()),
        Error::CatalogRow { .. } => {
            Some("every row needs source, retrieved, licence and quality, and values inside the bands".into())
        }
        Error::FleetSyntax { place, .. } if [".csv", ".parquet"].iter().any(|ending| place.contains(ending)) => {
            Some("docs/reference/series.md has every column of such a file, docs/data.md those of the catalog".into())
        }
        Error::FleetSyntax { .. } => Some("fleet files are TOML; docs/reference/fleet.md has every key".into()),
        Error::OutOfRange { unit, .. } => Some(if unit.contains('/') {
            format!("check the unit, {unit} is expected")
        } else {
            "check the value".into()
        }),
        Error::Measurements { .. } => {
            Some("data/measurements/README.md has every column with its unit; an empty cell is unknown".into())
        }
        Error::RouteClaimedTwice { .. } => Some("make one `match` narrower".into()),
        Error::Overflow { .. } => Some("split the input into several ledgers".into()),
        Error::LedgerOverlap { .. } => Some("drop one of them, or merge with --force to count it twice".into()),
        Error::Argument { .. } | Error::Interrupted => None,
    }
}

fn plural(kind: &str) -> &str {
    match kind {
        "model" => "models",
        "engine" => "engines",
        "site" => "sites",
        "grid" => "grids",
        "server" => "servers",
        "embodied item" => "embodied",
        "diffusion model" => "diffusion",
        "parameter" => "parameters",
        other => other,
    }
}
