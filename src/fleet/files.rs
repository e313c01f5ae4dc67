//! Files that a fleet file names: they lie below its folder.

use crate::error::excerpt;
use crate::{Error, Result};
use std::path::{Component, Path, PathBuf};

/// The bytes of a file.
pub(super) fn read_bytes(path: &Path) -> Result<Vec<u8>> {
    std::fs::read(path).map_err(|error| match error.kind() {
        std::io::ErrorKind::NotFound => Error::FileNotFound { path: path.into() },
        _ => Error::FileAccess { path: path.into(), problem: error.to_string() },
    })
}

/// A file named in a fleet: it lies below the folder of the fleet's file, so that a file from somewhere else cannot read
/// what is not its own.
pub(super) fn below(folder: &Path, file: &str, place: &str) -> Result<PathBuf> {
    let parts = Path::new(file).components();
    if file.is_empty() || parts.into_iter().any(|part| !matches!(part, Component::Normal(_) | Component::CurDir)) {
        let problem = format!("`{}` leads out of the folder of the fleet file; put the file below it", excerpt(file));
        return Err(Error::FleetSyntax { place: place.into(), problem });
    }
    let path = folder.join(file);
    // A link inside the folder may still lead out of it.
    let inside = |folder: &Path| path.canonicalize().ok()?.strip_prefix(folder.canonicalize().ok()?).ok().map(|_| ());
    let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
    if !path.exists() {
        let problem = format!("there is no file `{}`, looked for at {}", excerpt(file), path.display());
        return Err(Error::FleetSyntax { place: place.into(), problem });
    }
    if inside(folder).is_none() {
        let problem = format!("`{}` is a link out of the folder of the fleet file", excerpt(file));
        return Err(Error::FleetSyntax { place: place.into(), problem });
    }
    Ok(path)
}

/// The text of a file.
pub(super) fn read_text(path: &Path) -> Result<String> {
    std::fs::read_to_string(path).map_err(|error| match error.kind() {
        std::io::ErrorKind::NotFound => Error::FileNotFound { path: path.into() },
        _ => Error::FileAccess { path: path.into(), problem: error.to_string() },
    })
}
