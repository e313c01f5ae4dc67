//! One request: the whole chain from tokens to litres and grams, with the source of every coefficient.

mod plan;

pub use plan::RequestPlan;

use super::columns::{SUMS, Values, of_manufacture, sum};
use super::explain::{Chain, Node, Step, steps, tree};
use crate::fleet::Fleet;
use crate::physics::inference::Features;
use crate::plan::{Assumption, Fact, SiteHour};
use crate::units::Bounds;
use crate::{Error, Result};
use plan::AtLoad;
use std::borrow::Cow;
use std::sync::Arc;

/// Generated tokens where they are not stated (*assumed*): those of the golden values.
const ASSUMED_OUTPUT: u64 = 500;

/// A request to estimate.
#[derive(Clone, Debug, Default)]
pub struct Request {
    /// Catalog name of the model; not needed with `deployment`.
    pub model: Option<String>,
    /// Name of a deployment of the fleet.
    pub deployment: Option<String>,
    /// Catalog name of the accelerator.
    pub hardware: Option<String>,
    /// Accelerators of a replica.
    pub devices: Option<f64>,
    /// Precision of the weights.
    pub precision: Option<String>,
    /// Site of the fleet or of the catalog.
    pub site: Option<String>,
    /// Requests the replica runs at once.
    pub concurrency: Option<f64>,
    /// Input tokens, cached ones included.
    pub input_tokens: u64,
    /// Input tokens read from a cache.
    pub cached_tokens: u64,
    /// Generated tokens; where they are not stated, 500 of a network that generates and none of another.
    pub output_tokens: Option<u64>,
    /// The hour, since 1970, at which it runs; where it is not stated, a year's mean.
    pub hour: Option<i64>,
}

impl Request {
    /// Whether another differs in nothing but its tokens.
    #[must_use]
    pub fn is_like(&self, other: &Self) -> bool {
        let bits = |value: Option<f64>| value.map(f64::to_bits);
        self.model == other.model
            && self.deployment == other.deployment
            && self.site == other.site
            && self.hour == other.hour
            && self.hardware == other.hardware
            && self.precision == other.precision
            && bits(self.devices) == bits(other.devices)
            && bits(self.concurrency) == bits(other.concurrency)
    }
}

/// A request's footprint with its range and its chain.
///
/// The value is worked out at once, everything else when it is asked for.
#[derive(Clone, Debug)]
pub struct RequestEstimate(Known);

#[derive(Clone, Debug)]
enum Known {
    Planned(Box<Planned>),
    /// What a job of another kind came to.
    Told(Box<Told>),
}

#[derive(Clone, Debug)]
struct Planned {
    plan: Arc<RequestPlan>,
    load: Arc<AtLoad>,
    input_tokens: u64,
    /// As stated, and as taken.
    output_tokens: (Option<u64>, u64),
    features: Features,
    value: Values,
}

/// A footprint that is worked out as a whole.
#[derive(Clone, Debug)]
pub(super) struct Told {
    pub model: String,
    pub hardware: String,
    pub devices: f64,
    pub site: String,
    pub concurrency: f64,
    /// Value, low and high by column of [`SUMS`]; `None` is unknown.
    pub values: Vec<Option<[f64; 3]>>,
    pub details: Details,
}

/// The chain behind a request's footprint.
#[derive(Clone, Debug)]
pub struct Details {
    /// Why columns are unknown.
    pub unknown: Vec<(String, String)>,
    /// The parameter set behind it.
    pub parameter_set: String,
    /// Edition of the catalog, and the hash of all of it.
    pub catalog: (&'static str, String),
    /// The chain, link by link.
    pub steps: Vec<Step>,
    /// The same chain as a tree, down to the sources.
    pub tree: Node,
    /// Values with their sources.
    pub facts: Vec<Fact>,
    /// Values nobody stated.
    pub assumptions: Vec<Assumption>,
}

/// Estimates one request on a fleet; on the default fleet model and output tokens suffice.
///
/// Idle is not charged: it is not the request's. The range is the 90 % interval of the method and, where the
/// concurrency is not stated, a quarter of the default to four times it. Whoever estimates many requests of one kind makes
/// a [`RequestPlan`] of them once.
///
/// # Errors
/// Names that are not known, or [`Error::OutOfRange`] for counts beyond 10⁹, more cached than input tokens, and
/// devices or a concurrency that cannot be.
pub fn request(fleet: &Fleet, asked: &Request) -> Result<RequestEstimate> {
    check(asked)?;
    Arc::new(RequestPlan::new(fleet, asked)?).estimate(asked)
}

impl RequestEstimate {
    pub(super) fn told(told: Told) -> Self {
        Self(Known::Told(Box::new(told)))
    }

    /// Catalog id of the model.
    #[must_use]
    pub fn model(&self) -> &str {
        match &self.0 {
            Known::Planned(planned) => &planned.plan.deployed().model,
            Known::Told(told) => &told.model,
        }
    }

    /// Catalog id of the accelerator.
    #[must_use]
    pub fn hardware(&self) -> &str {
        match &self.0 {
            Known::Planned(planned) => &planned.plan.deployed().hardware,
            Known::Told(told) => &told.hardware,
        }
    }

    /// Accelerators of a replica.
    #[must_use]
    pub fn devices(&self) -> f64 {
        match &self.0 {
            Known::Planned(planned) => planned.plan.deployed().devices,
            Known::Told(told) => told.devices,
        }
    }

    /// The site.
    #[must_use]
    pub fn site(&self) -> &str {
        match &self.0 {
            Known::Planned(planned) => &planned.plan.site().name,
            Known::Told(told) => &told.site,
        }
    }

    /// Requests the replica runs at once.
    #[must_use]
    pub fn concurrency(&self) -> f64 {
        match &self.0 {
            Known::Planned(planned) => planned.load.concurrency,
            Known::Told(told) => told.concurrency,
        }
    }

    /// The value of a column of [`SUMS`], by its place; `None` is unknown.
    #[must_use]
    pub fn value(&self, column: usize) -> Option<f64> {
        match &self.0 {
            Known::Planned(planned) => Some(planned.value.sums[column]).filter(|value| !value.is_nan()),
            Known::Told(told) => told.values[column].map(|[value, ..]| value),
        }
    }

    /// Name, and value, low and high, of every column of [`SUMS`]; `None` is unknown.
    #[must_use]
    pub fn values(&self) -> Vec<(&'static str, Option<[f64; 3]>)> {
        let values = match &self.0 {
            Known::Planned(planned) => Cow::Owned(planned.ranges()),
            Known::Told(told) => Cow::Borrowed(&told.values),
        };
        SUMS.iter().map(|column| column.name).zip(values.iter().copied()).collect()
    }

    /// The chain behind it.
    #[must_use]
    pub fn details(&self) -> Cow<'_, Details> {
        match &self.0 {
            Known::Planned(planned) => Cow::Owned(planned.details()),
            Known::Told(told) => Cow::Borrowed(&told.details),
        }
    }
}

impl Planned {
    fn ranges(&self) -> Vec<Option<[f64; 3]>> {
        let (plan, concurrency) = (&self.plan, self.load.concurrency);
        let (deployed, ends) = (plan.deployed(), plan.ends(&self.load, &self.features));
        let method = deployed.half_width(concurrency).exp();
        let prefill = deployed.half_width_of_prefill(concurrency).exp();
        let prefill_column = sum("prefill_kwh");
        let ranged = |i: usize| {
            let v = self.value.sums[i];
            let method = match i {
                i if i == prefill_column => prefill,
                i if of_manufacture(i) => 1.0,
                _ => method,
            };
            let low = ends.iter().fold(v, |low, end| low.min(end.sums[i])) / method;
            let high = ends.iter().fold(v, |high, end| high.max(end.sums[i])) * method;
            (!v.is_nan()).then_some([v, low, high])
        };
        (0..SUMS.len()).map(ranged).collect()
    }

    fn details(&self) -> Details {
        let plan = &self.plan;
        let (deployed, site, here) = (plan.deployed(), plan.site(), plan.here());
        let concurrency = self.load.concurrency;
        let parts = self.load.rate.parts(&self.features);
        let (stated_output, output) = self.output_tokens;
        let mut remarks = Vec::new();
        let mut remark = |what: &str, value: String, why: &str| {
            remarks.push(Assumption { place: "request".into(), what: what.into(), value, why: why.into() });
        };
        if stated_output.is_none() {
            let why = if output > 0 { "not stated" } else { "not stated; the model generates none" };
            remark("output tokens", output.to_string(), why);
        }
        let limit = deployed.limit(mean_context(self.input_tokens, output));
        if concurrency > limit {
            remark("concurrency", crate::plan::plain(concurrency), &beyond(limit));
        }
        let asked_w = (parts.prefill_j + parts.decode_j) / parts.replica_s;
        if asked_w > 1.01 * deployed.rated.0 {
            let value = format!("{asked_w:.0} W asked of {:.0} W rated", deployed.rated.0);
            let why = "such requests alone would run slower than the replica seconds say; logs are held to rated power";
            remark("accelerator power", value, why);
        }
        let context = self.input_tokens + output;
        if let Some(most) = deployed.max_context.filter(|most| u64_to_f64(context) > *most) {
            let value = format!("{context} tokens, the model reads at most {}", crate::plan::plain(most));
            remark("context", value, "estimated all the same");
        }
        if let Some(stands_in) = here.facility.weather.and_then(crate::plan::WeatherOf::stands_in) {
            let why = format!("station `{}` does not reach the hour", site.station.as_deref().unwrap_or("?"));
            remark("weather", stands_in, &why);
        }
        let link = Chain {
            deployed,
            concurrency,
            features: &self.features,
            parts: &parts,
            value: &self.value,
            hour: here,
            plan: plan.plan(),
        };
        let unknown = site.unknown.iter().map(|(column, reason)| ((*column).to_owned(), reason.clone()));
        Details {
            unknown: unknown.collect(),
            catalog: plan.catalog().clone(),
            parameter_set: plan.parameter_set().to_owned(),
            steps: steps(&link),
            tree: tree(&link),
            facts: plan.plan().facts().to_vec(),
            assumptions: plan.plan().assumptions().iter().cloned().chain(remarks).collect(),
        }
    }
}

fn mean_context(input: u64, output: u64) -> f64 {
    u64_to_f64(input) + u64_to_f64(output) / 2.0
}

/// The hour at the ends of what the site may be: its cooling system is not always known.
pub(super) fn envelope(hour: &SiteHour) -> [SiteHour; 2] {
    let (pue, wue) = (hour.facility.pue_range, hour.facility.wue_range);
    let end = |pue: f64, wue: f64| {
        let mut end = *hour;
        let average = &mut end.facility.average;
        // Cooling and power delivery keep their proportion; water consumed goes with what is taken in.
        let overhead = average.cooling + average.power_delivery;
        let share = if overhead > 0.0 { (pue - 1.0) / overhead } else { 1.0 };
        average.cooling *= share;
        average.power_delivery *= share;
        if average.water_input_l > 0.0 {
            average.water_consumed_l *= wue / average.water_input_l;
        }
        average.water_input_l = wue;
        end
    };
    [end(pue.0, wue.0), end(pue.1, wue.1)]
}

/// Why a stated concurrency cannot be.
pub(super) fn beyond(limit: f64) -> String {
    format!("stated; a replica holds at most {limit:.0} requests of this context, so the estimate is low")
}

#[expect(clippy::cast_precision_loss, reason = "at most 2·10^9")]
const fn u64_to_f64(count: u64) -> f64 {
    count as f64
}

fn check(asked: &Request) -> Result<()> {
    let limit = crate::event::limits::TOKENS;
    for (what, count) in [("input_tokens", asked.input_tokens), ("output_tokens", asked.output_tokens.unwrap_or(0))] {
        if count > limit {
            return Err(out_of_range(what, count, limit));
        }
    }
    if asked.cached_tokens > asked.input_tokens {
        return Err(Error::Argument {
            what: "cached_tokens".into(),
            value: asked.cached_tokens.to_string(),
            expected: format!("at most the {} input tokens, which include them", asked.input_tokens),
        });
    }
    for (value, bounds) in [(asked.concurrency, Bounds::CONCURRENCY), (asked.devices, Bounds::DEVICES)] {
        if let Some(value) = value.filter(|value| !bounds.contains(*value)) {
            return Err(Error::OutOfRange {
                place: "request".into(),
                what: bounds.what.into(),
                value: value.to_string(),
                low: bounds.low,
                high: bounds.high,
                unit: bounds.unit,
            });
        }
    }
    Ok(())
}

#[expect(clippy::cast_precision_loss, reason = "a limit for people")]
fn out_of_range(what: &str, count: u64, limit: u64) -> Error {
    Error::OutOfRange {
        place: "request".into(),
        what: what.into(),
        value: count.to_string(),
        low: 0.0,
        high: limit as f64,
        unit: "tokens",
    }
}
