//! An exemption is taken out of a statement that somebody altered besides: just the condition, or the
//! value of one, that was put into it.

use super::super::document::{Condition, Document, Statement};
use super::super::json::{self, Member, Node, Span, Value};
use super::super::merge::{is_same_set, replaced, slice};
use super::super::operator::Operator;
use super::{member, nth_statement, object, without_member};

/// What was put into the condition of a statement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Inserted<'w> {
    operator: Operator,
    key: &'w str,
    values: Vec<&'w str>,
    /// The values that stood there before; `None` where the key is new.
    before: Option<Span>,
}

/// What was put into the condition of a statement between two of its states.
pub(super) fn inserted<'w>(was: &Statement<'_>, wrote: &'w Statement<'_>) -> Vec<Inserted<'w>> {
    let found = wrote.conditions.iter().filter_map(|condition| {
        let (operator, key) = (condition.operator, condition.key.value.as_ref());
        let on_it = was.conditions.iter().find(|old| is_on(old, operator, key));
        let old = on_it.map(values).unwrap_or_default();
        let new: Vec<&str> = values(condition)
            .into_iter()
            .filter(|value| !old.contains(value))
            .collect();
        (!new.is_empty()).then_some(Inserted {
            operator,
            key,
            values: new,
            before: on_it.map(|old| old.span),
        })
    });
    found.collect()
}

impl Inserted<'_> {
    /// Whether it stands in a statement just as it was put there.
    pub(super) fn stands_in(&self, statement: &Statement<'_>) -> bool {
        self.on(statement).is_some_and(|condition| {
            let live = values(condition);
            match self.before {
                None => is_same_set(&live, &self.values),
                Some(_) => self.values.iter().all(|value| live.contains(value)),
            }
        })
    }

    /// Whether a part of it does.
    pub(super) fn has_part_in(&self, statement: &Statement<'_>) -> bool {
        self.on(statement).is_some_and(|condition| {
            let live = values(condition);
            self.values.iter().any(|value| live.contains(value))
        })
    }

    fn on<'s, 'a>(&self, statement: &'s Statement<'a>) -> Option<&'s Condition<'a>> {
        statement
            .conditions
            .iter()
            .find(|condition| is_on(condition, self.operator, self.key))
    }
}

/// The text without what was put into the condition of the statement at an index, `before` being the
/// text that it was put into. `None` where that does not stand there.
pub(super) fn without_exemption(
    text: &str,
    at: usize,
    before: &str,
    was: &Statement<'_>,
    wrote: &Statement<'_>,
) -> Option<String> {
    let mut text = text.to_owned();
    for piece in inserted(was, wrote) {
        text = without(&text, at, before, &piece)?;
    }
    Some(text)
}

fn without(text: &str, at: usize, before: &str, piece: &Inserted<'_>) -> Option<String> {
    let document = Document::parse(text).ok()?;
    let condition = piece.on(document.statements().get(at)?)?;
    let root = json::read(text).ok()?;
    let members = object(nth_statement(&root, at)?)?;
    let (block_at, block) = member(members, "Condition")?;
    let operators = object(&block.node)?;
    let operator_at = position(operators, condition.operator_span)?;
    let keys = object(&operators.get(operator_at)?.node)?;
    let key_at = position(keys, condition.key.span)?;
    if let Some(was) = piece.before
        && let Some(text) = narrowed(text, &keys.get(key_at)?.node, slice(before, was), piece)
    {
        return Some(text);
    }
    // An operator without a key, and a condition without an operator, are taken out too.
    if keys.len() > 1 {
        without_member(text, keys, key_at)
    } else if operators.len() > 1 {
        without_member(text, operators, operator_at)
    } else {
        without_member(text, members, block_at)
    }
}

/// The text without the values in a condition's list; `None` where no other value is left.
fn narrowed(text: &str, node: &Node<'_>, was: &str, piece: &Inserted<'_>) -> Option<String> {
    let Value::Array(items) = &node.value else {
        return None;
    };
    let is_ours = |item: &Node<'_>| matches!(&item.value, Value::String(text) if piece.values.contains(&text.as_ref()));
    let rest: Vec<&Node<'_>> = items.iter().filter(|item| !is_ours(item)).collect();
    let first = rest.first()?;
    if rest.len() == 1 && !was.starts_with('[') {
        // The list was put around a lone value.
        return Some(replaced(text, node.span, slice(text, first.span)));
    }
    let mut text = text.to_owned();
    for (at, item) in items.iter().enumerate().rev() {
        if is_ours(item) {
            let previous = at.checked_sub(1).and_then(|at| items.get(at));
            let (start, end) = match (previous, items.get(at + 1)) {
                (Some(previous), _) => (previous.span.end, item.span.end),
                (None, Some(next)) => (item.span.start, next.span.start),
                (None, None) => (item.span.start, item.span.end),
            };
            text = replaced(&text, Span { start, end }, "");
        }
    }
    Some(text)
}

fn is_on(condition: &Condition<'_>, operator: Operator, key: &str) -> bool {
    condition.operator == operator && condition.key.value.eq_ignore_ascii_case(key)
}

fn values<'c>(condition: &'c Condition<'_>) -> Vec<&'c str> {
    condition
        .values
        .iter()
        .map(|value| value.value.as_ref())
        .collect()
}

fn position(members: &[Member<'_>], key: Span) -> Option<usize> {
    members.iter().position(|member| member.key_span == key)
}
