//! One image or video made by a diffusion model: the catalog's denoiser, or what its size says, in numbers.
//!
//! The shape of the denoiser comes from the catalog. Where another parameter count is stated than the catalog's, by more
//! than a quarter, the shape is scaled to it; a model nobody has described gets its shape from the parameter count alone.

use super::diffusion::{DIFFUSION_SET, DiffusionMethod, denoiser};
use super::machine::{accelerator, embodied, host};
use super::{Notes, Plan};
use crate::catalog::{Catalog, Diffusion, Hardware};
use crate::fleet::{Deployment, Fleet};
use crate::physics::diffusion::{Denoiser, Generated, Job, Work};
use crate::physics::diffusion_laws::Laws;
use crate::physics::diffusion_range::{Case, Shape};
use crate::physics::embodied::Burden;
use crate::units::{Joules, Watts};
use crate::{Error, Result};

/// Parts of names that U-Nets have.
const UNET_NAMES: [&str; 7] = [
    "sdxl",
    "stable-diffusion-xl",
    "stable-diffusion-v1",
    "stable-diffusion-2",
    "unet",
    "animatediff",
    "stable-video-diffusion",
];
/// Ratio of parameter counts from which on a name means another size than the catalog's: rounding stays below.
const OTHER_SIZE: f64 = 1.25;
/// Steps up to which a model is taken for a distilled one, whose guidance may differ.
const FEW_STEPS: f64 = 8.0;

/// What is made, by which model, on what.
#[derive(Clone, Copy, Debug)]
pub struct Wanted<'a> {
    /// The model, under any of its names.
    pub model: &'a str,
    /// The accelerator.
    pub hardware: &'a Hardware,
    /// Precision of the weights, in lower case.
    pub precision: Option<&'a str>,
    /// Weights of the denoiser, where they are stated.
    pub denoiser_params: Option<f64>,
    /// Weights of all parts, where they are stated.
    pub total_params: Option<f64>,
    /// A video and not an image.
    pub video: bool,
    /// Size, steps, batch and devices.
    pub job: Job,
}

/// One image or video, made.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Made {
    /// Energy, time and power.
    pub generated: Generated,
    /// Low and high end of the 90 % interval of its energy.
    pub range: (Joules, Joules),
    /// What was known of the denoiser's shape.
    pub shape: Shape,
    /// The denoiser.
    pub denoiser: Denoiser,
    /// Work of one pass of it.
    pub work: Work,
}

/// The estimate, or why there is none.
///
/// # Errors
/// [`Error::CatalogRow`] for a catalog that breaks its rules.
pub fn generate(
    catalog: &Catalog,
    method: &DiffusionMethod,
    wanted: &Wanted<'_>,
) -> Result<std::result::Result<Made, String>> {
    let known = found(catalog.denoiser(wanted.model))?;
    let total = found(catalog.model(wanted.model))?.ok().filter(|model| model.row.architecture == "diffusion");
    let total = total.map(|model| model.row.total_params).or(wanted.total_params);
    let estimate = || {
        let (shape, denoiser) = shape(method, wanted, known.as_ref().map(|known| known.row), total)?;
        let (device, kinship) = method.device(wanted.hardware)?;
        let generated = denoiser.generate(&device, &wanted.job, &method.parameters);
        let known = known.as_ref().ok();
        let guided = |row: &Diffusion| row.passes_per_step.total_cmp(&row.passes_default).is_eq();
        let passes_known = shape == Shape::Known && known.is_some_and(|known| guided(known.row));
        let precision = wanted.precision.or(known.and_then(|known| known.precision_hint));
        let case = Case {
            shape,
            kinship,
            devices: wanted.job.devices,
            passes_unknown: wanted.job.steps <= FEW_STEPS && !passes_known,
            other_precision: precision.is_some_and(|precision| !precision.ends_with("16")),
        };
        let range = method.half_widths.range(generated.energy, &case);
        let work = denoiser.work(&wanted.job, &method.parameters);
        Ok(Made { generated, range, shape, denoiser, work })
    };
    Ok(estimate())
}

/// The shape of the denoiser: its row's, that row's scaled to the parameters stated, or by the laws.
fn shape(
    method: &DiffusionMethod,
    wanted: &Wanted<'_>,
    known: std::result::Result<&Diffusion, &String>,
    total: Option<f64>,
) -> std::result::Result<(Shape, Denoiser), String> {
    match (known, wanted.denoiser_params) {
        (Ok(row), Some(stated)) if other_size(row, stated) => {
            Ok((Shape::Sibling, method.laws.sibling(&denoiser(row), stated / row.denoiser_params)))
        }
        (Ok(row), _) => Ok((Shape::Known, denoiser(row))),
        (Err(unknown), stated) => {
            let parameters = stated.or(total).ok_or_else(|| format!("{unknown}, and `denoiser_params_b` is empty"))?;
            let law = if unet(wanted) { Laws::unet } else { Laws::transformer };
            Ok((Shape::Laws, law(&method.laws, parameters, wanted.video)))
        }
    }
}

/// Whether a model nobody has described is a U-Net: by its name, else by 16-bit floats of the old kind.
fn unet(wanted: &Wanted<'_>) -> bool {
    let name = wanted.model.to_lowercase();
    let old = wanted.precision.is_some_and(|precision| matches!(precision, "float16" | "fp16"));
    UNET_NAMES.iter().any(|part| name.contains(part)) || old
}

/// A row of the catalog, or the sentence why none is meant; what is wrong with the catalog itself stays an error.
///
/// # Errors
/// Anything but a name that is not known or means several rows.
pub fn found<T>(result: Result<T>) -> Result<std::result::Result<T, String>> {
    match result {
        Ok(found) => Ok(Ok(found)),
        Err(error @ (Error::UnknownName { .. } | Error::AmbiguousName { .. })) => Ok(Err(error.to_string())),
        Err(error) => Err(error),
    }
}

/// Whether a stated parameter count means another network than the catalog's row: neither one expert of it nor all.
fn other_size(row: &Diffusion, stated: f64) -> bool {
    let near = |parameters: f64| stated / parameters < OTHER_SIZE && parameters / stated < OTHER_SIZE;
    !near(row.denoiser_params) && !near(row.denoiser_params * row.experts)
}

/// An image or video to make for a fleet; `None` is left to a default.
#[derive(Clone, Debug)]
pub struct Picture {
    /// Catalog name of the model.
    pub model: String,
    /// Catalog name of the accelerator.
    pub hardware: Option<String>,
    /// Accelerators that share a batch.
    pub devices: Option<f64>,
    /// Precision of the weights.
    pub precision: Option<String>,
    /// Site of the fleet or of the catalog.
    pub site: Option<String>,
    /// Width in pixels.
    pub width_px: f64,
    /// Height in pixels.
    pub height_px: f64,
    /// Frames; 1 is an image.
    pub frames: f64,
    /// Denoising steps.
    pub steps: Option<f64>,
    /// Outputs made at once.
    pub batch: f64,
    /// The hour, since 1970, at which it is made; where it is not stated, a year's mean.
    pub hour: Option<i64>,
}

/// A picture with where it was made.
#[derive(Clone, Copy, Debug)]
pub struct Pictured<'a> {
    /// The catalog's name of the model.
    pub model: &'a str,
    /// The accelerator.
    pub hardware: &'a Hardware,
    /// Size, steps, batch and devices.
    pub job: Job,
    /// What it took.
    pub made: Made,
    /// Host power of the accelerators while they work.
    pub host: Watts,
    /// What a second of the accelerators and their host bears of making them.
    pub embodied_per_s: Burden,
}

impl Plan {
    /// A plan of no deployment but a site, and a picture that is made there.
    ///
    /// # Errors
    /// Names that are not known, models that make no pictures, and accelerators without a datasheet.
    pub fn picture<'a>(fleet: &'a Fleet, asked: &Picture) -> Result<(Self, Pictured<'a>)> {
        let catalog = fleet.catalog();
        let mut plan = Self::compile(&fleet.without_deployments(), &[])?;
        plan.site(fleet, asked.site.as_deref())?;
        let place = "request";
        let notes = &mut plan.notes;
        let known = catalog.denoiser(&asked.model);
        let row = known.as_ref().ok().map(|found| found.row);
        let name = asked.hardware.as_deref().unwrap_or(super::ASSUMED_HARDWARE);
        let hardware = catalog.hardware(name)?.row;
        if asked.hardware.is_none() {
            notes.assume(place, "hardware", hardware.id.clone(), "not stated; a widely served data-centre GPU");
        }
        let sheet = accelerator(place, hardware, notes)?;
        let steps = match (asked.steps, row) {
            (Some(steps), _) => steps,
            (None, Some(row)) => {
                notes.assume(place, "steps", super::plain(row.default_steps), "not stated; as its makers suggest");
                row.default_steps
            }
            (None, None) => {
                return Err(known.err().unwrap_or_else(|| no_picture(&asked.model, "it is no diffusion model")));
            }
        };
        let devices = asked.devices.unwrap_or(1.0);
        let job = Job {
            height_px: asked.height_px,
            width_px: asked.width_px,
            frames: asked.frames,
            steps,
            batch: asked.batch,
            devices,
            ulysses: devices,
            ring: 1.0,
        };
        let precision = asked.precision.as_deref().map(str::to_lowercase);
        let wanted = Wanted {
            model: &asked.model,
            hardware,
            precision: precision.as_deref(),
            denoiser_params: None,
            total_params: None,
            video: asked.frames > 1.0,
            job,
        };
        let method = DiffusionMethod::of(catalog)?;
        let made = generate(catalog, &method, &wanted)?.map_err(|reason| no_picture(&asked.model, &reason))?;
        if let Some(row) = row {
            note_shape(row, notes);
        } else {
            notes.assume(place, "shape", "by its parameters alone", "the catalog does not describe its denoiser");
        }
        let several = devices > 1.0;
        note_method(catalog, several, hardware.generation.as_deref(), notes)?;
        let server = Deployment::plain(place, &asked.model, name);
        let (host, _) = host(fleet, place, &server, devices, notes)?;
        let embodied_per_s =
            embodied(fleet, place, &server, (hardware, devices, sheet.rated_power, host), notes)?.per_second();
        let model =
            row.map_or_else(|| catalog.model(&asked.model).map(|found| found.row.id.as_str()), |row| Ok(&row.id))?;
        Ok((plan, Pictured { model, hardware, job, made, host, embodied_per_s }))
    }
}

fn no_picture(model: &str, reason: &str) -> Error {
    Error::Argument {
        what: "model".into(),
        value: model.into(),
        expected: format!("a diffusion model of the catalog, kind image or video: {reason}"),
    }
}

/// The cells of a denoiser that its work follows from.
fn note_shape(row: &Diffusion, notes: &mut Notes) {
    let cells = [
        ("denoiser_params", row.denoiser_params),
        ("n_layers", row.n_layers),
        ("width", row.width),
        ("pixels_per_token", row.pixels_per_token),
        ("frames_per_latent", row.frames_per_latent),
        ("temporal_patch", row.temporal_patch),
        ("text_token_params", row.text_token_params),
        ("token_params", row.token_params),
        ("text_tokens", row.text_tokens),
        ("attn_width_sum", row.attn_width_sum),
        ("elem_accesses", row.elem_accesses),
        ("passes_default", row.passes_default),
        ("text_encoder_params", row.text_encoder_params),
    ];
    for (column, value) in cells {
        notes.cell("request", column, value, &row.provenance);
    }
}

/// The values of the parameter set that such a picture is made with, and the widths of its interval.
fn note_method(catalog: &Catalog, several: bool, generation: Option<&str>, notes: &mut Notes) -> Result<()> {
    let place = format!("parameter set {DIFFUSION_SET}");
    let mut symbols = vec!["eta_l", "eta_a", "phi0", "k_f", "k_a", "k_b", "t_b", "t_px", "c_el", "h_known"];
    if several {
        symbols.extend(["t_n", "ring", "eta_k", "h_log2n"]);
    }
    match generation {
        Some("ampere" | "hopper") => {}
        Some("ada") => symbols.push("h_mature"),
        Some("blackwell" | "blackwell-ultra") => symbols.extend(["q_t", "q_e", "h_blackwell"]),
        _ => symbols.extend(["q_other", "h_other"]),
    }
    for symbol in symbols {
        let row = catalog.diffusion_parameter(&format!("{DIFFUSION_SET}/{symbol}"))?.row;
        notes.fact(&place, symbol, row.value, row.provenance.of("value"));
    }
    Ok(())
}
