//! A deployment compiled: its method with every coefficient, its power, its limits.

use super::Notes;
use super::network::{network, weight_precision};
use crate::catalog::Hardware;
use crate::fleet::{Concurrency, Deployment, Fleet, Tenancy};
use crate::physics::inference::{Accelerator, Roofline, Serving};
use crate::physics::occupancy::{default_concurrency, memory_limit};
use crate::physics::parameters::{Maturity, ParameterSet, V0, V0_VLLM_0_5_4};
use crate::physics::provisioned::{HOST_IDLE_SHARE, HOST_PER_EIGHT, waiting_power};
use crate::units::Watts;
use crate::{Error, Result};

/// Engine profile where none is stated: the one the default parameter set was fitted with.
const DEFAULT_ENGINE: &str = "vllm-0.11.1-v0";
/// Most requests at once where nothing is stated; vLLM's long-standing default of `max_num_seqs` (*assumed* elsewhere).
const DEFAULT_MAX_CONCURRENCY: f64 = 256.0;
/// Where the concurrency of a deployment comes from.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum LoadRule {
    /// Latency or arrivals in the log.
    FromLog,
    /// Stated.
    Declared(f64),
    /// Half of what memory holds, at most 64.
    Default,
}

/// Memory of one replica: what bounds the requests it holds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Room {
    memory_bytes: f64,
    weight_bytes: f64,
    kv_bytes_per_token: f64,
    /// Key-value bytes per token over the window layers, which hold a window at most.
    window_bytes_per_token: f64,
    window: f64,
    state_bytes: f64,
}

/// A deployment in numbers.
#[derive(Clone, Debug)]
pub struct Deployed {
    /// Its name.
    pub name: String,
    /// Catalog id of the model.
    pub model: String,
    /// Catalog id of the accelerator.
    pub hardware: String,
    /// Accelerators of one replica.
    pub devices: f64,
    /// Provisioned replicas.
    pub replicas: f64,
    /// Place of the site in the plan.
    pub site: usize,
    /// Whether it was assumed from a route and not stated.
    pub assumed: bool,
    /// Whether the log shows its whole load, so that concurrency and idle follow from it.
    pub dedicated: bool,
    /// Where its concurrency comes from.
    pub load: LoadRule,
    /// The inference method with its coefficients.
    pub roofline: Roofline,
    /// Attention window of the model, in tokens.
    pub window: Option<u32>,
    /// Rated power of one replica's accelerators.
    pub rated: Watts,
    /// Power of one replica's accelerators while no request runs.
    pub idle: Watts,
    /// Host power of one replica while it works.
    pub host: Watts,
    /// Host power of one replica while no request runs.
    pub host_idle: Watts,
    max_concurrency: f64,
    room: Room,
}

impl Deployed {
    /// Most requests a replica runs at once, for requests of this mean context in tokens.
    #[must_use]
    pub fn limit(&self, mean_context: f64) -> f64 {
        self.max_concurrency.min(self.memory_limit(mean_context)).max(1.0)
    }

    /// Concurrency where the log says nothing.
    #[must_use]
    pub fn fallback_concurrency(&self, mean_context: f64) -> f64 {
        match self.load {
            LoadRule::Declared(concurrency) => concurrency,
            LoadRule::FromLog | LoadRule::Default => {
                default_concurrency(self.memory_limit(mean_context)).min(self.max_concurrency)
            }
        }
    }

    fn memory_limit(&self, mean_context: f64) -> f64 {
        let room = self.room;
        let context = mean_context.max(1.0);
        let fixed = room.state_bytes + room.window_bytes_per_token * room.window.min(context);
        memory_limit(room.memory_bytes, room.weight_bytes, room.kv_bytes_per_token, context, fixed)
    }
}

pub(super) fn compile(
    fleet: &Fleet,
    stated: &Deployment,
    site: usize,
    assumed: bool,
    notes: &mut Notes,
) -> Result<Deployed> {
    let place = format!("deployment `{}`", stated.name);
    let model = fleet.catalog().model(&stated.model)?;
    let hardware = fleet.catalog().hardware(&stated.hardware)?;
    let (weight_bytes, mut fp8) = weight_precision(&place, stated, &model, notes)?;
    if fp8 && hardware.row.fp8_tflops.is_none() {
        fp8 = false;
        notes.assume(
            &place,
            "compute precision",
            "bf16",
            "the accelerator has no FP8 peak: only the weights are 8 bits",
        );
    }
    notes.assume(&place, "key-value cache", "16 bits", "not stated");
    let network = network(&place, model.row, notes)?;
    let accelerator = accelerator(&place, hardware.row, fp8, notes)?;
    let memory = needed(&place, hardware.row, "memory_gb", hardware.row.memory_gb, notes)? * 1e9;
    let weights = network.total_parameters * weight_bytes;
    let devices = stated.devices.unwrap_or_else(|| {
        let n = fewest_devices(weights, memory);
        notes.assume(
            &place,
            "devices",
            super::plain(n),
            "the fewest, in powers of two, that hold the weights and 30 % more for cache",
        );
        n
    });
    if weights > 0.9 * devices * memory {
        let gb = |bytes: f64| super::plain((bytes / 1e9).round());
        let value = format!("{} GB of weights do not fit into {} GB", gb(weights), gb(0.9 * devices * memory));
        notes.assume(&place, "memory", value, "state more devices or fewer bits; meanwhile one request runs at a time");
    }
    let replicas = stated.replicas.unwrap_or(1.0);
    let (dedicated, load) = load_rule(&place, stated, notes);
    let set = engine(fleet, &place, stated, notes)?;
    let (host, host_idle) = host(fleet, &place, stated, devices, notes)?;
    let idle = idle_power(&place, hardware.row, accelerator.rated_power, dedicated, notes);
    if dedicated && stated.replicas.is_none() {
        notes.assume(&place, "replicas", "1", "not stated");
    }
    let max_concurrency = stated.max_concurrency.unwrap_or_else(|| {
        if dedicated && load == LoadRule::FromLog {
            notes.assume(&place, "max_concurrency", "256", "a common engine default; memory may bind first");
        }
        DEFAULT_MAX_CONCURRENCY
    });
    let serving = Serving { devices, weight_bytes, fp8 };
    let kv_bytes_per_token = network.kv_bytes_full;
    let window = model.row.sliding_window();
    Ok(Deployed {
        name: stated.name.clone(),
        model: model.row.id.clone(),
        hardware: hardware.row.id.clone(),
        devices,
        replicas,
        site,
        assumed,
        dedicated,
        load,
        roofline: Roofline::new(&accelerator, &network, &serving, &set),
        window,
        rated: accelerator.rated_power * devices,
        idle: idle * devices,
        host,
        host_idle,
        max_concurrency,
        room: Room {
            memory_bytes: memory * devices,
            weight_bytes: weights,
            kv_bytes_per_token,
            window_bytes_per_token: network.kv_bytes_window,
            window: window.map_or(0.0, f64::from),
            state_bytes: network.state_bytes,
        },
    })
}

/// Power of one waiting accelerator; said where it came from, if it is charged.
fn idle_power(place: &str, hardware: &Hardware, rated: Watts, dedicated: bool, notes: &mut Notes) -> Watts {
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

fn load_rule(place: &str, stated: &Deployment, notes: &mut Notes) -> (bool, LoadRule) {
    let whole = stated.log_fraction >= 1.0;
    let tenancy =
        stated.tenancy.unwrap_or_else(|| if stated.replicas.is_some() { Tenancy::Dedicated } else { Tenancy::Shared });
    if stated.tenancy.is_none() {
        let (value, why) = match tenancy {
            Tenancy::Dedicated => ("dedicated", "replicas are stated"),
            Tenancy::Shared => ("shared", "no replicas are stated; idle is not charged"),
        };
        notes.assume(place, "tenancy", value, why);
    }
    if !whole {
        let why = "the logs show part of its load: concurrency cannot come from them and idle is not charged";
        notes.assume(place, "log_fraction", super::plain(stated.log_fraction), why);
    }
    let dedicated = tenancy == Tenancy::Dedicated && whole;
    let load = match stated.concurrency {
        Some(Concurrency::Declared(concurrency)) => LoadRule::Declared(concurrency),
        Some(Concurrency::FromLog) | None if dedicated => LoadRule::FromLog,
        _ => {
            notes.assume(
                place,
                "concurrency",
                "half of what memory holds, at most 64",
                "not stated, and the log does not show the whole load",
            );
            LoadRule::Default
        }
    };
    (dedicated, load)
}

/// A cell that the method cannot do without.
fn needed(place: &str, hardware: &Hardware, column: &str, value: Option<f64>, notes: &mut Notes) -> Result<f64> {
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

fn accelerator(place: &str, hardware: &Hardware, fp8: bool, notes: &mut Notes) -> Result<Accelerator> {
    let (column, peak) = match hardware.fp8_tflops {
        Some(peak) if fp8 => ("fp8_tflops", Some(peak)),
        _ => ("bf16_tflops", hardware.bf16_tflops),
    };
    if let Some(link) = hardware.interconnect_gbs {
        notes.cell(place, "interconnect_gbs", link, &hardware.provenance);
    }
    // One direction of the link; without a figure, that of PCIe 4.0 ×16.
    let link = hardware.interconnect_gbs.unwrap_or_else(|| {
        notes.assume(place, "interconnect_gbs", "64", "not published; PCIe 4.0 x16, both directions");
        64.0
    });
    Ok(Accelerator {
        rated_power: Watts(needed(place, hardware, "tdp_w", hardware.tdp_w, notes)?),
        memory_bandwidth_bytes_per_s: needed(place, hardware, "memory_bw_gbs", hardware.memory_bw_gbs, notes)? * 1e9,
        peak_flop_per_s: needed(place, hardware, column, peak, notes)? * 1e12,
        link_bytes_per_s: link / 2.0 * 1e9,
        maturity: maturity(place, hardware, notes),
    })
}

fn maturity(place: &str, hardware: &Hardware, notes: &mut Notes) -> Maturity {
    let id = hardware.id.as_str();
    let blackwell = ["b100", "b200", "b300", "gb200", "gb300"].iter().any(|prefix| id.starts_with(prefix));
    let released = hardware.release_year.unwrap_or(0.0);
    if blackwell {
        if !id.starts_with("b200") {
            notes.assume(place, "software maturity", "as B200", "measured on B200 alone: unvalidated hardware");
        }
        return Maturity::BLACKWELL;
    }
    let gpu = hardware.category.ends_with("gpu") || hardware.category == "superchip";
    if hardware.vendor == "NVIDIA" && gpu && (2020.0..=2024.0).contains(&released) {
        return Maturity::MATURE;
    }
    notes.assume(
        place,
        "software maturity",
        "host time x2, dynamic energy x1.25",
        "no measured serving energy for this accelerator: the estimate is unvalidated hardware",
    );
    Maturity::UNKNOWN
}

fn engine(fleet: &Fleet, place: &str, stated: &Deployment, notes: &mut Notes) -> Result<ParameterSet> {
    let name = stated.engine.as_deref().unwrap_or(DEFAULT_ENGINE);
    let engine = fleet.catalog().engine(name)?.row;
    if stated.engine.is_none() {
        notes.assume(place, "engine", DEFAULT_ENGINE, "not stated; the profile that parameter set V0 was fitted with");
    }
    match (engine.t_step_us, engine.t_seq_us) {
        // The V0 set goes with its own fit of this engine: parameters of another fit are never mixed in.
        (Some(_), Some(_)) if engine.id == DEFAULT_ENGINE => Ok(V0),
        (Some(_), Some(_)) if engine.id == "vllm-0.11.1" => {
            let why = "its catalog row belongs to another fit; V0 has its own host times of this engine";
            notes.assume(place, "host times", "1510 us a step, 10.5 us a sequence", why);
            Ok(V0)
        }
        (Some(_), Some(_)) if engine.id == "vllm-0.5.4" => {
            let why = "its catalog row belongs to another fit; V0 has its own host times of this engine";
            notes.assume(place, "host times", "12400 us a step, 388 us a sequence", why);
            Ok(V0_VLLM_0_5_4)
        }
        (Some(step), Some(sequence)) => {
            notes.cell(place, "t_step_us", step, &engine.provenance);
            notes.cell(place, "t_seq_us", sequence, &engine.provenance);
            Ok(V0.with_host_times(step * 1e-6, sequence * 1e-6))
        }
        (step, sequence) => {
            let known = [("t_step_us", step), ("t_seq_us", sequence)];
            for (column, value) in known.into_iter().filter_map(|(column, value)| Some((column, value?))) {
                notes.cell(place, column, value, &engine.provenance);
            }
            let why = format!("not all host times of `{}` are known; the rest is that of {DEFAULT_ENGINE}", engine.id);
            notes.assume(place, "host times", "partly", &why);
            Ok(V0.with_host_times(
                step.map_or(V0.step_s, |us| us * 1e-6),
                sequence.map_or(V0.sequence_s, |us| us * 1e-6),
            ))
        }
    }
}

fn host(fleet: &Fleet, place: &str, stated: &Deployment, devices: f64, notes: &mut Notes) -> Result<(Watts, Watts)> {
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
    let mut server = fleet.catalog().server(name)?.row;
    if let (None, Some(behind)) = (server.host_typical_w, &server.host_server_id) {
        let why = format!("the server inferred to be behind `{}`; no cloud says", server.id);
        notes.assume(place, "server", behind.clone(), &why);
        server = fleet.catalog().server(behind)?.row;
    }
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
            format!("{} W", super::plain(idle * share)),
            "0.7 of working host power",
        );
    }
    Ok((Watts(typical * share), Watts(idle * share)))
}

/// Fewest devices, in powers of two, whose memory holds the weights and 30 % more for cache.
fn fewest_devices(weight_bytes: f64, memory_bytes: f64) -> f64 {
    let mut n = 1.0;
    while 0.9 * n * memory_bytes < 1.3 * weight_bytes && n < 1024.0 {
        n *= 2.0;
    }
    n
}
