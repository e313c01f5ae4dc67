//! What the columns and metrics of meters mean: quantity, factor to watts or joules, and whether they look back.

use crate::{Error, Result};
use serde::Serialize;

/// What a value is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Quantity {
    /// A power at a moment.
    Power,
    /// A counter of energy that only grows, but for resets.
    Energy,
}

/// Whether readings are means of the time before them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Averaged {
    /// NVML's `power.draw`: the mean of the last second on Ampere (but GA100) and later.
    LastSecond,
    /// At the moment, or a counter.
    No,
    /// The source does not say.
    Unknown,
}

/// Unit of a column or metric.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Unit {
    /// Name it is known by.
    pub name: &'static str,
    /// What it is.
    pub quantity: Quantity,
    /// Factor to watts or joules.
    pub factor: f64,
    /// Whether it looks back.
    pub averaged: Averaged,
}

const fn unit(name: &'static str, quantity: Quantity, factor: f64, averaged: Averaged) -> Unit {
    Unit { name, quantity, factor, averaged }
}

use Averaged::{LastSecond, No, Unknown};
use Quantity::{Energy, Power};

/// Names of columns in CSV files; their unit is part of the name. `nvidia-smi` puts it in brackets.
const COLUMNS: [Unit; 12] = [
    unit("power_w", Power, 1.0, Unknown),
    unit("power_watts", Power, 1.0, Unknown),
    unit("watts", Power, 1.0, Unknown),
    unit("power_kw", Power, 1e3, Unknown),
    unit("energy_j", Energy, 1.0, No),
    unit("energy_joules", Energy, 1.0, No),
    unit("energy_wh", Energy, 3.6e3, No),
    unit("energy_kwh", Energy, 3.6e6, No),
    unit("power.draw [w]", Power, 1.0, LastSecond),
    unit("power.draw.average [w]", Power, 1.0, LastSecond),
    unit("power.draw.instant [w]", Power, 1.0, No),
    unit("energy_millijoules", Energy, 1e-3, No),
];

/// Metrics of exporters: dcgm-exporter states W and mJ in its counters file, `nvidia_gpu_exporter` in the names.
const METRICS: [Unit; 8] = [
    unit("DCGM_FI_DEV_POWER_USAGE", Power, 1.0, LastSecond),
    unit("DCGM_FI_DEV_POWER_USAGE_INSTANT", Power, 1.0, No),
    unit("DCGM_FI_DEV_TOTAL_ENERGY_CONSUMPTION", Energy, 1e-3, No),
    unit("nvidia_smi_power_draw_watts", Power, 1.0, LastSecond),
    unit("nvidia_smi_power_draw_average_watts", Power, 1.0, LastSecond),
    unit("nvidia_smi_power_draw_instant_watts", Power, 1.0, No),
    unit("nvidia_smi_energy_joules_total", Energy, 1.0, No),
    unit("nvidia_gpu_power_usage_milliwatts", Power, 1e-3, LastSecond),
];

/// Endings of metrics that say their unit, by the conventions of Prometheus.
const ENDINGS: [Unit; 4] = [
    unit("_milliwatts", Power, 1e-3, Unknown),
    unit("_watts", Power, 1.0, Unknown),
    unit("_joules_total", Energy, 1.0, No),
    unit("_kwh_total", Energy, 3.6e6, No),
];

impl Unit {
    /// The unit of a column with this name.
    pub(super) fn of_column(name: &str) -> Option<Self> {
        COLUMNS.into_iter().find(|unit| unit.name.eq_ignore_ascii_case(name))
    }

    /// The unit of a metric with this name.
    pub(super) fn of_metric(name: &str) -> Option<Self> {
        METRICS
            .into_iter()
            .find(|unit| unit.name == name)
            .or_else(|| ENDINGS.into_iter().find(|u| name.ends_with(u.name)))
    }

    /// A unit by the name of its column, for series that do not say theirs: `power_w`, `energy_kwh`, …
    ///
    /// # Errors
    /// [`Error::UnknownName`] for another name.
    pub fn named(name: &str) -> Result<Self> {
        Self::of_column(name).ok_or_else(|| Error::UnknownName {
            kind: "unit of a meter",
            name: name.to_owned(),
            nearest: crate::error::nearest(name, COLUMNS.iter().map(|unit| unit.name)),
        })
    }

    /// Names that columns may have, for messages.
    pub(super) fn columns() -> String {
        COLUMNS.iter().map(|unit| unit.name).take(8).collect::<Vec<_>>().join(", ")
    }
}
