//! The short way through clean columns agrees with the way through single rows.

use arrow_array::cast::AsArray;
use arrow_array::types::{Int8Type, Int16Type, Int32Type, Int64Type, UInt8Type, UInt16Type, UInt32Type, UInt64Type};
use arrow_array::{
    ArrayRef, ArrowPrimitiveType, DictionaryArray, Int64Array, PrimitiveArray, RecordBatch, StringArray,
    TimestampMicrosecondArray, TimestampMillisecondArray, TimestampNanosecondArray, TimestampSecondArray,
};
use proptest::prelude::*;
use std::sync::Arc;
use wattledger::event::{Coverage, EventBatch, EventColumns, NO_LATENCY};
use wattledger::intake::{CompiledMap, Options, batch_to_columns, batch_to_events};
use wattledger::keys::SeriesTable;

type Row = (Vec<Option<String>>, i64, u32, u32, u32, i64);

fn rows(events: &EventColumns<'_>, table: &SeriesTable, rows: &mut Vec<Row>) {
    for i in 0..events.series.len() {
        let labels = table.get(events.series[i]).labels().iter().map(|l| l.as_deref().map(str::to_owned)).collect();
        let cached = events.cached_tokens.map_or(0, |cached| cached[i]);
        let latency = events.latency_us.map_or(NO_LATENCY, |latency| latency[i]);
        rows.push((labels, events.time_us(i), events.input_tokens[i], cached, events.output_tokens[i], latency));
    }
}

/// A column of one integer type; values that do not fit are taken modulo the type.
fn typed<T: ArrowPrimitiveType>(values: &[Option<i64>]) -> ArrayRef
where
    i64: num_cast::Wrapped<T::Native>,
{
    let array: PrimitiveArray<T> = values.iter().map(|v| v.map(num_cast::Wrapped::wrapped)).collect();
    Arc::new(array)
}

mod num_cast {
    /// Conversion that keeps the low bits.
    pub trait Wrapped<T> {
        fn wrapped(self) -> T;
    }
    macro_rules! wrapped {
        ($($t:ty),+) => {$(
            impl Wrapped<$t> for i64 {
                #[expect(clippy::allow_attributes, reason = "some of the types lose nothing")]
                #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "the low bits are wanted")]
                fn wrapped(self) -> $t {
                    self as $t
                }
            }
        )+};
    }
    wrapped!(i8, i16, i32, i64, u8, u16, u32, u64);
}

fn counts(kind: u8, values: &[Option<i64>]) -> ArrayRef {
    match kind {
        0 => typed::<Int8Type>(values),
        1 => typed::<Int16Type>(values),
        2 => typed::<Int32Type>(values),
        3 => typed::<Int64Type>(values),
        4 => typed::<UInt8Type>(values),
        5 => typed::<UInt16Type>(values),
        6 => typed::<UInt32Type>(values),
        _ => typed::<UInt64Type>(values),
    }
}

fn times(kind: u8, zoned: bool, values: &[Option<i64>]) -> ArrayRef {
    let zone = zoned.then_some("UTC");
    let scaled = |by: i64| values.iter().map(move |v| v.map(|v| v * by)).collect::<Vec<_>>();
    match kind {
        0 => Arc::new(TimestampSecondArray::from(scaled(1)).with_timezone_opt(zone)),
        1 => Arc::new(TimestampMillisecondArray::from(scaled(1000)).with_timezone_opt(zone)),
        2 => Arc::new(TimestampMicrosecondArray::from(scaled(1_000_000)).with_timezone_opt(zone)),
        3 => Arc::new(TimestampNanosecondArray::from(scaled(1_000_000_001)).with_timezone_opt(zone)),
        _ => Arc::new(Int64Array::from(values.to_vec())),
    }
}

fn labels(kind: u8, values: &[Option<u8>]) -> ArrayRef {
    let texts = values.iter().map(|v| v.map(|v| format!("label {v}")));
    let texts: StringArray = texts.collect();
    match kind {
        0 => Arc::new(texts),
        1 => Arc::new(texts.iter().collect::<DictionaryArray<Int8Type>>()),
        2 => Arc::new(texts.iter().collect::<DictionaryArray<UInt16Type>>()),
        _ => {
            // A dictionary in which texts stand twice, and one that nobody uses.
            let keys = values.iter().map(|v| v.map(|v| u32::from(v % 4)));
            let texts = StringArray::from(vec!["a", "b", "a", "c", "unused"]);
            Arc::new(DictionaryArray::<UInt32Type>::new(keys.collect(), Arc::new(texts)))
        }
    }
}

/// What a column is made of: its type, and whether a few of its values are bad.
type Kinds = (u8, bool);

#[derive(Clone, Debug)]
struct Plan {
    rows: usize,
    tokens: [Kinds; 3],
    latency: Option<Kinds>,
    time: (u8, bool, bool),
    model: (u8, bool),
    region: Option<u8>,
    seed: u64,
}

fn plan() -> impl Strategy<Value = Plan> {
    let kinds = || (0_u8..8, prop::bool::weighted(0.3));
    (
        prop_oneof![4 => 0_usize..200, 1 => 8000_usize..9000],
        [kinds(), kinds(), kinds()],
        prop::option::of(kinds()),
        (0_u8..5, any::<bool>(), prop::bool::weighted(0.2)),
        (0_u8..4, prop::bool::weighted(0.2)),
        prop::option::of(0_u8..4),
        any::<u64>(),
    )
        .prop_map(|(rows, tokens, latency, time, model, region, seed)| Plan {
            rows,
            tokens,
            latency,
            time,
            model,
            region,
            seed,
        })
}

/// Values of a column: good ones, and now and then a null, a negative or one far beyond every limit.
fn values(rows: usize, bad: bool, good: u64, mixed: &mut crate::support::Mixed) -> Vec<Option<i64>> {
    let signed = |value: u64| i64::try_from(value).expect("31 bits");
    (0..rows)
        .map(|_| match mixed.below(if bad { 40 } else { u64::MAX }) {
            0 => None,
            1 => Some(-signed(mixed.below(100)) - 1),
            2 => Some(i64::MAX - signed(mixed.below(100))),
            3 => Some(1_000_000_000 + signed(mixed.below(3))),
            _ => Some(signed(mixed.below(good))),
        })
        .collect()
}

fn batch(plan: &Plan) -> RecordBatch {
    let mut mixed = crate::support::Mixed(plan.seed);
    let n = plan.rows;
    let mut columns: Vec<(&str, ArrayRef)> = Vec::new();
    let seconds: Vec<Option<i64>> = (0..n)
        .map(|_| match mixed.below(if plan.time.2 { 30 } else { u64::MAX }) {
            0 => None,
            1 => Some(1_000_000_000),
            2 => Some(5_000_000_000),
            _ => Some(1_767_225_600 + i64::try_from(mixed.below(86_400)).expect("a day")),
        })
        .collect();
    columns.push(("timestamp", times(plan.time.0, plan.time.1, &seconds)));
    let mut label = |nulls: bool| -> Vec<Option<u8>> {
        let one = |mixed: &mut crate::support::Mixed| {
            (!nulls || mixed.below(20) > 0).then(|| u8::try_from(mixed.below(6)).expect("small"))
        };
        (0..n).map(|_| one(&mut mixed)).collect()
    };
    columns.push(("model", labels(plan.model.0, &label(plan.model.1))));
    if let Some(kind) = plan.region {
        columns.push(("region", labels(kind, &label(false))));
    }
    for ((name, good), (kind, bad)) in
        [("input_tokens", 120), ("cached_tokens", 3), ("output_tokens", 120)].into_iter().zip(plan.tokens)
    {
        columns.push((name, counts(kind, &values(n, bad, good, &mut mixed))));
    }
    if let Some((kind, bad)) = plan.latency {
        columns.push(("latency_ms", counts(kind, &values(n, bad, 100, &mut mixed))));
    }
    RecordBatch::try_from_iter_with_nullable(columns.into_iter().map(|(name, array)| (name, array, true)))
        .expect("columns of one length")
}

proptest! {
    #[test]
    fn clean_columns_and_single_rows_agree(plan in plan(), declared in any::<bool>()) {
        let batch = batch(&plan);
        let input_timezone = declared.then(|| "UTC".to_owned());
        let options = Options { input_timezone, ..Options::default() };
        let map = CompiledMap::for_schema(&batch.schema(), &options).unwrap();

        let (mut slow_table, mut events, mut slow) =
            (SeriesTable::new(vec![]), EventBatch::default(), Coverage::default());
        batch_to_events(&batch, &map, 7, &mut slow_table, &mut events, &mut slow, "table").unwrap();
        let mut expected = Vec::new();
        rows(&events.columns(), &slow_table, &mut expected);

        let (mut fast_table, mut fast, mut made) = (SeriesTable::new(vec![]), Coverage::default(), Vec::new());
        let take = &mut |_, events: &EventColumns<'_>, table: &SeriesTable| {
            rows(events, table, &mut made);
            Ok(())
        };
        batch_to_columns(&batch, &map, 7, &mut fast_table, &mut fast, "table", take).unwrap();
        prop_assert_eq!(made, expected);
        prop_assert_eq!(fast, slow);
    }
}

#[test]
fn columns_of_32_bits_are_borrowed_and_not_copied() {
    let plan = Plan {
        rows: 100,
        tokens: [(6, false); 3],
        latency: None,
        time: (2, true, false),
        model: (2, false),
        region: None,
        seed: 1,
    };
    let mut columns = batch(&plan);
    // Cached counts above the input's would send the tile the other way.
    let input = columns.column_by_name("input_tokens").unwrap().as_primitive::<UInt32Type>().clone();
    let at = columns.schema().index_of("cached_tokens").unwrap();
    let mut arrays = columns.columns().to_vec();
    arrays[at] = Arc::new(input);
    columns = RecordBatch::try_new(columns.schema(), arrays).unwrap();
    let map = CompiledMap::for_schema(&columns.schema(), &Options::default()).unwrap();
    let input = columns.column_by_name("input_tokens").unwrap().as_primitive::<UInt32Type>().values().as_ptr();
    let mut borrowed = false;
    let take = &mut |_, events: &EventColumns<'_>, _: &SeriesTable| {
        borrowed = events.input_tokens.as_ptr() == input;
        Ok(())
    };
    batch_to_columns(&columns, &map, 0, &mut SeriesTable::new(vec![]), &mut Coverage::default(), "table", take)
        .unwrap();
    assert!(borrowed);
}
