//! Measured serving configurations: what the method says of files it has seen, and of files it has not.

use std::io::Write;
use std::path::Path;
use wattledger::validation::{Kind, Report, validate};

const FILE: &str = "data/measurements/inference.csv";
const HEADER: &str = "row_id,model,architecture,total_params_b,active_params_b,n_layers,hidden_size,n_heads,n_kv_heads,head_dim,gpu,n_gpus,mean_batch,mean_input_tokens,mean_output_tokens,weight_precision,serving_stack,energy_per_output_token_j";

fn of(lines: &str) -> wattledger::Result<Report> {
    let mut file = tempfile::NamedTempFile::with_suffix(".csv").unwrap();
    write!(file, "{HEADER}\n{lines}").unwrap();
    validate(Kind::Inference, file.path())
}

fn value(report: &Report, at: usize) -> f64 {
    report.rows[at].predicted.as_ref().unwrap().value
}

#[test]
fn the_bundled_measurements_lie_where_the_page_says() {
    let report = validate(Kind::Inference, Path::new(FILE)).unwrap();
    let steady = report.rows.iter().filter(|row| row.slices.contains(&("quality", "A".into())));
    let errors = wattledger::validation::Summary::of(steady);
    assert_eq!((report.rows.len(), errors.n), (675, 653));
    assert!(errors.median_ape < Some(0.105) && errors.p90_ape < Some(0.32), "{errors:?}");
    assert!(errors.bias.unwrap().abs() < 0.03, "{errors:?}");
    assert!(errors.coverage > Some(0.85), "{errors:?}");
    let yardstick = report.yardstick().unwrap();
    assert!(yardstick.median_ape.unwrap() > 3.0 * errors.median_ape.unwrap(), "{yardstick:?}");
}

#[test]
fn pipelines_that_no_fit_has_seen_are_predicted() {
    let report = validate(Kind::Inference, Path::new(FILE)).unwrap();
    let errors = wattledger::validation::Summary::of(
        report.rows.iter().filter(|row| row.slices.contains(&("quality", "B".into()))),
    );
    assert!(errors.n == 6 && errors.median_ape < Some(0.1), "two stages of eight devices: {errors:?}");
}

#[test]
fn a_model_nobody_knows_is_predicted_from_its_row() {
    let report = of("a,nobody/new-9b,dense,9,9,40,4096,32,8,128,H100,1,64,200,400,bfloat16,vllm-0.11.1,0.13\n\
                     b,nobody/new-9b,dense,9,9,40,4096,32,8,128,H100,1,8,200,400,bfloat16,vllm-0.11.1,\n\
                     c,nobody/new-9b,dense,9,9,40,4096,32,8,128,MI300X,1,64,200,400,bfloat16,sglang,0.1\n")
    .unwrap();
    assert!(value(&report, 1) > value(&report, 0), "fewer requests share a step");
    assert_eq!(report.rows[1].measured, None);
    assert_eq!((report.summary().rows, report.summary().n), (3, 2));
    let width = |at: usize| {
        let predicted = report.rows[at].predicted.as_ref().unwrap();
        predicted.high / predicted.low
    };
    assert!(width(2) > 1.5 * width(0), "an accelerator and software that nobody measured: {}", width(2));
}

#[test]
fn nothing_measured_goes_into_a_prediction() {
    let row =
        |energy: &str| format!("a,m,dense,9,9,40,4096,32,8,128,H100,1,64,200,400,bfloat16,vllm-0.11.1,{energy}\n");
    assert_eq!(value(&of(&row("0.1")).unwrap(), 0).to_bits(), value(&of(&row("5")).unwrap(), 0).to_bits());
}

#[test]
fn rows_that_cannot_be_predicted_stay_with_the_reason() {
    let report = of("a,m,dense,,9,40,4096,32,8,128,H100,1,64,,400,bfloat16,vllm-0.11.1,0.1\n\
                     b,m,dense,9,9,40,4096,32,8,128,H900,1,64,,400,bfloat16,vllm-0.11.1,0.1\n\
                     c,m,dense,9,9,40,4096,32,8,128,H100,1,,,400,bfloat16,vllm-0.11.1,0.1\n\
                     d,m,dense,9,9,40,4096,32,8,128,H100,1,64,,400,int3,vllm-0.11.1,0.1\n")
    .unwrap();
    let reasons: Vec<&str> = report.rows.iter().map(|row| row.predicted.as_ref().unwrap_err().as_str()).collect();
    assert_eq!(reasons[0], "`total_params_b` is empty");
    assert!(reasons[1].contains("H900"), "{reasons:?}");
    assert!(reasons[2].contains("mean_batch"), "{reasons:?}");
    assert!(reasons[3].contains("int3"), "{reasons:?}");
    assert_eq!(report.summary().n, 0);
}

#[test]
fn prompts_without_output_are_predicted_per_request() {
    let report = of("a,m,dense,0.3,0.3,24,1024,16,16,64,H100,1,32,500,0,float16,vllm-0.11.1,\n").unwrap();
    assert_eq!(report.rows[0].quantity, "energy_per_request");
    assert!(value(&report, 0) > 0.0);
}

#[test]
fn a_cell_that_is_no_number_names_its_place_and_the_others_are_estimated() {
    let good = "a,m,dense,9,9,40,4096,32,8,128,H100,1,64,,400,bfloat16,vllm-0.11.1,0.1\n";
    let bad = "\"b\nc\",m,dense,9,9,40,4096,32,8,128,H100,1,64,,400,bfloat16,vllm-0.11.1,0.1\n\nd,m,dense,nine,9,40,4096,32,8,128,H100,1,64,,400,bfloat16,vllm-0.11.1,0.1\n";
    let report = of(&format!("{good}{bad}")).unwrap();
    assert_eq!((report.rows.len(), report.summary().n), (3, 2));
    let said = report.rows[2].predicted.clone().unwrap_err();
    // A name over two lines and an empty line come before.
    assert_eq!(said, "line 6: `total_params_b` is `nine`, expected a number from 0.0001 to 100000");
}

#[test]
fn what_a_row_does_not_say_is_written_down() {
    let row = "a,m,dense,9,,40,4096,,,,H100,,64,,400,,unheard-of,0.1\n";
    let report = of(row).unwrap();
    let said = report.rows[0].assumed.join("; ");
    for cell in ["n_heads", "head_dim", "n_kv_heads", "n_gpus", "mean_input_tokens", "weight_precision", "`unheard-of`"]
    {
        assert!(said.contains(cell), "{cell}: {said}");
    }
    let whole = "a,m,dense,9,9,40,4096,32,8,128,H100,1,64,500,400,bfloat16,vllm-0.11.1,0.1\n";
    let said = of(whole).unwrap().rows[0].assumed.clone();
    assert_eq!(said, ["`output_tokens_second_moment` is empty: 1.5 times the mean squared"]);
}

#[test]
fn what_the_fit_never_saw_is_wider_and_says_so() {
    let row = |gpu: &str, precision: &str, engine: &str| {
        let line = format!("a,m,dense,9,9,40,4096,32,8,128,{gpu},1,64,500,400,{precision},{engine},0.1\n");
        let row = of(&line).unwrap().rows[0].clone();
        let predicted = row.predicted.unwrap();
        (predicted.high / predicted.low, row.assumed.join("; "))
    };
    let (known, said) = row("H100", "bfloat16", "vllm-0.11.1");
    assert!(!said.contains("fit"), "{said}");
    for (gpu, precision, engine, word) in [
        ("A100", "bfloat16", "vllm-0.11.1", "kernels alone"),
        ("MI300X", "bfloat16", "vllm-0.11.1", "neither"),
        ("H100", "gptq-int4", "vllm-0.11.1", ""),
        ("H100", "bfloat16", "sglang-0.4.5", "published host times"),
        ("H100", "bfloat16", "ours", "as vllm-0.11.1"),
    ] {
        let (wide, said) = row(gpu, precision, engine);
        assert!(wide > 1.05 * known, "{gpu} {precision} {engine}: {wide} beside {known}");
        assert!(said.contains(word), "{gpu} {precision} {engine}: {said}");
    }
}

/// The cross-validation that the pages quote, as `tools/fit_inference.py` wrote it.
fn cross_validated(rows: &str) -> [f64; 3] {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/data/measurements/inference-cross-validation.csv");
    let mut reader = csv::ReaderBuilder::new().flexible(true).from_path(path).unwrap();
    let found = reader.records().map(Result::unwrap).find(|line| &line[0] == rows).unwrap_or_else(|| panic!("{rows}"));
    [2, 3, 4].map(|at| found[at].parse().unwrap())
}

#[test]
fn models_and_accelerators_that_no_fit_saw_stay_inside_what_is_promised() {
    let [median, p90, bias] = cross_validated("cross-validated by model group, energy");
    assert!(median <= 0.12 && p90 <= 0.38 && bias.abs() <= 0.04, "{median} {p90} {bias}");
    let [ecologits, ..] = cross_validated("EcoLogits' formula");
    assert!(3.0 * median <= ecologits);
    for unseen in ["H100 fitted, B200 never seen", "B200 fitted, H100 never seen"] {
        let [median, _, bias] = cross_validated(unseen);
        assert!(median <= 0.18 && bias.abs() <= 0.12, "{unseen}: {median} {bias}");
    }
}

#[test]
fn intervals_cover_nine_in_ten_and_are_narrower_than_without_a_fit() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/data/measurements/inference-cross-validation.csv");
    let text = std::fs::read_to_string(path).unwrap();
    let after = |words: &str| -> f64 {
        let rest = text.split(words).nth(1).unwrap_or_else(|| panic!("{words}"));
        let number: String = rest.trim_start().chars().take_while(|c| c.is_ascii_digit() || *c == '.').collect();
        number.parse().unwrap()
    };
    let covered = [after("90 % interval: covers"), after("by model group, 5 seeds): cover")];
    assert!(covered.iter().all(|share| (85.0..=95.0).contains(share)), "{covered:?}");
    let width = after("of cross-validated rows, mean width x");
    assert!(width < after("of kernels alone has width x"));
    assert!(width < after("of datasheets alone, their bias removed, has width x"));
}

#[test]
fn rows_that_cannot_be_are_refused_with_a_reason() {
    let reason = |line: &str| of(line).unwrap().rows[0].predicted.clone().unwrap_err();
    let row = |total: &str, active: &str, gpus: &str, output: &str| {
        format!("a,m,dense,{total},{active},80,8192,64,8,128,H100,{gpus},64,500,{output},bfloat16,vllm-0.11.1,0.1\n")
    };
    assert!(reason(&row("70", "70", "1", "400")).contains("140 GB of weights do not fit into the 80 GB"));
    assert!(reason(&row("7", "70", "1", "400")).contains("above `total_params_b`"));
    assert!(reason(&row("7", "7", "1.5", "400")).contains("whole number"));
    assert!(reason(&row("7", "7", "1", "")).contains("`mean_output_tokens` is empty"));
    // A model of the catalog needs no shape of its own.
    let known = of("a,llama-3.1-8b-instruct,dense,,,,,,,,H100,1,64,500,400,bfloat16,vllm-0.11.1,0.1\n").unwrap();
    assert!(known.rows[0].predicted.is_ok());
    assert!(known.rows[0].assumed.iter().any(|what| what.contains("in the catalog")), "{:?}", known.rows[0].assumed);
}
