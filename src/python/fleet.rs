//! `wattledger.Fleet` and single requests.

use super::wait::interruptible;
use super::{arrow, loads};
use crate::estimate::{self, Picture, Request, RequestPlan};
use crate::{Error, files, fleet, report};
use pyo3::exceptions::PyKeyError;
use pyo3::prelude::*;
use pyo3::types::PyCapsule;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

/// A count of tokens.
fn count(what: &str, tokens: i64) -> Result<u64, Error> {
    let expected = || "a count of tokens, 0 or more".to_owned();
    u64::try_from(tokens).map_err(|_| Error::Argument {
        what: what.into(),
        value: tokens.to_string(),
        expected: expected(),
    })
}

/// The hour of a time: text with an offset, or a `datetime` that knows its zone.
fn hour(at: &Bound<'_, PyAny>) -> PyResult<i64> {
    let text = if at.hasattr("isoformat")? { at.call_method0("isoformat")?.to_string() } else { at.to_string() };
    if let Some(date) = text.parse::<jiff::civil::Date>().ok().filter(|_| text.len() == 10) {
        return Ok(crate::hours::hour_of_date(date));
    }
    let time = text.parse::<jiff::Timestamp>().map_err(|_| Error::Argument {
        what: "at".into(),
        value: text.clone(),
        expected: "a date, or a time with an offset, such as 2024-07-01T15:00Z".into(),
    })?;
    Ok(crate::hours::hour_of(time.as_second()))
}

/// Deployments, sites and their names.
#[pyclass(frozen, module = "wattledger")]
pub(super) struct Fleet(pub(super) fleet::Fleet, Plans);

/// Plans of single requests, the one last used first.
type Plans = Mutex<Vec<(Request, Arc<RequestPlan>)>>;

/// Plans that are remembered.
const PLANS: usize = 64;

impl From<fleet::Fleet> for Fleet {
    fn from(fleet: fleet::Fleet) -> Self {
        Self(fleet, Mutex::default())
    }
}

impl Fleet {
    /// The plan of a request: the one made for the last of its kind, or a new one.
    fn plan_of(&self, asked: &Request) -> PyResult<Arc<RequestPlan>> {
        let mut plans = self.1.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(at) = plans.iter().position(|(known, _)| known.is_like(asked)) {
            plans[..=at].rotate_right(1);
            return Ok(Arc::clone(&plans[0].1));
        }
        drop(plans);
        let plan = Arc::new(RequestPlan::new(&self.0, asked)?);
        let mut plans = self.1.lock().unwrap_or_else(PoisonError::into_inner);
        plans.truncate(PLANS - 1);
        plans.insert(0, (asked.clone(), Arc::clone(&plan)));
        Ok(plan)
    }
}

#[pymethods]
impl Fleet {
    #[staticmethod]
    fn load(path: PathBuf) -> PyResult<Self> {
        Ok(fleet::Fleet::load(&path)?.into())
    }

    #[staticmethod]
    #[pyo3(signature = (text, *, place = "fleet"))]
    fn parse(text: &str, place: &str) -> PyResult<Self> {
        Ok(fleet::Fleet::parse(text, place)?.into())
    }

    #[staticmethod]
    #[pyo3(name = "default")]
    fn assumed() -> Self {
        fleet::Fleet::assumed().into()
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
        deployment = None, devices = None, precision = None, concurrency = None, at = None
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
        at: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<RequestEstimate> {
        let asked = Request {
            hour: at.map(hour).transpose()?,
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
        Ok(RequestEstimate(self.plan_of(&asked)?.estimate(&asked)?))
    }

    #[pyo3(signature = (
        *, model, width_px = 1024.0, height_px = 1024.0, frames = 1.0, steps = None, batch = 1.0, hardware = None,
        devices = None, precision = None, site = None, at = None
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
        at: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<RequestEstimate> {
        let hour = at.map(hour).transpose()?;
        let asked =
            Picture { model, hardware, devices, precision, site, width_px, height_px, frames, steps, batch, hour };
        Ok(RequestEstimate(estimate::picture(&self.0, &asked)?))
    }

    #[pyo3(signature = (site, *, year, cooling = None))]
    fn site_hours(&self, py: Python<'_>, site: &str, year: i64, cooling: Option<&str>) -> PyResult<SiteHours> {
        let changed = cooling.map(|cooling| self.0.with_cooling(site, cooling));
        let fleet = changed.as_ref().unwrap_or(&self.0);
        interruptible(py, |_| estimate::site_year(fleet, site, year)).map(SiteHours)
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
    /// The place of a column.
    fn column(name: &str) -> PyResult<usize> {
        let place = estimate::columns::SUMS.iter().position(|column| column.name == name);
        place.ok_or_else(|| PyKeyError::new_err(name.to_owned()))
    }
}

#[pymethods]
impl RequestEstimate {
    #[getter]
    fn model(&self) -> &str {
        self.0.model()
    }

    #[getter]
    fn hardware(&self) -> &str {
        self.0.hardware()
    }

    #[getter]
    fn devices(&self) -> f64 {
        self.0.devices()
    }

    #[getter]
    fn site(&self) -> &str {
        self.0.site()
    }

    #[getter]
    fn concurrency(&self) -> f64 {
        self.0.concurrency()
    }

    fn range(&self, column: String) -> PyResult<Option<(f64, f64)>> {
        let (_, value) = self.0.values()[Self::column(&column)?];
        Ok(value.map(|[_, low, high]| (low, high)))
    }

    fn to_dict<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        loads(py, &self.to_json())
    }

    fn to_json(&self) -> String {
        report::request_json(&self.0)
    }

    fn __getitem__(&self, column: &str) -> PyResult<Option<f64>> {
        Ok(self.0.value(Self::column(column)?))
    }

    fn __repr__(&self) -> String {
        let facility = self.0.value(estimate::columns::sum("facility_kwh")).unwrap_or(0.0);
        format!("<wattledger.RequestEstimate: {} on {}, {facility:.3e} kWh>", self.0.model(), self.0.hardware())
    }
}

/// Keys of a fleet file: table, name, unit or kind, default, meaning.
#[pyfunction]
pub(super) fn fleet_keys() -> Vec<(&'static str, &'static str, &'static str, &'static str, &'static str)> {
    let tables = [
        ("", &fleet::TOP_KEYS[..]),
        ("[[deployment]]", &fleet::DEPLOYMENT_KEYS[..]),
        ("[site.NAME]", &fleet::SITE_KEYS[..]),
        ("[[meter]]", &fleet::METER_KEYS[..]),
    ];
    let rows = tables.into_iter().flat_map(|(table, keys)| keys.iter().map(move |k| (table, k)));
    rows.map(|(table, k)| (table, k.name, k.unit, k.default, k.meaning)).collect()
}

/// A site by the hour at a constant load.
#[pyclass(frozen, module = "wattledger")]
pub(super) struct SiteHours(estimate::SiteYear);

#[pymethods]
impl SiteHours {
    #[getter]
    fn site(&self) -> &str {
        &self.0.site
    }

    #[getter]
    fn summary<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        loads(py, &report::site_year_json(&self.0))
    }

    fn to_csv(&self) -> PyResult<String> {
        Ok(report::batch_csv(&report::site_year_batch(&self.0))?)
    }

    fn write_parquet(&self, path: PathBuf) -> PyResult<()> {
        let bytes = report::to_parquet(&[report::site_year_batch(&self.0)], Some(report::site_year_json(&self.0)))?;
        Ok(files::write_whole(&path, &bytes)?)
    }

    #[pyo3(signature = (requested_schema = None))]
    fn __arrow_c_stream__<'py>(
        &self,
        py: Python<'py>,
        requested_schema: Option<Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyCapsule>> {
        let _ = requested_schema;
        let batch = report::site_year_batch(&self.0);
        arrow::capsule(py, batch.schema(), vec![batch])
    }

    fn __len__(&self) -> usize {
        self.0.hours.len()
    }

    fn __repr__(&self) -> String {
        format!("<wattledger.SiteHours: {} hours of {}>", self.0.hours.len(), self.0.site)
    }
}

/// Series that a fleet file may name: what they stand beside, column, unit, meaning, whether by the hour alone.
#[pyfunction]
pub(super) fn series_columns() -> Vec<(&'static str, &'static str, &'static str, &'static str, bool)> {
    let of = [
        ("[site.NAME]", &fleet::SITE_SERIES[..]),
        ("[[meter]]", &fleet::METER_SERIES[..]),
        ("[[deployment]]", &fleet::REPLICA_SERIES[..]),
    ];
    let rows = of.into_iter().flat_map(|(of, columns)| columns.iter().map(move |column| (of, column)));
    rows.map(|(of, column)| (of, column.name, column.bounds.unit, column.meaning, column.hourly)).collect()
}

/// A cooling system at one weather and load, per kilowatt-hour of IT.
#[pyfunction]
#[pyo3(signature = (cooling, dry_bulb_c, rel_humidity_pct, pressure_kpa, load = None, power_chain = None))]
pub(super) fn cooling_at(
    cooling: &str,
    dry_bulb_c: f64,
    rel_humidity_pct: f64,
    pressure_kpa: f64,
    load: Option<f64>,
    power_chain: Option<&str>,
) -> PyResult<std::collections::BTreeMap<&'static str, f64>> {
    let weather = crate::physics::psychrometrics::Weather { dry_bulb_c, rel_humidity_pct, pressure_kpa };
    let (air, around) =
        crate::plan::cooling_at(crate::catalog::Catalog::builtin(), cooling, &weather, load, power_chain)?;
    Ok([
        ("cooling", around.cooling),
        ("power_delivery", around.power_delivery),
        ("pue", around.pue()),
        ("water_input_l", around.water_input_l),
        ("water_consumed_l", around.water_consumed_l),
        ("wet_bulb_c", air.wet_bulb_c),
        ("dew_point_c", air.dew_point_c),
        ("humidity_ratio", air.humidity_ratio),
    ]
    .into())
}

/// Columns of an estimate: name, unit, meaning.
#[pyfunction]
pub(super) fn estimate_columns() -> Vec<(&'static str, &'static str, &'static str)> {
    let columns = estimate::columns::COUNTS.iter().chain(&estimate::columns::SUMS).chain(&estimate::columns::RATIOS);
    columns.map(|c| (c.name, c.unit, c.meaning)).collect()
}
