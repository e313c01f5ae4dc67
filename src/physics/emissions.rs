//! Emissions of the electricity a facility takes from its grid: three accounts that are never added to each other.
//!
//! ```text
//! location (Scope 2)            = facility · D
//! market (Scope 2)              = facility · M
//! marginal (consequence)        = facility · G
//! upstream (Scope 3 category 3) = facility · ( (L − D) + L·ℓ/(1 − ℓ) )
//! ```
//!
//! | symbol | meaning | unit |
//! |---|---|---|
//! | D | direct factor: stack emissions at generation | gCO2e/kWh |
//! | L | lifecycle factor: direct, fuel chain and plant construction | gCO2e/kWh |
//! | M | factor of contracts and residual mix | gCO2e/kWh |
//! | G | short-run marginal factor: what one more kWh would have caused | gCO2e/kWh |
//! | ℓ | share of generation lost in transmission and distribution | – |
//!
//! Each factor and each account is a type of its own, so a sum of two accounts does not compile:
//!
//! ```compile_fail
//! use wattledger::physics::emissions::{location, market};
//! use wattledger::units::{DirectIntensity, KilowattHours, MarketIntensity};
//! let both = location(KilowattHours(1.0), DirectIntensity(300.0)) + market(KilowattHours(1.0), MarketIntensity(20.0));
//! ```
//!
//! Nor does a lifecycle factor where a direct one belongs:
//!
//! ```compile_fail
//! use wattledger::physics::emissions::location;
//! use wattledger::units::{KilowattHours, LifecycleIntensity};
//! let scope_2 = location(KilowattHours(1.0), LifecycleIntensity(490.0));
//! ```
//!
//! Where a lifecycle factor from one source is below the direct factor from another, their difference means nothing and
//! upstream is unknown. Source: GHG Protocol Scope 2 Guidance (2015); Corporate Value Chain Standard (2011), category 3,
//! activities b and c. Range: any factors. Error: that of the factors, docs/method/grid.md.

use crate::units::{
    DirectIntensity, GramsLocation, GramsMarginal, GramsMarket, GramsUpstream, KilowattHours, LifecycleIntensity,
    MarginalIntensity, MarketIntensity, UpstreamIntensity,
};

/// Location-based Scope 2 emissions.
///
/// ```
/// use wattledger::physics::emissions::location;
/// use wattledger::units::{DirectIntensity, GramsLocation, KilowattHours};
/// assert_eq!(location(KilowattHours(2.0), DirectIntensity(300.0)), GramsLocation(600.0));
/// ```
#[must_use]
pub fn location(facility: KilowattHours, direct: DirectIntensity) -> GramsLocation {
    direct * facility
}

/// Market-based Scope 2 emissions.
#[must_use]
pub fn market(facility: KilowattHours, factor: MarketIntensity) -> GramsMarket {
    factor * facility
}

/// What one more kilowatt-hour at a time would have caused; never inside an inventory.
#[must_use]
pub fn marginal(facility: KilowattHours, factor: MarginalIntensity) -> GramsMarginal {
    factor * facility
}

/// Upstream emissions.
#[must_use]
pub fn upstream(facility: KilowattHours, factor: UpstreamIntensity) -> GramsUpstream {
    factor * facility
}

/// The upstream factor of a grid, or `None` where its two factors contradict each other.
///
/// ```
/// use wattledger::physics::emissions::upstream_factor;
/// use wattledger::units::{DirectIntensity, LifecycleIntensity};
/// let factor = upstream_factor(DirectIntensity(370.0), LifecycleIntensity(490.0), 0.05).unwrap();
/// assert!((factor.0 - (120.0 + 490.0 / 19.0)).abs() < 1e-9);
/// assert_eq!(upstream_factor(DirectIntensity(500.0), LifecycleIntensity(490.0), 0.05), None);
/// ```
#[must_use]
pub fn upstream_factor(
    direct: DirectIntensity,
    lifecycle: LifecycleIntensity,
    losses: f64,
) -> Option<UpstreamIntensity> {
    let gap = lifecycle.0 - direct.0;
    (gap >= 0.0).then(|| UpstreamIntensity(gap + lifecycle.0 * losses / (1.0 - losses)))
}
