//! One way into every error, through a door that users have.

use arrow_array::{ArrayRef, Float32Array, Int64Array, RecordBatch, StringArray};
use std::path::{Path, PathBuf};
use std::sync::{Arc, LazyLock};
use wattledger::catalog::Catalog;
use wattledger::error::Error;
use wattledger::estimate::{Estimate, GroupBy, Request, request};
use wattledger::fleet::Fleet;
use wattledger::intake::{self, ColumnMap};
use wattledger::keys::Series;
use wattledger::ledger::{self, CELL_LIMIT, Ledger, Row};
use wattledger::scan::{Options, scan, scan_batches, too_many_rejects};
use wattledger::validation::{Kind, validate};

static FOLDER: LazyLock<tempfile::TempDir> = LazyLock::new(|| tempfile::tempdir().expect("a folder"));

/// Where the files of the samples lie.
pub fn folder() -> &'static Path {
    FOLDER.path()
}

fn file(name: &str, bytes: &[u8]) -> PathBuf {
    let path = folder().join(name);
    std::fs::write(&path, bytes).expect("a file");
    path
}

fn never() -> bool {
    false
}

fn scanned(path: &Path) -> Result<Ledger, Error> {
    scan(&[path.to_string_lossy().into_owned()], &Options::default(), &never)
}

fn log(name: &str, text: &str) -> Result<Ledger, Error> {
    scanned(&file(name, text.as_bytes()))
}

fn mapped(map: &[(&str, &str)]) -> Result<Ledger, Error> {
    let path = file("mapped.csv", b"timestamp,model,input_tokens,output_tokens\n");
    let map = map.iter().map(|(field, column)| ((*field).to_owned(), (*column).to_owned())).collect();
    let options = Options { intake: intake::Options { map, ..intake::Options::default() }, ..Options::default() };
    scan(&[path.to_string_lossy().into_owned()], &options, &never)
}

fn fleet(text: &str) -> Result<Fleet, Error> {
    Fleet::parse(text, "fleet.toml")
}

/// A fleet of one deployment with these further lines.
fn deployment(more: &str) -> Result<Fleet, Error> {
    fleet(&format!(
        "[[deployment]]\nname = 'chat'\nmodel = 'llama-3.1-8b-instruct'\nhardware = 'h100-sxm5-80gb'\n{more}"
    ))
}

fn site(more: &str) -> Result<Fleet, Error> {
    fleet(&format!("[site.iad]\ncatalog = 'aws/us-east-1'\n{more}"))
}

/// What an estimate of a small log says under this fleet.
fn estimated(fleet: &Fleet) -> Result<Estimate, Error> {
    let ledger = log(
        "small.csv",
        "timestamp,model,input_tokens,output_tokens\n2026-01-01T00:00:00Z,llama-3.1-8b-instruct,100,20\n",
    )?;
    Estimate::new(&ledger, fleet)
}

fn asked(change: impl FnOnce(&mut Request)) -> Result<(), Error> {
    let mut asked = Request { model: Some("llama-3.1-8b".into()), output_tokens: Some(100), ..Request::default() };
    change(&mut asked);
    request(&Fleet::assumed(), &asked).map(|_| ())
}

fn series() -> Vec<Series> {
    vec![Series::new(vec![None; 6])]
}

/// A ledger of one row with this many input tokens.
fn ledger_of(input: u128) -> Ledger {
    let row = Row { key: 0, bin: 0, sums: [1, input, 0, 0, 0, 0, 0, 0] };
    Ledger::from_rows(3600, vec![], &series(), &[row], vec![], &[]).expect("one row")
}

fn batch(output: ArrayRef) -> Result<Ledger, Error> {
    let one = || Arc::new(Int64Array::from(vec![1_767_225_600])) as ArrayRef;
    let model = Arc::new(StringArray::from(vec!["m"])) as ArrayRef;
    let columns = [("timestamp", one()), ("model", model), ("input_tokens", one()), ("output_tokens", output)];
    let batch = RecordBatch::try_from_iter(columns).expect("columns of one length");
    scan_batches(&batch.schema(), [Ok(batch)], &Options::default())
}

fn newer_ledger() -> Vec<u8> {
    use parquet::arrow::ArrowWriter;
    use parquet::file::metadata::KeyValue;
    use parquet::file::properties::WriterProperties;
    let batch = ledger::to_batch(&ledger_of(1));
    let pairs = vec![KeyValue::new("wattledger.ledger".into(), "{\"schema_version\":7}".to_owned())];
    let properties = WriterProperties::builder().set_key_value_metadata(Some(pairs)).build();
    let mut bytes = Vec::new();
    let mut writer = ArrowWriter::try_new(&mut bytes, batch.schema(), Some(properties)).expect("a writer");
    writer.write(&batch).expect("a table");
    writer.close().expect("an end");
    bytes
}

fn files(add: &mut impl FnMut(Option<Error>)) {
    add(Fleet::load(Path::new("no/such/fleet.toml")).err());
    add(scan(&["no/such/log.jsonl".into()], &Options::default(), &never).err());
    add(Fleet::load(folder()).err());
    add(ledger::write(&ledger_of(1), &folder().join("missing").join("x.parquet")).err());
    add(scanned(&file("cut.jsonl.gz", &[0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3, 1, 2])).err());
    add(scanned(&file("cut.parquet", b"PAR1 and nothing like it")).err());
    add(ledger::read_bytes(b"PAR1").err());
    add(ledger::read_bytes(b"PAR1....\xff\xff\xff\x7fPAR1").err());
    add(log("log.zip", "PK\x03\x04 packed").err());
    add(log("empty.jsonl", "").err());
    add(log("european.csv", "timestamp;model;input_tokens;output_tokens\n").err());
    std::fs::create_dir_all(folder().join("nothing")).expect("a folder");
    add(scanned(&folder().join("nothing")).err());
    add(scanned(&folder().join("nothing/*.jsonl")).err());
}

fn columns(add: &mut impl FnMut(Option<Error>)) {
    add(log("short.csv", "timestamp,model,prompt\n").err());
    let wide: Vec<String> = (0..30).map(|i| format!("column_{i}")).collect();
    add(log("wide.csv", &format!("{}\n", wide.join(","))).err());
    add(batch(Arc::new(Float32Array::from(vec![20.0]))).err());
    add(batch(Arc::new(StringArray::from(vec!["20"]))).err());
    add(log("twice.csv", "timestamp,model,input_tokens,output_tokens,model\n").err());
    add(mapped(&[("input_token", "x")]).err());
    add(mapped(&[("model", "a"), ("model", "b")]).err());
    add(ColumnMap::from_toml("name = 'x'\n[columns]\ntimestamp = ['t']\n").err());
    add(ColumnMap::from_toml("name = 'x'\nkolumns = 1\n").err());
}

fn names(add: &mut impl FnMut(Option<Error>)) {
    add(asked(|request| request.hardware = Some("H10O".into())).err());
    add(asked(|request| request.model = Some("a\u{202e}b".into())).err());
    add(asked(|request| request.site = Some("atlantis".into())).err());
    add(asked(|request| request.precision = Some("fp9".into())).err());
    add(asked(|request| request.deployment = Some("chat".into())).err());
    add(Catalog::builtin().embodied("zzz").err());
    add(Catalog::builtin().table("zzz").err());
    add(GroupBy::new(&[], Some("Mars/Olympus")).err());
    let by = |key: &str| estimated(&Fleet::assumed())?.by(&GroupBy::new(&[key.to_owned()], None)?);
    add(by("sites").err());
    add(asked(|request| request.site = Some("US East 1".into())).err());
}

fn fleets(add: &mut impl FnMut(Option<Error>)) {
    add(fleet("[[hardware]]\nid = 'h100-sxm5-80gb'\ntdp_w = 700000\n").err());
    add(overlaid("vendor = 'NVIDIA'"));
    add(fleet("[[deployment]\n").err());
    add(fleet(&format!("x = {}1{}", "[".repeat(500), "]".repeat(500))).err());
    add(fleet("[[deployment]]\nname = 'a'\nname = 'b'\n").err());
    add(fleet("[[deployment]]\nname = 'a'\n").err());
    add(deployment("tenancy = 'rented'").err());
    add(deployment("replicas = 1.5").err());
    add(deployment("match = { model = ['[a'] }").err());
    add(deployment("replica = 2").err());
    add(deployment("match = { modle = ['a'] }").err());
    add(fleet("[[deployments]]\n").err());
    add(fleet("zzz = 1\n").err());
    add(site("pue = 0.9").err());
    add(site("pue = nan").err());
    add(site("wue_l_per_kwh = inf").err());
    add(site("carbon_direct_g_per_kwh = -3").err());
    add(site("carbon_direct_g_per_kwh = 0.35").err());
    add(deployment("replicas = 0").err());
    add(deployment("log_fraction = 35").err());
    add(asked(|request| request.input_tokens = u64::MAX).err());
    add(asked(|request| (request.input_tokens, request.cached_tokens) = (100, 101)).err());
    add(asked(|request| request.concurrency = Some(f64::NAN)).err());
    add(asked(|request| request.devices = Some(0.0)).err());
    add(deployment("tenancy = 'shared'\nconcurrency = 'from-log'").err());
    add(deployment("metered_concurrency = 16").err());
    add(deployment("media_share = 0.5").and_then(|fleet| estimated(&fleet)).err());
    add(asked(|request| (request.model, request.devices) = (Some("llama-3.1-405b".into()), Some(1.0))).err());
    let twice = "[[deployment]]\nname = 'a'\nmodel = 'llama-3.1-8b-instruct'\nhardware = 'h100'\n";
    add(fleet(&format!("{twice}{twice}")).err());
    let both = format!("{twice}{}", twice.replace("'a'", "'b'"));
    add(fleet(&both).and_then(|fleet| estimated(&fleet)).err());
}

/// Series of sites, meters and replicas.
fn series_files(add: &mut impl FnMut(Option<Error>)) {
    let with = |csv: &str, fleet: &str| {
        file("series.csv", csv.as_bytes());
        Fleet::load(&file("series.toml", fleet.as_bytes())).err()
    };
    let site = |csv: &str| with(csv, "[site.one]\nseries = 'series.csv'\n");
    add(site("hour_utc,carbon_g_per_kwh\n2026-01-01T00:00Z,50\n"));
    add(site("hour_local,carbon_direct_g_per_kwh\n2026-10-25T02:00:00,50\n"));
    add(site("hour_utc,carbon_direct_g_per_kwh\n2026-01-01T00:00Z,50\n2026-01-01T02:00Z,51\n"));
    add(site("hour_utc,carbon_direct_g_per_kwh\n2026-01-01T00:00Z,50\n2026-01-01T00:00Z,51\n"));
    add(site("hour_utc,carbon_direct_g_per_kwh\n2026-01-01T01:00Z,50\n2026-01-01T00:00Z,51\n"));
    add(site("hour_utc,carbon_direct_g_per_kwh\n2026-01-01T00:30Z,50\n"));
    add(site("hour_utc,carbon_direct_g_per_kwh\n2026-01-01T00:00Z,0.35\n"));
    add(site("month,pue\n2026-13,1.2\n"));
    add(site("month,dry_bulb_c\n2026-01,12\n"));
    add(site("year,pue\n2026,0.9\n"));
    add(site("year,peu\n2026,1.2\n"));
    add(site("year,pue,pue\n2026,1.2,1.3\n"));
    add(site("year,pue\n"));
    add(site("year,pue\n2026,1.2,7\n"));
    add(with("year,pue\n2026,1.2\n", "[site.one]\nseries = ['series.csv', 'series.csv']\n"));
    add(with("", "[site.one]\nseries = '../elsewhere.csv'\n"));
    add(with("", "catalog_files = ['/somewhere/hardware.csv']\n"));
    add(with("year,it_kwh\n2026,5\n", "[[meter]]\nfile = 'series.csv'\n"));
    add(with("year,it_kwh,facility_kwh\n2026,5,6\n", "[[meter]]\nfile = 'series.csv'\nsite = 'one'\n"));
    add(with("year,it_kwh\n2026,5\n", "[[meter]]\nfile = 'series.csv'\ndeployments = ['chat']\n"));
    let twice = "[[meter]]\nfile = 'series.csv'\nsite = 'one'\n";
    add(with("year,it_kwh\n2026,5\n", &format!("{twice}{twice}")));
    let both = "[site.one]\ncontracted_share = 0.5\ncontracted_kwh_per_year = 5\n";
    add(with("", both));
    add(with("", "[site.one]\nit_capacity_kw = 100\nit_load_fraction = 0.5\n"));
    add(with("", "[site.one]\ngeneration_mix = { coal = 0.4, wind = 0.5 }\n"));
    let half = "[[deployment]]\nname = 'a'\nmodel = 'llama-3.1-8b-instruct'\nhardware = 'h100'\n";
    add(with("", &format!("{half}provisioned_from = '2026-01-01'\n")));
    add(with("", &format!("{half}provisioned_from = '2026-02-01'\nprovisioned_until = '2026-01-01'\n")));
}

/// What a user's own row of a new accelerator says with this line.
fn overlaid(line: &str) -> Option<Error> {
    Catalog::with_overlay(&format!("[[hardware]]\nid = 'mine'\nname = 'Mine'\n{line}\n"), "my.toml").err()
}

fn ledgers(add: &mut impl FnMut(Option<Error>)) {
    add(ledger::merge(vec![ledger_of(CELL_LIMIT), ledger_of(1)], false).err());
    let empty = |bin: u32, dimension: &str| Ledger::empty(bin, vec![dimension.into()], &[]);
    add(empty(3600, "team").and_then(|a| ledger::merge(vec![a, empty(300, "team")?], false)).err());
    add(empty(3600, "team").and_then(|a| ledger::merge(vec![a, empty(3600, "user")?], false)).err());
    add(ledger::read_bytes(&newer_ledger()).err());
    let path = file("once.csv", b"timestamp,model,input_tokens,output_tokens\n2026-01-01T00:00:00Z,m,100,20\n");
    add(scanned(&path).and_then(|a| ledger::merge(vec![a, scanned(&path)?], false)).err());
    add(empty(60, "team").err());
    add(empty(3600, "model").err());
    add(ledger::merge(vec![], false).err());
    add(ledger_of(1).between(Some(5), None).err());
    add(too_many_rejects(&ledger_of(1).origin.coverage, 1.5).err());
    add(GroupBy::new(&[], None).and_then(|group| group.filter("model:llama")).err());
    let india = || estimated(&Fleet::assumed())?.by(&GroupBy::new(&["hour".into()], Some("Asia/Kolkata"))?);
    add(india().err());
    add(asked(|request| request.model = None).err());
    let measured = |text: &str| validate(Kind::ImageVideo, &file("measured.csv", text.as_bytes())).err();
    add(measured("model,gpu,height,width,denoising_steps\n"));
    add(Kind::parse("cooking").err());
    add(scan(&[path.to_string_lossy().into_owned()], &Options::default(), &|| true).err());
}

/// Every sample, in the order it is read.
pub fn samples() -> Vec<Error> {
    let mut samples = Vec::new();
    let mut add = |error: Option<Error>| {
        let error = error.unwrap_or_else(|| panic!("the sample after {} is no error", samples.len()));
        samples.push(error);
    };
    files(&mut add);
    columns(&mut add);
    names(&mut add);
    fleets(&mut add);
    series_files(&mut add);
    ledgers(&mut add);
    samples
}
