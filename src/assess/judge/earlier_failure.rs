//! Exports that failed before, as evidence against the next one.
//!
//! One that failed while all that can be read was as it is now is likely to fail again: until something
//! changed it is told, with AWS's own words, and no start answers it but one that is asked for again.

use crate::assess::facts::{Drift, Facts, PastExport};
use crate::assess::job_facts::bucket_owner;
use crate::assess::principal::is_same_principal;
use crate::assess::responsible::Responsible;
use crate::assess::verdict::{AssessedRequirement, Check, Verdict};
use crate::job::ExportStatus;
use crate::job::Plan;
use tableferry_policy::evaluate::Dependency;

/// Failures of AWS's own, which say nothing of the accounts.
const OF_AWS_ITSELF: [&str; 5] = [
    "InternalError",
    "InternalFailure",
    "InternalServerError",
    "ServiceUnavailable",
    "SlowDown",
];

/// The newest export of the same principal to the same place, where it failed and nothing that can be
/// read has changed since.
pub(super) fn judge(plan: &Plan, facts: &Facts) -> Option<AssessedRequirement> {
    let mut alike: Vec<&PastExport> = facts
        .exports
        .iter()
        .filter(|export| is_alike(plan, facts, export))
        .collect();
    alike.sort_by_key(|export| export.ended_at.unwrap_or(export.started_at));
    let failed = alike
        .into_iter()
        .rfind(|export| export.status != ExportStatus::InProgress)
        .filter(|export| export.status == ExportStatus::Failed && is_of_the_accounts(export))?;
    if failed.writing == Drift::Changed || failed.reading == Drift::Changed {
        return None;
    }
    let place = match &plan.destination.prefix {
        Some(prefix) => format!("s3://{}/{prefix}", plan.destination.bucket),
        None => format!("s3://{}", plan.destination.bucket),
    };
    let outcome = Verdict::Depends {
        on: Dependency::on("whether what it failed by was changed where it cannot be read"),
        unread: Vec::new(),
    };
    let verdict = AssessedRequirement::check(Check::EarlierFailure, place, outcome)
        .because(in_words(failed))
        .fixed_by(
            Responsible::You,
            "change what it failed by; `run --again` starts it all the same",
        );
    Some(match &failed.failure_message {
        Some(message) => verdict.expecting(message.clone()),
        None => verdict,
    })
}

/// What failed, when, and by what.
fn in_words(failed: &PastExport) -> String {
    let ended = failed.ended_at.unwrap_or(failed.started_at);
    let by = match (&failed.failure_code, &failed.failure_message) {
        (Some(code), Some(message)) => format!(": {code}: {message}"),
        (Some(one), None) | (None, Some(one)) => format!(": {one}"),
        (None, None) => String::new(),
    };
    format!(
        "the export {} failed at {}, and nothing that can be read has changed since{by}",
        failed.export_arn,
        ended.strftime("%Y-%m-%dT%H:%M:%SZ"),
    )
}

/// Whether an export wrote as the plan's would: as the same principal, to the same place, with the same
/// key and the same owner.
fn is_alike(plan: &Plan, facts: &Facts, export: &PastExport) -> bool {
    let caller = facts.source().caller.arn.to_string();
    let account = &facts.source().caller.account;
    // Within the account nothing is sent.
    let owner = bucket_owner(plan, facts).filter(|owner| owner != account);
    let sent = export.owner.clone().filter(|owner| owner != account);
    is_same_principal(&export.principal, &caller)
        && export.bucket == plan.destination.bucket.as_str()
        && export.prefix.as_deref() == plan.destination.prefix()
        && export.key.as_deref() == plan.encryption.key()
        && sent == owner
}

fn is_of_the_accounts(export: &PastExport) -> bool {
    let code = export.failure_code.as_deref().unwrap_or_default();
    !OF_AWS_ITSELF.contains(&code)
}
