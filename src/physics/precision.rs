//! Number formats: bytes that are streamed, and what the matrix units run in.
//!
//! ```text
//! weight bytes = parameters · bits/8 · (1 − sparsity)
//! ```
//!
//! | symbol | meaning | unit |
//! |---|---|---|
//! | bits | stored bits of a weight, scales of its block included | bit |
//! | sparsity | share of weights that a compressed format leaves out | – |
//!
//! Weights, experts, cache and state may each have their own format; gpt-oss keeps its experts in 4.25 bits and the rest
//! in 16. A format the matrix units lack is only stored: its weights are multiplied in 16 bits.
//!
//! Source: block formats as published (OCP MX: 32 values share 8 bits; `NVFP4`: 16 values share 8 bits; FP8 in blocks of
//! 128 × 128 shares 32 bits). Range: 2 to 32 bits.
//!
//! Measured error: bfloat16 9.5 %, mxfp4 experts 12.5 %, FP8 17.3 % median on models left out of the fit; FP8 mixtures at
//! few sequences come out dearer than BF16, as measured. Other formats: none measured, widened by `spread_serving`. INT8 and
//! 4-bit integers are multiplied in 16 bits; 0.516 bytes are 4 bits with a 16-bit scale for every 128 weights.

/// What the matrix units run in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Compute {
    /// 16-bit floating point.
    Sixteen,
    /// 8-bit floating point.
    Eight,
    /// 4-bit floating point.
    Four,
}

/// Bytes per stored element, and what is computed in.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Precision {
    /// Bytes of a weight outside the experts.
    pub weight_bytes: f64,
    /// Bytes of a weight of an expert.
    pub expert_bytes: f64,
    /// Bytes of a key or value.
    pub cache_bytes: f64,
    /// Bytes of an element of recurrent state.
    pub state_bytes: f64,
    /// What the matrix units run in.
    pub compute: Compute,
    /// Share of the weights that a compressed format keeps; 1 where nothing is left out.
    pub kept: f64,
}

impl Precision {
    /// 16-bit weights and cache, 32-bit state.
    pub const SIXTEEN: Self = Self::stored(2.0, 2.0, Compute::Sixteen);

    /// Weights and experts of these bytes over a 16-bit cache and a 32-bit state.
    #[must_use]
    pub const fn stored(weight_bytes: f64, expert_bytes: f64, compute: Compute) -> Self {
        Self { weight_bytes, expert_bytes, cache_bytes: 2.0, state_bytes: 4.0, compute, kept: 1.0 }
    }

    /// Weights by name: `bf16`, `fp8`, `int4`, `mxfp4`, `q4_K_M`, `fp8_e4m3`, `gptq-int4`, …; `None` for a name that is
    /// not known, or whose parts contradict each other.
    ///
    /// ```
    /// use wattledger::physics::precision::{Compute, Precision};
    /// let fp8 = Precision::named("fp8").unwrap();
    /// assert_eq!((fp8.weight_bytes, fp8.compute), (1.0, Compute::Eight));
    /// // Experts in 4 bits with a shared exponent for every 32, the rest in 16.
    /// assert_eq!(Precision::named("mxfp4").unwrap().expert_bytes, 4.25 / 8.0);
    /// assert_eq!(Precision::named("FP8_E4M3"), Some(fp8));
    /// assert_eq!(Precision::named("gptq-int4"), Precision::named("int4"));
    /// assert_eq!(Precision::named("int8-fp8"), None);
    /// ```
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        let name = name.to_ascii_lowercase();
        Self::one(&name).or_else(|| {
            // Method, format and variant in one: gptq-int4, fp8_e4m3, nvfp4_awq.
            let mut parts = name.split(|c: char| !c.is_ascii_alphanumeric()).filter_map(Self::one);
            let first = parts.next()?;
            parts.all(|part| part == first).then_some(first)
        })
    }

    /// A name without variants, in lower case.
    fn one(name: &str) -> Option<Self> {
        let only = |bytes: f64, compute: Compute| Some(Self::stored(bytes, bytes, compute));
        match name {
            "fp32" | "f32" | "float32" => only(4.0, Compute::Sixteen),
            "bf16" | "fp16" | "f16" | "bfloat16" | "float16" => only(2.0, Compute::Sixteen),
            "fp8" | "f8" | "float8" => only(1.0, Compute::Eight),
            "int8" | "w8a16" => only(1.0, Compute::Sixteen),
            "int4" | "fp4" | "nf4" | "awq" | "gptq" | "w4a16" => only(0.516, Compute::Sixteen),
            "nvfp4" => only(4.5 / 8.0, Compute::Four),
            "mxfp4" => Some(Self::stored(2.0, 4.25 / 8.0, Compute::Sixteen)),
            "fp8+fp4" => Some(Self::stored(1.0, 4.25 / 8.0, Compute::Eight)),
            // llama.cpp writes bits per weight: q4_K_M, q8_0, iq3_xs.
            quantised => {
                let bits = quantised.trim_start_matches('i').strip_prefix('q')?.chars().next()?.to_digit(10)?;
                (2..=8)
                    .contains(&bits)
                    .then(|| Self::stored(f64::from(bits) / 8.0, f64::from(bits) / 8.0, Compute::Sixteen))
            }
        }
    }

    /// The same with a share of the weights left out by a compressed format.
    #[must_use]
    pub fn sparse(self, sparsity: f64) -> Self {
        Self { kept: self.kept * (1.0 - sparsity), ..self }
    }

    /// Bytes of these weights outside the experts, and of these in them.
    #[must_use]
    pub fn stored_bytes(&self, dense: f64, experts: f64) -> (f64, f64) {
        (dense * self.weight_bytes * self.kept, experts * self.expert_bytes * self.kept)
    }

    /// Whether serving energy of these formats is in the fit: 16 bits, FP8, or FP8 or 16 bits with experts in 4, over a
    /// 16-bit cache.
    #[must_use]
    pub fn is_measured(&self) -> bool {
        let same = |a: f64, b: f64| a.total_cmp(&b).is_eq();
        let eight = same(self.weight_bytes, 1.0) && self.compute == Compute::Eight;
        let weights = same(self.weight_bytes, 2.0) || eight;
        let experts = same(self.expert_bytes, self.weight_bytes) || self.experts_in_four();
        weights && experts && same(self.cache_bytes, 2.0) && same(self.kept, 1.0)
    }

    /// The same for a network without experts: a format that only packs experts packs its weights.
    ///
    /// ```
    /// use wattledger::physics::precision::Precision;
    /// assert_eq!(Precision::named("mxfp4").unwrap().dense().weight_bytes, 4.25 / 8.0);
    /// assert_eq!(Precision::named("fp8").unwrap().dense().weight_bytes, 1.0);
    /// ```
    #[must_use]
    pub fn dense(self) -> Self {
        Self { weight_bytes: self.expert_bytes, ..self }
    }

    /// Whether the experts take 4 bits or about that.
    #[must_use]
    pub fn experts_in_four(&self) -> bool {
        self.expert_bytes < 0.6
    }
}
