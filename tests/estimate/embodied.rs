//! What machines took to make: parts and wholes, lives and purchases, time that idles.

use crate::support::{by, close, estimate, fleet, logged, value};
use wattledger::catalog::Catalog;
use wattledger::estimate::Estimate;
use wattledger::estimate::columns::sum;
use wattledger::physics::embodied::Burden;
use wattledger::plan::{Embodied, Group, accelerator_parts};

fn parts(hardware: &str) -> Embodied {
    let catalog = Catalog::builtin();
    accelerator_parts(catalog, catalog.hardware(hardware).unwrap().row).unwrap()
}

fn made(more: &str) -> Estimate {
    estimate(&[logged(0), logged(7200)], &fleet(more))
}

#[test]
fn components_sum_to_the_whole() {
    for deployed in made("replicas = 3\nserver = \"dgx-h100\"").plan().deployments() {
        let sum = |group| {
            deployed
                .made
                .components
                .iter()
                .filter(|part| part.group == group)
                .fold(Burden::ZERO, |sum, part| sum.plus(&part.burden))
        };
        let groups = [Group::Accelerator, Group::Server, Group::Network, Group::Facility];
        let whole = groups.iter().fold(Burden::ZERO, |whole, group| whole.plus(&sum(*group)));
        for (part, of) in whole.parts().iter().zip(deployed.made.burden(None).parts()) {
            assert!(close(part.value, of.value) && close(part.low, of.low) && close(part.high, of.high));
        }
        for part in &deployed.made.components {
            for range in part.burden.parts() {
                assert!(0.0 <= range.low && range.low <= range.value && range.value <= range.high, "{part:?}");
            }
            assert!(!part.source.is_empty(), "{}", part.what);
        }
        for group in groups {
            assert!(deployed.made.burden(Some(group)).gwp_kg.value > 0.0, "{group:?}");
        }
    }
}

#[test]
fn amortised_over_a_life_is_what_was_booked() {
    for deployed in made("replicas = 3\nlifetime_years = 5").plan().deployments() {
        for part in &deployed.made.components {
            let life = part.life_s.value;
            for (amortised, whole) in part.burden.amortised(life, life).parts().iter().zip(part.burden.parts()) {
                assert!(close(amortised.value, whole.value));
            }
        }
        let machines = deployed.made.components.iter().filter(|part| part.group != Group::Facility);
        let years = machines.map(|part| part.life_s.value / (365.0 * 86_400.0)).collect::<Vec<_>>();
        // Network equipment has a life of its own, everything else that of the machine.
        assert!(years.iter().all(|years| close(*years, 5.0)), "{years:?}");
        let rate = deployed.made.per_second().gwp_kg.value;
        let sum: f64 = deployed.made.components.iter().map(|part| part.burden.gwp_kg.value / part.life_s.value).sum();
        assert!(close(rate, sum));
    }
}

#[test]
fn a_deployment_that_stands_for_its_life_bears_what_was_booked() {
    // Half a year, from 2024-01-01 to 2024-07-01T12Z: 182.5 days.
    let more = "replicas = 3\nlifetime_years = 0.5\npurchase_year = 2024\nprovisioned_from = \"2024-01-01\"\n\
                provisioned_until = \"2024-07-01T12:00Z\"";
    let text = format!(
        "[[deployment]]\nname = 'chat'\nmodel = 'llama-3.1-8b-instruct'\nhardware = 'h100-sxm5-80gb'\ndevices = 1\n\
         site = 'aws/us-east-1'\n{more}"
    );
    let ledger = crate::support::ledger(&[]);
    let whole = Estimate::new(&ledger, &wattledger::fleet::Fleet::parse(&text, "fleet").unwrap()).unwrap();
    let made = &whole.embodied()[0];
    let life = 0.5;
    let share = |part: &wattledger::estimate::Part| part.footprint.kgco2e.value * life / part.lifetime_years;
    let expected: f64 = made.parts.iter().map(share).sum();
    assert!(close(made.amortised_kgco2e.unwrap(), expected), "{made:?}");
    // Machines whose life is over have borne the whole of it.
    let own = made.parts.iter().filter(|part| close(part.lifetime_years, life));
    let (over, booked) = (own.map(|part| part.footprint.kgco2e.value).sum::<f64>(), made.booked_kgco2e.unwrap().value);
    let switches: f64 =
        made.parts.iter().filter(|p| p.what == "switches and optics").map(|p| p.footprint.kgco2e.value).sum();
    assert!(close(over + switches, booked), "{over} and {switches} of {booked}");
}

#[test]
fn what_stands_there_bears_it_whether_it_works_or_not() {
    let two = made("replicas = 2");
    let embodied = sum("co2e_embodied_g");
    // From the first to the last five-minute bin, two hours and five minutes, on two replicas.
    let seconds = 2.0 * (7200.0 + 300.0);
    let rate = two.plan().deployments()[0].made.per_second().gwp_kg.value * 1e3;
    assert!(close(value(&two.total(), "co2e_embodied_g"), seconds * rate));
    let idle =
        by(&two, &["hour"]).rows.iter().filter(|row| row.unallocated).map(|row| row.total.value(embodied)).next();
    assert!(idle.flatten().unwrap() > 0.0, "the hour without a request bears its time");
    let four = made("replicas = 4");
    assert!(close(value(&four.total(), "co2e_embodied_g"), 2.0 * value(&two.total(), "co2e_embodied_g")));
    let shared = made("tenancy = \"shared\"");
    let time = value(&shared.total(), "replica_seconds");
    assert!(close(value(&shared.total(), "co2e_embodied_g"), time * rate), "of a shared one, the time of its requests");
}

#[test]
fn a_meter_changes_energy_and_not_what_machines_took_to_make() {
    let plain = made("replicas = 2");
    let metered = made("replicas = 2\nenergy_scale = 2.0");
    assert!(value(&metered.total(), "it_kwh") > value(&plain.total(), "it_kwh"));
    assert!(close(value(&metered.total(), "co2e_embodied_g"), value(&plain.total(), "co2e_embodied_g")));
}

#[test]
fn wholes_are_manufacture_and_generation() {
    let text = "[[deployment]]\nname = 'chat'\nmodel = 'llama-3.1-8b-instruct'\nhardware = 'h100-sxm5-80gb'\n\
                replicas = 2\nsite = 'aws/us-east-1'";
    let total = estimate(&[logged(0)], &wattledger::fleet::Fleet::parse(text, "fleet").unwrap()).total();
    for (whole, part) in [("adpe_kg_sb", "adpe_embodied_kg_sb"), ("primary_energy_mj", "primary_energy_embodied_mj")] {
        assert!(value(&total, whole) > value(&total, part), "{whole}");
    }
    let kwh = value(&total, "facility_kwh");
    let of_generation = (value(&total, "primary_energy_mj") - value(&total, "primary_energy_embodied_mj")) / kwh;
    assert!((2.0..15.0).contains(&of_generation), "{of_generation} MJ/kWh");
}

#[test]
fn the_year_of_purchase_books_machines_and_not_the_building() {
    assert_eq!(made("replicas = 2").embodied()[0].booked_kgco2e, None, "nobody says when they were bought");
    let booked = &made("replicas = 2\npurchase_year = 2024").embodied()[0];
    let machines: f64 =
        booked.groups.iter().filter(|share| share.group != Group::Facility).map(|s| s.footprint.kgco2e.value).sum();
    assert!(close(booked.booked_kgco2e.unwrap().value, machines));
    assert_eq!((booked.purchase_year, booked.accelerators), (Some(2024.0), 2.0));
    assert!(booked.amortised_kgco2e.unwrap() < machines / 1000.0, "two hours of four years");
}

#[test]
fn a_published_footprint_stands_for_the_accelerators_alone() {
    let own = made("replicas = 1").plan().deployments()[0].made.clone();
    let published =
        made("replicas = 1\nembodied = \"nvidia-h100-morand-et-al-2026\"").plan().deployments()[0].made.clone();
    assert!(close(published.burden(Some(Group::Accelerator)).gwp_kg.value, 225.0));
    for group in [Group::Server, Group::Network, Group::Facility] {
        assert_eq!(published.burden(Some(group)), own.burden(Some(group)));
    }
    // What it does not say is that of the parts.
    let (its, ours) = (published.burden(Some(Group::Accelerator)), own.burden(Some(Group::Accelerator)));
    assert!(close(its.adpe_kg_sb.value, ours.adpe_kg_sb.value));
    let text = "[[deployment]]\nname='x'\nmodel='llama-3.1-8b-instruct'\nhardware='h100'\nembodied='google-tpu-v5p'\n";
    let wrong = wattledger::fleet::Fleet::parse(text, "f").unwrap();
    let error = wattledger::plan::Plan::compile(&wrong, &[]).unwrap_err().to_string();
    assert!(error.contains("not the footprint of a number of accelerators"), "{error}");
}

/// Published footprints, of the same scope as ours: the accelerator with its board, cradle to gate. Single parts were set by
/// the boards of H100 and B200 and by the cards of ADEME; the dies, and the A100 and P100 as wholes, by none.
#[test]
fn published_footprints_lie_inside_our_ranges() {
    for (hardware, published) in [
        ("h100-sxm5-80gb", 164.0),
        ("b200-sxm", 284.25),
        ("a100-sxm4-40gb", 127.6),
        ("a100-pcie-40gb", 122.0),
        ("h100-pcie-80gb", 169.6),
        ("l4", 57.7),
        ("p100-pcie-16gb", 67.0),
    ] {
        let ours = parts(hardware).burden(None).gwp_kg;
        assert!(ours.low < published && published < ours.high, "{hardware}: {published} in {ours:?}");
    }
    let h100 = parts("h100-sxm5-80gb").burden(None).gwp_kg.value;
    assert!((h100 / 164.0 - 1.0).abs() < 0.1, "{h100}");
    let b200 = parts("b200-sxm").burden(None).gwp_kg.value;
    assert!((b200 / 284.25 - 1.0).abs() < 0.1, "{b200}");
}

#[test]
fn every_accelerator_of_the_catalog_has_its_parts() {
    for row in Catalog::builtin().all_hardware().unwrap() {
        let burden = accelerator_parts(Catalog::builtin(), row).unwrap().burden(None);
        for range in burden.parts() {
            assert!(range.low > 0.0 && range.low <= range.value && range.value <= range.high, "{}: {burden:?}", row.id);
        }
        let per_die = burden.gwp_kg.value;
        assert!((10.0..30_000.0).contains(&per_die), "{}: {per_die} kg", row.id);
    }
}
