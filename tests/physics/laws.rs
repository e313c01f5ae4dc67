//! Laws at a fixed operating point, for the set that estimates use.

use super::{features, h100, network};
use proptest::prelude::*;
use wattledger::catalog::Catalog;
use wattledger::physics::attention::doubled_area;
use wattledger::physics::inference::{Coefficients, Features, Roofline, Serving};
use wattledger::physics::network::{Network, Reach};
use wattledger::physics::parallel::Layout;
use wattledger::physics::precision::Precision;
use wattledger::physics::speculative::Speculation;
use wattledger::plan::{DEFAULT_SET, parameters};

fn coefficients(network: &Network, serving: &Serving, concurrency: f64) -> Coefficients {
    let parameters = parameters(Catalog::builtin(), DEFAULT_SET, "vllm-0.11.1", "hopper").unwrap();
    Roofline::new(&h100(), network, serving, &parameters).coefficients(concurrency)
}

fn joules(at: &Coefficients, f: &Features) -> f64 {
    let (prefill, decode) = at.energy(f);
    prefill.0 + decode.0
}

fn any_network() -> impl Strategy<Value = Network> {
    (1.0..100.0_f64, 0.05..1.0_f64, prop::option::of(1.0..8.0_f64), 8.0..100.0_f64, 1.0..16.0_f64).prop_map(
        |(billions, active, used, layers, width)| {
            let share = used.map(|used| used / 128.0);
            let total = billions * 1e9;
            let active = if share.is_some() { total * active } else { total };
            network(total, active, share, layers.round(), width.round() * 1024.0, [32.0, 8.0])
        },
    )
}

proptest! {
    #[test]
    fn more_tokens_never_cost_less(net in any_network(), b in 1.0..512.0_f64, input in 1.0..1e5_f64, output in 0.0..1e4_f64, more in 1.0..1e3_f64) {
        let at = coefficients(&net, &Serving::plain(4.0, Precision::SIXTEEN), b);
        let base = joules(&at, &features(input, 0.0, output));
        prop_assert!(joules(&at, &features(input + more, 0.0, output)) >= base);
        prop_assert!(joules(&at, &features(input, 0.0, output + more)) >= base);
        prop_assert!(at.replica_time(&features(input, 0.0, output + more)).0 >= at.replica_time(&features(input, 0.0, output)).0);
    }

    #[test]
    fn caching_never_costs_more_than_not_caching(net in any_network(), b in 1.0..512.0_f64, input in 1.0..1e5_f64, share in 0.0..1.0_f64) {
        let at = coefficients(&net, &Serving::plain(4.0, Precision::SIXTEEN), b);
        prop_assert!(joules(&at, &features(input, input * share, 100.0)) <= joules(&at, &features(input, 0.0, 100.0)));
    }

    #[test]
    fn more_parameters_never_cost_less(net in any_network(), b in 1.0..512.0_f64, factor in 1.0..3.0_f64) {
        let larger = Network {
            dense_parameters: net.dense_parameters * factor,
            expert_parameters: net.expert_parameters * factor,
            active_parameters: net.active_parameters * factor,
            ..net
        };
        let serving = Serving::plain(4.0, Precision::SIXTEEN);
        let f = features(1000.0, 0.0, 500.0);
        prop_assert!(joules(&coefficients(&larger, &serving, b), &f) >= joules(&coefficients(&net, &serving, b), &f));
    }

    #[test]
    fn fewer_bits_never_stream_more_bytes(net in any_network(), b in 1.0..512.0_f64, sparsity in 0.0..0.9_f64) {
        let parameters = parameters(Catalog::builtin(), DEFAULT_SET, "vllm-0.11.1", "hopper").unwrap();
        let bytes = |precision: Precision| {
            Roofline::new(&h100(), &net, &Serving::plain(4.0, precision), &parameters).weight_bytes_per_step(b)
        };
        let names = ["fp32", "bf16", "fp8", "q6_k", "int4"];
        let streamed: Vec<f64> = names.iter().map(|name| bytes(Precision::named(name).unwrap())).collect();
        prop_assert!(streamed.is_sorted_by(|a, b| a >= b), "{streamed:?}");
        prop_assert!(bytes(Precision::SIXTEEN.sparse(sparsity)) <= bytes(Precision::SIXTEEN));
    }

    #[test]
    fn an_eight_bit_cache_never_costs_more(net in any_network(), b in 1.0..512.0_f64, input in 1.0..1e5_f64) {
        let f = features(input, 0.0, 500.0);
        let with = |cache_bytes: f64| {
            let precision = Precision { cache_bytes, ..Precision::SIXTEEN };
            let at = coefficients(&net, &Serving::plain(4.0, precision), b);
            (joules(&at, &f), at.replica_time(&f).0)
        };
        let (eight, sixteen) = (with(1.0), with(2.0));
        prop_assert!(eight.0 <= sixteen.0 && eight.1 <= sixteen.1);
    }

    #[test]
    fn an_endless_window_is_full_attention(net in any_network(), b in 1.0..512.0_f64, input in 1_u32..100_000, output in 0_u32..10_000) {
        let windowed = |reach: Reach| Reach { full: 0.0, window: reach.full, fixed: reach.fixed };
        let mut other = net;
        other.attention.read = windowed(net.attention.read);
        other.attention.decode_flop = windowed(net.attention.decode_flop);
        other.attention.prefill_flop = windowed(net.attention.prefill_flop);
        let (i, o) = (u64::from(input), u64::from(output));
        let full = features(f64::from(input), 0.0, f64::from(output));
        #[expect(clippy::cast_precision_loss, reason = "areas far below 2^53")]
        let area = |x: u64| doubled_area(x, 1 << 31) as f64 / 2.0;
        let window = Features { prefill_window_pairs: area(i), window_context_pairs: area(i + o) - area(i), ..full };
        let serving = Serving::plain(4.0, Precision::SIXTEEN);
        let (a, b) = (joules(&coefficients(&net, &serving, b), &full), joules(&coefficients(&other, &serving, b), &window));
        prop_assert!((a / b - 1.0).abs() < 1e-12, "{a} {b}");
    }

    #[test]
    fn drafting_nothing_changes_nothing_and_sure_drafts_save_streaming(net in any_network(), drafted in 1.0..8.0_f64) {
        let plain = Serving::plain(4.0, Precision::SIXTEEN);
        let idle = Serving { speculation: Speculation { acceptance: 0.9, ..Speculation::NONE }, ..plain };
        prop_assert_eq!(coefficients(&net, &plain, 8.0), coefficients(&net, &idle, 8.0));
        let sure = Serving { speculation: Speculation { drafted, acceptance: 1.0, draft_parameters: 0.0 }, ..plain };
        let (a, b) = (coefficients(&net, &sure, 1.0), coefficients(&net, &plain, 1.0));
        if net.expert_share.is_none() {
            prop_assert!(a.energy_j.output < b.energy_j.output);
        }
    }

    #[test]
    fn data_parallel_attention_streams_its_weights_in_each_group(net in any_network(), b in 1.0..512.0_f64) {
        let parameters = parameters(Catalog::builtin(), DEFAULT_SET, "vllm-0.11.1", "hopper").unwrap();
        let bytes = |data: f64| {
            let serving = Serving { layout: Layout { devices: 8.0, data, pipeline: 1.0 }, ..Serving::plain(8.0, Precision::SIXTEEN) };
            Roofline::new(&h100(), &net, &serving, &parameters).weight_bytes_per_step(b)
        };
        let more = bytes(4.0) - bytes(1.0);
        prop_assert!((more / (3.0 * 2.0 * net.dense_parameters) - 1.0).abs() < 1e-9);
    }
}
