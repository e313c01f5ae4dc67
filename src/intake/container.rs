//! Containers: from stored bytes to plain ones, streamed, with the identity of what was stored.

use super::gzip::Members;
use super::kind::{self, Packing};
use crate::error::{Error, Result};
use crate::event::InputIdentity;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use xxhash_rust::xxh3::Xxh3;

/// Stored bytes are read in pieces of this size.
const PIECE: usize = 1 << 18;
/// Plain bytes that are looked at before a layout is chosen.
const HEAD: usize = 1 << 18;
/// Largest window a zstd frame may ask for, as a power of two: 128 MiB.
const ZSTD_WINDOW_LOG: u32 = 27;

/// Hashes what flows through.
struct Hashed<R> {
    inner: R,
    hash: Xxh3,
    bytes: u64,
}

impl<R: Read> Read for Hashed<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let length = self.inner.read(buffer)?;
        self.hash.update(&buffer[..length]);
        self.bytes += length as u64;
        Ok(length)
    }
}

type Stored = BufReader<Hashed<Box<dyn Read + Send>>>;

enum Body {
    Plain(Stored),
    Gzip(Box<Members<Stored>>),
    Zstd(zstd::stream::read::Decoder<'static, Stored>),
}

/// An opened input.
pub(super) enum Opened {
    Text(Box<Container>),
    Parquet(File),
    Arrow(File),
}

/// A text being unpacked: its beginning, and the rest as a [`Read`] that includes the beginning.
pub(super) struct Container {
    path: PathBuf,
    body: Body,
    head: Vec<u8>,
    given: usize,
    /// The head is all there is.
    whole: bool,
    /// The damage that ended the head; told when the head has been read.
    damage: Option<io::Error>,
}

/// Opens an input and looks at its first bytes.
pub(super) fn open_path(path: &Path) -> Result<Opened> {
    let file = File::open(path).map_err(|error| super::discover::access(path, &error))?;
    let is_file = file.metadata().is_ok_and(|metadata| metadata.is_file());
    if is_file {
        let copy = file.try_clone().map_err(|error| super::discover::access(path, &error))?;
        return open(path, Box::new(file), Some(copy));
    }
    open(path, Box::new(file), None)
}

/// Opens a stream. `seekable` is the same file where it can be read from any place, which an index needs.
pub(super) fn open(path: &Path, stream: Box<dyn Read + Send>, seekable: Option<File>) -> Result<Opened> {
    let mut stored = BufReader::with_capacity(PIECE, Hashed { inner: stream, hash: Xxh3::new(), bytes: 0 });
    let first = stored.fill_buf().map_err(|error| super::discover::access(path, &error))?;
    if first.is_empty() {
        return Err(kind::empty(path));
    }
    let packing = kind::packing(first);
    let is_arrow_file = first.starts_with(super::ipc::FILE);
    let body = match (packing, seekable) {
        (Packing::Parquet, Some(file)) => return Ok(Opened::Parquet(file)),
        (Packing::Parquet, None) => {
            return Err(Error::FileKind {
                path: path.to_owned(),
                problem: "Parquet cannot be read from a pipe".into(),
                hint: "name the file: its index stands at the end".into(),
            });
        }
        (Packing::Plain, Some(file)) if is_arrow_file => return Ok(Opened::Arrow(file)),
        (Packing::Plain, _) => Body::Plain(stored),
        (Packing::Gzip, _) => Body::Gzip(Box::new(Members::new(stored))),
        (Packing::Zstd, _) => {
            let mut decoder =
                zstd::stream::read::Decoder::with_buffer(stored).map_err(|error| damaged(path, &error))?;
            decoder.window_log_max(ZSTD_WINDOW_LOG).map_err(|error| damaged(path, &error))?;
            Body::Zstd(decoder)
        }
    };
    let mut container =
        Container { path: path.to_owned(), body, head: Vec::new(), given: 0, whole: false, damage: None };
    container.look()?;
    kind::check_text(path, &container.head, packing != Packing::Plain)?;
    if container.head.starts_with(b"\xef\xbb\xbf") {
        container.given = 3;
    }
    Ok(Opened::Text(Box::new(container)))
}

pub(super) fn damaged(path: &Path, error: &io::Error) -> Error {
    Error::FileDamaged { path: path.to_owned(), problem: error.to_string() }
}

impl Container {
    fn look(&mut self) -> Result<()> {
        let mut head = vec![0; HEAD];
        let mut filled = 0;
        while filled < HEAD && !self.whole {
            match self.body.read(&mut head[filled..]) {
                Ok(0) => self.whole = true,
                Ok(length) => filled += length,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) if filled == 0 => return Err(self.refusal(&error)),
                Err(error) => {
                    self.damage = Some(error);
                    break;
                }
            }
        }
        head.truncate(filled);
        self.head = head;
        Ok(())
    }

    /// What a failed read means for the file.
    pub fn refusal(&self, error: &io::Error) -> Error {
        match self.body {
            Body::Plain(_) => Error::FileAccess { path: self.path.clone(), problem: error.to_string() },
            Body::Gzip(_) | Body::Zstd(_) => damaged(&self.path, error),
        }
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The first plain bytes, without a byte order mark.
    pub fn head(&self) -> &[u8] {
        if self.head.starts_with(b"\xef\xbb\xbf") { &self.head[3..] } else { &self.head }
    }

    /// Whether [`Self::head`] is the whole text.
    pub fn is_whole(&self) -> bool {
        self.whole
    }

    /// Reads what is left of the stored bytes and tells their identity, with what is odd about them.
    pub fn finish(mut self, name: String, format: String) -> (InputIdentity, Option<String>) {
        let trailing = matches!(&self.body, Body::Gzip(members) if members.trailing());
        let note = trailing.then(|| format!("{name}: bytes after the gzip stream are not read"));
        let stored = match &mut self.body {
            Body::Plain(stored) => Some(stored),
            Body::Gzip(members) => members.stored(),
            Body::Zstd(decoder) => Some(decoder.get_mut()),
        };
        let (bytes, digest) = stored.map_or((0, 0), |stored| {
            // A file that fails to read is already known to be incomplete.
            let _ = io::copy(stored, &mut io::sink());
            let hashed = stored.get_ref();
            (hashed.bytes, hashed.hash.digest128())
        });
        (InputIdentity { name, bytes, digest: format!("{digest:032x}"), format }, note)
    }
}

impl Read for Container {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.given < self.head.len() {
            let length = buffer.len().min(self.head.len() - self.given);
            buffer[..length].copy_from_slice(&self.head[self.given..self.given + length]);
            self.given += length;
            return Ok(length);
        }
        match self.damage.take() {
            Some(error) => Err(error),
            None if self.whole => Ok(0),
            None => self.body.read(buffer),
        }
    }
}

impl Read for Body {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Plain(stored) => stored.read(buffer),
            Self::Gzip(members) => members.read(buffer),
            Self::Zstd(decoder) => decoder.read(buffer),
        }
    }
}
