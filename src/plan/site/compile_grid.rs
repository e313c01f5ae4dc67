//! The grid of a site, from what is stated and what the catalog says of its place: the other half of [`super::compile`].

use super::Contracts;
use super::compile::Compiler;
use super::grid::Grid;
use super::ladder::{Ladder, Level, OfMix};
use crate::Result;
use crate::catalog::{self, MixHours, Record, Technology};
use crate::hours::Series;
use crate::physics::generation::{CARBON_FREE, RENEWABLE, SOURCES};
use crate::units::DirectIntensity;

/// Losses of transmission and distribution where a country's are not known: the mean of the world (World Bank
/// EG.ELC.LOSS.ZS, 2021 to 2023).
const WORLD_LOSSES_PCT: f64 = 6.7;

impl Compiler<'_> {
    /// A factor of a mix as stated, by technology; what is not known of one is that of its source of energy.
    fn stated_mix(
        &mut self,
        named: &str,
        column: fn(&Technology) -> Option<f64>,
        with_hydro: bool,
    ) -> Result<Option<f64>> {
        if self.stated.generation_mix.is_empty() {
            return Ok(None);
        }
        let mut sum = 0.0;
        for (name, share) in self.stated.generation_mix.clone() {
            let own = self.catalog.technology(&name)?.row;
            let row = if column(own).is_some() { own } else { self.catalog.technology(&own.source_of_energy)?.row };
            let Some(factor) = column(row) else { return Ok(None) };
            let place = format!("{}, generation `{}`", self.place, row.id);
            self.notes.fact(&place, named, factor, row.provenance.of(named));
            let counted = with_hydro || row.source_of_energy != "hydro";
            sum += share * if counted { factor } else { 0.0 };
        }
        Ok(Some(sum))
    }

    /// The share of a stated mix in some sources, percent.
    fn stated_share(&self, counted: [bool; 8]) -> Result<Option<f64>> {
        if self.stated.generation_mix.is_empty() {
            return Ok(None);
        }
        let mut sum = 0.0;
        for (name, share) in &self.stated.generation_mix {
            let source = &self.catalog.technology(name)?.row.source_of_energy;
            let at = SOURCES.iter().position(|one| one == source);
            // Sources that hourly data do not tell apart: biomass, geothermal and the sea are renewable.
            let other = ["biomass", "geothermal", "ocean"].contains(&source.as_str());
            sum += share * f64::from(u8::from(at.map_or(other, |at| counted[at])));
        }
        Ok(Some(100.0 * sum))
    }

    /// Factors of the eight sources that hourly generation tells apart, those of the area's own plants where there are any.
    fn source_factors(
        &mut self,
        hours: &catalog::GridHours,
        column: &str,
        of: fn(&Technology) -> Option<f64>,
    ) -> Result<[f64; 8]> {
        let mut factors = [0.0; 8];
        for (into, source) in factors.iter_mut().zip(SOURCES) {
            let own = format!("{source}-{}", hours.factors.as_deref().unwrap_or_default());
            let own = self.catalog.all_technologies()?.iter().find(|row| row.id == own);
            let usual = if source == "other" { "unknown" } else { source };
            let row = match own {
                Some(row) => row,
                None => self.catalog.technology(usual)?.row,
            };
            *into = of(row).unwrap_or(f64::NAN);
            let place = format!("{}, generation `{}`", self.place, row.id);
            self.notes.fact(&place, column, *into, row.provenance.of(column));
        }
        Ok(factors)
    }

    pub(super) fn grid(&mut self) -> Result<Grid> {
        let catalog = self.catalog;
        let named = self.stated.grid.as_deref().map(|grid| catalog.grid(grid)).transpose()?.map(|found| found.row);
        // A grid of another name has other hours.
        let hours = self.row.filter(|_| named.is_none());
        let of_site = |id: Option<&String>| id.map(|id| catalog.grid(id)).transpose().map(|r| r.map(|r| r.row));
        let (direct_grid, lifecycle_grid, water_grid) = match (named, self.row) {
            (Some(grid), _) => (Some(grid), Some(grid), Some(grid)),
            (None, Some(row)) => (
                of_site(row.grid_direct.as_ref())?,
                of_site(row.grid_lifecycle.as_ref())?,
                of_site(row.grid_water.as_ref())?,
            ),
            (None, None) => (None, None, None),
        };
        let mix = match hours.and_then(|row| row.grid_hours.as_deref()) {
            Some(id) => {
                let row = catalog.grid_hours(id)?.row;
                let place = format!("{}, hours `{}`", self.place, row.id);
                self.notes.fact(&place, "generation by source, hours", row.hours, row.provenance.of("hours"));
                Some((row, row.generation()?))
            }
            None => None,
        };
        let direct_mix = self.stated_mix("direct_g_per_kwh", |row| row.direct_g_per_kwh, true)?;
        let lifecycle_mix = self.stated_mix("lifecycle_g_per_kwh", |row| row.lifecycle_g_per_kwh, true)?;
        let water_mix = self.stated_mix("water_l_per_kwh", |row| row.water_l_per_kwh, false)?;
        let hydro_mix = self.stated_mix("water_l_per_kwh", |row| row.water_l_per_kwh, true)?;

        let stated = (self.stated.carbon_direct_g_per_kwh, direct_mix);
        let found = direct_grid.and_then(|g| g.direct.as_ref().map(|f| (f.value.0, f.level, g)));
        let direct = self.ladder("direct_g_per_kwh", stated, found, mix, |row| row.direct_g_per_kwh, true)?;
        let stated = (self.stated.carbon_lifecycle_g_per_kwh, lifecycle_mix);
        let found = lifecycle_grid.and_then(|g| g.lifecycle.as_ref().map(|f| (f.value.0, f.level, g)));
        let lifecycle = self.ladder("lifecycle_g_per_kwh", stated, found, mix, |row| row.lifecycle_g_per_kwh, true)?;
        let stated = (self.stated.water_offsite_l_per_kwh, water_mix);
        let water = self.ladder("water_l_per_kwh", stated, None, mix, |row| row.water_l_per_kwh, false)?;
        let stated = (self.stated.water_offsite_with_hydro_l_per_kwh, hydro_mix);
        let found = water_grid.and_then(|g| g.water_with_hydro.as_ref().map(|f| (f.value.0, f.level, g)));
        let water_with_hydro =
            self.ladder("water_with_hydro_l_per_kwh", stated, found, mix, |row| row.water_l_per_kwh, true)?;

        let percent = |counted: [bool; 8]| counted.map(|yes| if yes { 100.0 } else { 0.0 });
        let share = |series: Option<Series>, stated: Option<f64>, counted: [bool; 8]| Ladder {
            stated_series: series,
            stated,
            mix: mix.map(|(_, mix)| OfMix { mix, factors: percent(counted) }),
            ..Ladder::default()
        };
        let renewable = share(self.series("renewable_pct"), self.stated_share(RENEWABLE)?, RENEWABLE);
        let carbon_free = share(self.series("carbon_free_pct"), self.stated_share(CARBON_FREE)?, CARBON_FREE);

        let mut marginal = self.stated_ladder("carbon_marginal_g_per_kwh", self.stated.carbon_marginal_g_per_kwh);
        if let Some(id) = hours.and_then(|row| row.marginal_hours.as_deref()) {
            let row = catalog.grid_hours(id)?.row;
            let series = row.marginal()?;
            if let Some(mean) = series.mean() {
                let place = format!("{}, hours `{}`", self.place, row.id);
                self.notes.cell(&place, "marginal_g_per_kwh, mean of the hours", mean, &row.provenance);
            }
            marginal.hours = Some(series);
        }
        let (adpe, primary_energy) = self.materials(water_grid);
        let losses = self.losses(lifecycle_grid);
        Ok(Grid {
            direct,
            lifecycle,
            marginal,
            water,
            water_with_hydro,
            renewable,
            carbon_free,
            adpe,
            primary_energy,
            losses,
        })
    }

    fn ladder(
        &mut self,
        column: &str,
        (stated, of_mix): (Option<f64>, Option<f64>),
        found: Option<(f64, catalog::Level, &catalog::Grid)>,
        mix: Option<(&catalog::GridHours, &'static MixHours)>,
        of: fn(&Technology) -> Option<f64>,
        with_hydro: bool,
    ) -> Result<Ladder> {
        let name = match column {
            "direct_g_per_kwh" => "carbon_direct_g_per_kwh",
            "lifecycle_g_per_kwh" => "carbon_lifecycle_g_per_kwh",
            "water_l_per_kwh" => "water_offsite_l_per_kwh",
            _ => "water_offsite_with_hydro_l_per_kwh",
        };
        let mut ladder = self.stated_ladder(name, stated);
        ladder.stated = ladder.stated.or(of_mix);
        if ladder.stated.is_some() {
            return Ok(ladder);
        }
        if let Some((value, level, grid)) = found {
            let place = format!("{}, grid `{}` ({})", self.place, grid.id, level.name());
            self.notes.cell(&place, column, value, &grid.provenance);
            ladder.annual = Some((value, Level::of(level)));
        }
        if let Some((hours, mix)) = mix {
            let said = if column == "water_with_hydro_l_per_kwh" { "water_l_per_kwh" } else { column };
            let mut factors = self.source_factors(hours, said, of)?;
            if !with_hydro {
                factors[4] = 0.0;
            }
            ladder.mix = Some(OfMix { mix, factors });
        }
        Ok(ladder)
    }

    /// Abiotic depletion and primary energy of a kilowatt-hour.
    fn materials(&mut self, grid: Option<&catalog::Grid>) -> (Option<f64>, Option<f64>) {
        let Some(grid) = grid else { return (None, None) };
        let place = format!("{}, grid `{}`", self.place, grid.id);
        let mut cell = |column: &str, factor: Option<&catalog::Factor<f64>>| {
            let value = factor.map(|factor| factor.value)?;
            self.notes.cell(&place, column, value, &grid.provenance);
            Some(value)
        };
        (
            cell("adpe_kg_sb_per_kwh", grid.adpe_kg_sb_per_kwh.as_ref()),
            cell("primary_energy_mj_per_kwh", grid.primary_energy_mj_per_kwh.as_ref()),
        )
    }

    /// Share of generation lost on the way to the site.
    fn losses(&mut self, grid: Option<&catalog::Grid>) -> f64 {
        if let Some(percent) = self.stated.grid_losses_pct {
            self.notes.stated(&self.place, "grid_losses_pct", percent, self.said);
            return percent / 100.0;
        }
        if let Some((grid, percent)) = grid.and_then(|grid| Some((grid, grid.losses_pct?))) {
            let place = format!("{}, grid `{}`", self.place, grid.id);
            self.notes.cell(&place, "losses_pct", percent, grid.provenance());
            return percent / 100.0;
        }
        let value = format!("{WORLD_LOSSES_PCT} %");
        self.notes.assume(&self.place, "grid losses", value, "not stated; about the mean of the world");
        WORLD_LOSSES_PCT / 100.0
    }

    pub(super) fn market(&mut self) -> (Ladder, Contracts) {
        let contract = self.stated.contract.clone();
        let residual = self.stated_ladder("residual_direct_g_per_kwh", contract.residual_direct_g_per_kwh);
        let said = [("contracted_share", contract.share), ("contracted_kwh_per_year", contract.kwh_per_year)];
        for (what, value) in said {
            if let Some(value) = value {
                self.notes.stated(&self.place, what, value, self.said);
            }
        }
        let contracts = Contracts {
            share: contract.share,
            kwh_per_year: contract.kwh_per_year,
            kwh: self.series("contracted_kwh"),
            direct: DirectIntensity(contract.direct_g_per_kwh.unwrap_or(0.0)),
            matching: contract.matching,
        };
        if contracts.any() && contract.direct_g_per_kwh.is_none() {
            self.notes.assume(&self.place, "contract factor", "0 g/kWh", "not stated; attributes of renewable power");
        }
        (residual, contracts)
    }

    pub(super) fn zone(&mut self) -> Result<(Option<f64>, Option<f64>)> {
        let hours = self.row.filter(|_| self.stated.grid.is_none()).and_then(|row| row.grid_hours.as_deref());
        let row = hours.map(|id| self.catalog.grid_hours(id)).transpose()?.map(|found| found.row);
        let dispatchable = self.stated.zone_dispatchable_mw.or_else(|| row?.dispatchable_mw);
        Ok((dispatchable, self.stated.zone_peak_mw.or_else(|| row?.peak_generation_mw)))
    }
}
