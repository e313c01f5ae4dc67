//! What a run trains on: an accelerator with its share of a server, and the network that learns.

use super::architecture::network_of;
use super::embodied::Made;
use super::machine::{embodied, host, idle_power, needed};
use super::{Deployed, Parts, Plan, Rate};
use crate::Result;
use crate::catalog::Hardware;
use crate::fleet::{Deployment, Phase, Run};
use crate::physics::inference::Features;
use crate::physics::provisioned::HOST_IDLE_SHARE;
use crate::physics::training_power::HOST_OVER_RATED;
use crate::units::Watts;

/// One accelerator and its share of what is around it.
#[derive(Clone, Debug)]
pub struct Trainer {
    /// Catalog id.
    pub hardware: String,
    /// Rated power; where none is published, that of the run.
    pub rated: Watts,
    /// Dense peak in 16 bit, FLOP/s, where it is published.
    pub peak_flop_per_s: Option<f64>,
    /// Dense peak in 8 bit.
    pub peak_fp8_flop_per_s: Option<f64>,
    /// Power while it waits.
    pub waiting: Watts,
    /// Its share of the host while it works.
    pub host: Watts,
    /// The same while it waits.
    pub host_idle: Watts,
    /// Whether it is a GPU.
    pub gpu: bool,
    /// Year of release.
    pub release_year: Option<f64>,
    /// What making it, and its share of the rest, took.
    pub made: Made,
}

/// What learns.
#[derive(Clone, Debug, PartialEq)]
pub struct Learner {
    /// Catalog id, where it has one.
    pub model: Option<String>,
    /// Weights a token is multiplied with.
    pub active_parameters: f64,
    /// FLOP of attention in a token's forward pass, the mean over a sequence.
    pub attention_flop: f64,
    /// Whether tokens are routed to experts.
    pub experts: bool,
}

impl Plan {
    /// A plan of the sites of a run alone.
    ///
    /// # Errors
    /// As [`Plan::compile`].
    pub fn of_run(run: &Run) -> Result<Self> {
        Self::compile(&run.fleet, &[])
    }

    /// The place of a phase's site in the plan.
    ///
    /// # Errors
    /// As [`Plan::compile`].
    pub fn site_of_phase(&mut self, run: &Run, phase: &Phase) -> Result<usize> {
        self.site(&run.fleet, phase.site.as_deref())
    }

    /// The accelerator of a phase.
    ///
    /// # Errors
    /// Names that no catalog row carries, and accelerators without a datasheet.
    pub fn trainer(&mut self, run: &Run, phase: &Phase) -> Result<Trainer> {
        let place = format!("phase `{}`", phase.name);
        let notes = &mut self.notes;
        let hardware = run.fleet.catalog().hardware(&phase.hardware)?.row;
        for (column, value) in
            [("tdp_w", hardware.tdp_w), ("bf16_tflops", hardware.bf16_tflops), ("fp8_tflops", hardware.fp8_tflops)]
        {
            if let Some(value) = value {
                notes.cell(&place, column, value, &hardware.provenance);
            }
        }
        let rated = Watts(match (hardware.tdp_w, stated_power(phase)) {
            (Some(rated), _) => rated,
            (None, Some(power)) => {
                let why = "no rated power is published: that of the run";
                notes.assume(&place, "rated power", format!("{power:.0} W"), why);
                power
            }
            (None, None) => needed(&place, hardware, "tdp_w", None, notes)?,
        });
        let stated = Deployment {
            server: phase.server.clone(),
            lifetime_years: run.lifetime_years,
            purchase_year: run.purchase_year,
            embodied: run.embodied.clone(),
            ..Deployment::plain(&phase.name, "", &phase.hardware)
        };
        let (host, host_idle) = if phase.server.is_some() {
            host(&run.fleet, &place, &stated, 1.0, notes)?
        } else {
            let host = rated * HOST_OVER_RATED;
            let why = "no server is named: 0.3 of rated power, nodes that train 0.27 to 0.49; 0.7 of it idle";
            notes.assume(&place, "host power", format!("{:.0} W an accelerator", host.0), why);
            (host, host * HOST_IDLE_SHARE)
        };
        Ok(Trainer {
            hardware: hardware.id.clone(),
            rated,
            peak_flop_per_s: hardware.bf16_tflops.map(|peak| peak * 1e12),
            peak_fp8_flop_per_s: hardware.fp8_tflops.map(|peak| peak * 1e12),
            waiting: idle_power(&place, hardware, rated, true, notes),
            host,
            host_idle,
            gpu: is_gpu(hardware),
            release_year: hardware.release_year,
            made: embodied(&run.fleet, &place, &stated, (hardware, 1.0, rated, host), notes)?,
        })
    }

    /// The network that learns in a phase; `None` where neither a model nor weights are stated.
    ///
    /// # Errors
    /// Names that no catalog row carries.
    pub fn learner(&mut self, run: &Run, phase: &Phase, context_tokens: f64) -> Result<Option<Learner>> {
        let place = format!("phase `{}`", phase.name);
        let notes = &mut self.notes;
        let Some(name) = &phase.model else {
            return Ok(phase.active_params.map(|active| {
                notes.stated(&place, "active_params", active, "run file");
                let (model, experts) = (None, false);
                Learner { model, active_parameters: active, attention_flop: 0.0, experts }
            }));
        };
        let row = run.fleet.catalog().model(name)?.row;
        let active = phase.active_params.unwrap_or(row.active_params);
        match phase.active_params {
            Some(active) => notes.stated(&place, "active_params", active, "run file"),
            None => notes.cell(&place, "active_params", active, &row.provenance),
        }
        // A model without a described shape learns all the same; its attention is left out and said.
        let attention = network_of(row).ok().map(|network| {
            let reach = network.attention.prefill_flop;
            let half = context_tokens / 2.0;
            let window = row.sliding_window().map_or(half, |window| {
                let window = f64::from(window);
                if context_tokens <= window { half } else { window - window * window / (2.0 * context_tokens) }
            });
            reach.full * half + reach.window * window + reach.fixed
        });
        if attention.is_none() {
            notes.assume(&place, "attention", "0 FLOP", "the catalog does not describe its layers");
        }
        Ok(Some(Learner {
            model: Some(row.id.clone()),
            active_parameters: active,
            attention_flop: attention.unwrap_or(0.0),
            experts: row.architecture == "moe",
        }))
    }

    /// Weights of networks that are only run forward in a phase.
    ///
    /// # Errors
    /// Names that no catalog row carries.
    pub fn frozen(&mut self, run: &Run, phase: &Phase) -> Result<f64> {
        let Some(name) = &phase.teacher else { return Ok(phase.frozen_params) };
        let row = run.fleet.catalog().model(name)?.row;
        let place = format!("phase `{}`, teacher `{}`", phase.name, row.id);
        self.notes.cell(&place, "active_params", row.active_params, &row.provenance);
        Ok(phase.frozen_params + row.active_params)
    }

    /// The deployment that generates the answers of a phase, added to the plan.
    ///
    /// # Errors
    /// As [`Plan::compile`], and where no model is named.
    pub fn generator(&mut self, run: &Run, phase: &Phase) -> Result<Option<usize>> {
        let Some(generation) = &phase.generation else { return Ok(None) };
        let place = format!("phase `{}`", phase.name);
        let Some(model) = generation.model.as_ref().or(phase.model.as_ref()) else {
            return Err(crate::Error::FleetConflict {
                place,
                problem: "answers are generated, and no model is named that does it".into(),
                hint: "state generation_model, or model".into(),
            });
        };
        let hardware = generation.hardware.as_ref().unwrap_or(&phase.hardware);
        let stated = Deployment {
            devices: generation.devices,
            server: phase.server.clone(),
            concurrency: generation.concurrency.map(crate::fleet::Concurrency::Declared),
            lifetime_years: run.lifetime_years,
            purchase_year: run.purchase_year,
            embodied: run.embodied.clone().filter(|_| *hardware == phase.hardware),
            site: phase.site.clone(),
            ..Deployment::plain(format!("{}, generation", phase.name), model, hardware)
        };
        let site = self.site(&run.fleet, phase.site.as_deref())?;
        let deployed = super::deployment::compile(&run.fleet, &stated, site, false, &mut self.notes)?;
        self.deployments.push(deployed);
        Ok(Some(self.deployments.len() - 1))
    }

    /// Writes down a value that nobody stated.
    pub fn assume(&mut self, place: &str, what: &str, value: impl Into<String>, why: &str) {
        self.notes.assume(place, what, value, why);
    }

    /// Writes down a value that the run's file states.
    pub fn state(&mut self, place: &str, what: &str, value: f64) {
        self.notes.stated(place, what, value, "run file");
    }
}

/// Whether an accelerator is a GPU on a board of its own.
#[must_use]
pub fn is_gpu(hardware: &Hardware) -> bool {
    !matches!(hardware.category.as_str(), "asic" | "soc" | "edge")
}

/// Mean power of an accelerator by what a phase states.
fn stated_power(phase: &Phase) -> Option<f64> {
    let metered = || Some(phase.energy?.0 * 1e6 / phase.accelerator_hours?);
    phase.power.map(|(watts, _)| watts).or_else(metered)
}

/// Energy and replica time of an answer of mean length, without idle.
#[must_use]
pub fn answer(deployed: &Deployed, input_tokens: f64, output_tokens: f64) -> Parts {
    let area = |x: f64| match deployed.window.map(f64::from) {
        Some(window) if x > window => window * (x - window / 2.0),
        Some(_) => x * x / 2.0,
        None => 0.0,
    };
    let features = Features {
        requests: 1.0,
        cached: 0.0,
        uncached: input_tokens,
        prefill_pairs: input_tokens * input_tokens / 2.0,
        prefill_window_pairs: area(input_tokens),
        output: output_tokens,
        context_pairs: output_tokens * (input_tokens + output_tokens / 2.0),
        window_context_pairs: area(input_tokens + output_tokens) - area(input_tokens),
    };
    let concurrency = deployed.fallback_concurrency(input_tokens + output_tokens / 2.0);
    let rate = Rate {
        coefficients: deployed.coefficients(concurrency),
        idle_j_per_s: 0.0,
        host_j_per_s: deployed.host.0,
        concurrency,
        provisioned_per_s: 0.0,
        busy_per_s: 0.0,
    };
    rate.parts(&features)
}
