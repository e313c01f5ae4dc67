//! Sites: where machines stand, which grid feeds them, and what their operator has published.

use super::grids::{Factor, Grid};
use super::names::lower;
use super::record::{File, Load, Row, record};
use crate::units::{Bounds, DirectIntensity, LifecycleIntensity, LitresPerKilowattHour};
use std::borrow::Cow;

record! {
    /// A cloud region or a data centre. `world` stands for a place that is not known.
    pub Site = "site" {
        /// Key: operator/region.
        id: String,
        /// Name of the place.
        name: String,
        /// Operator.
        operator: String,
        /// Region as the operator writes it.
        region: String,
        /// ISO 3166 two-letter code.
        country: Option<String>,
        /// Latitude.
        lat: Option<f64> = "degree" [-90.0, 90.0],
        /// Longitude.
        lon: Option<f64> = "degree" [-180.0, 180.0],
        /// Electricity Maps zone; its factors are not part of the catalogue.
        grid_zone: Option<String>,
        /// Grid with the direct factor; empty where none may be shipped.
        grid_direct: Option<String>,
        /// Grid with the lifecycle factor.
        grid_lifecycle: Option<String>,
        /// Grid with the water factor.
        grid_water: Option<String>,
        /// How the three were chosen, and why one of them or the weather is missing.
        grid_note: Option<String>,
        /// Generation by the hour of its zone.
        grid_hours: Option<String>,
        /// Marginal factor by the hour of its region.
        marginal_hours: Option<String>,
        /// Nearest weather station.
        weather: Option<String>,
        /// How far it is.
        weather_km: Option<f64> = "km" [0.0, 500.0],
        /// Published annual PUE.
        pue: Option<f64> = "" [Bounds::PUE.low, Bounds::PUE.high],
        /// Its year.
        pue_year: Option<u16> = "year" [2000.0, 2100.0],
        /// Published annual water input per IT energy.
        wue_l_per_kwh: Option<f64> = "L/kWh" [Bounds::WUE.low, Bounds::WUE.high],
        /// Its year.
        wue_year: Option<u16> = "year" [2000.0, 2100.0],
    }
}

impl Load for Site {
    const FILES: &'static [File] =
        &[File { name: "sites.csv", text: include_str!("data/sites.csv"), prefix: "", sources: None }];
    const ALIASES: Option<File> =
        Some(File { name: "site-aliases.csv", text: include_str!("data/site-aliases.csv"), prefix: "", sources: None });

    fn build(row: &Row<'_>) -> Result<Self, String> {
        Ok(Self::read(row))
    }

    fn key(name: &str) -> Cow<'_, str> {
        lower(name)
    }

    /// A bare region (`us-east-1`), a zone of it (`us-east-1a`, `us-central1-a`), or a display name (`East US 2`).
    fn respell(rows: &[Self], key: &str) -> Vec<usize> {
        let find = |same: &dyn Fn(&Self) -> bool| -> Vec<usize> {
            rows.iter().enumerate().filter(|(_, row)| same(row)).map(|(index, _)| index).collect()
        };
        let exact =
            |name: &str| find(&|row| row.region.eq_ignore_ascii_case(name) || row.id.eq_ignore_ascii_case(name));
        let found = exact(key);
        if !found.is_empty() {
            return found;
        }
        if let Some(region) = without_zone(key) {
            let found = exact(region);
            if !found.is_empty() {
                return found;
            }
        }
        let squeezed = squeeze(key);
        find(&|row| squeeze(&row.region) == squeezed || squeeze(&row.id) == squeezed)
    }
}

/// The region of an availability zone: `us-east-1a` and `us-central1-a` lose their letter.
fn without_zone(name: &str) -> Option<&str> {
    let region = name.strip_suffix(|c: char| c.is_ascii_lowercase())?;
    let region = region.strip_suffix('-').unwrap_or(region);
    region.ends_with(|c: char| c.is_ascii_digit()).then_some(region)
}

/// A display name without what tells it from the region's key.
fn squeeze(name: &str) -> String {
    name.chars().filter(|c| !matches!(c, ' ' | '-' | '_')).flat_map(char::to_lowercase).collect()
}

/// The factors that hold at a site. What is missing is not known; [`SiteGrid::note`] says why.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SiteGrid<'a> {
    /// Stack emissions at generation.
    pub direct: Option<&'a Factor<DirectIntensity>>,
    /// Stack, fuel chain and construction.
    pub lifecycle: Option<&'a Factor<LifecycleIntensity>>,
    /// Water, reservoir evaporation included.
    pub water_with_hydro: Option<&'a Factor<LitresPerKilowattHour>>,
    /// Abiotic depletion, kg Sb-eq per kWh.
    pub adpe_kg_sb_per_kwh: Option<&'a Factor<f64>>,
    /// Primary energy, MJ per kWh.
    pub primary_energy_mj_per_kwh: Option<&'a Factor<f64>>,
    /// How the grids were chosen.
    pub note: Option<&'a str>,
}

impl<'a> SiteGrid<'a> {
    pub(super) fn new(
        site: &'a Site,
        direct: Option<&'a Grid>,
        lifecycle: Option<&'a Grid>,
        water: Option<&'a Grid>,
    ) -> Self {
        Self {
            direct: direct.and_then(|grid| grid.direct.as_ref()),
            lifecycle: lifecycle.and_then(|grid| grid.lifecycle.as_ref()),
            water_with_hydro: water.and_then(|grid| grid.water_with_hydro.as_ref()),
            adpe_kg_sb_per_kwh: water.and_then(|grid| grid.adpe_kg_sb_per_kwh.as_ref()),
            primary_energy_mj_per_kwh: water.and_then(|grid| grid.primary_energy_mj_per_kwh.as_ref()),
            note: site.grid_note.as_deref(),
        }
    }
}
