//! The chain of one request: as a list of links, and as a tree from the footprint down to the sources.

use super::columns::Values;
use crate::physics::inference::{Coefficients, Features};
use crate::physics::latency::latency;
use crate::plan::{Deployed, Fact, Parts, Plan, SiteHour};
use crate::units::Seconds;
use serde::Serialize;

/// One link of the chain.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Step {
    /// Stage: load, coefficients, energy, latency, facility.
    pub stage: &'static str,
    /// What it is.
    pub what: String,
    /// The value.
    pub value: f64,
    /// Its unit.
    pub unit: &'static str,
    /// How it follows.
    pub formula: &'static str,
}

/// One value of the tree, with what it is made of.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Node {
    /// What it is.
    pub what: String,
    /// The value.
    pub value: f64,
    /// Its unit.
    pub unit: String,
    /// How it follows from its parts; empty for a value from a source.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub formula: String,
    /// Where it comes from; empty for a value that follows.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub source: String,
    /// measured, vendor, derived, assumed or stated; empty for a value that follows.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub quality: String,
    /// What it is made of.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub parts: Vec<Node>,
}

/// Everything one chain is made of.
pub(super) struct Chain<'a> {
    pub deployed: &'a Deployed,
    pub concurrency: f64,
    pub features: &'a Features,
    pub parts: &'a Parts,
    pub value: &'a Values,
    pub hour: &'a SiteHour,
    pub plan: &'a Plan,
}

impl Chain<'_> {
    fn coefficients(&self) -> Coefficients {
        self.deployed.coefficients(self.concurrency)
    }

    fn given(&self, names: &[&str]) -> Vec<Node> {
        given(self.plan.facts(), names)
    }
}

/// Facts of these names as leaves.
pub(super) fn given(facts: &[Fact], names: &[&str]) -> Vec<Node> {
    let facts = names.iter().flat_map(|name| facts.iter().filter(move |fact| fact.what == *name));
    facts.map(of_fact).collect()
}

/// A fact as a leaf.
pub(crate) fn of_fact(fact: &Fact) -> Node {
    Node {
        what: fact.what.clone(),
        value: fact.value,
        unit: String::new(),
        formula: String::new(),
        source: fact.source.clone(),
        quality: fact.quality.clone(),
        parts: Vec::new(),
    }
}

pub(crate) fn node(what: &str, value: f64, unit: &str, formula: &str, parts: Vec<Node>) -> Node {
    let (source, quality) = (String::new(), String::new());
    Node { what: what.into(), value, unit: unit.into(), formula: formula.into(), source, quality, parts }
}

pub(super) fn leaf(what: &str, value: f64, unit: &str) -> Node {
    node(what, value, unit, "as asked", Vec::new())
}

/// The chain from the facility down to catalog cells and parameters.
pub(super) fn tree(chain: &Chain<'_>) -> Node {
    let Chain { deployed, parts, hour, .. } = chain;
    let it = parts.prefill_j + parts.decode_j + parts.host_j;
    let device = ["tdp_w", "memory_bw_gbs", "bf16_tflops", "fp8_tflops", "energy_scale", "time_scale"];
    let power = node(
        "host power",
        deployed.host.0,
        "W",
        "this replica's share of the server",
        chain.given(&["host_typical_w"]),
    );
    let time = node("replica time", parts.replica_s, "s", "Σ s_*·feature", Vec::new());
    let energy = node(
        "IT energy",
        it,
        "J",
        "prefill + decode + host",
        vec![
            prefill(chain),
            decode(chain),
            node("host", parts.host_j, "J", "host power·replica time", vec![power, time]),
            node("accelerators", deployed.devices, &deployed.hardware, "of one replica", chain.given(&device)),
        ],
    );
    let pue = around(hour, chain.plan.facts());
    let facility = node("facility energy", it * pue.value, "J", "IT energy·PUE", vec![energy, pue]);
    let ends = footprint(chain.value).map(|(name, value, unit, formula)| {
        let factor = match name {
            "water_onsite_l" => &["wue_l_per_kwh", "cycles_of_concentration"][..],
            "water_offsite_l" => &["water_offsite_l_per_kwh", "water_l_per_kwh"][..],
            "water_offsite_with_hydro_l" => &["water_offsite_with_hydro_l_per_kwh", "water_with_hydro_l_per_kwh"][..],
            "co2e_location_g" => &["carbon_direct_g_per_kwh", "direct_g_per_kwh"][..],
            "co2e_market_g" => &["contracted_share", "residual_direct_g_per_kwh"][..],
            "co2e_upstream_g" => &["carbon_lifecycle_g_per_kwh", "lifecycle_g_per_kwh", "losses_pct"][..],
            "co2e_marginal_g" => &["carbon_marginal_g_per_kwh", "marginal_g_per_kwh, mean of the hours"][..],
            _ => &[][..],
        };
        let known = used(name, chain.hour).into_iter().chain(chain.given(factor)).collect();
        node(name, value, unit, formula, known)
    });
    node("request", chain.features.requests, "request", "what it took", std::iter::once(facility).chain(ends).collect())
}

/// The factor of the hour that a column was worked out with, and how near it is.
fn used(column: &str, hour: &SiteHour) -> Option<Node> {
    let grid = &hour.grid;
    let (value, unit, level) = match column {
        "water_onsite_l" => (hour.facility.average.water_input_l, "L/kWh", hour.facility.wue_level),
        "water_offsite_l" => grid.water.map(|(factor, level)| (factor.0, "L/kWh", level))?,
        "water_offsite_with_hydro_l" => grid.water_with_hydro.map(|(factor, level)| (factor.0, "L/kWh", level))?,
        "co2e_location_g" => grid.direct.map(|(factor, level)| (factor.0, "g/kWh", level))?,
        "co2e_marginal_g" => grid.marginal.map(|(factor, level)| (factor.0, "g/kWh", level))?,
        "co2e_upstream_g" => (grid.upstream?.0, "g/kWh", grid.lifecycle?.1),
        "co2e_market_g" => (grid.market?.0, "g/kWh", grid.residual?.1),
        _ => return None,
    };
    Some(node("factor used", value, unit, level.name(), Vec::new()))
}

/// PUE with what it is made of.
pub(super) fn around(hour: &SiteHour, facts: &[Fact]) -> Node {
    let average = &hour.facility.average;
    let cells = [
        "pue",
        "pue_typical",
        "fan_share",
        "supply_air_c",
        "dew_point_limit_c",
        "chilled_supply_c",
        "chilled_return_c",
        "facility_water_c",
        "liquid_fraction",
    ];
    let air = hour.facility.air.into_iter().flat_map(|air| {
        [
            node("dry bulb outside", air.dry_bulb_c, "°C", "of the weather station or series", Vec::new()),
            node("wet bulb outside", air.wet_bulb_c, "°C", "from dry bulb, humidity and pressure", Vec::new()),
        ]
    });
    let level = hour.facility.pue_level.name();
    let cooling = node("cooling", average.cooling, "kWh/kWh", level, air.chain(given(facts, &cells)).collect());
    let chain = given(facts, &["redundancy", "ups_fixed", "pdu_fixed"]);
    let power = node("power delivery", average.power_delivery, "kWh/kWh", "over IT energy", chain);
    node("PUE", average.pue(), "", "1 + cooling + power delivery", vec![cooling, power])
}

fn prefill(chain: &Chain<'_>) -> Node {
    let Chain { deployed, features: f, parts, .. } = chain;
    let e = chain.coefficients().energy_j;
    let weights = ["active_params", "eta_p", "r_f", "k_p", "moe_p", "moe_pn", "phi_w", "phi_r"];
    let mut made_of = vec![
        node("e_in", e.input, "J/token", "(phi_w + phi_r)·n·TDP·s_in + 2·Pa·jP", chain.given(&weights)),
        node("uncached input tokens", f.uncached, "tokens", "input − cached", Vec::new()),
        node(
            "e_pp",
            e.prefill_pair,
            "J/pair",
            "attention FLOP per pair·jA",
            chain.given(&["attn_flop_prefill_full", "n_heads", "head_dim", "n_layers"]),
        ),
        node("prefill pairs", f.prefill_pairs, "token pairs", "(input² − cached²)/2", Vec::new()),
    ];
    if e.request > 0.0 {
        let once = "prompts of hybrids, steps of prefill-only models";
        made_of.push(node("e_req", e.request, "J/request", once, chain.given(&["t_phyb"])));
    }
    if deployed.window.is_some() {
        let window = chain.given(&["attn_window"]);
        made_of.push(node("e_pw", e.prefill_window_pair, "J/pair", "as e_pp, inside the window", window));
        made_of.push(node("window pairs", f.prefill_window_pairs, "token pairs", "A_W(in) − A_W(cached)", Vec::new()));
    }
    node("prefill", parts.prefill_j, "J", "e_in·uncached + e_pp·pairs", made_of)
}

fn decode(chain: &Chain<'_>) -> Node {
    let Chain { deployed, concurrency, features: f, parts, .. } = chain;
    let e = chain.coefficients().energy_j;
    let experts = ["total_params", "experts_per_token", "n_experts", "cov_c", "fp8_b", "fp4_b"];
    let bytes = node(
        "weight bytes per step",
        deployed.roofline.weight_bytes_per_step(*concurrency),
        "B",
        "dense + experts·coverage, × bytes per weight",
        chain.given(&experts),
    );
    let times = ["t_step", "h", "t_layer", "t_moe", "t_fp8", "t_hyb", "t_ar", "eta_w", "r_w", "eta_c", "p_overlap"];
    let step = node(
        "step",
        deployed.roofline.step_s(*concurrency),
        "s",
        "host + layers + (weights^p + FLOP^p)^(1/p)",
        std::iter::once(bytes).chain(chain.given(&times)).collect(),
    );
    let factors = chain.given(&["t_seq", "k_b", "k_f", "k_x", "k_8", "a_act", "q"]);
    let shared = [
        step,
        node("concurrency B", *concurrency, "requests", "stated, or half of what memory holds, at most 64", Vec::new()),
    ];
    let cache = ["kv_elements_per_token_full", "n_kv_heads", "index_bytes_per_token", "eta_kv", "r_kv", "k_kv"];
    let mut made_of = vec![
        node(
            "e_out",
            e.output,
            "J/token",
            "(phi_w·step + phi_r·running + weight bytes·jW)/B + 2·Pa·jF + …",
            shared.into_iter().chain(factors).collect(),
        ),
        node("output tokens", f.output, "tokens", "as asked, else assumed", Vec::new()),
        node("e_ctx", e.context, "J/pair", "cache bytes·(floor·sK + jK) + FLOP·jA", chain.given(&cache)),
        node("context pairs", f.context_pairs, "token pairs", "input·output + output²/2", Vec::new()),
    ];
    if deployed.window.is_some() {
        let window = chain.given(&["kv_elements_per_token_window"]);
        made_of.push(node("e_win", e.window_context, "J/pair", "as e_ctx, inside the window", window));
        made_of.push(node("window pairs", f.window_context_pairs, "token pairs", "A_W(in+out) − A_W(in)", Vec::new()));
    }
    node("decode", parts.decode_j, "J", "e_out·output + e_ctx·pairs", made_of)
}

/// Columns that follow from facility energy and from time, where they are known.
pub(super) fn footprint(value: &Values) -> impl Iterator<Item = (&'static str, f64, &'static str, &'static str)> {
    [
        ("facility_kwh", "kWh", "IT · PUE"),
        ("water_onsite_l", "L", "IT · WUE"),
        ("water_onsite_consumed_l", "L", "evaporation and drift"),
        ("water_offsite_l", "L", "facility · water of generation"),
        ("water_offsite_with_hydro_l", "L", "facility · water factor"),
        ("co2e_location_g", "g", "facility · direct factor"),
        ("co2e_market_g", "g", "facility · (contracts, residual mix)"),
        ("co2e_upstream_g", "g", "facility · (lifecycle − direct + losses)"),
        ("co2e_marginal_g", "g", "facility · marginal factor; in no inventory"),
        ("co2e_embodied_g", "g", "manufacture · time / service life"),
        ("water_embodied_l", "L", "manufacture · time / service life"),
        ("adpe_kg_sb", "kg", "manufacture · time / service life + facility · depletion by generation"),
        ("primary_energy_mj", "MJ", "manufacture · time / service life + facility · primary energy of generation"),
        ("ewaste_kg", "kg", "mass · time / service life"),
    ]
    .into_iter()
    .map(|(name, unit, formula)| (name, value.sums[super::columns::sum(name)], unit, formula))
    .filter(|(_, value, ..)| !value.is_nan())
}

/// The chain as a list.
pub(super) fn steps(chain: &Chain<'_>) -> Vec<Step> {
    let Chain { deployed, concurrency, features: f, parts, hour, .. } = chain;
    let at = chain.coefficients();
    let (e, roofline) = (&at.energy_j, &deployed.roofline);
    let step = |stage, what: &str, value, unit, formula| Step { stage, what: what.into(), value, unit, formula };
    let mut steps = vec![
        step("load", "uncached input", f.uncached, "tokens", "input − cached"),
        step("load", "prefill pairs", f.prefill_pairs, "token pairs", "(input² − cached²)/2"),
        step("load", "output", f.output, "tokens", "as given"),
        step("load", "context pairs", f.context_pairs, "token pairs", "input·output + output²/2"),
        step("load", "concurrency B", *concurrency, "requests", "stated, or half of what memory holds, at most 64"),
        step(
            "coefficients",
            "weight bytes per step",
            roofline.weight_bytes_per_step(*concurrency),
            "B",
            "dense + experts·coverage, × bytes",
        ),
        step(
            "coefficients",
            "time per step",
            roofline.step_s(*concurrency),
            "s",
            "host + layers + weights, without cache and attention",
        ),
        step(
            "coefficients",
            "e_req",
            e.request,
            "J/request",
            "once a request: prompts of hybrids, steps of prefill-only models",
        ),
        step("coefficients", "e_in", e.input, "J/token", "floor·s_in + 2·Pa·jP"),
        step("coefficients", "e_pp", e.prefill_pair, "J/pair", "floor·s_pp + attention FLOP·jA"),
        step("coefficients", "e_out", e.output, "J/token", "floor·s_out + Wb·jW/B + 2·Pa·jF"),
        step("coefficients", "e_ctx", e.context, "J/pair", "floor·s_ctx + cache bytes·jK + attention FLOP·jA"),
    ];
    if deployed.window.is_some() {
        steps.extend([
            step("load", "window pairs, prefill", f.prefill_window_pairs, "token pairs", "A_W(in) − A_W(cached)"),
            step("load", "window pairs, decode", f.window_context_pairs, "token pairs", "A_W(in+out) − A_W(in)"),
            step("coefficients", "e_pw", e.prefill_window_pair, "J/pair", "as e_pp, inside the window"),
            step("coefficients", "e_win", e.window_context, "J/pair", "as e_ctx, inside the window"),
        ]);
    }
    let it = parts.prefill_j + parts.decode_j + parts.host_j;
    let (prefill, decode) = at.replica_times(f);
    let (first, then) = deployed.waits_over_shares();
    let (prefill, decode) = (Seconds(prefill.0 * first), Seconds(decode.0 * then));
    let waits = latency(prefill, decode, f.output, *concurrency);
    steps.extend([
        step("energy", "replica time", parts.replica_s, "s", "Σ s_*·feature"),
        step("energy", "prefill", parts.prefill_j, "J", "Σ e·feature over prefill"),
        step("energy", "decode", parts.decode_j, "J", "Σ e·feature over decode"),
        step("energy", "host", parts.host_j, "J", "P_host·replica time"),
        step("energy", "IT", it, "J", "prefill + decode + host"),
        step("latency", "time to first token", waits.first_token.0, "s", "prefill + one step, without queueing"),
        step("latency", "inter-token latency", waits.between_tokens.0, "s", "B·replica time/output"),
        step("latency", "latency", waits.whole.0, "s", "first token + the others"),
        step("facility", "PUE", hour.facility.average.pue(), "", "facility / IT"),
    ]);
    steps.extend(
        footprint(chain.value).map(|(name, value, unit, formula)| step("facility", name, value, unit, formula)),
    );
    steps
}
