//! `wattledger.Fleet` and single requests.

use super::loads;
use crate::estimate::{self, Picture, Request};
use crate::{Error, fleet, report};
use pyo3::exceptions::PyKeyError;
use pyo3::prelude::*;
use std::path::PathBuf;

/// A count of tokens.
fn count(what: &str, tokens: i64) -> Result<u64, Error> {
    let expected = || "a count of tokens, 0 or more".to_owned();
    u64::try_from(tokens).map_err(|_| Error::Argument {
        what: what.into(),
        value: tokens.to_string(),
        expected: expected(),
    })
}

/// Deployments, sites and their names.
#[pyclass(frozen, module = "wattledger")]
pub(super) struct Fleet(pub(super) fleet::Fleet);

#[pymethods]
impl Fleet {
    #[staticmethod]
    fn load(path: PathBuf) -> PyResult<Self> {
        Ok(Self(fleet::Fleet::load(&path)?))
    }

    #[staticmethod]
    #[pyo3(signature = (text, *, place = "fleet"))]
    fn parse(text: &str, place: &str) -> PyResult<Self> {
        Ok(Self(fleet::Fleet::parse(text, place)?))
    }

    #[staticmethod]
    #[pyo3(name = "default")]
    fn assumed() -> Self {
        Self(fleet::Fleet::assumed())
    }

    #[getter]
    fn deployments(&self) -> Vec<String> {
        self.0.deployments().iter().map(|d| d.name.clone()).collect()
    }

    #[getter]
    fn windows(&self) -> PyResult<Vec<u32>> {
        Ok(self.0.windows()?)
    }

    #[getter]
    fn digest(&self) -> &str {
        self.0.digest()
    }

    #[pyo3(signature = (
        *, model = None, output_tokens = None, input_tokens = 0, cached_tokens = 0, hardware = None, site = None,
        deployment = None, devices = None, precision = None, concurrency = None
    ))]
    #[expect(clippy::too_many_arguments, reason = "keyword arguments of a Python function")]
    fn request(
        &self,
        model: Option<String>,
        output_tokens: Option<i64>,
        input_tokens: i64,
        cached_tokens: i64,
        hardware: Option<String>,
        site: Option<String>,
        deployment: Option<String>,
        devices: Option<f64>,
        precision: Option<String>,
        concurrency: Option<f64>,
    ) -> PyResult<RequestEstimate> {
        let asked = Request {
            model,
            deployment,
            hardware,
            devices,
            precision,
            site,
            concurrency,
            input_tokens: count("input_tokens", input_tokens)?,
            cached_tokens: count("cached_tokens", cached_tokens)?,
            output_tokens: output_tokens.map(|tokens| count("output_tokens", tokens)).transpose()?,
        };
        Ok(RequestEstimate(estimate::request(&self.0, &asked)?))
    }

    #[pyo3(signature = (
        *, model, width_px = 1024.0, height_px = 1024.0, frames = 1.0, steps = None, batch = 1.0, hardware = None,
        devices = None, precision = None, site = None
    ))]
    #[expect(clippy::too_many_arguments, reason = "keyword arguments of a Python function")]
    fn picture(
        &self,
        model: String,
        width_px: f64,
        height_px: f64,
        frames: f64,
        steps: Option<f64>,
        batch: f64,
        hardware: Option<String>,
        devices: Option<f64>,
        precision: Option<String>,
        site: Option<String>,
    ) -> PyResult<RequestEstimate> {
        let asked = Picture { model, hardware, devices, precision, site, width_px, height_px, frames, steps, batch };
        Ok(RequestEstimate(estimate::picture(&self.0, &asked)?))
    }

    fn __repr__(&self) -> String {
        match self.0.deployments().len() {
            0 => "wattledger.Fleet.default()".into(),
            n => format!("<wattledger.Fleet: {n} deployments from {}>", self.0.place()),
        }
    }
}

/// One request's footprint with its range and its chain.
#[pyclass(frozen, module = "wattledger")]
pub(super) struct RequestEstimate(estimate::RequestEstimate);

impl RequestEstimate {
    #[expect(clippy::option_option, reason = "no such column is not an unknown value")]
    fn column(&self, name: &str) -> Option<Option<[f64; 3]>> {
        self.0.values.iter().find(|(column, _)| *column == name).map(|(_, value)| *value)
    }
}

#[pymethods]
impl RequestEstimate {
    #[getter]
    fn model(&self) -> &str {
        &self.0.model
    }

    #[getter]
    fn hardware(&self) -> &str {
        &self.0.hardware
    }

    #[getter]
    fn devices(&self) -> f64 {
        self.0.devices
    }

    #[getter]
    fn site(&self) -> &str {
        &self.0.site
    }

    #[getter]
    fn concurrency(&self) -> f64 {
        self.0.concurrency
    }

    fn range(&self, column: String) -> PyResult<Option<(f64, f64)>> {
        let value = self.column(&column).ok_or_else(|| PyKeyError::new_err(column))?;
        Ok(value.map(|[_, low, high]| (low, high)))
    }

    fn to_dict<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        loads(py, &self.to_json())
    }

    fn to_json(&self) -> String {
        report::request_json(&self.0)
    }

    fn __getitem__(&self, column: String) -> PyResult<Option<f64>> {
        let value = self.column(&column).ok_or_else(|| PyKeyError::new_err(column))?;
        Ok(value.map(|[value, ..]| value))
    }

    fn __repr__(&self) -> String {
        let facility = self.column("facility_kwh").flatten().map_or(0.0, |[value, ..]| value);
        format!("<wattledger.RequestEstimate: {} on {}, {facility:.3e} kWh>", self.0.model, self.0.hardware)
    }
}

/// Keys of a fleet file: table, name, unit or kind, default, meaning.
#[pyfunction]
pub(super) fn fleet_keys() -> Vec<(&'static str, &'static str, &'static str, &'static str, &'static str)> {
    let tables = [
        ("", &fleet::TOP_KEYS[..]),
        ("[[deployment]]", &fleet::DEPLOYMENT_KEYS[..]),
        ("[site.NAME]", &fleet::SITE_KEYS[..]),
    ];
    let rows = tables.into_iter().flat_map(|(table, keys)| keys.iter().map(move |k| (table, k)));
    rows.map(|(table, k)| (table, k.name, k.unit, k.default, k.meaning)).collect()
}

/// Columns of an estimate: name, unit, meaning.
#[pyfunction]
pub(super) fn estimate_columns() -> Vec<(&'static str, &'static str, &'static str)> {
    let columns = estimate::columns::COUNTS.iter().chain(&estimate::columns::SUMS).chain(&estimate::columns::RATIOS);
    columns.map(|c| (c.name, c.unit, c.meaning)).collect()
}
