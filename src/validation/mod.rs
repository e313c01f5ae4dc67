//! Predictions beside measurements: a file of measured energies in, every row with its estimate and the errors out.
//!
//! A file has the columns of the bundled one of its kind (`data/measurements`), any rows; further columns are ignored.
//! Nothing is dropped: a row that cannot be predicted stays, with the reason.
//!
//! ```
//! use std::path::Path;
//! use wattledger::validation::{Kind, validate};
//!
//! let report = validate(Kind::ImageVideo, Path::new("data/measurements/image-video.csv"))?;
//! let summary = report.summary();
//! assert_eq!((summary.rows, summary.n), (1138, 1138));
//! assert!(summary.median_ape < Some(0.1));
//! # Ok::<(), wattledger::Error>(())
//! ```

mod ecologits;
mod facility;
mod gpu;
mod image_video;
pub mod inference;
pub mod measured;
mod read;
mod report;
mod summary;
mod training;
mod training_line;

pub use summary::Summary;

use crate::{Error, Result};
use std::path::Path;

/// What a file of measurements is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Energy of tokens served by language models.
    Inference,
    /// Energy of images and videos made by diffusion models.
    ImageVideo,
    /// Annual PUE and WUE of sites.
    Facility,
    /// Energy, emissions, water and hours of training runs.
    Training,
}

impl Kind {
    /// Kinds that can be validated.
    pub const ALL: [Self; 4] = [Self::Inference, Self::ImageVideo, Self::Facility, Self::Training];

    /// The name, as the command takes it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Inference => "inference",
            Self::ImageVideo => "image-video",
            Self::Facility => "facility",
            Self::Training => "training",
        }
    }

    /// The kind of that name.
    ///
    /// # Errors
    /// [`Error::Argument`] for a name that is no kind.
    pub fn parse(name: &str) -> Result<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name).ok_or_else(|| {
            let known: Vec<&str> = Self::ALL.into_iter().map(Self::name).collect();
            Error::Argument {
                what: "kind of measurements".into(),
                value: name.to_owned(),
                expected: known.join(" or "),
            }
        })
    }
}

/// An estimate with its 90 % interval, in the unit of its row.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Prediction {
    /// The estimate, the median of the interval.
    pub value: f64,
    /// Low end of the 90 % interval.
    pub low: f64,
    /// High end of the 90 % interval.
    pub high: f64,
}

/// One measured quantity beside its estimate.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    /// Key of the row: its `row_id`, else its line, `line 12`.
    pub row_id: String,
    /// The model as the file names it.
    pub model: String,
    /// What was measured.
    pub quantity: &'static str,
    /// Unit of all its numbers.
    pub unit: &'static str,
    /// The measurement; `None` where the cell is empty.
    pub measured: Option<f64>,
    /// The estimate, or why there is none.
    pub predicted: std::result::Result<Prediction, String>,
    /// What the row does not say and was filled.
    pub assumed: Vec<String>,
    /// What EcoLogits' published formula gives, where it says anything; the same quantity.
    pub yardstick: Option<f64>,
    /// Labels by which rows are grouped, such as `gpu` and `H100`.
    pub slices: Vec<(&'static str, String)>,
}

impl Row {
    /// Estimate over measurement, where both are known.
    #[must_use]
    pub fn ratio(&self) -> Option<f64> {
        Some(self.predicted.as_ref().ok()?.value / self.measured.filter(|measured| *measured != 0.0)?)
    }
}

/// The rows of a file with their estimates.
#[derive(Clone, Debug, PartialEq)]
pub struct Report {
    /// What the file is about.
    pub kind: Kind,
    /// The parameter set behind the estimates.
    pub parameter_set: &'static str,
    /// Every row of the file, in its order.
    pub rows: Vec<Row>,
}

/// Reads a file of measurements and estimates every row of it with the catalog of the package.
///
/// # Errors
/// [`Error::FileNotFound`] and [`Error::FileAccess`] for a file that cannot be opened, [`Error::Measurements`] for
/// one that is no CSV or lacks a column, [`Error::CatalogRow`] for a catalog that breaks its rules.
pub fn validate(kind: Kind, path: &Path) -> Result<Report> {
    match kind {
        Kind::Inference => inference::validate(path),
        Kind::ImageVideo => image_video::validate(path),
        Kind::Facility => facility::validate(path),
        Kind::Training => training::validate(path),
    }
}
