//! The reference: one event after another into maps of 128-bit sums, and the kernel against it.

use crate::support::{BIN_S, Fact, Mixed, START_US, WINDOWS, facts, labels, ledger, ledger_in};
use proptest::prelude::*;
use std::collections::BTreeMap;
use wattledger::keys::Series;
use wattledger::ledger::{Ledger, NULL_BIN, Row, Rows};

type Key = (Vec<Option<String>>, i64);

/// A ledger as maps: moments, occupancy, and each window.
#[derive(Clone, Debug, Default, PartialEq)]
struct Maps {
    moments: BTreeMap<Key, [u128; 8]>,
    occupancy: BTreeMap<Key, [u128; 4]>,
    windows: BTreeMap<(u32, Key), [u128; 2]>,
}

fn add<const N: usize>(sums: &mut [u128; N], more: [u128; N]) {
    for (sum, value) in sums.iter_mut().zip(more) {
        *sum += value;
    }
}

/// Start of the bin of this width, in seconds.
fn bin(time_us: Option<i64>, width_s: i64) -> i64 {
    time_us.map_or(NULL_BIN, |t| t.div_euclid(width_s * 1_000_000) * width_s)
}

/// Twice the pairs of query and key within a window, from the first token to the last.
fn area(tokens: u128, window: u128) -> u128 {
    let full = tokens.min(window);
    full * full + 2 * window * (tokens - full)
}

/// The sums as the specification says them, an event at a time.
fn naive(facts: &[Fact]) -> Maps {
    let mut maps = Maps::default();
    for fact in facts {
        let [i, c, o] = [fact.input, fact.cached, fact.output].map(u128::from);
        let key = (labels(fact), bin(fact.time_us, i64::from(BIN_S)));
        add(maps.moments.entry(key.clone()).or_default(), [1, i, c, o, i * i, c * c, i * o, o * o]);
        for window in WINDOWS {
            let a = |tokens| area(tokens, u128::from(window));
            let areas = [a(i) - a(c), a(i + o) - a(i)];
            if areas != [0, 0] {
                add(maps.windows.entry((window, key.clone())).or_default(), areas);
            }
        }
        let route = labels(fact)[..6].to_vec();
        let span = fact.time_us.zip(fact.latency_us);
        let arrived = [0, u128::from(span.is_some()), 1, o];
        add(maps.occupancy.entry((route.clone(), bin(fact.time_us, 300))).or_default(), arrived);
        let Some((start, latency)) = span else { continue };
        let mut edge = bin(Some(start), 300);
        while edge * 1_000_000 < start + latency {
            let inside = (start + latency).min((edge + 300) * 1_000_000) - start.max(edge * 1_000_000);
            let overlap = u128::try_from(inside).expect("it overlaps");
            if overlap > 0 {
                add(maps.occupancy.entry((route.clone(), edge)).or_default(), [overlap, 0, 0, 0]);
            }
            edge += 300;
        }
    }
    maps
}

fn maps(ledger: &Ledger) -> Maps {
    fn named<const N: usize>(rows: &Rows<N>, series: &[Series], width: usize) -> BTreeMap<Key, [u128; N]> {
        let key = |row: &Row<N>| {
            let labels = series[row.key as usize].labels()[..width].iter();
            (labels.map(|label| label.as_deref().map(str::to_owned)).collect(), row.bin)
        };
        let map: BTreeMap<Key, [u128; N]> = rows.iter().map(|row| (key(&row), row.sums)).collect();
        assert_eq!(map.len(), rows.len(), "a key stands once");
        map
    }
    let windows = ledger.windows().iter().flat_map(|family| {
        let rows = named(&family.rows, ledger.series(), 7);
        rows.into_iter().map(|(key, sums)| ((family.window, key), sums))
    });
    Maps {
        moments: named(ledger.moments(), ledger.series(), 7),
        occupancy: named(ledger.occupancy(), ledger.routes(), 6),
        windows: windows.collect(),
    }
}

proptest! {
    #[test]
    fn the_kernel_agrees_with_the_naive_sums(facts in facts(80), rows in 1_usize..40) {
        prop_assert_eq!(maps(&ledger_in(&facts, rows)), naive(&facts));
    }

    #[test]
    fn rows_are_in_canonical_order(facts in facts(60)) {
        let ledger = ledger(&facts);
        prop_assert!(ledger.series().is_sorted() && ledger.routes().is_sorted());
        prop_assert!(ledger.moments().iter().is_sorted_by_key(|row| (row.key, row.bin)));
        prop_assert!(ledger.occupancy().iter().is_sorted_by_key(|row| (row.key, row.bin)));
        let routes = ledger.route_of_series();
        for (series, route) in ledger.series().iter().zip(routes) {
            prop_assert_eq!(series.route(), ledger.routes()[route as usize].labels());
        }
    }
}

/// An event like any other, but for what is said.
fn plain() -> Fact {
    Fact {
        model: 0,
        region: None,
        tenant: None,
        time_us: Some(START_US),
        input: 100,
        cached: 0,
        output: 20,
        latency_us: None,
    }
}

#[test]
fn thousands_of_the_largest_events_do_not_wrap() {
    let most = 1_000_000_000;
    let largest = Fact { input: most, cached: most, output: most, ..plain() };
    let facts = vec![largest; 5000];
    let made = maps(&ledger(&facts));
    assert_eq!(made, naive(&facts));
    let sums = made.moments.values().next().expect("one row");
    assert_eq!(sums[4], 5000 * u128::from(most).pow(2));
    assert!(sums[4] > u128::from(u64::MAX) * 200);
}

#[test]
fn large_and_small_events_in_one_tile_agree() {
    let mut mixed = Mixed(7);
    let facts: Vec<Fact> = (0..20_000)
        .map(|i| {
            let large = i % 997 == 0;
            let limit = if large { 1_000_000_000 } else { 3000 };
            let count = |mixed: &mut Mixed| u32::try_from(mixed.below(limit)).expect("below the limit");
            let input = count(&mut mixed);
            Fact {
                tenant: Some(u8::try_from(mixed.below(5)).expect("small")),
                time_us: Some(START_US + i * 500_000),
                input,
                cached: input / 2,
                output: count(&mut mixed),
                ..plain()
            }
        })
        .collect();
    assert_eq!(maps(&ledger(&facts)), naive(&facts));
}

#[test]
fn wide_and_shuffled_events_agree() {
    let mut mixed = Mixed(11);
    let mut small = |limit| u8::try_from(mixed.below(limit)).expect("small");
    // 64,000 series over 400 bins: more cells than are kept dense, and few of them filled.
    let facts: Vec<Fact> = (0..40_000)
        .map(|_| {
            let labels = (small(40), Some(small(40)), Some(small(40)));
            let hour = i64::from(small(100)) * 3_600_000_000 + i64::from(small(200)) * 17_000_000;
            Fact {
                model: labels.0,
                region: labels.1,
                tenant: labels.2,
                time_us: Some(START_US + hour),
                latency_us: Some(i64::from(small(250)) * 7_000_000),
                ..plain()
            }
        })
        .collect();
    assert_eq!(maps(&ledger(&facts)), naive(&facts));
}

#[test]
fn a_latency_over_many_bins_is_split_without_a_loss() {
    let days = 30 * 86_400 * 1_000_000;
    let facts = vec![
        Fact { time_us: Some(START_US + 299_999_999), latency_us: Some(days), ..plain() },
        Fact { time_us: Some(START_US - 1), latency_us: Some(1), ..plain() },
        Fact { time_us: Some(START_US), latency_us: Some(300_000_000), ..plain() },
        Fact { time_us: None, latency_us: Some(5), ..plain() },
    ];
    let made = maps(&ledger(&facts));
    assert_eq!(made, naive(&facts));
    let overlap: u128 = made.occupancy.values().map(|sums| sums[0]).sum();
    assert_eq!(overlap, u128::try_from(days).expect("positive") + 1 + 300_000_000);
    assert_eq!(made.occupancy.len(), 8640 + 3);
}
