//! Accelerators as a scheduler counts them: one GPU of a superchip, one TPU chip, one card.

use super::names::dashed;
use super::provenance::Quality;
use super::record::{File, Load, Row, record};
use std::sync::OnceLock;

record! {
    /// An accelerator. Empty is unknown or not applicable, never zero; peaks are dense, links count both directions.
    pub Hardware = "hardware" {
        /// Key.
        id: String,
        /// Name as sold.
        name: String,
        /// Maker.
        vendor: String,
        /// datacenter-gpu, workstation-gpu, consumer-gpu, asic, apu, edge or soc.
        category: String,
        /// Generation of the silicon: ampere, hopper, blackwell, cdna3, tpu-v5e.
        generation: Option<String>,
        /// Year of release.
        release_year: Option<f64> = "year" [2005.0, 2100.0],
        /// Node class of the process.
        process_nm: Option<f64> = "nm" [1.0, 130.0],
        /// Area of the compute dies together.
        die_area_mm2: Option<f64> = "mm2" [10.0, 60_000.0],
        /// Board or module power limit as shipped; whole machine at the wall for Apple rows.
        tdp_w: Option<f64> = "W" [1.0, 30_000.0],
        /// Power with no process on the device.
        idle_w: Option<f64> = "W" [0.1, 10_000.0],
        /// Power with a model loaded and no request running; the idle of a serving fleet.
        idle_context_w: Option<f64> = "W" [0.1, 10_000.0],
        /// Memory as labelled, 1e9 byte.
        memory_gb: Option<f64> = "GB" [0.05, 10_000.0],
        /// Memory that the driver reports.
        memory_visible_mib: Option<f64> = "MiB" [100.0, 10_000_000.0],
        /// Peak memory bandwidth, 1e9 byte per second.
        memory_bw_gbs: Option<f64> = "GB/s" [10.0, 50_000_000.0],
        /// Scale-up link bandwidth per device, both directions added.
        interconnect_gbs: Option<f64> = "GB/s" [1.0, 100_000.0],
        /// Vector FP32 peak.
        fp32_tflops: Option<f64> = "TFLOP/s" [0.1, 10_000.0],
        /// Dense TF32 matrix peak.
        tf32_tflops: Option<f64> = "TFLOP/s" [0.1, 50_000.0],
        /// Dense BF16 or FP16 matrix peak.
        bf16_tflops: Option<f64> = "TFLOP/s" [0.1, 200_000.0],
        /// Dense FP8 matrix peak.
        fp8_tflops: Option<f64> = "TFLOP/s" [0.1, 200_000.0],
        /// Dense FP4 matrix peak.
        fp4_tflops: Option<f64> = "TFLOP/s" [0.1, 400_000.0],
        /// Dense INT8 matrix peak.
        int8_tops: Option<f64> = "TOP/s" [0.1, 200_000.0],
        /// Where the idle power comes from.
        idle_basis: Option<String>,
        /// Where the idle power with a model loaded comes from.
        idle_context_basis: Option<String>,
        /// Kind of memory.
        memory_type: Option<String>,
        /// Source key and columns it covers; the keys are explained in the data folder.
        cell_sources: Option<String>,
        /// A remark.
        note: Option<String>,
    }
}

/// What the keys in `cell_sources` stand for.
fn source_keys() -> &'static [(&'static str, &'static str)] {
    static KEYS: OnceLock<Vec<(&'static str, &'static str)>> = OnceLock::new();
    KEYS.get_or_init(|| {
        let lines = include_str!("data/hardware-sources.csv").lines().skip(1);
        let cells = lines.filter_map(|line| line.split_once(','));
        cells.map(|(key, source)| (key, source.trim_matches('"'))).collect()
    })
}

impl Load for Hardware {
    const FILES: &'static [File] =
        &[File { name: "hardware.csv", text: include_str!("data/hardware.csv"), prefix: "", sources: None }];
    const ALIASES: Option<File> = Some(File {
        name: "hardware-aliases.csv",
        text: include_str!("data/hardware-aliases.csv"),
        prefix: "",
        sources: None,
    });

    fn build(row: &Row<'_>) -> Result<Self, String> {
        let mut hardware = Self::read(row);
        if let Some(sources) = &hardware.cell_sources {
            hardware.provenance.cite(sources, Self::COLUMNS, source_keys(), Quality::Vendor);
        }
        match (hardware.idle_w.or(hardware.idle_context_w), hardware.tdp_w) {
            (Some(idle), Some(tdp)) if idle >= tdp => Err(format!("idle {idle} W is not below the limit of {tdp} W")),
            _ => Ok(hardware),
        }
    }

    /// The name as sold, with or without the maker: `NVIDIA L40S`, `AMD Instinct MI300X`.
    fn respell(rows: &[Self], key: &str) -> Vec<usize> {
        let sold = |row: &Self| {
            let bare = dashed(&row.name);
            bare == key || dashed(&format!("{} {}", row.vendor, row.name)) == key || format!("nvidia-{}", row.id) == key
        };
        rows.iter().enumerate().filter(|(_, row)| sold(row)).map(|(index, _)| index).collect()
    }
}
