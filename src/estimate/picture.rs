//! One image or video: the whole chain from pixels to litres and grams, with the source of every coefficient.

use super::columns::{SUMS, Values};
use super::explain::{Step, around, footprint, given, leaf, node};
use super::request::{Details, RequestEstimate, Told, envelope};
use crate::fleet::Fleet;
use crate::physics::embodied::Burden;
use crate::plan::{DIFFUSION_SET, Parts, Picture, Plan};
use crate::{Error, Result};

/// Smallest and largest of what can be asked for: side in pixels, frames, steps, outputs at once, devices.
const LIMITS: [(&str, f64, f64); 6] = [
    ("width_px", 8.0, 65_536.0),
    ("height_px", 8.0, 65_536.0),
    ("frames", 1.0, 100_000.0),
    ("steps", 1.0, 10_000.0),
    ("batch", 1.0, 10_000.0),
    ("devices", 1.0, 65_536.0),
];

/// Estimates one image or video. The energy of its accelerators stands under `decode_kwh`; idle is not charged.
///
/// ```
/// use wattledger::{estimate::{self, Picture}, fleet::Fleet};
/// let asked = Picture {
///     model: "flux.1-dev".into(), hardware: Some("h100".into()), devices: None, precision: None, site: None,
///     width_px: 1024.0, height_px: 1024.0, frames: 1.0, steps: None, batch: 1.0,
///     hour: None,
/// };
/// let image = estimate::picture(&Fleet::assumed(), &asked)?;
/// let values = image.values();
/// let (_, decode) = values.iter().find(|(name, _)| *name == "decode_kwh").unwrap();
/// let [wh, low, high] = decode.unwrap().map(|kwh| kwh * 1000.0);
/// assert!((1.0..5.0).contains(&wh) && low < wh && wh < high);
/// # Ok::<(), wattledger::Error>(())
/// ```
///
/// # Errors
/// Names that are not known, a model that makes no pictures, and [`Error::OutOfRange`].
pub fn picture(fleet: &Fleet, asked: &Picture) -> Result<RequestEstimate> {
    check(asked)?;
    let (plan, made) = Plan::picture(fleet, asked)?;
    let site = &plan.sites()[0];
    let here = site.hour(asked.hour, None);
    let (generated, work, job) = (&made.made.generated, &made.made.work, &made.job);
    let time = generated.batch_time.0 / job.batch;
    let at = |joules: f64| Parts { decode_j: joules, host_j: made.host.0 * time, replica_s: time, ..Parts::default() };
    let (low, high) = made.made.range;
    let parts = at(generated.energy.0);
    let embodied = |mut values: Values, burden: &Burden| {
        values.embody(burden, time);
        values
    };
    let per_s = &made.embodied_per_s;
    let value = embodied(Values::at_site(&parts, &here), per_s);
    let [lowest, highest] = envelope(&here);
    let ends = [
        embodied(Values::at_site(&at(low.0), &lowest), &per_s.low()),
        embodied(Values::at_site(&at(high.0), &highest), &per_s.high()),
    ];
    let ranged = |i: usize| {
        let v = value.sums[i];
        (!v.is_nan()).then_some([v, v.min(ends[0].sums[i]), v.max(ends[1].sums[i])])
    };
    let facts = plan.facts();
    let steps_and_passes = job.steps * made.made.denoiser.passes;
    let shape = ["denoiser_params", "n_layers", "token_params", "attn_width_sum", "text_tokens", "pixels_per_token"];
    let pass = node(
        "FLOP of a pass",
        work.linear_flop + work.attention_flop,
        "FLOP",
        "matrix products + attention",
        given(facts, &shape),
    );
    let asked_for = [
        leaf("width", job.width_px, "px"),
        leaf("height", job.height_px, "px"),
        leaf("frames", job.frames, "frames"),
        node("passes", steps_and_passes, "passes", "steps·passes per step", given(facts, &["passes_default"])),
    ];
    let method = ["eta_l", "eta_a", "phi0", "k_f", "k_a", "k_b", "t_b", "t_px", "c_el", "tdp_w", "bf16_tflops"];
    let energy = node(
        "denoising and decoding",
        parts.decode_j,
        "J",
        "floor·time + joules per FLOP and byte·steps·passes",
        std::iter::once(pass).chain(asked_for).chain(given(facts, &method)).collect(),
    );
    let host = node(
        "host",
        parts.host_j,
        "J",
        "host power·time",
        vec![node("time", time, "s", "of the batch / outputs", Vec::new())],
    );
    let it = node("IT energy", parts.decode_j + parts.host_j, "J", "accelerators + host", vec![energy, host]);
    let pue = around(&here, facts);
    let whole = (parts.decode_j + parts.host_j) * pue.value;
    let facility = node("facility energy", whole, "J", "IT energy·PUE", vec![it, pue]);
    let footprint: Vec<_> = footprint(&value).collect();
    let step = |stage, what: &str, value, unit, formula| Step { stage, what: what.into(), value, unit, formula };
    let mut steps = vec![
        step("load", "megapixels", work.megapixels, "Mpx", "width·height·frames"),
        step("load", "passes", steps_and_passes, "passes", "steps·passes per step"),
        step("coefficients", "matrix FLOP of a pass", work.linear_flop, "FLOP", "2·weights·tokens"),
        step("coefficients", "attention FLOP of a pass", work.attention_flop, "FLOP", "4·widths·pairs"),
        step("energy", "accelerators", parts.decode_j, "J", "floor·time + dynamic"),
        step("energy", "host", parts.host_j, "J", "P_host·time"),
        step("latency", "latency", generated.batch_time.0, "s", "of the whole batch"),
        step("facility", "PUE", here.facility.average.pue(), "", "facility / IT"),
    ];
    steps.extend(footprint.iter().map(|(name, value, unit, formula)| step("facility", name, *value, unit, formula)));
    let ends = footprint.iter().map(|(name, value, unit, formula)| node(name, *value, unit, formula, Vec::new()));
    let unknown = site.unknown.iter().map(|(column, reason)| ((*column).to_owned(), reason.clone()));
    Ok(RequestEstimate::told(Told {
        model: made.model.to_owned(),
        hardware: made.hardware.id.clone(),
        devices: job.devices,
        site: site.name.clone(),
        concurrency: job.batch,
        values: (0..SUMS.len()).map(ranged).collect(),
        details: Details {
            unknown: unknown.collect(),
            catalog: (plan.catalog_edition(), fleet.catalog().content_hash().to_owned()),
            parameter_set: DIFFUSION_SET.to_owned(),
            steps,
            tree: node("request", 1.0, "output", "what it took", std::iter::once(facility).chain(ends).collect()),
            facts: facts.to_vec(),
            assumptions: plan.assumptions().to_vec(),
        },
    }))
}

fn check(asked: &Picture) -> Result<()> {
    let stated = [
        Some(asked.width_px),
        Some(asked.height_px),
        Some(asked.frames),
        asked.steps,
        Some(asked.batch),
        asked.devices,
    ];
    for ((what, low, high), value) in LIMITS.into_iter().zip(stated) {
        if let Some(value) = value.filter(|value| !(low..=high).contains(value)) {
            return Err(Error::OutOfRange {
                place: "request".into(),
                what: what.into(),
                value: value.to_string(),
                low,
                high,
                unit: "",
            });
        }
    }
    Ok(())
}
