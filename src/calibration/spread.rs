//! How far off an estimate may be, before a meter and after: half widths in logarithms from the parameter set.

use crate::catalog::Parameter;
use crate::error::Result;
use crate::fleet::Fleet;
use crate::plan::Metered;
use crate::plan::{DEFAULT_SET, Deployed};
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

/// The intervals of a deployment, served at a load that is known or not, and metered at one load or over many.
pub(super) fn spread(fleet: &Fleet, deployed: &Deployed, load_known: bool, metered: Metered) -> Result<Spread> {
    let set = fleet.parameter_set().unwrap_or(DEFAULT_SET);
    let all = fleet.catalog().all_parameters()?;
    let rows: Vec<&Parameter> = all.iter().filter(|row| row.set == set).collect();
    let symbols: Vec<&str> = deployed.widening.symbols().chain((!load_known).then_some("spread_load")).collect();
    // A meter never makes an interval wider.
    let before = interval(&rows, &symbols);
    let after = |metered: Metered| {
        let found = interval(&rows, &[metered.symbol()]);
        if let Some((b, a)) = before.as_ref().zip(found.as_ref())
            && a.half_width_log > b.half_width_log
        {
            return Some(b.clone());
        }
        found
    };
    // A meter over many loads stands in their middle, and near none of them.
    let near = if metered == Metered::Middle { None } else { after(Metered::Near) };
    let away = after(metered);
    let lacking =
        (before.is_none() || away.is_none()).then(|| format!("parameter set {set} lacks rows of its spread layer"));
    let same = (before.is_some() && before == away).then(|| {
        "away from the metered load the scale says no more of this kind of model than the set does".to_owned()
    });
    Ok(Spread { before, after_near: near, after: away, remark: lacking.or(same) })
}
