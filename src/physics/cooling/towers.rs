//! Water-cooled chillers with a cooling tower (D), and with a waterside economiser (E).
//!
//! ```text
//! compressor = (1 − φ)·Q/COP(T_cw, T_chw),   φ = 0 (D),  clamp((T_r − T_cw − 1.5)/(T_r − T_chw), 0, 1) (E)
//! Q_r        = Q + compressor
//! power      = compressor + tower fans(Q_r) + 0.012·Q_r + 0.012·Q
//! water      = make-up of E·Q_r
//! ```
//!
//! | symbol | meaning | unit |
//! |---|---|---|
//! | Q, `Q_r` | heat from the building; rejected at the tower | kW |
//! | `T_cw` | water from the tower | °C |
//! | `T_chw`, `T_r` | chilled water supplied and returned | °C |
//! | φ | share of the heat that tower water takes through a heat exchanger of 1.5 K | – |
//! | E | evaporation | kg/kWh |
//!
//! The two 0.012 are condenser and chilled-water pumps (*assumed*). Source: [`crate::physics::heat_rejection`]. Range: wet
//! bulb −10 to 30 °C.
//! Error: `docs/validation.md`, facilities: D and E.

use super::{Cooling, System};
use crate::physics::heat_rejection::{evaporation, make_up, tower_fan_share, tower_water_c, water_cooled_cop};
use crate::physics::psychrometrics::Air;

/// Each of the two pumps over the heat it moves.
const PUMP: f64 = 0.012;
/// Approach of the heat exchanger, K.
const EXCHANGER_K: f64 = 1.5;

/// D, and E with an economiser.
#[must_use]
pub fn chiller(system: &System, air: &Air, heat_kw: f64, economiser: bool) -> Cooling {
    let tower_c = tower_water_c(air.wet_bulb_c);
    let span = (system.chilled_return_c - system.chilled_supply_c).max(1.0);
    let free =
        if economiser { ((system.chilled_return_c - tower_c - EXCHANGER_K) / span).clamp(0.0, 1.0) } else { 0.0 };
    let compressor = (1.0 - free) * heat_kw / water_cooled_cop(tower_c, system.chilled_supply_c);
    let rejected = heat_kw + compressor;
    Cooling {
        power_kw: compressor + tower_fan_share(air.wet_bulb_c) * rejected + PUMP * rejected + PUMP * heat_kw,
        water: make_up(evaporation(air, tower_c) * rejected, rejected, system.cycles),
    }
}
