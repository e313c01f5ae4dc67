//! A phase worked out: hours, utilisation, power and energy, each with where it comes from and how far it may be off.

use super::time;
use crate::fleet::{Boundary, Kind, Overheads, Phase, Run};
use crate::hours::Series;
use crate::physics::embodied::Burden;
use crate::physics::training::{PASSES_ADAPTERS, PASSES_FULL, Work};
use crate::physics::training_power::{Class, Job, mean_power};
use crate::plan::{Learner, Parts, Plan, Trainer, answer};
use crate::units::{Joules, KilowattHours};
use crate::{Error, Result};

/// Sequences where nothing is stated.
const CONTEXT_TOKENS: f64 = 2048.0;
/// How far a meter may be off, as a logarithm (*assumed*).
const METER_SPREAD: f64 = 0.02;
/// How far stated hours and stated power may be off, as a logarithm (*assumed*).
pub(super) const STATED_SPREAD: f64 = 0.05;
/// Longest run, in hours.
const LONGEST_H: f64 = 10.0 * 8784.0;
/// Power over what is rated, host included, beyond which hours and energy cannot be of the same run.
const MOST_OVER_RATED: f64 = 2.0;
/// The same below which they hardly are.
const LEAST_OVER_RATED: f64 = 0.1;
/// Most of the IT energy that a host share may take of a metered sum.
const MOST_HOST: f64 = 0.5;

/// What the energy of a phase comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Basis {
    /// A meter.
    Metered,
    /// Hours of accelerators and their power.
    Hours,
    /// FLOP, a utilisation and power.
    Flop,
    /// Nothing but answers that are generated.
    Generation,
}

impl Basis {
    /// The word in tables.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Metered => "metered energy",
            Self::Hours => "accelerator-hours",
            Self::Flop => "FLOP",
            Self::Generation => "generation",
        }
    }
}

/// A value, how it is known, and half the width of its 90 % interval as a logarithm.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Known {
    /// The value.
    pub value: f64,
    /// stated, metered, derived or predicted.
    pub how: &'static str,
    /// Half width.
    pub spread: f64,
}

/// Answers that are generated on the way.
#[derive(Clone, Copy, Debug)]
pub struct Generated {
    /// Energy, and time in accelerator-seconds.
    pub parts: Parts,
    /// Place of their deployment in the plan.
    pub deployment: usize,
    /// Half the width of the 90 % interval of their energy, as a logarithm.
    pub spread: f64,
}

impl Generated {
    /// What a second of one of its accelerators bears of making it.
    #[must_use]
    pub fn embodied_per_s(&self, plan: &Plan) -> Burden {
        let deployed = &plan.deployments()[self.deployment];
        deployed.embodied_per_s.times(1.0 / deployed.devices)
    }
}

/// A phase worked out.
#[derive(Clone, Debug)]
pub struct Compiled {
    /// Its name.
    pub name: String,
    /// What is done.
    pub kind: Kind,
    /// Place of its site in the plan.
    pub site: usize,
    /// Name of its site.
    pub site_name: String,
    /// What it trains on.
    pub trainer: Trainer,
    /// What learns.
    pub learner: Option<Learner>,
    /// What its energy comes from.
    pub basis: Basis,
    /// Model FLOP.
    pub flop: Option<f64>,
    /// Tokens.
    pub tokens: Option<f64>,
    /// Model FLOPs utilisation.
    pub mfu: Option<Known>,
    /// Hours of accelerators of the work that counts.
    pub hours: Known,
    /// Mean power of an accelerator alone, in W.
    pub power_w: Known,
    /// Energy of the work that counts; of the facility where the meter stands before that.
    pub parts: Parts,
    /// Metered energy of the facility, in kWh, that all of its rows have to sum to.
    pub facility_kwh: Option<f64>,
    /// Metered series, and of what.
    pub meter: Option<(Series, Boundary)>,
    /// Half the width of the 90 % interval of its energy, as a logarithm.
    pub spread: f64,
    /// Shares of the work that counts.
    pub overheads: Overheads,
    /// Answers that are generated.
    pub generation: Option<Generated>,
    /// Accelerators at once, where they are stated.
    pub accelerators: Option<f64>,
    /// First hour and first after the last.
    pub period: Option<(i64, i64)>,
}

impl Compiled {
    /// Hours of accelerators of the phase with everything that is lost, repeated and tried.
    #[must_use]
    pub fn all_hours(&self) -> f64 {
        let Overheads { checkpointing, restarts, failed, exploratory } = self.overheads;
        let generation = self.generation.as_ref().map_or(0.0, |generated| generated.parts.replica_s / 3600.0);
        self.hours.value * (1.0 + checkpointing + restarts + failed + exploratory) + generation
    }
}

/// Works a phase out.
pub(super) fn compile(run: &Run, phase: &Phase, plan: &mut Plan) -> Result<Compiled> {
    let place = format!("phase `{}`", phase.name);
    let site = plan.site_of_phase(run, phase)?;
    let trainer = plan.trainer(run, phase)?;
    let (learner, work) = work(run, phase, plan)?;
    let flop = phase.flop.or_else(|| Some(work.as_ref()?.flop_per_token() * phase.tokens?));
    let stated = time::stated_hours(phase);
    let (mfu, hours) = time::time(&place, phase, (&trainer, learner.as_ref(), work.as_ref()), (flop, stated), plan)?;
    let power_w = power(&place, phase, &trainer, (learner.as_ref(), mfu, hours), plan);
    let metered = match &phase.meter {
        None => phase.energy,
        Some((series, boundary)) => Some((metered_mwh(&place, series)?, *boundary)),
    };
    // A meter without hours: as many as its energy is at this power.
    let hours = match (hours, metered) {
        (Some(hours), _) => hours,
        (None, Some((mwh, boundary))) => {
            let around = if boundary == Boundary::Accelerators { 0.0 } else { trainer.host.0 };
            let pue = plan.sites()[site].hour(None, None).facility.average.pue();
            let it = if boundary == Boundary::Facility { mwh / pue } else { mwh };
            let value = it * 1e6 / (power_w.value + around);
            let why = "not stated: metered energy over mean power";
            plan.assume(&place, "accelerator-hours", format!("{value:.0}"), why);
            Known { value, how: "predicted", spread: power_w.spread }
        }
        (None, None) => Known { value: 0.0, how: "stated", spread: 0.0 },
    };
    let parts = energy(phase, &trainer, (hours.value, power_w.value), metered);
    // A meter of the facility stands before the IT by its PUE.
    let behind = match metered {
        Some((_, Boundary::Facility)) => plan.sites()[site].hour(None, None).facility.average.pue(),
        _ => 1.0,
    };
    plausible(&place, &trainer, (hours.value, parts.it_j() / behind), plan)?;
    let power_w = match metered {
        Some(_) if hours.value > 0.0 && hours.how == "stated" => {
            let value = parts.training_j / behind / hours.value / 3600.0;
            Known { value, how: "derived", spread: METER_SPREAD }
        }
        _ => power_w,
    };
    if let Some((mwh, boundary)) = metered {
        plan.state(&place, &format!("energy_mwh, {}", boundary.name()), mwh);
    } else if power_w.how == "predicted" && hours.value > 0.0 {
        let why = "not stated; a share of rated power by class of work and utilisation";
        plan.assume(&place, "power_w", format!("{:.0}", power_w.value), why);
    }
    let generation = generation(run, phase, plan)?;
    let period = period(&place, phase, hours.value)?;
    fits(&place, phase, (hours.value, period), plan)?;
    if period.is_none() {
        plan.assume(&place, "dates", "not known", "factors of a year stand in for those of its hours");
    }
    Ok(Compiled {
        name: phase.name.clone(),
        kind: phase.kind,
        site,
        site_name: plan.sites()[site].name.clone(),
        basis: match (metered, stated, flop) {
            (Some(_), ..) => Basis::Metered,
            (None, Some(_), _) => Basis::Hours,
            (None, None, Some(_)) => Basis::Flop,
            _ => Basis::Generation,
        },
        flop,
        tokens: phase.tokens,
        mfu,
        spread: if metered.is_some() { METER_SPREAD } else { hours.spread.hypot(power_w.spread) },
        hours,
        power_w,
        parts,
        facility_kwh: metered.filter(|(_, boundary)| *boundary == Boundary::Facility).map(|(mwh, _)| mwh * 1e3),
        meter: phase.meter.clone(),
        overheads: phase.overheads,
        generation,
        accelerators: phase.accelerators,
        period,
        trainer,
        learner,
    })
}

/// What learns, and the work of a token.
fn work(run: &Run, phase: &Phase, plan: &mut Plan) -> Result<(Option<Learner>, Option<Work>)> {
    let context = phase.context_tokens.unwrap_or(CONTEXT_TOKENS);
    let Some(learner) = plan.learner(run, phase, context)? else { return Ok((None, None)) };
    if learner.attention_flop > 0.0 && phase.context_tokens.is_none() {
        let place = format!("phase `{}`", phase.name);
        plan.assume(&place, "context_tokens", format!("{CONTEXT_TOKENS}"), "not stated; attention is little of it");
    }
    let work = Work {
        active_parameters: learner.active_parameters,
        attention_flop: learner.attention_flop,
        passes: if phase.adapters { PASSES_ADAPTERS } else { PASSES_FULL },
        frozen_parameters: plan.frozen(run, phase)?,
    };
    Ok((Some(learner), Some(work)))
}

/// Power of an accelerator alone: stated, or of its class of work.
fn power(
    place: &str,
    phase: &Phase,
    trainer: &Trainer,
    (learner, mfu, hours): (Option<&Learner>, Option<Known>, Option<Known>),
    plan: &mut Plan,
) -> Known {
    if let Some((watts, boundary)) = phase.power {
        plan.state(place, "power_w", watts);
        let host = if boundary == Boundary::Accelerators { 0.0 } else { trainer.host.0.min(watts * MOST_HOST) };
        return Known { value: watts - host, how: "stated", spread: STATED_SPREAD };
    }
    let utilised = mfu.map_or_else(|| time::usual(trainer, learner).0, |mfu| mfu.value);
    let class = Class::of(&Job {
        gpu: trainer.gpu,
        reinforcement: phase.kind == Kind::ReinforcementLearning,
        weights: learner.map(|learner| learner.active_parameters),
        hours: hours.map(|hours| hours.value),
        utilisation: utilised,
    });
    Known { value: mean_power(trainer.rated, class).0, how: "predicted", spread: class.share().1 }
}

/// Energy of the work that counts: metered, or hours times power.
fn energy(phase: &Phase, trainer: &Trainer, (hours, power_w): (f64, f64), metered: Option<(f64, Boundary)>) -> Parts {
    let host_w = match phase.power {
        Some((watts, Boundary::It)) => watts - power_w,
        _ => trainer.host.0,
    };
    let at_power = Parts {
        training_j: power_w * hours * 3600.0,
        host_j: host_w * hours * 3600.0,
        replica_s: hours * 3600.0,
        ..Parts::default()
    };
    let Some((mwh, boundary)) = metered else { return at_power };
    let metered_j = Joules::from(KilowattHours(mwh * 1e3)).0;
    if boundary == Boundary::Accelerators {
        return Parts { training_j: metered_j, ..at_power };
    }
    let host_j = at_power.host_j.min(metered_j * MOST_HOST);
    Parts { training_j: metered_j - host_j, host_j, ..at_power }
}

/// Sum of a metered series, which has to be known throughout.
fn metered_mwh(place: &str, series: &Series) -> Result<f64> {
    if series.iter().count() < series.len() {
        return Err(Error::FleetConflict {
            place: place.into(),
            problem: "its meter has steps without a value".into(),
            hint: "fill them, or state energy_mwh".into(),
        });
    }
    Ok(series.iter().map(|(_, kwh)| kwh).sum::<f64>() / 1e3)
}

/// Energy and accelerator-seconds of the answers that are generated.
fn generation(run: &Run, phase: &Phase, plan: &mut Plan) -> Result<Option<Generated>> {
    let (Some(stated), Some(deployment)) = (&phase.generation, plan.generator(run, phase)?) else { return Ok(None) };
    let deployed = &plan.deployments()[deployment];
    let one = answer(deployed, stated.input_tokens, stated.output_tokens);
    // In a run a replica is one accelerator.
    let seconds = one.replica_s * stated.count * deployed.devices;
    let concurrency = deployed.fallback_concurrency(stated.input_tokens + stated.output_tokens / 2.0);
    let spread = deployed.half_width(concurrency);
    Ok(Some(Generated { parts: Parts { replica_s: seconds, ..one.scaled(stated.count) }, deployment, spread }))
}

/// Dates of a phase: stated, or as long as its hours are on its accelerators.
fn period(place: &str, phase: &Phase, hours: f64) -> Result<Option<(i64, i64)>> {
    // A metered series carries its hours.
    if let Some((series, _)) = &phase.meter {
        return Ok(Some(series.span()));
    }
    let Some(start) = phase.start else { return Ok(None) };
    if let Some(end) = phase.end {
        return Ok(Some((start, end)));
    }
    let wall = phase.days.map(|days| days * 24.0).or_else(|| Some(hours / phase.accelerators?));
    let Some(wall) = wall else { return Ok(None) };
    if wall > LONGEST_H {
        return Err(Error::FleetConflict {
            place: place.into(),
            problem: format!("{hours:.0} accelerator-hours would take {:.0} years", wall / 8766.0),
            hint: "check accelerators, the count that works at once".into(),
        });
    }
    #[expect(clippy::cast_possible_truncation, reason = "ten years of hours")]
    let wall = wall.ceil().max(1.0) as i64;
    Ok(Some((start, start + wall)))
}

/// Refuses more hours than accelerators and dates hold; tells where overheads need further accelerators.
fn fits(place: &str, phase: &Phase, (hours, period): (f64, Option<(i64, i64)>), plan: &mut Plan) -> Result<()> {
    let (Some(accelerators), Some((start, end))) = (phase.accelerators, period) else { return Ok(()) };
    #[expect(clippy::cast_precision_loss, reason = "hours of ten years")]
    let most = accelerators * (end - start) as f64;
    if hours > 1.001 * most {
        return Err(Error::FleetConflict {
            place: place.into(),
            problem: format!(
                "{hours:.0} accelerator-hours on {accelerators} accelerators from start to end, {most:.0} at most"
            ),
            hint: "state more accelerators, a later end, or fewer hours".into(),
        });
    }
    let Overheads { checkpointing, restarts, failed, exploratory } = phase.overheads;
    if hours * (1.0 + checkpointing + restarts + failed + exploratory) > 1.001 * most {
        let why = "what is lost, repeated and tried does not fit on the stated ones: it runs beside, at the same time";
        plan.assume(place, "further accelerators", "for overheads", why);
    }
    Ok(())
}

/// Refuses energy and hours that contradict each other; tells what is merely odd.
fn plausible(place: &str, trainer: &Trainer, (hours, it_j): (f64, f64), plan: &mut Plan) -> Result<()> {
    if hours <= 0.0 {
        return Ok(());
    }
    let (watts, most) = (it_j / hours / 3600.0, trainer.rated.0 + trainer.host.0);
    if watts > MOST_OVER_RATED * most {
        return Err(Error::FleetConflict {
            place: place.into(),
            problem: format!(
                "{watts:.0} W an accelerator with its host, rated {most:.0} W: energy and hours contradict"
            ),
            hint: "check units, the boundary of the meter, and whether hours are of accelerators and not of nodes"
                .into(),
        });
    }
    if !(LEAST_OVER_RATED..=1.3).contains(&(watts / most)) {
        let value = format!("{watts:.0} W an accelerator with its host, rated {most:.0} W");
        plan.assume(place, "mean power", value, "odd: check units, boundary and hours");
    }
    Ok(())
}
