//! Liquid at the chip or around it: dry cooler (H), tower (I), immersion (J).
//!
//! ```text
//! H, J   T_pre = max(T − 0.88·(T − T*), min(T, T_f − 7)) with adiabatic assist, else T
//!        liquid = L·Q·(0.024 + 0.016·clamp((7/(T_f − T_pre))^2.2, 0.06, 1) + trim/COP(T_pre, T_f))
//!        trim   = clamp((T_pre + 7 − T_f)/10, 0, 1)
//!        water  = make-up of L·Q·(3600/2430)·(T − T_pre)/9
//! I      liquid = L·Q·(0.024 + 0.004 + trim/COP(T_cw, T_f)),   trim = clamp((T_cw + 3.5 − T_f)/10, 0, 1)
//!        water  = make-up of (L·Q + trim compressor)·E(max(T_cw, T_f − 3.5))
//! all    air    = (1 − L)·Q through a chiller with a free-cooling coil, 18/26 °C
//! ```
//!
//! | symbol | meaning | unit |
//! |---|---|---|
//! | L | share of the heat that liquid takes; 1 for immersion | – |
//! | `T_f` | liquid supplied to the chips | °C |
//! | `T_pre` | air before the dry cooler | °C |
//! | trim | share of the liquid's heat left to a chiller: air cooled in H and J, water cooled in I | – |
//! | E | evaporation over water of this temperature: the loop stays warm when the tower could be cold | kg/kWh |
//!
//! Pads are wetted only as far as the liquid needs it, so power never falls as it gets warmer. Liquid also lowers what
//! fans in the servers draw, which lowers IT energy and can raise PUE: compare systems by total energy or TUE. Source: pumps 0.024, approaches of 7 K and 3.5 K, fan exponent 2.2: usual practice (*assumed*). Range: `T_f` 25 to 50 °C.
//! Error: `docs/validation.md`, facilities: I; H and J are published by no row.

use super::chillers::{TRIM, with_coil};
use super::{Cooling, System};
use crate::physics::heat_rejection::{
    after_pads_c, air_cooled_cop, evaporation, make_up, pads_water, tower_water_c, water_cooled_cop,
};
use crate::physics::psychrometrics::Air;

/// Pumps of both loops over heat.
const PUMPS: f64 = 0.024;
/// Fans of a dry cooler at full speed over heat, and how far they slow.
const DRY_FANS: (f64, f64) = (0.016, 0.06);
/// Fans of a tower over heat.
const TOWER_FANS: f64 = 0.004;
/// Approaches of the dry cooler and of the tower's heat exchanger, K.
const APPROACH_K: (f64, f64) = (7.0, 3.5);
/// Range over which a trim chiller takes over, K.
const TRIM_RANGE_K: f64 = 10.0;
/// Rise of the air through a wetted dry cooler, K.
const AIR_RISE_K: f64 = 9.0;
/// Efficiency of wetted pads.
const PADS: f64 = 0.88;

/// H and J.
#[must_use]
pub fn dry(system: &System, air: &Air, heat_kw: f64) -> Cooling {
    let (liquid_kw, water_c) = (system.liquid_fraction * heat_kw, system.facility_water_c);
    let enough = air.dry_bulb_c.min(water_c - APPROACH_K.0);
    let before = if system.adiabatic { after_pads_c(air, PADS).max(enough) } else { air.dry_bulb_c };
    let flow = (APPROACH_K.0 / (water_c - before).max(1e-3)).powf(2.2).clamp(DRY_FANS.1, 1.0);
    let trim = ((before + APPROACH_K.0 - water_c) / TRIM_RANGE_K).clamp(0.0, 1.0);
    let power = PUMPS + DRY_FANS.0 * flow + trim / air_cooled_cop(before, water_c);
    let evaporated = pads_water(air.dry_bulb_c - before, AIR_RISE_K) * liquid_kw;
    let water = make_up(evaporated, 0.0, system.cycles);
    in_air(system, air, heat_kw, Cooling { power_kw: power * liquid_kw, water })
}

/// I.
#[must_use]
pub fn tower(system: &System, air: &Air, heat_kw: f64) -> Cooling {
    let (liquid_kw, water_c) = (system.liquid_fraction * heat_kw, system.facility_water_c);
    let tower_c = tower_water_c(air.wet_bulb_c);
    let trim = ((tower_c + APPROACH_K.1 - water_c) / TRIM_RANGE_K).clamp(0.0, 1.0);
    let compressor = trim * liquid_kw / water_cooled_cop(tower_c, water_c);
    let rejected = liquid_kw + compressor;
    let warm_c = tower_c.max(water_c - APPROACH_K.1);
    let water = make_up(evaporation(air, warm_c) * rejected, rejected, system.cycles);
    in_air(system, air, heat_kw, Cooling { power_kw: (PUMPS + TOWER_FANS) * liquid_kw + compressor, water })
}

/// What the liquid leaves in the air, besides the liquid's share.
fn in_air(system: &System, air: &Air, heat_kw: f64, liquid: Cooling) -> Cooling {
    let rest = with_coil(TRIM, air, (1.0 - system.liquid_fraction) * heat_kw);
    Cooling { power_kw: liquid.power_kw + rest.power_kw, water: liquid.water }
}
