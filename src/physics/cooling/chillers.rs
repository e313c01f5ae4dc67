//! Air-cooled compressors: DX in the room (A), a chiller on the roof (B), a chiller with a free-cooling coil (C).
//!
//! ```text
//! A    Q/COP(T, T_s − 11 + 2) + (0.010 + 0.012)·Q
//! B    Q/COP(T, T_chw) + (0.010 + 0.012)·Q
//! C    (1 − φ)·B + φ·Q·(0.015 + 0.012),   φ = clamp((T_r − T − 5)/(T_r − T_chw), 0, 1)
//! ```
//!
//! | symbol | meaning | unit |
//! |---|---|---|
//! | Q | heat | kW |
//! | `T_s`, `T_chw`, `T_r` | supply air; chilled water supplied and returned | °C |
//! | φ | share of the heat that the coil takes | – |
//!
//! 0.010 stands for condenser fans, 0.012 for pumps (in A: the fans of the condenser loop), 0.015 for the fans of the
//! coil. No water. Power never falls as it gets warmer. Source: [`crate::physics::heat_rejection`]; fans and pumps
//! *assumed*. Range: −25 to 48 °C.
//! Error: `docs/validation.md`, facilities: A, B and C are published by no row; D and E, which share the compressor.

use super::{Cooling, System};
use crate::physics::heat_rejection::air_cooled_cop;
use crate::physics::psychrometrics::Air;

/// Condenser fans over heat.
const CONDENSER_FANS: f64 = 0.010;
/// Pumps over heat.
const PUMPS: f64 = 0.012;
/// Fans of a free-cooling coil over heat.
const COIL_FANS: f64 = 0.015;
/// How much colder than the return water the air has to be.
const COIL_APPROACH_K: f64 = 5.0;
/// Water of the chillers that trim other systems: supplied, returned.
pub const TRIM: Loop = Loop { supply_c: 18.0, return_c: 26.0 };

/// A loop of chilled water.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Loop {
    /// Supplied, °C.
    pub supply_c: f64,
    /// Returned, °C.
    pub return_c: f64,
}

impl Loop {
    /// The loop of a system.
    #[must_use]
    pub fn of(system: &System) -> Self {
        Self { supply_c: system.chilled_supply_c, return_c: system.chilled_return_c }
    }
}

fn dry(power_kw: f64) -> Cooling {
    Cooling { power_kw, ..Cooling::default() }
}

/// A: the evaporator lies 11 K below the supply air.
#[must_use]
pub fn direct_expansion(system: &System, air: &Air, heat_kw: f64) -> Cooling {
    let cop = air_cooled_cop(air.dry_bulb_c, system.supply_air_c - 9.0);
    dry(heat_kw / cop + (CONDENSER_FANS + PUMPS) * heat_kw)
}

/// B, and the trim of other systems.
#[must_use]
pub fn air_chiller(supply_c: f64, air: &Air, heat_kw: f64) -> Cooling {
    dry(heat_kw / air_cooled_cop(air.dry_bulb_c, supply_c) + (CONDENSER_FANS + PUMPS) * heat_kw)
}

/// C.
#[must_use]
pub fn with_coil(water: Loop, air: &Air, heat_kw: f64) -> Cooling {
    let span = (water.return_c - water.supply_c).max(1.0);
    let free = ((water.return_c - air.dry_bulb_c - COIL_APPROACH_K) / span).clamp(0.0, 1.0);
    let chilled = air_chiller(water.supply_c, air, heat_kw).power_kw;
    dry((1.0 - free) * chilled + free * heat_kw * (COIL_FANS + PUMPS))
}
