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
pub const TOP_KEYS: [Key; 14] = [
    key("deployment", "[[table]]", "none", "a model served on accelerators at a site"),
    key("site", "[table.NAME]", "none", "a building and its place"),
    key("hardware", "[[table]]", "none", "catalog row of an accelerator"),
    key("server", "[[table]]", "none", "catalog row of a server"),
    key("model", "[[table]]", "none", "catalog row of a model"),
    key("engine", "[[table]]", "none", "catalog row of a serving engine"),
    key("grid", "[[table]]", "none", "catalog row of a grid"),
    key("cooling", "[[table]]", "none", "catalog row of a cooling system"),
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
pub const DEPLOYMENT_KEYS: [Key; 27] = [
    key("name", "text", "required", "its name in tables and files"),
    key("model", "catalog name or inline table", "required", "the network it serves"),
    key("hardware", "catalog name", "required", "the accelerator"),
    key("devices", "count", "fewest that hold the weights: 1, 2, 4, 8, …", "accelerators of one replica"),
    key("replicas", "count", "1", "provisioned replicas; idle energy follows from it"),
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
pub const SITE_KEYS: [Key; 9] = [
    key("catalog", "catalog name", "none", "fills place, grid, PUE and WUE; anything below overrides"),
    key("grid", "catalog name", "of the catalog site", "the zone whose factors count"),
    key("cooling", "catalog name", "unknown", "PUE and WUE typical of a cooling system"),
    key("pue", "ratio", "of site, else of cooling", "measured power usage effectiveness"),
    key("wue_l_per_kwh", "L/kWh", "of site, else of cooling", "measured on-site water per IT energy"),
    key("carbon_direct_g_per_kwh", "g/kWh", "of the grid", "direct emission factor (Scope 2)"),
    key("carbon_lifecycle_g_per_kwh", "g/kWh", "of the grid", "lifecycle emission factor"),
    key("water_offsite_l_per_kwh", "L/kWh", "unknown", "water of generation without reservoir evaporation"),
    key("water_offsite_with_hydro_l_per_kwh", "L/kWh", "of the grid", "water of generation with reservoir evaporation"),
];
