//! Why a text is refused, and what would stand in its place.

/// Why a text is not the thing it was given for; its `Display` says what would be right.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not {expected}")]
pub struct Malformed {
    /// The text as it was given.
    pub text: String,
    /// What was expected in its place, to be read after "is not".
    pub expected: &'static str,
}

impl Malformed {
    pub(crate) fn new(text: &str, expected: &'static str) -> Self {
        Self {
            text: text.to_owned(),
            expected,
        }
    }
}
