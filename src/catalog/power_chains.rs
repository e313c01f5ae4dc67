//! Classes of power chains: losses of UPS and distribution, lighting.

use super::record::{File, Load, Row, record};

record! {
    /// A class of power chain; see [`crate::physics::power_chain`] for what the numbers do.
    pub PowerChain = "power chain" {
        /// Key.
        id: String,
        /// Name.
        name: String,
        /// Installed UPS capacity over IT capacity.
        redundancy: f64 = "" [1.0, 3.0],
        /// Loss of a UPS without load over its rating.
        ups_fixed: f64 = "" [0.0, 0.2],
        /// Proportional to its load.
        ups_linear: f64 = "" [0.0, 0.2],
        /// With the square of its load.
        ups_square: f64 = "" [0.0, 0.2],
        /// Loss of distribution without load.
        pdu_fixed: f64 = "" [0.0, 0.2],
        /// With the square of its load.
        pdu_square: f64 = "" [0.0, 0.2],
        /// Lighting, offices, controls over IT capacity.
        other: f64 = "" [0.0, 0.2],
        /// A remark.
        note: Option<String>,
    }
}

impl Load for PowerChain {
    const FILES: &'static [File] =
        &[File { name: "power-chains.csv", text: include_str!("data/power-chains.csv"), prefix: "", sources: None }];

    fn build(row: &Row<'_>) -> Result<Self, String> {
        Ok(Self::read(row))
    }
}
