//! The report as JSON of the contract.

use super::{Report, Row};
use serde_json::{Map, Value, json};

impl Report {
    /// Summary, groups by slice with the worst first, and every row, as JSON. Errors are fractions: 0.1 is 10 %.
    #[must_use]
    pub fn to_json(&self) -> String {
        let groups: Map<String, Value> =
            self.groups().into_iter().map(|(name, errors)| (name, json!(errors))).collect();
        json!({
            "kind": self.kind.name(),
            "parameter_set": self.parameter_set,
            "summary": self.summary(),
            "ecologits": self.yardstick(),
            "groups": groups,
            "rows": self.rows.iter().map(row).collect::<Vec<_>>(),
        })
        .to_string()
    }
}

fn row(row: &Row) -> Value {
    let predicted = row.predicted.as_ref().ok();
    let slices: Map<String, Value> =
        row.slices.iter().map(|(slice, label)| ((*slice).to_owned(), json!(label))).collect();
    json!({
        "row_id": row.row_id,
        "model": row.model,
        "quantity": row.quantity,
        "unit": row.unit,
        "measured": row.measured,
        "predicted": predicted.map(|predicted| predicted.value),
        "low": predicted.map(|predicted| predicted.low),
        "high": predicted.map(|predicted| predicted.high),
        "ratio": row.ratio(),
        "ecologits": row.yardstick,
        "reason": row.predicted.as_ref().err(),
        "assumed": row.assumed,
        "slices": slices,
    })
}
