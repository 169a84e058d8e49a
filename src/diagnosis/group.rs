//! Repeated errors of one kind, as one with a count and the lines of the first and the last.
//!
//! It decides what is one kind: the same code and call, by the same role or user, in the same bucket, for
//! the same reason. The number of kinds that are kept is bounded; what is beyond is counted.

use std::collections::HashMap;

use super::circumstance::Circumstances;
use super::diagnose::{Diagnosis, diagnose};
use super::reported::{ReportedError, Stated, arn_part};
use super::scan::FoundError;

/// The most kinds that are kept.
const MOST_KINDS: usize = 1000;
/// The most kinds of words that are remembered as no errors.
const MOST_WORDS: usize = 4096;

/// Errors of one kind.
#[derive(Debug, Clone)]
pub struct ErrorGroup {
    /// The first of them.
    pub error: ReportedError,
    /// What is said about it.
    pub diagnosis: Diagnosis,
    /// How many there are.
    pub count: u64,
    /// The line of the first.
    pub first_line: u64,
    /// The line of the last.
    pub last_line: u64,
    /// Whether they are on several resources of one bucket, table or role.
    pub has_other_resources: bool,
}

/// All errors of an input, by kind, in the order of the first of each.
#[derive(Debug, Default)]
pub struct ErrorGroups {
    groups: Vec<ErrorGroup>,
    kinds: HashMap<String, Option<usize>>,
    beyond: u64,
}

impl ErrorGroups {
    /// Adds an error, with what is known beside its text. Returns whether it is one.
    pub fn add(
        &mut self,
        found: FoundError,
        known: impl Fn(&ReportedError) -> Circumstances,
    ) -> bool {
        let FoundError { line, error } = found;
        let kind = kind_of(&error);
        match self.kinds.get(&kind) {
            Some(Some(number)) => {
                if let Some(group) = self.groups.get_mut(*number) {
                    group.count += 1;
                    group.first_line = group.first_line.min(line);
                    group.last_line = group.last_line.max(line);
                    group.has_other_resources |= group.error.resource != error.resource;
                }
                return true;
            }
            Some(None) => return false,
            None => {}
        }
        let Some(diagnosis) = diagnose(&error, &known(&error)) else {
            if self.kinds.len() < MOST_WORDS {
                self.kinds.insert(kind, None);
            }
            return false;
        };
        if self.groups.len() >= MOST_KINDS {
            self.beyond += 1;
            return true;
        }
        self.kinds.insert(kind, Some(self.groups.len()));
        self.groups.push(ErrorGroup {
            error,
            diagnosis,
            count: 1,
            first_line: line,
            last_line: line,
            has_other_resources: false,
        });
        true
    }

    /// The kinds, refusals first.
    #[must_use]
    pub fn sorted(&self) -> Vec<&ErrorGroup> {
        let mut groups: Vec<&ErrorGroup> = self.groups.iter().collect();
        groups.sort_by_key(|group| !group.diagnosis.is_refusal());
        groups
    }

    /// The kinds in the order of the first of each.
    #[must_use]
    pub fn in_order(&self) -> &[ErrorGroup] {
        &self.groups
    }

    /// How many errors were of kinds beyond those that are kept.
    #[must_use]
    pub const fn beyond(&self) -> u64 {
        self.beyond
    }
}

/// What makes two errors one kind.
fn kind_of(error: &ReportedError) -> String {
    let mut kind = String::with_capacity(256);
    let mut add = |part: &str| {
        kind.push_str(part);
        kind.push('\n');
    };
    let text = |part: &Option<String>| part.clone().unwrap_or_default();
    add(&text(&error.code));
    add(error.action.as_deref().unwrap_or_default());
    add(error.operation.as_deref().unwrap_or_default());
    add(error
        .principal
        .as_deref()
        .map(without_session)
        .unwrap_or_default());
    add(error.resource.as_deref().map(container).unwrap_or_default());
    add(error.policy_arn.as_deref().unwrap_or_default());
    let says_all = !matches!(error.stated, Stated::Worded | Stated::NotDenied);
    match &error.stated {
        Stated::Setting(words) => add(words),
        stated => add(&format!("{stated:?}")),
    }
    if !says_all {
        // Numbers differ from message to message: ids, times, sizes.
        let words = error.message.chars().take(240);
        kind.extend(words.map(|c| if c.is_ascii_digit() { '0' } else { c }));
    }
    kind
}

/// A session's ARN without the session's name.
pub(super) fn without_session(principal: &str) -> &str {
    if !principal.contains(":assumed-role/") {
        return principal;
    }
    principal
        .rsplit_once('/')
        .map_or(principal, |(role, _)| role)
}

/// The bucket of an object, the table of an index: what a policy names as one.
fn container(resource: &str) -> &str {
    let Some(name) = arn_part(resource, 5) else {
        return resource;
    };
    let depth = if arn_part(resource, 2) == Some("s3") {
        1
    } else {
        2
    };
    let end = name
        .match_indices('/')
        .nth(depth - 1)
        .map_or(name.len(), |(at, _)| at);
    resource
        .get(..resource.len() - (name.len() - end))
        .unwrap_or(resource)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnosis::scan::scan;

    fn groups(text: &str) -> ErrorGroups {
        let mut groups = ErrorGroups::default();
        scan(text.as_bytes(), |found| {
            groups.add(found, Circumstances::of_text)
        })
        .unwrap();
        groups
    }

    fn refused(session: &str, object: &str) -> String {
        format!(
            "User: arn:aws:sts::111122223333:assumed-role/up/{session} is not authorized to perform: s3:PutObject \
             on resource: \"arn:aws:s3:::{object}\" because no identity-based policy allows the s3:PutObject action\n"
        )
    }

    #[test]
    fn sessions_of_a_role_and_objects_of_a_bucket_are_one_kind() {
        let text = [
            refused("a", "b/1"),
            "nothing\n".to_owned(),
            refused("b", "b/2/3"),
            refused("a", "c/1"),
        ];
        let groups = groups(&text.concat());
        let told: Vec<(u64, u64, u64, bool)> = groups
            .sorted()
            .iter()
            .map(|group| {
                (
                    group.count,
                    group.first_line,
                    group.last_line,
                    group.has_other_resources,
                )
            })
            .collect();
        assert_eq!(told, [(2, 1, 3, true), (1, 4, 4, false)]);
    }

    #[test]
    fn refusals_come_before_what_is_none() {
        let throttled = "An error occurred (ThrottlingException) when calling the DescribeExport operation: Rate exceeded\n";
        let groups = groups(&format!("{throttled}{}", refused("a", "b/1")));
        let is_refusal: Vec<bool> = groups
            .sorted()
            .iter()
            .map(|group| group.diagnosis.is_refusal())
            .collect();
        assert_eq!(is_refusal, [true, false]);
    }

    #[test]
    fn kinds_without_end_are_counted_and_not_kept() {
        let text: String = (0..1500)
            .map(|number| refused("a", &format!("b{number}/1")))
            .collect();
        let groups = groups(&text);
        assert_eq!(groups.sorted().len(), MOST_KINDS);
        assert_eq!(groups.beyond(), 500);
    }

    #[test]
    fn the_container_of_a_resource_is_what_a_policy_names() {
        for (resource, expected) in [
            ("arn:aws:s3:::b/k/x", "arn:aws:s3:::b"),
            ("arn:aws:s3:::b", "arn:aws:s3:::b"),
            (
                "arn:aws:dynamodb:eu-west-1:1:table/T/index/i",
                "arn:aws:dynamodb:eu-west-1:1:table/T",
            ),
            ("role exporter", "role exporter"),
        ] {
            assert_eq!(container(resource), expected);
        }
    }
}
