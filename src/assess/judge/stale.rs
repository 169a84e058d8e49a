//! Principals that were deleted: where a role or user is gone, its policies show its unique id.
//!
//! Such a statement no longer matches, also not where a role of the same name was made anew ("AWS
//! JSON policy elements: Principal"). And the document cannot be written back as it stands: S3 and KMS
//! refuse it for the principal.

use crate::assess::applicable_policies::{bucket_document, key_document};
use crate::assess::facts::{Facts, KeyFacts};
use crate::assess::job_facts::bucket_owner;
use crate::assess::responsible::Responsible;
use crate::assess::verdict::{AssessedRequirement, Check, Verdict};
use crate::job::Plan;
use tableferry_policy::arn::is_unique_id;
use tableferry_policy::document::{Document, PrincipalKind};

/// A principal that was deleted, where a policy still names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StalePrincipal {
    /// The statement's index.
    pub index: usize,
    /// The statement's Sid, or its index such as `#0`.
    pub sid: String,
    /// The unique id, `AROA…` or `AIDA…`.
    pub id: String,
}

/// The principals of a document that were deleted.
#[must_use]
pub fn stale_principals(document: &Document<'_>) -> Vec<StalePrincipal> {
    let mut stale = Vec::new();
    for (index, statement) in document.statements().iter().enumerate() {
        for (kind, text) in statement.principals.iter().flat_map(|all| &all.entries) {
            if *kind == PrincipalKind::Aws && is_unique_id(&text.value) {
                stale.push(StalePrincipal {
                    index,
                    sid: statement.label(index),
                    id: text.value.clone().into_owned(),
                });
            }
        }
    }
    stale
}

/// Judges the policies of the bucket and of the plan's key.
pub(super) fn judge(plan: &Plan, facts: &Facts) -> Vec<AssessedRequirement> {
    let owner = bucket_owner(plan, facts);
    let name = &plan.destination.bucket;
    let bucket = facts.bucket(name).policy.value().map(|policy| {
        let responsible = Responsible::for_bucket(facts, owner.as_ref());
        (bucket_document(name), policy, responsible)
    });
    let keys = facts.keys().filter_map(|key: &KeyFacts| {
        let account = key.arn()?.account_id()?;
        let responsible = Responsible::for_key(facts, &account);
        Some((key_document(key), key.policy.value()?, responsible))
    });
    bucket
        .into_iter()
        .chain(keys)
        .filter_map(|(name, policy, responsible)| {
            let stale = stale_principals(policy.document().ok()?);
            let first = stale.first()?;
            Some(
                AssessedRequirement::check(Check::StalePrincipal, name, Verdict::CLEAR)
                    .fixed_by(responsible, "put the role's ARN in its place, or take it out")
                    .because(format!(
                        "the statement `{}` names {}, the id of a role or user that was deleted: it \
                         matches nobody, a role of the same name made anew included",
                        first.sid, first.id
                    ))
                    .expecting("Invalid principal in policy")
                    .caution("the document cannot be written back as it stands"),
            )
        })
        .collect()
}
