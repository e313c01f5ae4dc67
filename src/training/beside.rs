//! Training beside inference: the share of a run that each token of a model's life bears, and the traffic at which
//! inference has caused as much as training. The two are never added to each other here.

use super::TrainingEstimate;
use crate::estimate::Total;
use crate::estimate::columns::{COUNTS, SUMS};
use serde::Serialize;

/// Inference that a run is held against.
#[derive(Clone, Debug)]
pub struct Served {
    /// Its sums.
    pub total: Total,
    /// Length of what they are of, in days; `None` is not known.
    pub days: Option<f64>,
}

/// What a run is in one column beside what inference is.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Beside {
    /// The column.
    pub column: &'static str,
    /// The run.
    pub training: f64,
    /// The inference it is held against.
    pub inference: f64,
    /// The run over both.
    pub training_share: f64,
    /// Generated tokens at which inference has caused as much.
    pub break_even_output_tokens: Option<f64>,
    /// Requests at which it has.
    pub break_even_requests: Option<f64>,
    /// Days of such traffic after which it has.
    pub break_even_days: Option<f64>,
}

/// What of a run a generated token bears in one column.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Shared {
    /// The column.
    pub column: &'static str,
    /// Of a million generated tokens.
    pub per_million_output_tokens: f64,
}

/// Columns that are of a kind in training and inference: not times.
fn columns() -> impl Iterator<Item = (usize, &'static str)> {
    let own = |name: &str| {
        !matches!(name, "replica_seconds" | "prefill_kwh" | "decode_kwh" | "training_kwh" | "idle_kwh" | "host_kwh")
    };
    SUMS.iter().map(|column| column.name).enumerate().filter(move |(_, name)| own(name))
}

#[expect(clippy::cast_precision_loss, reason = "rounding once, to the nearest")]
fn count(total: &Total, name: &str) -> f64 {
    COUNTS.iter().position(|column| column.name == name).map_or(0.0, |at| total.counts[at] as f64)
}

impl TrainingEstimate {
    /// The run beside some inference, column by column; a column unknown on either side is left out.
    #[must_use]
    pub fn beside(&self, served: &Served) -> Vec<Beside> {
        let mine = self.total();
        let (tokens, requests) = (count(&served.total, "output_tokens"), count(&served.total, "requests"));
        columns()
            .filter_map(|(at, column)| {
                let (training, inference) = (mine.value(at)?, served.total.value(at)?);
                // Where part of the requests is unknown in a column, the ratio would be of two different things.
                if served.total.unknown_requests[at] > 0 || training + inference <= 0.0 {
                    return None;
                }
                let times = (inference > 0.0).then(|| training / inference);
                Some(Beside {
                    column,
                    training,
                    inference,
                    training_share: training / (training + inference),
                    break_even_output_tokens: times.map(|times| times * tokens).filter(|_| tokens > 0.0),
                    break_even_requests: times.map(|times| times * requests).filter(|_| requests > 0.0),
                    break_even_days: times.zip(served.days).map(|(times, days)| times * days),
                })
            })
            .collect()
    }

    /// The share of the run that a million generated tokens bear, where the model generates so many in its life.
    #[must_use]
    pub fn shared(&self, lifetime_output_tokens: f64) -> Vec<Shared> {
        let mine = self.total();
        columns()
            .filter_map(|(at, column)| {
                Some(Shared { column, per_million_output_tokens: mine.value(at)? / lifetime_output_tokens * 1e6 })
            })
            .collect()
    }
}
