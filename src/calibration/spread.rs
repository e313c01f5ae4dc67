//! How far off an estimate may be, before a meter and after: half widths in logarithms from the parameter set.

use crate::catalog::Parameter;
use crate::error::Result;
use crate::fleet::{Deployment, Fleet};
use crate::plan::{self, DEFAULT_SET};
use serde::Serialize;

/// One contribution to a half width.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Part {
    /// Symbol of the parameter set's `spread` layer.
    pub symbol: String,
    /// Half width in natural logarithms.
    pub half_width_log: f64,
    /// Where it comes from.
    pub source: String,
}

/// A range of nine in ten around an estimate, as factors of it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Interval {
    /// Lower end over the estimate.
    pub low: f64,
    /// Upper end over the estimate.
    pub high: f64,
    /// Half width in natural logarithms: the root of the sum of the squares of its parts.
    pub half_width_log: f64,
    /// What it is made of.
    pub parts: Vec<Part>,
}

/// The intervals of a deployment; `None` where the parameter set states none.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Spread {
    /// Without a meter.
    pub before: Option<Interval>,
    /// With the scale, within a factor 2 of the metered load.
    pub after_near: Option<Interval>,
    /// With the scale, at other loads.
    pub after: Option<Interval>,
    /// Why there are none, or what is odd about them.
    pub remark: Option<String>,
}

fn interval(rows: &[&Parameter], symbols: &[&str]) -> Option<Interval> {
    let row = |symbol: &str| rows.iter().find(|row| row.layer == "spread" && row.symbol == symbol);
    let parts: Vec<Part> = symbols
        .iter()
        .filter_map(|symbol| row(symbol))
        .map(|row| Part {
            symbol: row.symbol.clone(),
            half_width_log: row.value,
            source: row.provenance.of("value").source.into(),
        })
        .collect();
    if parts.len() < symbols.len() {
        return None;
    }
    let half_width_log = parts.iter().map(|part| part.half_width_log.powi(2)).sum::<f64>().sqrt();
    Some(Interval { low: (-half_width_log).exp(), high: half_width_log.exp(), half_width_log, parts })
}

/// Where in its loads a deployment was metered.
#[derive(Clone, Copy)]
pub(super) enum Load {
    /// At one of them, whichever.
    Any,
    /// Over many of them: at their middle.
    Middle,
}

impl Load {
    fn symbol(self) -> &'static str {
        match self {
            Self::Any => "spread_metered_any",
            Self::Middle => "spread_metered",
        }
    }
}

/// The intervals of a deployment, served at a load that is known or not.
pub(super) fn spread(fleet: &Fleet, stated: &Deployment, load_known: bool, metered: Load) -> Result<Spread> {
    let set = fleet.parameter_set().unwrap_or(DEFAULT_SET);
    let all = fleet.catalog().all_parameters()?;
    let rows: Vec<&Parameter> = all.iter().filter(|row| row.set == set).collect();
    let model = fleet.catalog().model(&stated.model)?;
    let (_, generation) = plan::accelerator(fleet.catalog(), &stated.hardware)?;
    let engine = stated.engine.as_deref().map(|name| fleet.catalog().engine(name)).transpose()?;
    let fitted = |id: &str| id == plan::BASE_ENGINE || rows.iter().any(|row| row.engine.as_deref() == Some(id));
    let hint = model.precision_hint.or(model.row.weights_precision_released.as_deref());
    let architecture = model.row.architecture.as_str();
    let kinds = [
        ("spread", true),
        ("spread_moe", architecture.contains("moe")),
        ("spread_hybrid", architecture.contains("hybrid")),
        ("spread_blackwell", generation == "blackwell"),
        ("spread_fp8", stated.precision.as_deref().or(hint).is_some_and(|name| name.contains("fp8"))),
        ("spread_generation", generation == "other"),
        ("spread_engine", engine.is_some_and(|engine| !fitted(&engine.row.id))),
        ("spread_load", !load_known),
    ];
    let symbols: Vec<&str> = kinds.iter().filter(|(_, holds)| *holds).map(|(symbol, _)| *symbol).collect();
    let found = Spread {
        before: interval(&rows, &symbols),
        after_near: interval(&rows, &["spread_metered_near"]),
        after: interval(&rows, &[metered.symbol()]),
        remark: None,
    };
    let widths = found.before.as_ref().zip(found.after.as_ref()).map(|(b, a)| (b.half_width_log, a.half_width_log));
    let remark = match widths {
        None => Some(format!("parameter set {set} lacks rows of its spread layer")),
        Some((before, after)) if after >= before => {
            Some("away from the metered load the scale says no more of this kind of model than the set does".into())
        }
        Some(_) => None,
    };
    Ok(Spread { remark, ..found })
}
