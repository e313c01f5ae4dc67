//! Errors as Python exceptions: one base, and Python's own words where it has them.

use crate::error::{Code, Error};
use pyo3::prelude::*;

/// The exception class, in `wattledger._errors`, that an error is raised as.
fn class(code: Code) -> &'static str {
    match code {
        Code::FileNotFound => "InputNotFoundError",
        Code::FileAccess => "InputAccessError",
        Code::UnknownName | Code::AmbiguousName => "UnknownNameError",
        Code::Overflow => "SumOverflowError",
        Code::FleetSyntax | Code::UnknownKey | Code::OutOfRange | Code::FleetConflict | Code::RouteClaimedTwice => {
            "FleetError"
        }
        Code::LedgerMismatch | Code::LedgerOverlap => "LedgerError",
        Code::CatalogRow => "CatalogError",
        Code::FileDamaged
        | Code::FileKind
        | Code::NothingToRead
        | Code::MissingColumns
        | Code::ColumnType
        | Code::DuplicateColumn
        | Code::ColumnMap
        | Code::Argument
        | Code::Measurements
        | Code::Interrupted => "InputError",
    }
}

impl From<Error> for PyErr {
    fn from(error: Error) -> Self {
        if error.code() == Code::Interrupted {
            return pyo3::exceptions::PyKeyboardInterrupt::new_err(error.to_string());
        }
        Python::attach(|py| {
            let raised = py.import("wattledger._errors").and_then(|module| {
                module.getattr(class(error.code()))?.call1((error.to_string(), error.code().name(), error.hint()))
            });
            raised.map_or_else(|failed| failed, PyErr::from_value)
        })
    }
}
