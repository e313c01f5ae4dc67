//! What a deployment's model is in numbers: its network by the catalog.

use super::Notes;
use crate::catalog::Model;
use crate::physics::network::{Attention, Network, Reach};
use crate::{Error, Result};

/// The network of a model with an architecture in the catalog.
pub(super) fn network(place: &str, model: &Model, notes: &mut Notes) -> Result<Network> {
    let Some(shape) = model.shape() else {
        return Err(Error::FleetConflict {
            place: place.into(),
            problem: format!("model `{}` has no architecture in the catalog", model.id),
            hint: "describe it inline: model = { total_params = …, n_layers = …, hidden_size = …, n_heads = …, head_dim = …, kv_elements_per_token_full = … }".into(),
        });
    };
    for (column, value) in [
        ("total_params", model.total_params),
        ("active_params", model.active_params),
        ("n_layers", shape.layers),
        ("hidden_size", shape.hidden_size),
        ("attention_width", shape.attention_width),
        ("n_window_layers", shape.window_layers),
        ("kv_elements_per_token_full", shape.kv_elements_full),
        ("kv_elements_per_token_window", shape.kv_elements_window),
    ] {
        notes.cell(place, column, value, &model.provenance);
    }
    let expert_share = match (model.experts_per_token, model.n_experts) {
        (Some(used), Some(all)) if used < all && model.active_params < model.total_params => Some(used / all),
        _ => None,
    };
    let (streamed, active) = (model.total_params, model.active_params);
    let (dense_parameters, expert_parameters) = Network::split(streamed, active, expert_share);
    let per_pair = 4.0 * shape.attention_width;
    let flop = Reach { full: per_pair * shape.full_layers, window: per_pair * shape.window_layers, fixed: 0.0 };
    let cache = Reach { full: shape.kv_elements_full, window: shape.kv_elements_window, fixed: 0.0 };
    Ok(Network {
        resident_parameters: model.total_params,
        dense_parameters,
        expert_parameters,
        active_parameters: active,
        layers: shape.layers,
        hidden_size: shape.hidden_size,
        expert_share,
        hybrid: shape.linear_layers > 0.0,
        state_elements: shape.state_elements,
        attention: Attention {
            read: cache,
            stored: cache,
            index_bytes: 0.0,
            decode_flop: flop,
            prefill_flop: flop,
            cache_shards: model.n_kv_heads.unwrap_or(1.0),
        },
    })
}
