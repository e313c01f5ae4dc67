//! Seconds and joules per FLOP and per byte of one deployment.
//!
//! ```text
//! seconds per FLOP = 1/(n·F·r_f·eta·speed·size·mixture)     joules per FLOP = q·TDP·k·k_x·k_8/(F·size)
//! seconds per byte = 1/(n·BW·r·eta)                         joules per byte = q·TDP·k/BW
//! ```
//!
//! Everything is relative to the datasheet: a device that moves bytes or multiplies at its peak rate spends k times its
//! rated power on it, whatever device it is. That is what lets one set of values speak for accelerators it never saw.
//!
//! Source: see [`super::inference`], where every symbol stands. Range: as there.

use super::accelerator::{Accelerator, Serving};
use super::network::Network;
use super::parameters::Parameters;
use super::precision::Compute;

/// Seconds and joules per FLOP and byte.
pub(super) struct Rates {
    pub compute: Compute,
    pub decode_flop_s: f64,
    pub decode_flop_j: f64,
    pub prefill_flop_s: f64,
    pub prefill_flop_j: f64,
    pub attention_decode_s: f64,
    pub attention_decode_j: f64,
    pub attention_prefill_s: f64,
    pub attention_prefill_j: f64,
    pub weight_byte_s: f64,
    pub weight_byte_j: f64,
    pub kv_byte_s: f64,
    pub kv_byte_j: f64,
}

impl Rates {
    pub fn new(accelerator: &Accelerator, network: &Network, serving: &Serving, parameters: &Parameters) -> Self {
        let Parameters { method: m, silicon, stack } = parameters;
        let moe = network.expert_share.is_some();
        let mixture = |value: f64| if moe { value } else { 1.0 };
        let n = serving.layout.devices;
        let (tdp, bandwidth) = (accelerator.rated_power.0, accelerator.memory_bandwidth_bytes_per_s);
        let (peak, compute) = accelerator.peak(serving.precision.compute);
        let (speed, energy) = match compute {
            Compute::Sixteen => (1.0, 1.0),
            Compute::Eight => (m.fp8_speed, m.fp8_energy),
            Compute::Four => (m.fp4_speed, m.fp4_energy),
        };
        let stored =
            if serving.precision.weight_bytes < 0.6 && compute == Compute::Sixteen { m.weight_only_speed } else { 1.0 };
        let size = (network.hidden_size / 5120.0).powf(m.decode_size_exponent);
        let prompt_size = (network.hidden_size / 5120.0).powf(m.prefill_size_exponent);
        let four = if serving.precision.experts_in_four() && moe { stack.dynamic_energy_4bit } else { 1.0 };
        let per_w = stack.dynamic_energy * four * tdp;

        let decode_flop_s =
            1.0 / (n * peak * silicon.flop * m.decode_flop_efficiency * speed * size * mixture(m.moe_decode_derate));
        let split = mixture(m.moe_prefill_derate * n.powf(-m.moe_prefill_split));
        let prefill_flop_s =
            1.0 / (n * peak * silicon.flop * m.prefill_flop_efficiency * speed * stored * prompt_size * split);
        let per_flop = per_w * mixture(m.moe_energy) * energy / peak;
        let (decode_flop_j, prefill_flop_j) =
            (per_flop * m.decode_flop_energy / size, per_flop * m.prefill_flop_energy / prompt_size);
        let as_weights = m.attention_as_weights > 0.0;
        let sixteen = n * accelerator.peak_flop_per_s * silicon.flop * m.prefill_flop_efficiency;
        let attention_j = per_w * m.decode_flop_energy / accelerator.peak_flop_per_s;
        Self {
            compute,
            decode_flop_s,
            decode_flop_j,
            prefill_flop_s,
            prefill_flop_j,
            attention_decode_s: if as_weights { decode_flop_s } else { 0.0 },
            attention_decode_j: if as_weights { decode_flop_j } else { attention_j },
            attention_prefill_s: if as_weights { prefill_flop_s } else { sixteen.recip() },
            attention_prefill_j: if as_weights { prefill_flop_j } else { attention_j },
            weight_byte_s: 1.0 / (n * bandwidth * m.weight_bandwidth_efficiency * silicon.weight_bandwidth),
            weight_byte_j: per_w * m.weight_byte_energy * mixture(m.moe_energy) / bandwidth,
            kv_byte_s: 1.0 / (n * bandwidth * m.kv_bandwidth_efficiency * silicon.kv_bandwidth),
            kv_byte_j: per_w * m.kv_byte_energy / bandwidth,
        }
    }
}
