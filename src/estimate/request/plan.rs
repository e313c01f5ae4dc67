//! What all requests of one kind share, compiled once.

use super::{ASSUMED_OUTPUT, Known, Planned, Request, RequestEstimate, check, envelope, mean_context};
use crate::estimate::columns::Values;
use crate::fleet::{Concurrency, Deployment, Fleet};
use crate::keys::{ROUTE_LABELS, Series};
use crate::physics::attention::doubled_area;
use crate::physics::inference::Features;
use crate::plan::{Deployed, LoadRule, Plan, Rate, Site, SiteHour};
use crate::{Error, Result};
use std::sync::{Arc, Mutex, PoisonError};

/// Concurrency a provider may run at around the default, down and up, where nothing is stated (*assumed*).
const CONCURRENCY_SPREAD: f64 = 4.0;

/// A deployment that requests are asked of, at a site in an hour: everything about them but their tokens.
///
/// ```
/// use std::sync::Arc;
/// use wattledger::estimate::{Request, RequestPlan, columns::sum};
/// use wattledger::fleet::Fleet;
/// let asked = Request { model: Some("llama-3.1-8b".into()), output_tokens: Some(500), ..Request::default() };
/// let plan = Arc::new(RequestPlan::new(&Fleet::assumed(), &asked)?);
/// let twice = Request { output_tokens: Some(1000), ..asked.clone() };
/// assert!(plan.estimate(&twice)?.value(sum("it_kwh")) > plan.estimate(&asked)?.value(sum("it_kwh")));
/// # Ok::<(), wattledger::Error>(())
/// ```
#[derive(Debug)]
pub struct RequestPlan {
    plan: Plan,
    at: usize,
    here: SiteHour,
    envelope: [SiteHour; 2],
    concurrency: Option<f64>,
    parameter_set: String,
    catalog: (&'static str, String),
    /// The load last asked for: most requests of a kind meet the same.
    last: Mutex<Option<Arc<AtLoad>>>,
}

/// Rates at a concurrency, and at the ends of what it and the size of the model may be.
#[derive(Debug)]
pub(super) struct AtLoad {
    pub concurrency: f64,
    pub rate: Rate,
    /// The loads at the ends, by size of the model.
    loads: Vec<[f64; 2]>,
    ends: Vec<[Rate; 2]>,
}

impl RequestPlan {
    /// Compiles what is asked; its tokens do not matter.
    ///
    /// # Errors
    /// As [`super::request`].
    pub fn new(fleet: &Fleet, asked: &Request) -> Result<Self> {
        check(asked)?;
        let (plan, at) = compile(fleet, asked)?;
        let here = plan.site_of(at).hour(asked.hour, None);
        Ok(Self {
            at,
            envelope: envelope(&here),
            here,
            concurrency: asked.concurrency,
            parameter_set: fleet.parameter_set().unwrap_or(crate::plan::DEFAULT_SET).to_owned(),
            catalog: (plan.catalog_edition(), fleet.catalog().content_hash().to_owned()),
            plan,
            last: Mutex::default(),
        })
    }

    /// Estimates a request by its tokens; all else of it is what this plan was made of.
    ///
    /// # Errors
    /// [`Error::OutOfRange`] for counts beyond 10⁹, and more cached than input tokens.
    pub fn estimate(self: &Arc<Self>, asked: &Request) -> Result<RequestEstimate> {
        check(asked)?;
        let deployed = self.deployed();
        let assumed = if deployed.widening.prefill_only { 0 } else { ASSUMED_OUTPUT };
        let output = asked.output_tokens.unwrap_or(assumed);
        let features = features(asked, output, deployed);
        let load = self.load(mean_context(asked.input_tokens, output));
        let mut value = Values::at_site(&load.rate.parts(&features), &self.here);
        value.embody(&deployed.embodied_per_s, value.sums[0]);
        Ok(RequestEstimate(Known::Planned(Box::new(Planned {
            plan: Arc::clone(self),
            load,
            input_tokens: asked.input_tokens,
            output_tokens: (asked.output_tokens, output),
            features,
            value,
        }))))
    }

    pub(super) fn plan(&self) -> &Plan {
        &self.plan
    }

    pub(super) fn deployed(&self) -> &Deployed {
        &self.plan.deployments()[self.at]
    }

    pub(super) fn site(&self) -> &Site {
        self.plan.site_of(self.at)
    }

    pub(super) fn here(&self) -> &SiteHour {
        &self.here
    }

    pub(super) fn catalog(&self) -> &(&'static str, String) {
        &self.catalog
    }

    pub(super) fn parameter_set(&self) -> &str {
        &self.parameter_set
    }

    /// The rates for requests of a mean context.
    fn load(&self, context: f64) -> Arc<AtLoad> {
        let deployed = self.deployed();
        let concurrency = self.concurrency.unwrap_or_else(|| deployed.fallback_concurrency(context));
        let stated = self.concurrency.is_some() || matches!(deployed.load, LoadRule::Declared(_));
        let spread = if stated { 1.0 } else { CONCURRENCY_SPREAD };
        let ends = |size: &Deployed| {
            [(concurrency * spread).min(size.limit(context)).max(1.0), (concurrency / spread).max(1.0)]
        };
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        let same = |load: &&Arc<AtLoad>| {
            let same = |a: f64, b: f64| a.to_bits() == b.to_bits();
            let mut loads = self.sizes().zip(&load.loads);
            same(load.concurrency, concurrency)
                && loads.all(|(size, known)| ends(size).iter().zip(known).all(|(a, b)| same(*a, *b)))
        };
        if let Some(known) = last.as_ref().filter(same) {
            return Arc::clone(known);
        }
        let loads: Vec<[f64; 2]> = self.sizes().map(ends).collect();
        let load = Arc::new(AtLoad {
            concurrency,
            rate: rate(deployed, concurrency),
            ends: self.sizes().zip(&loads).map(|(size, loads)| loads.map(|load| rate(size, load))).collect(),
            loads,
        });
        *last = Some(Arc::clone(&load));
        load
    }

    /// The deployment, and it at the ends of what a model may be that nobody discloses.
    fn sizes(&self) -> impl Iterator<Item = &Deployed> {
        std::iter::once(self.deployed()).chain(&self.deployed().ends)
    }

    /// The request at the ends of what nobody stated: its load, the size of its model, the system that cools it.
    pub(super) fn ends(&self, load: &AtLoad, features: &Features) -> Vec<Values> {
        let rates = self.sizes().zip(&load.ends).flat_map(|(size, rates)| rates.iter().map(move |rate| (size, rate)));
        let values = |(size, rate): (&Deployed, &Rate)| {
            let made = [size.embodied_per_s.low(), size.embodied_per_s.high()];
            let parts = rate.parts(features);
            [0, 1].map(|end| {
                let mut values = Values::at_site(&parts, &self.envelope[end]);
                values.embody(&made[end], values.sums[0]);
                values
            })
        };
        rates.flat_map(values).collect()
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
