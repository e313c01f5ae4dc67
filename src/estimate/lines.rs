//! From rates to lines: IT first, then what stands around it at its site and hour, then what meters say.

use super::columns::{FACILITY, Values};
use super::meters::{self, Reconciled, Scales};
use super::rates::{self, Rated};
use super::site_hours::{Hour, SiteHours, empty_hour, hour_of_bin};
use super::{Line, Load};
use crate::Result;
use crate::fleet::{Allocation, Fleet};
use crate::hours::{HOUR_S, hour_of};
use crate::ledger::{Ledger, NULL_BIN};
use crate::plan::{Around, Plan, Target};
use crate::units::{Joules, KilowattHours};
use std::collections::BTreeMap;

/// Lines, and what single events need to come out like them.
pub(super) struct Drawn {
    pub lines: Vec<Line>,
    pub site_hours: SiteHours,
    pub scales: Scales,
    pub reconciled: Vec<Reconciled>,
}

/// Draws the lines of a ledger.
pub(super) fn draw(ledger: &Ledger, fleet: &Fleet, plan: &Plan, rated: &Rated, routes: &[u32]) -> Result<Drawn> {
    let (mut loads, mut lines) = loads(ledger, plan, rated, routes);
    let (mut reconciled, mut scales) = (Vec::new(), Scales::new());
    let meters = fleet.meters();
    meters::of_it(meters, plan, &mut loads, &rated.periods, (&mut reconciled, &mut scales))?;
    let mut it_kwh: BTreeMap<(usize, i64), f64> = BTreeMap::new();
    for load in &loads {
        let Some(site) = load.site else { continue };
        *it_kwh.entry((site, hour_of_bin(load.bin))).or_insert(0.0) += energy(load).0;
    }
    empty_hours(plan, rated.period(), &mut it_kwh);
    let mut site_hours = SiteHours::new(plan, &it_kwh, rated.period());
    for load in &loads {
        let Some(hour) = load.site.and_then(|site| site_hours.get(site, load.bin)) else { continue };
        lines.push(line(load, hour, plan, fleet.allocation()));
    }
    lines.extend(of_sites(plan, &site_hours, fleet.allocation()));
    // Lines come in the order of the ledger, so that sums are the same on every run.
    lines.sort_by_key(|line| (line.series.is_none(), line.series, line.deployment, line.site, line.bin));
    meters::of_facilities(meters, plan, &mut lines, &rated.periods, (&mut reconciled, &mut scales))?;
    // What contracts cover depends on the load of the site, meters and all.
    site_hours.contract(plan, &facility_loads(&lines), rated.period());
    for line in &mut lines {
        if let Some(hour) = line.site.and_then(|site| site_hours.get(site, line.bin)) {
            line.values.market(&hour.at);
        }
        if let Some(at) = line.deployment {
            line.values.embody(&plan.deployments()[at].embodied_per_s, line.values.standing_s());
        }
    }
    Ok(Drawn { lines, site_hours, scales, reconciled })
}

/// Energy of facilities by site and hour.
fn facility_loads(lines: &[Line]) -> BTreeMap<(usize, i64), f64> {
    let mut loads = BTreeMap::new();
    for line in lines {
        if let Some(site) = line.site {
            *loads.entry((site, hour_of_bin(line.bin))).or_insert(0.0) += line.values.sums[FACILITY];
        }
    }
    loads
}

/// The IT of every series and bin and of what is unallocated; and the lines of routes that go nowhere.
fn loads(ledger: &Ledger, plan: &Plan, rated: &Rated, routes: &[u32]) -> (Vec<Load>, Vec<Line>) {
    let mut loads = Vec::with_capacity(ledger.moments().len() + rated.unallocated.len());
    let mut nowhere = Vec::new();
    for row in ledger.moments().iter() {
        let series = row.key as usize;
        let counts = [row.sums[0], row.sums[1], row.sums[2], row.sums[3]];
        let place = Line { series: Some(series), counts, values: Values::UNKNOWN, ..Line::of_site(None, row.bin) };
        let Target::Deployment(at) = plan.targets()[routes[series] as usize] else {
            nowhere.push(place);
            continue;
        };
        let Some(rate) = rated.table.get(at, row.bin) else {
            nowhere.push(place);
            continue;
        };
        let window = rates::window_of(ledger, plan.deployments()[at].window, &row);
        let parts = rate.parts(&rates::features(&row.sums, window));
        loads.push(Load {
            series: Some(series),
            deployment: Some(at),
            site: Some(plan.deployments()[at].site),
            bin: row.bin,
            counts,
            parts,
            weighted_concurrency: rate.concurrency * parts.replica_s,
            busy_s: rate.busy_per_s * parts.replica_s,
            provisioned_s: rate.provisioned_per_s * parts.replica_s,
        });
    }
    for u in &rated.unallocated {
        loads.push(Load {
            site: Some(plan.deployments()[u.deployment].site),
            parts: u.parts,
            busy_s: u.busy_s,
            provisioned_s: u.provisioned_s,
            ..Load::unallocated(Some(u.deployment), u.bin)
        });
    }
    (loads, nowhere)
}

fn energy(load: &Load) -> KilowattHours {
    KilowattHours::from(Joules(load.parts.it_j()))
}

/// Sites whose capacity is stated stand there in every hour of the period, whether IT runs or not.
fn empty_hours(plan: &Plan, period: Option<(i64, i64)>, it_kwh: &mut BTreeMap<(usize, i64), f64>) {
    let Some((start, end)) = period else { return };
    for (site, _) in plan.sites().iter().enumerate().filter(|(_, site)| site.capacity_kw().is_some()) {
        for hour in hour_of(start)..=hour_of(end - 1) {
            it_kwh.entry((site, hour)).or_insert(0.0);
        }
    }
}

fn line(load: &Load, hour: &Hour, plan: &Plan, allocation: Allocation) -> Line {
    let mut values = Values::at_site(&load.parts, &charged(hour, allocation));
    values.weighted_concurrency = load.weighted_concurrency;
    values.busy_s = load.busy_s;
    values.provisioned_s = load.provisioned_s;
    let inside = load.site.and_then(|site| plan.sites()[site].it_overhead());
    values.compute_kwh = inside.map_or(f64::NAN, |share| energy(load).0 * (1.0 - share));
    Line {
        series: load.series,
        deployment: load.deployment,
        counts: load.counts,
        values,
        ..Line::of_site(load.site, load.bin)
    }
}

/// The hour with the overhead that its load is charged.
pub(super) fn charged(hour: &Hour, allocation: Allocation) -> crate::plan::SiteHour {
    let mut at = hour.at;
    if allocation == Allocation::Marginal {
        at.facility.average = at.facility.marginal;
    }
    at
}

/// What is a site's alone: hours without IT, and what a marginal allocation leaves over.
fn of_sites(plan: &Plan, site_hours: &SiteHours, allocation: Allocation) -> Vec<Line> {
    let mut lines = Vec::new();
    for (site, compiled) in plan.sites().iter().enumerate() {
        for (hour, value) in site_hours.of(site) {
            let bin = hour.map_or(NULL_BIN, |hour| hour * HOUR_S);
            let place = Line::of_site(Some(site), bin);
            if value.it_kwh == 0.0 {
                if let Some(around) = hour.and_then(|hour| compiled.empty(hour)) {
                    let values = empty_hour(&around, &value.at, value.covered_h);
                    lines.push(Line { values, ..place });
                }
            } else if allocation == Allocation::Marginal {
                let mut values = Values::overhead(KilowattHours(value.it_kwh), &left_over(value), &value.at);
                values.causes(&value.at);
                lines.push(Line { values, ..place });
            }
        }
    }
    lines
}

fn left_over(hour: &Hour) -> Around {
    let (average, marginal) = (hour.at.facility.average, hour.at.facility.marginal);
    Around {
        cooling: average.cooling - marginal.cooling,
        power_delivery: average.power_delivery - marginal.power_delivery,
        water_input_l: average.water_input_l - marginal.water_input_l,
        water_consumed_l: average.water_consumed_l - marginal.water_consumed_l,
    }
}
