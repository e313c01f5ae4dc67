//! Files: what every room that touches the disk does the same way.

use crate::{Error, Result};
use parquet::file::metadata::ParquetMetaData;
use std::fs::File;
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

/// Largest Parquet footer that is read.
const FOOTER_LIMIT: u64 = 64 << 20;
/// Magic, length and magic: no Parquet file is shorter.
const FRAME: u64 = 12;

/// Refuses a Parquet file whose footer cannot be right, before a reader allocates by its word.
///
/// # Errors
/// [`Error::FileDamaged`] with what is wrong; [`Error::FileAccess`] where the system refuses to read.
pub fn check_parquet_footer(mut file: &File, path: &Path) -> Result<()> {
    let access = |e: std::io::Error| Error::FileAccess { path: path.into(), problem: e.to_string() };
    let damaged = |problem: String| Err(Error::FileDamaged { path: path.into(), problem });
    let bytes = file.seek(SeekFrom::End(0)).map_err(access)?;
    if bytes < FRAME {
        return damaged(format!("{bytes} bytes are too few for Parquet"));
    }
    let mut tail = [0; 8];
    let read = file.seek(SeekFrom::End(-8)).and_then(|_| file.read_exact(&mut tail));
    read.and_then(|()| file.rewind()).map_err(access)?;
    let [a, b, c, d, magic @ ..] = tail;
    if magic != *b"PAR1" {
        return damaged("it does not end as Parquet does, it may be cut off".into());
    }
    let footer = u64::from(u32::from_le_bytes([a, b, c, d]));
    if footer > (bytes - FRAME).min(FOOTER_LIMIT) {
        return damaged(format!("its index claims {footer} bytes of {bytes}"));
    }
    Ok(())
}

/// Refuses a Parquet index that claims bytes the file does not have, before a reader goes there by its word.
///
/// # Errors
/// [`Error::FileDamaged`] with the row group.
pub fn check_parquet_ranges(index: &ParquetMetaData, bytes: u64, path: &Path) -> Result<()> {
    for (i, group) in index.row_groups().iter().enumerate() {
        let bad =
            |what: &str| Err(Error::FileDamaged { path: path.into(), problem: format!("row group {i} claims {what}") });
        if group.num_rows() < 0 {
            return bad("fewer than no rows");
        }
        for column in group.columns() {
            let start = column.dictionary_page_offset().unwrap_or(column.data_page_offset());
            let (Ok(start), Ok(length)) = (u64::try_from(start), u64::try_from(column.compressed_size())) else {
                return bad("a negative range");
            };
            if start.checked_add(length).is_none_or(|end| end > bytes) || column.num_values() < 0 {
                return bad("bytes beyond the end of the file");
            }
        }
    }
    Ok(())
}

/// The bytes of a file.
///
/// # Errors
/// [`Error::FileNotFound`], [`Error::FileAccess`].
pub fn read_whole(path: &Path) -> Result<Vec<u8>> {
    std::fs::read(path).map_err(|error| match error.kind() {
        std::io::ErrorKind::NotFound => Error::FileNotFound { path: path.into() },
        _ => Error::FileAccess { path: path.into(), problem: error.to_string() },
    })
}

/// Writes a file whole or not at all: a temporary file beside it, synced, then renamed over it.
///
/// # Errors
/// [`Error::FileNotFound`] for a folder that does not exist, else [`Error::FileAccess`] with the system's words.
pub fn write_whole(path: &Path, bytes: &[u8]) -> Result<()> {
    let mut file = Whole::create(path)?;
    file.write_all(bytes).map_err(|e| access(path, &e))?;
    file.finish()
}

/// Refuses to write over one of the files that are read: what they hold beside what is read would be gone.
///
/// # Errors
/// [`Error::Argument`] with the file.
pub fn check_not_read<'a>(output: &Path, read: impl IntoIterator<Item = &'a Path>) -> Result<()> {
    let Ok(output) = output.canonicalize() else { return Ok(()) };
    let is_output = |path: &&Path| path.canonicalize().is_ok_and(|path| path == output && path.is_file());
    match read.into_iter().find(is_output) {
        None => Ok(()),
        Some(path) => Err(Error::Argument {
            what: "output".into(),
            value: path.display().to_string(),
            expected: "a file that is not read as well".into(),
        }),
    }
}

/// A file that is written piece by piece, and stands there whole once it is finished, or not at all.
pub struct Whole {
    path: PathBuf,
    to: To,
}

enum To {
    Beside(tempfile::NamedTempFile),
    /// A device or a pipe takes bytes; it cannot be renamed over.
    Special(File),
}

fn access(path: &Path, e: &std::io::Error) -> Error {
    Error::FileAccess { path: path.into(), problem: e.to_string() }
}

impl Whole {
    /// Begins a file; nothing stands at its path yet.
    ///
    /// # Errors
    /// [`Error::FileNotFound`] for a folder that does not exist, else [`Error::FileAccess`] with the system's words.
    pub fn create(path: &Path) -> Result<Self> {
        if std::fs::metadata(path).is_ok_and(|m| !m.is_file()) {
            let to = File::options().write(true).open(path).map_err(|e| access(path, &e))?;
            return Ok(Self { path: path.into(), to: To::Special(to) });
        }
        let folder = path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
        if !folder.is_dir() {
            return Err(Error::FileNotFound { path: folder.into() });
        }
        // The words of the error would name the temporary file, which nobody asked for.
        let refused = |e: std::io::Error| Error::FileAccess { path: path.into(), problem: e.kind().to_string() };
        let file = tempfile::Builder::new().prefix(".wattledger-").tempfile_in(folder).map_err(refused)?;
        Ok(Self { path: path.into(), to: To::Beside(file) })
    }

    /// Puts the file where it belongs.
    ///
    /// # Errors
    /// [`Error::FileAccess`] with the system's words.
    pub fn finish(self) -> Result<()> {
        let To::Beside(file) = self.to else { return Ok(()) };
        file.as_file().sync_all().map_err(|e| access(&self.path, &e))?;
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            // Temporary files are private; a result is an ordinary file.
            let _ = file.as_file().set_permissions(std::fs::Permissions::from_mode(0o644));
        }
        file.persist(&self.path).map_err(|e| access(&self.path, &e.error))?;
        Ok(())
    }
}

impl Write for Whole {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        match &mut self.to {
            To::Beside(file) => file.write(bytes),
            To::Special(file) => file.write(bytes),
        }
    }

    fn flush(&mut self) -> std::io::Result<()> {
        match &mut self.to {
            To::Beside(file) => file.flush(),
            To::Special(file) => file.flush(),
        }
    }
}
