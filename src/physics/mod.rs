//! Physics: one method a file, numbers in and numbers out. Formula, symbols, source, range and an example stand in each.

pub mod accelerator;
pub mod attention;
pub mod cache;
pub mod diffusion;
pub mod diffusion_laws;
pub mod diffusion_range;
pub mod disaggregated;
pub mod emissions;
pub mod encoder;
pub mod experts;
pub mod facility;
pub mod features;
pub mod inference;
pub mod latency;
pub mod network;
pub mod occupancy;
pub mod parallel;
pub mod parameters;
pub mod precision;
pub mod provisioned;
pub mod rated_power;
mod rates;
pub mod speculative;
pub mod spread;
