//! Prefill and decode on accelerators of their own.
//!
//! ```text
//! energy = E_prefill(pool of n_p devices) + E_decode(pool of n_d devices) + stored bytes·Iu·link_j
//! S      = (n_p·S_prefill + n_d·S_decode)/(n_p + n_d)
//! ```
//!
//! | symbol | meaning | unit |
//! |---|---|---|
//! | `n_p`, `n_d` | devices of one replica that prefill, and that decode | – |
//! | S | share of the time of all devices of the replica | s |
//! | `link_j` | energy to carry a byte of keys and values from pool to pool | J/B |
//!
//! Each pool pays its floor for its own time. S weighs the pools by their devices, so that what scales with occupancy (host,
//! idle) is charged once: device-seconds of both pools add to n·S.
//!
//! Source: the shares of [`super::inference`], split by phase. Range: both pools of the same accelerator; waiting of one pool
//! for the other shows as idle, not here.
//!
//! Measured error: none in the fit; one published case in `docs/published`. Widened by `spread_serving`.

use super::features::{Basis, Coefficients};

/// Coefficients of a replica whose prefill part and decode part come from pools of these sizes.
///
/// ```
/// use wattledger::physics::{disaggregated::join, features::{Basis, Coefficients}};
/// let pool = |input: f64, output: f64| Coefficients {
///     energy_j: Basis { input, output, ..Basis::default() },
///     time_s: Basis { input, output, ..Basis::default() },
/// };
/// let both = join((&pool(1.0, 9.0), 1.0), (&pool(5.0, 2.0), 3.0), 0.0);
/// assert_eq!((both.energy_j.input, both.energy_j.output), (1.0, 2.0));
/// assert_eq!((both.time_s.input, both.time_s.output), (0.25, 1.5));
/// ```
#[must_use]
pub fn join(prefill: (&Coefficients, f64), decode: (&Coefficients, f64), carried_j_per_token: f64) -> Coefficients {
    let devices = prefill.1 + decode.1;
    let parts = |p: &Basis, d: &Basis, share: [f64; 2]| Basis {
        request: p.request * share[0],
        cached: p.cached * share[0],
        input: p.input * share[0],
        prefill_pair: p.prefill_pair * share[0],
        prefill_window_pair: p.prefill_window_pair * share[0],
        output: d.output * share[1],
        context: d.context * share[1],
        window_context: d.window_context * share[1],
    };
    let mut energy_j = parts(&prefill.0.energy_j, &decode.0.energy_j, [1.0, 1.0]);
    energy_j.input += carried_j_per_token;
    Coefficients {
        energy_j,
        time_s: parts(&prefill.0.time_s, &decode.0.time_s, [prefill.1 / devices, decode.1 / devices]),
    }
}
