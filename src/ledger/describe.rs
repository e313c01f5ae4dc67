//! What a ledger holds, for people and programs.

use super::{Bounded, Ledger, NULL_BIN, OCCUPANCY_BIN_S};
use crate::Result;
use serde::Serialize;

/// Keys, period, coverage, moments and inputs of a ledger.
#[derive(Clone, Debug, Serialize)]
pub struct Description {
    /// Version of the ledger's schema.
    pub schema_version: u32,
    /// Width of the moments bins, seconds.
    pub bin_seconds: u32,
    /// Width of the occupancy bins, seconds; null if occupancy was not kept.
    pub occupancy_bin_seconds: Option<u32>,
    /// Names of the user dimensions.
    pub dimensions: Vec<String>,
    /// Dimensions of which some values are summed as `(other)`.
    pub bounded: Vec<Bounded>,
    /// Sliding windows kept, tokens.
    pub windows: Vec<u32>,
    /// Start of the first bin, seconds since 1970 UTC; null if no event has a time.
    pub first_bin_s: Option<i64>,
    /// End of the last bin, seconds since 1970 UTC.
    pub end_s: Option<i64>,
    /// Distinct series.
    pub series: usize,
    /// Distinct routes.
    pub routes: usize,
    /// Rows of the moments family.
    pub moments_rows: usize,
    /// Rows of the occupancy family.
    pub occupancy_rows: usize,
    /// Events.
    pub requests: u128,
    /// Input tokens, cached ones included.
    pub input_tokens: u128,
    /// Cached input tokens.
    pub cached_tokens: u128,
    /// Output tokens.
    pub output_tokens: u128,
    /// Events that carry a latency.
    pub requests_with_latency: u128,
    /// Events without a time.
    pub requests_without_time: u128,
    /// The busiest series: labels and requests, at most ten.
    pub top_series: Vec<TopSeries>,
}

/// A series and its requests.
#[derive(Clone, Debug, Serialize)]
pub struct TopSeries {
    /// Label names and values, absent ones left out.
    pub labels: Vec<(String, String)>,
    /// Events.
    pub requests: u128,
}

impl Ledger {
    /// Keys, period, moments and the busiest series.
    ///
    /// # Errors
    /// `Error::Overflow` past 38 digits.
    pub fn describe(&self) -> Result<Description> {
        let totals = self.totals()?;
        let mut occupied = [0_u128; 4];
        for row in self.occupancy.iter() {
            super::merge::add_into(&mut occupied, &row.sums)?;
        }
        let timed = || self.moments.bins().filter(|bin| *bin != NULL_BIN);
        Ok(Description {
            schema_version: super::file::SCHEMA_VERSION,
            bin_seconds: self.bin_seconds,
            occupancy_bin_seconds: self.keeps_occupancy.then_some(OCCUPANCY_BIN_S),
            dimensions: self.dimensions.clone(),
            bounded: self.bounded_dimensions(),
            windows: self.windows.iter().map(|w| w.window).collect(),
            first_bin_s: timed().min(),
            end_s: timed().max().map(|bin| bin + i64::from(self.bin_seconds)),
            series: self.series.len(),
            routes: self.routes.len(),
            moments_rows: self.moments.len(),
            occupancy_rows: self.occupancy.len(),
            requests: totals[super::moment::REQUESTS],
            input_tokens: totals[super::moment::INPUT],
            cached_tokens: totals[super::moment::CACHED],
            output_tokens: totals[super::moment::OUTPUT],
            requests_with_latency: occupied[1],
            requests_without_time: self.moments.iter().filter(|r| r.bin == NULL_BIN).map(|r| r.sums[0]).sum(),
            top_series: self.top_series(10),
        })
    }

    fn top_series(&self, most: usize) -> Vec<TopSeries> {
        let mut requests = vec![0_u128; self.series.len()];
        for row in self.moments.iter() {
            requests[row.key as usize] += row.sums[super::moment::REQUESTS];
        }
        let mut order: Vec<usize> = (0..requests.len()).collect();
        order.sort_by_key(|i| (std::cmp::Reverse(requests[*i]), *i));
        let names: Vec<&str> =
            crate::keys::ROUTE_LABELS.into_iter().chain(self.dimensions.iter().map(String::as_str)).collect();
        let top = |i: usize| TopSeries {
            labels: names
                .iter()
                .zip(self.series[i].labels())
                .filter_map(|(name, label)| Some(((*name).to_owned(), label.as_deref()?.to_owned())))
                .collect(),
            requests: requests[i],
        };
        order.into_iter().take(most).map(top).collect()
    }
}
