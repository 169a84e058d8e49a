//! Statements: one is put behind the others, and cut out.

use super::EditError;
use super::bytes::{gap_before, inserted, replaced, slice, without_sibling};
use super::compare::{grants_all_of, says_the_same};
use super::layout::{compact, indent_unit, laid_out, line_indent};
use crate::document::{Document, Statement, Version};
use crate::json::TextSpan;

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
    let mut statements = whole.statements().iter();
    if let Some(existing) = statements.find(|one| has_sid(one, &sid.value)) {
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
    let mut statements = whole.statements().iter();
    let at = statements.position(|statement| has_sid(statement, sid));
    let at = at.ok_or_else(|| EditError::Missing(sid.to_owned()))?;
    Ok(removed(document, &whole, at))
}

/// Cuts out the statement at an index.
///
/// # Errors
///
/// Where the document cannot be parsed, or has no such statement.
pub fn remove_at(document: &str, at: usize) -> Result<Removed, EditError> {
    let whole = Document::parse(document).map_err(EditError::Document)?;
    if at >= whole.statements().len() {
        return Err(EditError::Missing(format!("#{at}")));
    }
    Ok(removed(document, &whole, at))
}

fn removed(document: &str, whole: &Document<'_>, at: usize) -> Removed {
    Removed {
        text: cut_statement(document, whole, at),
        is_empty: whole.statements().len() == 1,
    }
}

/// Cuts out the statement at an index, with its comma; a list that we put around a lone statement
/// goes too.
fn cut_statement(document: &str, whole: &Document<'_>, at: usize) -> String {
    let list = whole.statements_span();
    if !whole.is_list() {
        return replaced(document, list, "[]");
    }
    if let (1, [lone, ours]) = (at, whole.statements())
        && is_wrapped_by_us(document, list, lone, ours)
    {
        return replaced(document, list, slice(document, lone.span));
    }
    let spans: Vec<TextSpan> = whole.statements().iter().map(|one| one.span).collect();
    without_sibling(document, &spans, at).unwrap_or_else(|| document.to_owned())
}

fn has_sid(statement: &Statement<'_>, sid: &str) -> bool {
    statement.sid.as_ref().is_some_and(|own| own.value == sid)
}

/// Puts a statement behind the last one.
///
/// A document whose Statement is one object needs a list around it. The space before the comma then
/// tells our list from one that was there, so that taking the statement out undoes the list too.
fn insert(text: &str, document: &Document<'_>, statement: &str) -> String {
    let whole = document.statements_span();
    let Some(last) = document.statements().last() else {
        let inside = whole.start + 1;
        return inserted(text, inside, statement.trim());
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
    inserted(text, last.span.end, &format!(",{gap}{new}"))
}

/// Puts a statement behind the last one, byte by byte as it once stood in the document.
pub(super) fn put_back(text: &str, document: &Document<'_>, statement: &str) -> String {
    match document.statements().last() {
        Some(last) if document.is_list() => {
            let gap = gap_before(text, last.span.start);
            inserted(text, last.span.end, &format!(",{gap}{statement}"))
        }
        _ => insert(text, document, statement),
    }
}

fn is_wrapped_by_us(
    text: &str,
    list: TextSpan,
    first: &Statement<'_>,
    cut: &Statement<'_>,
) -> bool {
    let between = TextSpan {
        start: first.span.end,
        end: cut.span.start,
    };
    list.start + 1 == first.span.start
        && cut.span.end + 1 == list.end
        && slice(text, between) == " , "
}
