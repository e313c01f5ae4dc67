//! From rates to lines: IT first, then the hours of the sites at their power, then what meters say.

use super::columns::{FACILITY, Values};
use super::lines::{Line, Load, Work, charged_around, place};
use super::loads::{features, window_of};
use super::meters::{self, Reconciled, Scales};
use super::rates::Rated;
use super::site_hours::{Energies, SiteHours, empty_hour, hour_of_bin};
use crate::Result;
use crate::fleet::{Allocation, Fleet};
use crate::hours::{HOUR_S, hour_of};
use crate::ledger::{Ledger, NULL_BIN};
use crate::memory;
use crate::plan::{Around, Plan, Target};
use crate::units::KilowattHours;

/// Lines, and what single events need to come out like them.
pub(super) struct Drawn {
    pub lines: Vec<Line>,
    pub site_hours: SiteHours,
    pub scales: Scales,
    pub reconciled: Vec<Reconciled>,
}

/// Draws the lines of a ledger.
pub(super) fn draw(ledger: &Ledger, fleet: &Fleet, plan: &Plan, rated: &Rated, routes: &[u32]) -> Result<Drawn> {
    let mut lines = lines(ledger, plan, rated, routes);
    let of_series = lines.len();
    lines.extend(rated.unallocated.iter().map(|u| {
        let work = Work { parts: u.parts, busy_s: u.busy_s, provisioned_s: u.provisioned_s, ..Work::default() };
        Line::unallocated(Some(u.deployment), plan, u.bin, work)
    }));
    let (mut reconciled, mut scales) = (Vec::new(), Scales::new());
    let meters = fleet.meters();
    meters::of_it(meters, plan, &mut lines, &rated.periods, (&mut reconciled, &mut scales))?;
    let mut it_kwh = Energies::of(plan);
    for line in &lines {
        if let (Some(site), Some(it)) = (line.site(), line.it()) {
            it_kwh.add(site, hour_of_bin(line.bin), it.0);
        }
    }
    empty_hours(plan, rated.period(), &mut it_kwh);
    let mut site_hours = SiteHours::new(plan, it_kwh, rated.period(), fleet.allocation());
    lines.extend(of_sites(plan, &site_hours));
    // Those of series are in the order of the ledger; the others follow in an order of their own, so that sums are the
    // same on every run.
    lines[of_series..].sort_by_key(|line| (line.deployment, line.site, line.bin));
    let at = (&site_hours, fleet.allocation());
    meters::of_facilities(meters, plan, &mut lines, at, &rated.periods, (&mut reconciled, &mut scales))?;
    let loads = facility_loads(&lines, plan, &site_hours, fleet.allocation());
    site_hours.contract(plan, loads, rated.period());
    Ok(Drawn { lines, site_hours, scales, reconciled })
}

/// Energy of facilities by site and hour.
fn facility_loads(lines: &[Line], plan: &Plan, site_hours: &SiteHours, allocation: Allocation) -> Energies {
    let mut loads = Energies::of(plan);
    for line in lines {
        let Some(site) = line.site() else { continue };
        let facility = match (&line.load, site_hours.get(site, line.bin)) {
            (Load::It(work), Some(hour)) => Values::facility_kwh(&work.parts, charged_around(hour, allocation)),
            (_, hour) => line.values(plan, hour, allocation).sums[FACILITY],
        };
        loads.add(site, hour_of_bin(line.bin), facility);
    }
    loads
}

/// The IT of every series and bin, in the order of the ledger.
fn lines(ledger: &Ledger, plan: &Plan, rated: &Rated, routes: &[u32]) -> Vec<Line> {
    let mut lines = memory::with_capacity(ledger.moments().len() + rated.unallocated.len());
    lines.extend(ledger.moments().iter().map(|row| {
        let counts = [row.sums[0], row.sums[1], row.sums[2], row.sums[3]];
        let (series, bin) = (Some(row.key), row.bin);
        let nowhere = Line { series, deployment: None, site: None, bin, counts, load: Load::Unknown };
        let Target::Deployment(at) = plan.targets()[routes[row.key as usize] as usize] else { return nowhere };
        let Some(rate) = rated.table.get(at, row.bin) else { return nowhere };
        let deployed = &plan.deployments()[at];
        let parts = rate.parts(&features(&row.sums, window_of(ledger, deployed.window, &row)));
        let work = Work {
            parts,
            weighted_concurrency: rate.concurrency * parts.replica_s,
            busy_s: rate.busy_per_s * parts.replica_s,
            provisioned_s: rate.provisioned_per_s * parts.replica_s,
        };
        Line { deployment: Some(place(at)), site: Some(place(deployed.site)), load: Load::It(work), ..nowhere }
    }));
    lines
}

/// Sites whose capacity is stated stand there in every hour of the period, whether IT runs or not.
fn empty_hours(plan: &Plan, period: Option<(i64, i64)>, it_kwh: &mut Energies) {
    let Some((start, end)) = period else { return };
    for (site, _) in plan.sites().iter().enumerate().filter(|(_, site)| site.capacity_kw().is_some()) {
        for hour in hour_of(start)..=hour_of(end - 1) {
            it_kwh.add(site, hour, 0.0);
        }
    }
}

/// What is a site's alone: hours without IT, and what a marginal allocation leaves over.
fn of_sites(plan: &Plan, site_hours: &SiteHours) -> Vec<Line> {
    let mut lines = Vec::new();
    for (site, compiled) in plan.sites().iter().enumerate() {
        for (hour, value) in site_hours.of(site) {
            let bin = hour.map_or(NULL_BIN, |hour| hour * HOUR_S);
            if value.it_kwh == 0.0 {
                if let Some(around) = hour.and_then(|hour| compiled.empty(hour)) {
                    lines.push(Line::of_site(site, bin, empty_hour(&around, &value.at, value.covered_h)));
                }
            } else if let Some(marginal) = &value.at.facility.marginal {
                let left = left_over(&value.at.facility.average, marginal);
                let mut values = Values::overhead(KilowattHours(value.it_kwh), &left, &value.at);
                values.causes(&value.at);
                lines.push(Line::of_site(site, bin, values));
            }
        }
    }
    lines
}

fn left_over(average: &Around, marginal: &Around) -> Around {
    Around {
        cooling: average.cooling - marginal.cooling,
        power_delivery: average.power_delivery - marginal.power_delivery,
        water_input_l: average.water_input_l - marginal.water_input_l,
        water_consumed_l: average.water_consumed_l - marginal.water_consumed_l,
    }
}
