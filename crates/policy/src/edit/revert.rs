//! Reverting an edit of ours in a document that others may have changed since.
//!
//! What we did is told from the document before and after: statements that are new or were taken out,
//! statements into whose lists something was put or out of which something was taken, and deleted
//! principals that were taken out. What we wrote is known
//! again by what it says, whatever Sid it goes by now. New statements are cut out; altered ones get their
//! old text back, or lose just what was put in where somebody altered the rest of them; those that were
//! taken out are put behind the others. What somebody
//! altered so that it is no more what we wrote, and yet has the same effect, is left and told. A deleted
//! principal is never put back: AWS refuses to write it ("Invalid principal in policy"). Every other
//! byte stays.

mod changes;
mod overlap;
mod piece;

use super::EditError;
use super::bytes::{replaced, slice};
use super::compare::is_same_json;
use super::statement::{put_back, remove_at};
use crate::document::Document;
use changes::Changes;
use piece::{Piece, pieces, without_pieces};

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
    let edit = Changes::between(old.as_ref(), &new);
    let now = read(live)?;
    if is_same_json(after, live) && !edit.has_dropped {
        return Ok(Reverted {
            text: before.map(str::to_owned),
            taken: edit.labels(old.as_ref(), &new),
            left: Vec::new(),
        });
    }
    let mut found = edit.find(old.as_ref(), &new, &now);
    let mut text = live.to_owned();
    for (was, wrote, at) in &found.altered {
        let pair = old.as_ref().and_then(|old| old.statements().get(*was));
        let Some((was_said, wrote_said)) = pair.zip(new.statements().get(*wrote)) else {
            continue;
        };
        let pieces = pieces(was_said, wrote_said);
        let own = now.statements().get(*at).map(|statement| statement.span);
        let is_whole = own.is_some_and(|own| slice(live, own) == slice(after, wrote_said.span))
            && !pieces.iter().any(Piece::drops_principals);
        let before = before.unwrap_or_default();
        let restored = if is_whole {
            with_statement(&text, *at, slice(before, was_said.span))
        } else {
            without_pieces(&text, *at, (before, *was), &pieces)
        };
        let label = wrote_said.label(*wrote);
        match restored {
            Some(restored) => {
                text = restored;
                found.taken.push(label);
            }
            None => found.left.push(left_since(&label)),
        }
    }
    let mut cuts = found.added;
    cuts.sort_unstable();
    for at in cuts.into_iter().rev() {
        text = remove_at(&text, at)?.text;
    }
    for was in edit.missing(old.as_ref(), &now) {
        let Some(statement) = old.as_ref().and_then(|old| old.statements().get(was)) else {
            continue;
        };
        let own = slice(before.unwrap_or_default(), statement.span);
        let with_it = put_back(
            &text,
            &Document::parse(&text).map_err(EditError::Document)?,
            own,
        );
        text = with_it;
        found.taken.push(statement.label(was));
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
    Changes::between(old.as_ref(), &new).concerns(&new, resource)
}

/// The text with another statement in the place of the one at an index.
fn with_statement(text: &str, at: usize, statement: &str) -> Option<String> {
    let document = Document::parse(text).ok()?;
    let span = document.statements().get(at)?.span;
    Some(replaced(text, span, statement))
}

fn left_since(label: &str) -> String {
    format!("the statement `{label}` was altered since: it is left as it is")
}

#[cfg(test)]
mod tests;
