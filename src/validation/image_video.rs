//! Images and videos: accelerator energy of one generation, by the method of [`crate::physics::diffusion`].

use super::read::{Line, Sheet};
use super::{Kind, Prediction, Report, Row, gpu};
use crate::Result;
use crate::catalog::Catalog;
use crate::physics::diffusion::Job;
use crate::physics::diffusion_range::Shape;
use crate::plan::{DIFFUSION_SET, DiffusionMethod, Wanted, found, generate};
use std::path::Path;

/// Columns without which no row means anything.
const NEEDED: [&str; 6] = ["model", "gpu", "height", "width", "denoising_steps", "energy_per_generation_j"];
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
    let method = DiffusionMethod::of(catalog)?;
    let sheet = Sheet::read(path, &NEEDED)?;
    let rows = sheet.lines().map(|line| row(catalog, &method, line)).collect::<Result<_>>()?;
    Ok(Report { kind: Kind::ImageVideo, parameter_set: DIFFUSION_SET, rows })
}

fn row(catalog: &Catalog, method: &DiffusionMethod, line: Line<'_>) -> Result<Row> {
    let asked = line.whole().and_then(|()| Asked::read(line));
    let (measured, wrong) = match line.value("energy_per_generation_j", 1e-6..=1e15) {
        Ok(measured) => (measured, None),
        Err(problem) => (None, Some(problem)),
    };
    let mut slices: Vec<(&'static str, String)> = Vec::new();
    for column in ["task", "model", "gpu", "serving_stack", "weight_precision"] {
        slices.extend(line.text(column).map(|text| (column, text.to_owned())));
    }
    let assumed = asked.as_ref().map(Asked::assumed).unwrap_or_default();
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
        assumed,
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

    /// What the line does not say and is filled.
    fn assumed(&self) -> Vec<String> {
        let several = self.devices.is_some_and(|devices| devices > 1.0);
        let filled = [
            (self.devices.is_none(), "`n_gpus` is empty: one device"),
            (self.batch.is_none(), "`batch_size` is empty: one output at a time"),
            (several && self.ulysses.is_none(), "`ulysses_degree` is empty: heads are exchanged among all devices"),
        ];
        filled.into_iter().filter(|(holds, _)| *holds).map(|(_, what)| what.to_owned()).collect()
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
}

/// The estimate and what was known of the shape, or why there is none.
fn predict(
    catalog: &Catalog,
    method: &DiffusionMethod,
    asked: &Asked<'_>,
) -> Result<std::result::Result<(Prediction, Shape), String>> {
    let hardware = match found(gpu::named(catalog, asked.gpu, asked.source))? {
        Ok(hardware) => hardware,
        Err(reason) => return Ok(Err(reason)),
    };
    let job = match asked.job() {
        Ok(job) => job,
        Err(reason) => return Ok(Err(reason)),
    };
    let wanted = Wanted {
        model: asked.model,
        hardware,
        precision: asked.precision.as_deref(),
        denoiser_params: asked.denoiser_params,
        total_params: asked.total_params,
        video: asked.video,
        job,
    };
    let made = generate(catalog, method, &wanted)?;
    Ok(made.map(|made| {
        let (low, high) = made.range;
        (Prediction { value: made.generated.energy.0, low: low.0, high: high.0 }, made.shape)
    }))
}

fn shape_name(shape: Shape) -> &'static str {
    match shape {
        Shape::Known => "catalog",
        Shape::Sibling => "scaled",
        Shape::Laws => "parameter count",
    }
}
