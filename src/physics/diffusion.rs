//! Accelerator energy and time of images and videos made by diffusion: an additive roofline of one denoising step.
//!
//! A step runs the denoiser c times (twice with classifier-free guidance) over the latent tokens of a batch. Its time is
//! matrix products, attention, element-wise kernels and links one after the other, or the host's launches where those
//! take longer; its energy is a power floor over the time and dynamic energy per FLOP and per byte:
//!
//! ```text
//! fl   = Fr                                              f = 1
//!      = ⌈(⌊(Fr − 1)/f⌋ + 1)/p⌉                          otherwise
//! k    = H·W/px²,  N = k·fl,  M = N + T (text in the sequence) or N
//! lin  = 2·Pn·N + 2·Pt·T·(n if repeated, else 1)
//! att  = 4·A·M² (joint) or 4·A·N·k (spatial) or 0, and 4·L·d·N·T for text outside the sequence of a transformer
//! byt  = 2·c_el·a·(M + [repeated, joint] (n − 1)·T)
//! com  = 8·L·d·M·((u − 1)/u + (r − 1)/2)/n
//! te   = 2·Pe·T·c,  mpx = H·W·Fr/1e6
//!
//! t_gpu  = q_t·b·c/n·(lin/(F·eta_l) + att/(F·eta_a) + byt/BW) + b·c·com/(LK·eta_k)
//! t_host = L·(t_b + [n > 1] t_n·(1 + ring·(r − 1)))
//! t      = S·max(t_gpu, t_host) + b·(t_px·mpx + q_t·te/(F·eta_l))
//! dyn    = q_e·TDP·(S·b·c·((k_f·lin + k_a·att)/F + k_b·byt/BW) + b·n·k_f·te/F)
//! t      = max(t, dyn/(n·TDP·(1 − phi0)))                rated power: the clock falls, time stretches
//! E      = (phi0·n·TDP·t + dyn)/b
//! ```
//!
//! | symbol | meaning | unit |
//! |---|---|---|
//! | H, W, Fr, S | height and width; frames (1 for an image); denoising steps | px, –, – |
//! | b, n, u, r | outputs of a batch; devices; Ulysses and ring degree of sequence parallelism, u·r = n | – |
//! | f, p, px | frames per latent frame, latent frames per token; pixels per token along a side | – |
//! | fl, k, N, T, M | latent frames; tokens of one; latent, prompt and attended tokens | – |
//! | Pn, Pt, Pe | weights a latent token, a prompt token and the text encoder multiply with | – |
//! | L, d, A | blocks, width, sum of widths over layers with full attention | – |
//! | a | values read or written per token by element-wise kernels, over all blocks | – |
//! | lin, att | FLOP of one pass: matrix products, attention | FLOP |
//! | byt, com | bytes of one pass: element-wise, and over the links of one device | B |
//! | te, mpx | FLOP of the text encoder, millions of output pixels, both of one output | FLOP, – |
//! | TDP, F, BW, LK | rated power, dense 16-bit peak, memory bandwidth, one-way link of one device | W, FLOP/s, B/s, B/s |
//! | t, dyn, E | time and dynamic energy of a batch; energy of one image or video | s, J, J |
//!
//! The prompt is *repeated* on every device where n does not divide T; U-Nets read it outside the sequence. Text is in
//! the sequence (joint) where attention says so and prompt tokens have half the weights of latent tokens or more. The other
//! symbols are the parameters, named with their symbol in [`Parameters`].
//!
//! Source: fitted on 1138 measured configurations of the ML.ENERGY leaderboard, v2 and v3 (`tools/fit_diffusion.py`);
//! shapes from released code, cited with each row of the catalog. Range: 16-bit weights in eager diffusers or xDiT, one
//! to eight A100, H100 or B200, images from 256² to 1024² and videos to 129 frames. No caching of steps, compiled or
//! fused kernels, sparse attention or offloading: those need less than this says, offloading more.

use crate::units::{Joules, Seconds, Watts};

/// Share of a latent token's weights from which on a prompt token is one of the sequence.
const IN_SEQUENCE: f64 = 0.5;
/// Bytes of a 16-bit value.
const VALUE_BYTES: f64 = 2.0;

/// The numbers of the method, fitted together. Symbols in brackets are those of the formula.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Parameters {
    /// Share of peak FLOP rate that matrix products reach (`eta_l`).
    pub linear_efficiency: f64,
    /// Share of peak FLOP rate that attention reaches (`eta_a`).
    pub attention_efficiency: f64,
    /// Power floor while generating over rated power (`phi0`).
    pub power_floor: f64,
    /// Dynamic energy of a FLOP of matrix products × peak / rated power (`k_f`).
    pub linear_energy: f64,
    /// Dynamic energy of a FLOP of attention × peak / rated power (`k_a`).
    pub attention_energy: f64,
    /// Dynamic energy of an element-wise byte × bandwidth / rated power (`k_b`).
    pub byte_energy: f64,
    /// Host time per block and step, seconds (`t_b`).
    pub block_s: f64,
    /// Further host time per block and step on several devices, seconds (`t_n`).
    pub parallel_block_s: f64,
    /// Further host time per ring step, as a share of `t_n` (`ring`).
    pub ring_share: f64,
    /// Share of link bandwidth reached (`eta_k`).
    pub link_efficiency: f64,
    /// Decoding, conversion and saving per million output pixels, seconds (`t_px`).
    pub megapixel_s: f64,
    /// Effective over counted accesses of element-wise kernels (`c_el`).
    pub access_factor: f64,
}

/// One accelerator, from its datasheet, and how far its software is from that of the fit.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Device {
    /// Rated power.
    pub rated_power: Watts,
    /// Dense 16-bit peak, FLOP per second.
    pub peak_flop_per_s: f64,
    /// Peak memory bandwidth, bytes per second.
    pub memory_bandwidth_bytes_per_s: f64,
    /// One direction of the scale-up link, bytes per second.
    pub link_bytes_per_s: f64,
    /// Factor on device time relative to Ampere and Hopper (`q_t`).
    pub time_factor: f64,
    /// Factor on dynamic energy relative to Ampere and Hopper (`q_e`).
    pub energy_factor: f64,
}

/// Which latent tokens attend to which.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// All tokens of all frames.
    Joint,
    /// Those of one latent frame.
    Spatial,
    /// None: linear attention, counted with the matrix products.
    None,
}

/// What the method needs of a denoiser and its text encoder.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Denoiser {
    /// Blocks that a step launches one after the other.
    pub layers: f64,
    /// Width.
    pub width: f64,
    /// Output pixels along one side per latent token.
    pub pixels_per_token: f64,
    /// Frames per latent frame; 1 where frames are not compressed.
    pub frames_per_latent: f64,
    /// Latent frames per token.
    pub temporal_patch: f64,
    /// Weights a latent token is multiplied with.
    pub token_parameters: f64,
    /// Weights a prompt token is multiplied with, inside the denoiser.
    pub text_token_parameters: f64,
    /// Prompt tokens that the denoiser sees, padding included.
    pub text_tokens: f64,
    /// Sum of widths over layers with full self-attention.
    pub attention_width_sum: f64,
    /// Which tokens attend to which.
    pub scope: Scope,
    /// Values read or written per token by element-wise kernels, over all blocks.
    pub element_accesses: f64,
    /// Passes per denoising step; 2 with classifier-free guidance.
    pub passes: f64,
    /// Weights of the text encoder.
    pub text_encoder_parameters: f64,
    /// Whether it is a U-Net, which reads the prompt by cross-attention alone.
    pub unet: bool,
}

/// What is asked for, and on how many devices.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Job {
    /// Height of the output, pixels.
    pub height_px: f64,
    /// Width of the output, pixels.
    pub width_px: f64,
    /// Frames of the output; 1 for an image.
    pub frames: f64,
    /// Denoising steps.
    pub steps: f64,
    /// Outputs made at once.
    pub batch: f64,
    /// Devices that share one batch by sequence parallelism.
    pub devices: f64,
    /// Devices among which attention heads are exchanged (Ulysses).
    pub ulysses: f64,
    /// Devices among which keys and values go round (ring).
    pub ring: f64,
}

/// Work of one pass of the denoiser for one output, over all devices unless said otherwise.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Work {
    /// FLOP of matrix products and convolutions (`lin`).
    pub linear_flop: f64,
    /// FLOP of attention (`att`).
    pub attention_flop: f64,
    /// Bytes of element-wise kernels (`byt`).
    pub element_bytes: f64,
    /// Bytes over the links of one device (`com`).
    pub link_bytes: f64,
    /// FLOP of the text encoder, once per output and device (`te`).
    pub encoder_flop: f64,
    /// Output pixels, millions (`mpx`).
    pub megapixels: f64,
}

/// What a batch takes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Generated {
    /// Energy of all devices for one image or video.
    pub energy: Joules,
    /// Time of the batch.
    pub batch_time: Seconds,
    /// Mean power of all devices meanwhile; at most their rated power.
    pub mean_power: Watts,
}

impl Denoiser {
    /// Whether prompt tokens are part of the sequence that attends.
    fn joint(&self) -> bool {
        let in_sequence = self.text_token_parameters >= IN_SEQUENCE * self.token_parameters;
        self.scope == Scope::Joint && self.text_token_parameters > 0.0 && in_sequence
    }

    fn latent_frames(&self, frames: f64) -> f64 {
        if self.frames_per_latent > 1.0 {
            (((frames - 1.0) / self.frames_per_latent).floor() + 1.0).max(1.0) / self.temporal_patch
        } else {
            frames
        }
        .ceil()
    }

    /// Work of one pass.
    #[must_use]
    pub fn work(&self, job: &Job, parameters: &Parameters) -> Work {
        let frame = job.height_px * job.width_px / (self.pixels_per_token * self.pixels_per_token);
        let tokens = frame * self.latent_frames(job.frames);
        let text = self.text_tokens;
        let joint = self.joint();
        let sequence = if joint { tokens + text } else { tokens };
        let repeated = !self.unet && text % job.devices != 0.0;
        let copies = if repeated { job.devices } else { 1.0 };
        let pairs = match self.scope {
            Scope::Joint => sequence * sequence,
            Scope::Spatial => tokens * frame,
            Scope::None => 0.0,
        };
        let cross = if joint || self.unet { 0.0 } else { 4.0 * self.layers * self.width * tokens * text };
        let touched = if joint { sequence + (copies - 1.0) * text } else { sequence };
        let moved = (job.ulysses - 1.0) / job.ulysses + (job.ring - 1.0) / 2.0;
        Work {
            linear_flop: 2.0 * (self.token_parameters * tokens + self.text_token_parameters * text * copies),
            attention_flop: 4.0 * self.attention_width_sum * pairs + cross,
            element_bytes: VALUE_BYTES * parameters.access_factor * self.element_accesses * touched,
            link_bytes: 8.0 * self.layers * self.width * sequence * moved / job.devices,
            encoder_flop: 2.0 * self.text_encoder_parameters * text * self.passes,
            megapixels: job.height_px * job.width_px * job.frames / 1e6,
        }
    }

    /// FLOP of one image or video: every step, every pass, and the text encoder once.
    #[must_use]
    pub fn flop(&self, job: &Job, parameters: &Parameters) -> f64 {
        let work = self.work(job, parameters);
        job.steps * self.passes * (work.linear_flop + work.attention_flop) + work.encoder_flop
    }

    /// Energy and time of a batch on these devices.
    ///
    /// ```
    /// # use wattledger::physics::diffusion::*;
    /// # use wattledger::units::Watts;
    /// // FLUX.1-dev on one H100 SXM: an image of 1024 × 1024 pixels in 50 steps.
    /// let flux = Denoiser {
    ///     layers: 57.0, width: 3072.0, pixels_per_token: 16.0, frames_per_latent: 1.0, temporal_patch: 1.0,
    ///     token_parameters: 6.455e9, text_token_parameters: 6.455e9, text_tokens: 512.0,
    ///     attention_width_sum: 175_104.0, scope: Scope::Joint, element_accesses: 17_510_400.0, passes: 1.0,
    ///     text_encoder_parameters: 4.88e9, unet: false,
    /// };
    /// let h100 = Device {
    ///     rated_power: Watts(700.0), peak_flop_per_s: 989e12, memory_bandwidth_bytes_per_s: 3.35e12,
    ///     link_bytes_per_s: 450e9, time_factor: 1.0, energy_factor: 1.0,
    /// };
    /// let set = Parameters {
    ///     linear_efficiency: 0.916, attention_efficiency: 0.365, power_floor: 0.291, linear_energy: 0.899,
    ///     attention_energy: 1.96, byte_energy: 0.712, block_s: 1.01e-3, parallel_block_s: 0.785e-3, ring_share: 0.25,
    ///     link_efficiency: 0.140, megapixel_s: 0.188, access_factor: 3.0,
    /// };
    /// let image = Job {
    ///     height_px: 1024.0, width_px: 1024.0, frames: 1.0, steps: 50.0, batch: 1.0, devices: 1.0, ulysses: 1.0,
    ///     ring: 1.0,
    /// };
    /// let made = flux.generate(&h100, &image, &set);
    /// assert!((made.energy.0 / 9208.4 - 1.0).abs() < 1e-5);
    /// assert!((made.batch_time.0 / 13.1549 - 1.0).abs() < 1e-5);
    /// ```
    #[must_use]
    pub fn generate(&self, device: &Device, job: &Job, set: &Parameters) -> Generated {
        let work = self.work(job, set);
        let (n, b, tdp) = (job.devices, job.batch, device.rated_power.0);
        let (peak, bandwidth) = (device.peak_flop_per_s, device.memory_bandwidth_bytes_per_s);
        let passes = b * self.passes;

        let device_s = device.time_factor * passes / n
            * (work.linear_flop / (peak * set.linear_efficiency)
                + work.attention_flop / (peak * set.attention_efficiency)
                + work.element_bytes / bandwidth);
        let link_s = passes * work.link_bytes / (device.link_bytes_per_s * set.link_efficiency);
        let launch_s = if n > 1.0 { set.parallel_block_s * (1.0 + set.ring_share * (job.ring - 1.0)) } else { 0.0 };
        let host_s = self.layers * (set.block_s + launch_s);
        let encoder_s = device.time_factor * work.encoder_flop / (peak * set.linear_efficiency);
        let serial_s = b * (set.megapixel_s * work.megapixels + encoder_s);
        let unthrottled_s = job.steps * (device_s + link_s).max(host_s) + serial_s;

        let flop_j = (set.linear_energy * work.linear_flop + set.attention_energy * work.attention_flop) / peak;
        let byte_j = set.byte_energy * work.element_bytes / bandwidth;
        let encoder_j = b * n * set.linear_energy * work.encoder_flop / peak;
        let dynamic_j = device.energy_factor * tdp * (job.steps * passes * (flop_j + byte_j) + encoder_j);

        let rated = tdp * n;
        let batch_s = unthrottled_s.max(dynamic_j / (rated * (1.0 - set.power_floor)));
        let batch_j = set.power_floor * rated * batch_s + dynamic_j;
        Generated { energy: Joules(batch_j / b), batch_time: Seconds(batch_s), mean_power: Watts(batch_j / batch_s) }
    }
}
