//! Witnesses beside the policies: what IAM's simulation said, and what was tried for real.

use jiff::Timestamp;

use super::permission::{PermissionDecision, rule_all};
use super::prior_export::by_precedent;
use super::{Evidence, MissingInput, PolicyLayer, Verdict};
use crate::assess::applicable_policies::{ApplicablePolicies, nothing};
use crate::assess::facts::{Facts, ObservedCall};
use crate::assess::request::{PermissionRequest, direct_asks};
use crate::assess::requirement::{Purpose, RequiredPermission};
use crate::assess::simulation::{Answer, Identity};
use crate::job::Plan;
use tableferry_policy::evaluate::{Decision, Dependency, PolicyKind, evaluate};

/// A denial by the identity policies that the simulation shows, with every context key at hand that
/// they ask for. It knows no resource policies of roles, so that what it does not allow may still be
/// allowed by the resource, within the account.
pub(super) fn refused_by_simulation(
    answer: Answer<'_>,
    ask: &PermissionRequest<'_>,
) -> Option<PermissionDecision> {
    let what = match answer.identity()? {
        Identity::Deny => "the identity policies deny",
        Identity::Silent if !is_own(ask) => "no identity policy allows",
        Identity::Silent | Identity::Allow => return None,
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
            Identity::Allow => applicable_policies
                .policies
                .assumed_to_allow
                .push(PolicyKind::Identity),
            Identity::Silent | Identity::Deny => applicable_policies.policies.identity.clear(),
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

/// Whether a resource is the one named, or falls under a pattern that ends in a star.
fn covers(pattern: &str, resource: &str) -> bool {
    match pattern.strip_suffix('*') {
        Some(head) => resource.starts_with(head),
        None => pattern == resource,
    }
}

/// What was tried for real, and exports that completed before, settle what the policies leave open.
pub(super) fn with_witnesses(
    plan: &Plan,
    facts: &Facts,
    need: &RequiredPermission,
    decision: PermissionDecision,
    now: Timestamp,
) -> (PermissionDecision, Vec<String>) {
    let tried = facts.tried.iter().rev().find(|tried| {
        // What is tried of a key is S3's use of it, and no policy need treat DynamoDB's alike.
        need.purpose != Purpose::ReadTable
            && tried.who == need.who
            && tried.action.eq_ignore_ascii_case(need.action)
            && (covers(need.resource.pattern(), &tried.resource)
                || tried.resource == need.resource.pattern())
    });
    let mut cautions = Vec::new();
    let decision = match tried {
        Some(tried) if need.is_direct() => rule_by_trial(tried, need, decision),
        // The probe makes the calls itself; while an export runs, DynamoDB forwards them.
        Some(tried) => match &tried.refusal {
            None if matches!(decision.outcome, Verdict::Unknown { .. }) => {
                as_far_as_alike(tried, need, decision.outcome)
            }
            Some(refusal) if !matches!(decision.outcome, Verdict::Denied) => {
                cautions.push(format!("tried directly, it was refused: {refusal}"));
                if is_known_why(plan, facts, need, now) {
                    decision
                } else {
                    refused_directly(need, decision, refusal)
                }
            }
            _ => decision,
        },
        None => decision,
    };
    (
        by_precedent(plan, facts, need, decision, now, &mut cautions),
        cautions,
    )
}

/// Whether the policies that were read tell by themselves why a direct call may be refused, so that
/// its refusal says nothing new about the one that DynamoDB forwards.
fn is_known_why(plan: &Plan, facts: &Facts, need: &RequiredPermission, now: Timestamp) -> bool {
    direct_asks(plan, facts, need, now).is_ok_and(|asks| {
        let direct = rule_all(facts, need, &asks).outcome;
        matches!(direct, Verdict::Denied | Verdict::Depends { .. })
    })
}

/// A refusal that nothing that was read explains comes from what was not read, or was changed since.
/// That is evidence against the export, and no proof: a policy may let in forwarded calls alone.
fn refused_directly(
    need: &RequiredPermission,
    decision: PermissionDecision,
    refusal: &str,
) -> PermissionDecision {
    if matches!(decision.outcome, Verdict::Depends { .. }) {
        return decision;
    }
    PermissionDecision {
        outcome: Verdict::Depends {
            on: Dependency::on(
                "whether what refuses the direct call lets in the one that DynamoDB forwards",
            ),
            unread: Vec::new(),
        },
        explanation: format!(
            "{} was tried directly and refused, and nothing that was read says why: {refusal}",
            need.action
        ),
        evidence: Evidence::ObservedCall {
            refusal: refusal.to_owned(),
        },
        deciding: Vec::new(),
        // Any other reason that AWS gives names what is not ours to write.
        denied_by: is_for_want_of_identity(refusal).then_some(PolicyKind::Identity),
    }
}

/// A direct call that worked settles what could not be read as far as the forwarded one is like it:
/// "allowed, assuming no condition" on what tells them apart.
fn as_far_as_alike(
    tried: &ObservedCall,
    need: &RequiredPermission,
    outcome: Verdict,
) -> PermissionDecision {
    let unread = match outcome {
        Verdict::Unknown { unread, .. } => unread,
        _ => Vec::new(),
    };
    let assumed = unread.into_iter().map(|unread| MissingInput {
        what: format!("{TELLS_APART} in {}", unread.what),
        ..unread
    });
    PermissionDecision {
        outcome: Verdict::Allowed {
            assumed: assumed.collect(),
        },
        ..allowed(format!(
            "{} was tried at {}, and worked: allowed, assuming {TELLS_APART}",
            need.action, tried.at
        ))
    }
}

/// What a probe's own call and an export's, which DynamoDB forwards, differ in.
const TELLS_APART: &str = "no condition on aws:SourceIp, aws:SourceVpc*, aws:ViaAWSService, \
                           aws:CalledVia* or the ACL";

const fn allowed(explanation: String) -> PermissionDecision {
    PermissionDecision {
        outcome: Verdict::CLEAR,
        explanation,
        evidence: Evidence::Policies,
        deciding: Vec::new(),
        denied_by: None,
    }
}

/// Whether AWS refused a call for want of an identity policy ("Troubleshoot access denied error
/// messages", IAM user guide).
pub(in crate::assess) fn is_for_want_of_identity(refusal: &str) -> bool {
    refusal.contains("no identity-based policy allows")
}

/// Whether AWS refused a call by a Deny in the resource's own policy ("Troubleshoot access denied error
/// messages", IAM user guide).
pub(super) fn is_denied_by_resource(refusal: &str) -> bool {
    refusal.contains("with an explicit deny in a resource-based policy")
}

/// A call that worked is proof, whatever the policies seem to say; one that was refused, too.
fn rule_by_trial(
    tried: &ObservedCall,
    need: &RequiredPermission,
    decision: PermissionDecision,
) -> PermissionDecision {
    match &tried.refusal {
        None => allowed(format!(
            "{} was tried at {}, and worked",
            need.action, tried.at
        )),
        Some(_) if decision.outcome == Verdict::Denied => decision,
        Some(refusal) => PermissionDecision {
            outcome: Verdict::Denied,
            explanation: format!("{} was tried, and refused: {refusal}", need.action),
            evidence: Evidence::ObservedCall {
                refusal: refusal.clone(),
            },
            deciding: Vec::new(),
            // Any other reason that AWS gives names what is not ours to write.
            denied_by: is_for_want_of_identity(refusal).then_some(PolicyKind::Identity),
        },
    }
}
