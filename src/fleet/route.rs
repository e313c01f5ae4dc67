//! Which routes a deployment serves: patterns on route labels.

use crate::keys::{Label, ROUTE_LABELS};
use crate::{Error, Result};
use glob::{MatchOptions, Pattern};

const FOLD_CASE: MatchOptions =
    MatchOptions { case_sensitive: false, require_literal_separator: false, require_literal_leading_dot: false };

/// Patterns by route label; a route has to satisfy each label that is named, by any of its patterns.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Match {
    labels: Vec<(usize, Vec<Pattern>)>,
}

impl Match {
    /// Patterns from label names and globs.
    ///
    /// # Errors
    /// [`Error::UnknownKey`] for a label no route has, [`Error::FleetSyntax`] for a broken pattern.
    pub fn new(place: &str, labels: &[(String, Vec<String>)]) -> Result<Self> {
        let mut compiled = Vec::new();
        for (name, patterns) in labels {
            let at = ROUTE_LABELS.iter().position(|label| label == name).ok_or_else(|| Error::UnknownKey {
                place: format!("{place}, match"),
                key: name.clone(),
                nearest: crate::error::nearest(name, ROUTE_LABELS),
            })?;
            let patterns = patterns.iter().map(|p| {
                Pattern::new(p).map_err(|e| Error::FleetSyntax {
                    place: format!("{place}, match.{name}"),
                    problem: format!("`{}` is no pattern: {}", crate::error::excerpt(p), e.msg),
                })
            });
            compiled.push((at, patterns.collect::<Result<_>>()?));
        }
        Ok(Self { labels: compiled })
    }

    /// Whether a route satisfies the patterns.
    #[must_use]
    pub fn covers(&self, route: &[Label]) -> bool {
        self.labels.iter().all(|(at, patterns)| {
            let label = route[*at].as_deref();
            label.is_some_and(|label| patterns.iter().any(|p| p.matches_with(label, FOLD_CASE)))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn route(model: &str, region: Option<&str>) -> Vec<Label> {
        vec![None, Some(model.into()), region.map(Into::into), None, None, None]
    }

    #[test]
    fn every_named_label_has_to_fit_one_of_its_patterns() {
        let labels =
            [("model".into(), vec!["Llama-3.1-70B*".into(), "x".into()]), ("region".into(), vec!["us-*".into()])];
        let matches = Match::new("fleet", &labels).unwrap();
        assert!(matches.covers(&route("llama-3.1-70b-instruct", Some("us-east-1"))));
        assert!(!matches.covers(&route("llama-3.1-70b-instruct", Some("eu-west-1"))));
        assert!(!matches.covers(&route("llama-3.1-70b-instruct", None)));
        assert!(Match::default().covers(&route("anything", None)));
    }

    #[test]
    fn a_label_that_no_route_has_is_refused() {
        let error = Match::new("fleet", &[("modle".into(), vec![])]).unwrap_err();
        assert_eq!(error.hint().as_deref(), Some("did you mean `model`?"));
    }
}
