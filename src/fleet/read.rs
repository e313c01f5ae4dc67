//! Fleet files: TOML to checked values, every key known, every number inside its limits.

use super::keys::{DEPLOYMENT_KEYS, Key, SITE_KEYS, TOP_KEYS};
use super::{Concurrency, Deployment, Match, Site, Tenancy};
use crate::units::Bounds;
use crate::{Error, Result};
use std::collections::BTreeMap;
use toml::{Table, Value};

const DRAFT: Bounds = Bounds { what: "drafted tokens", unit: "tokens", low: 0.0, high: 64.0 };
const POOL: Bounds = Bounds { what: "devices that prefill", unit: "", low: 0.0, high: 65_536.0 };
const DRAFT_PARAMETERS: Bounds = Bounds { what: "draft weights", unit: "parameters", low: 0.0, high: 1e13 };

/// What a fleet file says.
pub(super) struct Read {
    pub deployments: Vec<Deployment>,
    pub sites: BTreeMap<String, Site>,
    pub parameter_set: Option<String>,
    /// The catalog tables, as TOML of their own; empty if there are none.
    pub overlay: String,
    /// CSV files with further rows of the catalog.
    pub files: Vec<String>,
}

pub(super) fn read(text: &str, place: &str) -> Result<Read> {
    let mut top: Table = text.parse().map_err(|e: toml::de::Error| Error::FleetSyntax {
        place: match e.span() {
            Some(span) => format!("{place}, line {}", text[..span.start].matches('\n').count() + 1),
            None => place.into(),
        },
        problem: e.message().to_owned(),
    })?;
    check_keys(place, &top, &TOP_KEYS)?;
    let parameter_set = match top.remove("parameter_set") {
        None => None,
        Some(Value::String(set)) => Some(set),
        Some(_) => return Err(syntax(place, "`parameter_set` is a name in quotes")),
    };
    let files = match top.remove("catalog_files") {
        None => Vec::new(),
        Some(Value::Array(paths)) if paths.iter().all(Value::is_str) => {
            paths.iter().filter_map(Value::as_str).map(str::to_owned).collect()
        }
        Some(_) => return Err(syntax(place, "`catalog_files` is a list of paths in quotes")),
    };
    let mut overlay = Table::new();
    for key in TOP_KEYS
        .iter()
        .map(|k| k.name)
        .filter(|k| !["deployment", "site", "catalog_files", "parameter_set"].contains(k))
    {
        if let Some(rows) = top.remove(key) {
            overlay.insert(if key == "catalog_site" { "site".into() } else { key.into() }, rows);
        }
    }
    let mut deployments = Vec::new();
    for (i, value) in list(place, "deployment", top.remove("deployment"))?.into_iter().enumerate() {
        deployments.push(deployment(place, i, value, &mut overlay)?);
    }
    for (i, deployment) in deployments.iter().enumerate() {
        if deployments[..i].iter().any(|d: &Deployment| d.name == deployment.name) {
            return Err(conflict(place, format!("two deployments are named `{}`", deployment.name), "rename one"));
        }
    }
    let mut sites = BTreeMap::new();
    if let Some(value) = top.remove("site") {
        let Value::Table(tables) = value else {
            return Err(syntax(place, "`site` is a table of sites: [site.NAME]"));
        };
        for (name, value) in tables {
            let place = format!("{place}, site `{name}`");
            let Value::Table(table) = value else { return Err(syntax(&place, "expected a table: [site.NAME]")) };
            sites.insert(name, site(&place, table)?);
        }
    }
    let overlay = if overlay.is_empty() {
        String::new()
    } else {
        toml::to_string(&overlay).map_err(|e| syntax(place, &e.to_string()))?
    };
    Ok(Read { deployments, sites, parameter_set, overlay, files })
}

fn deployment(place: &str, index: usize, value: Value, overlay: &mut Table) -> Result<Deployment> {
    let place = format!("{place}, deployment {}", index + 1);
    let Value::Table(table) = value else { return Err(syntax(&place, "expected a table: [[deployment]]")) };
    check_keys(&place, &table, &DEPLOYMENT_KEYS)?;
    let mut fields = Fields { place, table };
    let name = fields.required_text("name")?;
    fields.place = format!("{} `{name}`", fields.place);
    let model = match fields.table.remove("model") {
        Some(Value::Table(row)) => inline_model(&name, row, overlay),
        Some(Value::String(model)) => model,
        Some(_) => return Err(syntax(&fields.place, "`model` is a catalog name or an inline table")),
        None => return Err(syntax(&fields.place, "`model` is required")),
    };
    let tenancy = match fields.text("tenancy")?.as_deref() {
        None => None,
        Some("dedicated") => Some(Tenancy::Dedicated),
        Some("shared") => Some(Tenancy::Shared),
        Some(other) => return Err(fields.expected("tenancy", other, "`dedicated` or `shared`")),
    };
    let concurrency = match fields.table.get("concurrency") {
        Some(Value::String(text)) if text == "from-log" => {
            fields.table.remove("concurrency");
            Some(Concurrency::FromLog)
        }
        Some(Value::String(other)) => {
            return Err(fields.expected("concurrency", &other.clone(), "`from-log` or a number of requests"));
        }
        _ => fields.number("concurrency", Bounds::CONCURRENCY)?.map(Concurrency::Declared),
    };
    let read = Deployment {
        name,
        model,
        hardware: fields.required_text("hardware")?,
        devices: fields.whole("devices", Bounds::DEVICES)?,
        replicas: fields.whole("replicas", Bounds::REPLICAS)?,
        tenancy,
        log_fraction: fields.number("log_fraction", Bounds::FRACTION)?.unwrap_or(1.0),
        precision: fields.text("precision")?,
        engine: fields.text("engine")?,
        server: fields.text("server")?,
        concurrency,
        max_concurrency: fields.number("max_concurrency", Bounds::CONCURRENCY)?,
        site: fields.text("site")?,
        routes: fields.patterns()?,
        kv_precision: fields.text("kv_precision")?,
        sparsity: fields.number("sparsity", Bounds::FRACTION)?,
        data_parallel: fields.whole("data_parallel", Bounds::DEVICES)?,
        pipeline_parallel: fields.whole("pipeline_parallel", Bounds::DEVICES)?,
        prefill_devices: fields.whole("prefill_devices", POOL)?.filter(|devices| *devices > 0.0),
        cache_tier: fields.text("cache_tier")?,
        draft_tokens: fields.whole("draft_tokens", DRAFT)?,
        draft_acceptance: fields.number("draft_acceptance", Bounds::FRACTION)?,
        draft_params: fields.number("draft_params", DRAFT_PARAMETERS)?,
        energy_scale: fields.number("energy_scale", Bounds::SCALE)?,
        time_scale: fields.number("time_scale", Bounds::SCALE)?,
        metered_concurrency: fields.number("metered_concurrency", Bounds::CONCURRENCY)?,
        media_share: fields.number("media_share", Bounds::FRACTION)?,
    };
    if read.draft_tokens.is_some_and(|tokens| tokens > 0.0) && read.draft_acceptance.is_none() {
        let hint = "state the measured share of drafted tokens that the engine accepts";
        return Err(conflict(&fields.place, "draft_tokens without draft_acceptance".into(), hint));
    }
    if read.draft_acceptance.is_some() && read.draft_tokens.is_none_or(|tokens| tokens == 0.0) {
        let hint = "state how many tokens are drafted, or leave both out";
        return Err(conflict(&fields.place, "draft_acceptance without draft_tokens".into(), hint));
    }
    if read.sparsity.is_some_and(|share| share >= 1.0) {
        return Err(fields.expected("sparsity", "1", "a share below 1: some weights are left"));
    }
    if read.metered_concurrency.is_some() && read.energy_scale.is_none() {
        let hint = "`wattledger calibrate` writes both";
        return Err(conflict(&fields.place, "metered_concurrency without energy_scale".into(), hint));
    }
    if read.tenancy == Some(Tenancy::Shared) && read.concurrency == Some(Concurrency::FromLog) {
        return Err(conflict(
            &fields.place,
            "concurrency cannot come from the log of a shared deployment: the log does not show its whole load".into(),
            "declare `concurrency = N`, or leave it out for a sourced default",
        ));
    }
    if read.log_fraction == 0.0 {
        return Err(fields.expected("log_fraction", "0", "a share above 0"));
    }
    Ok(read)
}

/// An inline model becomes a catalog row named after its deployment.
fn inline_model(deployment: &str, mut row: Table, overlay: &mut Table) -> String {
    let id = format!("{deployment} (inline)");
    row.entry("id").or_insert_with(|| Value::String(id.clone()));
    let id = row.get("id").and_then(Value::as_str).unwrap_or(&id).to_owned();
    row.entry("name").or_insert_with(|| Value::String(id.clone()));
    for (key, value) in [("kind", "chat"), ("architecture", "dense"), ("source", "fleet file"), ("quality", "assumed")]
    {
        row.entry(key).or_insert_with(|| Value::String(value.into()));
    }
    if !row.contains_key("active_params")
        && let Some(total) = row.get("total_params").cloned()
    {
        row.insert("active_params".into(), total);
    }
    match overlay.entry("model").or_insert_with(|| Value::Array(Vec::new())) {
        Value::Array(rows) => rows.push(Value::Table(row)),
        other => *other = Value::Array(vec![Value::Table(row)]),
    }
    id
}

fn site(place: &str, table: Table) -> Result<Site> {
    check_keys(place, &table, &SITE_KEYS)?;
    let mut fields = Fields { place: place.into(), table };
    let water = Bounds { what: "water of generation", unit: "L/kWh", low: 0.0, high: 200.0 };
    Ok(Site {
        catalog: fields.text("catalog")?,
        grid: fields.text("grid")?,
        cooling: fields.text("cooling")?,
        pue: fields.number("pue", Bounds::PUE)?,
        wue_l_per_kwh: fields.number("wue_l_per_kwh", Bounds::WUE)?,
        carbon_direct_g_per_kwh: fields.carbon("carbon_direct_g_per_kwh")?,
        carbon_lifecycle_g_per_kwh: fields.carbon("carbon_lifecycle_g_per_kwh")?,
        water_offsite_l_per_kwh: fields.number("water_offsite_l_per_kwh", water)?,
        water_offsite_with_hydro_l_per_kwh: fields.number("water_offsite_with_hydro_l_per_kwh", water)?,
    })
}

/// A table whose keys are taken out one by one.
struct Fields {
    place: String,
    table: Table,
}

impl Fields {
    fn expected(&self, key: &str, value: &str, expected: &str) -> Error {
        syntax(&self.place, &format!("{key} is `{}`, expected {expected}", crate::error::excerpt(value)))
    }

    fn text(&mut self, key: &str) -> Result<Option<String>> {
        match self.table.remove(key) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(other) => Err(self.expected(key, &other.to_string(), "text in quotes")),
        }
    }

    fn required_text(&mut self, key: &str) -> Result<String> {
        self.text(key)?.filter(|t| !t.is_empty()).ok_or_else(|| syntax(&self.place, &format!("`{key}` is required")))
    }

    #[expect(clippy::cast_precision_loss, reason = "limits are far below 2^53")]
    fn number(&mut self, key: &str, bounds: Bounds) -> Result<Option<f64>> {
        let value = match self.table.remove(key) {
            None => return Ok(None),
            Some(Value::Integer(n)) => n as f64,
            Some(Value::Float(x)) => x,
            Some(other) => return Err(self.expected(key, &other.to_string(), "a number")),
        };
        if bounds.contains(value) {
            return Ok(Some(value));
        }
        Err(Error::OutOfRange {
            place: format!("{}, {key}", self.place),
            what: bounds.what.into(),
            value: value.to_string(),
            low: bounds.low,
            high: bounds.high,
            unit: bounds.unit,
        })
    }

    fn whole(&mut self, key: &str, bounds: Bounds) -> Result<Option<f64>> {
        match self.number(key, bounds)? {
            Some(value) if value.fract() != 0.0 => Err(self.expected(key, &value.to_string(), "a whole number")),
            value => Ok(value),
        }
    }

    /// An emission factor: 0 is a claim that can be made, 0.35 is a factor in kg.
    fn carbon(&mut self, key: &str) -> Result<Option<f64>> {
        match self.table.get(key) {
            Some(zero) if zero.as_integer() == Some(0) || zero.as_float() == Some(0.0) => {
                self.table.remove(key);
                Ok(Some(0.0))
            }
            _ => self.number(key, Bounds::CARBON_INTENSITY),
        }
    }

    fn patterns(&mut self) -> Result<Option<Match>> {
        let table = match self.table.remove("match") {
            None => return Ok(None),
            Some(Value::Table(table)) => table,
            Some(other) => return Err(self.expected("match", &other.to_string(), "a table of patterns")),
        };
        let mut labels = Vec::new();
        for (label, value) in table {
            let patterns = match value {
                Value::String(one) => vec![one],
                Value::Array(many) => many
                    .into_iter()
                    .map(|v| v.as_str().map(str::to_owned).ok_or_else(|| self.expected(&label, &v.to_string(), "text")))
                    .collect::<Result<_>>()?,
                other => return Err(self.expected(&label, &other.to_string(), "a list of patterns")),
            };
            labels.push((label, patterns));
        }
        Match::new(&self.place, &labels).map(Some)
    }
}

fn list(place: &str, key: &str, value: Option<Value>) -> Result<Vec<Value>> {
    match value {
        None => Ok(Vec::new()),
        Some(Value::Array(values)) => Ok(values),
        Some(_) => Err(syntax(place, &format!("`{key}` is a list of tables: [[{key}]]"))),
    }
}

fn check_keys(place: &str, table: &Table, known: &[Key]) -> Result<()> {
    match table.keys().find(|key| known.iter().all(|k| k.name != key.as_str())) {
        None => Ok(()),
        Some(key) => Err(Error::UnknownKey {
            place: place.into(),
            key: key.clone(),
            nearest: crate::error::nearest(key, known.iter().map(|k| k.name)),
        }),
    }
}

fn syntax(place: &str, problem: &str) -> Error {
    Error::FleetSyntax { place: place.into(), problem: problem.into() }
}

fn conflict(place: &str, problem: String, hint: &str) -> Error {
    Error::FleetConflict { place: place.into(), problem, hint: hint.into() }
}
