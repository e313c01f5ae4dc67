//! The fleet: which deployments run where, and which log routes they serve.
//!
//! A fleet is what the user states, read from TOML and checked; nothing in it is resolved against a catalog yet except
//! that its own catalog rows are taken in. Every field has a default, and every default that an estimate uses is listed
//! with it. Unknown keys are errors.

mod check;
pub mod edit;
mod fields;
mod files;
mod keys;
mod read;
mod route;
mod run;
mod series;
mod site;
mod table;

pub use keys::{DEPLOYMENT_KEYS, Key, METER_KEYS, PHASE_KEYS, RUN_KEYS, RUN_TABLES, SITE_KEYS, TOP_KEYS};
pub use route::Match;
pub use run::{Again, Boundary, Generation, Kind, Overheads, Phase, Run};
pub use series::{METER_SERIES, REPLICA_SERIES, SITE_SERIES, SeriesColumn};
pub use site::{Allocation, Contract, Matching, Meter, Metered, Residual, Site};

use crate::catalog::Catalog;
use crate::hours::Series;
use crate::{Error, Result};
use files::{below, read_bytes, read_text};
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use xxhash_rust::xxh3::Xxh3;

/// Whether a deployment serves this load alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tenancy {
    /// Provisioned for this load: concurrency and idle follow from the log.
    Dedicated,
    /// Shared with load the log does not show, as behind any provider's API: concurrency is declared and no idle charged.
    Shared,
}

/// How many requests a replica runs at once.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Concurrency {
    /// From latency or arrivals in the log; dedicated deployments only.
    FromLog,
    /// As declared.
    Declared(f64),
}

/// One deployment as stated; `None` is left to a default.
#[derive(Clone, Debug, PartialEq)]
pub struct Deployment {
    /// Its name in tables and files.
    pub name: String,
    /// Catalog name of the model.
    pub model: String,
    /// Catalog name of the accelerator.
    pub hardware: String,
    /// Accelerators of one replica.
    pub devices: Option<f64>,
    /// Provisioned replicas.
    pub replicas: Option<f64>,
    /// See [`Tenancy`].
    pub tenancy: Option<Tenancy>,
    /// Share of the deployment's load that the logs show.
    pub log_fraction: f64,
    /// Precision of weights and compute, such as `fp8`.
    pub precision: Option<String>,
    /// Catalog name of the serving engine.
    pub engine: Option<String>,
    /// Catalog name of the server the accelerators sit in.
    pub server: Option<String>,
    /// See [`Concurrency`].
    pub concurrency: Option<Concurrency>,
    /// Most requests the engine runs at once.
    pub max_concurrency: Option<f64>,
    /// Name of a site of this fleet or of the catalog.
    pub site: Option<String>,
    /// Provisioned replicas by the hour, where they are scaled.
    pub replica_hours: Option<Series>,
    /// Hours, since 1970, from which and before which it is provisioned, whether the log shows requests or not.
    pub provisioned: Option<(i64, i64)>,
    /// Which routes it serves.
    pub routes: Option<Match>,
    /// Precision of the key-value cache, such as `fp8`.
    pub kv_precision: Option<String>,
    /// Share of the weights that a compressed format leaves out.
    pub sparsity: Option<f64>,
    /// Groups of devices that serve their own sequences with their own attention weights.
    pub data_parallel: Option<f64>,
    /// Stages of consecutive layers.
    pub pipeline_parallel: Option<f64>,
    /// Accelerators of a replica that only prefill, beside those that decode.
    pub prefill_devices: Option<f64>,
    /// Where cached tokens are kept: memory, host, flash or network.
    pub cache_tier: Option<String>,
    /// Speculative decoding: tokens drafted per step.
    pub draft_tokens: Option<f64>,
    /// Chance that a drafted token is accepted.
    pub draft_acceptance: Option<f64>,
    /// Weights of the draft.
    pub draft_params: Option<f64>,
    /// Metered over estimated energy.
    pub energy_scale: Option<f64>,
    /// Metered over estimated time.
    pub time_scale: Option<f64>,
    /// Requests a replica ran at once when it was metered; `None` for a meter over many loads.
    pub metered_concurrency: Option<f64>,
    /// Share of the input tokens that an encoder made of images, video or sound.
    pub media_share: Option<f64>,
    /// Service life of its machines.
    pub lifetime_years: Option<f64>,
    /// Year in which they were bought.
    pub purchase_year: Option<f64>,
    /// A published footprint that stands for its accelerators.
    pub embodied: Option<String>,
}

impl Deployment {
    /// A deployment of which nothing else is stated.
    #[must_use]
    pub fn plain(name: impl Into<String>, model: impl Into<String>, hardware: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            model: model.into(),
            hardware: hardware.into(),
            devices: None,
            replicas: None,
            tenancy: None,
            log_fraction: 1.0,
            precision: None,
            engine: None,
            server: None,
            concurrency: None,
            max_concurrency: None,
            site: None,
            replica_hours: None,
            provisioned: None,
            routes: None,
            kv_precision: None,
            sparsity: None,
            data_parallel: None,
            pipeline_parallel: None,
            prefill_devices: None,
            cache_tier: None,
            draft_tokens: None,
            draft_acceptance: None,
            draft_params: None,
            energy_scale: None,
            time_scale: None,
            metered_concurrency: None,
            media_share: None,
            lifetime_years: None,
            purchase_year: None,
            embodied: None,
        }
    }
}

/// Deployments, sites and the catalog they name; immutable once read.
///
/// ```
/// let fleet = wattledger::fleet::Fleet::parse(r#"
///     [[deployment]]
///     name = "llama70b-iad"
///     model = "llama-3.1-70b-instruct"
///     hardware = "h100-sxm-80gb"
///     devices = 4
///     replicas = 8
///     site = "iad"
///
///     [site.iad]
///     catalog = "aws/us-east-1"
///     pue = 1.15
/// "#, "fleet.toml")?;
/// assert_eq!(fleet.deployments()[0].replicas, Some(8.0));
/// # Ok::<(), wattledger::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Fleet {
    deployments: Vec<Deployment>,
    sites: BTreeMap<String, Site>,
    meters: Vec<Meter>,
    allocation: Allocation,
    parameter_set: Option<String>,
    /// The catalog with the fleet's own rows; `None` is the built-in one.
    catalog: Option<Arc<Catalog>>,
    place: String,
    digest: String,
}

impl Fleet {
    /// The fleet of a log nothing is known of: no deployment, so that every route is assumed from its model's name.
    #[must_use]
    pub fn assumed() -> Self {
        Self {
            deployments: Vec::new(),
            sites: BTreeMap::new(),
            meters: Vec::new(),
            allocation: Allocation::Average,
            parameter_set: None,
            catalog: None,
            place: "default fleet".into(),
            digest: digest(""),
        }
    }

    /// A fleet from TOML; `place` names it in messages.
    ///
    /// # Errors
    /// [`Error::FleetSyntax`], [`Error::UnknownKey`], [`Error::OutOfRange`], [`Error::FleetConflict`] or a catalog error.
    pub fn parse(text: &str, place: &str) -> Result<Self> {
        Self::build(text, place, Path::new(""))
    }

    /// A fleet whose files of catalog rows are looked for from this folder on.
    fn build(text: &str, place: &str, folder: &Path) -> Result<Self> {
        let mut read = read::read(text, place)?;
        let mut used = Xxh3::new();
        used.update(text.as_bytes());
        // The digest covers what stands in the files of series as well.
        let mut series = |files: &[String], known: &[SeriesColumn]| -> Result<_> {
            let mut found = BTreeMap::new();
            for file in files {
                let path = below(folder, file, place)?;
                used.update(&read_bytes(&path)?);
                for (column, values) in series::read(&path, known)? {
                    if found.insert(column, values).is_some() {
                        let problem = format!("two files of series have a column `{column}`: the second is {file}");
                        return Err(Error::FleetSyntax { place: place.into(), problem });
                    }
                }
            }
            Ok(found)
        };
        for site in read.sites.values_mut() {
            site.series = series(&site.series_files, &SITE_SERIES)?;
        }
        for meter in &mut read.meters {
            meter.series = series(std::slice::from_ref(&meter.file), &METER_SERIES)?;
        }
        for (at, file) in &read.replica_files {
            let mut found = series(std::slice::from_ref(file), &REPLICA_SERIES)?;
            read.deployments[*at].replica_hours = found.remove("replicas");
        }
        check::meters(&read, place)?;
        let mut overlays = Vec::new();
        for file in &read.files {
            let path = below(folder, file, place)?;
            overlays.push((table::rows(&path, &read_text(&path)?)?, path.to_string_lossy().into_owned()));
        }
        if !read.overlay.is_empty() {
            overlays.push((read.overlay.clone(), place.to_owned()));
        }
        let catalog = if overlays.is_empty() { None } else { Some(Arc::new(Catalog::with_overlays(&overlays)?)) };
        Ok(Self {
            deployments: read.deployments,
            sites: read.sites,
            meters: read.meters,
            allocation: read.allocation,
            parameter_set: read.parameter_set,
            catalog,
            place: place.into(),
            digest: format!("{:032x}", used.digest128()),
        })
    }

    /// A fleet from a file.
    ///
    /// # Errors
    /// [`Error::FileNotFound`], [`Error::FileAccess`], and as [`Fleet::parse`].
    pub fn load(path: &Path) -> Result<Self> {
        let text = read_text(path)?;
        let folder = path.parent().unwrap_or_else(|| Path::new(""));
        Self::build(&text, &path.to_string_lossy(), folder)
    }

    /// The same with the digest of another text.
    fn digested_with(self, text: &str) -> Self {
        let digest = digest(&format!("{}{text}", self.digest));
        Self { digest, ..self }
    }

    /// The same sites and catalog without deployments.
    #[must_use]
    pub fn without_deployments(&self) -> Self {
        Self { deployments: Vec::new(), ..self.clone() }
    }

    /// The same with another cooling system at a site of this fleet, or at one of the catalog by its name.
    #[must_use]
    pub fn with_cooling(&self, site: &str, cooling: &str) -> Self {
        let mut fleet = self.clone();
        let of_catalog = || Site { catalog: Some(site.to_owned()), ..Site::default() };
        let stated = fleet.sites.entry(site.to_owned()).or_insert_with(of_catalog);
        stated.cooling = Some(cooling.to_owned());
        fleet
    }

    /// The same with these scales in every deployment; `None` leaves what is stated there.
    #[must_use]
    pub fn with_scales(&self, energy: Option<f64>, time: Option<f64>) -> Self {
        let mut fleet = self.clone();
        for deployment in &mut fleet.deployments {
            deployment.energy_scale = energy.or(deployment.energy_scale);
            deployment.time_scale = time.or(deployment.time_scale);
        }
        fleet
    }

    /// The deployments as stated.
    #[must_use]
    pub fn deployments(&self) -> &[Deployment] {
        &self.deployments
    }

    /// The sites as stated, by name.
    #[must_use]
    pub fn sites(&self) -> &BTreeMap<String, Site> {
        &self.sites
    }

    /// The meters beside the estimate.
    #[must_use]
    pub fn meters(&self) -> &[Meter] {
        &self.meters
    }

    /// How the overhead of a site is charged.
    #[must_use]
    pub fn allocation(&self) -> Allocation {
        self.allocation
    }

    /// The parameter set of the inference method, where one is named.
    #[must_use]
    pub fn parameter_set(&self) -> Option<&str> {
        self.parameter_set.as_deref()
    }

    /// The catalog with the fleet's own rows in it.
    #[must_use]
    pub fn catalog(&self) -> &Catalog {
        self.catalog.as_deref().unwrap_or_else(|| Catalog::builtin())
    }

    /// Where the fleet was read from.
    #[must_use]
    pub fn place(&self) -> &str {
        &self.place
    }

    /// xxh3-128 of the text.
    #[must_use]
    pub fn digest(&self) -> &str {
        &self.digest
    }

    /// Sliding windows of the fleet's models, in tokens: what a scan has to keep for this fleet besides the moments.
    ///
    /// # Errors
    /// [`Error::UnknownName`] or [`Error::AmbiguousName`] for a model that is not known.
    pub fn windows(&self) -> Result<Vec<u32>> {
        let mut windows = Vec::new();
        for deployment in &self.deployments {
            let model = self.catalog().model(&deployment.model)?;
            windows.extend(model.row.sliding_window());
        }
        windows.sort_unstable();
        windows.dedup();
        Ok(windows)
    }
}

fn digest(text: &str) -> String {
    format!("{:032x}", xxhash_rust::xxh3::xxh3_128(text.as_bytes()))
}
