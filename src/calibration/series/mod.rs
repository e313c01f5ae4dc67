//! Power series: readings of meters over time, from CSV, `nvidia-smi` and Prometheus.
//!
//! A meter is one accelerator, or a sum that somebody already made. Its readings are a power in watts, or a counter of
//! energy in joules. Readings are put in order of time; nothing else about them is repaired: whatever cannot be read is
//! an error with its place, its value and a way out.

mod csv;
mod prometheus;
mod unit;

pub use unit::{Averaged, Quantity, Unit};

use crate::intake::Clock;
use crate::{Error, Result};
use serde::Serialize;
use std::path::PathBuf;

/// A column with bigger numbers than this is in another unit than it says: more than any machine room draws, in watts.
const MOST_WATTS: f64 = 1e9;

/// One reading.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sample {
    /// Number of the meter.
    pub meter: u32,
    /// Number of the file.
    file: u32,
    /// Line of a CSV file, or place in a response.
    line: u64,
    /// Microseconds since 1970 UTC.
    pub time_us: i64,
    /// Watts, or joules since some start.
    pub value: f64,
}

#[cfg(test)]
impl Sample {
    pub(in crate::calibration) fn plain(time_us: i64, value: f64) -> Self {
        Self { meter: 0, file: 0, line: 0, time_us, value }
    }
}

/// A meter: what distinguishes its readings from those of others.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct Meter {
    /// Labels that name it, such as `gpu=0 hostname=n1`; empty where a file has no such column.
    pub name: String,
    /// The deployment that it says it belongs to.
    pub deployment: Option<String>,
}

/// How files are read.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// Zone of times without an offset.
    pub timezone: Option<String>,
    /// Unit of a series that does not say its own, see [`Unit::named`].
    pub unit: Option<String>,
}

/// Readings of all meters.
#[derive(Clone, Debug, PartialEq)]
pub struct Series {
    /// What the values are.
    pub quantity: Quantity,
    /// Whether the readings look back, as far as the source says.
    pub averaged: Averaged,
    meters: Vec<Meter>,
    /// By meter, then by time.
    samples: Vec<Sample>,
    /// Readings that stood before earlier ones of their meter.
    pub out_of_order: u64,
}

/// A reading as a file has it.
struct Read<'a> {
    meter: &'a Meter,
    line: u64,
    time_us: i64,
    value: f64,
}

/// Gathers readings of several files.
struct Gathered {
    files: Vec<PathBuf>,
    quantity: Option<(Quantity, Averaged, &'static str, u32)>,
    meters: std::collections::HashMap<Meter, u32>,
    samples: Vec<Sample>,
    clock: Clock,
    unit: Option<Unit>,
    /// What rows of the file at hand are called.
    rows: &'static str,
}

impl Gathered {
    fn refuse(&self, problem: impl Into<String>, hint: impl Into<String>) -> Error {
        let path = self.files.last().cloned().unwrap_or_default();
        Error::FileKind { path, problem: problem.into(), hint: hint.into() }
    }

    /// Takes a file's unit; all of them have to be the same quantity.
    fn unit(&mut self, unit: Unit) -> Result<()> {
        let file = u32::try_from(self.files.len() - 1).unwrap_or(u32::MAX);
        match self.quantity {
            None => self.quantity = Some((unit.quantity, unit.averaged, unit.name, file)),
            Some((quantity, ..)) if quantity != unit.quantity => {
                let (_, _, before, at) = self.quantity.unwrap_or((quantity, unit.averaged, "", 0));
                let place = crate::error::excerpt(&self.files[at as usize].to_string_lossy());
                return Err(self.refuse(
                    format!("a column {} where `{place}` has {before}: power and energy do not mix", unit.name),
                    "give files of one quantity, or calibrate with each of them",
                ));
            }
            // One file that looks back by a second and another that does not are half a second apart at most.
            Some((quantity, averaged, name, at)) if averaged != unit.averaged => {
                self.quantity = Some((quantity, Averaged::Unknown, name, at));
            }
            Some(_) => {}
        }
        Ok(())
    }

    fn add(&mut self, read: &Read<'_>, unit: Unit) -> Result<()> {
        let Read { meter, line, time_us, value } = *read;
        let joules_or_watts = value * unit.factor;
        let place = || format!("{} {line}, {}: ", self.rows, unit.name);
        if !joules_or_watts.is_finite() {
            return Err(self.refuse(
                format!("{}{value} is no number", place()),
                "leave out moments without a reading; a gap is seen and counted",
            ));
        }
        if joules_or_watts < 0.0 {
            return Err(self.refuse(
                format!("{}{value} is below zero", place()),
                "an accelerator draws power and gives none back: check the column and its sign",
            ));
        }
        if unit.quantity == Quantity::Power && joules_or_watts > MOST_WATTS {
            return Err(self.refuse(format!("{}{value} is more than a machine room draws", place()), "check the unit"));
        }
        let next = u32::try_from(self.meters.len()).unwrap_or(u32::MAX);
        let meter = if let Some(known) = self.meters.get(meter) {
            *known
        } else {
            self.meters.insert(meter.clone(), next);
            next
        };
        let file = u32::try_from(self.files.len() - 1).unwrap_or(u32::MAX);
        self.samples.push(Sample { meter, file, line, time_us, value: joules_or_watts });
        Ok(())
    }

    fn finish(mut self) -> Result<Series> {
        let Some((quantity, averaged, ..)) = self.quantity.filter(|_| !self.samples.is_empty()) else {
            return Err(self.refuse("no reading in it", "a series has a header and rows, or a response has values"));
        };
        // Numbers of meters follow their names, whatever came first.
        let mut meters: Vec<(Meter, u32)> = self.meters.drain().collect();
        meters.sort();
        let mut place = vec![0; meters.len()];
        for (new, (_, old)) in (0..).zip(&meters) {
            place[*old as usize] = new;
        }
        for sample in &mut self.samples {
            sample.meter = place[sample.meter as usize];
        }
        let mut latest: Vec<(u32, i64)> = vec![(u32::MAX, i64::MIN); meters.len()];
        let mut out_of_order = 0;
        for sample in &self.samples {
            let (file, time) = &mut latest[sample.meter as usize];
            out_of_order += u64::from(*file == sample.file && sample.time_us < *time);
            *time = if *file == sample.file { sample.time_us.max(*time) } else { sample.time_us };
            *file = sample.file;
        }
        self.samples.sort_by_key(|sample| (sample.meter, sample.time_us, sample.file, sample.line));
        let twice =
            self.samples.windows(2).find(|two| (two[0].meter, two[0].time_us) == (two[1].meter, two[1].time_us));
        if let Some([first, second]) = twice.and_then(|two| <&[Sample; 2]>::try_from(two).ok()) {
            self.files.truncate(second.file as usize + 1);
            let file = self.files[first.file as usize].to_string_lossy();
            let other = if first.file == second.file { String::new() } else { format!(" of `{file}`") };
            let meter = &meters[first.meter as usize].0.name;
            let meter = if meter.is_empty() { String::new() } else { format!(" of {meter}") };
            let time = jiff::Timestamp::from_microsecond(first.time_us).map_or(String::new(), |time| time.to_string());
            return Err(self.refuse(
                format!("{0} {1}{other} and {0} {2} both read {time}{meter}", self.rows, first.line, second.line),
                "remove one; or, if several accelerators stand in one file, add a column that names them: gpu, hostname",
            ));
        }
        let meters = meters.into_iter().map(|(meter, _)| meter).collect();
        Ok(Series { quantity, averaged, meters, samples: self.samples, out_of_order })
    }
}

impl Series {
    /// Reads files, given as name and bytes, into one series.
    ///
    /// ```
    /// use wattledger::calibration::series::{Options, Series};
    /// let csv = b"timestamp,power_w\n2026-01-01T00:00:00Z,310.5\n2026-01-01T00:00:10Z,330\n".to_vec();
    /// let series = Series::read(&[("power.csv".into(), csv)], &Options::default())?;
    /// assert_eq!(series.meters().len(), 1);
    /// assert_eq!(series.samples_of(0)[1].value, 330.0);
    /// # Ok::<(), wattledger::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::FileKind`] with place, value and a way out; [`Error::UnknownName`] for a zone or unit that does not exist.
    pub fn read(files: &[(PathBuf, Vec<u8>)], options: &Options) -> Result<Self> {
        let mut gathered = Gathered {
            files: Vec::new(),
            quantity: None,
            meters: std::collections::HashMap::new(),
            samples: Vec::new(),
            clock: Clock::new(options.timezone.as_deref())?,
            unit: options.unit.as_deref().map(Unit::named).transpose()?,
            rows: "line",
        };
        for (path, bytes) in files {
            gathered.files.push(path.clone());
            let Ok(text) = std::str::from_utf8(bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes)) else {
                let hint = "CSV, nvidia-smi output and Prometheus responses are read as UTF-8, not packed";
                return Err(gathered.refuse("this is no text", hint));
            };
            match text.trim_start().as_bytes().first() {
                None => return Err(gathered.refuse("the file is empty", "write a header and rows")),
                Some(b'{') => {
                    gathered.rows = "result";
                    prometheus::read(text, &mut gathered)?;
                }
                Some(_) => {
                    gathered.rows = "line";
                    csv::read(text, &mut gathered)?;
                }
            }
        }
        gathered.finish()
    }

    /// The meters, by name.
    #[must_use]
    pub fn meters(&self) -> &[Meter] {
        &self.meters
    }

    /// Readings of a meter, by time.
    #[must_use]
    pub fn samples_of(&self, meter: usize) -> &[Sample] {
        let from = self.samples.partition_point(|sample| (sample.meter as usize) < meter);
        let to = self.samples.partition_point(|sample| (sample.meter as usize) <= meter);
        &self.samples[from..to]
    }

    /// How many readings there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.samples.len()
    }

    /// Whether there are none; never of a series that was read.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.samples.is_empty()
    }

    /// Median time between readings of a meter, in seconds.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "times between readings")]
    pub fn spacing_s(&self) -> Option<f64> {
        let same = |two: &&[Sample]| two[0].meter == two[1].meter;
        let mut gaps: Vec<i64> =
            self.samples.windows(2).filter(same).map(|two| two[1].time_us - two[0].time_us).collect();
        let middle = gaps.len() / 2;
        (!gaps.is_empty()).then(|| *gaps.select_nth_unstable(middle).1 as f64 / 1e6)
    }

    /// Start of the first and time of the last reading, in microseconds.
    #[must_use]
    pub fn period_us(&self) -> Option<(i64, i64)> {
        let times = || self.samples.iter().map(|sample| sample.time_us);
        times().min().zip(times().max())
    }
}
