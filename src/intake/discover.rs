//! Discovery: from paths, patterns and folders to the sources they stand for, in a stable order.

use crate::error::{Error, Result};
use std::collections::HashSet;
use std::fs;
use std::path::{Path, PathBuf};

/// Endings a folder is searched for, each also with one of [`PACKED`].
const LOGS: [&str; 9] = ["jsonl", "ndjson", "json", "log", "csv", "parquet", "arrow", "arrows", "feather"];
const PACKED: [&str; 2] = [".gz", ".zst"];

/// One input.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// A file, a FIFO or anything else that can be opened and read to its end.
    Path(PathBuf),
    /// The standard input.
    Stdin,
}

impl Source {
    /// The name in messages and in the account.
    #[must_use]
    pub fn name(&self) -> String {
        match self {
            Self::Path(path) => path.to_string_lossy().into_owned(),
            Self::Stdin => "stdin".into(),
        }
    }

    pub(super) fn path(&self) -> PathBuf {
        match self {
            Self::Path(path) => path.clone(),
            Self::Stdin => "stdin".into(),
        }
    }
}

/// The sources these places stand for: files by name, `-` for the standard input, folders searched in depth for the
/// endings of logs, patterns with `*`, `?`, `[…]` and `**`. A file named twice is one source.
///
/// # Errors
/// [`Error::FileNotFound`] for a place that does not exist, [`Error::NothingToRead`] for a folder or pattern without a
/// log, [`Error::FileAccess`] where the system refuses.
pub fn discover<P: AsRef<Path>>(places: &[P]) -> Result<Vec<Source>> {
    let mut found = Found::default();
    for place in places {
        let place = place.as_ref();
        if place == Path::new("-") {
            found.stdin();
        } else if place.exists() || place.is_symlink() {
            found.place(place)?;
        } else {
            found.pattern(place)?;
        }
    }
    Ok(found.sources)
}

#[derive(Default)]
struct Found {
    sources: Vec<Source>,
    seen: HashSet<PathBuf>,
}

impl Found {
    fn stdin(&mut self) {
        if !self.sources.contains(&Source::Stdin) {
            self.sources.push(Source::Stdin);
        }
    }

    fn file(&mut self, path: &Path) {
        let canonical = path.canonicalize().unwrap_or_else(|_| path.to_owned());
        if self.seen.insert(canonical) {
            self.sources.push(Source::Path(path.to_owned()));
        }
    }

    fn place(&mut self, path: &Path) -> Result<()> {
        let metadata = fs::metadata(path).map_err(|error| access(path, &error))?;
        if !metadata.is_dir() {
            self.file(path);
            return Ok(());
        }
        let mut logs = Vec::new();
        logs_in(path, &mut logs)?;
        if logs.is_empty() {
            return Err(Error::NothingToRead { place: path.to_string_lossy().into_owned() });
        }
        for log in &logs {
            self.file(log);
        }
        Ok(())
    }

    fn pattern(&mut self, place: &Path) -> Result<()> {
        let text = place.to_string_lossy();
        if !text.contains(['*', '?', '[']) {
            return Err(Error::FileNotFound { path: place.to_owned() });
        }
        let paths = glob::glob(&text).map_err(|error| Error::Argument {
            what: "pattern".into(),
            value: text.to_string(),
            expected: format!("a pattern of paths ({error})"),
        })?;
        let mut none = true;
        for path in paths {
            let path = path.map_err(|error| access(error.path(), error.error()))?;
            if path.is_dir() {
                let mut logs = Vec::new();
                logs_in(&path, &mut logs)?;
                none &= logs.is_empty();
                for log in &logs {
                    self.file(log);
                }
            } else {
                none = false;
                self.file(&path);
            }
        }
        if none { Err(Error::NothingToRead { place: text.into_owned() }) } else { Ok(()) }
    }
}

/// Logs below a folder, sorted by path; linked folders are not entered, so that a loop of links has an end.
fn logs_in(folder: &Path, logs: &mut Vec<PathBuf>) -> Result<()> {
    let entries = fs::read_dir(folder).and_then(Iterator::collect::<std::io::Result<Vec<_>>>);
    let mut entries = entries.map_err(|error| access(folder, &error))?;
    entries.sort_by_key(fs::DirEntry::file_name);
    for entry in entries {
        let path = entry.path();
        let kind = entry.file_type().map_err(|error| access(&path, &error))?;
        if kind.is_dir() {
            logs_in(&path, logs)?;
        } else if is_log(&path) && fs::metadata(&path).is_ok_and(|metadata| metadata.is_file()) {
            logs.push(path);
        }
    }
    Ok(())
}

fn is_log(path: &Path) -> bool {
    ending(path).is_some_and(|ending| LOGS.contains(&ending.as_str()))
}

/// The ending of a name below its packing: `csv` for `a.CSV.gz`.
pub(super) fn ending(path: &Path) -> Option<String> {
    let name = path.file_name()?.to_string_lossy().to_lowercase();
    let plain = PACKED.iter().find_map(|packed| name.strip_suffix(packed)).unwrap_or(&name);
    plain.rsplit_once('.').map(|(_, ending)| ending.to_owned())
}

pub(super) fn access(path: &Path, error: &std::io::Error) -> Error {
    match error.kind() {
        std::io::ErrorKind::NotFound => Error::FileNotFound { path: path.to_owned() },
        _ => Error::FileAccess { path: path.to_owned(), problem: error.to_string() },
    }
}
