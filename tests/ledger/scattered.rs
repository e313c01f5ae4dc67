//! Events in no order of time over many bins, whose cells are asked for ahead: beside sums taken one by one.

use crate::support::{Mixed, START_US};
use std::collections::BTreeMap;
use wattledger::event::{Event, EventBatch, EventColumns, NO_LATENCY, NO_TIME, Ticks};
use wattledger::kernel::{Accumulator, Kept};
use wattledger::keys::SeriesTable;
use wattledger::ledger::{Ledger, NULL_BIN};

const HOUR_US: i64 = 3_600_000_000;

/// Kinds of log: how many events of how many models over how many hours, and what is special about them.
#[derive(Clone, Copy, Debug)]
struct Shape {
    events: u64,
    models: u64,
    hours: u64,
    most_tokens: u64,
    /// Every so many tiles are in order of time.
    ordered: usize,
    /// Models become more as the log goes on.
    growing: bool,
    without_time: bool,
    /// First hour since the start of the support's time.
    from_hour: i64,
}

const PLAIN: Shape = Shape {
    events: 400_000,
    models: 20,
    hours: 200,
    most_tokens: 5000,
    ordered: usize::MAX,
    growing: false,
    without_time: false,
    from_hour: 0,
};

fn events(shape: Shape) -> Vec<Event> {
    let mut mixed = Mixed(7);
    let mut events: Vec<Event> = (0..shape.events)
        .map(|n| {
            let models = if shape.growing { 1 + n * (shape.models - 1) / shape.events } else { shape.models };
            let input = u32::try_from(mixed.below(shape.most_tokens + 1)).unwrap();
            let time = START_US
                + shape.from_hour * HOUR_US
                + i64::try_from(mixed.below(shape.hours * 3600)).unwrap() * 1_000_000;
            let no_time = shape.without_time && mixed.below(5000) == 0;
            Event {
                series: u32::try_from(mixed.below(models)).unwrap(),
                time_us: if no_time { NO_TIME } else { time },
                input_tokens: input,
                cached_tokens: input / 3,
                output_tokens: u32::try_from(mixed.below(shape.most_tokens + 1)).unwrap(),
                latency_us: NO_LATENCY,
            }
        })
        .collect();
    for tile in events.chunks_mut(1024).step_by(shape.ordered.min(1 << 30)).skip(1) {
        tile.sort_by_key(|event| event.time_us);
    }
    events
}

type Sums<const N: usize> = BTreeMap<(String, i64), [u128; N]>;

fn naive(events: &[Event]) -> (Sums<8>, Sums<4>) {
    let (mut moments, mut occupancy) = (Sums::new(), Sums::new());
    for event in events {
        let start = |width: i64| {
            if event.time_us == NO_TIME { NULL_BIN } else { event.time_us.div_euclid(width * 1_000_000) * width }
        };
        let [i, c, o] = [event.input_tokens, event.cached_tokens, event.output_tokens].map(u128::from);
        let model = format!("m{}", event.series);
        let add = |sums: &mut [u128], more: &[u128]| sums.iter_mut().zip(more).for_each(|(sum, more)| *sum += more);
        let cell = moments.entry((model.clone(), start(3600))).or_insert([0; 8]);
        add(cell, &[1, i, c, o, i * i, c * c, i * o, o * o]);
        add(occupancy.entry((model, start(300))).or_insert([0; 4]), &[0, 0, 1, o]);
    }
    (moments, occupancy)
}

fn ledger(events: &[Event], occupancy: bool, rows: usize) -> Ledger {
    let mut table = SeriesTable::new(vec![]);
    let mut accumulator = Accumulator::new(&Kept { occupancy, ..Kept::default() });
    for some in events.chunks(rows) {
        let mut batch = EventBatch::default();
        for event in some {
            let model = format!("m{}", event.series);
            let series = table.intern(&[None, Some(&model), None, None, None, None]);
            batch.push(Event { series, ..*event });
        }
        accumulator.batch(&batch, &table).unwrap();
    }
    accumulator.into_ledger(&table).unwrap()
}

fn check(shape: Shape, rows: usize) {
    let events = events(shape);
    let (moments, occupancy) = naive(&events);
    for keep in [false, true] {
        let ledger = ledger(&events, keep, rows);
        let model = |series: &wattledger::keys::Series| series.route()[1].as_deref().unwrap().to_owned();
        let found: Sums<8> = ledger
            .moments()
            .iter()
            .map(|row| ((model(&ledger.series()[row.key as usize]), row.bin), row.sums))
            .collect();
        assert!(found == moments, "moments of {shape:?}, occupancy {keep}");
        let found: Sums<4> = ledger
            .occupancy()
            .iter()
            .map(|row| ((model(&ledger.routes()[row.key as usize]), row.bin), row.sums))
            .collect();
        assert!(found == if keep { occupancy.clone() } else { Sums::new() }, "occupancy of {shape:?}");
    }
}

#[test]
fn shuffled_events_are_added_as_they_are() {
    check(PLAIN, 16_384);
    check(Shape { events: 3000, ..PLAIN }, 500);
    check(Shape { from_hour: -600_000, ..PLAIN }, 16_384);
}

#[test]
fn models_that_come_later_and_tiles_in_order_between() {
    check(Shape { models: 300, growing: true, ..PLAIN }, 16_384);
    check(Shape { ordered: 3, ..PLAIN }, 4096);
    check(Shape { ordered: 2, growing: true, without_time: true, ..PLAIN }, 16_384);
}

#[test]
fn tokens_as_large_as_may_be() {
    for most_tokens in [(1 << 18) - 1, 1 << 18, (1 << 20) - 1, 1 << 20, (1 << 20) + 1, 1_000_000_000] {
        check(Shape { events: 120_000, models: 3, hours: 80, most_tokens, ..PLAIN }, 16_384);
    }
}

/// Room is made for a million events at once, and cells of five minutes hold four million of these.
#[test]
fn room_is_made_again_and_again() {
    check(Shape { events: 5_500_000, models: 1, hours: 70, most_tokens: (1 << 17) + 9, ..PLAIN }, 65_536);
}

/// Six years in order, with few events a day or with stragglers.
#[test]
fn no_sparse_or_late_event_is_lost() {
    let event = |time_us: i64| Event {
        series: 0,
        time_us,
        input_tokens: 5,
        cached_tokens: 0,
        output_tokens: 7,
        latency_us: NO_LATENCY,
    };
    let years = 6 * 365 * 24 * HOUR_US;
    let sparse: Vec<Event> = (0..200_000).map(|n| event(START_US + n * (years / 200_000))).collect();
    let late = |n: i64| if n % 1024 == 512 { 8 * HOUR_US } else { 0 };
    let stragglers: Vec<Event> = (0..2_000_000).map(|n| event(START_US + n * (years / 2_000_000) - late(n))).collect();
    for events in [sparse, stragglers] {
        let ledger = ledger(&events, true, 16_384);
        assert_eq!(ledger.totals().unwrap()[0], events.len() as u128);
    }
}

#[test]
fn every_tick_says_the_same() {
    let events = events(Shape { events: 60_000, models: 4, hours: 150, ..PLAIN });
    let micros = ledger(&events, true, usize::MAX);
    let mut table = SeriesTable::new(vec![]);
    for series in 0..4 {
        table.intern(&[None, Some(&format!("m{series}")), None, None, None, None]);
    }
    let column = |of: fn(&Event) -> u32| events.iter().map(of).collect::<Vec<u32>>();
    let [series, input, cached, output] =
        [|e: &Event| e.series, |e: &Event| e.input_tokens, |e: &Event| e.cached_tokens, |e: &Event| e.output_tokens]
            .map(column);
    let ticks =
        [(Ticks::Seconds, 1, 1_000_000), (Ticks::Millis, 1, 1000), (Ticks::Micros, 1, 1), (Ticks::Nanos, 1000, 1)];
    for (ticks, times, over) in ticks {
        let time: Vec<i64> = events.iter().map(|event| event.time_us * times / over).collect();
        let columns = EventColumns {
            series: &series,
            time: &time,
            ticks,
            input_tokens: &input,
            cached_tokens: Some(&cached),
            output_tokens: &output,
            latency_us: None,
            span: None,
            largest: None,
            ahead: wattledger::event::Ahead::default(),
        };
        let mut accumulator = Accumulator::new(&Kept::default());
        accumulator.add(&columns, &table).unwrap();
        assert_eq!(accumulator.into_ledger(&table).unwrap(), micros);
    }
}
