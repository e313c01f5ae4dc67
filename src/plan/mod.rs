//! The plan: a fleet compiled to numbers, once, for the routes of a ledger; immutable.
//!
//! Names are looked up here and nowhere later: each route gets its deployment, each deployment its method with every
//! coefficient worked out, each site its factors. Whatever was not stated is filled with a default and written down as an
//! [`Assumption`]; whatever came from a catalog is written down as a [`Fact`].

mod architecture;
mod deployment;
mod diffusion;
mod embodied;
mod generation;
mod machine;
mod parameters;
mod parts;
mod rates;
mod route;
mod serving;
mod site;
mod trainer;

pub use crate::catalog::WeatherOf;
pub use crate::physics::spread::Metered;
pub use architecture::{attention, network_of};
pub use deployment::{Deployed, LoadRule, Room};
pub use diffusion::{DIFFUSION_SET, DiffusionMethod, denoiser};
pub use embodied::{Component, Group, LIFETIME_YEARS, Machines, Made as Embodied, accelerator_parts};
pub use generation::{Made, Picture, Pictured, Wanted, found, generate};
pub use machine::accelerator_of as accelerator;
pub use parameters::{BASE_ENGINE, DEFAULT_SET, chosen, is_fitted, parameters, parameters_of, publish, spread_of};
pub use rates::{Parts, Rate, RateTable};
pub(crate) use route::ASSUMED_HARDWARE;
pub use site::{Around, Contracts, FacilityHour, GridHour, Level, Site, SiteHour, cooling_at};
pub use trainer::{Learner, Trainer, answer, is_gpu};

use crate::Result;
use crate::catalog::{Origin, Provenance};
use crate::fleet::Fleet;
use crate::keys::Series;
use serde::Serialize;
use std::collections::HashMap;

/// A value nobody stated.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Assumption {
    /// What it is about: a deployment, a site, the whole estimate.
    pub place: String,
    /// Which value.
    pub what: String,
    /// The value, with unit.
    pub value: String,
    /// Why this one.
    pub why: String,
}

/// A value with its birth certificate.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Fact {
    /// What it is about.
    pub place: String,
    /// Which value; the unit is in the name.
    pub what: String,
    /// The value.
    pub value: f64,
    /// Where it comes from.
    pub source: String,
    /// Day it was read there.
    pub retrieved: String,
    /// Licence of the source.
    pub licence: String,
    /// measured, vendor, derived, assumed or stated.
    pub quality: String,
}

/// Gathers facts and assumptions while a plan is compiled.
#[derive(Clone, Debug, Default)]
pub(crate) struct Notes {
    pub assumptions: Vec<Assumption>,
    pub facts: Vec<Fact>,
    /// Which assumptions and facts are about a place: the same is told once, and a large fleet has thousands.
    of_place: HashMap<String, (Vec<usize>, Vec<usize>)>,
}

impl Notes {
    fn assume(&mut self, place: &str, what: &str, value: impl Into<String>, why: &str) {
        let note = Assumption { place: place.into(), what: what.into(), value: value.into(), why: why.into() };
        let (known, _) = of_place(&mut self.of_place, place);
        push_new(&mut self.assumptions, known, note);
    }

    /// A value with its origin.
    fn fact(&mut self, place: &str, what: &str, value: f64, origin: Origin<'_>) {
        let fact = Fact {
            place: place.into(),
            what: what.into(),
            value,
            source: origin.source.into(),
            retrieved: origin.retrieved.into(),
            licence: origin.licence.into(),
            quality: origin.quality.name().into(),
        };
        let (_, known) = of_place(&mut self.of_place, place);
        push_new(&mut self.facts, known, fact);
    }

    /// A value of a catalog row; an assumed cell is also an assumption.
    fn cell(&mut self, place: &str, column: &str, value: f64, provenance: &Provenance) {
        let origin = provenance.of(column);
        self.fact(place, column, value, origin);
        if origin.quality.name() == "assumed" {
            self.assume(place, column, crate::plan::plain(value), "the catalog has no document behind it");
        }
    }

    /// A value the user stated.
    fn stated(&mut self, place: &str, what: &str, value: f64, source: &str) {
        self.facts.push(Fact {
            place: place.into(),
            what: what.into(),
            value,
            source: source.into(),
            retrieved: String::new(),
            licence: String::new(),
            quality: "stated".into(),
        });
    }
}

fn of_place<'a, T: Default>(places: &'a mut HashMap<String, T>, place: &str) -> &'a mut T {
    if !places.contains_key(place) {
        places.insert(place.to_owned(), T::default());
    }
    places.get_mut(place).expect("it is there by now")
}

fn push_new<T: PartialEq>(all: &mut Vec<T>, known: &mut Vec<usize>, one: T) {
    if !known.iter().any(|at| all[*at] == one) {
        known.push(all.len());
        all.push(one);
    }
}

/// A number as notes print it.
pub(crate) fn plain(value: f64) -> String {
    if value != 0.0 && !(1e-3..1e9).contains(&value.abs()) { format!("{value:e}") } else { format!("{value}") }
}

/// Where a route's events are estimated.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    /// A deployment of the plan, by number.
    Deployment(usize),
    /// Nowhere, with the reason.
    Nowhere(String),
}

/// A fleet compiled for a list of routes.
#[derive(Clone, Debug)]
pub struct Plan {
    deployments: Vec<Deployed>,
    sites: Vec<Site>,
    targets: Vec<Target>,
    notes: Notes,
    fleet_place: String,
    fleet_digest: String,
    catalog_digest: String,
}

impl Plan {
    /// Compiles a fleet for these routes. Routes no deployment claims are assumed from their model's name, or stand
    /// under [`Target::Nowhere`] where that means nothing.
    ///
    /// # Errors
    /// Names that no catalog row carries, settings that contradict each other, and
    /// [`crate::Error::RouteClaimedTwice`].
    pub fn compile(fleet: &Fleet, routes: &[Series]) -> Result<Self> {
        let mut plan = Self {
            deployments: Vec::new(),
            sites: Vec::new(),
            targets: Vec::new(),
            notes: Notes::default(),
            fleet_place: fleet.place().into(),
            fleet_digest: fleet.digest().into(),
            catalog_digest: fleet.catalog().content_hash().into(),
        };
        for stated in fleet.deployments() {
            let site = plan.site(fleet, stated.site.as_deref())?;
            let deployed = deployment::compile(fleet, stated, site, false, &mut plan.notes)?;
            plan.deployments.push(deployed);
        }
        let claims = route::Router::new(fleet, &plan);
        for route in routes {
            let target = claims.target(fleet, route.route(), &mut plan)?;
            plan.targets.push(target);
        }
        Ok(plan)
    }

    /// A plan of one deployment, for a single request.
    ///
    /// # Errors
    /// As [`Plan::compile`].
    pub fn single(fleet: &Fleet, deployment: &crate::fleet::Deployment) -> Result<Self> {
        let mut plan = Self::compile(&fleet.without_deployments(), &[])?;
        let site = plan.site(fleet, deployment.site.as_deref())?;
        let deployed = deployment::compile(fleet, deployment, site, false, &mut plan.notes)?;
        plan.deployments.push(deployed);
        Ok(plan)
    }

    /// A plan of one site and no deployment.
    ///
    /// # Errors
    /// As [`Plan::compile`].
    pub fn of_site(fleet: &Fleet, name: &str) -> Result<Self> {
        let mut plan = Self::compile(&fleet.without_deployments(), &[])?;
        plan.site(fleet, Some(name))?;
        Ok(plan)
    }

    /// Notes that the accelerator of the first deployment was not stated.
    pub(crate) fn assume_hardware(&mut self) {
        let place = format!("deployment `{}`", self.deployments[0].name);
        let hardware = self.deployments[0].hardware.clone();
        self.notes.assume(&place, "hardware", hardware, "not stated; a widely served data-centre GPU");
    }

    /// The place of a site in the plan, compiled when it is first asked for.
    fn site(&mut self, fleet: &Fleet, name: Option<&str>) -> Result<usize> {
        let name = name.unwrap_or(site::UNKNOWN);
        if let Some(at) = self.sites.iter().position(|site| site.name == name) {
            return Ok(at);
        }
        let site = site::compile(fleet, name, &mut self.notes)?;
        self.sites.push(site);
        Ok(self.sites.len() - 1)
    }

    /// The deployments, stated ones first.
    #[must_use]
    pub fn deployments(&self) -> &[Deployed] {
        &self.deployments
    }

    /// The sites.
    #[must_use]
    pub fn sites(&self) -> &[Site] {
        &self.sites
    }

    /// The site of a deployment.
    #[must_use]
    pub fn site_of(&self, deployment: usize) -> &Site {
        &self.sites[self.deployments[deployment].site]
    }

    /// Where each route goes, in the order they were given.
    #[must_use]
    pub fn targets(&self) -> &[Target] {
        &self.targets
    }

    /// Values nobody stated.
    #[must_use]
    pub fn assumptions(&self) -> &[Assumption] {
        &self.notes.assumptions
    }

    /// Values with their sources.
    #[must_use]
    pub fn facts(&self) -> &[Fact] {
        &self.notes.facts
    }

    /// The day the catalog's tables were compiled.
    #[must_use]
    pub fn catalog_edition(&self) -> &'static str {
        crate::catalog::Catalog::edition()
    }

    /// Where the fleet was read from, the digest of its text, and the digest of the catalog.
    #[must_use]
    pub fn inputs(&self) -> [&str; 3] {
        [&self.fleet_place, &self.fleet_digest, &self.catalog_digest]
    }
}
