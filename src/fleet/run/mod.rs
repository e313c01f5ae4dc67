//! Files of training runs: what was trained, on what, how long and with which overheads, beside the tables of a fleet.

mod read;

use super::Fleet;
use super::files::read_text;
use crate::hours::Series;
use crate::{Error, Result};
use std::path::Path;

/// What is done in a phase.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// From nothing, or on with the same objective.
    Pretraining,
    /// On examples.
    FineTuning,
    /// On what a teacher says.
    Distillation,
    /// On rewards.
    ReinforcementLearning,
    /// Anything else.
    Other,
}

impl Kind {
    const ALL: [Self; 5] =
        [Self::Pretraining, Self::FineTuning, Self::Distillation, Self::ReinforcementLearning, Self::Other];

    /// The word in files.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Pretraining => "pretraining",
            Self::FineTuning => "fine-tuning",
            Self::Distillation => "distillation",
            Self::ReinforcementLearning => "reinforcement-learning",
            Self::Other => "other",
        }
    }
}

/// What a figure of energy or power is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Boundary {
    /// The accelerators alone.
    Accelerators,
    /// Accelerators and host.
    It,
    /// The whole facility.
    Facility,
}

impl Boundary {
    /// The word in files.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Accelerators => "accelerators",
            Self::It => "it",
            Self::Facility => "facility",
        }
    }
}

/// Forward passes computed again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Again {
    /// None.
    None,
    /// The attention core.
    Selective,
    /// All.
    Full,
}

/// Answers generated on the way.
#[derive(Clone, Debug, PartialEq)]
pub struct Generation {
    /// How many.
    pub count: f64,
    /// The network, where it is not the one that learns.
    pub model: Option<String>,
    /// The accelerator, where it is not that of the phase.
    pub hardware: Option<String>,
    /// Accelerators of a replica.
    pub devices: Option<f64>,
    /// Mean prompt.
    pub input_tokens: f64,
    /// Mean answer.
    pub output_tokens: f64,
    /// Answers at once.
    pub concurrency: Option<f64>,
}

/// Shares of the work that counts.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Overheads {
    /// Time that accelerators wait for checkpoints.
    pub checkpointing: f64,
    /// Work lost and done again.
    pub restarts: f64,
    /// Runs given up.
    pub failed: f64,
    /// Ablations, searches, scaling runs.
    pub exploratory: f64,
}

/// A stretch of training as stated, with what the run says where it is silent.
#[derive(Clone, Debug, PartialEq)]
pub struct Phase {
    /// Its name.
    pub name: String,
    /// What is done.
    pub kind: Kind,
    /// Catalog name of the accelerator.
    pub hardware: String,
    /// Accelerators at once.
    pub accelerators: Option<f64>,
    /// Catalog name of the server.
    pub server: Option<String>,
    /// Name of the site.
    pub site: Option<String>,
    /// First hour.
    pub start: Option<i64>,
    /// First hour after the last.
    pub end: Option<i64>,
    /// Metered energy, in `MWh`, and of what.
    pub energy: Option<(f64, Boundary)>,
    /// Metered series, and of what.
    pub meter: Option<(Series, Boundary)>,
    /// Accelerator-hours.
    pub accelerator_hours: Option<f64>,
    /// Wall time in days.
    pub days: Option<f64>,
    /// Mean power of an accelerator, and of what.
    pub power: Option<(f64, Boundary)>,
    /// Catalog name of the network that learns.
    pub model: Option<String>,
    /// Weights a token is multiplied with.
    pub active_params: Option<f64>,
    /// Tokens trained on.
    pub tokens: Option<f64>,
    /// Length of the sequences.
    pub context_tokens: Option<f64>,
    /// Model FLOP.
    pub flop: Option<f64>,
    /// Model FLOPs utilisation.
    pub mfu: Option<f64>,
    /// Hardware FLOPs utilisation.
    pub hfu: Option<f64>,
    /// What is computed again.
    pub recomputation: Again,
    /// Whether matrices are in 8 bit.
    pub fp8: bool,
    /// Whether only adapters learn.
    pub adapters: bool,
    /// Catalog name of a network that is run forward.
    pub teacher: Option<String>,
    /// Weights that are only run forward.
    pub frozen_params: f64,
    /// Overheads.
    pub overheads: Overheads,
    /// Answers generated on the way.
    pub generation: Option<Generation>,
}

/// A run as stated.
#[derive(Clone, Debug)]
pub struct Run {
    /// Its name.
    pub name: String,
    /// Its phases, in the order of the file.
    pub phases: Vec<Phase>,
    /// Accelerators that stand there from the first start to the last end.
    pub reserved: Option<f64>,
    /// Service life of the machines.
    pub lifetime_years: Option<f64>,
    /// Year of purchase.
    pub purchase_year: Option<f64>,
    /// A published footprint for the accelerators.
    pub embodied: Option<String>,
    /// Tokens that the model will generate in its life.
    pub lifetime_output_tokens: Option<f64>,
    /// Sites and rows of the catalog in the same file.
    pub fleet: Fleet,
}

impl Run {
    /// A run from a file.
    ///
    /// # Errors
    /// [`Error::FileNotFound`], [`Error::FileAccess`], and as [`Run::parse`].
    pub fn load(path: &Path) -> Result<Self> {
        let folder = path.parent().unwrap_or_else(|| Path::new(""));
        read::run(&read_text(path)?, &path.to_string_lossy(), folder)
    }

    /// A run from its tables as JSON, keys and values as in a file.
    ///
    /// # Errors
    /// As [`Run::parse`].
    pub fn from_json(text: &str, place: &str) -> Result<Self> {
        let wrong = |problem: String| Error::FleetSyntax { place: place.into(), problem };
        let tables: toml::Table = serde_json::from_str(text).map_err(|error| wrong(error.to_string()))?;
        Self::parse(&toml::to_string(&tables).map_err(|error| wrong(error.to_string()))?, place)
    }

    /// A run from TOML; `place` names it in messages.
    ///
    /// ```
    /// let run = wattledger::fleet::Run::parse(r#"
    ///     [run]
    ///     hardware = "a100-sxm4-80gb"
    ///
    ///     [[phase]]
    ///     accelerator_hours = 1_720_320
    ///     power_w = 400
    /// "#, "run.toml")?;
    /// assert_eq!(run.phases[0].accelerator_hours, Some(1_720_320.0));
    /// # Ok::<(), wattledger::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::FleetSyntax`], [`Error::UnknownKey`], [`Error::OutOfRange`], [`Error::FleetConflict`] or a catalog error.
    pub fn parse(text: &str, place: &str) -> Result<Self> {
        read::run(text, place, Path::new(""))
    }
}
