//! Probes that did not end: told wherever the journal is, with what takes away what they may have left.

use serde_json::{Value, json};

use super::report::Report;
use crate::journal::ProbeRecord;
use crate::work::Work;

/// Tells the probes of which something may be left.
pub(super) fn tell(work: &Work, report: &Report) {
    tell_but(work, &[], report);
}

/// The same but for those that are taken back now.
pub(super) fn tell_but(work: &Work, but: &[ProbeRecord], report: &Report) {
    let mut probes = match work.unfinished_probes() {
        Ok(probes) => probes,
        Err(error) => {
            report.error(&error.into());
            return;
        }
    };
    probes.retain(|probe| !but.contains(probe));
    for probe in &probes {
        report.object(&object(probe));
        report.line(&format!("note: {}", probe.remainder()));
        report.line(&format!("  hint: {}", probe.remainder_hint()));
    }
}

fn object(probe: &ProbeRecord) -> Value {
    json!({
        "event": "unfinished_probe",
        "probe": probe.id.0,
        "created_at": probe.created_at,
        "source_account": probe.source_account,
        "profile": probe.sign_in.profile,
        "bucket": probe.bucket,
        "owner": probe.owner,
        "key": probe.key,
        "upload_id": probe.upload_id,
        "stage": probe.stage.as_str(),
        "hint": probe.remainder_hint(),
    })
}
