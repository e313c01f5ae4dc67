//! The report: estimates as JSON, Arrow, CSV and Parquet. It adds, converts, rounds and words; it never recomputes.

mod equivalents;
mod json;
mod parquet;
mod site_year;
mod table;
mod training;

pub use crate::estimate::UNALLOCATED;
pub use equivalents::{Everyday, equivalents};
pub use json::{describe_json, estimate_json, estimate_part_json, request_json};
pub use parquet::{ParquetWriter, to_parquet};
pub use site_year::{site_year_batch, site_year_json};
pub use table::{Number, batch_csv, estimated, events_batch, to_batch, to_csv};
pub use training::training_json;
/// Requests of a row that have no energy estimate.
pub const UNESTIMATED: &str = "unestimated_requests";
