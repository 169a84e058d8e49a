//! What IAM's simulation is asked, and how far its answers can be trusted.
//!
//! `SimulatePrincipalPolicy` evaluates identity policies, the boundary and service control policies
//! against the context keys that it is given, and a key that it is not given counts as absent. It
//! tells which keys it lacked, but "this field doesn't include context keys referenced by service
//! control policies" (`EvaluationResult`), so what it says of those is evidence and no proof.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use super::context;
use super::facts::{Facts, Simulated};
use super::job_facts::required_permissions;
use super::request::{PermissionRequest, asks};
use crate::job::Plan;
use crate::job::requirement::{Actor, RequiredPermission};
use tableferry_policy::evaluate::ContextValue;

/// Keys that it is not told: the type of the first is not documented ("date or numeric"), and the second
/// differs among the calls of one upload, so that each kind of object would be asked about apart.
const UNTOLD: [&str; 2] = ["aws:EpochTime", "s3:ObjectCreationOperation"];

/// Context keys with their values, in the keys' order.
type Entries = Vec<(String, Vec<String>)>;

/// One question to the simulation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SimulationQuestion {
    /// The action. One alone: some "require different authorization information" and are refused
    /// together.
    pub action: &'static str,
    /// The resources, by ARN, none twice.
    pub resources: Vec<String>,
    /// The context keys that are known of the requests.
    pub context: Entries,
}

/// What the simulation is asked about the exporter: every permission that it needs, each on the
/// resources on which it is judged.
#[must_use]
pub fn questions(plan: &Plan, facts: &Facts, now: Timestamp) -> Vec<SimulationQuestion> {
    let mut requests: BTreeMap<(&str, String), Entries> = BTreeMap::new();
    for need in required_permissions(plan, facts) {
        if need.who != Actor::Exporter {
            continue;
        }
        for ask in asks(plan, facts, &need, now).unwrap_or_default() {
            let context = known(&ask);
            let common = requests
                .entry((need.action, ask.resource))
                .or_insert_with(|| context.clone());
            // What differs among requests of one kind is told of none.
            common.retain(|entry| context.contains(entry));
        }
    }
    let mut questions: Vec<SimulationQuestion> = Vec::new();
    for ((action, resource), context) in requests {
        let same = questions
            .iter_mut()
            .find(|question| question.action == action && question.context == context);
        match same {
            Some(question) => question.resources.push(resource),
            None => questions.push(SimulationQuestion {
                action,
                resources: vec![resource],
                context,
            }),
        }
    }
    questions
}

/// The context keys that are known of a request.
fn known(ask: &PermissionRequest<'_>) -> Entries {
    let known = ask.context.iter().filter_map(|(key, value)| match value {
        ContextValue::Known(values) => Some((key.to_owned(), values.clone())),
        ContextValue::KnownOrAbsent(_) | ContextValue::Unknown => None,
    });
    known
        .filter(|(key, _)| !UNTOLD.iter().any(|untold| key.eq_ignore_ascii_case(untold)))
        .collect()
}

/// What the simulation said of a request of the exporter.
pub(super) fn answer<'f>(
    facts: &'f Facts,
    need: &RequiredPermission,
    ask: &PermissionRequest<'_>,
) -> Option<Answer<'f>> {
    if need.who != Actor::Exporter {
        return None;
    }
    let found = facts
        .source()
        .simulation
        .value()?
        .iter()
        .find(|simulated| {
            simulated.action.eq_ignore_ascii_case(need.action) && simulated.resource == ask.resource
        })?;
    let given: BTreeSet<String> = found.given.iter().map(|key| key.to_lowercase()).collect();
    // A key that the request has not either was rightly taken for absent.
    let is_complete = found.missing_context.iter().all(|key| {
        given.contains(&key.to_lowercase()) || context::is_absent(&ask.context, key, need.action)
    });
    Some(Answer { found, is_complete })
}

/// What it said of one request.
#[derive(Debug, Clone, Copy)]
pub(super) struct Answer<'f> {
    found: &'f Simulated,
    /// Whether it had every key that the identity policies ask for.
    is_complete: bool,
}

/// What the identity policies come to by it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum SimulatedIdentity {
    /// They allow.
    Allow,
    /// None allows.
    Silent,
    /// One denies.
    Deny,
}

impl Answer<'_> {
    /// What the identity policies come to by themselves; `None` where it does not tell.
    pub(super) fn identity(self) -> Option<SimulatedIdentity> {
        // Its decision is of all kinds of policies together.
        let is_of_others = self.organization() == Some(false) || self.boundary() == Some(false);
        if !self.is_complete || is_of_others {
            return None;
        }
        match self.found.decision.as_str() {
            "allowed" => Some(SimulatedIdentity::Allow),
            "implicitDeny" => Some(SimulatedIdentity::Silent),
            "explicitDeny" => Some(SimulatedIdentity::Deny),
            _ => None,
        }
    }

    /// Whether the service control policies allow it, with what it was given.
    pub(super) const fn organization(self) -> Option<bool> {
        self.found.allowed_by_organization
    }

    /// Whether the permissions boundary allows it, with what it was given.
    pub(super) const fn boundary(self) -> Option<bool> {
        self.found.allowed_by_boundary
    }

    /// Whether it shows that no boundary is set: it tells of one "when the boundary is applied to an
    /// IAM entity".
    pub(super) fn shows_no_boundary(self) -> bool {
        self.found.decision == "allowed" && self.boundary().is_none()
    }
}

/// Notes in the answers that a document gives what no policy gave before.
pub(super) fn grant(answers: &mut [Simulated], is_granted: impl Fn(&str, &str) -> bool) {
    for answer in answers {
        let is_of_others = answer.allowed_by_organization == Some(false)
            || answer.allowed_by_boundary == Some(false);
        let is_missing = answer.decision == "implicitDeny" && !is_of_others;
        if is_missing && is_granted(&answer.action, &answer.resource) {
            "allowed".clone_into(&mut answer.decision);
        }
    }
}
