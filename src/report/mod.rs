//! The report: estimates as JSON, Arrow, CSV and Parquet. It adds, converts, rounds and words; it never recomputes.

mod json;
mod table;

pub use json::{describe_json, estimate_json, request_json};
pub(crate) use table::{estimated, fields};
pub use table::{events_batch, to_batch, to_csv, to_parquet};

/// Key columns come first, then counts, sums and ratios, all with their unit in the name.
pub const UNALLOCATED: &str = "unallocated";
/// Requests of a row that have no energy estimate.
pub const UNESTIMATED: &str = "unestimated_requests";
