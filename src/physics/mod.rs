//! Physics: one method a file, numbers in and numbers out. Formula, symbols, source, range and an example stand in each.

pub mod attention;
pub mod diffusion;
pub mod diffusion_laws;
pub mod diffusion_range;
pub mod emissions;
pub mod facility;
pub mod inference;
pub mod network;
pub mod occupancy;
pub mod parameters;
pub mod provisioned;
pub mod rated_power;
