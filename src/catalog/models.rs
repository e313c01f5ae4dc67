//! Models: size and shape; of closed ones the range that their size is assumed in.

use super::provenance::Quality;
use super::record::{File, Load, Row, ordered, record};
use super::shape::WindowKind;
use std::borrow::Cow;

record! {
    /// A neural network. Sizes are counts, not billions.
    pub Model = "model" {
        /// Key: repository name in lower case.
        id: String,
        /// Name.
        name: String,
        /// Hugging Face repository.
        hf_repo: Option<String>,
        /// Family.
        family: Option<String>,
        /// Developer.
        developer: Option<String>,
        /// chat, base, vision-language, embedding, rerank, audio, image or video.
        kind: String,
        /// dense, moe, hybrid, ssm or diffusion; a hybrid may also have experts.
        architecture: String,
        /// Release, year and month.
        release: Option<String>,
        /// All weights with embeddings and towers; the denoiser only for diffusion.
        total_params: f64 = "parameters" [1e5, 1e14],
        /// Low end of all weights, of a closed model whose size nobody discloses.
        total_params_min: Option<f64> = "parameters" [1e5, 1e14],
        /// High end of all weights.
        total_params_max: Option<f64> = "parameters" [1e5, 1e14],
        /// Weights a text token passes, with input embedding and output head, without other lookups and towers.
        active_params: f64 = "parameters" [1e5, 1e14],
        /// Low end of the weights a text token passes, of a closed model.
        active_params_min: Option<f64> = "parameters" [1e5, 1e14],
        /// High end of the weights a text token passes.
        active_params_max: Option<f64> = "parameters" [1e5, 1e14],
        /// Input embedding: looked up, not multiplied with and not streamed, unless it is the output head as well.
        input_embedding_params: Option<f64> = "parameters" [1e4, 1e12],
        /// Tower for pictures, and for sound and experts of their own where a row says so: held, not streamed for text.
        vision_params: Option<f64> = "parameters" [1e4, 1e12],
        /// Tables beside the input embedding that are looked up by row, such as per-layer embeddings.
        lookup_params: Option<f64> = "parameters" [0.0, 1e12],
        /// Whether the input embedding is the output head as well; then a step streams it.
        tied_embeddings: Option<bool>,
        /// Layers.
        n_layers: Option<f64> = "" [1.0, 2_000.0],
        /// Width.
        hidden_size: Option<f64> = "" [16.0, 200_000.0],
        /// Attention heads.
        n_heads: Option<f64> = "" [1.0, 10_000.0],
        /// Key and value heads.
        n_kv_heads: Option<f64> = "" [1.0, 10_000.0],
        /// Width of a head; of query and key in prefill for MLA.
        head_dim: Option<f64> = "" [1.0, 10_000.0],
        /// gqa, mha, mqa, mla or none.
        kv_kind: Option<String>,
        /// Rank of the compressed KV cache (MLA).
        kv_lora_rank: Option<f64> = "" [1.0, 10_000.0],
        /// Rotary part of the key (MLA).
        qk_rope_head_dim: Option<f64> = "" [0.0, 10_000.0],
        /// Part of the key without rotation (MLA), expanded.
        qk_nope_head_dim: Option<f64> = "" [0.0, 10_000.0],
        /// Width of a value where it is not that of the key.
        v_head_dim: Option<f64> = "" [1.0, 10_000.0],
        /// Layers that attend to everything.
        n_full_attn_layers: Option<f64> = "" [0.0, 2_000.0],
        /// Layers that attend to a window, or to what a selection keeps.
        n_window_layers: Option<f64> = "" [0.0, 2_000.0],
        /// Reach of those layers: the window, the chunk, or the tokens that a selection keeps (times its compression).
        attn_window: Option<f64> = "tokens" [1.0, 1e9],
        /// sliding, chunked or topk; empty is sliding.
        attn_window_kind: Option<String>,
        /// Layers with linear attention or a state space.
        n_linear_layers: Option<f64> = "" [0.0, 2_000.0],
        /// Recurrent state per sequence, elements over all layers.
        state_elements: Option<f64> = "elements" [0.0, 1e12],
        /// KV cache that a decoded token reads per token of context, over the layers with full reach.
        kv_elements_per_token_full: Option<f64> = "elements" [0.0, 1e9],
        /// KV cache that a decoded token reads per token of context inside the window, over the window layers.
        kv_elements_per_token_window: Option<f64> = "elements" [0.0, 1e9],
        /// KV cache that a decoded token reads whatever the context: a short window beside the other reach.
        kv_elements_fixed: Option<f64> = "elements" [0.0, 1e12],
        /// KV cache kept per token of context; empty as read. Layers that share a cache keep less than they read.
        kv_stored_elements_per_token_full: Option<f64> = "elements" [0.0, 1e9],
        /// KV cache kept per token of context inside the window; empty as read.
        kv_stored_elements_per_token_window: Option<f64> = "elements" [0.0, 1e9],
        /// Keys of an indexer, read and kept per token of context, whatever the precision of the cache.
        index_bytes_per_token: Option<f64> = "B" [0.0, 1e9],
        /// Devices that tensor parallelism can split the cache over; empty is the key-value heads, 1 for MLA.
        kv_max_shards: Option<f64> = "" [1.0, 10_000.0],
        /// Attention of a decoded token per token of context, over all layers; empty from heads and widths.
        attn_flop_decode_full: Option<f64> = "FLOP" [0.0, 1e12],
        /// Attention of a decoded token per token of context inside the window; empty from heads and widths.
        attn_flop_decode_window: Option<f64> = "FLOP" [0.0, 1e12],
        /// Attention of a decoded token whatever the context.
        attn_flop_decode_fixed: Option<f64> = "FLOP" [0.0, 1e15],
        /// Attention of a prompt token per token of context, over all layers; empty from heads and widths.
        attn_flop_prefill_full: Option<f64> = "FLOP" [0.0, 1e12],
        /// Attention of a prompt token per token of context inside the window; empty from heads and widths.
        attn_flop_prefill_window: Option<f64> = "FLOP" [0.0, 1e12],
        /// Attention of a prompt token whatever the context.
        attn_flop_prefill_fixed: Option<f64> = "FLOP" [0.0, 1e15],
        /// Routed experts.
        n_experts: Option<f64> = "" [1.0, 100_000.0],
        /// Routed experts that a token passes.
        experts_per_token: Option<f64> = "" [1.0, 10_000.0],
        /// Experts that every token passes.
        n_shared_experts: Option<f64> = "" [0.0, 1_000.0],
        /// Vocabulary.
        vocab_size: Option<f64> = "tokens" [2.0, 1e8],
        /// Longest context.
        max_context: Option<f64> = "tokens" [1.0, 1e9],
        /// Precision of the released weights.
        weights_precision_released: Option<String>,
        /// Where the sizes come from.
        params_basis: Option<String>,
        /// Where the shape comes from.
        arch_basis: Option<String>,
        /// Sources of single cells and the columns they cover: `source: columns; source: columns`.
        cell_sources: Option<String>,
        /// A remark.
        note: Option<String>,
    }
}

impl Load for Model {
    const FILES: &'static [File] =
        &[File { name: "models.csv", text: include_str!("data/models.csv"), prefix: "", sources: None }];
    const ALIASES: Option<File> = Some(File {
        name: "model-aliases.csv",
        text: include_str!("data/model-aliases.csv"),
        prefix: "",
        sources: Some(include_str!("data/alias-sources.csv")),
    });
    const MORE: &'static [File] =
        &[File { name: "models-closed.csv", text: include_str!("data/models-closed.csv"), prefix: "", sources: None }];
    const WRAPPED: bool = true;

    fn repository(&self) -> Option<&str> {
        self.hf_repo.as_deref()
    }

    fn build(row: &Row<'_>) -> Result<Self, String> {
        let mut model = Self::read(row);
        if let Some(sources) = &model.cell_sources {
            model.provenance.cite(sources, Self::COLUMNS, &[], Quality::Derived);
        }
        if model.active_params > model.total_params {
            return Err("active_params is larger than total_params".into());
        }
        let (total, active) = (model.total_params, model.active_params);
        ordered("total_params", [model.total_params_min, Some(total), model.total_params_max])?;
        ordered("active_params", [model.active_params_min, Some(active), model.active_params_max])?;
        if let Some(kind) = &model.attn_window_kind
            && WindowKind::parse(kind).is_none()
        {
            return Err(format!("`attn_window_kind` is `{kind}`, expected sliding, chunked or topk"));
        }
        match (model.experts_per_token, model.n_experts) {
            (Some(used), Some(all)) if used > all => Err(format!("{used} experts per token, but only {all} experts")),
            _ => Ok(model),
        }
    }

    /// The id with spaces for dashes, or without the ending of the tuned variant: `Llama 3.3 70B`, `gemma-3-4b`.
    fn respell(rows: &[Self], key: &str) -> Vec<usize> {
        let name = super::names::dashed(key);
        let is = |ending: &str| rows.iter().position(|row| row.id.strip_suffix(ending) == Some(name.as_ref()));
        ["", "-instruct", "-it", "-chat", "-instruct-v0.1"].into_iter().find_map(is).into_iter().collect()
    }

    /// Names of models differ in dashes and underscores on purpose; only case is ignored.
    fn key(name: &str) -> Cow<'_, str> {
        super::names::lower(name.trim())
    }
}
