//! Taking an edit of ours back out of a document that others may have changed since.
//!
//! What we did is told from the document before and after: statements that are new, statements whose
//! condition was widened or whose action was repaired, and deleted principals that were taken out. What
//! we wrote is known again by what it says, whatever Sid it goes by now. New statements are cut out, and
//! altered ones get their old text back, or lose just the exemption where somebody altered the rest of
//! them. What somebody altered so that it is no more what we wrote, and yet has the same effect, is
//! left and told. A deleted principal is never put back: AWS refuses to write it ("Invalid principal in
//! policy"). Every other byte stays.

mod edit;
mod overlap;
mod take_out;

use super::document::{Document, Statement};
use super::json::{self, Member, Node, Span, Value};
use super::merge::{EditError, cut_statement, is_same_set, named, replaced, says_the_same, slice};
use edit::Edit;
use take_out::without_exemption;

/// A document after an edit was taken back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reverted {
    /// Its text; `None` where no statement is left, so that the document is to be deleted.
    pub text: Option<String>,
    /// The statements that were cut out or got their old condition back, by Sid or index.
    pub taken: Vec<String>,
    /// What was left, since somebody altered it, in words.
    pub left: Vec<String>,
}

/// Takes an edit, which led from `before` (`None`: there was no document) to `after`, back out of
/// the document as it stands now.
///
/// # Errors
///
/// Where one of the documents cannot be parsed.
pub fn revert(before: Option<&str>, after: &str, live: &str) -> Result<Reverted, EditError> {
    let read = |text| Document::parse(text).map_err(EditError::Document);
    let old = before.map(read).transpose()?;
    let new = read(after)?;
    let edit = Edit::between(old.as_ref(), &new);
    let now = read(live)?;
    if is_same_json(after, live) && !edit.has_dropped {
        return Ok(Reverted {
            text: before.map(str::to_owned),
            taken: edit.labels(&new),
            left: Vec::new(),
        });
    }
    let found = edit.find(old.as_ref(), &new, &now);
    let mut text = live.to_owned();
    for (was, wrote, at) in &found.edited {
        let pair = old.as_ref().and_then(|old| old.statements().get(*was));
        if let (Some(was), Some(wrote)) = (pair, new.statements().get(*wrote)) {
            let before = before.unwrap_or_default();
            text = without_exemption(&text, *at, before, was, wrote).unwrap_or(text);
        }
    }
    for (was, wrote, at) in &found.altered {
        let pair = old.as_ref().and_then(|old| old.statements().get(*was));
        if let (Some(was), Some(wrote)) = (pair, new.statements().get(*wrote)) {
            let (was_text, wrote_text) = (before.unwrap_or_default(), after);
            let was_text = slice(was_text, was.span);
            let is_whole = has_same_principals(was, wrote);
            text = restored(
                &text,
                *at,
                was_text,
                slice(wrote_text, wrote.span),
                is_whole,
            )
            .unwrap_or(text);
        }
    }
    let mut cuts = found.added;
    cuts.sort_unstable();
    for at in cuts.into_iter().rev() {
        let document = Document::parse(&text).map_err(EditError::Document)?;
        text = cut_statement(&text, &document, at);
    }
    let is_empty = read(&text)?.statements().is_empty();
    Ok(Reverted {
        text: (!is_empty).then_some(text),
        taken: found.taken,
        left: found.left,
    })
}

/// Whether an edit, which led from `before` to `after`, put in or altered a statement that is about a
/// resource. A document that cannot be parsed is about everything.
#[must_use]
pub fn concerns(before: Option<&str>, after: &str, resource: &str) -> bool {
    let old = before.map(Document::parse).transpose();
    let (Ok(old), Ok(new)) = (old, Document::parse(after)) else {
        return true;
    };
    Edit::between(old.as_ref(), &new).concerns(&new, resource)
}

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
fn is(one: &Statement<'_>, other: &Statement<'_>) -> bool {
    sid(one) == sid(other) && says_the_same(one, other)
}

fn sid<'s>(statement: &'s Statement<'_>) -> &'s str {
    statement.sid.as_ref().map_or("", |sid| sid.value.as_ref())
}

fn has_same_principals(one: &Statement<'_>, other: &Statement<'_>) -> bool {
    match (&one.principals, &other.principals) {
        (None, None) => true,
        (Some(one), Some(other)) => {
            one.is_negated == other.is_negated && is_same_set(&named(one), &named(other))
        }
        _ => false,
    }
}

/// Gives a statement back what an edit altered in it: its whole text where that still stands to the
/// byte, or else the elements that were altered.
fn restored(text: &str, at: usize, was: &str, wrote: &str, is_whole: bool) -> Option<String> {
    let root = json::read(text).ok()?;
    let statement = nth_statement(&root, at)?;
    if is_whole && slice(text, statement.span) == wrote {
        return Some(replaced(text, statement.span, was));
    }
    let mut text = text.to_owned();
    for key in ["Action", "Resource", "Condition"] {
        text = with_element(&text, at, key, (was, wrote)).unwrap_or(text);
    }
    Some(text)
}

/// The text with an element of the statement at an index as it was before an edit altered it. `None` where
/// it did not, or where there is nothing to alter.
fn with_element(text: &str, at: usize, key: &str, (was, wrote): (&str, &str)) -> Option<String> {
    let element = |statement: &str| -> Option<Option<String>> {
        let node = json::read(statement).ok()?;
        let found = member(object(&node)?, key);
        Some(found.map(|(_, member)| slice(statement, member.node.span).to_owned()))
    };
    let old = element(was)?;
    if old == element(wrote)? {
        return None;
    }
    let root = json::read(text).ok()?;
    let members = object(nth_statement(&root, at)?)?;
    let (index, now) = member(members, key)?;
    match old {
        Some(old) => Some(replaced(text, now.node.span, &old)),
        None => without_member(text, members, index),
    }
}

fn object<'n, 'a>(node: &'n Node<'a>) -> Option<&'n [Member<'a>]> {
    match &node.value {
        Value::Object(members) => Some(members),
        _ => None,
    }
}

fn member<'n, 'a>(members: &'n [Member<'a>], key: &str) -> Option<(usize, &'n Member<'a>)> {
    members
        .iter()
        .enumerate()
        .find(|(_, member)| member.key == key)
}

fn nth_statement<'n, 'a>(root: &'n Node<'a>, at: usize) -> Option<&'n Node<'a>> {
    let (_, found) = member(object(root)?, "Statement")?;
    match &found.node.value {
        Value::Array(items) => items.get(at),
        _ => (at == 0).then_some(&found.node),
    }
}

/// Cuts a member out with the comma that parts it from the one before, or from the next.
fn without_member(text: &str, members: &[Member<'_>], index: usize) -> Option<String> {
    let own = members.get(index)?;
    let (start, end) = match index.checked_sub(1).and_then(|before| members.get(before)) {
        Some(before) => (before.node.span.end, own.node.span.end),
        None => (own.key_span.start, members.get(1)?.key_span.start),
    };
    Some(replaced(text, Span { start, end }, ""))
}

#[cfg(test)]
mod tests;
