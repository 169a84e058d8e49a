//! The one editor of policies: a document is edited as text, and every byte that is not ours stays.
//!
//! White space, the order of members, escapes and values that are spelled twice belong to the one who wrote
//! them. A statement is added and removed; a value is put into a list of a statement and taken out
//! again, where a condition counts as the list of its values, so that an exemption is such a value; and
//! an edit of ours is reverted in a document that others have changed since. What was added and is
//! reverted leaves the bytes that stood before.

mod bytes;
mod compare;
mod diff;
mod layout;
mod list;
mod revert;
mod statement;

pub use compare::{is_same_json, say_the_same};
pub use diff::diff;
pub use list::{List, add_condition, add_value, remove_value, replace_value};
pub use revert::{Reverted, concerns, revert};
pub use statement::{Added, Removed, add_statement, new_document, remove_at, remove_statement};

use super::document::ParseError;

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
    /// No statement goes by the Sid, or stands at the index.
    #[error("the document has no statement `{0}`")]
    Missing(String),
    /// The statement has no such list, and none can be made for it.
    #[error("the statement has no {0}")]
    NoList(String),
    /// The list does not hold the value.
    #[error("{list} does not hold `{value}`")]
    NoValue {
        /// The list.
        list: String,
        /// The value.
        value: String,
    },
    /// Without the value the list would be empty, and the statement would mean something else.
    #[error("{list} holds nothing but `{value}`")]
    LastValue {
        /// The list.
        list: String,
        /// The value.
        value: String,
    },
    /// A condition asks for the key already, and a value more would let it match more.
    #[error("the statement has a condition on {0} already, which cannot be narrowed")]
    Widens(String),
}
