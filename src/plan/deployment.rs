//! A deployment compiled: its method with every coefficient, its power, its limits.

use super::architecture::{encoder_flop, network};
use super::embodied::Made as Embodied;
use super::machine::{accelerator, embodied, generation, host, idle_power, needed};
use super::{Notes, parameters, serving};
use crate::Result;
use crate::catalog::{Hardware, Model, Quality, Record, Resolved};
use crate::fleet::{Concurrency, Deployment, Fleet, Tenancy};
use crate::hours::{HOUR_S, Series, hour_of};
use crate::physics::disaggregated::join;
use crate::physics::embodied::Burden;
use crate::physics::inference::{Coefficients, Roofline, Serving};
use crate::physics::occupancy::{default_concurrency, memory_limit};
use crate::physics::parallel::Layout;
use crate::physics::parameters::Spread;
use crate::physics::spread::{Meter, Widening, half_width};
use crate::units::Watts;

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
    /// Provisioned replicas by the hour, where they are scaled.
    pub replica_hours: Option<Series>,
    /// First second and first after the last, since 1970, of what is provisioned whether the log shows requests or not.
    pub provisioned: Option<(i64, i64)>,
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
    /// Longest context of the model, in tokens.
    pub max_context: Option<f64>,
    /// Rated power of one replica's accelerators.
    pub rated: Watts,
    /// Power of one replica's accelerators while no request runs.
    pub idle: Watts,
    /// Host power of one replica while it works.
    pub host: Watts,
    /// Host power of one replica while no request runs.
    pub host_idle: Watts,
    /// What making one replica's machines took.
    pub made: Embodied,
    /// What a second of a replica bears of it.
    pub embodied_per_s: Burden,
    /// The same with the smallest and the largest size that is assumed of a model whose size nobody discloses.
    pub ends: Vec<Deployed>,
    /// What widens the interval of its accelerator energy.
    pub widening: Widening,
    spread: Spread,
    meter: Meter,
    /// The pool that prefills, where that is one of its own, and its devices.
    prefill_pool: Option<(Roofline, f64)>,
    /// Joules to carry the keys and values of a token from one pool to the other.
    carried_j: f64,
    /// Joules to load a cached token, and to keep an uncached one.
    cached_j: f64,
    kept_j: f64,
    energy_scale: f64,
    time_scale: f64,
    max_concurrency: f64,
    room: Room,
}

impl Deployed {
    /// Provisioned replicas at a second since 1970; `None` where they are scaled and the hour is not in the series.
    #[must_use]
    pub fn replicas_at(&self, second: i64) -> Option<f64> {
        self.replica_hours.as_ref().map_or(Some(self.replicas), |series| series.at(hour_of(second)))
    }

    /// Coefficients at this concurrency, with the scales from a meter.
    #[must_use]
    pub fn coefficients(&self, concurrency: f64) -> Coefficients {
        let mut at = self.roofline.coefficients(concurrency);
        if let Some((prefill, devices)) = &self.prefill_pool {
            let decoding = self.devices - devices;
            at = join((&prefill.coefficients(concurrency), *devices), (&at, decoding), self.carried_j);
        }
        at.energy_j.cached += self.cached_j;
        at.energy_j.input += self.kept_j;
        Coefficients { energy_j: at.energy_j.times(self.energy_scale), time_s: at.time_s.times(self.time_scale) }
    }

    /// Wall time of a request alone in prefill and in decode, over its shares of the time of all devices: above 1 where
    /// each has a pool of its own.
    #[must_use]
    pub fn waits_over_shares(&self) -> (f64, f64) {
        self.prefill_pool
            .map_or((1.0, 1.0), |(_, devices)| (self.devices / devices, self.devices / (self.devices - devices)))
    }

    /// Half width of the 90 % interval of its prefill energy, which no serving measurement tells apart, as a logarithm.
    #[must_use]
    pub fn half_width_of_prefill(&self, concurrency: f64) -> f64 {
        let alone = Widening { prefill_only: true, ..self.widening };
        half_width(&self.spread, alone, None).max(self.half_width(concurrency))
    }

    /// Half width of the 90 % interval of its accelerator energy at this concurrency, as a logarithm.
    #[must_use]
    pub fn half_width(&self, concurrency: f64) -> f64 {
        half_width(&self.spread, self.widening, self.meter.seen_from(concurrency))
    }

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
    name_notes(&place, &stated.model, &model, notes);
    let mut deployed = served(fleet, stated, model, (site, assumed), notes)?;
    if let Some(ends) = model.row.ends() {
        let why =
            "nobody discloses its size: the estimate is at the geometric middle, a request's range spans the ends";
        let billions = |value: f64| super::plain((value / 1e8).round() / 10.0);
        let [low, high] = &ends;
        let value = format!("{} to {} billion in all", billions(low.total_params), billions(high.total_params));
        notes.assume(&place, "parameters", value, why);
        // Ends that stated devices cannot hold are not served there.
        let end =
            |row: &Model| served(fleet, stated, Resolved { row, ..model }, (site, assumed), &mut Notes::default()).ok();
        deployed.ends = ends.iter().filter_map(end).collect();
    }
    Ok(deployed)
}

/// What stands between the stated name and the model.
fn name_notes(place: &str, stated: &str, model: &Resolved<'_, Model>, notes: &mut Notes) {
    let id = model.row.id.clone();
    if model.moving {
        let why = format!("`{stated}` is a pointer whose target changes; this was it when the catalog was compiled");
        notes.assume(place, "model", id, &why);
    } else if !model.taken.is_empty() {
        let taken = model.taken.words().collect::<Vec<_>>().join(", ");
        notes.assume(place, "model", id, &format!("`{stated}` without its {taken}"));
    } else if model.quality == Some(Quality::Assumed) {
        let seen = model.seen.unwrap_or("a rule");
        notes.assume(place, "model", id, &format!("`{stated}` means it by {seen}"));
    }
}

/// A deployment of this model.
fn served(
    fleet: &Fleet,
    stated: &Deployment,
    model: Resolved<'_, Model>,
    (site, assumed): (usize, bool),
    notes: &mut Notes,
) -> Result<Deployed> {
    let place = format!("deployment `{}`", stated.name);
    let hardware = fleet.catalog().hardware(&stated.hardware)?;
    let accelerator = accelerator(&place, hardware.row, notes)?;
    let mut network = network(&place, model.row, notes)?;
    network.encoder_flop = encoder_flop(&place, model.row, stated.media_share, notes)?;
    let precision = serving::precision(&place, stated, &model, &accelerator, notes)?;
    let precision = if network.expert_share.is_some() { precision } else { precision.dense() };
    let memory = needed(&place, hardware.row, "memory_gb", hardware.row.memory_gb, notes)? * 1e9;
    // Every data-parallel group holds its own dense weights.
    let groups = stated.data_parallel.unwrap_or(1.0);
    let dense = (network.resident_parameters - network.expert_parameters) * groups + stated.draft_params.unwrap_or(0.0);
    let (dense_bytes, expert_bytes) = precision.stored_bytes(dense, network.expert_parameters);
    let weights = dense_bytes + expert_bytes;
    let devices = serving::devices(&place, stated, hardware.row, weights, memory, notes)?;
    let serving = serving::serving(&place, stated, devices, precision)?;
    let (dedicated, load) = load_rule(&place, stated, notes);
    let (generation, evidence) = generation(&place, hardware.row, notes);
    let resolved = parameters::resolve(fleet, &place, stated, generation, (&network, &serving), notes)?;
    let idle = idle_power(&place, hardware.row, accelerator.rated_power, dedicated, notes);
    if dedicated && stated.replicas.is_none() && stated.replica_hours.is_none() {
        notes.assume(&place, "replicas", "1", "not stated");
    }
    let max_concurrency = most(&place, stated, dedicated && load == LoadRule::FromLog, notes);
    scale_notes(&place, stated, notes);
    let window = model.row.sliding_window();
    let pool = |serving: &Serving| {
        let roofline = Roofline::new(&accelerator, &network, serving, &resolved.parameters);
        if generates(&model.row.kind) { roofline } else { roofline.prefill_only() }
    };
    let roofline = pool(&serving);
    let sound = hears(&place, model.row, notes);
    let stored = network.attention.stored;
    let stored_bytes = (stored.full + stored.window) * precision.cache_bytes + network.attention.index_bytes;
    let tier = parameters::tier(&place, fleet.catalog(), stated.cache_tier.as_deref().unwrap_or("memory"), notes)?;
    let (cached_j, kept_j) = tier.per_token(stored_bytes);
    let (prefill_pool, carried_j) = match stated.prefill_devices {
        None => (None, 0.0),
        Some(count) => {
            let prefill = pool(&Serving { layout: Layout::tensor(count), ..serving });
            let network_tier = parameters::tier(&place, fleet.catalog(), "network", notes)?;
            let carried = network_tier.per_token(stored_bytes).0;
            (Some((prefill, count)), carried)
        }
    };
    let all_devices = devices + stated.prefill_devices.unwrap_or(0.0);
    let (host, host_idle) = host(fleet, &place, stated, all_devices, notes)?;
    let made = embodied(fleet, &place, stated, (hardware.row, all_devices, accelerator.rated_power, host), notes)?;
    let copies = serving.layout.cache_copies(network.attention.cache_shards);
    let widening = Widening {
        blackwell: generation == "blackwell",
        evidence,
        unknown_engine: !resolved.fitted,
        assumed_cells: rests_on_assumed(model.row, hardware.row),
        unmeasured_serving: roofline.widening().unmeasured_serving || stated.prefill_devices.is_some() || sound,
        ..roofline.widening()
    };
    let meter = stated.energy_scale.map_or(Meter::Never, |_| stated.metered_concurrency.map_or(Meter::Over, Meter::At));
    resolved.note_spread(widening.symbols().chain(meter.symbols().iter().copied()), notes);
    Ok(Deployed {
        name: stated.name.clone(),
        model: model.row.id.clone(),
        hardware: hardware.row.id.clone(),
        devices: all_devices,
        replicas: stated.replicas.or_else(|| stated.replica_hours.as_ref()?.mean()).unwrap_or(1.0),
        replica_hours: stated.replica_hours.clone(),
        provisioned: stated.provisioned.map(|(from, until)| (from * HOUR_S, until * HOUR_S)),
        site,
        assumed,
        dedicated,
        load,
        roofline,
        window,
        max_context: model.row.max_context,
        rated: accelerator.rated_power * all_devices,
        idle: idle * all_devices,
        host,
        host_idle,
        embodied_per_s: made.per_second(),
        made,
        ends: Vec::new(),
        widening,
        spread: resolved.spread,
        meter,
        prefill_pool,
        carried_j,
        cached_j,
        kept_j,
        energy_scale: stated.energy_scale.unwrap_or(1.0),
        time_scale: stated.time_scale.unwrap_or(1.0),
        max_concurrency,
        room: Room {
            memory_bytes: memory * devices,
            weight_bytes: weights,
            kv_bytes_per_token: (stored.full * precision.cache_bytes + network.attention.index_bytes) * copies,
            window_bytes_per_token: stored.window * precision.cache_bytes * copies,
            window: window.map_or(0.0, f64::from),
            state_bytes: network.state_elements * precision.state_bytes + stored.fixed * precision.cache_bytes * copies,
        },
    })
}

/// The scales that a meter gave.
fn scale_notes(place: &str, stated: &Deployment, notes: &mut Notes) {
    for (what, scale) in [("energy_scale", stated.energy_scale), ("time_scale", stated.time_scale)] {
        if let Some(scale) = scale {
            notes.stated(place, what, scale, "fleet file");
        }
    }
}

/// Whether a cell that energy follows from has no document behind it.
fn rests_on_assumed(model: &Model, hardware: &Hardware) -> bool {
    let assumed = |quality: Quality| quality == Quality::Assumed;
    let sizes = ["total_params", "active_params", "n_layers", "hidden_size"];
    let peaks = ["tdp_w", "memory_bw_gbs", "bf16_tflops"];
    sizes.iter().any(|column| assumed(model.cell_quality(column)))
        || peaks.iter().any(|column| assumed(hardware.cell_quality(column)))
}

/// Most requests the engine runs at once; its default matters where concurrency comes from the log.
fn most(place: &str, stated: &Deployment, from_log: bool, notes: &mut Notes) -> f64 {
    stated.max_concurrency.unwrap_or_else(|| {
        if from_log {
            notes.assume(place, "max_concurrency", "256", "a common engine default; memory may bind first");
        }
        DEFAULT_MAX_CONCURRENCY
    })
}

/// Whether the model's input is sound, which is said.
fn hears(place: &str, model: &Model, notes: &mut Notes) -> bool {
    let sound = model.kind == "audio";
    if sound {
        let why = "its encoder's frames are its input tokens (50 a second for Whisper); no measured row is of sound";
        notes.assume(place, "sound", "as a decoder", why);
    }
    sound
}

/// Whether models of this kind generate tokens one by one; the others only read their input.
fn generates(kind: &str) -> bool {
    !matches!(kind, "embedding" | "rerank" | "classification")
}

fn load_rule(place: &str, stated: &Deployment, notes: &mut Notes) -> (bool, LoadRule) {
    let whole = stated.log_fraction >= 1.0;
    let tenancy = stated.tenancy.unwrap_or_else(|| {
        if stated.replicas.is_some() || stated.replica_hours.is_some() { Tenancy::Dedicated } else { Tenancy::Shared }
    });
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
