//! Training runs as JSON: as an estimate, with phases, critical factors and what stands beside it.

use super::json::{rows, total};
use crate::Result;
use crate::catalog::Catalog;
use crate::estimate::columns::{COUNTS, RATIOS, SUMS};
use crate::estimate::{METHOD_EDITION, Table};
use crate::hours::told;
use crate::training::{Beside, Compiled, Known, TrainingEstimate};
use serde_json::{Map, Value, json};

fn known(known: Known) -> Value {
    json!({
        "value": known.value,
        "low": known.value * (-known.spread).exp(),
        "high": known.value * known.spread.exp(),
        "how": known.how,
    })
}

fn phase(phase: &Compiled) -> Value {
    let learner = phase.learner.as_ref();
    json!({
        "phase": phase.name,
        "kind": phase.kind.name(),
        "basis": phase.basis.name(),
        "hardware": phase.trainer.hardware,
        "site": phase.site_name,
        "start_utc": phase.period.map(|(start, _)| told(start)),
        "end_utc": phase.period.map(|(_, end)| told(end)),
        "model": learner.and_then(|learner| learner.model.clone()),
        "active_params": learner.map(|learner| learner.active_parameters),
        "tokens": phase.tokens,
        "flop": phase.flop,
        "mfu": phase.mfu.map(known),
        "accelerator_hours": known(phase.hours),
        "accelerator_hours_with_overheads": phase.all_hours(),
        "power_w": known(phase.power_w),
        "host_w": phase.trainer.host.0,
        "rated_w": phase.trainer.rated.0,
    })
}

/// A run and one grouping of it as JSON; `beside` is what of it stands beside inference, if that was asked.
///
/// # Errors
/// [`crate::Error::CatalogRow`] for a catalog that breaks its rules.
pub fn training_json(
    run: &TrainingEstimate,
    table: &Table,
    catalog: &Catalog,
    beside: Option<&[Beside]>,
) -> Result<String> {
    let columns = COUNTS.iter().chain(&SUMS).chain(&RATIOS);
    let columns: Vec<Value> = columns.map(|c| json!({"name": c.name, "unit": c.unit, "meaning": c.meaning})).collect();
    let ranges: Map<String, Value> = SUMS
        .iter()
        .zip(run.ranges())
        .map(|(column, range)| (column.name.into(), range.map_or(Value::Null, |[low, high]| json!([low, high]))))
        .collect();
    let unknown: Vec<Value> = run
        .plan()
        .sites()
        .iter()
        .flat_map(|site| &site.unknown)
        .map(|(column, reason)| json!({"column": column, "reason": reason}))
        .collect();
    let lifetime = run.lifetime_output_tokens();
    let [place, _, catalog_digest] = run.plan().inputs();
    let document = json!({
        "run": run.name(),
        "totals": total(&table.total),
        "ranges": ranges,
        "rows": rows(table),
        "phases": run.phases().iter().map(phase).collect::<Vec<_>>(),
        "factors": run.factors(catalog)?,
        "tree": run.tree(),
        "embodied": run.machines(),
        "shared": lifetime.map(|tokens| json!({
            "lifetime_output_tokens": tokens,
            "columns": run.shared(tokens),
        })),
        "beside": beside,
        "unknown": unknown,
        "assumptions": run.assumptions(),
        "provenance": {
            "engine_version": env!("CARGO_PKG_VERSION"),
            "method_edition": METHOD_EDITION,
            "run": place,
            "run_digest": run.digest(),
            "catalog_edition": run.plan().catalog_edition(),
            "catalog_digest": catalog_digest,
            "facts": run.facts(),
            "columns": columns,
        },
    });
    Ok(document.to_string())
}
