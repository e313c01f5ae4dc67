//! Accelerator energy and replica time of inference requests: an additive roofline of one engine step.
//!
//! Per engine step of a replica with B running sequences, time is the sum of host work, launches, streaming and multiplying
//! weights, reading the cache, elementwise passes and traffic between devices; energy is a power floor over that time
//! plus dynamic energy per byte and per FLOP. Both are linear in eight features of a request:
//!
//! ```text
//! E = e_req·R + e_cac·Ic + e_in·Iu + e_pp·(I² − Ic²)/2 + e_pw·[A_W(I) − A_W(Ic)]        prefill
//!   + e_out·O + e_ctx·(I·O + O²/2) + e_win·[A_W(I+O) − A_W(I)]                          decode     S likewise with s_*
//! e_* = n·TDP·(phi_w·s_* + phi_r·(s_* − host_*)) + d_*
//!
//! fix   = h·t_step + L/pipeline·(t_layer + [MoE] t_moe + [FP8] (t_fp8 + [MoE] t_fp8x) + [hybrid] t_hyb + [tensor>1] 2·t_ar)
//! gemm  = (tw^p + tf^p)^(1/p)       tw = Wb/(n·BW·eta_w·r_w)       tf = N·(γ+1)·2·Pa·sd       N = B/pipeline
//! s_out = (fix + gemm)/(N·τ) + [h·t_seq + 2·state·sK + read_fix·sK]/τ + [sTR + sEL]·(γ+1)/τ
//! d_out = Wb·jW/(N·τ) + [2·state·jK + read_fix·jK]/τ + [2·Pa·jF + flop_fix·jA + dEL]·(γ+1)/τ
//! s_ctx = read·sK·ρ/τ               d_ctx = read·jK·ρ/τ + flop·jA·(γ+1)/τ                 s_win, d_win likewise
//! s_in  = (2·Pa + encoder)·sp + pflop_fix·sA + sTR + sEL      s_pp = pflop·sA      d_in, d_pp with jP, jA
//! sd = 1/(n·F·r_f·eta_c·speed·(hidden/5120)^g_h·moe_c)      sp = 1/(n·F·r_f·eta_p·speed·moe_p·n^−moe_pn)
//! jF = q·TDP·k_f·k_x·k_8/F·…        jW = q·TDP·k_b·k_x/BW   jK = q·TDP·k_kv/BW            jA = q·TDP·k_f/F16
//! ```
//!
//! | symbol | meaning | unit |
//! |---|---|---|
//! | R, I, Ic, Iu, O | requests; input, cached, uncached input, output tokens | –, tokens |
//! | S | this request's share of the wall time of the whole replica | s |
//! | n, TDP, BW, F, LK | devices; rated power, memory bandwidth, dense peak, one-way link of one device | –, W, B/s, FLOP/s, B/s |
//! | Pa, Wb | active parameters; weight bytes of a step: dense·data + experts·coverage (see [`super::experts`]) | –, B |
//! | L, read, flop, pflop | layers; what attention reads and multiplies per pair (see [`super::network`]) | –, B, FLOP |
//! | encoder | FLOP of encoders of media per input token ([`super::encoder`]) | FLOP |
//! | sd, sp, sA | seconds per FLOP of decode, prefill, attention | s |
//! | jF, jP, jA, jW, jK | joules per decode, prefill, attention FLOP, weight byte, key-value byte | J |
//! | sK, sTR, sEL | seconds per key-value byte; of traffic and of elementwise passes per token | s |
//! | γ, τ, ρ | drafted and yielded tokens (see [`super::speculative`]), copies of the cache (see [`super::parallel`]) | – |
//!
//! Cached tokens cost no prefill; they cost context, and their tier's load where it is not the accelerator's own memory
//! ([`super::cache`]). Only `s_out` and `d_out` depend on B. Streaming and multiplying weights overlap with exponent p;
//! everything else adds. In sets up to V11 p is 1 and attention multiplies at the rates of the weights.
//!
//! Source: fitted on the ML.ENERGY leaderboard with kernel measurements as priors (`docs/method/inference.md`; the values
//! are data, see [`super::parameters`]). Range: dense, mixture-of-experts and hybrid transformers on datacentre GPUs, B
//! from 1 to some thousands. Not validated for other accelerators.

pub use super::accelerator::{Accelerator, Serving};
use super::experts::coverage;
pub use super::features::{Basis, Coefficients, Features};
use super::network::{Network, Reach};
use super::parameters::Parameters;
use super::precision::Compute;
use super::rates::Rates;
use super::speculative::Speculation;
use super::spread::Widening;
use crate::units::Watts;

/// The method for one deployment: everything that does not depend on concurrency, worked out once.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Roofline {
    fixed: Coefficients,
    /// Host time of a step, and per sequence in it.
    host_step_s: f64,
    launch_s: f64,
    waiting_w: f64,
    running_w: f64,
    dense_bytes: f64,
    expert_bytes: f64,
    expert_share: Option<f64>,
    independence: f64,
    seconds_per_weight_byte: f64,
    joules_per_weight_byte: f64,
    flop_s_per_token: f64,
    draft_step_s: f64,
    draft_step_j: f64,
    overlap: f64,
    stages: f64,
    speculation: Speculation,
    widening: Widening,
}

/// What widens the interval, as far as network and serving say it.
fn widening(network: &Network, serving: &Serving) -> Widening {
    Widening {
        moe: network.expert_share.is_some(),
        hybrid: network.hybrid,
        fp8: serving.precision.compute == Compute::Eight,
        unmeasured_serving: !serving.precision.is_measured() || serving.speculation.drafted > 0.0,
        ..Widening::default()
    }
}

impl Roofline {
    /// Works out what does not depend on concurrency.
    #[must_use]
    pub fn new(accelerator: &Accelerator, network: &Network, serving: &Serving, parameters: &Parameters) -> Self {
        let Parameters { method: m, stack, .. } = parameters;
        let Serving { layout, precision, speculation } = serving;
        let rates = Rates::new(accelerator, network, serving, parameters);
        let (n, tdp) = (layout.devices, accelerator.rated_power.0);
        let tensor = layout.tensor_parallel();
        let yielded = speculation.yielded();
        let checked = (speculation.drafted + 1.0) / yielded;

        let copies = if m.cache_copies > 0.0 { layout.cache_copies(network.attention.cache_shards) } else { 1.0 };
        let eight = precision.cache_bytes <= 1.0;
        let cache = |elements: f64, effective: f64| {
            (elements * precision.cache_bytes * if eight { effective } else { 1.0 }) * copies
        };
        let (in_time, in_energy) = (|e: f64| cache(e, m.kv8_time_bytes), |e: f64| cache(e, m.kv8_energy_bytes));
        let read = network.attention.read;
        let index = network.attention.index_bytes * tensor;
        let state_bytes = 2.0 * network.state_elements * precision.state_bytes;

        let elementwise_bytes =
            m.elementwise * network.layers * network.hidden_size * 2.0 / (layout.data * layout.pipeline);
        let elementwise_s = elementwise_bytes * rates.kv_byte_s * n;
        let elementwise_j = elementwise_bytes * tensor * layout.data * layout.pipeline * rates.kv_byte_j;
        let traffic_s = layout.traffic_bytes(network.layers, network.hidden_size)
            / (accelerator.link_bytes_per_s * m.link_efficiency);

        let Reach { full, window, fixed } = network.attention.decode_flop;
        let prefill = network.attention.prefill_flop;
        let flop = 2.0 * network.active_parameters;
        let read_flop = flop + network.encoder_flop;
        // A draft is multiplied with once for each token that it proposes.
        let draft_flop = speculation.drafted * 2.0 * speculation.draft_parameters / yielded;
        let time_s = Basis {
            request: if network.hybrid { stack.hybrid_prompt_s } else { 0.0 },
            cached: 0.0,
            input: read_flop * rates.prefill_flop_s
                + prefill.fixed * rates.attention_prefill_s
                + traffic_s
                + elementwise_s,
            prefill_pair: prefill.full * rates.attention_prefill_s,
            prefill_window_pair: prefill.window * rates.attention_prefill_s,
            output: (stack.host * stack.sequence_s + (state_bytes + in_time(read.fixed)) * rates.kv_byte_s) / yielded
                + draft_flop * rates.decode_flop_s
                + (fixed * rates.attention_decode_s + traffic_s + elementwise_s) * checked,
            context: (in_time(read.full) + index) * rates.kv_byte_s / yielded
                + full * rates.attention_decode_s * checked,
            window_context: in_time(read.window) * rates.kv_byte_s / yielded
                + window * rates.attention_decode_s * checked,
        };
        let dynamic = Basis {
            request: 0.0,
            cached: 0.0,
            input: read_flop * rates.prefill_flop_j + prefill.fixed * rates.attention_prefill_j + elementwise_j,
            prefill_pair: prefill.full * rates.attention_prefill_j,
            prefill_window_pair: prefill.window * rates.attention_prefill_j,
            output: (state_bytes + in_energy(read.fixed)) * rates.kv_byte_j / yielded
                + draft_flop * rates.decode_flop_j
                + (flop * rates.decode_flop_j + fixed * rates.attention_decode_j + elementwise_j) * checked,
            context: (in_energy(read.full) + index) * rates.kv_byte_j / yielded
                + full * rates.attention_decode_j * checked,
            window_context: in_energy(read.window) * rates.kv_byte_j / yielded
                + window * rates.attention_decode_j * checked,
        };
        let (waiting_w, running_w) = (m.waiting_floor * n * tdp, m.running_floor * n * tdp);
        let mut energy_j = time_s.zip(&dynamic, |s, d| (waiting_w + running_w) * s + d);
        // The host's share of a sequence is waited for, not computed in.
        energy_j.output -= running_w * stack.host * stack.sequence_s / yielded;

        let moe = network.expert_share.is_some();
        let per_layer = stack.layer_s
            + f64::from(u8::from(moe))
                * stack.moe_layer_s
                * if precision.experts_in_four() { stack.moe_layer_4bit } else { 1.0 }
            + f64::from(u8::from(rates.compute == Compute::Eight))
                * (stack.fp8_layer_s + f64::from(u8::from(moe)) * stack.fp8_expert_layer_s)
            + f64::from(u8::from(network.hybrid)) * stack.hybrid_layer_s
            + f64::from(u8::from(tensor > 1.0)) * 2.0 * stack.all_reduce_s;
        let effective = match rates.compute {
            Compute::Eight if !precision.experts_in_four() => m.fp8_expert_bytes,
            _ if precision.experts_in_four() => m.fp4_expert_bytes,
            _ => 1.0,
        };
        let (draft_bytes, _) = precision.stored_bytes(speculation.draft_parameters, 0.0);
        let (dense_bytes, expert_bytes) = precision.stored_bytes(network.dense_parameters, network.expert_parameters);
        Self {
            fixed: Coefficients { energy_j, time_s },
            host_step_s: stack.host * stack.step_s,
            launch_s: network.layers / layout.pipeline * per_layer,
            waiting_w,
            running_w,
            dense_bytes: dense_bytes * layout.data,
            expert_bytes: expert_bytes * effective,
            expert_share: network.expert_share,
            independence: m.routing_independence,
            seconds_per_weight_byte: rates.weight_byte_s,
            joules_per_weight_byte: rates.weight_byte_j,
            flop_s_per_token: flop * rates.decode_flop_s,
            draft_step_s: speculation.drafted * draft_bytes * rates.weight_byte_s,
            draft_step_j: speculation.drafted * draft_bytes * rates.weight_byte_j,
            overlap: m.overlap,
            stages: layout.pipeline,
            speculation: *speculation,
            widening: widening(network, serving),
        }
    }

    /// The same for a network that generates nothing: each request is one step, shared by the requests in it.
    #[must_use]
    pub fn prefill_only(self) -> Self {
        Self { widening: Widening { prefill_only: true, ..self.widening }, ..self }
    }

    /// What is known of the deployment that widens its interval.
    #[must_use]
    pub const fn widening(&self) -> Widening {
        self.widening
    }

    /// Power of all devices while they wait for their host.
    #[must_use]
    pub fn waiting_power(&self) -> Watts {
        Watts(self.waiting_w)
    }

    /// Weight bytes one step touches at this concurrency: experts by the share of them that some token is routed to.
    #[must_use]
    pub fn weight_bytes_per_step(&self, concurrency: f64) -> f64 {
        let tokens = concurrency / self.stages * (self.speculation.drafted + 1.0);
        let touched = self.expert_share.map_or(1.0, |share| coverage(share, tokens, self.independence));
        self.dense_bytes + self.expert_bytes * touched
    }

    /// Wall time of a step apart from attention, cache and traffic of the sequences in it, seconds.
    #[must_use]
    pub fn step_s(&self, concurrency: f64) -> f64 {
        self.host_step_s + self.running_s(concurrency)
    }

    /// The part of a step in which kernels run.
    fn running_s(&self, concurrency: f64) -> f64 {
        let streaming = self.weight_bytes_per_step(concurrency) * self.seconds_per_weight_byte;
        let tokens = concurrency / self.stages * (self.speculation.drafted + 1.0);
        let multiplying = tokens * self.flop_s_per_token;
        let matrices = if self.overlap <= 1.0 {
            streaming + multiplying
        } else {
            (streaming.powf(self.overlap) + multiplying.powf(self.overlap)).powf(self.overlap.recip())
        };
        self.launch_s + matrices + self.draft_step_s
    }

    /// Coefficients at this concurrency: what a step costs once is shared by the sequences in it.
    ///
    /// ```
    /// # use wattledger::{catalog::Catalog, physics::{inference::*, network::*, precision::Precision}, plan};
    /// # use wattledger::units::Watts;
    /// // Llama-3.1-8B on one H100 SXM, 64 sequences: 1000 tokens in, 500 out; parameter set V0.
    /// let h100 = Accelerator {
    ///     rated_power: Watts(700.0), memory_bandwidth_bytes_per_s: 3.35e12, peak_flop_per_s: 989.4e12,
    ///     peak_fp8_flop_per_s: Some(1978.9e12), peak_fp4_flop_per_s: None, link_bytes_per_s: 450e9,
    /// };
    /// let pair = Reach { full: 4.0 * 4096.0 * 32.0, ..Reach::default() };
    /// let llama = Network {
    ///     resident_parameters: 8.03e9, dense_parameters: 8.03e9, expert_parameters: 0.0, active_parameters: 8.03e9,
    ///     layers: 32.0, hidden_size: 4096.0, expert_share: None, hybrid: false, state_elements: 0.0,
    ///     encoder_flop: 0.0,
    ///     attention: Attention {
    ///         read: Reach { full: 65_536.0, ..Reach::default() }, decode_flop: pair, prefill_flop: pair,
    ///         cache_shards: 8.0, ..Attention::default()
    ///     },
    /// };
    /// let served = Serving::plain(1.0, Precision::SIXTEEN);
    /// let at_64 = Roofline::new(&h100, &llama, &served, &plan::parameters(Catalog::builtin(), "V0", "vllm-0.11.1", "hopper")?).coefficients(64.0);
    /// let request = Features { uncached: 1000.0, prefill_pairs: 5e5, output: 500.0, context_pairs: 625e3, ..Features::default() };
    /// let (prefill, decode) = at_64.energy(&request);
    /// assert!((prefill.0 + decode.0 - 73.207).abs() < 0.001);
    /// # Ok::<(), wattledger::Error>(())
    /// ```
    #[must_use]
    pub fn coefficients(&self, concurrency: f64) -> Coefficients {
        let bytes = self.weight_bytes_per_step(concurrency);
        let running_s = self.running_s(concurrency);
        let step_s = self.host_step_s + running_s;
        let sharing = concurrency / self.stages;
        // With fewer sequences than stages some stages wait, and every weight still streams once a token.
        let streaming = sharing.max(1.0);
        let running_j = self.running_w * running_s + bytes * self.joules_per_weight_byte + self.draft_step_j;
        let step_j = self.waiting_w * step_s / sharing + running_j / streaming;
        let mut at = self.fixed;
        if self.widening.prefill_only {
            at.time_s.request += step_s / sharing;
            at.energy_j.request += step_j;
        } else {
            let yielded = self.speculation.yielded();
            at.time_s.output += step_s / sharing / yielded;
            at.energy_j.output += step_j / yielded;
        }
        at
    }
}
