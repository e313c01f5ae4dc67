//! Networks as the catalogue describes them: what attention reads and computes, which weights are streamed.

use wattledger::catalog::{ByReach, Catalog, Model, Quality, Record, Shape, Window, WindowKind};

fn model(name: &str) -> &'static Model {
    Catalog::builtin().model(name).unwrap_or_else(|error| panic!("{name}: {error}")).row
}

fn shape(name: &str) -> Shape {
    model(name).shape().unwrap_or_else(|| panic!("{name} has no shape"))
}

fn near(found: f64, stated: f64, tolerance: f64, what: &str) {
    assert!((found / stated - 1.0).abs() <= tolerance, "{what}: {found} against {stated}");
}

fn window(shape: &Shape) -> f64 {
    shape.window.map_or(0.0, |window| f64::from(window.tokens))
}

/// Megabytes of cache that a token decoded at this position reads, at so many bytes per element.
fn megabytes_read(shape: &Shape, position: f64, element_bytes: f64) -> f64 {
    let ByReach { full, window: inside, fixed } = shape.read;
    let elements = full * position + inside * position.min(window(shape)) + fixed;
    (elements * element_bytes + shape.index_bytes * position) / 1e6
}

/// Mean attention GFLOP of a token of a prompt of this length.
fn prompt_gigaflop(shape: &Shape, length: f64) -> f64 {
    let w = window(shape);
    let inside = if length <= w { length * length / 2.0 } else { w * length - w * w / 2.0 };
    let ByReach { full, window: per_pair, fixed } = shape.prefill_flop;
    (full * length / 2.0 + per_pair * inside / length + fixed) / 1e9
}

/// GFLOP of attention for a token decoded at this position.
fn decode_gigaflop(shape: &Shape, position: f64) -> f64 {
    let ByReach { full, window: per_pair, fixed } = shape.decode_flop;
    (full * position + per_pair * position.min(window(shape)) + fixed) / 1e9
}

#[test]
fn attention_reads_and_computes_what_was_worked_out_by_hand() {
    // 8-bit caches of a latent: 656 bytes for 576 elements, 584 for 512.
    let (latent, v4) = (656.0 / 576.0, 584.0 / 512.0);
    for (name, bytes, read, prompt, decode) in [
        // Grouped attention in every layer: 2·8·128 elements and 4·32·128 FLOP in each of 32 layers, twice the heads in 80.
        ("llama-3.1-8b-instruct", 2.0, [134.22, 1_073.7, 17_180.0], [0.2684, 2.147, 34.36], [0.5369, 4.295, 68.72]),
        ("llama-3.1-70b-instruct", 2.0, [335.54, 2_684.4, 42_950.0], [1.342, 10.74, 171.8], [2.684, 21.47, 343.6]),
        // A latent cache: absorbed in decode, expanded in prefill.
        ("kimi-k2-instruct", 2.0, [71.96, 575.7, 9_210.7], [1.279, 10.24, 163.7], [8.70, 69.6, 1_113.5]),
        // Windows of 128 tokens in half of the layers.
        ("gpt-oss-120b", 2.0, [42.5, 306.7, 4_836.6], [0.186, 1.245, 19.36], [0.34, 2.45, 38.7]),
        // Chunks of 8192 counted as a window.
        (
            "llama-4-scout-17b-16e-instruct",
            2.0,
            [201.3, 1_610.6, 7_650.4],
            [0.5033, 4.027, 21.96],
            [1.0066, 8.053, 38.25],
        ),
        // Layers that share a cache read it each.
        ("gemma-3n-e4b-it", 2.0, [44.0, 146.8, 1_908.4], [0.117, 0.349, 3.875], [0.176, 0.587, 7.63]),
        // Top-k selection of 2048 tokens. Engines may take a dense path for prompts below that; it is not modelled.
        ("deepseek-v3.2", latent, [49.2, 147.9, 1_137.3], [9.211, 34.5, 100.0], [18.4, 43.0, 165.8]),
        ("deepseek-v3.2", 2.0, [80.2, 209.9, 1_199.3], [9.211, 34.5, 100.0], [18.4, 43.0, 165.8]),
        ("glm-5", latent, [62.9, 189.1, 1_454.3], [5.889, 22.1, 63.9], [11.8, 27.5, 106.0]),
        ("glm-5.2", latent, [55.2, 127.5, 468.1], [5.650, 20.2, 33.3], [11.3, 23.7, 44.8]),
        // Compressed by 4 with a selection, compressed by 128 without, and a window of 128 in every layer.
        ("deepseek-v4-flash", v4, [7.16, 15.9, 112.3], [1.128, 2.39, 9.10], [1.54, 3.00, 16.1]),
        ("deepseek-v4-pro", v4, [10.2, 31.8, 170.8], [3.149, 8.85, 22.2], [4.25, 11.6, 34.5]),
    ] {
        let shape = shape(name);
        for (at, tokens) in [1_024.0, 8_192.0, 131_072.0].into_iter().enumerate() {
            let what = |of: &str| format!("{name}, {of} at {tokens}");
            near(megabytes_read(&shape, tokens, bytes), read[at], 0.004, &what("read"));
            near(prompt_gigaflop(&shape, tokens), prompt[at], 0.004, &what("prompt"));
            near(decode_gigaflop(&shape, tokens), decode[at], 0.015, &what("decode"));
        }
    }
}

#[test]
fn what_is_looked_up_and_other_towers_are_not_streamed() {
    for (name, resident, streamed, active) in [
        ("llama-3.1-8b-instruct", 8.0282e9, 7.5039e9, 7.5039e9),
        ("llama-3.1-70b-instruct", 70.5495e9, 69.5009e9, 69.5009e9),
        // Tied: the embedding is the output head.
        ("qwen3-4b", 4.02e9, 4.02e9, 4.02e9),
        // Per-layer embeddings are looked up; towers for pictures and sound are not for text.
        ("gemma-3n-e4b-it", 7.85e9, 4.487e9, 4.487e9),
        ("gemma-4-e4b-it", 8.0e9, 4.644e9, 4.644e9),
        ("gemma-4-e2b-it", 5.1e9, 2.28e9, 2.28e9),
        ("deepseek-v3", 671.03e9, 670.1e9, 36.62e9),
        ("gpt-oss-120b", 116.83e9, 116.25e9, 5.133e9),
        ("qwen3-30b-a3b", 30.53e9, 30.22e9, 3.04e9),
        ("gemma-4-26b-a4b", 25.63e9, 25.22e9, 3.822e9),
    ] {
        let shape = shape(name);
        near(shape.resident, resident, 0.003, &format!("{name} resident"));
        near(shape.streamed, streamed, 0.003, &format!("{name} streamed"));
        near(shape.active, active, 0.003, &format!("{name} active"));
    }
}

#[test]
fn every_shape_holds_together() {
    let mut shapes = 0;
    for model in Catalog::builtin().all_models().unwrap() {
        let Some(shape) = model.shape() else { continue };
        shapes += 1;
        let id = &model.id;
        assert!(0.0 < shape.active && shape.active <= shape.streamed, "{id}: {shape:?}");
        assert!(shape.streamed <= shape.resident, "{id}: {shape:?}");
        assert!(shape.expert_share.is_none_or(|share| 0.0 < share && share < 1.0), "{id}");
        assert!(shape.cache_shards >= 1.0 && shape.layers >= 1.0, "{id}");
        let parts = [shape.read, shape.stored, shape.decode_flop, shape.prefill_flop];
        for part in parts {
            assert!(part.full >= 0.0 && part.window >= 0.0 && part.fixed >= 0.0, "{id}: {part:?}");
        }
        assert_eq!(shape.window.is_some(), parts.iter().any(|part| part.window > 0.0), "{id}");
        assert!(
            model.n_window_layers.unwrap_or(0.0) == 0.0 || shape.window.is_some(),
            "{id}: windows without a length"
        );
        // What is read is kept, unless layers share it; what is kept beyond what is read waits for a selection.
        let selected = shape.window.is_some_and(|window| window.kind == WindowKind::TopK);
        assert!(selected || shape.stored.full <= shape.read.full, "{id}");
        assert!(shape.stored.window <= shape.read.window, "{id}");
    }
    assert!(shapes > 500, "{shapes}");
}

#[test]
fn attention_in_cells_is_what_the_widths_give() {
    let mut latent = 0;
    for model in Catalog::builtin().all_models().unwrap() {
        let cells = (model.attn_flop_decode_full, model.attn_flop_prefill_full, model.kv_lora_rank);
        let (Some(decode), Some(prefill), Some(rank)) = cells else { continue };
        let full = model.n_full_attn_layers.unwrap_or(0.0);
        if model.index_bytes_per_token.is_some() {
            continue;
        }
        latent += 1;
        let heads = model.n_heads.unwrap();
        let (rope, nope, value) =
            (model.qk_rope_head_dim.unwrap(), model.qk_nope_head_dim.unwrap(), model.v_head_dim.unwrap());
        assert_eq!(decode.to_bits(), (2.0 * heads * (2.0 * rank + rope) * full).to_bits(), "{}", model.id);
        assert_eq!(prefill.to_bits(), (2.0 * heads * (nope + rope + value) * full).to_bits(), "{}", model.id);
        assert_eq!(model.kv_elements_per_token_full, Some((rank + rope) * full), "{}", model.id);
    }
    assert!(latent > 20, "{latent}");
}

#[test]
fn an_inline_model_needs_no_more_than_its_widths() {
    let text = r#"
        [[model]]
        id = "own"
        name = "Own"
        kind = "chat"
        architecture = "moe"
        total_params = 671e9
        active_params = 37.5e9
        n_layers = 61
        hidden_size = 7168
        n_heads = 128
        kv_kind = "mla"
        kv_lora_rank = 512
        qk_rope_head_dim = 64
        qk_nope_head_dim = 128
        v_head_dim = 128
        n_experts = 256
        experts_per_token = 8
        vocab_size = 129280
        source = "us"
        quality = "vendor"
    "#;
    let catalog = Catalog::with_overlay(text, "my.toml").unwrap();
    let own = catalog.model("own").unwrap().row.shape().unwrap();
    let catalogued = shape("deepseek-v3");
    assert_eq!(own.decode_flop, catalogued.decode_flop);
    assert_eq!(own.prefill_flop, catalogued.prefill_flop);
    assert_eq!((own.read, own.stored), (catalogued.read, catalogued.stored));
    assert_eq!((own.cache_shards, own.tied, own.window), (1.0, false, None));
    near(own.streamed, 671e9 - 129_280.0 * 7_168.0, 1e-12, "streamed");

    let text = "[[model]]\nid = 'deepseek-v3.2'\nattn_window_kind = 'round'\n";
    let error = Catalog::with_overlay(text, "my.toml").unwrap_err().to_string();
    assert!(error.contains("expected sliding, chunked or topk"), "{error}");
}

#[test]
fn windows_say_what_bounds_them() {
    for (name, tokens, kind) in [
        ("gpt-oss-120b", 128, WindowKind::Sliding),
        ("llama-4-scout-17b-16e-instruct", 8_192, WindowKind::Chunked),
        ("glm-5", 2_048, WindowKind::TopK),
        ("deepseek-v4-pro", 4_096, WindowKind::TopK),
    ] {
        assert_eq!(shape(name).window, Some(Window { tokens, kind }), "{name}");
    }
    assert_eq!(shape("llama-3.1-8b-instruct").window, None);
    // A window of unknown length bounds nothing.
    let text = "[[model]]\nid = 'llama-3.1-8b-instruct'\nn_full_attn_layers = 16\nn_window_layers = 16\n\
                kv_elements_per_token_full = 32768\nkv_elements_per_token_window = 32768\n";
    let catalog = Catalog::with_overlay(text, "my.toml").unwrap();
    let whole = catalog.model("llama-3.1-8b-instruct").unwrap().row.shape().unwrap();
    assert_eq!(whole.read, shape("llama-3.1-8b-instruct").read);
    assert_eq!(whole.window, None);
}

#[test]
fn single_cells_name_their_own_source() {
    let glm = model("glm-5.2");
    let cell = glm.provenance.of("index_bytes_per_token");
    assert!(cell.source.contains("zai-org--GLM-5.2_config.json"), "{}", cell.source);
    assert_eq!(cell.quality, Quality::Derived);
    assert_eq!(glm.cell_quality("tied_embeddings"), Quality::Assumed);
    // Read since the row was recalled.
    let gemma = model("gemma-3n-e4b-it");
    assert_eq!(gemma.cell_quality("n_window_layers"), Quality::Derived);
    assert_eq!(gemma.cell_quality("total_params"), Quality::Assumed);

    for model in Catalog::builtin().all_models().unwrap() {
        for entry in model.cell_sources.iter().flat_map(|cells| cells.split("; ")) {
            let (source, names) = entry.rsplit_once(": ").unwrap_or_else(|| panic!("{}: {entry}", model.id));
            for name in names.split(' ') {
                assert!(Model::COLUMNS.iter().any(|column| column.name == name), "{}: {name}", model.id);
                assert_eq!(model.provenance.of(name).source, source, "{}: {name}", model.id);
            }
        }
    }

    let text = "[[model]]\nid = 'glm-5.2'\nattn_window = 1024\n";
    let catalog = Catalog::with_overlay(text, "my.toml").unwrap();
    let own = catalog.model("glm-5.2").unwrap().row;
    assert_eq!(own.provenance.of("attn_window").source, "user overlay");
    assert_eq!(own.provenance.of("index_bytes_per_token"), cell);
}

#[test]
fn silicon_goes_by_its_generation() {
    for (name, id, generation) in [
        ("V100", "v100-sxm2-32gb", "volta"),
        ("T4", "t4", "turing"),
        ("A100", "a100-sxm4-80gb", "ampere"),
        ("A100-40GB", "a100-sxm4-40gb", "ampere"),
        ("A100-80GB", "a100-sxm4-80gb", "ampere"),
        ("L40S", "l40s", "ada"),
        ("H100", "h100-sxm5-80gb", "hopper"),
        ("H200", "h200-sxm5-141gb", "hopper"),
        ("GH200", "gh200-96gb", "hopper"),
        ("B200", "b200-sxm", "blackwell"),
        ("B300", "b300-sxm", "blackwell-ultra"),
        ("RTX 5090", "rtx-5090", "blackwell-rtx"),
        ("MI300X", "mi300x", "cdna3"),
        ("gaudi3", "gaudi3", "gaudi3"),
        ("tpu-v5e", "tpu-v5e", "tpu-v5e"),
        ("trainium2", "trainium2", "trainium2"),
    ] {
        let found = Catalog::builtin().hardware(name).unwrap_or_else(|error| panic!("{name}: {error}")).row;
        assert_eq!((found.id.as_str(), found.generation.as_deref()), (id, Some(generation)), "{name}");
    }
    for hardware in Catalog::builtin().all_hardware().unwrap() {
        assert!(hardware.generation.is_some(), "{}", hardware.id);
        assert!(hardware.cell_sources.as_ref().is_some_and(|cells| cells.ends_with(": generation")), "{}", hardware.id);
    }
}
