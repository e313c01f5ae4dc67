//! Images, video and sound as input: the encoder that turns them into tokens.
//!
//! ```text
//! FLOP per token of a medium = 2·P_enc·merge + 4·L_enc·width·patches·merge        E = FLOP·jP of the deployment
//! image tokens = ⌈height/(patch·m)⌉·⌈width/(patch·m)⌉       merge = m²            sound tokens = seconds·rate
//! ```
//!
//! | symbol | meaning | unit |
//! |---|---|---|
//! | `P_enc` | parameters of the encoder (vision tower, audio tower) | – |
//! | patch, m | pixels of a patch's side; patches merged into a token along each side | pixels, – |
//! | merge | patches a token is made of | – |
//! | patches | patches of one image, which attend to each other | – |
//!
//! The tokens themselves are input tokens of the network and are in the input count of most logs. The encoder's own pass is
//! once its parameters for each patch, small against the network unless that is small too. What weighs in measured
//! servers is neither: decoding and resizing media on the host, 30 to 150 ms a request under vLLM 0.11.
//!
//! Source: transformer arithmetic; the host time is fitted on the ML.ENERGY image and video tasks (rows `host_s` of the
//! parameter set). Range: patch transformers; images that are not split into tiles.

/// Image tokens of a patch transformer that merges `merge_side` × `merge_side` patches into a token.
///
/// ```
/// // Qwen3-VL: patches of 16 pixels, 2 × 2 merged.
/// assert_eq!(wattledger::physics::encoder::image_tokens(1024, 768, 16, 2), 32 * 24);
/// ```
#[must_use]
pub fn image_tokens(width: u32, height: u32, patch: u32, merge_side: u32) -> u32 {
    let side = patch * merge_side;
    width.div_ceil(side) * height.div_ceil(side)
}

/// FLOP of the encoder per token that it hands to the network.
#[must_use]
pub fn flop_per_token(encoder_parameters: f64, merged_patches: f64) -> f64 {
    2.0 * encoder_parameters * merged_patches
}
