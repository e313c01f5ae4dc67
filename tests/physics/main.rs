//! The inference method through its public doors: golden values of every parameter set, and the laws it obeys.

mod laws;

use wattledger::catalog::Catalog;
use wattledger::physics::inference::{Accelerator, Features, Roofline, Serving};
use wattledger::physics::network::{Attention, Network, Reach};
use wattledger::physics::precision::Precision;
use wattledger::plan::parameters;
use wattledger::units::Watts;

fn h100() -> Accelerator {
    Accelerator {
        rated_power: Watts(700.0),
        memory_bandwidth_bytes_per_s: 3.35e12,
        peak_flop_per_s: 989.4e12,
        peak_fp8_flop_per_s: Some(1978.9e12),
        peak_fp4_flop_per_s: None,
        link_bytes_per_s: 450e9,
    }
}

/// A grouped-query transformer with head size 128.
fn network(total: f64, active: f64, share: Option<f64>, layers: f64, hidden: f64, heads: [f64; 2]) -> Network {
    let (dense_parameters, expert_parameters) = Network::split(total, active, share);
    let flop = Reach { full: 4.0 * heads[0] * 128.0 * layers, ..Reach::default() };
    let cache = Reach { full: 2.0 * layers * heads[1] * 128.0, ..Reach::default() };
    Network {
        resident_parameters: total,
        dense_parameters,
        expert_parameters,
        active_parameters: active,
        layers,
        hidden_size: hidden,
        expert_share: share,
        hybrid: false,
        state_elements: 0.0,
        encoder_flop: 0.0,
        attention: Attention {
            read: cache,
            stored: cache,
            decode_flop: flop,
            prefill_flop: flop,
            cache_shards: heads[1],
            ..Attention::default()
        },
    }
}

fn features(input: f64, cached: f64, output: f64) -> Features {
    Features {
        requests: 1.0,
        cached,
        uncached: input - cached,
        prefill_pairs: (input * input - cached * cached) / 2.0,
        output,
        context_pairs: input * output + output * output / 2.0,
        ..Features::default()
    }
}

fn joules(set: &str, network: &Network, devices: f64, concurrency: f64, cached: f64) -> f64 {
    let parameters = parameters(Catalog::builtin(), set, "vllm-0.11.1", "hopper").unwrap();
    let serving = Serving::plain(devices, Precision::SIXTEEN);
    let at = Roofline::new(&h100(), network, &serving, &parameters).coefficients(concurrency);
    let (prefill, decode) = at.energy(&features(1000.0, cached, 500.0));
    prefill.0 + decode.0
}

/// The values that the fits of the older sets state, worked out twice, independently.
#[test]
fn golden_values_of_the_older_sets_hold() {
    let llama_8b = network(8.03e9, 8.03e9, None, 32.0, 4096.0, [32.0, 8.0]);
    let llama_70b = network(70.55e9, 70.55e9, None, 80.0, 8192.0, [64.0, 8.0]);
    let qwen_30b = network(30.53e9, 3.34e9, Some(8.0 / 128.0), 48.0, 2048.0, [32.0, 4.0]);
    let stated = [
        ("V0", &llama_8b, 1.0, 64.0, 0.0, 73.207),
        ("V0", &llama_8b, 1.0, 64.0, 800.0, 58.906),
        ("V0", &llama_70b, 4.0, 64.0, 0.0, 590.97),
        ("V0", &llama_70b, 4.0, 256.0, 0.0, 416.73),
        ("V0", &llama_70b, 4.0, 256.0, 800.0, 268.57),
        ("V0", &qwen_30b, 1.0, 64.0, 0.0, 173.0),
        ("V11", &llama_8b, 1.0, 64.0, 0.0, 70.9),
        ("V11", &llama_8b, 1.0, 64.0, 800.0, 56.7),
        ("V11", &llama_70b, 4.0, 64.0, 0.0, 577.8),
        ("V11", &llama_70b, 4.0, 64.0, 800.0, 424.8),
        ("V11", &llama_70b, 4.0, 256.0, 0.0, 396.4),
        ("V11", &llama_70b, 4.0, 256.0, 800.0, 243.4),
        ("V11", &qwen_30b, 1.0, 64.0, 0.0, 173.8),
        ("V11", &qwen_30b, 1.0, 64.0, 800.0, 161.2),
    ];
    for (set, network, devices, concurrency, cached, stated) in stated {
        let ours = joules(set, network, devices, concurrency, cached);
        assert!((ours / stated - 1.0).abs() < 3e-3, "{set}: {ours} J against {stated} J");
    }
}
