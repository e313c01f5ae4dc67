//! What making a die takes: silicon of a wafer, electricity of a fab, its gases, materials and water.
//!
//! ```text
//! N = π·d²/(4·S) − π·d/√(2·S)
//! Y = ( (1 − e^(−A)) / A )²,   A = S·(1 − s)·D
//! a = π·d²/4 / (N·Y)
//!
//! emissions      = a·( C·E + G + M )
//! primary energy = a·( F·E + m·M )
//! water          = a·W
//! ```
//!
//! | symbol | meaning | unit |
//! |---|---|---|
//! | d | diameter of the wafer, 30 | cm |
//! | S | area of the die | cm² |
//! | N | whole dies on a wafer | – |
//! | D | density of defects | 1/cm² |
//! | s | share of the die in which a defect costs a spare unit, not the die | – |
//! | Y | dies that are sold over whole dies | – |
//! | a | wafer for one die that is sold | cm² |
//! | E | electricity of the fab | kWh/cm² |
//! | C | lifecycle factor of that electricity | kgCO2e/kWh |
//! | G, M | process gases after abatement; materials | kgCO2e/cm² |
//! | F | primary energy of that electricity | MJ/kWh |
//! | m | primary energy of materials over their emissions | MJ/kgCO2e |
//! | W | water the fab consumes | L/cm² |
//!
//! Source: U. Gupta et al., ACT: Designing Sustainable Computer Systems with an Architectural Carbon Modeling Tool (ISCA
//! 2022) for C·E + G + M, which it divides by a yield of 0.875 for every die; dies on a wafer: the usual estimate with loss
//! at the edge; yield: B. T. Murphy, Cost-size optima of monolithic integrated circuits (Proc. IEEE, 1964). Range: dies of
//! 0.1 to 9 cm²; larger ones are several dies. Error: the values of nodes differ by a third between published series, the
//! yield of a product is nobody's to know; docs/method/embodied-burden.md holds the sums beside published footprints.

use std::f64::consts::PI;

/// Diameter of a wafer.
const WAFER_CM: f64 = 30.0;

/// A process as a fab runs it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Process {
    /// Electricity, kWh/cm².
    pub energy_kwh_per_cm2: f64,
    /// Its lifecycle factor, kgCO2e/kWh.
    pub grid_kg_per_kwh: f64,
    /// Its primary energy, MJ/kWh.
    pub primary_mj_per_kwh: f64,
    /// Process gases after abatement, kgCO2e/cm².
    pub gases_kg_per_cm2: f64,
    /// Materials, kgCO2e/cm².
    pub materials_kg_per_cm2: f64,
    /// Primary energy of materials over their emissions, MJ/kgCO2e.
    pub materials_mj_per_kg: f64,
    /// Water consumed, L/cm².
    pub water_l_per_cm2: f64,
    /// Density of defects, 1/cm².
    pub defects_per_cm2: f64,
}

/// Whole dies of an area in cm² on a wafer.
///
/// ```
/// use wattledger::physics::semiconductor::dies_per_wafer;
/// assert!((dies_per_wafer(8.14) - 63.5).abs() < 0.1, "H100");
/// ```
#[must_use]
pub fn dies_per_wafer(area_cm2: f64) -> f64 {
    PI * WAFER_CM * WAFER_CM / (4.0 * area_cm2) - PI * WAFER_CM / (2.0 * area_cm2).sqrt()
}

/// Share of whole dies that are sold.
///
/// ```
/// use wattledger::physics::semiconductor::yield_of;
/// assert_eq!(yield_of(0.0, 0.0, 0.1), 1.0);
/// assert!((yield_of(8.14, 0.0, 0.1) - 0.4681).abs() < 1e-4, "no unit to spare");
/// assert!((yield_of(8.14, 0.5, 0.1) - 0.6749).abs() < 1e-4);
/// ```
#[must_use]
pub fn yield_of(area_cm2: f64, spare_share: f64, defects_per_cm2: f64) -> f64 {
    let hits = area_cm2 * (1.0 - spare_share) * defects_per_cm2;
    if hits <= 0.0 { 1.0 } else { (-(-hits).exp_m1() / hits).powi(2) }
}

/// Wafer for one die that is sold, in cm².
///
/// ```
/// use wattledger::physics::semiconductor::wafer_per_die_cm2;
/// assert!((wafer_per_die_cm2(8.14, 0.5, 0.1) - 16.5).abs() < 0.05, "twice the area of the die");
/// ```
#[must_use]
pub fn wafer_per_die_cm2(area_cm2: f64, spare_share: f64, defects_per_cm2: f64) -> f64 {
    PI * WAFER_CM * WAFER_CM / 4.0 / (dies_per_wafer(area_cm2) * yield_of(area_cm2, spare_share, defects_per_cm2))
}

impl Process {
    /// Emissions of a square centimetre of wafer, in kgCO2e.
    ///
    /// ```
    /// use wattledger::physics::semiconductor::Process;
    /// let n7 = Process { energy_kwh_per_cm2: 2.15, grid_kg_per_kwh: 0.642, primary_mj_per_kwh: 9.0,
    ///     gases_kg_per_cm2: 0.275, materials_kg_per_cm2: 0.5, materials_mj_per_kg: 14.0, water_l_per_cm2: 17.0,
    ///     defects_per_cm2: 0.1 };
    /// assert!((n7.kg_per_cm2() / 0.875 - 2.463).abs() < 1e-3, "as ACT, with its yield");
    /// ```
    #[must_use]
    pub fn kg_per_cm2(&self) -> f64 {
        self.grid_kg_per_kwh * self.energy_kwh_per_cm2 + self.gases_kg_per_cm2 + self.materials_kg_per_cm2
    }

    /// Primary energy of a square centimetre of wafer, in MJ.
    #[must_use]
    pub fn mj_per_cm2(&self) -> f64 {
        self.primary_mj_per_kwh * self.energy_kwh_per_cm2 + self.materials_mj_per_kg * self.materials_kg_per_cm2
    }
}
