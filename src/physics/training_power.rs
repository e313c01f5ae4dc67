//! Mean power of an accelerator while it trains, where nobody metered it: less than rated, and its host beside it.
//!
//! ```text
//! P = P_r·x
//! x = min( 0.75 + 0.40·u, 0.97 )     a language model on GPUs
//! x = 0.55                           a small job on GPUs
//! x = 0.60                           reinforcement learning on GPUs
//! x = 0.43                           other accelerators
//! H = 0.3·P_r
//! ```
//!
//! | symbol | meaning | unit |
//! |---|---|---|
//! | P | mean power of an accelerator over the time it trains, checkpoints included | W |
//! | `P_r` | rated power | W |
//! | u | model FLOPs utilisation | – |
//! | H | its share of the host, where no server is named | W |
//!
//! A small job has fewer than 10⁹ weights, or nobody says how many, and takes fewer than 2000 accelerator-hours: such jobs
//! wait for data and for their own code. Power is nearly flat where utilisation is not: kernels that wait for memory or for
//! each other draw power too, so hours are what a low utilisation costs.
//!
//! Source: line through nine means of H100 (J. Morrison et al., arXiv:2503.05804, table 1, 542 to 607 W; Olmo 3, 624 and
//! 649 W; J. Fernandez et al., arXiv:2411.13055, slope of 0.36 within one code), whose utilisation is partly inferred from
//! the same energy; small jobs: J. Dodge et al. (FAccT 2022), 0.30 to 0.86; other accelerators: B. Cottier et al.
//! (arXiv:2405.21015), 0.43 for TPUs, as D. Patterson et al. (arXiv:2104.10350) measured with host; reinforcement learning:
//! *assumed*; H: nodes of eight H100 draw 0.27 (immersed, MLPerf Training 4.0) to 0.49 (air, I. Latif et al.,
//! arXiv:2412.08602) of rated power beside their GPUs. Range: u from 0.05 to 0.6. Error: docs/validation.md, slice *watts
//! predicted*; the half widths below are those of 90 %.

use crate::units::Watts;

/// What kind of work an accelerator trains on.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Class {
    /// A network that fills GPUs, at a utilisation.
    Large(f64),
    /// A small job on GPUs.
    Small,
    /// Updates between answers that are generated.
    Reinforcement,
    /// No GPU.
    Custom,
}

/// Share of rated power that the host of an accelerator draws where no server is named.
pub const HOST_OVER_RATED: f64 = 0.3;
/// Weights below which a job may be a small one.
pub const SMALL_WEIGHTS: f64 = 1e9;
/// Accelerator-hours below which it then is.
pub const SMALL_HOURS: f64 = 2000.0;

/// What is known of a job, to tell its class.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Job {
    /// Whether it runs on GPUs.
    pub gpu: bool,
    /// Whether it learns from rewards on answers that it generates.
    pub reinforcement: bool,
    /// Weights a token is multiplied with, where anybody says.
    pub weights: Option<f64>,
    /// Accelerator-hours, where they are known.
    pub hours: Option<f64>,
    /// Model FLOPs utilisation.
    pub utilisation: f64,
}

impl Class {
    /// The class of a job.
    ///
    /// ```
    /// use wattledger::physics::training_power::{Class, Job};
    /// let tuned = Job { gpu: true, reinforcement: false, weights: Some(8e9), hours: Some(4.0), utilisation: 0.3 };
    /// assert_eq!(Class::of(&tuned), Class::Large(0.3));
    /// assert_eq!(Class::of(&Job { weights: None, ..tuned }), Class::Small);
    /// assert_eq!(Class::of(&Job { gpu: false, ..tuned }), Class::Custom);
    /// ```
    #[must_use]
    pub fn of(job: &Job) -> Self {
        let small = job.weights.is_none_or(|weights| weights < SMALL_WEIGHTS);
        match job {
            Job { gpu: false, .. } => Self::Custom,
            Job { reinforcement: true, .. } => Self::Reinforcement,
            _ if small && job.hours.is_some_and(|hours| hours < SMALL_HOURS) => Self::Small,
            _ => Self::Large(job.utilisation),
        }
    }

    /// Share of rated power, and half the width of its 90 % interval as a logarithm.
    #[must_use]
    pub fn share(self) -> (f64, f64) {
        match self {
            Self::Large(utilisation) => ((0.75 + 0.40 * utilisation).min(0.97), 0.15),
            Self::Small => (0.55, 0.60),
            Self::Reinforcement => (0.60, 0.40),
            Self::Custom => (0.43, 0.35),
        }
    }
}

/// Mean power of an accelerator that trains.
///
/// ```
/// use wattledger::physics::training_power::{Class, mean_power};
/// use wattledger::units::Watts;
/// // OLMo 2 7B on H100: 607 W metered over its development.
/// let h100 = mean_power(Watts(700.0), Class::Large(0.23));
/// assert!((h100.0 / 607.0 - 1.0).abs() < 0.03);
/// ```
#[must_use]
pub fn mean_power(rated: Watts, class: Class) -> Watts {
    rated * class.share().0
}
