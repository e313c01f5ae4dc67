//! What is known about hardware, models, engines, places and grids, and from where.
//!
//! Every row has a source, a date, a licence and a quality; every number stands inside a plausible band, or the row is
//! refused. The tables are embedded and read on the first question about their kind. A user's overlay replaces single
//! cells or adds rows, and shows as what it is.
//!
//! ```
//! use wattledger::catalog::{Catalog, Quality, Record};
//!
//! let catalog = Catalog::builtin();
//! let h100 = catalog.hardware("NVIDIA H100 80GB HBM3")?;
//! assert_eq!(h100.row.id, "h100-sxm5-80gb");
//! assert_eq!(h100.row.tdp_w, Some(700.0));
//! assert_eq!(h100.row.cell_quality("idle_w"), Quality::Assumed);
//!
//! let site = catalog.site("us-east-1")?.row;
//! let grid = catalog.site_grid(site)?;
//! assert_eq!(grid.direct.map(|factor| factor.year), Some(Some(2024)));
//! # Ok::<(), wattledger::Error>(())
//! ```

mod bills;
mod check;
mod config;
mod cooling;
mod diffusion;
mod diffusion_parameters;
mod embodied;
mod engines;
mod equivalents;
mod fab_nodes;
mod generation;
mod grid_hours;
mod grids;
mod hardware;
mod models;
mod names;
mod overlay;
mod parameters;
mod power_chains;
mod provenance;
mod record;
mod series;
mod servers;
mod shape;
mod sites;
mod spelling;
mod table;
#[cfg(test)]
mod tests;
mod weather;

pub use bills::BillLine;
pub use check::LICENCES;
pub use config::model_from_config;
pub use cooling::Cooling;
pub use diffusion::Diffusion;
pub use diffusion_parameters::DiffusionParameter;
pub use embodied::Embodied;
pub use engines::Engine;
pub use equivalents::Equivalent;
pub use fab_nodes::FabNode;
pub use generation::Technology;
pub use grid_hours::{GridHours, MixHours};
pub use grids::{Factor, Grid, Level};
pub use hardware::Hardware;
pub use models::Model;
pub use names::{Resolved, Rule};
pub use parameters::Parameter;
pub use power_chains::PowerChain;
pub use provenance::{Origin, Provenance, Quality};
pub use record::{Column, Content, Record};
pub use servers::Server;
pub use shape::{ByReach, Shape, Window, WindowKind};
pub use sites::{Site, SiteGrid};
pub use spelling::Taken;
pub use table::{Cell, Resolution, Table};
pub use weather::{Station, WeatherHours, WeatherOf};

use crate::error::{Error, Result, nearest};
use overlay::{Overlay, UserRow};
use record::{Load, shared};
use std::sync::OnceLock;
use table::Store;
use xxhash_rust::xxh3::Xxh3;

/// The tables, with or without a user's overlay. Reading is lazy, sharing between threads is free.
#[derive(Debug, Default)]
pub struct Catalog {
    overlay: Option<Overlay>,
    hash: OnceLock<String>,
    shelves: Shelves,
}

/// A kind's rows, or why they could not be read.
type Shelf<T> = OnceLock<Result<Store<T>>>;

/// A kind that stands on a shelf of the catalog.
trait Shelved: Load + 'static {
    const TABLE: &'static str;
    fn shelf(shelves: &Shelves) -> &Shelf<Self>;
}

macro_rules! kinds {
    ($($(#[$doc:meta])* $kind:ident $all:ident $plural:literal: $record:ident,)+) => {
        #[derive(Debug, Default)]
        struct Shelves {
            $($kind: Shelf<$record>,)+
        }

        $(impl Shelved for $record {
            const TABLE: &'static str = stringify!($kind);
            fn shelf(shelves: &Shelves) -> &Shelf<Self> {
                &shelves.$kind
            }
        })+

        impl Catalog {
            /// The kinds, as the command names them.
            pub const KINDS: [&'static str; 18] = [$($plural),+];

            $($(#[$doc])*
            ///
            /// # Errors
            /// [`Error::UnknownName`] with the nearest ids, [`Error::AmbiguousName`] with the candidates.
            pub fn $kind(&self, name: &str) -> Result<Resolved<'_, $record>> {
                self.store::<$record>()?.resolve(name)
            }

            #[doc = concat!("All ", $plural, ", in the order of the file.")]
            ///
            /// # Errors
            /// [`Error::CatalogRow`] where a row breaks a rule.
            pub fn $all(&self) -> Result<&[$record]> {
                Ok(&self.store::<$record>()?.rows)
            })+

            /// A kind as rows of cells; `kind` is one of [`Catalog::KINDS`].
            ///
            /// # Errors
            /// [`Error::UnknownName`] for a kind that does not exist.
            pub fn table(&self, kind: &str) -> Result<Table<'_>> {
                match kind {
                    $($plural => Ok(self.store::<$record>()?.table($plural)),)+
                    _ => Err(unknown_kind(kind)),
                }
            }

            /// One row of a kind as columns and cells, found by any of its names.
            ///
            /// # Errors
            /// [`Error::UnknownName`] for a kind or a name that does not exist, [`Error::AmbiguousName`].
            pub fn item(&self, kind: &str, name: &str) -> Result<Vec<(&'static Column, Cell<'_>)>> {
                match kind {
                    $($plural => self.store::<$record>()?.item(name),)+
                    _ => Err(unknown_kind(kind)),
                }
            }

            /// How a name leads to its row.
            ///
            /// # Errors
            /// As [`Catalog::item`].
            pub fn resolution(&self, kind: &str, name: &str) -> Result<Resolution> {
                match kind {
                    $($plural => self.store::<$record>()?.resolution(name),)+
                    _ => Err(unknown_kind(kind)),
                }
            }

            /// The rows of a kind that a text is found in: their id and first words, or a name that means them.
            ///
            /// # Errors
            /// [`Error::UnknownName`] for a kind that does not exist.
            pub fn search(&self, kind: &str, text: &str) -> Result<Table<'_>> {
                match kind {
                    $($plural => {
                        let store = self.store::<$record>()?;
                        Ok(store.rows_of($plural, store.search(text)?))
                    })+
                    _ => Err(unknown_kind(kind)),
                }
            }

            /// The columns of a kind with unit, band and meaning.
            ///
            /// # Errors
            /// [`Error::UnknownName`] for a kind that does not exist.
            pub fn columns(kind: &str) -> Result<&'static [Column]> {
                match kind {
                    $($plural => Ok(<$record as Record>::COLUMNS),)+
                    _ => Err(unknown_kind(kind)),
                }
            }

            /// Reads what the overlay touches, so that its errors come at once.
            fn check_overlay(&self, overlay: &Overlay) -> Result<()> {
                $(if overlay.touches(<$record as Shelved>::TABLE) {
                    self.store::<$record>()?;
                })+
                Ok(())
            }

            /// Every data file, by name.
            fn files() -> Vec<&'static record::File> {
                let mut files: Vec<&'static record::File> = Vec::new();
                $(files.extend(<$record as Load>::FILES);
                files.extend(<$record as Load>::MORE);
                files.extend(const { &<$record as Load>::ALIASES });)+
                files.sort_by_key(|file| file.name);
                files
            }
        }
    };
}

kinds! {
    /// An accelerator by id, driver name or short name: `h100-sxm5-80gb`, `NVIDIA H100 80GB HBM3`, `h100`.
    hardware all_hardware "hardware": Hardware,
    /// A server or cloud instance by id: `dgx-h100`, `p5.48xlarge`.
    server all_servers "servers": Server,
    /// A model by id or by a name that a provider, a repository or a served path gives it.
    model all_models "models": Model,
    /// A serving engine by id or version: `vllm-0.11.1`, `vllm-0.11`.
    engine all_engines "engines": Engine,
    /// A site by id, region, availability zone, display name or airport code: `aws/us-east-1`, `East US 2`, `iad`.
    site all_sites "sites": Site,
    /// A grid by id or name, whatever the case: `DEU`, `Germany`, `World`, `gcp:us-east4`, `egrid:ERCT`.
    grid all_grids "grids": Grid,
    /// A cooling system by id: `water-chiller-economiser`, `unknown`.
    cooling all_cooling "cooling": Cooling,
    /// A class of power chain by id: `modern`.
    power_chain all_power_chains "power-chains": PowerChain,
    /// A weather station by id: `singapore-sg`.
    weather all_weather "weather": Station,
    /// An hourly series of a grid by id: `eia930:PJM`, `avert:MIDA`.
    grid_hours all_grid_hours "grid-hours": GridHours,
    /// A technology of generation by id: `coal`, `gas-combined-cycle-dry`.
    technology all_technologies "generation": Technology,
    /// An embodied item by id or name.
    embodied all_embodied "embodied": Embodied,
    /// A process node by id: `7nm`.
    fab_node all_fab_nodes "fab-nodes": FabNode,
    /// A line of a bill of materials by id: `module-thermal`.
    bill_line all_bill_lines "bills": BillLine,
    /// An everyday equivalent by id: `car-km`.
    equivalent all_equivalents "equivalents": Equivalent,
    /// A diffusion model's denoiser by id or repository; [`Catalog::denoiser`] knows the names of models too.
    diffusion all_diffusion "diffusion": Diffusion,
    /// A parameter of the diffusion method by set and symbol: `diffusion-2026.11/phi0`.
    diffusion_parameter all_diffusion_parameters "diffusion-parameters": DiffusionParameter,
    /// A value of a parameter set by id: `V12/method/*/*/eta_w`.
    parameter all_parameters "parameters": Parameter,
}

impl Catalog {
    /// The tables of the package.
    #[must_use]
    pub fn builtin() -> &'static Self {
        static BUILTIN: OnceLock<Catalog> = OnceLock::new();
        BUILTIN.get_or_init(Self::default)
    }

    /// The tables of the package under a user's own rows and names, written in TOML.
    ///
    /// A row with a known `id` replaces the cells it gives; a new `id` adds a row and needs `source` and `quality`.
    /// An `[[alias]]` gives a row another name, exactly, as a glob or as a regular expression. `place` names the text
    /// in messages.
    ///
    /// ```
    /// use wattledger::catalog::{Catalog, Quality, Record};
    ///
    /// let text = "[[hardware]]\nid = \"h100\"\ntdp_w = 600\n";
    /// assert!(Catalog::with_overlay(text, "my.toml").is_err(), "a new row needs more than one cell");
    ///
    /// let text = "[[hardware]]\nid = \"h100-sxm5-80gb\"\nidle_w = 68.5\nquality = \"measured\"\n";
    /// let catalog = Catalog::with_overlay(text, "my.toml")?;
    /// let h100 = catalog.hardware("h100")?.row;
    /// assert_eq!((h100.idle_w, h100.tdp_w), (Some(68.5), Some(700.0)));
    /// assert_eq!(h100.provenance.of("idle_w").source, "user overlay");
    /// assert_eq!(h100.cell_quality("idle_w"), Quality::Measured);
    /// # Ok::<(), wattledger::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::FleetSyntax`] for text that is no TOML, [`Error::UnknownKey`] for a table or column that does not
    /// exist, [`Error::CatalogRow`] for a row that breaks a rule, [`Error::UnknownName`] for a name of nothing.
    pub fn with_overlay(toml_text: &str, place: &str) -> Result<Self> {
        Self::with_overlays(&[(toml_text.to_owned(), place.to_owned())])
    }

    /// The same with several overlays, each a text and its place; a later one goes over an earlier one.
    ///
    /// # Errors
    /// As [`Catalog::with_overlay`].
    pub fn with_overlays(texts: &[(String, String)]) -> Result<Self> {
        let mut overlay = Overlay::default();
        for (text, place) in texts {
            overlay.add(Overlay::parse(text, place)?);
        }
        let catalog = Self { overlay: Some(overlay.clone()), ..Self::default() };
        catalog.check_overlay(&overlay)?;
        Ok(catalog)
    }

    /// The factors that hold at a site, each from the grid that the site names for it.
    ///
    /// # Errors
    /// [`Error::UnknownName`] where an overlay names a grid that does not exist.
    pub fn site_grid<'a>(&'a self, site: &'a Site) -> Result<SiteGrid<'a>> {
        let grid = |id: &Option<String>| id.as_ref().map(|id| self.grid(id).map(|found| found.row)).transpose();
        Ok(SiteGrid::new(site, grid(&site.grid_direct)?, grid(&site.grid_lifecycle)?, grid(&site.grid_water)?))
    }

    /// The day the tables were compiled.
    #[must_use]
    pub const fn edition() -> &'static str {
        "2026-11-28"
    }

    /// XXH3-128 over every data file and the overlay, in hexadecimal: the same hash, the same numbers.
    #[must_use]
    pub fn content_hash(&self) -> &str {
        self.hash.get_or_init(|| {
            let mut hash = Xxh3::new();
            let overlay = self.overlay.iter().map(|overlay| ("overlay", overlay.text.as_str()));
            let files = Self::files().into_iter().flat_map(|file| {
                std::iter::once((file.name, file.text)).chain(file.sources.map(|text| ("sources", text)))
            });
            let texts = files.chain(overlay).map(|(name, text)| (name, text.as_bytes()));
            let series = [("weather.parquet", weather::SERIES), ("grid-hours.parquet", grid_hours::SERIES)];
            for (name, bytes) in texts.chain(series) {
                hash.update(name.as_bytes());
                hash.update(&(bytes.len() as u64).to_le_bytes());
                hash.update(bytes);
            }
            format!("{:032x}", hash.digest128())
        })
    }

    /// The rows of a kind; the package's own where the overlay says nothing about it.
    fn store<T: Shelved>(&self) -> Result<&Store<T>> {
        let overlay = self.overlay.as_ref().filter(|overlay| overlay.touches(T::TABLE));
        let catalog = if self.overlay.is_some() && overlay.is_none() { Self::builtin() } else { self };
        let store = T::shelf(&catalog.shelves).get_or_init(|| {
            let Some(overlay) = overlay else { return Store::load(&[], &[]) };
            let rows: Vec<UserRow> = overlay.rows.iter().filter(|row| row.table == T::TABLE).cloned().collect();
            let aliases: Vec<_> = overlay.aliases.iter().filter(|alias| alias.kind == T::TABLE).cloned().collect();
            Store::load(&rows, &aliases)
        });
        shared(store)
    }
}

impl Overlay {
    fn touches(&self, table: &str) -> bool {
        self.rows.iter().any(|row| row.table == table) || self.aliases.iter().any(|alias| alias.kind == table)
    }
}

fn unknown_kind(kind: &str) -> Error {
    Error::UnknownName { kind: "catalog kind", name: kind.to_owned(), nearest: nearest(kind, Catalog::KINDS) }
}
