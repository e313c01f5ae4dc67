//! A site compiled: its facility and its grid, ready to be asked for any hour.

mod climate;
mod compile;
mod compile_grid;
mod facility;
mod grid;
mod hour;
mod ladder;

pub use facility::{Around, FacilityHour, Spans};
pub use hour::{GridHour, SiteHour};
pub use ladder::Level;

pub(super) use compile::compile;
pub use compile::cooling_at;

use crate::fleet::Matching;
use crate::units::DirectIntensity;
use facility::Facility;
use grid::Grid;
use ladder::Ladder;

/// The site of a deployment whose place is not stated.
pub(super) const UNKNOWN: &str = "world";

/// Electricity that is contracted.
#[derive(Clone, Debug, Default)]
pub struct Contracts {
    /// Share of the load.
    pub share: Option<f64>,
    /// Energy a year, kWh.
    pub kwh_per_year: Option<f64>,
    /// Energy by the hour, month or year, kWh.
    pub kwh: Option<crate::hours::Series>,
    /// Direct factor of what is contracted.
    pub direct: DirectIntensity,
    /// How contracts are held against the load.
    pub matching: Matching,
}

impl Contracts {
    /// Whether anything is contracted.
    #[must_use]
    pub fn any(&self) -> bool {
        self.share.is_some() || self.kwh_per_year.is_some() || self.kwh.is_some()
    }
}

/// A site in numbers; what is unknown stands in [`Site::unknown`] with the reason.
#[derive(Clone, Debug)]
pub struct Site {
    /// Its name in the fleet or the catalog.
    pub name: String,
    /// Columns that stay unknown here at every hour, each with the reason.
    pub unknown: Vec<(&'static str, String)>,
    /// What is contracted.
    pub contracts: Contracts,
    /// Dispatchable capacity of the grid zone, MW.
    pub zone_dispatchable_mw: Option<f64>,
    /// Peak load of the grid zone, MW.
    pub zone_peak_mw: Option<f64>,
    /// The cooling systems that it may have.
    pub cooling: Vec<String>,
    /// Name of the weather station.
    pub station: Option<String>,
    facility: Facility,
    grid: Grid,
    residual: Ladder,
    stress_weight: Option<f64>,
}

impl Site {
    /// The site at an hour since 1970 and the IT power of all that runs there; no hour is a year's mean.
    ///
    /// The market-based factor is that of the residual mix: what contracts cover depends on the load of the site, see
    /// [`SiteHour::with_contracts`].
    #[must_use]
    pub fn hour(&self, hour: Option<i64>, it_kw: Option<f64>) -> SiteHour {
        self.at(hour, self.facility.hour(hour, it_kw, false))
    }

    /// The same with what one more kilowatt-hour of IT takes.
    #[must_use]
    pub fn hour_with_marginal(&self, hour: Option<i64>, it_kw: Option<f64>) -> SiteHour {
        self.at(hour, self.facility.hour(hour, it_kw, true))
    }

    fn at(&self, hour: Option<i64>, facility: FacilityHour) -> SiteHour {
        SiteHour { facility, grid: self.grid.hour(hour, &self.residual), stress_weight: self.stress_weight }
    }

    /// Power and water of the site in an hour in which its IT draws nothing; none where its capacity is not stated.
    #[must_use]
    pub fn empty(&self, hour: i64) -> Option<Around> {
        self.facility.empty(hour)
    }

    /// Lowest and highest mean PUE and WUE over a calendar year of the systems that the site may have; none where nothing
    /// follows from weather.
    #[must_use]
    pub fn spans(&self, year: i64) -> Option<Spans> {
        self.facility.spans_of_year(year)
    }

    /// IT capacity, where it is stated.
    #[must_use]
    pub fn capacity_kw(&self) -> Option<f64> {
        self.facility.capacity_kw
    }

    /// Fans and power supplies inside the IT over IT energy, where the cooling system is known.
    #[must_use]
    pub fn it_overhead(&self) -> Option<f64> {
        self.facility.it_overhead()
    }
}
