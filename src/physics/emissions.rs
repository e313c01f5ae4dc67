//! Emissions of the electricity a facility takes from its grid.
//!
//! ```text
//! location (Scope 2)            = facility · direct factor
//! upstream (Scope 3 category 3) = facility · (lifecycle − direct)
//! ```
//!
//! | symbol | meaning | unit |
//! |---|---|---|
//! | direct factor | stack emissions at generation | gCO2e/kWh |
//! | lifecycle factor | direct, fuel chain and plant construction | gCO2e/kWh |
//!
//! The two factors are different types and never add. Where a lifecycle factor from one source is below the direct factor
//! from another, their difference means nothing and upstream is unknown. Grid losses are not in it yet.
//!
//! Source: GHG Protocol Scope 2 Guidance (2015); Scope 3 category 3. Range: annual average factors.

use crate::units::{DirectIntensity, GramsCo2e, KilowattHours, LifecycleIntensity};

/// Location-based Scope 2 emissions.
///
/// ```
/// use wattledger::physics::emissions::location;
/// use wattledger::units::{DirectIntensity, GramsCo2e, KilowattHours};
/// assert_eq!(location(KilowattHours(2.0), DirectIntensity(300.0)), GramsCo2e(600.0));
/// ```
#[must_use]
pub fn location(facility: KilowattHours, direct: DirectIntensity) -> GramsCo2e {
    direct * facility
}

/// Upstream emissions, or `None` where the two factors contradict each other.
#[must_use]
pub fn upstream(facility: KilowattHours, direct: DirectIntensity, lifecycle: LifecycleIntensity) -> Option<GramsCo2e> {
    let gap = lifecycle.0 - direct.0;
    (gap >= 0.0).then(|| LifecycleIntensity(gap) * facility)
}
