//! Market-based emissions: what is contracted at its own factor, the rest at the residual mix; and how much of the load
//! carbon-free electricity covers hour by hour.
//!
//! ```text
//! factor      = m·c + (1 − m)·r
//! m, annual   = min(1, contracted/load) over the period of the log;   m, hourly = min(1, contracted_h/load_h)
//! CFE score   = Σ_h (min(k_h, load_h) + max(load_h − k_h, 0)·g_h) / Σ_h load_h
//! ```
//!
//! | symbol | meaning | unit |
//! |---|---|---|
//! | m | share of the load that is contracted | – |
//! | c, r | direct factor of the contract; of the residual mix | g/kWh |
//! | `k_h`, `g_h` | carbon-free contracts in an hour; carbon-free share of the grid | kWh, – |
//!
//! A year's volume counts for as much of the period as the log covers. The score goes by the hour whatever the account goes
//! by: a volume without hours says nothing of it, and a contract with emissions is not carbon-free. Matching by volume lets a summer's sun stand for a winter's night, matching by the hour does not: the hourly share is
//! never above the annual one for the same contracts.
//!
//! Source: GHG Protocol Scope 2 Guidance (2015), table 6.3; 24/7 score: Google, 24/7 Carbon-Free Energy: Methodologies and
//! Metrics (2021). Range: any load. Error: none of its own, that of the load and of the factors.

use crate::units::{DirectIntensity, KilowattHours, MarketIntensity};

/// The factor of a load of which a share is contracted.
///
/// ```
/// use wattledger::physics::market::blended;
/// use wattledger::units::{DirectIntensity, MarketIntensity};
/// assert_eq!(blended(0.75, DirectIntensity(0.0), DirectIntensity(400.0)), MarketIntensity(100.0));
/// ```
#[must_use]
pub fn blended(matched: f64, contract: DirectIntensity, residual: DirectIntensity) -> MarketIntensity {
    MarketIntensity(matched * contract.0 + (1.0 - matched) * residual.0)
}

/// Share of a load that contracts cover.
#[must_use]
pub fn matched(contracted: KilowattHours, load: KilowattHours) -> f64 {
    if load.0 > 0.0 { (contracted / load).clamp(0.0, 1.0) } else { 0.0 }
}

/// Carbon-free energy of one hour: contracts first, the grid's share of the rest.
///
/// ```
/// use wattledger::physics::market::carbon_free;
/// use wattledger::units::KilowattHours;
/// assert_eq!(carbon_free(KilowattHours(60.0), KilowattHours(100.0), 0.5), KilowattHours(80.0));
/// assert_eq!(carbon_free(KilowattHours(160.0), KilowattHours(100.0), 0.5), KilowattHours(100.0));
/// ```
#[must_use]
pub fn carbon_free(contracted: KilowattHours, load: KilowattHours, grid_share: f64) -> KilowattHours {
    let covered = contracted.0.min(load.0);
    KilowattHours(covered + (load.0 - covered) * grid_share)
}
