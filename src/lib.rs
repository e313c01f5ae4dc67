//! From logs of AI inference requests to the energy, cooling, water and emissions of the fleet that served them.
//!
//! The crate is a house of small rooms; data flows one way through it:
//!
//! ```text
//! log bytes ─► intake ─► event ─► kernel ─► ledger ─┐
//!                                                   ├─► estimate ─► report
//!              catalog ─► fleet ─► plan ◄─► physics ─┘
//! ```
//!
//! [`calibration`] puts a meter beside an estimate and hands back scales, [`validation`] measurements beside the method.
//!
//! [`scan`] is the corridor from bytes to ledger, [`units`], [`error`] and [`keys`] are the floor everyone stands on.
//! `tests/architecture` holds the walls: which room may use which.

pub mod annotate;
pub mod calibration;
pub mod catalog;
pub mod error;
pub mod estimate;
pub mod event;
pub mod files;
pub mod fleet;
pub mod hours;
pub mod intake;
pub mod kernel;
pub mod keys;
mod lanes;
pub mod ledger;
mod memory;
pub mod physics;
pub mod plan;
pub mod report;
pub mod scan;
pub mod training;
pub mod units;
pub mod validation;

#[cfg(feature = "python")]
mod python;

pub use error::{Error, Result};
