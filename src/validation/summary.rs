//! How far estimates lie from measurements, in fractions: 0.1 is 10 %.

use super::{Prediction, Report, Row};
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};

/// Errors of some rows. Unknown, as `None`, where no row has both an estimate and a measurement.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Summary {
    /// Rows.
    pub rows: usize,
    /// Rows with an estimate and a measurement; the errors are theirs.
    pub n: usize,
    /// Median of |estimate/measurement − 1|.
    pub median_ape: Option<f64>,
    /// 90th percentile of |estimate/measurement − 1|, interpolated between neighbours.
    pub p90_ape: Option<f64>,
    /// Median of estimate/measurement − 1: above 0, estimates are high.
    pub bias: Option<f64>,
    /// Mean of estimate/measurement − 1.
    pub mean_bias: Option<f64>,
    /// e to the mean of |ln(estimate/measurement)|, less 1: the same for half and for twice.
    pub geometric_error: Option<f64>,
    /// Share of measurements inside the 90 % interval of their estimate.
    pub coverage: Option<f64>,
    /// Geometric mean of the interval's high over its low end: how much the coverage costs.
    pub interval_ratio: Option<f64>,
    /// Mean of |estimate − measurement| in the unit of the rows; `None` where they have several.
    pub mean_absolute_error: Option<f64>,
    /// Mean of estimate − measurement in that unit.
    pub mean_error: Option<f64>,
    /// Mean of high − low in that unit.
    pub interval_width: Option<f64>,
}

impl Summary {
    /// The errors of these rows.
    #[must_use]
    pub fn of<'a>(rows: impl IntoIterator<Item = &'a Row>) -> Self {
        let mut count = 0;
        let (mut signed, mut absolute, mut logs) = (Vec::new(), Vec::new(), Vec::new());
        let (mut inside, mut widths) = (Vec::new(), Vec::new());
        let (mut off, mut spans, mut units) = (Vec::new(), Vec::new(), BTreeSet::new());
        for row in rows {
            count += 1;
            let (Some(measured), Ok(predicted)) = (row.measured, &row.predicted) else { continue };
            units.insert((row.quantity, row.unit));
            off.push(predicted.value - measured);
            spans.push(predicted.high - predicted.low);
            inside.push(f64::from(u8::from((predicted.low..=predicted.high).contains(&measured))));
            // What was measured to be nothing has a distance and no ratio.
            let Some(ratio) = row.ratio() else { continue };
            signed.push(ratio - 1.0);
            absolute.push((ratio - 1.0).abs());
            if ratio > 0.0 && predicted.low > 0.0 {
                logs.push(ratio.ln().abs());
                widths.push((predicted.high / predicted.low).ln());
            }
        }
        let distances: Vec<f64> = off.iter().map(|off| off.abs()).collect();
        let of_one_unit = |values: &[f64]| mean(values).filter(|_| units.len() == 1);
        Self {
            rows: count,
            n: inside.len(),
            mean_absolute_error: of_one_unit(&distances),
            mean_error: of_one_unit(&off),
            interval_width: of_one_unit(&spans),
            mean_bias: mean(&signed),
            median_ape: quantile(&mut absolute, 0.5),
            p90_ape: quantile(&mut absolute, 0.9),
            bias: quantile(&mut signed, 0.5),
            geometric_error: mean(&logs).map(f64::exp_m1),
            coverage: mean(&inside),
            interval_ratio: mean(&widths).map(f64::exp),
        }
    }
}

impl Report {
    /// The errors of all rows.
    #[must_use]
    pub fn summary(&self) -> Summary {
        Summary::of(&self.rows)
    }

    /// The errors of EcoLogits' formula on the rows that it says something of; `None` where it says nothing of any.
    #[must_use]
    pub fn yardstick(&self) -> Option<Summary> {
        let judged = self.rows.iter().filter_map(|row| {
            let value = row.yardstick?;
            // It states no interval: one of no width, so that coverage and width say so.
            Some(Row { predicted: Ok(Prediction { value, low: value, high: value }), ..row.clone() })
        });
        let judged: Vec<Row> = judged.collect();
        (!judged.is_empty()).then(|| Summary::of(&judged))
    }

    /// The errors by slice, such as `gpu=H100`, the largest median error first.
    #[must_use]
    pub fn groups(&self) -> Vec<(String, Summary)> {
        let mut slices: BTreeMap<(&str, &str), Vec<&Row>> = BTreeMap::new();
        for row in &self.rows {
            for (slice, label) in &row.slices {
                slices.entry((slice, label)).or_default().push(row);
            }
        }
        let mut groups: Vec<(String, Summary)> =
            slices.into_iter().map(|((slice, label), rows)| (format!("{slice}={label}"), Summary::of(rows))).collect();
        let error = |summary: &Summary| summary.median_ape.unwrap_or(-1.0);
        groups.sort_by(|(_, a), (_, b)| error(b).total_cmp(&error(a)));
        groups
    }
}

fn mean(values: &[f64]) -> Option<f64> {
    let count = u32::try_from(values.len()).ok().filter(|count| *count > 0)?;
    Some(values.iter().sum::<f64>() / f64::from(count))
}

/// A quantile, interpolated between the values beside it.
#[expect(clippy::cast_precision_loss, reason = "counts of rows are far below 2^53")]
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a place between 0 and the last row")]
fn quantile(values: &mut [f64], share: f64) -> Option<f64> {
    values.sort_by(f64::total_cmp);
    let place = share * values.len().checked_sub(1)? as f64;
    let below = values[place as usize];
    let above = values.get(place as usize + 1).copied().unwrap_or(below);
    Some(below + (above - below) * place.fract())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(measured: Option<f64>, predicted: Option<f64>) -> Row {
        Row {
            row_id: "r".into(),
            model: "m".into(),
            quantity: "energy",
            unit: "J",
            measured,
            predicted: predicted
                .map(|value| Prediction { value, low: value / 2.0, high: value * 2.0 })
                .ok_or_else(|| "unknown".into()),
            assumed: Vec::new(),
            yardstick: None,
            slices: vec![("gpu", if measured == Some(100.0) { "A" } else { "B" }.into())],
        }
    }

    #[test]
    fn errors_are_of_the_rows_that_have_both() {
        let rows = [row(Some(100.0), Some(110.0)), row(Some(10.0), Some(5.0)), row(Some(1.0), Some(10.0))];
        let all = Summary::of(rows.iter().chain([&row(None, Some(1.0)), &row(Some(1.0), None)]));
        assert_eq!((all.rows, all.n), (5, 3));
        let near = |value: Option<f64>, expected: f64| assert!((value.unwrap() - expected).abs() < 1e-12, "{value:?}");
        near(all.median_ape, 0.5);
        near(all.p90_ape, 0.5 + 0.8 * 8.5);
        near(all.bias, 0.1);
        near(all.mean_bias, (0.1 - 0.5 + 9.0) / 3.0);
        near(all.geometric_error, (1.1_f64 * 2.0 * 10.0).cbrt() - 1.0);
        near(all.coverage, 2.0 / 3.0);
        near(all.interval_ratio, 4.0);
    }

    #[test]
    fn no_row_has_no_errors() {
        let none = Summary::of(&[row(None, None)]);
        assert_eq!(none, Summary { rows: 1, ..Summary::default() });
    }

    #[test]
    fn the_worst_slice_comes_first() {
        let rows = vec![row(Some(100.0), Some(110.0)), row(Some(1.0), Some(10.0)), row(None, None)];
        let report = Report { kind: crate::validation::Kind::ImageVideo, parameter_set: "set", rows };
        let groups = report.groups();
        let names: Vec<(&str, usize)> = groups.iter().map(|(name, summary)| (name.as_str(), summary.rows)).collect();
        assert_eq!(names, [("gpu=B", 2), ("gpu=A", 1)]);
    }
}
