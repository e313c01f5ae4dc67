//! What the machines of a replica took to make, part by part: bills of the catalog filled in with a datasheet.

use super::Notes;
use super::parts::{burden, is_module, memory, silicon, usual_area_mm2, usual_node_nm};
use crate::catalog::{BillLine, Catalog, FabNode, Hardware, Server};
use crate::physics::embodied::{Burden, Range};
use crate::{Error, Result};
use serde::Serialize;

/// Seconds of a year.
const YEAR_S: f64 = 365.0 * 86_400.0;
/// Service life of machines where none is stated, low, usual and high: conventions of the catalog run from 3 to 6 years.
pub const LIFETIME_YEARS: Range = Range { low: 3.0, value: 4.0, high: 6.0 };
/// Hosts whose parts are not known: of eight modules, DGX H100; of eight cards, a quarter of its memory (*assumed*).
const MODULE_HOST: Host = Host { accelerators: 8.0, sockets: 2.0, dram_gb: 2048.0 };
const CARD_HOST: Host = Host { accelerators: 8.0, sockets: 2.0, dram_gb: 512.0 };
/// What dies whose area nobody publishes may be off by, either way (*assumed*).
const AREA_SPREAD: f64 = 2.5;

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
    /// What the figure covers.
    pub scope: String,
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
    /// Rated power of one accelerator.
    pub rated_w: f64,
    /// Power of the host around all of them.
    pub host_w: f64,
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
    // A system on a chip is a machine of its own: it has no server, and no network of a cluster.
    let alone = matches!(machines.hardware.category.as_str(), "soc" | "edge");
    if !alone {
        bill.host(machines)?;
    }
    let per = |per: &str| match per {
        "accelerator" => machines.devices,
        // What the building is laid out for.
        "rated_kw" => (machines.rated_w * machines.devices + machines.host_w) / 1e3,
        _ => 0.0,
    };
    if !alone {
        bill.lines("network", Group::Network, per)?;
    }
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
        rated_w: hardware.tdp_w.unwrap_or(0.0),
        host_w: 0.0,
        lifetime_years: None,
        purchase_year: None,
        published: None,
    };
    let mut bill =
        Bill { catalog, place: "accelerator", life: LIFETIME_YEARS, notes: &mut notes, components: Vec::new() };
    bill.accelerators(&machines)?;
    Ok(Made { components: bill.components, purchase_year: None })
}

/// A burden, what it covers, and where its figures come from.
type Told = (Burden, String, String);

struct Bill<'a, 'n> {
    catalog: &'a Catalog,
    place: &'a str,
    life: Range,
    notes: &'n mut Notes,
    components: Vec<Component>,
}

impl Bill<'_, '_> {
    fn add(&mut self, group: Group, what: &str, (burden, scope, source): Told, life_years: Range) {
        let life_s =
            Range { low: life_years.low * YEAR_S, value: life_years.value * YEAR_S, high: life_years.high * YEAR_S };
        self.components.push(Component { group, what: what.into(), scope, source, burden, life_s });
    }

    /// So many of a part, and where its figures come from.
    fn part(&self, id: &str, quantity: Range) -> Result<Told> {
        let row = self.catalog.embodied(id)?.row;
        let scope = row.scope.clone().unwrap_or_default();
        Ok((burden(row).by(quantity), scope, row.provenance.of("kgco2e").source.into()))
    }

    fn accelerators(&mut self, machines: &Machines) -> Result<()> {
        let hardware = machines.hardware;
        let (dies, source) = self.dies(hardware)?;
        let dies = (dies.times(machines.devices), "wafer fab".into(), source);
        self.add(Group::Accelerator, "compute dies", dies, self.life);
        if let Some((id, gb)) = memory(hardware) {
            let memory = self.part(id, Range::exact(gb * machines.devices))?;
            self.add(Group::Accelerator, "memory", memory, self.life);
        }
        let rated_kw = machines.rated_w * machines.devices / 1e3;
        self.lines(if is_module(hardware) { "module" } else { "card" }, Group::Accelerator, |per| match per {
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
        if let Some(other) = row.hardware_id.as_deref().filter(|id| *id != machines.hardware.id) {
            return Err(Error::FleetConflict {
                place: self.place.into(),
                problem: format!(
                    "embodied item `{}` is the footprint of `{other}`, not of `{}`",
                    row.id, machines.hardware.id
                ),
                hint: "name that of the accelerator, or leave it out for the sum of its parts".into(),
            });
        }
        self.notes.fact(self.place, "embodied kgco2e", kg, row.provenance.of("kgco2e"));
        let scope = row.scope.as_deref().unwrap_or("not stated");
        self.notes.assume(
            self.place,
            "scope of the embodied item",
            scope,
            "the accelerators alone; the rest are parts",
        );
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
        self.add(Group::Accelerator, &row.name, (whole, scope.to_owned(), source), self.life);
        Ok(())
    }

    /// Silicon of one accelerator.
    fn dies(&mut self, hardware: &Hardware) -> Result<(Burden, String)> {
        let place = self.place.to_owned();
        let area = hardware.die_area_mm2.unwrap_or_else(|| {
            let usual = usual_area_mm2(hardware);
            let why = "not published: that of its memory at 9 mm² a GB, 100 to 1600 mm²; 2.5 times off either way";
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
        let mut burden = silicon(node, area);
        if hardware.die_area_mm2.is_none() {
            burden = burden.between(&silicon(node, area / AREA_SPREAD), &silicon(node, area * AREA_SPREAD));
        }
        Ok((burden, source))
    }

    /// The server around the accelerators.
    fn host(&mut self, machines: &Machines) -> Result<()> {
        let usual = if is_module(machines.hardware) { MODULE_HOST } else { CARD_HOST };
        let named = machines.server;
        let accelerators = named.and_then(|server| server.accelerators).unwrap_or(usual.accelerators);
        // What a named server does not say goes by its accelerators.
        let share = accelerators / usual.accelerators;
        let (sockets, dram) = (named.and_then(|row| row.cpu_sockets), named.and_then(|row| row.dram_gib));
        let host = Host {
            accelerators,
            sockets: sockets.unwrap_or(usual.sockets * share),
            dram_gb: dram.unwrap_or(usual.dram_gb * share),
        };
        if sockets.is_none() || dram.is_none() {
            let value = format!("{} sockets and {} GiB for {accelerators} accelerators", host.sockets, host.dram_gb);
            self.notes.assume(self.place, "parts of the server", value, "no server is named that says");
        }
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
