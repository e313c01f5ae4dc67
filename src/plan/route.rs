//! Which deployment serves a route: by stated patterns, by name, by what it serves, or by assumption.

use super::{Plan, Target, deployment};
use crate::fleet::{Deployment, Fleet};
use crate::keys::{Label, ROUTE_LABELS, route_label};
use crate::{Error, Result};

/// Accelerator of a deployment nothing is known of: the most widely served data-centre GPU (*assumed*).
pub(crate) const ASSUMED_HARDWARE: &str = "h100-sxm5-80gb";

/// What a stated deployment claims without patterns.
struct Implicit {
    model: String,
    site: Option<String>,
}

pub(super) struct Router {
    implicit: Vec<Implicit>,
}

impl Router {
    pub(super) fn new(fleet: &Fleet, plan: &Plan) -> Self {
        let mut implicit = Vec::new();
        for (stated, deployed) in fleet.deployments().iter().zip(plan.deployments()) {
            let place = stated.site.as_deref().and_then(|name| {
                let known = fleet.sites().get(name).and_then(|site| site.catalog.as_deref()).unwrap_or(name);
                fleet.catalog().site(known).ok().map(|resolved| resolved.row.id.clone())
            });
            implicit.push(Implicit { model: deployed.model.clone(), site: place });
        }
        Self { implicit }
    }

    /// The deployment of a route; a new one is compiled into the plan where it has to be assumed.
    pub(super) fn target(&self, fleet: &Fleet, route: &[Label], plan: &mut Plan) -> Result<Target> {
        let stated = fleet.deployments();
        let by_pattern = |i: &usize| stated[*i].routes.as_ref().is_some_and(|m| m.covers(route));
        if let Some(at) = only(stated, route, (0..stated.len()).filter(by_pattern))? {
            return Ok(Target::Deployment(at));
        }
        let open = |i: &usize| stated[*i].routes.is_none();
        let by_name = |i: &usize| route_label(route, "deployment").is_some_and(|d| d == stated[*i].name);
        if let Some(at) = only(stated, route, (0..stated.len()).filter(open).filter(by_name))? {
            return Ok(Target::Deployment(at));
        }
        let model = route_label(route, "model").and_then(|name| fleet.catalog().model(name).ok());
        let place = catalog_site(fleet, route);
        let by_model = |i: &usize| {
            let claim = &self.implicit[*i];
            model.as_ref().is_some_and(|m| m.row.id == claim.model)
                && (claim.site.is_none() || place.is_none() || claim.site == place)
        };
        if let Some(at) = only(stated, route, (0..stated.len()).filter(open).filter(by_model))? {
            return Ok(Target::Deployment(at));
        }
        assume(fleet, route, place, plan)
    }
}

/// The only candidate; two are a contradiction only the user can solve.
fn only(stated: &[Deployment], route: &[Label], mut candidates: impl Iterator<Item = usize>) -> Result<Option<usize>> {
    match (candidates.next(), candidates.next()) {
        (Some(first), Some(second)) => Err(Error::RouteClaimedTwice {
            route: describe(route),
            first: stated[first].name.clone(),
            second: stated[second].name.clone(),
        }),
        (first, _) => Ok(first),
    }
}

/// The catalog site a route's region names.
fn catalog_site(fleet: &Fleet, route: &[Label]) -> Option<String> {
    let region = route_label(route, "region")?;
    let with_provider = route_label(route, "provider").map(|provider| format!("{provider}/{region}"));
    let names = with_provider.as_deref().into_iter().chain([region]);
    names.filter_map(|name| fleet.catalog().site(name).ok()).map(|resolved| resolved.row.id.clone()).next()
}

/// A shared deployment of the route's model on default hardware, at the region the log names.
fn assume(fleet: &Fleet, route: &[Label], place: Option<String>, plan: &mut Plan) -> Result<Target> {
    let Some(logged) = route_label(route, "model") else {
        return Ok(Target::Nowhere("the log names no model and no deployment of the fleet claims the route".into()));
    };
    let model = match fleet.catalog().model(logged) {
        Ok(model) => model,
        Err(error @ (Error::UnknownName { .. } | Error::AmbiguousName { .. })) => {
            return Ok(Target::Nowhere(error.to_string()));
        }
        Err(error) => return Err(error),
    };
    if model.row.shape().is_none() {
        let what = if model.row.architecture == "diffusion" {
            "makes images or video, not tokens"
        } else {
            "has no architecture in the catalog"
        };
        return Ok(Target::Nowhere(format!("model `{}` {what}", model.row.id)));
    }
    let logged_hardware = route_label(route, "hardware").and_then(|name| fleet.catalog().hardware(name).ok());
    let hardware = logged_hardware.map_or_else(|| ASSUMED_HARDWARE.to_owned(), |resolved| resolved.row.id.clone());
    let where_ = place.as_deref().unwrap_or(super::site::UNKNOWN);
    let mut name = format!("assumed: {} on {hardware} at {where_}", model.row.id);
    if let Some(precision) = &model.precision_hint {
        name = format!("{name}, {precision}");
    }
    if let Some(at) = plan.deployments.iter().position(|d| d.assumed && d.name == name) {
        return Ok(Target::Deployment(at));
    }
    let site = plan.site(fleet, place.as_deref())?;
    let stated = Deployment { site: place, ..Deployment::plain(name.clone(), logged, hardware.clone()) };
    let deployed = match deployment::compile(fleet, &stated, site, true, &mut plan.notes) {
        Ok(deployed) => deployed,
        Err(Error::FleetConflict { problem, .. }) => return Ok(Target::Nowhere(problem)),
        Err(error) => return Err(error),
    };
    plan.notes.assume(
        &format!("deployment `{name}`"),
        "hardware",
        hardware,
        "no deployment of the fleet claims the route",
    );
    plan.deployments.push(deployed);
    Ok(Target::Deployment(plan.deployments.len() - 1))
}

/// A route in words.
fn describe(route: &[Label]) -> String {
    let named =
        ROUTE_LABELS.iter().zip(route).filter_map(|(name, label)| Some(format!("{name}={}", label.as_deref()?)));
    let words: Vec<String> = named.collect();
    if words.is_empty() { "without labels".into() } else { words.join(" ") }
}
