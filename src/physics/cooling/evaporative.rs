//! Air of outside, cooled by evaporation: straight into the room (F), or through a heat exchanger (G).
//!
//! ```text
//! F    T_e = T − 0.88·(T − T*);   trim = 1 above the dew-point limit, else clamp((max(T_e, T_s) − T_s)/ΔT, 0, 1)
//!      water = (3600/2430)·(T − max(T_e, T_s))/ΔT, zero while T ≤ T_s or outside air is shut out
//!      power = trim·B
//! G    dry while T_r − 0.65·(T_r − T) ≤ T_s,   T_r = T_s + ΔT
//!      wet: T_o = T_r − 0.70·(T_r − T*);   trim = clamp((T_o − T_s)/ΔT, 0, 1);   water = (1 − trim)·E(T* + 6)
//!      power = trim·B + fans of the outer air, 0.02·Q dry and 0.03·Q wet
//! ```
//!
//! | symbol | meaning | unit |
//! |---|---|---|
//! | T, T* | dry and wet bulb outside | °C |
//! | `T_s`, ΔT | supply air; its rise over the IT | °C, K |
//! | trim | share of the heat left to air-cooled chillers on 18 °C water | – |
//! | E | evaporation over water of this temperature, whose air leaves 3.5 K above it | kg/kWh |
//! | B | power of an air-cooled chiller for all of the heat | kW |
//!
//! Outside air above the dew-point limit would condense on what is cold, so it is shut out and chillers take all of the
//! heat. Source: pad efficiency 0.88 and exchanger effectivenesses 0.65 and 0.70: usual practice (*assumed*); limit of the
//! dew point: ASHRAE TC 9.9, class A1. Range: −25 to 45 °C, above 78 kPa.
//! Error: `docs/validation.md`, facilities: F; G is published by no row.

use super::chillers::{TRIM, air_chiller};
use super::{Cooling, System};
use crate::physics::heat_rejection::{Water, after_pads_c, evaporation, make_up, pads_water};
use crate::physics::psychrometrics::Air;

/// Efficiency of wetted pads.
const PADS: f64 = 0.88;
/// Effectiveness of the exchanger, dry and wet.
const EXCHANGER: (f64, f64) = (0.65, 0.70);
/// Fans of the outer air over heat, dry and wet.
const OUTER_FANS: (f64, f64) = (0.02, 0.03);

/// F.
#[must_use]
pub fn direct(system: &System, air: &Air, heat_kw: f64) -> Cooling {
    let (supply, rise) = (system.supply_air_c, system.air_rise_k);
    if air.dew_point_c > system.dew_point_limit_c {
        return air_chiller(TRIM.supply_c, air, heat_kw);
    }
    let padded = after_pads_c(air, PADS).max(supply);
    let trim = ((padded - supply) / rise).clamp(0.0, 1.0);
    let water = if air.dry_bulb_c <= supply {
        Water::default()
    } else {
        make_up(pads_water(air.dry_bulb_c - padded, rise) * heat_kw, 0.0, system.cycles)
    };
    Cooling { power_kw: air_chiller(TRIM.supply_c, air, trim * heat_kw).power_kw, water }
}

/// G.
#[must_use]
pub fn indirect(system: &System, air: &Air, heat_kw: f64) -> Cooling {
    let (supply, rise) = (system.supply_air_c, system.air_rise_k);
    let back = supply + rise;
    if back - EXCHANGER.0 * (back - air.dry_bulb_c) <= supply {
        return Cooling { power_kw: OUTER_FANS.0 * heat_kw, water: Water::default() };
    }
    let out = back - EXCHANGER.1 * (back - air.wet_bulb_c);
    let trim = ((out - supply) / rise).clamp(0.0, 1.0);
    let evaporated = (1.0 - trim) * heat_kw * evaporation(air, air.wet_bulb_c + 6.0);
    Cooling {
        power_kw: OUTER_FANS.1 * heat_kw + air_chiller(TRIM.supply_c, air, trim * heat_kw).power_kw,
        water: make_up(evaporated, 0.0, system.cycles),
    }
}
