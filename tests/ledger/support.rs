//! Events with their labels written out, and how they become a ledger.

use proptest::prelude::*;
use wattledger::event::{Event, EventBatch, NO_LATENCY, NO_TIME};
use wattledger::kernel::{Accumulator, Kept};
use wattledger::keys::SeriesTable;
use wattledger::ledger::Ledger;

/// An event with its labels: model, region and the tenant, each a number for short.
#[derive(Clone, Debug, PartialEq)]
pub struct Fact {
    pub model: u8,
    pub region: Option<u8>,
    pub tenant: Option<u8>,
    /// Microseconds since 1970, or none.
    pub time_us: Option<i64>,
    pub input: u32,
    pub cached: u32,
    pub output: u32,
    pub latency_us: Option<i64>,
}

/// 2026-01-01T00:00:00Z in microseconds.
pub const START_US: i64 = 1_767_225_600_000_000;

/// The labels of a fact, route labels first.
pub fn labels(fact: &Fact) -> Vec<Option<String>> {
    let mut labels = vec![None; 7];
    labels[1] = Some(format!("m{}", fact.model));
    labels[2] = fact.region.map(|n| format!("r{n}"));
    labels[6] = fact.tenant.map(|n| format!("t{n}"));
    labels
}

/// Counts as logs have them: mostly small, at times zero, at times as large as may be.
fn tokens() -> impl Strategy<Value = u32> {
    prop_oneof![6 => 0_u32..20_000, 1 => Just(0), 1 => 999_999_000_u32..=1_000_000_000]
}

/// Some events over three hours, in any order.
pub fn facts(most: usize) -> impl Strategy<Value = Vec<Fact>> {
    let time = prop_oneof![8 => (0_i64..10_800_000_000).prop_map(Some), 1 => Just(None)];
    let latency = prop_oneof![
        4 => (0_i64..30_000_000).prop_map(Some),
        1 => (0_i64..7_200_000_000).prop_map(Some),
        2 => Just(None)
    ];
    let labels = (0_u8..3, prop::option::of(0_u8..2), prop::option::of(0_u8..3));
    let fact = (labels, time, (tokens(), 0_u32..=100, tokens()), latency).prop_map(
        |((model, region, tenant), time, (input, share, output), latency_us)| Fact {
            model,
            region,
            tenant,
            time_us: time.map(|t| START_US + t),
            input,
            cached: u32::try_from(u64::from(input) * u64::from(share) / 100).expect("a part of it"),
            output,
            latency_us,
        },
    );
    prop::collection::vec(fact, 0..most)
}

pub fn batch(facts: &[Fact], table: &mut SeriesTable) -> EventBatch {
    let mut batch = EventBatch::default();
    for fact in facts {
        let labels = labels(fact);
        let labels: Vec<Option<&str>> = labels.iter().map(Option::as_deref).collect();
        batch.push(Event {
            series: table.intern(&labels),
            time_us: fact.time_us.unwrap_or(NO_TIME),
            input_tokens: fact.input,
            cached_tokens: fact.cached,
            output_tokens: fact.output,
            latency_us: fact.latency_us.unwrap_or(NO_LATENCY),
        });
    }
    batch
}

/// Bins and windows of the ledgers here.
pub const BIN_S: u32 = 900;
pub const WINDOWS: [u32; 2] = [1024, 4096];

/// The ledger of these events, gathered in batches of this many.
pub fn ledger_in(facts: &[Fact], rows: usize) -> Ledger {
    let mut table = SeriesTable::new(vec!["tenant".into()]);
    let mut accumulator = Accumulator::new(&Kept { bin_seconds: BIN_S, windows: WINDOWS.to_vec(), occupancy: true });
    for some in facts.chunks(rows) {
        let batch = batch(some, &mut table);
        accumulator.batch(&batch, &table).expect("sums fit");
    }
    accumulator.into_ledger(&table).expect("sums fit")
}

pub fn ledger(facts: &[Fact]) -> Ledger {
    ledger_in(facts, 16_384)
}

/// Numbers that look random and are the same every time.
pub struct Mixed(pub u64);

impl Mixed {
    pub fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % limit
    }
}
