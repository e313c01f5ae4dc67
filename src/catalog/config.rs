//! A model from its released configuration: `config.json` of a Hugging Face repository as a row of a fleet file.
//!
//! ```text
//! attention      = h·n·d + 2·h·k·d + n·d·h                                    per layer; latent: see below
//! latent         = h·q + q·n·(nope + rope) + h·(rank + rope) + rank·n·(nope + v) + n·v·h
//! feed-forward   = g·h·f           g = 3 gated, 2 plain; experts: E·g·h·m + h·E + shared·g·h·m
//! total          = embedding + head (if untied) + Σ layers + norms            active: used experts alone
//! ```
//!
//! h hidden size, n heads, k key-value heads, d width of a head, q rank of queries (h·n·(nope + rope) without one), f and m
//! widths of feed-forward and expert, E experts. Vision and audio towers are counted from their own configuration. Layers
//! of other kinds (linear attention, state spaces) are counted as attention, which the note says.

use crate::error::{Error, Result};
use serde_json::{Map, Value};
use std::fmt::Write;

/// Networks whose feed-forward layers have no gate.
const PLAIN: [&str; 14] = [
    "gpt2",
    "gpt_neox",
    "gptj",
    "opt",
    "bloom",
    "falcon",
    "phi",
    "bert",
    "roberta",
    "xlm-roberta",
    "starcoder2",
    "mpt",
    "distilbert",
    "electra",
];

/// Networks whose class ties the output head to the input embedding where the configuration says nothing.
const TIED: [&str; 8] = ["gpt2", "gemma", "opt", "bloom", "falcon", "mpt", "cohere", "starcoder2"];

/// What a configuration says, under whichever of the names it uses.
struct Config<'a>(&'a Map<String, Value>);

impl Config<'_> {
    fn number(&self, names: &[&str]) -> Option<f64> {
        names.iter().find_map(|name| self.0.get(*name)?.as_f64()).filter(|value| value.is_finite() && *value > 0.0)
    }

    fn text(&self, name: &str) -> Option<&str> {
        self.0.get(name)?.as_str()
    }

    fn flag(&self, name: &str) -> Option<bool> {
        self.0.get(name)?.as_bool()
    }

    fn inside(&self, names: &[&str]) -> Option<Self> {
        names.iter().find_map(|name| self.0.get(*name)?.as_object()).map(Config)
    }

    /// How many of the listed layers are of a kind.
    fn layers_of(&self, kind: &str) -> Option<f64> {
        let list = self.0.get("layer_types")?.as_array()?;
        let count = list.iter().filter(|layer| layer.as_str().is_some_and(|layer| layer.contains(kind))).count();
        u32::try_from(count).ok().map(f64::from)
    }
}

/// The cells of a row, in the order they are found.
#[derive(Default)]
struct Cells(Vec<(&'static str, String)>);

impl Cells {
    fn number(&mut self, column: &'static str, value: Option<f64>) {
        if let Some(value) = value {
            self.0.push((column, format!("{value}")));
        }
    }

    fn words(&mut self, column: &'static str, text: &str) {
        self.0.push((column, toml::Value::String(text.to_owned()).to_string()));
    }
}

/// Weights of one layer, and those a token passes.
#[derive(Clone, Copy, Default)]
struct Layer {
    all: f64,
    active: f64,
}

/// A `[[model]]` row for a fleet file from the text of a `config.json`; `id` names it, `place` names the text in messages.
///
/// ```
/// use wattledger::catalog::{Catalog, model_from_config};
/// // Llama-3.1-8B, as released.
/// let config = r#"{"architectures": ["LlamaForCausalLM"], "model_type": "llama", "hidden_size": 4096,
///     "intermediate_size": 14336, "num_hidden_layers": 32, "num_attention_heads": 32, "num_key_value_heads": 8,
///     "vocab_size": 128256, "tie_word_embeddings": false, "torch_dtype": "bfloat16"}"#;
/// let row = model_from_config(config, "my-llama", "config.json")?;
/// let catalog = Catalog::with_overlay(&row, "my.toml")?;
/// let (mine, known) = (catalog.model("my-llama")?.row.total_params, catalog.model("llama-3.1-8b")?.row.total_params);
/// assert!((mine / known - 1.0).abs() < 0.001);
/// # Ok::<(), wattledger::Error>(())
/// ```
///
/// # Errors
/// [`Error::CatalogRow`] for text that is no such configuration, with the key that it lacks.
pub fn model_from_config(text: &str, id: &str, place: &str) -> Result<String> {
    let refuse = |problem: String| Error::CatalogRow { file: place.to_owned(), row: id.to_owned(), problem };
    let parsed: Value = serde_json::from_str(text).map_err(|error| refuse(format!("this is no JSON: {error}")))?;
    let whole = Config(parsed.as_object().ok_or_else(|| refuse("expected a JSON object".into()))?);
    let mut config = Config(whole.0);
    // Models of several media keep the network of their text inside, omni ones inside of that.
    while let Some(inner) = config.inside(&["text_config", "llm_config", "language_config", "thinker_config"]) {
        config = inner;
    }
    let needed = |names: &[&str]| {
        config.number(names).ok_or_else(|| refuse(format!("`{}` is missing: is this a config.json?", names[0])))
    };
    let hidden = needed(&["hidden_size", "n_embd", "d_model", "dim"])?;
    let layers = needed(&["num_hidden_layers", "n_layer", "num_layers", "n_layers"])?;
    let heads = needed(&["num_attention_heads", "n_head", "num_heads", "n_heads"])?;
    let kind = config.text("model_type").or(whole.text("model_type")).unwrap_or("unknown");
    // Gemma 3 leaves its vocabulary to the class.
    let left_out = kind.starts_with("gemma3").then_some(262_208.0);
    let vocabulary = match config.number(&["vocab_size", "padded_vocab_size"]).or(left_out) {
        Some(vocabulary) => vocabulary,
        None => needed(&["vocab_size"])?,
    };
    let kv_heads = config.number(&["num_key_value_heads", "num_kv_heads", "multi_query_group_num"]).unwrap_or(heads);
    let head = config.number(&["head_dim", "kv_channels"]).unwrap_or(hidden / heads);
    let left_to_class = TIED.iter().any(|tied| kind.starts_with(tied)).then_some(true);
    let tied = config.flag("tie_word_embeddings").or(whole.flag("tie_word_embeddings")).or(left_to_class);
    let embeds = matches!(kind, "bert" | "roberta" | "xlm-roberta" | "distilbert" | "electra" | "modernbert");

    let attention = attention(&config, hidden, heads, kv_heads, head);
    let gates = if PLAIN.contains(&kind) { 2.0 } else { 3.0 };
    let dense_width =
        config.number(&["intermediate_size", "ffn_hidden_size", "n_inner", "d_ff"]).unwrap_or(4.0 * hidden);
    let experts = experts(&config, hidden, gates, dense_width);
    let dense_layers = if experts.is_some() { dense_layers(&config, layers) } else { layers };
    let dense = gates * hidden * dense_width;
    let sparse = experts.as_ref().map_or(Layer { all: dense, active: dense }, |(layer, ..)| *layer);
    let norms = (2.0 * layers + 1.0) * hidden;
    let embedding = vocabulary * hidden;
    // Learned positions are looked up beside the words.
    let positions = if matches!(kind, "gpt2" | "opt") || embeds {
        hidden * config.number(&["n_positions", "max_position_embeddings"]).unwrap_or(0.0)
    } else {
        0.0
    };
    let output_head = if embeds || tied.unwrap_or(false) { 0.0 } else { embedding };
    let around = embedding + positions + output_head + norms + layers * attention;
    let tower = whole.inside(&["vision_config", "audio_config"]).and_then(|tower| tower_parameters(&tower));
    let total = around + dense_layers * dense + (layers - dense_layers) * sparse.all + tower.unwrap_or(0.0);
    let active = around + dense_layers * dense + (layers - dense_layers) * sparse.active;

    let mut cells = Cells::default();
    cells.words("id", id);
    cells.words("name", id);
    cells.words(
        "kind",
        if embeds {
            "embedding"
        } else if tower.is_some() {
            "vision-language"
        } else {
            "chat"
        },
    );
    cells.words("architecture", if experts.is_some() { "moe" } else { "dense" });
    cells.number("total_params", Some(total.round()));
    cells.number("active_params", Some(active.round()));
    cells.number("input_embedding_params", Some(embedding));
    cells.number("vision_params", tower.map(f64::round));
    if let Some(tied) = tied {
        cells.words("tied_embeddings", if tied { "yes" } else { "no" });
    }
    cells.number("n_layers", Some(layers));
    cells.number("hidden_size", Some(hidden));
    cells.number("n_heads", Some(heads));
    cells.number("n_kv_heads", Some(kv_heads));
    cells.number("head_dim", Some(head));
    latent(&config, &mut cells);
    windows(&config, layers, &mut cells);
    if let Some((_, count, used)) = experts {
        cells.number("n_experts", Some(count));
        cells.number("experts_per_token", Some(used));
        cells.number("n_shared_experts", config.number(&["n_shared_experts", "num_shared_experts"]));
    }
    cells.number("vocab_size", Some(vocabulary));
    cells.number("max_context", config.number(&["max_position_embeddings", "n_positions", "max_seq_len"]));
    cells.words("weights_precision_released", precision(&config, &whole));
    let other = config.layers_of("linear").unwrap_or(0.0) + config.layers_of("mamba").unwrap_or(0.0);
    if other > 0.0 {
        cells.number("n_linear_layers", Some(other));
        cells.words(
            "note",
            "linear layers are counted with the weights of attention; state_elements is left for you to add",
        );
    }
    cells.words("source", &format!("{place}, sizes computed from it"));
    cells.words("quality", "derived");
    let mut row = String::from("[[model]]\n");
    for (column, value) in cells.0 {
        // Writing to a string cannot fail.
        let _ = writeln!(row, "{column} = {value}");
    }
    Ok(row)
}

/// What a latent cache is made of.
fn latent(config: &Config<'_>, cells: &mut Cells) {
    let rank = config.number(&["kv_lora_rank"]);
    if rank.is_some() {
        cells.words("kv_kind", "mla");
    }
    cells.number("kv_lora_rank", rank);
    cells.number("qk_rope_head_dim", rank.and_then(|_| config.number(&["qk_rope_head_dim"])));
    cells.number("qk_nope_head_dim", rank.and_then(|_| config.number(&["qk_nope_head_dim"])));
    cells.number("v_head_dim", rank.and_then(|_| config.number(&["v_head_dim"])));
}

/// Weights of attention of one layer.
fn attention(config: &Config<'_>, hidden: f64, heads: f64, kv_heads: f64, head: f64) -> f64 {
    let Some(rank) = config.number(&["kv_lora_rank"]) else {
        return 2.0 * hidden * heads * head + 2.0 * hidden * kv_heads * head;
    };
    let rope = config.number(&["qk_rope_head_dim"]).unwrap_or(0.0);
    let nope = config.number(&["qk_nope_head_dim"]).unwrap_or(head);
    let value = config.number(&["v_head_dim"]).unwrap_or(nope);
    let wide = heads * (nope + rope);
    let queries = config.number(&["q_lora_rank"]).map_or(hidden * wide, |rank| hidden * rank + rank * wide);
    queries + hidden * (rank + rope) + rank * heads * (nope + value) + heads * value * hidden
}

/// Weights of a layer with experts, how many there are, and how many a token passes.
fn experts(config: &Config<'_>, hidden: f64, gates: f64, dense_width: f64) -> Option<(Layer, f64, f64)> {
    let count = config.number(&["n_routed_experts", "num_local_experts", "num_experts", "moe_num_experts"])?;
    let used =
        config.number(&["num_experts_per_tok", "num_experts_per_token", "moe_k", "moe_topk", "top_k_experts"])?;
    if count <= 1.0 {
        return None;
    }
    let width = config.number(&["moe_intermediate_size", "expert_ffn_hidden_size", "ffn_dim"]).unwrap_or(dense_width);
    let one = gates * hidden * width;
    let shared = config
        .number(&["shared_expert_intermediate_size", "moe_shared_expert_intermediate_size"])
        .map(|width| gates * hidden * width)
        .or_else(|| Some(config.number(&["n_shared_experts", "num_shared_experts"])? * one))
        .unwrap_or(0.0);
    let beside = shared + hidden * count;
    Some((Layer { all: count * one + beside, active: used * one + beside }, count, used))
}

/// Layers of a mixture that have no experts.
fn dense_layers(config: &Config<'_>, layers: f64) -> f64 {
    let listed = config.0.get("mlp_only_layers").and_then(Value::as_array).map_or(0, Vec::len);
    let first = config.number(&["first_k_dense_replace", "num_dense_layers"]).unwrap_or(0.0);
    let step = config.number(&["moe_layer_freq", "decoder_sparse_step", "interleave_moe_layer_step"]).unwrap_or(1.0);
    let spread = if step > 1.0 { (layers * (1.0 - 1.0 / step)).floor() } else { 0.0 };
    first.max(spread).max(u32::try_from(listed).map_or(0.0, f64::from)).min(layers)
}

/// Layers that attend to a window, and the window.
fn windows(config: &Config<'_>, layers: f64, cells: &mut Cells) {
    let used = config.flag("use_sliding_window").unwrap_or(true);
    let Some(window) = config.number(&["sliding_window", "attention_chunk_size"]).filter(|_| used) else { return };
    let every = config.number(&["sliding_window_pattern"]).map(|every| layers - (layers / every).floor());
    let count = config.layers_of("sliding").or(config.layers_of("chunked")).or(every).unwrap_or(layers);
    if count > 0.0 {
        cells.number("n_window_layers", Some(count));
        cells.number("attn_window", Some(window));
    }
}

/// Weights of a tower of plain transformer layers.
fn tower_parameters(tower: &Config<'_>) -> Option<f64> {
    let hidden = tower.number(&["hidden_size", "embed_dim", "width", "d_model"])?;
    let layers = tower.number(&["num_hidden_layers", "depth", "layers", "encoder_layers"])?;
    let width = tower.number(&["intermediate_size", "encoder_ffn_dim"]).unwrap_or(4.0 * hidden);
    Some(layers * (4.0 * hidden * hidden + 2.0 * hidden * width))
}

/// Precision of the released weights.
fn precision<'a>(config: &'a Config<'a>, whole: &'a Config<'a>) -> &'a str {
    let quantised = whole.inside(&["quantization_config"]);
    if let Some(quantised) = &quantised {
        let method = quantised.text("quant_method").unwrap_or_default();
        let bits = quantised.number(&["bits"]).unwrap_or(0.0);
        return match (method, bits) {
            ("fp8" | "fbgemm_fp8", _) => "fp8",
            ("mxfp4", _) => "mxfp4",
            (_, bits) if (bits - 8.0).abs() < 0.5 => "int8",
            _ => "int4",
        };
    }
    let named =
        config.text("torch_dtype").or(config.text("dtype")).or(whole.text("torch_dtype")).or(whole.text("dtype"));
    match named.unwrap_or("bfloat16") {
        "float16" => "fp16",
        "float32" => "fp32",
        name if name.contains("float8") => "fp8",
        _ => "bf16",
    }
}
