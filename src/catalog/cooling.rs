//! Cooling systems: what they do to PUE and water in a year, where no better is known.

use super::record::{File, Load, Row, ordered, record};
use crate::units::Bounds;

record! {
    /// An archetype of cooling, with the spread over climates; `unknown` is the spread over published sites.
    pub Cooling = "cooling" {
        /// Key.
        id: String,
        /// Name.
        name: String,
        /// Letter of the archetype.
        archetype: Option<String>,
        /// Share of the heat that liquid takes at the chip.
        liquid_fraction: Option<f64> = "" [0.0, 1.0],
        /// Annual PUE, lowest.
        pue_low: Option<f64> = "" [Bounds::PUE.low, Bounds::PUE.high],
        /// Annual PUE, median.
        pue_typical: f64 = "" [Bounds::PUE.low, Bounds::PUE.high],
        /// Annual PUE, highest.
        pue_high: Option<f64> = "" [Bounds::PUE.low, Bounds::PUE.high],
        /// Annual PUE, mean.
        pue_mean: Option<f64> = "" [Bounds::PUE.low, Bounds::PUE.high],
        /// Annual water input per IT energy, lowest.
        wue_low_l_per_kwh: Option<f64> = "L/kWh" [Bounds::WUE.low, Bounds::WUE.high],
        /// Annual water input per IT energy, median.
        wue_typical_l_per_kwh: f64 = "L/kWh" [Bounds::WUE.low, Bounds::WUE.high],
        /// Annual water input per IT energy, highest.
        wue_high_l_per_kwh: Option<f64> = "L/kWh" [Bounds::WUE.low, Bounds::WUE.high],
        /// Annual water input per IT energy, mean.
        wue_mean_l_per_kwh: Option<f64> = "L/kWh" [Bounds::WUE.low, Bounds::WUE.high],
        /// A remark.
        note: Option<String>,
    }
}

impl Load for Cooling {
    const FILES: &'static [File] =
        &[File { name: "cooling.csv", text: include_str!("data/cooling.csv"), prefix: "", sources: None }];

    fn build(row: &Row<'_>) -> Result<Self, String> {
        let cooling = Self::read(row);
        ordered("PUE", [cooling.pue_low, Some(cooling.pue_typical), cooling.pue_high])?;
        ordered("WUE", [cooling.wue_low_l_per_kwh, Some(cooling.wue_typical_l_per_kwh), cooling.wue_high_l_per_kwh])?;
        Ok(cooling)
    }
}
