//! The kernel: events that are already columns, into exact sums.
//!
//! One million events of 200 series over 48 hours, in batches as intake makes them. Each case checks its sums, so a wrong
//! answer cannot win. `one_hour` has all events in one bin: the loop and nothing else. `in_order` is the shape of a small
//! log, in which every ninth event opens an occupancy row of its own, so that building rows shows as well; `shuffled` touches every bin from every batch and is what a
//! merged or unsorted export looks like; `with_latency` adds the split of each latency at five-minute edges.

mod load;

use divan::counter::ItemsCount;
use divan::{Bencher, black_box};
use load::{Load, load};
use wattledger::kernel::{Accumulator, Kept};

const EVENTS: u64 = 1_000_000;
const HOURS: u64 = 48;

fn gather(load: &Load) {
    let mut accumulator = Accumulator::new(&Kept::default());
    for batch in &load.batches {
        accumulator.batch(black_box(batch), &load.table).expect("sums fit");
    }
    let ledger = accumulator.into_ledger(&load.table).expect("sums fit");
    let totals = ledger.totals().expect("sums fit");
    assert_eq!([totals[0], totals[3], totals[4]], [u128::from(EVENTS), load.output_tokens, load.input_squared]);
    assert_eq!(ledger.occupancy().iter().map(|row| row.sums[2]).sum::<u128>(), u128::from(EVENTS));
}

fn measured(bencher: Bencher, hours: u64, shuffled: bool, latency: bool) {
    let load = load(EVENTS, hours, shuffled, latency);
    bencher.counter(ItemsCount::new(EVENTS)).bench_local(|| gather(&load));
}

#[divan::bench(sample_count = 20)]
fn one_hour(bencher: Bencher) {
    measured(bencher, 1, false, false);
}

#[divan::bench(sample_count = 20)]
fn in_order(bencher: Bencher) {
    measured(bencher, HOURS, false, false);
}

#[divan::bench(sample_count = 20)]
fn in_order_with_latency(bencher: Bencher) {
    measured(bencher, HOURS, false, true);
}

#[divan::bench(sample_count = 10)]
fn shuffled(bencher: Bencher) {
    measured(bencher, HOURS, true, false);
}

#[divan::bench(sample_count = 10)]
fn shuffled_with_latency(bencher: Bencher) {
    measured(bencher, HOURS, true, true);
}

fn main() {
    divan::main();
}
