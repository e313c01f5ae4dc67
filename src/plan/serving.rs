//! How a deployment serves its network: precision, parallelism, drafting.

use super::Notes;
use crate::catalog::{Hardware, Model, Resolved};
use crate::fleet::Deployment;
use crate::physics::inference::{Accelerator, Serving};
use crate::physics::parallel::Layout;
use crate::physics::precision::{Compute, Precision};
use crate::physics::speculative::Speculation;
use crate::units::Bounds;
use crate::{Error, Result};

/// Number formats of a deployment.
pub(super) fn precision(
    place: &str,
    stated: &Deployment,
    model: &Resolved<'_, Model>,
    accelerator: &Accelerator,
    notes: &mut Notes,
) -> Result<Precision> {
    let (name, why) = match (&stated.precision, &model.precision_hint, &model.row.weights_precision_released) {
        (Some(stated), _, _) => (stated.clone(), None),
        (None, Some(hint), _) => ((*hint).to_owned(), Some("the model's name says so")),
        (None, None, Some(released)) if released == "fp32" => {
            ("bf16".into(), Some("released in 32 bits, which engines serve in 16"))
        }
        (None, None, Some(released)) => (released.clone(), Some("as released")),
        (None, None, None) => ("bf16".into(), Some("not stated")),
    };
    let mut weights = match (Precision::named(&name), why) {
        (Some(weights), None) => weights,
        (Some(weights), Some(why)) => {
            notes.assume(place, "precision", name, why);
            weights
        }
        (None, None) => return Err(unknown(name)),
        (None, Some(_)) => {
            notes.assume(place, "precision", "bf16", &format!("`{name}` has no bytes per weight here"));
            Precision::SIXTEEN
        }
    };
    if accelerator.peak(weights.compute).1 != weights.compute {
        let format = if weights.compute == Compute::Four { "FP4" } else { "FP8" };
        let why = format!("the accelerator has no {format} peak: only the weights are stored so");
        notes.assume(place, "compute precision", "bf16", &why);
    }
    match &stated.kv_precision {
        None => notes.assume(place, "key-value cache", "16 bits", "not stated"),
        Some(name) => {
            weights.cache_bytes = match name.to_ascii_lowercase().as_str() {
                "bf16" | "fp16" => 2.0,
                "fp8" | "int8" => 1.0,
                _ => {
                    let known = ["bf16", "fp16", "fp8", "int8"];
                    let nearest = crate::error::nearest(name, known);
                    return Err(Error::UnknownName { kind: "cache precision", name: name.clone(), nearest });
                }
            };
        }
    }
    Ok(weights.sparse(stated.sparsity.unwrap_or(0.0)))
}

fn unknown(name: String) -> Error {
    let known = ["bf16", "fp16", "fp8", "int8", "int4", "fp4", "nvfp4", "mxfp4"];
    Error::UnknownName { kind: "precision", nearest: crate::error::nearest(&name, known), name }
}

/// The whole of it, for this many devices.
pub(super) fn serving(place: &str, stated: &Deployment, devices: f64, precision: Precision) -> Result<Serving> {
    let layout = Layout {
        devices,
        data: stated.data_parallel.unwrap_or(1.0),
        pipeline: stated.pipeline_parallel.unwrap_or(1.0),
    };
    if (devices / (layout.data * layout.pipeline)).fract() != 0.0 {
        return Err(Error::FleetConflict {
            place: place.into(),
            problem: format!(
                "{} devices do not divide into {} data-parallel groups of {} stages",
                devices, layout.data, layout.pipeline
            ),
            hint: "devices = tensor × data_parallel × pipeline_parallel".into(),
        });
    }
    let speculation = Speculation {
        drafted: stated.draft_tokens.unwrap_or(0.0),
        acceptance: stated.draft_acceptance.unwrap_or(0.0),
        draft_parameters: stated.draft_params.unwrap_or(0.0),
    };
    Ok(Serving { layout, precision, speculation })
}

/// Devices where none are stated: the fewest, in powers of two, that hold the weights and 30 % more for cache.
pub(super) fn devices(
    place: &str,
    stated: &Deployment,
    hardware: &Hardware,
    weight_bytes: f64,
    memory_bytes: f64,
    notes: &mut Notes,
) -> Result<f64> {
    let devices = stated.devices.unwrap_or_else(|| {
        let n = fewest_devices(weight_bytes, memory_bytes);
        let why = "the fewest, in powers of two, that hold the weights and 30 % more for cache";
        notes.assume(place, "devices", super::plain(n), why);
        n
    });
    if weight_bytes > devices * memory_bytes {
        let gb = |bytes: f64| super::plain((bytes / 1e9).round());
        return Err(Error::FleetConflict {
            place: place.into(),
            problem: format!(
                "{} GB of weights do not fit into the {} GB of {} × {}",
                gb(weight_bytes),
                gb(devices * memory_bytes),
                super::plain(devices),
                hardware.id
            ),
            hint: format!(
                "devices = {} holds them, or state the precision that is served",
                super::plain(fewest_devices(weight_bytes, memory_bytes))
            ),
        });
    }
    Ok(devices)
}

/// Fewest devices, in powers of two, whose memory holds the weights and 30 % more for cache.
fn fewest_devices(weight_bytes: f64, memory_bytes: f64) -> f64 {
    let mut n = 1.0;
    while 0.9 * n * memory_bytes < 1.3 * weight_bytes && n < Bounds::DEVICES.high {
        n *= 2.0;
    }
    n
}
