//! Why the export before this one failed, where its failure speaks against the next start.

use super::diagnose::diagnose;
use super::operation_failure::OperationFailure;
use super::words::brief;
use crate::assess::assessment::Assessment;
use crate::assess::verdict::Check;
use crate::job::ExportStatus;

/// The causes of the failure that the assessment tells of, a line each, by AWS's words then and by what is
/// read now; none where it tells of none.
#[must_use]
pub fn earlier_causes(assessment: &Assessment) -> Vec<String> {
    let mut requirements = assessment.requirements.iter();
    if !requirements.any(|found| found.is_of(Check::EarlierFailure)) {
        return Vec::new();
    }
    let bucket = assessment.plan.destination.bucket.as_str();
    let exports = assessment.facts.exports.iter();
    let failed = exports
        .filter(|export| export.bucket == bucket && export.status == ExportStatus::Failed)
        .max_by_key(|export| export.ended_at.unwrap_or(export.started_at));
    let Some(export) = failed else {
        return Vec::new();
    };
    let failure = OperationFailure {
        operation: "ExportTableToPointInTime".to_owned(),
        code: export.failure_code.clone(),
        message: export.failure_message.clone(),
        bucket: Some(export.bucket.clone()),
        is_owner_sent: Some(export.owner.is_some()),
        at: export.ended_at,
        ..OperationFailure::default()
    };
    let error = failure.reported();
    let known = failure.circumstances(&error, Some(assessment));
    diagnose(&error, &known).map_or_else(Vec::new, |diagnosis| brief(&error, &diagnosis))
}
