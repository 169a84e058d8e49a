//! Verdicts on permissions: the ruling on a need's requests, with what was tried for real and earlier
//! exports as further witnesses, and who can fix it.

use jiff::Timestamp;

use super::decision::PermissionDecision;
use super::evidence::with_witnesses;
use super::ruling::{rule_all, settled_by};
use super::words::expected_error;
use crate::assess::call::tells_encryption;
use crate::assess::deny::is_for_encryption;
use crate::assess::facts::{Fact, Facts};
use crate::assess::job_facts::bucket_owner;
use crate::assess::refusal::is_denied_by_resource;
use crate::assess::request::asks;
use crate::assess::responsible::Responsible;
use crate::assess::verdict::{
    AssessedRequirement, Evidence, MissingInput, PolicyLayer, Requirement, Verdict,
};
use crate::job::Plan;
use crate::job::requirement::{Actor, RequiredPermission, Subject};
use tableferry_policy::evaluate::PolicyKind;

/// Judges one need.
pub(super) fn judge(
    plan: &Plan,
    facts: &Facts,
    need: RequiredPermission,
    now: Timestamp,
) -> AssessedRequirement {
    let mut grant_expiry = None;
    let decision = match asks(plan, facts, &need, now) {
        Ok(asks) => {
            let decision = rule_all(facts, &need, &asks);
            if decision.outcome.is_allowed() {
                grant_expiry = super::grant_expiry::caution(plan, facts, &need, now, &asks);
            }
            decision
        }
        Err(unclear) => PermissionDecision::unknown(
            settled_by(facts, &need),
            vec![MissingInput {
                layer: PolicyLayer::Resource,
                what: unclear.what.clone(),
                permission: unclear.permission.to_owned(),
                detail: "it is not known".to_owned(),
            }],
            format!("{} is not known", unclear.what),
        ),
    };
    let (decision, mut cautions) = with_witnesses(plan, facts, &need, decision, now);
    cautions.extend(grant_expiry);
    let decision = with_refused_reading(facts, &need, decision);
    let responsible = responsible(plan, facts, &need, &decision);
    let owner = if need.subject.is_of_destination() {
        bucket_owner(plan, facts)
    } else {
        need.account.clone()
    };
    AssessedRequirement {
        expected_error: expected_error(facts, &need, owner.as_ref(), &decision),
        outcome: decision.outcome,
        explanation: decision.explanation,
        evidence: decision.evidence,
        deciding: decision.deciding,
        denied_by: decision.denied_by,
        responsible,
        hint: String::new(),
        cautions,
        criticality: need.criticality,
        requirement: Requirement::Permission(need),
    }
}

/// A bucket policy whose reading its own Deny denied is evidence: what hits anyone who administers the
/// bucket is likely to hit the export, too.
fn with_refused_reading(
    facts: &Facts,
    need: &RequiredPermission,
    decision: PermissionDecision,
) -> PermissionDecision {
    let is_of_bucket = need.subject.is_of_bucket();
    let is_unknown = matches!(decision.outcome, Verdict::Unknown { .. });
    let is_denied = matches!(
        need.bucket().map(|name| &facts.bucket(&name).policy),
        Some(Fact::Refused(error)) if is_denied_by_resource(&error.detail)
    );
    if !is_of_bucket || !is_unknown || !is_denied {
        return decision;
    }
    PermissionDecision {
        explanation: format!(
            "{}. Reading the bucket policy was refused by a Deny in that policy itself: what denies \
             that is likely to deny {}, too",
            decision.explanation, need.action
        ),
        evidence: Evidence::RefusedReading,
        ..decision
    }
}

fn responsible(
    plan: &Plan,
    facts: &Facts,
    need: &RequiredPermission,
    decision: &PermissionDecision,
) -> Responsible {
    let of_resource = || match need.subject {
        Subject::Object | Subject::Folder => {
            Responsible::for_bucket(facts, bucket_owner(plan, facts).as_ref())
        }
        Subject::ObjectKey(_) | Subject::TableKey => match &need.account {
            Some(account) => Responsible::for_key(facts, account),
            None => Responsible::You,
        },
        Subject::Table
        | Subject::TableExport
        | Subject::ExportList
        | Subject::SourceBucket
        | Subject::Named { .. } => Responsible::You,
    };
    let key = need.subject.object_key();
    if key.is_some_and(|key| super::key::is_out_of_reach(plan, facts, key))
        || tells_encryption(need) && is_denied_for_encryption(facts, decision)
    {
        return Responsible::You;
    }
    let of_kind = |kind: PolicyKind| match kind {
        PolicyKind::Boundary if need.who == Actor::Exporter => {
            Responsible::BoundaryOwner(facts.source().naming().to_string())
        }
        PolicyKind::ServiceControl | PolicyKind::ResourceControl => Responsible::Organization,
        PolicyKind::Resource | PolicyKind::Grant | PolicyKind::Trust => of_resource(),
        // Nothing but the resource's side says what a service may do.
        _ if need.service.is_some() => of_resource(),
        _ => Responsible::for_identity(facts, need.who),
    };
    if let Some(kind) = decision.denied_by {
        return of_kind(kind);
    }
    if let Some(deny) = decision.deciding.iter().find(|deciding| deciding.is_deny) {
        return of_kind(deny.kind);
    }
    match &decision.outcome {
        Verdict::Unknown { unread, .. } => {
            let is_of_resource =
                |layer| matches!(layer, PolicyLayer::Resource | PolicyLayer::Grants);
            if unread.iter().any(|unread| is_of_resource(unread.layer)) {
                of_resource()
            } else {
                Responsible::for_identity(facts, need.who)
            }
        }
        // An Allow whose condition decides is for the one who wrote it, as a Deny is.
        Verdict::Depends { .. } if let Some(allow) = decision.deciding.first() => {
            of_kind(allow.kind)
        }
        // Refused when it was tried, by what was not read: that is the other side's as a rule.
        Verdict::Depends { .. } if decision.deciding.is_empty() && !need.is_direct => of_resource(),
        // No account can open a bucket that is not its own.
        Verdict::Denied
            if need.who == Actor::Reader
                && need.subject.is_of_bucket()
                && !is_readers(plan, facts) =>
        {
            of_resource()
        }
        _ if need.service.is_some() => of_resource(),
        _ => Responsible::for_identity(facts, need.who),
    }
}

/// Whether the bucket is, as far as is known, of the account that reads.
fn is_readers(plan: &Plan, facts: &Facts) -> bool {
    let reader = facts.destination().map(|side| &side.caller.account);
    let is_disowned = reader.is_some_and(|reader| {
        facts
            .bucket(&plan.destination.bucket)
            .not_owners
            .contains(reader)
    });
    match bucket_owner(plan, facts) {
        Some(owner) => reader == Some(&owner),
        None => !is_disowned,
    }
}

/// Whether what denies is a Deny of the bucket's policy, or of a resource control policy, for want of
/// encryption, which the plan can meet: "a bucket that denies uploads without aws:kms makes `S3SseAlgorithm=KMS` mandatory".
fn is_denied_for_encryption(facts: &Facts, decision: &PermissionDecision) -> bool {
    let deny = decision.deciding.iter().find(|deciding| deciding.is_deny);
    deny.is_some_and(|deny| is_for_encryption(facts, deny))
}
