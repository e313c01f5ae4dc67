//! Single events under the rates of an estimate: what `annotate` returns, row by row.
//!
//! The rates are those the estimate itself was made with, so the sum over a ledger's events plus what stayed unallocated
//! is the estimate.

mod simd;
mod store;

use super::Estimate;
use crate::event::{EventColumns, NO_TIME};
use crate::keys::{Label, SeriesTable};
use crate::lanes::{self, Float};
use crate::ledger::NULL_BIN;
use crate::physics::attention::doubled_area;
use crate::plan::Target;
use simd::{GROUP, Group, Loads, TILE, Tokens};
use std::collections::HashMap;
use std::sync::Arc;
use store::{NOWHERE, Store, Window};

/// The rates of an estimate, ready for the events of one series table.
///
/// It may be used again and again: what it worked out for a series and a bin is kept, within 64 MiB.
#[derive(Debug)]
pub struct Annotator {
    estimate: Arc<Estimate>,
    routes: HashMap<Box<[Label]>, usize>,
    /// Deployment of each series.
    series: Vec<u32>,
    /// How the window of each deployment was counted.
    windows: Vec<Window>,
    columns: usize,
    store: Store,
    tile: Box<Tile>,
    past_caches: bool,
}

/// What is worked out for a tile of events.
#[derive(Debug)]
struct Tile {
    slots: [u32; TILE],
    windowed: [[f64; 2]; TILE],
    loads: [Loads; TILE],
    values: Group,
}

impl Default for Tile {
    fn default() -> Self {
        Self { slots: [0; TILE], windowed: [[0.0; 2]; TILE], loads: [[0.0; 4]; TILE], values: [[0.0; TILE]; GROUP] }
    }
}

impl Annotator {
    /// Prepares an estimate's rates for some of the columns of [`super::columns::SUMS`], by their places.
    #[must_use]
    pub fn new(estimate: Arc<Estimate>, keep: &[usize]) -> Self {
        let targets = estimate.routes.iter().zip(estimate.plan().targets());
        let deployed = targets.filter_map(|(route, target)| match target {
            Target::Deployment(at) => Some((route.route().into(), *at)),
            Target::Nowhere(_) => None,
        });
        Self {
            routes: deployed.collect(),
            series: Vec::new(),
            windows: (0..estimate.plan().deployments().len()).map(|at| Window::of(&estimate, at)).collect(),
            columns: keep.len(),
            store: Store::new(&estimate, keep),
            tile: Box::default(),
            past_caches: false,
            estimate,
        }
    }

    /// Writes the values of each event, one column for each that is kept, each as long as there are events; not a number
    /// where an event has no deployment, or none that was active in its bin.
    ///
    /// # Panics
    /// If there are other than as many columns as are kept, or a column is too short.
    pub fn annotate<T: Float>(&mut self, events: &EventColumns<'_>, table: &SeriesTable, columns: &mut [&mut [T]]) {
        assert_eq!(columns.len(), self.columns, "one slice for each column that is kept");
        self.learn(table);
        let width = i64::from(self.estimate.bin_seconds());
        let bin = |time: i64| match events.ticks.micros(time) {
            NO_TIME => NULL_BIN,
            time => time.div_euclid(width * 1_000_000) * width,
        };
        let of_all = events.span.map(|(first, last)| (bin(first), bin(last)));
        let none = [0; TILE];
        for start in (0..events.series.len()).step_by(TILE) {
            let rows = start..events.series.len().min(start + TILE);
            self.store.make_room();
            let bins = of_all.filter(|(first, last)| first == last).unwrap_or_else(|| {
                let (first, last) = lanes::span(&events.time[rows.clone()]);
                (bin(first), bin(last))
            });
            let Tile { slots, windowed, loads, values } = &mut *self.tile;
            let (slots, windowed) = (&mut slots[..rows.len()], &mut windowed[..rows.len()]);
            let loads = &mut loads[..rows.len()];
            let series = &events.series[rows.clone()];
            let (of_series, mut from) = (&self.series, 0);
            let times = &events.time[rows.clone()];
            // Neighbours of one bin are looked for together.
            for same in times.chunk_by(|a, b| bins.0 == bins.1 || bin(*a) == bin(*b)) {
                let to = from + same.len();
                let deployments = series[from..to].iter().map(|series| of_series[*series as usize]);
                self.store.find(&self.estimate, bin(same[0]), deployments, &mut slots[from..to]);
                from = to;
            }
            let cached = events.cached_tokens.map_or(&none[..rows.len()], |cached| &cached[rows.clone()]);
            let (input, output) = (&events.input_tokens[rows.clone()], &events.output_tokens[rows.clone()]);
            if self.store.has_windows() {
                for (i, pairs) in windowed.iter_mut().enumerate() {
                    let window = self.windows.get(self.series[series[i] as usize] as usize);
                    *pairs = window_pairs(window, [input[i], cached[i], output[i]]);
                }
            }
            simd::weigh(Tokens { input, cached, output, windowed }, slots, self.store.weights(), loads);
            for (group, columns) in columns.chunks_mut(GROUP).enumerate() {
                simd::spread(loads, slots, self.store.factors(group), values);
                for (column, values) in columns.iter_mut().zip(values.iter()) {
                    T::store(&values[..rows.len()], &mut column[rows.clone()], self.past_caches);
                }
            }
        }
        lanes::settle();
    }

    /// Says whether results are written past the caches: faster for columns that no cache holds, slower for what is read
    /// at once.
    pub fn past_caches(&mut self, past_caches: bool) {
        self.past_caches = past_caches;
    }

    fn learn(&mut self, table: &SeriesTable) {
        for series in &table.series()[self.series.len()..] {
            let deployment = self.routes.get(series.route()).and_then(|at| u32::try_from(*at).ok());
            self.series.push(deployment.unwrap_or(NOWHERE));
        }
    }
}

/// Pairs inside the window of a model, in prefill and in decode.
#[expect(clippy::cast_precision_loss, reason = "rounding once, to the nearest")]
fn window_pairs(window: Option<&Window>, tokens: [u32; 3]) -> [f64; 2] {
    let Some(Window::Kept(window)) = window else { return [0.0; 2] };
    let [input, cached, output] = tokens.map(u64::from);
    let [c, i, o] = [cached, input, input + output].map(|x| doubled_area(x, *window));
    [(i - c) as f64 / 2.0, (o - i) as f64 / 2.0]
}
