//! Single events under the rates of an estimate: what `annotate` returns, row by row.
//!
//! The rates are those the estimate itself was made with, so the sum over a ledger's events plus what stayed unallocated
//! is the estimate.

use super::columns::{SUMS, Values};
use super::lines::charged;
use super::{Estimate, rates};
use crate::event::{EventColumns, NO_TIME};
use crate::keys::SeriesTable;
use crate::ledger::NULL_BIN;
use crate::physics::attention::doubled_area;
use crate::plan::{Rate, SiteHour, Target};
use std::collections::HashMap;

/// Rates by series, ready for the events of one scan.
pub struct Annotator<'a> {
    estimate: &'a Estimate,
    routes: HashMap<&'a [crate::keys::Label], &'a Target>,
    /// Per series: its deployment, and the rate of the bin last asked for.
    series: Vec<Option<Series<'a>>>,
}

/// How the estimate counted the window of a deployment's model.
#[derive(Clone, Copy)]
enum Window {
    None,
    Kept(u64),
    /// The ledger was made without it: full attention stands in, here as there.
    Missing,
}

#[derive(Clone, Copy)]
struct Series<'a> {
    deployment: usize,
    window: Window,
    bin: i64,
    rate: Option<&'a Rate>,
    /// The site in the hour of the bin, with the overhead that its load is charged.
    hour: Option<SiteHour>,
    /// What meters scale the bin with.
    scale: f64,
}

impl<'a> Annotator<'a> {
    /// Prepares an estimate's rates for the routes of its ledger.
    #[must_use]
    pub fn new(estimate: &'a Estimate) -> Self {
        let targets = estimate.plan().targets();
        let routes = estimate.routes.iter().map(crate::keys::Series::route).zip(targets).collect();
        Self { estimate, routes, series: Vec::new() }
    }

    /// Values of each event, one column per [`SUMS`]; not a number where an event has no deployment, or none that was
    /// active in its bin.
    #[must_use]
    pub fn annotate(&mut self, events: &EventColumns<'_>, table: &SeriesTable) -> Vec<Vec<f64>> {
        self.learn(table);
        let mut columns = vec![Vec::with_capacity(events.series.len()); SUMS.len()];
        for i in 0..events.series.len() {
            let values = self.event(events, i);
            for (column, value) in columns.iter_mut().zip(values.sums) {
                column.push(value);
            }
        }
        columns
    }

    fn learn(&mut self, table: &SeriesTable) {
        for series in &table.series()[self.series.len()..] {
            self.series.push(match self.routes.get(series.route()) {
                Some(Target::Deployment(at)) => Some(Series {
                    deployment: *at,
                    window: match self.estimate.plan().deployments()[*at].window {
                        None => Window::None,
                        Some(window) if self.estimate.windows.contains(&window) => Window::Kept(window.into()),
                        Some(_) => Window::Missing,
                    },
                    bin: i64::MAX,
                    rate: None,
                    hour: None,
                    scale: 1.0,
                }),
                _ => None,
            });
        }
    }

    #[expect(clippy::float_cmp, reason = "1 is what no meter has touched")]
    fn event(&mut self, events: &EventColumns<'_>, i: usize) -> Values {
        let Some(series) = &mut self.series[events.series[i] as usize] else { return Values::UNKNOWN };
        let bin = match events.time_us(i) {
            NO_TIME => NULL_BIN,
            time => {
                let width = i64::from(self.estimate.bin_seconds());
                time.div_euclid(width * 1_000_000) * width
            }
        };
        if series.bin != bin {
            series.bin = bin;
            let (estimate, deployment) = (self.estimate, series.deployment);
            let site = estimate.plan().deployments()[deployment].site;
            series.rate = estimate.rates().get(deployment, bin);
            series.hour = estimate.site_hours.get(site, bin).map(|hour| charged(hour, estimate.allocation));
            series.scale = estimate.scales.get(&(deployment, bin)).copied().unwrap_or(1.0);
        }
        let (Some(rate), Some(hour)) = (series.rate, &series.hour) else { return Values::UNKNOWN };
        let [input, cached, output] = [
            u64::from(events.input_tokens[i]),
            events.cached_tokens.map_or(0, |c| u64::from(c[i])),
            u64::from(events.output_tokens[i]),
        ];
        let sums =
            [1, input, cached, output, input * input, cached * cached, input * output, output * output].map(u128::from);
        let window = match series.window {
            Window::None => Some([0, 0]),
            Window::Missing => None,
            Window::Kept(w) => {
                let [c, i, o] = [cached, input, input + output].map(|x| u128::from(doubled_area(x, w)));
                Some([i - c, o - i])
            }
        };
        let mut values = Values::at_site(&rate.parts(&rates::features(&sums, window)), hour);
        if series.scale != 1.0 {
            values = values.scaled(series.scale);
        }
        values.provisioned_s = rate.provisioned_per_s * values.sums[0];
        let made = &self.estimate.plan().deployments()[series.deployment].embodied_per_s;
        values.embody(made, values.standing_s());
        values
    }
}
