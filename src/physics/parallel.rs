//! How a network is laid over devices: tensor, expert, data and pipeline parallelism.
//!
//! ```text
//! devices  n = tensor · data · pipeline                     experts live on all devices of a stage
//! copies   ρ = max(1, tensor / key-value heads)             of the cache, where heads are fewer than devices
//! sequences in a step of one stage  = B / pipeline          the weights of a stage stream once for each of them
//! all-reduce per token = 2·L·hidden·4·(tensor − 1)/tensor / (data·pipeline)  bytes on one link
//! ```
//!
//! | symbol | meaning | unit |
//! |---|---|---|
//! | tensor | devices that share every matrix | – |
//! | data | groups that hold the attention weights once each and serve their own sequences | – |
//! | pipeline | stages of consecutive layers | – |
//! | B | sequences running in the replica | – |
//!
//! Data-parallel attention streams its weights in each group, so their bytes count `data` times; experts are spread over all
//! devices and count once. A pipeline keeps all stages busy with B/pipeline sequences each.
//!
//! Source: the ring all-reduce bound and the layouts of vLLM (cache copies: its key-value heads are replicated when tensor
//! parallelism exceeds them). Range: whole divisions; no bubbles, no skew between stages. Data-parallel attention of FP8
//! models under vLLM 0.11 is known to run two to eight times off this and is not what the parameters were fitted on.
//!
//! Measured error: tensor parallelism is in all rows of the fit; six rows with pipelines, which no fit saw, below 4 %
//! median; attention-data-parallel FP8 two to eight times too low.

/// Devices and how they divide the work.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Layout {
    /// Devices of one replica.
    pub devices: f64,
    /// Attention data parallelism.
    pub data: f64,
    /// Pipeline stages.
    pub pipeline: f64,
}

impl Layout {
    /// All devices share every matrix.
    #[must_use]
    pub const fn tensor(devices: f64) -> Self {
        Self { devices, data: 1.0, pipeline: 1.0 }
    }

    /// Devices that share a matrix.
    #[must_use]
    pub fn tensor_parallel(&self) -> f64 {
        (self.devices / (self.data * self.pipeline)).max(1.0)
    }

    /// Copies of the cache that are read, where it splits into at most `shards`.
    ///
    /// ```
    /// use wattledger::physics::parallel::Layout;
    /// assert_eq!(Layout::tensor(8.0).cache_copies(4.0), 2.0); // four key-value heads on eight devices
    /// assert_eq!(Layout::tensor(8.0).cache_copies(8.0), 1.0);
    /// ```
    #[must_use]
    pub fn cache_copies(&self, shards: f64) -> f64 {
        if shards > 0.0 { (self.tensor_parallel() / shards).max(1.0) } else { 1.0 }
    }

    /// Bytes that one link carries per token for the two all-reduces of every layer.
    #[must_use]
    pub fn traffic_bytes(&self, layers: f64, hidden_size: f64) -> f64 {
        let t = self.tensor_parallel();
        2.0 * layers * hidden_size * 4.0 * (t - 1.0) / t / (self.data * self.pipeline)
    }
}
