//! Measured serving configurations beside what the method says of them.
//!
//! Architecture, accelerator and load come from the row; the catalog adds datasheets and, for models it knows, which weights
//! are only looked up. Nothing measured goes into a prediction: not the power, not the throughput, not the latency.

use super::measured::{Cells, Configuration};
use super::read::{Line, Sheet};
use super::{Kind, Prediction, Report, Row, ecologits};
use crate::catalog::{Catalog, Engine, Parameter};
use crate::physics::inference::{Accelerator, Roofline};
use crate::physics::parameters::Stack;
use crate::physics::rated_power::cap;
use crate::physics::spread::{Evidence, Widening, half_width};
use crate::plan::{BASE_ENGINE, DEFAULT_SET, accelerator, chosen, is_fitted, parameters_of, publish, spread_of};
use crate::units::{Joules, Seconds};
use crate::{Error, Result};
use std::collections::BTreeSet;
use std::path::Path;

/// Input tokens of a task that states none and that the set has no value for.
const UNKNOWN_INPUT: f64 = 300.0;

/// What the method says of a row.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Outcome {
    /// Accelerator energy per output token, or per request where nothing is generated.
    pub energy: Joules,
    /// Wall time of the deployment per output token, or per request.
    pub time: Seconds,
    /// Half width of the 90 % interval of the energy, as a logarithm.
    pub half_width: f64,
}

/// A row in the terms of the method.
#[derive(Clone, Debug)]
pub struct Known {
    /// Network, load and serving.
    pub read: Configuration,
    /// The accelerator.
    pub accelerator: Accelerator,
    /// The generation whose parameters hold for it.
    pub generation: &'static str,
    /// What is measured on it.
    pub evidence: Evidence,
}

/// One row of a file.
#[derive(Clone, Debug)]
pub struct Measurement {
    /// Key of the row.
    pub id: String,
    /// Its cells.
    pub cells: Cells,
    /// The row in the terms of the method with its accelerator, or why it cannot be predicted.
    pub configuration: std::result::Result<Known, String>,
    /// What the row does not say and was filled.
    pub assumed: Vec<String>,
    /// Engine of the catalog, where it has the row's.
    engine: Option<&'static Engine>,
}

impl Measurement {
    fn read(line: Line<'_>, catalog: &'static Catalog) -> Self {
        let (cells, wrong) = Cells::read(line);
        let mut assumed = Vec::new();
        let read = wrong.map_or_else(|| Configuration::read(&cells, catalog, &mut assumed), Err);
        let configuration = read.and_then(|read| {
            let found = accelerator(catalog, &read.hardware).map_err(|error| error.to_string())?;
            let (accelerator, generation, evidence) = found;
            Ok(Known { read, accelerator, generation, evidence })
        });
        let engine = cells.text("serving_stack").and_then(|name| catalog.engine(name).ok()).map(|found| found.row);
        Self { id: line.id(), cells, configuration, assumed, engine }
    }

    /// Serving software as the row names it.
    #[must_use]
    pub fn stack(&self) -> &str {
        self.cells.text("serving_stack").unwrap_or("unknown")
    }

    /// The benchmark task.
    #[must_use]
    pub fn task(&self) -> &str {
        self.cells.text("task").unwrap_or("unknown")
    }
}

/// The widest expectation that a set states of a symbol, for whatever engine and generation.
fn widest(rows: &[&Parameter], symbol: &str) -> Option<f64> {
    let stated = rows.iter().filter(|row| row.layer == "stack" && row.symbol == symbol);
    stated.filter_map(|row| row.prior_sigma).max_by(f64::total_cmp)
}

/// A file of measurements, and the parameters it is predicted with.
#[derive(Clone, Debug)]
pub struct Measurements {
    /// The rows, in the order of the file.
    pub rows: Vec<Measurement>,
    parameters: Vec<Parameter>,
}

impl Measurements {
    /// Reads a CSV file with the columns of `data/measurements/inference.csv`.
    ///
    /// # Errors
    /// As [`super::validate`].
    pub fn read(path: &Path, catalog: &'static Catalog) -> Result<Self> {
        let sheet = Sheet::read(path, &["model", "gpu"])?;
        let rows = sheet.lines().map(|line| Measurement::read(line, catalog)).collect();
        let parameters = catalog.all_parameters()?.iter().filter(|row| row.set == DEFAULT_SET).cloned().collect();
        Ok(Self { rows, parameters })
    }

    /// The rows of the parameter set.
    #[must_use]
    pub fn parameters(&self) -> &[Parameter] {
        &self.parameters
    }

    /// Gives a parameter another value, by its id.
    ///
    /// # Errors
    /// [`Error::UnknownName`] for an id that the set does not have.
    pub fn set(&mut self, id: &str, value: f64) -> Result<()> {
        if let Some(row) = self.parameters.iter_mut().find(|row| row.id == id) {
            row.value = value;
            return Ok(());
        }
        let ids = || self.parameters.iter().map(|row| row.id.as_str());
        Err(Error::UnknownName { kind: "parameter", name: id.to_owned(), nearest: crate::error::nearest(id, ids()) })
    }

    /// Gives an engine that the set does not know a stack of its own on each generation its rows were measured on: the
    /// values of the set's base engine, and as what is expected of them before a fit those values again, as widely as the
    /// set expects its own. Ids of the new rows whose value a fit may find.
    ///
    /// # Errors
    /// [`Error::Argument`] for an engine that the set has a fit of, or that no row was measured with.
    pub fn add_engine(&mut self, engine: &str) -> Result<Vec<String>> {
        let refuse = |expected: String| Error::Argument { what: "engine".into(), value: engine.into(), expected };
        if engine == BASE_ENGINE || self.parameters.iter().any(|row| row.engine.as_deref() == Some(engine)) {
            let expected =
                format!("a name that parameter set {DEFAULT_SET} has no fit of; add a version or your own name");
            return Err(refuse(expected));
        }
        let generation = |row: &Measurement| row.configuration.as_ref().ok().map(|known| known.generation);
        let measured = |row: &&Measurement| row.stack() == engine;
        let generations: BTreeSet<&str> = self.rows.iter().filter(measured).filter_map(generation).collect();
        if generations.is_empty() {
            let found: BTreeSet<&str> = self.rows.iter().map(Measurement::stack).collect();
            let found = found.into_iter().collect::<Vec<_>>().join(", ");
            return Err(refuse(format!(
                "one of the file's column `serving_stack` with rows that can be predicted: {found}"
            )));
        }
        let rows: Vec<&Parameter> = self.parameters.iter().collect();
        let (mut added, mut free) = (Vec::new(), Vec::new());
        for generation in generations {
            for (symbol, _) in Stack::SYMBOLS {
                let Some(base) = chosen(&rows, symbol, BASE_ENGINE, generation) else { continue };
                let mut row = base.for_engine(engine, generation, base.value);
                // Where the set expects nothing of this generation, it may of another. Host times are this engine's own on
                // this generation, so that a factor on all of them would only stand for them.
                let width = base.prior_sigma.or_else(|| widest(&rows, symbol));
                let width = width.filter(|_| row.value > 0.0 && *symbol != "h");
                // What the set expects nothing of stays the base engine's.
                if width.is_none() {
                    continue;
                }
                (row.prior, row.prior_sigma) = (Some(base.value), width);
                free.push(row.id.clone());
                added.push(row);
            }
        }
        self.parameters.extend(added);
        Ok(free)
    }

    /// The rows of an engine's own stack that differ from what was expected: what a fit has found something about.
    #[must_use]
    pub fn found(&self, engine: &str) -> Vec<&Parameter> {
        let own = self.parameters.iter().filter(|row| row.layer == "stack" && row.engine.as_deref() == Some(engine));
        own.filter(|row| row.prior.is_some_and(|prior| (row.value / prior - 1.0).abs() > 1e-5)).collect()
    }

    /// The value of a task's nuisance: input tokens that its source does not publish, or host time of its media.
    fn of_task(&self, symbol: &str, task: &str) -> Option<f64> {
        let named =
            |row: &&Parameter| row.layer == "task" && row.symbol == symbol && row.subject.as_deref() == Some(task);
        self.parameters.iter().find(named).map(|row| row.value)
    }

    /// The engine of a row as the set names it: its own name where the set has rows of that, else the catalog's.
    fn engine<'a>(&'a self, row: &'a Measurement) -> &'a str {
        let own = row.stack();
        let known = self.parameters.iter().any(|parameter| parameter.engine.as_deref() == Some(own));
        row.engine.filter(|_| !known).map_or(own, |engine| engine.id.as_str())
    }

    /// Input tokens of a mean request of a row, and where they come from if not from the row.
    fn input(&self, row: &Measurement, read: &Configuration) -> (f64, Option<String>) {
        let task = row.task();
        match (read.input, self.of_task("input_tokens", task)) {
            (Some(stated), _) => (stated, None),
            (None, Some(fitted)) => {
                (fitted, Some(format!("`mean_input_tokens` is empty: as fitted for task `{task}`")))
            }
            (None, None) => {
                let why =
                    format!("`mean_input_tokens` is empty and task `{task}` is not known: {UNKNOWN_INPUT} tokens");
                (UNKNOWN_INPUT, Some(why))
            }
        }
    }

    /// What was filled in a row, or stands for what the set has no fit of.
    fn assumed(&self, row: &Measurement) -> Vec<String> {
        let Ok(Known { read, evidence, .. }) = &row.configuration else { return Vec::new() };
        let all: Vec<&Parameter> = self.parameters.iter().collect();
        let engine = self.engine(row);
        let software = (!is_fitted(&all, engine)).then(|| match row.engine {
            Some(known) => format!("no fit of engine `{}`: published host times, else {BASE_ENGINE}", known.id),
            None => format!("no fit of engine `{engine}`: as {BASE_ENGINE}"),
        });
        let hardware = &read.hardware;
        let silicon = match evidence {
            Evidence::Served => None,
            Evidence::Kernels => Some(format!("no serving energy of `{hardware}` in the fit: kernels alone")),
            Evidence::None => Some(format!("neither serving energy nor kernels of `{hardware}` in the fit")),
        };
        let input = self.input(row, read).1;
        row.assumed.iter().cloned().chain(input).chain(software).chain(silicon).collect()
    }

    /// What the method says of every row, or why it says nothing.
    ///
    /// # Errors
    /// [`Error::CatalogRow`] for a set that lacks a value.
    pub fn predict(&self) -> Result<Vec<std::result::Result<Outcome, String>>> {
        let mut known = std::collections::HashMap::new();
        let all: Vec<&Parameter> = self.parameters.iter().collect();
        let spread = spread_of(&all)?;
        self.rows
            .iter()
            .map(|row| {
                let Known { read, accelerator, generation, evidence } = match &row.configuration {
                    Ok(known) => known,
                    Err(reason) => return Ok(Err(reason.clone())),
                };
                let engine = self.engine(row);
                let fitted = is_fitted(&all, engine);
                let key = (engine, *generation);
                let parameters = if let Some(found) = known.get(&key) {
                    *found
                } else {
                    let mut found = parameters_of(&all, engine, generation)?;
                    if let Some(published) = row.engine.filter(|_| !fitted) {
                        publish(&mut found.stack, published);
                    }
                    known.insert(key, found);
                    found
                };
                let (input, _) = self.input(row, read);
                let guessed = read.input.is_none() && self.of_task("input_tokens", row.task()).is_none();
                let features = read.features(input);
                let roofline = Roofline::new(accelerator, &read.network, &read.serving, &parameters);
                let roofline = if read.output > 0.0 { roofline } else { roofline.prefill_only() };
                let at = roofline.coefficients(read.concurrency);
                let media_s = self.of_task("host_s", row.task()).unwrap_or(0.0);
                let (prefill, decode) = at.energy(&features);
                let busy = at.replica_time(&features).0 + media_s;
                let asked = prefill.0 + decode.0 + roofline.waiting_power().0 * media_s;
                // A device that is asked for more than its rated power takes longer instead.
                let rated = accelerator.rated_power * read.serving.layout.devices;
                let time = busy.max(asked / rated.0);
                let energy = asked * cap(rated, Seconds(time), Joules(asked));
                let per = if read.output > 0.0 { read.output } else { 1.0 };
                let widening = Widening {
                    blackwell: *generation == "blackwell",
                    evidence: *evidence,
                    unknown_engine: !fitted,
                    media: self.of_task("host_s", row.task()).is_some(),
                    unmeasured_serving: roofline.widening().unmeasured_serving || guessed,
                    ..roofline.widening()
                };
                let half_width = half_width(&spread, widening, None);
                Ok(Ok(Outcome { energy: Joules(energy / per), time: Seconds(time / per), half_width }))
            })
            .collect()
    }
}

/// Upper ends of the ranges of concurrency by which rows are grouped.
const LOADS: [(f64, &str); 5] =
    [(16.0, "1-16"), (64.0, "17-64"), (256.0, "65-256"), (1024.0, "257-1024"), (f64::INFINITY, "above 1024")];

/// Estimates every row of a file.
pub(super) fn validate(path: &Path) -> Result<Report> {
    let measurements = Measurements::read(path, Catalog::builtin())?;
    let outcomes = measurements.predict()?;
    let rows = measurements.rows.iter().zip(outcomes);
    let rows = rows.map(|(row, outcome)| reported(row, outcome, measurements.assumed(row))).collect();
    Ok(Report { kind: Kind::Inference, parameter_set: DEFAULT_SET, rows })
}

fn reported(row: &Measurement, outcome: std::result::Result<Outcome, String>, assumed: Vec<String>) -> Row {
    let mut slices: Vec<(&'static str, String)> = Vec::new();
    let columns = [
        "model",
        "model_group",
        "architecture",
        "gpu",
        "n_gpus",
        "weight_precision",
        "serving_stack",
        "task",
        "quality",
    ];
    for column in columns {
        // Counts come as `4.0` from tables of floats; a version stays what it is.
        let plain = |text: &str| if column == "n_gpus" { text.trim_end_matches(".0") } else { text }.to_owned();
        slices.extend(row.cells.text(column).map(|text| (column, plain(text))));
    }
    let load = row.cells.number("mean_batch").or(row.cells.number("max_batch"));
    let load = load.and_then(|load| LOADS.iter().find(|(upto, _)| load < upto + 0.5));
    slices.extend(load.map(|(_, name)| ("concurrency", (*name).to_owned())));
    let per_token = row.cells.number("mean_output_tokens").is_some_and(|tokens| tokens > 0.0);
    let (quantity, column) = if per_token {
        ("energy_per_output_token", "energy_per_output_token_j")
    } else {
        ("energy_per_request", "energy_per_request_j")
    };
    let size = row.cells.number("active_params_b").zip(row.cells.number("total_params_b"));
    Row {
        row_id: row.id.clone(),
        model: row.cells.text("model").unwrap_or_default().to_owned(),
        quantity,
        unit: "J",
        measured: measured_energy(&row.cells, column),
        predicted: outcome.map(|o| {
            let factor = o.half_width.exp();
            Prediction { value: o.energy.0, low: o.energy.0 / factor, high: o.energy.0 * factor }
        }),
        assumed,
        yardstick: size.filter(|_| per_token).map(|(active, total)| ecologits::joules_per_token(active, total)),
        slices,
    }
}

/// The measured energy; that of a request over its tokens where the row has only that.
fn measured_energy(cells: &Cells, column: &str) -> Option<f64> {
    let of_request = || {
        let tokens = cells.number("mean_output_tokens").filter(|tokens| *tokens > 0.0)?;
        Some(cells.number("energy_per_request_j")? / tokens)
    };
    cells.number(column).or_else(of_request)
}
