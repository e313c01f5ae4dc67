//! Sites as stated, their contracts, and the meters that stand beside an estimate.

use crate::hours::Series;
use std::collections::BTreeMap;

/// A site as stated; `None` is filled from the catalog or left to a default.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Site {
    /// Catalog name of the place, such as `aws/us-east-1`.
    pub catalog: Option<String>,
    /// Catalog name of the grid.
    pub grid: Option<String>,
    /// Catalog name of the cooling system.
    pub cooling: Option<String>,
    /// Catalog name of the class of power chain.
    pub power_chain: Option<String>,
    /// Catalog name of the weather station.
    pub weather: Option<String>,
    /// IT power over IT capacity.
    pub it_load_fraction: Option<f64>,
    /// IT capacity of the site, where this fleet is all that runs there.
    pub it_capacity_kw: Option<f64>,
    /// Measured power usage effectiveness.
    pub pue: Option<f64>,
    /// Measured on-site water per IT energy.
    pub wue_l_per_kwh: Option<f64>,
    /// Direct emission factor of its electricity.
    pub carbon_direct_g_per_kwh: Option<f64>,
    /// Lifecycle emission factor of its electricity.
    pub carbon_lifecycle_g_per_kwh: Option<f64>,
    /// Marginal emission factor of its electricity.
    pub carbon_marginal_g_per_kwh: Option<f64>,
    /// Water consumed by generation, without reservoir evaporation.
    pub water_offsite_l_per_kwh: Option<f64>,
    /// Water consumed by generation, with reservoir evaporation.
    pub water_offsite_with_hydro_l_per_kwh: Option<f64>,
    /// Share of generation lost on the way.
    pub grid_losses_pct: Option<f64>,
    /// Weight of a litre consumed on site.
    pub water_stress_weight: Option<f64>,
    /// Shares of generation by technology, as catalog names.
    pub generation_mix: Vec<(String, f64)>,
    /// Capacity of the zone's dispatchable generation, and its peak load.
    pub zone_dispatchable_mw: Option<f64>,
    /// Peak load of the zone.
    pub zone_peak_mw: Option<f64>,
    /// What is contracted.
    pub contract: Contract,
    /// Files of series, below the folder of the fleet file.
    pub series_files: Vec<String>,
    /// What stands in them, by column.
    pub series: BTreeMap<&'static str, Series>,
}

/// How contracts are held against the load.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Matching {
    /// By the year's volume.
    #[default]
    Annual,
    /// Hour by hour.
    Hourly,
}

/// Electricity that is contracted for a site.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Contract {
    /// Share of the load.
    pub share: Option<f64>,
    /// Energy a year.
    pub kwh_per_year: Option<f64>,
    /// Direct factor of what is contracted.
    pub direct_g_per_kwh: Option<f64>,
    /// Direct factor of the residual mix.
    pub residual_direct_g_per_kwh: Option<f64>,
    /// See [`Matching`].
    pub matching: Matching,
}

/// How the overhead of a site is charged to its load.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Allocation {
    /// In proportion to IT energy: the shares sum to the site.
    #[default]
    Average,
    /// What one more kilowatt-hour of IT adds; the rest stays unallocated, so that the sum is the site's all the same.
    Marginal,
}

/// What a meter reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Metered {
    /// The facility: IT, cooling and power delivery.
    Facility,
    /// The IT alone.
    It,
}

/// What becomes of the difference between a meter and the estimate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Residual {
    /// Every line is scaled, so that the sum is the meter's.
    Proportional,
    /// The lines stay; the difference stands as unallocated.
    Unallocated,
    /// The difference is told and nothing changed.
    Report,
}

impl Residual {
    /// The word in fleet files and JSON.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Proportional => "proportional",
            Self::Unallocated => "unallocated",
            Self::Report => "report",
        }
    }
}

/// A metered series beside the estimate.
#[derive(Clone, Debug, PartialEq)]
pub struct Meter {
    /// Its name.
    pub name: String,
    /// The site it stands at.
    pub site: Option<String>,
    /// The deployments behind it: a rack holds one or several.
    pub deployments: Vec<String>,
    /// What becomes of the difference.
    pub residual: Residual,
    /// Its file, below the folder of the fleet file.
    pub file: String,
    /// What stands in it, by column.
    pub series: BTreeMap<&'static str, Series>,
}

impl Meter {
    /// What it reads, and the readings.
    #[must_use]
    pub fn readings(&self) -> Option<(Metered, &Series)> {
        let column = |name: &str, of: Metered| self.series.get(name).map(|series| (of, series));
        column("facility_kwh", Metered::Facility).or_else(|| column("it_kwh", Metered::It))
    }
}
