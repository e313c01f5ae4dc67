//! One factor of a site by the hour: the nearest to place and time that is known, and how near that is.

use crate::catalog::{self, MixHours};
use crate::hours::{Series, Step};
use crate::physics::generation;
use std::sync::OnceLock;

/// How near a factor is to the place and the hour it is used for, nearest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Level {
    /// Stated for the hour.
    StatedHour,
    /// Stated for the month.
    StatedMonth,
    /// Stated for the year.
    StatedYear,
    /// Stated once for all.
    Stated,
    /// The zone in that hour.
    ZoneHour,
    /// The zone in that month, where the hour is not known.
    ZoneMonth,
    /// A year of the zone.
    ZoneYear,
    /// A year of the country.
    CountryYear,
    /// A year of several countries.
    RegionYear,
    /// A year of the world.
    World,
    /// Another factor stands in, as nothing is published.
    StandIn,
    /// What the operator publishes of the site's year.
    Published,
    /// Follows from weather and load.
    Model,
    /// Typical of a cooling system, whatever the weather.
    Typical,
}

impl Level {
    /// The word in JSON.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::StatedHour => "stated-hour",
            Self::StatedMonth => "stated-month",
            Self::StatedYear => "stated-year",
            Self::Stated => "stated",
            Self::ZoneHour => "zone-hour",
            Self::ZoneMonth => "zone-month",
            Self::ZoneYear => "zone-year",
            Self::CountryYear => "country-year",
            Self::RegionYear => "region-year",
            Self::World => "world",
            Self::StandIn => "stand-in",
            Self::Published => "published",
            Self::Model => "model",
            Self::Typical => "typical",
        }
    }

    pub(super) const fn of(level: catalog::Level) -> Self {
        match level {
            catalog::Level::ZoneYear => Self::ZoneYear,
            catalog::Level::CountryYear => Self::CountryYear,
            catalog::Level::RegionYear => Self::RegionYear,
            catalog::Level::World => Self::World,
        }
    }
}

/// A factor of the mix that a zone generates.
#[derive(Clone, Copy, Debug)]
pub(super) struct OfMix {
    pub mix: &'static MixHours,
    pub factors: [f64; 8],
}

impl OfMix {
    fn at(&self, hour: i64) -> Option<f64> {
        generation::mean(&self.mix.at(hour)?, &self.factors)
    }

    /// The month that an hour falls into, weighted by generation.
    fn month(&self, hour: i64) -> Option<f64> {
        let (from, until) = self.mix.span();
        if hour < from || hour >= until {
            return None;
        }
        let month = Step::Month.of(hour);
        let hours = Step::Month.first_hour(month).max(from)..Step::Month.first_hour(month + 1).min(until);
        let mut sum = [0.0; 8];
        for generated in hours.filter_map(|hour| self.mix.at(hour)) {
            for (sum, mw) in sum.iter_mut().zip(generated) {
                *sum += mw;
            }
        }
        generation::mean(&sum, &self.factors)
    }

    /// The whole period, weighted by generation.
    fn year(&self) -> Option<f64> {
        generation::mean(&self.mix.year(), &self.factors)
    }
}

/// Where a factor may come from, nearest first. Nothing is interpolated: an hour that is not known falls to the next rung.
#[derive(Clone, Debug, Default)]
pub(super) struct Ladder {
    pub stated_series: Option<Series>,
    pub stated: Option<f64>,
    pub hours: Option<&'static Series>,
    pub mix: Option<OfMix>,
    pub annual: Option<(f64, Level)>,
    /// The last rung, once it was needed.
    pub year: OnceLock<Option<(f64, Level)>>,
}

impl Ladder {
    /// The factor at an hour, or of no hour in particular.
    pub(super) fn at(&self, hour: Option<i64>) -> Option<(f64, Level)> {
        if let Some(series) = &self.stated_series {
            let level = match series.step() {
                Step::Hour => Level::StatedHour,
                Step::Month => Level::StatedMonth,
                Step::Year => Level::StatedYear,
            };
            let value = hour.map_or_else(|| series.mean(), |hour| series.at(hour));
            if let Some(value) = value {
                return Some((value, level));
            }
        }
        if let Some(value) = self.stated {
            return Some((value, Level::Stated));
        }
        if let Some(hour) = hour {
            let zone_hour = self.hours.and_then(|series| series.at(hour));
            if let Some(value) = zone_hour.or_else(|| self.mix.as_ref()?.at(hour)) {
                return Some((value, Level::ZoneHour));
            }
            if let Some(value) = self.mix.as_ref().and_then(|mix| mix.month(hour)) {
                return Some((value, Level::ZoneMonth));
            }
        }
        *self.year.get_or_init(|| {
            self.annual.or_else(|| {
                let mean = self.mix.as_ref().and_then(OfMix::year).or_else(|| self.hours.and_then(Series::mean));
                mean.map(|value| (value, Level::ZoneYear))
            })
        })
    }

    /// Whether the factor is of an hour or a month, and not of a year.
    pub(super) fn is_of_hour(level: Level) -> bool {
        matches!(level, Level::StatedHour | Level::StatedMonth | Level::ZoneHour | Level::ZoneMonth)
    }

    /// Whether there is any rung.
    pub(super) fn is_empty(&self) -> bool {
        self.stated_series.is_none()
            && self.stated.is_none()
            && self.hours.is_none()
            && self.mix.is_none()
            && self.annual.is_none()
    }
}
