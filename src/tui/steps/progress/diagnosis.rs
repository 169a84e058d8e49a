//! Why an export failed: its diagnosis, by AWS's words and by the assessment of the plan that is at hand.
//!
//! It is made when a failure is reported, not while it is drawn.

use crate::diagnosis::group::ErrorGroups;
use crate::diagnosis::scan::FoundError;
use crate::diagnosis::words::{brief, describe_operation};
use crate::diagnosis::{OperationFailure, diagnose};
use crate::tui::assessing;
use crate::tui::model::Model;
use crate::work::event::{OperationProgress, ProgressStage};

use super::state::{FailureDiagnosis, is_failed};

/// Diagnoses the exports that failed since the last time.
pub(crate) fn diagnose_failures(model: &mut Model) {
    let progress = &model.progress;
    let new: Vec<(usize, FailureDiagnosis)> = progress
        .exports
        .iter()
        .filter(|export| is_failed(export) && !progress.diagnoses.contains_key(&export.index))
        .filter_map(|export| Some((export.index, diagnosis_of(model, export)?)))
        .collect();
    model.progress.diagnoses.extend(new);
}

/// None where the failure has neither a code nor words.
fn diagnosis_of(model: &Model, export: &OperationProgress) -> Option<FailureDiagnosis> {
    if export.failure_code.is_none() && export.failure_message.is_none() {
        return None;
    }
    let failure = OperationFailure {
        operation: "ExportTableToPointInTime".to_owned(),
        is_refused: export.stage == ProgressStage::Refused,
        code: export.failure_code.clone(),
        message: export.failure_message.clone(),
        bucket: model.plan().map(|plan| plan.destination.bucket.to_string()),
        at: export.ended_at,
        ..OperationFailure::default()
    };
    let assessment = assessing::assessed(model).map(|assessed| &assessed.assessment);
    let error = failure.reported();
    let known = failure.circumstances(&error, assessment);
    let lines = brief(&error, &diagnose(&error, &known)?);
    let mut groups = ErrorGroups::default();
    groups.add(FoundError { line: 1, error }, |_| known.clone());
    let group = groups.in_order().first()?;
    Some(FailureDiagnosis {
        brief: lines,
        text: describe_operation(group, &[&export.name]),
    })
}

/// The diagnoses of all exports that failed, to be read.
pub(crate) fn text(model: &Model) -> String {
    let diagnoses = model.progress.diagnoses.values();
    let texts: Vec<&str> = diagnoses.map(|found| found.text.trim_end()).collect();
    texts.join("\n\n")
}
