//! The building of a site: what a kilowatt-hour of IT takes around it, hour by hour.

use super::climate::Climate;
use super::ladder::{Ladder, Level};
use crate::catalog::WeatherOf;
use crate::hours::Step;
use crate::physics::cooling::{Demand, System, cool};
use crate::physics::facility::POWER_DELIVERY_SHARE;
use crate::physics::power_chain::{PowerChain, loss_kw};
use crate::physics::psychrometrics::Air;

/// A cooling system with its power chain and its weight among those that the site may have.
#[derive(Clone, Debug)]
pub(super) struct Candidate {
    pub weight: f64,
    pub system: System,
    pub chain: PowerChain,
    pub load: f64,
    /// Fans and power supplies over IT energy.
    pub it_overhead: f64,
    /// Whether water is evaporated at a number of cycles.
    pub cycles: Option<f64>,
}

/// What stands around a kilowatt-hour of IT.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Around {
    /// Cooling, kWh.
    pub cooling: f64,
    /// Power delivery, kWh.
    pub power_delivery: f64,
    /// Water taken in at the site, L.
    pub water_input_l: f64,
    /// Water evaporated and carried off, L; not a number where it is unknown.
    pub water_consumed_l: f64,
}

impl Around {
    fn plus(self, other: Self, weight: f64) -> Self {
        Self {
            cooling: self.cooling + weight * other.cooling,
            power_delivery: self.power_delivery + weight * other.power_delivery,
            water_input_l: self.water_input_l + weight * other.water_input_l,
            water_consumed_l: self.water_consumed_l + weight * other.water_consumed_l,
        }
    }

    /// Power usage effectiveness.
    #[must_use]
    pub fn pue(&self) -> f64 {
        1.0 + self.cooling + self.power_delivery
    }
}

/// A site's facility in an hour.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct FacilityHour {
    /// Around the mean kilowatt-hour of IT.
    pub average: Around,
    /// Around one more; only where it is asked for, as it costs twice the average.
    pub marginal: Option<Around>,
    /// Lowest and highest PUE that the site may have.
    pub pue_range: (f64, f64),
    /// Lowest and highest water input, L/kWh.
    pub wue_range: (f64, f64),
    /// Where the PUE comes from.
    pub pue_level: Level,
    /// Where the water on site comes from.
    pub wue_level: Level,
    /// Which hour the weather is of; none where nothing follows from weather.
    pub weather: Option<WeatherOf>,
    /// The air outside, where its weather is known.
    pub air: Option<Air>,
}

impl FacilityHour {
    /// The average, and the marginal where it is there.
    fn arounds(&mut self) -> impl Iterator<Item = &mut Around> {
        std::iter::once(&mut self.average).chain(&mut self.marginal)
    }
}

/// Lowest and highest PUE, lowest and highest WUE in L/kWh.
pub type Spans = ((f64, f64), (f64, f64));

/// A building compiled.
#[derive(Clone, Debug, Default)]
pub(super) struct Facility {
    pub pue: Ladder,
    pub wue: Ladder,
    pub wue_consumed: Ladder,
    pub candidates: Vec<Candidate>,
    pub climate: Climate,
    /// IT capacity, where the site's load follows from the ledger.
    pub capacity_kw: Option<f64>,
    /// PUE and WUE, low, typical, high, where no weather is known.
    pub typical: ([f64; 3], [f64; 3]),
}

/// Overhead of a system at an IT power, in kW and litres in an hour.
fn overhead(one: &Candidate, air: &Air, it_kw: f64, capacity_kw: f64) -> Around {
    let loss = loss_kw(&one.chain, it_kw, capacity_kw);
    let cooled = cool(&one.system, air, &Demand { it_kw, capacity_kw, loss_kw: loss });
    Around {
        cooling: cooled.power_kw,
        power_delivery: loss,
        water_input_l: cooled.water.input_l,
        water_consumed_l: cooled.water.consumed_l,
    }
}

/// What one more kilowatt adds, from a thousandth up and down: without leaving the flat parts of clamped curves.
fn slope(one: &Candidate, air: &Air, it_kw: f64, capacity_kw: f64) -> Around {
    let step = 1e-3;
    let (less, more) = (it_kw * (1.0 - step), it_kw * (1.0 + step));
    let (below, above) = (overhead(one, air, less, capacity_kw), overhead(one, air, more, capacity_kw));
    Around::default().plus(above, 1.0 / (more - less)).plus(below, -1.0 / (more - less))
}

/// What stands around a kilowatt-hour of IT at a system's usual load.
pub(super) fn at_air(one: &Candidate, air: &Air) -> Around {
    Around::default().plus(overhead(one, air, one.load, 1.0), 1.0 / one.load)
}

impl Facility {
    /// An hour at this IT power, or at the usual load where none is given; no hour is the mean of a year.
    pub(super) fn hour(&self, hour: Option<i64>, it_kw: Option<f64>, marginal: bool) -> FacilityHour {
        let (pue, wue) = (self.pue.at(hour), self.wue.at(hour));
        // Where a meter says everything, there is nothing to model.
        let modelled = if pue.is_some() && wue.is_some() { None } else { self.modelled(hour, it_kw, marginal) };
        let mut found = modelled.unwrap_or_else(|| self.typical(marginal));
        if let Some((pue, level)) = pue {
            found.pue_level = level;
            let all = pue - 1.0;
            for around in found.arounds() {
                around.power_delivery = all * POWER_DELIVERY_SHARE;
                around.cooling = all - around.power_delivery;
            }
            found.pue_range = (pue, pue);
        }
        if let Some((input, level)) = wue {
            found.wue_level = level;
            let share = if input == 0.0 { 0.0 } else { input * self.consumed_share() };
            for around in found.arounds() {
                (around.water_input_l, around.water_consumed_l) = (input, share);
            }
            found.wue_range = (input, input);
        }
        if let Some((consumed, _)) = self.wue_consumed.at(hour) {
            found.arounds().for_each(|around| around.water_consumed_l = consumed);
        }
        found
    }

    /// What of measured input does not come back, from the cycles of a known system.
    fn consumed_share(&self) -> f64 {
        match &self.candidates[..] {
            [Candidate { cycles: Some(cycles), .. }] => (cycles - 1.0) / cycles,
            _ => f64::NAN,
        }
    }

    /// Whether what is consumed of the water on site is known.
    pub(super) fn knows_consumption(&self) -> bool {
        let modelled = !self.candidates.is_empty() && self.climate.is_known() && self.wue.is_empty();
        let dry = self.wue.is_empty() && self.typical.1[1] == 0.0 || self.wue.stated == Some(0.0);
        modelled || dry || !self.wue_consumed.is_empty() || !self.consumed_share().is_nan()
    }

    /// Power and water of the site while its IT draws nothing, in kW and litres an hour; only where its capacity is known.
    pub(super) fn empty(&self, hour: i64) -> Option<Around> {
        let capacity = self.capacity_kw?;
        let (air, _) = self.climate.at(hour).filter(|_| !self.candidates.is_empty())?;
        let add = |sum: Around, one: &Candidate| sum.plus(overhead(one, &air, 0.0, capacity), one.weight);
        let mut empty = self.candidates.iter().fold(Around::default(), add);
        // A measured effectiveness is a ratio to the IT: it says of no IT that there is no overhead.
        if self.pue.at(Some(hour)).is_some() {
            (empty.cooling, empty.power_delivery) = (0.0, 0.0);
        }
        if self.wue.at(Some(hour)).is_some() {
            (empty.water_input_l, empty.water_consumed_l) = (0.0, 0.0);
        }
        Some(empty)
    }

    /// Fans and power supplies inside the IT over IT energy, where the cooling system is known.
    pub(super) fn it_overhead(&self) -> Option<f64> {
        match &self.candidates[..] {
            [one] => Some(one.it_overhead),
            _ => None,
        }
    }

    fn modelled(&self, hour: Option<i64>, it_kw: Option<f64>, marginal: bool) -> Option<FacilityHour> {
        if self.candidates.is_empty() || !self.climate.is_known() {
            return None;
        }
        let Some(hour) = hour else { return self.year(it_kw, marginal) };
        let (air, of) = self.climate.at(hour)?;
        Some(FacilityHour { weather: Some(of), air: Some(air), ..self.at_air(&air, it_kw, marginal) })
    }

    fn at_air(&self, air: &Air, it_kw: Option<f64>, marginal: bool) -> FacilityHour {
        let (mut average, mut slopes) = (Around::default(), Around::default());
        let (mut pue, mut wue) = ((f64::MAX, f64::MIN), (f64::MAX, f64::MIN));
        for one in &self.candidates {
            let (it, capacity) = match (it_kw, self.capacity_kw) {
                (Some(it), Some(capacity)) if it > 0.0 => (it.min(capacity), capacity),
                _ => (one.load, 1.0),
            };
            let here = Around::default().plus(overhead(one, air, it, capacity), 1.0 / it);
            average = average.plus(here, one.weight);
            if marginal {
                slopes = slopes.plus(slope(one, air, it, capacity), one.weight);
            }
            pue = (pue.0.min(here.pue()), pue.1.max(here.pue()));
            wue = (wue.0.min(here.water_input_l), wue.1.max(here.water_input_l));
        }
        FacilityHour {
            average,
            marginal: marginal.then_some(slopes),
            pue_range: pue,
            wue_range: wue,
            pue_level: Level::Model,
            wue_level: Level::Model,
            weather: None,
            air: None,
        }
    }

    /// The mean over the last whole year of the weather, at one load. The range is that of the systems' years, not of
    /// their hours.
    fn year(&self, it_kw: Option<f64>, marginal: bool) -> Option<FacilityHour> {
        let airs = self.climate.year();
        #[expect(clippy::cast_precision_loss, reason = "hours of a year")]
        let weight = 1.0 / airs.len() as f64;
        let (mut average, mut slopes) = (Around::default(), Around::default());
        for air in airs.iter() {
            let at = self.at_air(air, it_kw, marginal);
            average = average.plus(at.average, weight);
            slopes = slopes.plus(at.marginal.unwrap_or_default(), weight);
        }
        let marginal = marginal.then_some(slopes);
        let (pue_range, wue_range) = self.spans(&airs)?;
        let (pue_level, wue_level) = (Level::Model, Level::Model);
        Some(FacilityHour { average, marginal, pue_range, wue_range, pue_level, wue_level, weather: None, air: None })
    }

    /// Lowest and highest mean PUE and WUE of the systems that the site may have, at their usual loads.
    fn spans(&self, airs: &[Air]) -> Option<Spans> {
        #[expect(clippy::cast_precision_loss, reason = "hours of a year")]
        let weight = 1.0 / airs.len() as f64;
        let means = self.candidates.iter().map(|one| {
            let sum = airs.iter().fold(Around::default(), |sum, air| sum.plus(at_air(one, air), weight));
            let (pue, wue) = (sum.pue(), sum.water_input_l);
            ((pue, pue), (wue, wue))
        });
        let wider = |a: (f64, f64), b: (f64, f64)| (a.0.min(b.0), a.1.max(b.1));
        means.reduce(|a, b| (wider(a.0, b.0), wider(a.1, b.1))).filter(|_| !airs.is_empty())
    }

    /// The same over a calendar year.
    pub(super) fn spans_of_year(&self, year: i64) -> Option<Spans> {
        let hours = Step::Year.first_hour(year)..Step::Year.first_hour(year + 1);
        let airs: Vec<Air> = hours.filter_map(|hour| Some(self.climate.at(hour)?.0)).collect();
        self.spans(&airs)
    }

    fn typical(&self, marginal: bool) -> FacilityHour {
        let ([pue_low, pue, pue_high], [wue_low, wue, wue_high]) = self.typical;
        let power_delivery = (pue - 1.0) * POWER_DELIVERY_SHARE;
        let average = Around {
            cooling: pue - 1.0 - power_delivery,
            power_delivery,
            water_input_l: wue,
            water_consumed_l: if wue == 0.0 { 0.0 } else { wue * self.consumed_share() },
        };
        FacilityHour {
            average,
            marginal: marginal.then_some(average),
            pue_range: (pue_low, pue_high),
            wue_range: (wue_low, wue_high),
            pue_level: Level::Typical,
            wue_level: Level::Typical,
            weather: None,
            air: None,
        }
    }
}
