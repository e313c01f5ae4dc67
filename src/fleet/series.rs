//! Series of the user's: CSV or Parquet files with a value an hour, a month or a year, in columns whose names say the unit.
//!
//! One column tells the time: `hour_utc` (an hour's start, UTC), `month` (`2024-07`) or `year` (`2024`). Hours may not be
//! missing nor stand twice; an empty cell says that the value is not known.

use crate::hours::{Series, Step, hour_of, hour_of_date};
use crate::units::Bounds;
use crate::{Error, Result};
use arrow_array::cast::AsArray;
use arrow_array::{Array, RecordBatch, types};
use arrow_schema::{DataType, TimeUnit};
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use std::collections::BTreeMap;
use std::path::Path;

/// Names of the column that tells the time, and how long a value then holds.
const TIMES: [(&str, Step); 4] =
    [("hour_utc", Step::Hour), ("time_utc", Step::Hour), ("month", Step::Month), ("year", Step::Year)];

/// A column that a series may have.
#[derive(Clone, Copy, Debug)]
pub struct SeriesColumn {
    /// Name with its unit.
    pub name: &'static str,
    /// Its limits.
    pub bounds: Bounds,
    /// What it is.
    pub meaning: &'static str,
    /// Whether it says something by the hour alone.
    pub hourly: bool,
}

const fn column(
    name: &'static str,
    unit: &'static str,
    (low, high): (f64, f64),
    meaning: &'static str,
    hourly: bool,
) -> SeriesColumn {
    SeriesColumn { name, bounds: Bounds { what: meaning, unit, low, high }, meaning, hourly }
}

/// Single hours of clean grids lie below 1 g/kWh; a whole series that does is in kilograms.
const CARBON: (f64, f64) = (0.0, Bounds::CARBON_INTENSITY.high);
/// Highest value of a series of factors below which they must be kilograms, and of percentages below which fractions.
const KILOGRAMS: f64 = 1.5;
const FRACTIONS: f64 = 1.0;

/// Columns of a site's series.
pub const SITE_SERIES: [SeriesColumn; 15] = [
    column("dry_bulb_c", "°C", (-60.0, 60.0), "dry bulb outside", true),
    column("rel_humidity_pct", "%", (0.0, 100.0), "relative humidity outside", true),
    column("pressure_kpa", "kPa", (60.0, 110.0), "pressure of the air", true),
    column("pue", "", (Bounds::PUE.low, Bounds::PUE.high), "measured power usage effectiveness", false),
    column("wue_l_per_kwh", "L/kWh", (0.0, 20.0), "measured water input per IT energy", false),
    column("wue_consumed_l_per_kwh", "L/kWh", (0.0, 20.0), "measured water consumed per IT energy", false),
    column("carbon_direct_g_per_kwh", "g/kWh", CARBON, "direct emission factor", false),
    column("carbon_lifecycle_g_per_kwh", "g/kWh", CARBON, "lifecycle emission factor", false),
    // A factor that more wind would have lowered can be below zero.
    column("carbon_marginal_g_per_kwh", "g/kWh", (-2000.0, 3000.0), "short-run marginal emission factor", false),
    column("residual_direct_g_per_kwh", "g/kWh", CARBON, "direct factor of the residual mix", false),
    column("carbon_free_pct", "%", (0.0, 100.0), "carbon-free share of the grid", false),
    column("renewable_pct", "%", (0.0, 100.0), "renewable share of the grid", false),
    column("water_offsite_l_per_kwh", "L/kWh", (0.0, 200.0), "water of generation without reservoirs", false),
    column("water_offsite_with_hydro_l_per_kwh", "L/kWh", (0.0, 200.0), "water of generation with reservoirs", false),
    column("contracted_kwh", "kWh", (0.0, 1e12), "carbon-free energy contracted for the step", false),
];

/// Columns of a meter's series.
pub const METER_SERIES: [SeriesColumn; 2] = [
    column("facility_kwh", "kWh", (0.0, 1e12), "energy at the meter of the facility", false),
    column("it_kwh", "kWh", (0.0, 1e12), "energy of the IT", false),
];

/// The column of a deployment's series.
pub const REPLICA_SERIES: [SeriesColumn; 1] =
    [column("replicas", "", (0.0, 1_000_000.0), "provisioned replicas", true)];

/// A file with one row a step.
struct Sheet {
    place: String,
    header: Vec<String>,
    /// Number of the row as people count, and its cells.
    rows: Vec<(u64, Vec<Cell>)>,
}

#[derive(Clone, Debug, PartialEq)]
enum Cell {
    Empty,
    Text(String),
    Number(f64),
    /// Seconds since 1970.
    Time(i64),
}

/// Reads a file of series; which of its columns there are decides what it says.
///
/// # Errors
/// [`Error::FleetSyntax`] with place, value and way out.
pub(super) fn read(path: &Path, known: &[SeriesColumn]) -> Result<BTreeMap<&'static str, Series>> {
    let place = path.to_string_lossy().into_owned();
    let bytes = super::read_bytes(path)?;
    let sheet = if bytes.starts_with(b"PAR1") {
        let told = place.clone();
        // The crate underneath panics on some damaged files; that is damage to the file, not to us.
        std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| parquet(place, bytes)))
            .unwrap_or_else(|_| Err(refuse(&told, "this Parquet file is damaged".into())))?
    } else {
        csv(place, &bytes)?
    };
    sheet.series(known)
}

fn refuse(place: &str, problem: String) -> Error {
    Error::FleetSyntax { place: place.to_owned(), problem }
}

fn csv(place: String, bytes: &[u8]) -> Result<Sheet> {
    let broken = |error: csv::Error| {
        let line = error.position().map_or_else(String::new, |at| format!(", line {}", at.line()));
        refuse(&format!("{place}{line}"), "this is no CSV, or its rows differ in length".into())
    };
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let mut reader = csv::ReaderBuilder::new().trim(csv::Trim::All).from_reader(bytes);
    let header = reader.headers().map_err(broken)?.iter().map(str::to_owned).collect();
    let mut rows = Vec::new();
    for record in reader.records() {
        let record = record.map_err(broken)?;
        let line = record.position().map_or(0, csv::Position::line);
        let cell = |text: &str| if text.is_empty() { Cell::Empty } else { Cell::Text(text.to_owned()) };
        rows.push((line, record.iter().map(cell).collect()));
    }
    Ok(Sheet { place, header, rows })
}

fn parquet(place: String, bytes: Vec<u8>) -> Result<Sheet> {
    let broken = |_: &dyn std::fmt::Display| refuse(&place, "this Parquet file cannot be read".into());
    let reader = ParquetRecordBatchReaderBuilder::try_new(bytes::Bytes::from(bytes)).map_err(|e| broken(&e))?;
    let header: Vec<String> = reader.schema().fields().iter().map(|field| field.name().clone()).collect();
    let mut rows = Vec::new();
    for batch in reader.build().map_err(|e| broken(&e))? {
        let batch = batch.map_err(|e| broken(&e))?;
        for row in 0..batch.num_rows() {
            let cells = (0..batch.num_columns()).map(|column| cell(&batch, column, row)).collect();
            rows.push((rows.len() as u64 + 1, cells));
        }
    }
    Ok(Sheet { place, header, rows })
}

/// A cell of an Arrow column of a kind that a series may have; others are told as text.
fn cell(batch: &RecordBatch, column: usize, row: usize) -> Cell {
    let array = batch.column(column);
    if array.is_null(row) {
        return Cell::Empty;
    }
    match array.data_type() {
        DataType::Float64 => Cell::Number(array.as_primitive::<types::Float64Type>().value(row)),
        DataType::Float32 => Cell::Number(array.as_primitive::<types::Float32Type>().value(row).into()),
        DataType::Int64 => integer(array.as_primitive::<types::Int64Type>().value(row)),
        DataType::Int32 => Cell::Number(array.as_primitive::<types::Int32Type>().value(row).into()),
        DataType::Utf8 => Cell::Text(array.as_string::<i32>().value(row).to_owned()),
        DataType::LargeUtf8 => Cell::Text(array.as_string::<i64>().value(row).to_owned()),
        DataType::Utf8View => Cell::Text(array.as_string_view().value(row).to_owned()),
        DataType::Timestamp(unit, _) => {
            let (value, per_second) = match unit {
                TimeUnit::Second => (array.as_primitive::<types::TimestampSecondType>().value(row), 1),
                TimeUnit::Millisecond => (array.as_primitive::<types::TimestampMillisecondType>().value(row), 1_000),
                TimeUnit::Microsecond => {
                    (array.as_primitive::<types::TimestampMicrosecondType>().value(row), 1_000_000)
                }
                TimeUnit::Nanosecond => {
                    (array.as_primitive::<types::TimestampNanosecondType>().value(row), 1_000_000_000)
                }
            };
            if value % per_second == 0 { Cell::Time(value / per_second) } else { Cell::Text(value.to_string()) }
        }
        other => Cell::Text(format!("a cell of type {other}")),
    }
}

#[expect(clippy::cast_precision_loss, reason = "limits are far below 2^53")]
fn integer(value: i64) -> Cell {
    Cell::Number(value as f64)
}

impl Sheet {
    fn series(&self, known: &[SeriesColumn]) -> Result<BTreeMap<&'static str, Series>> {
        let named = |name: &str| self.header.iter().position(|column| column == name);
        let times: Vec<(usize, Step)> = TIMES.iter().filter_map(|(name, step)| Some((named(name)?, *step))).collect();
        if self.header.iter().all(String::is_empty) {
            return Err(refuse(&self.place, "the file is empty".into()));
        }
        let [(time, step)] = times[..] else {
            let found = self.header.join(", ");
            let expected = "one column that tells the time, hour_utc, month or year; local times are ambiguous in \
                            autumn and are not read";
            let hint = if found.contains(';') { "; cells are separated by commas" } else { "" };
            return Err(refuse(&self.place, format!("the columns are {found}, expected {expected}{hint}")));
        };
        for (at, name) in self.header.iter().enumerate() {
            if self.header[..at].contains(name) {
                return Err(refuse(&self.place, format!("two columns are named `{name}`")));
            }
            if at != time {
                self.check_column(name, step, known)?;
            }
        }
        let steps = self.rows.iter().map(|row| self.step(row, time, step)).collect::<Result<Vec<_>>>()?;
        self.check_order(&steps, step)?;
        let Some(&start) = steps.first() else {
            return Err(refuse(&self.place, "there is no row below the header".into()));
        };
        let mut found = BTreeMap::new();
        for (at, name) in self.header.iter().enumerate().filter(|(at, _)| *at != time) {
            let column = known.iter().find(|column| column.name == name).expect("checked above");
            let values = self.rows.iter().map(|row| self.number(row, at, column)).collect::<Result<Vec<_>>>()?;
            self.check_unit(column, &values)?;
            found.insert(column.name, Series::new(step, start, values));
        }
        Ok(found)
    }

    fn check_column(&self, name: &str, step: Step, known: &[SeriesColumn]) -> Result<()> {
        let Some(column) = known.iter().find(|column| column.name == name) else {
            if name == "carbon_g_per_kwh" || name == "carbon_intensity" {
                let problem = format!(
                    "`{name}` does not say of what: carbon_direct_g_per_kwh is the stack alone (Scope 2), \
                     carbon_lifecycle_g_per_kwh is with fuel chain and construction, carbon_marginal_g_per_kwh is the \
                     consequence of one more kWh"
                );
                return Err(refuse(&self.place, problem));
            }
            let elsewhere =
                [("[[meter]]", &METER_SERIES[..]), ("[[deployment]]", &REPLICA_SERIES), ("[site.NAME]", &SITE_SERIES)];
            let home = elsewhere.iter().find(|(_, columns)| columns.iter().any(|column| column.name == name));
            if let Some((home, _)) = home {
                return Err(refuse(&self.place, format!("`{name}` belongs into a file of {home}")));
            }
            let nearest = crate::error::nearest(name, known.iter().map(|column| column.name));
            return Err(Error::UnknownKey { place: self.place.clone(), key: name.to_owned(), nearest });
        };
        if column.hourly && step != Step::Hour {
            let problem = format!("`{name}` is known by the hour or not at all: give it under `hour_utc`");
            return Err(refuse(&self.place, problem));
        }
        Ok(())
    }

    fn at(&self, row: u64) -> String {
        format!("{}, line {row}", self.place)
    }

    fn step(&self, (line, cells): &(u64, Vec<Cell>), column: usize, step: Step) -> Result<i64> {
        let cell = cells.get(column).unwrap_or(&Cell::Empty);
        let found = match (step, cell) {
            (Step::Hour, Cell::Time(second)) => (second % 3600 == 0).then(|| hour_of(*second)),
            (Step::Hour, Cell::Text(text)) => hour(text),
            (Step::Month, Cell::Text(text)) => month(text),
            (Step::Year, Cell::Text(text)) => text.parse().ok().filter(|year| (1900..2200).contains(year)),
            (Step::Year, Cell::Number(year)) => {
                (1900..2200).find(|whole| (f64::from(*whole) - year).abs() < 1e-9).map(i64::from)
            }
            _ => None,
        };
        found.ok_or_else(|| {
            let expected = match step {
                Step::Hour => "the start of an hour in UTC such as 2024-07-01T15:00Z",
                Step::Month => "a month such as 2024-07",
                Step::Year => "a year such as 2024",
            };
            refuse(&self.at(*line), format!("the time is {}, expected {expected}", told(cell)))
        })
    }

    /// Every step once, in order, none left out.
    fn check_order(&self, steps: &[i64], step: Step) -> Result<()> {
        let name = |number: i64| match step {
            Step::Hour => crate::hours::told(number),
            Step::Month => format!("{:04}-{:02}", number.div_euclid(12), number.rem_euclid(12) + 1),
            Step::Year => number.to_string(),
        };
        for (pair, (line, _)) in steps.windows(2).zip(self.rows.iter().skip(1)) {
            let problem = match pair[1] - pair[0] {
                1 => continue,
                0 => format!("{} stands twice; keep one of the two rows", name(pair[1])),
                gap if gap > 0 => format!(
                    "{}{} missing before this row, from {} on; add what is missing, with empty cells where nothing is known",
                    if gap == 2 { format!("one {}", step.name()) } else { format!("{} {}s", gap - 1, step.name()) },
                    if gap == 2 { " is" } else { " are" },
                    name(pair[0] + 1)
                ),
                _ => format!("{} comes after {}; sort the rows by time", name(pair[1]), name(pair[0])),
            };
            return Err(refuse(&self.at(*line), problem));
        }
        Ok(())
    }

    /// A series whose highest value is too small for its unit has been given in another.
    fn check_unit(&self, column: &SeriesColumn, values: &[Option<f64>]) -> Result<()> {
        let highest = values.iter().flatten().fold(0.0_f64, |high, value| high.max(*value));
        let (limit, instead) = match column.bounds.unit {
            "g/kWh" => (KILOGRAMS, "kilograms: multiply by 1000"),
            "%" => (FRACTIONS, "fractions: multiply by 100"),
            _ => return Ok(()),
        };
        if highest == 0.0 || highest > limit {
            return Ok(());
        }
        let problem = format!("`{}` reaches {highest} at most, so these are {instead}", column.name);
        Err(refuse(&self.place, problem))
    }

    fn number(&self, (line, cells): &(u64, Vec<Cell>), at: usize, column: &SeriesColumn) -> Result<Option<f64>> {
        let cell = cells.get(at).unwrap_or(&Cell::Empty);
        let value = match cell {
            Cell::Empty => return Ok(None),
            Cell::Number(value) => Some(*value),
            Cell::Text(text) => text.parse().ok(),
            Cell::Time(_) => None,
        };
        if let Some(value) = value.filter(|value| column.bounds.contains(*value)) {
            return Ok(Some(value));
        }
        let Bounds { unit, low, high, .. } = column.bounds;
        let unit = if unit.is_empty() { String::new() } else { format!(" {unit}") };
        let problem = format!("`{}` is {}, expected {low} to {high}{unit}", column.name, told(cell));
        Err(refuse(&self.at(*line), problem))
    }
}

/// A cell in a message.
fn told(cell: &Cell) -> String {
    match cell {
        Cell::Empty => "empty".into(),
        Cell::Text(text) => format!("`{}`", crate::error::excerpt(text)),
        Cell::Number(value) => format!("`{value}`"),
        Cell::Time(second) => format!("`{second}` s since 1970"),
    }
}

/// An hour's start with an offset, or without one, as the column says UTC.
fn hour(text: &str) -> Option<i64> {
    let text = text.replacen(' ', "T", 1);
    let second = if let Ok(at) = text.parse::<jiff::Timestamp>() {
        at
    } else {
        let naive: jiff::civil::DateTime = text.trim_end_matches('Z').parse().ok()?;
        naive.to_zoned(jiff::tz::TimeZone::UTC).ok()?.timestamp()
    };
    let whole = second.subsec_nanosecond() == 0 && second.as_second().rem_euclid(3600) == 0;
    whole.then(|| hour_of(second.as_second()))
}

/// The hour of a date, or of a date and an hour.
pub(super) fn time(text: &str) -> Option<i64> {
    text.parse::<jiff::civil::Date>().map(hour_of_date).ok().filter(|_| text.len() == 10).or_else(|| hour(text))
}

fn month(text: &str) -> Option<i64> {
    let (year, month) = text.split_once('-')?;
    let date = jiff::civil::Date::new(year.parse().ok()?, month.parse().ok()?, 1).ok()?;
    Some(Step::Month.of(hour_of_date(date)))
}
