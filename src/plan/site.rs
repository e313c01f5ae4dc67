//! A site compiled: power and water usage effectiveness, and the factors of its grid.

use super::{Notes, plain};
use crate::Result;
use crate::catalog::{Grid, Level};
use crate::fleet::{self, Fleet};
use crate::physics::facility::POWER_DELIVERY_SHARE;
use crate::units::{DirectIntensity, LifecycleIntensity, LitresPerKilowattHour};

/// The site of a deployment whose place is not stated.
pub(super) const UNKNOWN: &str = "world";

/// A site in numbers; `None` is unknown, with the reason in [`Site::unknown`].
#[derive(Clone, Debug)]
pub struct Site {
    /// Its name in the fleet or the catalog.
    pub name: String,
    /// Power usage effectiveness.
    pub pue: f64,
    /// On-site water per IT energy.
    pub wue: LitresPerKilowattHour,
    /// Direct emission factor.
    pub direct: Option<DirectIntensity>,
    /// Lifecycle emission factor.
    pub lifecycle: Option<LifecycleIntensity>,
    /// Water of generation without reservoir evaporation.
    pub water: Option<LitresPerKilowattHour>,
    /// Water of generation with reservoir evaporation.
    pub water_with_hydro: Option<LitresPerKilowattHour>,
    /// Columns that stay unknown here, each with the reason.
    pub unknown: Vec<(&'static str, String)>,
}

pub(super) fn compile(fleet: &Fleet, name: &str, notes: &mut Notes) -> Result<Site> {
    let place = format!("site `{name}`");
    let catalog = fleet.catalog();
    let stated = fleet
        .sites()
        .get(name)
        .cloned()
        .unwrap_or_else(|| fleet::Site { catalog: Some(name.into()), ..fleet::Site::default() });
    let row = stated.catalog.as_deref().map(|name| catalog.site(name)).transpose()?.map(|resolved| resolved.row);
    if name == UNKNOWN {
        notes.assume(&place, "place", "the world", "no site is stated");
    }
    let cooling = catalog.cooling(stated.cooling.as_deref().unwrap_or("unknown"))?.row;

    let split = format!("{} % of the overhead", plain(100.0 * POWER_DELIVERY_SHARE));
    notes.assume(&place, "power delivery", split, "no meter tells it from cooling");

    let said = fleet.place();
    let pue = if let Some(pue) = stated.pue {
        notes.stated(&place, "pue", pue, said);
        pue
    } else if let Some((pue, row)) = row.and_then(|r| Some((r.pue?, r))).filter(|_| stated.cooling.is_none()) {
        notes.cell(&place, "pue", pue, &row.provenance);
        pue
    } else {
        notes.cell(&place, "pue_typical", cooling.pue_typical, &cooling.provenance);
        notes.assume(
            &place,
            "pue",
            plain(cooling.pue_typical),
            &format!("not stated; typical of cooling `{}`", cooling.id),
        );
        cooling.pue_typical
    };
    let wue = if let Some(wue) = stated.wue_l_per_kwh {
        notes.stated(&place, "wue_l_per_kwh", wue, said);
        wue
    } else if let Some((wue, row)) = row.and_then(|r| Some((r.wue_l_per_kwh?, r))).filter(|_| stated.cooling.is_none())
    {
        notes.cell(&place, "wue_l_per_kwh", wue, &row.provenance);
        wue
    } else {
        let typical = cooling.wue_typical_l_per_kwh;
        notes.cell(&place, "wue_typical_l_per_kwh", typical, &cooling.provenance);
        notes.assume(
            &place,
            "wue",
            format!("{} L/kWh", plain(typical)),
            &format!("not stated; typical of cooling `{}`", cooling.id),
        );
        typical
    };

    let named = stated.grid.as_deref().map(|grid| catalog.grid(grid)).transpose()?.map(|resolved| resolved.row);
    let of_site = |id: Option<&String>| id.map(|id| catalog.grid(id)).transpose().map(|r| r.map(|r| r.row));
    let (direct_grid, lifecycle_grid, water_grid) = match (named, row) {
        (Some(grid), _) => (Some(grid), Some(grid), Some(grid)),
        (None, Some(row)) => (
            of_site(row.grid_direct.as_ref())?,
            of_site(row.grid_lifecycle.as_ref())?,
            of_site(row.grid_water.as_ref())?,
        ),
        (None, None) => (None, None, None),
    };
    let mut factor = |column: &str, stated: Option<f64>, found: Option<(f64, Level, &Grid)>| {
        if let Some(value) = stated {
            notes.stated(&place, column, value, said);
            return Some(value);
        }
        let (value, level, grid) = found?;
        notes.cell(&format!("{place}, grid `{}` ({})", grid.id, level.name()), column, value, &grid.provenance);
        Some(value)
    };
    let direct = factor(
        "direct_g_per_kwh",
        stated.carbon_direct_g_per_kwh,
        direct_grid.and_then(|g| g.direct.as_ref().map(|f| (f.value.0, f.level, g))),
    );
    let lifecycle = factor(
        "lifecycle_g_per_kwh",
        stated.carbon_lifecycle_g_per_kwh,
        lifecycle_grid.and_then(|g| g.lifecycle.as_ref().map(|f| (f.value.0, f.level, g))),
    );
    let water_with_hydro = factor(
        "water_with_hydro_l_per_kwh",
        stated.water_offsite_with_hydro_l_per_kwh,
        water_grid.and_then(|g| g.water_with_hydro.as_ref().map(|f| (f.value.0, f.level, g))),
    );
    let water = factor("water_l_per_kwh", stated.water_offsite_l_per_kwh, None);

    let unknown = unknown(&place, (direct, lifecycle), water, water_with_hydro);
    Ok(Site {
        name: name.into(),
        pue,
        wue: LitresPerKilowattHour(wue),
        direct: direct.map(DirectIntensity),
        lifecycle: lifecycle.map(LifecycleIntensity),
        water: water.map(LitresPerKilowattHour),
        water_with_hydro: water_with_hydro.map(LitresPerKilowattHour),
        unknown,
    })
}

/// The columns that lack a factor, each with the reason.
fn unknown(
    place: &str,
    (direct, lifecycle): (Option<f64>, Option<f64>),
    water: Option<f64>,
    water_with_hydro: Option<f64>,
) -> Vec<(&'static str, String)> {
    let mut unknown = Vec::new();
    let mut lacks = |columns: &[&'static str], reason: &str| {
        unknown.extend(columns.iter().map(|column| (*column, format!("{place}: {reason}"))));
    };
    if direct.is_none() {
        lacks(
            &["co2e_location_g", "co2e_upstream_g"],
            "no direct emission factor for its grid; state carbon_direct_g_per_kwh",
        );
    } else if lifecycle.is_none() {
        lacks(&["co2e_upstream_g"], "no lifecycle emission factor for its grid");
    } else if lifecycle < direct {
        lacks(&["co2e_upstream_g"], "the lifecycle factor of one source is below the direct factor of another");
    }
    if water.is_none() {
        lacks(&["water_offsite_l"], "no generation mix for its grid; state water_offsite_l_per_kwh");
    }
    if water_with_hydro.is_none() {
        lacks(&["water_offsite_with_hydro_l"], "no water factor for its grid");
    }
    unknown
}
