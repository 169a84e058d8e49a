//! What IAM's simulation says of policies that could not be read: its answers stand in for them as far
//! as it was told every key that they ask for.

use super::decision::PermissionDecision;
use crate::assess::applicable_policies::{ApplicablePolicies, nothing};
use crate::assess::request::PermissionRequest;
use crate::assess::simulation::{Answer, SimulatedIdentity};
use crate::assess::verdict::{Evidence, PolicyLayer, Verdict};
use tableferry_policy::evaluate::{Decision, Dependency, PolicyKind, evaluate};

/// A denial by the identity policies that the simulation shows, with every context key at hand that
/// they ask for. It knows no resource policies of roles, so that what it does not allow may still be
/// allowed by the resource, within the account.
pub(super) fn refused_by_simulation(
    answer: Answer<'_>,
    ask: &PermissionRequest<'_>,
) -> Option<PermissionDecision> {
    let what = match answer.identity()? {
        SimulatedIdentity::Deny => "the identity policies deny",
        SimulatedIdentity::Silent if !is_own(ask) => "no identity policy allows",
        SimulatedIdentity::Silent | SimulatedIdentity::Allow => return None,
    };
    Some(PermissionDecision {
        outcome: Verdict::Denied,
        explanation: format!("IAM's simulation says that {what} {}", ask.action),
        evidence: Evidence::Simulation,
        deciding: Vec::new(),
        denied_by: Some(PolicyKind::Identity),
    })
}

/// The policies of a request, with what the simulation told of those that could not be read.
pub(super) fn with_simulation<'f>(
    ask: &PermissionRequest<'f>,
    answer: Option<Answer<'_>>,
) -> ApplicablePolicies<'f> {
    let mut applicable_policies = ask.applicable_policies.clone();
    let Some(answer) = answer else {
        return applicable_policies;
    };
    if applicable_policies.lacks(PolicyLayer::Identity)
        && let Some(identity) = answer.identity()
    {
        match identity {
            SimulatedIdentity::Allow => applicable_policies
                .policies
                .assumed_to_allow
                .push(PolicyKind::Identity),
            SimulatedIdentity::Silent | SimulatedIdentity::Deny => {
                applicable_policies.policies.identity.clear();
            }
        }
        applicable_policies.settle(PolicyLayer::Identity);
    }
    if answer.shows_no_boundary() {
        applicable_policies.settle(PolicyLayer::Boundary);
    }
    for unread in &mut applicable_policies.unread {
        let told = match unread.layer {
            PolicyLayer::ServiceControl => answer.organization(),
            PolicyLayer::Boundary | PolicyLayer::AttachedBoundary => answer.boundary(),
            _ => None,
        };
        if told == Some(true) {
            unread.what.push_str(SEEN_BY_SIMULATION);
            if unread.layer == PolicyLayer::AttachedBoundary {
                unread.layer = PolicyLayer::Boundary;
            }
        }
    }
    applicable_policies
}

/// What the simulation says against a request of guardrails that could not be read. It does not tell
/// which context keys it lacked of those, and takes what it lacks for absent: a policy that denies
/// all but some tag or address is then said to deny, which it may not.
pub(super) fn held_by_simulation(
    answer: Answer<'_>,
    ask: &PermissionRequest<'_>,
) -> Option<PermissionDecision> {
    let (kind, what) = if ask.applicable_policies.lacks(PolicyLayer::ServiceControl)
        && answer.organization() == Some(false)
    {
        (PolicyKind::ServiceControl, "the service control policies")
    } else if (ask.applicable_policies.lacks(PolicyLayer::Boundary) || ask.applicable_policies.lacks(PolicyLayer::AttachedBoundary))
        && answer.boundary() == Some(false)
        // Within the account the resource's side may allow by itself, read or not.
        && (!is_own(ask) || is_resource_read(ask) && !gets_past_boundary(ask))
    {
        (PolicyKind::Boundary, "the permissions boundary")
    } else {
        return None;
    };
    Some(PermissionDecision {
        outcome: Verdict::Depends {
            on: Dependency::on(format!("context keys that {what} may ask for")),
            unread: Vec::new(),
        },
        explanation: format!(
            "IAM's simulation says that {what} do not allow {}, with what is known of the request; \
             it does not tell whether a key that it was not given decides",
            ask.action
        ),
        evidence: Evidence::Simulation,
        deciding: Vec::new(),
        denied_by: Some(kind),
    })
}

fn is_own(ask: &PermissionRequest<'_>) -> bool {
    ask.principal.account() == Some(ask.account.as_str())
}

fn is_resource_read(ask: &PermissionRequest<'_>) -> bool {
    !ask.applicable_policies.lacks(PolicyLayer::Resource)
        && !ask.applicable_policies.lacks(PolicyLayer::Grants)
}

/// Whether a resource policy gives the permission whatever a boundary allows, as one does that names
/// the session or everybody ("How AWS enforcement code logic evaluates requests to allow or deny
/// access").
fn gets_past_boundary(ask: &PermissionRequest<'_>) -> bool {
    let mut policies = ask.policies().clone();
    policies.boundary = nothing("a boundary that allows nothing");
    evaluate(&ask.request(), &policies).decision == Decision::Allowed
}

/// What is said of a guardrail that was not read, and that the simulation sees allow.
const SEEN_BY_SIMULATION: &str = ", in which IAM's simulation sees nothing against it";
