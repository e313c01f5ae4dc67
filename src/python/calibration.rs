//! Meters beside estimates.

use super::fleet::Fleet;
use super::ledger::Ledger;
use super::loads;
use super::wait::interruptible;
use crate::calibration::joined;
use crate::calibration::point::{self, Metered, Point};
use crate::calibration::series::{self, Series};
use crate::fleet::edit::{Edit, edit};
use crate::{Error, files};
use pyo3::exceptions::PyRuntimeError;
use pyo3::prelude::*;
use std::path::PathBuf;

/// A result as Python objects.
fn dict<'py>(py: Python<'py>, found: &impl serde::Serialize) -> PyResult<Bound<'py, PyAny>> {
    let json = serde_json::to_string(found).map_err(|e| PyRuntimeError::new_err(e.to_string()))?;
    loads(py, &json)
}

#[pyfunction]
#[pyo3(signature = (
    fleet, *, deployment = None, gpu_power_w = None, tokens_per_s = None, gpu_kwh = None, total_output_tokens = None,
    hours = None, concurrency = None, input_tokens = None, cached_tokens = None, output_tokens = None
))]
#[expect(clippy::too_many_arguments, reason = "keyword arguments of a Python function")]
pub(super) fn calibrate_point<'py>(
    py: Python<'py>,
    fleet: &Bound<'_, Fleet>,
    deployment: Option<String>,
    gpu_power_w: Option<f64>,
    tokens_per_s: Option<f64>,
    gpu_kwh: Option<f64>,
    total_output_tokens: Option<f64>,
    hours: Option<f64>,
    concurrency: Option<f64>,
    input_tokens: Option<u64>,
    cached_tokens: Option<u64>,
    output_tokens: Option<u64>,
) -> PyResult<Bound<'py, PyAny>> {
    let metered = Metered::given([gpu_power_w, tokens_per_s], [gpu_kwh, total_output_tokens, hours])?;
    let point = Point { deployment, metered, concurrency, input_tokens, cached_tokens, output_tokens };
    dict(py, &point::calibrate(&fleet.get().0, &point)?)
}

#[pyfunction]
#[pyo3(signature = (
    ledger, fleet, paths, *, deployment = None, timezone = None, unit = None, max_gap_s = None, lag_s = None
))]
#[expect(clippy::too_many_arguments, reason = "keyword arguments of a Python function")]
pub(super) fn calibrate_series<'py>(
    py: Python<'py>,
    ledger: &Bound<'_, Ledger>,
    fleet: &Bound<'_, Fleet>,
    paths: Vec<PathBuf>,
    deployment: Option<String>,
    timezone: Option<String>,
    unit: Option<String>,
    max_gap_s: Option<f64>,
    lag_s: Option<f64>,
) -> PyResult<Bound<'py, PyAny>> {
    let (ledger, fleet) = (&ledger.get().0, &fleet.get().0);
    let read = series::Options { timezone, unit };
    let join = joined::Options { deployment, max_gap_s, lag_s };
    let found = interruptible(py, |_| {
        let files = paths.into_iter().map(|path| Ok((path.clone(), files::read_whole(&path)?)));
        let series = Series::read(&files.collect::<Result<Vec<_>, Error>>()?, &read)?;
        joined::calibrate(ledger, fleet, &series, &join)
    })?;
    dict(py, &found)
}

/// A fleet file with keys of its deployments set, everything else in it left as it is.
#[pyfunction]
pub(super) fn edit_fleet(text: &str, place: &str, edits: Vec<(String, String, Option<f64>)>) -> PyResult<String> {
    let edits: Vec<Edit> = edits.into_iter().map(|(deployment, key, value)| Edit { deployment, key, value }).collect();
    Ok(edit(text, place, &edits)?)
}
