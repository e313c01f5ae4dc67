//! Time in steps of hours, months and years, and quantities that have a value for each.
//!
//! Everything is UTC. An hour is its number since 1970; a month and a year are calendar ones.
//!
//! ```
//! use wattledger::hours::{Series, Step, hour_of};
//! let series = Series::new(Step::Month, Step::Month.of(hour_of(1_704_067_200)), vec![Some(120.0), None]);
//! assert_eq!(series.at(hour_of(1_706_000_000)), Some(120.0), "a time in January 2024");
//! assert_eq!(series.at(hour_of(1_707_000_000)), None, "nothing is known of February");
//! ```

mod timeline;

pub use timeline::{Gathering, Timeline};

use jiff::civil::Date;
use jiff::{Timestamp, tz::TimeZone};

/// Seconds in an hour.
pub const HOUR_S: i64 = 3600;

/// The hour that a second since 1970 falls into.
#[must_use]
pub const fn hour_of(second: i64) -> i64 {
    second.div_euclid(HOUR_S)
}

/// The date of an hour; the calendar's ends stand for what lies beyond them.
#[must_use]
pub fn date_of(hour: i64) -> Date {
    let at = hour.checked_mul(HOUR_S).and_then(|second| Timestamp::from_second(second).ok());
    let at = at.unwrap_or(if hour < 0 { Timestamp::MIN } else { Timestamp::MAX });
    at.to_zoned(TimeZone::UTC).date()
}

/// The first hour of a date.
#[must_use]
pub fn hour_of_date(date: Date) -> i64 {
    let start = date.to_zoned(TimeZone::UTC).map_or(0, |zoned| zoned.timestamp().as_second());
    hour_of(start)
}

/// An hour as people write it: `2024-07-01T15:00Z`.
#[must_use]
pub fn told(hour: i64) -> String {
    format!("{}T{:02}:00Z", date_of(hour), hour.rem_euclid(24))
}

/// How long one value of a series holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Step {
    /// An hour.
    Hour,
    /// A calendar month.
    Month,
    /// A calendar year.
    Year,
}

impl Step {
    /// The number of the step that an hour falls into: hours since 1970, months since the year 0, years.
    #[must_use]
    pub fn of(self, hour: i64) -> i64 {
        if self == Self::Hour {
            return hour;
        }
        let date = date_of(hour);
        let year = i64::from(date.year());
        if self == Self::Year { year } else { 12 * year + i64::from(date.month()) - 1 }
    }

    /// The first hour of a step by its number.
    #[must_use]
    pub fn first_hour(self, number: i64) -> i64 {
        let date = |year: i64, month: i64| {
            let (year, month) = (i16::try_from(year).unwrap_or(i16::MAX), i8::try_from(month).unwrap_or(1));
            hour_of_date(Date::new(year, month, 1).unwrap_or(Date::MAX))
        };
        match self {
            Self::Hour => number,
            Self::Month => date(number.div_euclid(12), number.rem_euclid(12) + 1),
            Self::Year => date(number, 1),
        }
    }

    /// The word in files and messages.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Hour => "hour",
            Self::Month => "month",
            Self::Year => "year",
        }
    }
}

/// One value a step, some of them unknown.
#[derive(Clone, Debug, PartialEq)]
pub struct Series {
    step: Step,
    start: i64,
    values: Vec<f64>,
}

impl Series {
    /// Values from this step on, without a gap; `None` is unknown.
    #[must_use]
    pub fn new(step: Step, start: i64, values: Vec<Option<f64>>) -> Self {
        Self { step, start, values: values.into_iter().map(|value| value.unwrap_or(f64::NAN)).collect() }
    }

    /// How long one value holds.
    #[must_use]
    pub const fn step(&self) -> Step {
        self.step
    }

    /// The value at an hour; `None` outside the series and where it is unknown.
    #[must_use]
    pub fn at(&self, hour: i64) -> Option<f64> {
        let place = usize::try_from(self.step.of(hour).checked_sub(self.start)?).ok()?;
        self.values.get(place).copied().filter(|value| value.is_finite())
    }

    /// First hour of the series and first after it.
    #[must_use]
    pub fn span(&self) -> (i64, i64) {
        let end = self.start + i64::try_from(self.values.len()).unwrap_or(i64::MAX);
        (self.step.first_hour(self.start), self.step.first_hour(end))
    }

    /// Mean of what is known.
    #[must_use]
    pub fn mean(&self) -> Option<f64> {
        mean(self.values.iter().copied().filter(|value| value.is_finite()))
    }

    /// Number of steps and value of each that is known.
    pub fn iter(&self) -> impl Iterator<Item = (i64, f64)> {
        (self.start..).zip(self.values.iter().copied()).filter(|(_, value)| value.is_finite())
    }

    /// Number of steps, known or not.
    #[must_use]
    pub fn len(&self) -> usize {
        self.values.len()
    }

    /// Whether there is no step.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }
}

/// Mean of some numbers; `None` of none.
#[must_use]
pub fn mean(values: impl Iterator<Item = f64>) -> Option<f64> {
    let (sum, count) = values.fold((0.0, 0.0), |(sum, count), value| (sum + value, count + 1.0));
    (count > 0.0).then(|| sum / count)
}

/// The hour of another year at the same month, day and hour; the 29th of February becomes the 28th where that year has
/// none.
///
/// ```
/// use wattledger::hours::{hour_of, in_year, told};
/// let leap = hour_of(1_709_208_000);
/// assert_eq!((told(leap), told(in_year(leap, 2023))), ("2024-02-29T12:00Z".into(), "2023-02-28T12:00Z".into()));
/// ```
#[must_use]
pub fn in_year(hour: i64, year: i64) -> i64 {
    let date = date_of(hour);
    let other = i16::try_from(year).unwrap_or(1970);
    let moved = Date::new(other, date.month(), date.day());
    let moved = moved.or_else(|_| Date::new(other, date.month(), 28)).unwrap_or(date);
    hour_of_date(moved) + hour.rem_euclid(24)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_begin_where_they_are_found() {
        for step in [Step::Hour, Step::Month, Step::Year] {
            for hour in [-1, 0, 473_352, 482_136, 500_000] {
                let number = step.of(hour);
                let (first, next) = (step.first_hour(number), step.first_hour(number + 1));
                assert!(first <= hour && hour < next, "{step:?} {hour}: {first} to {next}");
                assert_eq!(step.of(first), number);
            }
        }
    }

    #[test]
    fn a_series_says_where_it_ends() {
        let series = Series::new(Step::Year, 2023, vec![Some(1.0), None, Some(5.0)]);
        assert_eq!(series.span(), (Step::Year.first_hour(2023), Step::Year.first_hour(2026)));
        assert_eq!(series.mean(), Some(3.0));
        assert_eq!(series.at(series.span().0 - 1), None);
        assert_eq!(series.iter().collect::<Vec<_>>(), [(2023, 1.0), (2025, 5.0)]);
    }
}
