//! What the words of a refusal tell of its cause, as "Troubleshoot access denied error messages" of the
//! IAM user guide has them: AWS tells it by nothing else.

use tableferry_policy::evaluate::NamedPolicy;

/// Whether AWS refused a call for want of an identity policy.
pub(super) fn is_for_want_of_identity(refusal: &str) -> bool {
    refusal.contains(&NamedPolicy::Identity.no_allow())
}

/// Whether AWS refused a call by a Deny in the resource's own policy.
pub(super) fn is_denied_by_resource(refusal: &str) -> bool {
    refusal.contains(&NamedPolicy::Resource.explicit_deny())
}
