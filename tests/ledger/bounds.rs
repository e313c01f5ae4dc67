//! A bound on the values of a dimension: who stays depends on nothing but the values, and sums are exact.

use crate::support::{BIN_S, Fact, START_US, WINDOWS, batch, facts, labels, ledger};
use proptest::prelude::*;
use std::collections::BTreeSet;
use wattledger::kernel::{Accumulator, Kept};
use wattledger::keys::{OTHER, SeriesTable, rank};
use wattledger::ledger::{Ledger, merge, read, write};

/// Events of many tenants.
fn crowd() -> impl Strategy<Value = Vec<Fact>> {
    (facts(80), prop::collection::vec(prop::option::of(0_u8..30), 80)).prop_map(|(facts, tenants)| {
        facts.into_iter().zip(tenants).map(|(fact, tenant)| Fact { tenant, ..fact }).collect()
    })
}

/// The values that stay of these events, by the definition.
fn staying(facts: &[Fact], most: usize) -> BTreeSet<String> {
    let tenants: BTreeSet<String> = facts.iter().filter_map(|fact| labels(fact)[6].clone()).collect();
    let mut tenants: Vec<String> = tenants.into_iter().collect();
    tenants.sort_by_key(|tenant| rank(tenant));
    tenants.into_iter().take(most).collect()
}

/// The rows of a ledger with their labels, the tenants that do not stay renamed, and equal ones added.
fn renamed(ledger: &Ledger, staying: Option<&BTreeSet<String>>) -> Vec<(Vec<Option<String>>, i64, [u128; 8])> {
    let mut rows = std::collections::BTreeMap::new();
    for row in ledger.moments().iter() {
        let labels = ledger.series()[row.key as usize].labels().iter();
        let mut labels: Vec<Option<String>> = labels.map(|label| label.as_deref().map(str::to_owned)).collect();
        if let (Some(tenant), Some(staying)) = (&mut labels[6], staying)
            && !staying.contains(tenant)
        {
            OTHER.clone_into(tenant);
        }
        let sums = rows.entry((labels, row.bin)).or_insert([0; 8]);
        sums.iter_mut().zip(row.sums).for_each(|(sum, more)| *sum += more);
    }
    rows.into_iter().map(|((labels, bin), sums)| (labels, bin, sums)).collect()
}

/// As a scan does it: a bounded table, and the bound over what it left.
fn scanned(facts: &[Fact], most: usize) -> Ledger {
    let mut table = SeriesTable::bounded(vec!["tenant".into()], Some(most));
    let mut accumulator = Accumulator::new(&Kept { bin_seconds: BIN_S, windows: WINDOWS.to_vec(), occupancy: true });
    for some in facts.chunks(7) {
        let batch = batch(some, &mut table);
        accumulator.batch(&batch, &table).expect("sums fit");
    }
    accumulator.into_ledger(&table).and_then(|ledger| ledger.bounded(most)).expect("sums fit")
}

proptest! {
    #[test]
    fn the_smallest_ranks_stay_and_the_others_are_one(facts in crowd(), most in 1_usize..12) {
        let (all, bounded) = (ledger(&facts), ledger(&facts).bounded(most).unwrap());
        prop_assert_eq!(renamed(&bounded, None), renamed(&all, Some(&staying(&facts, most))));
        prop_assert_eq!(bounded.occupancy(), all.occupancy());
        prop_assert_eq!(bounded.totals().unwrap(), all.totals().unwrap());
        for (few, many) in bounded.windows().iter().zip(all.windows()) {
            let sum = |rows: &wattledger::ledger::Rows<2>| rows.iter().map(|row| row.sums[0] + row.sums[1]).sum::<u128>();
            prop_assert_eq!(sum(&few.rows), sum(&many.rows));
        }
        prop_assert_eq!(bounded.clone().bounded(most).unwrap(), bounded);
    }

    #[test]
    fn parts_that_were_bounded_on_their_own_make_the_whole(
        facts in crowd(),
        homes in prop::collection::vec(0_usize..4, 80),
        bounds in prop::collection::vec(3_usize..9, 4),
    ) {
        let mut parts = vec![Vec::new(); 4];
        for (fact, home) in facts.iter().zip(&homes) {
            parts[*home].push(fact.clone());
        }
        let least = *bounds.iter().min().unwrap();
        let parts: Vec<Ledger> = parts.iter().zip(&bounds).map(|(part, most)| scanned(part, *most)).collect();
        let backwards = parts.iter().rev().cloned().collect();
        let whole = ledger(&facts).bounded(least).unwrap();
        prop_assert_eq!(renamed(&merge(parts, false).unwrap(), None), renamed(&whole, None));
        prop_assert_eq!(merge(backwards, false).unwrap(), whole);
    }

    /// What was cut out of a bounded ledger says of no value more than it knows.
    #[test]
    fn a_cut_keeps_its_bound(facts in crowd(), most in 1_usize..6, cut in 0_i64..12) {
        let facts: Vec<Fact> = facts.into_iter().map(|fact| Fact { latency_us: None, ..fact }).collect();
        let timed: Vec<Fact> = facts.into_iter().filter(|fact| fact.time_us.is_some()).collect();
        let at = START_US / 1_000_000 + cut * i64::from(BIN_S);
        let cut = |since, until| scanned(&timed, most).between(since, until).unwrap();
        let again = merge(vec![cut(None, Some(at)), cut(Some(at), None)], false).unwrap();
        prop_assert_eq!(again, scanned(&timed, most));
    }
}

#[test]
fn the_file_keeps_the_bound_and_a_bound_of_nothing_is_refused() {
    let fact = |n: u8| Fact {
        model: 0,
        region: None,
        tenant: Some(n),
        time_us: Some(START_US),
        input: 10,
        cached: 0,
        output: 1,
        latency_us: None,
    };
    let facts: Vec<Fact> = (0..200).map(fact).collect();
    let ledger = scanned(&facts, 50);
    let [bounded] = &ledger.bounded_dimensions()[..] else { panic!("one dimension is bounded") };
    assert_eq!((bounded.dimension.as_str(), bounded.kept), ("tenant", 50));
    assert!((120.0..340.0).contains(&bounded.about), "about 200 are there, not {}", bounded.about);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ledger.parquet");
    write(&ledger, &path).unwrap();
    assert_eq!(read(&path).unwrap().unwrap(), ledger);
    assert!(ledger.bounded(0).is_err());
}

/// The order in which values are met shows nowhere, not even where those that stay are just as many as may.
#[test]
fn any_order_gives_the_same_ledger_and_the_same_bound() {
    let fact = |n: u8, hour: i64| Fact {
        model: 0,
        region: None,
        tenant: Some(n),
        time_us: Some(START_US + hour * 3_600_000_000),
        input: 10,
        cached: 0,
        output: 1,
        latency_us: None,
    };
    for most in 1..3 {
        let orders = [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]];
        let ledgers = orders.map(|order| scanned(&order.map(|n| fact(n, 0)), most));
        assert!(ledgers.iter().all(|ledger| *ledger == ledgers[0]));
        assert_eq!(ledgers[0].bounded_dimensions()[0].kept, most);
    }
    // What stays is cut away; what is left knows that it does not know the others.
    let all = [fact(0, 0), fact(1, 1), fact(2, 2), fact(1, 3)];
    let stays = (0..3).find(|n| staying(&all, 1).contains(&format!("t{n}"))).unwrap();
    for order in [[0, 1, 2], [2, 1, 0], [1, 2, 0]] {
        let bounded = scanned(&order.map(|n| fact(n, i64::from(n))), 1);
        let hour = |n: u8| START_US / 1_000_000 + i64::from(n) * 3600;
        for gone in (0..3).filter(|n| *n != stays) {
            let left = bounded.clone().between(Some(hour(gone)), Some(hour(gone) + 3600)).unwrap();
            let again = merge(vec![left, scanned(&[fact(gone, 3)], 1)], false).unwrap();
            assert_eq!(again.series()[0].dimensions()[0].as_deref(), Some(OTHER));
            assert_eq!(again.series().len(), 1, "all of it is beyond");
        }
    }
}
