//! Grids: yearly factors of a zone. Direct and lifecycle are different types and never stand in one field.

use super::provenance::{CellOrigin, Provenance, Quality};
use super::record::{Column, File, Load, Record, Row, record};
use crate::units::{Bounds, DirectIntensity, LifecycleIntensity, LitresPerKilowattHour};
use std::borrow::Cow;

/// How close a factor is to the place and time it is used for, best first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Level {
    /// A year of a grid zone.
    ZoneYear,
    /// A year of a country.
    CountryYear,
    /// A year of several countries.
    RegionYear,
    /// A year of the world.
    World,
}

impl Level {
    const ALL: [Self; 4] = [Self::ZoneYear, Self::CountryYear, Self::RegionYear, Self::World];

    /// The word in files and JSON: `zone-year`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::ZoneYear => "zone-year",
            Self::CountryYear => "country-year",
            Self::RegionYear => "region-year",
            Self::World => "world",
        }
    }
}

/// A number per kilowatt-hour that knows its level, year and source.
#[derive(Clone, Debug, PartialEq)]
pub struct Factor<T> {
    /// The factor.
    pub value: T,
    /// How close it is to place and time.
    pub level: Level,
    /// The year it stands for.
    pub year: Option<u16>,
    /// Where it comes from.
    pub source: String,
    /// Licence of the figure.
    pub licence: String,
    /// How it came to be.
    pub quality: Quality,
}

/// A grid zone, a country, a region of the world or the world.
#[derive(Clone, Debug, PartialEq)]
pub struct Grid {
    /// Key: ISO 3166 three-letter code, `gcp:REGION`, `egrid:SUBREGION`, or the name of a region of the world.
    pub id: String,
    /// Name.
    pub name: String,
    /// Consumption or production.
    pub basis: Option<String>,
    /// Stack emissions at generation, gCO2e/kWh.
    pub direct: Option<Factor<DirectIntensity>>,
    /// Stack, fuel chain and construction, gCO2e/kWh.
    pub lifecycle: Option<Factor<LifecycleIntensity>>,
    /// Water consumed per kWh, reservoir evaporation included, L/kWh.
    pub water_with_hydro: Option<Factor<LitresPerKilowattHour>>,
    /// Abiotic depletion, kg Sb-eq per kWh.
    pub adpe_kg_sb_per_kwh: Option<Factor<f64>>,
    /// Primary energy, MJ per kWh.
    pub primary_energy_mj_per_kwh: Option<Factor<f64>>,
    /// Carbon-free share after the operator's own contracts, percent: a market figure, not one of the grid.
    pub provider_cfe_pct: Option<f64>,
    /// Generation lost in transmission and distribution, percent.
    pub losses_pct: Option<f64>,
    /// Where the row comes from; the factors carry their own.
    pub provenance: Provenance,
}

record! {
    /// The row as it stands in the files.
    pub(super) GridRow = "grid" {
        /// Key: ISO 3166 three-letter code, gcp:REGION, egrid:SUBREGION, or the name of a region of the world.
        id: String,
        /// Name.
        name: String,
        /// zone-year, country-year, region-year or world.
        level: String,
        /// Year of the emission factor.
        year: Option<u16> = "year" [1990.0, 2100.0],
        /// Consumption or production.
        basis: Option<String>,
        /// Stack emissions at generation.
        direct_g_per_kwh: Option<f64> = "g/kWh" [Bounds::CARBON_INTENSITY.low, Bounds::CARBON_INTENSITY.high],
        /// Stack, fuel chain and construction.
        lifecycle_g_per_kwh: Option<f64> = "g/kWh" [Bounds::CARBON_INTENSITY.low, Bounds::CARBON_INTENSITY.high],
        /// Carbon-free share after the operator's own contracts: a market figure.
        provider_cfe_pct: Option<f64> = "%" [0.0, 100.0],
        /// Year of the water factor.
        water_year: Option<u16> = "year" [1990.0, 2100.0],
        /// Water consumed, reservoir evaporation included.
        water_with_hydro_l_per_kwh: Option<f64> = "L/kWh" [0.0, 500.0],
        /// Abiotic depletion.
        adpe_kg_sb_per_kwh: Option<f64> = "kg/kWh" [0.0, 1e-4],
        /// Primary energy.
        primary_energy_mj_per_kwh: Option<f64> = "MJ/kWh" [0.0, 100.0],
        /// Where water, depletion and primary energy come from.
        water_source: Option<String>,
        /// Day they were read.
        water_retrieved: Option<String>,
        /// Their licence.
        water_licence: Option<String>,
        /// Their quality.
        water_quality: Option<String>,
        /// Generation lost in transmission and distribution.
        losses_pct: Option<f64> = "%" [0.0, 60.0],
        /// Where losses come from.
        losses_source: Option<String>,
        /// Day they were read.
        losses_retrieved: Option<String>,
        /// Their licence.
        losses_licence: Option<String>,
        /// Their quality.
        losses_quality: Option<String>,
    }
}

impl Record for Grid {
    const KIND: &'static str = GridRow::KIND;
    const COLUMNS: &'static [Column] = GridRow::COLUMNS;

    fn id(&self) -> &str {
        &self.id
    }

    fn provenance(&self) -> &Provenance {
        &self.provenance
    }
}

impl Load for Grid {
    const FILES: &'static [File] = &[
        File { name: "grids.csv", text: include_str!("data/grids.csv"), prefix: "", sources: None },
        File { name: "grid-water.csv", text: include_str!("data/grid-water.csv"), prefix: "water_", sources: None },
        File { name: "grid-losses.csv", text: include_str!("data/grid-losses.csv"), prefix: "losses_", sources: None },
    ];
    const ALIASES: Option<File> =
        Some(File { name: "grid-aliases.csv", text: include_str!("data/grid-aliases.csv"), prefix: "", sources: None });

    fn build(row: &Row<'_>) -> Result<Self, String> {
        let mut row = GridRow::read(row);
        let Some(level) = Level::ALL.into_iter().find(|level| level.name() == row.level) else {
            return Err(format!("`level` is `{}`, expected zone-year, country-year, region-year or world", row.level));
        };
        let users = row.provenance.cell_origins.len();
        row.name_joined()?;
        let given = |column: &str| row.provenance.cell_origins[..users].iter().any(|cell| cell.column == column);
        // A user's figure has the year the user gives, not the year of the figure it replaces.
        let year = |column: &str, of: &str, year: Option<u16>| year.filter(|_| !given(column) || given(of));
        let emission = |column: &str| row.origin(column, level, year(column, "year", row.year));
        let water = |column: &str| row.origin(column, level, year(column, "water_year", row.water_year));
        Ok(Self {
            direct: row.direct_g_per_kwh.map(|value| emission("direct_g_per_kwh").with(DirectIntensity(value))),
            lifecycle: row
                .lifecycle_g_per_kwh
                .map(|value| emission("lifecycle_g_per_kwh").with(LifecycleIntensity(value))),
            water_with_hydro: row
                .water_with_hydro_l_per_kwh
                .map(|value| water("water_with_hydro_l_per_kwh").with(LitresPerKilowattHour(value))),
            adpe_kg_sb_per_kwh: row.adpe_kg_sb_per_kwh.map(|value| water("adpe_kg_sb_per_kwh").with(value)),
            primary_energy_mj_per_kwh: row
                .primary_energy_mj_per_kwh
                .map(|value| water("primary_energy_mj_per_kwh").with(value)),
            id: row.id,
            name: row.name,
            basis: row.basis,
            provider_cfe_pct: row.provider_cfe_pct,
            losses_pct: row.losses_pct,
            provenance: row.provenance,
        })
    }

    fn key(name: &str) -> Cow<'_, str> {
        super::names::lower(name)
    }

    /// The name of the country or zone.
    fn respell(rows: &[Self], key: &str) -> Vec<usize> {
        let named = |row: &Self| row.name.to_lowercase() == key;
        rows.iter().enumerate().filter(|(_, row)| named(row)).map(|(index, _)| index).collect()
    }
}

impl GridRow {
    /// Gives the cells of the joined files their own birth certificate, unless an overlay has given one.
    fn name_joined(&mut self) -> Result<(), String> {
        let water = [&self.water_source, &self.water_retrieved, &self.water_licence, &self.water_quality];
        let losses = [&self.losses_source, &self.losses_retrieved, &self.losses_licence, &self.losses_quality];
        for (joined, columns, about) in [(water, &WATER[..], "water_quality"), (losses, &LOSSES[..], "losses_quality")]
        {
            let [Some(source), Some(retrieved), Some(licence), Some(word)] = joined else { continue };
            let quality = Quality::parse(word).ok_or_else(|| super::check::not_a_quality(about, word))?;
            for column in columns {
                if self.provenance.cell_origins.iter().all(|cell| cell.column != *column) {
                    let (source, retrieved, licence) = (source.clone(), retrieved.clone(), licence.clone());
                    self.provenance.cell_origins.push(CellOrigin { column, source, retrieved, licence, quality });
                }
            }
        }
        Ok(())
    }

    fn origin(&self, column: &str, level: Level, year: Option<u16>) -> Factor<()> {
        let origin = self.provenance.of(column);
        let (source, licence) = (origin.source.to_owned(), origin.licence.to_owned());
        Factor { value: (), level, year, source, licence, quality: origin.quality }
    }
}

impl Factor<()> {
    /// The same certificate on a value.
    fn with<T>(self, value: T) -> Factor<T> {
        let Self { level, year, source, licence, quality, .. } = self;
        Factor { value, level, year, source, licence, quality }
    }
}

/// Columns that the joined files fill.
const WATER: [&str; 4] =
    ["water_year", "water_with_hydro_l_per_kwh", "adpe_kg_sb_per_kwh", "primary_energy_mj_per_kwh"];
const LOSSES: [&str; 1] = ["losses_pct"];
