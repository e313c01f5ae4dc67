//! What operating points, weather and grids say for people, as assumptions.

use super::{Estimate, group, rates, request};
use crate::keys::OTHER;
use crate::ledger::Ledger;
use crate::plan::{Assumption, Level, LoadRule, WeatherOf};
use std::collections::BTreeMap;

impl Estimate {
    /// Turns what the operating points say into assumptions.
    pub(super) fn remark(&mut self, remarks: &[rates::Remarks]) {
        let mut say = |place: &str, what: &str, value: String, why: &str| {
            self.assumptions.push(Assumption { place: place.into(), what: what.into(), value, why: why.into() });
        };
        if let Some((start, end)) = self.log
            && self.plan.deployments().iter().any(|d| d.dedicated && d.provisioned.is_none())
        {
            say(
                "estimate",
                "provisioned period",
                format!("{} to {}", group::time(start), group::time(end)),
                "from the first to the last five-minute bin with a request in the log",
            );
        }
        for (deployed, remarks) in self.plan.deployments().iter().zip(remarks) {
            let place = format!("deployment `{}`", deployed.name);
            if remarks.solved_bins > 0 {
                let bins = format!("solved from arrivals in {} five-minute bins", remarks.solved_bins);
                say(&place, "concurrency", bins, "the log carries no latency");
            } else if deployed.dedicated && remarks.latency_share > 0.0 && remarks.latency_share < 1.0 {
                let share = format!("{:.1} % of requests", 100.0 * remarks.latency_share);
                say(&place, "latency", share, "the others are taken to overlap as these do");
            }
            if let (Some(limit), LoadRule::Declared(stated)) = (remarks.declared_beyond, deployed.load) {
                say(&place, "concurrency", crate::plan::plain(stated), &request::beyond(limit));
            }
            if remarks.overloaded_bins > 0 {
                let bins = format!("overloaded in {} five-minute bins", remarks.overloaded_bins);
                say(
                    &place,
                    "load",
                    bins,
                    "the log asks for more than the replicas can do; concurrency is at its limit",
                );
            }
            if remarks.crowded_bins > 0 {
                let bins = format!("more than the replicas have time for in {} bins", remarks.crowded_bins);
                let why = "the log shows more work, or shorter latencies, than the method thinks these replicas can do; \
                           energy comes out above what they can draw";
                say(&place, "load", bins, why);
            }
            if remarks.window_missing {
                let why = "the ledger was made without this model's window: full attention stands in, an upper bound; \
                           scan with --fleet to keep it";
                say(&place, "attention window", "ignored".into(), why);
            }
            if remarks.null_bin {
                say(
                    &place,
                    "time",
                    "unknown for some requests".into(),
                    "evaluated at the default concurrency, without idle",
                );
            }
        }
    }

    /// Turns what stood in for weather and grids into assumptions.
    pub(super) fn remark_sites(&mut self) {
        let mut notes = Vec::new();
        for (at, site) in self.plan.sites().iter().enumerate() {
            let mut say = |what: &str, value: String, why: &str| {
                let place = format!("site `{}`", site.name);
                notes.push(Assumption { place, what: what.into(), value, why: why.into() });
            };
            let (mut weather, mut real_grid) = (BTreeMap::<WeatherOf, usize>::new(), 0_usize);
            let mut above = 0_usize;
            for (hour, value) in self.site_hours.of(at) {
                *weather.entry(value.at.facility.weather.unwrap_or(WeatherOf::Hour)).or_default() += 1;
                let zone_hour = value.at.grid.direct.is_some_and(|(_, level)| level == Level::ZoneHour);
                real_grid += usize::from(zone_hour && value.at.facility.weather.is_some());
                let power = value.it_kwh / value.covered_h;
                above += usize::from(hour.is_some() && site.capacity_kw().is_some_and(|most| power > most));
            }
            let station = site.station.as_deref().unwrap_or("of the series");
            let mut typical = 0;
            for (of, hours) in weather {
                match of {
                    WeatherOf::Stated | WeatherOf::Hour => {}
                    WeatherOf::OtherYear(year) => {
                        let why = format!("station `{station}` does not reach those {hours} hours");
                        say("weather", format!("the same hours of {year}"), &why);
                    }
                    WeatherOf::TypicalYear => {
                        typical += hours;
                        let why = format!("station `{station}` is of a typical year; {hours} hours");
                        say("weather", "the same hours of a typical year".into(), &why);
                    }
                }
            }
            if typical > 0 && real_grid > 0 {
                let why = "the grid's factors are of real hours: a hot evening and its dirty grid do not meet";
                say("weather and grid", "not of the same hours".into(), why);
            }
            if above > 0 {
                let value = format!("more IT power than it_capacity_kw in {above} hours");
                say("load", value, "held at the capacity");
            }
        }
        self.assumptions.extend(notes);
    }

    /// Tells of dimensions of which some values are one.
    pub(super) fn remark_bounds(&mut self, ledger: &Ledger) {
        for one in ledger.bounded_dimensions() {
            self.assumptions.push(Assumption {
                place: format!("dimension `{}`", one.dimension),
                what: "values that stand apart".into(),
                value: format!("{} of about {:.1e}", one.kept, one.about),
                why: format!("the ledger holds no more; the others are summed as `{OTHER}`, and sums are exact"),
            });
        }
    }
}
