//! What an edit put into the lists of a statement, and took out of them.

use super::super::compare::is_same_set;
use super::super::list::{List, add_value, is_lone, remove_value, unwrapped};
use crate::arn::is_unique_id;
use crate::document::{Statement, Text};

/// What an edit did to one list of a statement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Piece {
    list: List,
    added: Vec<String>,
    removed: Vec<String>,
    /// Whether the list was there before.
    is_older: bool,
}

/// What an edit did to the lists of a statement between two of its states.
pub(super) fn pieces(was: &Statement<'_>, wrote: &Statement<'_>) -> Vec<Piece> {
    let (before, after) = (lists(was), lists(wrote));
    let gone = before.iter().filter(|(list, _)| !holds(&after, list));
    let touched = after.iter().chain(gone).map(|(list, _)| list);
    let found = touched.map(|list| {
        let (old, new) = (values(&before, list), values(&after, list));
        let without = |all: &[String], but: &[String]| -> Vec<String> {
            let rest = all.iter().filter(|value| !but.contains(value));
            rest.cloned().collect()
        };
        Piece {
            list: list.clone(),
            added: without(&new, &old),
            removed: without(&old, &new),
            is_older: holds(&before, list),
        }
    });
    found
        .filter(|piece| !piece.added.is_empty() || !piece.removed.is_empty())
        .collect()
}

impl Piece {
    /// Whether it put something in.
    pub(super) const fn adds(&self) -> bool {
        !self.added.is_empty()
    }

    /// Whether it took a deleted principal out, which stays out: AWS refuses to write it.
    pub(super) fn drops_principals(&self) -> bool {
        let is_of_principals = matches!(self.list, List::Principals(_));
        is_of_principals && self.removed.iter().any(|value| is_unique_id(value))
    }

    /// Whether what was put in stands in a statement just as it was put there.
    pub(super) fn stands_in(&self, statement: &Statement<'_>) -> bool {
        let live = values(&lists(statement), &self.list);
        if self.is_older {
            self.added.iter().all(|value| live.contains(value))
        } else {
            is_same_set(&live, &self.added)
        }
    }

    /// Whether a part of it does.
    pub(super) fn has_part_in(&self, statement: &Statement<'_>) -> bool {
        let live = values(&lists(statement), &self.list);
        self.added.iter().any(|value| live.contains(value))
    }
}

/// The text with the lists of the statement at an index as they were before the edit; values that others
/// put into them stay. `before` is the text and the index of the statement then. `None` where something
/// of it does not stand there.
pub(super) fn without_pieces(
    text: &str,
    at: usize,
    before: (&str, usize),
    pieces: &[Piece],
) -> Option<String> {
    let mut text = text.to_owned();
    for piece in pieces {
        // What was taken out first, so that no list is empty in between.
        let is_principal = matches!(piece.list, List::Principals(_));
        let is_gone = |value: &&String| is_principal && is_unique_id(value);
        let put_back = piece.removed.iter().filter(|value| !is_gone(value));
        for value in put_back {
            text = add_value(&text, at, &piece.list, value).ok()?;
        }
        for value in &piece.added {
            text = remove_value(&text, at, &piece.list, value).ok()?;
        }
        if is_lone(before.0, before.1, &piece.list) {
            text = unwrapped(&text, at, &piece.list).unwrap_or(text);
        }
    }
    Some(text)
}

/// Whether a statement names a principal that was deleted.
pub(super) fn names_deleted(statement: &Statement<'_>) -> bool {
    let mut entries = statement.principals.iter().flat_map(|all| &all.entries);
    entries.any(|(_, text)| is_unique_id(&text.value))
}

type Lists = Vec<(List, Vec<String>)>;

/// All lists of a statement with their values.
fn lists(statement: &Statement<'_>) -> Lists {
    let texts = |items: &[Text<'_>]| -> Vec<String> {
        let values = items.iter().map(|text| text.value.clone().into_owned());
        values.collect()
    };
    let mut lists = vec![(List::Actions, texts(&statement.actions.items))];
    let resources = statement.resources.iter();
    lists.extend(resources.map(|found| (List::Resources, texts(&found.items))));
    for (kind, text) in statement.principals.iter().flat_map(|all| &all.entries) {
        put(
            &mut lists,
            List::Principals(*kind),
            [text.value.clone().into_owned()],
        );
    }
    for condition in &statement.conditions {
        let list = List::Condition {
            operator: condition.operator.to_string(),
            key: condition.key.value.to_ascii_lowercase(),
        };
        put(&mut lists, list, texts(&condition.values));
    }
    lists
}

fn put(lists: &mut Lists, list: List, values: impl IntoIterator<Item = String>) {
    match lists.iter_mut().find(|(known, _)| *known == list) {
        Some((_, known)) => known.extend(values),
        None => lists.push((list, values.into_iter().collect())),
    }
}

fn holds(lists: &Lists, list: &List) -> bool {
    lists.iter().any(|(known, _)| known == list)
}

fn values(lists: &Lists, list: &List) -> Vec<String> {
    let found = lists.iter().find(|(known, _)| known == list);
    found.map(|(_, values)| values.clone()).unwrap_or_default()
}
