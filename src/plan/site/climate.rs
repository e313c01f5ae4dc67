//! The air outside of a site by the hour.

use crate::catalog::{WeatherHours, WeatherOf};
use crate::hours::Series;
use crate::physics::psychrometrics::{Air, Weather};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

/// Pressure at sea level, where a user's series has none.
pub(super) const SEA_LEVEL_KPA: f64 = 101.325;
/// Step through a year where its mean is asked for: coprime with 24, so that every hour of the day comes up.
const YEAR_STRIDE: usize = 11;

/// A station of the catalog. Its wet bulbs take a search each, so every hour is worked out once in a process.
#[derive(Debug)]
pub(super) struct Station {
    hours: &'static WeatherHours,
    airs: Box<[OnceLock<Air>]>,
    year: OnceLock<Arc<[Air]>>,
}

impl Station {
    /// The station of this table.
    pub(super) fn of(hours: &'static WeatherHours) -> Arc<Self> {
        static STATIONS: Mutex<BTreeMap<usize, Arc<Station>>> = Mutex::new(BTreeMap::new());
        let mut known = STATIONS.lock().unwrap_or_else(PoisonError::into_inner);
        let (start, end) = hours.span();
        let new = || {
            let airs = (start..end).map(|_| OnceLock::new()).collect();
            Arc::new(Self { hours, airs, year: OnceLock::new() })
        };
        Arc::clone(known.entry(std::ptr::from_ref(hours).addr()).or_insert_with(new))
    }

    fn at(&self, hour: i64) -> Option<(Air, WeatherOf)> {
        let (found, of) = self.hours.stands_for(hour);
        let place = usize::try_from(found - self.hours.span().0).ok()?;
        let air = self.airs.get(place)?.get_or_init(|| {
            let ([dry_bulb_c, rel_humidity_pct, pressure_kpa], _) = self.hours.at(found);
            Air::of(&Weather { dry_bulb_c, rel_humidity_pct, pressure_kpa })
        });
        Some((*air, of))
    }
}

/// Weather of the user's, and what stands behind it.
#[derive(Clone, Debug, Default)]
pub(super) struct Climate {
    pub dry_bulb: Option<Series>,
    pub humidity: Option<Series>,
    pub pressure: Option<Series>,
    pub station: Option<Arc<Station>>,
}

impl Climate {
    pub(super) fn at(&self, hour: i64) -> Option<(Air, WeatherOf)> {
        let stated = |series: &Option<Series>| series.as_ref()?.at(hour);
        if let Some((dry_bulb_c, rel_humidity_pct)) = stated(&self.dry_bulb).zip(stated(&self.humidity)) {
            let pressure_kpa = stated(&self.pressure).unwrap_or(SEA_LEVEL_KPA);
            return Some((Air::of(&Weather { dry_bulb_c, rel_humidity_pct, pressure_kpa }), WeatherOf::Stated));
        }
        self.station.as_ref()?.at(hour)
    }

    /// The air of hours through the last whole year that is known; that of a station is worked out once.
    pub(super) fn year(&self) -> Arc<[Air]> {
        let sample = |span: (i64, i64)| -> Arc<[Air]> {
            let hours = (span.0.max(span.1 - 8760)..span.1).step_by(YEAR_STRIDE);
            hours.filter_map(|hour| Some(self.at(hour)?.0)).collect()
        };
        match (&self.station, &self.dry_bulb) {
            (Some(station), None) => Arc::clone(station.year.get_or_init(|| sample(station.hours.span()))),
            (Some(station), Some(_)) => sample(station.hours.span()),
            (None, Some(series)) => sample(series.span()),
            (None, None) => Arc::new([]),
        }
    }

    /// Whether any weather is known.
    pub(super) fn is_known(&self) -> bool {
        self.station.is_some() || (self.dry_bulb.is_some() && self.humidity.is_some())
    }
}
