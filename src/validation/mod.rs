//! Validation: what the methods say beside what was measured, row by row.

pub mod inference;
pub mod measured;
