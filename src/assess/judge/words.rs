//! The words of AWS's refusals, as "Troubleshoot access denied error messages" of the IAM user guide
//! and the failures of exports have them.

use super::decision::PermissionDecision;
use crate::assess::facts::Facts;
use crate::job::requirement::{Actor, RequiredPermission};
use tableferry_policy::arn::AccountId;
use tableferry_policy::evaluate::{NamedPolicy, PolicyKind};

/// The words of AWS's refusal of a need on a resource of `owner`, as far as they are known
/// beforehand; none where nothing is refused for certain or by some values.
pub(super) fn expected_error(
    facts: &Facts,
    need: &RequiredPermission,
    owner: Option<&AccountId>,
    decision: &PermissionDecision,
) -> Option<String> {
    let deny = decision.deciding.iter().find(|deciding| deciding.is_deny);
    let kind = decision.denied_by.or_else(|| deny.map(|deny| deny.kind))?;
    if need.who == Actor::Reader && need.subject.object_key().is_some() {
        return Some(
            "The ciphertext refers to a customer master key that does not exist, does not exist in \
             this region, or you are not allowed to access."
                .to_owned(),
        );
    }
    if need.service.is_some() {
        // What the console shows of the last export of an inventory; no call tells it.
        return Some("S3 doesn't have access to the destination bucket or KMS key".to_owned());
    }
    let is_foreign = owner.is_some_and(|owner| *owner != facts.source().caller.account);
    let is_about_key =
        matches!(kind, PolicyKind::Resource | PolicyKind::Grant) && need.action.starts_with("kms:");
    if is_about_key && is_foreign {
        return Some(format!(
            "is not authorized to perform: {} on this resource because the resource does not exist in \
             this Region, no resource-based policies allow access, or a resource-based policy \
             explicitly denies access",
            need.action
        ));
    }
    if is_foreign && are_strangers(facts, owner) {
        return Some("Access Denied".to_owned());
    }
    let kind = NamedPolicy::from(kind);
    Some(if deny.is_some() {
        kind.explicit_deny()
    } else {
        format!("{} the {} action", kind.no_allow(), need.action)
    })
}

/// Whether two accounts are known to be of no common organization: AWS gives them no reason.
fn are_strangers(facts: &Facts, owner: Option<&AccountId>) -> bool {
    let destination = facts
        .destination()
        .filter(|side| Some(&side.caller.account) == owner);
    let Some(destination) = destination else {
        return false;
    };
    let (own, other) = (
        &facts.account_of(Actor::Exporter).organization,
        &facts.account(&destination.caller.account).organization,
    );
    match (own.value(), other.value()) {
        (Some(own), Some(other)) => own.id != other.id,
        _ => own.is_absent() || other.is_absent(),
    }
}
