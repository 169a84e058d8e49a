//! What the operator has called when a run ends: a program of theirs, once for each run.
//!
//! The program comes from the command line or the user's own configuration, and never from a plan, which
//! others write. It gets no credential: of the environment PATH and HOME, and facts on the run.

use std::ffi::{OsStr, OsString};
use std::os::unix::process::CommandExt as _;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use jiff::Timestamp;
use rustix::process::{Pid, Signal, kill_process_group};
use tokio::process::{Child, Command};
use tokio_util::sync::CancellationToken;

use super::{RunOutcome, RunStatus, Work};
use crate::journal::{FinishCallStage, JournalError, Operation, RunId, Stage, Verified};

/// How long the program may take. It is told that something ended, and has nothing to wait for.
const LONGEST: Duration = Duration::from_mins(1);

/// What of the environment the program gets, beside the facts.
const KEPT: [&str; 2] = ["PATH", "HOME"];

/// What is done when a run ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finish {
    /// The program that is called.
    pub command: Option<FinishCommand>,
    /// Whether the terminal's bell is rung.
    pub has_bell: bool,
    /// Whether the terminal is asked to show a notification.
    pub has_notification: bool,
}

impl Default for Finish {
    fn default() -> Self {
        Self {
            command: None,
            has_bell: true,
            has_notification: true,
        }
    }
}

/// A program with its arguments, called without a shell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FinishCommand {
    program: OsString,
    arguments: Vec<OsString>,
}

impl FinishCommand {
    /// The program, and its arguments behind it; `None` where there is no word.
    #[must_use]
    pub fn new(words: &[OsString]) -> Option<Self> {
        let (program, arguments) = words.split_first()?;
        Some(Self {
            program: program.clone(),
            arguments: arguments.to_vec(),
        })
    }

    /// The program and its arguments, as they were given.
    pub fn words(&self) -> impl Iterator<Item = &OsStr> {
        let arguments = self.arguments.iter().map(OsString::as_os_str);
        std::iter::once(self.program.as_os_str()).chain(arguments)
    }
}

/// What ended, as the program is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FinishFacts {
    /// The run; `None` of exports that another machine started.
    pub run: Option<RunId>,
    /// The worst of its operations.
    pub status: RunStatus,
    /// Where it exported to, or imported from.
    pub destination: Option<String>,
    /// All its operations.
    pub operations: usize,
    /// Those that AWS completed.
    pub completed: usize,
    /// Those that failed, or were not started.
    pub failed: usize,
    /// Those that are complete and verified.
    pub verified: usize,
}

impl FinishFacts {
    fn of(outcome: &RunOutcome, destination: Option<String>) -> Self {
        let count = |is_one: fn(&Operation) -> bool| {
            let operations = outcome.operations.iter();
            operations.filter(|operation| is_one(operation)).count()
        };
        Self {
            run: Some(outcome.run),
            status: outcome.status(),
            destination,
            operations: outcome.operations.len(),
            completed: count(|operation| operation.stage == Stage::Completed),
            failed: count(|operation| {
                use Stage::{Failed, NotStarted, Refused};
                matches!(operation.stage, Failed | Refused | NotStarted)
            }),
            verified: count(|operation| operation.verified == Some(Verified::Yes)),
        }
    }

    /// The variables that the program gets, as `--help` of `run` lists them.
    fn variables(&self, is_sandbox: bool) -> Vec<(&'static str, String)> {
        let mut variables = vec![
            ("TABLEFERRY_STATUS", self.status.as_str().to_owned()),
            ("TABLEFERRY_OPERATIONS", self.operations.to_string()),
            ("TABLEFERRY_COMPLETED", self.completed.to_string()),
            ("TABLEFERRY_FAILED", self.failed.to_string()),
            ("TABLEFERRY_VERIFIED", self.verified.to_string()),
        ];
        variables.extend(self.run.map(|run| ("TABLEFERRY_RUN", run.to_string())));
        let destination = self.destination.clone();
        variables.extend(destination.map(|uri| ("TABLEFERRY_URI", uri)));
        variables.extend(is_sandbox.then(|| ("TABLEFERRY_SANDBOX", "1".to_owned())));
        variables
    }
}

/// Why the program did not do what it was called for. The run itself has ended all the same.
#[derive(Debug, thiserror::Error)]
pub enum FinishError {
    /// It could not be started.
    #[error("`{program}`, to be called at the end, cannot be started: {cause}")]
    NotStarted {
        /// The program.
        program: String,
        /// What the operating system said.
        cause: std::io::Error,
    },
    /// It ended, and not well.
    #[error("`{program}`, called at the end, ended with {status}")]
    Failed {
        /// The program.
        program: String,
        /// How it ended.
        status: ExitStatus,
    },
    /// It took too long.
    #[error("`{program}`, called at the end, took more than {} s and was ended, with all that it had started", LONGEST.as_secs())]
    TooLong {
        /// The program.
        program: String,
    },
    /// A signal ended this process's waiting.
    #[error("`{program}`, called at the end, was cut off, with all that it had started")]
    CutOff {
        /// The program.
        program: String,
    },
    /// That it is called cannot be written down, and so it is not called.
    #[error("the program for the end was not called: {0}")]
    Journal(#[from] JournalError),
}

impl Work {
    /// Calls the operator's program for the end of a run, where there is one, the run has ended, and it was
    /// not called for this run before. That is in the journal first: a crash leaves it uncalled at worst.
    ///
    /// # Errors
    /// Where the program did not end well; the run is as it was.
    pub async fn finish_run(
        &self,
        outcome: &RunOutcome,
        cancel: &CancellationToken,
    ) -> Result<(), FinishError> {
        let Some(command) = &self.inner.settings.finish.command else {
            return Ok(());
        };
        let journal = &self.inner.journal;
        if outcome.operations.iter().any(Operation::is_open) {
            return Ok(());
        }
        let program = command.program.to_string_lossy();
        if !journal.begin_finish_call(outcome.run, &program, Timestamp::now())? {
            return Ok(());
        }
        let run = journal.known_run(outcome.run)?;
        let facts = FinishFacts::of(outcome, run.map(|run| run.destination));
        let called = self.call_finish(command, &facts, cancel).await;
        let stage = match called {
            Ok(()) => FinishCallStage::Done,
            Err(_) => FinishCallStage::Failed,
        };
        journal.end_finish_call(outcome.run, stage, Timestamp::now())?;
        called
    }

    /// Calls the operator's program for the end of exports that are in no run of this journal.
    ///
    /// # Errors
    /// Where the program did not end well.
    pub async fn finish_watch(
        &self,
        facts: &FinishFacts,
        cancel: &CancellationToken,
    ) -> Result<(), FinishError> {
        match &self.inner.settings.finish.command {
            Some(command) => self.call_finish(command, facts, cancel).await,
            None => Ok(()),
        }
    }

    async fn call_finish(
        &self,
        command: &FinishCommand,
        facts: &FinishFacts,
        cancel: &CancellationToken,
    ) -> Result<(), FinishError> {
        let variables = facts.variables(self.inner.settings.is_sandbox);
        call(command, &variables, cancel).await
    }
}

/// Calls the program and waits for it. What it prints goes nowhere: standard output may hold JSON.
async fn call(
    command: &FinishCommand,
    variables: &[(&'static str, String)],
    cancel: &CancellationToken,
) -> Result<(), FinishError> {
    let program = command.program.to_string_lossy().into_owned();
    let kept = KEPT.into_iter().filter_map(|name| {
        let value = std::env::var_os(name)?;
        Some((name, value))
    });
    let mut prepared = std::process::Command::new(&command.program);
    prepared
        .args(&command.arguments)
        .env_clear()
        .envs(kept)
        .envs(variables.iter().cloned())
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        // A group of its own, so that all that it starts can be ended with it.
        .process_group(0);
    let mut child = match Command::from(prepared).spawn() {
        Ok(child) => child,
        Err(cause) => return Err(FinishError::NotStarted { program, cause }),
    };
    tokio::select! {
        biased;
        ended = child.wait() => match ended {
            Ok(status) if status.success() => Ok(()),
            Ok(status) => Err(FinishError::Failed { program, status }),
            Err(cause) => Err(FinishError::NotStarted { program, cause }),
        },
        () = cancel.cancelled() => {
            end_group(&mut child).await;
            Err(FinishError::CutOff { program })
        }
        () = tokio::time::sleep(LONGEST) => {
            end_group(&mut child).await;
            Err(FinishError::TooLong { program })
        }
    }
}

/// Ends the program and what it started. It was not waited for yet, so that its number is still its own.
async fn end_group(child: &mut Child) {
    let id = child.id().and_then(|id| i32::try_from(id).ok());
    if let Some(group) = id.and_then(Pid::from_raw) {
        let _ = kill_process_group(group, Signal::KILL);
    }
    let _ = child.wait().await;
}

#[cfg(test)]
mod tests;
