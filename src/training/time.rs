//! Time and utilisation of a phase: one from the other where FLOP are known, else what is usual.

use super::compile::{Known, STATED_SPREAD};
use crate::fleet::{Again, Phase};
use crate::physics::training::{PASSES_FULL, Recomputation, Work, accelerator_hours, utilisation};
use crate::physics::training_efficiency::{EIGHT_BIT, usual_utilisation};
use crate::plan::{Learner, Plan, Trainer};
use crate::{Error, Result};

/// Accelerator-hours that the file says, one way or the other.
pub(super) fn stated_hours(phase: &Phase) -> Option<f64> {
    #[expect(clippy::cast_precision_loss, reason = "hours of ten years")]
    let dated = phase.start.zip(phase.end).map(|(start, end)| (end - start) as f64);
    let wall = phase.days.map(|days| days * 24.0).or(dated);
    phase.accelerator_hours.or_else(|| Some(phase.accelerators? * wall?))
}

/// Utilisation and hours: one from the other where FLOP are known.
pub(super) fn time(
    place: &str,
    phase: &Phase,
    (trainer, learner, work): (&Trainer, Option<&Learner>, Option<&Work>),
    (flop, stated): (Option<f64>, Option<f64>),
    plan: &mut Plan,
) -> Result<(Option<Known>, Option<Known>)> {
    let again = match phase.recomputation {
        Again::None => Recomputation::None,
        Again::Selective => Recomputation::Selective,
        Again::Full => Recomputation::Full,
    };
    let passes = work.map_or(PASSES_FULL, |work| work.passes);
    let model_utilisation = |hfu: f64| hfu / (1.0 + again.passes() / passes);
    let stated_mfu = phase.mfu.or_else(|| phase.hfu.map(model_utilisation));
    let said = if phase.mfu.is_some() { "stated" } else { "derived" };
    if let Some(hours) = stated {
        plan.state(place, "accelerator_hours", hours);
        let hours = Known { value: hours, how: "stated", spread: 0.0 };
        let Some(flop) = flop else {
            return Ok((stated_mfu.map(|value| Known { value, how: said, spread: 0.0 }), Some(hours)));
        };
        // Without a published peak nothing is said of utilisation.
        let Ok(peak) = peak(place, phase, trainer) else {
            return Ok((stated_mfu.map(|value| Known { value, how: said, spread: 0.0 }), Some(hours)));
        };
        let implied = utilisation(flop, peak, hours.value);
        if implied > 1.0 {
            return Err(Error::FleetConflict {
                place: place.into(),
                problem: format!("{flop:.3e} FLOP in {:.0} accelerator-hours is {implied:.2} of the peak", hours.value),
                hint: "check hours, tokens, weights, and the precision that the peak is of".into(),
            });
        }
        if let Some(stated) = stated_mfu.filter(|stated| (implied / stated).ln().abs() > 0.1_f64) {
            let value = format!("{stated:.3} stated, {implied:.3} by FLOP and hours");
            plan.assume(place, "mfu", value, "the two do not agree; the hours count");
        }
        return Ok((Some(Known { value: implied, how: "derived", spread: 0.0 }), Some(hours)));
    }
    let Some(flop) = flop else { return Ok((None, None)) };
    let mfu = if let Some(value) = stated_mfu {
        plan.state(place, "mfu", value);
        Known { value, how: said, spread: STATED_SPREAD }
    } else {
        let (value, spread) = usual(trainer, learner);
        let value = value / (1.0 + again.passes() / passes) * if phase.fp8 { EIGHT_BIT } else { 1.0 };
        plan.assume(place, "mfu", format!("{value:.2}"), "not stated; usual of its size and hardware");
        if phase.overheads.restarts > 0.0 || phase.overheads.checkpointing > 0.0 {
            let why = "a usual utilisation holds usual restarts and checkpoints already: state mfu to tell them apart";
            plan.assume(place, "restarts and checkpoints", "beside a usual utilisation", why);
        }
        Known { value, how: "predicted", spread }
    };
    let hours = accelerator_hours(flop, peak(place, phase, trainer)?, mfu.value);
    Ok((
        Some(mfu),
        Some(Known {
            value: hours,
            how: if stated_mfu.is_some() { "derived" } else { "predicted" },
            spread: mfu.spread,
        }),
    ))
}

/// Peak at the precision of the matrices.
fn peak(place: &str, phase: &Phase, trainer: &Trainer) -> Result<f64> {
    let (peak, bits) = if phase.fp8 { (trainer.peak_fp8_flop_per_s, "8") } else { (trainer.peak_flop_per_s, "16") };
    peak.ok_or_else(|| Error::FleetConflict {
        place: place.into(),
        problem: format!("`{}` has no peak of {bits}-bit matrices in the catalog", trainer.hardware),
        hint: "state accelerator_hours, another precision, or a [[hardware]] row with bf16_tflops".into(),
    })
}

/// Utilisation that is usual, and how far it may be off.
pub(super) fn usual(trainer: &Trainer, learner: Option<&Learner>) -> (f64, f64) {
    let weights = learner.map_or(7e9, |learner| learner.active_parameters);
    let experts = learner.is_some_and(|learner| learner.experts);
    usual_utilisation(weights, experts, trainer.gpu.then(|| trainer.release_year.unwrap_or(2023.0)))
}
