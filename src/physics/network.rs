//! What a network asks of a machine: weights to hold, to stream and to multiply with, and what attention reads.
//!
//! Attention is linear in three areas of a request (see [`super::attention`]). At position x of a sequence, with W the one
//! reach of the model (a sliding window, or the tokens that a top-k selection keeps),
//!
//! ```text
//! elements read per decoded token   R(x) = full·x + window·min(x, W) + fixed      (+ index bytes·x)
//! FLOP per decoded token            F(x) = full·x + window·min(x, W) + fixed
//! FLOP per prompt token             P(x) = full·x + window·min(x, W) + fixed
//! ```
//!
//! | attention | how it is written |
//! |---|---|
//! | grouped, multi-query, multi-head | FLOP 2·heads·(dk + dv) per pair and layer; elements 2·kv heads·d per layer |
//! | latent (MLA) | decode absorbed, 2·heads·(2·rank + rope); prefill expanded, 2·heads·(nope + rope + v); elements rank + rope |
//! | top-k selection | W = k: the latent in the window part; the indexer's keys and products in the full part |
//! | compressed by c | the full part over c; with a selection of k, W = c·k and the window part over c |
//! | a short window beside W | its whole reach in the fixed part |
//! | layers that share a cache | fewer elements stored, as many read |
//!
//! One convention for parameters: *active* are the weights a text token is multiplied with, so without the input embedding
//! and per-layer tables, which are looked up, and without towers for other media; with the output head, tied or not.
//!
//! Source: released configurations and reference implementations, cited with each model in the catalog; the convention is
//! this project's. Range: transformers and hybrids with linear or state-space layers.
//!
//! Measured error: by architecture, dense 8.9 %, mixtures 14.3 %, hybrids 23.8 % median on models left out of the fit;
//! selected and compressed attention: none measured.

/// A quantity per pair of tokens with full reach, per pair inside the window, and per token.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Reach {
    /// Per token of context.
    pub full: f64,
    /// Per token of context inside the window.
    pub window: f64,
    /// Per token, whatever the context.
    pub fixed: f64,
}

/// What attention reads, keeps and computes, over all layers.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Attention {
    /// Cache elements read by a decoded token.
    pub read: Reach,
    /// Cache elements kept per token of context; `fixed` per sequence.
    pub stored: Reach,
    /// Bytes of an indexer's keys per token of context, whatever the precision of the cache.
    pub index_bytes: f64,
    /// FLOP of a decoded token.
    pub decode_flop: Reach,
    /// FLOP of a prompt token.
    pub prefill_flop: Reach,
    /// Most ways in which tensor parallelism can split the cache: its key-value heads, 1 for a latent cache.
    pub cache_shards: f64,
}

/// One network, from its configuration.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Network {
    /// All weights, held in memory.
    pub resident_parameters: f64,
    /// Weights outside the experts that every step streams.
    pub dense_parameters: f64,
    /// Weights of the routed experts.
    pub expert_parameters: f64,
    /// Weights a token is multiplied with.
    pub active_parameters: f64,
    /// Layers.
    pub layers: f64,
    /// Hidden size.
    pub hidden_size: f64,
    /// Experts a token is routed to over experts there are (k/E); `None` for a dense network.
    pub expert_share: Option<f64>,
    /// Whether some layers are recurrent or linear.
    pub hybrid: bool,
    /// Elements of recurrent state per sequence.
    pub state_elements: f64,
    /// FLOP of encoders of media per input token (see [`super::encoder`]).
    pub encoder_flop: f64,
    /// Attention over all layers.
    pub attention: Attention,
}

impl Network {
    /// Splits streamed weights into experts and the rest: X = (streamed − active)/(1 − k/E).
    ///
    /// ```
    /// // Qwen3-30B-A3B without its input embedding: 8 of 128 experts.
    /// let (dense, experts) = wattledger::physics::network::Network::split(30.22e9, 3.04e9, Some(8.0 / 128.0));
    /// assert!((dense + experts - 30.22e9).abs() < 1.0);
    /// assert!((dense + experts * 8.0 / 128.0 - 3.04e9).abs() < 1.0);
    /// ```
    #[must_use]
    pub fn split(streamed: f64, active: f64, expert_share: Option<f64>) -> (f64, f64) {
        let experts = expert_share.map_or(0.0, |share| (streamed - active).max(0.0) / (1.0 - share));
        (streamed - experts, experts)
    }
}
