//! Fields: what intake looks for in a log, whatever the log calls it.

use crate::keys::ROUTE_LABELS;

/// Number of fields.
pub(super) const FIELDS: usize = 12;

/// One thing a log may say about a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Field {
    /// When the request began, or ended, as the format declares.
    Timestamp,
    /// Who serves.
    Provider,
    /// Which neural network.
    Model,
    /// Where.
    Region,
    /// The name of a deployment.
    Deployment,
    /// The name of a machine.
    Host,
    /// The kind of accelerator.
    Hardware,
    /// Input tokens, cached ones included.
    InputTokens,
    /// Input tokens read from a prefix cache.
    CachedTokens,
    /// Generated tokens.
    OutputTokens,
    /// Wall time in milliseconds.
    LatencyMs,
    /// Wall time in seconds.
    LatencyS,
}

impl Field {
    /// Every field, in the order faults are looked for. The labels stand in the order of [`ROUTE_LABELS`].
    pub const ALL: [Self; FIELDS] = [
        Self::Timestamp,
        Self::Provider,
        Self::Model,
        Self::Region,
        Self::Deployment,
        Self::Host,
        Self::Hardware,
        Self::InputTokens,
        Self::CachedTokens,
        Self::OutputTokens,
        Self::LatencyMs,
        Self::LatencyS,
    ];

    /// The name in maps and messages.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Timestamp => "timestamp",
            Self::Provider => ROUTE_LABELS[0],
            Self::Model => ROUTE_LABELS[1],
            Self::Region => ROUTE_LABELS[2],
            Self::Deployment => ROUTE_LABELS[3],
            Self::Host => ROUTE_LABELS[4],
            Self::Hardware => ROUTE_LABELS[5],
            Self::InputTokens => "input_tokens",
            Self::CachedTokens => "cached_tokens",
            Self::OutputTokens => "output_tokens",
            Self::LatencyMs => "latency_ms",
            Self::LatencyS => "latency_s",
        }
    }

    /// The field with this name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|field| field.name() == name)
    }

    /// Whether a log has to carry it, unless its format declares that it carries none.
    #[must_use]
    pub const fn required(self) -> bool {
        matches!(self, Self::Timestamp | Self::Model | Self::InputTokens | Self::OutputTokens)
    }

    /// Whether it is a label of the route.
    #[must_use]
    pub const fn is_label(self) -> bool {
        matches!(self, Self::Provider | Self::Model | Self::Region | Self::Deployment | Self::Host | Self::Hardware)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_stand_in_the_order_of_the_route() {
        let labels: Vec<&str> = Field::ALL.into_iter().filter(|f| f.is_label()).map(Field::name).collect();
        assert_eq!(labels, ROUTE_LABELS);
        assert!(Field::ALL.iter().enumerate().all(|(i, f)| *f as usize == i));
    }
}
