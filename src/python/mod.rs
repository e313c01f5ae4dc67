//! The porch: the crate's public doors as a Python module. It signs, calls and maps errors; it computes nothing.
#![expect(clippy::needless_pass_by_value, reason = "PyO3 hands arguments over by value")]

mod annotate;
mod arrow;
mod calibration;
mod catalog;
mod columns;
mod errors;
mod estimate;
mod fleet;
mod ledger;
mod scan;
mod training;
mod validation;
mod wait;

use pyo3::prelude::*;

/// The compiled part of `wattledger`.
#[pymodule(name = "_engine")]
mod engine {
    #[pymodule_export]
    use super::annotate::{AnnotatedBatches, AnnotatedRows, Annotator, check_twice_readable, hold};
    #[pymodule_export]
    use super::calibration::{calibrate_point, calibrate_series, edit_fleet};
    #[pymodule_export]
    use super::catalog::{
        accelerator_burden, catalog_edition, catalog_from_config, catalog_item, catalog_kinds, catalog_resolution,
        catalog_search, catalog_table,
    };
    #[pymodule_export]
    use super::estimate::{Estimate, EstimateTable};
    #[pymodule_export]
    use super::fleet::{Fleet, RequestEstimate, SiteHours, cooling_at, estimate_columns, fleet_keys, series_columns};
    #[pymodule_export]
    use super::ledger::{Ledger, merge};
    #[pymodule_export]
    use super::scan::{check_not_read, formats, scan_columns, scan_paths, scan_stream, ways_out, write_whole};
    #[pymodule_export]
    use super::training::{TrainingEstimate, run_groups, run_keys, train_file, train_tables};
    #[pymodule_export]
    use super::validation::{InferenceMeasurements, validate, validation_kinds};
    use pyo3::prelude::*;

    #[pymodule_init]
    fn init(module: &Bound<'_, PyModule>) -> PyResult<()> {
        module.add("__version__", env!("CARGO_PKG_VERSION"))?;
        module.add("method_edition", crate::estimate::METHOD_EDITION)?;
        module.add("debug_build", cfg!(debug_assertions))?;
        Ok(())
    }
}

/// JSON text as Python objects.
fn loads<'py>(py: Python<'py>, json: &str) -> PyResult<Bound<'py, PyAny>> {
    py.import("json")?.call_method1("loads", (json,))
}
