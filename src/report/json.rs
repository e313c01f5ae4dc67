//! Estimates as JSON, by the contract: totals, rows, coverage, assumptions, provenance.

use crate::Result;
use crate::estimate::columns::{COUNTS, RATIOS, SUMS};
use crate::estimate::{Estimate, METHOD_EDITION, Reconciled, RequestEstimate, Table, Total, Unknown, UnknownModel};
use crate::fleet::Allocation;
use crate::hours::told;
use crate::ledger::Ledger;
use serde_json::{Map, Value, json};

/// A count: exact where JSON readers keep it exact, else a decimal string.
fn count(n: u128) -> Value {
    match u64::try_from(n) {
        Ok(n) if n < 1 << 53 => n.into(),
        _ => n.to_string().into(),
    }
}

pub(super) fn total(total: &Total) -> Map<String, Value> {
    let counts = COUNTS.iter().zip(total.counts).map(|(c, n)| (c.name.to_owned(), count(n)));
    let names = SUMS.iter().chain(&RATIOS);
    let sums = names.zip(total.values()).map(|(c, v)| (c.name.to_owned(), v.map_or(Value::Null, Value::from)));
    let unestimated = (super::UNESTIMATED.to_owned(), count(total.unestimated_requests()));
    counts.chain([unestimated]).chain(sums).collect()
}

pub(super) fn rows(table: &Table) -> Vec<Value> {
    let row = |row: &crate::estimate::TableRow| {
        let keys = table.keys.iter().zip(&row.keys);
        let mut object: Map<String, Value> =
            keys.map(|(name, value)| (name.clone(), value.clone().map_or(Value::Null, Value::from))).collect();
        object.insert(super::UNALLOCATED.into(), row.unallocated.into());
        object.extend(total(&row.total));
        Value::Object(object)
    };
    table.rows.iter().map(row).collect()
}

/// A step of a meter beside the estimate.
fn reconciled(one: &Reconciled) -> Value {
    json!({
        "meter": one.meter,
        "stands_at": one.stands_at,
        "quantity": one.quantity,
        "start_utc": told(one.hours.0),
        "end_utc": told(one.hours.1),
        "metered_kwh": one.metered_kwh,
        "estimated_kwh": one.estimated_kwh,
        "residual_kwh": one.residual_kwh(),
        "covered": one.covered,
        "rule": one.rule,
        "applied": one.applied,
        "note": one.note,
    })
}

/// The parts of an estimate's JSON, in its order; `totals` and `rows` are of one grouping.
const PARTS: [&str; 10] = [
    "totals",
    "rows",
    "coverage",
    "unknown",
    "unknown_models",
    "sites",
    "embodied",
    "reconciliation",
    "assumptions",
    "provenance",
];

/// The estimate and one grouping of it as JSON.
#[must_use]
pub fn estimate_json(estimate: &Estimate, table: &Table) -> String {
    let value = |name: &'static str| match name {
        "totals" => Value::Object(total(&table.total)),
        "rows" => rows(table).into(),
        _ => part(estimate, name),
    };
    Value::Object(PARTS.into_iter().map(|name| (name.to_owned(), value(name))).collect()).to_string()
}

/// One part of the JSON of the whole estimate, `totals` or `sites`, without the others.
#[must_use]
pub fn estimate_part_json(estimate: &Estimate, name: &str) -> String {
    part(estimate, name).to_string()
}

fn part(estimate: &Estimate, name: &str) -> Value {
    match name {
        "totals" => Value::Object(total(&estimate.total())),
        "coverage" => json!(estimate.coverage()),
        "unknown" => {
            let of = |u: &Unknown| json!({"column": u.column, "reason": u.reason, "requests": count(u.requests)});
            estimate.unknown().iter().map(of).collect()
        }
        "unknown_models" => estimate.unknown_models().iter().map(unknown_model).collect(),
        "sites" => json!(estimate.sites()),
        "embodied" => json!(estimate.embodied()),
        "reconciliation" => estimate.reconciled().iter().map(reconciled).collect(),
        "assumptions" => json!(estimate.assumptions()),
        "provenance" => provenance(estimate),
        other => unreachable!("`{other}` is no part of an estimate of its own"),
    }
}

fn unknown_model(one: &UnknownModel) -> Value {
    let counts = COUNTS.iter().zip(one.counts).map(|(c, n)| (c.name.to_owned(), count(n)));
    let mut object = Map::from_iter([("model".into(), json!(one.model)), ("reason".into(), json!(one.reason))]);
    object.extend(counts);
    Value::Object(object)
}

fn provenance(estimate: &Estimate) -> Value {
    let columns = COUNTS.iter().chain(&SUMS).chain(&RATIOS);
    let columns: Vec<Value> = columns.map(|c| json!({"name": c.name, "unit": c.unit, "meaning": c.meaning})).collect();
    let [fleet, fleet_digest, catalog_digest] = estimate.plan().inputs();
    json!({
        "engine_version": env!("CARGO_PKG_VERSION"),
        "method_edition": METHOD_EDITION,
        "allocation": if estimate.allocation() == Allocation::Marginal { "marginal" } else { "average" },
        "parameter_set": estimate.parameter_set(),
        "fleet": fleet,
        "fleet_digest": fleet_digest,
        "catalog_edition": estimate.plan().catalog_edition(),
        "catalog_digest": catalog_digest,
        "inputs": estimate.inputs(),
        "facts": estimate.plan().facts(),
        "columns": columns,
    })
}

/// One request with its range and chain as JSON.
#[must_use]
pub fn request_json(request: &RequestEstimate) -> String {
    let details = request.details();
    let mut values = Map::new();
    for (name, value) in request.values() {
        let value = value.map_or(Value::Null, |[v, low, high]| json!({"value": v, "low": low, "high": high}));
        values.insert(name.into(), value);
    }
    json!({
        "model": request.model(),
        "hardware": request.hardware(),
        "devices": request.devices(),
        "site": request.site(),
        "concurrency": request.concurrency(),
        "values": values,
        "unknown": details.unknown.iter().map(|(c, r)| json!({"column": c, "reason": r})).collect::<Vec<_>>(),
        "chain": details.steps,
        "tree": details.tree,
        "facts": details.facts,
        "assumptions": details.assumptions,
        "provenance": {
            "engine_version": env!("CARGO_PKG_VERSION"),
            "method_edition": METHOD_EDITION,
            "parameter_set": details.parameter_set,
            "catalog_edition": details.catalog.0,
            "catalog_digest": details.catalog.1,
        },
    })
    .to_string()
}

/// What a ledger holds as JSON.
///
/// # Errors
/// As [`Ledger::describe`].
///
/// # Panics
/// Never: a description is plain data.
pub fn describe_json(ledger: &Ledger) -> Result<String> {
    let described = ledger.describe()?;
    let mut value = serde_json::to_value(&described).expect("plain data");
    for key in ["requests", "input_tokens", "cached_tokens", "output_tokens"] {
        value[key] = count(value[key].to_string().parse().unwrap_or_default());
    }
    for (top, described) in value["top_series"].as_array_mut().into_iter().flatten().zip(&described.top_series) {
        top["labels"] =
            described.labels.iter().map(|(k, v)| (k.clone(), Value::from(v.clone()))).collect::<Map<_, _>>().into();
    }
    for key in ["first_bin_s", "end_s"] {
        let seconds = value[key].as_i64();
        let told = seconds.and_then(|s| jiff::Timestamp::from_second(s).ok()).map(|t| t.to_string());
        value[key.trim_end_matches("_s")] = told.into();
    }
    value["coverage"] = serde_json::to_value(&ledger.origin.coverage).expect("plain data");
    value["inputs"] = serde_json::to_value(&ledger.origin.inputs).expect("plain data");
    Ok(value.to_string())
}
