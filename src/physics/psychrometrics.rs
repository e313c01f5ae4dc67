//! Moist air: from dry bulb, relative humidity and pressure to humidity ratio, enthalpy, dew point and wet bulb.
//!
//! ```text
//! p_s(T) = 0.61121·exp((18.678 − T/234.5)·T/(257.14 + T))        over water, T ≥ 0 °C
//!        = 0.61115·exp((23.036 − T/333.7)·T/(279.82 + T))        over ice,   T < 0 °C
//! w      = 0.621945·e/(p − e),   e = RH·p_s(T)
//! h      = 1.006·T + w·(2501 + 1.86·T)
//! w      = ((2501 − 2.326·T*)·w_s(T*) − 1.006·(T − T*)) / (2501 + 1.86·T − 4.186·T*)     T* ≥ 0 °C
//!        = ((2830 − 0.24·T*)·w_s(T*)  − 1.006·(T − T*)) / (2830 + 1.86·T − 2.1·T*)       T* < 0 °C
//! ```
//!
//! | symbol | meaning | unit |
//! |---|---|---|
//! | T, T* | dry bulb, thermodynamic wet bulb | °C |
//! | RH | relative humidity | 0–1 |
//! | p, `p_s`, e | pressure, saturation pressure, vapour pressure | kPa |
//! | w, `w_s` | humidity ratio, at saturation | kg/kg dry air |
//! | h | enthalpy | kJ/kg dry air |
//!
//! The two forms of the last equation do not meet at 0 °C, as water and ice do not: in warmer air both solve over a span
//! of up to 0.7 K, in colder air neither over a sliver. The wick is taken for wet wherever water solves, and 0 °C is
//! returned where nothing does, so that the wet bulb never falls as it gets warmer at one humidity ratio.
//! Relative humidity is held to 0.01 to 100 %; below 0 °C it is over ice, the dew point always over water.
//!
//! Source: A. L. Buck, J. Appl. Meteor. 20 (1981) 1527, with the coefficients of 1996; ASHRAE Fundamentals (2017),
//! chapter 1, equations 20, 30, 33 and 35. Range: −60 to 60 °C, 60 to 110 kPa.
//! Error: the wet bulb lies within 0.01 K of `PsychroLib` 2.5 at −25 to 45 °C and 78 to 105 kPa away from 0 °C
//! (`tests/python/test_facility_hours.py`).

/// Air as its meter tells it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Weather {
    /// Dry bulb, °C.
    pub dry_bulb_c: f64,
    /// Relative humidity, 0 to 100 %.
    pub rel_humidity_pct: f64,
    /// Pressure, kPa.
    pub pressure_kpa: f64,
}

/// Air with everything that cooling asks of it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Air {
    /// Dry bulb, °C.
    pub dry_bulb_c: f64,
    /// Pressure, kPa.
    pub pressure_kpa: f64,
    /// Water over dry air, kg/kg.
    pub humidity_ratio: f64,
    /// Thermodynamic wet bulb, °C.
    pub wet_bulb_c: f64,
    /// Dew point over water, °C.
    pub dew_point_c: f64,
}

/// Steps of the bisection: 100 K halved so often is below 10⁻⁹ K.
const HALVINGS: u32 = 38;

impl Air {
    /// The state of air of this weather.
    ///
    /// ```
    /// use wattledger::physics::psychrometrics::{Air, Weather};
    /// let air = Air::of(&Weather { dry_bulb_c: 35.0, rel_humidity_pct: 20.0, pressure_kpa: 101.325 });
    /// assert!((air.wet_bulb_c - 18.87).abs() < 0.01);
    /// let foggy = Air::of(&Weather { dry_bulb_c: 10.0, rel_humidity_pct: 100.0, pressure_kpa: 101.325 });
    /// assert!((foggy.wet_bulb_c - 10.0).abs() < 1e-6 && (foggy.dew_point_c - 10.0).abs() < 1e-6);
    /// ```
    #[must_use]
    pub fn of(weather: &Weather) -> Self {
        let Weather { dry_bulb_c, rel_humidity_pct, pressure_kpa } = *weather;
        // Perfectly dry air has no dew point; a ten-thousandth of saturation is as dry as air comes.
        let vapour = saturation_kpa(dry_bulb_c) * (rel_humidity_pct / 100.0).clamp(1e-4, 1.0);
        let humidity_ratio = humidity_ratio(vapour, pressure_kpa);
        Self {
            dry_bulb_c,
            pressure_kpa,
            humidity_ratio,
            wet_bulb_c: wet_bulb_c(dry_bulb_c, humidity_ratio, pressure_kpa),
            dew_point_c: dew_point_c(vapour),
        }
    }

    /// Enthalpy, kJ per kg of dry air.
    #[must_use]
    pub fn enthalpy(&self) -> f64 {
        enthalpy(self.dry_bulb_c, self.humidity_ratio)
    }

    /// Humidity ratio and enthalpy of saturated air of another temperature at this pressure.
    #[must_use]
    pub fn saturated(&self, dry_bulb_c: f64) -> (f64, f64) {
        let ratio = humidity_ratio(saturation_kpa(dry_bulb_c), self.pressure_kpa);
        (ratio, enthalpy(dry_bulb_c, ratio))
    }
}

/// Saturation pressure over water, below 0 °C over ice, kPa.
#[must_use]
pub fn saturation_kpa(t: f64) -> f64 {
    if t >= 0.0 {
        0.611_21 * ((18.678 - t / 234.5) * t / (257.14 + t)).exp()
    } else {
        0.611_15 * ((23.036 - t / 333.7) * t / (279.82 + t)).exp()
    }
}

fn humidity_ratio(vapour_kpa: f64, pressure_kpa: f64) -> f64 {
    0.621_945 * vapour_kpa / (pressure_kpa - vapour_kpa)
}

fn enthalpy(t: f64, w: f64) -> f64 {
    1.006 * t + w * (2501.0 + 1.86 * t)
}

/// The temperature over water at which this vapour pressure saturates: the first formula, turned round.
fn dew_point_c(vapour_kpa: f64) -> f64 {
    let x = (vapour_kpa / 0.611_21).ln();
    let (a, b, c) = (1.0 / 234.5, x - 18.678, 257.14 * x);
    (-b - (b * b - 4.0 * a * c).sqrt()) / (2.0 * a)
}

fn wet_bulb_c(t: f64, w: f64, pressure_kpa: f64) -> f64 {
    // The humidity ratio of air whose wet bulb is `star`; both rise with `star`.
    let saturated = |star: f64| humidity_ratio(saturation_kpa(star), pressure_kpa);
    let over_water = |star: f64| {
        ((2501.0 - 2.326 * star) * saturated(star) - 1.006 * (t - star)) / (2501.0 + 1.86 * t - 4.186 * star)
    };
    let over_ice =
        |star: f64| ((2830.0 - 0.24 * star) * saturated(star) - 1.006 * (t - star)) / (2830.0 + 1.86 * t - 2.1 * star);
    if t >= 0.0 && w >= over_water(0.0) {
        bisect(over_water, w, (0.0, t))
    } else {
        bisect(over_ice, w, (t - 100.0, t.min(0.0)))
    }
}

/// Where a rising function reaches a value; the nearer end where it does not.
fn bisect(rising: impl Fn(f64) -> f64, value: f64, (mut low, mut high): (f64, f64)) -> f64 {
    for _ in 0..HALVINGS {
        let middle = f64::midpoint(low, high);
        if rising(middle) > value {
            high = middle;
        } else {
            low = middle;
        }
    }
    f64::midpoint(low, high)
}
