//! Fleets and ledgers for the tests of estimates.

use std::path::PathBuf;
use std::sync::Arc;
use wattledger::estimate::Total;
use wattledger::estimate::columns::{SUMS, sum};
use wattledger::estimate::{Annotator, Estimate, GroupBy, SiteSummary, Table};
use wattledger::event::{Event, EventBatch, EventColumns, NO_LATENCY};
use wattledger::fleet::Fleet;
use wattledger::kernel::{Accumulator, Kept};
use wattledger::keys::{ROUTE_LABELS, SeriesTable};
use wattledger::ledger::Ledger;

/// 2026-01-01T00:00:00Z in seconds.
pub const START_S: i64 = 1_767_225_600;

/// A request of the log: labels by name, and when it began, in seconds after [`START_S`].
#[derive(Clone, Debug)]
pub struct Logged {
    pub labels: Vec<(&'static str, &'static str)>,
    pub at_s: i64,
    pub tokens: [u32; 3],
    pub latency_s: Option<i64>,
}

/// A request of the small Llama that is like the others.
pub fn logged(at_s: i64) -> Logged {
    Logged { labels: vec![("model", "llama-3.1-8b-instruct")], at_s, tokens: [1000, 0, 500], latency_s: Some(10) }
}

/// These requests as events; a label that no route has is a dimension, `team`.
pub fn events(requests: &[Logged]) -> (SeriesTable, EventBatch) {
    let mut table = SeriesTable::new(vec!["team".into()]);
    let mut batch = EventBatch::default();
    for request in requests {
        let mut labels = vec![None; ROUTE_LABELS.len() + 1];
        for (name, value) in &request.labels {
            labels[ROUTE_LABELS.iter().position(|label| label == name).unwrap_or(ROUTE_LABELS.len())] = Some(*value);
        }
        let [input_tokens, cached_tokens, output_tokens] = request.tokens;
        batch.push(Event {
            series: table.intern(&labels),
            time_us: (START_S + request.at_s) * 1_000_000,
            input_tokens,
            cached_tokens,
            output_tokens,
            latency_us: request.latency_s.map_or(NO_LATENCY, |s| s * 1_000_000),
        });
    }
    (table, batch)
}

/// The ledger of these requests.
pub fn ledger(requests: &[Logged]) -> Ledger {
    let (table, batch) = events(requests);
    let mut accumulator = Accumulator::new(&Kept::default());
    accumulator.batch(&batch, &table).expect("sums fit");
    accumulator.into_ledger(&table).expect("sums fit")
}

/// A fleet of one small deployment with these further lines, at a site of which everything is stated.
pub fn fleet(more: &str) -> Fleet {
    let text = format!(
        "[[deployment]]\nname = 'chat'\nmodel = 'llama-3.1-8b-instruct'\nhardware = 'h100-sxm5-80gb'\ndevices = 1\n\
         site = 'here'\n{more}\n{SITE}"
    );
    Fleet::parse(&text, "fleet.toml").expect("a fleet")
}

pub const SITE: &str = "[site.here]\npue = 1.25\nwue_l_per_kwh = 2.0\ncarbon_direct_g_per_kwh = 300\n\
                        carbon_lifecycle_g_per_kwh = 350\nwater_offsite_l_per_kwh = 1.5\n";

pub fn estimate(requests: &[Logged], fleet: &Fleet) -> Estimate {
    Estimate::new(&ledger(requests), fleet).expect("an estimate")
}

/// Every column of single events, in the order of [`SUMS`].
pub fn annotated(estimate: &Estimate, events: &EventColumns<'_>, table: &SeriesTable) -> Vec<Vec<f64>> {
    let keep: Vec<usize> = (0..SUMS.len()).collect();
    let mut columns = vec![vec![0.0; events.series.len()]; keep.len()];
    let mut slices: Vec<&mut [f64]> = columns.iter_mut().map(Vec::as_mut_slice).collect();
    Annotator::new(Arc::new(estimate.clone()), &keep).annotate(events, table, &mut slices);
    columns
}

pub fn by(estimate: &Estimate, keys: &[&str]) -> Table {
    let keys: Vec<String> = keys.iter().map(|key| (*key).to_owned()).collect();
    estimate.by(&GroupBy::new(&keys, None).expect("UTC")).expect("a table")
}

/// A column that has to be known.
pub fn value(total: &Total, column: &str) -> f64 {
    total.value(sum(column)).unwrap_or_else(|| panic!("{column} is unknown"))
}

pub fn close(a: f64, b: f64) -> bool {
    (a - b).abs() <= 1e-9 * a.abs().max(b.abs())
}

/// Requests every ten seconds over an hour that begins this many seconds after the start.
pub fn busy_hour(from_s: i64) -> impl Iterator<Item = Logged> {
    (0..360).map(move |i| logged(from_s + 10 * i))
}

/// The first hour of the logs of these tests: 2026-01-01T00Z.
pub const FIRST: i64 = START_S / 3600;

/// A busy hour, a silent one, a busy one; two teams.
pub fn three_hours() -> Vec<Logged> {
    let mut requests: Vec<_> = busy_hour(0).chain(busy_hour(7200)).collect();
    for (i, request) in requests.iter_mut().enumerate() {
        request.labels.push(("team", ["red", "blue", "green"][i % 3]));
    }
    requests
}

/// A fleet of two deployments at a site of these lines, with these files beside it.
pub fn at(site: &str, more: &str, files: &[(&str, String)]) -> Fleet {
    let folder: PathBuf = tempfile::tempdir().unwrap().keep();
    for (name, text) in files {
        std::fs::write(folder.join(name), text).unwrap();
    }
    let path = folder.join("fleet.toml");
    let text = format!(
        "{more}\n[[deployment]]\nname = 'chat'\nmodel = 'llama-3.1-8b-instruct'\nhardware = 'h100-sxm5-80gb'\n\
         devices = 1\nreplicas = 2\nsite = 'here'\n\n[site.here]\n{site}\n"
    );
    std::fs::write(&path, text).unwrap();
    let fleet = Fleet::load(&path).unwrap();
    std::fs::remove_dir_all(folder).unwrap();
    fleet
}

/// A series of these values from the first hour on.
pub fn hours(column: &str, values: &[f64]) -> (&'static str, String) {
    let rows = values.iter().enumerate().map(|(i, value)| {
        let hour = FIRST + i64::try_from(i).unwrap();
        format!("{},{value}\n", wattledger::hours::told(hour))
    });
    ("series.csv", format!("hour_utc,{column}\n{}", rows.collect::<String>()))
}

pub fn site(estimate: &Estimate) -> SiteSummary {
    estimate.sites().into_iter().find(|site| site.site == "here").unwrap()
}
