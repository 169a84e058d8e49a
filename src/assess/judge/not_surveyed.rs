//! Tables and keys of the plan that the facts are without.
//!
//! A survey reads every one of them, so that this is for facts from a file that were read for another
//! plan, and for a key that a remedy brings into the plan. What the caller's own policies say of them
//! may still deny; allowed they are by nobody, since what their own policies and settings are was
//! never asked.

use crate::assess::facts::Facts;
use crate::assess::responsible::Responsible;
use crate::assess::verdict::{
    AssessedRequirement, Check, MissingInput, PolicyLayer, Requirement, Verdict,
};
use crate::job::Plan;
use crate::job::requirement::{RequiredPermission, Subject};

/// The verdict, unknown in place of allowed where it is about something that was not surveyed.
pub(super) fn settle(
    plan: &Plan,
    facts: &Facts,
    mut verdict: AssessedRequirement,
) -> AssessedRequirement {
    let Some(what) = missing(plan, facts, &verdict.requirement) else {
        return verdict;
    };
    let hint = "survey this plan: the facts are without it";
    let is_of_setting = matches!(verdict.requirement, Requirement::Check { .. });
    match &verdict.outcome {
        Verdict::Allowed { .. } => {}
        Verdict::Unknown { .. } if is_of_setting => {}
        // What stands in the way is named already.
        Verdict::Unknown { .. } => {
            hint.clone_into(&mut verdict.hint);
            return verdict;
        }
        Verdict::Denied | Verdict::Depends { .. } => return verdict,
    }
    verdict.outcome = Verdict::unread(vec![MissingInput {
        layer: PolicyLayer::Setting,
        what: what.clone(),
        permission: String::new(),
        detail: "it was not surveyed".to_owned(),
    }]);
    verdict.deciding.clear();
    verdict
        .because(format!("{what} was not surveyed"))
        .fixed_by(Responsible::You, hint)
}

/// What a subject is about, in words, where the facts are without it.
fn missing(plan: &Plan, facts: &Facts, requirement: &Requirement) -> Option<String> {
    let table = |name: &str| facts.table(name).is_none().then(|| format!("table {name}"));
    let key = |name: &str| facts.key(name).is_none().then(|| format!("key {name}"));
    match requirement {
        Requirement::Permission(need) => match &need.subject {
            Subject::Table | Subject::TableExport => table(&table_of(plan, facts, need)?),
            Subject::ObjectKey(named) => key(named),
            Subject::ExportList
            | Subject::Object
            | Subject::Folder
            | Subject::SourceBucket
            | Subject::Named { .. }
            | Subject::TableKey => None,
        },
        Requirement::Check { check, of } => match check {
            Check::Table | Check::Recovery => table(of),
            Check::KeyState => key(of),
            _ => None,
        },
    }
}

/// The table that a need is about, as the plan calls it.
fn table_of(plan: &Plan, facts: &Facts, need: &RequiredPermission) -> Option<String> {
    let source = facts.source();
    let pattern = need.resource.pattern().trim_end_matches("/export/*");
    let is_it = |arn: String| arn == pattern;
    plan.tables
        .iter()
        .find(|job| {
            is_it(
                plan.table_arn(job, &source.caller.account, &source.region)
                    .to_string(),
            )
        })
        .map(|job| job.table.to_string())
}
