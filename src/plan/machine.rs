//! What a deployment runs on: the accelerator's datasheet, waiting power, host power.

use super::Notes;
use super::embodied::{Machines, Made as Embodied, made};
use crate::catalog::{Catalog, Hardware, Server};
use crate::fleet::{Deployment, Fleet};
use crate::physics::inference::Accelerator;
use crate::physics::provisioned::{HOST_IDLE_SHARE, HOST_PER_EIGHT, waiting_power};
use crate::physics::spread::Evidence;
use crate::units::Watts;
use crate::{Error, Result};

/// An accelerator of the catalog in the terms of the method, the generation whose parameters hold for it, and
/// what is measured on that.
///
/// # Errors
/// [`Error::UnknownName`] for a name that the catalog does not have, [`Error::FleetConflict`] for one without a datasheet.
pub fn accelerator_of(catalog: &Catalog, name: &str) -> Result<(Accelerator, &'static str, Evidence)> {
    let hardware = catalog.hardware(name)?.row;
    let mut notes = Notes::default();
    let accelerator = accelerator("accelerator", hardware, &mut notes)?;
    let (generation, evidence) = generation("accelerator", hardware, &mut notes);
    Ok((accelerator, generation, evidence))
}

/// The accelerator in the terms of the method.
pub(super) fn accelerator(place: &str, hardware: &Hardware, notes: &mut Notes) -> Result<Accelerator> {
    if let Some(link) = hardware.interconnect_gbs {
        notes.cell(place, "interconnect_gbs", link, &hardware.provenance);
    }
    // One direction of the link; without a figure, that of PCIe 4.0 ×16.
    let link = hardware.interconnect_gbs.unwrap_or_else(|| {
        notes.assume(place, "interconnect_gbs", "64", "not published; PCIe 4.0 x16, both directions");
        64.0
    });
    for (column, peak) in [("fp8_tflops", hardware.fp8_tflops), ("fp4_tflops", hardware.fp4_tflops)] {
        if let Some(peak) = peak {
            notes.cell(place, column, peak, &hardware.provenance);
        }
    }
    Ok(Accelerator {
        rated_power: Watts(needed(place, hardware, "tdp_w", hardware.tdp_w, notes)?),
        memory_bandwidth_bytes_per_s: needed(place, hardware, "memory_bw_gbs", hardware.memory_bw_gbs, notes)? * 1e9,
        peak_flop_per_s: needed(place, hardware, "bf16_tflops", hardware.bf16_tflops, notes)? * 1e12,
        peak_fp8_flop_per_s: hardware.fp8_tflops.map(|peak| peak * 1e12),
        peak_fp4_flop_per_s: hardware.fp4_tflops.map(|peak| peak * 1e12),
        link_bytes_per_s: link / 2.0 * 1e9,
    })
}

/// The generation whose parameters hold, and whether any measured serving energy stands behind them.
pub(super) fn generation(place: &str, hardware: &Hardware, notes: &mut Notes) -> (&'static str, Evidence) {
    let served = hardware.category.ends_with("gpu") || hardware.category == "superchip";
    match hardware.generation.as_deref().filter(|_| served) {
        Some("hopper") => ("hopper", Evidence::Served),
        Some("ampere") => ("ampere", Evidence::Kernels),
        Some("ada") => ("ada", Evidence::Kernels),
        Some("blackwell") if hardware.id.starts_with("b200") => ("blackwell", Evidence::Served),
        Some("blackwell" | "blackwell-ultra") => {
            notes.assume(place, "generation", "as B200", "measured on B200 alone: unvalidated hardware");
            ("blackwell", Evidence::Kernels)
        }
        _ => {
            notes.assume(
                place,
                "generation",
                "host time x2, dynamic energy x1.25",
                "no measured serving energy for this accelerator: the estimate is unvalidated hardware",
            );
            ("other", Evidence::None)
        }
    }
}

/// Power of one waiting accelerator; said where it came from, if it is charged.
pub(super) fn idle_power(place: &str, hardware: &Hardware, rated: Watts, dedicated: bool, notes: &mut Notes) -> Watts {
    let idle = waiting_power(hardware.idle_context_w.map(Watts), hardware.idle_w.map(Watts), rated);
    if !dedicated {
        return idle;
    }
    let value = format!("{} W", idle.0);
    match (hardware.idle_context_w, hardware.idle_w) {
        (Some(w), _) => notes.cell(place, "idle_context_w", w, &hardware.provenance),
        (None, Some(w)) => {
            notes.cell(place, "idle_w", w, &hardware.provenance);
            let why = "bare idle and 46 W for an open context (arXiv 2605.23918)";
            notes.assume(place, "idle power with a model loaded", value, why);
        }
        (None, None) => notes.assume(place, "idle power", value, "a fifth of rated power; none is published"),
    }
    idle
}

/// A cell that the method cannot do without.
pub(super) fn needed(
    place: &str,
    hardware: &Hardware,
    column: &str,
    value: Option<f64>,
    notes: &mut Notes,
) -> Result<f64> {
    let Some(value) = value else {
        return Err(Error::FleetConflict {
            place: place.into(),
            problem: format!("hardware `{}` has no {column} in the catalog", hardware.id),
            hint: format!("add a [[hardware]] row with id = \"{}\" and {column}", hardware.id),
        });
    };
    notes.cell(place, column, value, &hardware.provenance);
    Ok(value)
}

/// The server that is named; behind a cloud instance whose host is not known, the one inferred to be there.
fn server<'a>(fleet: &'a Fleet, place: &str, name: &str, notes: &mut Notes) -> Result<&'a Server> {
    let row = fleet.catalog().server(name)?.row;
    match (row.host_typical_w, &row.host_server_id) {
        (None, Some(behind)) => {
            let why = format!("the server inferred to be behind `{}`; no cloud says", row.id);
            notes.assume(place, "server", behind.clone(), &why);
            Ok(fleet.catalog().server(behind)?.row)
        }
        _ => Ok(row),
    }
}

/// What making the machines of a replica took.
pub(super) fn embodied(
    fleet: &Fleet,
    place: &str,
    stated: &Deployment,
    (hardware, devices, rated, host): (&Hardware, f64, Watts, Watts),
    notes: &mut Notes,
) -> Result<Embodied> {
    let named = stated.server.as_deref();
    let machines = Machines {
        hardware,
        devices,
        server: named.map(|name| server(fleet, place, name, &mut Notes::default())).transpose()?,
        rated_w: rated.0,
        host_w: host.0,
        lifetime_years: stated.lifetime_years,
        purchase_year: stated.purchase_year,
        published: stated.embodied.as_deref(),
    };
    made(fleet.catalog(), place, &machines, notes)
}

pub(super) fn host(
    fleet: &Fleet,
    place: &str,
    stated: &Deployment,
    devices: f64,
    notes: &mut Notes,
) -> Result<(Watts, Watts)> {
    let Some(name) = &stated.server else {
        let (working, idle) = (HOST_PER_EIGHT * (devices / 8.0), HOST_PER_EIGHT * (devices / 8.0 * HOST_IDLE_SHARE));
        notes.assume(
            place,
            "host power",
            format!("{} W working, {} W idle", super::plain(working.0), super::plain(idle.0)),
            "1.2 kW per 8 accelerators (EcoLogits server default), 0.7 of it idle",
        );
        return Ok((working, idle));
    };
    let server = server(fleet, place, name, notes)?;
    let (Some(typical), Some(accelerators)) = (server.host_typical_w, server.accelerators) else {
        return Err(Error::FleetConflict {
            place: place.into(),
            problem: format!("server `{}` has no host power in the catalog", server.id),
            hint: "name another server, or leave it out for a default".into(),
        });
    };
    notes.cell(place, "host_typical_w", typical, &server.provenance);
    let share = devices / accelerators;
    let idle = server.host_idle_w.unwrap_or(typical * HOST_IDLE_SHARE);
    if server.host_idle_w.is_none() {
        notes.assume(
            place,
            "idle host power",
            format!("{} W", super::plain((idle * share * 10.0).round() / 10.0)),
            "0.7 of working host power",
        );
    }
    Ok((Watts(typical * share), Watts(idle * share)))
}
