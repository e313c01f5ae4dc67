//! Values worked out by hand from the method page, asked for as a user would.
//!
//! Source: the baseline method with parameter set V0; recomputed independently as 73.207, 58.906, 590.97, 416.73 and
//! 268.57 J for 1000 input and 500 output tokens.

use wattledger::estimate::{Request, RequestEstimate, request};
use wattledger::fleet::Fleet;

fn asked(model: &str, devices: f64, concurrency: f64, cached_tokens: u64) -> RequestEstimate {
    let asked = Request {
        model: Some(model.into()),
        hardware: Some("h100-sxm5-80gb".into()),
        devices: Some(devices),
        precision: Some("bf16".into()),
        concurrency: Some(concurrency),
        input_tokens: 1000,
        cached_tokens,
        output_tokens: Some(500),
        ..Request::default()
    };
    request(&Fleet::assumed(), &asked).expect("an estimate")
}

fn kwh(estimate: &RequestEstimate, column: &str) -> f64 {
    let [value, low, high] = estimate.values().iter().find(|(name, _)| *name == column).unwrap().1.unwrap();
    assert!(low <= value && value <= high, "{column}: {low} {value} {high}");
    value
}

/// Energy of the accelerators, in joules.
fn accelerators_j(estimate: &RequestEstimate) -> f64 {
    (kwh(estimate, "prefill_kwh") + kwh(estimate, "decode_kwh")) * 3.6e6
}

/// Models as the baseline counted them: nothing looked up, so the input embedding is said to be the output head.
const BASELINE: &str = r#"
parameter_set = "V0"

[[deployment]]
name = "8b"
hardware = "h100-sxm5-80gb"
devices = 1
precision = "bf16"
model = { total_params = 8.03e9, n_layers = 32, hidden_size = 4096, n_heads = 32, n_kv_heads = 8, head_dim = 128, tied_embeddings = true }

[[deployment]]
name = "70b"
hardware = "h100-sxm5-80gb"
devices = 4
precision = "bf16"
model = { total_params = 70.55e9, n_layers = 80, hidden_size = 8192, n_heads = 64, n_kv_heads = 8, head_dim = 128, tied_embeddings = true }
"#;

#[test]
fn the_golden_values_of_the_baseline() {
    let fleet = Fleet::parse(BASELINE, "fleet.toml").expect("a fleet");
    for (deployment, concurrency, cached_tokens, joules) in [
        ("8b", 64.0, 0, 73.207),
        ("8b", 64.0, 800, 58.906),
        ("70b", 64.0, 0, 590.97),
        ("70b", 256.0, 0, 416.73),
        ("70b", 256.0, 800, 268.57),
    ] {
        let asked = Request {
            deployment: Some(deployment.into()),
            concurrency: Some(concurrency),
            input_tokens: 1000,
            cached_tokens,
            output_tokens: Some(500),
            ..Request::default()
        };
        let found = accelerators_j(&request(&fleet, &asked).expect("an estimate"));
        assert!(
            (found / joules - 1.0).abs() < 0.005,
            "{deployment} at {concurrency}, {cached_tokens} cached: {found} J, not {joules}"
        );
    }
}

#[test]
fn the_chain_adds_up_to_the_columns() {
    let estimate = asked("llama-3.1-70b-instruct", 4.0, 64.0, 800);
    let step = |what: &str| estimate.details().steps.iter().find(|step| step.what == what).unwrap().value;
    let close = |a: f64, b: f64| assert!((a / b - 1.0).abs() < 1e-12, "{a} {b}");
    close(step("prefill"), step("e_in") * 200.0 + step("e_pp") * step("prefill pairs"));
    close(step("decode"), step("e_out") * 500.0 + step("e_ctx") * step("context pairs"));
    close(step("IT"), kwh(&estimate, "it_kwh") * 3.6e6);
    close(step("facility_kwh"), kwh(&estimate, "it_kwh") * step("PUE"));
    assert!(
        estimate.details().facts.iter().any(|fact| fact.what == "tdp_w" && fact.value.to_bits() == 700_f64.to_bits())
    );
}

#[test]
fn a_wider_guess_has_a_wider_range() {
    let free = Request {
        model: Some("llama-3.1-8b-instruct".into()),
        input_tokens: 1000,
        output_tokens: Some(500),
        ..Request::default()
    };
    let guessed = request(&Fleet::assumed(), &free).unwrap();
    let stated = asked("llama-3.1-8b-instruct", 1.0, guessed.concurrency(), 0);
    let width = |estimate: &RequestEstimate| {
        let [_, low, high] = estimate.values().iter().find(|(name, _)| *name == "it_kwh").unwrap().1.unwrap();
        high / low
    };
    assert!(width(&guessed) > width(&stated));
    assert!(guessed.details().assumptions.iter().any(|note| note.what == "hardware"));
    assert!(stated.details().assumptions.iter().all(|note| note.what != "hardware"));
}

fn joules_of(keys: &str, cached_tokens: u64) -> f64 {
    let fleet = format!(
        "[[deployment]]\nname = \"d\"\nmodel = \"llama-3.1-70b-instruct\"\nhardware = \"h100-sxm5-80gb\"\ndevices = 4\n{keys}\n"
    );
    let asked = Request {
        deployment: Some("d".into()),
        concurrency: Some(32.0),
        input_tokens: 4000,
        cached_tokens,
        output_tokens: Some(200),
        ..Request::default()
    };
    accelerators_j(&request(&Fleet::parse(&fleet, "fleet.toml").unwrap(), &asked).expect("an estimate"))
}

#[test]
fn loading_a_cache_from_any_tier_costs_less_than_computing_it_again() {
    let computed = joules_of("", 0);
    for tier in ["memory", "host", "flash", "network"] {
        let key = format!("cache_tier = \"{tier}\"");
        assert!(joules_of(&key, 3900) < 0.5 * computed, "{tier}");
        assert!(joules_of(&key, 0) <= computed * 1.01, "{tier}: writing is dear");
    }
    let memory = joules_of("cache_tier = \"memory\"", 3900);
    assert!((memory - joules_of("", 3900)).abs() < 1e-9);
    assert!(joules_of("cache_tier = \"flash\"", 3900) > memory);
}

#[test]
fn pools_of_their_own_cost_what_they_are() {
    let [together, apart] = [joules_of("", 0), joules_of("prefill_devices = 4", 0)];
    // The same devices prefill and decode as before; the keys and values travel, which costs next to nothing.
    assert!((apart / together - 1.0).abs() < 0.02, "{apart} J apart, {together} J together");
    // Fewer devices with the same matrices spend less on talking to each other.
    assert!(joules_of("prefill_devices = 2", 0) < apart);
}

#[test]
fn drafts_eight_bit_caches_and_scales_do_what_they_say() {
    let plain = joules_of("", 0);
    assert!(joules_of("kv_precision = \"fp8\"", 0) < plain);
    assert!((joules_of("energy_scale = 1.25", 0) / plain - 1.25).abs() < 1e-12);
    assert!(joules_of("draft_tokens = 3\ndraft_acceptance = 0.8\ndraft_params = 1e9", 0) < plain);
    assert!(joules_of("draft_tokens = 3\ndraft_acceptance = 0.0\ndraft_params = 1e9", 0) > plain);
    assert!(joules_of("pipeline_parallel = 2", 0) > 0.0);
}

#[test]
fn an_encoder_reads_the_media_before_the_network_does() {
    let joules = |key: &str| {
        let text = format!(
            "[[deployment]]\nname = 'see'\nmodel = 'qwen2.5-vl-3b-instruct'\nhardware = 'h100'\ndevices = 1\nconcurrency = 16\n{key}\n"
        );
        let fleet = Fleet::parse(&text, "fleet.toml")?;
        let asked = Request {
            input_tokens: 4000,
            output_tokens: Some(10),
            deployment: Some("see".into()),
            ..Request::default()
        };
        let found = request(&fleet, &asked)?;
        let prefill = found.values().iter().find(|(name, _)| *name == "prefill_kwh").unwrap().1.unwrap()[0];
        Ok::<f64, wattledger::Error>(prefill)
    };
    let [text, half, all] = ["media_share = 0", "media_share = 0.5", "media_share = 1"].map(|key| joules(key).unwrap());
    // Its tower of two thirds of a billion weights is passed four times a token, beside three billion once.
    assert!((1.5..1.9).contains(&(all / text)), "{}", all / text);
    assert!(((half - text) / (all - text) - 0.5).abs() < 1e-9);
    let refused = Fleet::parse(
        "[[deployment]]\nname = 'a'\nmodel = 'llama-3.1-8b'\nhardware = 'h100'\nmedia_share = 0.5\n",
        "fleet.toml",
    );
    let asked = Request { deployment: Some("a".into()), ..Request::default() };
    let said = request(&refused.unwrap(), &asked).unwrap_err().to_string();
    assert!(said.contains("no encoder of model"), "{said}");
}

#[test]
fn a_meter_narrows_the_range_most_where_it_stood() {
    let width = |keys: &str, concurrency: f64| {
        let text = format!(
            "[[deployment]]\nname = 'a'\nmodel = 'qwen3-30b-a3b'\nhardware = 'b200'\ndevices = 1\nprecision = 'fp8'\n{keys}\n"
        );
        let asked = Request {
            deployment: Some("a".into()),
            concurrency: Some(concurrency),
            output_tokens: Some(100),
            ..Request::default()
        };
        let found = request(&Fleet::parse(&text, "fleet.toml").unwrap(), &asked).unwrap();
        let [_, low, high] = found.values().iter().find(|(name, _)| *name == "decode_kwh").unwrap().1.unwrap();
        high / low
    };
    let metered = "energy_scale = 1.1\nmetered_concurrency = 32";
    let [never, near, away, many] =
        [width("", 32.0), width(metered, 50.0), width(metered, 200.0), width("energy_scale = 1.1", 200.0)];
    assert!(near < many && many < away && away < never, "{near} {many} {away} {never}");
}

#[test]
fn weights_that_no_memory_holds_are_refused_with_the_way_out() {
    let asked = Request {
        model: Some("llama-3.1-70b-instruct".into()),
        devices: Some(1.0),
        output_tokens: Some(1),
        ..Request::default()
    };
    let said = request(&Fleet::assumed(), &asked).unwrap_err();
    assert!(said.to_string().contains("141 GB of weights do not fit into the 80 GB"), "{said}");
    let fits = Request { precision: Some("fp8".into()), ..asked };
    assert!(request(&Fleet::assumed(), &fits).is_ok());
}

#[test]
fn a_network_that_only_reads_is_charged_no_output_that_nobody_stated() {
    let output = |model: &str| {
        let asked = Request { model: Some(model.into()), input_tokens: 500, ..Request::default() };
        let found = request(&Fleet::assumed(), &asked).unwrap();
        found.details().assumptions.iter().find(|note| note.what == "output tokens").unwrap().value.clone()
    };
    assert_eq!([output("llama-3.1-8b"), output("qwen3-embedding-8b")], ["500", "0"]);
}

#[test]
fn more_requests_than_memory_holds_are_remarked() {
    let asked = Request {
        model: Some("llama-3.1-8b".into()),
        concurrency: Some(2000.0),
        input_tokens: 8000,
        ..Request::default()
    };
    let said = |asked: &Request| request(&Fleet::assumed(), asked).unwrap().details().assumptions.clone();
    let beyond = |asked: &Request| said(asked).iter().any(|note| note.why.contains("holds at most"));
    assert!(beyond(&asked) && !beyond(&Request { concurrency: Some(20.0), ..asked.clone() }));
}

#[test]
fn pools_of_their_own_wait_for_their_own_devices_alone() {
    let latency = |key: &str| {
        let text = format!(
            "[[deployment]]\nname = 'a'\nmodel = 'llama-3.1-70b'\nhardware = 'h100'\ndevices = 4\nconcurrency = 1\n{key}\n"
        );
        let asked = Request {
            deployment: Some("a".into()),
            input_tokens: 1000,
            output_tokens: Some(500),
            ..Request::default()
        };
        let found = request(&Fleet::parse(&text, "fleet.toml").unwrap(), &asked).unwrap();
        found.details().steps.iter().find(|step| step.what == "inter-token latency").unwrap().value
    };
    let together = latency("");
    for devices in [4, 64] {
        let apart = latency(&format!("prefill_devices = {devices}"));
        // The same four devices decode; only the share of prefill between the tokens is gone.
        assert!((0.9 * together..=together).contains(&apart), "{apart} s beside {together} s");
    }
}

#[test]
fn what_no_accelerator_can_draw_and_no_model_can_read_is_remarked() {
    let said = |hardware: &str, input: u64| {
        let asked = Request {
            model: Some("llama-3.1-8b".into()),
            hardware: Some(hardware.into()),
            concurrency: Some(64.0),
            input_tokens: input,
            output_tokens: Some(10),
            ..Request::default()
        };
        let notes = request(&Fleet::assumed(), &asked).unwrap().details().assumptions.clone();
        ["accelerator power", "context"].map(|what| notes.iter().any(|note| note.what == what))
    };
    assert_eq!(said("mi300x", 100_000), [true, false]);
    assert_eq!(said("h100", 1_000), [false, false]);
    assert!(said("h100", 1_000_000)[1]);
}
