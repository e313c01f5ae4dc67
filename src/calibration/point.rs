//! One metered point of one deployment: power and throughput at a steady load, or energy over a window.
//!
//! ```text
//! energy_scale = (W / T) / e(B)                          power W and output tokens per second T of one replica
//! time_scale   = (1 / T) / s(B)
//! energy_scale = (E − P_idle·max(0, R·t − N·s(B))) / (N·e(B))     energy E, output tokens N, over t hours
//! ```
//!
//! `e` and `s` are estimated joules and replica seconds per output token of the mean request at concurrency B, without
//! any scale; R replicas.

use super::spread::spread;
use super::{Spread, argument, check_scale, chosen, edits, snippet};
use crate::Result;
use crate::catalog::Catalog;
use crate::estimate::{Request, columns, request};
use crate::fleet::edit::Edit;
use crate::fleet::{Deployment, Fleet};
use crate::plan::Metered as Distance;
use crate::plan::{Assumption, Deployed, LoadRule, Plan};
use crate::units::{Joules, KilowattHours};
use serde::Serialize;

/// Tokens of a mean request where nobody states them (*assumed*): those of the golden values.
const ASSUMED_TOKENS: [u64; 2] = [1000, 500];

/// What the meter said.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Metered {
    /// A steady load.
    Power {
        /// Mean power of all accelerators of one replica, in watts; without host, fans and power supplies.
        gpu_power_w: f64,
        /// Output tokens per second of that replica.
        tokens_per_s: f64,
    },
    /// A window of time.
    Energy {
        /// Energy of all accelerators of the whole deployment, in kWh.
        gpu_kwh: f64,
        /// Output tokens of the whole deployment in the same time.
        total_output_tokens: f64,
        /// Length of the window; `None` where the energy is that of busy time alone.
        hours: Option<f64>,
    },
}

impl Metered {
    /// The reading from what was given: power with throughput, or energy with tokens and perhaps hours.
    ///
    /// # Errors
    /// [`crate::Error::Argument`] where neither pair is whole, or both are given.
    pub fn given(
        [gpu_power_w, tokens_per_s]: [Option<f64>; 2],
        [gpu_kwh, total_output_tokens, hours]: [Option<f64>; 3],
    ) -> Result<Self> {
        let any = |values: &[Option<f64>]| values.iter().any(Option::is_some);
        let given = [any(&[gpu_power_w, tokens_per_s]), any(&[gpu_kwh, total_output_tokens, hours])];
        match (given, gpu_power_w.zip(tokens_per_s), gpu_kwh.zip(total_output_tokens)) {
            ([true, false], Some((gpu_power_w, tokens_per_s)), _) => Ok(Self::Power { gpu_power_w, tokens_per_s }),
            ([false, true], _, Some((gpu_kwh, total_output_tokens))) => {
                Ok(Self::Energy { gpu_kwh, total_output_tokens, hours })
            }
            _ => {
                let expected = "either gpu_power_w and tokens_per_s of one replica, or gpu_kwh and total_output_tokens of \
                                the deployment (and hours, if its waiting was metered with it)";
                let shown = if given == [true, true] { "both" } else { "incomplete" };
                Err(argument("metered point", shown, expected))
            }
        }
    }
}

/// A metered point, and the load it was metered at.
#[derive(Clone, Debug, PartialEq)]
pub struct Point {
    /// Name of the deployment; not needed in a fleet of one.
    pub deployment: Option<String>,
    /// What the meter said.
    pub metered: Metered,
    /// Requests that a replica ran at once.
    pub concurrency: Option<f64>,
    /// Input tokens of a mean request, cached ones included.
    pub input_tokens: Option<u64>,
    /// Cached input tokens of a mean request.
    pub cached_tokens: Option<u64>,
    /// Output tokens of a mean request.
    pub output_tokens: Option<u64>,
}

/// Energy and time per output token.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct PerToken {
    /// Accelerator joules per output token, prefill included, idle left out.
    pub joules_per_output_token: f64,
    /// Replica seconds per output token; `None` where a window does not tell.
    pub replica_seconds_per_output_token: Option<f64>,
}

/// Scales from one point.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct PointCalibration {
    /// Name of the deployment.
    pub deployment: String,
    /// What the meter said.
    pub meter: Metered,
    /// Requests a replica runs at once, as metered or assumed.
    pub concurrency: f64,
    /// Metered over estimated accelerator energy.
    pub energy_scale: f64,
    /// Metered over estimated replica time, where throughput was metered.
    pub time_scale: Option<f64>,
    /// What the meter says of a token.
    pub metered: PerToken,
    /// What the method says of it, without scales.
    pub estimated: PerToken,
    /// Estimated energy of waiting accelerators in the window, taken off the meter's.
    pub idle_kwh: f64,
    /// Ranges of nine in ten, before and after.
    pub interval: Spread,
    /// What looks wrong.
    pub warnings: Vec<String>,
    /// Values nobody stated.
    pub assumptions: Vec<Assumption>,
    /// Keys of the fleet file that hold the scales, and the concurrency they were metered at.
    pub edits: Vec<Edit>,
    /// The same as lines to paste into the fleet file.
    pub toml: String,
}

fn positive(what: &str, value: f64, unit: &str) -> Result<f64> {
    if value.is_finite() && value > 0.0 {
        return Ok(value);
    }
    Err(argument(what, value, format!("{unit} above 0")))
}

/// Energy and time of a mean request as the method has them, per output token.
struct Method {
    joules: f64,
    seconds: f64,
    concurrency: f64,
}

impl Method {
    fn of(fleet: &Fleet, stated: &Deployment, point: &Point, tokens: [u64; 3]) -> Result<Self> {
        let asked = Request {
            deployment: Some(stated.name.clone()),
            concurrency: point.concurrency,
            input_tokens: tokens[0],
            cached_tokens: tokens[1],
            output_tokens: Some(tokens[2]),
            ..Request::default()
        };
        let one = request(&fleet.with_scales(Some(1.0), Some(1.0)), &asked)?;
        let value = |name: &str| one.value(columns::sum(name)).unwrap_or(f64::NAN);
        let energy = Joules::from(KilowattHours(value("prefill_kwh") + value("decode_kwh")));
        #[expect(clippy::cast_precision_loss, reason = "at most 10^9")]
        let output = tokens[2] as f64;
        Ok(Self {
            joules: energy.0 / output,
            seconds: value("replica_seconds") / output,
            concurrency: one.concurrency(),
        })
    }
}

/// The tokens of a mean request, and what had to be assumed.
fn tokens(place: &str, point: &Point, assumptions: &mut Vec<Assumption>) -> Result<[u64; 3]> {
    let mut assume = |what: &str, tokens: u64| {
        assumptions.push(Assumption {
            place: place.into(),
            what: what.into(),
            value: tokens.to_string(),
            why: "not stated; the mean request of the metered load decides how much prefill is in a token".into(),
        });
        tokens
    };
    let input = point.input_tokens.unwrap_or_else(|| assume("input tokens", ASSUMED_TOKENS[0]));
    let output = point.output_tokens.unwrap_or_else(|| assume("output tokens", ASSUMED_TOKENS[1]));
    if output == 0 {
        return Err(argument("output tokens", 0, "a mean request that generates tokens; give a power series instead"));
    }
    Ok([input, point.cached_tokens.unwrap_or(0), output])
}

/// Power that accelerators cannot draw, or would not even draw waiting.
fn check_power(place: &str, power_w: f64, deployed: &Deployed, warnings: &mut Vec<String>) -> Result<()> {
    let (rated, idle, n) = (deployed.rated.0, deployed.idle.0, deployed.devices);
    // Power limits are held over seconds; meters have errors of a few per cent.
    if power_w > 1.05 * rated {
        let expected = format!(
            "at most {rated} W, what the {n} accelerators of a replica are rated for; the power of a whole server or of \
             its supplies, or of several replicas, is no accelerator power"
        );
        return Err(argument(&format!("{place}, gpu power of a replica in W"), power_w, expected));
    }
    if power_w < idle {
        warnings.push(format!(
            "{power_w} W is less than the {idle:.0} W that {n} accelerators draw waiting: is it the power of one of them?"
        ));
    }
    Ok(())
}

/// Scales from one metered point.
///
/// ```
/// use wattledger::calibration::point::{Metered, Point, calibrate};
/// use wattledger::fleet::Fleet;
/// let fleet = Fleet::parse("
///     [[deployment]]
///     name = 'chat'
///     model = 'llama-3.1-8b'
///     hardware = 'h100'
///     devices = 1
/// ", "fleet.toml")?;
/// let found = calibrate(&fleet, &Point {
///     deployment: None,
///     metered: Metered::Power { gpu_power_w: 540.0, tokens_per_s: 3000.0 },
///     concurrency: Some(64.0),
///     input_tokens: Some(1000),
///     cached_tokens: None,
///     output_tokens: Some(500),
/// })?;
/// assert!((found.metered.joules_per_output_token - 0.18).abs() < 1e-12);
/// assert!(found.energy_scale > 0.9 && found.energy_scale < 1.6);
/// assert!(found.toml.contains("energy_scale = "));
/// # Ok::<(), wattledger::Error>(())
/// ```
///
/// # Errors
/// Readings that are no numbers above 0 or beyond rated power, names that are not known, and [`crate::Error::OutOfRange`] for
/// scales that no fleet file takes.
pub fn calibrate(fleet: &Fleet, point: &Point) -> Result<PointCalibration> {
    let (at, stated) = chosen(fleet, point.deployment.as_deref())?;
    let place = format!("deployment `{}`", stated.name);
    let plan = Plan::compile(fleet, &[])?;
    let deployed = &plan.deployments()[at];
    let (mut warnings, mut assumptions) = (Vec::new(), Vec::new());
    let tokens = tokens(&place, point, &mut assumptions)?;
    let method = Method::of(fleet, stated, point, tokens)?;
    let load_known = point.concurrency.is_some() || matches!(deployed.load, LoadRule::Declared(_));
    if !load_known {
        assumptions.push(Assumption {
            place: place.clone(),
            what: "concurrency".into(),
            value: format!("{:.1}", method.concurrency),
            why: "not stated; half of what memory holds, at most 64. The scale is only as good as this".into(),
        });
    }
    let mut idle_kwh = 0.0;
    let (metered, about) = match point.metered {
        Metered::Power { gpu_power_w, tokens_per_s } => {
            let power = positive("gpu power of a replica", gpu_power_w, "watts")?;
            let rate = positive("output tokens per second of a replica", tokens_per_s, "tokens per second")?;
            check_power(&place, power, deployed, &mut warnings)?;
            let per =
                PerToken { joules_per_output_token: power / rate, replica_seconds_per_output_token: Some(1.0 / rate) };
            (per, format!("metered {power} W and {rate} output tokens/s a replica"))
        }
        Metered::Energy { gpu_kwh, total_output_tokens, hours } => {
            let energy = positive("gpu energy", gpu_kwh, "kWh")?;
            let total = positive("output tokens in all", total_output_tokens, "tokens")?;
            let hours = hours.map(|hours| positive("hours", hours, "hours")).transpose()?;
            if let Some(hours) = hours {
                check_power(&place, energy * 1000.0 / hours / deployed.replicas, deployed, &mut warnings)?;
            }
            idle_kwh = hours.map_or(0.0, |hours| waiting(deployed, hours, total * method.seconds, &mut warnings).0);
            if idle_kwh >= energy {
                let expected = format!("more than the {idle_kwh:.3} kWh that its accelerators draw merely waiting");
                return Err(argument(&format!("{place}, gpu energy in kWh"), energy, expected));
            }
            let busy = Joules::from(KilowattHours(energy - idle_kwh));
            let per = PerToken { joules_per_output_token: busy.0 / total, replica_seconds_per_output_token: None };
            let window = hours.map_or(String::new(), |hours| format!(" in {hours} h"));
            (per, format!("metered {energy} kWh for {total} output tokens{window}"))
        }
    };
    if method.joules > deployed.rated.0 * method.seconds * 1.001 {
        warnings.push(format!(
            "at this load the method asks for {:.0} W of a replica rated for {} W; estimates cap it there",
            method.joules / method.seconds,
            deployed.rated.0
        ));
    }
    let energy_scale = metered.joules_per_output_token / method.joules;
    let time_scale = metered.replica_seconds_per_output_token.map(|seconds| seconds / method.seconds);
    warnings.extend(check_scale(&place, "energy_scale", energy_scale)?);
    if let Some(scale) = time_scale {
        warnings.extend(check_scale(&place, "time_scale", scale)?);
    }
    let about = format!(
        "{about} at concurrency {}, {} in, {} cached, {} out; catalog of {}",
        (method.concurrency * 100.0).round() / 100.0,
        tokens[0],
        tokens[1],
        tokens[2],
        Catalog::edition()
    );
    let edits = edits(&stated.name, energy_scale, time_scale, load_known.then_some(method.concurrency));
    Ok(PointCalibration {
        deployment: stated.name.clone(),
        meter: point.metered,
        concurrency: method.concurrency,
        energy_scale,
        time_scale,
        metered,
        estimated: PerToken {
            joules_per_output_token: method.joules,
            replica_seconds_per_output_token: Some(method.seconds),
        },
        idle_kwh,
        interval: spread(fleet, deployed, load_known, Distance::Away)?,
        warnings,
        assumptions,
        toml: snippet(&about, &edits),
        edits,
    })
}

/// Energy of the accelerators that wait in a window, for a deployment whose whole provisioned time was metered.
fn waiting(deployed: &Deployed, hours: f64, replica_s: f64, warnings: &mut Vec<String>) -> KilowattHours {
    let provisioned_s = deployed.replicas * hours * 3600.0;
    if replica_s > 1.05 * provisioned_s {
        warnings.push(format!(
            "the method thinks that these tokens take {:.1} replica hours, and the window has {:.1}: concurrency is \
             higher than stated, or a time_scale is needed",
            replica_s / 3600.0,
            provisioned_s / 3600.0
        ));
    }
    KilowattHours::from(Joules(deployed.idle.0 * (provisioned_s - replica_s).max(0.0)))
}
