//! The electricity of a site by the hour: factors of emissions and water, shares of generation.

use super::hour::GridHour;
use super::ladder::{Ladder, Level};
use crate::physics::emissions::upstream_factor;
use crate::units::{DirectIntensity, LifecycleIntensity, LitresPerKilowattHour, MarginalIntensity, MarketIntensity};

/// A grid compiled.
#[derive(Clone, Debug, Default)]
pub(super) struct Grid {
    pub direct: Ladder,
    pub lifecycle: Ladder,
    pub marginal: Ladder,
    pub water: Ladder,
    pub water_with_hydro: Ladder,
    /// Percent.
    pub renewable: Ladder,
    /// Percent.
    pub carbon_free: Ladder,
    /// kg of antimony per kWh, of a year.
    pub adpe: Option<f64>,
    /// MJ per kWh, of a year.
    pub primary_energy: Option<f64>,
    /// Share of generation lost on the way.
    pub losses: f64,
}

impl Grid {
    pub(super) fn hour(&self, hour: Option<i64>, residual: &Ladder) -> GridHour {
        let direct = self.direct.at(hour).map(|(value, level)| (DirectIntensity(value), level));
        let lifecycle = self.lifecycle.at(hour).map(|(value, level)| (LifecycleIntensity(value), level));
        let litres = |ladder: &Ladder| ladder.at(hour).map(|(value, level)| (LitresPerKilowattHour(value), level));
        let share = |ladder: &Ladder| ladder.at(hour).map(|(value, level)| (value / 100.0, level));
        // Where nothing is published of the residual mix, the location's own stands in (GHG Protocol, table 6.3).
        let residual = residual.at(hour).map(|(value, level)| (DirectIntensity(value), level));
        let residual = residual.or(direct.map(|(value, _)| (value, Level::StandIn)));
        // An hour's direct factor beside a year's lifecycle factor says nothing: then the year's pair is taken.
        let differ =
            direct.zip(lifecycle).is_some_and(|((_, a), (_, b))| Ladder::is_of_hour(a) != Ladder::is_of_hour(b));
        let pair = if differ {
            let year = |ladder: &Ladder| ladder.at(None).map(|(value, _)| value);
            year(&self.direct).zip(year(&self.lifecycle))
        } else {
            direct.zip(lifecycle).map(|((direct, _), (lifecycle, _))| (direct.0, lifecycle.0))
        };
        GridHour {
            direct,
            lifecycle,
            upstream: pair.and_then(|(direct, lifecycle)| {
                upstream_factor(DirectIntensity(direct), LifecycleIntensity(lifecycle), self.losses)
            }),
            residual,
            market: residual.map(|(value, _)| MarketIntensity(value.0)),
            marginal: self.marginal.at(hour).map(|(value, level)| (MarginalIntensity(value), level)),
            water: litres(&self.water),
            water_with_hydro: litres(&self.water_with_hydro),
            adpe_kg_sb_per_kwh: self.adpe,
            primary_energy_mj_per_kwh: self.primary_energy,
            renewable: share(&self.renewable),
            carbon_free: share(&self.carbon_free),
        }
    }
}
