//! Utilisation that training runs usually reach, where nobody states it.
//!
//! ```text
//! u = min( u₁, u₀·(N/8·10⁹)^γ · m ) · e
//! ```
//!
//! | symbol | meaning | unit |
//! |---|---|---|
//! | u | model FLOPs utilisation over all hours that were paid: restarts, evaluations and slow weeks included | – |
//! | N | weights a token is multiplied with | – |
//! | u₀, γ, u₁ | at 8·10⁹ weights, growth with size, most | – |
//! | m | 1, or 0.85 where tokens are routed to experts | – |
//! | e | 1, or 0.65 of the peak in 8 bit, which saves a quarter of the time and not half of it | – |
//!
//! | accelerator | u₀ | γ | u₁ |
//! |---|---|---|---|
//! | GPU up to 2018 | 0.20 | 0 | 0.20 |
//! | GPU 2019 to 2021 | 0.34 | 0.10 | 0.42 |
//! | GPU later | 0.22 | 0.22 | 0.34 |
//! | other | 0.33 | 0 | 0.33 |
//!
//! A faster accelerator waits longer for everything that is not a matrix, most of all with a small network. Tuned benchmarks
//! reach more (0.42 to 0.60 on A100, 0.38 to 0.46 on H100); runs reach 0.4 to 0.9 of them.
//!
//! Source: hours over FLOP of published runs (Pythia, MPT, Falcon, Llama 1 to 4, OPT, GPT-3, T5, Gopher), joules over FLOP of
//! OLMo (J. Morrison et al., arXiv:2503.05804); rounded by hand, not fitted row by row. Benchmarks: llm-foundry (MosaicML),
//! Llama 3 (arXiv:2407.21783), and for e (28 to 43 % of the peak in 8 bit where 38 to 46 % in 16). Range: 10⁷ to 10¹² weights. Error: those runs are in sight, so docs/validation.md, slice *hours
//! only*, flatters it; a factor of 1.8 either way should hold nine in ten.

/// What routing to experts leaves.
const EXPERTS: f64 = 0.85;
/// Weights at which the accelerators are told.
const AT_WEIGHTS: f64 = 8e9;
/// What matrices in 8 bit reach of the utilisation that those in 16 bit do.
pub const EIGHT_BIT: f64 = 0.65;

/// A usual utilisation, and half the width of its 90 % interval as a logarithm.
///
/// ```
/// use wattledger::physics::training_efficiency::usual_utilisation;
/// let (a100, spread) = usual_utilisation(70e9, false, Some(2020.0));
/// assert!((0.35..0.45).contains(&a100) && spread > 0.5);
/// assert!(usual_utilisation(7e7, false, Some(2020.0)).0 < a100);
/// assert!(usual_utilisation(1e9, true, Some(2022.0)).0 < usual_utilisation(1e9, false, Some(2022.0)).0);
/// ```
#[must_use]
pub fn usual_utilisation(weights: f64, experts: bool, gpu_year: Option<f64>) -> (f64, f64) {
    let (at, growth, most) = match gpu_year {
        None => (0.33, 0.0, 0.33),
        Some(..2019.0) => (0.20, 0.0, 0.20),
        Some(..2022.0) => (0.34, 0.10, 0.42),
        Some(_) => (0.22, 0.22, 0.34),
    };
    let usual = at * (weights / AT_WEIGHTS).powf(growth) * if experts { EXPERTS } else { 1.0 };
    (usual.min(most), 0.6)
}
