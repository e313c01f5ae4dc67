//! Everyday equivalents: what a kilometre by car or a day of a household takes.

use super::record::{File, Load, Row, record};

record! {
    /// An everyday thing and what one of it takes.
    pub Equivalent = "equivalent" {
        /// Key.
        id: String,
        /// Name in the singular.
        name: String,
        /// Name in the plural.
        plural: String,
        /// What it is a measure of: emissions, electricity or water.
        of: String,
        /// Emissions of one, in g; electricity of one, in kWh; water of one, in L.
        amount: f64 = "g, kWh or L" [1e-6, 1e12],
        /// A remark.
        note: Option<String>,
    }
}

impl Load for Equivalent {
    const FILES: &'static [File] =
        &[File { name: "equivalents.csv", text: include_str!("data/equivalents.csv"), prefix: "", sources: None }];

    fn build(row: &Row<'_>) -> Result<Self, String> {
        let equivalent = Self::read(row);
        match equivalent.of.as_str() {
            "emissions" | "electricity" | "water" => Ok(equivalent),
            other => Err(format!("of is `{other}`, expected emissions, electricity or water")),
        }
    }
}
