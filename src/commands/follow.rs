//! What `run`, `resume` and `exports --watch` share: following a run while its events are printed,
//! and saying in the end what is left to be done.

use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::Exit;
use super::diagnosed::report_failures;
use super::report::Report;
use super::sign_in::hint;
use crate::assess::assessment::Assessment;
use crate::journal::{JournalError, Operation, RunId, Stage, Verified};
use crate::work::history::export_uri;
use crate::work::{Event, FollowError, ResumeError, RunOutcome, Verify, Work};

/// How far going on may go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Scope {
    /// Calls whose answers never came are repeated, too, and so much is verified.
    Everything(Verify),
    /// Only what runs is followed and what completed is verified.
    Watching,
}

/// Goes on with a run by its number; both sides are signed in.
pub(super) async fn go_on(
    work: &Work,
    id: RunId,
    scope: Scope,
    cancel: CancellationToken,
    report: &Report,
) -> Exit {
    let (sender, mut events) = mpsc::unbounded_channel();
    let print = |event: &_| report.event(id, event);
    let resumed = match scope {
        Scope::Everything(verify) => {
            let resumed = work.resume(id, verify, sender, cancel);
            with_events(resumed, &mut events, print).await
        }
        Scope::Watching => {
            let followed = work.follow(id, Verify::Open, sender, cancel);
            with_events(followed, &mut events, print)
                .await
                .map_err(ResumeError::Follow)
        }
    };
    let followed = match resumed {
        Ok(outcome) => Ok(outcome),
        Err(ResumeError::Follow(error)) => Err(error),
        Err(ResumeError::Journal(error)) => Err(FollowError::Journal(error)),
        Err(ResumeError::NoSuchRun(id)) => Err(FollowError::NoSuchRun(id)),
        Err(error @ (ResumeError::OtherAccount { .. } | ResumeError::NotSignedIn(_))) => {
            report.error(
                &error.to_string(),
                Some("sign the source in to the run's own account"),
            );
            return not_resumed(work, id, Exit::Refused, report);
        }
    };
    end(work, id, followed, None, report)
}

/// Ends what could not be gone on with: the run is told as the journal holds it, and while something of
/// it is open it is cut off, whatever was in the way.
pub(super) fn not_resumed(work: &Work, run: RunId, exit: Exit, report: &Report) -> Exit {
    let Some(outcome) = current_outcome(work, run, report) else {
        return Exit::CutOff;
    };
    let is_open = outcome.operations.iter().any(Operation::is_open);
    let exit = if is_open { Exit::CutOff } else { exit };
    tell_what_is_left(work, &outcome, exit, report);
    report.keep(&outcome.operations);
    exit
}

/// Prints how following ended, why what failed did, and how to go on where something is left.
pub(super) fn end(
    work: &Work,
    run: RunId,
    followed: Result<RunOutcome, FollowError>,
    assessment: Option<&Assessment>,
    report: &Report,
) -> Exit {
    let (outcome, exit) = match followed {
        Ok(outcome) => {
            let exit = Exit::of(&outcome);
            (Some(outcome), exit)
        }
        Err(error) => {
            let hint = match &error {
                FollowError::SignIn(_, cause) => hint(cause),
                FollowError::Journal(cause) => hint_to_resume(cause, run),
                FollowError::NoSuchRun(_) => "`tableferry exports` lists the runs".to_owned(),
            };
            report.error(&error.to_string(), Some(&hint));
            // An export that was started goes on, whatever kept us from following it.
            (current_outcome(work, run, report), Exit::CutOff)
        }
    };
    if let Some(outcome) = outcome {
        report_failures(run, &outcome.operations, assessment, report);
        tell_what_is_left(work, &outcome, exit, report);
        tell_what_is_there(&outcome, report);
        report.keep(&outcome.operations);
    }
    exit
}

/// Where the files of completed exports lie, and what can be done with them.
fn tell_what_is_there(outcome: &RunOutcome, report: &Report) {
    let mut is_any = false;
    for operation in &outcome.operations {
        if let Some(uri) = export_uri(operation) {
            report.line(&format!("{}: files in {uri}", operation.name()));
            is_any = true;
        }
    }
    if is_any {
        let run = outcome.run;
        report.line(&format!(
            "next: `tableferry verify {run} --deep` reads every byte, `tableferry fetch {run} DIRECTORY` \
             brings the files here, `tableferry report {run}` writes a document on the run"
        ));
    }
}

/// What to do about a journal that can no longer be written while a run is in it.
pub(super) fn hint_to_resume(cause: &JournalError, run: RunId) -> String {
    format!(
        "{}; `tableferry resume {run}` goes on from there",
        cause.hint()
    )
}

/// Says what goes on or is still to be done, and with which command.
pub(super) fn tell_what_is_left(work: &Work, outcome: &RunOutcome, exit: Exit, report: &Report) {
    let run = outcome.run;
    let any = |stages: &[Stage]| {
        outcome
            .operations
            .iter()
            .any(|record| stages.contains(&record.stage))
    };
    if work.settings().is_sandbox && any(&[Stage::Planned, Stage::Calling, Stage::InProgress]) {
        report
            .line("in the sandbox exports end with the process, unless --sandbox-state keeps them");
        return;
    }
    if any(&[Stage::Calling]) {
        report.line(&format!(
            "whether every export was started is not known; `tableferry resume {run}` looks it up, and starts nothing twice"
        ));
    }
    if any(&[Stage::Planned]) {
        report.line(&format!(
            "not every export was started; `tableferry resume {run}` starts what is left, and nothing twice"
        ));
    }
    if any(&[Stage::InProgress]) {
        report.line(&format!(
            "exports that were started go on without us; `tableferry resume {run}` goes on here"
        ));
    } else if any(&[Stage::Completed]) && exit == Exit::CutOff {
        report.line(&format!(
            "`tableferry resume {run}` goes on with what is left"
        ));
    }
    let any_found = |found| {
        let mut records = outcome.operations.iter();
        records.any(|record| record.stage == Stage::Completed && record.verified == Some(found))
    };
    if any_found(Verified::Unknown) {
        report.line(&format!(
            "once the files may be read, `tableferry resume {run}` looks at them again"
        ));
    }
    if any_found(Verified::No) {
        report.line(&format!(
            "`tableferry resume {run} --verify-again` looks at the files anew"
        ));
    }
}

/// How a run stands, as far as this process knows.
pub(super) fn current_outcome(work: &Work, run: RunId, report: &Report) -> Option<RunOutcome> {
    match work.known_run(run) {
        Ok(record) => record.map(|record| RunOutcome {
            run,
            operations: record.operations,
        }),
        Err(error) => {
            report.error(&error.to_string(), Some(&error.hint()));
            None
        }
    }
}

/// Hands on what happens while something is done, to the last event.
pub(super) async fn with_events<T>(
    deed: impl Future<Output = T>,
    events: &mut mpsc::UnboundedReceiver<Event>,
    print: impl Fn(&Event),
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
