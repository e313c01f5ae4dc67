//! The keys of a fleet file: read by the parser, printed by the reference page.

/// One key: name, unit, default and meaning.
#[derive(Clone, Copy, Debug)]
pub struct Key {
    /// Name in the file.
    pub name: &'static str,
    /// Unit, or the kind of value.
    pub unit: &'static str,
    /// What holds where it is not given.
    pub default: &'static str,
    /// What it means.
    pub meaning: &'static str,
}

const fn key(name: &'static str, unit: &'static str, default: &'static str, meaning: &'static str) -> Key {
    Key { name, unit, default, meaning }
}

/// Tables of a fleet file. The catalog tables hold rows of the user's own, with the columns of the built-in files.
pub const TOP_KEYS: [Key; 18] = [
    key("deployment", "[[table]]", "none", "a model served on accelerators at a site"),
    key("site", "[table.NAME]", "none", "a building and its place"),
    key("meter", "[[table]]", "none", "a metered series beside the estimate"),
    key(
        "allocation",
        "average | marginal",
        "average",
        "overhead of a site by IT energy, or by what one more kWh of IT adds, the rest unallocated",
    ),
    key("hardware", "[[table]]", "none", "catalog row of an accelerator"),
    key("server", "[[table]]", "none", "catalog row of a server"),
    key("model", "[[table]]", "none", "catalog row of a model"),
    key("engine", "[[table]]", "none", "catalog row of a serving engine"),
    key("grid", "[[table]]", "none", "catalog row of a grid"),
    key("cooling", "[[table]]", "none", "catalog row of a cooling system"),
    key("power_chain", "[[table]]", "none", "catalog row of a class of power chain"),
    key("technology", "[[table]]", "none", "catalog row of a technology of generation"),
    key("embodied", "[[table]]", "none", "catalog row of an embodied burden"),
    key("catalog_site", "[[table]]", "none", "catalog row of a place"),
    key("parameter", "[[table]]", "none", "catalog row of a parameter of the inference method"),
    key(
        "alias",
        "[[table]]",
        "none",
        "another name of a catalog row: alias, id, match = exact | glob | regex, kind = model",
    ),
    key(
        "catalog_files",
        "[\"path.csv\", …]",
        "none",
        "CSV files of catalog rows, kind by name: hardware.csv, model-ours.csv",
    ),
    key("parameter_set", "name", "V12", "the parameter set of the inference method"),
];

/// Keys of `[[deployment]]`.
pub const DEPLOYMENT_KEYS: [Key; 29] = [
    key("name", "text", "required", "its name in tables and files"),
    key("model", "catalog name or inline table", "required", "the network it serves"),
    key("hardware", "catalog name", "required", "the accelerator"),
    key("devices", "count", "fewest that hold the weights: 1, 2, 4, 8, …", "accelerators of one replica"),
    key(
        "replicas",
        "count or \"file.csv\"",
        "1",
        "provisioned replicas, or a file with hour_utc and replicas; idle energy follows from it",
    ),
    key(
        "provisioned_from",
        "time, UTC",
        "first bin with a request",
        "start of an hour from which its replicas stand there, requests or not",
    ),
    key("provisioned_until", "time, UTC", "last bin with a request", "the hour they are given back"),
    key(
        "tenancy",
        "dedicated | shared",
        "dedicated if replicas are given, else shared",
        "whether the log shows its whole load",
    ),
    key("log_fraction", "0 to 1", "1", "share of its load that the logs show; below 1 it is treated as shared"),
    key("precision", "bf16 | fp16 | fp8 | int8 | int4 | nvfp4 | mxfp4", "as released", "precision of the weights"),
    key("engine", "catalog name", "vllm-0.11.1", "the serving engine: host time per step and sequence"),
    key("server", "catalog name", "1.2 kW per 8 accelerators", "the server: host power"),
    key(
        "concurrency",
        "from-log | requests",
        "from-log if dedicated, else half of memory, at most 64",
        "requests a replica runs at once",
    ),
    key("max_concurrency", "requests", "256, or what memory holds", "most requests the engine runs at once"),
    key("site", "name", "unknown place", "a [site.NAME] of this file, or a catalog name"),
    key(
        "match",
        "table of patterns",
        "deployment label = name, or same model and site",
        "routes it serves: label = [\"glob\", …]; {} is every route",
    ),
    key("kv_precision", "bf16 | fp8", "bf16", "precision of the key-value cache"),
    key("sparsity", "0 to 1", "0", "share of the weights that a compressed format leaves out"),
    key("data_parallel", "count", "1", "groups of devices with their own attention weights and sequences"),
    key("pipeline_parallel", "count", "1", "stages of consecutive layers"),
    key("prefill_devices", "count", "0", "accelerators of a replica that only prefill; `devices` then decode"),
    key("cache_tier", "memory | host | flash | network", "memory", "where cached tokens are kept"),
    key("draft_tokens", "count", "0", "speculative decoding: tokens drafted per step"),
    key("draft_acceptance", "0 to 1", "required with draft_tokens", "chance that a drafted token is accepted"),
    key("draft_params", "parameters", "0", "weights of the draft"),
    key("energy_scale", "ratio", "1", "metered over estimated accelerator energy; `wattledger calibrate` works it out"),
    key("time_scale", "ratio", "1", "metered over estimated replica time"),
    key("metered_concurrency", "requests", "over many loads", "requests a replica ran at once when it was metered"),
    key("media_share", "0 to 1", "0", "share of the input tokens that an encoder made of images, video or sound"),
];

/// Keys of `[site.NAME]`.
pub const SITE_KEYS: [Key; 25] = [
    key("catalog", "catalog name", "none", "fills place, weather, grid, PUE and WUE; anything below overrides"),
    key("grid", "catalog name", "of the catalog site", "the zone whose annual factors count"),
    key("cooling", "catalog name", "unknown", "the cooling system: hourly PUE and water from weather and load"),
    key("power_chain", "catalog name", "of the cooling system", "losses of UPS and distribution"),
    key("weather", "catalog name", "of the catalog site", "the weather station"),
    key("it_load_fraction", "0.05 to 1", "of the cooling system", "IT power over IT capacity, constant"),
    key(
        "it_capacity_kw",
        "kW",
        "none",
        "IT capacity, where this fleet is all that runs there: load and fixed losses follow by the hour",
    ),
    key("pue", "ratio", "of site, else of cooling", "measured power usage effectiveness"),
    key("wue_l_per_kwh", "L/kWh", "of site, else of cooling", "measured on-site water per IT energy"),
    key("carbon_direct_g_per_kwh", "g/kWh", "of the grid", "direct emission factor (Scope 2)"),
    key("carbon_lifecycle_g_per_kwh", "g/kWh", "of the grid", "lifecycle emission factor"),
    key("carbon_marginal_g_per_kwh", "g/kWh", "of the region, by the hour", "short-run marginal emission factor"),
    key("water_offsite_l_per_kwh", "L/kWh", "of the generation", "water of generation without reservoir evaporation"),
    key("water_offsite_with_hydro_l_per_kwh", "L/kWh", "of the grid", "water of generation with reservoir evaporation"),
    key("grid_losses_pct", "%", "of the country", "generation lost in transmission and distribution"),
    key("water_stress_weight", "ratio", "none", "weight of a litre consumed on site: AWARE factor or Aqueduct score"),
    key(
        "generation_mix",
        "table of shares",
        "none",
        "generation by technology, from which factors and water follow: { gas = 0.4, nuclear = 0.6 }",
    ),
    key("zone_dispatchable_mw", "MW", "of the hourly series", "dispatchable capacity of the grid zone"),
    key("zone_peak_mw", "MW", "of the hourly series", "peak load of the grid zone"),
    key("contracted_share", "0 to 1", "0", "share of the load that contracts cover by volume"),
    key("contracted_kwh_per_year", "kWh", "0", "energy of contracts in a year; by the hour: column contracted_kwh"),
    key("matching", "annual | hourly", "annual", "how contracts are held against the load"),
    key("contract_direct_g_per_kwh", "g/kWh", "0", "direct factor of what is contracted"),
    key("residual_direct_g_per_kwh", "g/kWh", "location average, flagged", "direct factor of the residual mix"),
    key(
        "series",
        "[\"file.csv\", …]",
        "none",
        "files of hourly, monthly or annual values; see docs/reference/series.md",
    ),
];

/// Keys of `[[meter]]`.
pub const METER_KEYS: [Key; 5] = [
    key("name", "text", "its file", "its name in the output"),
    key("site", "name", "none", "the site it stands at"),
    key("deployments", "list of names", "none", "the deployments behind it, where it reads a rack"),
    key("file", "\"file.csv\"", "required", "hour_utc, month or year, and facility_kwh or it_kwh"),
    key(
        "residual",
        "proportional | unallocated | report",
        "proportional",
        "what becomes of the difference to the estimate",
    ),
];
