//! Whether two statements reach some of the same: who, what for, on what.
//!
//! Undo must not call a grant gone that stands in other words, so that whatever is unclear counts as
//! reached.

use crate::document::{Patterns, PrincipalKind, Principals, Statement};
use crate::principal::account_named;

/// Whether two statements are about some of the same requests, their conditions and effects left
/// aside.
pub(super) fn overlap(one: &Statement<'_>, other: &Statement<'_>) -> bool {
    share_actions(one, other)
        && share(one.resources.as_ref(), other.resources.as_ref(), reaches)
        && match (&one.principals, &other.principals) {
            (Some(one), Some(other)) => share_principals(one, other),
            _ => true,
        }
}

/// Whether a statement is about a resource.
pub(super) fn is_about(statement: &Statement<'_>, resource: &str) -> bool {
    let Some(resources) = &statement.resources else {
        return true;
    };
    resources.is_negated
        || resources
            .items
            .iter()
            .any(|item| reaches(&item.value, resource))
}

/// Whether a statement is about an action.
pub(super) fn is_about_action(statement: &Statement<'_>, action: &str) -> bool {
    let action = action.to_ascii_lowercase();
    let mut items = statement.actions.items.iter();
    statement.actions.is_negated
        || items.any(|item| reaches(&item.value.to_ascii_lowercase(), &action))
}

fn share_actions(one: &Statement<'_>, other: &Statement<'_>) -> bool {
    let reaches =
        |one: &str, other: &str| reaches(&one.to_ascii_lowercase(), &other.to_ascii_lowercase());
    share(Some(&one.actions), Some(&other.actions), reaches)
}

/// Whether one of the patterns of each may match the same text. What a `Not…` form reaches is taken
/// for everything.
fn share(
    one: Option<&Patterns<'_>>,
    other: Option<&Patterns<'_>>,
    reaches: impl Fn(&str, &str) -> bool,
) -> bool {
    let (Some(one), Some(other)) = (one, other) else {
        return true;
    };
    one.is_negated
        || other.is_negated
        || one.items.iter().any(|one| {
            let reaches = |other: &str| reaches(&one.value, other);
            other.items.iter().any(|other| reaches(&other.value))
        })
}

fn share_principals(one: &Principals<'_>, other: &Principals<'_>) -> bool {
    let is_wide = |principals: &Principals<'_>| {
        let is_star = |(_, text): &(PrincipalKind, crate::document::Text<'_>)| text.value == "*";
        principals.is_negated || principals.is_everyone || principals.entries.iter().any(is_star)
    };
    is_wide(one)
        || is_wide(other)
        || one.entries.iter().any(|(kind, one)| {
            other
                .entries
                .iter()
                .any(|(other_kind, other)| kind == other_kind && is_of(&one.value, &other.value))
        })
}

/// Whether two principals are the same, or one is the account of the other as a whole.
fn is_of(one: &str, other: &str) -> bool {
    let account = |text: &'_ str| text.split(':').nth(4).map(str::to_owned);
    let holds = |whole: &str, part: &str| {
        account_named(whole).is_some_and(|whole| {
            account_named(part) == Some(whole) || account(part).as_deref() == Some(whole)
        })
    };
    one == other || holds(one, other) || holds(other, one)
}

/// Whether a text may match both patterns. What a policy variable stands for may be anything.
fn reaches(one: &str, other: &str) -> bool {
    let read = |text: &str| -> Vec<char> {
        let mut pattern = String::new();
        let mut rest = text;
        while let Some((head, tail)) = rest.split_once("${") {
            pattern.push_str(head);
            pattern.push('*');
            rest = tail.split_once('}').map_or("", |(_, rest)| rest);
        }
        pattern.push_str(rest);
        pattern.chars().collect()
    };
    let (one, other) = (read(one), read(other));
    // Row by row: whether what is left of `one` and of `other` may match the same text.
    let mut below = vec![false; other.len() + 1];
    for at in (0..=one.len()).rev() {
        let mut row = vec![false; other.len() + 1];
        for to in (0..=other.len()).rev() {
            let (left, right) = (one.get(at), other.get(to));
            let get = |row: &[bool], to: usize| row.get(to).copied().unwrap_or_default();
            let may = match (left, right) {
                (None, None) => true,
                (Some('*'), None) => get(&below, to),
                (None, Some('*')) => get(&row, to + 1),
                (Some('*'), Some(_)) | (Some(_), Some('*')) => get(&below, to) || get(&row, to + 1),
                (Some(left), Some(right)) => {
                    (left == right || *left == '?' || *right == '?') && get(&below, to + 1)
                }
                _ => false,
            };
            if let Some(place) = row.get_mut(to) {
                *place = may;
            }
        }
        below = row;
    }
    below.first().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_overlap_where_a_text_matches_both() {
        for (one, other) in [
            ("s3:PutObject", "s3:Put*"),
            ("*", "s3:PutObject"),
            ("a*c", "ab*"),
            ("a?c", "*bc"),
            ("b/${aws:username}/*", "b/x/y"),
            ("", "*"),
        ] {
            assert!(reaches(one, other), "{one} {other}");
            assert!(reaches(other, one), "{other} {one}");
        }
        for (one, other) in [
            ("s3:PutObject", "s3:GetObject"),
            ("a*c", "b*"),
            ("a?", "a"),
            ("a*c", "a*d"),
            ("", "?"),
        ] {
            assert!(!reaches(one, other), "{one} {other}");
            assert!(!reaches(other, one), "{other} {one}");
        }
    }

    #[test]
    fn a_principal_is_of_its_account() {
        let role = "arn:aws:iam::111111111111:role/Exporter";
        assert!(is_of(role, "arn:aws:iam::111111111111:root"));
        assert!(is_of("111111111111", role));
        assert!(is_of(role, role));
        assert!(!is_of(role, "222222222222"));
        assert!(!is_of(role, "arn:aws:iam::111111111111:role/Other"));
    }
}
