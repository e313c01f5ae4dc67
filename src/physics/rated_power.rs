//! The rated-power cap: a replica cannot draw more than its devices are rated for.
//!
//! ```text
//! λ = min(1, n·TDP·ΣS / ΣE)
//! ```
//!
//! One factor per deployment and bin, applied to every share of its accelerator energy: linear, and the shares keep
//! adding up. Source: power limits of accelerators are enforced by their firmware. Range: any.

use crate::units::{Joules, Seconds, Watts};

/// The factor on accelerator energy of one deployment and bin.
///
/// ```
/// use wattledger::physics::rated_power::cap;
/// use wattledger::units::{Joules, Seconds, Watts};
/// assert_eq!(cap(Watts(700.0), Seconds(10.0), Joules(14_000.0)), 0.5);
/// assert_eq!(cap(Watts(700.0), Seconds(10.0), Joules(6_000.0)), 1.0);
/// ```
#[must_use]
pub fn cap(rated: Watts, replica_time: Seconds, energy: Joules) -> f64 {
    let most = rated * replica_time;
    if energy > most { most / energy } else { 1.0 }
}
