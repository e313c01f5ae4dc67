//! Training runs: published energy, emissions, water and hours beside what the row's own figures, and the method, give.
//!
//! A line gives a row for each quantity that it publishes and each way to it. *given*: hours × power × PUE of the line, and
//! its factors: whether the arithmetic of a report holds. *predicted*: power and, where hours are missing, utilisation
//! from the method: whether the method holds. Figures that contradict each other are found, told and not reproduced: the
//! row has no estimate, and its reason begins with `trap:`.

use super::read::{Line, Sheet};
use super::training_line::{Class, Given, Scope, given};
use super::{Kind, Prediction, Report, Row};
use crate::Result;
use crate::catalog::Catalog;
use crate::physics::training::{PASSES_ADAPTERS, PASSES_FULL, Work, accelerator_hours, utilisation};
use crate::physics::training_efficiency::usual_utilisation;
use crate::physics::training_power::{Class as Power, HOST_OVER_RATED, Job, mean_power};
use crate::units::Watts;
use std::path::Path;

/// Columns without which no row means anything.
const NEEDED: [&str; 3] = ["hardware", "energy_mwh", "evidence"];
/// No electricity that a fleet of accelerators buys is cleaner, or dirtier, in kg/kWh with everything around it.
const PLAUSIBLE_KG_PER_KWH: (f64, f64) = (0.008, 2.5);
/// What an accounting line's own figures may differ from what it prints: it is nothing but their product.
const ADDS_UP: f64 = 0.05;
/// The same of a metered line, as a factor: more is another run, or another unit.
const SAME_RUN: f64 = 3.0;
/// Half the width of the interval of arithmetic beyond what rounding explains.
const EXACT: f64 = 0.02;

/// Estimates every row of a file.
pub(super) fn validate(path: &Path) -> Result<Report> {
    let sheet = Sheet::read(path, &NEEDED)?;
    let lines: Vec<(Line<'_>, std::result::Result<Given, String>)> =
        sheet.lines().map(|line| (line, line.whole().map(|()| given(line, Catalog::builtin())))).collect();
    let all: Vec<&Given> = lines.iter().filter_map(|(_, given)| given.as_ref().ok()).collect();
    let mut rows = Vec::new();
    for (line, given) in &lines {
        match given {
            Ok(given) => rows.extend(of_line(*line, given, &all)),
            Err(problem) => rows.push(blank(*line, "energy_mwh", "MWh", problem.clone())),
        }
    }
    Ok(Report { kind: Kind::Training, parameter_set: "training power and efficiency of 2026.11", rows })
}

/// A row with nothing estimated.
fn blank(line: Line<'_>, quantity: &'static str, unit: &'static str, reason: String) -> Row {
    Row {
        row_id: line.id(),
        model: line.text("name").unwrap_or_default().to_owned(),
        quantity,
        unit,
        measured: None,
        predicted: Err(reason),
        assumed: Vec::new(),
        yardstick: None,
        slices: Vec::new(),
    }
}

/// An estimate, or why there is none; what was filled.
type Found = (std::result::Result<Prediction, String>, Vec<String>);

fn of_line(line: Line<'_>, given: &Given, all: &[&Given]) -> Vec<Row> {
    let mut rows = Vec::new();
    let mut add = |quantity: &'static str,
                   unit,
                   measured: Option<f64>,
                   class: Class,
                   efficiency: &str,
                   (predicted, assumed): Found| {
        let trap = predicted.as_ref().err().is_some_and(|reason| reason.starts_with("trap:"));
        let mut slices = vec![
            ("evidence", class.name().to_owned()),
            ("efficiency", efficiency.to_owned()),
            ("test", format!("{}, {efficiency}", class.name())),
            ("quantity", quantity.to_owned()),
            ("hardware", given.hardware_text.clone()),
            ("stated evidence", given.evidence.clone()),
        ];
        if trap {
            slices.push(("trap", "found".into()));
        }
        let row = blank(line, quantity, unit, String::new());
        rows.push(Row { measured, predicted, assumed, slices, ..row });
    };
    let class = given.class;
    let stated = energy_given(given);
    if let Some(measured) = given.energy_mwh {
        // Without its power there is no arithmetic to redo.
        if given.hours.is_some() && given.watts().is_some() {
            add("energy_mwh", "MWh", Some(measured), class, "watts given", stated.clone());
        }
        add("energy_mwh", "MWh", Some(measured), class, predicted_word(given), energy_predicted(given));
    }
    let from = if stated.0.is_ok() { "watts given" } else { "energy given" };
    if let Some(measured) = given.tco2e {
        add("tco2e", "t", Some(measured), class, from, emissions(given, &stated));
    }
    if let Some(measured) = given.water_m3 {
        add("water_m3", "m3", Some(measured), class, "energy given", water(given, all));
    }
    if let (Some(hours), true) = (given.hours, given.flop().is_some()) {
        add("accel_hours", "h", Some(hours), class, "utilisation predicted", hours_predicted(given));
    }
    if rows.is_empty() {
        let odd = given.odd_cells.first().map_or_else(String::new, |cell| format!("; {cell}"));
        let reason = format!("the line publishes neither energy, emissions, water nor hours of known work{odd}");
        let slices = vec![("evidence", class.name().to_owned())];
        rows.push(Row { slices, ..blank(line, "energy_mwh", "MWh", reason) });
    }
    rows
}

fn predicted_word(given: &Given) -> &'static str {
    if given.hours.is_some() { "watts predicted" } else { "watts and hours predicted" }
}

/// A value with an interval that is so wide either way.
fn around(value: f64, half_width: f64) -> Prediction {
    Prediction { value, low: value * (-half_width).exp(), high: value * half_width.exp() }
}

/// Hours × power × PUE, all of the line.
fn energy_given(given: &Given) -> Found {
    let mut assumed = given.remarks();
    let (Some(hours), Some(watts)) = (given.hours, given.watts()) else {
        return (Err("the line states no hours, or no power".into()), assumed);
    };
    let value = match (given.energy_scope, given.pue) {
        (Scope::Facility, Some(pue)) => hours * watts / 1e6 * pue,
        (Scope::Facility, None) => {
            return (Err("its energy is of the facility, and the line states no PUE that can be".into()), assumed);
        }
        _ => hours * watts / 1e6,
    };
    if let Some(reason) = given.contradiction(given.energy_mwh, value, "MWh", "hours, power and PUE") {
        return (Err(reason), assumed);
    }
    if let Some(share) = implied_any(given).filter(|share| *share > 1.0) {
        assumed.push(format!("odd: weights and tokens in these hours are {share:.1} of the peak"));
    }
    (Ok(around(value, given.rounding.max(EXACT))), assumed)
}

/// The same with power, and where needed hours, of the method.
fn energy_predicted(given: &Given) -> Found {
    let mut assumed = given.remarks();
    let Some(rated) = given.rated_w else {
        return (Err(given.unknown_power()), assumed);
    };
    let (hours, spread) = match (given.hours, given.flop()) {
        (Some(hours), _) => (hours, 0.0),
        (None, Some(flop)) => {
            let Some(peak) = given.peak_flop_per_s else {
                return (Err("no hours, and no peak to get them from FLOP".into()), assumed);
            };
            let (usual, spread) = usual(given);
            assumed.push(format!("hours from FLOP at a utilisation of {usual:.2}"));
            (accelerator_hours(flop, peak, usual), spread)
        }
        (None, None) => return (Err("the line states no hours, and no weights and tokens".into()), assumed),
    };
    let power = power_class(given, hours);
    let (share, power_spread) = power.share();
    assumed.push(format!("{:.0} % of {rated:.0} W rated", share * 100.0));
    let mut watts = mean_power(Watts(rated), power).0;
    if given.host_inside {
        watts += rated * HOST_OVER_RATED;
        assumed.push(format!("host {:.0} W an accelerator", rated * HOST_OVER_RATED));
    }
    let it = hours * watts / 1e6;
    let around_it = match (given.energy_scope, given.pue) {
        (Scope::Facility | Scope::Unknown, Some(pue)) => pue,
        (Scope::Facility, None) => {
            return (Err("its energy is of the facility, and the line states no PUE that can be".into()), assumed);
        }
        (Scope::It, _) | (Scope::Unknown, None) => 1.0,
    };
    (Ok(around(it * around_it, spread.hypot(power_spread))), assumed)
}

/// Utilisation that the line's work in its hours is, possible or not.
fn implied_any(given: &Given) -> Option<f64> {
    Some(utilisation(given.flop()?, given.peak_flop_per_s?, given.hours?))
}

/// The same where it can be.
fn implied(given: &Given) -> Option<f64> {
    implied_any(given).filter(|utilised| *utilised < 1.0)
}

fn usual(given: &Given) -> (f64, f64) {
    usual_utilisation(
        given.active.unwrap_or(7e9),
        given.experts,
        given.gpu.then(|| given.release_year.unwrap_or(2023.0)),
    )
}

fn power_class(given: &Given, hours: f64) -> Power {
    Power::of(&Job {
        gpu: given.gpu,
        reinforcement: given.reinforcement,
        weights: given.active,
        hours: Some(hours),
        utilisation: given.utilisation.or_else(|| implied(given)).unwrap_or_else(|| usual(given).0),
    })
}

/// Hours from weights and tokens.
fn hours_predicted(given: &Given) -> Found {
    let (Some(flop), Some(peak)) = (given.flop(), given.peak_flop_per_s) else {
        return (Err(format!("the catalog knows no peak of `{}`", given.hardware_text)), Vec::new());
    };
    if let Some(share) = implied_any(given).filter(|share| *share > 1.0) {
        let reason = format!("trap: weights and tokens in these hours are {share:.1} of the peak of its accelerators");
        return (Err(reason), Vec::new());
    }
    let (usual, spread) = usual(given);
    (Ok(around(accelerator_hours(flop, peak, usual), spread)), vec![format!("a utilisation of {usual:.2}")])
}

/// Energy × factor, of the line.
fn emissions(given: &Given, stated: &Found) -> Found {
    let mut assumed = given.remarks();
    let measured = given.tco2e.unwrap_or(0.0);
    let facility = facility_mwh(given, stated, &mut assumed);
    if measured <= 0.0 && given.net {
        return (Err("of contracts: 0 t says what was bought and not what was emitted".into()), assumed);
    }
    if measured <= 0.0 {
        let said = facility.map_or_else(String::new, |mwh| format!(" from {mwh:.0} MWh"));
        let reason = format!("trap: 0 t{said}: no supply is without emissions over its life, and no contract is named");
        return (Err(reason), assumed);
    }
    if let (Some(mwh), None) = (facility, given.grid_kg_per_kwh) {
        let implied = measured / mwh;
        let (low, high) = PLAUSIBLE_KG_PER_KWH;
        if !(low..=high).contains(&implied) && !given.net {
            let reason = format!(
                "trap: {measured} t from {mwh:.0} MWh is {implied:.4} kg/kWh, which no grid is: hours and tonnes contradict each other"
            );
            return (Err(reason), assumed);
        }
        return (Err(format!("the line states no factor of its grid: {implied:.3} kg/kWh is implied")), assumed);
    }
    let (Some(mwh), Some(factor)) = (facility, given.grid_kg_per_kwh) else {
        return (Err("the line states neither energy nor hours and power".into()), assumed);
    };
    let value = mwh * factor;
    if let Some(reason) = given.contradiction(given.tco2e, value, "t", "energy and factor") {
        return (Err(reason), assumed);
    }
    (Ok(around(value, given.rounding.max(EXACT))), assumed)
}

/// Energy that emissions are of: recomputed where the line allows, else as printed.
fn facility_mwh(given: &Given, stated: &Found, assumed: &mut Vec<String>) -> Option<f64> {
    let it = given.hours.zip(given.watts()).map(|(hours, watts)| hours * watts / 1e6);
    match (given.tco2e_scope, it, given.pue) {
        (Scope::It, Some(it), _) => Some(it),
        (_, Some(it), Some(pue)) => match given.energy_scope {
            Scope::It if given.tco2e_scope != Scope::Facility => Some(it),
            _ => Some(it * pue),
        },
        // What is printed of the facility is nearer to it than hours and power without a PUE.
        (_, Some(_), None) if given.energy_scope == Scope::Facility && given.energy_mwh.is_some() => given.energy_mwh,
        (_, Some(it), None) => {
            assumed.push("no PUE is stated: none is in it".into());
            Some(it)
        }
        (_, None, _) => stated.0.as_ref().ok().map(|prediction| prediction.value).or(given.energy_mwh),
    }
}

/// Energy × water per kWh: on site by IT energy, off site by that of the facility.
fn water(given: &Given, all: &[&Given]) -> Found {
    let assumed = given.remarks();
    let Some(mwh) = given.energy_mwh else { return (Err("the line states no energy".into()), assumed) };
    let measured = given.water_m3.unwrap_or(0.0);
    let (Some(on), Some(off)) = (given.wue_onsite, given.wue_offsite) else {
        let reason = if measured <= 0.0 {
            format!(
                "trap: 0 m³ for {mwh:.0} MWh: generation drinks, hydropower by the evaporation of its reservoirs most"
            )
        } else {
            "the line states no water of its site and its grid".into()
        };
        return (Err(reason), assumed);
    };
    let pue = given.pue.unwrap_or(1.0);
    // The same energy stands in another line as that of the facility: a PUE is inside already.
    let twice = all.iter().find(|other| {
        let same = other.energy_mwh.is_some_and(|energy| (energy / mwh - 1.0).abs() < 1e-3);
        same && other.energy_scope == Scope::Facility && other.pue.is_some() && other.id != given.id
    });
    if let (Scope::It, Some(other)) = (given.energy_scope, twice) {
        let inside = other.pue.unwrap_or(1.0);
        let once = mwh / inside * on + mwh * off;
        let reason = format!(
            "trap: PUE twice: {mwh} MWh is taken for IT, and `{}` has it with a PUE of {inside} inside; once, water is {once:.0} m³",
            other.id
        );
        return (Err(reason), assumed);
    }
    if given.energy_taken_for_it {
        let reason =
            "trap: PUE twice: the line says its energy is taken for that of IT, which its source may not mean".into();
        return (Err(reason), assumed);
    }
    let value = match given.energy_scope {
        Scope::It => mwh * (on + pue * off),
        _ => mwh / pue * on + mwh * off,
    };
    if let Some(reason) = given.contradiction(given.water_m3, value, "m³", "energy and water per kWh") {
        return (Err(reason), assumed);
    }
    (Ok(around(value, given.rounding.max(EXACT))), assumed)
}

impl Given {
    /// Why nothing is predicted of accelerators nobody knows.
    fn unknown_power(&self) -> String {
        match self.hardware_text.as_str() {
            "" => "the line names no accelerator".into(),
            name => format!("neither the catalog nor the line knows rated power of `{name}`"),
        }
    }

    /// Why a printed figure cannot be what the line's own other figures give; nothing where it may.
    fn contradiction(&self, printed: Option<f64>, value: f64, unit: &str, of: &str) -> Option<String> {
        let printed = printed?;
        let told = || format!("trap: {printed} {unit} is printed, and {of} of the line give {value:.4} {unit}");
        if printed <= 0.0 {
            return (value > 0.0).then(told);
        }
        let off = (value / printed).ln().abs();
        let most = if self.class == Class::Accounting { ADDS_UP + self.rounding } else { SAME_RUN.ln() };
        (off > most).then(told)
    }

    /// Power of an accelerator that the line's energy was made with: its mean, and in accounting its rated power.
    fn watts(&self) -> Option<f64> {
        self.mean_w.or(if self.class == Class::Accounting { self.tdp_w } else { None })
    }

    /// Model FLOP of the line.
    fn flop(&self) -> Option<f64> {
        let work = Work {
            active_parameters: self.active?,
            attention_flop: 0.0,
            passes: if self.adapters { PASSES_ADAPTERS } else { PASSES_FULL },
            frozen_parameters: 0.0,
        };
        Some(work.flop_per_token() * self.tokens?)
    }
}
