//! Near misses: the statements that would allow the request but for one element, and which one.

use super::arn::is_unique_id;
use super::condition::{self, ContextReading, Truth};
use super::document::{Condition, Patterns, PrincipalKind, Statement, StatementEffect, Version};
use super::operator::Test;
use super::policies::{Named, Policies, PolicyKind};
use super::principal::ComparedCaller;
use super::request::{ContextValue, Request};
use super::verdict;

/// How many near misses are told.
const MOST_TOLD: usize = 2;

/// Tells the statements of one kind of policy that nearly allow the request, in whole sentences.
pub(crate) fn near_misses(
    request: &Request<'_>,
    policies: &Policies<'_>,
    kind: PolicyKind,
) -> Vec<String> {
    let search = NearMissSearch {
        request,
        reading: ContextReading::new(request.context),
        caller: ComparedCaller::new(&request.principal, ContextReading::new(request.context)),
        kind,
    };
    let mut misses: Vec<(Missing, String)> = documents(policies, kind)
        .flat_map(|named| {
            let document = &named.document;
            document
                .statements()
                .iter()
                .enumerate()
                .filter_map(|(index, statement)| {
                    let (rank, words) = search.miss(statement, document.version())?;
                    let label = statement.label(index);
                    Some((
                        rank,
                        format!(
                            "the statement `{label}` of `{}` would apply, but {words}",
                            named.name
                        ),
                    ))
                })
        })
        .collect();
    misses.sort_by_key(|(rank, _)| *rank);
    let best = misses.first().map(|(rank, _)| *rank);
    misses
        .into_iter()
        .filter(|(rank, _)| Some(*rank) == best || *rank < Missing::Action)
        .take(MOST_TOLD)
        .map(|(_, words)| words)
        .collect()
}

/// What is missing, from what is told first: a statement that names the caller and the action is nearer
/// than one about other actions, and that is nearer than one for somebody else. The last two are told
/// only where there is nothing nearer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Missing {
    Resource,
    Condition,
    Action,
    Principal,
}

fn documents<'p>(
    policies: &'p Policies<'p>,
    kind: PolicyKind,
) -> Box<dyn Iterator<Item = &'p Named<'p>> + 'p> {
    match kind {
        PolicyKind::Identity => Box::new(policies.identity.iter()),
        PolicyKind::Boundary => Box::new(policies.boundary.iter()),
        PolicyKind::Session => Box::new(policies.session.iter()),
        PolicyKind::VpcEndpoint => Box::new(policies.vpc_endpoint.iter()),
        PolicyKind::Resource | PolicyKind::Trust => Box::new(policies.resource.iter()),
        PolicyKind::ServiceControl => Box::new(
            policies
                .service_control
                .iter()
                .flat_map(|level| &level.policies),
        ),
        PolicyKind::ResourceControl | PolicyKind::Grant => Box::new(std::iter::empty()),
    }
}

struct NearMissSearch<'a> {
    request: &'a Request<'a>,
    reading: ContextReading<'a>,
    caller: ComparedCaller<'a>,
    kind: PolicyKind,
}

impl NearMissSearch<'_> {
    /// The one element of an Allow that does not match, in words; none where all match, or where
    /// more than one does not.
    fn miss(&self, statement: &Statement<'_>, version: Version) -> Option<(Missing, String)> {
        if statement.effect != StatementEffect::Allow {
            return None;
        }
        let mut misses = Vec::new();
        if let Some(words) = self.resource_miss(statement, version) {
            misses.push((Missing::Resource, words));
        }
        if let Some(words) = self.principal_miss(statement) {
            misses.push((Missing::Principal, words));
        }
        let failing: Vec<String> = statement
            .conditions
            .iter()
            .filter(|condition| {
                condition::condition_holds(condition, version, self.reading) == Truth::No
            })
            .map(|condition| self.condition_miss(condition))
            .collect();
        if !failing.is_empty() {
            misses.push((Missing::Condition, failing.join(", and ")));
        }
        if let Some(words) = self.action_miss(&statement.actions) {
            misses.push((Missing::Action, words));
        }
        match <[(Missing, String); 1]>::try_from(misses) {
            Ok([miss]) => Some(miss),
            Err(_) => None,
        }
    }

    fn action_miss(&self, actions: &Patterns<'_>) -> Option<String> {
        let action = self.request.action;
        if verdict::action_applies(actions, action) {
            return None;
        }
        if actions.is_negated {
            return Some(format!("its NotAction leaves out {action}"));
        }
        let service = action.split(':').next().unwrap_or_default();
        let nameless = actions.items.iter().find(|item| {
            item.value
                .strip_suffix(':')
                .is_some_and(|prefix| prefix.eq_ignore_ascii_case(service))
        });
        Some(match nameless {
            Some(item) => format!("its Action `{}` is cut short and names nothing", item.value),
            None => format!("its Action does not cover {action}"),
        })
    }

    fn resource_miss(&self, statement: &Statement<'_>, version: Version) -> Option<String> {
        let resource = self.request.resource;
        let Some(patterns) = &statement.resources else {
            let is_missing = matches!(
                self.kind,
                PolicyKind::Identity
                    | PolicyKind::Boundary
                    | PolicyKind::Session
                    | PolicyKind::ServiceControl
            );
            return is_missing.then(|| "it has no Resource".to_owned());
        };
        if verdict::resource_applies(patterns, resource, version, self.reading) != Truth::No {
            return None;
        }
        if patterns.is_negated {
            return Some(format!("its NotResource leaves out `{resource}`"));
        }
        let told = patterns.items.iter().find_map(|item| {
            let pattern = item.value.as_ref();
            let covers = |text: &str| {
                verdict::resource_pattern(text, version, self.reading)
                    .is_ok_and(|ready| ready.is_resource_like(resource))
            };
            let objects = format!("{pattern}/*");
            if covers(&objects) {
                return Some(format!(
                    "its Resource is the bucket, not the objects in it: `{pattern}` should be `{objects}`"
                ));
            }
            let bucket = pattern.strip_suffix("/*")?;
            covers(bucket).then(|| {
                format!(
                    "its Resource is the objects, not the bucket that holds them: `{pattern}` should be `{bucket}`"
                )
            })
        });
        Some(told.unwrap_or_else(|| match patterns.items.as_slice() {
            [only] => format!(
                "its Resource is `{}`, which does not cover `{resource}`",
                only.value
            ),
            _ => format!("none of its Resources covers `{resource}`"),
        }))
    }

    fn principal_miss(&self, statement: &Statement<'_>) -> Option<String> {
        if !matches!(
            self.kind,
            PolicyKind::Resource | PolicyKind::Trust | PolicyKind::VpcEndpoint
        ) {
            return statement.principals.is_some().then(|| {
                "it has a Principal, which a policy of this kind may not have".to_owned()
            });
        }
        let Some(principals) = &statement.principals else {
            return Some("it has no Principal".to_owned());
        };
        if principals.is_negated {
            return Some("NotPrincipal is not supported with Allow".to_owned());
        }
        if self.caller.named_by(principals).is_some() {
            return None;
        }
        let stale = principals
            .entries
            .iter()
            .find(|(kind, text)| *kind == PrincipalKind::Aws && is_unique_id(&text.value));
        Some(match stale {
            Some((_, text)) => format!(
                "its Principal `{}` is the id of a role or user that was deleted",
                text.value
            ),
            None => format!(
                "its Principal does not name {}",
                self.caller.principal.name()
            ),
        })
    }

    fn condition_miss(&self, condition: &Condition<'_>) -> String {
        let key = &condition.key.value;
        let wanted: Vec<&str> = condition
            .values
            .iter()
            .map(|value| value.value.as_ref())
            .collect();
        let wanted = wanted.join("`, `");
        let held = match self.request.context.get(key) {
            Some(ContextValue::Known(values)) if !values.is_empty() => {
                format!("it is `{}`", values.join("`, `"))
            }
            Some(ContextValue::KnownOrAbsent(values)) => {
                format!("it is `{}` or absent", values.join("`, `"))
            }
            _ => "it is absent".to_owned(),
        };
        if condition.operator.test == Test::Null {
            let is_there = if wanted.eq_ignore_ascii_case("true") {
                "absent"
            } else {
                "present"
            };
            return format!("its condition needs {key} to be {is_there}, and {held}");
        }
        let demand = if condition.operator.is_negated {
            "anything but"
        } else {
            "a match with"
        };
        format!("its condition needs {demand} `{wanted}` in {key}, and {held}")
    }
}
