//! What the machines of a replica took to make, part by part: bills of the catalog filled in with a datasheet.

use super::Notes;
use crate::catalog::{BillLine, Catalog, Embodied, FabNode, Hardware, Server};
use crate::physics::embodied::{Burden, Range};
use crate::physics::semiconductor::{Process, wafer_per_die_cm2};
use crate::{Error, Result};
use serde::Serialize;

/// Seconds of a year.
const YEAR_S: f64 = 365.0 * 86_400.0;
/// Service life of machines where none is stated, low, usual and high: conventions of the catalog run from 3 to 6 years.
pub const LIFETIME_YEARS: Range = Range { low: 3.0, value: 4.0, high: 6.0 };
/// The largest area that is exposed at once, 26 × 33 mm: a larger device is several dies.
const RETICLE_CM2: f64 = 8.58;
/// A host whose parts are not known: two sockets and 2 TiB for eight accelerators (DGX H100).
const USUAL_HOST: Host = Host { accelerators: 8.0, sockets: 2.0, dram_gb: 2048.0 };
/// A link faster than `PCIe` 5.0 ×16, both directions in GB/s, is one of modules on a board.
const CARD_LINK_GBS: f64 = 128.0;

/// What a part belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Group {
    /// Accelerators and what is on their boards.
    Accelerator,
    /// The server around them.
    Server,
    /// Switches, optics and cables of a cluster.
    Network,
    /// Cooling, power delivery and the building.
    Facility,
}

/// A part of a replica.
#[derive(Clone, Debug, PartialEq)]
pub struct Component {
    /// What it belongs to.
    pub group: Group,
    /// What it is.
    pub what: String,
    /// Where its figures come from.
    pub source: String,
    /// Its burden.
    pub burden: Burden,
    /// Its service life in seconds.
    pub life_s: Range,
}

/// What some machines took to make.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Made {
    /// Part by part.
    pub components: Vec<Component>,
    /// Year of purchase.
    pub purchase_year: Option<f64>,
}

impl Made {
    /// The sum of the parts that belong to a group, or of all.
    #[must_use]
    pub fn burden(&self, group: Option<Group>) -> Burden {
        let mine = self.components.iter().filter(|part| group.is_none_or(|group| part.group == group));
        mine.fold(Burden::ZERO, |sum, part| sum.plus(&part.burden))
    }

    /// What a second of standing there bears. A long life makes the low end, a short one the high end.
    #[must_use]
    pub fn per_second(&self) -> Burden {
        self.components.iter().fold(Burden::ZERO, |sum, part| {
            let rate =
                Range { low: 1.0 / part.life_s.high, value: 1.0 / part.life_s.value, high: 1.0 / part.life_s.low };
            sum.plus(&part.burden.by(rate))
        })
    }
}

/// What machines are asked about.
pub struct Machines<'a> {
    /// The accelerator.
    pub hardware: &'a Hardware,
    /// How many of them.
    pub devices: f64,
    /// The server around them, where one is named.
    pub server: Option<&'a Server>,
    /// IT power that the building is laid out for, in kW.
    pub rated_kw: f64,
    /// Stated service life.
    pub lifetime_years: Option<f64>,
    /// Stated year of purchase.
    pub purchase_year: Option<f64>,
    /// A published footprint for the accelerators.
    pub published: Option<&'a str>,
}

#[derive(Clone, Copy)]
struct Host {
    accelerators: f64,
    sockets: f64,
    dram_gb: f64,
}

/// Sums up the parts of some machines.
pub(crate) fn made(catalog: &Catalog, place: &str, machines: &Machines, notes: &mut Notes) -> Result<Made> {
    if machines.lifetime_years.is_none() {
        let why = "service lives in use run from 3 to 6 years (`catalog embodied`)";
        notes.assume(place, "lifetime_years", super::plain(LIFETIME_YEARS.value), why);
    }
    let life = machines.lifetime_years.map_or(LIFETIME_YEARS, Range::exact);
    let mut bill = Bill { catalog, place, life, notes, components: Vec::new() };
    match machines.published {
        Some(name) => bill.published(name, machines)?,
        None => bill.accelerators(machines)?,
    }
    bill.host(machines)?;
    let per = |per: &str| match per {
        "accelerator" => machines.devices,
        "rated_kw" => machines.rated_kw,
        _ => 0.0,
    };
    bill.lines("network", Group::Network, per)?;
    bill.lines("facility", Group::Facility, per)?;
    Ok(Made { components: bill.components, purchase_year: machines.purchase_year })
}

/// The accelerator alone: what of it is on its own board.
///
/// # Errors
/// Where the catalog has no part that a bill names.
pub fn accelerator_parts(catalog: &Catalog, hardware: &Hardware) -> Result<Made> {
    let mut notes = Notes::default();
    let machines = Machines {
        hardware,
        devices: 1.0,
        server: None,
        rated_kw: 0.0,
        lifetime_years: None,
        purchase_year: None,
        published: None,
    };
    let mut bill =
        Bill { catalog, place: "accelerator", life: LIFETIME_YEARS, notes: &mut notes, components: Vec::new() };
    bill.accelerators(&machines)?;
    Ok(Made { components: bill.components, purchase_year: None })
}

struct Bill<'a, 'n> {
    catalog: &'a Catalog,
    place: &'a str,
    life: Range,
    notes: &'n mut Notes,
    components: Vec<Component>,
}

impl Bill<'_, '_> {
    fn add(&mut self, group: Group, what: &str, (burden, source): (Burden, String), life_years: Range) {
        let life_s =
            Range { low: life_years.low * YEAR_S, value: life_years.value * YEAR_S, high: life_years.high * YEAR_S };
        self.components.push(Component { group, what: what.into(), source, burden, life_s });
    }

    /// So many of a part, and where its figures come from.
    fn part(&self, id: &str, quantity: Range) -> Result<(Burden, String)> {
        let row = self.catalog.embodied(id)?.row;
        Ok((burden(row).by(quantity), row.provenance.of("kgco2e").source.into()))
    }

    fn accelerators(&mut self, machines: &Machines) -> Result<()> {
        let hardware = machines.hardware;
        let (dies, source) = self.dies(hardware)?;
        self.add(Group::Accelerator, "compute dies", (dies.times(machines.devices), source), self.life);
        if let Some((id, gb)) = memory(hardware) {
            let memory = self.part(id, Range::exact(gb * machines.devices))?;
            self.add(Group::Accelerator, "memory", memory, self.life);
        }
        let module = hardware.interconnect_gbs.is_some_and(|link| link > CARD_LINK_GBS);
        let rated_kw = hardware.tdp_w.map_or(0.0, |watts| watts / 1e3) * machines.devices;
        self.lines(if module { "module" } else { "card" }, Group::Accelerator, |per| match per {
            "accelerator" => machines.devices,
            "rated_kw" => rated_kw,
            _ => 0.0,
        })
    }

    /// A footprint that somebody published stands for the accelerators; what it does not say comes from the parts.
    fn published(&mut self, name: &str, machines: &Machines) -> Result<()> {
        let row = self.catalog.embodied(name)?.row;
        let (Some(kg), Some(accelerators)) = (row.kgco2e, row.accelerators) else {
            return Err(Error::FleetConflict {
                place: self.place.into(),
                problem: format!("embodied item `{}` is not the footprint of a number of accelerators", row.id),
                hint: "name one that has kgco2e and accelerators (`catalog embodied`), or leave it out".into(),
            });
        };
        self.notes.fact(self.place, "embodied kgco2e", kg, row.provenance.of("kgco2e"));
        let source = row.provenance.of("kgco2e").source.to_owned();
        self.accelerators(machines)?;
        let parts = self.components.drain(..).fold(Burden::ZERO, |sum, part| sum.plus(&part.burden));
        let count = machines.devices / accelerators;
        let known = |value: Option<f64>, parts: Range| value.map_or(parts, |value| Range::exact(value * count));
        let published = burden(row).times(count);
        let whole = Burden {
            gwp_kg: published.gwp_kg,
            adpe_kg_sb: known(row.adpe_kg_sb, parts.adpe_kg_sb),
            primary_energy_mj: known(row.primary_energy_mj, parts.primary_energy_mj),
            water_l: known(row.water_l, parts.water_l),
            mass_kg: known(row.mass_kg, parts.mass_kg),
        };
        self.add(Group::Accelerator, &row.name, (whole, source), self.life);
        Ok(())
    }

    /// Silicon of one accelerator.
    fn dies(&mut self, hardware: &Hardware) -> Result<(Burden, String)> {
        let place = self.place.to_owned();
        let area = hardware.die_area_mm2.unwrap_or_else(|| {
            let usual = usual_area_mm2(hardware);
            let why = "not published: that of its memory at 9 mm² a GB, 100 to 1600 mm²";
            self.notes.assume(&place, "die_area_mm2", super::plain(usual), why);
            usual
        }) / 100.0;
        let nm = hardware.process_nm.unwrap_or_else(|| {
            let usual = usual_node_nm(hardware);
            self.notes.assume(&place, "process_nm", super::plain(usual), "not published: usual in its year");
            usual
        });
        let rows = self.catalog.all_fab_nodes()?;
        let distance = |node: &FabNode| (node.node_nm / nm).ln().abs();
        let Some(node) = rows.iter().min_by(|a, b| distance(a).total_cmp(&distance(b))) else {
            return Ok((Burden::ZERO, String::new()));
        };
        let source = format!("fab node `{}`: {}", node.id, node.provenance.of("energy_kwh_per_cm2").source);
        Ok((silicon(node, area), source))
    }

    /// The server around the accelerators.
    fn host(&mut self, machines: &Machines) -> Result<()> {
        let known = machines.server.and_then(|server| {
            Some(Host { accelerators: server.accelerators?, sockets: server.cpu_sockets?, dram_gb: server.dram_gib? })
        });
        let host = known.unwrap_or_else(|| {
            let why = "no server is named whose parts are known: two sockets and 2 TiB for eight accelerators";
            self.notes.assume(self.place, "parts of the server", "as DGX H100", why);
            USUAL_HOST
        });
        let servers = machines.devices / host.accelerators;
        self.lines("host", Group::Server, |per| match per {
            "server" => servers,
            "socket" => servers * host.sockets,
            "dram_gb" => servers * host.dram_gb,
            "accelerator" => machines.devices,
            _ => 0.0,
        })
    }

    /// The lines of a bill, each for so many units of what it goes by.
    fn lines(&mut self, bill: &str, group: Group, units: impl Fn(&str) -> f64) -> Result<()> {
        let rows: Vec<&BillLine> = self.catalog.all_bill_lines()?.iter().filter(|line| line.bill == bill).collect();
        for line in rows {
            let count = units(&line.per);
            let quantity = Range {
                low: line.quantity_low * count,
                value: line.quantity * count,
                high: line.quantity_high * count,
            };
            let part = self.part(&line.part, quantity)?;
            self.add(group, &line.component, part, line.lifetime_years.map_or(self.life, Range::exact));
        }
        Ok(())
    }
}

/// The burden that a row states; what it leaves out is nothing.
fn burden(row: &Embodied) -> Burden {
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
fn silicon(node: &FabNode, area_cm2: f64) -> Burden {
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
fn memory(hardware: &Hardware) -> Option<(&'static str, f64)> {
    let kind = hardware.memory_type.as_deref().unwrap_or("HBM");
    let id = match kind {
        kind if kind.starts_with("HBM") => "memory-hbm",
        kind if kind.starts_with("GDDR") => "memory-gddr",
        kind if kind.starts_with("SRAM") => return None,
        _ => "memory-dram",
    };
    Some((id, hardware.memory_gb?))
}

/// Area of the dies where nobody publishes it.
fn usual_area_mm2(hardware: &Hardware) -> f64 {
    (9.0 * hardware.memory_gb.unwrap_or(64.0)).clamp(100.0, 1600.0)
}

/// Node where nobody publishes it.
fn usual_node_nm(hardware: &Hardware) -> f64 {
    match hardware.release_year.unwrap_or(2023.0) {
        ..2020.0 => 14.0,
        ..2022.5 => 7.0,
        ..2025.5 => 5.0,
        _ => 3.0,
    }
}
