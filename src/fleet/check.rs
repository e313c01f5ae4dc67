//! What has to hold between the parts of a fleet file.

use super::Residual;
use super::read::Read;
use crate::{Error, Result};

/// Meters stand at something that is there, read something, and no two of them read the same.
pub(super) fn meters(read: &Read, place: &str) -> Result<()> {
    let mut behind: Vec<(&str, &str)> = Vec::new();
    for meter in &read.meters {
        let at = format!("{place}, meter `{}`", meter.name);
        let conflict = |problem: String, hint: &str| {
            Err(Error::FleetConflict { place: at.clone(), problem, hint: hint.to_owned() })
        };
        if meter.series.len() != 1 {
            let hint = "give one column, facility_kwh or it_kwh; a second meter is a second [[meter]]";
            return conflict(format!("{} has {} readings", meter.file, meter.series.len()), hint);
        }
        if meter.site.is_some() != meter.deployments.is_empty() {
            return conflict("it stands at nothing, or at two things".into(), "state `site` or `deployments`");
        }
        if !meter.deployments.is_empty() && meter.series.contains_key("facility_kwh") {
            let hint = "a meter of the whole facility stands at a site; one of a rack or a deployment reads it_kwh";
            return conflict("deployments have no facility of their own".into(), hint);
        }
        for name in &meter.deployments {
            if read.deployments.iter().all(|deployment| deployment.name != *name) {
                let nearest = crate::error::nearest(name, read.deployments.iter().map(|d| d.name.as_str()));
                return Err(Error::UnknownName { kind: "deployment", name: name.clone(), nearest });
            }
        }
        let reads: Vec<(&str, &str)> = match &meter.site {
            Some(site) => vec![("site", site.as_str())],
            None => meter.deployments.iter().map(|name| ("deployment", name.as_str())).collect(),
        };
        // A meter that is only told can stand beside any other.
        for one in reads.into_iter().filter(|_| meter.residual != Residual::Report) {
            if behind.contains(&one) {
                let hint = "leave one out, or give it residual = \"report\": the difference could be charged twice";
                return conflict(format!("two meters stand at {} `{}`", one.0, one.1), hint);
            }
            behind.push(one);
        }
    }
    Ok(())
}
