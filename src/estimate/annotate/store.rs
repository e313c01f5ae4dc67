//! Rates as weights and factors: features in, columns out, one set for each deployment and bin that is met.
//!
//! Every column is a multiple of IT energy, of replica time, or of the energy of prefill or decode alone, and these loads
//! are linear in the features. The factors are the columns of unit loads, worked out the way an estimate works out its
//! lines.

use super::simd::{DECODE, Factors, GROUP, IT, PREFILL, TIME, Weights};
use crate::estimate::Estimate;
use crate::estimate::columns::{Multiple, Values, multiple};
use crate::estimate::lines::charged;
use crate::plan::{Parts, Rate};
use std::collections::HashMap;

/// Bytes of weights and factors that are kept; beyond them all are forgotten.
const KEPT: usize = 64 << 20;

/// The slot of what is unknown.
const UNKNOWN: u32 = 0;
/// Not looked at yet.
const UNSEEN: u32 = u32::MAX;
/// The deployment of what goes nowhere.
pub(super) const NOWHERE: u32 = u32::MAX;

/// How the estimate counted the window of a deployment's model.
#[derive(Clone, Copy, Debug)]
pub(super) enum Window {
    None,
    Kept(u64),
    /// The ledger was made without it: full attention stands in, here as there.
    Missing,
}

impl Window {
    /// How an estimate counted the window of a deployment.
    pub fn of(estimate: &Estimate, deployment: usize) -> Self {
        match estimate.plan().deployments()[deployment].window {
            None => Self::None,
            Some(window) if estimate.windows.contains(&window) => Self::Kept(window.into()),
            Some(_) => Self::Missing,
        }
    }
}

/// The weights and factors of what was met so far, by bin and deployment.
#[derive(Debug)]
pub(super) struct Store {
    keep: Vec<usize>,
    features: usize,
    /// Whether a column is of prefill or decode alone, and whether one is of energy and of time.
    has: [bool; 2],
    loads: Vec<[u32; GROUP]>,
    pairs: Vec<[f64; 2]>,
    more: Vec<[f64; 2]>,
    of_load: Vec<[f64; GROUP]>,
    of_time: Vec<[f64; GROUP]>,
    /// Slots by bin, and in it by deployment.
    slots: HashMap<i64, Box<[u32]>>,
    deployments: usize,
}

impl Store {
    /// Room for the columns to keep of an estimate.
    pub fn new(estimate: &Estimate, keep: &[usize]) -> Self {
        let multiples: Vec<Multiple> = keep.iter().map(|column| multiple(*column)).collect();
        let load = |group: &[Multiple]| {
            let mut loads = [0; GROUP];
            for (load, multiple) in loads.iter_mut().zip(group) {
                let place = match multiple {
                    Multiple::It | Multiple::ItAndTime => IT,
                    Multiple::Time => TIME,
                    Multiple::Prefill => PREFILL,
                    Multiple::Decode => DECODE,
                };
                *load = u32::try_from(place).expect("loads are four");
            }
            loads
        };
        let any = |of: &[Multiple]| multiples.iter().any(|multiple| of.contains(multiple));
        let mut store = Self {
            keep: keep.to_vec(),
            features: features(estimate),
            has: [any(&[Multiple::Prefill, Multiple::Decode]), any(&[Multiple::ItAndTime])],
            loads: multiples.chunks(GROUP).map(load).collect(),
            pairs: Vec::new(),
            more: Vec::new(),
            of_load: Vec::new(),
            of_time: Vec::new(),
            slots: HashMap::new(),
            deployments: estimate.plan().deployments().len(),
        };
        store.forget();
        store
    }

    /// What rows are weighed with.
    pub fn weights(&self) -> Weights<'_> {
        Weights { pairs: &self.pairs, more: &self.more, features: self.features }
    }

    /// What a group of columns is made with.
    pub fn factors(&self, group: usize) -> Factors<'_> {
        let loads = self.loads[group];
        Factors { of_load: &self.of_load, of_time: &self.of_time, groups: self.loads.len(), group, loads }
    }

    /// Whether rows have features of windows.
    pub fn has_windows(&self) -> bool {
        self.features == FEATURES
    }

    /// Makes room for a tile: slots that were told before it are told anew.
    pub fn make_room(&mut self) {
        let pairs = size_of_val(self.pairs.as_slice()) + size_of_val(self.more.as_slice());
        let factors = size_of_val(self.of_load.as_slice()) + size_of_val(self.of_time.as_slice());
        let slots = self.slots.len() * self.deployments * size_of::<u32>();
        if pairs + factors + slots > KEPT {
            self.forget();
        }
    }

    fn forget(&mut self) {
        self.slots.clear();
        for cells in [&mut self.pairs, &mut self.more] {
            cells.clear();
        }
        for cells in [&mut self.of_load, &mut self.of_time] {
            cells.clear();
        }
        self.push([[f64::NAN; 4]; FEATURES], |_| [f64::NAN; 2]);
    }

    fn push(&mut self, weights: [[f64; 4]; FEATURES], factors: impl Fn(usize) -> [f64; 2]) {
        let [has_more, has_two] = self.has;
        let pair = |places: [usize; 2]| weights[..self.features].iter().map(move |row| places.map(|place| row[place]));
        self.pairs.extend(pair([IT, TIME]));
        if has_more {
            self.more.extend(pair([PREFILL, DECODE]));
        }
        for group in self.keep.chunks(GROUP) {
            let mut of = [[0.0; GROUP]; 2];
            for (i, column) in group.iter().enumerate() {
                [of[0][i], of[1][i]] = factors(*column);
            }
            self.of_load.push(of[0]);
            if has_two {
                self.of_time.push(of[1]);
            }
        }
    }

    /// Finds the slots of some events of one bin, by the deployment of each; those that are met for the first time get one
    /// now. [`NOWHERE`] is no deployment.
    pub fn find(&mut self, estimate: &Estimate, bin: i64, deployments: impl Iterator<Item = u32>, slots: &mut [u32]) {
        let mut known = self.slots.remove(&bin).unwrap_or_else(|| vec![UNSEEN; self.deployments].into());
        for (slot, deployment) in slots.iter_mut().zip(deployments) {
            // No deployment stands beyond all of them.
            *slot = match known.get_mut(deployment as usize) {
                None => UNKNOWN,
                Some(known) => {
                    if *known == UNSEEN {
                        *known = self.meet(estimate, bin, deployment as usize);
                    }
                    *known
                }
            };
        }
        self.slots.insert(bin, known);
    }

    #[cold]
    fn meet(&mut self, estimate: &Estimate, bin: i64, deployment: usize) -> u32 {
        let Some(unit) = Unit::new(estimate, deployment, bin) else { return UNKNOWN };
        let slot = self.pairs.len() / self.features;
        self.push(unit.weights(Window::of(estimate, deployment)), |column| unit.factors(column));
        u32::try_from(slot).expect("what is kept is small")
    }
}

/// Features of a row.
const FEATURES: usize = 8;

/// Features that any deployment of an estimate needs.
fn features(estimate: &Estimate) -> usize {
    if estimate.plan().deployments().iter().any(|deployed| deployed.window.is_some()) {
        return FEATURES;
    }
    let is_cached_free =
        |rate: &Rate| rate.coefficients.energy_j.cached == 0.0 && rate.coefficients.time_s.cached == 0.0;
    if estimate.rates().all().iter().all(is_cached_free) { 5 } else { 6 }
}

/// Columns of unit loads of one deployment in one bin.
struct Unit<'a> {
    rate: &'a Rate,
    /// Of a joule of prefill, a joule of decode, a second of a replica, and the same without what it draws.
    values: [Values; 4],
}

impl<'a> Unit<'a> {
    #[expect(clippy::float_cmp, reason = "1 is what no meter has touched")]
    fn new(estimate: &'a Estimate, deployment: usize, bin: i64) -> Option<Self> {
        let deployed = &estimate.plan().deployments()[deployment];
        let rate = estimate.rates().get(deployment, bin)?;
        let hour = charged(estimate.site_hours.get(deployed.site, bin)?, estimate.allocation);
        let scale = estimate.scales.get(&(deployment, bin)).copied().unwrap_or(1.0);
        let of = |parts: Parts| {
            let mut values = Values::at_site(&parts, &hour);
            if scale != 1.0 {
                values = values.scaled(scale);
            }
            values.provisioned_s = rate.provisioned_per_s * values.sums[0];
            values.embody(&deployed.embodied_per_s, values.standing_s());
            values
        };
        let nothing = Parts::default();
        let still = Parts { replica_s: 1.0, ..nothing };
        let second = Parts { idle_j: rate.idle_j_per_s, host_j: rate.host_j_per_s, ..still };
        let loads = [Parts { prefill_j: 1.0, ..nothing }, Parts { decode_j: 1.0, ..nothing }, second, still];
        Some(Self { rate, values: loads.map(of) })
    }

    /// What one unit of each feature weighs.
    fn weights(&self, window: Window) -> [[f64; 4]; FEATURES] {
        let (energy, time) = (&self.rate.coefficients.energy_j, &self.rate.coefficients.time_s);
        let drawn = self.rate.idle_j_per_s + self.rate.host_j_per_s;
        let loads = |place: usize, energy: f64, time: f64| {
            let mut loads = [0.0; 4];
            [loads[IT], loads[TIME], loads[place]] = [energy + drawn * time, time, energy];
            loads
        };
        let mut weights = [
            loads(PREFILL, energy.request, time.request),
            loads(PREFILL, energy.input, time.input),
            loads(PREFILL, energy.prefill_pair, time.prefill_pair),
            loads(DECODE, energy.output, time.output),
            loads(DECODE, energy.context, time.context),
            loads(PREFILL, energy.cached, time.cached),
            loads(PREFILL, energy.prefill_window_pair, time.prefill_window_pair),
            loads(DECODE, energy.window_context, time.window_context),
        ];
        if matches!(window, Window::Missing) {
            for (full, windowed) in [(2, 6), (4, 7)] {
                weights[full] = std::array::from_fn(|i| weights[full][i] + weights[windowed][i]);
            }
        }
        weights
    }

    /// A column's factor of its load, and of time beside it.
    fn factors(&self, column: usize) -> [f64; 2] {
        let [prefill, decode, second, still] = self.values.each_ref().map(|values| values.sums[column]);
        match multiple(column) {
            Multiple::It | Multiple::Prefill => [prefill, 0.0],
            Multiple::Decode => [decode, 0.0],
            Multiple::Time => [second, 0.0],
            Multiple::ItAndTime => [prefill, still],
        }
    }
}
