//! Laws of adding: any split, any tree, any order; and what does not fit is refused.

use crate::support::{BIN_S, Fact, START_US, facts, ledger};
use proptest::prelude::*;
use wattledger::error::Error;
use wattledger::event::InputIdentity;
use wattledger::kernel::{Accumulator, Kept};
use wattledger::keys::{Series, SeriesTable};
use wattledger::ledger::{CELL_LIMIT, Ledger, NULL_BIN, Row, merge};

/// Merges neighbours in the order that `choices` say, until one is left.
fn in_any_order(mut ledgers: Vec<Ledger>, choices: &[usize]) -> Ledger {
    let mut choices = choices.iter().copied().cycle();
    let mut choose = |from: usize| choices.next().expect("endless") % from;
    while ledgers.len() > 1 {
        let a = ledgers.swap_remove(choose(ledgers.len()));
        let b = ledgers.swap_remove(choose(ledgers.len()));
        ledgers.push(merge(vec![a, b], false).expect("they fit"));
    }
    ledgers.pop().expect("at least one")
}

proptest! {
    #[test]
    fn parts_in_any_tree_are_the_whole(
        facts in facts(60),
        homes in prop::collection::vec(0_usize..7, 60),
        choices in prop::collection::vec(any::<usize>(), 1..20),
    ) {
        let mut parts = vec![Vec::new(); 7];
        for (fact, home) in facts.iter().zip(&homes) {
            parts[*home].push(fact.clone());
        }
        let parts: Vec<Ledger> = parts.iter().map(|part| ledger(part)).collect();
        let whole = ledger(&facts);
        prop_assert_eq!(&in_any_order(parts.clone(), &choices), &whole);
        prop_assert_eq!(&merge(parts, false).unwrap(), &whole);
    }

    #[test]
    fn the_order_of_events_does_not_show(facts in facts(60), seed in any::<u64>()) {
        let mut shuffled = facts.clone();
        let mut mixed = crate::support::Mixed(seed);
        for i in (1..shuffled.len()).rev() {
            let j = usize::try_from(mixed.below(i as u64 + 1)).unwrap();
            shuffled.swap(i, j);
        }
        prop_assert_eq!(ledger(&shuffled), ledger(&facts));
    }

    #[test]
    fn between_keeps_the_bins_inside_and_parts_add_up(facts in facts(60), cut in 0_i64..12) {
        // A request that runs on over the cut leaves its occupancy on the other side; without latency nothing does.
        let facts: Vec<Fact> = facts.into_iter().map(|fact| Fact { latency_us: None, ..fact }).collect();
        let timed: Vec<Fact> = facts.iter().filter(|fact| fact.time_us.is_some()).cloned().collect();
        let at = START_US / 1_000_000 + cut * i64::from(BIN_S);
        let before: Vec<Fact> =
            timed.iter().filter(|fact| fact.time_us.is_some_and(|t| t < at * 1_000_000)).cloned().collect();
        let [early, late] = [(None, Some(at)), (Some(at), None)]
            .map(|(since, until)| ledger(&facts).between(since, until).unwrap());
        prop_assert_eq!(&early, &ledger(&before));
        prop_assert_eq!(merge(vec![early, late], false).unwrap(), ledger(&timed));
        prop_assert_eq!(ledger(&facts).between(None, None).unwrap(), ledger(&facts));
    }
}

fn row(bin: i64, input: u128) -> Row<8> {
    Row { key: 0, bin, sums: [1, input, 0, 0, 0, 0, 0, 0] }
}

fn of_rows(rows: &[Row<8>]) -> Result<Ledger, Error> {
    Ledger::from_rows(3600, vec![], &[Series::new(vec![None; 6])], rows, vec![], &[])
}

#[test]
fn a_sum_beyond_38_digits_is_an_error_and_never_wraps() {
    let full = of_rows(&[row(0, CELL_LIMIT)]).unwrap();
    assert_eq!(full.totals().unwrap()[1], CELL_LIMIT);
    assert!(matches!(merge(vec![full.clone(), of_rows(&[row(0, 1)]).unwrap()], false), Err(Error::Overflow { .. })));
    assert!(matches!(of_rows(&[row(0, CELL_LIMIT), row(0, 1)]), Err(Error::Overflow { .. })));
    let apart = of_rows(&[row(0, CELL_LIMIT), row(3600, 1), row(7200, CELL_LIMIT)]).unwrap();
    assert!(matches!(apart.totals(), Err(Error::Overflow { .. })));
    assert!(apart.describe().is_err());
    let fits = merge(vec![of_rows(&[row(0, CELL_LIMIT - 1)]).unwrap(), of_rows(&[row(0, 1)]).unwrap()], false);
    assert_eq!(fits.unwrap().totals().unwrap()[1], CELL_LIMIT);
}

#[test]
fn occupancy_has_the_same_bound_as_moments() {
    let series = [Series::new(vec![None; 6])];
    let occupancy = |sums| [Row { key: 0, bin: 0, sums }, Row { key: 0, bin: 0, sums: [1, 1, 1, 1] }];
    let made = |sums| Ledger::from_rows(3600, vec![], &series, &[], vec![], &occupancy(sums));
    assert!(made([CELL_LIMIT - 1, 1, 1, 1]).is_ok());
    assert!(matches!(made([CELL_LIMIT, 1, 1, 1]), Err(Error::Overflow { .. })));
}

#[test]
fn more_cached_than_input_tokens_is_no_row() {
    let cached = |sums| of_rows(&[Row { key: 0, bin: 0, sums }]);
    assert!(cached([1, 5, 5, 0, 25, 25, 0, 0]).is_ok());
    assert!(matches!(cached([1, 5, 6, 0, 25, 25, 0, 0]), Err(Error::Argument { .. })));
    assert!(matches!(cached([1, 5, 5, 0, 25, 26, 0, 0]), Err(Error::Argument { .. })));
}

#[test]
fn a_window_asked_for_twice_is_kept_once() {
    let kept = Kept { windows: vec![4096, 128, 4096], ..Kept::default() };
    let made = Accumulator::new(&kept).into_ledger(&SeriesTable::new(vec![]));
    assert_eq!(made.unwrap(), Ledger::empty(3600, vec![], &[128, 4096]).unwrap());
}

#[test]
fn ledgers_of_other_shapes_do_not_add() {
    let empty =
        |bin: u32, dimension: &str, windows: &[u32]| Ledger::empty(bin, vec![dimension.into()], windows).unwrap();
    let base = || empty(3600, "team", &[1024]);
    for other in [empty(300, "team", &[1024]), empty(3600, "user", &[1024]), empty(3600, "team", &[])] {
        assert!(matches!(merge(vec![base(), other], true), Err(Error::LedgerMismatch { .. })));
    }
    assert_eq!(merge(vec![base(), base()], false).unwrap(), base());
}

#[test]
fn one_input_counts_once_unless_it_is_forced() {
    let mut a = of_rows(&[row(0, 5)]).unwrap();
    let identity =
        |digest: &str| InputIdentity { name: "a".into(), bytes: 3, digest: digest.into(), format: "flat".into() };
    a.origin.inputs = vec![identity("1")];
    let mut b = a.clone();
    assert!(matches!(merge(vec![a.clone(), b.clone()], false), Err(Error::LedgerOverlap { .. })));
    assert_eq!(merge(vec![a.clone(), b.clone()], true).unwrap().totals().unwrap()[1], 10);
    b.origin.inputs = vec![identity("2")];
    assert!(merge(vec![a.clone(), b.clone()], false).is_ok());
    // What came from memory has no digest and is never known to be the same.
    (a.origin.inputs, b.origin.inputs) = (vec![identity("")], vec![identity("")]);
    assert!(merge(vec![a, b], false).is_ok());
}

#[test]
fn between_refuses_a_cut_through_a_bin_and_drops_what_has_no_time() {
    let ledger = of_rows(&[row(NULL_BIN, 7), row(0, 1), row(3600, 2)]).unwrap();
    assert!(matches!(ledger.clone().between(Some(1800), None), Err(Error::Argument { .. })));
    assert_eq!(ledger.clone().between(Some(3600), None).unwrap().totals().unwrap()[1], 2);
    assert_eq!(ledger.clone().between(None, Some(3600)).unwrap().totals().unwrap()[1], 1);
    assert_eq!(ledger.between(None, None).unwrap().totals().unwrap()[1], 10);
}
