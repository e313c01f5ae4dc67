//! Birth certificates: where a row comes from, down to the cell.

use super::record::Column;

/// How a value came to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Quality {
    /// Read from a meter or a published test.
    Measured,
    /// Stated by the maker or the operator.
    Vendor,
    /// Worked out from values that are stated or measured.
    Derived,
    /// Chosen, recalled or estimated; nothing to point at.
    Assumed,
}

impl Quality {
    /// Every quality, best first.
    pub const ALL: [Self; 4] = [Self::Measured, Self::Vendor, Self::Derived, Self::Assumed];

    /// The word in files and JSON.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Measured => "measured",
            Self::Vendor => "vendor",
            Self::Derived => "derived",
            Self::Assumed => "assumed",
        }
    }

    /// The quality of that name.
    pub(super) fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|quality| quality.name() == word)
    }
}

/// Where one value comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Origin<'a> {
    /// Title, repository and commit, or document.
    pub source: &'a str,
    /// Day it was read, `YYYY-MM-DD`; `user` in a row of an overlay.
    pub retrieved: &'a str,
    /// Licence of the row; `facts` where only facts were taken.
    pub licence: &'a str,
    /// How the value came to be.
    pub quality: Quality,
}

/// Where a row comes from, down to the cell.
#[derive(Clone, Debug, PartialEq)]
pub struct Provenance {
    /// Title, repository and commit, or document.
    pub source: String,
    /// Day it was read, `YYYY-MM-DD`; `user` in a row of an overlay.
    pub retrieved: String,
    /// Licence of the row; `facts` where only facts were taken.
    pub licence: String,
    /// Quality of the row as a whole; a cell may be worse.
    pub quality: Quality,
    pub(super) assumed: String,
    pub(super) cell_origins: Vec<CellOrigin>,
}

/// Where one cell comes from, when that is not where its row comes from: an overlay, a joined file.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct CellOrigin {
    pub column: &'static str,
    pub source: String,
    pub retrieved: String,
    pub licence: String,
    pub quality: Quality,
}

impl Provenance {
    /// Where the value of one column comes from: an overlay or a joined file, or the row, with `assumed` where the cell has no document.
    #[must_use]
    pub fn of(&self, column: &str) -> Origin<'_> {
        if let Some(cell) = self.cell_origins.iter().rev().find(|cell| cell.column == column) {
            let CellOrigin { source, retrieved, licence, quality, .. } = cell;
            return Origin { source, retrieved, licence, quality: *quality };
        }
        let assumed = self.assumed.split_ascii_whitespace().any(|name| name == column);
        Origin {
            source: &self.source,
            retrieved: &self.retrieved,
            licence: &self.licence,
            quality: if assumed { Quality::Assumed } else { self.quality },
        }
    }

    /// Takes the sources of single cells from `source: columns; source: columns`; what a user replaced stays the user's.
    /// A source may be a key of a list. What is cited is of this quality, unless its source says that it is derived.
    pub(super) fn cite(
        &mut self,
        cell_sources: &str,
        columns: &'static [Column],
        keys: &[(&str, &str)],
        cited_is: Quality,
    ) {
        let mut cited = Vec::new();
        for (source, names) in cell_sources.split("; ").filter_map(|entry| entry.rsplit_once(": ")) {
            let quality = if source.starts_with("derived") { Quality::Derived } else { cited_is };
            let source = keys.iter().find(|(key, _)| *key == source).map_or(source, |(_, meant)| meant);
            for name in names.split_ascii_whitespace() {
                let Some(column) = columns.iter().find(|column| column.name == name) else { continue };
                let assumed = self.assumed.split_ascii_whitespace().any(|assumed| assumed == name);
                cited.push(CellOrigin {
                    column: column.name,
                    source: source.to_owned(),
                    retrieved: self.retrieved.clone(),
                    licence: self.licence.clone(),
                    quality: if assumed { Quality::Assumed } else { quality },
                });
            }
        }
        cited.append(&mut self.cell_origins);
        self.cell_origins = cited;
    }

    /// Quality of the value of one column.
    #[must_use]
    pub fn cell_quality(&self, column: &str) -> Quality {
        self.of(column).quality
    }
}
