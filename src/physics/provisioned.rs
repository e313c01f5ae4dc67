//! What a replica draws besides its requests' own work: the idle floor of its accelerators, and its host.
//!
//! ```text
//! idle = n·P_idle · (1 − u)·T          accelerators provisioned and without a request
//! host = P_host·S + P_host_idle · (1 − u)·T
//! ```
//!
//! | symbol | meaning | unit |
//! |---|---|---|
//! | n, `P_idle` | devices; power of one with a context open and no request | –, W |
//! | `P_host`, `P_host_idle` | everything of the server that is no accelerator, working and idle, for this replica's share | W |
//! | S | replica time of the requests | s |
//! | u, T | busy share; provisioned replica time | –, s |
//!
//! Idle is an operator's choice, not a request's property, and is reported apart. It is charged to the requests of the
//! same deployment and bin by replica time S, the time base of everything that scales with occupancy; never by latency,
//! for B requests share the device.
//!
//! Source: host 1.2 kW per eight accelerators (EcoLogits), which lies at the low end of 1.2–2.8 kW metered on DGX H100
//! (arXiv 2412.08602); a context adds 26 to 66 W to a bare idle
//! device of 700 W (arXiv 2605.23918). Range: any.

use crate::units::{Joules, Seconds, Watts};

/// Host power of a server of eight accelerators while it works. Source: EcoLogits' server default.
pub const HOST_PER_EIGHT: Watts = Watts(1200.0);
/// Idle host power over working host power where no meter says otherwise (*assumed*).
pub const HOST_IDLE_SHARE: f64 = 0.7;
/// What an open context adds to a bare idle device over its rated power: the midpoint of 26 to 66 W in arXiv 2605.23918,
/// read on devices of 700 W (*assumed* elsewhere).
pub const CONTEXT_OVER_RATED: f64 = 46.0 / 700.0;
/// Idle over rated power where nothing is published; H200 0.18, B200 0.24 with a context open (*assumed*).
pub const IDLE_OVER_RATED: f64 = 0.2;

/// Energy of a power over the provisioned time in which no request ran.
///
/// ```
/// use wattledger::physics::provisioned::idle;
/// use wattledger::units::{Joules, Seconds, Watts};
/// assert_eq!(idle(Watts(400.0), 0.25, Seconds(3600.0)), Joules(360_000.0));
/// ```
#[must_use]
pub fn idle(power: Watts, idle_share: f64, provisioned: Seconds) -> Joules {
    power * (provisioned * idle_share)
}

/// Power of one device that waits for requests: measured with a context open, else bare idle plus a context, else a share
/// of rated power; never above rated power.
#[must_use]
pub fn waiting_power(with_context: Option<Watts>, bare: Option<Watts>, rated: Watts) -> Watts {
    let power = with_context.or(bare.map(|bare| bare + rated * CONTEXT_OVER_RATED)).unwrap_or(rated * IDLE_OVER_RATED);
    if power > rated { rated } else { power }
}
