//! Serving engines: what a stack adds to the kernels, by version.

use super::record::{File, Load, Row, record};

record! {
    /// A serving stack of one version. Times are exposed host time; shares are of the peak. Empty is not known.
    pub Engine = "engine" {
        /// Key.
        id: String,
        /// Name.
        name: String,
        /// Engine.
        engine: String,
        /// Version; empty where the profile is not tied to one.
        version: Option<String>,
        /// Hardware the evidence was taken on.
        gpu_basis: Option<String>,
        /// Per decode step.
        t_step_us: Option<f64> = "us" [0.0, 1e6],
        /// Per sequence and step.
        t_seq_us: Option<f64> = "us" [0.0, 1e5],
        /// Per layer and step.
        t_layer_us: Option<f64> = "us" [0.0, 1e5],
        /// Per mixture-of-experts layer and step.
        t_moe_layer_us: Option<f64> = "us" [0.0, 1e5],
        /// Per layer and step of a model with linear layers.
        t_hybrid_layer_us: Option<f64> = "us" [0.0, 1e5],
        /// Per all-reduce.
        t_allreduce_us: Option<f64> = "us" [0.0, 1e5],
        /// Share of the link bandwidth reached.
        link_efficiency: Option<f64> = "" [0.001, 1.0],
        /// Share of the memory bandwidth reached for weights.
        eta_weights: Option<f64> = "" [0.001, 1.0],
        /// Share of the memory bandwidth reached for the KV cache.
        eta_kv: Option<f64> = "" [0.001, 1.0],
        /// Share of the matrix peak reached in prefill.
        eta_prefill: Option<f64> = "" [0.001, 1.0],
        /// Share of the matrix peak reached in decode.
        eta_decode_compute: Option<f64> = "" [0.001, 1.0],
        /// Factor on the prefill efficiency of mixture-of-experts models.
        moe_prefill_efficiency: Option<f64> = "" [0.001, 1.0],
        /// Host time on Blackwell over Hopper.
        host_multiplier_blackwell: Option<f64> = "" [0.1, 10.0],
        /// Dynamic energy on Blackwell over Hopper.
        dynamic_energy_multiplier_blackwell: Option<f64> = "" [0.1, 10.0],
        /// Efficiencies on Blackwell over Hopper.
        efficiency_multiplier_blackwell: Option<f64> = "" [0.1, 10.0],
        /// Host time in prefill, per layer and request.
        prefill_host_us_per_layer: Option<f64> = "us" [0.0, 1e6],
        /// Whether host work overlaps with the device.
        overlap_scheduler: Option<bool>,
        /// Where kernel times come from.
        kernel_source: Option<String>,
        /// Kind of evidence.
        evidence_kind: Option<String>,
        /// The evidence.
        evidence: Option<String>,
        /// A fitted and corroborated, B maker or careful third party, C single issue or derived, D void.
        grade: Option<String>,
        /// A remark.
        note: Option<String>,
    }
}

impl Load for Engine {
    const FILES: &'static [File] =
        &[File { name: "engines.csv", text: include_str!("data/engines.csv"), prefix: "", sources: None }];
    const ALIASES: Option<File> = Some(File {
        name: "engine-aliases.csv",
        text: include_str!("data/engine-aliases.csv"),
        prefix: "",
        sources: None,
    });

    fn build(row: &Row<'_>) -> Result<Self, String> {
        Ok(Self::read(row))
    }

    /// A shorter or a longer version: `vllm-0.11` is `vllm-0.11.1`, `vllm-0.18.2` is `vllm-0.18`.
    fn respell(rows: &[Self], key: &str) -> Vec<usize> {
        let ids = || rows.iter().enumerate().map(|(index, row)| (index, row.id.to_ascii_lowercase()));
        let mut longer: Vec<(usize, String)> = ids().filter(|(_, id)| extends(id, key)).collect();
        if longer.is_empty() {
            longer = ids().filter(|(_, id)| id.contains(|c: char| c.is_ascii_digit()) && extends(key, id)).collect();
            longer.sort_by_key(|(_, id)| std::cmp::Reverse(id.len()));
            longer.truncate(1);
        }
        // One candidate that all the others only add to is the plain one.
        let plain = longer.iter().find(|(_, id)| longer.iter().all(|(_, other)| other == id || extends(other, id)));
        plain.map_or_else(|| longer.iter().map(|(index, _)| *index).collect(), |(index, _)| vec![*index])
    }
}

/// Whether `long` is `short` and more, split at a dot or a dash.
fn extends(long: &str, short: &str) -> bool {
    long.strip_prefix(short).is_some_and(|rest| rest.starts_with(['.', '-']))
}
