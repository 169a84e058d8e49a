//! Answers in words that an operator understands.

use super::condition::Truth;
use super::evaluate::{ContextValue, Decision, Outcome, Policies, PolicyKind, Principal, Request};
use super::near_miss::near_misses;
use super::verdict::{Hit, Origin, Weighed};

/// The answer in a sentence.
pub(crate) fn sentence(
    request: &Request<'_>,
    policies: &Policies<'_>,
    weighed: &Weighed<'_>,
) -> String {
    match weighed.decision() {
        Decision::Allowed => allowed(request, weighed),
        Decision::ExplicitDeny => denied(request, weighed),
        Decision::ImplicitDeny | Decision::Depends => not_allowed(request, policies, weighed),
    }
}

fn name_of(hit: &Hit<'_>) -> String {
    match hit.origin {
        Origin::Statement(index, statement) => format!(
            "the statement `{}` of the {} `{}`",
            statement.label(index),
            hit.kind.as_str(),
            hit.policy
        ),
        Origin::Grant(_) => format!("the grant `{}`", hit.policy),
    }
}

fn allowed(request: &Request<'_>, weighed: &Weighed<'_>) -> String {
    if weighed.scope.needs_no_permission {
        return format!(
            "{} needs no permission, and no policy can deny it",
            request.action
        );
    }
    let deciding = weighed.deciding(Truth::Yes);
    match deciding.first() {
        Some(first) => format!(
            "{} is allowed by the statement `{}` of the {} `{}`",
            request.action,
            first.sid,
            first.kind.as_str(),
            first.policy
        ),
        None => format!(
            "{} is allowed: the root user has full access within its account",
            request.action
        ),
    }
}

fn denied(request: &Request<'_>, weighed: &Weighed<'_>) -> String {
    let hit = weighed
        .hits
        .iter()
        .find(|hit| hit.is_deny && hit.truth == Truth::Yes);
    hit.map_or_else(String::new, |hit| {
        format!(
            "{} is denied explicitly by {}{}",
            request.action,
            name_of(hit),
            grounds(request, hit)
        )
    })
}

/// How many conditions of a Deny are told.
const MOST_GROUNDS: usize = 3;

/// What of the request a Deny hits on, where its wording does not make it plain.
fn grounds(request: &Request<'_>, hit: &Hit<'_>) -> String {
    let Origin::Statement(_, statement) = hit.origin else {
        return String::new();
    };
    let mut grounds = Vec::new();
    let spared = statement.principals.as_ref();
    if spared.is_some_and(|spared| spared.is_negated) {
        grounds.push(match &request.principal {
            Principal::Session { arn, .. } => {
                format!("its NotPrincipal must list the account, the role and the session {arn}")
            }
            principal => format!("its NotPrincipal does not list {}", principal.name()),
        });
    }
    for condition in statement.conditions.iter().take(MOST_GROUNDS) {
        let key = &condition.key.value;
        grounds.push(match request.context.get(key) {
            Some(ContextValue::Known(values)) if !values.is_empty() => {
                format!("{key} is `{}`", values.join("`, `"))
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

fn not_allowed(request: &Request<'_>, policies: &Policies<'_>, weighed: &Weighed<'_>) -> String {
    if weighed.scope.is_root_assuming {
        return "the root user of an account cannot assume roles".to_owned();
    }
    let kind = weighed.denied_by().unwrap_or(PolicyKind::Identity);
    let mut text =
        match silent_level(policies, weighed).filter(|_| kind == PolicyKind::ServiceControl) {
            Some(target) => format!(
                "{} is not allowed because no service control policy at `{target}` allows it",
                request.action
            ),
            None => format!(
                "{} is not allowed because no {} allows it",
                request.action,
                kind.as_str()
            ),
        };
    for miss in near_misses(request, policies, kind) {
        text.push_str("; ");
        text.push_str(&miss);
    }
    text
}

/// The first level of the organization at which nothing allows.
fn silent_level<'p>(policies: &'p Policies<'_>, weighed: &Weighed<'_>) -> Option<&'p str> {
    policies
        .service_control
        .iter()
        .enumerate()
        .find(|(index, _)| {
            !weighed.hits.iter().any(|hit| {
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
    outcomes: &[Outcome],
    is_exhaustive: bool,
) -> String {
    let mut text = format!(
        "whether {} is allowed depends on {}",
        request.action,
        keys.join(" and ")
    );
    let head = if is_exhaustive {
        ": "
    } else {
        ", as far as can be told; for example "
    };
    for (index, outcome) in outcomes.iter().enumerate() {
        text.push_str(if index == 0 { head } else { "; " });
        text.push_str(coming_out(outcome));
        text.push_str(" if ");
        text.push_str(&assumptions(keys, outcome));
    }
    text
}

fn coming_out(outcome: &Outcome) -> &'static str {
    match outcome.decision {
        Decision::Allowed => "it is allowed",
        Decision::ExplicitDeny => "it is denied explicitly",
        Decision::ImplicitDeny | Decision::Depends => "nothing allows it",
    }
}

fn assumptions(keys: &[String], outcome: &Outcome) -> String {
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
