//! Bills of materials: which parts an accelerator, a host, a network and a building are made of.

use super::record::{File, Load, Row, ordered, record};

record! {
    /// One line of a bill: so much of a part for each unit of what it goes by.
    pub BillLine = "bill line" {
        /// Key.
        id: String,
        /// The bill: module, card, host, network or facility.
        bill: String,
        /// What the line is.
        component: String,
        /// Part in the embodied catalog.
        part: String,
        /// What it goes by, one of the five in the file.
        per: String,
        /// Quantity, low.
        quantity_low: f64 = "" [0.0, 1e6],
        /// Quantity of the part.
        quantity: f64 = "" [0.0, 1e6],
        /// Quantity, high.
        quantity_high: f64 = "" [0.0, 1e6],
        /// Service life, where it is not that of the machine.
        lifetime_years: Option<f64> = "years" [0.5, 100.0],
        /// A remark.
        note: Option<String>,
    }
}

/// What lines go by.
pub(super) const PER: [&str; 5] = ["accelerator", "rated_kw", "server", "socket", "dram_gb"];
/// The bills.
pub(super) const BILLS: [&str; 5] = ["module", "card", "host", "network", "facility"];

impl Load for BillLine {
    const FILES: &'static [File] = &[File {
        name: "embodied-bills.csv",
        text: include_str!("data/embodied-bills.csv"),
        prefix: "",
        sources: None,
    }];

    fn build(row: &Row<'_>) -> Result<Self, String> {
        let line = Self::read(row);
        ordered("quantity", [line.quantity_low, line.quantity, line.quantity_high].map(Some))?;
        if !PER.contains(&line.per.as_str()) {
            return Err(format!("per is `{}`, expected one of {}", line.per, PER.join(", ")));
        }
        if !BILLS.contains(&line.bill.as_str()) {
            return Err(format!("bill is `{}`, expected one of {}", line.bill, BILLS.join(", ")));
        }
        Ok(line)
    }
}
