//! Readings joined to stretches of time: energy of a meter in each of them, or why it cannot be told.
//!
//! Between two readings of a power it runs straight from one to the other; between two readings of a counter the energy is
//! spread evenly. What a stretch gets is the part of the integral inside it, so that no stretch depends on how readings
//! fall on its edges beyond the one interval that crosses them.

use super::series::{Quantity, Sample};

/// Why a stretch has no metered energy.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Missing {
    /// The series begins later or ends sooner.
    NotCovered,
    /// Readings are further apart in it than the limit.
    Gap,
    /// A counter started anew in it.
    Reset,
}

impl Missing {
    pub fn name(self) -> &'static str {
        match self {
            Self::NotCovered => "series_does_not_cover_it",
            Self::Gap => "gap_in_the_series",
            Self::Reset => "counter_reset",
        }
    }
}

/// How readings are joined.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Rule {
    /// Longest time between readings that is bridged.
    pub max_gap_us: i64,
    /// How late the readings are.
    pub lag_us: i64,
}

#[derive(Clone, Copy, Default)]
struct Stretch {
    joules: f64,
    covered_us: i64,
    missing: Option<Missing>,
}

/// Joules of one meter in each stretch `(start, end)`, in microseconds, which do not overlap and are in order.
pub(super) fn energies(
    samples: &[Sample],
    quantity: Quantity,
    stretches: &[(i64, i64)],
    rule: Rule,
) -> Vec<Result<f64, Missing>> {
    let mut found = vec![Stretch::default(); stretches.len()];
    let mut first = 0;
    for pair in samples.windows(2) {
        let [from, to] = [pair[0].time_us - rule.lag_us, pair[1].time_us - rule.lag_us];
        while first < stretches.len() && stretches[first].1 <= from {
            first += 1;
        }
        let touched = stretches.iter().zip(&mut found).skip(first).take_while(|((start, _), _)| *start < to);
        for (&(start, end), stretch) in touched {
            let inside = start <= from && to <= end;
            let missing = match quantity {
                Quantity::Energy if pair[1].value < pair[0].value => Some(Missing::Reset),
                // However long, all that a counter counted inside a stretch is the stretch's.
                Quantity::Energy if inside => None,
                _ if to - from > rule.max_gap_us => Some(Missing::Gap),
                _ => None,
            };
            if missing.is_some() {
                stretch.missing = stretch.missing.max(missing);
                continue;
            }
            let (a, b) = (from.max(start), to.min(end));
            stretch.covered_us += b - a;
            stretch.joules += part(quantity, pair, [from, to], [a, b]);
        }
    }
    let told = stretches.iter().zip(found);
    told.map(|((start, end), stretch)| match stretch.missing {
        Some(missing) => Err(missing),
        None if stretch.covered_us < end - start => Err(Missing::NotCovered),
        None => Ok(stretch.joules),
    })
    .collect()
}

/// Joules between two readings inside `[a, b]`.
#[expect(clippy::cast_precision_loss, reason = "times between readings")]
fn part(quantity: Quantity, pair: &[Sample], [from, to]: [i64; 2], [a, b]: [i64; 2]) -> f64 {
    let (x, y) = (pair[0].value, pair[1].value);
    let whole = (to - from) as f64;
    match quantity {
        Quantity::Energy if [a, b] == [from, to] => y - x,
        Quantity::Energy => (y - x) * ((b - a) as f64 / whole),
        Quantity::Power => {
            let at = |time: i64| x + (y - x) * ((time - from) as f64 / whole);
            f64::midpoint(at(a), at(b)) * ((b - a) as f64 / 1e6)
        }
    }
}

/// Joules of all meters in each stretch; a stretch that one of them does not tell is not told.
pub(super) fn together(each: &[Vec<Result<f64, Missing>>], stretches: usize) -> Vec<Result<f64, Missing>> {
    (0..stretches)
        .map(|i| {
            let worst = each.iter().filter_map(|meter| meter[i].err()).max();
            worst.map_or_else(|| Ok(each.iter().filter_map(|meter| meter[i].ok()).sum()), Err)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const RULE: Rule = Rule { max_gap_us: 60_000_000, lag_us: 0 };

    fn samples(values: &[(i64, f64)]) -> Vec<Sample> {
        values.iter().map(|(s, value)| Sample::plain(s * 1_000_000, *value)).collect()
    }

    fn stretches(edges: &[i64]) -> Vec<(i64, i64)> {
        edges.windows(2).map(|two| (two[0] * 1_000_000, two[1] * 1_000_000)).collect()
    }

    #[test]
    fn a_ramp_is_integrated_exactly_on_both_sides_of_an_edge() {
        let ramp = samples(&[(0, 0.0), (40, 400.0)]);
        let found = energies(&ramp, Quantity::Power, &stretches(&[0, 10, 40]), RULE);
        assert_eq!(found, [Ok(500.0), Ok(7500.0)]);
    }

    #[test]
    fn a_lag_moves_readings_back() {
        let steps = samples(&[(0, 100.0), (10, 100.0), (11, 300.0), (21, 300.0)]);
        let rule = Rule { lag_us: 1_000_000, ..RULE };
        let found = energies(&steps, Quantity::Power, &stretches(&[-1, 9, 10, 20]), rule);
        assert_eq!(found, [Ok(1000.0), Ok(200.0), Ok(3000.0)]);
    }

    #[test]
    fn gaps_resets_and_uncovered_ends_are_told_apart() {
        let counter =
            samples(&[(5, 100.0), (20, 130.0), (30, 150.0), (40, 10.0), (50, 20.0), (150, 40.0), (190, 50.0)]);
        let edges = stretches(&[0, 10, 30, 40, 50, 120, 145, 200]);
        let found = energies(&counter, Quantity::Energy, &edges, RULE);
        let [none, gap, reset] = [Missing::NotCovered, Missing::Gap, Missing::Reset].map(Err);
        assert_eq!(found, [none, Ok(40.0), reset, Ok(10.0), gap, gap, gap]);
        // The same long interval inside one stretch loses nothing.
        assert_eq!(energies(&counter, Quantity::Energy, &stretches(&[50, 190]), RULE), [Ok(30.0)]);
    }

    #[test]
    fn all_meters_have_to_tell_a_stretch() {
        let each = [vec![Ok(1.0), Ok(2.0)], vec![Ok(3.0), Err(Missing::Gap)]];
        assert_eq!(together(&each, 2), [Ok(4.0), Err(Missing::Gap)]);
    }
}
