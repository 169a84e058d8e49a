//! Taking an edit of ours back out of a document that others may have changed since.
//!
//! What we did is told from the document before and after: statements that are new, statements whose
//! condition was widened by an exemption, and deleted principals that were taken out. New statements
//! are cut out, and altered ones get their old condition back, as far as they still say what we wrote;
//! whatever somebody altered since is left and told. A deleted principal is never put back: AWS
//! refuses to write it ("Invalid principal in policy"). Every other byte stays.

use super::document::{Document, Statement};
use super::json::{self, Member, Node, Span, Value};
use super::merge::{
    EditError, cut_statement, is_same_set, named, replaced, says_the_same, slice, texts,
};

/// A document after an edit was taken back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TakenBack {
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
pub fn take_back(before: Option<&str>, after: &str, live: &str) -> Result<TakenBack, EditError> {
    let read = |text| Document::parse(text).map_err(EditError::Document);
    let old = before.map(read).transpose()?;
    let new = read(after)?;
    let edit = Edit::between(old.as_ref(), &new);
    let now = read(live)?;
    if is_same_json(after, live) && !edit.has_dropped {
        return Ok(TakenBack {
            text: before.map(str::to_owned),
            taken: edit.labels(&new),
            left: Vec::new(),
        });
    }
    let found = edit.find(old.as_ref(), &new, &now);
    let mut text = live.to_owned();
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
    Ok(TakenBack {
        text: (!is_empty).then_some(text),
        taken: found.taken,
        left: found.left,
    })
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

/// Whether one statement may be the other with another condition or fewer principals.
fn has_same_core(one: &Statement<'_>, other: &Statement<'_>) -> bool {
    sid(one) == sid(other)
        && one.effect == other.effect
        && one.actions.is_negated == other.actions.is_negated
        && is_same_set(&texts(&one.actions), &texts(&other.actions))
        && match (&one.resources, &other.resources) {
            (None, None) => true,
            (Some(one), Some(other)) => {
                one.is_negated == other.is_negated && is_same_set(&texts(one), &texts(other))
            }
            _ => false,
        }
}

/// What an edit did, by the indexes of statements before and after.
#[derive(Debug, Default)]
struct Edit {
    /// Statements that stayed, by their index after.
    kept: Vec<usize>,
    /// Statements that are new, by their index after.
    added: Vec<usize>,
    /// Statements that were altered, by their index before and after.
    altered: Vec<(usize, usize)>,
    /// Whether a principal, or a statement with it, was taken out.
    has_dropped: bool,
}

impl Edit {
    fn between(old: Option<&Document<'_>>, new: &Document<'_>) -> Self {
        let old = old.map(Document::statements).unwrap_or_default();
        let mut edit = Self::default();
        let mut claimed = vec![false; old.len()];
        let mut claim = |fits: &dyn Fn(&Statement<'_>) -> bool| {
            let at = old
                .iter()
                .zip(&claimed)
                .position(|(statement, is_claimed)| !is_claimed && fits(statement))?;
            if let Some(mark) = claimed.get_mut(at) {
                *mark = true;
            }
            Some(at)
        };
        let mut rest = Vec::new();
        for (index, statement) in new.statements().iter().enumerate() {
            match claim(&|old| is(old, statement)) {
                Some(_) => edit.kept.push(index),
                None => rest.push((index, statement)),
            }
        }
        for (index, statement) in rest {
            match claim(&|old| has_same_core(old, statement)) {
                Some(at) => edit.altered.push((at, index)),
                None => edit.added.push(index),
            }
        }
        edit.has_dropped = claimed.contains(&false)
            || edit.altered.iter().any(|(before, after)| {
                let pair = old.get(*before).zip(new.statements().get(*after));
                pair.is_some_and(|(before, after)| !has_same_principals(before, after))
            });
        edit
    }

    /// What the edit touched, as people call it.
    fn labels(&self, new: &Document<'_>) -> Vec<String> {
        let altered = self.altered.iter().map(|(_, after)| after);
        let label = |index: &usize| Some(new.statements().get(*index)?.label(*index));
        self.added.iter().chain(altered).filter_map(label).collect()
    }

    /// Finds what the edit wrote in the document as it stands now.
    fn find(&self, old: Option<&Document<'_>>, new: &Document<'_>, now: &Document<'_>) -> Found {
        let mut found = Found::default();
        let mut free: Vec<usize> = (0..now.statements().len()).collect();
        for index in &self.kept {
            let _ = claim(&mut free, now, new.statements().get(*index));
        }
        for index in &self.added {
            let statement = new.statements().get(*index);
            match claim(&mut free, now, statement) {
                Some(at) => {
                    found.added.push(at);
                    found.took(statement, *index);
                }
                None => found.miss(statement, None, now, &free),
            }
        }
        for (before, after) in &self.altered {
            let statement = new.statements().get(*after);
            if let Some(at) = claim(&mut free, now, statement) {
                found.altered.push((*before, *after, at));
                found.took(statement, *after);
            } else {
                let was = old.and_then(|old| old.statements().get(*before));
                found.miss(statement, was, now, &free);
            }
        }
        found
    }
}

/// Where the edit still stands.
#[derive(Debug, Default)]
struct Found {
    /// New statements, by their index now.
    added: Vec<usize>,
    /// Altered statements, by their index before, after and now.
    altered: Vec<(usize, usize, usize)>,
    taken: Vec<String>,
    left: Vec<String>,
}

impl Found {
    fn took(&mut self, statement: Option<&Statement<'_>>, index: usize) {
        self.taken
            .extend(statement.map(|statement| statement.label(index)));
    }

    /// Tells of a statement that is there and no longer says what we wrote. One that is gone, or back
    /// as it was, needs no word.
    fn miss(
        &mut self,
        wanted: Option<&Statement<'_>>,
        was: Option<&Statement<'_>>,
        now: &Document<'_>,
        free: &[usize],
    ) {
        let Some(wanted) = wanted else { return };
        let mut there = free
            .iter()
            .filter_map(|at| Some((*at, now.statements().get(*at)?)));
        let found = there.find(|(_, statement)| {
            let has_name = !sid(wanted).is_empty() && sid(statement) == sid(wanted);
            has_name || has_same_core(statement, wanted)
        });
        match found {
            Some((_, statement)) if was.is_some_and(|was| is(statement, was)) => {}
            Some((at, statement)) => self.left.push(format!(
                "the statement `{}` was altered since: it is left as it is",
                statement.label(at)
            )),
            None => {}
        }
    }
}

/// Takes the first free statement that says what is wanted.
fn claim(
    free: &mut Vec<usize>,
    now: &Document<'_>,
    wanted: Option<&Statement<'_>>,
) -> Option<usize> {
    let wanted = wanted?;
    let place = free.iter().position(|at| {
        now.statements()
            .get(*at)
            .is_some_and(|statement| is(statement, wanted))
    })?;
    Some(free.remove(place))
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
/// byte, or else its condition.
fn restored(text: &str, at: usize, was: &str, wrote: &str, is_whole: bool) -> Option<String> {
    let root = json::read(text).ok()?;
    let statement = nth_statement(&root, at)?;
    if is_whole && slice(text, statement.span) == wrote {
        return Some(replaced(text, statement.span, was));
    }
    let old = json::read(was).ok()?;
    let old = member(object(&old)?, "Condition").map(|(_, member)| member.node.span);
    let members = object(statement)?;
    match (member(members, "Condition"), old) {
        (Some((_, now)), Some(old)) => Some(replaced(text, now.node.span, slice(was, old))),
        (Some((index, _)), None) => without_member(text, members, index),
        (None, _) => None,
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
