//! What an estimate does not know: columns with the reason, and models that no row of the catalog is named for.

use super::Estimate;
use super::columns::{self, COUNTS, SUMS};
use super::lines::Line;
use crate::keys::route_label;
use crate::plan::Target;
use serde::Serialize;
use std::collections::BTreeMap;

/// A column that is unknown for some requests, and why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Unknown {
    /// Name of the column.
    pub column: String,
    /// Why.
    pub reason: String,
    /// Requests it concerns.
    pub requests: u128,
}

/// A name of a model that is estimated nowhere, with its volume.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnknownModel {
    /// The name in the log; `None` where the log names none.
    pub model: Option<String>,
    /// Why it is estimated nowhere.
    pub reason: String,
    /// Requests, input, cached and output tokens.
    pub counts: [u128; COUNTS.len()],
}

impl Estimate {
    /// Where each line without a deployment would have gone, and why it did not.
    fn nowhere<'a>(&'a self, routes: &'a [u32]) -> impl Iterator<Item = (&'a Line, u32, &'a str)> {
        self.lines.iter().filter(|line| line.counts[0] > 0).filter_map(|line| {
            let route = *routes.get(line.series? as usize)?;
            match &self.plan.targets()[route as usize] {
                Target::Nowhere(reason) => Some((line, route, reason.as_str())),
                Target::Deployment(_) => None,
            }
        })
    }

    pub(super) fn unknowns(&self, routes: &[u32]) -> Vec<Unknown> {
        let mut found: BTreeMap<(usize, String), u128> = BTreeMap::new();
        for (line, _, reason) in self.nowhere(routes) {
            *found.entry((columns::sum("it_kwh"), reason.to_owned())).or_default() += line.counts[0];
        }
        for (at, requests) in self.unknown_requests() {
            let site = self.plan.site_of(at);
            for (column, requests) in requests.into_iter().enumerate().filter(|(_, requests)| *requests > 0) {
                let stated = site.unknown.iter().find(|(name, _)| *name == SUMS[column].name);
                let reason = stated.map_or_else(
                    || format!("site `{}`: not known in these hours, or its factors contradict each other", site.name),
                    |(_, reason)| reason.clone(),
                );
                *found.entry((column, reason)).or_default() += requests;
            }
        }
        let unknown = |((column, reason), requests): ((usize, String), u128)| Unknown {
            column: SUMS[column].name.into(),
            reason,
            requests,
        };
        found.into_iter().map(unknown).collect()
    }

    /// By deployment, the requests whose value is unknown in each column.
    fn unknown_requests(&self) -> BTreeMap<usize, [u128; SUMS.len()]> {
        let mut requests = BTreeMap::new();
        for line in self.lines.iter().filter(|line| line.counts[0] > 0) {
            let Some(at) = line.deployment() else { continue };
            let unknown = self.unknown_columns(line);
            if unknown != 0 {
                let requests = requests.entry(at).or_insert([0; SUMS.len()]);
                columns::bits(unknown).for_each(|column| requests[column] += line.counts[0]);
            }
        }
        requests
    }

    /// Models that are estimated nowhere, the one with most tokens first.
    pub(super) fn models_of_nothing(&self, routes: &[u32]) -> Vec<UnknownModel> {
        let mut found: BTreeMap<(Option<String>, String), [u128; COUNTS.len()]> = BTreeMap::new();
        for (line, route, reason) in self.nowhere(routes) {
            let model = route_label(self.routes[route as usize].route(), "model").map(str::to_owned);
            let counts = found.entry((model, reason.to_owned())).or_default();
            for (sum, count) in counts.iter_mut().zip(line.counts) {
                *sum += count;
            }
        }
        let mut models: Vec<UnknownModel> =
            found.into_iter().map(|((model, reason), counts)| UnknownModel { model, reason, counts }).collect();
        models.sort_by_key(|one| std::cmp::Reverse((one.counts[1] + one.counts[3], one.counts[0])));
        models
    }
}
