//! Images and videos: accelerator energy of one generation, by the method of [`crate::physics::diffusion`].
//!
//! The shape of the denoiser comes from the catalog. Where a row gives another parameter count than the catalog, by more
//! than a quarter, the shape is scaled to it; a model nobody has described gets its shape from the parameter count alone.

use super::denoiser::{Method, SET, denoiser};
use super::read::{Line, Sheet};
use super::{Kind, Prediction, Report, Row, gpu};
use crate::catalog::{Catalog, Diffusion};
use crate::physics::diffusion::{Denoiser, Job};
use crate::physics::diffusion_laws::Laws;
use crate::physics::diffusion_range::{Case, Shape};
use crate::{Error, Result};
use std::path::Path;

/// Columns without which no row means anything.
const NEEDED: [&str; 6] = ["model", "gpu", "height", "width", "denoising_steps", "energy_per_generation_j"];
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

/// Cells of one line, read and inside their limits.
struct Asked<'a> {
    model: &'a str,
    gpu: &'a str,
    source: Option<&'a str>,
    precision: Option<String>,
    video: bool,
    height_px: Option<f64>,
    width_px: Option<f64>,
    frames: Option<f64>,
    steps: Option<f64>,
    batch: Option<f64>,
    devices: Option<f64>,
    ulysses: Option<f64>,
    ring: Option<f64>,
    denoiser_params: Option<f64>,
    total_params: Option<f64>,
}

/// Estimates every row of a file.
pub(super) fn validate(path: &Path) -> Result<Report> {
    let catalog = Catalog::builtin();
    let method = Method::of(catalog)?;
    let sheet = Sheet::read(path, &NEEDED)?;
    let rows = sheet.lines().map(|line| row(catalog, &method, line)).collect::<Result<_>>()?;
    Ok(Report { kind: Kind::ImageVideo, parameter_set: SET, rows })
}

fn row(catalog: &Catalog, method: &Method, line: Line<'_>) -> Result<Row> {
    let asked = line.whole().and_then(|()| Asked::read(line));
    let (measured, wrong) = match line.value("energy_per_generation_j", 1e-6..=1e15) {
        Ok(measured) => (measured, None),
        Err(problem) => (None, Some(problem)),
    };
    let mut slices: Vec<(&'static str, String)> = Vec::new();
    for column in ["task", "model", "gpu", "serving_stack", "weight_precision"] {
        slices.extend(line.text(column).map(|text| (column, text.to_owned())));
    }
    let predicted = match wrong.map_or(asked, Err) {
        Err(problem) => Err(problem),
        Ok(asked) => {
            for (column, value) in [("n_gpus", asked.devices), ("batch_size", asked.batch)] {
                slices.extend(value.map(|value| (column, value.to_string())));
            }
            predict(catalog, method, &asked)?.map(|(prediction, shape)| {
                slices.push(("shape", shape_name(shape).to_owned()));
                prediction
            })
        }
    };
    Ok(Row {
        row_id: line.id(),
        model: line.text("model").unwrap_or_default().to_owned(),
        quantity: "energy_per_generation",
        unit: "J",
        measured,
        predicted,
        assumed: Vec::new(),
        yardstick: None,
        slices,
    })
}

impl<'a> Asked<'a> {
    fn read(line: Line<'a>) -> std::result::Result<Self, String> {
        let task = line.text("task").unwrap_or_default();
        let frames = line.value("num_frames", 1.0..=1e6)?;
        let video = frames.map_or(task.contains("video"), |frames| frames > 1.0);
        let billions = |column: &str| Ok::<_, String>(line.value(column, 1e-4..=1e5)?.map(|billions| billions * 1e9));
        Ok(Self {
            model: line.text("model").unwrap_or_default(),
            gpu: line.text("gpu").unwrap_or_default(),
            source: line.text("source"),
            precision: line.text("weight_precision").map(str::to_lowercase),
            video,
            height_px: line.value("height", 1.0..=1e6)?,
            width_px: line.value("width", 1.0..=1e6)?,
            frames: frames.or_else(|| (!video).then_some(1.0)),
            steps: line.value("denoising_steps", 1.0..=1e6)?,
            batch: line.value("batch_size", 1.0..=1e6)?,
            devices: line.value("n_gpus", 1.0..=65_536.0)?,
            ulysses: line.value("ulysses_degree", 1.0..=65_536.0)?,
            ring: line.value("ring_degree", 1.0..=65_536.0)?,
            denoiser_params: billions("denoiser_params_b")?,
            total_params: billions("total_params_b")?,
        })
    }

    /// What is made and how, or the cell that is missing. A file without counts means one output on one device; degrees
    /// that are not given, or do not multiply to the devices, mean heads exchanged among all of them.
    fn job(&self) -> std::result::Result<Job, String> {
        let needed = |column: &str, value: Option<f64>| value.ok_or_else(|| format!("`{column}` is empty"));
        let devices = self.devices.unwrap_or(1.0);
        let stated = self.ulysses.zip(self.ring).filter(|(ulysses, ring)| (ulysses * ring - devices).abs() < 0.5);
        let (ulysses, ring) = stated.unwrap_or((devices, 1.0));
        Ok(Job {
            height_px: needed("height", self.height_px)?,
            width_px: needed("width", self.width_px)?,
            frames: needed("num_frames", self.frames)?,
            steps: needed("denoising_steps", self.steps)?,
            batch: self.batch.unwrap_or(1.0),
            devices,
            ulysses,
            ring,
        })
    }

    /// Whether a model nobody has described is a U-Net: by its name, else by 16-bit floats of the old kind.
    fn unet(&self) -> bool {
        let name = self.model.to_lowercase();
        let old = self.precision.as_deref().is_some_and(|precision| matches!(precision, "float16" | "fp16"));
        UNET_NAMES.iter().any(|part| name.contains(part)) || old
    }
}

/// The estimate and what was known of the shape, or why there is none.
fn predict(
    catalog: &Catalog,
    method: &Method,
    asked: &Asked<'_>,
) -> Result<std::result::Result<(Prediction, Shape), String>> {
    let known = found(catalog.denoiser(asked.model))?;
    let hardware = found(gpu::named(catalog, asked.gpu, asked.source))?;
    let total = found(catalog.model(asked.model))?.ok().filter(|model| model.row.architecture == "diffusion");
    let total = total.map(|model| model.row.total_params).or(asked.total_params);
    let estimate = || {
        let (shape, denoiser) = shape(method, asked, known.as_ref().map(|known| known.row), total)?;
        let job = asked.job()?;
        let (device, kinship) = method.device(hardware?)?;
        let made = denoiser.generate(&device, &job, &method.parameters);
        let known = known.as_ref().ok();
        let guided = |row: &Diffusion| row.passes_per_step.total_cmp(&row.passes_default).is_eq();
        let passes_known = shape == Shape::Known && known.is_some_and(|known| guided(known.row));
        let precision = asked.precision.as_deref().or(known.and_then(|known| known.precision_hint));
        let case = Case {
            shape,
            kinship,
            devices: job.devices,
            passes_unknown: job.steps <= FEW_STEPS && !passes_known,
            other_precision: precision.is_some_and(|precision| !precision.ends_with("16")),
        };
        let (low, high) = method.half_widths.range(made.energy, &case);
        Ok((Prediction { value: made.energy.0, low: low.0, high: high.0 }, shape))
    };
    Ok(estimate())
}

/// The shape of the denoiser: its row's, that row's scaled to the parameters stated, or by the laws.
fn shape(
    method: &Method,
    asked: &Asked<'_>,
    known: std::result::Result<&Diffusion, &String>,
    total: Option<f64>,
) -> std::result::Result<(Shape, Denoiser), String> {
    match (known, asked.denoiser_params) {
        (Ok(row), Some(stated)) if other_size(row, stated) => {
            Ok((Shape::Sibling, method.laws.sibling(&denoiser(row), stated / row.denoiser_params)))
        }
        (Ok(row), _) => Ok((Shape::Known, denoiser(row))),
        (Err(unknown), stated) => {
            let parameters = stated.or(total).ok_or_else(|| format!("{unknown}, and `denoiser_params_b` is empty"))?;
            let law = if asked.unet() { Laws::unet } else { Laws::transformer };
            Ok((Shape::Laws, law(&method.laws, parameters, asked.video)))
        }
    }
}

/// A row of the catalog, or the sentence why none is meant; what is wrong with the catalog itself stays an error.
fn found<T>(result: Result<T>) -> Result<std::result::Result<T, String>> {
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

fn shape_name(shape: Shape) -> &'static str {
    match shape {
        Shape::Known => "catalog",
        Shape::Sibling => "scaled",
        Shape::Laws => "parameter count",
    }
}
