//! Which deployment serves a route: by patterns, by name, by model and site, or by assumption.

use crate::support::{Logged, by, estimate, ledger, logged};
use wattledger::error::Error;
use wattledger::estimate::Estimate;
use wattledger::fleet::Fleet;

fn with(labels: &[(&'static str, &'static str)]) -> Logged {
    Logged { labels: labels.to_vec(), ..logged(0) }
}

/// Deployments of the small Llama with these further lines each, named a, b, c.
fn fleet(deployments: &[&str]) -> Fleet {
    let texts = deployments.iter().zip(["a", "b", "c"]).map(|(more, name)| {
        format!(
            "[[deployment]]\nname = '{name}'\nmodel = 'llama-3.1-8b-instruct'\nhardware = 'h100-sxm5-80gb'\n{more}\n"
        )
    });
    Fleet::parse(&texts.collect::<String>(), "fleet.toml").expect("a fleet")
}

/// The name of the deployment that a request with these labels is estimated under.
fn served(fleet: &Fleet, labels: &[(&'static str, &'static str)]) -> String {
    let estimate = estimate(&[with(labels)], fleet);
    let table = by(&estimate, &["deployment"]);
    let row = table.rows.iter().find(|row| !row.unallocated).expect("the request's row");
    row.keys[0].clone().unwrap_or_else(|| "nowhere".into())
}

const LLAMA: (&str, &str) = ("model", "llama-3.1-8b-instruct");

#[test]
fn stated_patterns_go_before_everything() {
    let fleet = fleet(&["match = { region = ['eu-*'] }", ""]);
    assert_eq!(served(&fleet, &[LLAMA, ("region", "eu-north-1")]), "a");
    assert_eq!(served(&fleet, &[LLAMA, ("region", "EU-NORTH-1"), ("deployment", "b")]), "a");
    assert_eq!(served(&fleet, &[("model", "whatever"), ("region", "eu-north-1")]), "a");
    assert_eq!(served(&fleet, &[LLAMA, ("region", "us-east-1")]), "b");
}

#[test]
fn a_deployment_with_patterns_claims_nothing_else() {
    let fleet = fleet(&["match = { region = ['eu-*'] }"]);
    assert_eq!(
        served(&fleet, &[LLAMA, ("deployment", "a"), ("region", "us-east-1")]).split(':').next(),
        Some("assumed")
    );
    let all = self::fleet(&["match = {}"]);
    assert_eq!(served(&all, &[("model", "whatever")]), "a");
    assert_eq!(served(&all, &[]), "a");
}

#[test]
fn two_claims_are_a_contradiction() {
    let claims = |deployments: &[&str], labels: &[(&'static str, &'static str)]| {
        let made = Estimate::new(&ledger(&[with(labels)]), &fleet(deployments));
        let Err(Error::RouteClaimedTwice { route, first, second }) = made else { panic!("no contradiction") };
        (route, first, second)
    };
    let by_pattern = claims(&["match = { model = ['llama*'] }", "match = {}"], &[LLAMA, ("host", "h1")]);
    assert_eq!(by_pattern, ("model=llama-3.1-8b-instruct host=h1".into(), "a".into(), "b".into()));
    assert_eq!(claims(&["", ""], &[LLAMA]).0, "model=llama-3.1-8b-instruct");
    assert_eq!(claims(&["match = {}", "match = {}"], &[]).0, "without labels");
}

#[test]
fn a_deployment_label_names_its_deployment() {
    let fleet = fleet(&["", ""]);
    assert_eq!(served(&fleet, &[LLAMA, ("deployment", "b")]), "b");
    assert_eq!(served(&fleet, &[("model", "whatever"), ("deployment", "a")]), "a");
}

#[test]
fn model_and_site_tell_twins_apart() {
    let fleet = fleet(&["site = 'aws/us-east-1'", "site = 'aws/eu-north-1'"]);
    assert_eq!(served(&fleet, &[LLAMA, ("provider", "aws"), ("region", "us-east-1")]), "a");
    assert_eq!(served(&fleet, &[LLAMA, ("region", "eu-north-1")]), "b");
    assert_eq!(served(&fleet, &[("model", "Meta-Llama-3.1-8B-Instruct"), ("region", "eu-north-1")]), "b");
    let elsewhere = served(&fleet, &[LLAMA, ("region", "ap-southeast-2")]);
    assert!(elsewhere.starts_with("assumed: llama-3.1-8b-instruct on "), "{elsewhere}");
}

#[test]
fn what_nobody_claims_is_assumed_from_the_log_and_said() {
    let none = Fleet::assumed();
    let labels =
        [("model", "lambda_ai/llama3.1-70b-instruct-fp8"), ("hardware", "A100-SXM4-80GB"), ("region", "eu-north-1")];
    let made = estimate(&[with(&labels)], &none);
    let deployed = &made.plan().deployments()[0];
    assert!(deployed.assumed && !deployed.dedicated);
    assert_eq!((deployed.hardware.as_str(), deployed.model.as_str()), ("a100-sxm4-80gb", "llama-3.1-70b-instruct"));
    assert_eq!(made.plan().site_of(0).name, "aws/eu-north-1");
    let place = format!("deployment `{}`", deployed.name);
    for what in ["hardware", "precision", "devices", "tenancy", "concurrency", "engine", "host power"] {
        assert!(made.assumptions().iter().any(|note| note.place == place && note.what == what), "{what} is not said");
    }
    // Routes that are assumed alike share a deployment.
    let two = estimate(&[with(&[LLAMA, ("host", "a")]), with(&[LLAMA, ("host", "b")])], &none);
    assert_eq!(two.plan().deployments().len(), 1);
}

#[test]
fn a_log_that_names_no_model_goes_nowhere_and_says_so() {
    let made = estimate(&[with(&[("host", "h1")])], &Fleet::assumed());
    assert_eq!(made.total().values().into_iter().flatten().count(), 0);
    assert!(made.unknown()[0].reason.contains("names no model"), "{:?}", made.unknown());
}
