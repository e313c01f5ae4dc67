//! Training runs: from what is stated of a run to the columns of an estimate, hour by hour, over its dates and sites.
//!
//! A phase has its energy from a meter, from accelerator-hours and power, or from the FLOP of its tokens; whichever is
//! stated first in that order. What is lost, repeated and tried beside the work that counts stands in rows of its own.

mod beside;
mod compile;
mod factors;
mod spread;
mod table;
mod time;

pub use beside::{Beside, Served, Shared};
pub use compile::{Basis, Compiled, Generated, Known};
pub use factors::Factor;
pub use table::RUN_GROUPS;

use crate::Result;
use crate::estimate::columns::{Values, sum};
use crate::estimate::{MadeOf, Total, made_of};
use crate::fleet::Run;
use crate::plan::{Assumption, Fact, Plan, WeatherOf};
use std::collections::{BTreeMap, BTreeSet};

/// What a row of a run is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Activity {
    /// The work that counts.
    Training,
    /// Answers generated on the way.
    Generation,
    /// Accelerators that wait for checkpoints.
    Checkpointing,
    /// Work lost and done again.
    Restarts,
    /// Runs given up.
    Failed,
    /// Ablations, searches, scaling runs.
    Exploratory,
    /// Reserved accelerators that no phase uses.
    Idle,
}

impl Activity {
    /// The word in tables.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Training => "training",
            Self::Generation => "generation",
            Self::Checkpointing => "checkpointing",
            Self::Restarts => "restarts",
            Self::Failed => "failed",
            Self::Exploratory => "exploratory",
            Self::Idle => "idle",
        }
    }
}

/// An activity of a phase in an hour.
#[derive(Clone, Debug)]
struct Line {
    phase: usize,
    activity: Activity,
    site: usize,
    hour: Option<i64>,
    values: Values,
}

/// A run in the columns of an estimate.
///
/// ```
/// use wattledger::{fleet::Run, training::TrainingEstimate};
/// let run = Run::parse(r#"
///     [run]
///     hardware = "a100-sxm4-80gb"
///     site = "lab"
///
///     [[phase]]
///     energy_mwh = 1287
///     energy_boundary = "facility"
///
///     [site.lab]
///     pue = 1.1
///     carbon_direct_g_per_kwh = 429
/// "#, "gpt3.toml")?;
/// let estimate = TrainingEstimate::new(&run)?;
/// let total = estimate.total();
/// let tonnes = total.value(wattledger::estimate::columns::sum("co2e_location_g")).unwrap() / 1e6;
/// assert!((tonnes - 552.1).abs() < 0.1, "as Patterson et al. 2021");
/// # Ok::<(), wattledger::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct TrainingEstimate {
    name: String,
    plan: Plan,
    phases: Vec<Compiled>,
    lines: Vec<Line>,
    period: Option<(i64, i64)>,
    lifetime_output_tokens: Option<f64>,
    reserved: Option<f64>,
    digest: String,
}

/// Says how near the factors of its grid and its weather are to the hours of a run, where they are not of these hours.
fn tell_years(plan: &mut Plan, lines: &[Line]) {
    let hours: BTreeSet<(usize, i64)> = lines.iter().filter_map(|line| Some((line.site, line.hour?))).collect();
    let mut levels: BTreeMap<(usize, &str), u64> = BTreeMap::new();
    let mut weather: BTreeMap<(usize, String), u64> = BTreeMap::new();
    for (site, hour) in hours {
        let at = plan.sites()[site].hour(Some(hour), None);
        let near = |level: &str| level.starts_with("stated") || level.ends_with("-hour");
        if let Some((_, level)) = at.grid.direct.filter(|(_, level)| !near(level.name())) {
            *levels.entry((site, level.name())).or_default() += 1;
        }
        if let Some(other) = at.facility.weather.and_then(WeatherOf::stands_in) {
            *weather.entry((site, other)).or_default() += 1;
        }
    }
    let place = |plan: &Plan, site: usize| format!("site `{}`", plan.sites()[site].name);
    for ((site, level), hours) in levels {
        let told = format!("{level}, {hours} h");
        plan.assume(&place(plan, site), "carbon factor", told, "that of the hour is not known");
    }
    for ((site, other), hours) in weather {
        let told = format!("{other}, {hours} h");
        plan.assume(&place(plan, site), "weather", told, "that of the hour is not known");
    }
}

impl TrainingEstimate {
    /// Estimates a run.
    ///
    /// # Errors
    /// Names that no catalog row carries, settings that contradict each other, [`crate::Error::FleetConflict`] where
    /// nothing says how much was done.
    pub fn new(run: &Run) -> Result<Self> {
        let mut plan = Plan::of_run(run)?;
        let phases =
            run.phases.iter().map(|phase| compile::compile(run, phase, &mut plan)).collect::<Result<Vec<_>>>()?;
        let lines = spread::spread(run, &plan, &phases)?;
        tell_years(&mut plan, &lines);
        let period = spread::period(&phases);
        Ok(Self {
            name: run.name.clone(),
            plan,
            phases,
            lines,
            period,
            lifetime_output_tokens: run.lifetime_output_tokens,
            reserved: run.reserved,
            digest: run.fleet.digest().into(),
        })
    }

    /// The machines of the run: each kind once, as many as stand there at most, whichever phases use them.
    #[must_use]
    pub fn machines(&self) -> Vec<MadeOf> {
        let mut kinds: Vec<(String, &Compiled, f64)> = Vec::new();
        for phase in &self.phases {
            let count = self.reserved.or(phase.accelerators).unwrap_or(1.0);
            let same = |one: &&mut (String, &Compiled, f64)| one.1.trainer.made == phase.trainer.made;
            match kinds.iter_mut().find(same) {
                Some((names, _, most)) => {
                    names.push_str(", ");
                    names.push_str(&phase.name);
                    *most = most.max(count);
                }
                None => kinds.push((phase.name.clone(), phase, count)),
            }
        }
        let embodied = sum("co2e_embodied_g");
        kinds
            .iter()
            .map(|(names, phase, count)| {
                let mut made = made_of(names, &phase.trainer.hardware, &phase.trainer.made, (*count, *count));
                let mine = |line: &&Line| {
                    line.activity != Activity::Generation && self.phases[line.phase].trainer.made == phase.trainer.made
                };
                let grams: f64 = self.lines.iter().filter(mine).map(|line| line.values.sums[embodied]).sum();
                made.amortised_kgco2e = Some(grams / 1e3);
                made
            })
            .collect()
    }

    /// Name of the run.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its phases.
    #[must_use]
    pub fn phases(&self) -> &[Compiled] {
        &self.phases
    }

    /// First hour and first after the last, since 1970; `None` where no phase has dates.
    #[must_use]
    pub fn period(&self) -> Option<(i64, i64)> {
        self.period
    }

    /// Tokens that the model will generate in its life, where they are stated.
    #[must_use]
    pub fn lifetime_output_tokens(&self) -> Option<f64> {
        self.lifetime_output_tokens
    }

    /// The plan of its sites.
    #[must_use]
    pub fn plan(&self) -> &Plan {
        &self.plan
    }

    /// Values nobody stated.
    #[must_use]
    pub fn assumptions(&self) -> &[Assumption] {
        self.plan.assumptions()
    }

    /// Values with their sources.
    #[must_use]
    pub fn facts(&self) -> &[Fact] {
        self.plan.facts()
    }

    /// Digest of the run's file.
    #[must_use]
    pub fn digest(&self) -> &str {
        &self.digest
    }

    /// Sums over everything.
    #[must_use]
    pub fn total(&self) -> Total {
        self.sum(|_| true)
    }

    fn sum(&self, keep: impl Fn(&Line) -> bool) -> Total {
        let mut total = Total::default();
        for line in self.lines.iter().filter(|line| keep(line)) {
            total.add_whole(&line.values);
        }
        total
    }
}
