//! A model of the catalog as the network of the method, with every cell that it rests on.

use super::Notes;
use crate::catalog::{ByReach, Model, Shape, WindowKind};
use crate::physics::encoder::{PATCHES_PER_TOKEN, flop_per_input_token};
use crate::physics::network::{Attention, Network, Reach};
use crate::{Error, Result};

/// The shape of a model, or what to write where the catalog has none.
fn shape(place: &str, model: &Model) -> Result<Shape> {
    if model.architecture == "diffusion" {
        return Err(Error::FleetConflict {
            place: place.into(),
            problem: format!("model `{}` makes images or video, not tokens", model.id),
            hint: "`wattledger explain --image WxH` estimates one; logs of images are not read yet".into(),
        });
    }
    model.shape().ok_or_else(|| Error::FleetConflict {
        place: place.into(),
        problem: format!("model `{}` has no architecture in the catalog", model.id),
        hint: "describe it inline: model = { total_params = …, n_layers = …, hidden_size = …, n_heads = …, head_dim = …, kv_elements_per_token_full = … }".into(),
    })
}

/// The network of a model with an architecture in the catalog.
pub(super) fn network(place: &str, model: &Model, notes: &mut Notes) -> Result<Network> {
    let shape = shape(place, model)?;
    for (column, value) in cells(model, &shape) {
        notes.cell(place, column, value, &model.provenance);
    }
    assumptions(place, model, &shape, notes);
    let (dense_parameters, expert_parameters) = Network::split(shape.streamed, shape.active, shape.expert_share);
    Ok(Network {
        resident_parameters: shape.resident,
        dense_parameters,
        expert_parameters,
        active_parameters: shape.active,
        layers: shape.layers,
        hidden_size: shape.hidden_size,
        expert_share: shape.expert_share,
        hybrid: shape.hybrid,
        state_elements: shape.state_elements,
        encoder_flop: 0.0,
        attention: attended(&shape),
    })
}

/// The network of a model with an architecture in the catalog, without notes.
///
/// # Errors
/// [`Error::FleetConflict`] for a model without one.
pub fn network_of(model: &Model) -> Result<Network> {
    network(&format!("model `{}`", model.id), model, &mut Notes::default())
}

/// Attention of a model with an architecture in the catalog.
#[must_use]
pub fn attention(model: &Model) -> Option<Attention> {
    model.shape().as_ref().map(attended)
}

fn attended(shape: &Shape) -> Attention {
    Attention {
        read: reach(shape.read),
        stored: reach(shape.stored),
        index_bytes: shape.index_bytes,
        decode_flop: reach(shape.decode_flop),
        prefill_flop: reach(shape.prefill_flop),
        cache_shards: shape.cache_shards,
    }
}

/// FLOP of the model's encoder per input token, where a share of these is media.
pub(super) fn encoder_flop(place: &str, model: &Model, media_share: Option<f64>, notes: &mut Notes) -> Result<f64> {
    let Some(share) = media_share.filter(|share| *share > 0.0) else { return Ok(0.0) };
    let encoder = model.vision_params.ok_or_else(|| Error::FleetConflict {
        place: place.into(),
        problem: format!("media_share is stated, and the catalog knows no encoder of model `{}`", model.id),
        hint: "leave media_share out, or state vision_params in an inline model".into(),
    })?;
    notes.cell(place, "vision_params", encoder, &model.provenance);
    notes.stated(place, "media_share", share, "fleet file");
    let why = "as in most released vision towers, which merge 2 × 2";
    notes.assume(place, "patches per token", super::plain(PATCHES_PER_TOKEN), why);
    Ok(flop_per_input_token(encoder, share))
}

fn reach(by: ByReach) -> Reach {
    Reach { full: by.full, window: by.window, fixed: by.fixed }
}

/// The cells that a shape rests on: those that say something, and widths only where something follows from them.
fn cells(model: &Model, shape: &Shape) -> impl Iterator<Item = (&'static str, f64)> {
    let split = shape.expert_share.is_some() || model.architecture == "moe";
    let embedding = if shape.tied { None } else { model.input_embedding_params };
    let counted = !shape.tied && embedding.is_none();
    let flop = [model.attn_flop_decode_full, model.attn_flop_prefill_full];
    let window_flop = [model.attn_flop_decode_window, model.attn_flop_prefill_window];
    let windowed = shape.window.is_some();
    let from_widths = flop.contains(&None) || (windowed && window_flop.contains(&None));
    let from_heads = from_widths || model.kv_elements_per_token_full.is_none();
    let heads = |value: Option<f64>| value.filter(|_| from_heads);
    let towers = |value: Option<f64>| value.filter(|_| split);
    let within = |value: Option<f64>| value.filter(|_| windowed);
    [
        ("total_params", Some(model.total_params)),
        ("active_params", Some(model.active_params)),
        ("input_embedding_params", embedding),
        ("vocab_size", model.vocab_size.filter(|_| counted)),
        ("tied_embeddings", model.tied_embeddings.map(|tied| f64::from(u8::from(tied)))),
        ("vision_params", towers(model.vision_params)),
        ("lookup_params", towers(model.lookup_params)),
        ("experts_per_token", model.experts_per_token),
        ("n_experts", model.n_experts),
        ("n_layers", model.n_layers),
        ("hidden_size", model.hidden_size),
        ("n_full_attn_layers", heads(model.n_full_attn_layers)),
        ("n_window_layers", within(heads(model.n_window_layers))),
        ("n_linear_layers", model.n_linear_layers),
        ("n_heads", heads(model.n_heads)),
        ("head_dim", heads(model.head_dim)),
        ("kv_lora_rank", heads(model.kv_lora_rank)),
        ("qk_rope_head_dim", heads(model.qk_rope_head_dim)),
        ("qk_nope_head_dim", heads(model.qk_nope_head_dim)),
        ("v_head_dim", heads(model.v_head_dim)),
        ("state_elements", model.state_elements),
        ("attn_window", within(model.attn_window)),
        ("kv_elements_per_token_full", model.kv_elements_per_token_full),
        ("kv_elements_per_token_window", within(model.kv_elements_per_token_window)),
        ("kv_elements_fixed", model.kv_elements_fixed),
        ("kv_stored_elements_per_token_full", model.kv_stored_elements_per_token_full),
        ("kv_stored_elements_per_token_window", within(model.kv_stored_elements_per_token_window)),
        ("index_bytes_per_token", model.index_bytes_per_token),
        ("attn_flop_decode_full", flop[0]),
        ("attn_flop_decode_window", within(window_flop[0])),
        ("attn_flop_decode_fixed", model.attn_flop_decode_fixed),
        ("attn_flop_prefill_full", flop[1]),
        ("attn_flop_prefill_window", within(window_flop[1])),
        ("attn_flop_prefill_fixed", model.attn_flop_prefill_fixed),
        ("kv_max_shards", model.kv_max_shards),
        ("n_kv_heads", model.n_kv_heads.filter(|_| from_heads || model.kv_max_shards.is_none())),
    ]
    .into_iter()
    .filter_map(|(column, value)| Some((column, value.filter(|value| *value != 0.0 || column == "tied_embeddings")?)))
}

/// What the shape takes for granted where the row says nothing, or where the method has no term for what it says.
fn assumptions(place: &str, model: &Model, shape: &Shape, notes: &mut Notes) {
    if model.tied_embeddings.is_none() && model.kind != "embedding" && model.input_embedding().is_some() {
        let (value, why) = if shape.tied {
            ("yes", "not in the catalog; up to 5e9 parameters most networks share input embedding and output head")
        } else {
            ("no", "not in the catalog; above 5e9 parameters most networks keep input embedding and output head apart")
        };
        notes.assume(place, "tied_embeddings", value, why);
    }
    if model.architecture == "moe" && shape.expert_share.is_none() {
        let why = "the catalog has no number of experts: every step streams them all";
        notes.assume(place, "experts_per_token", "all", why);
    }
    if let Some(window) = shape.window.filter(|window| window.kind == WindowKind::Chunked) {
        let why = "counted as a sliding window: up to twice too much attention after the first chunk";
        notes.assume(place, "attn_window_kind", format!("chunks of {} tokens", window.tokens), why);
    }
    if model.n_window_layers.is_some_and(|layers| layers > 0.0) && shape.window.is_none() {
        notes.assume(place, "attn_window", "none", "the row names window layers and no length: counted as full");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::Catalog;

    fn noted(name: &str) -> (Network, Notes) {
        let mut notes = Notes::default();
        let model = Catalog::builtin().model(name).unwrap().row;
        (network("here", model, &mut notes).unwrap(), notes)
    }

    #[test]
    fn every_cell_behind_a_network_is_a_fact() {
        let (network, notes) = noted("glm-5.2");
        assert!((network.dense_parameters + network.expert_parameters - network.resident_parameters) < 0.0);
        let fact = |what: &str| notes.facts.iter().find(|fact| fact.what == what).map(|fact| fact.value);
        assert_eq!(fact("index_bytes_per_token"), Some(network.attention.index_bytes));
        assert_eq!(fact("kv_elements_per_token_window"), Some(network.attention.read.window));
        assert_eq!(fact("attn_flop_prefill_full"), Some(network.attention.prefill_flop.full));
        assert_eq!(fact("attn_window"), Some(2048.0));
        assert_eq!(fact("n_heads"), None, "nothing follows from the heads here");
        assert!(notes.assumptions.iter().any(|assumed| assumed.what == "tied_embeddings"));

        let (network, notes) = noted("llama-3.1-8b-instruct");
        let facts: Vec<&str> = notes.facts.iter().map(|fact| fact.what.as_str()).collect();
        for column in ["n_heads", "n_kv_heads", "head_dim", "input_embedding_params", "tied_embeddings"] {
            assert!(facts.contains(&column), "{column}: {facts:?}");
        }
        assert!(!facts.contains(&"attn_window"));
        assert_eq!((network.expert_share, network.expert_parameters.to_bits()), (None, 0));
        assert!((network.attention.decode_flop.full - 524_288.0).abs() < 0.5);
    }

    #[test]
    fn what_the_method_has_no_term_for_is_an_assumption() {
        let assumed = |name: &str, what: &str| noted(name).1.assumptions.iter().any(|note| note.what == what);
        assert!(assumed("llama-4-scout-17b-16e-instruct", "attn_window_kind"));
        assert!(!assumed("gpt-oss-120b", "attn_window_kind"));
        assert!(assumed("longcat-flash-chat", "tied_embeddings"));

        let text = "[[model]]\nid = 'grok-2'\nn_layers = 64\nhidden_size = 8192\nn_window_layers = 32\n";
        let catalog = Catalog::with_overlay(text, "my.toml").unwrap();
        let mut notes = Notes::default();
        network("here", catalog.model("grok-2").unwrap().row, &mut notes).unwrap();
        let what: Vec<&str> = notes.assumptions.iter().map(|note| note.what.as_str()).collect();
        assert!(what.contains(&"experts_per_token") && what.contains(&"attn_window"), "{what:?}");
    }

    #[test]
    fn every_model_with_a_shape_has_a_network() {
        for model in Catalog::builtin().all_models().unwrap() {
            let mut notes = Notes::default();
            let Ok(network) = network("here", model, &mut notes) else { continue };
            let streamed = network.dense_parameters + network.expert_parameters;
            assert!(network.dense_parameters > 0.0 && network.expert_parameters >= 0.0, "{}: {network:?}", model.id);
            assert!(streamed <= network.resident_parameters * (1.0 + 1e-12), "{}", model.id);
        }
    }
}
