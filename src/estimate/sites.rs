//! Sites summed up: effectiveness over the period, the peak hour and the peak day, what was known how well.

use super::Estimate;
use super::Total;
use super::columns::{FACILITY, sum};
use crate::hours::{Gathering, Timeline, hour_of, told};
use crate::ledger::NULL_BIN;
use crate::plan::Level;
use serde::Serialize;
use std::collections::BTreeMap;

/// The hour of the highest power.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct PeakHour {
    /// Its start.
    pub hour_utc: String,
    /// Mean power of the facility in it, kW.
    pub facility_kw: f64,
    /// Its PUE.
    pub pue: Option<f64>,
}

/// The day of the highest water intake.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct PeakDay {
    /// The day, UTC.
    pub day_utc: String,
    /// Water taken in at the site, L.
    pub water_onsite_l: f64,
    /// Energy of the facility, kWh.
    pub facility_kwh: f64,
}

/// A site over the period.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct SiteSummary {
    /// Its name.
    pub site: String,
    /// IT energy, kWh.
    pub it_kwh: Option<f64>,
    /// Energy of the facility, kWh.
    pub facility_kwh: Option<f64>,
    /// Facility over IT.
    pub pue: Option<f64>,
    /// Lowest and highest PUE that it may have.
    pub pue_range: Option<(f64, f64)>,
    /// Water taken in over IT, L/kWh.
    pub wue_l_per_kwh: Option<f64>,
    /// Its lowest and highest.
    pub wue_range_l_per_kwh: Option<(f64, f64)>,
    /// Water consumed over IT, L/kWh.
    pub wue_consumed_l_per_kwh: Option<f64>,
    /// Location-based emissions over IT, g/kWh.
    pub cue_g_per_kwh: Option<f64>,
    /// Facility over IT without fans and power supplies.
    pub tue: Option<f64>,
    /// Renewable share of the grid, weighted by energy.
    pub renewable_share: Option<f64>,
    /// Share of the load that contracts cover.
    pub contracted_share: Option<f64>,
    /// Share of the load that is carbon-free hour by hour: contracts first, then the grid.
    pub carbon_free_score: Option<f64>,
    /// The hour of the highest power.
    pub peak_hour: Option<PeakHour>,
    /// The day of the highest water intake.
    pub peak_day: Option<PeakDay>,
    /// Peak power over the dispatchable capacity of the zone.
    pub share_of_zone_dispatchable: Option<f64>,
    /// Peak power over the peak load of the zone.
    pub share_of_zone_peak: Option<f64>,
    /// The weather station, where anything follows from weather.
    pub weather: Option<String>,
    /// The cooling systems that it may have, where PUE or water follows from one.
    pub cooling: Vec<String>,
    /// Hours by factor and by how near the factor was.
    pub levels: BTreeMap<&'static str, BTreeMap<&'static str, usize>>,
}

impl Estimate {
    /// The sites of the estimate that any load went to, in the order of the plan.
    #[must_use]
    pub fn sites(&self) -> Vec<SiteSummary> {
        let [it, water] = ["it_kwh", "water_onsite_l"].map(sum);
        let mut sites: Vec<Option<Summed>> = Vec::new();
        sites.resize_with(self.plan.sites().len(), || None);
        for line in &self.lines {
            let Some(site) = line.site() else { continue };
            let summed = sites[site].get_or_insert_with(Summed::default);
            let values = self.values(line);
            summed.total.add(&line.counts, &values);
            if line.bin != NULL_BIN {
                let (hour, facility) = (hour_of(line.bin), values.sums[FACILITY]);
                add(summed.hours.at(hour, <[f64; 2]>::default), [facility, values.sums[it]]);
                add(summed.days.at(hour.div_euclid(24), <[f64; 2]>::default), [values.sums[water], facility]);
            }
        }
        let summary = |(at, summed): (usize, Option<Summed>)| Some(self.site(at, summed?));
        sites.into_iter().enumerate().filter_map(summary).collect()
    }

    fn site(&self, at: usize, summed: Summed) -> SiteSummary {
        let site = &self.plan.sites()[at];
        let total = &summed.total;
        let ratios = total.ratios();
        let (peak_hour, peak_day) = self.peaks(&summed.hours.finish(), &summed.days.finish());
        let peak_mw = peak_hour.as_ref().map(|peak| peak.facility_kw / 1000.0);
        let over = |capacity: Option<f64>| peak_mw.zip(capacity).map(|(peak, capacity)| peak / capacity);
        let mut sums = Weighted::default();
        let mut levels: BTreeMap<&'static str, BTreeMap<&'static str, usize>> = BTreeMap::new();
        for (_, hour) in self.site_hours.of(at) {
            let load = hour.load_kwh;
            let grid = &hour.at.grid;
            sums.load += load;
            sums.it += hour.it_kwh;
            sums.matched += load * hour.matched;
            sums.known_carbon_free += hour.carbon_free_kwh.map_or(0.0, |_| load);
            sums.carbon_free += hour.carbon_free_kwh.unwrap_or(0.0);
            if let Some((share, _)) = grid.renewable {
                sums.known_renewable += load;
                sums.renewable += share * load;
            }
            for (into, range) in
                [(&mut sums.pue, hour.at.facility.pue_range), (&mut sums.wue, hour.at.facility.wue_range)]
            {
                *into = (into.0 + range.0 * hour.it_kwh, into.1 + range.1 * hour.it_kwh);
            }
            let found: [(&str, Option<Level>); 7] = [
                ("pue", Some(hour.at.facility.pue_level)),
                ("wue", Some(hour.at.facility.wue_level)),
                ("carbon_direct", grid.direct.map(|(_, level)| level)),
                ("carbon_lifecycle", grid.lifecycle.map(|(_, level)| level)),
                ("residual_mix", grid.residual.map(|(_, level)| level)),
                ("carbon_marginal", grid.marginal.map(|(_, level)| level)),
                ("water_offsite", grid.water.map(|(_, level)| level)),
            ];
            for (factor, level) in found {
                let level = level.map_or("unknown", Level::name);
                *levels.entry(factor).or_default().entry(level).or_default() += 1;
            }
            if let Some(of) = hour.at.facility.weather {
                *levels.entry("weather").or_default().entry(of.name()).or_default() += 1;
            }
        }
        // Hours without IT are in the mean and in no hour's range.
        let mean = |(low, high): (f64, f64), at: Option<f64>| {
            let (low, high) = (low / sums.it, high / sums.it);
            at.filter(|_| sums.it > 0.0).map(|at| (low.min(at), high.max(at)))
        };
        let over_load = |part: f64, of: f64| (of > 0.0).then(|| part / of);
        let contracted = site.contracts.any().then(|| over_load(sums.matched, sums.load)).flatten();
        let of_station = levels.get("weather").is_some_and(|of| of.keys().any(|of| *of != "stated"));
        SiteSummary {
            site: site.name.clone(),
            it_kwh: total.value(sum("it_kwh")),
            facility_kwh: total.value(FACILITY),
            pue: ratios[2],
            pue_range: mean(sums.pue, ratios[2]),
            wue_l_per_kwh: ratios[3],
            wue_range_l_per_kwh: mean(sums.wue, ratios[3]),
            wue_consumed_l_per_kwh: ratios[4],
            cue_g_per_kwh: ratios[5],
            tue: ratios[6],
            renewable_share: over_load(sums.renewable, sums.known_renewable),
            contracted_share: contracted,
            carbon_free_score: over_load(sums.carbon_free, sums.known_carbon_free),
            peak_hour,
            peak_day,
            share_of_zone_dispatchable: over(site.zone_dispatchable_mw),
            share_of_zone_peak: over(site.zone_peak_mw),
            weather: site.station.clone().filter(|_| of_station),
            cooling: site.cooling.clone(),
            levels,
        }
    }

    /// Of energy of the facility and of IT by hour, and of water taken in and energy of the facility by day.
    fn peaks(&self, hours: &Timeline<[f64; 2]>, days: &Timeline<[f64; 2]>) -> (Option<PeakHour>, Option<PeakDay>) {
        let power = |hour: i64, kwh: f64| kwh / super::site_hours::covered_h(hour, self.period());
        // The first of several that are equal.
        let highest = |a: f64, b: f64| if b > a { b } else { a };
        let top = hours.iter().map(|(hour, [kwh, _])| power(hour, *kwh)).fold(f64::MIN, highest);
        let peak_hour = hours.iter().find(|(hour, [kwh, _])| power(*hour, *kwh) >= top).map(|(hour, [kwh, it])| {
            let pue = (*it > 0.0).then(|| kwh / it);
            PeakHour { hour_utc: told(hour), facility_kw: power(hour, *kwh), pue }
        });
        let top = days.values().iter().map(|[litres, _]| *litres).fold(f64::MIN, highest);
        let peak_day = days.iter().find(|(_, [litres, _])| *litres >= top).map(|(day, [litres, kwh])| PeakDay {
            day_utc: crate::hours::date_of(day * 24).to_string(),
            water_onsite_l: *litres,
            facility_kwh: *kwh,
        });
        (peak_hour, peak_day)
    }
}

/// The lines of a site summed up: in all, energy of facility and IT by hour, water and energy of the facility by day.
#[derive(Default)]
struct Summed {
    total: Total,
    hours: Gathering<[f64; 2]>,
    days: Gathering<[f64; 2]>,
}

/// Sums over hours that shares are made of.
#[derive(Default)]
struct Weighted {
    it: f64,
    load: f64,
    matched: f64,
    carbon_free: f64,
    known_carbon_free: f64,
    renewable: f64,
    known_renewable: f64,
    pue: (f64, f64),
    wue: (f64, f64),
}

fn add(into: &mut [f64; 2], more: [f64; 2]) {
    for (sum, value) in into.iter_mut().zip(more) {
        *sum += value;
    }
}
