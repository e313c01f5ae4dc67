//! Typed columns: Arrow arrays as cells, for the types each field allows.

use super::field::Field;
use super::value::Scalar;
use arrow_array::cast::AsArray;
use arrow_array::types::{
    Float32Type, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type, TimestampMicrosecondType,
    TimestampMillisecondType, TimestampNanosecondType, TimestampSecondType, UInt8Type, UInt16Type, UInt32Type,
    UInt64Type,
};
use arrow_array::{
    Array, BooleanArray, Float32Array, Float64Array, Int8Array, Int16Array, Int32Array, Int64Array, LargeStringArray,
    StringArray, StringViewArray, UInt8Array, UInt16Array, UInt32Array, UInt64Array,
};
use arrow_schema::{DataType, TimeUnit};
use std::borrow::Cow;

/// What a column is read for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    Field(Field),
    Dimension,
}

impl Role {
    /// What the column has to be, if it is not.
    pub fn refuses(self, found: &DataType) -> Option<&'static str> {
        let number = found.is_integer() || *found == DataType::Float64;
        let plain = match found {
            DataType::Dictionary(_, values) => values,
            other => other,
        };
        let text = matches!(plain, DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View);
        let (good, expected) = match self {
            Self::Field(Field::Timestamp) => {
                (number || text || matches!(found, DataType::Timestamp(..)), "a timestamp, text or an epoch number")
            }
            Self::Field(Field::LatencyMs | Field::LatencyS) => (number || *found == DataType::Float32, "a number"),
            Self::Field(field) if field.is_label() => (text, "text"),
            Self::Field(_) => (number, "an integer column, or float64 with whole values"),
            Self::Dimension => (number || text || *found == DataType::Boolean, "text, a number or a flag"),
        };
        (!good && *found != DataType::Null).then_some(expected)
    }
}

/// An array, by the type of its values.
pub(super) enum Typed<'a> {
    Null,
    Bool(&'a BooleanArray),
    I8(&'a Int8Array),
    I16(&'a Int16Array),
    I32(&'a Int32Array),
    I64(&'a Int64Array),
    U8(&'a UInt8Array),
    U16(&'a UInt16Array),
    U32(&'a UInt32Array),
    U64(&'a UInt64Array),
    F32(&'a Float32Array),
    F64(&'a Float64Array),
    Text(&'a StringArray),
    LargeText(&'a LargeStringArray),
    ViewText(&'a StringViewArray),
    Time {
        array: &'a dyn Array,
        values: &'a [i64],
        unit: TimeUnit,
        zoned: bool,
    },
    /// Keys that stand for no value are `None`.
    Dictionary {
        array: &'a dyn Array,
        keys: Vec<Option<usize>>,
        values: Box<Typed<'a>>,
    },
}

impl<'a> Typed<'a> {
    /// The array as cells; `None` for a type that no [`Role`] takes.
    pub fn new(array: &'a dyn Array) -> Option<Self> {
        Some(match array.data_type() {
            DataType::Null => Self::Null,
            DataType::Boolean => Self::Bool(array.as_boolean()),
            DataType::Int8 => Self::I8(array.as_primitive::<Int8Type>()),
            DataType::Int16 => Self::I16(array.as_primitive::<Int16Type>()),
            DataType::Int32 => Self::I32(array.as_primitive::<Int32Type>()),
            DataType::Int64 => Self::I64(array.as_primitive::<Int64Type>()),
            DataType::UInt8 => Self::U8(array.as_primitive::<UInt8Type>()),
            DataType::UInt16 => Self::U16(array.as_primitive::<UInt16Type>()),
            DataType::UInt32 => Self::U32(array.as_primitive::<UInt32Type>()),
            DataType::UInt64 => Self::U64(array.as_primitive::<UInt64Type>()),
            DataType::Float32 => Self::F32(array.as_primitive::<Float32Type>()),
            DataType::Float64 => Self::F64(array.as_primitive::<Float64Type>()),
            DataType::Utf8 => Self::Text(array.as_string::<i32>()),
            DataType::LargeUtf8 => Self::LargeText(array.as_string::<i64>()),
            DataType::Utf8View => Self::ViewText(array.as_string_view()),
            DataType::Timestamp(unit, zone) => {
                let values: &[i64] = match unit {
                    TimeUnit::Second => array.as_primitive::<TimestampSecondType>().values(),
                    TimeUnit::Millisecond => array.as_primitive::<TimestampMillisecondType>().values(),
                    TimeUnit::Microsecond => array.as_primitive::<TimestampMicrosecondType>().values(),
                    TimeUnit::Nanosecond => array.as_primitive::<TimestampNanosecondType>().values(),
                };
                Self::Time { array, values, unit: *unit, zoned: zone.is_some() }
            }
            DataType::Dictionary(..) => {
                let dictionary = array.as_any_dictionary();
                if dictionary.values().is_empty() {
                    return Some(Self::Null);
                }
                let keys = keys(dictionary.keys(), dictionary.values().len())?;
                Self::Dictionary { array, keys, values: Box::new(Self::new(&**dictionary.values())?) }
            }
            _ => return None,
        })
    }

    fn is_null(&self, row: usize) -> bool {
        match self {
            Self::Null => true,
            Self::Bool(a) => a.is_null(row),
            Self::I8(a) => a.is_null(row),
            Self::I16(a) => a.is_null(row),
            Self::I32(a) => a.is_null(row),
            Self::I64(a) => a.is_null(row),
            Self::U8(a) => a.is_null(row),
            Self::U16(a) => a.is_null(row),
            Self::U32(a) => a.is_null(row),
            Self::U64(a) => a.is_null(row),
            Self::F32(a) => a.is_null(row),
            Self::F64(a) => a.is_null(row),
            Self::Text(a) => a.is_null(row),
            Self::LargeText(a) => a.is_null(row),
            Self::ViewText(a) => a.is_null(row),
            Self::Time { array, .. } | Self::Dictionary { array, .. } => array.is_null(row),
        }
    }

    /// One cell.
    pub fn cell(&self, row: usize) -> Scalar<'_> {
        if self.is_null(row) {
            return Scalar::Null;
        }
        match self {
            Self::Null => Scalar::Null,
            Self::Bool(a) => Scalar::Bool(a.value(row)),
            Self::I8(a) => Scalar::Int(a.value(row).into()),
            Self::I16(a) => Scalar::Int(a.value(row).into()),
            Self::I32(a) => Scalar::Int(a.value(row).into()),
            Self::I64(a) => Scalar::Int(a.value(row)),
            Self::U8(a) => Scalar::UInt(a.value(row).into()),
            Self::U16(a) => Scalar::UInt(a.value(row).into()),
            Self::U32(a) => Scalar::UInt(a.value(row).into()),
            Self::U64(a) => Scalar::UInt(a.value(row)),
            Self::F32(a) => Scalar::Float(a.value(row).into()),
            Self::F64(a) => Scalar::Float(a.value(row)),
            Self::Text(a) => Scalar::Text(Cow::Borrowed(a.value(row))),
            Self::LargeText(a) => Scalar::Text(Cow::Borrowed(a.value(row))),
            Self::ViewText(a) => Scalar::Text(Cow::Borrowed(a.value(row))),
            Self::Time { values, unit, zoned, .. } => {
                let micros = micros(values[row], *unit);
                if *zoned { Scalar::Instant(micros) } else { Scalar::Naive(micros) }
            }
            Self::Dictionary { keys, values, .. } => keys[row].map_or(Scalar::Null, |key| values.cell(key)),
        }
    }
}

/// Keys of a dictionary of `len` values. Whoever made the array may have left them unchecked.
fn keys(keys: &dyn Array, len: usize) -> Option<Vec<Option<usize>>> {
    macro_rules! each {
        ($($data_type:ident => $primitive:ty),+) => {
            match keys.data_type() {
                $(DataType::$data_type => {
                    let values = keys.as_primitive::<$primitive>().values().iter();
                    Some(values.map(|key| usize::try_from(*key).ok().filter(|key| *key < len)).collect())
                })+
                _ => None,
            }
        };
    }
    each!(Int8 => Int8Type, Int16 => Int16Type, Int32 => Int32Type, Int64 => Int64Type,
        UInt8 => UInt8Type, UInt16 => UInt16Type, UInt32 => UInt32Type, UInt64 => UInt64Type)
}

/// Microseconds towards the past; what does not fit is far outside the years that are read, and stays so.
fn micros(value: i64, unit: TimeUnit) -> i64 {
    match unit {
        TimeUnit::Second => value.saturating_mul(1_000_000),
        TimeUnit::Millisecond => value.saturating_mul(1_000),
        TimeUnit::Microsecond => value,
        TimeUnit::Nanosecond => value.div_euclid(1_000),
    }
}
