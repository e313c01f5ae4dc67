//! Cooling of one site in one hour: power and water of ten kinds of system, from the air outside and the load.
//!
//! ```text
//! fan  = (1 − L)·f·K·max(u, 0.35)^2.4,   u = P/K
//! heat = P + 0.6·loss + fan
//! ```
//!
//! | symbol | meaning | unit |
//! |---|---|---|
//! | P, K | IT power; IT capacity | kW |
//! | loss | losses of the power chain, 60 % of which land in cooled space (*assumed*) | kW |
//! | f | power of the air handlers at full load over IT capacity | – |
//! | L | share of the heat that liquid takes at the chip | – |
//!
//! What then carries the heat away stands in one file a family: [`chillers`] (A DX, B air-cooled chiller, C with a
//! free-cooling coil), [`towers`] (D water-cooled chiller, E with a waterside economiser), [`evaporative`] (F airside
//! economiser with direct evaporation, G indirect evaporation) and [`liquid`] (H direct to chip on a dry cooler, I on a
//! tower, J immersion). The parameters of a system are a row of the catalog, `cooling.csv`. Fans and fixed losses are not
//! linear in the load, so a site-hour is evaluated at its own load and no coefficient is fitted. Cooling is what stands there
//! and the fans; fans do not slow below 35 % of their flow, so an empty hall still costs. Water of F and G goes through the
//! make-up of [`super::heat_rejection`] without drift.
//!
//! Source: structure after N. Lei and E. Masanet, Energy 201 (2020) 117556 and Resources, Conservation & Recycling 182
//! (2022) 106323; fan law with an exponent of 2.4 and a floor at 35 % of the flow (*assumed*). Range: dry bulb −25 to
//! 48 °C, u from 0 to 1. Error: `docs/validation.md`, facility.

pub mod chillers;
pub mod evaporative;
pub mod liquid;
pub mod towers;

use super::heat_rejection::Water;
use super::psychrometrics::Air;

/// Share of the losses of the power chain that has to be cooled (*assumed*).
const LOSS_COOLED: f64 = 0.6;
/// Fans do not slow below this share of their flow (*assumed*).
const LEAST_FLOW: f64 = 0.35;
/// Fan power over flow, as an exponent (*assumed*: between the cube and constant pressure).
const FAN_EXPONENT: f64 = 2.4;

/// What carries the heat away.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Archetype {
    /// A: direct expansion, CRAC.
    DirectExpansion,
    /// B: air-cooled chiller.
    AirChiller,
    /// C: air-cooled chiller with a free-cooling coil.
    AirChillerCoil,
    /// D: water-cooled chiller and tower.
    WaterChiller,
    /// E: the same with a waterside economiser.
    WatersideEconomiser,
    /// F: airside economiser with direct evaporation.
    AirsideEconomiser,
    /// G: indirect evaporation.
    IndirectEvaporative,
    /// H: liquid to the chip, dry cooler, adiabatic assist where the system has one.
    LiquidDry,
    /// I: liquid to the chip, tower.
    LiquidTower,
    /// J: immersion, dry cooler.
    Immersion,
}

impl Archetype {
    /// All of them, A to J.
    pub const ALL: [Self; 10] = [
        Self::DirectExpansion,
        Self::AirChiller,
        Self::AirChillerCoil,
        Self::WaterChiller,
        Self::WatersideEconomiser,
        Self::AirsideEconomiser,
        Self::IndirectEvaporative,
        Self::LiquidDry,
        Self::LiquidTower,
        Self::Immersion,
    ];

    /// The archetype of a letter, A to J.
    #[must_use]
    pub fn of(letter: &str) -> Option<Self> {
        let at = "ABCDEFGHIJ".find(letter).filter(|_| letter.len() == 1)?;
        Self::ALL.get(at).copied()
    }
}

/// A cooling system in numbers; each archetype reads those that mean something to it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct System {
    /// What carries the heat away.
    pub archetype: Archetype,
    /// Air handlers at full load over IT capacity.
    pub fan_share: f64,
    /// Air supplied to the room, °C.
    pub supply_air_c: f64,
    /// Rise of that air over the IT, K.
    pub air_rise_k: f64,
    /// Dew point above which outside air is shut out, °C.
    pub dew_point_limit_c: f64,
    /// Chilled water supplied, °C.
    pub chilled_supply_c: f64,
    /// Chilled water returned, °C.
    pub chilled_return_c: f64,
    /// Liquid supplied to the chips, °C.
    pub facility_water_c: f64,
    /// Share of the heat that liquid takes at the chip.
    pub liquid_fraction: f64,
    /// Whether a dry cooler may wet its air.
    pub adiabatic: bool,
    /// Cycles of concentration of evaporated water.
    pub cycles: f64,
}

/// What a site asks of its cooling in an hour.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Demand {
    /// IT power, kW.
    pub it_kw: f64,
    /// IT capacity, kW.
    pub capacity_kw: f64,
    /// Losses of the power chain, kW.
    pub loss_kw: f64,
}

/// Cooling over an hour.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Cooling {
    /// Power, kW.
    pub power_kw: f64,
    /// Water in that hour.
    pub water: Water,
}

/// Cooling of a system at this air and demand.
///
/// ```
/// use wattledger::physics::cooling::{cool, Archetype, Demand, System};
/// use wattledger::physics::psychrometrics::{Air, Weather};
/// let chiller = System { archetype: Archetype::AirChiller, fan_share: 0.045, supply_air_c: 24.0, air_rise_k: 10.0,
///     dew_point_limit_c: 17.0, chilled_supply_c: 14.0, chilled_return_c: 20.0, facility_water_c: 32.0,
///     liquid_fraction: 0.0, adiabatic: false, cycles: 5.0 };
/// let air = Air::of(&Weather { dry_bulb_c: 30.0, rel_humidity_pct: 40.0, pressure_kpa: 101.3 });
/// let demand = Demand { it_kw: 500.0, capacity_kw: 1000.0, loss_kw: 40.0 };
/// let cooled = cool(&chiller, &air, &demand);
/// assert!(cooled.power_kw > 100.0 && cooled.power_kw < 150.0 && cooled.water.input_l == 0.0);
/// ```
#[must_use]
pub fn cool(system: &System, air: &Air, demand: &Demand) -> Cooling {
    let load = demand.it_kw / demand.capacity_kw;
    // Liquid takes no air handler; what it leaves does.
    let in_air = 1.0 - system.liquid_fraction;
    let fan_kw = in_air * system.fan_share * demand.capacity_kw * load.max(LEAST_FLOW).powf(FAN_EXPONENT);
    let heat_kw = demand.it_kw + LOSS_COOLED * demand.loss_kw + fan_kw;
    let rejected = match system.archetype {
        Archetype::DirectExpansion => chillers::direct_expansion(system, air, heat_kw),
        Archetype::AirChiller => chillers::air_chiller(system.chilled_supply_c, air, heat_kw),
        Archetype::AirChillerCoil => chillers::with_coil(chillers::Loop::of(system), air, heat_kw),
        Archetype::WaterChiller => towers::chiller(system, air, heat_kw, false),
        Archetype::WatersideEconomiser => towers::chiller(system, air, heat_kw, true),
        Archetype::AirsideEconomiser => evaporative::direct(system, air, heat_kw),
        Archetype::IndirectEvaporative => evaporative::indirect(system, air, heat_kw),
        Archetype::LiquidDry | Archetype::Immersion => liquid::dry(system, air, heat_kw),
        Archetype::LiquidTower => liquid::tower(system, air, heat_kw),
    };
    Cooling { power_kw: rejected.power_kw + fan_kw, ..rejected }
}
