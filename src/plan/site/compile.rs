//! From what is stated of a site, and what the catalog says of its place, to a site in numbers.

use super::climate::{Climate, SEA_LEVEL_KPA, Station};
use super::facility::{Around, Candidate, Facility, at_air};
use super::grid::Grid;
use super::ladder::{Ladder, Level};
use super::{Site, UNKNOWN};
use crate::catalog::{self, Catalog, Cooling, Quality};
use crate::fleet::{self, Fleet};
use crate::hours::Series;
use crate::physics::cooling::{Archetype, System};
use crate::physics::facility::POWER_DELIVERY_SHARE;
use crate::physics::power_chain::PowerChain;
use crate::physics::psychrometrics::{Air, Weather};
use crate::plan::{Notes, plain};
use crate::{Error, Result};

/// What a site is compiled from.
pub(super) struct Compiler<'a> {
    pub(super) catalog: &'a Catalog,
    pub(super) said: &'a str,
    pub(super) place: String,
    pub(super) stated: fleet::Site,
    pub(super) row: Option<&'a catalog::Site>,
    pub(super) notes: &'a mut Notes,
}

pub(in crate::plan) fn compile(fleet: &Fleet, name: &str, notes: &mut Notes) -> Result<Site> {
    let catalog = fleet.catalog();
    let stated = fleet
        .sites()
        .get(name)
        .cloned()
        .unwrap_or_else(|| fleet::Site { catalog: Some(name.into()), ..fleet::Site::default() });
    let row = stated.catalog.as_deref().map(|name| catalog.site(name)).transpose()?.map(|resolved| resolved.row);
    let place = format!("site `{name}`");
    if name == UNKNOWN {
        notes.assume(&place, "place", "the world", "no site is stated");
    }
    let mut compiler = Compiler { catalog, said: fleet.place(), place, stated, row, notes };
    let (climate, station) = compiler.climate()?;
    let (facility, cooling) = compiler.facility(climate)?;
    let grid = compiler.grid()?;
    let (residual, contracts) = compiler.market();
    let (zone_dispatchable_mw, zone_peak_mw) = compiler.zone()?;
    let unknown = compiler.unknown(&facility, &grid, &residual);
    Ok(Site {
        name: name.into(),
        unknown,
        contracts,
        zone_dispatchable_mw,
        zone_peak_mw,
        cooling,
        station,
        stress_weight: compiler.stated.water_stress_weight,
        facility,
        grid,
        residual,
    })
}

impl Compiler<'_> {
    pub(super) fn series(&self, column: &str) -> Option<Series> {
        self.stated.series.get(column).cloned()
    }

    /// The rungs that the user states.
    pub(super) fn stated_ladder(&mut self, column: &str, value: Option<f64>) -> Ladder {
        let series = self.series(column);
        if let Some(mean) = series.as_ref().and_then(Series::mean) {
            let said = format!("{}, series", self.said);
            self.notes.stated(&self.place, &format!("{column}, mean of the series"), mean, &said);
        }
        if let Some(value) = value {
            self.notes.stated(&self.place, column, value, self.said);
        }
        Ladder { stated_series: series, stated: value, ..Ladder::default() }
    }

    /// The weather, and the name of its station.
    fn climate(&mut self) -> Result<(Climate, Option<String>)> {
        let [dry_bulb, humidity, pressure] = ["dry_bulb_c", "rel_humidity_pct", "pressure_kpa"].map(|c| self.series(c));
        if dry_bulb.is_some() != humidity.is_some() {
            return Err(Error::FleetConflict {
                place: self.place.clone(),
                problem: "weather needs dry_bulb_c and rel_humidity_pct, and one of them is missing".into(),
                hint: "give both columns by the hour; pressure_kpa is welcome beside them".into(),
            });
        }
        if dry_bulb.is_some() && pressure.is_none() {
            let value = format!("{SEA_LEVEL_KPA} kPa");
            self.notes.assume(&self.place, "pressure", value, "the weather series has no pressure_kpa: sea level");
        }
        let name = self.stated.weather.clone().or_else(|| self.row?.weather.clone());
        let station = name.map(|name| self.catalog.weather(&name)).transpose()?.map(|found| found.row);
        if let Some(station) = station {
            let place = format!("{}, weather `{}`", self.place, station.id);
            self.notes.fact(&place, "hours", station.hours, station.provenance.of("hours"));
        }
        let hours = station.map(catalog::Station::hourly).transpose()?.map(Station::of);
        Ok((Climate { dry_bulb, humidity, pressure, station: hours }, station.map(|station| station.id.clone())))
    }

    /// The building, and the ids of the cooling systems that it may have.
    fn facility(&mut self, climate: Climate) -> Result<(Facility, Vec<String>)> {
        let catalog = self.catalog;
        let cooling = catalog.cooling(self.stated.cooling.as_deref().unwrap_or("unknown"))?.row;
        // What an operator publishes of a site counts before a model, unless a cooling system is stated.
        let published = self.row.filter(|_| self.stated.cooling.is_none());
        let mut pue = self.stated_ladder("pue", self.stated.pue);
        let mut wue = self.stated_ladder("wue_l_per_kwh", self.stated.wue_l_per_kwh);
        let wue_consumed = self.stated_ladder("wue_consumed_l_per_kwh", None);
        if let Some((row, value)) = published.and_then(|row| Some((row, row.pue?))) {
            if pue.stated.is_none() {
                self.notes.cell(&self.place, "pue", value, &row.provenance);
            }
            pue.annual = Some((value, Level::Published));
        }
        if let Some((row, value)) = published.and_then(|row| Some((row, row.wue_l_per_kwh?))) {
            if wue.stated.is_none() {
                self.notes.cell(&self.place, "wue_l_per_kwh", value, &row.provenance);
            }
            wue.annual = Some((value, Level::Published));
        }
        let measured = !pue.is_empty() && !wue.is_empty();
        // Where nothing follows from them, what is plausible need not be worked out.
        let needed = cooling.archetype.is_some() || (climate.is_known() && !measured);
        let candidates = if needed { self.candidates(cooling, measured)? } else { Vec::new() };
        let mut ids: Vec<String> = candidates.iter().map(|(id, _)| id.clone()).collect();
        let modelled = climate.is_known() && !candidates.is_empty();
        if !pue.is_empty() {
            let split = format!("{} % of the overhead", plain(100.0 * POWER_DELIVERY_SHARE));
            self.notes.assume(&self.place, "power delivery", split, "no meter tells it from cooling");
        }
        if modelled && !measured {
            self.say_model(cooling, &candidates);
        } else {
            ids.clear();
        }
        for (ladder, what, column, value, unit) in [
            (&pue, "pue", "pue_typical", cooling.pue_typical, ""),
            (&wue, "wue", "wue_typical_l_per_kwh", cooling.wue_typical_l_per_kwh, " L/kWh"),
        ] {
            if ladder.is_empty() && !modelled {
                self.notes.cell(&self.place, column, value, &cooling.provenance);
                let why = format!("not stated, and no weather is known; typical of cooling `{}`", cooling.id);
                self.notes.assume(&self.place, what, format!("{}{unit}", plain(value)), &why);
            }
        }
        if !modelled && pue.is_empty() {
            let split = format!("{} % of the overhead", plain(100.0 * POWER_DELIVERY_SHARE));
            self.notes.assume(&self.place, "power delivery", split, "no meter tells it from cooling");
        }
        let triple = |low: Option<f64>, typical: f64, high: Option<f64>| {
            [low.unwrap_or(typical), typical, high.unwrap_or(typical)]
        };
        let typical = (
            triple(cooling.pue_low, cooling.pue_typical, cooling.pue_high),
            triple(cooling.wue_low_l_per_kwh, cooling.wue_typical_l_per_kwh, cooling.wue_high_l_per_kwh),
        );
        if let Some(capacity) = self.stated.it_capacity_kw {
            self.notes.stated(&self.place, "it_capacity_kw", capacity, self.said);
        }
        let also = [
            ("it_load_fraction", self.stated.it_load_fraction),
            ("water_stress_weight", self.stated.water_stress_weight),
        ];
        for (what, value) in also {
            if let Some(value) = value {
                self.notes.stated(&self.place, what, value, self.said);
            }
        }
        let capacity_kw = self.stated.it_capacity_kw;
        let candidates = candidates.into_iter().map(|(_, candidate)| candidate).collect();
        Ok((Facility { pue, wue, wue_consumed, candidates, climate, capacity_kw, typical }, ids))
    }

    /// Where PUE and water come from, for people.
    fn say_model(&mut self, cooling: &Cooling, candidates: &[(String, Candidate)]) {
        if cooling.archetype.is_some() {
            let load = candidates[0].1.load;
            if self.stated.it_load_fraction.is_none() && self.stated.it_capacity_kw.is_none() {
                let why = format!("not stated; usual with cooling `{}`", cooling.id);
                self.notes.assume(&self.place, "IT load over capacity", plain(load), &why);
            }
            return;
        }
        for row in self.catalog.all_cooling().into_iter().flatten() {
            if let Some((id, candidate)) = candidates.iter().find(|(id, _)| *id == row.id) {
                let place = format!("{}, cooling `{id}`", self.place);
                self.notes.fact(&place, "plausible_weight", candidate.weight, row.provenance.of("plausible_weight"));
            }
        }
        let names: Vec<&str> = candidates.iter().map(|(id, _)| id.as_str()).collect();
        let value = format!("the mean of {} systems, weighted", names.len());
        let why = format!("not stated; the range spans {}", names.join(", "));
        self.notes.assume(&self.place, "cooling", value, &why);
    }

    /// The systems that the site may have, with their weights: one that is stated, or all that are plausible.
    fn candidates(&mut self, cooling: &Cooling, measured: bool) -> Result<Vec<(String, Candidate)>> {
        let all = self.catalog.all_cooling()?;
        let rows: Vec<(&Cooling, f64)> = if cooling.archetype.is_some() {
            vec![(cooling, 1.0)]
        } else {
            let plausible = |row: &&Cooling| row.plausible_weight.is_some_and(|weight| weight > 0.0);
            let sum: f64 = all.iter().filter(plausible).filter_map(|row| row.plausible_weight).sum();
            all.iter().filter(plausible).map(|row| (row, row.plausible_weight.unwrap_or(0.0) / sum)).collect()
        };
        let single = rows.len() == 1;
        let mut found = Vec::new();
        for (row, weight) in rows {
            let (stated, load) = (self.stated.power_chain.as_deref(), self.stated.it_load_fraction);
            let (mut candidate, chain) = candidate(self.catalog, row, stated, load)?;
            candidate.weight = weight;
            if single && !measured {
                self.say_system(row, chain);
            }
            found.push((row.id.clone(), candidate));
        }
        Ok(found)
    }

    /// The cells behind a single system.
    fn say_system(&mut self, row: &Cooling, chain: &catalog::PowerChain) {
        let cells = [
            ("load_fraction", row.load_fraction),
            ("it_overhead_share", row.it_overhead_share),
            ("air_rise_k", row.air_rise_k),
            ("fan_share", row.fan_share),
            ("supply_air_c", row.supply_air_c),
            ("dew_point_limit_c", row.dew_point_limit_c),
            ("chilled_supply_c", row.chilled_supply_c),
            ("chilled_return_c", row.chilled_return_c),
            ("facility_water_c", row.facility_water_c),
            ("cycles_of_concentration", row.cycles_of_concentration),
            ("liquid_fraction", row.liquid_fraction),
        ];
        let place = format!("{}, cooling `{}`", self.place, row.id);
        let mut assumed = Vec::new();
        for (column, value) in cells {
            let Some(value) = value else { continue };
            let origin = row.provenance.of(column);
            self.notes.fact(&place, column, value, origin);
            assumed.extend((origin.quality == Quality::Assumed).then_some(column));
        }
        let place = format!("{}, power chain `{}`", self.place, chain.id);
        for (column, value) in [
            ("redundancy", chain.redundancy),
            ("ups_fixed", chain.ups_fixed),
            ("ups_linear", chain.ups_linear),
            ("ups_square", chain.ups_square),
            ("pdu_fixed", chain.pdu_fixed),
            ("pdu_square", chain.pdu_square),
            ("other", chain.other),
        ] {
            self.notes.fact(&place, column, value, chain.provenance.of(column));
        }
        let why = format!("no document behind {} of cooling `{}`", assumed.join(", "), row.id);
        self.notes.assume(&self.place, "power chain", format!("`{}`", chain.id), "losses are those of usual practice");
        if !assumed.is_empty() {
            self.notes.assume(&self.place, "parameters of cooling", "usual practice", &why);
        }
    }

    /// The columns that lack a factor at every hour, each with the reason.
    fn unknown(&mut self, facility: &Facility, grid: &Grid, residual: &Ladder) -> Vec<(&'static str, String)> {
        let mut unknown = Vec::new();
        let place = &self.place;
        let mut lacks = |columns: &[&'static str], reason: &str| {
            unknown.extend(columns.iter().map(|column| (*column, format!("{place}: {reason}"))));
        };
        if !facility.knows_consumption() {
            let reason = "an annual water usage effectiveness does not tell evaporation from blowdown; state `cooling`";
            lacks(&["water_onsite_consumed_l"], reason);
        }
        if self.stated.water_stress_weight.is_none() {
            lacks(&["water_stress_weighted_l"], "no stress weight is given; state water_stress_weight");
        } else if !facility.knows_consumption() {
            lacks(&["water_stress_weighted_l"], "water consumed on site is unknown");
        }
        let at = grid.hour(None, residual);
        if at.direct.is_none() {
            lacks(
                &["co2e_location_g", "co2e_upstream_g"],
                "no direct emission factor for its grid; state carbon_direct_g_per_kwh",
            );
        } else if at.lifecycle.is_none() {
            lacks(&["co2e_upstream_g"], "no lifecycle emission factor for its grid");
        } else if at.upstream.is_none() {
            lacks(&["co2e_upstream_g"], "the lifecycle factor of one source is below the direct factor of another");
        }
        match at.residual {
            None => lacks(&["co2e_market_g"], "neither a residual mix nor a direct factor of its grid is known"),
            Some((_, Level::StandIn)) => {
                let why = "no residual mix is given; state residual_direct_g_per_kwh";
                self.notes.assume(place, "residual mix", "the location's average factor", why);
            }
            Some(_) => {}
        }
        if at.marginal.is_none() {
            lacks(&["co2e_marginal_g"], "no marginal factor is given; state carbon_marginal_g_per_kwh");
        }
        if at.water.is_none() {
            lacks(
                &["water_offsite_l"],
                "no generation mix for its grid; state generation_mix or water_offsite_l_per_kwh",
            );
        }
        if at.water_with_hydro.is_none() {
            lacks(&["water_offsite_with_hydro_l"], "no water factor for its grid");
        }
        for (column, factor) in
            [("adpe_kg_sb", at.adpe_kg_sb_per_kwh), ("primary_energy_mj", at.primary_energy_mj_per_kwh)]
        {
            if factor.is_none() {
                lacks(
                    &[column],
                    "nothing of the kind is known of its grid; the part of manufacture has its own column",
                );
            }
        }
        unknown
    }
}

/// A cooling system of the catalog at one weather and load: the air, and what stands around a kilowatt-hour of IT.
///
/// # Errors
/// Names that are not known.
pub fn cooling_at(
    catalog: &Catalog,
    cooling: &str,
    weather: &Weather,
    load: Option<f64>,
    power_chain: Option<&str>,
) -> Result<(Air, Around)> {
    let row = catalog.cooling(cooling)?.row;
    let candidate = candidate(catalog, row, power_chain, load)?.0;
    let air = Air::of(weather);
    Ok((air, at_air(&candidate, &air)))
}

/// A system with its power chain and load, where these are stated, else its usual ones.
fn candidate<'a>(
    catalog: &'a Catalog,
    row: &Cooling,
    power_chain: Option<&str>,
    load: Option<f64>,
) -> Result<(Candidate, &'a catalog::PowerChain)> {
    let chain = power_chain.or(row.power_chain.as_deref()).unwrap_or("modern");
    let chain = catalog.power_chain(chain)?.row;
    let candidate = Candidate {
        weight: 1.0,
        system: system_of(row)?,
        chain: chain_of(chain),
        load: load.or(row.load_fraction).unwrap_or(USUAL_LOAD),
        it_overhead: row.it_overhead_share.unwrap_or(0.0),
        cycles: row.cycles_of_concentration,
    };
    Ok((candidate, chain))
}

/// Load where a row of the catalog gives none (*assumed*).
const USUAL_LOAD: f64 = 0.5;

/// A system from its row; what its archetype does not read stands at a usual value.
fn system_of(row: &Cooling) -> Result<System> {
    let archetype = row.archetype.as_deref().and_then(Archetype::of).ok_or_else(|| Error::CatalogRow {
        file: "cooling.csv".into(),
        row: row.id.clone(),
        problem: "`archetype` is empty: a system of its own needs a letter from A to J".into(),
    })?;
    let or = |value: Option<f64>, usual: f64| value.unwrap_or(usual);
    Ok(System {
        archetype,
        fan_share: or(row.fan_share, 0.045),
        supply_air_c: or(row.supply_air_c, 24.0),
        air_rise_k: or(row.air_rise_k, 11.0),
        dew_point_limit_c: or(row.dew_point_limit_c, 17.0),
        chilled_supply_c: or(row.chilled_supply_c, 18.0),
        chilled_return_c: or(row.chilled_return_c, 26.0),
        facility_water_c: or(row.facility_water_c, 32.0),
        liquid_fraction: or(row.liquid_fraction, 0.0),
        adiabatic: row.adiabatic.unwrap_or(false),
        cycles: or(row.cycles_of_concentration, 5.0),
    })
}

fn chain_of(row: &catalog::PowerChain) -> PowerChain {
    PowerChain {
        redundancy: row.redundancy,
        ups_fixed: row.ups_fixed,
        ups_linear: row.ups_linear,
        ups_square: row.ups_square,
        pdu_fixed: row.pdu_fixed,
        pdu_square: row.pdu_square,
        other: row.other,
    }
}
