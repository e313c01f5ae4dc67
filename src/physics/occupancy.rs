//! The operating point: how many requests a replica runs at once, and for which share of the time it runs any.
//!
//! ```text
//! ρ = overlap / (bin · replicas)        offered load: mean number of requests in a replica
//! u = 1 − e^(−ρ)                        busy share: requests arrive independently, so "none" has probability e^(−ρ)
//! B = ρ / u                             concurrency while busy, at least 1
//! ```
//!
//! | symbol | meaning | unit |
//! |---|---|---|
//! | overlap | request latency that falls into the bin, without queueing | s |
//! | bin | width of the bin | s |
//! | ρ, u, B | offered load, busy share, concurrency | –, –, requests |
//!
//! One number gives both the concurrency and the idle share 1 − u, so slack is never charged twice. Without latency, the
//! load is the solution of ρ = λ·latency(B)/replicas with latency(B) = B·S(B): each of B requests gets its share S of the
//! replica's time, prefill of the others included. Dividing by B it becomes a statement about busy time,
//!
//! ```text
//! 1 − e^(−ρ) = λ·S(B(ρ)) / replicas
//! ```
//!
//! whose left side rises from 0 to 1 while the right side falls, so there is one solution, unless B would pass the limit of
//! the engine: then B is the limit and the rest waits; asked for more than all of its time, the deployment is overloaded.
//!
//! Source: M/G/∞ occupancy; checked against simulated engine steps on the Azure 2023 traces
//! (`docs/method/operating-point.md`). Range: bins of five minutes; a dedicated deployment whose whole load is in the log.

/// Load, busy share and concurrency of a replica in one bin.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct OperatingPoint {
    /// Offered load ρ: mean number of requests in a replica.
    pub offered_load: f64,
    /// Share of time with at least one request, u.
    pub busy_share: f64,
    /// Share of time without any, 1 − u; kept apart, for at high load the difference has no digits left.
    pub idle_share: f64,
    /// Requests running while busy, B.
    pub concurrency: f64,
    /// Whether the load asks for more than the deployment can do; concurrency is then the limit.
    pub overloaded: bool,
}

impl OperatingPoint {
    /// No request at all.
    pub const IDLE: Self =
        Self { offered_load: 0.0, busy_share: 0.0, idle_share: 1.0, concurrency: 1.0, overloaded: false };

    /// Always this many at once, for the share of the time that the load asks for; more than all of it is overload.
    #[must_use]
    pub fn at_limit(asked_share: f64, concurrency: f64) -> Self {
        Self {
            offered_load: asked_share * concurrency,
            busy_share: asked_share.min(1.0),
            idle_share: (1.0 - asked_share).max(0.0),
            concurrency,
            overloaded: asked_share > 1.0,
        }
    }

    /// From an offered load, at most `limit` requests at once.
    ///
    /// ```
    /// use wattledger::physics::occupancy::OperatingPoint;
    /// let quiet = OperatingPoint::from_load(0.01, 256.0);
    /// assert!((quiet.concurrency - 1.0).abs() < 0.01); // hardly ever two at once
    /// assert!((quiet.busy_share - 0.01).abs() < 1e-4);
    /// ```
    #[must_use]
    pub fn from_load(offered_load: f64, limit: f64) -> Self {
        if offered_load <= 0.0 {
            return Self::IDLE;
        }
        let busy_share = -(-offered_load).exp_m1();
        let concurrency = offered_load / busy_share;
        if concurrency > limit {
            // The rest waits in the queue; at its limit a replica is busy for as long as the load takes it.
            return Self::at_limit(offered_load / limit, limit);
        }
        let idle_share = (-offered_load).exp();
        Self { offered_load, busy_share, idle_share, concurrency: concurrency.max(1.0), overloaded: false }
    }

    /// From arrivals alone: `arrivals` requests per second and replica, each needing `share_s(B)` seconds of the replica
    /// at concurrency B, at most `limit` at once.
    #[must_use]
    pub fn from_arrivals(arrivals: f64, share_s: impl Fn(f64) -> f64, limit: f64) -> Self {
        if arrivals <= 0.0 || share_s(1.0) <= 0.0 {
            return Self::IDLE;
        }
        // Positive while the busy time that arrivals ask for exceeds what this load offers.
        let excess = |load: f64| {
            let at = Self::from_load(load, f64::INFINITY);
            arrivals * share_s(at.concurrency) - at.busy_share
        };
        let (mut low, mut high) = (0.0, load_at(limit));
        if excess(high) >= 0.0 {
            // The rest waits in the queue: B is the limit, and busy time follows from it until it is all the time.
            return Self::at_limit(arrivals * share_s(limit), limit);
        }
        // Each round halves the bracket; sixty leave it at the last bit.
        for _ in 0..60 {
            let middle = f64::midpoint(low, high);
            if excess(middle) > 0.0 {
                low = middle;
            } else {
                high = middle;
            }
        }
        Self::from_load(high, limit.max(1.0) * (1.0 + 1e-9))
    }
}

/// The load at which concurrency while busy is `concurrency`: the inverse of B = ρ/(1 − e^(−ρ)).
fn load_at(concurrency: f64) -> f64 {
    // Newton on f(ρ) = ρ − B·(1 − e^(−ρ)), convex and increasing right of its minimum at ln B.
    let mut load = concurrency.max(1.0 + 1e-9) + 1.0;
    for _ in 0..60 {
        let idle = (-load).exp();
        load -= (load - concurrency * (1.0 - idle)) / (1.0 - concurrency * idle);
    }
    load.max(0.0)
}

/// Requests a replica can hold at once by memory: what the weights leave over the key-value bytes of a mean request.
///
/// `(0.9·n·memory − weights) / (kv bytes per token · mean context + state)`, 0 if the weights do not fit.
/// Source: `method`: nine tenths of memory are usable, as serving engines set by default. The default concurrency of a
/// deployment nothing is known of is half of it, at most 64 (*assumed*).
#[must_use]
pub fn memory_limit(
    memory_bytes: f64,
    weight_bytes: f64,
    kv_bytes_per_token: f64,
    mean_context_tokens: f64,
    state_bytes: f64,
) -> f64 {
    let room = 0.9 * memory_bytes - weight_bytes;
    if room <= 0.0 {
        return 0.0;
    }
    room / (kv_bytes_per_token * mean_context_tokens + state_bytes).max(1.0)
}

/// Concurrency of a deployment of which nothing is known: half of what memory holds, at most 64, at least 1 (*assumed*).
#[must_use]
pub fn default_concurrency(memory_limit: f64) -> f64 {
    (0.5 * memory_limit).clamp(1.0, 64.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn load_is_busy_share_times_concurrency(load in 1e-6_f64..200.0) {
            let at = OperatingPoint::from_load(load, f64::INFINITY);
            prop_assert!((at.busy_share * at.concurrency / load - 1.0).abs() < 1e-9);
            prop_assert!(at.concurrency >= 1.0 && at.busy_share <= 1.0);
        }

        #[test]
        fn load_at_inverts_concurrency(load in 1e-3_f64..500.0) {
            let at = OperatingPoint::from_load(load, f64::INFINITY);
            prop_assert!((load_at(at.concurrency) / load - 1.0).abs() < 1e-6);
        }

        /// S(B) = a/B + b: a step shared by its sequences plus work of their own.
        #[test]
        fn arrivals_and_latency_tell_the_same_story(rate in 0.01_f64..20.0, a in 0.01_f64..2.0, b in 0.001_f64..0.02) {
            let share = |concurrency: f64| a / concurrency + b;
            let at = OperatingPoint::from_arrivals(rate, share, 256.0);
            if at.overloaded {
                prop_assert!(rate * share(256.0) > 0.9);
            } else {
                let overlap = rate * at.concurrency * share(at.concurrency);
                let logged = OperatingPoint::from_load(overlap, 256.0);
                prop_assert!((logged.concurrency / at.concurrency - 1.0).abs() < 1e-6);
                prop_assert!((logged.busy_share - at.busy_share).abs() < 1e-6);
            }
        }
    }

    #[test]
    fn past_its_limit_a_deployment_is_overloaded() {
        let at = OperatingPoint::from_load(300.0, 256.0);
        let expected = OperatingPoint {
            offered_load: 300.0,
            busy_share: 1.0,
            idle_share: 0.0,
            concurrency: 256.0,
            overloaded: true,
        };
        assert_eq!(at, expected);
        assert!(OperatingPoint::from_arrivals(1e3, |b| 1.0 / b + 0.01, 256.0).overloaded);
        assert!(!OperatingPoint::from_arrivals(1e-3, |b| 1.0 / b + 0.01, 1.0).overloaded);
    }
}
