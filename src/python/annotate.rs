//! `wattledger.annotate`: events with their estimates, from files to a file or from columns to columns.

use super::columns::Column;
use super::fleet::Fleet;
use super::ledger::Ledger;
use super::scan::ScanOptions;
use super::wait::interruptible;
use super::{arrow, columns};
use crate::estimate::{Annotator, Estimate};
use crate::event::{EventBatch, EventColumns};
use crate::keys::SeriesTable;
use crate::scan::{self, Options};
use crate::{Result, files, intake, report};
use arrow_array::{RecordBatch, RecordBatchReader};
use pyo3::prelude::*;
use pyo3::types::PyCapsule;
use std::path::PathBuf;

/// Turns batches of events into batches of rows, in order.
struct Rows<'a> {
    annotator: Annotator<'a>,
    keep: &'a [usize],
    batches: Vec<RecordBatch>,
}
