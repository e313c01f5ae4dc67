//! Cooling systems: their parameters, and what they do to PUE and water in a year where no weather is known.

use super::provenance::Quality;
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
        /// Class of power chain that usually goes with it.
        power_chain: Option<String>,
        /// IT power over IT capacity that it usually runs at.
        load_fraction: Option<f64> = "" [0.05, 1.0],
        /// Air handlers at full load over IT capacity.
        fan_share: Option<f64> = "" [0.0, 0.3],
        /// Air supplied to the room.
        supply_air_c: Option<f64> = "°C" [10.0, 40.0],
        /// Rise of that air over the IT.
        air_rise_k: Option<f64> = "K" [4.0, 30.0],
        /// Dew point above which outside air is shut out.
        dew_point_limit_c: Option<f64> = "°C" [5.0, 30.0],
        /// Chilled water supplied.
        chilled_supply_c: Option<f64> = "°C" [4.0, 35.0],
        /// Chilled water returned.
        chilled_return_c: Option<f64> = "°C" [6.0, 50.0],
        /// Liquid supplied to the chips.
        facility_water_c: Option<f64> = "°C" [15.0, 60.0],
        /// Whether a dry cooler may wet its air.
        adiabatic: Option<bool>,
        /// Cycles of concentration of evaporated water.
        cycles_of_concentration: Option<f64> = "" [1.5, 100.0],
        /// Fans and power supplies inside the IT, over IT energy.
        it_overhead_share: Option<f64> = "" [0.0, 0.5],
        /// Weight among the systems that a site of unknown cooling may have; 0 is never assumed.
        plausible_weight: Option<f64> = "" [0.0, 1.0],
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
        /// Where cells come from that have a document of their own: `source: columns; source: columns`.
        cell_sources: Option<String>,
    }
}

impl Load for Cooling {
    const FILES: &'static [File] =
        &[File { name: "cooling.csv", text: include_str!("data/cooling.csv"), prefix: "", sources: None }];

    fn build(row: &Row<'_>) -> Result<Self, String> {
        let mut cooling = Self::read(row);
        if let Some(sources) = &cooling.cell_sources {
            cooling.provenance.cite(sources, Self::COLUMNS, &[], Quality::Derived);
        }
        if let Some(letter) = cooling.archetype.as_deref()
            && !(letter.len() == 1 && "ABCDEFGHIJ".contains(letter))
        {
            return Err(format!("`archetype` is `{letter}`, expected a letter from A to J"));
        }
        ordered("PUE", [cooling.pue_low, Some(cooling.pue_typical), cooling.pue_high])?;
        ordered("WUE", [cooling.wue_low_l_per_kwh, Some(cooling.wue_typical_l_per_kwh), cooling.wue_high_l_per_kwh])?;
        Ok(cooling)
    }
}
