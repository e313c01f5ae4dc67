//! Times: from the spellings of logs to microseconds since 1970 UTC.
//!
//! The common spelling, RFC 3339 of fixed width, is read by hand; whatever is odd goes to jiff. Fractions of a
//! microsecond are cut off towards the past. A leap second is the first second of the next day.

use super::value::{Scalar, number};
use crate::error::{self, Error, nearest};
use crate::event::{Reason, limits};
use jiff::civil;
use jiff::fmt::temporal::{Pieces, PiecesOffset};
use jiff::fmt::{rfc2822, temporal};
use jiff::tz::{AmbiguousOffset, Offset, TimeZone};

const SECOND: i64 = 1_000_000;
const DAY: i64 = 86_400 * SECOND;

/// The zone of times without an offset, where one is declared.
#[derive(Clone, Debug, Default)]
pub(super) enum Zone {
    #[default]
    Undeclared,
    Fixed(i64),
    Named(TimeZone),
}

/// A time as written: on the clock of its offset, or on a clock nobody named.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Written {
    Utc(i64),
    Local(i64),
}

impl Zone {
    /// Whether times without an offset are UTC.
    pub fn is_utc(&self) -> bool {
        matches!(self, Self::Fixed(0))
    }

    /// `UTC`, an offset such as `+01:00`, or a name of the IANA database.
    pub fn parse(name: &str) -> error::Result<Self> {
        if name.eq_ignore_ascii_case("utc") || name == "Z" {
            return Ok(Self::Fixed(0));
        }
        if let Some((seconds, _)) = offset(name.as_bytes()).filter(|(_, length)| *length == name.len()) {
            return Ok(Self::Fixed(seconds * SECOND));
        }
        TimeZone::get(name).map(Self::Named).map_err(|_| {
            let known: Vec<String> = jiff::tz::db().available().map(|zone| zone.as_str().to_owned()).collect();
            let nearest = nearest(name, known.iter().map(String::as_str));
            Error::UnknownName { kind: "time zone", name: name.into(), nearest }
        })
    }

    /// The instant of a local time. One that the clock skipped is no time; one that it showed twice lacks its offset.
    fn instant(&self, local: i64) -> Result<i64, Reason> {
        match self {
            Self::Undeclared => Err(Reason::NaiveTimestamp),
            Self::Fixed(offset) => Ok(local.saturating_sub(*offset)),
            Self::Named(zone) => {
                let clock = jiff::Timestamp::from_microsecond(local).map_err(|_| Reason::TimestampOutOfRange)?;
                let ambiguous = zone.to_ambiguous_timestamp(Offset::UTC.to_datetime(clock));
                match ambiguous.offset() {
                    AmbiguousOffset::Unambiguous { offset } => Ok(local - i64::from(offset.seconds()) * SECOND),
                    AmbiguousOffset::Gap { .. } => Err(Reason::BadTimestamp),
                    AmbiguousOffset::Fold { .. } => Err(Reason::NaiveTimestamp),
                }
            }
        }
    }
}

/// Reads times of files other than logs by the rules of logs.
#[derive(Clone, Debug, Default)]
pub struct Clock(Zone);

impl Clock {
    /// A clock for times without an offset: `UTC`, an offset such as `+01:00`, an IANA name, or none declared.
    ///
    /// # Errors
    /// [`Error::UnknownName`] for a zone that does not exist.
    pub fn new(zone: Option<&str>) -> error::Result<Self> {
        zone.map_or(Ok(Zone::Undeclared), Zone::parse).map(Self)
    }

    /// Microseconds since 1970 UTC of a cell: RFC 3339 and its kin, or an epoch of seconds to nanoseconds.
    ///
    /// ```
    /// use wattledger::{event::Reason, intake::Clock};
    /// let clock = Clock::new(None)?;
    /// assert_eq!(clock.instant("2026-01-01T01:00:00+01:00"), Ok(1_767_225_600_000_000));
    /// assert_eq!(clock.instant("1767225600.5"), Ok(1_767_225_600_500_000));
    /// assert_eq!(clock.instant("2026-01-01 00:00:00"), Err(Reason::NaiveTimestamp));
    /// # Ok::<(), wattledger::Error>(())
    /// ```
    ///
    /// # Errors
    /// Why it is no time.
    pub fn instant(&self, text: &str) -> Result<i64, Reason> {
        instant(&Scalar::Cell(text.trim().into()), &self.0)
    }
}

/// The instant a cell stands for.
pub(super) fn instant(cell: &Scalar, zone: &Zone) -> Result<i64, Reason> {
    let time = match cell {
        Scalar::Text(text) => text_instant(text, zone)?,
        // No epoch has a dash there.
        Scalar::Cell(text) if text.as_bytes().get(4) == Some(&b'-') => text_instant(text, zone)?,
        Scalar::Cell(text) => match number(text) {
            Some(number) => return instant(&number, zone),
            None => text_instant(text, zone)?,
        },
        Scalar::Int(epoch) => epoch_us(*epoch)?,
        Scalar::UInt(epoch) => epoch_us(i64::try_from(*epoch).map_err(|_| Reason::TimestampOutOfRange)?)?,
        Scalar::Float(epoch) => float_epoch_us(*epoch)?,
        Scalar::Instant(time) => *time,
        Scalar::Naive(local) => zone.instant(*local)?,
        Scalar::Null => return Err(Reason::MissingField),
        Scalar::Bool(_) | Scalar::Nested => return Err(Reason::BadTimestamp),
    };
    in_range(time)
}

/// The time itself if it lies in the years that are read.
pub(super) fn in_range(time: i64) -> Result<i64, Reason> {
    let good = (limits::FIRST_TIME_US..limits::END_TIME_US).contains(&time);
    if good { Ok(time) } else { Err(Reason::TimestampOutOfRange) }
}

/// A time as a message may quote it, on the clock it is given in.
pub(super) fn shown(time: i64) -> String {
    jiff::Timestamp::from_microsecond(time)
        .map_or_else(|_| format!("{time} us after 1970"), |time| Offset::UTC.to_datetime(time).to_string())
}

/// Microseconds from a whole number of seconds, milli-, micro- or nanoseconds: from 2015 to 2100 the four ranges are
/// three decades apart.
fn epoch_us(epoch: i64) -> Result<i64, Reason> {
    const FIRST_S: i64 = limits::FIRST_TIME_US / SECOND;
    const END_S: i64 = limits::END_TIME_US / SECOND;
    let within = |scale: i64| (FIRST_S * scale..END_S * scale).contains(&epoch);
    if within(1) {
        Ok(epoch * SECOND)
    } else if within(1_000) {
        Ok(epoch * 1_000)
    } else if within(1_000_000) {
        Ok(epoch)
    } else if within(1_000_000_000) {
        Ok(epoch / 1_000)
    } else {
        Err(Reason::TimestampOutOfRange)
    }
}

/// As for whole numbers, to the nearest microsecond: binary fractions are near the written time on either side.
#[expect(clippy::cast_precision_loss, clippy::cast_possible_truncation, reason = "inside the range of years")]
fn float_epoch_us(epoch: f64) -> Result<i64, Reason> {
    for scale in [1e6, 1e3, 1.0, 1e-3] {
        let micros = epoch * scale;
        if (limits::FIRST_TIME_US as f64..limits::END_TIME_US as f64).contains(&micros) {
            return Ok(micros.round_ties_even() as i64);
        }
    }
    Err(Reason::TimestampOutOfRange)
}

fn text_instant(text: &str, zone: &Zone) -> Result<i64, Reason> {
    let written = match extended(text.as_bytes()) {
        Some(written) => written,
        None => odd(text).ok_or(Reason::BadTimestamp)?,
    };
    match written {
        Written::Utc(time) => Ok(time),
        Written::Local(local) => zone.instant(local),
    }
}

fn digits(text: &[u8]) -> Option<i64> {
    text.iter().try_fold(0, |n, d| d.is_ascii_digit().then(|| n * 10 + i64::from(d - b'0')))
}

/// `YYYY-MM-DD[T ]hh:mm:ss[.f{1,9}][Z|±hh:mm]`, strictly; anything else is `None`.
fn extended(text: &[u8]) -> Option<Written> {
    let (head, mut rest) = text.split_at_checked(19)?;
    let marks = [head[4], head[7], head[13], head[16]];
    if marks != *b"--::" || !matches!(head[10], b'T' | b't' | b' ') {
        return None;
    }
    let (year, month, day) = (digits(&head[..4])?, digits(&head[5..7])?, digits(&head[8..10])?);
    let (hour, minute, second) = (digits(&head[11..13])?, digits(&head[14..16])?, digits(&head[17..19])?);
    if !(1..=12).contains(&month) || day < 1 || day > days_in(year, month) || hour > 23 || minute > 59 || second > 60 {
        return None;
    }
    let mut micros = 0;
    if let Some(after) = rest.strip_prefix(b".") {
        let length = after.iter().take_while(|d| d.is_ascii_digit()).count();
        if !(1..=9).contains(&length) {
            return None;
        }
        let kept = length.min(6);
        micros = digits(&after[..kept])? * 10_i64.pow(u32::try_from(6 - kept).ok()?);
        rest = &after[length..];
    }
    let seconds = days_since_1970(year, month, day) * 86_400 + hour * 3_600 + minute * 60 + second;
    let (offset_s, is_utc) = match rest {
        [] => (0, false),
        b"Z" | b"z" => (0, true),
        other => {
            let (offset, length) = offset(other)?;
            (offset, length == other.len())
        }
    };
    if !rest.is_empty() && !is_utc {
        return None;
    }
    // Leap seconds end a day of UTC.
    if second == 60 && (seconds - offset_s).rem_euclid(86_400) != 0 {
        return None;
    }
    let time = (seconds - offset_s) * SECOND + micros;
    Some(if is_utc { Written::Utc(time) } else { Written::Local(time) })
}

/// `±hh:mm` at the start of a text: seconds and length.
fn offset(text: &[u8]) -> Option<(i64, usize)> {
    let sign = match text.first()? {
        b'+' => 1,
        b'-' => -1,
        _ => return None,
    };
    let (hours, minutes) = (digits(text.get(1..3)?)?, digits(text.get(4..6)?)?);
    (text[3] == b':' && hours <= 23 && minutes <= 59).then_some((sign * (hours * 3_600 + minutes * 60), 6))
}

fn days_in(year: i64, month: i64) -> i64 {
    match month {
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Days since 1970-01-01 in the proleptic Gregorian calendar (Hinnant, "chrono-compatible low-level date algorithms").
fn days_since_1970(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719_468
}

/// Basic ISO, HTTP and mail dates, and what else ISO 8601 allows for an instant.
fn odd(text: &str) -> Option<Written> {
    let bytes = text.as_bytes();
    if !text.is_ascii() || bytes.len() > 64 {
        return None;
    }
    if bytes.first()?.is_ascii_alphabetic() {
        // A leap second in this spelling would be clamped.
        let time = rfc2822::DateTimeParser::new().parse_timestamp(text).ok()?;
        return (!text.contains(":60")).then(|| Written::Utc(time.as_microsecond()));
    }
    if bytes.len() >= 15 && matches!(bytes[8], b'T' | b't') && digits(&bytes[..8]).is_some() {
        let (date, time) = (&text[..8], text.get(9..15)?);
        let zone = match &text[15..] {
            short if short.len() == 5 && short.starts_with(['+', '-']) => format!("{}:{}", &short[..3], &short[3..]),
            other => other.to_owned(),
        };
        let (year, month, day) = (&date[..4], &date[4..6], &date[6..]);
        let (hour, minute, second) = (&time[..2], &time[2..4], &time[4..]);
        return extended(format!("{year}-{month}-{day}T{hour}:{minute}:{second}{zone}").as_bytes());
    }
    iso(text)
}

/// Through jiff, which clamps leap seconds and takes offsets of a day and more: neither is read here.
fn iso(text: &str) -> Option<Written> {
    const PARSER: temporal::DateTimeParser = temporal::DateTimeParser::new();
    let pieces: Pieces = PARSER.parse_pieces(text).ok()?;
    let local = civil::DateTime::from_parts(pieces.date(), pieces.time()?);
    if text.contains(":60") || pieces.time_zone_annotation().is_some() {
        return None;
    }
    let clock = Offset::UTC.to_timestamp(local).ok()?.as_microsecond();
    match pieces.offset() {
        None => Some(Written::Local(clock)),
        Some(PiecesOffset::Zulu) => Some(Written::Utc(clock)),
        Some(PiecesOffset::Numeric(offset)) => {
            let micros = i64::from(offset.offset().seconds()) * SECOND;
            (micros.abs() < DAY).then_some(Written::Utc(clock - micros))
        }
        Some(_) => None,
    }
}

#[cfg(test)]
mod tests;
