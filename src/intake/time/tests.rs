use super::*;
use proptest::prelude::*;

fn utc(text: &str) -> Result<i64, Reason> {
    instant(&Scalar::Text(text.into()), &Zone::Undeclared)
}

fn seconds(text: &str) -> i64 {
    text.parse::<jiff::Timestamp>().expect("a time jiff reads").as_microsecond()
}

#[test]
fn spellings_of_one_instant_agree() {
    let new_year = seconds("2026-01-01T00:00:00Z");
    for text in [
        "2026-01-01T00:00:00Z",
        "2026-01-01 00:00:00z",
        "2026-01-01t00:00:00.000000000+00:00",
        "2026-01-01T01:00:00+01:00",
        "2025-12-31T18:30:00-05:30",
        "20260101T000000Z",
        "20260101T010000+0100",
        "2026-01-01T01:00:00+01",
        "2026-01-01T01:00:00+0100",
        "2026-01-01T00:00Z",
        "Thu, 01 Jan 2026 00:00:00 GMT",
        "Thu, 1 Jan 2026 01:00:00 +0100",
    ] {
        assert_eq!(utc(text), Ok(new_year), "{text}");
    }
}

#[test]
fn epochs_are_told_apart_by_magnitude() {
    let good = Ok(seconds("2026-03-01T12:00:00Z"));
    for epoch in [1_772_366_400, 1_772_366_400_000, 1_772_366_400_000_000, 1_772_366_400_000_000_000] {
        assert_eq!(instant(&Scalar::Int(epoch), &Zone::Undeclared), good);
        assert_eq!(instant(&Scalar::Cell(epoch.to_string().into()), &Zone::Undeclared), good);
    }
    for epoch in [-1, 0, 1_420_070_399, 4_102_444_800, 20_260_101, i64::MAX, i64::MIN] {
        assert_eq!(instant(&Scalar::Int(epoch), &Zone::Undeclared), Err(Reason::TimestampOutOfRange), "{epoch}");
    }
    let quarter = instant(&Scalar::Float(1_767_225_600.25), &Zone::Undeclared);
    assert_eq!(quarter, Ok(1_767_225_600_250_000));
    for epoch in [f64::NAN, f64::INFINITY, -1.0, 1e300] {
        assert_eq!(instant(&Scalar::Float(epoch), &Zone::Undeclared), Err(Reason::TimestampOutOfRange));
    }
    assert_eq!(utc("1767225600"), Err(Reason::BadTimestamp), "text is no epoch where numbers exist");
}

#[test]
fn leap_seconds_open_the_next_day() {
    assert_eq!(utc("2016-12-31T23:59:60Z"), Ok(seconds("2017-01-01T00:00:00Z")));
    assert_eq!(utc("2017-01-01T00:59:60+01:00"), Ok(seconds("2017-01-01T00:00:00Z")));
    assert_eq!(utc("20161231T235960Z"), Ok(seconds("2017-01-01T00:00:00Z")));
    for text in ["2026-01-01T12:00:60Z", "2016-12-31T23:59:61Z", "2016-12-31T23:58:60Z", "2026-01-01T00:00:60+0100"] {
        assert_eq!(utc(text), Err(Reason::BadTimestamp), "{text}");
    }
}

#[test]
fn what_is_no_time_is_refused() {
    for text in [
        "",
        "now",
        "01/03/2026 12:00",
        "2026-02-30T00:00:00Z",
        "2025-02-29T00:00:00Z",
        "2026-13-01T00:00:00Z",
        "2026-03-01T25:00:00Z",
        "2026-03-01T12:00:00+25:00",
        "2026-03-01T12:60:00Z",
        "0000-00-00T00:00:00Z",
        "2026-01-01",
        "2026-01-01T00:00:00.Z",
        "2026-01-01T00:00:00.1234567890Z",
        "2026-01-01T00:00:00Z ",
        "Fri, 01 Jan 2026 00:00:00 GMT",
        "2026-01-01T00:00:00+01:00[Europe/Berlin]",
        "２０２６-01-01T00:00:00Z",
    ] {
        assert_eq!(utc(text), Err(Reason::BadTimestamp), "{text}");
    }
    for text in ["2262-04-12T00:00:00Z", "9999-12-31T23:59:59Z", "1677-09-21T00:00:00Z", "2100-01-01T00:00:00Z"] {
        assert_eq!(utc(text), Err(Reason::TimestampOutOfRange), "{text}");
    }
    assert_eq!(utc("2099-12-31T23:59:59.999999999Z"), Ok(limits::END_TIME_US - 1));
}

#[test]
fn naive_times_need_a_declared_zone() {
    let naive = Scalar::Text("2026-07-01T12:00:00".into());
    assert_eq!(instant(&naive, &Zone::Undeclared), Err(Reason::NaiveTimestamp));
    let berlin = Zone::parse("Europe/Berlin").expect("a zone");
    for (zone, wanted) in [
        (Zone::parse("UTC").expect("a zone"), "2026-07-01T12:00:00Z"),
        (Zone::parse("-03:30").expect("a zone"), "2026-07-01T15:30:00Z"),
        (berlin.clone(), "2026-07-01T10:00:00Z"),
    ] {
        assert_eq!(instant(&naive, &zone), Ok(seconds(wanted)));
    }
    let local = |text: &'static str| instant(&Scalar::Text(text.into()), &berlin);
    assert_eq!(local("2026-03-29T02:30:00"), Err(Reason::BadTimestamp), "the clock skipped it");
    assert_eq!(local("2026-10-25T02:30:00"), Err(Reason::NaiveTimestamp), "the clock showed it twice");
    assert_eq!(local("2026-10-25T02:30:00+01:00"), Ok(seconds("2026-10-25T01:30:00Z")));
    assert_eq!(instant(&Scalar::Naive(seconds("2026-07-01T12:00:00Z")), &berlin), Ok(seconds("2026-07-01T10:00:00Z")));
}

#[test]
fn unknown_zones_name_their_neighbours() {
    let Err(Error::UnknownName { nearest, .. }) = Zone::parse("Europe/Berln") else { panic!("an unknown zone") };
    assert_eq!(nearest[0], "Europe/Berlin");
    assert!(Zone::parse("+25:00").is_err());
}

proptest! {
    #[test]
    fn the_reading_by_hand_agrees_with_jiff(
        nanos in i128::from(limits::FIRST_TIME_US) * 1_000..i128::from(limits::END_TIME_US) * 1_000,
        offset in -1439_i32..=1439,
        fraction in 0_u8..=9,
        separator in prop::sample::select(vec!['T', ' ', 't']),
    ) {
        let time = jiff::Timestamp::from_nanosecond(nanos).unwrap();
        let zone = TimeZone::fixed(Offset::from_seconds(offset * 60).unwrap());
        let local = time.to_zoned(zone).datetime();
        let digits = format!("{:09}", local.subsec_nanosecond());
        let point = if fraction == 0 { "" } else { "." };
        let sign = if offset < 0 { '-' } else { '+' };
        let text = format!(
            "{}{separator}{:02}:{:02}:{:02}{point}{}{sign}{:02}:{:02}", local.date(), local.hour(), local.minute(),
            local.second(), &digits[..usize::from(fraction)], offset.abs() / 60, offset.abs() % 60,
        );
        let jiff: jiff::Timestamp = text.parse().unwrap();
        let floor = jiff.as_nanosecond().div_euclid(1_000);
        prop_assert_eq!(extended(text.as_bytes()), Some(Written::Utc(i64::try_from(floor).unwrap())), "{}", text);
    }

    #[test]
    fn what_the_hand_takes_jiff_takes_too(text in "20[0-9]{2}-[01][0-9]-[0-3][0-9][T ][0-2][0-9]:[0-6][0-9]:[0-5][0-9](\\.[0-9]{1,10})?(Z|[+-][0-2][0-9]:[0-6][0-9])") {
        match extended(text.as_bytes()) {
            Some(Written::Utc(time)) => {
                let jiff: jiff::Timestamp = text.parse().unwrap();
                prop_assert_eq!(i128::from(time), jiff.as_nanosecond().div_euclid(1_000));
            }
            Some(Written::Local(_)) => prop_assert!(false, "an offset was written"),
            // Only offsets of a day and more are refused on purpose.
            None => prop_assert!(text.parse::<jiff::Timestamp>().is_err() || odd(&text).is_none(), "{}", text),
        }
    }

    #[test]
    fn no_text_panics(text in "\\PC{0,40}", bytes in prop::collection::vec(0x20_u8..0x7f, 0..40)) {
        let _ = utc(&text);
        let _ = utc(&String::from_utf8(bytes).unwrap());
    }
}
