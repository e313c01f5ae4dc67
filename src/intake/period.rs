//! The period that is asked for, and row groups of Parquet that their index says lie outside of it.

use super::compiled::CompiledMap;
use super::field::Field;
use super::map::TimestampIs;
use crate::event::Ticks;
use arrow_schema::{DataType, Schema, TimeUnit};
use parquet::file::metadata::{ColumnChunkMetaData, RowGroupMetaData};
use parquet::file::statistics::Statistics;

/// From the first to the last second that is asked for, the last one excluded; an end that is not given is open.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Period {
    /// First second since 1970 UTC.
    pub since_s: Option<i64>,
    /// First second after the last.
    pub until_s: Option<i64>,
}

impl Period {
    /// Whether anything is asked for at all.
    #[must_use]
    pub fn is_open(self) -> bool {
        self == Self::default()
    }

    /// Whether no request of a row group can reach into the period: all of them begin after it, or all of them end before
    /// it, by the extremes that the index keeps. Where the index does not tell, none is left out.
    pub(super) fn leaves_out(
        self,
        group: &RowGroupMetaData,
        schema: &Schema,
        map: &CompiledMap,
        needed: &[Vec<usize>],
    ) -> bool {
        if self.is_open() || map.timestamp_is != TimestampIs::Start {
            return false;
        }
        let only = |field: Field| match needed[field as usize].as_slice() {
            [at] => Some(schema.field(*at)),
            _ => None,
        };
        let Some(time) = only(Field::Timestamp) else { return false };
        let ticks = match time.data_type() {
            DataType::Timestamp(unit, offset) if offset.is_some() || map.zone.is_utc() => match unit {
                TimeUnit::Second => Ticks::Seconds,
                TimeUnit::Millisecond => Ticks::Millis,
                TimeUnit::Microsecond => Ticks::Micros,
                TimeUnit::Nanosecond => Ticks::Nanos,
            },
            _ => return false,
        };
        let Some((first, last)) = extremes(group, time.name()) else { return false };
        let seconds = |ticks_since: i64| ticks_since.div_euclid(ticks.per_second());
        if self.until_s.is_some_and(|until| seconds(first) >= until) {
            return true;
        }
        // What began before the period may run into it.
        let longest_s = if needed[Field::LatencyMs as usize].is_empty() && needed[Field::LatencyS as usize].is_empty() {
            0
        } else if needed[Field::LatencyS as usize].is_empty() {
            // The index keeps bits: of unsigned numbers they are no extremes. A negative one would be rejected.
            let signed = |latency: &&arrow_schema::Field| {
                matches!(latency.data_type(), DataType::Int8 | DataType::Int16 | DataType::Int32 | DataType::Int64)
            };
            let known = only(Field::LatencyMs).filter(signed).and_then(|latency| extremes(group, latency.name()));
            let Some((0.., longest_ms)) = known else { return false };
            longest_ms.div_euclid(1000).saturating_add(1)
        } else {
            return false;
        };
        self.since_s.is_some_and(|since| seconds(last).saturating_add(1).saturating_add(longest_s) <= since)
    }
}

/// The least and the largest value of a column of integers, where every row has one.
fn extremes(group: &RowGroupMetaData, name: &str) -> Option<(i64, i64)> {
    let is_named = |column: &&ColumnChunkMetaData| {
        let parts = column.column_path().parts();
        parts.len() == 1 && parts[0] == name
    };
    let statistics = group.columns().iter().find(is_named)?.statistics()?;
    if statistics.null_count_opt() != Some(0) {
        return None;
    }
    match statistics {
        Statistics::Int64(of) => Some((*of.min_opt()?, *of.max_opt()?)),
        Statistics::Int32(of) => Some((i64::from(*of.min_opt()?), i64::from(*of.max_opt()?))),
        _ => None,
    }
}
