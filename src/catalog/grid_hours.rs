//! Hours of grids: generation by source of a balancing area, or a marginal factor of a region.

use super::record::{File, Load, Row, record};
use super::series::{self, Groups};
use crate::Result;
use crate::hours::{Series, Step};
use std::sync::OnceLock;

record! {
    /// A series of a grid by the hour.
    pub GridHours = "hourly grid series" {
        /// Key: source:AREA.
        id: String,
        /// Name of the area.
        name: String,
        /// Electricity Maps zone of the same area.
        zone: Option<String>,
        /// generation: megawatts by source; marginal: grams per kilowatt-hour.
        content: String,
        /// First hour, UTC.
        start_utc: String,
        /// Hours.
        hours: f64 = "h" [1.0, 1_000_000.0],
        /// Place in the file of series.
        row_group: Option<u16> = "" [0.0, 10_000.0],
        /// What the technologies end in whose factors its sources have: `us` for `coal-us`.
        factors: Option<String>,
        /// Capacity of generation, without storage.
        capacity_mw: Option<f64> = "MW" [0.0, 1e7],
        /// Of it without wind and solar.
        dispatchable_mw: Option<f64> = "MW" [0.0, 1e7],
        /// Generation in all but the 0.05 % highest hours.
        peak_generation_mw: Option<f64> = "MW" [0.0, 1e7],
        /// A remark.
        note: Option<String>,
    }
}

impl Load for GridHours {
    const FILES: &'static [File] =
        &[File { name: "grid-hours.csv", text: include_str!("data/grid-hours.csv"), prefix: "", sources: None }];

    fn build(row: &Row<'_>) -> std::result::Result<Self, String> {
        let hours = Self::read(row);
        if !["generation", "marginal"].contains(&hours.content.as_str()) {
            return Err(format!("`content` is `{}`, expected generation or marginal", hours.content));
        }
        series::start("start_utc", &hours.start_utc)?;
        Ok(hours)
    }

    fn key(name: &str) -> std::borrow::Cow<'_, str> {
        super::names::lower(name)
    }
}

/// The series, one row group a row.
pub(super) static SERIES: &[u8] = include_bytes!("data/grid-hours.parquet");
/// Megawatts by source, in the order of [`super::MixHours`].
const SOURCES: [&str; 8] = ["coal_mw", "gas_mw", "oil_mw", "nuclear_mw", "hydro_mw", "wind_mw", "solar_mw", "other_mw"];

/// Generation by the hour, in megawatts by source: coal, gas, oil, nuclear, hydro, wind, solar, other.
#[derive(Clone, Debug, PartialEq)]
pub struct MixHours {
    sources: [Series; 8],
    /// Sum over all hours.
    year: [f64; 8],
}

impl MixHours {
    fn new(sources: [Series; 8]) -> Self {
        let year = sources.each_ref().map(|source| source.iter().map(|(_, mw)| mw).sum());
        Self { sources, year }
    }

    /// Generation in an hour; `None` where one of the sources is not known.
    #[must_use]
    pub fn at(&self, hour: i64) -> Option<[f64; 8]> {
        let mut generated = [0.0; 8];
        for (into, source) in generated.iter_mut().zip(&self.sources) {
            *into = source.at(hour)?;
        }
        Some(generated)
    }

    /// First hour and first after the last.
    #[must_use]
    pub fn span(&self) -> (i64, i64) {
        self.sources[0].span()
    }

    /// Generation over all hours that are known, in megawatt-hours.
    #[must_use]
    pub const fn year(&self) -> [f64; 8] {
        self.year
    }
}

fn hourly(start: i64, values: &[Option<i32>]) -> Series {
    Series::new(Step::Hour, start, values.iter().map(|value| value.map(f64::from)).collect())
}

impl GridHours {
    /// Generation by source. Decoded when first asked for, then kept.
    ///
    /// # Errors
    /// [`crate::Error::CatalogRow`] for a row without such a series.
    pub fn generation(&self) -> Result<&'static MixHours> {
        static DECODED: OnceLock<Groups<MixHours>> = OnceLock::new();
        let groups = DECODED.get_or_init(|| Groups::new(SERIES));
        groups.get("grid-hours.csv", &self.id, self.row_group.unwrap_or(u16::MAX), |bytes, at| {
            let start = series::start("start_utc", &self.start_utc)?;
            Ok(MixHours::new(series::columns(bytes, at, SOURCES)?.map(|values| hourly(start, &values))))
        })
    }

    /// The marginal factor, g/kWh. Decoded when first asked for, then kept.
    ///
    /// # Errors
    /// [`crate::Error::CatalogRow`] for a row without such a series.
    pub fn marginal(&self) -> Result<&'static Series> {
        static DECODED: OnceLock<Groups<Series>> = OnceLock::new();
        let groups = DECODED.get_or_init(|| Groups::new(SERIES));
        groups.get("grid-hours.csv", &self.id, self.row_group.unwrap_or(u16::MAX), |bytes, at| {
            let [values] = series::columns(bytes, at, ["marginal_g_per_kwh"])?;
            Ok(hourly(series::start("start_utc", &self.start_utc)?, &values))
        })
    }
}
