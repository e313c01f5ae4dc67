//! Laws at a fixed operating point: more never costs less.

use crate::support::{Logged, by, close, estimate, fleet, logged, value};
use proptest::prelude::*;
use wattledger::estimate::{Request, request};
use wattledger::fleet::Fleet;

fn it_kwh(tokens: [u64; 3], concurrency: f64) -> f64 {
    let asked = Request {
        model: Some("llama-3.1-70b-instruct".into()),
        concurrency: Some(concurrency),
        input_tokens: tokens[0],
        cached_tokens: tokens[1],
        output_tokens: Some(tokens[2]),
        ..Request::default()
    };
    let estimate = request(&Fleet::assumed(), &asked).expect("an estimate");
    estimate.values().iter().find(|(name, _)| *name == "it_kwh").expect("a column").1.expect("known")[0]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn more_tokens_never_cost_less_and_cached_ones_never_more(
        input in 1_u64..50_000, cached in 0_u64..50_000, output in 0_u64..10_000, more in 1_u64..1000, b in 1.0_f64..256.0,
    ) {
        let cached = cached.min(input);
        let base = it_kwh([input, cached, output], b);
        prop_assert!(it_kwh([input + more, cached, output], b) > base);
        prop_assert!(it_kwh([input, cached, output + more], b) > base);
        prop_assert!(it_kwh([input, 0, output], b) >= base);
        prop_assert!(it_kwh([input, cached, output], b * 1.5) <= base);
    }

    /// Where the operating point is declared, a log costs what its requests cost one by one.
    #[test]
    fn a_ledger_costs_what_its_requests_cost(
        requests in prop::collection::vec((0_i64..7200, 1_u32..5000, 0_u32..=100, 0_u32..2000), 1..20),
    ) {
        let requests: Vec<Logged> = requests
            .into_iter()
            .map(|(at, input, share, output)| Logged { tokens: [input, input / 100 * share, output], ..logged(at) })
            .collect();
        let fleet = fleet("tenancy = 'shared'\nconcurrency = 32");
        let whole = estimate(&requests, &fleet).total();
        let mut sum = 0.0;
        for one in &requests {
            let asked = Request {
                deployment: Some("chat".into()),
                input_tokens: one.tokens[0].into(),
                cached_tokens: one.tokens[1].into(),
                output_tokens: Some(one.tokens[2].into()),
                ..Request::default()
            };
            let estimate = request(&fleet, &asked).unwrap();
            sum += estimate.values().iter().find(|(name, _)| *name == "facility_kwh").unwrap().1.unwrap()[0];
        }
        let whole = value(&whole, "facility_kwh");
        prop_assert!(close(whole, sum), "{} {}", whole, sum);
    }

    /// IT energy does not know the building; facility energy does.
    #[test]
    fn a_worse_building_never_helps(pue in 1.0_f64..2.0, worse in 0.01_f64..1.0) {
        let at = |pue: f64| {
            let text = format!(
                "[[deployment]]\nname = 'chat'\nmodel = 'llama-3.1-8b-instruct'\nhardware = 'h100'\nsite = 'here'\n\
                 [site.here]\npue = {pue:?}\n"
            );
            let fleet = Fleet::parse(&text, "fleet.toml").unwrap();
            let estimate = estimate(&[logged(0)], &fleet);
            let total = by(&estimate, &[]).total;
            (value(&total, "it_kwh"), value(&total, "facility_kwh"))
        };
        let ((it, facility), (same, more)) = (at(pue), at(pue + worse));
        prop_assert_eq!(it.to_bits(), same.to_bits());
        prop_assert!(more > facility);
    }

    /// Replicas that wait draw power: twice as many under the same load never wait for less.
    #[test]
    fn doubling_replicas_at_the_same_load_never_lowers_idle(
        requests in prop::collection::vec((0_i64..7200, 1_u32..5000, 1_u32..2000), 1..40), replicas in 1_u32..20,
        latency in prop::option::of(1_u32..120),
    ) {
        let requests: Vec<Logged> = requests
            .into_iter()
            .map(|(at, input, output)| {
                Logged { tokens: [input, 0, output], latency_s: latency.map(i64::from), ..logged(at) }
            })
            .collect();
        let idle = |replicas: u32| value(&estimate(&requests, &fleet(&format!("replicas = {replicas}"))).total(), "idle_kwh");
        let (once, twice) = (idle(replicas), idle(2 * replicas));
        prop_assert!(twice >= once * (1.0 - 1e-9), "{} with {}, {} with twice", once, replicas, twice);
    }
}
