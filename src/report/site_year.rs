//! A site by the hour as a table, and its year summed up as JSON.

use super::table::build;
use crate::estimate::{HOUR_COLUMNS, METHOD_EDITION, SiteYear};
use crate::hours::HOUR_S;
use arrow_array::{ArrayRef, Float64Array, RecordBatch, StringArray, TimestampSecondArray};
use serde_json::{Value, json};
use std::sync::Arc;

/// Hours as one Arrow batch: site, hour, and the columns of [`HOUR_COLUMNS`].
#[must_use]
pub fn site_year_batch(year: &SiteYear) -> RecordBatch {
    let hours: Vec<i64> = (year.start..).map(|hour| hour * HOUR_S).take(year.hours.len()).collect();
    let names: StringArray = year.hours.iter().map(|_| Some(year.site.as_str())).collect();
    let mut columns: Vec<(String, ArrayRef)> = vec![
        ("site".into(), Arc::new(names)),
        ("hour_utc".into(), Arc::new(TimestampSecondArray::from(hours).with_timezone("UTC"))),
    ];
    for (at, column) in HOUR_COLUMNS.iter().enumerate() {
        let values: Float64Array = year.hours.iter().map(|hour| hour[at]).collect();
        columns.push((column.name.into(), Arc::new(values)));
    }
    build(columns)
}

/// The year of a site at a constant load as JSON: means, peaks, what was known how well.
#[must_use]
pub fn site_year_json(year: &SiteYear) -> String {
    let mean = |name: &str| year.mean(name);
    let peak = |name: &str| year.highest(name).map(|(hour, value)| json!({"hour_utc": hour, "value": value}));
    let pue = mean("pue");
    let tue = pue.zip(year.it_overhead).map(|(pue, inside)| pue / (1.0 - inside));
    let levels: serde_json::Map<String, Value> =
        year.levels.iter().map(|(level, hours)| ((*level).to_owned(), Value::from(*hours))).collect();
    json!({
        "site": year.site,
        "hours": year.hours.len(),
        "pue": pue,
        "pue_range": [mean("pue_low"), mean("pue_high")],
        "wue_l_per_kwh": mean("wue_l_per_kwh"),
        "wue_consumed_l_per_kwh": mean("wue_consumed_l_per_kwh"),
        "tue": tue,
        "cue_g_per_kwh": mean("cue_g_per_kwh"),
        "carbon_direct_g_per_kwh": mean("carbon_direct_g_per_kwh"),
        "carbon_lifecycle_g_per_kwh": mean("carbon_lifecycle_g_per_kwh"),
        "carbon_marginal_g_per_kwh": mean("carbon_marginal_g_per_kwh"),
        "water_offsite_l_per_kwh": mean("water_offsite_l_per_kwh"),
        "renewable_share": mean("renewable_share"),
        "peak_pue": peak("pue"),
        "peak_wue_l_per_kwh": peak("wue_l_per_kwh"),
        "peak_day": year.peak_day().map(|(day, litres)| json!({"day_utc": day, "wue_l_per_kwh": litres})),
        "weather": year.station,
        "weather_stands_in_hours": year.weather_stands_in,
        "cooling": year.cooling,
        "carbon_levels": levels,
        "unknown": year.unknown.iter().map(|(column, reason)| json!({"column": column, "reason": reason})).collect::<Vec<_>>(),
        "assumptions": year.assumptions,
        "facts": year.facts,
        "provenance": {
            "engine_version": env!("CARGO_PKG_VERSION"),
            "method_edition": METHOD_EDITION,
            "fleet_digest": year.inputs.0,
            "catalog_digest": year.inputs.1,
        },
    })
    .to_string()
}
