//! Images, video and sound as input: the encoder that turns them into tokens.
//!
//! ```text
//! FLOP per input token = m·2·P_enc·patches
//! ```
//!
//! | symbol | meaning | unit |
//! |---|---|---|
//! | m | share of the input tokens that an encoder made (`media_share` of a deployment) | – |
//! | `P_enc` | parameters of the encoder (vision tower, audio tower) | – |
//! | patches | patches, or frames of sound, that are merged into one token | – |
//!
//! The tokens themselves are input tokens of the network and are in the input count of most logs. The encoder's own pass
//! is once its parameters for each patch, at the rate and energy of prefill: little beside a large network, a third more
//! prefill for one of 7 billion weights. What weighs more in measured servers is the host: decoding and resizing media takes 30 to
//! 150 ms a request under vLLM 0.11 (`host_s` of the parameter set), which only the benchmark's tasks are charged with.
//!
//! Models of sound are decoders to the method: frames of the encoder are input tokens, 1500 for the 30 s that Whisper reads
//! at a time, text or codes are output tokens. Their interval is wider, for no measured row is of sound.
//!
//! Source: transformer arithmetic; patches merged per token are 4 (2 × 2) in the towers of Qwen-VL, `InternVL` and Llama 4,
//! and *assumed* so elsewhere (Gemma 3 merges 16). Attention among the patches of an image is left out: a tenth of the pass or less up to
//! 1024 × 1024 pixels. Range: patch transformers in front of a language model; no measured row tells the encoder apart.
//!
//! Measured error: none measured apart; tasks with images and videos 14.9 % median.

/// Patches merged into one token of the network.
pub const PATCHES_PER_TOKEN: f64 = 4.0;

/// FLOP of the encoder per input token, where this share of them is made by it.
///
/// ```
/// // Qwen2.5-VL-7B reads screenshots: its tower of 0.68 billion weights, nine tenths of the tokens.
/// let encoder = wattledger::physics::encoder::flop_per_input_token(0.68e9, 0.9);
/// assert!((encoder / (2.0 * 7.0e9) - 0.35).abs() < 0.01);
/// ```
#[must_use]
pub fn flop_per_input_token(encoder_parameters: f64, media_share: f64) -> f64 {
    media_share * 2.0 * encoder_parameters * PATCHES_PER_TOKEN
}
