//! The catalog: reading its tables, and names to rows.
//!
//! `load` reads a fresh catalog, every table and every name of it; `first_name` what the first question about a model
//! costs; the others resolve names in a catalog that is read. Each case checks its answer.

use divan::Bencher;
use std::hint::black_box;
use wattledger::catalog::Catalog;

#[divan::bench]
fn load(bencher: Bencher<'_, '_>) {
    bencher.bench(|| {
        let catalog = Catalog::default();
        // A listed name of each kind: its rows and its names are read.
        assert!(catalog.hardware("h100").is_ok() && catalog.server("p5.48xlarge").is_ok());
        assert!(catalog.model("gpt-4o-2024-08-06").is_ok() && catalog.engine("vllm-0.11").is_ok());
        assert!(catalog.site("iad").is_ok() && catalog.grid("DE").is_ok() && catalog.cooling("unknown").is_ok());
        assert!(
            !catalog.all_embodied().expect("rows").is_empty() && !catalog.all_diffusion().expect("rows").is_empty()
        );
        assert!(!catalog.all_parameters().expect("rows").is_empty());
    });
}

#[divan::bench]
fn first_name(bencher: Bencher<'_, '_>) {
    bencher.bench(|| {
        let catalog = Catalog::default();
        assert_eq!(catalog.model("gpt-4o-2024-08-06").expect("a name").row.id, "gpt-4o");
    });
}

#[divan::bench(args = [
    "llama-3.1-8b-instruct",
    "gpt-4o-2024-08-06",
    "/models/Llama-3.1-8B-Instruct-FP8",
    "arn:aws:bedrock:us-east-1:1:inference-profile/us.meta.llama3-1-70b-instruct-v1:0",
])]
fn resolve(bencher: Bencher<'_, '_>, name: &str) {
    let catalog = Catalog::builtin();
    assert!(catalog.model(name).is_ok());
    bencher.bench(|| catalog.model(black_box(name)).expect("a name").row.total_params);
}

fn main() {
    divan::main();
}
