//! The elements that carry heat out of a building: compressor, cooling tower, evaporation, adiabatic pre-cooling.
//!
//! ```text
//! COP   = min(cap, η·(T_e + 273.15)/max(T_c − T_e, 4)),   T_e = T_chw − 2
//!         air cooled:   T_c = T + 12,               η = 0.48, cap 12
//!         water cooled: T_c = max(T_cw, 16) + 7,    η = 0.60, cap 14
//! T_cw  = max(T* + 4 + 0.15·max(0, 25 − T*), 12)                              tower water
//! fan   = 0.012·Q·clamp(18/max(35 − T*, 6), 0.35, 1)                          tower fans
//! E     = 3600·(w_s(T_o) − w)/(h_s(T_o) − h),   T_o = max(T_cw + 3.5, T* + 1)   evaporation, kg/kWh
//! input = E·C/(C − 1) + d,   consumed = E + d                                 make-up water
//! ```
//!
//! | symbol | meaning | unit |
//! |---|---|---|
//! | `T_e`, `T_c` | evaporating and condensing temperature | °C |
//! | `T_chw`, `T_cw` | chilled water supplied; water from the tower | °C |
//! | T, T* | dry and wet bulb outside | °C |
//! | Q | heat rejected | kW |
//! | w, h; `w_s`, `h_s` | humidity ratio and enthalpy of the air; saturated | kg/kg, kJ/kg |
//! | C | cycles of concentration | – |
//! | d | drift, 2·10⁻⁵ of the water in circulation at a range of 5.5 K | kg/kWh |
//!
//! Evaporation is an exact balance of mass and energy over air that leaves saturated. In hot dry air it exceeds the latent
//! heat alone (1.48 kg/kWh), as the incoming air is cooled as well; it stays below 2.2 up to 45 °C at 5 % humidity.
//!
//! Source: a Carnot fraction for compressors (7 °C water at 35 °C outside: 3.2, where rated machines have 2.9 to 3.3;
//! water cooled at AHRI 550/590 conditions: 5.3, rated 5.5 to 6.5); tower approach and fans: usual practice (*assumed*);
//! blowdown: the balance of dissolved solids. Range: wet bulb −10 to 30 °C, dry bulb −25 to
//! 48 °C. Error: compressors within 10 % of the rated machines above; the others none measured alone.

use super::psychrometrics::Air;

/// Latent heat of water near the temperatures of pads, kJ/kg.
const LATENT: f64 = 2430.0;
/// Drift over circulation.
const DRIFT: f64 = 2e-5;
/// Circulation at a range of 5.5 K, kg per kWh rejected.
const CIRCULATION: f64 = 3600.0 / (4.186 * 5.5);

/// Heat carried over power taken by an air-cooled compressor that makes chilled water of this temperature.
///
/// ```
/// use wattledger::physics::heat_rejection::air_cooled_cop;
/// assert!((air_cooled_cop(35.0, 7.0) - 3.2).abs() < 0.1);
/// ```
#[must_use]
pub fn air_cooled_cop(dry_bulb_c: f64, chilled_c: f64) -> f64 {
    let evaporating = chilled_c - 2.0;
    (0.48 * (evaporating + 273.15) / (dry_bulb_c + 12.0 - evaporating).max(4.0)).min(12.0)
}

/// The same of a compressor whose condenser is cooled by water from a tower.
///
/// ```
/// use wattledger::physics::heat_rejection::water_cooled_cop;
/// assert!((water_cooled_cop(29.4, 7.0) - 5.3).abs() < 0.1);
/// ```
#[must_use]
pub fn water_cooled_cop(tower_c: f64, chilled_c: f64) -> f64 {
    let evaporating = chilled_c - 2.0;
    (0.60 * (evaporating + 273.15) / (tower_c.max(16.0) + 7.0 - evaporating).max(4.0)).min(14.0)
}

/// Water as it comes from a tower, °C; never below 12, where fans are slowed.
#[must_use]
pub fn tower_water_c(wet_bulb_c: f64) -> f64 {
    (wet_bulb_c + 4.0 + 0.15 * (25.0 - wet_bulb_c).max(0.0)).max(12.0)
}

/// Fans of a tower over the heat it rejects.
#[must_use]
pub fn tower_fan_share(wet_bulb_c: f64) -> f64 {
    0.012 * (18.0 / (35.0 - wet_bulb_c).max(6.0)).clamp(0.35, 1.0)
}

/// Water that evaporates over water of this temperature, kg per kWh of heat.
///
/// ```
/// use wattledger::physics::heat_rejection::{evaporation, tower_water_c};
/// use wattledger::physics::psychrometrics::{Air, Weather};
/// let phoenix = Air::of(&Weather { dry_bulb_c: 42.0, rel_humidity_pct: 12.0, pressure_kpa: 97.3 });
/// let evaporated = evaporation(&phoenix, tower_water_c(phoenix.wet_bulb_c));
/// assert!(evaporated > 1.48 && evaporated < 2.2, "{evaporated}");
/// ```
#[must_use]
pub fn evaporation(air: &Air, water_c: f64) -> f64 {
    let out = (water_c + 3.5).max(air.wet_bulb_c + 1.0);
    let (ratio, enthalpy) = air.saturated(out);
    // Air that is already saturated above the water takes up nothing.
    (3600.0 * (ratio - air.humidity_ratio) / (enthalpy - air.enthalpy()).max(1e-9)).max(0.0)
}

/// Water that has to be brought to an evaporating system, and what of it does not come back, both in litres.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Water {
    /// Taken in.
    pub input_l: f64,
    /// Evaporated and carried off by the air.
    pub consumed_l: f64,
}

impl std::ops::Add for Water {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        Self { input_l: self.input_l + other.input_l, consumed_l: self.consumed_l + other.consumed_l }
    }
}

/// Make-up water of a tower: evaporation, drift, and the blowdown that keeps salts at `cycles` times the input's.
///
/// ```
/// use wattledger::physics::heat_rejection::make_up;
/// let water = make_up(1000.0, 0.0, 5.0);
/// assert_eq!((water.input_l, water.consumed_l), (1250.0, 1000.0));
/// ```
#[must_use]
pub fn make_up(evaporated_kg: f64, rejected_kwh: f64, cycles: f64) -> Water {
    let drift = DRIFT * CIRCULATION * rejected_kwh;
    Water { input_l: evaporated_kg * cycles / (cycles - 1.0) + drift, consumed_l: evaporated_kg + drift }
}

/// Air after pads of this efficiency, °C.
#[must_use]
pub fn after_pads_c(air: &Air, efficiency: f64) -> f64 {
    air.dry_bulb_c - efficiency * (air.dry_bulb_c - air.wet_bulb_c)
}

/// Water that pads evaporate to cool supply air by `cooled_k`, kg per kWh of heat that the air takes up over `rise_k`.
#[must_use]
pub fn pads_water(cooled_k: f64, rise_k: f64) -> f64 {
    3600.0 / LATENT * cooled_k.max(0.0) / rise_k
}
