//! Parameters of the inference method in three layers, each with its own provenance.
//!
//! | layer | what it holds | keyed by |
//! |---|---|---|
//! | [`Method`] | shares of datasheet peaks, energy per byte and FLOP relative to rated power | parameter set |
//! | [`Silicon`] | what a generation of accelerators reaches relative to the fitted one | set, generation |
//! | [`Stack`] | what serving software adds: host time, launches, its own dynamic energy | set, engine, generation |
//!
//! A set is fitted as one thing and never mixed with another: values trade off against each other (decode FLOP energy
//! with prefill efficiency, byte energy with the power floor). The values are data, in the catalog; here they only get
//! their names. Deployment scales from a meter are the fourth layer and stand with the deployment.

/// A layer of parameters: a struct of numbers, each with the symbol that the data and the method page use.
macro_rules! layer {
    ($(#[$doc:meta])* $name:ident { $($(#[doc = $meaning:literal])+ $field:ident = $symbol:literal),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq)]
        pub struct $name {
            $($(#[doc = $meaning])+ pub $field: f64,)+
        }

        impl $name {
            /// Symbols of the layer with what they mean, in the order of the struct.
            pub const SYMBOLS: &'static [(&'static str, &'static str)] = &[$(($symbol, concat!($($meaning),+))),+];

            /// The layer from a value for every symbol.
            ///
            /// # Errors
            /// The first symbol without a value.
            pub fn read(mut value: impl FnMut(&str) -> Option<f64>) -> Result<Self, &'static str> {
                Ok(Self { $($field: value($symbol).ok_or($symbol)?),+ })
            }

            /// The value of a symbol.
            #[must_use]
            pub fn value(&self, symbol: &str) -> Option<f64> {
                match symbol { $($symbol => Some(self.$field),)+ _ => None }
            }
        }
    };
}

layer! {
    /// Shares of datasheet figures and dynamic energy relative to rated power; dimensionless.
    Method {
        /// Share of peak bandwidth reached streaming weights.
        weight_bandwidth_efficiency = "eta_w",
        /// Share of peak bandwidth reached streaming keys and values.
        kv_bandwidth_efficiency = "eta_kv",
        /// Share of peak FLOP rate reached in prefill.
        prefill_flop_efficiency = "eta_p",
        /// Share of peak FLOP rate reached in decode.
        decode_flop_efficiency = "eta_c",
        /// Exponent p with which streaming and multiplying weights overlap: 1 adds them, ∞ hides the shorter.
        overlap = "p_overlap",
        /// Share of link bandwidth reached.
        link_efficiency = "eta_l",
        /// Factor on the decode FLOP rate of mixtures of experts.
        moe_decode_derate = "moe_c",
        /// Factor on the prefill FLOP rate of mixtures of experts on one device.
        moe_prefill_derate = "moe_p",
        /// Exponent of devices by which that factor falls: n to the minus this.
        moe_prefill_split = "moe_pn",
        /// Routings that count as independent, per further sequence in a step.
        routing_independence = "cov_c",
        /// Exponent of the gain in decode with hidden size over 5120.
        decode_size_exponent = "g_h",
        /// The same in prefill.
        prefill_size_exponent = "g_p",
        /// FP8 speed relative to what its peak promises.
        fp8_speed = "fp8_c",
        /// Effective bytes of FP8 experts relative to their size.
        fp8_expert_bytes = "fp8_b",
        /// FP4 speed relative to what its peak promises.
        fp4_speed = "fp4_c",
        /// Effective bytes of 4-bit experts relative to their size.
        fp4_expert_bytes = "fp4_b",
        /// Prefill speed of 4-bit weights that are multiplied in 16 bits, relative to 16-bit weights.
        weight_only_speed = "w4_p",
        /// Effective bytes of an 8-bit cache relative to its size, in time.
        kv8_time_bytes = "kv8_s",
        /// Effective bytes of an 8-bit cache relative to its size, in energy.
        kv8_energy_bytes = "kv8_j",
        /// Passes over the hidden state per layer and token, in 16-bit elements: norms, residuals, rotations.
        elementwise = "a_act",
        /// Power while a device waits for its host, over rated power.
        waiting_floor = "phi_w",
        /// Further power while kernels run, over rated power.
        running_floor = "phi_r",
        /// Dynamic energy per weight byte × bandwidth / rated power.
        weight_byte_energy = "k_b",
        /// Dynamic energy per key-value byte × bandwidth / rated power.
        kv_byte_energy = "k_kv",
        /// Dynamic energy per decode FLOP × FLOP rate / rated power.
        decode_flop_energy = "k_f",
        /// Dynamic energy per prefill FLOP × FLOP rate / rated power.
        prefill_flop_energy = "k_p",
        /// Factor on dynamic FLOP energy in FP8.
        fp8_energy = "k_8",
        /// Factor on dynamic FLOP energy in FP4.
        fp4_energy = "k_4",
        /// Factor on dynamic energy with experts.
        moe_energy = "k_x",
        /// 1 where attention multiplies at the rates of the weights (sets up to V11); 0 where it runs in 16 bits and, in
        /// decode, behind the reading of its cache.
        attention_as_weights = "attn_w",
        /// 1 where tensor parallelism beyond the key-value heads copies the cache; 0 in sets fitted without.
        cache_copies = "kv_copies",
    }
}

layer! {
    /// What a generation reaches relative to Hopper; dimensionless.
    Silicon {
        /// Share of peak FLOP rate.
        flop = "r_f",
        /// Share of peak bandwidth on weights.
        weight_bandwidth = "r_w",
        /// Share of peak bandwidth on keys and values.
        kv_bandwidth = "r_kv",
    }
}

layer! {
    /// What serving software of one engine on one generation adds. Times in seconds.
    Stack {
        /// Factor on host times.
        host = "h",
        /// Factor on dynamic energy.
        dynamic_energy = "q",
        /// Further factor on dynamic energy with 4-bit experts.
        dynamic_energy_4bit = "q_4",
        /// Host time per step.
        step_s = "t_step",
        /// Host time per sequence and step.
        sequence_s = "t_seq",
        /// Time per layer and step.
        layer_s = "t_layer",
        /// Further time per layer and step with experts.
        moe_layer_s = "t_moe",
        /// Factor on that with 4-bit experts.
        moe_layer_4bit = "m_4",
        /// Further time per layer and step in FP8.
        fp8_layer_s = "t_fp8",
        /// Further time per layer and step in FP8 with experts.
        fp8_expert_layer_s = "t_fp8x",
        /// Further time per layer and step of a hybrid.
        hybrid_layer_s = "t_hyb",
        /// Time per prompt of a hybrid, whose state-space layers prefill on their own.
        hybrid_prompt_s = "t_phyb",
        /// Latency of one all-reduce; two a layer.
        all_reduce_s = "t_ar",
    }
}

layer! {
    /// Half widths of 90 % intervals, as logarithms, by what a deployment is; they add as squares (see [`super::spread`]).
    Spread {
        /// Every deployment.
        base = "spread",
        /// A mixture of experts.
        moe = "spread_moe",
        /// A hybrid with recurrent layers.
        hybrid = "spread_hybrid",
        /// Blackwell, where the same software varies more from run to run.
        blackwell = "spread_blackwell",
        /// Weights in FP8.
        fp8 = "spread_fp8",
        /// Images and videos whose tokens are not counted.
        media = "spread_media",
        /// A generation with kernel measurements and without measured serving energy in the fit.
        kernels = "spread_kernels",
        /// A generation without either.
        generation = "spread_generation",
        /// Serving software without a fit.
        engine = "spread_engine",
        /// A number format, draft, sparse weights or split pools without measured serving energy in the fit.
        serving = "spread_serving",
        /// A network that only reads its input.
        prefill = "spread_prefill",
        /// A model or an accelerator whose size or datasheet is assumed.
        assumed = "spread_assumed",
        /// Scaled to a meter: at the middle of its loads, or over many of them.
        metered = "spread_metered",
        /// Scaled to a meter at one load, within a factor 2 of that load.
        metered_near = "spread_metered_near",
        /// Scaled to a meter at one load, whichever, at its other loads.
        metered_any = "spread_metered_any",
    }
}

/// The three layers together, as one deployment uses them.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Parameters {
    /// Shared by all accelerators and engines.
    pub method: Method,
    /// Of the accelerator's generation.
    pub silicon: Silicon,
    /// Of the engine on that generation.
    pub stack: Stack,
}
