//! Accelerator energy and replica time of inference requests: an additive roofline of one engine step.
//!
//! Per engine step of a replica of n devices with B running sequences, time is the sum of host work, launches, weight
//! streaming, key-value streaming, decode FLOP, prefill FLOP and tensor-parallel traffic; energy is a power floor over
//! that time plus dynamic energy per byte and per FLOP. Both are linear in six features of a request:
//!
//! ```text
//! E = e_in·Iu + e_pp·(I² − Ic²)/2 + e_pw·[A_W(I) − A_W(Ic)]            prefill
//!   + e_out·O + e_ctx·(I·O + O²/2) + e_win·[A_W(I+O) − A_W(I)]         decode          S likewise with s_*
//! e_* = phi0·n·TDP·s_* + d_*
//!
//! tfix  = h·t_step + L·(t_layer + [MoE] t_moe + [hybrid] t_hyb + [n>1] 2·t_ar) + Wb/(n·BW·eta_w)
//! s_out = tfix/B + h·t_seq + 2·state·sK + 2·Pa·sd + sAR                d_out = Wb·jW/B + 2·state·jK + 2·Pa·jF
//! s_in  = 2·Pa·sp + sAR                                                d_in  = 2·Pa·jP
//! s_ctx = kv_full·sK + 4·H·L_full·sd                                   d_ctx = kv_full·jK + 4·H·L_full·jF
//! s_win = kv_win·sK + 4·H·L_win·sd                                     d_win = kv_win·jK + 4·H·L_win·jF
//! s_pp  = 4·H·L_full·sp, d_pp = 4·H·L_full·jP                          s_pw = 4·H·L_win·sp, d_pw = 4·H·L_win·jP
//! ```
//!
//! | symbol | meaning | unit |
//! |---|---|---|
//! | I, Ic, Iu, O | input, cached, uncached input, output tokens | tokens |
//! | S | this request's share of the wall time of the whole replica | s |
//! | n, TDP, BW, F, LK | devices; rated power, memory bandwidth, dense peak, one-way link of one device | –, W, B/s, FLOP/s, B/s |
//! | Pt, Pa, D, X | total and active parameters; non-expert and expert parameters: X = (Pt − Pa)/(1 − k/E), D = Pt − X | – |
//! | Wb | weight bytes a step touches: D·bD + X·cov·bX, cov = 1 − (1 − k/E)^B | B |
//! | L, H | layers; heads × head size | – |
//! | `kv_full`, `kv_win` | key-value bytes per token over full-attention and window layers | B |
//! | sd, sp | seconds per decode and prefill FLOP: 1/(n·F·eta·derate·sz), `sz = (hidden/5120)^g_h` | s |
//! | jF, jP, jW, jK | joules per decode FLOP, prefill FLOP, weight byte, key-value byte | J |
//! | sK, sAR | seconds per key-value byte; tensor-parallel traffic per token, `2·L·hidden·4·(n−1)/n/(LK·eta_l)` | s |
//!
//! Cached tokens cost no prefill and do cost context. Only `s_out` and `d_out` depend on B.
//!
//! Source: fitted on the ML.ENERGY leaderboard (see [`super::parameters`]); the window terms are the exact areas of
//! [`super::attention`]. Range: dense, mixture-of-experts and hybrid transformers on datacentre GPUs, B from 1 to some
//! hundreds. Not validated for other accelerators.

use super::parameters::{Maturity, ParameterSet};
use crate::units::{Joules, Seconds, Watts};

/// One accelerator, from its datasheet.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Accelerator {
    /// Rated power of one device.
    pub rated_power: Watts,
    /// Peak memory bandwidth, bytes per second.
    pub memory_bandwidth_bytes_per_s: f64,
    /// Dense peak at the compute precision, FLOP per second.
    pub peak_flop_per_s: f64,
    /// One direction of the scale-up link, bytes per second.
    pub link_bytes_per_s: f64,
    /// Maturity of the serving software.
    pub maturity: Maturity,
}

/// One network, from its configuration.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Network {
    /// All parameters.
    pub total_parameters: f64,
    /// Parameters a token passes through.
    pub active_parameters: f64,
    /// Layers.
    pub layers: f64,
    /// Hidden size.
    pub hidden_size: f64,
    /// Attention heads × head size.
    pub attention_width: f64,
    /// Layers that attend to the whole context.
    pub full_attention_layers: f64,
    /// Layers that attend to a window.
    pub window_layers: f64,
    /// Key-value bytes per token over the full-attention layers.
    pub kv_bytes_full: f64,
    /// Key-value bytes per token over the window layers.
    pub kv_bytes_window: f64,
    /// Bytes of recurrent state per sequence.
    pub state_bytes: f64,
    /// Experts a token is routed to over experts there are (k/E); `None` for a dense network.
    pub expert_share: Option<f64>,
    /// Whether some layers are recurrent or linear.
    pub hybrid: bool,
}

/// How the network is served.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Serving {
    /// Devices of one replica.
    pub devices: f64,
    /// Bytes per weight.
    pub weight_bytes: f64,
    /// Whether compute runs in FP8.
    pub fp8: bool,
}

/// Coefficients of the six features: joules or seconds per unit of each.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Basis {
    /// Per uncached input token.
    pub input: f64,
    /// Per pair of (I² − Ic²)/2.
    pub prefill_pair: f64,
    /// Per pair of `A_W(I) − A_W(Ic)`.
    pub prefill_window_pair: f64,
    /// Per output token.
    pub output: f64,
    /// Per pair of I·O + O²/2.
    pub context: f64,
    /// Per pair of `A_W(I+O) − A_W(I)`.
    pub window_context: f64,
}

/// Features of one request, or their sums over many.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Features {
    /// Uncached input tokens.
    pub uncached: f64,
    /// (I² − Ic²)/2.
    pub prefill_pairs: f64,
    /// `A_W(I) − A_W(Ic)`; 0 without windows.
    pub prefill_window_pairs: f64,
    /// Output tokens.
    pub output: f64,
    /// I·O + O²/2.
    pub context_pairs: f64,
    /// `A_W(I+O) − A_W(I)`; 0 without windows.
    pub window_context_pairs: f64,
}

impl Basis {
    /// The prefill part.
    #[must_use]
    pub fn prefill(&self, f: &Features) -> f64 {
        self.input * f.uncached
            + self.prefill_pair * f.prefill_pairs
            + self.prefill_window_pair * f.prefill_window_pairs
    }

    /// The decode part.
    #[must_use]
    pub fn decode(&self, f: &Features) -> f64 {
        self.output * f.output + self.context * f.context_pairs + self.window_context * f.window_context_pairs
    }
}

/// Energy and time coefficients of a deployment at one concurrency.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Coefficients {
    /// Joules per unit of each feature.
    pub energy_j: Basis,
    /// Replica seconds per unit of each feature.
    pub time_s: Basis,
}

impl Coefficients {
    /// Accelerator energy of prefill and decode.
    #[must_use]
    pub fn energy(&self, f: &Features) -> (Joules, Joules) {
        (Joules(self.energy_j.prefill(f)), Joules(self.energy_j.decode(f)))
    }

    /// Share of the wall time of the replica.
    #[must_use]
    pub fn replica_time(&self, f: &Features) -> Seconds {
        Seconds(self.time_s.prefill(f) + self.time_s.decode(f))
    }
}

/// The method for one deployment: everything that does not depend on concurrency, worked out once.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Roofline {
    fixed: Coefficients,
    host_and_launch_s: f64,
    floor_w: f64,
    dense_bytes: f64,
    expert_bytes: f64,
    expert_share: Option<f64>,
    seconds_per_weight_byte: f64,
    joules_per_weight_byte: f64,
}

impl Roofline {
    /// Works out what does not depend on concurrency.
    #[must_use]
    pub fn new(accelerator: &Accelerator, network: &Network, serving: &Serving, set: &ParameterSet) -> Self {
        let moe = network.expert_share.is_some();
        let factor = |on: bool, value: f64| if on { value } else { 1.0 };
        let n = serving.devices;
        let tdp = accelerator.rated_power.0;
        let (bandwidth, peak) = (accelerator.memory_bandwidth_bytes_per_s, accelerator.peak_flop_per_s);
        let Maturity { host_time, dynamic_energy } = accelerator.maturity;

        let expert = network
            .expert_share
            .map_or(0.0, |share| (network.total_parameters - network.active_parameters) / (1.0 - share));
        let size = (network.hidden_size / 5120.0).powf(set.size_exponent);
        let speed = factor(serving.fp8, set.fp8_speed) * size;
        let decode_flop_s = 1.0 / (n * peak * set.decode_flop_efficiency * speed * factor(moe, set.moe_decode_derate));
        let prefill_flop_s =
            1.0 / (n * peak * set.prefill_flop_efficiency * speed * factor(moe, set.moe_prefill_derate));

        let mixture = factor(moe, set.moe_energy);
        let per_flop = dynamic_energy * tdp * mixture * factor(serving.fp8, set.fp8_energy) / (peak * size);
        let (decode_flop_j, prefill_flop_j) = (per_flop * set.decode_flop_energy, per_flop * set.prefill_flop_energy);
        let joules_per_weight_byte = dynamic_energy * tdp * set.weight_byte_energy * mixture / bandwidth;
        let kv_byte_j = dynamic_energy * tdp * set.kv_byte_energy / bandwidth;
        let kv_byte_s = 1.0 / (n * bandwidth * set.kv_bandwidth_efficiency);

        let parallel = n > 1.0;
        let traffic_s = if parallel {
            2.0 * network.layers * network.hidden_size * 4.0 * (n - 1.0)
                / n
                / (accelerator.link_bytes_per_s * set.link_efficiency)
        } else {
            0.0
        };
        let per_layer = set.layer_s
            + factor(moe, set.moe_layer_s) * f64::from(u8::from(moe))
            + set.hybrid_layer_s * f64::from(u8::from(network.hybrid))
            + 2.0 * set.all_reduce_s * f64::from(u8::from(parallel));

        let flop_per_token = 2.0 * network.active_parameters;
        let (full, window) = (
            4.0 * network.attention_width * network.full_attention_layers,
            4.0 * network.attention_width * network.window_layers,
        );
        let time_s = Basis {
            input: flop_per_token * prefill_flop_s + traffic_s,
            prefill_pair: full * prefill_flop_s,
            prefill_window_pair: window * prefill_flop_s,
            output: host_time * set.sequence_s
                + 2.0 * network.state_bytes * kv_byte_s
                + flop_per_token * decode_flop_s
                + traffic_s,
            context: network.kv_bytes_full * kv_byte_s + full * decode_flop_s,
            window_context: network.kv_bytes_window * kv_byte_s + window * decode_flop_s,
        };
        let dynamic = Basis {
            input: flop_per_token * prefill_flop_j,
            prefill_pair: full * prefill_flop_j,
            prefill_window_pair: window * prefill_flop_j,
            output: 2.0 * network.state_bytes * kv_byte_j + flop_per_token * decode_flop_j,
            context: network.kv_bytes_full * kv_byte_j + full * decode_flop_j,
            window_context: network.kv_bytes_window * kv_byte_j + window * decode_flop_j,
        };
        let floor_w = set.power_floor * n * tdp;
        let with_floor = |s: f64, d: f64| floor_w * s + d;
        let energy_j = Basis {
            input: with_floor(time_s.input, dynamic.input),
            prefill_pair: with_floor(time_s.prefill_pair, dynamic.prefill_pair),
            prefill_window_pair: with_floor(time_s.prefill_window_pair, dynamic.prefill_window_pair),
            output: with_floor(time_s.output, dynamic.output),
            context: with_floor(time_s.context, dynamic.context),
            window_context: with_floor(time_s.window_context, dynamic.window_context),
        };
        Self {
            fixed: Coefficients { energy_j, time_s },
            host_and_launch_s: host_time * set.step_s + network.layers * per_layer,
            floor_w,
            dense_bytes: (network.total_parameters - expert) * serving.weight_bytes,
            expert_bytes: expert * serving.weight_bytes * factor(serving.fp8, set.fp8_expert_bytes),
            expert_share: network.expert_share,
            seconds_per_weight_byte: 1.0 / (n * bandwidth * set.weight_bandwidth_efficiency),
            joules_per_weight_byte,
        }
    }

    /// Weight bytes one step touches at this concurrency: experts by the share of them that some sequence is routed to.
    #[must_use]
    pub fn weight_bytes_per_step(&self, concurrency: f64) -> f64 {
        let coverage = self.expert_share.map_or(1.0, |share| 1.0 - (1.0 - share).powf(concurrency));
        self.dense_bytes + self.expert_bytes * coverage
    }

    /// Time of a step that does not grow with the sequences in it, seconds.
    #[must_use]
    pub fn step_s(&self, concurrency: f64) -> f64 {
        self.host_and_launch_s + self.weight_bytes_per_step(concurrency) * self.seconds_per_weight_byte
    }

    /// Coefficients at this concurrency: what a step costs once is shared by the sequences in it.
    ///
    /// ```
    /// # use wattledger::physics::{inference::*, parameters::*};
    /// # use wattledger::units::Watts;
    /// // Llama-3.1-8B on one H100 SXM, 64 sequences: 1000 tokens in, 500 out.
    /// let h100 = Accelerator {
    ///     rated_power: Watts(700.0), memory_bandwidth_bytes_per_s: 3.35e12, peak_flop_per_s: 989.4e12,
    ///     link_bytes_per_s: 450e9, maturity: Maturity::MATURE,
    /// };
    /// let llama = Network {
    ///     total_parameters: 8.03e9, active_parameters: 8.03e9, layers: 32.0, hidden_size: 4096.0,
    ///     attention_width: 4096.0, full_attention_layers: 32.0, window_layers: 0.0,
    ///     kv_bytes_full: 131_072.0, kv_bytes_window: 0.0, state_bytes: 0.0, expert_share: None, hybrid: false,
    /// };
    /// let served = Serving { devices: 1.0, weight_bytes: 2.0, fp8: false };
    /// let at_64 = Roofline::new(&h100, &llama, &served, &V0).coefficients(64.0);
    /// let request = Features { uncached: 1000.0, prefill_pairs: 5e5, output: 500.0, context_pairs: 625e3, ..Features::default() };
    /// let (prefill, decode) = at_64.energy(&request);
    /// assert!((prefill.0 + decode.0 - 73.207).abs() < 0.001);
    /// ```
    #[must_use]
    pub fn coefficients(&self, concurrency: f64) -> Coefficients {
        let bytes = self.weight_bytes_per_step(concurrency);
        let step_s = self.host_and_launch_s + bytes * self.seconds_per_weight_byte;
        let mut at = self.fixed;
        at.time_s.output += step_s / concurrency;
        at.energy_j.output += (self.floor_w * step_s + bytes * self.joules_per_weight_byte) / concurrency;
        at
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::physics::parameters::V0;

    fn h100() -> Accelerator {
        Accelerator {
            rated_power: Watts(700.0),
            memory_bandwidth_bytes_per_s: 3.35e12,
            peak_flop_per_s: 989.4e12,
            link_bytes_per_s: 450e9,
            maturity: Maturity::MATURE,
        }
    }

    fn dense(parameters: f64, layers: f64, hidden: f64) -> Network {
        Network {
            total_parameters: parameters,
            active_parameters: parameters,
            layers,
            hidden_size: hidden,
            attention_width: hidden,
            full_attention_layers: layers,
            window_layers: 0.0,
            kv_bytes_full: 2.0 * layers * 8.0 * 128.0 * 2.0,
            kv_bytes_window: 0.0,
            state_bytes: 0.0,
            expert_share: None,
            hybrid: false,
        }
    }

    fn joules(network: &Network, devices: f64, concurrency: f64, input: f64, cached: f64, output: f64) -> f64 {
        let served = Serving { devices, weight_bytes: 2.0, fp8: false };
        let features = Features {
            uncached: input - cached,
            prefill_pairs: (input * input - cached * cached) / 2.0,
            output,
            context_pairs: input * output + output * output / 2.0,
            ..Features::default()
        };
        let (prefill, decode) =
            Roofline::new(&h100(), network, &served, &V0).coefficients(concurrency).energy(&features);
        (prefill + decode).0
    }

    /// Golden values of set V0: the method page states them, and they were worked out twice, independently.
    #[test]
    fn the_golden_values_of_v0_hold() {
        let (small, large) = (dense(8.03e9, 32.0, 4096.0), dense(70.55e9, 80.0, 8192.0));
        let golden = [
            (joules(&small, 1.0, 64.0, 1000.0, 0.0, 500.0), 73.207),
            (joules(&small, 1.0, 64.0, 1000.0, 800.0, 500.0), 58.906),
            (joules(&large, 4.0, 64.0, 1000.0, 0.0, 500.0), 590.97),
            (joules(&large, 4.0, 256.0, 1000.0, 0.0, 500.0), 416.73),
            (joules(&large, 4.0, 256.0, 1000.0, 800.0, 500.0), 268.57),
        ];
        for (ours, stated) in golden {
            assert!((ours / stated - 1.0).abs() < 5e-5, "{ours} J against {stated} J");
        }
    }

    #[test]
    fn experts_are_touched_by_coverage() {
        let mut moe = dense(30.53e9, 48.0, 2048.0);
        moe.active_parameters = 3.35e9;
        moe.expert_share = Some(8.0 / 128.0);
        let served = Serving { devices: 1.0, weight_bytes: 2.0, fp8: false };
        let method = Roofline::new(&h100(), &moe, &served, &V0);
        let one = method.weight_bytes_per_step(1.0);
        assert!((one / (2.0 * 3.35e9) - 1.0).abs() < 1e-12, "a single sequence touches its active parameters");
        assert!(method.weight_bytes_per_step(1e4) <= 2.0 * 30.53e9 * (1.0 + 1e-12));
    }
}
