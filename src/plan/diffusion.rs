//! What the diffusion method needs, from rows of the catalog to numbers.

use crate::Result;
use crate::catalog::{Catalog, Diffusion, Hardware};
use crate::physics::diffusion::{Denoiser, Device, Parameters, Scope};
use crate::physics::diffusion_laws::{Common, Law, Laws, Transformers, UNets};
use crate::physics::diffusion_range::{HalfWidths, Kinship};
use crate::units::Watts;

/// The parameter set of the method.
pub const DIFFUSION_SET: &str = "diffusion-2026.11";
/// Accelerators that were measured in the fit.
const FITTED: [&str; 3] = ["a100-sxm4-40gb", "h100-sxm5-80gb", "b200-sxm"];
/// How the ids of Blackwell boards for data centres begin.
const BLACKWELL: [&str; 5] = ["b100", "b200", "b300", "gb200", "gb300"];
/// One direction of a 16-lane PCI Express 4.0 slot in bytes per second, where no link is published (*assumed*).
const PCIE_BYTES_PER_S: f64 = 32e9;

/// The numbers of the set.
#[derive(Clone, Copy, Debug)]
pub struct DiffusionMethod {
    /// What work costs.
    pub parameters: Parameters,
    /// Shapes of denoisers that nobody has described.
    pub laws: Laws,
    /// Half widths of the interval.
    pub half_widths: HalfWidths,
    /// Factors on device time and dynamic energy on Blackwell.
    blackwell: (f64, f64),
    /// Factor on both on any other accelerator.
    other: f64,
}

impl DiffusionMethod {
    /// Reads the set from the catalog.
    ///
    /// # Errors
    /// [`crate::Error::UnknownName`] for a set that lacks a value.
    pub fn of(catalog: &Catalog) -> Result<Self> {
        let get = |symbol: &str| catalog.diffusion_value(DIFFUSION_SET, symbol);
        let law = |factor: &str, exponent: &str| -> Result<Law> {
            Ok(Law { factor: get(factor)?, exponent: get(exponent)? })
        };
        let parameters = Parameters {
            linear_efficiency: get("eta_l")?,
            attention_efficiency: get("eta_a")?,
            power_floor: get("phi0")?,
            linear_energy: get("k_f")?,
            attention_energy: get("k_a")?,
            byte_energy: get("k_b")?,
            block_s: get("t_b")?,
            parallel_block_s: get("t_n")?,
            ring_share: get("ring")?,
            link_efficiency: get("eta_k")?,
            megapixel_s: get("t_px")?,
            access_factor: get("c_el")?,
        };
        let transformers = Transformers {
            token_parameters: law("tok_a", "tok_b")?,
            width_sum: law("ld_a", "ld_b")?,
            layers: law("l_a", "l_b")?,
            accesses: get("acc")?,
            common: Common {
                image_pixels_per_token: get("px_image")?,
                video_pixels_per_token: get("px_video")?,
                video_frames_per_latent: get("tc_video")?,
                text_tokens: get("text")?,
                passes: get("passes")?,
                text_encoder_parameters: get("te")?,
            },
        };
        let unets = UNets {
            token_parameters: law("un_tok_a", "un_tok_b")?,
            element_accesses: law("un_elem_a", "un_elem_b")?,
            layers: law("un_l_a", "un_l_b")?,
            attention_width_sum: get("un_att")?,
            width: get("un_width")?,
            temporal_factor: get("un_video")?,
            common: Common {
                image_pixels_per_token: get("un_px")?,
                video_pixels_per_token: get("un_px")?,
                video_frames_per_latent: 1.0,
                text_tokens: get("un_text")?,
                passes: get("un_passes")?,
                text_encoder_parameters: get("un_te")?,
            },
        };
        let half_widths = HalfWidths {
            known: get("h_known")?,
            per_doubling: get("h_log2n")?,
            sibling: get("h_scaled")?,
            sibling_parallel: get("h_scaled_n")?,
            laws: get("h_laws")?,
            mature: get("h_mature")?,
            blackwell: get("h_blackwell")?,
            other: get("h_other")?,
            passes: get("h_passes")?,
            precision: get("h_precision")?,
        };
        Ok(Self {
            parameters,
            laws: Laws { transformers, unets },
            half_widths,
            blackwell: (get("q_t")?, get("q_e")?),
            other: get("q_other")?,
        })
    }

    /// The accelerator in numbers with how near it is to one of the fit.
    ///
    /// # Errors
    /// The column that its row lacks.
    pub fn device(&self, hardware: &Hardware) -> std::result::Result<(Device, Kinship), String> {
        let needed = |column: &str, value: Option<f64>| {
            value.ok_or_else(|| format!("hardware `{}` has no {column} in the catalog", hardware.id))
        };
        let kinship = kinship(hardware);
        let (time_factor, energy_factor) = match kinship {
            Kinship::Fitted if hardware.id == "b200-sxm" => self.blackwell,
            Kinship::Blackwell => self.blackwell,
            Kinship::Fitted | Kinship::Mature => (1.0, 1.0),
            Kinship::Other => (self.other, self.other),
        };
        let device = Device {
            rated_power: Watts(needed("tdp_w", hardware.tdp_w)?),
            peak_flop_per_s: needed("bf16_tflops", hardware.bf16_tflops)? * 1e12,
            memory_bandwidth_bytes_per_s: needed("memory_bw_gbs", hardware.memory_bw_gbs)? * 1e9,
            link_bytes_per_s: hardware.interconnect_gbs.map_or(PCIE_BYTES_PER_S, |both| both / 2.0 * 1e9),
            time_factor,
            energy_factor,
        };
        Ok((device, kinship))
    }
}

/// How near an accelerator is to one of the fit: the same, its generation, or neither.
fn kinship(hardware: &Hardware) -> Kinship {
    let id = hardware.id.as_str();
    if FITTED.contains(&id) {
        return Kinship::Fitted;
    }
    if BLACKWELL.iter().any(|prefix| id.starts_with(prefix)) {
        return Kinship::Blackwell;
    }
    let gpu = hardware.category.ends_with("gpu") || hardware.category == "superchip";
    let generation = hardware.release_year.is_some_and(|year| (2020.0..=2024.0).contains(&year));
    if hardware.vendor == "NVIDIA" && gpu && generation { Kinship::Mature } else { Kinship::Other }
}

/// A row of the catalog as numbers, with the passes of the pipeline as it ships.
#[must_use]
pub fn denoiser(row: &Diffusion) -> Denoiser {
    Denoiser {
        layers: row.n_layers,
        width: row.width,
        pixels_per_token: row.pixels_per_token,
        frames_per_latent: row.frames_per_latent,
        temporal_patch: row.temporal_patch,
        token_parameters: row.token_params,
        text_token_parameters: row.text_token_params,
        text_tokens: row.text_tokens,
        attention_width_sum: row.attn_width_sum,
        scope: match row.attn_scope.as_str() {
            "joint" => Scope::Joint,
            "spatial" => Scope::Spatial,
            _ => Scope::None,
        },
        element_accesses: row.elem_accesses,
        passes: row.passes_default,
        text_encoder_parameters: row.text_encoder_params,
        unet: row.architecture == "unet",
    }
}
