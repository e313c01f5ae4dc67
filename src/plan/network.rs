//! What a deployment's model is in numbers: its precision, and its network by the catalog.

use super::Notes;
use super::architecture::shape;
use crate::catalog::{Model, Resolved};
use crate::fleet::Deployment;
use crate::physics::inference::Network;
use crate::{Error, Result};

/// Bytes of a key-value element: 16-bit caches.
const KV_BYTES: f64 = 2.0;
/// Bytes of a recurrent-state element: kept in 32 bits.
const STATE_BYTES: f64 = 4.0;

/// Bytes per weight of a precision, and whether it computes in FP8.
fn precision(name: &str) -> Option<(f64, bool)> {
    match name.to_ascii_lowercase().as_str() {
        "fp32" | "f32" => Some((4.0, false)),
        "bf16" | "fp16" | "f16" => Some((2.0, false)),
        // Experts in 4 bits and the rest in 8 are counted as 8: an upper bound.
        "fp8" | "f8" | "fp8+fp4" => Some((1.0, true)),
        "int8" => Some((1.0, false)),
        "int4" | "fp4" | "mxfp4" | "nvfp4" | "awq" | "gptq" => Some((0.5, false)),
        // llama.cpp writes bits per weight: q4_K_M, q8_0, iq3_xs.
        quantised => {
            let bits = quantised.trim_start_matches('i').strip_prefix('q')?.chars().next()?.to_digit(10)?;
            (2..=8).contains(&bits).then(|| (f64::from(bits) / 8.0, false))
        }
    }
}

/// Bytes per weight of a deployment, and whether it computes in FP8.
pub(super) fn weight_precision(
    place: &str,
    stated: &Deployment,
    model: &Resolved<'_, Model>,
    notes: &mut Notes,
) -> Result<(f64, bool)> {
    let (name, why) = match (&stated.precision, &model.precision_hint, &model.row.weights_precision_released) {
        (Some(stated), _, _) => (stated.clone(), None),
        (None, Some(hint), _) => ((*hint).to_owned(), Some("the model's name says so")),
        (None, None, Some(released)) if released == "fp32" => {
            ("bf16".into(), Some("released in 32 bits, which engines serve in 16"))
        }
        (None, None, Some(released)) => (released.clone(), Some("as released")),
        (None, None, None) => ("bf16".into(), Some("not stated")),
    };
    match (precision(&name), why) {
        (Some(bytes), None) => Ok(bytes),
        (Some(bytes), Some(why)) => {
            notes.assume(place, "precision", name, why);
            Ok(bytes)
        }
        (None, None) => Err(Error::UnknownName {
            kind: "precision",
            nearest: crate::error::nearest(&name, ["bf16", "fp16", "fp8", "int8", "int4", "fp4"]),
            name,
        }),
        (None, Some(_)) => {
            notes.assume(place, "precision", "bf16", &format!("`{name}` has no bytes per weight here"));
            Ok((2.0, false))
        }
    }
}

/// The network of a model with an architecture in the catalog.
pub(super) fn network(place: &str, model: &Model, notes: &mut Notes) -> Result<Network> {
    let shape = shape(place, model)?;
    let reach = model.layers_by_reach(shape.layers);
    let attention_width = model.attention_width(shape.hidden_size);
    for (column, value) in [
        ("total_params", model.total_params),
        ("active_params", model.active_params),
        ("n_layers", shape.layers),
        ("hidden_size", shape.hidden_size),
        ("attention_width", attention_width),
        ("n_window_layers", reach.window),
        ("kv_elements_per_token_full", shape.read.full),
        ("kv_elements_per_token_window", shape.read.window),
    ] {
        notes.cell(place, column, value, &model.provenance);
    }
    Ok(Network {
        total_parameters: model.total_params,
        active_parameters: model.active_params,
        layers: shape.layers,
        hidden_size: shape.hidden_size,
        attention_width,
        full_attention_layers: reach.full,
        window_layers: reach.window,
        kv_bytes_full: shape.read.full * KV_BYTES,
        kv_bytes_window: shape.read.window * KV_BYTES,
        state_bytes: shape.state_elements * STATE_BYTES,
        expert_share: shape.expert_share,
        hybrid: shape.hybrid,
    })
}
