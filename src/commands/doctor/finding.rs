//! What was found about one thing.

use serde_json::{Value, json};

use super::mask::Mask;

/// How something stands, the worst last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum State {
    /// As it should be.
    Right,
    /// It may be in the way.
    Notable,
    /// It keeps commands from working.
    Wrong,
}

impl State {
    const fn word(self) -> &'static str {
        match self {
            Self::Right => "right",
            Self::Notable => "notable",
            Self::Wrong => "wrong",
        }
    }
}

/// What was found about one thing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Finding {
    pub(super) section: &'static str,
    pub(super) state: State,
    /// What was looked at.
    pub(super) subject: String,
    pub(super) message: String,
    pub(super) hint: Option<String>,
}

impl Finding {
    pub(super) fn new(
        section: &'static str,
        state: State,
        subject: impl Into<String>,
        message: impl Into<String>,
    ) -> Self {
        Self {
            section,
            state,
            subject: subject.into(),
            message: message.into(),
            hint: None,
        }
    }

    pub(super) fn right(
        section: &'static str,
        subject: impl Into<String>,
        message: impl Into<String>,
    ) -> Self {
        Self::new(section, State::Right, subject, message)
    }

    pub(super) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// The same without what is nobody else's business.
    pub(super) fn masked(&self, mask: &Mask) -> Self {
        Self {
            section: self.section,
            state: self.state,
            subject: mask.apply(&self.subject),
            message: mask.apply(&self.message),
            hint: self.hint.as_deref().map(|hint| mask.apply(hint)),
        }
    }

    /// One line of the text.
    pub(super) fn line(&self) -> String {
        let Self {
            subject, message, ..
        } = self;
        format!("  {:<7}  {subject}: {message}", self.state.word())
    }

    pub(super) fn to_json(&self) -> Value {
        json!({
            "section": self.section,
            "state": self.state.word(),
            "subject": self.subject,
            "message": self.message,
            "hint": self.hint,
        })
    }
}
