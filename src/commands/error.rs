//! Why a command did not do what was asked, as data, from where that arises to where it is printed.
//!
//! A command returns a [`CommandError`] and prints nothing of it; [`super::report::Report::error`] prints it
//! once, as words or as JSON. How the errors of other rooms become one is in `from_work`: their hints and
//! exit statuses are decided there.

mod from_work;

use std::error::Error;
use std::fmt;
use std::io;

use serde_json::Value;

pub(super) use self::from_work::sign_in_hint;
use super::exit::Exit;
use crate::aws::failure::Failure;

/// What a person is told of one thing that went wrong.
#[derive(Debug)]
pub(super) struct Problem {
    message: String,
    hint: Option<String>,
    cause: Option<Box<dyn Error + Send + Sync>>,
    request_id: Option<String>,
}

impl Problem {
    pub(super) fn new(message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            hint: None,
            cause: None,
            request_id: None,
        }
    }

    /// A call that failed for one of several.
    pub(super) fn of_call(subject: impl fmt::Display, failure: &Failure) -> Self {
        Self {
            message: format!("{subject}: {failure}"),
            hint: failure.hint.clone(),
            cause: None,
            request_id: failure.request_id.clone(),
        }
    }

    /// What to do next.
    pub(super) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// What failed below; its text, and that of its own causes, is printed behind the message.
    fn because(mut self, cause: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        self.cause = Some(cause.into());
        self
    }

    pub(super) fn hint_text(&self) -> Option<&str> {
        self.hint.as_deref()
    }

    /// AWS's id of the request that failed.
    pub(super) fn request_id(&self) -> Option<&str> {
        self.request_id.as_deref()
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)?;
        let mut cause = self.cause.as_deref().map(|cause| cause as &dyn Error);
        while let Some(error) = cause {
            write!(f, ": {error}")?;
            cause = error.source();
        }
        Ok(())
    }
}

/// What is printed beside a problem, in its place.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Said {
    /// A line for people on the report's output.
    Line(String),
    /// An object for programs.
    Object(Value),
    /// Lines for people on standard error: how the command is used.
    Usage(String),
}

/// Why a command, or a part of it, was not done: what a person is told, and the exit status.
///
/// There may be several problems, as those of a plan file, and none where nothing is to be told, as after a
/// signal or a "no".
#[derive(Debug)]
pub(super) struct CommandError {
    exit: Exit,
    problems: Vec<Problem>,
    follow_up: Vec<Said>,
}

impl CommandError {
    fn new(exit: Exit, problem: Problem) -> Self {
        Self::several(exit, [problem])
    }

    pub(super) fn several(exit: Exit, problems: impl IntoIterator<Item = Problem>) -> Self {
        Self {
            exit,
            problems: problems.into_iter().collect(),
            follow_up: Vec::new(),
        }
    }

    /// An end of which nothing is told.
    pub(super) fn silent(exit: Exit) -> Self {
        Self::several(exit, [])
    }

    /// A signal came before the command was done.
    pub(super) fn cut_off() -> Self {
        Self::silent(Exit::CutOff)
    }

    /// The plan, the command line or a file is wrong.
    pub(super) fn usage(message: impl Into<String>) -> Self {
        Self::new(Exit::Usage, Problem::new(message))
    }

    /// The output of a command cannot be written; `what` is what it holds.
    pub(super) fn unwritten(what: &str, error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::BrokenPipe => error.into(),
            _ => Self::usage(format!("{what} cannot be written"))
                .because(error)
                .hint("give the output another place"),
        }
    }

    /// A rule, a setting or a permission is in the way.
    pub(super) fn refused(message: impl Into<String>) -> Self {
        Self::new(Exit::Refused, Problem::new(message))
    }

    /// What to do about the last problem.
    pub(super) fn hint(self, hint: impl Into<String>) -> Self {
        self.with_last(|problem| problem.hint(hint))
    }

    /// The same where there may be nothing to say.
    pub(super) fn maybe_hint(self, hint: Option<String>) -> Self {
        match hint {
            Some(hint) => self.hint(hint),
            None => self,
        }
    }

    /// What the last problem comes from.
    pub(super) fn because(self, cause: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        self.with_last(|problem| problem.because(cause))
    }

    fn request_id(self, id: Option<String>) -> Self {
        self.with_last(|mut problem| {
            problem.request_id = id;
            problem
        })
    }

    fn with_last(mut self, change: impl FnOnce(Problem) -> Problem) -> Self {
        if let Some(last) = self.problems.pop() {
            self.problems.push(change(last));
        }
        self
    }

    /// The same with another exit status.
    pub(super) fn ending(mut self, exit: Exit) -> Self {
        self.exit = exit;
        self
    }

    /// The problems of another error behind its own; the exit status stays.
    pub(super) fn and(mut self, other: Self) -> Self {
        self.problems.extend(other.problems);
        self.follow_up.extend(other.follow_up);
        self
    }

    /// A line behind the problems.
    pub(super) fn line(self, text: impl Into<String>) -> Self {
        self.followed_by([Said::Line(text.into())])
    }

    /// What is printed behind the problems.
    pub(super) fn followed_by(mut self, said: impl IntoIterator<Item = Said>) -> Self {
        self.follow_up.extend(said);
        self
    }

    pub(super) fn problems(&self) -> &[Problem] {
        &self.problems
    }

    pub(super) fn follow_up(&self) -> &[Said] {
        &self.follow_up
    }

    /// How the command ends.
    #[must_use]
    pub(super) const fn exit(&self) -> Exit {
        self.exit
    }
}

impl fmt::Display for CommandError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, problem) in self.problems.iter().enumerate() {
            if index > 0 {
                f.write_str("; ")?;
            }
            problem.fmt(f)?;
        }
        Ok(())
    }
}

impl Error for CommandError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        let cause = self.problems.first()?.cause.as_deref()?;
        Some(cause)
    }
}
