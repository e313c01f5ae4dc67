//! A line of published training runs, read: numbers as far as they are numbers, scopes as far as words tell them.

use super::read::Line;
use crate::catalog::Catalog;

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
        let number = pue.is_some_and(|pue| text.split_whitespace().any(|word| word.parse() == Ok(pue)));
        if says(&["no pue", "without pue", "before pue", "it) energy", "it energy"]) {
            Self::It
        } else if says(&["pue", "facility", "data-centre overhead", "data-center overhead"]) || number {
            Self::Facility
        } else if says(&["node", "gpu", "chip", "accelerator", " w"]) {
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
    pub tco2e_recalled: bool,
    pub water_m3: Option<f64>,
    /// How far rounding of the printed figures may put arithmetic off, as a logarithm.
    pub rounding: f64,
}

/// Half a unit of the last printed digit, over the value.
fn half_unit(text: &str) -> f64 {
    let mantissa = text.split(['e', 'E']).next().unwrap_or_default();
    let digits: String = mantissa.chars().filter(char::is_ascii_digit).collect();
    let significant = digits.trim_start_matches('0');
    // Zeros at the end of a whole number are not known to count.
    let significant = if mantissa.contains('.') { significant } else { significant.trim_end_matches('0') };
    significant.parse::<f64>().map_or(0.0, |value| if value > 0.0 { 0.5 / value } else { 0.0 })
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
    let scope_of_energy = Scope::of(line.text("energy_scope"), pue);
    Given {
        id: line.id(),
        class,
        rated_w: tdp_w.or_else(|| row?.tdp_w),
        peak_flop_per_s: row.and_then(|row| row.bf16_tflops).map(|peak| peak * 1e12),
        release_year: row.and_then(|row| row.release_year),
        gpu: row.map_or_else(|| !bare.to_lowercase().contains("tpu"), |row| row.category != "asic"),
        hours,
        tdp_w,
        mean_w: some("mean_w_per_accel"),
        host_inside: (around(&power_scope) || around(&energy_words)) && !only(&power_scope) && !only(&energy_words),
        utilisation: some("utilisation").filter(|share| *share < 1.0),
        active: some("active_params_b").or_else(|| some("params_b")).map(|billions| billions * 1e9),
        experts: kind.contains("moe") || kind.contains("mixture"),
        adapters: kind.contains("lora") || kind.contains("adapter"),
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
        tco2e_recalled: tco2e_words.contains("recalled"),
        water_m3: number("water_m3"),
        rounding,
        evidence,
        hardware_text,
    }
}
