//! Open-weight models: size and shape.

use super::record::{File, Load, Row, record};
use std::borrow::Cow;

record! {
    /// A neural network with open weights. Sizes are counts, not billions.
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
        /// Weights a text token passes, with input embedding and output head.
        active_params: f64 = "parameters" [1e5, 1e14],
        /// Input embedding: not a matrix product and not streamed per token.
        input_embedding_params: Option<f64> = "parameters" [1e4, 1e12],
        /// Vision tower.
        vision_params: Option<f64> = "parameters" [1e4, 1e12],
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
        /// Layers that attend to everything.
        n_full_attn_layers: Option<f64> = "" [0.0, 2_000.0],
        /// Layers that attend to a window.
        n_window_layers: Option<f64> = "" [0.0, 2_000.0],
        /// Length of that window.
        attn_window: Option<f64> = "tokens" [1.0, 1e9],
        /// Layers with linear attention or a state space.
        n_linear_layers: Option<f64> = "" [0.0, 2_000.0],
        /// Recurrent state per sequence, elements over all layers.
        state_elements: Option<f64> = "elements" [0.0, 1e12],
        /// KV cache per token, elements over the full-attention layers.
        kv_elements_per_token_full: Option<f64> = "elements" [0.0, 1e9],
        /// KV cache per token, elements over the window layers.
        kv_elements_per_token_window: Option<f64> = "elements" [0.0, 1e9],
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
        /// A remark.
        note: Option<String>,
    }
}

impl Load for Model {
    const FILES: &'static [File] = &[File { name: "models.csv", text: include_str!("data/models.csv"), prefix: "" }];
    const ALIASES: Option<File> =
        Some(File { name: "model-aliases.csv", text: include_str!("data/model-aliases.csv"), prefix: "" });

    fn build(row: &Row<'_>) -> Result<Self, String> {
        let model = Self::read(row);
        if model.active_params > model.total_params {
            return Err("active_params is larger than total_params".into());
        }
        match (model.experts_per_token, model.n_experts) {
            (Some(used), Some(all)) if used > all => Err(format!("{used} experts per token, but only {all} experts")),
            _ => Ok(model),
        }
    }

    /// Names of models differ in dashes and underscores on purpose; only case is ignored.
    fn key(name: &str) -> Cow<'_, str> {
        super::names::lower(name)
    }
}

/// What the inference method needs of a network's shape.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Shape {
    /// Layers.
    pub layers: f64,
    /// Width.
    pub hidden_size: f64,
    /// Attention heads × width of a head.
    pub attention_width: f64,
    /// Layers that attend to everything.
    pub full_layers: f64,
    /// Layers that attend to a window.
    pub window_layers: f64,
    /// Layers with linear attention or a state space.
    pub linear_layers: f64,
    /// Recurrent state per sequence, elements.
    pub state_elements: f64,
    /// KV cache per token over the full-attention layers, elements.
    pub kv_elements_full: f64,
    /// KV cache per token over the window layers, elements.
    pub kv_elements_window: f64,
}

impl Model {
    /// The shape, where the architecture of a token-generating or token-reading transformer is known.
    ///
    /// A row that says nothing of attention kinds has full attention in every layer; cache sizes follow from the heads
    /// where they are not given.
    #[must_use]
    pub fn shape(&self) -> Option<Shape> {
        if self.architecture == "diffusion" {
            return None;
        }
        let (layers, hidden_size) = (self.n_layers?, self.hidden_size?);
        let heads = self.n_heads.unwrap_or(0.0);
        let head = self.head_dim.unwrap_or(if heads > 0.0 { hidden_size / heads } else { 0.0 });
        let window_layers = self.n_window_layers.unwrap_or(0.0);
        let linear_layers = self.n_linear_layers.unwrap_or(0.0);
        let full_layers = self.n_full_attn_layers.unwrap_or((layers - window_layers - linear_layers).max(0.0));
        let cache = |layers: f64| 2.0 * layers * self.n_kv_heads.unwrap_or(heads) * head;
        Some(Shape {
            layers,
            hidden_size,
            attention_width: heads * head,
            full_layers,
            window_layers,
            linear_layers,
            state_elements: self.state_elements.unwrap_or(0.0),
            kv_elements_full: self.kv_elements_per_token_full.unwrap_or_else(|| cache(full_layers)),
            kv_elements_window: self.kv_elements_per_token_window.unwrap_or_else(|| cache(window_layers)),
        })
    }

    /// Whether the output head is the input embedding, which is then streamed and multiplied with.
    #[must_use]
    pub fn ties_embeddings(&self) -> bool {
        self.total_params < 3.5e9 || self.id.contains("gemma")
    }

    /// Length of the attention window in tokens, where some layers have one.
    #[must_use]
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a whole number inside its band")]
    pub fn sliding_window(&self) -> Option<u32> {
        let window = self.attn_window.filter(|w| *w < f64::from(u32::MAX))?;
        self.n_window_layers.filter(|layers| *layers > 0.0).map(|_| window as u32)
    }
}
