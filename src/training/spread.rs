//! Phases spread over their hours: every activity of every phase in every hour, at its site.

use super::compile::Compiled;
use super::{Activity, Line};
use crate::estimate::columns::{Values, sum};
use crate::estimate::{HourLoad, placed};
use crate::fleet::Run;
use crate::plan::{Parts, Plan};
use crate::{Error, Result};
use std::collections::BTreeMap;

/// Rounds after which a facility's meter is met: a site whose overhead depends on its load is asked again.
const ROUNDS: usize = 50;

/// First hour and first after the last of all phases.
pub(super) fn period(phases: &[Compiled]) -> Option<(i64, i64)> {
    phases.iter().filter_map(|phase| phase.period).reduce(|a, b| (a.0.min(b.0), a.1.max(b.1)))
}

/// What one activity of a phase is, all hours together.
struct Block {
    phase: usize,
    activity: Activity,
    parts: Parts,
    standing_s: f64,
}

pub(super) fn spread(run: &Run, plan: &Plan, phases: &[Compiled]) -> Result<Vec<Line>> {
    let mut blocks: Vec<Block> = phases.iter().enumerate().flat_map(|(at, phase)| activities(at, phase)).collect();
    blocks.extend(idle(run, phases)?);
    let mut loads = Vec::new();
    for (at, block) in blocks.iter().enumerate() {
        let phase = &phases[block.phase];
        let embodied_per_s = match (block.activity, &phase.generation) {
            (Activity::Generation, Some(generated)) => generated.embodied_per_s(plan),
            _ => phase.trainer.made.per_second(),
        };
        let whole = if block.activity == Activity::Idle { period(phases) } else { phase.period };
        for (hour, share) in hours(phase, whole, block.activity) {
            loads.push(HourLoad {
                of: at,
                site: phase.site,
                hour,
                parts: Parts { replica_s: block.parts.replica_s * share, ..block.parts.scaled(share) },
                standing_s: block.standing_s * share,
                embodied_per_s,
            });
        }
    }
    let values = meet_facility_meters(plan, phases, &blocks, &mut loads);
    let line = |(load, values): (&HourLoad, _)| {
        let block = &blocks[load.of];
        Line { phase: block.phase, activity: block.activity, site: load.site, hour: load.hour, values }
    };
    Ok(loads.iter().zip(values).map(line).collect())
}

/// Scales phases whose meter stands before the whole facility until their facility energy is the meter's: the sum, or hour
/// by hour where it is a series. What is lost and repeated scales along.
fn meet_facility_meters(plan: &Plan, phases: &[Compiled], blocks: &[Block], loads: &mut [HourLoad]) -> Vec<Values> {
    let facility = sum("facility_kwh");
    let mut values = placed(plan, loads);
    for _ in 0..ROUNDS {
        let mut worst = 0.0_f64;
        for (at, phase) in phases.iter().enumerate() {
            let Some(metered) = phase.facility_kwh else { continue };
            let is = |load: &HourLoad, activity: Activity| {
                blocks[load.of].phase == at && blocks[load.of].activity == activity
            };
            let counts = |(load, _): &(&HourLoad, &Values)| is(load, Activity::Training);
            // By the hour where the meter is: the share of an hour is that of its energy.
            let by_hour = phase.meter.is_some();
            let estimated: BTreeMap<Option<i64>, f64> =
                loads.iter().zip(&values).filter(counts).fold(BTreeMap::new(), |mut sums, (load, values)| {
                    *sums.entry(load.hour.filter(|_| by_hour)).or_insert(0.0) += values.sums[facility];
                    sums
                });
            let shares: BTreeMap<Option<i64>, f64> = if by_hour {
                hours(phase, None, Activity::Training).into_iter().collect()
            } else {
                BTreeMap::from([(None, 1.0)])
            };
            let factor = |hour: Option<i64>| {
                let hour = hour.filter(|_| by_hour);
                shares
                    .get(&hour)
                    .zip(estimated.get(&hour))
                    .map_or(1.0, |(share, estimated)| metered * share / estimated)
            };
            for load in loads.iter_mut() {
                let follows = [Activity::Training, Activity::Restarts, Activity::Failed, Activity::Exploratory];
                if follows.into_iter().any(|activity| is(load, activity)) {
                    let factor = factor(load.hour);
                    worst = worst.max((factor - 1.0).abs());
                    load.parts = load.parts.scaled(factor);
                }
            }
        }
        if worst < 1e-13 {
            break;
        }
        values = placed(plan, loads);
    }
    values
}

/// What counts and what stands beside it.
fn activities(at: usize, phase: &Compiled) -> Vec<Block> {
    let seconds = phase.hours.value * 3600.0;
    let work = |activity: Activity, share: f64| {
        let parts = Parts { replica_s: seconds * share, ..phase.parts.scaled(share) };
        Block { phase: at, activity, parts, standing_s: seconds * share }
    };
    let overheads = phase.overheads;
    let mut blocks = vec![
        work(Activity::Training, 1.0),
        work(Activity::Restarts, overheads.restarts),
        work(Activity::Failed, overheads.failed),
        work(Activity::Exploratory, overheads.exploratory),
    ];
    let waits = seconds * overheads.checkpointing;
    let waiting = Parts {
        idle_j: phase.trainer.waiting.0 * waits,
        host_j: phase.trainer.host_idle.0 * waits,
        replica_s: waits,
        ..Parts::default()
    };
    blocks.push(Block { phase: at, activity: Activity::Checkpointing, parts: waiting, standing_s: waits });
    if let Some(generated) = phase.generation {
        let parts = generated.parts;
        blocks.push(Block { phase: at, activity: Activity::Generation, parts, standing_s: parts.replica_s });
    }
    blocks.retain(|block| block.standing_s > 0.0 || block.parts.it_j() > 0.0);
    blocks
}

/// Reserved accelerators that no phase uses.
fn idle(run: &Run, phases: &[Compiled]) -> Result<Option<Block>> {
    let Some(reserved) = run.reserved else { return Ok(None) };
    let refuse = |problem: String, hint: &str| {
        Err(Error::FleetConflict { place: format!("run `{}`", run.name), problem, hint: hint.into() })
    };
    let Some((start, end)) = period(phases) else {
        let hint = "state start, and end or accelerators";
        return refuse("reserved_accelerators without dates".into(), hint);
    };
    let first = &phases[0];
    if phases.iter().any(|phase| phase.site != first.site || phase.trainer.hardware != first.trainer.hardware) {
        let hint = "give the phases of each site and accelerator a file of their own";
        return refuse("reserved_accelerators over several sites or accelerators".into(), hint);
    }
    #[expect(clippy::cast_precision_loss, reason = "hours of ten years")]
    let stands = reserved * (end - start) as f64;
    let used: f64 = phases.iter().map(Compiled::all_hours).sum();
    if used > stands * 1.001 {
        let problem = format!("{used:.0} accelerator-hours are used of the {stands:.0} that are reserved");
        return refuse(problem, "state more accelerators, later ends, or fewer hours");
    }
    let seconds = (stands - used).max(0.0) * 3600.0;
    let parts = Parts {
        idle_j: first.trainer.waiting.0 * seconds,
        host_j: first.trainer.host_idle.0 * seconds,
        replica_s: seconds,
        ..Parts::default()
    };
    Ok((seconds > 0.0).then_some(Block { phase: 0, activity: Activity::Idle, parts, standing_s: seconds }))
}

/// Hours of a phase and the share of it that falls into each; an unknown hour where it has no dates.
fn hours(phase: &Compiled, period: Option<(i64, i64)>, activity: Activity) -> Vec<(Option<i64>, f64)> {
    if let (Some((series, _)), true) = (&phase.meter, activity != Activity::Idle) {
        let step = series.step();
        let sum: f64 = series.iter().map(|(_, kwh)| kwh).sum();
        return series
            .iter()
            .filter(|(_, kwh)| *kwh > 0.0)
            .flat_map(|(number, kwh)| {
                let hours = step.first_hour(number)..step.first_hour(number + 1);
                #[expect(clippy::cast_precision_loss, reason = "hours of a year")]
                let share = kwh / sum / (hours.end - hours.start) as f64;
                hours.map(move |hour| (Some(hour), share))
            })
            .collect();
    }
    match period {
        None => vec![(None, 1.0)],
        #[expect(clippy::cast_precision_loss, reason = "hours of ten years")]
        Some((start, end)) => (start..end).map(|hour| (Some(hour), 1.0 / (end - start) as f64)).collect(),
    }
}
