//! Errors that read like a colleague: what is wrong, where, with which value, and the way out.
//!
//! The list is closed. Every error has a stable [`Code`]; `tests/errors.rs` triggers each of them through a public door
//! and keeps its sentence as a snapshot, so an error without a sample fails the suite.

mod text;

use std::fmt;
use std::path::PathBuf;

pub use text::{excerpt, nearest};

/// The result of anything that can go wrong here.
pub type Result<T> = std::result::Result<T, Error>;

/// What went wrong, with the value and the place.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
#[expect(missing_docs, reason = "fields are named for what they hold, and each stands in the sentence of its error")]
pub enum Error {
    /// A named file or folder does not exist.
    FileNotFound { path: PathBuf },
    /// The operating system refused to read or write.
    FileAccess { path: PathBuf, problem: String },
    /// The bytes break the rules of their container: truncated, checksum wrong, footer impossible.
    FileDamaged { path: PathBuf, problem: String },
    /// The file is of a kind that is not read, or not of the kind it has to be.
    FileKind { path: PathBuf, problem: String, hint: String },
    /// A glob or a folder holds no log.
    NothingToRead { place: String },
    /// Columns that are needed are not in the input.
    MissingColumns { place: String, missing: Vec<String>, found: Vec<String> },
    /// A column has a type its meaning does not allow.
    ColumnType { place: String, column: String, found: String, expected: String },
    /// Two columns carry one name.
    DuplicateColumn { place: String, column: String },
    /// The column map names something it cannot.
    ColumnMap { problem: String, hint: String },
    /// A name that no catalog row, format, column or zone carries.
    UnknownName { kind: &'static str, name: String, nearest: Vec<String> },
    /// A name that means more than one thing.
    AmbiguousName { kind: &'static str, name: String, candidates: Vec<String> },
    /// A catalog row breaks a rule: no source, no unit, outside the plausible band.
    CatalogRow { file: String, row: String, problem: String },
    /// A fleet file that cannot be understood.
    FleetSyntax { place: String, problem: String },
    /// A key that a table does not know.
    UnknownKey { place: String, key: String, nearest: Vec<String> },
    /// A value outside its limits.
    OutOfRange { place: String, what: String, value: String, low: f64, high: f64, unit: &'static str },
    /// Settings that contradict each other.
    FleetConflict { place: String, problem: String, hint: String },
    /// One route is claimed by two deployments.
    RouteClaimedTwice { route: String, first: String, second: String },
    /// A sum does not fit its integer.
    Overflow { what: String },
    /// Ledgers that cannot be added: other schema, other bins.
    LedgerMismatch { problem: String, hint: String },
    /// Ledgers that hold the same input.
    LedgerOverlap { input: String },
    /// An argument that has no meaning.
    Argument { what: String, value: String, expected: String },
    /// A file of measurements that cannot be understood.
    Measurements { place: String, problem: String },
    /// The user ended the run.
    Interrupted,
}

/// The stable name of an error, the same in Rust, Python and JSON.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
#[expect(missing_docs, reason = "each stands for the error of the same name, which says what it is")]
pub enum Code {
    FileNotFound,
    FileAccess,
    FileDamaged,
    FileKind,
    NothingToRead,
    MissingColumns,
    ColumnType,
    DuplicateColumn,
    ColumnMap,
    UnknownName,
    AmbiguousName,
    CatalogRow,
    FleetSyntax,
    UnknownKey,
    OutOfRange,
    FleetConflict,
    RouteClaimedTwice,
    Overflow,
    LedgerMismatch,
    LedgerOverlap,
    Argument,
    Measurements,
    Interrupted,
}

impl Code {
    /// Every code there is.
    pub const ALL: [Self; 23] = [
        Self::FileNotFound,
        Self::FileAccess,
        Self::FileDamaged,
        Self::FileKind,
        Self::NothingToRead,
        Self::MissingColumns,
        Self::ColumnType,
        Self::DuplicateColumn,
        Self::ColumnMap,
        Self::UnknownName,
        Self::AmbiguousName,
        Self::CatalogRow,
        Self::FleetSyntax,
        Self::UnknownKey,
        Self::OutOfRange,
        Self::FleetConflict,
        Self::RouteClaimedTwice,
        Self::Overflow,
        Self::LedgerMismatch,
        Self::LedgerOverlap,
        Self::Argument,
        Self::Measurements,
        Self::Interrupted,
    ];

    /// The name in snake case, as it stands in JSON and in Python's `error.code`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::FileNotFound => "file_not_found",
            Self::FileAccess => "file_access",
            Self::FileDamaged => "file_damaged",
            Self::FileKind => "file_kind",
            Self::NothingToRead => "nothing_to_read",
            Self::MissingColumns => "missing_columns",
            Self::ColumnType => "column_type",
            Self::DuplicateColumn => "duplicate_column",
            Self::ColumnMap => "column_map",
            Self::UnknownName => "unknown_name",
            Self::AmbiguousName => "ambiguous_name",
            Self::CatalogRow => "catalog_row",
            Self::FleetSyntax => "fleet_syntax",
            Self::UnknownKey => "unknown_key",
            Self::OutOfRange => "out_of_range",
            Self::FleetConflict => "fleet_conflict",
            Self::RouteClaimedTwice => "route_claimed_twice",
            Self::Overflow => "overflow",
            Self::LedgerMismatch => "ledger_mismatch",
            Self::LedgerOverlap => "ledger_overlap",
            Self::Argument => "argument",
            Self::Measurements => "measurements",
            Self::Interrupted => "interrupted",
        }
    }
}

impl Error {
    /// The stable code.
    #[must_use]
    pub fn code(&self) -> Code {
        match self {
            Self::FileNotFound { .. } => Code::FileNotFound,
            Self::FileAccess { .. } => Code::FileAccess,
            Self::FileDamaged { .. } => Code::FileDamaged,
            Self::FileKind { .. } => Code::FileKind,
            Self::NothingToRead { .. } => Code::NothingToRead,
            Self::MissingColumns { .. } => Code::MissingColumns,
            Self::ColumnType { .. } => Code::ColumnType,
            Self::DuplicateColumn { .. } => Code::DuplicateColumn,
            Self::ColumnMap { .. } => Code::ColumnMap,
            Self::UnknownName { .. } => Code::UnknownName,
            Self::AmbiguousName { .. } => Code::AmbiguousName,
            Self::CatalogRow { .. } => Code::CatalogRow,
            Self::FleetSyntax { .. } => Code::FleetSyntax,
            Self::UnknownKey { .. } => Code::UnknownKey,
            Self::OutOfRange { .. } => Code::OutOfRange,
            Self::FleetConflict { .. } => Code::FleetConflict,
            Self::RouteClaimedTwice { .. } => Code::RouteClaimedTwice,
            Self::Overflow { .. } => Code::Overflow,
            Self::LedgerMismatch { .. } => Code::LedgerMismatch,
            Self::LedgerOverlap { .. } => Code::LedgerOverlap,
            Self::Argument { .. } => Code::Argument,
            Self::Measurements { .. } => Code::Measurements,
            Self::Interrupted => Code::Interrupted,
        }
    }

    /// The way out, where there is one to tell.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        text::hint(self)
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        text::sentence(self, f)
    }
}

impl std::error::Error for Error {}
