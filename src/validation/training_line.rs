//! A line of published training runs, read: numbers as far as they are numbers, scopes as far as words tell them.

use super::read::Line;
use crate::catalog::Catalog;
use crate::plan::is_gpu;

/// What a line is evidence of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Class {
    /// Hours times a rated or assumed power: arithmetic.
    Accounting,
    /// Metered.
    Metered,
    /// Hours alone.
    HoursOnly,
    /// Somebody else's estimate.
    Other,
}

impl Class {
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Accounting => "accounting",
            Self::Metered => "metered",
            Self::HoursOnly => "hours only",
            Self::Other => "other estimate",
        }
    }

    fn of(evidence: &str) -> Self {
        match evidence {
            _ if evidence.starts_with("accounting") => Self::Accounting,
            _ if evidence.starts_with("measured") => Self::Metered,
            "hours_only" => Self::HoursOnly,
            _ => Self::Other,
        }
    }
}

/// What an energy is of, as far as its PUE goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Scope {
    /// With PUE.
    Facility,
    /// Without.
    It,
    /// The line does not say.
    Unknown,
}

impl Scope {
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Facility => "with PUE",
            Self::It => "without PUE",
            Self::Unknown => "unknown",
        }
    }

    /// What the words of a scope say; `pue` may stand in them as a number: `hours x 400 W x 1.1`.
    fn of(text: Option<&str>, pue: Option<f64>) -> Self {
        let text = text.unwrap_or_default().to_lowercase();
        let says = |words: &[&str]| words.iter().any(|word| text.contains(word));
        let words: Vec<&str> =
            text.split(|c: char| !c.is_alphanumeric() && c != '.').filter(|w| !w.is_empty()).collect();
        let word = |known: &[&str]| words.iter().any(|word| known.contains(word));
        let number = pue.is_some_and(|pue| words.iter().any(|word| word.parse() == Ok(pue)));
        let without = ["no pue", "without pue", "w/o pue", "before pue", "excluding pue", "excl. pue", "excludes pue"];
        let left_out = ["pue not included", "pue excluded", "not including pue", "pue is not"];
        // 400 W, or 400W: hours times power.
        let watts = words.windows(2).any(|two| two[0].parse::<f64>().is_ok() && two[1] == "w")
            || words.iter().any(|word| word.strip_suffix('w').is_some_and(|number| number.parse::<f64>().is_ok()));
        let places =
            ["facility", "datacenter", "datacentre", "data-centre", "data-center", "data centre", "data center"];
        if says(&without) || says(&left_out) {
            Self::It
        } else if word(&["pue"]) || says(&places) || number {
            Self::Facility
        } else if watts
            || word(&["it", "node", "nodes", "server", "servers", "gpu", "gpus", "tpu", "chip", "chips"])
            || says(&["accelerator", "wall", "system", "hours"])
        {
            Self::It
        } else {
            Self::Unknown
        }
    }
}

/// A line's figures.
#[derive(Clone, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "words of a line, each of its own")]
pub(super) struct Given {
    pub id: String,
    pub evidence: String,
    pub class: Class,
    pub hardware_text: String,
    pub rated_w: Option<f64>,
    pub peak_flop_per_s: Option<f64>,
    pub release_year: Option<f64>,
    pub gpu: bool,
    pub hours: Option<f64>,
    pub tdp_w: Option<f64>,
    pub mean_w: Option<f64>,
    /// Whether the host is inside of its power or energy.
    pub host_inside: bool,
    pub utilisation: Option<f64>,
    pub active: Option<f64>,
    pub experts: bool,
    pub adapters: bool,
    pub reinforcement: bool,
    /// Whether its words doubt that its energy is that of IT.
    pub energy_taken_for_it: bool,
    /// Cells that are no number, or none that can be.
    pub odd_cells: Vec<String>,
    /// What was taken of a scope that the line does not tell.
    pub scope_note: Option<String>,
    pub tokens: Option<f64>,
    pub pue: Option<f64>,
    pub grid_kg_per_kwh: Option<f64>,
    pub wue_onsite: Option<f64>,
    pub wue_offsite: Option<f64>,
    pub energy_mwh: Option<f64>,
    pub energy_scope: Scope,
    pub tco2e: Option<f64>,
    pub tco2e_scope: Scope,
    /// Whether emissions are of contracts.
    pub net: bool,
    pub water_m3: Option<f64>,
    /// How far rounding of the printed figures may put arithmetic off, as a logarithm.
    pub rounding: f64,
}

/// Whether the name of an accelerator that the catalog does not have is that of none that is a GPU.
fn custom(name: &str) -> bool {
    let name = name.to_lowercase();
    ["tpu", "trainium", "inferentia", "gaudi", "ascend", "npu", "ipu", "wse", "mtia"]
        .iter()
        .any(|own| name.contains(own))
}

/// Half a unit of the last printed digit, over the value.
fn half_unit(text: &str) -> f64 {
    let mantissa = text.split(['e', 'E']).next().unwrap_or_default();
    let digits: String = mantissa.chars().filter(char::is_ascii_digit).collect();
    let significant = digits.trim_start_matches('0');
    // Zeros at the end of a long whole number are not known to count; one of up to three digits is told to the unit.
    let whole = !mantissa.contains('.') && significant.len() > 3;
    let significant = if whole { significant.trim_end_matches('0') } else { significant };
    significant.parse::<f64>().map_or(0.0, |value| if value > 0.0 { 0.5 / value } else { 0.0 })
}

/// Columns of numbers with the least that each can be.
const NUMBERS: [(&str, f64); 16] = [
    ("params_b", 1e-9),
    ("active_params_b", 1e-9),
    ("tokens_b", 1e-9),
    ("count", 1e-9),
    ("days", 1e-9),
    ("accel_hours", 1e-9),
    ("tdp_w", 1e-9),
    ("mean_w_per_accel", 1e-9),
    ("pue", 1.0),
    ("grid_gco2e_kwh", 1e-9),
    ("wue_onsite_l_kwh", 0.0),
    ("wue_offsite_l_kwh", 0.0),
    ("energy_mwh", 1e-12),
    ("tco2e", 0.0),
    ("water_m3", 0.0),
    ("utilisation", 0.0),
];

impl Given {
    /// What of the line is odd or was taken for something.
    pub(super) fn remarks(&self) -> Vec<String> {
        self.odd_cells.iter().cloned().chain(self.scope_note.clone()).collect()
    }
}

pub(super) fn given(line: Line<'_>, catalog: &Catalog) -> Given {
    // A cell that is no number, such as `2.5+8.5`, says nothing of one run.
    let number = |column: &str| line.value(column, 0.0..=1e18).ok().flatten();
    let some = |column: &str| number(column).filter(|value| *value > 0.0);
    let evidence = line.text("evidence").unwrap_or_default().to_lowercase();
    let class = Class::of(&evidence);
    let hardware_text = line.text("hardware").unwrap_or_default().to_owned();
    let bare = hardware_text.split('(').next().unwrap_or_default().trim();
    let row = catalog.hardware(bare).ok().map(|found| found.row);
    let pue = some("pue").filter(|pue| *pue >= 1.0);
    let kind = line.text("kind").unwrap_or_default().to_lowercase();
    let words = |column: &str| line.text(column).unwrap_or_default().to_lowercase();
    let (power_scope, energy_words) = (words("power_scope"), words("energy_scope"));
    // The accelerators alone, unless words name what is around them.
    let around = |text: &str| ["system", "node", "host", "cpu", "facility"].iter().any(|word| text.contains(word));
    let only = |text: &str| ["gpu only", "gpu x", "no host", "host excluded"].iter().any(|word| text.contains(word));
    let tco2e_words = words("tco2e_scope");
    let hours = some("accel_hours").or_else(|| Some(some("count")? * some("days")? * 24.0));
    let printed = ["energy_mwh", "tco2e", "water_m3", "accel_hours", "mean_w_per_accel", "pue", "grid_gco2e_kwh"];
    let rounding = printed.iter().filter_map(|column| line.text(column)).map(half_unit).sum();
    let tdp_w = some("tdp_w");
    let mut scope_of_energy = Scope::of(line.text("energy_scope"), pue);
    let mut scope_note = None;
    let watts = some("mean_w_per_accel").or(if class == Class::Accounting { tdp_w } else { None });
    if scope_of_energy == Scope::Unknown {
        scope_of_energy = if pue.is_some() { Scope::Facility } else { Scope::It };
        // Accounting is a product, and of two products it is the one that it is.
        let it = hours.zip(watts).map(|(hours, watts)| hours * watts / 1e6);
        if let (Class::Accounting, Some(printed), Some(it)) = (class, some("energy_mwh"), it)
            && (it / printed).ln().abs() < 0.02
        {
            scope_of_energy = Scope::It;
        }
        scope_note = Some(format!("the line does not say what its energy is of: taken {}", scope_of_energy.name()));
    }
    let odd_cells = NUMBERS
        .iter()
        .filter(|(column, low)| line.text(column).is_some() && number(column).is_none_or(|value| value < *low))
        .map(|(column, _)| {
            format!("`{column}` is `{}`: not counted", crate::error::excerpt(line.text(column).unwrap_or_default()))
        })
        .collect();
    Given {
        id: line.id(),
        class,
        rated_w: tdp_w.or_else(|| row?.tdp_w),
        peak_flop_per_s: row.and_then(|row| row.bf16_tflops).map(|peak| peak * 1e12),
        release_year: row.and_then(|row| row.release_year),
        gpu: row.map_or_else(|| !custom(bare), is_gpu),
        hours,
        tdp_w,
        mean_w: some("mean_w_per_accel"),
        host_inside: (around(&power_scope) || around(&energy_words)) && !only(&power_scope) && !only(&energy_words),
        utilisation: some("utilisation").filter(|share| *share < 1.0),
        active: some("active_params_b").or_else(|| some("params_b")).map(|billions| billions * 1e9),
        experts: kind.contains("moe") || kind.contains("mixture"),
        adapters: kind.contains("lora") || kind.contains("adapter"),
        reinforcement: ["reinforcement", "rlhf", "grpo", "rl "].iter().any(|word| kind.contains(word)) || kind == "rl",
        energy_taken_for_it: energy_words.contains("treated as") && scope_of_energy == Scope::It,
        odd_cells,
        scope_note,
        tokens: some("tokens_b").map(|billions| billions * 1e9),
        pue,
        grid_kg_per_kwh: some("grid_gco2e_kwh").map(|grams| grams / 1e3),
        wue_onsite: number("wue_onsite_l_kwh"),
        wue_offsite: number("wue_offsite_l_kwh"),
        energy_mwh: some("energy_mwh"),
        energy_scope: scope_of_energy,
        tco2e: number("tco2e"),
        tco2e_scope: Scope::of(line.text("tco2e_scope"), pue),
        net: ["net", "market"].iter().any(|word| tco2e_words.starts_with(word))
            || tco2e_words.contains("operational net"),
        water_m3: number("water_m3"),
        rounding,
        evidence,
        hardware_text,
    }
}
