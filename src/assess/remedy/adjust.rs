//! What is put right inside an Allow that its owner meant for the export: a condition that leaves the
//! export's bucket out, or an action that lost its name. Every other limit in the statement stays.

use super::Target;
use super::target::{grants_under_conditions, slice_as_document};
use crate::assess::context::{OBJECT_CONTEXT, bucket_key};
use crate::assess::facts::Facts;
use crate::assess::job_facts::required_permissions;
use crate::assess::principal::is_same_principal;
use crate::job::Plan;
use crate::job::requirement::{Actor, RequiredPermission, Subject};
use tableferry_policy::document::{Document, Statement, StatementEffect};
use tableferry_policy::edit::{self, List};
use tableferry_policy::operator::Test;
use tableferry_policy::policy::Policy;

/// What is put right inside a statement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Adjustment {
    /// A condition takes more values.
    Widen {
        /// The condition key.
        key: &'static str,
        /// The values.
        values: Vec<String>,
    },
    /// An action without a name, such as `kms:`, gets the names that are needed.
    NameActions {
        /// The action as it stands.
        nameless: String,
        /// What stands in its place.
        actions: Vec<&'static str>,
    },
}

impl Adjustment {
    /// Carries it out on a statement; `None` where the text cannot be changed so.
    pub(super) fn apply(&self, text: &str, index: usize) -> Option<String> {
        match self {
            Self::Widen { key, values } => widened(text, index, key, values),
            Self::NameActions { nameless, actions } => {
                edit::replace_value(text, index, &List::Actions, nameless, actions).ok()
            }
        }
    }

    /// Takes in another of the same statement; whether that is news.
    pub(super) fn join(&mut self, other: &Self) -> bool {
        match (self, other) {
            (Self::NameActions { actions, .. }, Self::NameActions { actions: more, .. }) => {
                let new: Vec<&str> = more
                    .iter()
                    .copied()
                    .filter(|action| !actions.contains(action))
                    .collect();
                actions.extend(&new);
                !new.is_empty()
            }
            _ => false,
        }
    }

    /// What it lets through beside the export, where the statement is not for the exporter alone.
    pub(super) fn lets_through(
        &self,
        statement: &Statement<'_>,
        sid: &str,
        facts: &Facts,
    ) -> Option<String> {
        if is_for_exporter_alone(statement, facts) {
            return None;
        }
        let what = match self {
            Self::Widen { key, values } => {
                format!("what it allows where {key} is {}", values.join(" or "))
            }
            Self::NameActions { actions, .. } => actions.join(" and "),
        };
        Some(format!(
            "the statement `{sid}` allows {what} to all principals that it names, not to the exporter alone"
        ))
    }
}

/// The text with more values for a statement's condition on a key. `None` where there is no such
/// condition, or it names what it does not take.
fn widened(text: &str, index: usize, key: &str, values: &[String]) -> Option<String> {
    let document = Document::parse(text).ok()?;
    let mut conditions = document.statements().get(index)?.conditions.iter();
    let condition = conditions.find(|condition| {
        let operator = condition.operator;
        let takes = !operator.is_negated && operator.test != Test::Null;
        takes && condition.key.value.eq_ignore_ascii_case(key)
    })?;
    let list = List::Condition {
        operator: condition.operator.to_string(),
        key: key.to_owned(),
    };
    let is_there = |value: &&String| condition.values.iter().any(|own| own.value == **value);
    let mut new = values.iter().filter(|value| !is_there(value));
    new.try_fold(text.to_owned(), |text, value| {
        edit::add_value(&text, index, &list, value).ok()
    })
}

fn is_for_exporter_alone(statement: &Statement<'_>, facts: &Facts) -> bool {
    let caller = facts.source().caller.arn.to_string();
    let principals = statement.principals.as_ref();
    principals.is_some_and(|principals| {
        let [(_, only)] = principals.entries.as_slice() else {
            return false;
        };
        !principals.is_negated && !principals.is_everyone && is_same_principal(&only.value, &caller)
    })
}

/// What might be put right in the statements of a resource's policy for a need, by their indexes.
pub(super) fn adjustments(
    live: &Policy,
    target: &Target,
    need: &RequiredPermission,
    plan: &Plan,
    facts: &Facts,
) -> Vec<(usize, Adjustment)> {
    let Ok(document) = live.document() else {
        return Vec::new();
    };
    let live = live.text();
    let allows = document.statements().iter().enumerate();
    allows
        .filter(|(_, statement)| statement.effect == StatementEffect::Allow)
        .filter_map(|(index, statement)| {
            let found = nameless(live, statement, index, need, facts).or_else(|| {
                let is_of_key = matches!(target, Target::KeyPolicy { .. });
                let of_bucket_key = is_of_key && need.is_encrypting();
                of_bucket_key
                    .then(|| narrow(live, statement, need, plan, facts))
                    .flatten()
            });
            Some((index, found?))
        })
        .collect()
}

/// An action that is a service and no name, where the statement would grant the need by its name.
fn nameless(
    live: &str,
    statement: &Statement<'_>,
    index: usize,
    need: &RequiredPermission,
    facts: &Facts,
) -> Option<Adjustment> {
    let service = need.action.split_once(':').map(|(service, _)| service)?;
    if statement.actions.is_negated {
        return None;
    }
    let mut items = statement.actions.items.iter();
    let nameless = items.find(|item| {
        let service_of_item = item.value.strip_suffix(':');
        service_of_item.is_some_and(|own| own.eq_ignore_ascii_case(service))
    })?;
    let adjustment = Adjustment::NameActions {
        nameless: nameless.value.clone().into_owned(),
        actions: vec![need.action],
    };
    let repaired = adjustment.apply(live, index)?;
    let document = Document::parse(&repaired).ok()?;
    let own = slice_as_document(&repaired, document.statements().get(index)?)?;
    grants_under_conditions(&own, need, facts).then_some(adjustment)
}

/// A condition on the encryption context that leaves the export's bucket out. S3 sends the object's ARN,
/// or with an S3 Bucket Key the bucket's ("Using encryption with AWS KMS keys").
fn narrow(
    live: &str,
    statement: &Statement<'_>,
    need: &RequiredPermission,
    plan: &Plan,
    facts: &Facts,
) -> Option<Adjustment> {
    let mut conditions = statement.conditions.iter();
    conditions.find(|condition| {
        condition.key.value.eq_ignore_ascii_case(OBJECT_CONTEXT) && !condition.operator.is_negated
    })?;
    let own = slice_as_document(live, statement)?;
    if !grants_under_conditions(&own, need, facts) {
        return None;
    }
    let bucket = plan
        .destination
        .bucket
        .arn(facts.source().caller.arn.partition);
    let needs = required_permissions(plan, facts);
    let mut written = needs
        .iter()
        .filter(|need| need.who != Actor::Reader && need.subject == Subject::Object);
    let objects = written.next()?.resource.pattern().to_owned();
    let values = match bucket_key(plan, facts) {
        Some(true) => vec![bucket],
        Some(false) => vec![objects],
        None => vec![bucket, objects],
    };
    Some(Adjustment::Widen {
        key: OBJECT_CONTEXT,
        values,
    })
}

/// What a new statement allows without the conditions under which the owner's own Allow does.
pub(super) fn conditions_left_out(
    live: &Policy,
    needs: &[RequiredPermission],
    is_ours: impl Fn(&str) -> bool,
    facts: &Facts,
) -> Vec<String> {
    /// What our own statements ask for, or what only limits a grant in time.
    const KEPT: [&str; 3] = ["aws:principalarn", "kms:viaservice", "aws:currenttime"];
    let is_of_ours = |key: &str| {
        let mut conditions = needs.iter().flat_map(RequiredPermission::grant_conditions);
        conditions.any(|condition| condition.key.eq_ignore_ascii_case(key))
    };
    let Ok(document) = live.document() else {
        return Vec::new();
    };
    let live = live.text();
    let mut sentences = Vec::new();
    for (index, statement) in document.statements().iter().enumerate() {
        let sid = statement.label(index);
        let keys = statement
            .conditions
            .iter()
            .map(|one| one.key.value.as_ref());
        let mut keys: Vec<&str> = keys
            .filter(|key| !KEPT.contains(&key.to_ascii_lowercase().as_str()) && !is_of_ours(key))
            .collect();
        keys.dedup();
        if statement.effect != StatementEffect::Allow || keys.is_empty() || is_ours(&sid) {
            continue;
        }
        let Some(own) = slice_as_document(live, statement) else {
            continue;
        };
        let granted: Vec<&str> = needs
            .iter()
            .filter(|need| grants_under_conditions(&own, need, facts))
            .map(|need| need.action)
            .collect();
        if !granted.is_empty() {
            sentences.push(format!(
                "{} whatever {} may be: the statement `{sid}`, which stays as it is, allows that under \
                 a condition",
                granted.join(" and "),
                keys.join(" and ")
            ));
        }
    }
    sentences
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_condition_takes_one_value_more_and_one_that_excludes_takes_none() {
        let around = |condition: &str| {
            format!(
                r#"{{"Statement": [ {{"Effect": "Allow", "Action": "kms:*", "Condition": {{{condition}}}}} ]}}"#
            )
        };
        let widen = |text: &str| widened(text, 0, "k", &["b".to_owned()]);
        let before = around(r#""StringNotLike": {"k": "x"}, "StringLike": {"K": "a"}"#);
        let after = around(r#""StringNotLike": {"k": "x"}, "StringLike": {"K": ["a", "b"]}"#);
        assert_eq!(widen(&before).as_ref(), Some(&after));
        assert_eq!(widen(&after), Some(after));
        assert_eq!(widen(&around(r#""StringNotLike": {"k": "x"}"#)), None);
    }
}
