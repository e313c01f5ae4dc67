//! CSV files of readings: generic ones with the unit in the header, and what `nvidia-smi --format=csv` writes.

use super::unit::Unit;
use super::{Gathered, Meter, Read};
use crate::Result;
use crate::error::excerpt;

const TIMES: [&str; 5] = ["timestamp", "time", "ts", "datetime", "date"];
/// Columns that tell accelerators apart.
const KEYS: [&str; 15] = [
    "gpu",
    "index",
    "gpu_index",
    "uuid",
    "gpu_uuid",
    "pci.bus_id",
    "gpu_bus_id",
    "minor_number",
    "device",
    "hostname",
    "host",
    "node",
    "instance",
    "meter",
    "replica",
];
const DEPLOYMENT: &str = "deployment";

/// Where the columns stand.
struct Columns {
    time: usize,
    value: usize,
    unit: Unit,
    keys: Vec<(usize, String)>,
    deployment: Option<usize>,
}

fn columns(header: &csv::StringRecord, into: &Gathered) -> Result<Columns> {
    let names: Vec<String> = header.iter().map(|name| name.trim().to_ascii_lowercase()).collect();
    if names.len() == 1 && names[0].contains([';', '\t']) {
        return Err(into.refuse("columns are not separated by commas", "write it with commas and decimal points"));
    }
    let shown = || excerpt(&names.join(", "));
    for (i, name) in names.iter().enumerate() {
        if names[..i].contains(name) {
            let hint = "rename one of them; which of the two counts is not guessed";
            return Err(into.refuse(format!("two columns are named `{}`", excerpt(name)), hint));
        }
    }
    let at = |wanted: &[&str]| names.iter().position(|name| wanted.contains(&name.as_str()));
    let Some(time) = at(&TIMES) else {
        let first = names.first().map_or("", String::as_str);
        let hint = if first.starts_with(|c: char| c.is_ascii_digit()) {
            "the first line has to be a header: leave out `noheader`, or write `timestamp,power_w` above it"
        } else {
            "name the column of times `timestamp`"
        };
        return Err(into.refuse(format!("no column of times among {}", shown()), hint));
    };
    let units: Vec<(usize, Unit)> =
        names.iter().enumerate().filter_map(|(i, name)| Unit::of_column(name).map(|unit| (i, unit))).collect();
    let (value, unit) = match (units.as_slice(), into.unit) {
        ([one], None) => *one,
        ([], Some(unit)) => {
            let Some(value) = at(&["power", "energy", "value", "watt", "power.draw"]) else {
                let hint = "name the column of readings `value`, or with its unit";
                return Err(into.refuse(format!("no column of readings among {}", shown()), hint));
            };
            (value, unit)
        }
        ([], None) => {
            let problem = format!("no column of readings with its unit among {}", shown());
            return Err(into.refuse(problem, format!("name it with its unit: {}", Unit::columns())));
        }
        (many, Some(unit)) => {
            let found = many.iter().find(|(_, known)| known.name == unit.name);
            *found.ok_or_else(|| {
                into.refuse(format!("no column {} among {}", unit.name, shown()), "name one of its columns with --unit")
            })?
        }
        (many, None) => {
            let both = many.iter().map(|(_, unit)| unit.name).collect::<Vec<_>>().join(" and ");
            let problem = format!("{both} both stand in it");
            return Err(into.refuse(problem, "keep one of them, or say which counts with --unit"));
        }
    };
    let keys = names.iter().enumerate().filter(|(_, name)| KEYS.contains(&name.as_str()));
    let mut keys: Vec<(usize, String)> = keys.map(|(i, name)| (i, name.clone())).collect();
    keys.sort_by(|a, b| a.1.cmp(&b.1));
    Ok(Columns { time, value, unit, keys, deployment: at(&[DEPLOYMENT]) })
}

pub(super) fn read(text: &str, into: &mut Gathered) -> Result<()> {
    // nvidia-smi puts a blank behind its commas.
    let mut reader = csv::ReaderBuilder::new().trim(csv::Trim::All).from_reader(text.as_bytes());
    let header = reader.headers().map_err(|e| into.refuse(e.to_string(), "a CSV file with a header is read"))?.clone();
    let columns = columns(&header, into)?;
    into.unit(columns.unit)?;
    let from = into.samples.len();
    let mut record = csv::StringRecord::new();
    let mut meter = Meter::default();
    loop {
        let more = reader
            .read_record(&mut record)
            .map_err(|e| into.refuse(e.to_string(), "give every line as many cells as the header has"))?;
        if !more {
            break;
        }
        let line = record.position().map_or(0, csv::Position::line);
        let cell = |i: usize| record.get(i).unwrap_or_default();
        let time_us = time(cell(columns.time), line, into)?;
        let value = number(cell(columns.value), &columns.unit, line, into)?;
        meter.name.clear();
        for (i, name) in &columns.keys {
            for part in [if meter.name.is_empty() { "" } else { " " }, name, "=", cell(*i)] {
                meter.name.push_str(part);
            }
        }
        meter.deployment = columns.deployment.map(cell).filter(|name| !name.is_empty()).map(str::to_owned);
        into.add(&Read { meter: &meter, line, time_us, value }, columns.unit)?;
    }
    interleaved(&columns, from, into)
}

/// The instant of a cell; nvidia-smi writes dates with slashes.
fn time(cell: &str, line: u64, into: &Gathered) -> Result<i64> {
    let dashed;
    let slashes = cell.as_bytes().get(4) == Some(&b'/') && cell.as_bytes().get(7) == Some(&b'/');
    let text = if slashes {
        dashed = cell.replacen('/', "-", 2);
        &dashed
    } else {
        cell
    };
    into.clock.instant(text).map_err(|reason| {
        let problem = format!("line {line}: time `{}` ({})", excerpt(cell), reason.name());
        into.refuse(problem, reason.way_out())
    })
}

fn number(cell: &str, unit: &Unit, line: u64, into: &Gathered) -> Result<f64> {
    let bare = cell.strip_suffix("W").map_or(cell, str::trim_end);
    bare.parse().map_err(|_| {
        let problem = format!("line {line}, {}: `{}` is no number", unit.name, excerpt(cell));
        into.refuse(problem, "leave out moments without a reading; a gap is seen and counted")
    })
}

/// Refuses a log of `nvidia-smi` in which several accelerators stand without a column that tells them apart: their lines
/// come in bursts, milliseconds apart.
fn interleaved(columns: &Columns, from: usize, into: &Gathered) -> Result<()> {
    if !columns.keys.is_empty() || !columns.unit.name.starts_with("power.draw") {
        return Ok(());
    }
    let mut times: Vec<i64> = into.samples[from..].iter().map(|sample| sample.time_us).collect();
    times.sort_unstable();
    let mut gaps: Vec<i64> = times.windows(2).map(|two| two[1] - two[0]).collect();
    gaps.sort_unstable();
    let quantile = |share: usize| gaps.get(gaps.len() * share / 100).copied().unwrap_or(0);
    if gaps.len() >= 8 && quantile(25) * 20 < quantile(96) {
        return Err(into.refuse(
            "several accelerators stand in it and nothing tells them apart: lines come in bursts",
            "query with --query-gpu=timestamp,index,uuid,power.draw",
        ));
    }
    Ok(())
}
