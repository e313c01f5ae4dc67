//! A ledger on disk is the ledger.

use crate::support::{facts, ledger};
use proptest::prelude::*;
use wattledger::error::Error;
use wattledger::event::{Coverage, InputIdentity, Reason, Reject};
use wattledger::keys::Series;
use wattledger::ledger::{self, CELL_LIMIT, Ledger, NULL_BIN, Row};

fn written(ledger: &Ledger) -> Vec<u8> {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("ledger.parquet");
    ledger::write(ledger, &path).expect("it is written");
    assert_eq!(ledger::read(&path).expect("it is read").as_ref(), Some(ledger));
    std::fs::read(&path).expect("it is there")
}

fn coverage() -> Coverage {
    let mut coverage = Coverage::default();
    coverage.count_many(5);
    coverage.reject(Reject {
        file: "a".into(),
        line: 3,
        reason: Reason::Malformed,
        field: None,
        value: Some("{".into()),
    });
    coverage.incomplete.push("a: cut off".into());
    coverage
}

proptest! {
    // Every case waits for the disk four times.
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn what_is_written_is_read(facts in facts(50), since in 0_i64..8) {
        let mut ledger = ledger(&facts);
        ledger.origin.coverage = coverage();
        ledger.origin.inputs =
            vec![InputIdentity { name: "a".into(), bytes: 9, digest: "00".into(), format: "flat".into() }];
        let bytes = written(&ledger);
        prop_assert_eq!(ledger::read_bytes(&bytes).unwrap(), Some(ledger.clone()));
        let later = ledger.between(Some(1_767_225_600 + 900 * since), None).unwrap();
        written(&later);
    }

}

proptest! {
    #[test]
    fn damage_is_an_error_and_never_a_panic(at in any::<prop::sample::Index>(), byte in any::<u8>(), cut in any::<bool>()) {
        let mut bytes = BYTES.clone();
        let at = at.index(bytes.len());
        if cut {
            bytes.truncate(at);
        } else {
            bytes[at] = byte;
        }
        if let Ok(Some(read)) = ledger::read_bytes(&bytes) {
            // A byte that nothing depends on may differ; the reading still has to be a ledger that describes itself.
            let _ = read.describe();
        }
    }
}

static BYTES: std::sync::LazyLock<Vec<u8>> = std::sync::LazyLock::new(|| written(&extreme()));

/// The largest sums, the null bin, and labels that are hard to hold.
fn extreme() -> Ledger {
    let label = |text: &str| Some(Box::from(text));
    let series = vec![
        Series::new(vec![None; 7]),
        Series::new(vec![label(""), label("ü\n\u{0}"), None, None, None, None, label("=1+1")]),
    ];
    let moments = [
        Row { key: 0, bin: NULL_BIN, sums: [CELL_LIMIT; 8] },
        Row { key: 1, bin: -3600, sums: [1, 2, 1, 4, 4, 1, 8, 16] },
        Row { key: 1, bin: 4_102_441_200, sums: [1, 0, 0, 0, 0, 0, 0, 0] },
    ];
    let occupancy = [
        Row { key: 0, bin: NULL_BIN, sums: [0, 0, 1, 0] },
        Row { key: 1, bin: -300, sums: [u64::MAX.into(), 1, 1, 4] },
    ];
    Ledger::from_rows(3600, vec!["team".into()], &series, &moments, vec![], &occupancy).expect("it fits")
}

#[test]
fn the_largest_and_the_oddest_ledger_is_read_as_written() {
    written(&extreme());
    written(&Ledger::empty(300, vec![], &[4096, 128]).unwrap());
}

#[test]
fn parquet_that_is_no_ledger_is_told_apart() {
    let batch = ledger::to_batch(&extreme());
    let mut bytes = Vec::new();
    let mut writer = parquet::arrow::ArrowWriter::try_new(&mut bytes, batch.schema(), None).unwrap();
    writer.write(&batch).unwrap();
    writer.close().unwrap();
    assert_eq!(ledger::read_bytes(&bytes).unwrap(), None);
    assert!(matches!(ledger::read_bytes(b"no Parquet at all"), Err(Error::FileDamaged { .. })));
}
