//! Rulings: each request of a permission against the policies that were read, and the worst of them.
//!
//! What could not be read is taken by what it could do. A limit, which only forbids, is assumed to
//! permit, and named. A grant, without which nothing is allowed, is never assumed: where it decides,
//! the verdict is unknown, and says what settles it.

use super::decision::PermissionDecision;
use super::simulated::{held_by_simulation, refused_by_simulation, with_simulation};
use crate::assess::applicable_policies::ApplicablePolicies;
use crate::assess::call::Call;
use crate::assess::context;
use crate::assess::facts::Facts;
use crate::assess::refusal::is_for_want_of_identity;
use crate::assess::request::PermissionRequest;
use crate::assess::simulation::{self, Answer};
use crate::assess::verdict::{Evidence, MissingInput, PolicyLayer, SettledBy, Verdict};
use crate::job::requirement::RequiredPermission;
use tableferry_policy::evaluate::{Decision, Dependency, Evaluation, PolicyKind, evaluate};

/// The worst of the rulings on each call and resource, naming the call where they differ; for one
/// resource, the roles that the caller may have must agree.
pub(super) fn rule_all(
    facts: &Facts,
    need: &RequiredPermission,
    asks: &[PermissionRequest<'_>],
) -> PermissionDecision {
    let mut worst: Option<(PermissionDecision, Call)> = None;
    let mut ranks = Vec::new();
    let mut rest = asks;
    while let Some(first) = rest.first() {
        let count = rest
            .iter()
            .take_while(|ask| ask.is_same_but_for_role(first))
            .count();
        let (of_one, others) = rest.split_at(count.max(1).min(rest.len()));
        let rulings = of_one.iter().map(|ask| rule(facts, need, ask)).collect();
        let decision = agreed(settled_by(facts, need), rulings);
        let is_new = worst
            .as_ref()
            .is_none_or(|(worst, _)| decision.rank() > worst.rank());
        ranks.push(decision.rank());
        if is_new {
            worst = Some((decision, first.call));
        }
        rest = others;
    }
    let differ = ranks.iter().any(|rank| ranks.first() != Some(rank));
    let named = worst.map(|(mut decision, call)| {
        if differ && need.action == "s3:PutObject" {
            decision.explanation = format!("in {call}: {}", decision.explanation);
        }
        decision
    });
    named.unwrap_or_else(|| PermissionDecision {
        outcome: Verdict::CLEAR,
        explanation: format!("nothing asks for {}", need.action),
        evidence: Evidence::Policies,
        deciding: Vec::new(),
        denied_by: None,
    })
}

/// One ruling of those for each role that the caller may have.
fn agreed(settled_by: SettledBy, mut rulings: Vec<PermissionDecision>) -> PermissionDecision {
    let first = rulings.first().map(PermissionDecision::rank);
    if rulings
        .iter()
        .any(|decision| Some(decision.rank()) != first)
    {
        let what = "the path of the caller's role".to_owned();
        return PermissionDecision::unknown(
            settled_by,
            vec![MissingInput {
                layer: PolicyLayer::Identity,
                what: what.clone(),
                permission: "iam:GetRole".to_owned(),
                detail: "a session's ARN leaves it out".to_owned(),
            }],
            format!("the policies name roles by their path, and {what} is not known"),
        );
    }
    if rulings.is_empty() {
        return PermissionDecision::unknown(settled_by, Vec::new(), "nobody asks".to_owned());
    }
    rulings.swap_remove(0)
}

/// Another action of the same service that the plan needs, which AWS refused for want of an identity
/// policy when it was called: anyone who lacks one of them is not assumed to have the others.
fn refused_beside<'f>(facts: &'f Facts, need: &RequiredPermission) -> Option<&'f str> {
    let service = |action: &str| action.split(':').next().map(str::to_ascii_lowercase);
    let found = facts.tried.iter().find(|tried| {
        let refusal = tried.refusal.as_deref().unwrap_or_default();
        tried.who == need.who
            && service(&tried.action) == service(need.action)
            && is_for_want_of_identity(refusal)
    })?;
    Some(&found.action)
}

/// Judges one request: once with the grants that nobody could read empty, and once with them allowing.
/// Limits that nobody could read are taken to permit, and listed.
fn rule(
    facts: &Facts,
    need: &RequiredPermission,
    ask: &PermissionRequest<'_>,
) -> PermissionDecision {
    let request = ask.request();
    let answer = simulation::answer(facts, need, ask);
    if let Some(decision) = answer.and_then(|answer| refused_by_simulation(answer, ask)) {
        return decision;
    }
    let applicable_policies = with_simulation(ask, answer);
    let grants = applicable_policies.unread_grants();
    let best = evaluate(&request, &applicable_policies.assuming_allowed(&grants));
    if matches!(
        best.decision,
        Decision::ExplicitDeny | Decision::ImplicitDeny
    ) {
        return explained_by_simulation(ask, answer, PermissionDecision::of(Verdict::Denied, best));
    }
    if best.decision == Decision::Depends && !best.can_be_allowed {
        return PermissionDecision {
            explanation: format!(
                "{} is not allowed, whatever {} turns out to be",
                ask.action,
                best.depends_on.join(" or ")
            ),
            ..PermissionDecision::of(Verdict::Denied, best)
        };
    }
    if let Some(held) = answer.and_then(|answer| held_by_simulation(answer, ask)) {
        return held;
    }
    let needed = needed_grants(ask, &applicable_policies, &grants);
    if best.decision == Decision::Depends {
        return depending(facts, need, ask, best, needed);
    }
    let least = evaluate(&request, &applicable_policies.assuming_allowed(&[]));
    if least.decision == Decision::Allowed {
        let assumed = applicable_policies.unread;
        let decision = PermissionDecision::of(Verdict::Allowed { assumed }, least);
        return explained_by_simulation(ask, answer, decision);
    }
    unknown(facts, need, ask, &least, needed)
}

/// What must be read to tell: the layers without whose Allow the request is denied, or where either of
/// two would do, both.
fn needed_grants(
    ask: &PermissionRequest<'_>,
    applicable_policies: &ApplicablePolicies<'_>,
    grants: &[PolicyLayer],
) -> Vec<MissingInput> {
    let is_needed = |layer: &PolicyLayer| {
        let others: Vec<PolicyLayer> = grants
            .iter()
            .copied()
            .filter(|other| other != layer)
            .collect();
        let without = evaluate(
            &ask.request(),
            &applicable_policies.assuming_allowed(&others),
        );
        !without.can_be_allowed
    };
    let needed: Vec<PolicyLayer> = grants.iter().copied().filter(is_needed).collect();
    let wanted = if needed.is_empty() { grants } else { &needed };
    let unread = applicable_policies.unread.iter();
    unread
        .filter(|unread| wanted.contains(&unread.layer))
        .cloned()
        .collect()
}

/// Rules where context keys decide that are not known: those that a call would tell are unread, and no
/// riddle.
fn depending(
    facts: &Facts,
    need: &RequiredPermission,
    ask: &PermissionRequest<'_>,
    evaluation: Evaluation,
    needed: Vec<MissingInput>,
) -> PermissionDecision {
    let mut unread: Vec<MissingInput> = Vec::new();
    for key in &evaluation.depends_on {
        match context::unread_key(facts, &ask.account, need.who, key) {
            Some(found) if unread.contains(&found) => {}
            Some(found) => unread.push(found),
            None => {
                let on = evaluation.dependency.clone();
                let on = on.unwrap_or_else(|| Dependency::on(key));
                let mut decision =
                    PermissionDecision::of(Verdict::Depends { on, unread: needed }, evaluation);
                if let Verdict::Depends { unread, .. } = &decision.outcome
                    && !unread.is_empty()
                {
                    let names = names(unread, " and ");
                    decision.explanation = format!(
                        "{}; what is more, {names} must allow it and could not be read",
                        decision.explanation
                    );
                }
                return decision;
            }
        }
    }
    unread.extend(needed);
    let settled_by = settled_by(facts, need);
    PermissionDecision::of(Verdict::Unknown { unread, settled_by }, evaluation)
}

/// Rules where what could not be read decides.
fn unknown(
    facts: &Facts,
    need: &RequiredPermission,
    ask: &PermissionRequest<'_>,
    least: &Evaluation,
    needed: Vec<MissingInput>,
) -> PermissionDecision {
    let wants = |layer: PolicyLayer| needed.iter().any(|unread| unread.layer == layer);
    let of_resource = wants(PolicyLayer::Resource) || wants(PolicyLayer::Grants);
    let sibling = refused_beside(facts, need).filter(|_| wants(PolicyLayer::Identity));
    // Within one account the caller's own policies suffice, but for a key.
    let is_own = ask.principal.account() == Some(ask.account.as_str());
    let lacks_identity =
        !wants(PolicyLayer::Identity) && is_own && least.denied_by == Some(PolicyKind::Identity);
    let names = names(&needed, if is_own { " or " } else { " and " });
    let explanation = if let Some(sibling) = sibling {
        format!(
            "no identity policy allows {sibling}, as AWS said when it was called; whether one allows \
             {} could not be read",
            ask.action
        )
    } else if lacks_identity {
        format!(
            "no identity policy allows {}, and {names} could not be read",
            ask.action
        )
    } else if of_resource && !wants(PolicyLayer::Identity) {
        let whose = if is_own {
            "the resource's own policy"
        } else {
            "the other side"
        };
        format!(
            "{} must be allowed by {whose} as well, and {names} could not be read",
            ask.action
        )
    } else {
        format!(
            "{} must be allowed by {names}, which could not be read",
            ask.action
        )
    };
    PermissionDecision {
        outcome: Verdict::Unknown {
            unread: needed,
            settled_by: settled_by(facts, need),
        },
        explanation,
        evidence: Evidence::Policies,
        deciding: Vec::new(),
        denied_by: (sibling.is_some() || lacks_identity).then_some(PolicyKind::Identity),
    }
}

/// What was not read, each by its name.
fn names(unread: &[MissingInput], between: &str) -> String {
    let names: Vec<&str> = unread.iter().map(|unread| unread.what.as_str()).collect();
    names.join(between)
}

/// What settles an unknown permission, if not the reading of what could not be read.
pub(super) fn settled_by(facts: &Facts, need: &RequiredPermission) -> SettledBy {
    let was_tried = || {
        let mut tried = facts.tried.iter();
        tried.any(|tried| tried.who == need.who && tried.action.eq_ignore_ascii_case(need.action))
    };
    match need.settled_by {
        SettledBy::Probe if was_tried() => SettledBy::Export,
        settled_by => settled_by,
    }
}

/// Says so where it was IAM's simulation that told of the identity policies.
fn explained_by_simulation(
    ask: &PermissionRequest<'_>,
    answer: Option<Answer<'_>>,
    mut decision: PermissionDecision,
) -> PermissionDecision {
    let stands_in = ask.applicable_policies.lacks(PolicyLayer::Identity)
        && answer.is_some_and(|answer| answer.identity().is_some());
    if !stands_in {
        return decision;
    }
    if decision.outcome.is_allowed() {
        decision.evidence = Evidence::Simulation;
        decision.explanation = format!("IAM's simulation allows {}", ask.action);
    } else if decision.denied_by == Some(PolicyKind::Identity) {
        decision.evidence = Evidence::Simulation;
        decision.explanation = format!(
            "IAM's simulation says that no identity policy allows {}",
            ask.action
        );
    }
    decision
}
