//! Witnesses beside the policies: what IAM's simulation said, and what was tried for real.

use jiff::Timestamp;

use super::permission::{Ruling, rule_all};
use super::precedent::by_precedent;
use super::{Layer, Outcome, Unread};
use crate::access::facts::{Facts, Tried};
use crate::access::need::Need;
use crate::access::request::{Ask, direct_asks};
use crate::access::simulation::{Answer, Identity};
use crate::plan::Plan;
use tableferry_policy::document::Document;
use tableferry_policy::evaluate::{Decision, Evaluation, Named, PolicyKind, evaluate};

/// A denial by the identity policies that the simulation alone shows. It knows no resource policies
/// of roles, so that what it does not allow may still be allowed by the resource, within the account.
pub(super) fn refused_by_simulation(
    answer: Answer<'_>,
    ask: &Ask<'_>,
    neutral: &Evaluation,
) -> Option<Ruling> {
    if !ask.bearing.lacks(Layer::Identity) {
        return None;
    }
    let what = match answer.identity()? {
        Identity::Deny => "the identity policies deny",
        Identity::Silent if !is_own(ask) => "no identity policy allows",
        Identity::Silent if is_resource_read(ask) && neutral.decision != Decision::Allowed => {
            "no identity policy allows"
        }
        Identity::Silent | Identity::Allow => return None,
    };
    Some(Ruling {
        outcome: Outcome::Denied,
        explanation: format!("IAM's simulation says that {what} {}", ask.action),
        deciding: Vec::new(),
        denied_by: Some(PolicyKind::Identity),
    })
}

/// What the simulation says against a request of guardrails that could not be read. It does not tell
/// which context keys it lacked of those, and takes what it lacks for absent: a policy that denies
/// all but some tag or address is then said to deny, which it may not.
pub(super) fn held_by_simulation(answer: Answer<'_>, ask: &Ask<'_>) -> Option<Ruling> {
    let (kind, what) =
        if ask.bearing.lacks(Layer::ServiceControl) && answer.organization() == Some(false) {
            (PolicyKind::ServiceControl, "the service control policies")
        } else if ask.bearing.lacks(Layer::Boundary)
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
    const NOTHING: &str = r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"none:None","Resource":"*"}}"#;
    let mut policies = ask.policies().clone();
    policies.boundary = Document::parse(NOTHING).ok().map(|document| Named {
        name: "a boundary that allows nothing".to_owned(),
        document,
    });
    evaluate(&ask.request(), &policies).decision == Decision::Allowed
}

/// What is left unread of a request, where the simulation stands in for some of it.
pub(super) fn left_unread(mut unread: Vec<Unread>, answer: Answer<'_>) -> Vec<Unread> {
    unread.retain(|unread| match unread.layer {
        Layer::Identity => answer.identity() != Some(Identity::Allow),
        Layer::Boundary => !answer.shows_no_boundary(),
        _ => true,
    });
    for unread in &mut unread {
        let told = match unread.layer {
            Layer::ServiceControl => answer.organization(),
            Layer::Boundary => answer.boundary(),
            _ => None,
        };
        if told == Some(true) {
            unread.what.push_str(SEEN_BY_SIMULATION);
        }
    }
    unread
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
                cautions.push(
                    "it was tried directly; the context of a call that DynamoDB forwards was not"
                        .to_owned(),
                );
                allowed(format!(
                    "{} was tried at {}, and worked",
                    need.action, tried.at
                ))
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
        },
        explanation: format!(
            "{} was tried directly and refused, and nothing that was read says why: {refusal}",
            need.action
        ),
        deciding: Vec::new(),
        denied_by: None,
    }
}

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
