//! The second corridor: events once more, each with its estimate, at the operating points of a first pass.

mod logs;
mod pool;
mod tables;

pub use crate::report::Number;
pub use logs::{Batches, check_twice_readable, into_parquet};
pub use pool::Pool;

use crate::error::{Error, Result, nearest};
use crate::estimate::columns::SUMS;
use crate::estimate::{Annotator, Estimate};
use crate::intake;
use crate::keys::SeriesTable;
use std::sync::{Arc, Mutex, PoisonError};

/// An estimate made ready for single events: which columns to keep, how events are read, and what was worked out so far.
///
/// It serves any number of tables, from any number of threads; what one call works out the next one finds.
///
/// ```
/// use std::sync::Arc;
/// use wattledger::{annotate::Annotation, estimate::Estimate, fleet::Fleet, intake, ledger::Ledger};
/// let estimate = Estimate::new(&Ledger::empty(3600, vec![], &[])?, &Fleet::assumed())?;
/// let annotation = Annotation::new(Arc::new(estimate), &["it_kwh".into()], intake::Options::default())?;
/// assert_eq!(annotation.columns(), ["it_kwh"]);
/// # Ok::<(), wattledger::Error>(())
/// ```
pub struct Annotation {
    estimate: Arc<Estimate>,
    keep: Vec<usize>,
    options: intake::Options,
    idle: Mutex<Vec<Worker>>,
}

/// What one thread needs; the series of its table are those of its annotator.
struct Worker {
    table: SeriesTable,
    annotator: Annotator,
}

impl Annotation {
    /// Keeps the columns that are named; all that can be known of single events where none are.
    ///
    /// # Errors
    /// [`Error::UnknownName`] for a column that is none, [`Error::DuplicateColumn`] for one that is named twice.
    pub fn new(estimate: Arc<Estimate>, names: &[String], options: intake::Options) -> Result<Self> {
        let keep = places(names)?;
        // Rows keep the values they have.
        let options = intake::Options { max_groups: None, ..options };
        Ok(Self { estimate, keep, options, idle: Mutex::default() })
    }

    /// Names of the columns that are kept.
    #[must_use]
    pub fn columns(&self) -> Vec<&'static str> {
        self.keep.iter().map(|at| SUMS[*at].name).collect()
    }

    fn worker(&self) -> Worker {
        let idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
        idle.unwrap_or_else(|| Worker {
            table: SeriesTable::new(self.options.dimensions.clone()),
            annotator: Annotator::new(Arc::clone(&self.estimate), &self.keep),
        })
    }

    fn rest(&self, worker: Worker) {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).push(worker);
    }
}

fn places(names: &[String]) -> Result<Vec<usize>> {
    if names.is_empty() {
        // No request trains.
        return Ok((0..SUMS.len()).filter(|i| SUMS[*i].name != "training_kwh").collect());
    }
    let mut places = Vec::with_capacity(names.len());
    for name in names {
        let place = SUMS.iter().position(|c| c.name == name).ok_or_else(|| Error::UnknownName {
            kind: "column",
            name: name.clone(),
            nearest: nearest(name, SUMS.iter().map(|c| c.name)),
        })?;
        if places.contains(&place) {
            return Err(Error::DuplicateColumn { place: "columns to keep".into(), column: name.clone() });
        }
        places.push(place);
    }
    Ok(places)
}
