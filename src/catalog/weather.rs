//! Weather stations: hourly dry bulb, humidity and pressure of some years, or of a typical year.

use super::record::{File, Load, Row, record};
use super::series::{self, Groups};
use crate::Result;
use crate::hours::{date_of, in_year};
use std::sync::OnceLock;

record! {
    /// A place whose weather is known by the hour.
    pub Station = "weather station" {
        /// Key.
        id: String,
        /// Name of the place.
        name: String,
        /// ISO 3166 two-letter code.
        country: String,
        /// Latitude.
        lat: f64 = "degree" [-90.0, 90.0],
        /// Longitude.
        lon: f64 = "degree" [-180.0, 180.0],
        /// real: years as they were; typical: months of different years under one nominal year.
        years: String,
        /// First hour, UTC.
        start_utc: String,
        /// Hours.
        hours: f64 = "h" [1.0, 1_000_000.0],
        /// Place in the file of series.
        row_group: Option<u16> = "" [0.0, 10_000.0],
        /// A remark.
        note: Option<String>,
    }
}

impl Load for Station {
    const FILES: &'static [File] =
        &[File { name: "weather.csv", text: include_str!("data/weather.csv"), prefix: "", sources: None }];

    fn build(row: &Row<'_>) -> std::result::Result<Self, String> {
        let station = Self::read(row);
        if !["real", "typical"].contains(&station.years.as_str()) {
            return Err(format!("`years` is `{}`, expected real or typical", station.years));
        }
        series::start("start_utc", &station.start_utc)?;
        Ok(station)
    }
}

/// The series, one row group a station.
pub(super) static SERIES: &[u8] = include_bytes!("data/weather.parquet");
const COLUMNS: [&str; 3] = ["dry_bulb_dc", "rel_humidity_pct", "pressure_hpa"];
/// Kilometres; the mean radius of the earth.
const EARTH_KM: f64 = 6371.0;

impl Station {
    /// Its hours. Decoded when first asked for, then kept.
    ///
    /// # Errors
    /// [`crate::Error::CatalogRow`] if the station is a user's row: its series belongs into a file of the site.
    pub fn hourly(&self) -> Result<&'static WeatherHours> {
        static DECODED: OnceLock<Groups<WeatherHours>> = OnceLock::new();
        let groups = DECODED.get_or_init(|| Groups::new(SERIES));
        groups.get("weather.csv", &self.id, self.row_group.unwrap_or(u16::MAX), |bytes, at| {
            let [dry_bulb, humidity, pressure] = series::columns(bytes, at, COLUMNS)?;
            Ok(WeatherHours {
                start: series::start("start_utc", &self.start_utc)?,
                typical: self.years == "typical",
                dry_bulb_dc: dry_bulb,
                rel_humidity_pct: humidity,
                pressure_hpa: pressure,
            })
        })
    }

    /// Great-circle distance to a place, km.
    #[must_use]
    pub fn distance_km(&self, lat: f64, lon: f64) -> f64 {
        let (a, b, across) = (lat.to_radians(), self.lat.to_radians(), (self.lon - lon).to_radians());
        EARTH_KM * (a.sin() * b.sin() + a.cos() * b.cos() * across.cos()).clamp(-1.0, 1.0).acos()
    }
}

/// Weather by the hour.
#[derive(Clone, Debug, PartialEq)]
pub struct WeatherHours {
    start: i64,
    typical: bool,
    dry_bulb_dc: Vec<Option<i32>>,
    rel_humidity_pct: Vec<Option<i32>>,
    pressure_hpa: Vec<Option<i32>>,
}

/// How an hour's weather was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum WeatherOf {
    /// The hour itself, in a series of the user's.
    Stated,
    /// The hour itself.
    Hour,
    /// The same calendar hour of another year.
    OtherYear(i64),
    /// The same calendar hour of a typical year.
    TypicalYear,
}

impl WeatherOf {
    /// The word in JSON.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Stated => "stated",
            Self::Hour => "hour",
            Self::OtherYear(_) => "other-year",
            Self::TypicalYear => "typical-year",
        }
    }

    /// What stands in, in words; nothing where the hour itself is known.
    #[must_use]
    pub fn stands_in(self) -> Option<String> {
        match self {
            Self::Stated | Self::Hour => None,
            Self::OtherYear(year) => Some(format!("the same hour of {year}")),
            Self::TypicalYear => Some("the same hour of a typical year".into()),
        }
    }
}

impl WeatherHours {
    /// Dry bulb in °C, relative humidity in %, pressure in kPa, and which hour they are of.
    #[must_use]
    pub fn at(&self, hour: i64) -> ([f64; 3], WeatherOf) {
        let (found, of) = self.stands_for(hour);
        (self.known(found).unwrap_or([15.0, 50.0, 101.325]), of)
    }

    /// The hour inside [`WeatherHours::span`] whose weather an hour takes, and which that is.
    #[must_use]
    pub fn stands_for(&self, hour: i64) -> (i64, WeatherOf) {
        if !self.typical && self.known(hour).is_some() {
            return (hour, WeatherOf::Hour);
        }
        // The latest whole year stands in; a series ends hours before its last year does.
        let last = i64::from(date_of(self.start + self.len() - 1 - 24).year());
        for year in [last, last - 1] {
            let same = in_year(hour, year);
            if self.known(same).is_some() {
                return (same, if self.typical { WeatherOf::TypicalYear } else { WeatherOf::OtherYear(year) });
            }
        }
        // The table holds at least one whole year, so a neighbour of the hour is known.
        (in_year(hour, last).clamp(self.start, self.start + self.len() - 1), WeatherOf::OtherYear(last))
    }

    /// First hour and first after the last.
    #[must_use]
    pub fn span(&self) -> (i64, i64) {
        (self.start, self.start + self.len())
    }

    /// Whether it is of no year in particular.
    #[must_use]
    pub const fn is_typical(&self) -> bool {
        self.typical
    }

    fn len(&self) -> i64 {
        i64::try_from(self.dry_bulb_dc.len()).unwrap_or(i64::MAX)
    }

    fn known(&self, hour: i64) -> Option<[f64; 3]> {
        let at = usize::try_from(hour - self.start).ok()?;
        let cell = |column: &[Option<i32>]| column.get(at).copied().flatten().map(f64::from);
        let [t, rh, p] = [&self.dry_bulb_dc, &self.rel_humidity_pct, &self.pressure_hpa].map(|c| cell(c));
        Some([t? / 10.0, rh?, p? / 10.0])
    }
}
