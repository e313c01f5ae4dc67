//! Profiles of engines: rows that a fleet file takes.

use wattledger::calibration::profile::overlay;
use wattledger::catalog::Catalog;
use wattledger::fleet::Fleet;
use wattledger::plan::Plan;
use wattledger::validation::inference::Measurements;

/// The first rows of vLLM 0.11.1 on H100 under another engine's name.
fn measurements(engine: &str) -> Measurements {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/data/measurements/inference.csv");
    let text = std::fs::read_to_string(path).unwrap();
    let mut lines = text.lines();
    let header = lines.next().unwrap();
    let rows = lines.filter(|line| line.contains(",vllm-0.11.1,") && line.contains(",H100,")).take(12);
    let rows: Vec<String> = rows.map(|line| line.replace(",vllm-0.11.1,", &format!(",{engine},"))).collect();
    assert_eq!(rows.len(), 12);
    let file = tempfile::NamedTempFile::with_suffix(".csv").unwrap();
    std::fs::write(file.path(), format!("{header}\n{}\n", rows.join("\n"))).unwrap();
    Measurements::read(file.path(), Catalog::builtin()).unwrap()
}

#[test]
fn a_new_engine_begins_at_the_base_engine() {
    let mut mine = measurements("mine-1.2");
    // The intervals widen, for nobody has measured this engine.
    let energies = |mine: &Measurements| -> Vec<_> {
        mine.predict().unwrap().into_iter().map(|row| row.map(|outcome| outcome.energy)).collect()
    };
    let (before, energies_before) = (mine.predict().unwrap(), energies(&mine));
    let free = mine.add_engine("mine-1.2").unwrap();
    assert_eq!(energies(&mine), energies_before);
    assert!(free.contains(&"V12/stack/mine-1.2/hopper/t_step".to_owned()), "{free:?}");
    assert!(!free.iter().any(|id| id.ends_with("/h") || id.contains("blackwell")), "{free:?}");
    for id in &free {
        let row = mine.parameters().iter().find(|row| row.id == *id).unwrap();
        assert_eq!(row.prior, Some(row.value));
        assert!(row.prior_sigma.is_some());
    }
    mine.set("V12/stack/mine-1.2/hopper/q", 1.5).unwrap();
    let hungry = mine.predict().unwrap();
    assert!(before.iter().zip(&hungry).any(|(a, b)| b.as_ref().unwrap().energy > a.as_ref().unwrap().energy));
}

#[test]
fn engines_that_are_known_or_not_in_the_file_are_refused() {
    let mut mine = measurements("mine-1.2");
    let known = mine.add_engine("vllm-0.5.4").unwrap_err().to_string();
    assert!(known.contains("no fit of"), "{known}");
    let missing = mine.add_engine("mine-1.3").unwrap_err().to_string();
    assert!(missing.contains("serving_stack") && missing.contains("mine-1.2"), "{missing}");
}

#[test]
fn a_profile_is_taken_by_a_fleet_file_and_counts() {
    let mut mine = measurements("mine-1.2");
    mine.add_engine("mine-1.2").unwrap();
    mine.set("V12/stack/mine-1.2/hopper/q", 2.0).unwrap();
    let profile = overlay("mine-1.2", &mine.found("mine-1.2"), "our \"runs\" of \\ November", "first\nsecond");
    assert_eq!(profile.matches("[[parameter]]").count(), 1, "nothing was found about the rest");
    let deployment = |engine: &str| {
        format!("[[deployment]]\nname = 'a'\nmodel = 'llama-3.1-8b'\nhardware = 'h100'\nengine = '{engine}'\n{profile}")
    };
    let joules = |engine: &str| {
        let fleet = Fleet::parse(&deployment(engine), "fleet.toml").unwrap();
        let plan = Plan::compile(&fleet, &[]).unwrap();
        let fact = plan.facts().iter().find(|fact| fact.what == "q").cloned().unwrap();
        (plan.deployments()[0].coefficients(8.0).energy_j.output, fact)
    };
    let ((mine, fact), (base, _)) = (joules("mine-1.2"), joules("vllm-0.11.1"));
    assert!(mine > 1.3 * base, "{mine} {base}");
    assert_eq!((fact.quality.as_str(), fact.source.as_str()), ("measured", "our \"runs\" of \\ November"));
}
