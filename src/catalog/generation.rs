//! Technologies of generation: what a kilowatt-hour of each emits and drinks.

use super::record::{File, Load, Row, ordered, record};

record! {
    /// A technology of generation; a bare source, `coal`, stands for it where no more is known.
    pub Technology = "technology of generation" {
        /// Key.
        id: String,
        /// Name.
        name: String,
        /// Source of energy.
        source_of_energy: String,
        /// Stack emissions.
        direct_g_per_kwh: Option<f64> = "g/kWh" [0.0, 2000.0],
        /// Stack, fuel chain and construction: median of IPCC 2014.
        lifecycle_g_per_kwh: Option<f64> = "g/kWh" [0.0, 2000.0],
        /// Its lowest.
        lifecycle_low_g_per_kwh: Option<f64> = "g/kWh" [0.0, 2500.0],
        /// Its highest.
        lifecycle_high_g_per_kwh: Option<f64> = "g/kWh" [0.0, 2500.0],
        /// The same of UNECE 2021.
        lifecycle_unece_g_per_kwh: Option<f64> = "g/kWh" [0.0, 2000.0],
        /// Water consumed: median.
        water_l_per_kwh: Option<f64> = "L/kWh" [0.0, 100.0],
        /// Its lowest.
        water_low_l_per_kwh: Option<f64> = "L/kWh" [0.0, 100.0],
        /// Its highest.
        water_high_l_per_kwh: Option<f64> = "L/kWh" [0.0, 100.0],
        /// A remark.
        note: Option<String>,
    }
}

impl Load for Technology {
    const FILES: &'static [File] =
        &[File { name: "generation.csv", text: include_str!("data/generation.csv"), prefix: "", sources: None }];

    fn build(row: &Row<'_>) -> Result<Self, String> {
        let made = Self::read(row);
        ordered("water", [made.water_low_l_per_kwh, made.water_l_per_kwh, made.water_high_l_per_kwh])?;
        Ok(made)
    }
}
