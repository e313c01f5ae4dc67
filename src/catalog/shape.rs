//! What a row says of a network, in the terms of the inference method: defaults filled in, one convention for parameters.
//!
//! Full attention in every layer where a row says nothing of reach. Widths where a row says nothing of FLOP: with h heads of
//! key width k and value width v, `2·h·(k + v)` per pair of tokens and layer; for a latent cache (MLA) decode absorbed,
//! `2·h·(2·rank + rope)`, and prefill expanded, `2·h·(nope + rope + v)`.

use super::Model;

/// Largest network whose output head is taken to be its input embedding where no row says: of the rows that say, 51 of 73
/// up to this size are tied and 158 of 183 above it are not.
const TIED_UP_TO: f64 = 5e9;

/// A quantity per token of context, per token of context inside the window, and whatever the context.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct ByReach {
    /// Per token of context.
    pub full: f64,
    /// Per token of context inside the window.
    pub window: f64,
    /// Whatever the context.
    pub fixed: f64,
}

/// What bounds the reach of the layers that do not attend to everything.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WindowKind {
    /// The last tokens.
    Sliding,
    /// The tokens of the same chunk. Counted as a sliding window of that length, which is exact for the first chunk and
    /// counts up to twice too much after it: a token sees half a chunk on average.
    Chunked,
    /// The tokens that a selection keeps.
    TopK,
}

impl WindowKind {
    /// The kind of that name.
    pub(super) fn parse(name: &str) -> Option<Self> {
        match name {
            "sliding" => Some(Self::Sliding),
            "chunked" => Some(Self::Chunked),
            "topk" => Some(Self::TopK),
            _ => None,
        }
    }
}

/// The one reach of a network beside full attention.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    /// Its length.
    pub tokens: u32,
    /// What bounds it.
    pub kind: WindowKind,
}

/// What the inference method needs of a network: parameters, cache elements, FLOP.
///
/// `active ≤ streamed ≤ resident`. Active and streamed weights are without what is looked up (an input embedding that is not
/// the output head, per-layer tables) and without towers for other media, and with the output head.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Shape {
    /// All weights, held in memory.
    pub resident: f64,
    /// Weights that decode streams when every expert is in use.
    pub streamed: f64,
    /// Weights that a text token is multiplied with.
    pub active: f64,
    /// Whether the input embedding is the output head as well; assumed from the size where the row does not say.
    pub tied: bool,
    /// Layers.
    pub layers: f64,
    /// Width.
    pub hidden_size: f64,
    /// Experts a token is routed to over experts there are; `None` for a dense network.
    pub expert_share: Option<f64>,
    /// Whether some layers have linear attention or a state space.
    pub hybrid: bool,
    /// Recurrent state per sequence, elements.
    pub state_elements: f64,
    /// Cache elements that a decoded token reads.
    pub read: ByReach,
    /// Cache elements kept per token of context; `fixed` per sequence.
    pub stored: ByReach,
    /// Bytes of an indexer's keys, read and kept per token of context.
    pub index_bytes: f64,
    /// Attention FLOP of a decoded token.
    pub decode_flop: ByReach,
    /// Attention FLOP of a prompt token.
    pub prefill_flop: ByReach,
    /// Most devices that tensor parallelism can split the cache over.
    pub cache_shards: f64,
    /// The window, where some part has one.
    pub window: Option<Window>,
}

/// Layers by how far they attend.
#[derive(Clone, Copy)]
struct Layers {
    full: f64,
    window: f64,
    linear: f64,
}

/// Per layer: cache elements of a token, and FLOP per pair of tokens.
struct Widths {
    cache: f64,
    decode: f64,
    prefill: f64,
}

impl Model {
    /// The model at the ends of the range that its size is assumed in, smallest first; `None` where its size is known.
    ///
    /// ```
    /// let model = wattledger::catalog::Catalog::builtin().model("gpt-4o")?.row;
    /// let [low, high] = model.ends().expect("a closed model");
    /// assert!(low.total_params < model.total_params && model.total_params < high.total_params);
    /// # Ok::<(), wattledger::Error>(())
    /// ```
    #[must_use]
    pub fn ends(&self) -> Option<[Self; 2]> {
        let totals = [self.total_params_min?, self.total_params_max?];
        let actives = [self.active_params_min?, self.active_params_max?];
        Some([0, 1].map(|end| Self {
            total_params: totals[end],
            active_params: actives[end].min(totals[end]),
            total_params_min: None,
            total_params_max: None,
            active_params_min: None,
            active_params_max: None,
            ..self.clone()
        }))
    }

    /// The shape, where the architecture of a token-generating or token-reading transformer is known.
    #[must_use]
    pub fn shape(&self) -> Option<Shape> {
        if self.architecture == "diffusion" {
            return None;
        }
        let (layers, hidden_size) = (self.n_layers?, self.hidden_size?);
        let (reach, widths) = (self.layers_by_reach(layers), self.widths(hidden_size));
        let [resident, streamed, active] = self.parameters();
        let by = |full: Option<f64>, window: Option<f64>, fixed: Option<f64>, width: f64| ByReach {
            full: full.unwrap_or(width * reach.full),
            window: window.unwrap_or(width * reach.window),
            fixed: fixed.unwrap_or(0.0),
        };
        let (full, window) = (self.kv_elements_per_token_full, self.kv_elements_per_token_window);
        let read = by(full, window, self.kv_elements_fixed, widths.cache);
        let stored = ByReach {
            full: self.kv_stored_elements_per_token_full.unwrap_or(read.full),
            window: self.kv_stored_elements_per_token_window.unwrap_or(read.window),
            fixed: read.fixed,
        };
        let (full, window) = (self.attn_flop_decode_full, self.attn_flop_decode_window);
        let decode_flop = by(full, window, self.attn_flop_decode_fixed, widths.decode);
        let (full, window) = (self.attn_flop_prefill_full, self.attn_flop_prefill_window);
        let prefill_flop = by(full, window, self.attn_flop_prefill_fixed, widths.prefill);
        let shards = if self.latent() { 1.0 } else { self.n_kv_heads.or(self.n_heads).unwrap_or(1.0) };
        let mut shape = Shape {
            resident,
            streamed,
            active,
            tied: self.tied(),
            layers,
            hidden_size,
            expert_share: self.expert_share(),
            hybrid: reach.linear > 0.0,
            state_elements: self.state_elements.unwrap_or(0.0),
            read,
            stored,
            index_bytes: self.index_bytes_per_token.unwrap_or(0.0),
            decode_flop,
            prefill_flop,
            cache_shards: self.kv_max_shards.unwrap_or(shards).max(1.0),
            window: self.window(),
        };
        let parts = [&mut shape.read, &mut shape.stored, &mut shape.decode_flop, &mut shape.prefill_flop];
        let windowed = parts.iter().any(|part| part.window > 0.0);
        if shape.window.is_none() {
            // A window of unknown length bounds nothing.
            for part in parts {
                part.full += std::mem::take(&mut part.window);
            }
        } else if !windowed {
            shape.window = None;
        }
        Some(shape)
    }

    /// Length of the attention window in tokens, where some layers have one.
    #[must_use]
    pub fn sliding_window(&self) -> Option<u32> {
        self.shape()?.window.map(|window| window.tokens)
    }

    /// Parameters of the input embedding: as given, or vocabulary × width.
    #[must_use]
    pub(crate) fn input_embedding(&self) -> Option<f64> {
        self.input_embedding_params.or_else(|| Some(self.vocab_size? * self.hidden_size?))
    }

    /// Layers by how far they attend, of so many in all.
    fn layers_by_reach(&self, layers: f64) -> Layers {
        let (window, linear) = (self.n_window_layers.unwrap_or(0.0), self.n_linear_layers.unwrap_or(0.0));
        let full = self.n_full_attn_layers.unwrap_or((layers - window - linear).max(0.0));
        Layers { full, window, linear }
    }

    /// All weights, those that decode streams, and those a text token is multiplied with.
    fn parameters(&self) -> [f64; 3] {
        let embedding = if self.tied() { 0.0 } else { self.input_embedding().unwrap_or(0.0) };
        let active = if embedding < self.active_params { self.active_params - embedding } else { self.active_params };
        let idle = self.vision_params.unwrap_or(0.0) + self.lookup_params.unwrap_or(0.0) + embedding;
        // Without experts a step streams what a token is multiplied with, whatever towers the total may hold.
        let mixture = self.expert_share().is_some() || self.architecture == "moe";
        let streamed = if mixture { self.total_params - idle } else { active };
        // Text cannot reach more experts than a token does over its share of them: the rest are for other media.
        let streamed = self.expert_share().map_or(streamed, |share| streamed.min(active / share));
        [self.total_params, streamed.max(active), active]
    }

    fn expert_share(&self) -> Option<f64> {
        let (used, all) = (self.experts_per_token?, self.n_experts?);
        (used < all && self.active_params < self.total_params).then(|| used / all)
    }

    /// Whether the output head is the input embedding. A network that embeds text has no head.
    fn tied(&self) -> bool {
        self.tied_embeddings.unwrap_or(self.kind != "embedding" && self.total_params <= TIED_UP_TO)
    }

    fn latent(&self) -> bool {
        self.kv_kind.as_deref() == Some("mla")
    }

    fn head(&self, hidden_size: f64) -> f64 {
        let heads = self.n_heads.unwrap_or(0.0);
        self.head_dim.unwrap_or(if heads > 0.0 { hidden_size / heads } else { 0.0 })
    }

    fn widths(&self, hidden_size: f64) -> Widths {
        let heads = self.n_heads.unwrap_or(0.0);
        let key = self.head(hidden_size);
        let value = self.v_head_dim.unwrap_or(key);
        let plain = 2.0 * heads * (key + value);
        let (Some(rank), true) = (self.kv_lora_rank, self.latent()) else {
            let cache = self.n_kv_heads.unwrap_or(heads) * (key + value);
            return Widths { cache, decode: plain, prefill: plain };
        };
        let rope = self.qk_rope_head_dim.unwrap_or(0.0);
        let expanded = self.qk_nope_head_dim.map_or(plain, |nope| 2.0 * heads * (nope + rope + value));
        Widths { cache: rank + rope, decode: 2.0 * heads * (2.0 * rank + rope), prefill: expanded }
    }

    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a whole number inside its band")]
    fn window(&self) -> Option<Window> {
        let tokens = self.attn_window.filter(|w| *w < f64::from(u32::MAX))? as u32;
        let kind = self.attn_window_kind.as_deref().and_then(WindowKind::parse).unwrap_or(WindowKind::Sliding);
        Some(Window { tokens, kind })
    }
}
