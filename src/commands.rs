//! The headless commands: the same work as the wizard's, printed instead of drawn.
//!
//! One file a command. What they share is here: the exit status, and how a cut-off is heard.

pub mod apply;
mod archive_target;
mod archive_words;
pub mod archives;
pub mod athena;
pub mod audit_report;
pub mod changes;
pub mod check;
pub mod config;
mod consent;
mod diagnosed;
pub mod explain;
pub mod exports;
mod facts_file;
pub mod fetch;
mod follow;
mod grant_options;
pub mod history;
mod hold;
pub mod inventory;
pub mod lint;
mod only;
pub mod open;
pub mod output;
mod plan_file;
pub mod policies;
pub mod profiles;
mod report;
pub mod resume;
pub mod run;
pub mod sandbox;
mod sign_in;
pub mod simulate;
mod start_error;
pub mod survey;
pub mod undo;
mod unfinished;
pub mod verify;
pub mod watch;
pub mod wizard;

use tokio_util::sync::CancellationToken;

use self::report::Report;
use crate::assess::assessment::Assessment;
use crate::work::{RunOutcome, RunStatus, Work};

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
}

impl From<Exit> for std::process::ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

/// Tells why a command did not come to its work. A reader of the output that went away is no error.
#[must_use]
pub fn failed(error: &anyhow::Error) -> Exit {
    let is_unread = |error: &std::io::Error| error.kind() == std::io::ErrorKind::BrokenPipe;
    if error
        .chain()
        .filter_map(|cause| cause.downcast_ref())
        .any(is_unread)
    {
        return Exit::Done;
    }
    output::print_error(&format!("error: {error:#}"));
    Exit::Usage
}

/// Refuses a command that changes an account, before anything is asked or read, where `--read-only`
/// forbids every change. `what` is the command's deed, as in `a run starts exports`.
fn check_may_change(work: &Work, what: &str, report: &Report) -> Result<(), Exit> {
    if !work.is_read_only() {
        return Ok(());
    }
    report.error(
        &format!("{what}, and nothing may be changed with --read-only"),
        Some(
            "`tableferry check PLAN` reads and judges without changing anything; leave out \
             --read-only, or read_only in the configuration, to go on",
        ),
    );
    Err(Exit::Refused)
}

/// Refuses a plan outside the configuration's limits or across partitions, which nothing forces; in the
/// end `undone` says what was not done.
fn refuse_out_of_bounds(
    assessment: &Assessment,
    undone: &str,
    report: &Report,
) -> Result<(), Exit> {
    let mut is_outside = false;
    for found in assessment.out_of_bounds() {
        report.error(&found.explanation, Some(&found.hint));
        is_outside = true;
    }
    if !is_outside {
        return Ok(());
    }
    report.line(undone);
    Err(Exit::Refused)
}

/// A token that is cancelled by ctrl-c, SIGTERM or SIGHUP: from then on waiting stops, deeds end.
///
/// A second signal ends the process where it stands, for the one who will not wait for a call that is not
/// answered. The journal holds every deed before it is done, so that nothing is lost by it.
///
/// # Errors
/// Where the process may not install signal handlers.
pub fn cut_off_token() -> std::io::Result<CancellationToken> {
    use tokio::signal::unix::{SignalKind, signal};

    let token = CancellationToken::new();
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    let mut hang_up = signal(SignalKind::hangup())?;
    let cancelled = token.clone();
    tokio::spawn(async move {
        let mut next = async || {
            tokio::select! {
                _ = interrupt.recv() => {}
                _ = terminate.recv() => {}
                _ = hang_up.recv() => {}
            }
        };
        next().await;
        cancelled.cancel();
        next().await;
        end_at_once();
    });
    Ok(token)
}

#[expect(clippy::exit, reason = "the operator asked twice")]
fn end_at_once() {
    // A closed standard error is no reason to stay.
    output::print_error(
        "cut off before the call in flight was answered; `tableferry resume` goes on with runs, and \
         `tableferry apply --list` tells of changes and probes",
    );
    std::process::exit(Exit::CutOff as i32);
}
