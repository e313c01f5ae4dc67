//! Calibration: a meter beside an estimate, and the scales that make the one say what the other read.
//!
//! [`point`] takes one metered point of a deployment, [`joined`] a power series and the ledger of the same hours,
//! [`profile`] writes what a fit found for an engine as rows that a fleet file takes. The formulas stand in
//! `docs/method/calibration.md`.
//!
//! `energy_scale` is metered over estimated energy of prefill and decode on the accelerators. Energy of waiting
//! accelerators is not scaled: it is taken off the meter's reading first, so that an estimate with the scale comes out at
//! what was metered.

mod join;
pub mod joined;
mod lag;
pub mod point;
pub mod profile;
pub mod series;
mod spread;

pub use spread::{Interval, Part, Spread};

use crate::fleet::edit::Edit;
use crate::fleet::{Deployment, Fleet};
use crate::units::Bounds;
use crate::{Error, Result};
use std::fmt::Write;
use toml::Value;

/// A scale outside these is possible, and more likely something else was metered than estimated.
pub const PLAUSIBLE: [f64; 2] = [0.3, 3.0];

fn argument(what: &str, value: impl std::fmt::Display, expected: impl Into<String>) -> Error {
    Error::Argument { what: what.into(), value: value.to_string(), expected: expected.into() }
}

/// What is said of a scale outside [`PLAUSIBLE`]; nothing of one inside.
///
/// # Errors
/// [`Error::OutOfRange`] for a scale that no fleet file takes.
fn check_scale(place: &str, what: &str, scale: f64) -> Result<Option<String>> {
    if !Bounds::SCALE.contains(scale) {
        return Err(Error::OutOfRange {
            place: format!("{place}, {what}"),
            what: "metered over estimated".into(),
            value: format!("{scale:.4}"),
            low: Bounds::SCALE.low,
            high: Bounds::SCALE.high,
            unit: "",
        });
    }
    let [low, high] = PLAUSIBLE;
    Ok((!(low..=high).contains(&scale)).then(|| {
        format!(
            "{what} {scale:.3} is outside {low} to {high}: models outside the fit lie within a factor 2. Check that the \
             meter shows the accelerators of this deployment and no others, that model, precision, devices and \
             concurrency are as served, and that the times are the same"
        )
    }))
}

/// The deployment that is meant: the named one, or the only one.
fn chosen<'a>(fleet: &'a Fleet, name: Option<&str>) -> Result<(usize, &'a Deployment)> {
    let stated = fleet.deployments();
    let names = || stated.iter().map(|deployment| deployment.name.as_str());
    match (name, stated) {
        (Some(name), _) => {
            let at = names().position(|known| known == name).ok_or_else(|| Error::UnknownName {
                kind: "deployment",
                name: name.to_owned(),
                nearest: crate::error::nearest(name, names()),
            })?;
            Ok((at, &stated[at]))
        }
        (None, [only]) => Ok((0, only)),
        (None, []) => Err(Error::Argument {
            what: "fleet".into(),
            value: fleet.place().into(),
            expected: "a fleet file with the deployment that was metered".into(),
        }),
        (None, _) => Err(Error::Argument {
            what: "deployment".into(),
            value: "none".into(),
            expected: format!("the one that was metered: {}", names().collect::<Vec<_>>().join(", ")),
        }),
    }
}

/// The keys that hold scales; a time scale or a metered concurrency of an earlier meter is taken away where this one has
/// none.
fn edits(deployment: &str, energy: f64, time: Option<f64>, concurrency: Option<f64>) -> Vec<Edit> {
    // Six digits say more than any meter.
    let rounded = |value: f64| format!("{value:.5e}").parse().unwrap_or(value);
    [("energy_scale", Some(energy)), ("time_scale", time), ("metered_concurrency", concurrency)]
        .into_iter()
        .map(|(key, value)| Edit { deployment: deployment.into(), key: key.into(), value: value.map(rounded) })
        .collect()
}

/// Lines to paste into the table of a deployment.
fn snippet(about: &str, edits: &[Edit]) -> String {
    let deployment = edits.first().map_or("", |edit| edit.deployment.as_str());
    let mut text = format!("# into the [[deployment]] with name = {}\n# {about}\n", Value::String(deployment.into()));
    for edit in edits {
        if let Some(value) = edit.value {
            // Writing to a string cannot fail.
            let _ = writeln!(text, "{} = {}", edit.key, Value::Float(value));
        }
    }
    text
}
