//! Answers in words that an operator understands.

use super::condition::{ContextReading, Truth};
use super::decision::{Decision, Evaluation, PossibleDecision};
use super::dependency::Dependency;
use super::document::Principals;
use super::near_miss::near_misses;
use super::policies::{Policies, PolicyKind};
use super::principal::{ComparedCaller, PrincipalMatch};
use super::request::{ContextValue, Request};
use super::verdict::{MatchedStatement, Origin, PartialEvaluation};

/// Puts a verdict that depends on nothing into words.
pub(crate) fn conclude(
    request: &Request<'_>,
    policies: &Policies<'_>,
    partial: &PartialEvaluation<'_>,
) -> Evaluation {
    let decision = partial.decision();
    Evaluation {
        decision,
        deciding: partial.deciding(Truth::Yes),
        denied_by: partial.denied_by(),
        explanation: sentence(request, policies, partial),
        depends_on: Vec::new(),
        dependency: None,
        outcomes: Vec::new(),
        is_exhaustive: true,
        can_be_allowed: decision == Decision::Allowed,
    }
}

/// The answer in a sentence.
fn sentence(
    request: &Request<'_>,
    policies: &Policies<'_>,
    partial: &PartialEvaluation<'_>,
) -> String {
    match partial.decision() {
        Decision::Allowed => allowed(request, partial),
        Decision::ExplicitDeny => denied(request, policies, partial),
        Decision::ImplicitDeny | Decision::Depends => not_allowed(request, policies, partial),
    }
}

fn name_of(hit: &MatchedStatement<'_>) -> String {
    match hit.origin {
        Origin::Statement(index, statement) => format!(
            "the statement `{}` of the {} `{}`",
            statement.label(index),
            hit.kind.noun(),
            hit.policy
        ),
        Origin::Grant(_) => format!("the grant `{}`", hit.policy),
    }
}

fn allowed(request: &Request<'_>, partial: &PartialEvaluation<'_>) -> String {
    if partial.scope.needs_no_permission {
        return format!(
            "{} needs no permission, and no policy can deny it",
            request.action
        );
    }
    let deciding = partial.deciding(Truth::Yes);
    match deciding.first() {
        Some(first) => format!(
            "{} is allowed by the statement `{}` of the {} `{}`",
            request.action,
            first.sid,
            first.kind.noun(),
            first.policy
        ),
        None => format!(
            "{} is allowed: the root user has full access within its account",
            request.action
        ),
    }
}

fn denied(
    request: &Request<'_>,
    policies: &Policies<'_>,
    partial: &PartialEvaluation<'_>,
) -> String {
    let hit = partial
        .hits
        .iter()
        .find(|hit| hit.is_deny && hit.truth == Truth::Yes);
    hit.map_or_else(String::new, |hit| {
        format!(
            "{} is denied explicitly by {}{}",
            request.action,
            name_of(hit),
            grounds(request, policies, hit)
        )
    })
}

/// How many conditions of a Deny are told.
const MOST_GROUNDS: usize = 3;

/// What of the request a Deny hits on, where its wording does not make it plain.
fn grounds(request: &Request<'_>, policies: &Policies<'_>, hit: &MatchedStatement<'_>) -> String {
    let Origin::Statement(_, statement) = hit.origin else {
        return String::new();
    };
    let mut grounds = Vec::new();
    if let Some(exempt) = statement.principals.as_ref().filter(|list| list.is_negated) {
        grounds.push(not_exempt(request, policies, exempt));
    }
    for condition in statement.conditions.iter().take(MOST_GROUNDS) {
        let key = &condition.key.value;
        grounds.push(match request.context.get(key) {
            Some(ContextValue::Known(values)) if !values.is_empty() => {
                format!("{key} is `{}`", values.join("`, `"))
            }
            Some(ContextValue::KnownOrAbsent(values)) => {
                format!("{key} is `{}` or absent", values.join("`, `"))
            }
            Some(ContextValue::Unknown) => format!("{key} decides nothing"),
            _ => format!("the request has no {key}"),
        });
    }
    if grounds.is_empty() {
        return String::new();
    }
    format!(": {}", grounds.join(", and "))
}

/// Why a `NotPrincipal` does not exempt the caller.
fn not_exempt(request: &Request<'_>, policies: &Policies<'_>, exempt: &Principals<'_>) -> String {
    let caller = ComparedCaller::new(&request.principal, ContextReading::new(request.context));
    let missing = caller.unlisted(exempt);
    if missing.is_empty() && policies.boundary.is_some() {
        return "NotPrincipal exempts no role or user that has a permissions boundary".to_owned();
    }
    let names = |links: Vec<PrincipalMatch>| {
        let mut names: Vec<String> = links
            .into_iter()
            .map(|link| caller.link_name(link))
            .collect();
        let last = names.pop().unwrap_or_default();
        if names.is_empty() {
            last
        } else {
            format!("{} and {last}", names.join(", "))
        }
    };
    let chain = caller.exemption_chain().iter().copied();
    let listed: Vec<PrincipalMatch> = chain.filter(|link| !missing.contains(link)).collect();
    let missing = names(missing);
    if listed.is_empty() {
        format!("its NotPrincipal does not list {missing}")
    } else {
        format!(
            "its NotPrincipal lists {}, and it must list {missing} too",
            names(listed)
        )
    }
}

fn not_allowed(
    request: &Request<'_>,
    policies: &Policies<'_>,
    partial: &PartialEvaluation<'_>,
) -> String {
    if partial.scope.is_root_assuming {
        return "the root user of an account cannot assume roles".to_owned();
    }
    let kind = partial.denied_by().unwrap_or(PolicyKind::Identity);
    let mut text =
        match silent_level(policies, partial).filter(|_| kind == PolicyKind::ServiceControl) {
            Some(target) => format!(
                "{} is not allowed because no service control policy at `{target}` allows it",
                request.action
            ),
            None => format!(
                "{} is not allowed because no {} allows it",
                request.action,
                kind.noun()
            ),
        };
    let mut misses = near_misses(request, policies, kind);
    if let Some(other) = alternative(policies, partial, kind) {
        text.push_str(", and the ");
        text.push_str(&other.noun());
        text.push_str(", which would do as well, does not allow it either");
        misses.extend(near_misses(request, policies, other));
    }
    for miss in misses {
        text.push_str("; ");
        text.push_str(&miss);
    }
    text
}

/// The other kind of policy that could allow the request by itself: within an account, the
/// resource's own.
fn alternative(
    policies: &Policies<'_>,
    partial: &PartialEvaluation<'_>,
    kind: PolicyKind,
) -> Option<PolicyKind> {
    let is_open = kind == PolicyKind::Identity
        && partial.scope.is_same_account
        && partial.layers.resource == Truth::No
        && policies.resource.is_some();
    is_open.then(|| partial.scope.resource_kind())
}

/// The first level of the organization at which nothing allows.
fn silent_level<'p>(
    policies: &'p Policies<'_>,
    partial: &PartialEvaluation<'_>,
) -> Option<&'p str> {
    policies
        .service_control
        .iter()
        .enumerate()
        .find(|(index, _)| {
            !partial.hits.iter().any(|hit| {
                hit.kind == PolicyKind::ServiceControl && !hit.is_deny && hit.level == *index
            })
        })
        .map(|(_, level)| level.target.as_str())
}

/// The answer where unknown keys decide, with an example for each way it can come out.
///
/// Where the examples do not cover all that the keys could hold, that is said.
pub(crate) fn depends(
    request: &Request<'_>,
    keys: &[String],
    dependency: &Dependency,
    outcomes: &[PossibleDecision],
    is_exhaustive: bool,
) -> String {
    let mut text = format!(
        "whether {} is allowed depends on {dependency}",
        request.action
    );
    let head = if is_exhaustive {
        ": "
    } else {
        ", as far as can be told; for example "
    };
    let mut told = None;
    for (index, outcome) in outcomes.iter().enumerate() {
        if told == Some(outcome.decision) {
            text.push_str(", or if ");
        } else {
            text.push_str(if index == 0 { head } else { "; " });
            text.push_str(coming_out(outcome));
            text.push_str(" if ");
        }
        text.push_str(&assumptions(keys, outcome));
        told = Some(outcome.decision);
    }
    text
}

fn coming_out(outcome: &PossibleDecision) -> &'static str {
    match outcome.decision {
        Decision::Allowed => "it is allowed",
        Decision::ExplicitDeny => "it is denied explicitly",
        Decision::ImplicitDeny | Decision::Depends => "nothing allows it",
    }
}

fn assumptions(keys: &[String], outcome: &PossibleDecision) -> String {
    let told: Vec<String> = outcome
        .when
        .iter()
        .filter(|(key, _)| keys.contains(key))
        .map(|(key, value)| match value {
            None => format!("{key} is absent"),
            Some(values) => format!("{key} is `{}`", values.join("`, `")),
        })
        .collect();
    told.join(" and ")
}
