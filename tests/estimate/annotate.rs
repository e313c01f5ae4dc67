//! Single events: the fast way against the plain one, event by event.

use crate::support::{self, Logged, START_S, fleet, logged};
use proptest::prelude::*;
use std::sync::Arc;
use wattledger::estimate::columns::{SUMS, sum};
use wattledger::estimate::{Annotator, Estimate};
use wattledger::fleet::Fleet;
use wattledger::kernel::{Accumulator, Kept};
use wattledger::physics::attention::doubled_area;
use wattledger::physics::inference::Features;

/// What an event costs, by the rate of its bin and its features, each taken from exact integers.
fn plain(estimate: &Estimate, kept: bool, deployment: usize, bin: i64, tokens: [u32; 3]) -> Option<[f64; 6]> {
    let [i, c, o] = tokens.map(u64::from);
    let window = estimate.plan().deployments()[deployment].window;
    // Where the ledger was made without the window, full attention stands in.
    let area = |x: u64| window.map_or(0, |w| doubled_area(x, if kept { w.into() } else { u64::MAX }));
    #[expect(clippy::cast_precision_loss, reason = "rounded once")]
    let half = |doubled: u64| doubled as f64 / 2.0;
    let rate = estimate.rates().get(deployment, bin)?;
    let parts = rate.parts(&Features {
        requests: 1.0,
        cached: half(2 * c),
        uncached: half(2 * (i - c)),
        prefill_pairs: half(i * i - c * c),
        prefill_window_pairs: half(area(i) - area(c)),
        output: half(2 * o),
        context_pairs: half(2 * i * o + o * o),
        window_context_pairs: half(area(i + o) - area(i)),
    });
    let joules = [parts.prefill_j, parts.decode_j, parts.idle_j, parts.host_j, parts.it_j()];
    let [prefill, decode, idle, host, it] = joules.map(|j| j / 3.6e6);
    Some([parts.replica_s, prefill, decode, idle, host, it])
}

const PLAIN: [&str; 6] = ["replica_seconds", "prefill_kwh", "decode_kwh", "idle_kwh", "host_kwh", "it_kwh"];

/// Two deployments of which one has a window, one is dedicated, and requests that go nowhere.
fn two() -> Fleet {
    let other =
        "[[deployment]]\nname = 'windowed'\nmodel = 'gemma-3-27b-it'\nhardware = 'h100-sxm5-80gb'\nsite = 'here'\n";
    fleet(&format!("tenancy = 'dedicated'\nreplicas = 3\nconcurrency = 8\n{other}"))
}

fn requests() -> impl Strategy<Value = Vec<Logged>> {
    let one = (0..20_000_i64, 0..60_000_u32, 0..60_000_u32, 0..9000_u32, 0..3_usize);
    prop::collection::vec(one, 1..700).prop_map(|requests| {
        let request = |(at_s, a, b, output, model): (i64, u32, u32, u32, usize)| Logged {
            labels: vec![("model", ["llama-3.1-8b-instruct", "gemma-3-27b-it", "nobody/knows"][model])],
            tokens: [a.max(b), a.min(b), output],
            ..logged(at_s)
        };
        requests.into_iter().map(request).collect()
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    #[test]
    fn each_event_costs_what_its_rate_and_its_features_say(
        mut requests in requests(),
        (sorted, kept) in any::<(bool, bool)>(),
        (first, last) in (0..SUMS.len(), 0..SUMS.len()),
    ) {
        if sorted {
            requests.sort_by_key(|request| request.at_s);
        }
        let fleet = two();
        let (table, batch) = support::events(&requests);
        let windows = if kept { fleet.windows().unwrap() } else { Vec::new() };
        let mut accumulator = Accumulator::new(&Kept { windows, ..Kept::default() });
        accumulator.batch(&batch, &table).unwrap();
        let estimate = Estimate::new(&accumulator.into_ledger(&table).unwrap(), &fleet).unwrap();
        let all = support::annotated(&estimate, &batch.columns(), &table);
        for (at, request) in requests.iter().enumerate() {
            let bin = START_S + request.at_s.div_euclid(3600) * 3600;
            let name = request.labels[0].1;
            let deployment = estimate.plan().deployments().iter().position(|d| name.contains(&*d.model) && !d.assumed);
            let expected = deployment.and_then(|deployment| plain(&estimate, kept, deployment, bin, request.tokens));
            for (i, column) in PLAIN.iter().enumerate() {
                let value = all[sum(column)][at];
                match expected {
                    None => prop_assert!(value.is_nan(), "{column}: {value}"),
                    Some(expected) => prop_assert!(
                        (value - expected[i]).abs() <= 1e-13 * expected[5].abs().max(expected[i].abs()),
                        "{column} of {request:?}: {value}, expected {}", expected[i]
                    ),
                }
            }
        }
        // Any choice of columns, in either width, is the same as those of all.
        let keep: Vec<usize> = if first <= last { (first..=last).collect() } else { (last..=first).rev().collect() };
        let mut annotator = Annotator::new(Arc::new(estimate), &keep);
        let n = requests.len();
        let (mut long, mut short) = (vec![vec![0.0_f64; n]; keep.len()], vec![vec![0.0_f32; n]; keep.len()]);
        annotator.annotate(&batch.columns(), &table, &mut long.iter_mut().map(Vec::as_mut_slice).collect::<Vec<_>>());
        annotator.annotate(&batch.columns(), &table, &mut short.iter_mut().map(Vec::as_mut_slice).collect::<Vec<_>>());
        for (place, column) in keep.iter().enumerate() {
            for at in 0..n {
                prop_assert_eq!(long[place][at].to_bits(), all[*column][at].to_bits(), "{}", SUMS[*column].name);
                #[expect(clippy::cast_possible_truncation, reason = "narrower results were asked for")]
                let rounded = all[*column][at] as f32;
                prop_assert_eq!(short[place][at].to_bits(), rounded.to_bits());
            }
        }
    }
}

#[test]
fn columns_keep_the_proportions_of_the_estimate() {
    let requests: Vec<Logged> = support::busy_hour(0).collect();
    let estimate = support::estimate(&requests, &fleet("concurrency = 8"));
    let (table, batch) = support::events(&requests);
    let columns = support::annotated(&estimate, &batch.columns(), &table);
    let whole = estimate.total();
    for (at, column) in SUMS.iter().enumerate() {
        let of_one = columns[at][17];
        match whole.value(at) {
            None => assert!(of_one.is_nan(), "{}", column.name),
            Some(sum) => assert!(support::close(of_one * 360.0, sum), "{}: {of_one} of {sum}", column.name),
        }
    }
}
