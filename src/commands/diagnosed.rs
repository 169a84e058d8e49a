//! What is said of operations that failed where something else is told: by which cause, and how to fix it.

use serde_json::{Value, json};

use super::error::Said;
use crate::assess::assessment::Assessment;
use crate::diagnosis::words::{brief, brief_json};
use crate::diagnosis::{Diagnosis, OperationFailure, ReportedError, diagnose};
use crate::journal::{Operation, RunId};
use crate::work::FailedOperation;

/// The diagnosis of a failure, by an assessment where there is one.
fn diagnosed(
    failure: &OperationFailure,
    assessment: Option<&Assessment>,
) -> Option<(ReportedError, Diagnosis)> {
    let error = failure.reported();
    let known = failure.circumstances(&error, assessment);
    let diagnosis = diagnose(&error, &known)?;
    Some((error, diagnosis))
}

/// The causes of an operation's failure in lines; none where it did not fail.
pub(super) fn causes(operation: &Operation, assessment: Option<&Assessment>) -> Vec<String> {
    let failed = FailedOperation::of(operation);
    let diagnosed = failed.and_then(|failed| diagnosed(&failed.failure, assessment));
    diagnosed.map_or_else(Vec::new, |(error, diagnosis)| brief(&error, &diagnosis))
}

/// The causes of a failure in lines, by its own words.
pub(super) fn failure_causes(failure: &OperationFailure) -> Vec<String> {
    diagnosed(failure, None).map_or_else(Vec::new, |(error, diagnosis)| brief(&error, &diagnosis))
}

/// The same for programs.
pub(super) fn failure_causes_json(failure: &OperationFailure) -> Value {
    diagnosed(failure, None).map_or(Value::Null, |(error, diagnosis)| {
        brief_json(&error, &diagnosis)
    })
}

/// The same for programs; null where it did not fail.
pub(super) fn causes_json(operation: &Operation) -> Value {
    let failed = FailedOperation::of(operation);
    failed.map_or(Value::Null, |failed| failure_causes_json(&failed.failure))
}

/// By which cause the operations of a run failed, and the command that says more.
pub(super) fn failures_explained(
    run: RunId,
    operations: &[Operation],
    assessment: Option<&Assessment>,
) -> Vec<Said> {
    let mut said = Vec::new();
    for operation in operations {
        let Some(failed) = FailedOperation::of(operation) else {
            continue;
        };
        let Some((error, diagnosis)) = diagnosed(&failed.failure, assessment) else {
            continue;
        };
        let lines = brief(&error, &diagnosis);
        let lines = lines.iter().map(|line| format!("{}: {line}", failed.name));
        said.extend(lines.map(Said::Line));
        said.push(Said::Object(json!({
            "event": "diagnosis",
            "run": run.0,
            "table": failed.name,
            "causes": brief_json(&error, &diagnosis),
        })));
    }
    if !said.is_empty() {
        said.push(Said::Line(format!(
            "`tableferry explain {run}` reads both accounts and says which causes hold; what failed starts \
             anew, with a new token, when the plan is run again"
        )));
    }
    said
}
