//! Denoisers of images and video: the shape that decides their work, joined to models by id.

use super::record::{File, Load, Row, record};
use super::{Catalog, Resolved};
use crate::error::{Error, Result};
use std::borrow::Cow;

record! {
    /// A diffusion model's denoiser and what runs around it. Sizes are counts, not billions.
    pub Diffusion = "diffusion model" {
        /// Key: that of the model, where the models have it.
        id: String,
        /// Hugging Face repository.
        hf_repo: String,
        /// Models of one lineage, which a cross-validation holds out together.
        family: String,
        /// image or video.
        kind: String,
        /// mmdit (text in the sequence), dit, linear-dit or unet.
        architecture: String,
        /// Weights of the denoiser; of one expert where experts take turns.
        denoiser_params: f64 = "parameters" [1e6, 1e13],
        /// Blocks that a step launches one after the other.
        n_layers: f64 = "" [1.0, 2_000.0],
        /// Width; of the first level for a U-Net.
        width: f64 = "" [16.0, 200_000.0],
        /// Output pixels along one side per latent token.
        pixels_per_token: f64 = "px" [1.0, 256.0],
        /// Frames per latent frame, 1 where frames are not compressed.
        frames_per_latent: f64 = "" [1.0, 64.0],
        /// Latent frames per token.
        temporal_patch: f64 = "" [1.0, 16.0],
        /// Weights that a latent token is multiplied with.
        token_params: f64 = "parameters" [1e5, 1e13],
        /// Weights that a prompt token is multiplied with inside the denoiser.
        text_token_params: f64 = "parameters" [0.0, 1e13],
        /// Prompt tokens that the denoiser sees, padding included.
        text_tokens: f64 = "tokens" [0.0, 1e5],
        /// Sum of widths over layers with full self-attention: FLOP per pair of tokens over 4.
        attn_width_sum: f64 = "" [0.0, 1e9],
        /// joint (all tokens), spatial (within a latent frame) or none (linear attention).
        attn_scope: String,
        /// Values read or written per token by element-wise kernels, over all blocks.
        elem_accesses: f64 = "" [1e3, 1e10],
        /// Passes per denoising step as the makers intend: 2 with classifier-free guidance, 1 distilled.
        passes_per_step: f64 = "" [1.0, 8.0],
        /// Passes per denoising step of the pipeline as it ships.
        passes_default: f64 = "" [1.0, 8.0],
        /// Denoising steps that the makers suggest.
        default_steps: f64 = "" [1.0, 10_000.0],
        /// Denoisers that take turns, one a step.
        experts: f64 = "" [1.0, 64.0],
        /// Weights of the text encoders together.
        text_encoder_params: f64 = "parameters" [0.0, 1e13],
        /// A remark.
        note: Option<String>,
    }
}

impl Load for Diffusion {
    const FILES: &'static [File] =
        &[File { name: "diffusion.csv", text: include_str!("data/diffusion.csv"), prefix: "", sources: None }];

    fn build(row: &Row<'_>) -> std::result::Result<Self, String> {
        let read = Self::read(row);
        for (column, word, words) in [
            ("kind", &read.kind, &["image", "video"][..]),
            ("architecture", &read.architecture, &["mmdit", "dit", "linear-dit", "unet"]),
            ("attn_scope", &read.attn_scope, &["joint", "spatial", "none"]),
        ] {
            if !words.contains(&word.as_str()) {
                return Err(format!("`{column}` is `{word}`, expected {}", words.join(", ")));
            }
        }
        Ok(read)
    }

    /// Names of models differ in dashes and underscores on purpose; only case is ignored.
    fn key(name: &str) -> Cow<'_, str> {
        super::names::lower(name)
    }

    /// The repository, or its name without the owner, with or without the word for its format.
    fn respell(rows: &[Self], key: &str) -> Vec<usize> {
        let last = |name: &str| {
            let name = name.rsplit('/').next().unwrap_or_default().to_lowercase();
            name.trim_end_matches("diffusers").trim_end_matches(['-', '_']).to_owned()
        };
        let wanted = last(key);
        let named = |row: &Self| last(&row.hf_repo) == wanted || row.id == wanted;
        rows.iter().enumerate().filter(|(_, row)| named(row)).map(|(index, _)| index).collect()
    }
}

impl Catalog {
    /// The denoiser of a model, under any name that the models or the denoisers know it by.
    ///
    /// ```
    /// let catalog = wattledger::catalog::Catalog::builtin();
    /// let wan = catalog.denoiser("Wan-AI/Wan2.1-T2V-14B-Diffusers")?.row;
    /// assert_eq!((wan.id.as_str(), wan.frames_per_latent), ("wan2.1-t2v-14b", 4.0));
    /// # Ok::<(), wattledger::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::UnknownName`] with the nearest ids, [`Error::AmbiguousName`] with the candidates.
    pub fn denoiser(&self, name: &str) -> Result<Resolved<'_, Diffusion>> {
        match self.model(name) {
            Ok(model) => match self.diffusion(&model.row.id) {
                Ok(found) => Ok(Resolved { precision_hint: model.precision_hint, ..found }),
                Err(Error::UnknownName { .. }) => self.diffusion(name),
                Err(error) => Err(error),
            },
            Err(Error::UnknownName { .. }) => self.diffusion(name),
            Err(error) => Err(error),
        }
    }
}
