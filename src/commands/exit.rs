//! The exit statuses of all commands.

use crate::work::{RunOutcome, RunStatus};

/// How a command ended; the same numbers for every command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Exit {
    /// Done, and verified where it could be.
    Done = 0,
    /// An export failed, or did not verify.
    Failed = 1,
    /// The plan or the usage is wrong.
    Usage = 2,
    /// Refused before the start: a setting or a permission is missing.
    Refused = 3,
    /// Cut off while exports go on, or sign-in needed and no terminal.
    CutOff = 4,
    /// Done, but unverified or undecided for want of reading rights.
    Undecided = 5,
}

impl Exit {
    /// The exit status of a run's outcome.
    #[must_use]
    pub fn of(outcome: &RunOutcome) -> Self {
        match outcome.status() {
            RunStatus::CutOff => Self::CutOff,
            RunStatus::Failed => Self::Failed,
            RunStatus::Refused => Self::Refused,
            RunStatus::Undecided => Self::Undecided,
            RunStatus::Done => Self::Done,
        }
    }

    /// The one of two that asks for more: what is cut off goes on and can be resumed, a failure may need a
    /// new start; then the rest by number.
    pub(super) fn worse(self, other: Self) -> Self {
        let rank = |exit| match exit {
            Self::CutOff => 0,
            Self::Failed => 1,
            Self::Usage => 2,
            Self::Refused => 3,
            Self::Undecided => 4,
            Self::Done => 5,
        };
        if rank(other) < rank(self) {
            other
        } else {
            self
        }
    }
}

impl From<Exit> for std::process::ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_can_be_resumed_is_told_before_what_failed() {
        assert_eq!(Exit::Failed.worse(Exit::CutOff), Exit::CutOff);
        assert_eq!(Exit::CutOff.worse(Exit::Failed), Exit::CutOff);
        assert_eq!(Exit::Done.worse(Exit::Undecided), Exit::Undecided);
        assert_eq!(Exit::Refused.worse(Exit::Undecided), Exit::Refused);
    }
}
