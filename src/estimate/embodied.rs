//! What the machines of an estimate took to make: part by part, amortised over the time they stand there, and apart from
//! that as it is booked in the year of purchase.

use super::Estimate;
use super::columns::sum;
use crate::physics::embodied::{Burden, Range};
use crate::plan::{Component, Deployed, Embodied, Group};
use serde::Serialize;

/// A value with its ends.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Ranged {
    /// Central value.
    pub value: f64,
    /// Low end.
    pub low: f64,
    /// High end.
    pub high: f64,
}

impl From<Range> for Ranged {
    fn from(range: Range) -> Self {
        Self { value: range.value, low: range.low, high: range.high }
    }
}

/// A burden with its units in the names.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Footprint {
    /// Emissions.
    pub kgco2e: Ranged,
    /// Abiotic depletion, antimony.
    pub adpe_kg_sb: Ranged,
    /// Primary energy.
    pub primary_energy_mj: Ranged,
    /// Water.
    pub water_l: Ranged,
    /// Mass.
    pub mass_kg: Ranged,
}

impl From<Burden> for Footprint {
    fn from(burden: Burden) -> Self {
        Self {
            kgco2e: burden.gwp_kg.into(),
            adpe_kg_sb: burden.adpe_kg_sb.into(),
            primary_energy_mj: burden.primary_energy_mj.into(),
            water_l: burden.water_l.into(),
            mass_kg: burden.mass_kg.into(),
        }
    }
}

/// A part.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Part {
    /// What it belongs to.
    pub group: Group,
    /// What it is.
    pub what: String,
    /// Its burden.
    #[serde(flatten)]
    pub footprint: Footprint,
    /// What the figure covers.
    pub scope: String,
    /// Its service life.
    pub lifetime_years: f64,
    /// Where the figures come from.
    pub source: String,
}

/// Parts of one group together.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Share {
    /// The group.
    pub group: Group,
    /// Its burden.
    #[serde(flatten)]
    pub footprint: Footprint,
    /// Share of the emissions of all groups.
    pub share: f64,
}

/// Machines with their burden.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct MadeOf {
    /// The deployment or phase.
    pub of: String,
    /// Catalog id of the accelerator.
    pub hardware: String,
    /// Accelerators.
    pub accelerators: f64,
    /// The whole burden.
    #[serde(flatten)]
    pub footprint: Footprint,
    /// By group.
    pub groups: Vec<Share>,
    /// Part by part.
    pub parts: Vec<Part>,
    /// Emissions amortised over the time that they stand there in the period, kg; `None` of machines alone.
    pub amortised_kgco2e: Option<f64>,
    /// The year that the burden of the machines is booked in, GHG Protocol Scope 3 category 2; where it is stated.
    pub purchase_year: Option<f64>,
    /// Emissions of the machines booked in that year, kg, without the building. Never added to what is amortised.
    pub booked_kgco2e: Option<Ranged>,
}

const SECONDS_A_YEAR: f64 = 365.0 * 86_400.0;

/// Some machines, so many times.
#[must_use]
pub fn made_of(of: &str, hardware: &str, made: &Embodied, (times, accelerators): (f64, f64)) -> MadeOf {
    let whole = made.burden(None);
    let groups = [Group::Accelerator, Group::Server, Group::Network, Group::Facility].map(|group| {
        let burden = made.burden(Some(group));
        Share { group, footprint: burden.times(times).into(), share: burden.gwp_kg.value / whole.gwp_kg.value }
    });
    let part = |part: &Component| Part {
        group: part.group,
        what: part.what.clone(),
        footprint: part.burden.times(times).into(),
        scope: part.scope.clone(),
        lifetime_years: part.life_s.value / SECONDS_A_YEAR,
        source: part.source.clone(),
    };
    let footprint: Footprint = whole.times(times).into();
    MadeOf {
        of: of.into(),
        hardware: hardware.into(),
        accelerators,
        footprint,
        groups: groups.into(),
        parts: made.components.iter().map(part).collect(),
        amortised_kgco2e: None,
        purchase_year: made.purchase_year,
        booked_kgco2e: made.purchase_year.map(|_| {
            let bought = [Group::Accelerator, Group::Server, Group::Network];
            let bought = bought.iter().fold(Burden::ZERO, |sum, group| sum.plus(&made.burden(Some(*group))));
            bought.times(times).gwp_kg.into()
        }),
    }
}

impl Estimate {
    /// Machines of every deployment: all replicas of one that is dedicated, one replica of one that is shared.
    #[must_use]
    pub fn embodied(&self) -> Vec<MadeOf> {
        let embodied = sum("co2e_embodied_g");
        let deployments = self.plan.deployments();
        let mut grams = vec![0.0; deployments.len()];
        for line in &self.lines {
            let Some(at) = line.deployment() else { continue };
            let more = self.values(line).sums[embodied];
            grams[at] += if more.is_nan() { 0.0 } else { more };
        }
        let made = |(deployed, grams): (&Deployed, f64)| {
            let replicas = if deployed.dedicated { deployed.replicas } else { 1.0 };
            let accelerators = deployed.devices * replicas;
            let made = made_of(&deployed.name, &deployed.hardware, &deployed.made, (replicas, accelerators));
            MadeOf { amortised_kgco2e: Some(grams / 1e3), ..made }
        };
        deployments.iter().zip(grams).map(made).collect()
    }
}
