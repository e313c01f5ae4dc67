//! Factors of a mix of generation: what a kilowatt-hour emits and drinks, from the technologies that made it.
//!
//! ```text
//! factor = Σ_s g_s·f_s / Σ_s g_s
//! ```
//!
//! | symbol | meaning | unit |
//! |---|---|---|
//! | `g_s` | generation of a source | any, the same for all |
//! | `f_s` | its factor: direct or lifecycle emissions, water | g/kWh or L/kWh |
//!
//! The mix is that of production: imports do not count. Water of hydropower is evaporation from reservoirs, allocated
//! wholly to electricity: it decides the answer and is therefore counted apart, with and without.
//!
//! Source: factors by technology are catalog rows (`generation.csv`): IPCC AR5 WG III Annex III medians and J. Macknick et
//! al., Environ. Res. Lett. 7 (2012) 045802, consumption; for plants of the US the averages of EIA. Range: any mix with some
//! generation. Error: docs/method/grid.md sets the year of eight US areas beside eGRID.

/// Sources of energy of a mix, in the order of its shares.
pub const SOURCES: [&str; 8] = ["coal", "gas", "oil", "nuclear", "hydro", "wind", "solar", "other"];
/// Which of them count as renewable; what is other does not.
pub const RENEWABLE: [bool; 8] = [false, false, false, false, true, true, true, false];
/// Which of them emit nothing at the stack: renewable and nuclear. *Other* is not counted.
pub const CARBON_FREE: [bool; 8] = [false, false, false, true, true, true, true, false];

/// The factor of a mix; none where nothing is generated or a share is unknown.
///
/// ```
/// use wattledger::physics::generation::mean;
/// let half_coal_half_wind = [1.0, 0.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0];
/// let direct = [760.0, 370.0, 406.0, 0.0, 0.0, 0.0, 0.0, 575.0];
/// assert_eq!(mean(&half_coal_half_wind, &direct), Some(380.0));
/// ```
#[must_use]
pub fn mean(generated: &[f64; 8], factors: &[f64; 8]) -> Option<f64> {
    let all: f64 = generated.iter().sum();
    let weighted: f64 = generated.iter().zip(factors).map(|(g, f)| g * f).sum();
    (all > 0.0 && weighted.is_finite()).then(|| weighted / all)
}

/// The share of a mix in sources that are counted.
#[must_use]
pub fn share(generated: &[f64; 8], counted: &[bool; 8]) -> Option<f64> {
    mean(generated, &counted.map(|yes| f64::from(u8::from(yes))))
}
