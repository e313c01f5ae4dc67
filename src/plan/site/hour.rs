//! A site in an hour: everything that a kilowatt-hour of IT takes and causes there.

use super::facility::FacilityHour;
use super::ladder::Level;
use crate::physics::market;
use crate::units::{
    DirectIntensity, LifecycleIntensity, LitresPerKilowattHour, MarginalIntensity, MarketIntensity, UpstreamIntensity,
};

/// The grid of a site in an hour.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct GridHour {
    /// Stack emissions, and how near they are to the hour.
    pub direct: Option<(DirectIntensity, Level)>,
    /// Stack, fuel chain and construction.
    pub lifecycle: Option<(LifecycleIntensity, Level)>,
    /// Fuel chain, construction and grid losses.
    pub upstream: Option<UpstreamIntensity>,
    /// Residual mix.
    pub residual: Option<(DirectIntensity, Level)>,
    /// Residual mix and contracts.
    pub market: Option<MarketIntensity>,
    /// Short-run marginal factor.
    pub marginal: Option<(MarginalIntensity, Level)>,
    /// Water of generation without reservoirs.
    pub water: Option<(LitresPerKilowattHour, Level)>,
    /// Water of generation with reservoirs.
    pub water_with_hydro: Option<(LitresPerKilowattHour, Level)>,
    /// Abiotic depletion of elements by generation, kg of antimony per kWh.
    pub adpe_kg_sb_per_kwh: Option<f64>,
    /// Primary energy of generation, MJ per kWh.
    pub primary_energy_mj_per_kwh: Option<f64>,
    /// Renewable share of generation.
    pub renewable: Option<(f64, Level)>,
    /// Carbon-free share of generation.
    pub carbon_free: Option<(f64, Level)>,
}

/// A site in an hour.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SiteHour {
    /// The building.
    pub facility: FacilityHour,
    /// The grid.
    pub grid: GridHour,
    /// Weight of a litre consumed on site.
    pub stress_weight: Option<f64>,
}

impl SiteHour {
    /// The hour with a share of its load under contract.
    #[must_use]
    pub fn with_contracts(mut self, matched: f64, contract: DirectIntensity) -> Self {
        let residual = self.grid.residual.map(|(residual, _)| residual);
        self.grid.market = match residual {
            Some(residual) => Some(market::blended(matched, contract, residual)),
            None => (matched >= 1.0).then(|| market::blended(1.0, contract, DirectIntensity(0.0))),
        };
        self
    }
}
