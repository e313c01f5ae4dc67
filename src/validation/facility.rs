//! Facilities: annual PUE and WUE of sites that publish them, by the hourly cooling model of [`crate::physics::cooling`].
//!
//! A row whose `cooling_system` is stated is estimated with that system's usual parameters, one that does not say is
//! estimated as the mean of all plausible systems with the span of their years as its range. The weather is that of the
//! row's station, else of the nearest one within 500 km of its position.

use super::read::{Line, Sheet};
use super::{Kind, Prediction, Report, Row};
use crate::Result;
use crate::catalog::{Catalog, Cooling, Station};
use crate::fleet::Fleet;
use crate::hours::{Step, mean};
use crate::plan::{Plan, Site};
use std::collections::HashMap;
use std::path::Path;

/// Columns without which no row means anything.
const NEEDED: [&str; 3] = ["year", "pue", "wue_l_per_kwh"];
/// A station farther away says nothing of a place; one up to the first distance is taken for it.
const NEAR_KM: f64 = 320.0;
const FAR_KM: f64 = 500.0;
/// What the load of a site may be around the usual one of its system, and its overhead and water around those of usual
/// practice (*assumed*): the range of a row whose system is known.
const LOADS: (f64, f64) = (0.6, 1.5);
const PRACTICE: (f64, f64) = (0.7, 1.5);
const WATER_PRACTICE: (f64, f64) = (0.5, 2.0);

/// Mean PUE and WUE of a year with their ranges.
#[derive(Clone, Copy, Debug)]
struct Year {
    pue: Prediction,
    wue: Prediction,
}

/// Estimates every row of a file: one for its PUE, one for its WUE.
pub(super) fn validate(path: &Path) -> Result<Report> {
    let catalog = Catalog::builtin();
    let sheet = Sheet::read(path, &NEEDED)?;
    let mut known: HashMap<(String, String, i64), Year> = HashMap::new();
    let mut rows = Vec::new();
    for line in sheet.lines() {
        rows.extend(line_rows(catalog, line, &mut known)?);
    }
    Ok(Report { kind: Kind::Facility, parameter_set: "cooling systems of the catalog", rows })
}

/// What a line says of its place.
struct Asked<'a> {
    cooling: Option<&'a Cooling>,
    station: &'a Station,
    year: i64,
}

fn line_rows(catalog: &Catalog, line: Line<'_>, known: &mut HashMap<(String, String, i64), Year>) -> Result<Vec<Row>> {
    let mut assumed = Vec::new();
    let asked = line.whole().map_or_else(|problem| Ok(Err(problem)), |()| ask(catalog, line, &mut assumed))?;
    let predicted = match &asked {
        Err(reason) => Err(reason.clone()),
        Ok(asked) => {
            let cooling = asked.cooling.map_or("unknown", |row| row.id.as_str());
            let key = (cooling.to_owned(), asked.station.id.clone(), asked.year);
            match known.get(&key) {
                Some(year) => Ok(*year),
                None => year(asked)?.map(|found| *known.entry(key).or_insert(found)),
            }
        }
    };
    let mut slices: Vec<(&'static str, String)> = Vec::new();
    for column in ["operator", "basis", "cooling_system"] {
        slices.extend(line.text(column).map(|text| (column, text.to_owned())));
    }
    let given = if line.text("cooling_system").is_some() { "given" } else { "unknown" };
    let climate = asked.as_ref().map_or("none", |asked| asked.station.id.as_str());
    slices.extend([("cooling", given.to_owned()), ("weather", climate.to_owned())]);
    if line.text("note").is_some_and(|note| note.contains("design value")) {
        slices.push(("published", "design value".into()));
    }
    let row = |quantity: &'static str, unit: &'static str, measured, predicted| {
        let mut slices = slices.clone();
        slices.extend([("quantity", quantity.to_owned()), ("quantity and cooling", format!("{quantity}, {given}"))]);
        Row {
            row_id: id(line, quantity),
            model: line.text("location").or(line.text("region")).unwrap_or_default().to_owned(),
            quantity,
            unit,
            measured,
            predicted,
            assumed: assumed.clone(),
            yardstick: None,
            slices,
        }
    };
    let of = |quantity: &str, year: &Year| if quantity == "pue" { year.pue } else { year.wue };
    let mut rows = Vec::new();
    for (column, quantity, unit, limits) in
        [("pue", "pue", "", 1.0..=5.0), ("wue_l_per_kwh", "wue", "L/kWh", 0.0..=20.0)]
    {
        // A quantity that a line does not publish is no row.
        match line.value(column, limits) {
            Err(problem) => rows.push(row(quantity, unit, None, Err(problem))),
            Ok(None) => {}
            Ok(measured) => {
                let predicted = predicted.as_ref().map(|year| of(quantity, year)).map_err(Clone::clone);
                rows.push(row(quantity, unit, measured, predicted));
            }
        }
    }
    if rows.is_empty() {
        let predicted = predicted.as_ref().map(|year| year.pue).map_err(Clone::clone);
        rows.push(row("pue", "", None, predicted));
    }
    Ok(rows)
}

/// Key of a quantity of a line: its site and year, else its line.
fn id(line: Line<'_>, quantity: &str) -> String {
    let site = line.text("site_key").map(|site| format!("{site}/{}", line.text("year").unwrap_or("?")));
    format!("{}/{quantity}", site.unwrap_or_else(|| line.id()))
}

/// Reads a line, or says why nothing can be estimated.
fn ask<'a>(
    catalog: &'a Catalog,
    line: Line<'_>,
    assumed: &mut Vec<String>,
) -> Result<std::result::Result<Asked<'a>, String>> {
    let cooling = match line.text("cooling_system") {
        None => None,
        Some(text) => match system(catalog, text)? {
            Some(row) => Some(row),
            None => return Ok(Err(format!("`cooling_system` is `{}`, no system", crate::error::excerpt(text)))),
        },
    };
    if cooling.is_none() {
        assumed.push("`cooling_system` is empty: the mean of the plausible systems, the range spans them".into());
    }
    let year = match line.value("year", 1990.0..=2100.0) {
        Err(problem) => return Ok(Err(problem)),
        Ok(year) => year,
    };
    let Some(year) = year.and_then(|year| (1990..=2100_i64).find(|whole| (float(*whole) - year).abs() < 1e-9)) else {
        return Ok(Err("`year` is empty, or no whole number".into()));
    };
    let stations = catalog.all_weather()?;
    if let Some(name) = line.text("weather_site")
        && let Some(station) = stations.iter().find(|station| station.id == name)
    {
        return Ok(Ok(Asked { cooling, station, year }));
    }
    let place = match (line.value("lat", -90.0..=90.0), line.value("lon", -180.0..=180.0)) {
        (Ok(Some(lat)), Ok(Some(lon))) => (lat, lon),
        (Err(problem), _) | (_, Err(problem)) => return Ok(Err(problem)),
        _ => return Ok(Err("neither a known weather station nor a position".into())),
    };
    let distance = |station: &Station| station.distance_km(place.0, place.1);
    let nearest = stations.iter().min_by(|a, b| distance(a).total_cmp(&distance(b)));
    Ok(match nearest {
        Some(station) if distance(station) <= FAR_KM => {
            let km = distance(station);
            if km > NEAR_KM {
                assumed.push(format!("weather of `{}`, {km:.0} km away", station.id));
            } else {
                assumed.push("weather of the nearest station".into());
            }
            Ok(Asked { cooling, station, year })
        }
        _ => Err(format!("no weather station within {FAR_KM:.0} km")),
    })
}

/// The system of a letter or of a name. The letter of two systems means the one without water.
fn system<'a>(catalog: &'a Catalog, text: &str) -> Result<Option<&'a Cooling>> {
    let all = catalog.all_cooling()?;
    let letter =
        all.iter().find(|row| row.archetype.as_deref().is_some_and(|letter| letter.eq_ignore_ascii_case(text)));
    Ok(letter.or_else(|| all.iter().find(|row| row.id == text && row.archetype.is_some())))
}

#[expect(clippy::cast_precision_loss, reason = "a year")]
const fn float(whole: i64) -> f64 {
    whole as f64
}

/// The year of a site, hour by hour.
fn year(asked: &Asked<'_>) -> Result<std::result::Result<Year, String>> {
    let site = |load: Option<f64>| -> Result<Site> {
        let station = format!("weather = \"{}\"\n", asked.station.id);
        let cooling = asked.cooling.map_or_else(String::new, |row| format!("cooling = \"{}\"\n", row.id));
        let load = load.map_or_else(String::new, |load| format!("it_load_fraction = {load}\n"));
        let text = ["[site.one]\n", &station, &cooling, &load].concat();
        Ok(Plan::of_site(&Fleet::parse(&text, "validation")?, "one")?.sites()[0].clone())
    };
    let Some((pue, wue, range)) = annual(&site(None)?, asked.year) else {
        return Ok(Err("the weather of that year is not known".into()));
    };
    let (pue_range, wue_range) = match asked.cooling {
        None => range,
        Some(row) => {
            let usual = row.load_fraction.unwrap_or(0.5);
            let at = |load: f64| Ok::<_, crate::Error>(annual(&site(Some(load.clamp(0.05, 1.0)))?, asked.year));
            let (idle, busy) = (at(LOADS.0 * usual)?, at(LOADS.1 * usual)?);
            let overhead = |year: Option<Annual>| year.map_or(pue - 1.0, |(pue, ..)| pue - 1.0);
            let low = 1.0 + overhead(busy) * PRACTICE.0;
            let high = 1.0 + overhead(idle) * PRACTICE.1;
            ((low.min(pue), high.max(pue)), (wue * WATER_PRACTICE.0, wue * WATER_PRACTICE.1))
        }
    };
    let prediction = |value: f64, (low, high): (f64, f64)| Prediction { value, low, high };
    Ok(Ok(Year { pue: prediction(pue, pue_range), wue: prediction(wue, wue_range) }))
}

/// PUE, WUE, and the spans of both.
type Annual = (f64, f64, ((f64, f64), (f64, f64)));

/// Means over a calendar year at a constant load, and the span of the systems' means.
fn annual(site: &Site, year: i64) -> Option<Annual> {
    let hours: Vec<_> = (Step::Year.first_hour(year)..Step::Year.first_hour(year + 1)).collect();
    let at: Vec<_> = hours.into_iter().map(|hour| site.hour(Some(hour), None).facility).collect();
    let pue = mean(at.iter().map(|hour| hour.average.pue()))?;
    let wue = mean(at.iter().map(|hour| hour.average.water_input_l))?;
    let spans = site.spans(year);
    Some((pue, wue, spans.unwrap_or(((pue, pue), (wue, wue)))))
}
