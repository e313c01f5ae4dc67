//! Losses between the meter of a facility and its IT: UPS, distribution, lighting and controls.
//!
//! ```text
//! loss = K·( r·(k0 + k1·x + k2·x²) + p0 + p2·u² + l ),   x = u/r,   u = P/K
//! ```
//!
//! | symbol | meaning | unit |
//! |---|---|---|
//! | P, K | IT power; IT capacity | kW |
//! | r | installed UPS capacity over IT capacity; 2 for 2N | – |
//! | k0, k1, k2 | loss of a UPS without load, proportional and quadratic, over its rating | – |
//! | p0, p2 | the same of distribution | – |
//! | l | lighting, offices, controls over IT capacity | – |
//!
//! Part of the loss does not depend on the load. Without load it is still there, and over the IT energy it grows
//! without bound: a low utilisation is the largest driver of a bad PUE.
//!
//! Source: the form is that of S. Pelley et al., Understanding and Abstracting Total Data Center Power (WEED 2009); the
//! classes are catalog rows (`power-chains.csv`). Range: u from 0 to 1. Error: none measured; a double-conversion UPS of one
//! maker loses 0.8, 1.4, 2.3 and 3.7 % of its rating at a quarter to full load, the class *modern* 1.2, 1.6, 2.2 and 3.0 %.

/// Losses of one class of power chain, each over a rating.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PowerChain {
    /// Installed UPS capacity over IT capacity.
    pub redundancy: f64,
    /// UPS without load.
    pub ups_fixed: f64,
    /// UPS, proportional to its load.
    pub ups_linear: f64,
    /// UPS, with the square of its load.
    pub ups_square: f64,
    /// Distribution without load.
    pub pdu_fixed: f64,
    /// Distribution, with the square of its load.
    pub pdu_square: f64,
    /// Lighting, offices, controls.
    pub other: f64,
}

/// Losses at an IT power, in kW.
///
/// ```
/// use wattledger::physics::power_chain::{loss_kw, PowerChain};
/// let modern = PowerChain { redundancy: 2.0, ups_fixed: 0.010, ups_linear: 0.005, ups_square: 0.015, pdu_fixed: 0.004,
///     pdu_square: 0.012, other: 0.008 };
/// assert!((loss_kw(&modern, 500.0, 1000.0) / 500.0 - 0.0786).abs() < 0.0005);
/// assert!(loss_kw(&modern, 0.0, 1000.0) > 30.0, "a chain without load still loses");
/// ```
#[must_use]
pub fn loss_kw(chain: &PowerChain, it_kw: f64, capacity_kw: f64) -> f64 {
    let load = it_kw / capacity_kw;
    let x = load / chain.redundancy;
    let ups = chain.redundancy * (chain.ups_fixed + chain.ups_linear * x + chain.ups_square * x * x);
    capacity_kw * (ups + chain.pdu_fixed + chain.pdu_square * load * load + chain.other)
}
