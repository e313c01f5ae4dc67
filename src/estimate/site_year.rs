//! A site without a load of its own: hour by hour at the usual load, for whoever plans, compares or draws.

use crate::Result;
use crate::fleet::Fleet;
use crate::hours::{Step, mean, told};
use crate::plan::{Assumption, Fact, Plan, SiteHour, WeatherOf};
use crate::{Error, hours};

/// A column of [`SiteYear`].
#[derive(Clone, Copy, Debug)]
pub struct HourColumn {
    /// Name with its unit.
    pub name: &'static str,
    /// What it is.
    pub meaning: &'static str,
    of: fn(&SiteHour) -> Option<f64>,
}

const fn column(name: &'static str, meaning: &'static str, of: fn(&SiteHour) -> Option<f64>) -> HourColumn {
    HourColumn { name, meaning, of }
}

/// Columns of a site by the hour, after its name and the hour.
pub const HOUR_COLUMNS: [HourColumn; 17] = [
    column("dry_bulb_c", "dry bulb outside", |h| Some(h.facility.air?.dry_bulb_c)),
    column("wet_bulb_c", "wet bulb outside", |h| Some(h.facility.air?.wet_bulb_c)),
    column("pue", "facility over IT energy", |h| Some(h.facility.average.pue())),
    column("pue_low", "lowest PUE that the site may have", |h| Some(h.facility.pue_range.0)),
    column("pue_high", "highest PUE that the site may have", |h| Some(h.facility.pue_range.1)),
    column("pue_marginal", "facility energy of one more kWh of IT", |h| Some(h.facility.marginal?.pue())),
    column("wue_l_per_kwh", "water taken in over IT energy", |h| Some(h.facility.average.water_input_l)),
    column("wue_consumed_l_per_kwh", "water consumed over IT energy", |h| {
        Some(h.facility.average.water_consumed_l).filter(|litres| !litres.is_nan())
    }),
    column("water_offsite_l_per_kwh", "water of generation without reservoirs", |h| Some(h.grid.water?.0.0)),
    column("water_offsite_with_hydro_l_per_kwh", "water of generation with reservoirs", |h| {
        Some(h.grid.water_with_hydro?.0.0)
    }),
    column("carbon_direct_g_per_kwh", "direct factor of the grid", |h| Some(h.grid.direct?.0.0)),
    column("carbon_lifecycle_g_per_kwh", "lifecycle factor of the grid", |h| Some(h.grid.lifecycle?.0.0)),
    column("carbon_upstream_g_per_kwh", "fuel chain, construction, grid losses", |h| Some(h.grid.upstream?.0)),
    column("carbon_marginal_g_per_kwh", "short-run marginal factor", |h| Some(h.grid.marginal?.0.0)),
    column("cue_g_per_kwh", "location-based emissions over IT energy", |h| {
        Some(h.grid.direct?.0.0 * h.facility.average.pue())
    }),
    column("renewable_share", "renewable share of the grid", |h| Some(h.grid.renewable?.0)),
    column("carbon_free_share", "carbon-free share of the grid", |h| Some(h.grid.carbon_free?.0)),
];

/// A site by the hour.
#[derive(Clone, Debug)]
pub struct SiteYear {
    /// Its name.
    pub site: String,
    /// The first hour, since 1970.
    pub start: i64,
    /// Values by hour, in the order of [`HOUR_COLUMNS`].
    pub hours: Vec<[Option<f64>; HOUR_COLUMNS.len()]>,
    /// Fans and power supplies inside the IT over IT energy.
    pub it_overhead: Option<f64>,
    /// The cooling systems that it may have.
    pub cooling: Vec<String>,
    /// Its weather station, and which hours its weather is of.
    pub station: Option<String>,
    /// Hours whose weather is that of another year or of a typical one.
    pub weather_stands_in: usize,
    /// Hours by how near the direct factor of the grid is.
    pub levels: Vec<(&'static str, usize)>,
    /// Digests of the fleet and of the catalog.
    pub inputs: (String, String),
    /// Values with their sources.
    pub facts: Vec<Fact>,
    /// Columns that are unknown, each with the reason.
    pub unknown: Vec<(String, String)>,
    /// Values nobody stated.
    pub assumptions: Vec<Assumption>,
}

impl SiteYear {
    /// A column by name.
    #[must_use]
    pub fn column(&self, name: &str) -> Vec<Option<f64>> {
        let at = HOUR_COLUMNS.iter().position(|column| column.name == name);
        at.map_or_else(Vec::new, |at| self.hours.iter().map(|hour| hour[at]).collect())
    }

    /// Mean of a column at a constant load; `None` where an hour of it is unknown.
    #[must_use]
    pub fn mean(&self, name: &str) -> Option<f64> {
        let values = self.column(name).into_iter().collect::<Option<Vec<f64>>>()?;
        mean(values.into_iter())
    }

    /// Highest value of a column and the hour it is reached in.
    #[must_use]
    pub fn highest(&self, name: &str) -> Option<(String, f64)> {
        let known = (self.start..).zip(self.column(name)).filter_map(|(hour, value)| Some((hour, value?)));
        let top = known.reduce(|top, one| if one.1 > top.1 { one } else { top })?;
        Some((told(top.0), top.1))
    }

    /// The UTC day that takes in most water at a constant load, and its mean, L per kWh of IT.
    #[must_use]
    pub fn peak_day(&self) -> Option<(String, f64)> {
        let mut days: Vec<(i64, f64, f64)> = Vec::new();
        for (hour, value) in (self.start..).zip(self.column("wue_l_per_kwh")) {
            let day = hour.div_euclid(24);
            match days.last_mut().filter(|last| last.0 == day) {
                Some(last) => (last.1, last.2) = (last.1 + value?, last.2 + 1.0),
                None => days.push((day, value?, 1.0)),
            }
        }
        let means = days.into_iter().map(|(day, sum, count)| (day, sum / count));
        let top = means.reduce(|top, one| if one.1 > top.1 { one } else { top })?;
        Some((hours::date_of(top.0 * 24).to_string(), top.1))
    }
}

/// A site of a fleet or of the catalog in every hour of a calendar year.
///
/// ```
/// use wattledger::estimate::site_year;
/// use wattledger::fleet::Fleet;
/// let fleet = Fleet::parse("[site.sg]\ncatalog = \"gcp/asia-southeast1\"\ncooling = \"water-chiller\"", "fleet.toml")?;
/// let year = site_year(&fleet, "sg", 2023)?;
/// let pue = year.mean("pue").unwrap();
/// assert!((1.25..1.40).contains(&pue), "{pue}");
/// # Ok::<(), wattledger::Error>(())
/// ```
///
/// # Errors
/// [`Error::UnknownName`] for a site that is not known, [`Error::Argument`] for a year beyond 1950 to 2150.
pub fn site_year(fleet: &Fleet, name: &str, year: i64) -> Result<SiteYear> {
    if !(1950..=2150).contains(&year) {
        return Err(Error::Argument {
            what: "year".into(),
            value: year.to_string(),
            expected: "a year from 1950 to 2150".into(),
        });
    }
    let plan = Plan::of_site(fleet, name)?;
    let site = &plan.sites()[0];
    let (start, end) = (Step::Year.first_hour(year), Step::Year.first_hour(year + 1));
    let (mut stands_in, mut stands_in_of) = (0, None);
    let mut levels: Vec<(&'static str, usize)> = Vec::new();
    let mut rows = Vec::new();
    for hour in start..end {
        let at = site.hour_with_marginal(Some(hour), None);
        if let Some(of) = at.facility.weather.filter(|of| of.stands_in().is_some()) {
            stands_in += 1;
            stands_in_of = Some(of);
        }
        let level = at.grid.direct.map_or("unknown", |(_, level)| level.name());
        match levels.iter_mut().find(|(name, _)| *name == level) {
            Some((_, count)) => *count += 1,
            None => levels.push((level, 1)),
        }
        rows.push(HOUR_COLUMNS.map(|column| (column.of)(&at)));
    }
    let place = format!("site `{}`", site.name);
    let mut assumptions = plan.assumptions().to_vec();
    let mut assume = |what: &str, value: String, why: &str| {
        assumptions.push(Assumption { place: place.clone(), what: what.into(), value, why: why.into() });
    };
    if let Some(of) = stands_in_of {
        let value = of.stands_in().unwrap_or_default().replace("hour", "hours");
        let station = site.station.as_deref().unwrap_or("?");
        assume("weather", value, &format!("station `{station}` does not reach {stands_in} of these hours"));
        let real = levels.iter().any(|(level, _)| *level == "zone-hour");
        if of == WeatherOf::TypicalYear && real {
            let why = "the grid's factors are of real hours: a hot evening and its dirty grid do not meet";
            assume("weather and grid", "not of the same hours".into(), why);
        }
    }
    if site.capacity_kw().is_some() {
        let why = "a year without a ledger has no load of its own: that of usual practice";
        assume("IT load over capacity", "constant".into(), why);
    }
    let mut unknown: Vec<(String, String)> =
        site.unknown.iter().map(|(column, reason)| ((*column).to_owned(), reason.clone())).collect();
    if site.it_overhead().is_none() {
        unknown.push(("tue".into(), format!("{place}: no cooling system is stated, so fans in the IT are not known")));
    }
    Ok(SiteYear {
        unknown,
        site: site.name.clone(),
        start,
        hours: rows,
        it_overhead: site.it_overhead(),
        cooling: site.cooling.clone(),
        station: site.station.clone(),
        weather_stands_in: stands_in,
        levels,
        inputs: (fleet.digest().to_owned(), fleet.catalog().content_hash().to_owned()),
        facts: plan.facts().to_vec(),
        assumptions,
    })
}
