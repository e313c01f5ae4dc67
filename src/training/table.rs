//! Grouping: rows of a run by phase, activity, place and time.

use super::{Activity, Line, TrainingEstimate};
use crate::estimate::{Table, TableRow, Total};
use crate::hours::{date_of, told};
use crate::{Error, Result};
use std::collections::BTreeMap;

/// What a run can be grouped by.
pub const RUN_GROUPS: [&str; 8] = ["phase", "activity", "kind", "hardware", "site", "hour", "day", "month"];

impl TrainingEstimate {
    /// The run grouped by keys of [`RUN_GROUPS`], times in UTC.
    ///
    /// # Errors
    /// [`Error::UnknownName`] for a key that is none.
    pub fn by(&self, keys: &[String]) -> Result<Table> {
        for key in keys {
            if !RUN_GROUPS.contains(&key.as_str()) {
                let mut nearest = crate::error::nearest(key, RUN_GROUPS);
                if nearest.is_empty() {
                    nearest = RUN_GROUPS.map(str::to_owned).to_vec();
                }
                return Err(Error::UnknownName { kind: "key to group a run by", name: key.clone(), nearest });
            }
        }
        let mut groups: BTreeMap<Vec<(usize, Option<String>)>, Total> = BTreeMap::new();
        let mut total = Total::default();
        for line in &self.lines {
            let values = keys.iter().map(|key| self.key(key, line)).collect();
            groups.entry(values).or_default().add_whole(&line.values);
            total.add_whole(&line.values);
        }
        let rows = groups.into_iter().map(|(keys, total)| {
            let keys = keys.into_iter().map(|(_, key)| key).collect();
            TableRow { keys, unallocated: false, total }
        });
        Ok(Table { keys: keys.to_vec(), rows: rows.collect(), total })
    }

    /// A key with its place: phases and activities stand in the order that they are done in.
    fn key(&self, key: &str, line: &Line) -> (usize, Option<String>) {
        let phase = &self.phases[line.phase];
        let date = || line.hour.map(date_of);
        match key {
            // What is reserved and idle is no phase's.
            "phase" if line.activity == Activity::Idle => (usize::MAX, Some("reserved".into())),
            "phase" => (line.phase, Some(phase.name.clone())),
            "activity" => (line.activity as usize, Some(line.activity.name().into())),
            "kind" => (0, Some(phase.kind.name().into())),
            "hardware" => (0, Some(phase.trainer.hardware.clone())),
            "site" => (line.site, Some(phase.site_name.clone())),
            "day" => (0, date().map(|date| date.to_string())),
            "month" => (0, date().map(|date| date.strftime("%Y-%m").to_string())),
            _ => (0, line.hour.map(told)),
        }
    }
}
