//! The text itself: where statements and members stand in it, and how one is cut out or put in.

use crate::json::{Member, Node, TextSpan, Value};

pub(super) fn slice(text: &str, span: TextSpan) -> &str {
    text.get(span.start..span.end).unwrap_or_default()
}

pub(super) fn replaced(text: &str, span: TextSpan, by: &str) -> String {
    let head = text.get(..span.start).unwrap_or_default();
    let tail = text.get(span.end..).unwrap_or_default();
    [head, by, tail].concat()
}

pub(super) fn inserted(text: &str, at: usize, what: &str) -> String {
    replaced(text, TextSpan { start: at, end: at }, what)
}

/// Cuts one of several siblings out, with the comma that parts it from the one before, or from the
/// next.
pub(super) fn without_sibling(text: &str, siblings: &[TextSpan], at: usize) -> Option<String> {
    let own = *siblings.get(at)?;
    let before = at.checked_sub(1).and_then(|before| siblings.get(before));
    let span = match (before, siblings.get(at + 1)) {
        (Some(before), _) => TextSpan {
            start: before.end,
            end: own.end,
        },
        (None, Some(next)) => TextSpan {
            start: own.start,
            end: next.start,
        },
        (None, None) => own,
    };
    Some(replaced(text, span, ""))
}

/// The white space before a place.
pub(super) fn gap_before(text: &str, at: usize) -> &str {
    let head = text.get(..at).unwrap_or_default();
    head.get(head.trim_end().len()..).unwrap_or_default()
}

pub(super) fn object<'n, 'a>(node: &'n Node<'a>) -> Option<&'n [Member<'a>]> {
    match &node.value {
        Value::Object(members) => Some(members),
        _ => None,
    }
}

/// The first member that goes by one of these keys, and its place.
pub(super) fn position(members: &[Member<'_>], is_it: impl Fn(&str) -> bool) -> Option<usize> {
    members.iter().position(|member| is_it(&member.key))
}

/// Where a member stands, its key included.
pub(super) const fn whole(member: &Member<'_>) -> TextSpan {
    TextSpan {
        start: member.key_span.start,
        end: member.node.span.end,
    }
}

pub(super) fn nth_statement<'n, 'a>(root: &'n Node<'a>, at: usize) -> Option<&'n Node<'a>> {
    let members = object(root)?;
    let found = members.get(position(members, |key| key == "Statement")?)?;
    match &found.node.value {
        Value::Array(items) => items.get(at),
        _ => (at == 0).then_some(&found.node),
    }
}
