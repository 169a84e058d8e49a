//! Witnesses beside the policies: what IAM's simulation said, and what was tried for real.

use jiff::Timestamp;

use super::permission::{Ruling, rule_all};
use super::precedent::by_precedent;
use super::{Layer, Outcome, Unread};
use crate::access::bearing::{Bearing, nothing};
use crate::access::facts::{Facts, Tried};
use crate::access::need::Need;
use crate::access::request::{Ask, direct_asks};
use crate::access::simulation::{Answer, Identity};
use crate::plan::Plan;
use tableferry_policy::evaluate::{Decision, PolicyKind, evaluate};

/// A denial by the identity policies that the simulation shows, with every context key at hand that
/// they ask for. It knows no resource policies of roles, so that what it does not allow may still be
/// allowed by the resource, within the account.
pub(super) fn refused_by_simulation(answer: Answer<'_>, ask: &Ask<'_>) -> Option<Ruling> {
    let what = match answer.identity()? {
        Identity::Deny => "the identity policies deny",
        Identity::Silent if !is_own(ask) => "no identity policy allows",
        Identity::Silent | Identity::Allow => return None,
    };
    Some(Ruling {
        outcome: Outcome::Denied,
        explanation: format!("IAM's simulation says that {what} {}", ask.action),
        deciding: Vec::new(),
        denied_by: Some(PolicyKind::Identity),
    })
}

/// The policies of a request, with what the simulation told of those that could not be read.
pub(super) fn with_simulation<'f>(ask: &Ask<'f>, answer: Option<Answer<'_>>) -> Bearing<'f> {
    let mut bearing = ask.bearing.clone();
    let Some(answer) = answer else {
        return bearing;
    };
    if bearing.lacks(Layer::Identity)
        && let Some(identity) = answer.identity()
    {
        match identity {
            Identity::Allow => bearing.policies.assumed_to_allow.push(PolicyKind::Identity),
            Identity::Silent | Identity::Deny => bearing.policies.identity.clear(),
        }
        bearing.settle(Layer::Identity);
    }
    if answer.shows_no_boundary() {
        bearing.settle(Layer::Boundary);
    }
    for unread in &mut bearing.unread {
        let told = match unread.layer {
            Layer::ServiceControl => answer.organization(),
            Layer::Boundary | Layer::AttachedBoundary => answer.boundary(),
            _ => None,
        };
        if told == Some(true) {
            unread.what.push_str(SEEN_BY_SIMULATION);
            if unread.layer == Layer::AttachedBoundary {
                unread.layer = Layer::Boundary;
            }
        }
    }
    bearing
}

/// What the simulation says against a request of guardrails that could not be read. It does not tell
/// which context keys it lacked of those, and takes what it lacks for absent: a policy that denies
/// all but some tag or address is then said to deny, which it may not.
pub(super) fn held_by_simulation(answer: Answer<'_>, ask: &Ask<'_>) -> Option<Ruling> {
    let (kind, what) =
        if ask.bearing.lacks(Layer::ServiceControl) && answer.organization() == Some(false) {
            (PolicyKind::ServiceControl, "the service control policies")
        } else if (ask.bearing.lacks(Layer::Boundary) || ask.bearing.lacks(Layer::AttachedBoundary))
        && answer.boundary() == Some(false)
        // Within the account the resource's side may allow by itself, read or not.
        && (!is_own(ask) || is_resource_read(ask) && !gets_past_boundary(ask))
        {
            (PolicyKind::Boundary, "the permissions boundary")
        } else {
            return None;
        };
    Some(Ruling {
        outcome: Outcome::Depends {
            on: vec![format!("context keys that {what} may ask for")],
            unread: Vec::new(),
        },
        explanation: format!(
            "IAM's simulation says that {what} do not allow {}, with what is known of the request; \
             it does not tell whether a key that it was not given decides",
            ask.action
        ),
        deciding: Vec::new(),
        denied_by: Some(kind),
    })
}

fn is_own(ask: &Ask<'_>) -> bool {
    ask.principal.account() == Some(ask.account.as_str())
}

fn is_resource_read(ask: &Ask<'_>) -> bool {
    !ask.bearing.lacks(Layer::Resource) && !ask.bearing.lacks(Layer::Grants)
}

/// Whether a resource policy gives the permission whatever a boundary allows, as one does that names
/// the session or everybody ("How AWS enforcement code logic evaluates requests to allow or deny
/// access").
fn gets_past_boundary(ask: &Ask<'_>) -> bool {
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
    need: &Need,
    ruling: Ruling,
    now: Timestamp,
) -> (Ruling, Vec<String>) {
    let tried = facts.tried.iter().rev().find(|tried| {
        tried.who == need.who
            && tried.action.eq_ignore_ascii_case(need.action)
            && (covers(need.resource.pattern(), &tried.resource)
                || tried.resource == need.resource.pattern())
    });
    let mut cautions = Vec::new();
    let ruling = match tried {
        Some(tried) if need.is_direct() => rule_by_trial(tried, need, ruling),
        // The probe makes the calls itself; while an export runs, DynamoDB forwards them.
        Some(tried) => match &tried.refusal {
            None if matches!(ruling.outcome, Outcome::Unknown { .. }) => {
                as_far_as_alike(tried, need, ruling.outcome)
            }
            Some(refusal) if !matches!(ruling.outcome, Outcome::Denied) => {
                cautions.push(format!("tried directly, it was refused: {refusal}"));
                if is_known_why(plan, facts, need, now) {
                    ruling
                } else {
                    refused_directly(need, ruling, refusal)
                }
            }
            _ => ruling,
        },
        None => ruling,
    };
    (
        by_precedent(plan, facts, need, ruling, now, &mut cautions),
        cautions,
    )
}

/// Whether the policies that were read tell by themselves why a direct call may be refused, so that
/// its refusal says nothing new about the one that DynamoDB forwards.
fn is_known_why(plan: &Plan, facts: &Facts, need: &Need, now: Timestamp) -> bool {
    direct_asks(plan, facts, need, now).is_ok_and(|asks| {
        let direct = rule_all(facts, need, &asks).outcome;
        matches!(direct, Outcome::Denied | Outcome::Depends { .. })
    })
}

/// A refusal that nothing that was read explains comes from what was not read, or was changed since.
/// That is evidence against the export, and no proof: a policy may let in forwarded calls alone.
fn refused_directly(need: &Need, ruling: Ruling, refusal: &str) -> Ruling {
    if matches!(ruling.outcome, Outcome::Depends { .. }) {
        return ruling;
    }
    Ruling {
        outcome: Outcome::Depends {
            on: vec![
                "whether what refuses the direct call lets in the one that DynamoDB forwards"
                    .to_owned(),
            ],
            unread: Vec::new(),
        },
        explanation: format!(
            "{} was tried directly and refused, and nothing that was read says why: {refusal}",
            need.action
        ),
        deciding: Vec::new(),
        // Any other reason that AWS gives names what is not ours to write.
        denied_by: is_for_want_of_identity(refusal).then_some(PolicyKind::Identity),
    }
}

/// A direct call that worked settles what could not be read as far as the forwarded one is like it:
/// "allowed, assuming no condition" on what tells them apart.
fn as_far_as_alike(tried: &Tried, need: &Need, outcome: Outcome) -> Ruling {
    let unread = match outcome {
        Outcome::Unknown { unread, .. } => unread,
        _ => Vec::new(),
    };
    let assumed = unread.into_iter().map(|unread| Unread {
        what: format!("{TELLS_APART} in {}", unread.what),
        ..unread
    });
    Ruling {
        outcome: Outcome::Allowed {
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

const fn allowed(explanation: String) -> Ruling {
    Ruling {
        outcome: Outcome::CLEAR,
        explanation,
        deciding: Vec::new(),
        denied_by: None,
    }
}

/// Whether AWS refused a call for want of an identity policy ("Troubleshoot access denied error
/// messages", IAM user guide).
pub(in crate::access) fn is_for_want_of_identity(refusal: &str) -> bool {
    refusal.contains("no identity-based policy allows")
}

/// A call that worked is proof, whatever the policies seem to say; one that was refused, too.
fn rule_by_trial(tried: &Tried, need: &Need, ruling: Ruling) -> Ruling {
    match &tried.refusal {
        None => allowed(format!(
            "{} was tried at {}, and worked",
            need.action, tried.at
        )),
        Some(_) if ruling.outcome == Outcome::Denied => ruling,
        Some(refusal) => Ruling {
            outcome: Outcome::Denied,
            explanation: format!("{} was tried, and refused: {refusal}", need.action),
            deciding: Vec::new(),
            // Any other reason that AWS gives names what is not ours to write.
            denied_by: is_for_want_of_identity(refusal).then_some(PolicyKind::Identity),
        },
    }
}
