//! Accelerators under the names that measurements give them.

use crate::Result;
use crate::catalog::{Catalog, Hardware};

/// The accelerator that a row names. ML.ENERGY's second leaderboard ran on the SXM4 board with 40 GB where it says `A100`.
pub(super) fn named<'a>(catalog: &'a Catalog, gpu: &str, source: Option<&str>) -> Result<&'a Hardware> {
    let second = source.is_some_and(|source| source.contains("leaderboard-v2"));
    let name = if second && gpu.eq_ignore_ascii_case("a100") { "a100-sxm4-40gb" } else { gpu };
    Ok(catalog.hardware(name)?.row)
}
