//! The facility around the IT: cooling and power delivery from a power usage effectiveness, water from a water usage
//! effectiveness.
//!
//! ```text
//! facility = IT · PUE         overhead = IT · (PUE − 1) = cooling + power delivery
//! power delivery = share · overhead
//! water on site = IT · WUE    water off site = facility · w
//! ```
//!
//! | symbol | meaning | unit |
//! |---|---|---|
//! | PUE | facility energy over IT energy, ISO/IEC 30134-2 | – |
//! | WUE | water taken in at the site over IT energy, ISO/IEC 30134-9 | L/kWh |
//! | w | water consumed by generation | L/kWh |
//!
//! Source: the definitions. How overhead splits is *assumed*: UPS, distribution and lighting take 0.03–0.08 kWh per kWh
//! of IT where cooling takes 0.05–0.3. Range: PUE ≥ 1; one value for all hours.

use crate::units::{KilowattHours, Litres, LitresPerKilowattHour};

/// Share of the overhead that is power delivery and not cooling (*assumed*).
pub const POWER_DELIVERY_SHARE: f64 = 0.3;

/// Energy of a facility by component.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Overhead {
    /// Cooling.
    pub cooling: KilowattHours,
    /// UPS, distribution, lighting, other.
    pub power_delivery: KilowattHours,
}

/// Cooling and power delivery that go with IT energy.
///
/// ```
/// use wattledger::physics::facility::overhead;
/// use wattledger::units::KilowattHours;
/// let around = overhead(KilowattHours(100.0), 1.2);
/// assert!((around.cooling.0 + around.power_delivery.0 - 20.0).abs() < 1e-12);
/// ```
#[must_use]
pub fn overhead(it: KilowattHours, pue: f64) -> Overhead {
    let all = it * (pue - 1.0);
    let power_delivery = all * POWER_DELIVERY_SHARE;
    Overhead { cooling: all - power_delivery, power_delivery }
}

/// Water that goes with an energy.
#[must_use]
pub fn water(energy: KilowattHours, intensity: LitresPerKilowattHour) -> Litres {
    intensity * energy
}
