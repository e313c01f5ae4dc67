//! The shape of a denoiser that nobody has described: laws over the parameter count.
//!
//! ```text
//! transformer   Pn = Pt = tok_a·P^tok_b      L·d = A = ld_a·P^ld_b      L = l_a·P^l_b      a = acc·L·d
//! U-Net         Pn = un_tok_a·P^un_tok_b·v   a = un_elem_a·P^un_elem_b·v   L = un_l_a·P^un_l_b   A = un_att, spatial
//! sibling       ρ = P/P₀:  Pn, Pt × ρ        L·d, A, a × ρ^ld_b         L × ρ^l_b          the rest as it is
//! ```
//!
//! | symbol | meaning | unit |
//! |---|---|---|
//! | P, P₀ | parameters of the denoiser; of a sibling whose shape is known | 1e9 |
//! | Pn, Pt | weights that a latent and a prompt token multiply with | 1e9 |
//! | L, d, A, a | blocks, width, attention widths, element-wise accesses, as in [`super::diffusion`] | – |
//! | v | `un_video` for video, whose U-Nets have temporal layers, else 1 | – |
//!
//! Source: least squares on the logarithms of 42 transformer shapes of the catalog (`tools/fit_diffusion.py`); the U-Net
//! laws were set by judgement from five measured U-Nets. Range: 0.6 to 32 billion parameters. Compression is what a
//! parameter count does not tell: a denoiser behind an unusual autoencoder (32 pixels a token, patches in time) is off by a factor of two.

use super::diffusion::{Denoiser, Scope};

/// A power law: `factor·P^exponent`, with P in 1e9.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Law {
    /// Value at one billion parameters.
    pub factor: f64,
    /// Exponent.
    pub exponent: f64,
}

impl Law {
    fn at(&self, billions: f64) -> f64 {
        self.factor * billions.powf(self.exponent)
    }
}

/// What a family of denoisers has in common whatever its size.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Common {
    /// Output pixels along one side per latent token of an image model.
    pub image_pixels_per_token: f64,
    /// The same of a video model.
    pub video_pixels_per_token: f64,
    /// Frames per latent frame of a video model.
    pub video_frames_per_latent: f64,
    /// Prompt tokens.
    pub text_tokens: f64,
    /// Passes per denoising step.
    pub passes: f64,
    /// Weights of the text encoder.
    pub text_encoder_parameters: f64,
}

/// Laws of diffusion transformers.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Transformers {
    /// Weights per token, 1e9 (`tok_a`, `tok_b`).
    pub token_parameters: Law,
    /// Blocks × width (`ld_a`, `ld_b`).
    pub width_sum: Law,
    /// Blocks (`l_a`, `l_b`).
    pub layers: Law,
    /// Element-wise accesses per token, block and unit of width (`acc`).
    pub accesses: f64,
    /// The rest.
    pub common: Common,
}

/// Laws of U-Nets, per latent pixel.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct UNets {
    /// Weights per latent pixel, 1e9 (`un_tok_a`, `un_tok_b`).
    pub token_parameters: Law,
    /// Element-wise accesses (`un_elem_a`, `un_elem_b`).
    pub element_accesses: Law,
    /// Blocks (`un_l_a`, `un_l_b`).
    pub layers: Law,
    /// Sum of attention widths at full resolution (`un_att`).
    pub attention_width_sum: f64,
    /// Width of the first level (`un_width`).
    pub width: f64,
    /// Factor of temporal layers on weights and accesses (`un_video`).
    pub temporal_factor: f64,
    /// The rest.
    pub common: Common,
}

/// The laws, fitted together.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Laws {
    /// For transformers.
    pub transformers: Transformers,
    /// For U-Nets.
    pub unets: UNets,
}

impl Laws {
    /// A transformer of this many parameters.
    #[must_use]
    pub fn transformer(&self, parameters: f64, video: bool) -> Denoiser {
        let Transformers { token_parameters, width_sum, layers, accesses, common } = &self.transformers;
        let billions = parameters / 1e9;
        let (widths, layers) = (width_sum.at(billions), layers.at(billions));
        let token_parameters = token_parameters.at(billions) * 1e9;
        Denoiser {
            layers,
            width: widths / layers,
            pixels_per_token: if video { common.video_pixels_per_token } else { common.image_pixels_per_token },
            frames_per_latent: if video { common.video_frames_per_latent } else { 1.0 },
            temporal_patch: 1.0,
            token_parameters,
            text_token_parameters: token_parameters,
            text_tokens: common.text_tokens,
            attention_width_sum: widths,
            scope: Scope::Joint,
            element_accesses: accesses * widths,
            passes: common.passes,
            text_encoder_parameters: common.text_encoder_parameters,
            unet: false,
        }
    }

    /// A U-Net of this many parameters.
    #[must_use]
    pub fn unet(&self, parameters: f64, video: bool) -> Denoiser {
        let UNets { token_parameters, element_accesses, layers, attention_width_sum, width, temporal_factor, common } =
            &self.unets;
        let billions = parameters / 1e9;
        let temporal = if video { *temporal_factor } else { 1.0 };
        Denoiser {
            layers: layers.at(billions),
            width: *width,
            pixels_per_token: if video { common.video_pixels_per_token } else { common.image_pixels_per_token },
            frames_per_latent: if video { common.video_frames_per_latent } else { 1.0 },
            temporal_patch: 1.0,
            token_parameters: temporal * token_parameters.at(billions) * 1e9,
            text_token_parameters: 0.0,
            text_tokens: common.text_tokens,
            attention_width_sum: *attention_width_sum,
            scope: Scope::Spatial,
            element_accesses: temporal * element_accesses.at(billions),
            passes: common.passes,
            text_encoder_parameters: common.text_encoder_parameters,
            unet: true,
        }
    }

    /// A sibling with `ratio` times the parameters: the same compression and guidance, a scaled shape.
    #[must_use]
    pub fn sibling(&self, of: &Denoiser, ratio: f64) -> Denoiser {
        let widths = ratio.powf(self.transformers.width_sum.exponent);
        let layers = ratio.powf(self.transformers.layers.exponent);
        Denoiser {
            layers: of.layers * layers,
            width: of.width * widths / layers,
            token_parameters: of.token_parameters * ratio,
            text_token_parameters: of.text_token_parameters * ratio,
            attention_width_sum: of.attention_width_sum * widths,
            element_accesses: of.element_accesses * widths,
            ..*of
        }
    }
}
