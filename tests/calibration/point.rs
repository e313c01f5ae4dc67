//! One metered point.

use super::*;
use wattledger::calibration::point::{Metered, Point, PointCalibration, calibrate};

fn at(metered: Metered) -> Point {
    Point {
        deployment: None,
        metered,
        concurrency: Some(32.0),
        input_tokens: Some(1200),
        cached_tokens: Some(200),
        output_tokens: Some(400),
    }
}

fn power(gpu_power_w: f64, tokens_per_s: f64) -> Point {
    at(Metered::Power { gpu_power_w, tokens_per_s })
}

/// What the method says at that load: watts and tokens per second.
fn method(fleet: &Fleet) -> [f64; 2] {
    let found = calibrate(fleet, &power(500.0, 1000.0)).expect("scales").estimated;
    let seconds = found.replica_seconds_per_output_token.expect("of the method");
    [found.joules_per_output_token / seconds, 1.0 / seconds]
}

fn near(found: f64, expected: f64) {
    assert!((found / expected - 1.0).abs() < 1e-12, "{found} is not {expected}");
}

#[test]
fn a_meter_that_reads_the_estimate_has_scale_one() {
    let fleet = dedicated();
    let [watts, rate] = method(&fleet);
    let found = calibrate(&fleet, &power(watts, rate)).unwrap();
    near(found.energy_scale, 1.0);
    near(found.time_scale.unwrap(), 1.0);
    assert_eq!((found.warnings.len(), found.assumptions.len()), (0, 0));
}

#[test]
fn scales_follow_the_meter_whatever_the_fleet_states_already() {
    let [watts, rate] = method(&dedicated());
    let stated = support::fleet("replicas = 1\nmax_concurrency = 64\nenergy_scale = 3.0\ntime_scale = 0.5");
    let found = calibrate(&stated, &power(watts, rate / 1.25)).unwrap();
    near(found.energy_scale, 1.25);
    near(found.time_scale.unwrap(), 1.25);
}

#[test]
fn the_snippet_is_toml_that_a_fleet_file_takes() {
    let [watts, rate] = method(&dedicated());
    let found = calibrate(&dedicated(), &power(0.8 * watts, rate)).unwrap();
    let fleet = support::fleet(&format!("replicas = 1\n{}", found.toml));
    assert!((fleet.deployments()[0].energy_scale.unwrap() - 0.8).abs() < 1e-5);
    assert!((fleet.deployments()[0].time_scale.unwrap() - 1.0).abs() < 1e-5);
}

#[test]
fn waiting_is_taken_off_the_energy_of_a_window() {
    let fleet = dedicated();
    let [watts, rate] = method(&fleet);
    let tokens = 0.25 * 3600.0 * rate;
    let idle_w = waiting_w(&fleet);
    let gpu_kwh = (0.25 * watts + 0.75 * idle_w) / 1000.0;
    let found =
        calibrate(&fleet, &at(Metered::Energy { gpu_kwh, total_output_tokens: tokens, hours: Some(1.0) })).unwrap();
    near(found.energy_scale, 1.0);
    near(found.idle_kwh, 0.75 * idle_w / 1000.0);
    assert_eq!(found.time_scale, None);
    // Without hours all of it counts as work.
    let found = calibrate(&fleet, &at(Metered::Energy { gpu_kwh, total_output_tokens: tokens, hours: None })).unwrap();
    near(found.energy_scale, gpu_kwh * 1000.0 / (0.25 * watts));
}

fn waiting_w(fleet: &Fleet) -> f64 {
    wattledger::plan::Plan::compile(fleet, &[]).unwrap().deployments()[0].idle.0
}

#[test]
fn readings_that_cannot_be_are_refused_with_the_way_out() {
    let fleet = dedicated();
    let refused = |point: &Point| calibrate(&fleet, point).unwrap_err().to_string();
    assert!(
        refused(&power(2200.0, 1000.0)).contains("2200") && refused(&power(2200.0, 1000.0)).contains("whole server")
    );
    for bad in [0.0, -1.0, f64::NAN, f64::INFINITY] {
        assert!(refused(&power(bad, 1000.0)).contains("watts above 0"));
        assert!(refused(&power(500.0, bad)).contains("tokens per second above 0"));
    }
    assert!(refused(&power(500.0, 1e-3)).contains("expected 0.05 to 20"));
    let found = calibrate(&fleet, &power(30.0, 300.0)).unwrap();
    assert!(found.warnings.iter().any(|warning| warning.contains("draw waiting")), "{:?}", found.warnings);
    let little = at(Metered::Energy { gpu_kwh: 0.001, total_output_tokens: 1e3, hours: Some(24.0) });
    assert!(refused(&little).contains("merely waiting"));
    assert!(Metered::given([Some(1.0), None], [None; 3]).unwrap_err().to_string().contains("incomplete"));
    assert!(Metered::given([Some(1.0), Some(1.0)], [Some(1.0), None, None]).is_err());
}

#[test]
fn implausible_scales_are_explained() {
    let [watts, rate] = method(&dedicated());
    let found = calibrate(&dedicated(), &power(watts, rate / 4.0)).unwrap();
    let explained =
        |what: &str| found.warnings.iter().any(|w| w.starts_with(&format!("{what} 4.000 is outside 0.3 to 3")));
    assert!(explained("energy_scale") && explained("time_scale"), "{:?}", found.warnings);
}

#[test]
fn what_nobody_stated_is_assumed_aloud() {
    let point = Point { concurrency: None, input_tokens: None, output_tokens: None, ..power(500.0, 3000.0) };
    let found = calibrate(&dedicated(), &point).unwrap();
    let assumed: Vec<&str> = found.assumptions.iter().map(|note| note.what.as_str()).collect();
    assert_eq!(assumed, ["input tokens", "output tokens", "concurrency"]);
    let symbols = |found: &PointCalibration| -> Vec<String> {
        found.interval.before.as_ref().unwrap().parts.iter().map(|part| part.symbol.clone()).collect()
    };
    assert_eq!(symbols(&found), ["spread", "spread_load"]);
    let known = calibrate(&dedicated(), &power(500.0, 3000.0)).unwrap();
    assert_eq!(symbols(&known), ["spread"]);
    let [before, near, any] =
        [&known.interval.before, &known.interval.after_near, &known.interval.after].map(|one| one.clone().unwrap());
    assert!(near.half_width_log < before.half_width_log && any.half_width_log <= before.half_width_log);
    assert_eq!(near.parts[0].symbol, "spread_metered_near");
    assert!(known.interval.remark.unwrap().contains("away from the metered load"));
}
