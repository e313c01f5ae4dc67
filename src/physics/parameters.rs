//! Parameter sets of the inference method: fitted together, shipped together, never mixed.
//!
//! Every efficiency is relative to a datasheet figure, so a new accelerator needs no fit. Values trade off against each
//! other (decode FLOP energy with prefill efficiency, byte energy with the power floor): a set is one thing.

/// One versioned set. Symbols in brackets are those of the method page, `docs/method/inference.md`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ParameterSet {
    /// Name of the set.
    pub id: &'static str,
    /// Share of peak bandwidth reached streaming weights (`eta_w`).
    pub weight_bandwidth_efficiency: f64,
    /// Share of peak bandwidth reached streaming keys and values (`eta_kv`).
    pub kv_bandwidth_efficiency: f64,
    /// Share of peak FLOP rate reached in prefill (`eta_p`).
    pub prefill_flop_efficiency: f64,
    /// Share of peak FLOP rate reached in decode (`eta_c`).
    pub decode_flop_efficiency: f64,
    /// Further factor on decode FLOP rate for mixtures of experts (`moe_c`).
    pub moe_decode_derate: f64,
    /// Further factor on prefill FLOP rate for mixtures of experts (`moe_p`).
    pub moe_prefill_derate: f64,
    /// FP8 speed relative to what its peak promises (`fp8_c`).
    pub fp8_speed: f64,
    /// Effective bytes of FP8 experts relative to their size (`fp8_b`).
    pub fp8_expert_bytes: f64,
    /// Host time per step in seconds (`t_step`).
    pub step_s: f64,
    /// Host time per sequence and step in seconds (`t_seq`).
    pub sequence_s: f64,
    /// Time per layer and step in seconds (`t_layer`).
    pub layer_s: f64,
    /// Further time per layer and step with experts, in seconds (`t_moe`).
    pub moe_layer_s: f64,
    /// Further time per layer and step of a hybrid, in seconds (`t_hyb`).
    pub hybrid_layer_s: f64,
    /// Latency of one all-reduce in seconds; two a layer (`t_ar`).
    pub all_reduce_s: f64,
    /// Share of link bandwidth reached (`eta_l`).
    pub link_efficiency: f64,
    /// Exponent of the gain with hidden size over 5120 (`g_h`).
    pub size_exponent: f64,
    /// Power floor while serving over rated power (`phi0`).
    pub power_floor: f64,
    /// Dynamic energy per weight byte × bandwidth / rated power (`k_b`).
    pub weight_byte_energy: f64,
    /// Dynamic energy per key-value byte × bandwidth / rated power (`k_kv`).
    pub kv_byte_energy: f64,
    /// Dynamic energy per decode FLOP × FLOP rate / rated power (`k_f`).
    pub decode_flop_energy: f64,
    /// Dynamic energy per prefill FLOP × FLOP rate / rated power (`k_p`).
    pub prefill_flop_energy: f64,
    /// Factor on dynamic FLOP energy in FP8 (`k_8`).
    pub fp8_energy: f64,
    /// Factor on dynamic energy with experts (`k_x`).
    pub moe_energy: f64,
}

/// The first set, fitted on 454 measured energies and as many throughputs.
///
/// Source: fit on the ML.ENERGY leaderboard v2 and v3 rows for H100 and B200 (vLLM 0.5.4 and 0.11.1); log residuals,
/// soft-L1, rows weighted by model. Cross-validated by whole model: median error 13.0 %, 90th percentile 41 %.
/// B200 rows were fitted with 8000 GB/s; step and sequence times are those of vLLM 0.11.1.
pub const V0: ParameterSet = ParameterSet {
    id: "V0",
    weight_bandwidth_efficiency: 0.850,
    kv_bandwidth_efficiency: 0.929,
    prefill_flop_efficiency: 0.5,
    decode_flop_efficiency: 1.0,
    moe_decode_derate: 0.437,
    moe_prefill_derate: 0.168,
    fp8_speed: 1.2,
    fp8_expert_bytes: 1.80,
    step_s: 1.51e-3,
    sequence_s: 10.5e-6,
    layer_s: 0.0,
    moe_layer_s: 68.6e-6,
    hybrid_layer_s: 142.9e-6,
    all_reduce_s: 28.2e-6,
    link_efficiency: 0.151,
    size_exponent: 0.120,
    power_floor: 0.256,
    weight_byte_energy: 0.561,
    kv_byte_energy: 0.654,
    decode_flop_energy: 2.0,
    prefill_flop_energy: 1.0,
    fp8_energy: 1.73,
    moe_energy: 1.58,
};

/// V0 with the host times of vLLM 0.5.4, from the same fit.
pub const V0_VLLM_0_5_4: ParameterSet = V0.with_host_times(12.4e-3, 388e-6);

impl ParameterSet {
    /// The same set with another engine's host times per step and per sequence-step, in seconds.
    #[must_use]
    pub const fn with_host_times(self, step_s: f64, sequence_s: f64) -> Self {
        Self { step_s, sequence_s, ..self }
    }
}

/// How mature the serving software is on an accelerator: factors on host time and dynamic energy.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Maturity {
    /// Factor on host time (`h`).
    pub host_time: f64,
    /// Factor on dynamic energy (`q`).
    pub dynamic_energy: f64,
}

impl Maturity {
    /// Ampere, Hopper, Ada: the software the fit calls 1.
    pub const MATURE: Self = Self { host_time: 1.0, dynamic_energy: 1.0 };
    /// Blackwell under vLLM 0.11.1, fitted in V0.
    pub const BLACKWELL: Self = Self { host_time: 2.64, dynamic_energy: 1.42 };
    /// Anything else: half-way to Blackwell, by judgement (*assumed*).
    pub const UNKNOWN: Self = Self { host_time: 2.0, dynamic_energy: 1.25 };
}
