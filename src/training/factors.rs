//! What a run's footprint hangs on: each factor with what it would be at the ends of what it may be, or elsewhere.

use super::TrainingEstimate;
use super::compile::{Basis, Compiled};
use crate::Result;
use crate::catalog::Catalog;
use crate::estimate::columns::{Column, SUMS, sum};
use crate::estimate::{Node, node, of_fact};
use crate::physics::embodied::Range;
use serde::Serialize;

/// A critical factor.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Factor {
    /// The phase, or the run.
    pub of: String,
    /// What it is.
    pub factor: &'static str,
    /// Its value.
    pub value: f64,
    /// Unit of the value.
    pub unit: &'static str,
    /// stated, metered, derived, predicted, of the catalog; or chosen, for what could have been another.
    pub how: &'static str,
    /// Emissions of the phase at the low end, over those estimated.
    pub low: f64,
    /// The same at the high end.
    pub high: f64,
    /// What the ends are.
    pub ends: String,
}

/// How far the power of accelerators that wait may be off, as a logarithm (*assumed*).
const STANDS: f64 = 0.2;

/// Ten and ninety in a hundred.
fn deciles(mut values: Vec<f64>) -> Option<(f64, f64)> {
    values.sort_by(f64::total_cmp);
    let at = |share: usize| values.get((values.len() * share / 100).min(values.len().saturating_sub(1))).copied();
    at(10).zip(at(90))
}

impl TrainingEstimate {
    /// Critical factors, the one with the widest ends first: how much was done, how well, on what, and where.
    ///
    /// # Errors
    /// [`crate::Error::CatalogRow`] for a catalog that breaks its rules.
    pub fn factors(&self, catalog: &Catalog) -> Result<Vec<Factor>> {
        let mut factors = Vec::new();
        for phase in &self.phases {
            self.amounts(phase, &mut factors);
            hardware(phase, catalog, &mut factors)?;
            self.place(phase, catalog, &mut factors)?;
            self.overheads(phase, &mut factors);
        }
        factors.sort_by(|a, b| (b.high / b.low).total_cmp(&(a.high / a.low)));
        Ok(factors)
    }

    /// Whether a line is a phase's: what is reserved and idle is no phase's.
    fn is_of(&self, line: &super::Line, phase: &Compiled) -> bool {
        line.activity != super::Activity::Idle && self.phases[line.phase].name == phase.name
    }

    /// Size, tokens, hours, efficiency, power.
    fn amounts(&self, phase: &Compiled, factors: &mut Vec<Factor>) {
        let mut add = |factor, value, unit, how, spread: f64, ends: String| {
            let (low, high) = ((-spread).exp(), spread.exp());
            factors.push(Factor { of: phase.name.clone(), factor, value, unit, how, low, high, ends });
        };
        let proportional = || "the footprint goes with it".to_owned();
        if let Some(learner) = phase.learner.as_ref().filter(|_| phase.basis == Basis::Flop) {
            add(
                "size",
                learner.active_parameters,
                "weights",
                if learner.model.is_some() { "catalog" } else { "stated" },
                0.0,
                proportional(),
            );
        }
        if let Some(tokens) = phase.tokens.filter(|_| phase.basis == Basis::Flop) {
            add("tokens", tokens, "tokens", "stated", 0.0, proportional());
        }
        if let Some(mfu) = phase.mfu {
            let counts = phase.basis == Basis::Flop;
            let ends = match (counts, mfu.how) {
                (false, _) => "from FLOP and hours: does not count",
                (true, "predicted") => "90 % of runs of its size",
                (true, _) => "of what is stated",
            };
            add("efficiency", mfu.value, "of peak", mfu.how, if counts { mfu.spread } else { 0.0 }, ends.into());
        }
        if phase.basis == Basis::Metered {
            let kwh = self.sum(|line| self.is_of(line, phase)).value(sum("it_kwh")).unwrap_or(0.0);
            add("energy", kwh, "kWh of IT", "metered", phase.spread, "of a meter".into());
            return;
        }
        if phase.hours.value > 0.0 {
            let spread = if phase.basis == Basis::Flop { 0.0 } else { phase.hours.spread };
            add("hours", phase.hours.value, "accelerator-hours", phase.hours.how, spread, proportional());
            let ends =
                if phase.power_w.how == "predicted" { "90 % of accelerators that train" } else { "of what is stated" };
            add(
                "power",
                phase.power_w.value,
                "W of an accelerator",
                phase.power_w.how,
                phase.power_w.spread,
                ends.into(),
            );
        }
    }

    /// The same energy at other sites of the catalog.
    fn place(&self, phase: &Compiled, catalog: &Catalog, factors: &mut Vec<Factor>) -> Result<()> {
        let here = self.sum(|line| self.is_of(line, phase));
        let (Some(grams), Some(it)) = (here.value(sum("co2e_location_g")), here.value(sum("it_kwh"))) else {
            return Ok(());
        };
        let mut elsewhere = Vec::new();
        for site in catalog.all_sites()? {
            let Some(direct) = catalog.site_grid(site)?.direct else { continue };
            elsewhere.push(direct.value.0 * site.pue.unwrap_or(1.2));
        }
        let own = grams / it;
        if let (Some((low, high)), true) = (deciles(elsewhere), own > 0.0) {
            factors.push(Factor {
                of: phase.name.clone(),
                factor: "place",
                value: own,
                unit: "g/kWh of IT",
                how: "chosen",
                low: (low / own).min(1.0),
                high: (high / own).max(1.0),
                ends: format!("eight in ten sites of the catalog lie between {low:.0} and {high:.0} g/kWh of IT"),
            });
        }
        Ok(())
    }

    /// What stands beside the work that counts.
    fn overheads(&self, phase: &Compiled, factors: &mut Vec<Factor>) {
        let mine = |line: &super::Line| self.is_of(line, phase);
        let energy = |total: crate::estimate::Total| total.value(sum("it_kwh")).unwrap_or(0.0);
        let all = energy(self.sum(mine));
        let counts = energy(self.sum(|line| mine(line) && line.activity == super::Activity::Training));
        if counts > 0.0 && all > counts {
            factors.push(Factor {
                of: phase.name.clone(),
                factor: "overheads",
                value: all / counts,
                unit: "of the work that counts",
                how: "stated",
                low: counts / all,
                high: 1.0,
                ends: "without restarts, failed and exploratory runs, generation and idle".into(),
            });
        }
    }

    /// Low and high by column of [`SUMS`]: of energy, of hours, of the building's effectiveness, of making the machines;
    /// nothing of the grid's factors. `None` where the column is unknown for a part of the run.
    #[must_use]
    pub fn ranges(&self) -> Vec<Option<[f64; 2]>> {
        let total = self.total();
        let mut ranges: Vec<[f64; 2]> = vec![[0.0; 2]; SUMS.len()];
        for line in &self.lines {
            for (range, ends) in ranges.iter_mut().zip(self.ends(line)) {
                range[0] += ends[0];
                range[1] += ends[1];
            }
        }
        let known = |(column, range)| total.value(column).map(|_| range);
        ranges.into_iter().enumerate().map(known).collect()
    }

    /// The ends of every column of a line.
    fn ends(&self, line: &super::Line) -> Vec<[f64; 2]> {
        let phase = &self.phases[line.phase];
        let facility = self.plan.sites()[line.site].hour(line.hour, None).facility;
        let pue = facility.average.pue();
        let around = [facility.pue_range.0.min(pue) / pue, facility.pue_range.1.max(pue) / pue];
        let (energy, hours, made) = match (&phase.generation, line.activity) {
            (Some(generation), super::Activity::Generation) => {
                (generation.spread, generation.spread, generation.embodied_per_s(&self.plan))
            }
            (_, super::Activity::Idle) => (STANDS, 0.0, phase.trainer.made.per_second()),
            _ => (phase.spread, phase.hours.spread, phase.trainer.made.per_second()),
        };
        let both = |spread: f64| [(-spread).exp(), spread.exp()];
        let (energy, hours) = (both(energy), both(hours));
        let [gwp, adpe, primary, water, mass] = made.parts();
        let of_made = |part: Range, value: f64| {
            let ratio = |end: f64| if part.value > 0.0 { end / part.value } else { 1.0 };
            [value * ratio(part.low) * hours[0], value * ratio(part.high) * hours[1]]
        };
        let sums = &line.values.sums;
        let of_energy = |value: f64| [value * energy[0] * around[0], value * energy[1] * around[1]];
        let whole = |part: Range, embodied: f64, all: f64| {
            let (made, used) = (of_made(part, embodied), of_energy(all - embodied));
            [made[0] + used[0], made[1] + used[1]]
        };
        let at = |name: &str| sums[sum(name)];
        let column = |(index, column): (usize, &Column)| {
            let value = sums[index];
            match column.name {
                "replica_seconds" => [value * hours[0], value * hours[1]],
                "co2e_embodied_g" => of_made(gwp, value),
                "water_embodied_l" => of_made(water, value),
                "adpe_embodied_kg_sb" => of_made(adpe, value),
                "primary_energy_embodied_mj" => of_made(primary, value),
                "ewaste_kg" => of_made(mass, value),
                "adpe_kg_sb" => whole(adpe, at("adpe_embodied_kg_sb"), value),
                "primary_energy_mj" => whole(primary, at("primary_energy_embodied_mj"), value),
                _ if index <= sum("it_kwh") => [value * energy[0], value * energy[1]],
                _ => of_energy(value),
            }
        };
        SUMS.iter().enumerate().map(column).collect()
    }

    /// The run from the facility down to hours, power and utilisation.
    #[must_use]
    pub fn tree(&self) -> Node {
        let total = self.total();
        let value = |name: &str| total.value(sum(name)).unwrap_or(f64::NAN);
        let phases = self.phases.iter().map(|phase| self.of_phase(phase)).collect();
        let it = node("IT energy", value("it_kwh"), "kWh", "Σ phases", phases);
        let facility = node("facility energy", value("facility_kwh"), "kWh", "IT energy·PUE, hour by hour", vec![it]);
        let mut ends = vec![facility];
        for (name, unit, formula) in [
            ("co2e_location_g", "g", "facility energy·direct factor, hour by hour"),
            ("co2e_embodied_g", "g", "burden·time/life"),
            ("water_onsite_l", "L", "IT energy·WUE, hour by hour"),
            ("water_offsite_with_hydro_l", "L", "facility energy·water of generation"),
        ] {
            if total.value(sum(name)).is_some() {
                ends.push(node(name, value(name), unit, formula, Vec::new()));
            }
        }
        node("run", 1.0, "run", "what it took", ends)
    }

    fn of_phase(&self, phase: &Compiled) -> Node {
        let mine = self.sum(|line| self.is_of(line, phase));
        let facts = |place: &str| -> Vec<Node> {
            self.facts().iter().filter(|fact| fact.place.starts_with(place)).map(of_fact).collect()
        };
        let mut parts = Vec::new();
        if let Some(flop) = phase.flop {
            parts.push(node("model FLOP", flop, "FLOP", "tokens·(passes·forward + frozen)", Vec::new()));
        }
        if let Some(mfu) = phase.mfu {
            parts.push(node("model FLOPs utilisation", mfu.value, mfu.how, "FLOP / (peak·time)", Vec::new()));
        }
        parts.push(node("accelerator-hours", phase.hours.value, phase.hours.how, "FLOP / (peak·MFU)", Vec::new()));
        parts.push(node("power", phase.power_w.value, phase.power_w.how, "W of an accelerator", Vec::new()));
        parts.push(node("host", phase.trainer.host.0, "W", "its share of the server", Vec::new()));
        parts.extend(facts(&format!("phase `{}`", phase.name)));
        let energy = mine.value(sum("it_kwh")).unwrap_or(f64::NAN);
        node(&phase.name, energy, "kWh", phase.basis.name(), parts)
    }
}

/// The same work on other accelerators of the catalog, by rated power over peak.
fn hardware(phase: &Compiled, catalog: &Catalog, factors: &mut Vec<Factor>) -> Result<()> {
    let Some(peak) = phase.trainer.peak_flop_per_s else { return Ok(()) };
    let own = phase.trainer.rated.0 / peak * 1e12;
    let mut others = Vec::new();
    for row in catalog.all_hardware()?.iter().filter(|row| row.category == "datacenter-gpu") {
        if let (Some(watts), Some(peak)) = (row.tdp_w, row.bf16_tflops) {
            others.push(watts / peak);
        }
    }
    if let Some((low, high)) = deciles(others) {
        factors.push(Factor {
            of: phase.name.clone(),
            factor: "hardware",
            value: own,
            unit: "W per TFLOP/s",
            how: "chosen",
            low: (low / own).min(1.0),
            high: (high / own).max(1.0),
            ends: format!("eight in ten data-centre GPUs of the catalog lie between {low:.1} and {high:.1}"),
        });
    }
    Ok(())
}
