//! Parameters of the diffusion method: versioned sets, each number with its uncertainty and its source.

use super::Catalog;
use super::record::{File, Load, Row, record};
use crate::error::Result;

record! {
    /// One number of a parameter set. Sets are fitted together, shipped together and never mixed.
    pub DiffusionParameter = "diffusion_parameter" {
        /// Key: set and symbol, `diffusion-2026.11/phi0`.
        id: String,
        /// Name of the set.
        set: String,
        /// Symbol in the formula of the method.
        symbol: String,
        /// Value.
        value: f64 = "" [-1e18, 1e18],
        /// Unit of the value; empty for a ratio.
        unit: Option<String>,
        /// Standard error, in the unit of the value; empty where nothing was fitted.
        sigma: Option<f64> = "" [0.0, 1e18],
        /// Smallest value the fit allowed.
        low: Option<f64> = "" [-1e18, 1e18],
        /// Largest value the fit allowed.
        high: Option<f64> = "" [-1e18, 1e18],
        /// What it is.
        meaning: String,
    }
}

impl Load for DiffusionParameter {
    const FILES: &'static [File] = &[File {
        name: "diffusion-parameters.csv",
        text: include_str!("data/diffusion-parameters.csv"),
        prefix: "",
        sources: None,
    }];

    fn build(row: &Row<'_>) -> std::result::Result<Self, String> {
        let read = Self::read(row);
        if read.id != format!("{}/{}", read.set, read.symbol) {
            return Err(format!("expected the id `{}/{}`", read.set, read.symbol));
        }
        match (read.low, read.high) {
            (Some(low), Some(high)) if !(low..=high).contains(&read.value) => {
                Err(format!("{} is outside the {low} to {high} of its fit", read.value))
            }
            _ => Ok(read),
        }
    }
}

impl Catalog {
    /// The value of one symbol of a parameter set.
    ///
    /// ```
    /// let floor = wattledger::catalog::Catalog::builtin().diffusion_value("diffusion-2026.11", "phi0")?;
    /// assert!((0.1..0.5).contains(&floor));
    /// # Ok::<(), wattledger::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`crate::Error::UnknownName`] where the set has no such symbol.
    pub fn diffusion_value(&self, set: &str, symbol: &str) -> Result<f64> {
        Ok(self.diffusion_parameter(&format!("{set}/{symbol}"))?.row.value)
    }
}
