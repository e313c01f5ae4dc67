//! From occupancy to rates: the operating point of every deployment and five-minute bin, folded to the bins of the
//! moments.
//!
//! Only the cost per output token depends on concurrency, so a moments bin costs the mean of its five-minute bins,
//! weighted by the output tokens each of them holds. What was provisioned and idle is divided by the replica time of the
//! bin; a bin without requests leaves it unallocated.

use super::loads::{Load, features, float, loads, occupied};
use super::period::{check_occupancy, check_replicas, period};
use crate::Result;
use crate::hours::Timeline;
use crate::ledger::{Ledger, NULL_BIN, OCCUPANCY_BIN_S, moment};
use crate::physics::inference::{Coefficients, Features};
use crate::physics::occupancy::OperatingPoint;
use crate::physics::provisioned::idle;
use crate::physics::rated_power::cap;
use crate::plan::{Deployed, LoadRule, Parts, Plan, Rate, RateTable, Target};
use crate::units::{Joules, Seconds};
use std::cell::Cell;

/// Provisioned and idle energy of a bin that no request can bear.
#[derive(Clone, Debug)]
pub(super) struct Unallocated {
    pub deployment: usize,
    pub bin: i64,
    pub parts: Parts,
    pub provisioned_s: f64,
    pub busy_s: f64,
}

/// What the operating points say about a deployment, for people.
#[derive(Clone, Debug, Default)]
pub(super) struct Remarks {
    /// Five-minute bins in which more was asked than the deployment can do.
    pub overloaded_bins: u64,
    /// Requests that a replica holds, where more are declared.
    pub declared_beyond: Option<f64>,
    /// Bins whose requests need more replica time than is provisioned.
    pub crowded_bins: u64,
    /// Bins whose concurrency was solved from arrivals, as no latency is logged.
    pub solved_bins: u64,
    /// Whether the model's window sums were missing and full attention stood in.
    pub window_missing: bool,
    /// Whether events without a time were evaluated at the default concurrency.
    pub null_bin: bool,
    /// Share of timed requests that carry a latency.
    pub latency_share: f64,
}

/// Rates of a ledger under a plan.
pub(super) struct Rated {
    pub table: RateTable,
    pub unallocated: Vec<Unallocated>,
    /// By deployment.
    pub remarks: Vec<Remarks>,
    /// Start and end of the log, in seconds since 1970 UTC: its first to its last five-minute bin.
    pub log: Option<(i64, i64)>,
    /// Start and end of what each deployment stands there: stated, else the log's.
    pub periods: Vec<Option<(i64, i64)>>,
}

impl Rated {
    /// From the first to the last second that any deployment stands there or the log shows.
    pub fn period(&self) -> Option<(i64, i64)> {
        self.periods.iter().chain([&self.log]).flatten().copied().reduce(|a, b| (a.0.min(b.0), a.1.max(b.1)))
    }
}

pub(super) fn rate(ledger: &Ledger, plan: &Plan) -> Result<Rated> {
    let n = plan.deployments().len();
    // What runs on a deployment: series, and routes.
    let (mut series_of, mut routes_of) = (vec![Vec::new(); n], vec![Vec::new(); n]);
    for (series, route) in (0..).zip(ledger.route_of_series()) {
        if let Target::Deployment(at) = plan.targets()[route as usize] {
            series_of[at].push(series);
        }
    }
    for (route, target) in (0..).zip(plan.targets()) {
        if let Target::Deployment(at) = target {
            routes_of[*at].push(route);
        }
    }
    let log = period(ledger);
    let mut rated =
        Rated { table: RateTable::default(), unallocated: Vec::new(), remarks: Vec::new(), log, periods: Vec::new() };
    for (at, deployed) in plan.deployments().iter().enumerate() {
        let period = deployed.provisioned.or(log);
        if deployed.dedicated {
            check_occupancy(ledger, deployed)?;
            check_replicas(deployed, period)?;
        }
        rated.periods.push(period);
        let (loads, occupied) = (loads(ledger, deployed.window, &series_of[at])?, occupied(ledger, &routes_of[at])?);
        let one = OneDeployment::new(deployed, &loads, &occupied, i64::from(ledger.bin_seconds()), (log, period));
        let remarks = one.rate(at, &mut rated);
        rated.remarks.push(remarks);
    }
    Ok(rated)
}

/// First second and first after the last.
type Period = Option<(i64, i64)>;

struct OneDeployment<'a> {
    deployed: &'a Deployed,
    loads: &'a Timeline<Load>,
    occupied: &'a Timeline<[u128; 4]>,
    width: i64,
    log: Option<(i64, i64)>,
    period: Option<(i64, i64)>,
    mean_context: f64,
    /// Share of timed requests that carry a latency, over the whole log; the others are taken to overlap as these do.
    latency_share: f64,
    /// Coefficients at the last concurrency: at a shared deployment all bins have the same.
    last: Cell<Option<(f64, Coefficients)>>,
}

/// Operating point of a five-minute bin and the output tokens in it.
struct Moment {
    point: OperatingPoint,
    weight: f64,
    seconds: f64,
    /// Provisioned replicas.
    replicas: f64,
}

impl<'a> OneDeployment<'a> {
    fn new(
        deployed: &'a Deployed,
        loads: &'a Timeline<Load>,
        occupied: &'a Timeline<[u128; 4]>,
        width: i64,
        (log, period): (Period, Period),
    ) -> Self {
        let mut sums = [0.0; 8];
        for load in loads.values() {
            for (sum, value) in sums.iter_mut().zip(&load.sums) {
                *sum += float(*value);
            }
        }
        let requests = sums[moment::REQUESTS].max(1.0);
        let mean_context = (sums[moment::INPUT] + sums[moment::OUTPUT] / 2.0) / requests;
        let timed: f64 = occupied.values().iter().map(|o| float(o[2])).sum();
        let with_latency: f64 = occupied.values().iter().map(|o| float(o[1])).sum();
        let latency_share = if timed > 0.0 { with_latency / timed } else { 0.0 };
        Self { deployed, loads, occupied, width, log, period, mean_context, latency_share, last: Cell::new(None) }
    }

    fn rate(&self, at: usize, rated: &mut Rated) -> Remarks {
        let mut remarks = Remarks { latency_share: self.latency_share, ..Remarks::default() };
        for bin in self.bins() {
            let load = self.loads.get(bin);
            let present = load.is_some();
            let load = load.copied().unwrap_or_default();
            remarks.window_missing |= present && load.window.is_none();
            remarks.null_bin |= bin == NULL_BIN && self.deployed.dedicated;
            let features = features(&load.sums, load.window);
            let moments = self.moments(bin, &load, &features, &mut remarks);
            let coefficients = self.coefficients(&moments, &features);
            let replica_s = coefficients.replica_time(&features).0;
            let (mut idle_j, mut host_idle_j, mut provisioned_s, mut busy_s) = (0.0, 0.0, 0.0, 0.0);
            if self.deployed.dedicated {
                for m in &moments {
                    let provisioned = Seconds(m.seconds * m.replicas);
                    idle_j += idle(self.deployed.idle, m.point.idle_share, provisioned).0;
                    host_idle_j += idle(self.deployed.host_idle, m.point.idle_share, provisioned).0;
                    provisioned_s += provisioned.0;
                    busy_s += provisioned.0 * m.point.busy_share;
                }
            }
            remarks.crowded_bins += u64::from(self.deployed.dedicated && replica_s > 1.05 * provisioned_s.max(1.0));
            if replica_s > 0.0 {
                let (weighted, weight) = moments
                    .iter()
                    .fold((0.0, 0.0), |(sum, of), m| (sum + m.point.concurrency * m.weight, of + m.weight));
                let rate = Rate {
                    coefficients,
                    idle_j_per_s: idle_j / replica_s,
                    host_j_per_s: self.deployed.host.0 + host_idle_j / replica_s,
                    concurrency: if weight > 0.0 { weighted / weight } else { 1.0 },
                    provisioned_per_s: provisioned_s / replica_s,
                    busy_per_s: busy_s / replica_s,
                };
                rated.table.insert(at, bin, rate);
                continue;
            }
            if present {
                // Requests without tokens use no replica time and can bear nothing.
                let nothing = Rate {
                    coefficients,
                    idle_j_per_s: 0.0,
                    host_j_per_s: self.deployed.host.0,
                    concurrency: 1.0,
                    provisioned_per_s: 0.0,
                    busy_per_s: 0.0,
                };
                rated.table.insert(at, bin, nothing);
            }
            if provisioned_s > 0.0 {
                let parts = Parts { idle_j, host_j: host_idle_j, ..Parts::default() };
                rated.unallocated.push(Unallocated { deployment: at, bin, parts, provisioned_s, busy_s });
            }
        }
        remarks
    }

    /// The bins to rate: those with requests, and for a dedicated deployment every bin of the period.
    fn bins(&self) -> Vec<i64> {
        let mut bins: Vec<i64> = self.loads.times().to_vec();
        if let (true, Some((start, end))) = (self.deployed.dedicated, self.period) {
            let mut bin = start.div_euclid(self.width) * self.width;
            while bin < end {
                bins.push(bin);
                bin += self.width;
            }
        }
        bins.sort_unstable();
        bins.dedup();
        bins
    }

    /// The operating points inside a moments bin.
    fn moments(&self, bin: i64, load: &Load, features: &Features, remarks: &mut Remarks) -> Vec<Moment> {
        let limit = self.deployed.limit(self.mean_context);
        let fixed = |concurrency: f64| OperatingPoint {
            offered_load: concurrency,
            busy_share: 1.0,
            idle_share: 0.0,
            concurrency,
            overloaded: false,
        };
        let fallback = self.deployed.fallback_concurrency(self.mean_context);
        if matches!(self.deployed.load, LoadRule::Declared(stated) if stated > limit) {
            remarks.declared_beyond = Some(limit);
        }
        if bin == NULL_BIN || !self.deployed.dedicated {
            return vec![Moment {
                point: fixed(fallback),
                weight: 1.0,
                seconds: 0.0,
                replicas: self.deployed.replicas,
            }];
        }
        let whole = (bin, bin + self.width);
        let (start, end) = self.period.unwrap_or(whole);
        let (log_start, log_end) = self.log.unwrap_or(whole);
        let step = i64::from(OCCUPANCY_BIN_S);
        let mut moments = Vec::new();
        let mut k = bin.max(start.min(log_start));
        while k < (bin + self.width).min(end.max(log_end)) {
            // Requests outside of what is stated to stand there are served, and nothing waits for them.
            let stands = (start..end).contains(&k);
            if !stands && self.occupied.get(k).is_none() {
                k += step;
                continue;
            }
            let at = self.occupied.get(k).copied().unwrap_or_default();
            let replicas = self.deployed.replicas_at(k).unwrap_or(self.deployed.replicas);
            let mut point = self.point(&at, (load, features), replicas, limit, remarks);
            if let LoadRule::Declared(concurrency) = self.deployed.load {
                // How many share a step is declared; how long the replica is busy still shows in the log.
                point = OperatingPoint { concurrency, ..point };
            }
            remarks.overloaded_bins += u64::from(point.overloaded);
            let seconds = if stands { f64::from(OCCUPANCY_BIN_S) } else { 0.0 };
            moments.push(Moment { point, weight: float(at[3]), seconds, replicas });
            k += step;
        }
        moments
    }

    fn point(
        &self,
        at: &[u128; 4],
        (load, features): (&Load, &Features),
        replicas: f64,
        limit: f64,
        remarks: &mut Remarks,
    ) -> OperatingPoint {
        // Work where nothing is provisioned overloads whatever there is.
        let replica_bins = f64::from(OCCUPANCY_BIN_S) * replicas.max(1e-9);
        if self.latency_share > 0.0 {
            let overlap_s = float(at[0]) / 1e6 / self.latency_share;
            return OperatingPoint::from_load(overlap_s / replica_bins, limit);
        }
        let requests = float(at[2]);
        if requests == 0.0 {
            return OperatingPoint::IDLE;
        }
        // A mean request of this bin: prefill as in the whole moments bin, decode by its own output tokens.
        let all = float(load.sums[moment::REQUESTS]).max(1.0);
        let outputs = if features.output > 0.0 { float(at[3]) / features.output } else { 0.0 };
        let mean = Features {
            requests: 1.0,
            cached: features.cached / all,
            uncached: features.uncached / all,
            prefill_pairs: features.prefill_pairs / all,
            prefill_window_pairs: features.prefill_window_pairs / all,
            output: features.output * outputs / requests,
            context_pairs: features.context_pairs * outputs / requests,
            window_context_pairs: features.window_context_pairs * outputs / requests,
        };
        let share_s = |b: f64| self.deployed.coefficients(b).replica_time(&mean).0;
        if let LoadRule::Declared(concurrency) = self.deployed.load {
            return OperatingPoint::at_limit(requests / replica_bins * share_s(concurrency), concurrency);
        }
        remarks.solved_bins += 1;
        OperatingPoint::from_arrivals(requests / replica_bins, share_s, limit)
    }

    #[expect(clippy::float_cmp, reason = "the same concurrency has the same coefficients")]
    fn at(&self, concurrency: f64) -> Coefficients {
        if let Some((_, known)) = self.last.get().filter(|(last, _)| *last == concurrency) {
            return known;
        }
        let coefficients = self.deployed.coefficients(concurrency);
        self.last.set(Some((concurrency, coefficients)));
        coefficients
    }

    /// Coefficients of the bin: the mean over its operating points by output tokens, under the rated-power cap.
    fn coefficients(&self, moments: &[Moment], features: &Features) -> Coefficients {
        // Where nothing is generated, operating points count by the time that they are busy.
        let generating = moments.iter().any(|m| m.weight > 0.0);
        let weight = |m: &Moment| if generating { m.weight } else { m.point.busy_share * m.seconds.max(1.0) };
        let total: f64 = moments.iter().map(weight).sum();
        let at = |concurrency: f64| self.at(concurrency);
        let mean = if total > 0.0 {
            let counted = moments.iter().filter(|m| weight(m) > 0.0);
            counted.fold(Coefficients::default(), |sum, m| sum.plus(&at(m.point.concurrency), weight(m) / total))
        } else {
            at(1.0)
        };
        let (prefill, decode) = mean.energy(features);
        let time = mean.replica_time(features);
        let share = cap(self.deployed.rated, time, Joules(prefill.0 + decode.0));
        if share < 1.0 { Coefficients { energy_j: mean.energy_j.times(share), ..mean } } else { mean }
    }
}
