//! The catalogue as its users meet it: every row defensible, every name understood or refused.

use wattledger::Error;
use wattledger::catalog::{Catalog, Content, LICENCES, Level, Quality, Record, Rule};
use wattledger::units::{DirectIntensity, LifecycleIntensity};

fn builtin() -> &'static Catalog {
    Catalog::builtin()
}

#[test]
fn every_row_has_a_birth_certificate_and_lies_in_its_bands() {
    for kind in Catalog::KINDS {
        let table = builtin().table(kind).unwrap();
        assert!(table.rows.len() > 2, "{kind}");
        let at = |name: &str| table.columns.iter().position(|column| column.name == name).unwrap();
        for row in &table.rows {
            let id = row[at("id")].value;
            for name in ["source", "retrieved", "licence", "quality"] {
                assert!(!row[at(name)].value.is_empty(), "{kind} {id} {name}");
            }
            assert!(LICENCES.contains(&row[at("licence")].value), "{kind} {id}");
            assert!(Quality::ALL.iter().any(|quality| quality.name() == row[at("quality")].value), "{kind} {id}");
            for (column, cell) in table.columns.iter().zip(row) {
                if column.content == Content::Number && !cell.value.is_empty() {
                    let value: f64 = cell.value.parse().unwrap();
                    assert!((column.low..=column.high).contains(&value), "{kind} {id} {}", column.name);
                }
            }
        }
    }
}

#[test]
fn ids_are_unique_whatever_the_case() {
    for kind in Catalog::KINDS {
        let table = builtin().table(kind).unwrap();
        let mut ids: Vec<String> = table.rows.iter().map(|row| row[0].value.to_lowercase()).collect();
        ids.sort();
        assert!(ids.windows(2).all(|pair| pair[0] != pair[1]), "{kind}");
    }
}

#[test]
fn the_readme_lists_every_data_file_with_its_rows() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src/catalog/data");
    let readme = std::fs::read_to_string(folder.join("README.md")).unwrap();
    let (mut bytes, mut series) = (0, 0);
    for entry in std::fs::read_dir(&folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        if path.extension().is_some_and(|extension| extension == "parquet") {
            series += std::fs::metadata(&path).unwrap().len();
        }
        if path.extension().is_some_and(|extension| extension == "csv") {
            let text = std::fs::read_to_string(&path).unwrap();
            bytes += text.len();
            let rows = text.lines().count() - 1;
            assert!(readme.contains(&format!("| `{name}` | {rows} |")), "{name} has {rows} rows");
        }
    }
    assert!(bytes < 2_000_000, "{bytes} bytes of tables are too many to embed");
    assert!(series < 4_000_000, "{series} bytes of series are too many to embed");
}

#[test]
fn an_h100_is_known_by_all_its_names() {
    for name in [
        "h100-sxm5-80gb",
        "H100-SXM5-80GB",
        "H100 SXM5 80GB",
        "h100_sxm5_80gb",
        "h100",
        "H100",
        "h100-sxm",
        "h100-sxm-80gb",
        "NVIDIA H100 80GB HBM3",
        "NVIDIA H100 SXM5 80GB",
    ] {
        assert_eq!(builtin().hardware(name).unwrap().row.id, "h100-sxm5-80gb", "{name}");
    }
    let short = builtin().hardware("h100").unwrap();
    assert_eq!((short.rule, short.quality), (Rule::Alias, Some(Quality::Assumed)));
    assert_eq!(short.note, Some("SXM5 board meant where none is named"));
    assert_eq!(builtin().hardware("h100-sxm5-80gb").unwrap().quality, None);
}

#[test]
fn accelerators_go_by_what_drivers_print() {
    for (name, id) in [
        ("NVIDIA A100-SXM4-80GB", "a100-sxm4-80gb"),
        ("NVIDIA A100 80GB PCIe", "a100-pcie-80gb"),
        ("NVIDIA L40S", "l40s"),
        ("NVIDIA L4", "l4"),
        ("NVIDIA A10G", "a10g"),
        ("Tesla T4", "t4"),
        ("NVIDIA H200", "h200-sxm5-141gb"),
        ("b200", "b200-sxm"),
        ("AMD Instinct MI300X", "mi300x"),
        ("NVIDIA GeForce RTX 4090", "rtx-4090"),
        ("trillium", "tpu-v6e"),
    ] {
        assert_eq!(builtin().hardware(name).unwrap().row.id, id, "{name}");
    }
}

#[test]
fn cells_without_a_document_are_assumed() {
    let h100 = builtin().hardware("h100").unwrap().row;
    assert_eq!(h100.cell_quality("tdp_w"), Quality::Vendor);
    assert_eq!(h100.cell_quality("idle_w"), Quality::Assumed);
    let table = builtin().table("hardware").unwrap();
    let row = table.rows.iter().find(|row| row[0].value == "h100-sxm5-80gb").unwrap();
    let idle = table.columns.iter().position(|column| column.name == "idle_w").unwrap();
    assert_eq!(row[idle].quality, Quality::Assumed);
}

#[test]
fn models_go_by_what_logs_say() {
    for (name, id) in [
        ("llama-3.3-70b", "llama-3.3-70b-instruct"),
        ("meta-llama/Llama-3.1-8B-Instruct", "llama-3.1-8b-instruct"),
        ("meta-llama/llama-3.3-70b-instruct", "llama-3.3-70b-instruct"),
        ("meta.llama3-3-70b-instruct-v1:0", "llama-3.3-70b-instruct"),
        ("us.meta.llama3-1-70b-instruct-v1:0", "llama-3.1-70b-instruct"),
        ("arn:aws:bedrock:us-east-1::foundation-model/meta.llama3-1-70b-instruct-v1:0", "llama-3.1-70b-instruct"),
        ("openai/gpt-oss-120b", "gpt-oss-120b"),
        ("kimi-k2", "kimi-k2-instruct"),
        ("deepseek-v4-flash", "deepseek-v4-flash"),
        ("llama3_70b", "llama-3-70b-instruct"),
        ("deepseek-r1", "deepseek-r1"),
        ("mixtral-8x7b", "mixtral-8x7b-instruct-v0.1"),
        ("coherelabs/c4ai-command-a-03-2025-fp8", "command-a-03-2025"),
        ("together_ai/deepseek-ai/deepseek-coder-33b-instruct", "deepseek-coder-33b-instruct"),
        ("fireworks_ai/accounts/fireworks/models/qwen3-4b-instruct-2507", "qwen3-4b-instruct-2507"),
        ("/models/llama-3.3-70b-instruct", "llama-3.3-70b-instruct"),
        ("/data/hub/models--Qwen--Qwen3-0.6B-Base/snapshots/0f1e2d", "qwen3-0.6b-base"),
        ("mlx-community/qwen2.5-72b-instruct-4bit", "qwen2.5-72b-instruct"),
        ("Qwen/Qwen1.5-1.8B-Chat", "qwen1.5-1.8b-chat"),
        ("mistral-large@latest", "mistral-large-instruct-2407"),
        ("qwen2.5-72b", "qwen2.5-72b"),
    ] {
        let found = builtin().model(name).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(found.row.id, id, "{name}");
    }
    let quantised = builtin().model("mlx-community/qwen2.5-72b-instruct-4bit").unwrap();
    assert_eq!((quantised.rule, quantised.precision_hint), (Rule::Alias, Some("int4")));
    assert!(builtin().model("mistral-large@latest").unwrap().moving);
    assert_eq!(builtin().model("/models/llama-3.3-70b-instruct").unwrap().rule, Rule::Part);
}

#[test]
fn unknown_names_come_with_the_nearest() {
    let Err(Error::UnknownName { kind, nearest, .. }) = builtin().hardware("h10O-sxm5-80gb") else { panic!("found") };
    assert_eq!((kind, nearest[0].as_str()), ("hardware", "h100-sxm5-80gb"));
    let Err(Error::UnknownName { nearest, .. }) = builtin().model("llama-3.1-70b-instuct") else { panic!("found") };
    assert_eq!(nearest.len(), 3);
    assert_eq!(nearest[0], "llama-3.1-70b-instruct");
    for name in ["ensemble", "chat-large", "<synthetic>", "gpt", "claude", "", "/", "*"] {
        assert!(matches!(builtin().model(name), Err(Error::UnknownName { .. })), "{name}");
    }
    let Err(Error::UnknownName { nearest, .. }) = builtin().table("hardwear") else { panic!("found") };
    assert_eq!(nearest[0], "hardware");
}

#[test]
fn sizes_and_shapes_fit_together() {
    for model in builtin().all_models().unwrap() {
        assert!(model.active_params <= model.total_params, "{}", model.id);
        if let (Some(used), Some(all)) = (model.experts_per_token, model.n_experts) {
            assert!(used <= all, "{}", model.id);
        }
    }
    let llama = builtin().model("llama-3.1-8b-instruct").unwrap().row;
    assert_eq!((llama.n_layers, llama.hidden_size, llama.n_kv_heads), (Some(32.0), Some(4096.0), Some(8.0)));
    assert!((llama.total_params - 8.03e9).abs() < 1e7);
}

#[test]
fn servers_carry_hardware_that_exists() {
    for server in builtin().all_servers().unwrap() {
        assert_eq!(builtin().hardware(&server.accelerator_id).unwrap().rule, Rule::Id, "{}", server.id);
        if let Some(host) = &server.host_server_id {
            builtin().server(host).unwrap_or_else(|error| panic!("{}: {error}", server.id));
        }
        if let Some(item) = &server.embodied_item {
            builtin().embodied(item).unwrap_or_else(|error| panic!("{}: {error}", server.id));
        }
    }
}

#[test]
fn engines_go_by_shorter_and_longer_versions() {
    for (name, id) in [
        ("vllm-0.11.1", "vllm-0.11.1"),
        ("vllm-0.11", "vllm-0.11.1"),
        ("vLLM 0.11", "vllm-0.11.1"),
        ("vllm-0.18.2", "vllm-0.18"),
        ("vllm-0.20", "vllm-0.20.1"),
        ("sglang-0.4", "sglang-0.4"),
        ("vllm", "vllm-0.11.1"),
        ("tgi", "tgi"),
    ] {
        assert_eq!(builtin().engine(name).unwrap().row.id, id, "{name}");
    }
    assert!(matches!(builtin().engine("vllm-0.9"), Err(Error::UnknownName { .. })));
    let unfitted = builtin().engine("tgi").unwrap().row;
    assert_eq!(unfitted.t_step_us, None);
}

#[test]
fn sites_go_by_region_zone_display_name_and_airport() {
    for (name, id) in [
        ("aws/us-east-1", "aws/us-east-1"),
        ("us-east-1", "aws/us-east-1"),
        ("US-East-1", "aws/us-east-1"),
        ("us-east-1a", "aws/us-east-1"),
        ("us-east1", "gcp/us-east1"),
        ("us-central1-a", "gcp/us-central1"),
        ("East US 2", "azure/eastus2"),
        ("swedencentral", "azure/swedencentral"),
        ("iad", "aws/us-east-1"),
        ("pdx", "aws/us-west-2"),
        ("arn", "aws/eu-north-1"),
        ("unknown", "world"),
    ] {
        let found = builtin().site(name).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(found.row.id, id, "{name}");
    }
    assert_eq!(builtin().site("iad").unwrap().quality, Some(Quality::Assumed));
    let Err(Error::AmbiguousName { candidates, .. }) = builtin().site("US East 1") else { panic!("not ambiguous") };
    assert_eq!(candidates, ["aws/us-east-1", "gcp/us-east1"]);
}

#[test]
fn every_site_names_grids_that_hold_the_factor() {
    let mut without = 0;
    for site in builtin().all_sites().unwrap() {
        let grid = builtin().site_grid(site).unwrap();
        assert_eq!(grid.direct.is_some(), site.grid_direct.is_some(), "{}", site.id);
        assert_eq!(grid.lifecycle.is_some(), site.grid_lifecycle.is_some(), "{}", site.id);
        assert_eq!(grid.water_with_hydro.is_some(), site.grid_water.is_some(), "{}", site.id);
        assert!(grid.lifecycle.is_some(), "{}", site.id);
        let note = grid.note.unwrap_or_default();
        assert_eq!(note.contains("direct: unknown"), grid.direct.is_none(), "{}: {note}", site.id);
        without += usize::from(grid.direct.is_none());
    }
    assert!(without < 30, "{without} sites have no direct factor");
}

#[test]
fn direct_and_lifecycle_factors_keep_apart() {
    let site = builtin().site("us-east-1").unwrap().row;
    let grid = builtin().site_grid(site).unwrap();
    let (direct, lifecycle) = (grid.direct.unwrap(), grid.lifecycle.unwrap());
    assert_eq!(site.grid_direct.as_deref(), Some("gcp:us-east4"));
    assert_eq!((direct.value, direct.level, direct.year), (DirectIntensity(323.05), Level::ZoneYear, Some(2024)));
    assert_eq!(
        lifecycle.value,
        LifecycleIntensity(builtin().grid("USA").unwrap().row.lifecycle.as_ref().unwrap().value.0)
    );
    assert_eq!((lifecycle.level, lifecycle.licence.as_str()), (Level::CountryYear, "CC-BY-4.0"));
    assert_eq!(grid.water_with_hydro.unwrap().licence, "MPL-2.0");

    let world = builtin().site_grid(builtin().site("world").unwrap().row).unwrap();
    assert_eq!(world.direct, None);
    assert_eq!(world.lifecycle.unwrap().level, Level::World);
    for grid in builtin().all_grids().unwrap() {
        assert!(grid.direct.is_some() != grid.lifecycle.is_some(), "{}", grid.id);
    }
}

#[test]
fn grids_go_by_code_and_name_whatever_the_case() {
    for (name, id) in [
        ("deu", "DEU"),
        ("DE", "DEU"),
        ("Germany", "DEU"),
        ("world", "World"),
        ("GCP:us-east4", "gcp:us-east4"),
        ("egrid:ercot", ""),
    ] {
        match builtin().grid(name) {
            Ok(found) => assert_eq!(found.row.id, id, "{name}"),
            Err(error) => assert!(id.is_empty(), "{name}: {error}"),
        }
    }
    assert_eq!(builtin().grid("egrid:erct").unwrap().row.direct.as_ref().unwrap().quality, Quality::Assumed);
}

#[test]
fn a_cell_of_a_joined_file_shows_its_own_source() {
    let item = builtin().item("grids", "DEU").unwrap();
    let source = |name: &str| item.iter().find(|(column, _)| column.name == name).unwrap().1.source;
    assert!(source("lifecycle_g_per_kwh").starts_with("Ember"));
    assert!(source("water_with_hydro_l_per_kwh").contains("ecologits"));
}

#[test]
fn the_cooling_default_is_the_published_median() {
    let unknown = builtin().cooling("unknown").unwrap().row;
    assert!((unknown.pue_typical - 1.14).abs() < 1e-9);
    assert_eq!(unknown.pue_mean, Some(1.188));
    assert!(builtin().cooling("Water Chiller Economiser").unwrap().row.wue_typical_l_per_kwh > 1.0);
    assert!(builtin().cooling("direct-to-chip-dry").unwrap().row.wue_high_l_per_kwh == Some(0.0));
}

#[test]
fn an_overlay_replaces_cells_and_adds_rows() {
    let text = r#"
        [[hardware]]
        id = "h100-sxm5-80gb"
        idle_w = 68.5
        quality = "measured"
        source = "rack meter"

        [[hardware]]
        id = "own-card"
        name = "Own card"
        vendor = "Us"
        category = "asic"
        tdp_w = 90
        source = "data sheet"
        quality = "vendor"

        [[grid]]
        id = "DEU"
        direct_g_per_kwh = 310.5

        [[grid]]
        id = "own-wind"
        name = "Wind farm"
        level = "zone-year"
        lifecycle_g_per_kwh = 11
        water_with_hydro_l_per_kwh = 0
        source = "contract"
        quality = "vendor"

        [[alias]]
        kind = "hardware"
        alias = "the blue rack"
        id = "own-card"
    "#;
    let catalog = Catalog::with_overlay(text, "my.toml").unwrap();
    let h100 = catalog.hardware("h100").unwrap().row;
    assert_eq!((h100.idle_w, h100.tdp_w), (Some(68.5), Some(700.0)));
    assert_eq!(h100.cell_quality("idle_w"), Quality::Measured);
    assert_eq!(h100.provenance.of("idle_w").source, "user overlay: rack meter");
    assert_eq!(h100.provenance.of("tdp_w"), builtin().hardware("h100").unwrap().row.provenance.of("tdp_w"));
    let item = catalog.item("hardware", "h100").unwrap();
    let idle = item.iter().find(|(column, _)| column.name == "idle_w").unwrap().1;
    assert_eq!((idle.value, idle.source, idle.quality), ("68.5", "user overlay: rack meter", Quality::Measured));

    let own = catalog.hardware("The Blue Rack").unwrap().row;
    assert_eq!((own.id.as_str(), own.provenance.licence.as_str()), ("own-card", "user"));

    let germany = catalog.grid("DE").unwrap().row;
    let direct = germany.direct.as_ref().unwrap();
    assert_eq!((direct.value.0, direct.source.as_str(), direct.quality), (310.5, "user overlay", Quality::Assumed));
    assert_eq!(direct.year, None, "the year of another figure is not borrowed");
    assert_eq!(germany.lifecycle, builtin().grid("DE").unwrap().row.lifecycle);
    assert_eq!(germany.water_with_hydro, builtin().grid("DE").unwrap().row.water_with_hydro);
    let wind = catalog.grid("own-wind").unwrap().row;
    assert_eq!(wind.water_with_hydro.as_ref().unwrap().source, "contract");

    assert!(std::ptr::eq(catalog.model("gpt-oss-120b").unwrap().row, builtin().model("gpt-oss-120b").unwrap().row));
    assert_ne!(catalog.content_hash(), builtin().content_hash());
    assert_eq!(builtin().content_hash().len(), 32);
}

#[test]
fn an_overlay_names_models_by_glob_and_regex() {
    let text = r#"
        [[alias]]
        alias = "prod-*-chat"
        match = "glob"
        id = "llama-3.1-70b-instruct"
        precision_hint = "fp8"

        [[alias]]
        alias = "prod-??-*"
        match = "glob"
        id = "gpt-oss-120b"

        [[alias]]
        alias = 'team-\d+(-canary)?'
        match = "regex"
        id = "gpt-oss-20b"

        [[alias]]
        alias = "kimi-k2"
        id = "gpt-oss-20b"
    "#;
    let catalog = Catalog::with_overlay(text, "my.toml").unwrap();
    let found = catalog.model("PROD-east-chat").unwrap();
    assert_eq!((found.row.id.as_str(), found.rule), ("llama-3.1-70b-instruct", Rule::Glob));
    assert_eq!((found.precision_hint, found.alias), (Some("fp8"), Some("prod-*-chat")));
    let found = catalog.model("team-17-canary").unwrap();
    assert_eq!((found.row.id.as_str(), found.rule), ("gpt-oss-20b", Rule::Regex));
    assert!(catalog.model("my-team-17").is_err(), "a pattern covers the whole name");
    assert_eq!(catalog.model("kimi-k2").unwrap().row.id, "gpt-oss-20b", "a user's name wins");
    let Err(Error::AmbiguousName { candidates, .. }) = catalog.model("prod-eu-chat") else { panic!("not ambiguous") };
    assert_eq!(candidates, ["llama-3.1-70b-instruct", "gpt-oss-120b"]);
}

#[test]
fn overlays_that_break_a_rule_are_refused() {
    let hardware = "id = 'x'\nname = 'X'\nvendor = 'V'\ncategory = 'asic'\nsource = 's'\nquality = 'vendor'\n";
    for (text, said) in [
        ("[[hardware]\n".to_owned(), "my.toml: "),
        ("[[gpu]]\nid = 'x'\n".to_owned(), "my.toml: unknown key `gpu`"),
        ("[[hardware]]\ntdp_w = 1\n".to_owned(), "a [[hardware]] needs an `id`"),
        (
            "[[hardware]]\nid = 'h100-sxm5-80gb'\ntdp = 1\n".to_owned(),
            "my.toml [[hardware]] `h100-sxm5-80gb`: unknown key `tdp`",
        ),
        (
            "[[hardware]]\nid = 'h100-sxm5-80gb'\ntdp_w = 700000\n".to_owned(),
            "`tdp_w` is 700000 W, outside 1 to 30000 W",
        ),
        ("[[hardware]]\nid = 'h100-sxm5-80gb'\ntdp_w = nan\n".to_owned(), "outside"),
        (
            "[[hardware]]\nid = 'h100-sxm5-80gb'\nidle_w = 900\n".to_owned(),
            "idle 900 W is not below the limit of 700 W",
        ),
        ("[[hardware]]\nid = 'h100-sxm5-80gb'\ntdp_w = [1]\n".to_owned(), "`tdp_w` is array"),
        (format!("[[hardware]]\n{}", hardware.replace("source = 's'\n", "")), "`source` is empty"),
        (format!("[[hardware]]\n{}", hardware.replace("vendor'\n", "fine'\n")), "`quality` is `fine`"),
        (format!("[[hardware]]\n{hardware}[[hardware]]\n{hardware}"), "the id stands twice"),
        (
            "[[grid]]\nid = 'DEU'\ndirect_g_per_kwh = 0.3\n".to_owned(),
            "`direct_g_per_kwh` is 0.3 g/kWh, outside 1 to 2000 g/kWh",
        ),
        ("[[grid]]\nid = 'DEU'\nlevel = 'galaxy'\n".to_owned(), "`level` is `galaxy`"),
        (
            "[[model]]\nid = 'gpt-oss-20b'\nactive_params = 1e12\n".to_owned(),
            "active_params is larger than total_params",
        ),
        ("[[cooling]]\nid = 'unknown'\npue_typical = 0.9\n".to_owned(), "`pue_typical` is 0.9, outside 1 to 5"),
        ("[[cooling]]\nid = 'unknown'\npue_typical = 3\n".to_owned(), "not in that order"),
        ("[[engine]]\nid = 'tgi'\noverlap_scheduler = 'often'\n".to_owned(), "expected yes or no"),
        ("[[alias]]\nalias = '('\nmatch = 'regex'\nid = 'gpt-oss-20b'\n".to_owned(), "not a regular expression"),
        ("[[alias]]\nalias = 'x'\nid = 'gpt-oss-21b'\n".to_owned(), "unknown model: `gpt-oss-21b`"),
    ] {
        let error = Catalog::with_overlay(&text, "my.toml").expect_err(&text);
        assert!(error.to_string().contains(said), "{text}: {error}");
    }
}

/// Every cell of every kind of the package with its origin.
fn every_cell(mut say: impl FnMut(&str, &str, &str, wattledger::catalog::Cell<'_>)) {
    for kind in Catalog::KINDS {
        let columns = Catalog::columns(kind).unwrap();
        for row in builtin().table(kind).unwrap().rows {
            let id = row[0].value.to_owned();
            for (column, cell) in columns.iter().zip(row) {
                say(kind, &id, column.name, cell);
            }
        }
    }
}

#[test]
fn every_number_can_be_traced() {
    let mut numbers = 0;
    every_cell(|kind, id, column, cell| {
        if cell.value.parse::<f64>().is_err() {
            return;
        }
        numbers += 1;
        let place = format!("{kind} {id} {column}");
        assert!(cell.source.len() > 3, "{place} has the source `{}`", cell.source);
        assert!(LICENCES.contains(&cell.licence), "{place} has the licence `{}`", cell.licence);
        assert_eq!(cell.retrieved.len(), 10, "{place} was read on `{}`", cell.retrieved);
        // What is recalled or judged has no document behind it.
        let recalled = ["recalled", "judgement"].iter().any(|word| cell.source.starts_with(word));
        assert!(!recalled || cell.quality == Quality::Assumed, "{place}: {} is {:?}", cell.source, cell.quality);
    });
    assert!(numbers > 20_000, "{numbers}");
}

#[test]
fn every_peak_stands_beside_a_second_figure() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tools/catalog/hardware-peaks.csv");
    let mut reader = csv::Reader::from_path(path).unwrap();
    let mut seen = std::collections::HashMap::new();
    for line in reader.records().map(Result::unwrap) {
        seen.insert((line[0].to_owned(), line[1].to_owned()), (line[3].to_owned(), line[6].to_owned()));
    }
    let (mut checked, mut without) = (0.0, 0.0);
    for hardware in builtin().all_hardware().unwrap() {
        let peaks = [
            ("bf16_tflops", hardware.bf16_tflops),
            ("fp8_tflops", hardware.fp8_tflops),
            ("fp4_tflops", hardware.fp4_tflops),
            ("int8_tops", hardware.int8_tops),
            ("memory_bw_gbs", hardware.memory_bw_gbs),
            ("tdp_w", hardware.tdp_w),
        ];
        for (column, value) in peaks.into_iter().filter_map(|(column, value)| Some((column, value?))) {
            let place = format!("{} {column}", hardware.id);
            let (second, verdict) =
                seen.get(&(hardware.id.clone(), column.into())).unwrap_or_else(|| panic!("{place}"));
            match verdict.as_str() {
                "agrees" => {
                    checked += 1.0;
                    let second: f64 = second.parse().unwrap();
                    assert!((value / second - 1.0).abs() < 0.031, "{place}: {value} beside {second}");
                }
                // Two documents disagree: one was taken with its source, or neither is sure.
                "differs" => {
                    let quality = hardware.cell_quality(column);
                    let near = second.parse::<f64>().is_ok_and(|second| (value / second - 1.0).abs() < 0.031);
                    assert!(near || quality == Quality::Assumed, "{place}: {value} beside {second} is {quality:?}");
                }
                // What nobody else has a figure for is assumed.
                _ => {
                    without += 1.0;
                    assert_eq!(hardware.cell_quality(column), Quality::Assumed, "{place}");
                }
            }
        }
    }
    assert!(checked / (checked + without) > 0.9, "{checked} of {}", checked + without);
}

#[test]
fn watts_carry_what_their_generation_can() {
    // FLOP per joule and bytes per joule of boards for data centres: an order of magnitude apart is a slip of units, a
    // factor of 2.5 from the median of the generation one of sparse and dense, or of dies.
    let mut of: std::collections::BTreeMap<&str, Vec<(&str, f64, f64)>> = std::collections::BTreeMap::new();
    for hardware in builtin().all_hardware().unwrap().iter().filter(|h| h.category == "datacenter-gpu") {
        let (Some(generation), Some(tdp)) = (hardware.generation.as_deref(), hardware.tdp_w) else { continue };
        let (Some(flop), Some(bandwidth)) = (hardware.bf16_tflops, hardware.memory_bw_gbs) else { continue };
        of.entry(generation).or_default().push((&hardware.id, flop / tdp, bandwidth / tdp));
    }
    // Boards made for export, with peaks cut by law, the small ones of their generation, and one cut down for a cloud.
    let apart = ["h20-sxm5-96gb", "l20", "a2", "a16", "a10g"];
    let median = |mut values: Vec<f64>| {
        values.sort_by(f64::total_cmp);
        values[values.len() / 2]
    };
    for (generation, boards) in of.iter().filter(|(_, boards)| boards.len() > 2) {
        let flop = median(boards.iter().map(|board| board.1).collect());
        let bytes = median(boards.iter().map(|board| board.2).collect());
        for (id, f, b) in boards.iter().filter(|board| !apart.contains(&board.0)) {
            assert!((flop / 2.5..=flop * 2.5).contains(f), "{generation} {id}: {f} TFLOP/W beside {flop}");
            assert!((bytes / 2.5..=bytes * 2.5).contains(b), "{generation} {id}: {b} GB/s/W beside {bytes}");
        }
    }
}

#[test]
fn closed_models_are_ranges_and_nothing_more() {
    let closed: Vec<_> =
        builtin().all_models().unwrap().iter().filter(|model| model.total_params_min.is_some()).collect();
    assert!(closed.len() >= 300, "{}", closed.len());
    for model in closed {
        assert_eq!(model.provenance.quality, Quality::Assumed, "{}", model.id);
        assert!(model.params_basis.as_deref().is_some_and(|basis| !basis.is_empty()), "{}", model.id);
        let [low, high] = model.ends().unwrap();
        assert!(high.total_params / low.total_params > 2.9, "{}", model.id);
        assert!(low.active_params <= model.active_params && model.active_params <= high.active_params, "{}", model.id);
    }
}

#[test]
fn what_is_left_of_a_dense_network_is_its_feed_forward() {
    // Total less embeddings and attention over layers and width: the widths of feed-forward layers that networks have.
    let (mut plausible, mut all) = (0, 0);
    for model in builtin().all_models().unwrap() {
        let known = model.architecture == "dense" && model.total_params_min.is_none() && model.n_experts.is_none();
        let text = matches!(model.kind.as_str(), "chat" | "base");
        let (Some(layers), Some(width), Some(heads)) = (model.n_layers, model.hidden_size, model.n_heads) else {
            continue;
        };
        let computed = model.params_basis.as_deref().is_some_and(|basis| basis.starts_with("computed"));
        if !(known && text && computed) {
            continue;
        }
        let head = model.head_dim.unwrap_or(width / heads);
        let attention = 2.0 * width * head * (heads + model.n_kv_heads.unwrap_or(heads));
        let embedding =
            model.input_embedding_params.unwrap_or(0.0) * if model.tied_embeddings == Some(true) { 1.0 } else { 2.0 };
        let looked_up = model.lookup_params.unwrap_or(0.0) + model.vision_params.unwrap_or(0.0);
        let left = (model.total_params - embedding - looked_up - layers * attention) / (layers * width * width);
        all += 1;
        // Three matrices of 2.5 to 4 widths, two of 4 or more; narrow networks have wider ones.
        plausible += i32::from((5.0..=24.0).contains(&left));
    }
    assert!(all > 150 && f64::from(plausible) > 0.97 * f64::from(all), "{plausible} of {all}");
}

#[test]
fn every_site_has_a_place_for_its_weather() {
    for site in builtin().all_sites().unwrap().iter().filter(|site| site.id != "world") {
        let (latitude, longitude) = (site.lat.unwrap_or(f64::NAN), site.lon.unwrap_or(f64::NAN));
        assert!((-60.0..=72.0).contains(&latitude), "{}: {latitude}", site.id);
        assert!((-180.0..=180.0).contains(&longitude), "{}: {longitude}", site.id);
    }
}
