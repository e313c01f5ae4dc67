//! The kernel: events that are already columns, into exact sums.
//!
//! One million events of 200 series over 48 hours, in batches as intake makes them. Each case checks its sums, so a wrong
//! answer cannot win. `one_hour` has all events in one bin: the loop and nothing else. `in_order` is the shape of a small
//! log, in which every ninth event opens an occupancy row of its own, so that building rows shows as well; `shuffled` touches every bin from every batch and is what a
//! merged or unsorted export looks like; `with_latency` adds the split of each latency at five-minute edges.

use divan::counter::ItemsCount;
use divan::{Bencher, black_box};
use wattledger::event::{BATCH_ROWS, Event, EventBatch, NO_LATENCY};
use wattledger::kernel::{Accumulator, Kept};
use wattledger::keys::SeriesTable;

const EVENTS: u64 = 1_000_000;
const SERIES: u64 = 200;
const HOURS: u64 = 48;
/// 2026-01-01T00:00:00Z in microseconds.
const START_US: u64 = 1_767_225_600_000_000;

struct Load {
    table: SeriesTable,
    batches: Vec<EventBatch>,
    output_tokens: u128,
    input_squared: u128,
}

/// Numbers that look random and are the same every time.
fn mixed(i: u64) -> u64 {
    let mut x = i.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    x ^ (x >> 29)
}

fn load(hours: u64, shuffled: bool, latency: bool) -> Load {
    let mut table = SeriesTable::new(vec![]);
    for series in 0..SERIES {
        let model = format!("model-{}", series % 20);
        let region = format!("region-{}", series / 20);
        table.intern(&[None, Some(&model), Some(&region), None, None, None]);
    }
    let span_us = hours * 3_600_000_000;
    let mut load = Load { table, batches: Vec::new(), output_tokens: 0, input_squared: 0 };
    let small = |x: u64| u32::try_from(x).expect("32 bits");
    for i in 0..EVENTS {
        let random = mixed(i);
        let at = if shuffled { mixed(random) % span_us } else { i * (span_us / EVENTS) };
        let (input, output) = (random % 8000, (random >> 20) % 1000);
        load.output_tokens += u128::from(output);
        load.input_squared += u128::from(input).pow(2);
        if load.batches.last().is_none_or(|batch| batch.len() >= BATCH_ROWS) {
            load.batches.push(EventBatch::default());
        }
        load.batches.last_mut().expect("pushed above").push(Event {
            series: small((random >> 40) % SERIES),
            time_us: i64::try_from(START_US + at).expect("this century"),
            input_tokens: small(input),
            cached_tokens: small(input / 3),
            output_tokens: small(output),
            latency_us: if latency { i64::from(small(output)) * 20_000 } else { NO_LATENCY },
        });
    }
    load
}

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
    let load = load(hours, shuffled, latency);
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
