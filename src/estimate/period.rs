//! The period of a log, and what a dedicated deployment needs of it.

use crate::hours::{HOUR_S, hour_of, told};
use crate::ledger::{Ledger, NULL_BIN, OCCUPANCY_BIN_S};
use crate::plan::Deployed;
use crate::{Error, Result};

/// From the first to the last five-minute bin in which any deployment saw a request; wider bins where occupancy was not
/// kept.
pub(super) fn period(ledger: &Ledger) -> Option<(i64, i64)> {
    let width = if ledger.keeps_occupancy() { OCCUPANCY_BIN_S } else { ledger.bin_seconds() };
    let (mut first, mut last) = (i64::MAX, NULL_BIN);
    let mut see = |bin: i64| {
        if bin != NULL_BIN {
            (first, last) = (first.min(bin), last.max(bin));
        }
    };
    if ledger.keeps_occupancy() {
        ledger.occupancy().bins().for_each(&mut see);
    } else {
        ledger.moments().bins().for_each(&mut see);
    }
    (last != NULL_BIN).then(|| (first, last + i64::from(width)))
}

/// How long a dedicated deployment was busy cannot be guessed.
pub(super) fn check_occupancy(ledger: &Ledger, deployed: &Deployed) -> Result<()> {
    if ledger.keeps_occupancy() {
        return Ok(());
    }
    Err(Error::LedgerMismatch {
        problem: format!("deployment `{}` is dedicated, and the ledger keeps no occupancy", deployed.name),
        hint: "scan again and keep it, or declare tenancy = \"shared\"".into(),
    })
}

/// Scaled replicas are known in every hour of the period.
pub(super) fn check_replicas(deployed: &Deployed, period: Option<(i64, i64)>) -> Result<()> {
    let Some((start, end)) = period else { return Ok(()) };
    let hours = hour_of(start)..=hour_of(end - 1);
    match hours.into_iter().find(|hour| deployed.replicas_at(hour * HOUR_S).is_none()) {
        None => Ok(()),
        Some(hour) => Err(Error::FleetConflict {
            place: format!("deployment `{}`", deployed.name),
            problem: format!("its series of replicas says nothing of {}", told(hour)),
            hint: "the series has to cover the log and the provisioned period; 0 is an answer".into(),
        }),
    }
}
