//! Process nodes: what a fab takes for a square centimetre of wafer.

use super::record::{File, Load, Row, ordered, record};

record! {
    /// A process node; see [`crate::physics::semiconductor`] for what the numbers do. A square centimetre is one of wafer.
    pub FabNode = "fab node" {
        /// Key.
        id: String,
        /// Name class of the node.
        node_nm: f64 = "nm" [1.0, 200.0],
        /// Electricity.
        energy_kwh_per_cm2: f64 = "kWh/cm2" [0.1, 20.0],
        /// Lifecycle factor of that electricity, low.
        grid_low_g_per_kwh: f64 = "g/kWh" [1.0, 1500.0],
        /// Lifecycle factor of that electricity.
        grid_g_per_kwh: f64 = "g/kWh" [1.0, 1500.0],
        /// Lifecycle factor of that electricity, high.
        grid_high_g_per_kwh: f64 = "g/kWh" [1.0, 1500.0],
        /// Primary energy of that electricity.
        primary_mj_per_kwh: f64 = "MJ/kWh" [3.6, 20.0],
        /// Process gases with the best abatement.
        gases_low_g_per_cm2: f64 = "g/cm2" [0.0, 5000.0],
        /// Process gases.
        gases_g_per_cm2: f64 = "g/cm2" [0.0, 5000.0],
        /// Process gases with the least abatement.
        gases_high_g_per_cm2: f64 = "g/cm2" [0.0, 5000.0],
        /// Materials.
        materials_g_per_cm2: f64 = "g/cm2" [0.0, 5000.0],
        /// Materials, high.
        materials_high_g_per_cm2: f64 = "g/cm2" [0.0, 5000.0],
        /// Primary energy of materials over their emissions.
        materials_mj_per_kg: f64 = "MJ/kg" [1.0, 100.0],
        /// Water consumed.
        water_l_per_cm2: f64 = "L/cm2" [0.1, 200.0],
        /// Density of defects, low.
        defects_low_per_cm2: f64 = "1/cm2" [0.0, 5.0],
        /// Density of defects.
        defects_per_cm2: f64 = "1/cm2" [0.0, 5.0],
        /// Density of defects, high.
        defects_high_per_cm2: f64 = "1/cm2" [0.0, 5.0],
        /// Share of a large die in which a defect costs a spare unit and not the die.
        spare_share: f64 = "" [0.0, 0.95],
        /// A remark.
        note: Option<String>,
    }
}

impl Load for FabNode {
    const FILES: &'static [File] =
        &[File { name: "fab-nodes.csv", text: include_str!("data/fab-nodes.csv"), prefix: "", sources: None }];

    fn build(row: &Row<'_>) -> Result<Self, String> {
        let node = Self::read(row);
        let some = |values: [f64; 3]| values.map(Some);
        ordered("grid", some([node.grid_low_g_per_kwh, node.grid_g_per_kwh, node.grid_high_g_per_kwh]))?;
        ordered("gases", some([node.gases_low_g_per_cm2, node.gases_g_per_cm2, node.gases_high_g_per_cm2]))?;
        ordered("defects", some([node.defects_low_per_cm2, node.defects_per_cm2, node.defects_high_per_cm2]))?;
        Ok(node)
    }
}
