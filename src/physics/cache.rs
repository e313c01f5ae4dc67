//! Cached tokens: what it costs to keep keys and values elsewhere and to bring them back.
//!
//! ```text
//! e_cached = stored bytes per token · load_j           per cached token
//! e_write  = stored bytes per token · write_j          per uncached token, kept for the next request
//! ```
//!
//! | symbol | meaning | unit |
//! |---|---|---|
//! | stored bytes | keys and values of a token over all layers, at the precision of the cache | B |
//! | `load_j`, `write_j` | energy to bring a byte from its tier into the accelerator's memory, and to put it there | J/B |
//!
//! A price ratio says nothing of energy: a cached token is cheap because its prefill is not done, and what it does cost is
//! moving its keys and values, next to nothing against prefill. In the accelerator's own memory nothing moves; the
//! tokens are read as context like any others. Holding them costs no energy of its own here: the memory of the tier is
//! powered whether it is full or not, and its power is in the host's or in the accelerator's floor.
//!
//! Source: energy per byte of the tiers stands with the data (*assumed*, from published device figures). Range: prefix
//! caches in memory, host memory, flash or over the network; the time of loading is taken to hide behind other requests.
//!
//! Measured error: none measured; energies per byte are recalled and small against prefill.

/// Energy per byte of a tier.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Tier {
    /// Joules to load a byte into the accelerator's memory.
    pub load_j_per_byte: f64,
    /// Joules to write a byte to the tier.
    pub write_j_per_byte: f64,
}

impl Tier {
    /// Joules per cached token and per uncached token.
    ///
    /// ```
    /// use wattledger::physics::cache::Tier;
    /// // Llama-3.1-70B keeps 327 680 bytes a token; host memory at 0.3 nJ a byte.
    /// let dram = Tier { load_j_per_byte: 0.3e-9, write_j_per_byte: 0.3e-9 };
    /// let (cached, _) = dram.per_token(327_680.0);
    /// assert!(cached < 1e-4); // against about 0.2 J of prefill
    /// ```
    #[must_use]
    pub fn per_token(&self, stored_bytes: f64) -> (f64, f64) {
        (stored_bytes * self.load_j_per_byte, stored_bytes * self.write_j_per_byte)
    }
}
