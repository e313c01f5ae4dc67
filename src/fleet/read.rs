//! Fleet files: TOML to checked values, every key known, every number inside its limits.

use super::fields::{Fields, check_keys, conflict, syntax};
use super::keys::{DEPLOYMENT_KEYS, METER_KEYS, SITE_KEYS, TOP_KEYS};
use super::{Allocation, Concurrency, Contract, Deployment, Matching, Meter, Residual, Site, Tenancy};
use crate::units::Bounds;
use crate::{Error, Result};
use std::collections::BTreeMap;
use toml::{Table, Value};

const LOAD: Bounds = Bounds { what: "load of the IT", unit: "", low: 0.05, high: 1.0 };
const CAPACITY: Bounds = Bounds { what: "IT capacity", unit: "kW", low: 1e-3, high: 1e7 };
const ZONE: Bounds = Bounds { what: "capacity of a zone", unit: "MW", low: 1.0, high: 1e7 };
const CONTRACT: Bounds = Bounds { what: "contracted energy", unit: "kWh", low: 0.0, high: 1e12 };
const MARGINAL: Bounds = Bounds { what: "marginal emission factor", unit: "g/kWh", low: -2000.0, high: 3000.0 };
const WATER: Bounds = Bounds { what: "water of generation", unit: "L/kWh", low: 0.0, high: 200.0 };
const LOSSES: Bounds = Bounds { what: "losses of the grid", unit: "%", low: 0.0, high: 60.0 };
const STRESS: Bounds = Bounds { what: "weight of water stress", unit: "", low: 0.0, high: 100.0 };
pub(super) const LIFETIME: Bounds = Bounds { what: "service life", unit: "years", low: 0.5, high: 30.0 };
pub(super) const YEAR: Bounds = Bounds { what: "year of purchase", unit: "", low: 2005.0, high: 2100.0 };
const DRAFT: Bounds = Bounds { what: "drafted tokens", unit: "tokens", low: 0.0, high: 64.0 };
const POOL: Bounds = Bounds { what: "devices that prefill", unit: "", low: 0.0, high: 65_536.0 };
const DRAFT_PARAMETERS: Bounds = Bounds { what: "draft weights", unit: "parameters", low: 0.0, high: 1e13 };

/// What a fleet file says.
pub(super) struct Read {
    pub deployments: Vec<Deployment>,
    pub sites: BTreeMap<String, Site>,
    pub meters: Vec<Meter>,
    pub allocation: Allocation,
    /// Deployments, by place, whose replicas stand in a file.
    pub replica_files: Vec<(usize, String)>,
    pub parameter_set: Option<String>,
    /// The catalog tables, as TOML of their own; empty if there are none.
    pub overlay: String,
    /// CSV files with further rows of the catalog.
    pub files: Vec<String>,
}

/// A text as TOML.
pub(super) fn table(text: &str, place: &str) -> Result<Table> {
    text.parse().map_err(|e: toml::de::Error| Error::FleetSyntax {
        place: match e.span() {
            Some(span) => format!("{place}, line {}", text[..span.start].matches('\n').count() + 1),
            None => place.into(),
        },
        problem: e.message().to_owned(),
    })
}

pub(super) fn read(text: &str, place: &str) -> Result<Read> {
    let mut top = table(text, place)?;
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
        .filter(|k| !["deployment", "site", "meter", "allocation", "catalog_files", "parameter_set"].contains(k))
    {
        if let Some(rows) = top.remove(key) {
            overlay.insert(if key == "catalog_site" { "site".into() } else { key.into() }, rows);
        }
    }
    let allocation = match top.remove("allocation") {
        None => Allocation::Average,
        Some(Value::String(rule)) if rule == "average" => Allocation::Average,
        Some(Value::String(rule)) if rule == "marginal" => Allocation::Marginal,
        Some(_) => return Err(syntax(place, "`allocation` is \"average\" or \"marginal\"")),
    };
    let (mut deployments, mut replica_files) = (Vec::new(), Vec::new());
    for (i, value) in list(place, "deployment", top.remove("deployment"))?.into_iter().enumerate() {
        let (read, replicas) = deployment(place, i, value, &mut overlay)?;
        deployments.push(read);
        replica_files.extend(replicas.map(|file| (i, file)));
    }
    let meters = list(place, "meter", top.remove("meter"))?.into_iter().enumerate();
    let meters = meters.map(|(i, value)| meter(place, i, value)).collect::<Result<_>>()?;
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
    Ok(Read { deployments, sites, meters, allocation, replica_files, parameter_set, overlay, files })
}

/// A deployment, and the file its replicas stand in where they are scaled.
fn deployment(place: &str, index: usize, value: Value, overlay: &mut Table) -> Result<(Deployment, Option<String>)> {
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
    let replica_file = match fields.table.get("replicas") {
        Some(Value::String(_)) => fields.text("replicas")?,
        _ => None,
    };
    let provisioned = fields.period("provisioned_from", "provisioned_until")?;
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
        replica_hours: None,
        provisioned,
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
        lifetime_years: fields.number("lifetime_years", LIFETIME)?,
        purchase_year: fields.whole("purchase_year", YEAR)?,
        embodied: fields.text("embodied")?,
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
    Ok((read, replica_file))
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
    let matching = match fields.text("matching")?.as_deref() {
        None | Some("annual") => Matching::Annual,
        Some("hourly") => Matching::Hourly,
        Some(other) => return Err(fields.expected("matching", other, "`annual` or `hourly`")),
    };
    let contract = Contract {
        share: fields.number("contracted_share", Bounds::FRACTION)?,
        kwh_per_year: fields.number("contracted_kwh_per_year", CONTRACT)?,
        direct_g_per_kwh: fields.carbon("contract_direct_g_per_kwh")?,
        residual_direct_g_per_kwh: fields.carbon("residual_direct_g_per_kwh")?,
        matching,
    };
    if contract.share.is_some() && contract.kwh_per_year.is_some() {
        let hint = "state the share of the load or the energy of a year";
        return Err(conflict(place, "contracted_share and contracted_kwh_per_year".into(), hint));
    }
    let site = Site {
        catalog: fields.text("catalog")?,
        grid: fields.text("grid")?,
        cooling: fields.text("cooling")?,
        power_chain: fields.text("power_chain")?,
        weather: fields.text("weather")?,
        it_load_fraction: fields.number("it_load_fraction", LOAD)?,
        it_capacity_kw: fields.number("it_capacity_kw", CAPACITY)?,
        pue: fields.number("pue", Bounds::PUE)?,
        wue_l_per_kwh: fields.number("wue_l_per_kwh", Bounds::WUE)?,
        carbon_direct_g_per_kwh: fields.carbon("carbon_direct_g_per_kwh")?,
        carbon_lifecycle_g_per_kwh: fields.carbon("carbon_lifecycle_g_per_kwh")?,
        carbon_marginal_g_per_kwh: fields.number("carbon_marginal_g_per_kwh", MARGINAL)?,
        water_offsite_l_per_kwh: fields.number("water_offsite_l_per_kwh", WATER)?,
        water_offsite_with_hydro_l_per_kwh: fields.number("water_offsite_with_hydro_l_per_kwh", WATER)?,
        grid_losses_pct: fields.number("grid_losses_pct", LOSSES)?,
        water_stress_weight: fields.number("water_stress_weight", STRESS)?,
        generation_mix: fields.mix()?,
        zone_dispatchable_mw: fields.number("zone_dispatchable_mw", ZONE)?,
        zone_peak_mw: fields.number("zone_peak_mw", ZONE)?,
        contract,
        series_files: fields.texts("series")?,
        series: BTreeMap::new(),
    };
    if site.it_capacity_kw.is_some() && site.it_load_fraction.is_some() {
        let hint = "the load follows from the capacity and the ledger; state the fraction where others run there too";
        return Err(conflict(place, "it_capacity_kw and it_load_fraction".into(), hint));
    }
    Ok(site)
}

fn meter(place: &str, index: usize, value: Value) -> Result<Meter> {
    let place = format!("{place}, meter {}", index + 1);
    let Value::Table(table) = value else { return Err(syntax(&place, "expected a table: [[meter]]")) };
    check_keys(&place, &table, &METER_KEYS)?;
    let mut fields = Fields { place, table };
    let residual = match fields.text("residual")?.as_deref() {
        None | Some("proportional") => Residual::Proportional,
        Some("unallocated") => Residual::Unallocated,
        Some("report") => Residual::Report,
        Some(other) => {
            return Err(fields.expected("residual", other, "`proportional`, `unallocated` or `report`"));
        }
    };
    let file = fields.required_text("file")?;
    Ok(Meter {
        name: fields.text("name")?.unwrap_or_else(|| file.clone()),
        site: fields.text("site")?,
        deployments: fields.texts("deployments")?,
        residual,
        file,
        series: BTreeMap::new(),
    })
}

pub(super) fn list(place: &str, key: &str, value: Option<Value>) -> Result<Vec<Value>> {
    match value {
        None => Ok(Vec::new()),
        Some(Value::Array(values)) => Ok(values),
        Some(_) => Err(syntax(place, &format!("`{key}` is a list of tables: [[{key}]]"))),
    }
}
