//! Training runs from outside: three ways to the same energy, closure over hours and activities, and what is refused.

use wattledger::estimate::Total;
use wattledger::estimate::columns::sum;
use wattledger::fleet::Run;
use wattledger::training::{Served, TrainingEstimate};

const SITE: &str = "[site.lab]\npue = 1.2\nwue_l_per_kwh = 0.5\ncarbon_direct_g_per_kwh = 400\n";

fn run(text: &str) -> TrainingEstimate {
    TrainingEstimate::new(&Run::parse(text, "run.toml").unwrap()).unwrap()
}

fn phase(keys: &str) -> TrainingEstimate {
    run(&format!("[run]\nhardware = \"h100-sxm5-80gb\"\nsite = \"lab\"\n[[phase]]\n{keys}\n{SITE}"))
}

fn refused(keys: &str) -> String {
    let text = format!("[run]\nhardware = \"h100-sxm5-80gb\"\nsite = \"lab\"\n[[phase]]\n{keys}\n{SITE}");
    Run::parse(&text, "run.toml").and_then(|run| TrainingEstimate::new(&run)).unwrap_err().to_string()
}

fn value(total: &Total, column: &str) -> f64 {
    total.value(sum(column)).unwrap_or_else(|| panic!("{column} is unknown"))
}

fn close(a: f64, b: f64) -> bool {
    (a - b).abs() <= 1e-11 * a.abs().max(b.abs())
}

#[test]
fn three_ways_to_the_same_energy() {
    // 1000 hours at 600 W and 210 W of host.
    let hours = phase("accelerator_hours = 1000\npower_w = 600").total();
    let metered = phase("accelerator_hours = 1000\nenergy_mwh = 0.81\nenergy_boundary = \"it\"").total();
    let mfu = 6.0 * 8e9 * 2e10 / (989e12 * 3600.0 * 1000.0);
    let flop = phase(&format!("active_params = 8e9\ntokens = 2e10\nmfu = {mfu}\npower_w = 600")).total();
    let facility = phase("accelerator_hours = 1000\nenergy_mwh = 0.972\nenergy_boundary = \"facility\"").total();
    for (name, total) in [("metered", &metered), ("flop", &flop), ("facility", &facility)] {
        for column in ["it_kwh", "facility_kwh", "water_onsite_l", "co2e_location_g"] {
            let (a, b) = (value(&hours, column), value(total, column));
            assert!((a / b - 1.0).abs() < 1e-9, "{name}: {column} {a} {b}");
        }
    }
    assert!(close(value(&hours, "training_kwh"), 600.0));
    assert!(close(value(&hours, "host_kwh"), 210.0));
    assert!(close(value(&hours, "it_kwh"), 810.0));
    assert!(close(value(&hours, "facility_kwh"), 972.0));
    assert!(close(value(&hours, "co2e_location_g"), 972.0 * 400.0));
    assert!(close(value(&hours, "replica_seconds"), 3.6e6));
    assert_eq!((value(&hours, "prefill_kwh"), value(&hours, "decode_kwh"), value(&hours, "idle_kwh")), (0.0, 0.0, 0.0));
}

#[test]
fn boundaries_of_power_and_energy() {
    let alone = phase("accelerator_hours = 1000\npower_w = 600").total();
    let with_host = phase("accelerator_hours = 1000\npower_w = 810\npower_boundary = \"it\"").total();
    assert!(close(value(&alone, "it_kwh"), value(&with_host, "it_kwh")));
    assert!(close(value(&with_host, "training_kwh"), 600.0));
    let metered = phase("accelerator_hours = 1000\nenergy_mwh = 0.6\nenergy_boundary = \"accelerators\"").total();
    assert!(close(value(&metered, "it_kwh"), value(&alone, "it_kwh")));
}

#[test]
fn overheads_stand_in_rows_of_their_own() {
    let plain = phase("accelerator_hours = 1000\npower_w = 600");
    let all = phase(
        "accelerator_hours = 1000\npower_w = 600\nrestarts = 0.1\nfailed = 0.2\nexploratory = 0.5\ncheckpointing = 0.04",
    );
    let table = all.by(&["activity".into()]).unwrap();
    let row = |name: &str| {
        let found = table.rows.iter().find(|row| row.keys[0].as_deref() == Some(name));
        &found.unwrap_or_else(|| panic!("no row {name}")).total
    };
    let counts = value(&plain.total(), "it_kwh");
    assert!(close(value(row("training"), "it_kwh"), counts), "what counts is what it was");
    for (name, share) in [("restarts", 0.1), ("failed", 0.2), ("exploratory", 0.5)] {
        assert!(close(value(row(name), "it_kwh"), share * counts), "{name}");
        assert!(close(value(row(name), "co2e_embodied_g"), share * value(&plain.total(), "co2e_embodied_g")));
    }
    let waits = row("checkpointing");
    assert!(value(waits, "it_kwh") < 0.04 * counts, "accelerators that wait draw less");
    assert!(close(value(waits, "replica_seconds"), 0.04 * 3.6e6));
    assert!(value(waits, "training_kwh").abs() < 1e-15);
    let sum: f64 = table.rows.iter().map(|row| value(&row.total, "facility_kwh")).sum();
    assert!(close(sum, value(&all.total(), "facility_kwh")));
    assert!(close(all.phases()[0].all_hours(), 1840.0));
}

#[test]
fn hours_and_months_sum_to_the_run() {
    let text = "[run]\nhardware = \"h100-sxm5-80gb\"\nsite = \"aws/us-east-1\"\naccelerators = 64\nstart = 2022-06-20\n\
                [[phase]]\naccelerator_hours = 20000\n[[phase]]\nname = \"tune\"\nkind = \"fine-tuning\"\n\
                start = 2022-07-10T06:00Z\ndays = 2\n";
    let run = run(text);
    let whole = run.total();
    for keys in [vec!["hour"], vec!["month"], vec!["phase", "day"], vec!["site", "hardware", "kind"]] {
        let keys: Vec<String> = keys.into_iter().map(str::to_owned).collect();
        let table = run.by(&keys).unwrap();
        for column in ["it_kwh", "facility_kwh", "co2e_location_g", "water_onsite_l", "co2e_embodied_g"] {
            let sum: f64 = table.rows.iter().map(|row| value(&row.total, column)).sum();
            assert!(close(sum, value(&whole, column)), "{keys:?} {column}");
        }
    }
    let hours = run.by(&["hour".into()]).unwrap().rows;
    // 20000 hours on 64 accelerators, rounded up to whole hours; then two days.
    assert_eq!(hours.len(), 313 + 48);
    assert_eq!(hours[0].keys[0].as_deref(), Some("2022-06-20T00:00Z"));
    let pue = |row: &wattledger::estimate::TableRow| value(&row.total, "facility_kwh") / value(&row.total, "it_kwh");
    assert!(hours.iter().any(|row| (pue(row) - pue(&hours[0])).abs() > 1e-4), "PUE by the hour");
    let carbon =
        |row: &wattledger::estimate::TableRow| value(&row.total, "co2e_location_g") / value(&row.total, "facility_kwh");
    assert!(hours.iter().any(|row| (carbon(row) - carbon(&hours[0])).abs() > 5.0), "carbon by the hour");
}

#[test]
fn factors_of_other_years_are_told() {
    let run = |year: u32| {
        self::run(&format!(
            "[run]\nhardware = \"h100-sxm5-80gb\"\nsite = \"aws/us-east-2\"\n[[phase]]\naccelerators = 8\n\
             start = {year}-07-01\ndays = 1\n"
        ))
    };
    let said = |run: &TrainingEstimate, what: &str| run.assumptions().iter().any(|note| note.what == what);
    assert!(!said(&run(2022), "carbon factor"), "the hours of 2022 are known");
    assert!(said(&run(2031), "carbon factor"));
}

#[test]
fn reserved_accelerators_idle_for_the_rest() {
    let text = |reserved: u32| {
        format!(
            "[run]\nhardware = \"h100-sxm5-80gb\"\nsite = \"lab\"\nstart = 2024-01-01\nend = 2024-01-11\n\
             reserved_accelerators = {reserved}\n[[phase]]\naccelerator_hours = 1000\npower_w = 600\n{SITE}"
        )
    };
    let run = run(&text(8));
    let idle = run.by(&["activity".into()]).unwrap();
    let idle = &idle.rows.iter().find(|row| row.keys[0].as_deref() == Some("idle")).unwrap().total;
    let seconds = (8.0 * 240.0 - 1000.0) * 3600.0;
    assert!(close(value(idle, "replica_seconds"), seconds));
    assert!(close(value(idle, "idle_kwh"), run.phases()[0].trainer.waiting.0 * seconds / 3.6e6));
    // Manufacture is borne by all the time that they stand there.
    let rate = run.phases()[0].trainer.made.per_second().gwp_kg.value * 1e3;
    assert!(close(value(&run.total(), "co2e_embodied_g"), rate * 8.0 * 240.0 * 3600.0));
    let few = TrainingEstimate::new(&Run::parse(&text(4), "run.toml").unwrap()).unwrap_err().to_string();
    assert!(few.contains("1000 accelerator-hours are used of the 960 that are reserved"), "{few}");
}

#[test]
fn machines_are_booked_once_whichever_phases_use_them() {
    let text = format!(
        "[run]\nhardware = \"h100-sxm5-80gb\"\nsite = \"lab\"\npurchase_year = 2024\nlifetime_years = 4\n\
         [[phase]]\naccelerators = 64\nstart = 2024-01-01\ndays = 10\n\
         [[phase]]\nname = \"tune\"\naccelerators = 16\nstart = 2024-02-01\ndays = 2\n{SITE}"
    );
    let run = run(&text);
    let machines = run.machines();
    assert_eq!(machines.len(), 1);
    assert_eq!((machines[0].of.as_str(), machines[0].accelerators), ("pretraining, tune", 64.0));
    let one = run.phases()[0].trainer.made.burden(None).gwp_kg.value;
    assert!(close(machines[0].footprint.kgco2e.value, 64.0 * one));
    assert!(machines[0].booked_kgco2e.unwrap().value < machines[0].footprint.kgco2e.value, "without the building");
    assert!(close(machines[0].amortised_kgco2e.unwrap() * 1e3, value(&run.total(), "co2e_embodied_g")));
}

#[test]
fn what_is_unknown_of_a_phase_is_unknown_of_the_run() {
    let text = format!(
        "[run]\nhardware = \"h100-sxm5-80gb\"\n[[phase]]\nsite = \"lab\"\naccelerator_hours = 10\n\
         [[phase]]\nname = \"elsewhere\"\nsite = \"bare\"\naccelerator_hours = 10\n{SITE}[site.bare]\npue = 1.1\n"
    );
    let run = run(&text);
    let at = sum("co2e_location_g");
    assert_eq!(run.total().value(at), None);
    assert_eq!(run.ranges()[at], None);
    assert!(run.shared(1e9).iter().all(|row| row.column != "co2e_location_g"));
    let rows = run.by(&["phase".into()]).unwrap().rows;
    assert!(rows[0].total.value(at).is_some() && rows[1].total.value(at).is_none());
    assert!(run.total().value(sum("facility_kwh")).is_some());
}

#[test]
fn more_hours_than_the_dates_hold_are_refused() {
    let told = refused("accelerators = 10\nstart = 2024-01-01\ndays = 4\naccelerator_hours = 5000");
    assert!(told.contains("960 at most"), "{told}");
    let told = refused("accelerators = 10\nstart = 9999-01-01\ndays = 4");
    assert!(told.contains("outside of 2000 to 2100"), "{told}");
    let told = refused("accelerator_hours = 10\nenergy_mwh = 100\nenergy_boundary = \"it\"");
    assert!(told.contains("energy and hours contradict"), "{told}");
    // Behind a facility's meter at a PUE of 1.2, 900 W of IT are no contradiction.
    let fine = phase("accelerator_hours = 1000\nenergy_mwh = 1.08\nenergy_boundary = \"facility\"");
    assert!(close(value(&fine.total(), "it_kwh"), 900.0));
    assert_eq!(fine.phases()[0].power_w.how, "derived");
}

#[test]
fn answers_on_the_way_are_inference() {
    let text = "kind = \"reinforcement-learning\"\nmodel = \"llama-3.1-8b-instruct\"\ntokens = 1e9\nmfu = 0.2\n\
                generations = 1e5\ngeneration_input_tokens = 500\ngeneration_output_tokens = 1000\n\
                generation_concurrency = 32\ngeneration_devices = 2";
    let run = phase(text);
    let table = run.by(&["activity".into()]).unwrap();
    let generated = &table.rows.iter().find(|row| row.keys[0].as_deref() == Some("generation")).unwrap().total;
    assert!(value(generated, "decode_kwh") > 0.0 && value(generated, "prefill_kwh") > 0.0);
    assert!(value(generated, "training_kwh").abs() < 1e-15);
    let asked = wattledger::estimate::Request {
        model: Some("llama-3.1-8b-instruct".into()),
        hardware: Some("h100-sxm5-80gb".into()),
        devices: Some(2.0),
        concurrency: Some(32.0),
        input_tokens: 500,
        output_tokens: Some(1000),
        ..Default::default()
    };
    let one = wattledger::estimate::request(&wattledger::fleet::Fleet::assumed(), &asked).unwrap();
    let of = |name: &str| one.values().iter().find(|(column, _)| *column == name).unwrap().1.unwrap()[0];
    for column in ["prefill_kwh", "decode_kwh", "host_kwh"] {
        assert!((value(generated, column) / (1e5 * of(column)) - 1.0).abs() < 1e-9, "{column}");
    }
    assert!((value(generated, "replica_seconds") / (2.0 * 1e5 * of("replica_seconds")) - 1.0).abs() < 1e-9);
}

#[test]
fn flop_of_adapters_teachers_and_attention() {
    let flop = |keys: &str| phase(&format!("tokens = 1e9\nmfu = 0.3\n{keys}")).phases()[0].flop.unwrap();
    assert!(close(flop("active_params = 7e9"), 6.0 * 7e9 * 1e9));
    assert!(close(flop("active_params = 7e9\ntrains = \"adapters\""), 4.0 * 7e9 * 1e9));
    assert!(close(flop("active_params = 7e9\nfrozen_params = 70e9"), (6.0 * 7e9 + 2.0 * 70e9) * 1e9));
    let llama = |context: u32| flop(&format!("model = \"llama-3.1-8b-instruct\"\ncontext_tokens = {context}"));
    // 32 layers, 32 heads of 128: 12·L·H·S per token in all, half of it causal.
    let attention = 6.0 * 32.0 * 4096.0 * 8192.0;
    assert!((llama(8192) / (1e9 * (6.0 * 8.0303e9 + attention)) - 1.0).abs() < 0.01, "{}", llama(8192) / 1e9);
    assert!(llama(8192) > llama(2048));
    // Full recomputation is a fourth pass: three quarters of the hardware's utilisation are the model's.
    let hours = |keys: &str| phase(&format!("active_params = 7e9\ntokens = 1e9\n{keys}")).phases()[0].hours.value;
    assert!(close(hours("hfu = 0.4\nrecomputation = \"full\""), hours("mfu = 0.3")));
}

#[test]
fn what_is_predicted_is_below_rated_power_and_has_a_range() {
    let run = phase("active_params = 8e9\ntokens = 1e11");
    let phase = &run.phases()[0];
    assert_eq!((phase.power_w.how, phase.hours.how), ("predicted", "predicted"));
    assert!(phase.power_w.value < 700.0 && phase.power_w.value > 350.0);
    let at = sum("facility_kwh");
    let [low, high] = run.ranges()[at].unwrap();
    let middle = value(&run.total(), "facility_kwh");
    assert!(low < 0.7 * middle && middle * 1.3 < high, "{low} {middle} {high}");
    assert!(run.assumptions().iter().any(|note| note.what == "mfu"));
    let metered = self::phase("energy_mwh = 10\nenergy_boundary = \"it\"");
    let [low, high] = metered.ranges()[at].unwrap();
    assert!(high / low < 1.1, "a meter is not a guess");
}

#[test]
fn critical_factors_are_told() {
    let catalog = wattledger::catalog::Catalog::builtin();
    let factors = phase("active_params = 8e9\ntokens = 1e11").factors(catalog).unwrap();
    let names: Vec<&str> = factors.iter().map(|factor| factor.factor).collect();
    for name in ["size", "tokens", "efficiency", "hours", "power", "hardware", "place"] {
        assert!(names.contains(&name), "{name} in {names:?}");
    }
    assert!(factors.iter().all(|factor| factor.low <= 1.0 && 1.0 <= factor.high && factor.low > 0.0), "{factors:?}");
    assert!(factors.windows(2).all(|two| two[0].high / two[0].low >= two[1].high / two[1].low));
}

#[test]
fn beside_inference_nothing_is_added_up() {
    let run = phase("accelerator_hours = 1000\npower_w = 600");
    let mut served = Total::default();
    let mut values = nothing();
    values.sums[sum("facility_kwh")] = 9.72;
    values.sums[sum("it_kwh")] = 8.1;
    served.add(&[1000, 500_000, 0, 300_000], &values);
    let beside = run.beside(&Served { total: served, days: Some(1.0) });
    let energy = beside.iter().find(|row| row.column == "facility_kwh").unwrap();
    assert!(close(energy.training, 972.0) && close(energy.inference, 9.72));
    assert!(close(energy.training_share, 972.0 / 981.72));
    assert!(close(energy.break_even_days.unwrap(), 100.0));
    assert!(close(energy.break_even_output_tokens.unwrap(), 3e7));
    assert!(close(energy.break_even_requests.unwrap(), 1e5));
    assert!(beside.iter().all(|row| row.column != "replica_seconds"));
    let shared = run.shared(1e9);
    let energy = shared.iter().find(|row| row.column == "facility_kwh").unwrap();
    assert!(close(energy.per_million_output_tokens, 0.972));
}

/// Values of nothing.
fn nothing() -> wattledger::estimate::columns::Values {
    let parts = wattledger::plan::Parts::default();
    let fleet = wattledger::fleet::Fleet::parse(SITE, "f").unwrap();
    let plan = wattledger::plan::Plan::of_site(&fleet, "lab").unwrap();
    wattledger::estimate::columns::Values::at_site(&parts, &plan.sites()[0].hour(None, None))
}

#[test]
fn a_meter_of_the_facility_is_met_hour_by_hour() {
    let folder = std::env::temp_dir().join(format!("wattledger-run-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let rows = (0..24).map(|hour| format!("2022-07-01T{hour:02}:00Z,{}\n", 1000 + 10 * hour));
    let csv = std::iter::once("hour_utc,facility_kwh\n".to_owned()).chain(rows).collect::<String>();
    std::fs::write(folder.join("meter.csv"), csv).unwrap();
    let text = "[run]\nhardware = \"h100-sxm5-80gb\"\nsite = \"aws/us-east-1\"\n[[phase]]\nmeter = \"meter.csv\"\n";
    std::fs::write(folder.join("run.toml"), text).unwrap();
    let run = TrainingEstimate::new(&Run::load(&folder.join("run.toml")).unwrap()).unwrap();
    let hours = run.by(&["hour".into()]).unwrap().rows;
    assert_eq!(hours.len(), 24);
    for (at, row) in hours.iter().enumerate() {
        let metered = 1000.0 + 10.0 * f64::from(u32::try_from(at).unwrap());
        assert!((value(&row.total, "facility_kwh") / metered - 1.0).abs() < 1e-9, "hour {at}");
    }
    std::fs::remove_dir_all(&folder).unwrap();
}

#[test]
fn files_that_say_too_little_too_much_or_nonsense_are_refused() {
    for (keys, says) in [
        ("name = \"x\"", "nothing says how much was done"),
        ("energy_mwh = 5", "does not say what the meter stands before"),
        ("accelerator_hours = 10\nmfu = 0.3\nhfu = 0.4", "mfu and hfu"),
        ("accelerator_hours = 10\nhous = 3", "unknown key"),
        ("accelerator_hours = -1", "accelerator-hours"),
        ("accelerator_hours = 1\nactive_params = 7e9\ntokens = 1e12", "of the peak"),
        ("accelerator_hours = 10\nkind = \"magic\"", "expected pretraining"),
        ("accelerator_hours = 10\nend = 2024-01-01", "end without start"),
        ("accelerator_hours = 10\nstart = 2024-01-02\nend = 2024-01-01", "end is not after start"),
        ("accelerator_hours = 10\nhardware = \"h1000\"", "unknown hardware"),
        ("model = \"llama-9\"\ntokens = 1e9", "unknown model"),
        ("accelerator_hours = 10\ngenerations = 5", "generations of no length"),
        ("accelerator_hours = 10\nprecision = \"fp4\"", "`bf16` or `fp8`"),
    ] {
        let error = refused(keys);
        assert!(error.contains(says), "{keys}: {error}");
        assert!(error.contains("run.toml") || error.contains("phase") || error.contains("unknown"), "{error}");
    }
    assert!(Run::parse("[run]\nname = \"x\"", "run.toml").unwrap_err().to_string().contains("[[phase]]"));
    let top = Run::parse("accelerator_hours = 3\n[[phase]]\n", "run.toml").unwrap_err().to_string();
    assert!(top.contains("belongs under [run] or [[phase]]"), "{top}");
}
