//! Series of every kind that is read, end to end.

use super::*;
use support::START_S;
use wattledger::calibration::joined::Options as Join;
use wattledger::calibration::series::{Averaged, Quantity};

fn time(second: i64, pattern: &str) -> String {
    jiff::Timestamp::from_second(START_S + second).unwrap().strftime(pattern).to_string()
}

/// Two hours of 400 W, a reading each `step` seconds.
fn nvidia_smi(step: usize) -> String {
    let rows = (0..=7200).step_by(step).map(|s| format!("{}.000, 0, 400.00 W\n", time(s, "%Y/%m/%d %H:%M:%S")));
    format!("timestamp, index, power.draw [W]\n{}", rows.collect::<Vec<_>>().concat())
}

fn prometheus(metric: &str, labels: &str, value: impl Fn(i64) -> f64) -> String {
    let values: Vec<String> = (0..=480).map(|i| format!("[{},\"{}\"]", START_S + 15 * i, value(15 * i))).collect();
    format!(
        r#"{{"status":"success","data":{{"resultType":"matrix","result":[{{"metric":{{"__name__":"{metric}",{labels}}},"values":[{}]}}]}}}}"#,
        values.join(",")
    )
}

fn utc() -> Reading {
    Reading { timezone: Some("UTC".into()), unit: None }
}

fn found(text: &str) -> DeploymentCalibration {
    let ledger = ledger(&varied(), 300);
    let series = Series::read(&files(&[text]), &utc()).unwrap();
    one(calibrate(&ledger, &dedicated(), &series, &Join::default()))
}

#[test]
fn one_load_reads_the_same_from_every_source() {
    let plain: Vec<String> = (0..=7200).step_by(15).map(|s| format!("{},400\n", START_S + s)).collect();
    let plain = plain.concat();
    let sources = [
        format!("timestamp,power_w\n{plain}"),
        nvidia_smi(15),
        prometheus("DCGM_FI_DEV_POWER_USAGE", r#""gpu":"0","UUID":"GPU-1","pod":"a""#, |_| 400.0),
        prometheus("nvidia_smi_power_draw_watts", r#""uuid":"GPU-1""#, |_| 400.0),
        prometheus("DCGM_FI_DEV_TOTAL_ENERGY_CONSUMPTION", r#""gpu":"0","Hostname":"n1""#, |s| {
            400_000.0 * f64::from(u32::try_from(s).unwrap()) + 7e12
        }),
    ];
    let scales: Vec<f64> = sources.iter().map(|text| found(text).energy_scale).collect();
    for scale in &scales {
        assert!((scale / scales[0] - 1.0).abs() < 1e-9, "{scales:?}");
    }
    let one = found(&sources[0]);
    assert_eq!((one.bins_used, one.bins_excluded.len()), (24, 0));
    assert!((one.metered_kwh - 0.8).abs() < 1e-12);
}

#[test]
fn power_draw_each_second_is_half_a_second_late_and_says_so() {
    let each = found(&nvidia_smi(1));
    assert!((each.lag_applied_s - 0.5).abs() < 1e-12 && each.lag_basis.contains("half a second"));
    // Shifted back, the last half second has no reading any more.
    assert_eq!(each.bins_excluded.get("series_does_not_cover_it"), Some(&1));
    let seldom = found(&nvidia_smi(5));
    assert!(seldom.lag_applied_s.abs() < 1e-12 && seldom.lag_basis.contains("negligible"));
    let series = Series::read(&files(&[&nvidia_smi(5)]), &utc()).unwrap();
    assert_eq!((series.quantity, series.averaged), (Quantity::Power, Averaged::LastSecond));
}

#[test]
fn gaps_and_resets_exclude_their_bins_and_are_counted() {
    let rows = |skip: std::ops::Range<i64>, value: &dyn Fn(i64) -> f64| -> String {
        let kept = (0..=7200).step_by(30).filter(|s| !skip.contains(s));
        kept.map(|s| format!("{},{}\n", START_S + s, value(s))).collect::<Vec<_>>().concat()
    };
    let gap = format!("timestamp,power_w\n{}", rows(1000..1500, &|_| 400.0));
    let one = found(&gap);
    assert_eq!((one.bins_used, one.bins_excluded.get("gap_in_the_series")), (22, Some(&2)));
    let joules = |s: i64| 400.0 * f64::from(u32::try_from(if s > 4000 { s - 4000 } else { s + 5000 }).unwrap());
    let one = found(&format!("timestamp,energy_j\n{}", rows(0..0, &joules)));
    assert_eq!((one.bins_used, one.bins_excluded.get("counter_reset")), (23, Some(&1)));
    let late = format!("timestamp,power_w\n{}", rows(0..900, &|_| 400.0));
    assert_eq!(found(&late).bins_excluded.get("series_does_not_cover_it"), Some(&3));
}

#[test]
fn a_series_an_hour_late_is_found_and_put_right_only_when_asked() {
    let (fleet, ledger) = (dedicated(), ledger(&varied(), 300));
    let plain = bins(&ledger, &fleet);
    let shifted: Vec<AcceleratorBin> =
        plain.iter().map(|b| AcceleratorBin { start_s: b.start_s + 3600, end_s: b.end_s + 3600, ..*b }).collect();
    // The meter also ran in the hour before.
    let early = AcceleratorBin { start_s: START_S, end_s: START_S + 300, ..plain[3] };
    let before: Vec<AcceleratorBin> = (0..12)
        .map(|i| AcceleratorBin { start_s: early.start_s + 300 * i, end_s: early.end_s + 300 * i, ..early })
        .collect();
    let series = read(&[&counter(&[before, shifted].concat(), 1.1)]).unwrap();
    let as_is = one(calibrate(&ledger, &fleet, &series, &Join { max_gap_s: Some(600.0), ..Join::default() }));
    let lag = as_is.lag_detected.unwrap();
    assert_eq!((lag.late_by_s, lag.suspicious), (3600, true), "{lag:?}");
    assert!(as_is.warnings.iter().any(|warning| warning.contains("`--lag 3600`")), "{:?}", as_is.warnings);
    assert!(as_is.residual_after.median > 0.01);
    let join = Join { max_gap_s: Some(600.0), lag_s: Some(3600.0), ..Join::default() };
    let right = one(calibrate(&ledger, &fleet, &series, &join));
    assert!(right.residual_after.median < 0.02 && !right.lag_detected.unwrap().suspicious);
}

#[test]
fn several_deployments_are_told_apart_by_their_label() {
    let text = |name: &str| {
        format!(
            "[[deployment]]\nname = '{name}'\nmodel = 'llama-3.1-8b'\nhardware = 'h100'\nreplicas = 1\nmatch = {{ host = ['{name}'] }}\n"
        )
    };
    let fleet = Fleet::parse(&format!("{}{}", text("a"), text("b")), "fleet.toml").unwrap();
    let of = |name: &'static str| {
        (0..360)
            .map(move |i| Logged { labels: vec![("model", "llama-3.1-8b-instruct"), ("host", name)], ..logged(10 * i) })
    };
    let ledger = ledger(&of("a").chain(of("b")).collect::<Vec<_>>(), 300);
    let rows: Vec<String> = (0..=3600).step_by(30).map(|s| format!("{0},a,400\n{0},b,300\n", START_S + s)).collect();
    let rows = rows.concat();
    let series = read(&[&format!("timestamp,deployment,power_w\n{rows}")]).unwrap();
    let found = calibrate(&ledger, &fleet, &series, &Join::default()).unwrap();
    let scales: Vec<f64> = found.deployments.iter().map(|one| one.energy_scale).collect();
    assert_eq!(scales.len(), 2);
    assert!(scales[0] > scales[1]);
    assert_eq!(found.toml.matches("energy_scale = ").count(), 2);
    let only_b = Join { deployment: Some("b".into()), ..Join::default() };
    let only = one(calibrate(&ledger, &fleet, &series, &only_b));
    assert_eq!((only.deployment.as_str(), only.energy_scale.to_bits()), ("b", scales[1].to_bits()));
    let nameless = read(&[&format!("timestamp,power_w\n{},1\n{},1\n", START_S, START_S + 30)]).unwrap();
    let refused = calibrate(&ledger, &fleet, &nameless, &Join::default()).unwrap_err().to_string();
    assert!(refused.contains("a, b"), "{refused}");
}

#[test]
fn bins_without_requests_show_the_idle_power() {
    let mut requests = varied();
    requests.retain(|request| !(1500..4500).contains(&request.at_s));
    let ledger = ledger(&requests, 300);
    let rows: Vec<String> = (0..=7200).step_by(10).map(|s| format!("{},90\n", START_S + s)).collect();
    let rows = rows.concat();
    let series = read(&[&format!("timestamp,power_w\n{rows}")]).unwrap();
    let fleet =
        support::fleet("replicas = 1\nmax_concurrency = 64\n[[hardware]]\nid = 'h100-sxm5-80gb'\nidle_context_w = 50");
    let one = one(calibrate(&ledger, &fleet, &series, &Join::default()));
    let waiting = one.waiting.unwrap();
    assert!(waiting.bins >= 9 && (waiting.metered_w_each - 90.0).abs() < 1e-9, "{waiting:?}");
    assert!((waiting.estimated_w_each - 50.0).abs() < 1e-6);
}
