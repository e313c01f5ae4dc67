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

/// Share of the overhead that is power delivery and not cooling (*assumed*).
pub const POWER_DELIVERY_SHARE: f64 = 0.3;
