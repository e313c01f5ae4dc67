//! Parameters of one deployment: a set, with what it says of the engine and of the accelerator's generation.

use super::Notes;
use crate::catalog::{Catalog, Engine, Parameter, Quality};
use crate::fleet::{Deployment, Fleet};
use crate::physics::cache::Tier;
use crate::physics::inference::Serving;
use crate::physics::network::Network;
use crate::physics::parameters::{Method, Parameters, Silicon, Spread, Stack};
use crate::physics::precision::Compute;
use crate::{Error, Result};

/// The set that estimates use unless a fleet names another.
pub const DEFAULT_SET: &str = "V12";
/// The engine whose stack a set states for every engine that it does not know.
pub const BASE_ENGINE: &str = "vllm-0.11.1";
/// Engine rows that stand for an older set and not for other software.
const OLDER: &str = "vllm-0.11.1-v0";

/// The three layers of a set for one engine on one generation.
///
/// A value stated for both engine and generation goes before one for the engine, that before one for the generation, and
/// that before the one for all. Generations that the set has nothing for, and that it was not fitted on, are `other`.
///
/// ```
/// use wattledger::{catalog::Catalog, plan::parameters};
/// let hopper = parameters(Catalog::builtin(), "V0", "vllm-0.11.1", "hopper")?;
/// let blackwell = parameters(Catalog::builtin(), "V0", "vllm-0.11.1", "blackwell")?;
/// assert_eq!(hopper.stack.host, 1.0);
/// assert_eq!(blackwell.stack.host, 2.64);
/// assert_eq!(blackwell.method, hopper.method);
/// # Ok::<(), wattledger::Error>(())
/// ```
///
/// # Errors
/// [`Error::UnknownName`] for a set that the catalog does not have, [`Error::CatalogRow`] for one that lacks a value.
pub fn parameters(catalog: &Catalog, set: &str, engine: &str, generation: &str) -> Result<Parameters> {
    parameters_of(&rows(catalog, set)?, engine, generation)
}

/// The same from the rows of a set.
///
/// # Errors
/// [`Error::CatalogRow`] where a value is lacking.
pub fn parameters_of(rows: &[&Parameter], engine: &str, generation: &str) -> Result<Parameters> {
    let layer = |layer: &'static str| {
        let rows: Vec<&Parameter> = rows.iter().copied().filter(|row| row.layer == layer).collect();
        move |symbol: &str| chosen(&rows, symbol, engine, generation).map(|row| row.value)
    };
    let lacking = |symbol: &'static str| Error::CatalogRow {
        file: "parameters".into(),
        row: rows.first().map_or_else(String::new, |row| row.set.clone()),
        problem: format!("the set has no value for `{symbol}`"),
    };
    Ok(Parameters {
        method: Method::read(layer("method")).map_err(lacking)?,
        silicon: Silicon::read(layer("silicon")).map_err(lacking)?,
        stack: Stack::read(layer("stack")).map_err(lacking)?,
    })
}

/// Half widths of the intervals of a set.
///
/// # Errors
/// [`Error::CatalogRow`] where a value is lacking.
pub fn spread_of(rows: &[&Parameter]) -> Result<Spread> {
    let rows: Vec<&Parameter> = rows.iter().copied().filter(|row| row.layer == "spread").collect();
    let value = |symbol: &str| chosen(&rows, symbol, "", "").map(|row| row.value);
    Spread::read(value).map_err(|symbol| Error::CatalogRow {
        file: "parameters".into(),
        row: rows.first().map_or_else(String::new, |row| row.set.clone()),
        problem: format!("the set has no value for `{symbol}`"),
    })
}

/// Energy per byte of a cache tier.
pub(super) fn tier(place: &str, catalog: &Catalog, name: &str, notes: &mut Notes) -> Result<Tier> {
    let all = catalog.all_parameters()?;
    let mut value = |symbol: &str| {
        let row = all
            .iter()
            .find(|row| row.layer == "cache" && row.symbol == symbol && row.subject.as_deref() == Some(name))?;
        notes.fact(place, &format!("cache {symbol}"), row.value, row.provenance.of("value"));
        Some(row.value)
    };
    if let (Some(load_j_per_byte), Some(write_j_per_byte)) = (value("load_j"), value("write_j")) {
        return Ok(Tier { load_j_per_byte, write_j_per_byte });
    }
    let tiers = all.iter().filter(|row| row.layer == "cache").filter_map(|row| row.subject.as_deref());
    Err(Error::UnknownName { kind: "cache tier", name: name.to_owned(), nearest: crate::error::nearest(name, tiers) })
}

/// Whether a set has a fit of this engine; values that are only assumed are none.
#[must_use]
pub fn is_fitted(rows: &[&Parameter], engine: &str) -> bool {
    let fit = |row: &&Parameter| {
        row.engine.as_deref() == Some(engine) && row.provenance.of("value").quality != Quality::Assumed
    };
    engine == BASE_ENGINE || engine == OLDER || rows.iter().any(fit)
}

/// The rows of a set.
fn rows<'a>(catalog: &'a Catalog, set: &str) -> Result<Vec<&'a Parameter>> {
    let all = catalog.all_parameters()?;
    let rows: Vec<&Parameter> = all.iter().filter(|row| row.set == set).collect();
    if rows.is_empty() {
        let mut sets: Vec<&str> = all.iter().map(|row| row.set.as_str()).collect();
        sets.dedup();
        return Err(Error::UnknownName {
            kind: "parameter set",
            name: set.to_owned(),
            nearest: crate::error::nearest(set, sets),
        });
    }
    Ok(rows)
}

/// The row of a symbol that says most about this engine and generation.
///
/// ```
/// use wattledger::{catalog::Catalog, plan::chosen};
/// let all = Catalog::builtin().all_parameters()?;
/// let rows: Vec<_> = all.iter().filter(|row| row.set == "V12").collect();
/// assert_eq!(chosen(&rows, "q", "vllm-0.11.1", "blackwell").unwrap().id, "V12/stack/*/blackwell/q");
/// # Ok::<(), wattledger::Error>(())
/// ```
#[must_use]
pub fn chosen<'a>(rows: &[&'a Parameter], symbol: &str, engine: &str, generation: &str) -> Option<&'a Parameter> {
    let fits = |stated: Option<&str>, asked: &str| stated.is_none_or(|stated| stated == asked);
    rows.iter()
        .copied()
        .filter(|row| row.symbol == symbol)
        .filter(|row| fits(row.engine.as_deref(), engine) && fits(row.generation.as_deref(), generation))
        .max_by_key(|row| (row.engine.is_some(), row.generation.is_some()))
}

/// Puts the published host times of software that a set has no fit of in the place of the base engine's; columns and
/// microseconds.
pub fn publish(stack: &mut Stack, engine: &Engine) -> Vec<(&'static str, f64)> {
    let times = [
        ("t_step_us", engine.t_step_us, &mut stack.step_s),
        ("t_seq_us", engine.t_seq_us, &mut stack.sequence_s),
        ("t_layer_us", engine.t_layer_us, &mut stack.layer_s),
    ];
    let mut said = Vec::new();
    for (column, us, into) in times {
        if let Some(us) = us {
            *into = us * 1e-6;
            said.push((column, us));
        }
    }
    said
}

/// Whether a symbol says anything about this network, served so.
fn concerns(symbol: &str, network: &Network, serving: &Serving) -> bool {
    let precision = &serving.precision;
    let experts = network.expert_share.is_some();
    match symbol {
        "moe_c" | "moe_p" | "moe_pn" | "cov_c" | "k_x" | "t_moe" => experts,
        "m_4" | "q_4" | "fp4_b" => experts && precision.experts_in_four(),
        "fp8_b" => experts && precision.compute == Compute::Eight && !precision.experts_in_four(),
        "t_fp8x" => experts && precision.compute == Compute::Eight,
        "fp8_c" | "k_8" | "t_fp8" => precision.compute == Compute::Eight,
        "fp4_c" | "k_4" => precision.compute == Compute::Four,
        "w4_p" => precision.weight_bytes < 1.0,
        "kv8_s" | "kv8_j" => precision.cache_bytes <= 1.0,
        "t_hyb" | "t_phyb" => network.hybrid,
        "t_ar" | "eta_l" => serving.layout.tensor_parallel() > 1.0,
        _ => true,
    }
}

/// The parameters of a deployment, and what its interval follows from.
pub(super) struct Resolved<'a> {
    pub parameters: Parameters,
    pub spread: Spread,
    /// Whether the set has a fit of the engine.
    pub fitted: bool,
    rows: Vec<&'a Parameter>,
    /// What notes say the parameters are of.
    place: String,
}

/// The parameters of a deployment, every value noted with its source.
pub(super) fn resolve<'a>(
    fleet: &'a Fleet,
    place: &str,
    stated: &Deployment,
    generation: &str,
    (network, serving): (&Network, &Serving),
    notes: &mut Notes,
) -> Result<Resolved<'a>> {
    let engine = fleet.catalog().engine(stated.engine.as_deref().unwrap_or(BASE_ENGINE))?.row;
    if stated.engine.is_none() {
        notes.assume(place, "engine", BASE_ENGINE, "not stated; the profile that the parameter set was fitted with");
    }
    let (set, id) = match fleet.parameter_set() {
        Some(set) => (set, engine.id.as_str()),
        None if engine.id == OLDER => ("V0", BASE_ENGINE),
        None => (DEFAULT_SET, engine.id.as_str()),
    };
    let mut found = parameters(fleet.catalog(), set, id, generation)?;
    let rows = rows(fleet.catalog(), set)?;
    for named in rows.iter().filter_map(|row| row.engine.as_deref()) {
        // A row under another name of the engine would be read and never used.
        let meant = &fleet.catalog().engine(named)?.row.id;
        if meant != named {
            return Err(Error::FleetConflict {
                place: "[[parameter]]".into(),
                problem: format!("`{named}` is another name of the engine `{meant}`"),
                hint: format!("write engine = \"{meant}\", in the id as well"),
            });
        }
    }
    let where_ = format!("parameter set {set}, {id}, {generation}");
    let symbols = Method::SYMBOLS.iter().chain(Silicon::SYMBOLS).chain(Stack::SYMBOLS);
    let symbols = symbols.map(|(symbol, _)| *symbol).filter(|symbol| concerns(symbol, network, serving));
    for row in symbols.filter_map(|symbol| chosen(&rows, symbol, id, generation)) {
        notes.fact(&where_, &row.symbol, row.value, row.provenance.of("value"));
    }
    // Software that the set has no fit of: its published host times, and the base engine's for the rest.
    let fitted = is_fitted(&rows, id);
    if !fitted {
        for (column, us) in publish(&mut found.stack, engine) {
            notes.cell(place, column, us, &engine.provenance);
        }
        let why = format!(
            "the set has no fit of `{}`; beyond its published host times it counts as {BASE_ENGINE}",
            engine.id
        );
        notes.assume(place, "engine profile", BASE_ENGINE, &why);
    }
    let spread = spread_of(&rows)?;
    Ok(Resolved { parameters: found, spread, fitted, rows, place: where_ })
}

impl Resolved<'_> {
    /// Notes the widths that the interval of a deployment is made of.
    pub fn note_spread<'a>(&self, symbols: impl Iterator<Item = &'a str>, notes: &mut Notes) {
        for row in symbols.filter_map(|symbol| chosen(&self.rows, symbol, "", "")) {
            notes.fact(&self.place, &row.symbol, row.value, row.provenance.of("value"));
        }
    }
}
