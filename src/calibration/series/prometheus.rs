//! Responses of Prometheus to a range query (`/api/v1/query_range`).

use super::unit::Unit;
use super::{Gathered, Meter, Read};
use crate::Result;
use crate::error::excerpt;
use serde::Deserialize;
use std::collections::BTreeMap;

#[derive(Deserialize)]
struct Response {
    status: String,
    #[serde(default)]
    error: Option<String>,
    #[serde(default)]
    data: Option<Data>,
}

#[derive(Deserialize)]
struct Data {
    #[serde(rename = "resultType")]
    kind: String,
    result: serde_json::Value,
}

#[derive(Deserialize)]
struct Stream {
    metric: BTreeMap<String, String>,
    values: Vec<(serde_json::Number, String)>,
}

/// Labels that name an accelerator by itself.
const UUIDS: [&str; 3] = ["UUID", "uuid", "gpu_uuid"];
/// Labels that name a host, and an accelerator in it.
const HOSTS: [&str; 5] = ["Hostname", "hostname", "node", "host", "instance"];
const DEVICES: [&str; 5] = ["gpu", "index", "minor_number", "device", "pci_bus_id"];

/// The meter behind labels: those of a pod come and go on the same accelerator and do not count.
fn meter(labels: &BTreeMap<String, String>) -> Meter {
    let first = |names: &[&str]| {
        names.iter().find_map(|name| labels.get(*name).map(|value| format!("{}={value}", name.to_ascii_lowercase())))
    };
    let name = first(&UUIDS).or_else(|| {
        let device = first(&DEVICES)?;
        Some(first(&HOSTS).map_or(device.clone(), |host| format!("{device} {host}")))
    });
    let all = || {
        let kept = labels.iter().filter(|(name, _)| !["__name__", "deployment"].contains(&name.as_str()));
        kept.map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join(" ")
    };
    Meter { name: name.unwrap_or_else(all), deployment: labels.get("deployment").cloned() }
}

pub(super) fn read(text: &str, into: &mut Gathered) -> Result<()> {
    let broken = |e: serde_json::Error, into: &Gathered| {
        into.refuse(format!("no response of Prometheus: {e}"), "save what /api/v1/query_range answers, as it is")
    };
    let response: Response = serde_json::from_str(text).map_err(|e| broken(e, into))?;
    let Some(data) = response.data.filter(|_| response.status == "success") else {
        let said = excerpt(response.error.as_deref().unwrap_or("no data"));
        return Err(into.refuse(format!("Prometheus answered {}: {said}", excerpt(&response.status)), "ask again"));
    };
    if data.kind != "matrix" {
        let problem = format!("a result of kind `{}`, not a matrix", excerpt(&data.kind));
        return Err(into.refuse(problem, "ask /api/v1/query_range with start, end and step"));
    }
    let streams: Vec<Stream> = serde_json::from_value(data.result).map_err(|e| broken(e, into))?;
    for (at, stream) in (1_u64..).zip(&streams) {
        let name = stream.metric.get("__name__").map(String::as_str);
        let Some(unit) = into.unit.or_else(|| name.and_then(Unit::of_metric)) else {
            let problem = name.map_or_else(
                || "a sum or a rate has no name that says its unit".into(),
                |name| format!("the unit of `{}` is not known", excerpt(name)),
            );
            return Err(into.refuse(problem, format!("say it with --unit: {}", Unit::columns())));
        };
        into.unit(unit)?;
        let meter = meter(&stream.metric);
        for (time, value) in &stream.values {
            let time_text = time.to_string();
            let time_us = into.clock.instant(&time_text).map_err(|reason| {
                into.refuse(format!("result {at}: time {time_text} ({})", reason.name()), reason.way_out())
            })?;
            let value = value.parse().map_err(|_| {
                let problem = format!("result {at}, {time_text}: `{}` is no number", excerpt(value));
                into.refuse(problem, "leave out moments without a reading; a gap is seen and counted")
            })?;
            into.add(&Read { meter: &meter, line: at, time_us, value }, unit)?;
        }
    }
    Ok(())
}
