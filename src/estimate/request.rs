//! One request: the whole chain from tokens to litres and grams, with the source of every coefficient.

use super::columns::{SUMS, Values, of_manufacture};
use super::explain::{Chain, Node, Step, steps, tree};
use crate::fleet::{Concurrency, Deployment, Fleet};
use crate::keys::{ROUTE_LABELS, Series};
use crate::physics::attention::doubled_area;
use crate::physics::inference::Features;
use crate::plan::{Assumption, Deployed, Fact, Plan, Rate, SiteHour};
use crate::units::Bounds;
use crate::{Error, Result};

/// Concurrency a provider may run at around the default, down and up, where nothing is stated (*assumed*).
const CONCURRENCY_SPREAD: f64 = 4.0;

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

/// A request's footprint with its range and its chain.
#[derive(Clone, Debug)]
pub struct RequestEstimate {
    /// Catalog id of the model.
    pub model: String,
    /// Catalog id of the accelerator.
    pub hardware: String,
    /// Accelerators of a replica.
    pub devices: f64,
    /// The site.
    pub site: String,
    /// Requests the replica runs at once.
    pub concurrency: f64,
    /// Value, low and high by column of [`SUMS`]; `None` is unknown.
    pub values: Vec<(&'static str, Option<[f64; 3]>)>,
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
/// concurrency is not stated, a quarter of the default to four times it.
///
/// # Errors
/// Names that are not known, or [`Error::OutOfRange`] for counts beyond 10⁹, more cached than input tokens, and
/// devices or a concurrency that cannot be.
pub fn request(fleet: &Fleet, asked: &Request) -> Result<RequestEstimate> {
    check(asked)?;
    let (plan, at) = compile(fleet, asked)?;
    let deployed = &plan.deployments()[at];
    let output = asked.output_tokens.unwrap_or(if deployed.widening.prefill_only { 0 } else { ASSUMED_OUTPUT });
    let features = features(asked, output, deployed);
    #[expect(clippy::cast_precision_loss, reason = "at most 10^9")]
    let mean_context = asked.input_tokens as f64 + output as f64 / 2.0;
    let mut remarks = Vec::new();
    let mut remark = |what: &str, value: String, why: &str| {
        remarks.push(Assumption { place: "request".into(), what: what.into(), value, why: why.into() });
    };
    if asked.output_tokens.is_none() {
        let why = if output > 0 { "not stated" } else { "not stated; the model generates none" };
        remark("output tokens", output.to_string(), why);
    }
    let stated = asked.concurrency.is_some();
    let concurrency = asked.concurrency.unwrap_or_else(|| deployed.fallback_concurrency(mean_context));
    let stated = stated || matches!(deployed.load, crate::plan::LoadRule::Declared(_));

    let limit = deployed.limit(mean_context);
    if concurrency > limit {
        remark("concurrency", crate::plan::plain(concurrency), &beyond(limit));
    }

    let parts = |concurrency: f64| rate(deployed, concurrency).parts(&features);
    let here = plan.site_of(at).hour(asked.hour, None);
    let mut value = Values::at_site(&parts(concurrency), &here);
    value.embody(&deployed.embodied_per_s, value.sums[0]);
    let ends = ranges(deployed, &features, concurrency, (stated, mean_context), &here);
    let method = deployed.half_width(concurrency).exp();
    let prefill = deployed.half_width_of_prefill(concurrency).exp();
    let prefill_column = super::columns::sum("prefill_kwh");
    let ranged = |i: usize| {
        let v = value.sums[i];
        let method = match i {
            i if i == prefill_column => prefill,
            i if of_manufacture(i) => 1.0,
            _ => method,
        };
        let low = ends.iter().fold(v, |low, end| low.min(end.sums[i])) / method;
        let high = ends.iter().fold(v, |high, end| high.max(end.sums[i])) * method;
        (!v.is_nan()).then_some([v, low, high])
    };
    let site = plan.site_of(at);
    let parts_here = parts(concurrency);
    let asked_w = (parts_here.prefill_j + parts_here.decode_j) / parts_here.replica_s;
    if asked_w > 1.01 * deployed.rated.0 {
        let value = format!("{asked_w:.0} W asked of {:.0} W rated", deployed.rated.0);
        let why = "such requests alone would run slower than the replica seconds say; logs are held to rated power";
        remark("accelerator power", value, why);
    }
    let context = asked.input_tokens + output;
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
        features: &features,
        parts: &parts_here,
        value: &value,
        hour: &here,
        plan: &plan,
    };
    let unknown = site.unknown.iter().map(|(column, reason)| ((*column).to_owned(), reason.clone()));
    Ok(RequestEstimate {
        model: deployed.model.clone(),
        hardware: deployed.hardware.clone(),
        devices: deployed.devices,
        site: site.name.clone(),
        concurrency,
        values: SUMS.iter().enumerate().map(|(i, c)| (c.name, ranged(i))).collect(),
        unknown: unknown.collect(),
        catalog: (plan.catalog_edition(), fleet.catalog().content_hash().to_owned()),
        parameter_set: fleet.parameter_set().unwrap_or(crate::plan::DEFAULT_SET).to_owned(),
        steps: steps(&link),
        tree: tree(&link),
        facts: plan.facts().to_vec(),
        assumptions: plan.assumptions().iter().cloned().chain(remarks).collect(),
    })
}

/// The request at the ends of what nobody stated: its load, and the size of a model that nobody discloses.
fn ranges(
    deployed: &Deployed,
    features: &Features,
    concurrency: f64,
    load: (bool, f64),
    hour: &SiteHour,
) -> Vec<Values> {
    let (stated, context) = load;
    let spread = if stated { 1.0 } else { CONCURRENCY_SPREAD };
    let sizes = std::iter::once(deployed).chain(&deployed.ends);
    sizes
        .flat_map(|size| {
            let limit = size.limit(context);
            let busy = (concurrency * spread).min(limit).max(1.0);
            [busy, (concurrency / spread).max(1.0)].map(|load| (size, load))
        })
        .flat_map(|(size, load)| {
            let made = &size.embodied_per_s;
            let ends = envelope(hour).into_iter().zip([made.low(), made.high()]);
            ends.map(move |(hour, made)| {
                let mut values = Values::at_site(&rate(size, load).parts(features), &hour);
                values.embody(&made, values.sums[0]);
                values
            })
        })
        .collect()
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

/// A plan in which the asked deployment stands, and its place.
fn compile(fleet: &Fleet, asked: &Request) -> Result<(Plan, usize)> {
    let stated = fleet.deployments();
    let overrides = asked.hardware.is_some() || asked.devices.is_some() || asked.precision.is_some();
    if let Some(name) = &asked.deployment {
        let at = stated.iter().position(|d| d.name == *name).ok_or_else(|| Error::UnknownName {
            kind: "deployment",
            name: name.clone(),
            nearest: crate::error::nearest(name, stated.iter().map(|d| d.name.as_str())),
        })?;
        let mut one = stated[at].clone();
        one.hardware = asked.hardware.clone().unwrap_or(one.hardware);
        one.devices = asked.devices.or(one.devices);
        one.precision = asked.precision.clone().or(one.precision);
        one.site = asked.site.clone().or(one.site);
        one.concurrency = asked.concurrency.map(Concurrency::Declared).or(one.concurrency);
        return Ok((Plan::single(fleet, &one)?, 0));
    }
    let Some(model) = &asked.model else {
        return Err(Error::Argument {
            what: "model".into(),
            value: "none".into(),
            expected: "the name of a model, or of a deployment of the fleet".into(),
        });
    };
    if !stated.is_empty() && !overrides {
        // A model the fleet serves is estimated as the fleet serves it.
        let mut labels: Vec<Option<Box<str>>> = vec![None; ROUTE_LABELS.len()];
        labels[1] = Some(model.as_str().into());
        labels[2] = asked.site.as_deref().map(Into::into);
        let plan = Plan::compile(fleet, &[Series::new(labels)])?;
        if let crate::plan::Target::Deployment(at) = plan.targets()[0]
            && !plan.deployments()[at].assumed
        {
            let mut one = stated[at].clone();
            one.site = asked.site.clone().or(one.site);
            one.concurrency = asked.concurrency.map(Concurrency::Declared).or(one.concurrency);
            return Ok((Plan::single(fleet, &one)?, 0));
        }
    }
    let hardware = asked.hardware.as_deref().unwrap_or(crate::plan::ASSUMED_HARDWARE);
    let one = Deployment {
        devices: asked.devices,
        precision: asked.precision.clone(),
        concurrency: asked.concurrency.map(Concurrency::Declared),
        site: asked.site.clone(),
        ..Deployment::plain("request", model, hardware)
    };
    let mut plan = Plan::single(fleet, &one)?;
    if asked.hardware.is_none() {
        plan.assume_hardware();
    }
    Ok((plan, 0))
}

#[expect(clippy::cast_precision_loss, reason = "counts are at most 10^9, their squares are rounded once")]
fn features(asked: &Request, output: u64, deployed: &Deployed) -> Features {
    let (input, cached) = (asked.input_tokens, asked.cached_tokens);
    let area = |x: u64| deployed.window.map_or(0, |w| doubled_area(x, u64::from(w)));
    let half = |doubled: u64| doubled as f64 / 2.0;
    Features {
        requests: 1.0,
        cached: cached as f64,
        uncached: (input - cached) as f64,
        prefill_pairs: half(input * input - cached * cached),
        prefill_window_pairs: half(area(input) - area(cached)),
        output: output as f64,
        context_pairs: half(2 * input * output + output * output),
        window_context_pairs: half(area(input + output) - area(input)),
    }
}

fn rate(deployed: &Deployed, concurrency: f64) -> Rate {
    Rate {
        coefficients: deployed.coefficients(concurrency),
        idle_j_per_s: 0.0,
        host_j_per_s: deployed.host.0,
        concurrency,
        provisioned_per_s: 0.0,
        busy_per_s: 0.0,
    }
}
