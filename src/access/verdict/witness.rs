//! Witnesses beside the policies: what IAM's simulation said, and what was tried for real.

use jiff::Timestamp;

use super::permission::{Ruling, rule_all};
use super::precedent::by_precedent;
use super::{Layer, Outcome};
use crate::access::facts::{Facts, Simulated, Tried};
use crate::access::need::{Need, Who};
use crate::access::request::{Ask, direct_asks};
use crate::plan::Plan;
use crate::policy::document::Document;
use crate::policy::evaluate::{Decision, Evaluation, Named, PolicyKind, evaluate};

/// What IAM's simulation said of a request of the exporter, where it had all it needed.
pub(super) fn simulated<'f>(
    facts: &'f Facts,
    need: &Need,
    resource: &str,
) -> Option<&'f Simulated> {
    if need.who != Who::Exporter {
        return None;
    }
    facts.source.simulation.value()?.iter().find(|simulated| {
        simulated.action.eq_ignore_ascii_case(need.action)
            && (covers(&simulated.resource, resource)
                || simulated.resource == need.resource.pattern())
            && simulated.missing_context.is_empty()
    })
}

/// A denial that the simulation alone shows. It knows no resource policies of roles, so that what it
/// does not allow may still be allowed by the resource, within the account.
pub(super) fn refused_by_simulation(
    simulated: &Simulated,
    ask: &Ask<'_>,
    neutral: &Evaluation,
) -> Option<Ruling> {
    let denial = |kind: PolicyKind, what: &str| Ruling {
        outcome: Outcome::Denied,
        explanation: format!("IAM's simulation says that {what} {}", ask.action),
        deciding: Vec::new(),
        denied_by: Some(kind),
    };
    if ask.bearing.lacks(Layer::ServiceControl) && simulated.allowed_by_organization == Some(false)
    {
        let what = "the service control policies do not allow";
        return Some(denial(PolicyKind::ServiceControl, what));
    }
    // Within the account the resource's side may allow by itself, read or not.
    let is_own = ask.principal.account() == Some(ask.account.as_str());
    let is_resource_read = !ask.bearing.lacks(Layer::Resource) && !ask.bearing.lacks(Layer::Grants);
    if ask.bearing.lacks(Layer::Boundary)
        && simulated.allowed_by_boundary == Some(false)
        && (!is_own || is_resource_read && !gets_past_boundary(ask))
    {
        let what = "the permissions boundary does not allow";
        return Some(denial(PolicyKind::Boundary, what));
    }
    if !ask.bearing.lacks(Layer::Identity) {
        return None;
    }
    match simulated.decision.as_str() {
        "explicitDeny" => Some(denial(PolicyKind::Identity, "the identity policies deny")),
        "implicitDeny" if !is_own || is_resource_read && neutral.decision != Decision::Allowed => {
            Some(denial(PolicyKind::Identity, "no identity policy allows"))
        }
        _ => None,
    }
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

/// Whether the simulation stands in for a layer that could not be read.
pub(super) fn is_settled_by(simulated: &Simulated, layer: Layer) -> bool {
    let is_allowed = simulated.decision == "allowed";
    match layer {
        Layer::Identity | Layer::Boundary => is_allowed,
        Layer::ServiceControl => is_allowed && simulated.allowed_by_organization == Some(true),
        _ => false,
    }
}

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
            denied_by: None,
        },
    }
}
