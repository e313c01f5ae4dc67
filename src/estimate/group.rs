//! Grouping: lines by keys of the plan, the log, the clock and the user.

use super::Estimate;
use super::Total;
use super::columns::{COUNTS, RATIOS, SUMS};
use super::lines::Line;
use crate::keys::route_label;
use crate::ledger::NULL_BIN;
use crate::{Error, Result};
use jiff::tz::TimeZone;
use jiff::{Timestamp, Unit};
use std::collections::BTreeMap;

/// Keys there are besides user dimensions. `deployment`, `model`, `hardware` and `site` are the fleet's; what the log
/// says stands under `provider`, `region`, `host` and the names beginning with `logged_`.
pub const KEYS: [&str; 14] = [
    "deployment",
    "model",
    "hardware",
    "site",
    "hour",
    "day",
    "month",
    "bin",
    "provider",
    "region",
    "host",
    "logged_model",
    "logged_deployment",
    "logged_hardware",
];

/// The column beside the keys that says of a row that no request bears it.
pub const UNALLOCATED: &str = "unallocated";

/// What to group by, and in which zone hours and days are told.
#[derive(Clone, Debug)]
pub struct GroupBy {
    keys: Vec<String>,
    zone: TimeZone,
    filters: Vec<(String, glob::Pattern)>,
}

impl GroupBy {
    /// Keys by name; `zone` is an IANA name, `UTC` if not given.
    ///
    /// # Errors
    /// [`Error::UnknownName`] for a zone that does not exist.
    pub fn new(keys: &[String], zone: Option<&str>) -> Result<Self> {
        let zone = match zone {
            None => TimeZone::UTC,
            Some(name) => TimeZone::get(name).map_err(|_| Error::UnknownName {
                kind: "time zone",
                name: name.into(),
                nearest: crate::error::nearest(name, ["UTC", "Europe/Berlin", "America/New_York", "Asia/Singapore"]),
            })?,
        };
        Ok(Self { keys: keys.to_vec(), zone, filters: Vec::new() })
    }

    /// Keeps only lines whose key has a value like this pattern, `llama*`; several have to hold together.
    ///
    /// # Errors
    /// [`Error::Argument`] for an expression that is not `KEY=PATTERN`.
    pub fn filter(mut self, expression: &str) -> Result<Self> {
        let wrong = || Error::Argument {
            what: "--where".into(),
            value: expression.into(),
            expected: "KEY=PATTERN, such as model=llama*".into(),
        };
        let (key, pattern) = expression.split_once('=').ok_or_else(wrong)?;
        let pattern = glob::Pattern::new(pattern.trim()).map_err(|_| wrong())?;
        self.filters.push((key.trim().into(), pattern));
        Ok(self)
    }
}

/// A row: key values and sums.
#[derive(Clone, Debug)]
pub struct TableRow {
    /// One value per key; `None` is unknown or does not apply.
    pub keys: Vec<Option<String>>,
    /// Whether it is what was provisioned and served no request.
    pub unallocated: bool,
    /// Sums.
    pub total: Total,
}

/// An estimate grouped by keys, in the order of the keys.
#[derive(Clone, Debug)]
pub struct Table {
    /// Names of the keys.
    pub keys: Vec<String>,
    /// Rows by key values; unallocated ones last of their keys.
    pub rows: Vec<TableRow>,
    /// Sums over the rows.
    pub total: Total,
}

/// A time of day as tables and messages print it.
pub(super) fn time(seconds: i64) -> String {
    Timestamp::from_second(seconds).map_or_else(|_| seconds.to_string(), |t| t.to_string())
}

impl Estimate {
    /// The estimate grouped by keys: `["deployment", "hour"]`.
    ///
    /// # Errors
    /// [`Error::UnknownName`] for a key that is none, [`Error::Argument`] for `hour` in a zone whose hours cut through
    /// the bins.
    pub fn by(&self, group: &GroupBy) -> Result<Table> {
        let readers = group.keys.iter().map(|key| self.reader(key)).collect::<Result<Vec<_>>>()?;
        let filters =
            group.filters.iter().map(|(key, pattern)| Ok((self.reader(key)?, pattern))).collect::<Result<Vec<_>>>()?;
        // Times repeat on many lines; each is told once.
        let mut times: BTreeMap<(usize, i64), Option<String>> = BTreeMap::new();
        let mut groups: BTreeMap<(Vec<Option<String>>, bool), Total> = BTreeMap::new();
        let mut total = Total::default();
        for line in &self.lines {
            let fits = |(reader, pattern): &(Reader, &glob::Pattern)| {
                self.value(reader, line, &group.zone).ok().flatten().is_some_and(|value| pattern.matches(&value))
            };
            if !filters.iter().all(fits) {
                continue;
            }
            let mut keys = Vec::with_capacity(readers.len());
            for (i, reader) in readers.iter().enumerate() {
                keys.push(match reader {
                    Reader::Time(_) => {
                        if let Some(told) = times.get(&(i, line.bin)) {
                            told.clone()
                        } else {
                            let told = self.value(reader, line, &group.zone)?;
                            times.insert((i, line.bin), told.clone());
                            told
                        }
                    }
                    _ => self.value(reader, line, &group.zone)?,
                });
            }
            let values = self.values(line);
            groups.entry((keys, line.series.is_none())).or_default().add(&line.counts, &values);
            total.add(&line.counts, &values);
        }
        let rows = groups.into_iter().map(|((keys, unallocated), total)| TableRow { keys, unallocated, total });
        Ok(Table { keys: group.keys.clone(), rows: rows.collect(), total })
    }

    fn reader(&self, key: &str) -> Result<Reader> {
        if let Some(at) = self.dimensions.iter().position(|d| d == key) {
            // Its values would stand where the column's do.
            if key == UNALLOCATED || COUNTS.iter().chain(&SUMS).chain(&RATIOS).any(|column| column.name == key) {
                return Err(Error::Argument {
                    what: "dimension".into(),
                    value: key.into(),
                    expected: "a name that is no column of estimates; rename the column of the log".into(),
                });
            }
            return Ok(Reader::Dimension(at));
        }
        Ok(match key {
            "deployment" => Reader::Plan(PlanKey::Deployment),
            "model" => Reader::Plan(PlanKey::Model),
            "hardware" => Reader::Plan(PlanKey::Hardware),
            "site" => Reader::Plan(PlanKey::Site),
            "hour" => Reader::Time(Clock::Hour),
            "day" => Reader::Time(Clock::Day),
            "month" => Reader::Time(Clock::Month),
            "bin" => Reader::Time(Clock::Bin),
            "provider" | "region" | "host" => Reader::Label(key.into()),
            "logged_model" | "logged_deployment" | "logged_hardware" => {
                Reader::Label(key.trim_start_matches("logged_").into())
            }
            _ => {
                let known = KEYS.into_iter().chain(self.dimensions.iter().map(String::as_str));
                let mut nearest = crate::error::nearest(key, known.clone());
                if nearest.is_empty() {
                    nearest = known.map(str::to_owned).collect();
                }
                return Err(Error::UnknownName { kind: "key to group by", name: key.into(), nearest });
            }
        })
    }

    fn value(&self, reader: &Reader, line: &Line, zone: &TimeZone) -> Result<Option<String>> {
        let series = line.series.map(|at| &self.series[at as usize]);
        Ok(match reader {
            Reader::Dimension(at) => series.and_then(|s| s.dimensions()[*at].as_deref()).map(str::to_owned),
            Reader::Label(name) => series.and_then(|s| route_label(s.route(), name)).map(str::to_owned),
            Reader::Time(clock) => clock.tell(line.bin, zone, self.bin_seconds)?,
            Reader::Plan(key) => match line.deployment().map(|at| &self.plan.deployments()[at]) {
                Some(deployed) => Some(match key {
                    PlanKey::Deployment => deployed.name.clone(),
                    PlanKey::Model => deployed.model.clone(),
                    PlanKey::Hardware => deployed.hardware.clone(),
                    PlanKey::Site => self.plan.sites()[deployed.site].name.clone(),
                }),
                None if matches!(key, PlanKey::Site) => line.site().map(|at| self.plan.sites()[at].name.clone()),
                // A route that goes nowhere still has the name the log gives its model.
                None if matches!(key, PlanKey::Model) => {
                    series.and_then(|s| route_label(s.route(), "model")).map(str::to_owned)
                }
                None => None,
            },
        })
    }
}

enum Reader {
    Dimension(usize),
    Label(String),
    Plan(PlanKey),
    Time(Clock),
}

enum PlanKey {
    Deployment,
    Model,
    Hardware,
    Site,
}

enum Clock {
    Bin,
    Hour,
    Day,
    Month,
}

impl Clock {
    fn tell(&self, bin: i64, zone: &TimeZone, bin_seconds: u32) -> Result<Option<String>> {
        if bin == NULL_BIN {
            return Ok(None);
        }
        let wrong = |_| Error::Argument {
            what: "time".into(),
            value: bin.to_string(),
            expected: "a time the calendar reaches".into(),
        };
        let local = Timestamp::from_second(bin).map_err(wrong)?.to_zoned(zone.clone());
        let offset = i64::from(local.offset().seconds());
        if !matches!(self, Self::Bin) && (bin + offset).rem_euclid(i64::from(bin_seconds)) != 0 {
            return Err(Error::Argument {
                what: "--group-timezone".into(),
                value: zone.iana_name().unwrap_or("zone").into(),
                expected: format!(
                    "a zone whose hours begin on the ledger's bins of {bin_seconds} s; scan with --bin 900"
                ),
            });
        }
        let hour = || local.round(jiff::ZonedRound::new().smallest(Unit::Hour).mode(jiff::RoundMode::Floor));
        Ok(Some(match self {
            Self::Bin => Timestamp::from_second(bin).map_err(wrong)?.to_string(),
            Self::Hour if *zone == TimeZone::UTC => {
                Timestamp::from_second(bin.div_euclid(3600) * 3600).map_err(wrong)?.to_string()
            }
            Self::Hour => hour().map_err(wrong)?.strftime("%Y-%m-%dT%H:%M:%S%:z").to_string(),
            Self::Day => local.strftime("%Y-%m-%d").to_string(),
            Self::Month => local.strftime("%Y-%m").to_string(),
        }))
    }
}
