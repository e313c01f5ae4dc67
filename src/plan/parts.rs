//! What a row of the catalog means as parts: burdens, silicon of a die, kind of memory, kind of board.

use crate::catalog::{Embodied, FabNode, Hardware};
use crate::physics::embodied::{Burden, Range};
use crate::physics::semiconductor::{Process, wafer_per_die_cm2};

/// The largest area that is exposed at once, 26 × 33 mm: a larger device is several dies.
const RETICLE_CM2: f64 = 8.58;
/// A link faster than `PCIe` 5.0 ×16, both directions in GB/s, is one of modules on a board.
const CARD_LINK_GBS: f64 = 128.0;

/// The burden that a row states; what it leaves out is nothing.
pub(super) fn burden(row: &Embodied) -> Burden {
    let exact = |value: Option<f64>| Range::exact(value.unwrap_or(0.0));
    let value = row.kgco2e.unwrap_or(0.0);
    let (low, high) = (row.kgco2e_low.unwrap_or(value), row.kgco2e_high.unwrap_or(value));
    // What is not told apart is as uncertain as the emissions are.
    let alike = |figure: Option<f64>| {
        let figure = figure.unwrap_or(0.0);
        if value > 0.0 {
            Range { low: figure * low / value, value: figure, high: figure * high / value }
        } else {
            Range::exact(figure)
        }
    };
    Burden {
        gwp_kg: Range { low, value, high },
        adpe_kg_sb: alike(row.adpe_kg_sb),
        primary_energy_mj: alike(row.primary_energy_mj),
        water_l: alike(row.water_l),
        mass_kg: exact(row.mass_kg),
    }
}

/// Silicon of an area at a node, with the ends of grid, gases and yield.
pub(super) fn silicon(node: &FabNode, area_cm2: f64) -> Burden {
    let dies = (area_cm2 / RETICLE_CM2).ceil().max(1.0);
    let end = |grid: f64, gases: f64, materials: f64, defects: f64| {
        let process = Process {
            energy_kwh_per_cm2: node.energy_kwh_per_cm2,
            grid_kg_per_kwh: grid / 1e3,
            primary_mj_per_kwh: node.primary_mj_per_kwh,
            gases_kg_per_cm2: gases / 1e3,
            materials_kg_per_cm2: materials / 1e3,
            materials_mj_per_kg: node.materials_mj_per_kg,
            water_l_per_cm2: node.water_l_per_cm2,
            defects_per_cm2: defects,
        };
        let wafer = dies * wafer_per_die_cm2(area_cm2 / dies, node.spare_share, defects);
        [wafer * process.kg_per_cm2(), wafer * process.mj_per_cm2(), wafer * process.water_l_per_cm2]
    };
    let low =
        end(node.grid_low_g_per_kwh, node.gases_low_g_per_cm2, node.materials_g_per_cm2, node.defects_low_per_cm2);
    let value = end(node.grid_g_per_kwh, node.gases_g_per_cm2, node.materials_g_per_cm2, node.defects_per_cm2);
    let high = end(
        node.grid_high_g_per_kwh,
        node.gases_high_g_per_cm2,
        node.materials_high_g_per_cm2,
        node.defects_high_per_cm2,
    );
    let range = |at: usize| Range { low: low[at], value: value[at], high: high[at] };
    Burden { gwp_kg: range(0), primary_energy_mj: range(1), water_l: range(2), ..Burden::ZERO }
}

/// The part that a gigabyte of an accelerator's memory is, and how many there are; memory on the die is in the die.
pub(super) fn memory(hardware: &Hardware) -> Option<(&'static str, f64)> {
    let kind = hardware.memory_type.as_deref().unwrap_or("HBM");
    let id = match kind {
        kind if kind.starts_with("HBM") => "memory-hbm",
        kind if kind.starts_with("GDDR") => "memory-gddr",
        kind if kind.starts_with("SRAM") => return None,
        _ => "memory-dram",
    };
    Some((id, hardware.memory_gb?))
}

/// Whether an accelerator is a module on a board with others, by a link that no card has.
pub(super) fn is_module(hardware: &Hardware) -> bool {
    hardware.interconnect_gbs.is_some_and(|link| link > CARD_LINK_GBS)
}

/// Area of the dies where nobody publishes it.
pub(super) fn usual_area_mm2(hardware: &Hardware) -> f64 {
    (9.0 * hardware.memory_gb.unwrap_or(64.0)).clamp(100.0, 1600.0)
}

/// Node where nobody publishes it.
pub(super) fn usual_node_nm(hardware: &Hardware) -> f64 {
    match hardware.release_year.unwrap_or(2023.0) {
        ..2020.0 => 14.0,
        ..2022.5 => 7.0,
        ..2025.5 => 5.0,
        _ => 3.0,
    }
}
