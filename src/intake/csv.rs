//! CSV: a header, then one record a request.

use super::compiled::{Binding, CompiledMap};
use super::container::Container;
use super::drive::Worker;
use super::field::FIELDS;
use super::records::{End, Records};
use super::value::{Fault, Scalar};
use super::{Sink, drive::Run};
use crate::error::{Error, Result};
use crate::event::Reason;
use std::borrow::Cow;
use std::path::Path;

/// Records between two looks at whether to stop.
const STRIDE: u32 = 4096;

/// What a file's end told, and the container to close.
pub(super) struct Ended {
    pub container: Container,
    pub format: String,
    pub damage: Option<Error>,
    pub note: Option<String>,
}

/// Reads a file.
pub(super) fn read<S: Sink>(run: &Run, container: Container, name: &str, worker: &mut Worker<S>) -> Result<Ended> {
    let path = container.path().to_owned();
    let head = container.head();
    if container.is_whole() && head.contains(&b'\r') && !head.contains(&b'\n') {
        return Err(Error::FileKind {
            path,
            problem: "lines end in carriage returns alone".into(),
            hint: "convert them: tr '\\r' '\\n' < old.csv > new.csv".into(),
        });
    }
    let mut records = Records::new(container, run.options.max_line_bytes);
    let (map, binding, width) = header(run, &mut records, &path, name)?;
    let mut interner = super::row::Interner::default();
    let mut note = None;
    let mut rows = 0_u32;
    let damage = loop {
        rows = rows.wrapping_add(1);
        if rows.is_multiple_of(STRIDE) && (run.should_stop)() {
            return Err(Error::Interrupted);
        }
        let end = match records.advance() {
            Ok(Some(end)) => end,
            Ok(None) => break None,
            Err(error) => break Some(error),
        };
        let line = records.line();
        let mut book = worker.book(name);
        match end {
            End::Good => {
                let mut fields: [Scalar; FIELDS] = Default::default();
                let mut more = Vec::new();
                let cells = if binding.dimensions.is_empty() {
                    &mut fields[..]
                } else {
                    more.resize(FIELDS + binding.dimensions.len(), Scalar::Null);
                    &mut more[..]
                };
                match fill(cells, &records, &binding, width) {
                    Ok(()) => book.row(&map, cells, &mut interner, line),
                    Err(reason) => book.fault(Fault::line(reason, &quoted(records.raw())), line),
                }
            }
            End::Unclosed => {
                book.fault(Fault::line(Reason::RaggedRow, &quoted(records.raw())), line);
                note = Some(format!("{name}: a quote that opens on line {line} is never closed"));
            }
            End::TooLong => {
                book.fault(Fault::line(Reason::LineTooLong, &quoted(records.raw())), line);
                note = Some(format!(
                    "{name}: the record on line {line} is longer than the limit; nothing after it is read"
                ));
            }
        }
        worker.flush_full()?;
        if note.is_some() {
            break None;
        }
    };
    let container = records.into_source();
    let damage = damage.map(|error| container.refusal(&error));
    Ok(Ended { container, format: map.format, damage, note })
}

fn header(
    run: &Run,
    records: &mut Records<Container>,
    path: &Path,
    name: &str,
) -> Result<(CompiledMap, Binding, usize)> {
    let kind = |problem: &str, hint: &str| Error::FileKind {
        path: path.to_owned(),
        problem: problem.into(),
        hint: hint.into(),
    };
    match records.advance() {
        Ok(Some(End::Good)) => {}
        Ok(Some(_)) => return Err(kind("the header has an unclosed quote or no end", "repair the first line")),
        Ok(None) => return Err(super::kind::empty(path)),
        Err(error) => return Err(super::container::damaged(path, &error)),
    }
    let names: std::result::Result<Vec<&str>, _> =
        (0..records.len()).map(|field| std::str::from_utf8(records.get(field))).collect();
    let names = names.map_err(|_| kind("the header is not UTF-8", "logs are read as UTF-8"))?;
    let map = run.mapper.choose(&|column| names.contains(&column))?;
    let separated_by = |separator: char| names.len() < 3 && names.iter().any(|name| name.contains(separator));
    let binding = match map.bind(name, &names) {
        Err(Error::MissingColumns { .. }) if separated_by(';') || separated_by('\t') => {
            return Err(kind(
                "the columns look separated by semicolons or tabs",
                "CSV is read with commas, and with points in fractions: convert it",
            ));
        }
        other => other?,
    };
    Ok((map, binding, names.len()))
}

/// Puts the mapped fields of a record into cells. An empty field is an absent one: CSV knows no other.
fn fill<'r>(
    cells: &mut [Scalar<'r>],
    records: &'r Records<Container>,
    binding: &Binding,
    width: usize,
) -> std::result::Result<(), Reason> {
    if records.len() != width {
        return Err(Reason::RaggedRow);
    }
    let record = simdutf8::basic::from_utf8(records.raw()).map_err(|_| Reason::InvalidUtf8)?;
    let cell = |column: usize| match records.text(record, column) {
        Some("") => Ok(Scalar::Null),
        Some(text) => Ok(Scalar::Cell(Cow::Borrowed(text))),
        None => Err(Reason::InvalidUtf8),
    };
    for (slot, candidates) in cells.iter_mut().zip(&binding.fields) {
        for column in candidates {
            if slot.is_null() {
                *slot = cell(*column)?;
            }
        }
    }
    for (slot, column) in cells[FIELDS..].iter_mut().zip(&binding.dimensions) {
        if let Some(column) = column {
            *slot = cell(*column)?;
        }
    }
    Ok(())
}

fn quoted(record: &[u8]) -> Cow<'_, str> {
    let record = record.strip_suffix(b"\n").unwrap_or(record);
    String::from_utf8_lossy(&record[..record.len().min(1024)])
}
