//! Embodied burdens: what making a thing emitted, used up and weighs.

use super::record::{File, Load, Row, ordered, record};

record! {
    /// A product, a part or a lifetime convention; burdens are per unit named in `per`.
    pub Embodied = "embodied item" {
        /// Key.
        id: String,
        /// Name.
        name: String,
        /// Kind of item.
        category: String,
        /// What the figure covers.
        scope: Option<String>,
        /// What one of it is.
        per: String,
        /// Emissions of making it.
        kgco2e: Option<f64> = "kg" [0.0, 1e7],
        /// Emissions, low.
        kgco2e_low: Option<f64> = "kg" [0.0, 1e7],
        /// Emissions, high.
        kgco2e_high: Option<f64> = "kg" [0.0, 1e7],
        /// Abiotic depletion, antimony equivalent.
        adpe_kg_sb: Option<f64> = "kg" [0.0, 1e3],
        /// Primary energy.
        primary_energy_mj: Option<f64> = "MJ" [0.0, 1e9],
        /// Water.
        water_l: Option<f64> = "L" [0.0, 1e9],
        /// Mass.
        mass_kg: Option<f64> = "kg" [0.0, 1e5],
        /// Accelerator of the catalog that it is a footprint of.
        hardware_id: Option<String>,
        /// Accelerators that one of it carries.
        accelerators: Option<f64> = "" [1.0, 1000.0],
        /// Service life that goes with the figure.
        lifetime_years: Option<f64> = "years" [0.5, 40.0],
        /// A remark.
        note: Option<String>,
    }
}

impl Load for Embodied {
    const FILES: &'static [File] =
        &[File { name: "embodied.csv", text: include_str!("data/embodied.csv"), prefix: "", sources: None }];

    const MORE: &'static [File] = &[File {
        name: "embodied-parts.csv",
        text: include_str!("data/embodied-parts.csv"),
        prefix: "",
        sources: None,
    }];

    fn build(row: &Row<'_>) -> Result<Self, String> {
        let item = Self::read(row);
        ordered("kgco2e", [item.kgco2e_low, item.kgco2e, item.kgco2e_high])?;
        Ok(item)
    }

    fn respell(rows: &[Self], key: &str) -> Vec<usize> {
        let named = |row: &Self| super::names::dashed(&row.name) == key;
        rows.iter().enumerate().filter(|(_, row)| named(row)).map(|(index, _)| index).collect()
    }
}
