//! Rates as weights and factors: features in, columns out, one set for each series and bin that is met.
//!
//! Every column is a multiple of IT energy, of replica time, or of the energy of prefill or decode alone, and these loads
//! are linear in the features. The factors are the columns of unit loads, worked out the way an estimate works out its
//! lines.

use super::simd::{DECODE, Factors, GROUP, IT, PREFILL, TIME, Weights};
use crate::estimate::Estimate;
use crate::estimate::columns::{Multiple, Values, multiple};
use crate::estimate::lines::charged;
use crate::ledger::NULL_BIN;
use crate::plan::{Parts, Rate};

/// Bytes of weights and factors that are kept; beyond them all are forgotten.
const KEPT: usize = 64 << 20;

/// The slot of what is unknown.
const UNKNOWN: u32 = 0;
/// Not looked at yet.
const UNSEEN: u32 = u32::MAX;

/// How the estimate counted the window of a deployment's model.
#[derive(Clone, Copy, Debug)]
pub(super) enum Window {
    None,
    Kept(u64),
    /// The ledger was made without it: full attention stands in, here as there.
    Missing,
}

/// The weights and factors of what was met so far, by bin and series.
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
    bins: Bins,
    /// Slots by bin, and in it by series; the bin of events without a time comes last.
    slots: Vec<Vec<u32>>,
    met: usize,
}

/// From the first to the last bin of an estimate.
#[derive(Clone, Copy, Debug)]
struct Bins {
    first: i64,
    width: i64,
    count: usize,
}

impl Store {
    /// Room for the columns to keep of an estimate.
    pub fn new(estimate: &Estimate, keep: &[usize]) -> Self {
        let width = i64::from(estimate.bin_seconds());
        let timed = estimate.rates().bins().filter(|bin| *bin != NULL_BIN);
        let (first, last) = timed.fold((i64::MAX, i64::MIN), |ends, bin| (ends.0.min(bin), ends.1.max(bin)));
        let count = if first <= last { usize::try_from((last - first) / width + 1).unwrap_or(0) } else { 0 };
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
            bins: Bins { first, width, count },
            slots: vec![Vec::new(); count + 1],
            met: 0,
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
        if pairs + factors + self.met * size_of::<u32>() > KEPT {
            self.forget();
        }
    }

    fn forget(&mut self) {
        self.slots.iter_mut().for_each(Vec::clear);
        self.met = 0;
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

    /// Place of a bin among the slots; `None` for one that the estimate does not reach.
    pub fn place(&self, bin: i64) -> Option<usize> {
        if bin == NULL_BIN {
            return Some(self.bins.count);
        }
        let from_first = bin.checked_sub(self.bins.first)? / self.bins.width;
        usize::try_from(from_first).ok().filter(|place| *place < self.bins.count && bin >= self.bins.first)
    }

    fn bin(&self, place: usize) -> i64 {
        if place == self.bins.count {
            return NULL_BIN;
        }
        self.bins.first + i64::try_from(place).unwrap_or(0) * self.bins.width
    }

    /// Finds the slots of some events of one bin; those that are met for the first time get one now.
    pub fn find(&mut self, estimate: &Estimate, bin: i64, series: &[u32], of_series: &OfSeries, slots: &mut [u32]) {
        let Some(place) = self.place(bin) else { return slots.fill(UNKNOWN) };
        let known = &self.slots[place];
        let mut unseen = false;
        for (slot, series) in slots.iter_mut().zip(series) {
            *slot = known.get(*series as usize).copied().unwrap_or(UNSEEN);
            unseen |= *slot == UNSEEN;
        }
        if unseen {
            for (slot, series) in slots.iter_mut().zip(series).filter(|(slot, _)| **slot == UNSEEN) {
                *slot = self.meet(estimate, place, *series as usize, of_series);
            }
        }
    }

    fn meet(&mut self, estimate: &Estimate, place: usize, series: usize, of_series: &OfSeries) -> u32 {
        let bin = self.bin(place);
        let slots = &mut self.slots[place];
        if slots.len() < of_series.len() {
            self.met += of_series.len() - slots.len();
            slots.resize(of_series.len(), UNSEEN);
        }
        if slots[series] == UNSEEN {
            let unit = of_series[series].map(|(at, window)| (Unit::new(estimate, at, bin), window));
            self.slots[place][series] = match unit {
                Some((Some(unit), window)) => {
                    let slot = self.pairs.len() / self.features;
                    self.push(unit.weights(window), |column| unit.factors(column));
                    u32::try_from(slot).expect("what is kept is small")
                }
                _ => UNKNOWN,
            };
        }
        self.slots[place][series]
    }
}

/// Deployment of each series, and how the window of its model was counted.
pub(super) type OfSeries = [Option<(usize, Window)>];

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
