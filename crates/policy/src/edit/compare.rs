//! Whether documents and statements say the same, and whether one grants all that another grants.

use crate::document::{Condition, Document, Patterns, Principals, Statement, StatementEffect};
use crate::pattern::{self, GlobToken, Plain};

/// Whether two documents say the same, statement by statement: services lay documents out anew,
/// write a list of one as its element, and lists in another order.
#[must_use]
pub fn say_the_same(one: &str, other: &str) -> bool {
    match (Document::parse(one), Document::parse(other)) {
        (Ok(one), Ok(other)) => is_whole(&one, &other),
        _ => false,
    }
}

/// Whether two texts are the same but for their layout.
#[must_use]
pub fn is_same_json(one: &str, other: &str) -> bool {
    let read = |text| serde_json::from_str::<serde_json::Value>(text).ok();
    one == other || matches!((read(one), read(other)), (Some(one), Some(other)) if one == other)
}

fn is_whole(one: &Document<'_>, other: &Document<'_>) -> bool {
    let (left, right) = (one.statements(), other.statements());
    one.version() == other.version()
        && left.len() == right.len()
        && left.iter().zip(right).all(|(one, other)| is(one, other))
}

/// Whether two statements go by the same name and say the same.
pub(super) fn is(one: &Statement<'_>, other: &Statement<'_>) -> bool {
    sid(one) == sid(other) && says_the_same(one, other)
}

pub(super) fn sid<'s>(statement: &'s Statement<'_>) -> &'s str {
    statement.sid.as_ref().map_or("", |sid| sid.value.as_ref())
}

/// Whether two statements mean the same, the order in lists left aside.
pub(super) fn says_the_same(left: &Statement<'_>, right: &Statement<'_>) -> bool {
    left.effect == right.effect
        && is_same_set(&texts(&left.actions), &texts(&right.actions))
        && left.actions.is_negated == right.actions.is_negated
        && left.resources.is_some() == right.resources.is_some()
        && left
            .resources
            .iter()
            .zip(&right.resources)
            .all(|(left, right)| {
                left.is_negated == right.is_negated && is_same_set(&texts(left), &texts(right))
            })
        && left.principals.is_some() == right.principals.is_some()
        && left
            .principals
            .iter()
            .zip(&right.principals)
            .all(|(left, right)| {
                left.is_negated == right.is_negated && is_same_set(&named(left), &named(right))
            })
        && left.conditions.len() == right.conditions.len()
        && left
            .conditions
            .iter()
            .all(|condition| demands(right, condition))
}

pub(super) fn texts<'s>(patterns: &'s Patterns<'_>) -> Vec<&'s str> {
    patterns
        .items
        .iter()
        .map(|item| item.value.as_ref())
        .collect()
}

fn named(principals: &Principals<'_>) -> Vec<String> {
    if principals.is_everyone {
        return vec!["*".to_owned()];
    }
    principals
        .entries
        .iter()
        .map(|(kind, text)| format!("{kind:?} {}", text.value))
        .collect()
}

pub(super) fn is_same_set<T: PartialEq>(left: &[T], right: &[T]) -> bool {
    left.iter().all(|item| right.contains(item)) && right.iter().all(|item| left.contains(item))
}

/// Whether a statement makes just this condition.
fn demands(statement: &Statement<'_>, wanted: &Condition<'_>) -> bool {
    let values = |condition: &Condition<'_>| -> Vec<String> {
        condition
            .values
            .iter()
            .map(|value| value.value.clone().into_owned())
            .collect()
    };
    statement.conditions.iter().any(|condition| {
        condition.operator == wanted.operator
            && condition.key.value.eq_ignore_ascii_case(&wanted.key.value)
            && is_same_set(&values(condition), &values(wanted))
    })
}

/// Whether an Allow covers all that another allows. It may miss that it does, never claim it wrongly.
pub(super) fn grants_all_of(existing: &Statement<'_>, new: &Statement<'_>) -> bool {
    let is_plain = |statement: &Statement<'_>| {
        statement.effect == StatementEffect::Allow
            && !statement.actions.is_negated
            && statement
                .resources
                .iter()
                .all(|resources| !resources.is_negated)
            && statement
                .principals
                .iter()
                .all(|principals| !principals.is_negated)
    };
    is_plain(existing)
        && is_plain(new)
        && texts(&new.actions).iter().all(|wanted| {
            texts(&existing.actions)
                .iter()
                .any(|pattern| covers(&pattern.to_ascii_lowercase(), &wanted.to_ascii_lowercase()))
        })
        && match (&existing.resources, &new.resources) {
            (None, None) => true,
            (Some(existing), Some(new)) => texts(new).iter().all(|wanted| {
                texts(existing).iter().any(|pattern| {
                    pattern == wanted || (!pattern.contains("${") && covers(pattern, wanted))
                })
            }),
            _ => false,
        }
        && match (&existing.principals, &new.principals) {
            (None, None) => true,
            (Some(existing), Some(new)) => {
                let (existing, new) = (named(existing), named(new));
                new.iter().all(|wanted| existing.contains(wanted))
            }
            _ => false,
        }
        && existing
            .conditions
            .iter()
            .all(|condition| demands(new, condition))
}

/// Whether one pattern matches all that another matches: its stars take in the other's wildcards,
/// its question marks only those that stand for one character.
fn covers(pattern: &str, wanted: &str) -> bool {
    #[derive(Clone, Copy)]
    struct Careful<'p>(Plain<'p>);
    impl pattern::GlobTokens for Careful<'_> {
        fn token(&self, at: usize) -> Option<GlobToken> {
            // A question mark is compared as a byte: it covers only itself.
            match self.0.token(at)? {
                GlobToken::One => Some(GlobToken::Byte(b'?')),
                other => Some(other),
            }
        }
    }
    pattern::matches(
        Careful(Plain(pattern.as_bytes())),
        wanted.as_bytes(),
        pattern::same_byte,
    )
}
