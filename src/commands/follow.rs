//! What `run`, `resume` and `exports --watch` share: following a run while its events are printed,
//! and saying in the end what is left to be done.

use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::Exit;
use super::diagnosed::failures_explained;
use super::error::{CommandError, Said};
use super::report::Report;
use super::sign_in::sign_in_again;
use crate::assess::assessment::Assessment;
use crate::journal::{Operation, RunId, Stage, Verified};
use crate::work::history::export_uri;
use crate::work::{Event, FinishError, FollowError, ResumeError, RunOutcome, Verify, Work};

/// How far going on may go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum FollowScope {
    /// Calls whose answers never came are repeated, too, and so much is verified.
    Everything(Verify),
    /// Only what runs is followed and what completed is verified.
    Watching,
}

/// Goes on with a run by its number; both sides are signed in.
pub(super) async fn go_on(
    work: &Work,
    id: RunId,
    scope: FollowScope,
    cancel: CancellationToken,
    report: &Report,
) -> Result<Exit, CommandError> {
    let followed = resumed(work, id, scope, &cancel, report).await?;
    end(work, id, followed, None, &cancel, report).await
}

/// Goes on with a run until it has ended, or can no longer be followed. `Err` where it cannot be gone on with.
async fn resumed(
    work: &Work,
    id: RunId,
    scope: FollowScope,
    cancel: &CancellationToken,
    report: &Report,
) -> Result<Result<RunOutcome, FollowError>, CommandError> {
    let (sender, mut events) = mpsc::unbounded_channel();
    let print = |event: &_| report.event(id, event);
    let resumed = match scope {
        FollowScope::Everything(verify) => {
            let resumed = work.resume(id, verify, sender, cancel.clone());
            with_events(resumed, &mut events, print).await
        }
        FollowScope::Watching => {
            let followed = work.follow(id, Verify::Open, sender, cancel.clone());
            with_events(followed, &mut events, print)
                .await
                .map_err(ResumeError::Follow)
        }
    };
    Ok(match resumed {
        Ok(outcome) => Ok(outcome),
        Err(ResumeError::Follow(error)) => Err(error),
        Err(ResumeError::Journal(error)) => Err(FollowError::Journal(error)),
        Err(ResumeError::NoSuchRun(id)) => Err(FollowError::NoSuchRun(id)),
        Err(error @ (ResumeError::OtherAccount { .. } | ResumeError::NotSignedIn(_))) => {
            let error = CommandError::not_resumed(&error);
            return Err(not_resumed(work, id, error, report));
        }
    })
}

/// Ends what could not be gone on with: the run is told as the journal holds it, and while something of
/// it is open it is cut off, whatever was in the way.
pub(super) fn not_resumed(
    work: &Work,
    run: RunId,
    error: CommandError,
    report: &Report,
) -> CommandError {
    let outcome = match current_outcome(work, run) {
        Ok(Some(outcome)) => outcome,
        Ok(None) => return error.ending(Exit::CutOff),
        Err(unread) => return error.and(unread).ending(Exit::CutOff),
    };
    let is_open = outcome.operations.iter().any(Operation::is_open);
    let exit = if is_open { Exit::CutOff } else { error.exit() };
    report.keep(&outcome.operations);
    error
        .ending(exit)
        .followed_by(what_is_left(work, &outcome, exit))
}

/// Tells how following ended, why what failed did, and how to go on where something is left; then calls
/// what the operator named for a run's end. A run that stopped since a session has ended goes on where
/// somebody at the terminal signs in again.
pub(super) async fn end(
    work: &Work,
    run: RunId,
    mut followed: Result<RunOutcome, FollowError>,
    assessment: Option<&Assessment>,
    cancel: &CancellationToken,
    report: &Report,
) -> Result<Exit, CommandError> {
    while let Err(error @ FollowError::SignIn(side, _)) = &followed {
        if !sign_in_again(work, *side, &error.to_string(), cancel, report).await {
            break;
        }
        let scope = FollowScope::Everything(Verify::Open);
        followed = Box::pin(resumed(work, run, scope, cancel, report)).await?;
    }
    let words = |outcome: &RunOutcome, exit| {
        report.keep(&outcome.operations);
        let mut said = failures_explained(run, &outcome.operations, assessment);
        said.extend(what_is_left(work, outcome, exit));
        said.extend(what_is_there(outcome));
        said
    };
    let error = match followed {
        Ok(outcome) => {
            let exit = Exit::of(&outcome);
            report.say(&words(&outcome, exit));
            if exit != Exit::CutOff {
                report.note_end();
                tell_finish(work.finish_run(&outcome, cancel).await, report);
            }
            return Ok(exit);
        }
        Err(error) => CommandError::not_followed(&error, run),
    };
    // An export that was started goes on, whatever kept us from following it.
    Err(match current_outcome(work, run) {
        Ok(Some(outcome)) => error.followed_by(words(&outcome, Exit::CutOff)),
        Ok(None) => error,
        Err(unread) => error.and(unread),
    })
}

/// Tells why what was called at the end did not end well, which changes no exit status.
pub(super) fn tell_finish(called: Result<(), FinishError>, report: &Report) {
    if let Err(error) = called {
        let message = error.to_string();
        report.happened(&Event::Noted { message });
    }
}

/// Where the files of completed exports lie, and what can be done with them.
fn what_is_there(outcome: &RunOutcome) -> Vec<Said> {
    let mut lines = Vec::new();
    for operation in &outcome.operations {
        if let Some(uri) = export_uri(operation) {
            lines.push(Said::Line(format!("{}: files in {uri}", operation.name())));
        }
    }
    if !lines.is_empty() {
        let run = outcome.run;
        lines.push(Said::Line(format!(
            "next: `tableferry verify {run} --deep` reads every byte, `tableferry fetch {run} DIRECTORY` \
             brings the files here, `tableferry report {run}` writes a document on the run"
        )));
    }
    lines
}

/// What goes on or is still to be done, and with which command.
pub(super) fn what_is_left(work: &Work, outcome: &RunOutcome, exit: Exit) -> Vec<Said> {
    let run = outcome.run;
    let any = |stages: &[Stage]| {
        outcome
            .operations
            .iter()
            .any(|record| stages.contains(&record.stage))
    };
    let noun = noun(&outcome.operations);
    if work.settings().is_sandbox && any(&[Stage::Planned, Stage::Calling, Stage::InProgress]) {
        return vec![Said::Line(format!(
            "in the sandbox {noun}s end with the process, unless --sandbox-state keeps them"
        ))];
    }
    let mut lines = Vec::new();
    if any(&[Stage::Calling]) {
        lines.push(format!(
            "whether every {noun} was started is not known; `tableferry resume {run}` looks it up, and starts nothing twice"
        ));
    }
    if any(&[Stage::Planned]) {
        lines.push(format!(
            "not every {noun} was started; `tableferry resume {run}` starts what is left, and nothing twice"
        ));
    }
    if any(&[Stage::InProgress]) {
        lines.push(format!(
            "{noun}s that were started go on without us; `tableferry resume {run}` goes on here"
        ));
    } else if any(&[Stage::Completed]) && exit == Exit::CutOff {
        lines.push(format!(
            "`tableferry resume {run}` goes on with what is left"
        ));
    }
    let any_found = |found| {
        let mut records = outcome.operations.iter();
        records.any(|record| record.stage == Stage::Completed && record.verified == Some(found))
    };
    if any_found(Verified::Unknown) {
        lines.push(format!(
            "once the files may be read, `tableferry resume {run}` looks at them again"
        ));
    }
    if any_found(Verified::No) {
        lines.push(format!(
            "`tableferry resume {run} --verify-again` looks at the files anew"
        ));
    }
    lines.into_iter().map(Said::Line).collect()
}

/// What the operations of a run are called, where all are of one kind.
fn noun(operations: &[Operation]) -> &str {
    match operations.split_first() {
        Some((first, others)) if others.iter().all(|other| other.kind == first.kind) => &first.kind,
        _ => "operation",
    }
}

/// How a run stands, as far as this process knows.
pub(super) fn current_outcome(work: &Work, run: RunId) -> Result<Option<RunOutcome>, CommandError> {
    let record = work.known_run(run)?;
    Ok(record.map(|record| RunOutcome {
        run,
        operations: record.operations,
    }))
}

/// Hands on what happens while something is done, to the last event.
pub(super) async fn with_events<T, E>(
    deed: impl Future<Output = T>,
    events: &mut mpsc::UnboundedReceiver<E>,
    print: impl Fn(&E),
) -> T {
    let mut deed = std::pin::pin!(deed);
    let outcome = loop {
        tokio::select! {
            outcome = &mut deed => break outcome,
            Some(event) = events.recv() => print(&event),
        }
    };
    while let Ok(event) = events.try_recv() {
        print(&event);
    }
    outcome
}
