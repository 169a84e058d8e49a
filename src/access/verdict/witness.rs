//! Witnesses beside the policies: what IAM's simulation said, what was tried for real, and exports that
//! completed before.

use super::permission::Ruling;
use super::{Layer, Outcome};
use crate::access::facts::{Facts, Simulated, Tried};
use crate::access::need::{Need, Purpose, Who};
use crate::access::request::Ask;
use crate::plan::Plan;
use crate::policy::evaluate::{Decision, Evaluation, PolicyKind};

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
    if ask.bearing.lacks(Layer::Boundary) && simulated.allowed_by_boundary == Some(false) {
        let what = "the permissions boundary does not allow";
        return Some(denial(PolicyKind::Boundary, what));
    }
    if !ask.bearing.lacks(Layer::Identity) {
        return None;
    }
    let is_own = ask.principal.account() == Some(ask.account.as_str());
    match simulated.decision.as_str() {
        "explicitDeny" => Some(denial(PolicyKind::Identity, "the identity policies deny")),
        "implicitDeny" if !is_own || neutral.decision != Decision::Allowed => {
            Some(denial(PolicyKind::Identity, "no identity policy allows"))
        }
        _ => None,
    }
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
                ruling
            }
            _ => ruling,
        },
        None => ruling,
    };
    match precedent(plan, facts, need) {
        Some(told) if matches!(ruling.outcome, Outcome::Unknown { .. }) => {
            (allowed(told), cautions)
        }
        Some(told) if matches!(ruling.outcome, Outcome::Depends { .. }) => {
            cautions.push(told);
            (ruling, cautions)
        }
        _ => (ruling, cautions),
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

/// An export of the same principal to the same bucket with the same key that completed, with no
/// change since.
fn precedent(plan: &Plan, facts: &Facts, need: &Need) -> Option<String> {
    if !matches!(need.purpose, Purpose::Write | Purpose::Encrypt) {
        return None;
    }
    let caller = &facts.source.caller.arn;
    let role = facts.source.role.value().map(|role| role.arn.to_string());
    let is_same =
        |principal: &str| principal == caller.to_string() || Some(principal) == role.as_deref();
    let export = facts.exports.iter().find(|export| {
        export.status == "COMPLETED"
            && export.is_unchanged_since
            && export.bucket == facts.bucket.name.as_str()
            && export.prefix == plan.destination.prefix
            && export.key.as_deref() == plan.encryption.key()
            && is_same(&export.principal)
    })?;
    Some(format!(
        "the export {} completed the same way, and nothing was changed since",
        export.export_arn
    ))
}
