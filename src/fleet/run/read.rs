//! Files of training runs: TOML to checked values.

use super::super::Fleet;
use super::super::fields::{Fields, check_keys, conflict, syntax};
use super::super::files::below;
use super::super::keys::{PHASE_KEYS, RUN_KEYS, RUN_TABLES, TOP_KEYS};
use super::super::read::{LIFETIME, YEAR, list, table};
use super::super::series::{self, METER_SERIES};
use super::{Again, Boundary, Generation, Kind, Overheads, Phase, Run};
use crate::hours::Series;
use crate::units::Bounds;
use crate::{Error, Result};
use std::path::Path;
use toml::{Table, Value};

/// Years that a run may lie in.
const YEARS: [i64; 2] = [2000, 2101];
const HOURS: Bounds = Bounds { what: "accelerator-hours", unit: "h", low: 1e-6, high: 1e12 };
const DAYS: Bounds = Bounds { what: "wall time", unit: "days", low: 1e-6, high: 3650.0 };
const ENERGY: Bounds = Bounds { what: "metered energy", unit: "MWh", low: 1e-9, high: 1e9 };
const POWER: Bounds = Bounds { what: "mean power of an accelerator", unit: "W", low: 1.0, high: 30_000.0 };
const PARAMETERS: Bounds = Bounds { what: "weights", unit: "parameters", low: 1e3, high: 1e15 };
const TOKENS: Bounds = Bounds { what: "tokens", unit: "tokens", low: 1.0, high: 1e18 };
const CONTEXT: Bounds = Bounds { what: "length of sequences", unit: "tokens", low: 1.0, high: 1e8 };
const FLOP: Bounds = Bounds { what: "FLOP of a phase", unit: "FLOP", low: 1e6, high: 1e32 };
const UTILISATION: Bounds = Bounds { what: "FLOPs utilisation", unit: "", low: 1e-3, high: 1.0 };
const SHARE: Bounds = Bounds { what: "share of the work that counts", unit: "", low: 0.0, high: 100.0 };
const LENGTH: Bounds = Bounds { what: "mean length", unit: "tokens", low: 0.0, high: 1e8 };

pub(super) fn run(text: &str, place: &str, folder: &Path) -> Result<Run> {
    let mut top = table(text, place)?;
    check_tables(place, &top)?;
    let run = match top.remove("run") {
        None => Table::new(),
        Some(Value::Table(table)) => table,
        Some(_) => return Err(syntax(place, "`run` is a table: [run]")),
    };
    let phases = list(place, "phase", top.remove("phase"))?;
    if phases.is_empty() {
        return Err(syntax(place, "there is no [[phase]]: say what was trained"));
    }
    let rest = toml::to_string(&top).map_err(|e| syntax(place, &e.to_string()))?;
    // The digest of a run covers its phases, not only what is a fleet's.
    let fleet = Fleet::build(&rest, place, folder)?.digested_with(text);
    check_keys(place, &run, &RUN_KEYS)?;
    let defaults = run.clone();
    let mut run = Fields { place: format!("{place}, run"), table: run };
    let stem = Path::new(place).file_stem().map_or_else(|| place.into(), |stem| stem.to_string_lossy().into_owned());
    let phases = phases.into_iter().enumerate();
    let phases: Vec<Phase> =
        phases.map(|(i, value)| phase((place, folder), i, value, &defaults)).collect::<Result<_>>()?;
    for (i, phase) in phases.iter().enumerate() {
        if phases[..i].iter().any(|other| other.name == phase.name) {
            return Err(conflict(place, format!("two phases are named `{}`", phase.name), "rename one"));
        }
    }
    Ok(Run {
        name: run.text("name")?.unwrap_or(stem),
        phases,
        reserved: run.whole("reserved_accelerators", Bounds { high: 1e8, ..Bounds::REPLICAS })?,
        lifetime_years: run.number("lifetime_years", LIFETIME)?,
        purchase_year: run.whole("purchase_year", YEAR)?,
        embodied: run.text("embodied")?,
        lifetime_output_tokens: run.number("lifetime_output_tokens", TOKENS)?,
        fleet,
    })
}

/// Tables of a run are its own and those of a fleet, without what serves.
fn check_tables(place: &str, top: &Table) -> Result<()> {
    let of_fleet = TOP_KEYS.iter().filter(|key| !["deployment", "meter", "allocation"].contains(&key.name));
    let known: Vec<&str> = RUN_TABLES.iter().chain(of_fleet).map(|key| key.name).collect();
    match top.keys().find(|key| !known.contains(&key.as_str())) {
        None => Ok(()),
        Some(key) if RUN_KEYS.iter().chain(&PHASE_KEYS).any(|known| known.name == key) => {
            Err(syntax(place, &format!("`{key}` belongs under [run] or [[phase]]")))
        }
        Some(key) => {
            Err(Error::UnknownKey { place: place.into(), key: key.clone(), nearest: crate::error::nearest(key, known) })
        }
    }
}

fn phase((place, folder): (&str, &Path), index: usize, value: Value, run: &Table) -> Result<Phase> {
    let place = format!("{place}, phase {}", index + 1);
    let Value::Table(mut stated) = value else { return Err(syntax(&place, "expected a table: [[phase]]")) };
    check_keys(&place, &stated, &PHASE_KEYS)?;
    // Dates of its own are both its own: the end of the run is not that of a phase that starts elsewhere.
    let own_dates = ["start", "end", "days"].iter().any(|date| stated.contains_key(*date));
    for key in ["hardware", "accelerators", "server", "site", "start", "end"] {
        if let Some(value) = run.get(key).filter(|_| !(stated.contains_key(key) || key == "end" && own_dates)) {
            stated.insert(key.into(), value.clone());
        }
    }
    let mut fields = Fields { place, table: stated };
    let kind = match fields.text("kind")? {
        None => Kind::Pretraining,
        Some(word) => Kind::ALL
            .into_iter()
            .find(|kind| kind.name() == word)
            .ok_or_else(|| fields.expected("kind", &word, &Kind::ALL.map(Kind::name).join(", ")))?,
    };
    let name = fields.text("name")?.unwrap_or_else(|| kind.name().into());
    fields.place = format!("{} `{name}`", fields.place);
    let boundary = |fields: &mut Fields, key: &str, facility: bool| -> Result<Option<Boundary>> {
        let known = if facility { "`accelerators`, `it` or `facility`" } else { "`accelerators` or `it`" };
        match fields.text(key)?.as_deref() {
            None => Ok(None),
            Some("accelerators") => Ok(Some(Boundary::Accelerators)),
            Some("it") => Ok(Some(Boundary::It)),
            Some("facility") if facility => Ok(Some(Boundary::Facility)),
            Some(other) => Err(fields.expected(key, other, known)),
        }
    };
    let energy_boundary = boundary(&mut fields, "energy_boundary", true)?;
    let energy = match (fields.number("energy_mwh", ENERGY)?, energy_boundary) {
        (Some(mwh), Some(boundary)) => Some((mwh, boundary)),
        (Some(_), None) => {
            let hint = "state energy_boundary = \"accelerators\", \"it\" or \"facility\"";
            return Err(conflict(&fields.place, "energy_mwh does not say what the meter stands before".into(), hint));
        }
        (None, Some(_)) => {
            return Err(conflict(&fields.place, "energy_boundary without energy_mwh".into(), "state both"));
        }
        (None, None) => None,
    };
    let meter = meter(&mut fields, folder)?;
    let power_boundary = boundary(&mut fields, "power_boundary", false)?;
    let power = fields.number("power_w", POWER)?.map(|w| (w, power_boundary.unwrap_or(Boundary::Accelerators)));
    let read = Phase {
        name,
        kind,
        hardware: fields.required_text("hardware")?,
        accelerators: fields.whole("accelerators", Bounds { high: 1e8, ..Bounds::REPLICAS })?,
        server: fields.text("server")?,
        site: fields.text("site")?,
        start: fields.hour("start")?,
        end: fields.hour("end")?,
        energy,
        meter,
        accelerator_hours: fields.number("accelerator_hours", HOURS)?,
        days: fields.number("days", DAYS)?,
        power,
        model: fields.text("model")?,
        active_params: fields.number("active_params", PARAMETERS)?,
        tokens: fields.number("tokens", TOKENS)?,
        context_tokens: fields.number("context_tokens", CONTEXT)?,
        flop: fields.number("flop", FLOP)?,
        mfu: fields.number("mfu", UTILISATION)?,
        hfu: fields.number("hfu", UTILISATION)?,
        recomputation: match fields.text("recomputation")?.as_deref() {
            None | Some("none") => Again::None,
            Some("selective") => Again::Selective,
            Some("full") => Again::Full,
            Some(other) => return Err(fields.expected("recomputation", other, "`none`, `selective` or `full`")),
        },
        fp8: match fields.text("precision")?.as_deref() {
            None | Some("bf16" | "fp16") => false,
            Some("fp8") => true,
            Some(other) => return Err(fields.expected("precision", other, "`bf16` or `fp8`")),
        },
        adapters: match fields.text("trains")?.as_deref() {
            None | Some("all") => false,
            Some("adapters") => true,
            Some(other) => return Err(fields.expected("trains", other, "`all` or `adapters`")),
        },
        teacher: fields.text("teacher")?,
        frozen_params: fields.number("frozen_params", PARAMETERS)?.unwrap_or(0.0),
        overheads: Overheads {
            checkpointing: fields.number("checkpointing", SHARE)?.unwrap_or(0.0),
            restarts: fields.number("restarts", SHARE)?.unwrap_or(0.0),
            failed: fields.number("failed", SHARE)?.unwrap_or(0.0),
            exploratory: fields.number("exploratory", SHARE)?.unwrap_or(0.0),
        },
        generation: generation(&mut fields)?,
    };
    check(&fields.place, &read)?;
    Ok(read)
}

fn meter(fields: &mut Fields, folder: &Path) -> Result<Option<(Series, Boundary)>> {
    let Some(file) = fields.text("meter")? else { return Ok(None) };
    let mut found = series::read(&below(folder, &file, &fields.place)?, &METER_SERIES)?;
    match (found.remove("it_kwh"), found.remove("facility_kwh")) {
        (Some(it), None) => Ok(Some((it, Boundary::It))),
        (None, Some(facility)) => Ok(Some((facility, Boundary::Facility))),
        _ => Err(conflict(&fields.place, format!("{file} has to have one of it_kwh and facility_kwh"), "leave one")),
    }
}

fn generation(fields: &mut Fields) -> Result<Option<Generation>> {
    let count = fields.number("generations", TOKENS)?;
    let generation = Generation {
        count: count.unwrap_or(0.0),
        model: fields.text("generation_model")?,
        hardware: fields.text("generation_hardware")?,
        devices: fields.whole("generation_devices", Bounds::DEVICES)?,
        input_tokens: fields.number("generation_input_tokens", LENGTH)?.unwrap_or(0.0),
        output_tokens: fields.number("generation_output_tokens", LENGTH)?.unwrap_or(0.0),
        concurrency: fields.number("generation_concurrency", Bounds::CONCURRENCY)?,
    };
    match count {
        None if generation.output_tokens > 0.0 || generation.model.is_some() => {
            Err(conflict(&fields.place, "answers without `generations`".into(), "state how many are generated"))
        }
        Some(_) if generation.output_tokens == 0.0 => {
            let hint = "state generation_output_tokens, the mean length of an answer";
            Err(conflict(&fields.place, "generations of no length".into(), hint))
        }
        None => Ok(None),
        Some(_) => Ok(Some(generation)),
    }
}

/// A phase says one thing once, and enough.
fn check(place: &str, phase: &Phase) -> Result<()> {
    let refuse = |problem: &str, hint: &str| Err(conflict(place, problem.into(), hint));
    if phase.energy.is_some() && phase.meter.is_some() {
        return refuse("energy_mwh and meter", "state the sum or the series");
    }
    if phase.mfu.is_some() && phase.hfu.is_some() {
        return refuse("mfu and hfu", "the one follows from the other and `recomputation`");
    }
    let years = YEARS.map(|year| crate::hours::Step::Year.first_hour(year));
    for hour in [phase.start, phase.end].into_iter().flatten() {
        if !(years[0]..years[1]).contains(&hour) {
            return refuse("dates outside of 2000 to 2100", "check the year of start and end");
        }
    }
    if phase.start.is_none() && phase.end.is_some() {
        return refuse("end without start", "state both, or start and accelerators");
    }
    if let (Some(start), Some(end)) = (phase.start, phase.end) {
        if end <= start {
            return refuse("end is not after start", "end is the first hour that is not of the phase any more");
        }
        if phase.days.is_some() {
            return refuse("days beside start and end", "the dates say it already");
        }
    }
    let dated = phase.days.is_some() || (phase.start.is_some() && phase.end.is_some());
    let timed = phase.accelerator_hours.is_some() || (phase.accelerators.is_some() && dated);
    let sized = phase.model.is_some() || phase.active_params.is_some();
    let worked = phase.flop.is_some() || (sized && phase.tokens.is_some());
    if phase.energy.is_none() && phase.meter.is_none() && !timed && !worked && phase.generation.is_none() {
        return refuse(
            "nothing says how much was done",
            "state energy_mwh, or accelerator_hours, or accelerators and days, or model and tokens, or flop",
        );
    }
    Ok(())
}
