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
pub const TOP_KEYS: [Key; 21] = [
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
    key("fab_node", "[[table]]", "none", "catalog row of a process node"),
    key("bill_line", "[[table]]", "none", "catalog row of a line of a bill of materials"),
    key("equivalent", "[[table]]", "none", "catalog row of an everyday equivalent"),
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
pub const DEPLOYMENT_KEYS: [Key; 32] = [
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
    key("lifetime_years", "years", "4", "service life of its machines, over which making them is amortised"),
    key(
        "purchase_year",
        "year",
        "not booked",
        "year in which its machines were bought: their burden, without the building, is booked there",
    ),
    key(
        "embodied",
        "catalog name",
        "sum of its parts",
        "a published footprint for its accelerators: a row that says how many accelerators it covers",
    ),
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

/// Tables of a training run beside those of a fleet.
pub const RUN_TABLES: [Key; 2] = [
    key("run", "[table]", "none", "what holds for every phase, and what the run is held against"),
    key("phase", "[[table]]", "required", "a stretch of training of one kind on one kind of hardware"),
];

/// Keys of `[run]`; those that a phase has as well hold where the phase says nothing.
pub const RUN_KEYS: [Key; 12] = [
    key("name", "text", "name of the file", "its name in tables and files"),
    key("hardware", "catalog name", "required in the run or the phase", "the accelerator"),
    key("accelerators", "count", "not needed", "accelerators at once: gives dates from hours and hours from dates"),
    key("server", "catalog name", "host of 0.3 of rated power", "the server: host power and its parts"),
    key("site", "name", "unknown place", "a [site.NAME] of this file, or a catalog name"),
    key("start", "time, UTC", "not known: factors of a year", "the hour it starts"),
    key("end", "time, UTC", "start and hours over accelerators", "the hour it ends"),
    key(
        "reserved_accelerators",
        "count",
        "none beyond those that work",
        "accelerators that stand there from the first start to the last end: what no phase uses is idle",
    ),
    key("lifetime_years", "years", "4", "service life of its machines, over which making them is amortised"),
    key("purchase_year", "year", "not booked", "year in which its machines were bought: booked without the building"),
    key("embodied", "catalog name", "sum of its parts", "a published footprint for its accelerators"),
    key(
        "lifetime_output_tokens",
        "tokens",
        "not shared out",
        "tokens the model will generate in its life: its share of the run for each",
    ),
];

/// Keys of `[[phase]]`.
pub const PHASE_KEYS: [Key; 38] = [
    key("name", "text", "its kind", "its name in tables"),
    key(
        "kind",
        "pretraining | fine-tuning | distillation | reinforcement-learning | other",
        "pretraining",
        "what is done",
    ),
    key("hardware", "catalog name", "that of the run", "the accelerator"),
    key("accelerators", "count", "those of the run", "accelerators at once"),
    key("server", "catalog name", "that of the run", "the server"),
    key("site", "name", "that of the run", "the place"),
    key("start", "time, UTC", "that of the run", "the hour it starts"),
    key("end", "time, UTC", "that of the run", "the hour it ends"),
    key(
        "energy_mwh",
        "MWh",
        "follows from hours and power",
        "metered energy of the work that counts: overheads come on top",
    ),
    key("energy_boundary", "accelerators | it | facility", "required with energy_mwh", "what the meter stands before"),
    key("meter", "\"file.csv\"", "none", "metered series of it_kwh or facility_kwh by the hour, month or year"),
    key("accelerator_hours", "h", "accelerators over the dates, or from FLOP", "hours of accelerators, added up"),
    key("days", "days", "from the dates", "wall time: with accelerators it gives the hours"),
    key("power_w", "W", "predicted", "mean power of an accelerator while it trains"),
    key("power_boundary", "accelerators | it", "accelerators", "whether power_w is with its share of the server"),
    key("model", "catalog name", "active_params", "the network that learns"),
    key("active_params", "count", "those of the model", "weights a token is multiplied with"),
    key("tokens", "tokens", "needed for FLOP", "tokens trained on, every epoch counted"),
    key("context_tokens", "tokens", "2048", "length of the sequences: attention"),
    key("flop", "FLOP", "from weights and tokens", "model FLOP of the whole phase"),
    key("mfu", "0 to 1", "usual of its size and hardware", "model FLOPs utilisation"),
    key("hfu", "0 to 1", "from mfu", "hardware FLOPs utilisation: with what is computed again"),
    key("recomputation", "none | selective | full", "none", "forward passes computed again for want of memory"),
    key("precision", "bf16 | fp8", "bf16", "precision of the matrices: which peak utilisation is of"),
    key("trains", "all | adapters", "all", "whether every weight learns or only adapters do"),
    key("teacher", "catalog name", "none", "a network that is run forward on every token"),
    key("frozen_params", "count", "none", "weights of networks that are run forward on every token: reward, reference"),
    key("checkpointing", "share", "0", "time that accelerators wait for checkpoints, over the time they work"),
    key("restarts", "share", "0", "work lost in failures and done again, over the work that counts"),
    key("failed", "share", "0", "runs that were given up, over the work that counts"),
    key("exploratory", "share", "0", "ablations, searches, scaling runs, over the work that counts"),
    key("generations", "count", "none", "answers generated on the way, for rewards or as data"),
    key("generation_model", "catalog name", "the model", "the network that generates them"),
    key("generation_hardware", "catalog name", "hardware", "the accelerator they are generated on"),
    key("generation_devices", "count", "fewest that hold the weights", "accelerators of a replica that generates"),
    key("generation_input_tokens", "tokens", "0", "mean prompt of an answer"),
    key("generation_output_tokens", "tokens", "required with generations", "mean length of an answer"),
    key("generation_concurrency", "requests", "half of memory, at most 64", "answers a replica generates at once"),
];
