//! Edits of a document as text: a statement is inserted or cut out, and every other byte stays.

use std::fmt::Write as _;

use similar::TextDiff;

use super::document::{
    Condition, Document, Effect, ParseError, Patterns, Principals, Statement, Version,
};
use super::json::Span;
use super::pattern::{self, GlobToken, Plain};

/// Why a document was not edited.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EditError {
    /// The document is none.
    #[error("the document: {0}")]
    Document(ParseError),
    /// The statement is none.
    #[error("the statement: {0}")]
    Statement(ParseError),
    /// The statement to be added has no Sid to find it by again.
    #[error("the statement has no Sid, so it could not be found again")]
    Unnamed,
    /// Another statement goes by the Sid, and says something else.
    #[error("the document has another statement `{sid}`, which says something else: {existing}")]
    Conflict {
        /// The Sid.
        sid: String,
        /// The text of the statement that has it.
        existing: String,
    },
    /// The statement needs policy variables, which the document's version does not know.
    #[error("the statement uses policy variables, and the document has not Version 2012-10-17")]
    OldVersion,
    /// No statement goes by the Sid.
    #[error("the document has no statement `{0}`")]
    Missing(String),
}

/// What came of adding a statement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Added {
    /// A statement grants it already; nothing was added.
    AlreadyGranted {
        /// That statement's Sid, or its index such as `#0`.
        by: String,
    },
    /// The document with the statement in it.
    Inserted {
        /// Its text.
        text: String,
    },
}

/// What came of removing a statement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Removed {
    /// The document without it.
    pub text: String,
    /// Whether no statement is left; such a document is deleted rather than written.
    pub is_empty: bool,
}

/// Adds a statement, given as JSON with a Sid, to a document.
///
/// # Errors
///
/// Where either cannot be parsed, the Sid is missing, or the Sid is taken by another statement.
pub fn add_statement(document: &str, statement: &str) -> Result<Added, EditError> {
    let whole = Document::parse(document).map_err(EditError::Document)?;
    let wrapped = format!("{{\"Version\":\"2012-10-17\",\"Statement\":{statement}}}");
    let parsed = Document::parse(&wrapped).map_err(EditError::Statement)?;
    let [new] = parsed.statements() else {
        return Err(EditError::Unnamed);
    };
    let Some(sid) = new.sid.as_ref().filter(|sid| !sid.value.is_empty()) else {
        return Err(EditError::Unnamed);
    };
    if let Some(existing) = with_sid(&whole, &sid.value) {
        if says_the_same(existing, new) {
            return Ok(Added::AlreadyGranted {
                by: sid.value.clone().into_owned(),
            });
        }
        return Err(EditError::Conflict {
            sid: sid.value.clone().into_owned(),
            existing: slice(document, existing.span).to_owned(),
        });
    }
    if whole.version() == Version::Old && statement.contains("${") {
        return Err(EditError::OldVersion);
    }
    let granting = whole
        .statements()
        .iter()
        .enumerate()
        .find(|(_, existing)| grants_all_of(existing, new));
    if let Some((index, existing)) = granting {
        return Ok(Added::AlreadyGranted {
            by: existing.label(index),
        });
    }
    Ok(Added::Inserted {
        text: insert(document, &whole, statement),
    })
}

/// A document of one statement, for a resource that has none.
#[must_use]
pub fn new_document(statement: &str) -> String {
    format!(
        "{{\n  \"Version\": \"2012-10-17\",\n  \"Statement\": [\n    {}\n  ]\n}}\n",
        laid_out(statement, "    ", "  ")
    )
}

/// Cuts out the statement with a Sid. What [`add_statement`] inserted is taken away to the byte.
///
/// # Errors
///
/// Where the document cannot be parsed, or has no such statement.
pub fn remove_statement(document: &str, sid: &str) -> Result<Removed, EditError> {
    let whole = Document::parse(document).map_err(EditError::Document)?;
    let statements = whole.statements();
    let at = statements
        .iter()
        .position(|statement| statement.sid.as_ref().is_some_and(|own| own.value == sid));
    let Some(at) = at else {
        return Err(EditError::Missing(sid.to_owned()));
    };
    Ok(Removed {
        text: cut_statement(document, &whole, at),
        is_empty: statements.len() == 1,
    })
}

/// Cuts out the statement at an index, with its comma; a list that we put around a lone statement
/// goes too.
pub(super) fn cut_statement(document: &str, whole: &Document<'_>, at: usize) -> String {
    let statements = whole.statements();
    let Some(cut) = statements.get(at) else {
        return document.to_owned();
    };
    let list = whole.statements_span();
    let before = at.checked_sub(1).and_then(|at| statements.get(at));
    match (before, statements.get(at + 1)) {
        (Some(previous), None) if is_wrapped_by_us(document, list, previous, cut) => {
            let lone = slice(document, previous.span).to_owned();
            replaced(document, list, &lone)
        }
        (Some(previous), _) => without(document, previous.span.end, cut.span.end),
        (None, Some(next)) => without(document, cut.span.start, next.span.start),
        (None, None) if whole.is_list() => without(document, cut.span.start, cut.span.end),
        (None, None) => replaced(document, list, "[]"),
    }
}

/// The difference between two documents as a person reads it: line by line, and for documents that
/// stand on one line, of the same documents laid out.
#[must_use]
pub fn diff(before: &str, after: &str) -> String {
    let is_one_line = |text: &str| !text.trim_end().contains('\n');
    let readable = |text: &str| {
        if text.trim().is_empty() {
            // A document that is new has no line to take away.
            String::new()
        } else if is_one_line(before) || is_one_line(after) {
            format!("{}\n", laid_out(text, "", "  "))
        } else {
            text.to_owned()
        }
    };
    let (before, after) = (readable(before), readable(after));
    TextDiff::from_lines(before.as_str(), after.as_str())
        .unified_diff()
        .context_radius(3)
        // A policy is no text file: whether its last line is ended means nothing.
        .missing_newline_hint(false)
        .header("before", "after")
        .to_string()
}

pub(super) fn slice(text: &str, span: Span) -> &str {
    text.get(span.start..span.end).unwrap_or_default()
}

fn without(text: &str, start: usize, end: usize) -> String {
    replaced(text, Span { start, end }, "")
}

pub(super) fn replaced(text: &str, span: Span, by: &str) -> String {
    let head = text.get(..span.start).unwrap_or_default();
    let tail = text.get(span.end..).unwrap_or_default();
    [head, by, tail].concat()
}

fn with_sid<'d>(document: &'d Document<'d>, sid: &str) -> Option<&'d Statement<'d>> {
    document
        .statements()
        .iter()
        .find(|statement| statement.sid.as_ref().is_some_and(|own| own.value == sid))
}

/// Puts a statement behind the last one.
///
/// A document whose Statement is one object needs a list around it. The space before the comma then
/// tells our list from one that was there, so that taking the statement out undoes the list too.
fn insert(text: &str, document: &Document<'_>, statement: &str) -> String {
    let whole = document.statements_span();
    let Some(last) = document.statements().last() else {
        let inside = whole.start + 1;
        return replaced(
            text,
            Span {
                start: inside,
                end: inside,
            },
            statement.trim(),
        );
    };
    let unit = indent_unit(text);
    if !document.is_list() {
        let lone = slice(text, whole);
        let new = match &unit {
            Some(unit) => laid_out(statement, &line_indent(text, whole.start), unit),
            None => compact(statement),
        };
        return replaced(text, whole, &format!("[{lone} , {new}]"));
    }
    let gap = gap_before(text, last.span.start);
    let new = match (&unit, gap.rsplit_once('\n')) {
        (Some(unit), Some((_, indent))) => laid_out(statement, indent, unit),
        _ => compact(statement),
    };
    let at = last.span.end;
    replaced(text, Span { start: at, end: at }, &format!(",{gap}{new}"))
}

fn is_wrapped_by_us(text: &str, list: Span, first: &Statement<'_>, cut: &Statement<'_>) -> bool {
    let between = Span {
        start: first.span.end,
        end: cut.span.start,
    };
    list.start + 1 == first.span.start
        && cut.span.end + 1 == list.end
        && slice(text, between) == " , "
}

/// The white space before a place.
fn gap_before(text: &str, at: usize) -> &str {
    let head = text.get(..at).unwrap_or_default();
    head.get(head.trim_end().len()..).unwrap_or_default()
}

/// The white space at the start of the line that a place is on.
fn line_indent(text: &str, at: usize) -> String {
    let head = text.get(..at).unwrap_or_default();
    let line = head.rsplit('\n').next().unwrap_or_default();
    line.chars()
        .take_while(|c| *c == ' ' || *c == '\t')
        .collect()
}

/// By what a document indents; `None` where it stands on one line.
fn indent_unit(text: &str) -> Option<String> {
    let line = text.trim_end().split_once('\n')?.1;
    let indent: String = line
        .chars()
        .take_while(|c| *c == ' ' || *c == '\t')
        .collect();
    Some(if indent.is_empty() {
        "  ".to_owned()
    } else {
        indent
    })
}

/// JSON on one line; text that is none stays as it is.
fn compact(json: &str) -> String {
    serde_json::from_str::<serde_json::Value>(json)
        .map_or_else(|_| json.to_owned(), |value| value.to_string())
}

/// JSON laid out, its lines but the first set in by `margin`; text that is none stays as it is.
fn laid_out(json: &str, margin: &str, unit: &str) -> String {
    let Ok(value) = serde_json::from_str::<serde_json::Value>(json) else {
        return json.to_owned();
    };
    let mut out = String::new();
    lay_out(&value, margin, unit, &mut out);
    out
}

fn lay_out(value: &serde_json::Value, margin: &str, unit: &str, out: &mut String) {
    let inner = format!("{margin}{unit}");
    let separate = |index: usize, out: &mut String| {
        out.push_str(if index == 0 { "\n" } else { ",\n" });
        out.push_str(&inner);
    };
    match value {
        serde_json::Value::Array(items) if !items.is_empty() => {
            out.push('[');
            for (index, item) in items.iter().enumerate() {
                separate(index, out);
                lay_out(item, &inner, unit, out);
            }
            // Writing to a string cannot fail.
            let _ = write!(out, "\n{margin}]");
        }
        serde_json::Value::Object(members) if !members.is_empty() => {
            out.push('{');
            for (index, (key, member)) in members.iter().enumerate() {
                separate(index, out);
                let _ = write!(out, "{}: ", serde_json::Value::from(key.as_str()));
                lay_out(member, &inner, unit, out);
            }
            let _ = write!(out, "\n{margin}}}");
        }
        other => {
            let _ = write!(out, "{other}");
        }
    }
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

pub(super) fn named(principals: &Principals<'_>) -> Vec<String> {
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
fn grants_all_of(existing: &Statement<'_>, new: &Statement<'_>) -> bool {
    let is_plain = |statement: &Statement<'_>| {
        statement.effect == Effect::Allow
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
