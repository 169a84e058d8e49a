//! `tableferry resume [RUN]`: goes on with what was cut off.

use futures_util::future;
use jiff::Timestamp;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::Exit;
use super::error::CommandError;
use super::follow::{FollowScope, go_on, not_resumed, with_events};
use super::load;
use super::report::Report;
use super::sign_in::prove_both;
use crate::args::ResumeArgs;
use crate::job::Plan;
use crate::journal::{RunId, RunRecord};
use crate::work::{Claim, Verify, Work};

/// Goes on with one run, or with all that are not finished.
pub(super) async fn resume(
    work: &Work,
    args: &ResumeArgs,
    cancel: &CancellationToken,
    report: &Report,
) -> Result<Exit, CommandError> {
    let Some(id) = args.run.map(RunId) else {
        return all_open(work, FollowScope::Everything(Verify::Open), cancel, report).await;
    };
    let run = work.run(id)?.ok_or_else(|| CommandError::no_such_run(id))?;
    if run.is_written_here() && claim(args).is_some() {
        return Err(CommandError::usage(format!(
            "run {id} writes items, and has no call that a service may have carried out"
        ))
        .hint(format!("`tableferry resume {id}` goes on with it")));
    }
    if let Some(claim) = claim(args) {
        return settled(work, run, &claim, cancel, report).await;
    }
    let verify = if args.verify_again {
        Verify::All
    } else {
        Verify::Unread
    };
    Ok(several(
        work,
        vec![run],
        FollowScope::Everything(verify),
        cancel,
        report,
    )
    .await)
}

/// What the operator says of a call that went unanswered.
fn claim(args: &ResumeArgs) -> Option<Claim> {
    match &args.started {
        Some(arn) => Some(Claim::Started(arn.clone())),
        None => args
            .not_started
            .then(|| Claim::NotStarted(args.only.clone())),
    }
}

/// Settles what the operator says, then goes on with the run.
async fn settled(
    work: &Work,
    run: RunRecord,
    claim: &Claim,
    cancel: &CancellationToken,
    report: &Report,
) -> Result<Exit, CommandError> {
    let signed_in = sign_in_for(work, &run, cancel, report).await;
    signed_in.map_err(|error| not_resumed(work, run.id, error, report))?;
    let (sender, mut events) = mpsc::unbounded_channel();
    let settle = work.settle_call(run.id, claim, &sender);
    if let Err(error) = with_events(settle, &mut events, |event| report.happened(event)).await {
        report.keep(&run.operations);
        return Err(CommandError::not_settled(&error, run.id));
    }
    let scope = FollowScope::Everything(Verify::Open);
    go_on(work, run.id, scope, cancel.clone(), report).await
}

/// Goes on with every run that is not finished.
pub(super) async fn all_open(
    work: &Work,
    scope: FollowScope,
    cancel: &CancellationToken,
    report: &Report,
) -> Result<Exit, CommandError> {
    let runs = work.open_runs()?;
    if runs.is_empty() {
        report.line("nothing is under way");
        return Ok(Exit::Done);
    }
    Ok(several(work, runs, scope, cancel, report).await)
}

/// Signs in for one run after the other, since that may ask; then goes on with all at once. What keeps one
/// from going on is told in its place, and the others go on.
async fn several(
    work: &Work,
    runs: Vec<RunRecord>,
    scope: FollowScope,
    cancel: &CancellationToken,
    report: &Report,
) -> Exit {
    let operations = runs.iter().map(|run| run.operations.len()).sum();
    let mut exits = Vec::new();
    let mut proved = Vec::new();
    for run in runs {
        let own = work.with_own_sessions();
        match sign_in_for(&own, &run, cancel, report).await {
            Ok(()) => proved.push((own, run.id, run.is_written_here())),
            Err(error) => {
                exits.push(report.settle(Err(not_resumed(work, run.id, error, report))));
            }
        }
    }
    report.start_bar(operations);
    let going = proved.iter().map(async |(own, id, is_written_here)| {
        report.settle(if *is_written_here {
            written_on(own, *id, scope, cancel, report).await
        } else {
            go_on(own, *id, scope, cancel.clone(), report).await
        })
    });
    exits.extend(future::join_all(going).await);
    report.stop_bar();
    exits.into_iter().reduce(Exit::worse).unwrap_or(Exit::Done)
}

/// Goes on with a run that writes items, where the scope has more than watching.
async fn written_on(
    work: &Work,
    id: RunId,
    scope: FollowScope,
    cancel: &CancellationToken,
    report: &Report,
) -> Result<Exit, CommandError> {
    if scope == FollowScope::Watching {
        report.line(&format!(
            "run {id} writes items, which goes on only while a program does it: `tableferry resume {id}`"
        ));
        return Ok(Exit::CutOff);
    }
    load::go_on(work, id, cancel, report).await
}

/// Proves both sides as the run's plan says.
pub(super) async fn sign_in_for(
    work: &Work,
    run: &RunRecord,
    cancel: &CancellationToken,
    report: &Report,
) -> Result<(), CommandError> {
    report.line(&format!("run {} to {}", run.id, run.destination));
    let name = format!("the plan of run {}", run.id);
    let plan = Plan::parse(&run.plan, &name, Timestamp::now())?;
    tokio::select! {
        biased;
        () = cancel.cancelled() => Err(CommandError::cut_off()),
        proved = prove_both(work, &plan, report) => proved,
    }
}
