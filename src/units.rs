//! Quantities: one-field wrappers that cost nothing at run time and make a unit slip a compile error.
//!
//! A power over a time is an energy; a direct emission factor is not a lifecycle factor; nothing else multiplies:
//!
//! ```
//! use wattledger::units::{Joules, Seconds, Watts};
//! let energy: Joules = Watts(700.0) * Seconds(2.0);
//! assert_eq!(energy, Joules(1400.0));
//! ```
//!
//! ```compile_fail
//! use wattledger::units::{Joules, Watts};
//! let nonsense: Joules = Joules(1.0) + Watts(1.0);
//! ```

use std::iter::Sum;
use std::ops::{Add, AddAssign, Div, Mul, Sub};

macro_rules! quantity {
    ($($(#[$doc:meta])* $name:ident),+ $(,)?) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, Default, PartialEq, PartialOrd)]
        #[repr(transparent)]
        pub struct $name(pub f64);

        impl $name {
            /// Nothing of it.
            pub const ZERO: Self = Self(0.0);
        }
        impl Add for $name {
            type Output = Self;
            fn add(self, other: Self) -> Self {
                Self(self.0 + other.0)
            }
        }
        impl Sub for $name {
            type Output = Self;
            fn sub(self, other: Self) -> Self {
                Self(self.0 - other.0)
            }
        }
        impl AddAssign for $name {
            fn add_assign(&mut self, other: Self) {
                self.0 += other.0;
            }
        }
        impl Mul<f64> for $name {
            type Output = Self;
            fn mul(self, factor: f64) -> Self {
                Self(self.0 * factor)
            }
        }
        impl Div<f64> for $name {
            type Output = Self;
            fn div(self, divisor: f64) -> Self {
                Self(self.0 / divisor)
            }
        }
        impl Div for $name {
            type Output = f64;
            fn div(self, other: Self) -> f64 {
                self.0 / other.0
            }
        }
        impl Sum for $name {
            fn sum<I: Iterator<Item = Self>>(items: I) -> Self {
                items.fold(Self::ZERO, Add::add)
            }
        }
    )+};
}

/// `left × right = product`, both ways round.
macro_rules! product {
    ($($left:ident * $right:ident = $product:ident),+ $(,)?) => {$(
        impl Mul<$right> for $left {
            type Output = $product;
            fn mul(self, other: $right) -> $product {
                $product(self.0 * other.0)
            }
        }
        impl Mul<$left> for $right {
            type Output = $product;
            fn mul(self, other: $left) -> $product {
                $product(self.0 * other.0)
            }
        }
    )+};
}

quantity! {
    /// Energy in joules (J).
    Joules,
    /// Energy in kilowatt-hours (kWh); 1 kWh = 3.6 MJ exactly.
    KilowattHours,
    /// Power in watts (W).
    Watts,
    /// Time in seconds (s).
    Seconds,
    /// Location-based emissions, in grams of CO2-equivalent (g). The accounts are types of their own: none adds to another.
    GramsLocation,
    /// Market-based emissions, g.
    GramsMarket,
    /// Marginal emissions, g; never inside an inventory.
    GramsMarginal,
    /// Upstream emissions of electricity, g.
    GramsUpstream,
    /// Lifecycle emissions of electricity, g: direct and upstream in one, without losses.
    GramsLifecycle,
    /// Volume of water in litres (L); 1 L is taken as 1 kg.
    Litres,
    /// Litres of water per kilowatt-hour (L/kWh).
    LitresPerKilowattHour,
    /// Stack emissions at generation only (Scope 2), gCO2e per kWh.
    DirectIntensity,
    /// Stack emissions, fuel chain and plant construction, gCO2e per kWh. A type of its own: it never adds to a direct factor.
    LifecycleIntensity,
    /// Factor of contracts and residual mix, gCO2e per kWh.
    MarketIntensity,
    /// Short-run marginal factor, gCO2e per kWh.
    MarginalIntensity,
    /// Fuel chain, construction and grid losses, gCO2e per kWh.
    UpstreamIntensity,
}

product! {
    Watts * Seconds = Joules,
    LitresPerKilowattHour * KilowattHours = Litres,
    DirectIntensity * KilowattHours = GramsLocation,
    LifecycleIntensity * KilowattHours = GramsLifecycle,
    MarketIntensity * KilowattHours = GramsMarket,
    MarginalIntensity * KilowattHours = GramsMarginal,
    UpstreamIntensity * KilowattHours = GramsUpstream,
}

/// Joules in one kilowatt-hour, by definition.
pub const JOULES_PER_KILOWATT_HOUR: f64 = 3.6e6;
/// Grams in a kilogram.
pub const GRAMS_PER_KILOGRAM: f64 = 1e3;

impl From<Joules> for KilowattHours {
    fn from(energy: Joules) -> Self {
        Self(energy.0 / JOULES_PER_KILOWATT_HOUR)
    }
}

impl From<KilowattHours> for Joules {
    fn from(energy: KilowattHours) -> Self {
        Self(energy.0 * JOULES_PER_KILOWATT_HOUR)
    }
}

/// Named limits of a value, so that a message can say the limit, the value and the human word for it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Bounds {
    /// What the value is, in words: `power usage effectiveness`.
    pub what: &'static str,
    /// Unit as printed; empty for a ratio.
    pub unit: &'static str,
    /// Smallest plausible value.
    pub low: f64,
    /// Largest plausible value.
    pub high: f64,
}

impl Bounds {
    /// Power usage effectiveness: facility energy over IT energy; 1 is a building without losses.
    pub const PUE: Self = Self { what: "power usage effectiveness", unit: "", low: 1.0, high: 5.0 };
    /// On-site water per kWh of IT energy.
    pub const WUE: Self = Self { what: "water usage effectiveness", unit: "L/kWh", low: 0.0, high: 20.0 };
    /// Average emission factor of a grid. Below 1 g/kWh a kg/kWh figure has slipped in.
    pub const CARBON_INTENSITY: Self = Self { what: "carbon intensity", unit: "g/kWh", low: 1.0, high: 2_000.0 };
    /// Sequences an engine runs at once, per replica.
    pub const CONCURRENCY: Self = Self { what: "concurrency", unit: "requests", low: 1.0, high: 65_536.0 };
    /// A share of a whole.
    pub const FRACTION: Self = Self { what: "fraction", unit: "", low: 0.0, high: 1.0 };
    /// Devices in one replica.
    pub const DEVICES: Self = Self { what: "devices per replica", unit: "", low: 1.0, high: 65_536.0 };
    /// Replicas of a deployment.
    pub const REPLICAS: Self = Self { what: "replicas", unit: "", low: 1.0, high: 1_000_000.0 };
    /// Metered over estimated energy or time of a deployment; beyond it something else was metered than estimated.
    pub const SCALE: Self = Self { what: "scale from a meter", unit: "", low: 0.05, high: 20.0 };

    /// Whether a value is a number inside the limits.
    #[must_use]
    pub fn contains(&self, value: f64) -> bool {
        value.is_finite() && (self.low..=self.high).contains(&value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kilowatt_hour_is_three_point_six_megajoules() {
        assert_eq!(KilowattHours::from(Watts(1000.0) * Seconds(3600.0)), KilowattHours(1.0));
        assert_eq!(Joules::from(KilowattHours(2.0)), Joules(7.2e6));
    }

    #[test]
    fn bounds_refuse_what_is_not_a_number() {
        assert!(Bounds::PUE.contains(1.0));
        assert!(!Bounds::PUE.contains(0.99));
        assert!(!Bounds::PUE.contains(f64::NAN));
    }
}
