//! Laws of calibration.

use super::*;
use crate::support::close;
use proptest::prelude::*;

fn log() -> impl Strategy<Value = Vec<Logged>> {
    let request = (0_i64..7200, 1_u32..4000, 0_u32..=100, 1_u32..1500, 1_i64..60);
    prop::collection::vec(request, 1..60).prop_map(|requests| {
        let made = requests.into_iter().map(|(at, input, share, output, latency)| Logged {
            tokens: [input, input / 100 * share, output],
            latency_s: Some(latency),
            ..logged(at)
        });
        made.collect()
    })
}

fn lines(text: &str) -> (&str, Vec<&str>) {
    let (header, rows) = text.split_once('\n').expect("a header");
    (header, rows.lines().collect())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn a_series_of_the_estimate_itself_has_scale_one(requests in log(), bin in prop::sample::select(vec![300, 900, 3600])) {
        let (fleet, ledger) = (dedicated(), ledger(&requests, bin));
        let found = one(joined(&ledger, &fleet, &[&counter(&bins(&ledger, &fleet), 1.0)]));
        if found.bins_at_rated_power < found.bins_used {
            // Taking idle off leaves as many digits less as idle is larger than the rest.
            let busy = found.metered_kwh - found.estimated_idle_kwh;
            let digits = 1e-12 * (1.0 + found.metered_kwh / busy);
            prop_assert!((found.energy_scale - 1.0).abs() <= digits, "{} {:?}", found.energy_scale, found.bins.len());
        }
        prop_assert!(found.residual_after.p90 < 1e-9);
        prop_assert!(close(found.metered_kwh, found.estimated_kwh));
    }

    /// Idle energy is not scaled, so that the scale closes the balance instead of following the factor itself.
    #[test]
    fn an_estimate_with_the_scale_is_what_was_metered(requests in log(), factor in 1.0_f64..1.5) {
        let (fleet, ledger) = (dedicated(), ledger(&requests, 300));
        let plain = bins(&ledger, &fleet);
        let Ok(mut found) = joined(&ledger, &fleet, &[&counter(&plain, factor)]) else {
            // More than the accelerators can draw in that time, or far from the estimate, is refused.
            return Ok(());
        };
        let found = found.deployments.remove(0);
        let scaled = bins(&ledger, &fleet.with_scales(Some(found.energy_scale), found.time_scale));
        let sum = |bins: &[AcceleratorBin]| bins.iter().map(|bin| bin.busy.0 + bin.idle.0).sum::<f64>();
        prop_assert!(close(sum(&scaled), factor * sum(&plain)), "{} {}", sum(&scaled), factor * sum(&plain));
    }

    #[test]
    fn order_and_files_do_not_matter(
        order in Just((0..24_usize).collect::<Vec<_>>()).prop_shuffle(), cut in 1_usize..23, factor in 0.9_f64..1.2,
    ) {
        let (fleet, ledger) = (dedicated(), ledger(&varied(), 300));
        let text = counter(&bins(&ledger, &fleet), factor);
        let whole = joined(&ledger, &fleet, &[&text]).expect("scales");
        let (header, rows) = lines(&text);
        let mut shuffled: Vec<&str> = order.iter().filter_map(|i| rows.get(*i)).copied().collect();
        shuffled.extend(rows.iter().skip(order.len()));
        let part = |rows: &[&str]| format!("{header}\n{}\n", rows.join("\n"));
        let parts = [part(&shuffled[..cut]), part(&shuffled[cut..])];
        let split = joined(&ledger, &fleet, &[&parts[0], &parts[1]]).expect("scales");
        prop_assert_eq!(&split.deployments, &whole.deployments);
        let swapped = joined(&ledger, &fleet, &[&parts[1], &parts[0]]).expect("scales");
        prop_assert_eq!(&swapped.deployments, &whole.deployments);
    }

    /// Without idle in the way the scale follows the series.
    #[test]
    fn a_busy_deployment_scales_as_its_series(factor in 0.4_f64..1.2) {
        // Twenty requests at any time: the chance of none is 2e-9.
        let requests: Vec<Logged> = (0..3600).map(|i| Logged { latency_s: Some(20), ..logged(i) }).collect();
        let (fleet, ledger) = (dedicated(), ledger(&requests, 300));
        let plain = bins(&ledger, &fleet);
        let scale = |factor: f64| one(joined(&ledger, &fleet, &[&counter(&plain[1..11], factor)])).energy_scale;
        prop_assert!((scale(factor) / scale(1.0) / factor - 1.0).abs() < 1e-7, "{} {}", scale(factor), scale(1.0));
    }
}

/// The two meters of a split power are the meter of the whole.
#[test]
fn meters_add() {
    let (fleet, ledger) = (dedicated(), ledger(&varied(), 300));
    let (mut whole, mut halves) = (vec!["timestamp,power_w\n".to_owned()], vec!["timestamp,gpu,power_w\n".to_owned()]);
    for i in 0..=480 {
        let (at, watts) = (support::START_S + 15 * i, 300.0 + 40.0 * f64::from(u32::try_from(i % 7).unwrap()));
        whole.push(format!("{at},{watts}\n"));
        halves.push(format!("{at},1,{}\n{at},0,{}\n", 0.25 * watts, 0.75 * watts));
    }
    let [whole, halves] = [whole, halves].map(|lines| one(joined(&ledger, &fleet, &[&lines.concat()])));
    assert!(close(whole.energy_scale, halves.energy_scale));
    assert_eq!((whole.meters, halves.meters), (1, 2));
    assert_eq!(halves.warnings.iter().filter(|warning| warning.starts_with("2 meters for 1 acc")).count(), 1);
}
