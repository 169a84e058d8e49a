//! `tableferry resume [RUN]`: goes on with what was cut off.

use futures_util::future;
use jiff::Timestamp;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::Exit;
use super::follow::{Scope, go_on, hint_to_resume, not_resumed, with_events};
use super::report::Report;
use super::sign_in::prove_both;
use crate::args::ResumeArgs;
use crate::job::Plan;
use crate::journal::{RunId, RunRecord};
use crate::work::{Claim, SettleError, Verify, Work};

/// Goes on with one run, or with all that are not finished.
pub async fn resume(work: &Work, args: &ResumeArgs, cancel: CancellationToken) -> Exit {
    let report = Report::new(args.output.output);
    let exit = resume_with(work, args, &cancel, &report).await;
    report.finish(work.tally());
    report.exit(exit)
}

async fn resume_with(
    work: &Work,
    args: &ResumeArgs,
    cancel: &CancellationToken,
    report: &Report,
) -> Exit {
    let Some(id) = args.run.map(RunId) else {
        return all_open(work, Scope::Everything(Verify::Open), cancel, report).await;
    };
    match work.run(id) {
        Ok(Some(run)) => {
            if let Some(claim) = claim(args) {
                return settled(work, run, &claim, cancel, report).await;
            }
            let verify = if args.verify_again {
                Verify::All
            } else {
                Verify::Unread
            };
            several(work, vec![run], Scope::Everything(verify), cancel, report).await
        }
        Ok(None) => {
            report.error(
                &format!("the journal has no run {id}"),
                Some("`tableferry exports` lists the runs"),
            );
            Exit::Usage
        }
        Err(error) => {
            report.error(&error.to_string(), Some(&error.hint()));
            Exit::Refused
        }
    }
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
) -> Exit {
    if let Err(exit) = sign_in_for(work, &run, cancel, report).await {
        return not_resumed(work, run.id, exit, report);
    }
    let (sender, mut events) = mpsc::unbounded_channel();
    let settle = work.settle_call(run.id, claim, &sender);
    if let Err(error) = with_events(settle, &mut events, |event| report.happened(event)).await {
        report.error(&error.to_string(), Some(&settle_hint(&error, run.id)));
        report.keep(&run.operations);
        return match error {
            SettleError::Journal(_) => Exit::CutOff,
            _ => Exit::Refused,
        };
    }
    let gone_on = go_on(
        work,
        run.id,
        Scope::Everything(Verify::Open),
        cancel.clone(),
        report,
    );
    gone_on.await
}

fn settle_hint(error: &SettleError, run: RunId) -> String {
    match error {
        SettleError::Resume(_) => "sign the source in to the run's own account".to_owned(),
        SettleError::Journal(cause) => hint_to_resume(cause, run),
        SettleError::NothingOpen(run) => {
            format!(
                "`tableferry resume {run}` goes on with it; `tableferry exports` shows how it stands"
            )
        }
        SettleError::SeveralOpen { .. } => "name those that are meant with --only TABLE".to_owned(),
        SettleError::NoSuchOperation(_) | SettleError::OtherOperation { .. } => {
            "`aws dynamodb list-exports` shows the exports of the last 90 days".to_owned()
        }
    }
}

/// Goes on with every run that is not finished.
pub(super) async fn all_open(
    work: &Work,
    scope: Scope,
    cancel: &CancellationToken,
    report: &Report,
) -> Exit {
    match work.open_runs() {
        Ok(runs) if runs.is_empty() => {
            report.line("nothing is under way");
            Exit::Done
        }
        Ok(runs) => several(work, runs, scope, cancel, report).await,
        Err(error) => {
            report.error(&error.to_string(), Some(&error.hint()));
            Exit::Refused
        }
    }
}

/// Signs in for one run after the other, since that may ask; then goes on with all at once.
async fn several(
    work: &Work,
    runs: Vec<RunRecord>,
    scope: Scope,
    cancel: &CancellationToken,
    report: &Report,
) -> Exit {
    let exports = runs.iter().map(|run| run.operations.len()).sum();
    let mut exits = Vec::new();
    let mut proved = Vec::new();
    for run in runs {
        let own = work.with_own_sessions();
        match sign_in_for(&own, &run, cancel, report).await {
            Ok(()) => proved.push((own, run.id)),
            Err(exit) => exits.push(not_resumed(work, run.id, exit, report)),
        }
    }
    report.start_bar(exports);
    let going = proved
        .iter()
        .map(|(own, id)| go_on(own, *id, scope, cancel.clone(), report));
    exits.extend(future::join_all(going).await);
    report.stop_bar();
    exits.into_iter().reduce(worse).unwrap_or(Exit::Done)
}

/// The one of two exit statuses that asks for more: cut off, then failed, then the rest by number.
pub(super) fn worse(one: Exit, other: Exit) -> Exit {
    let rank = |exit| match exit {
        Exit::CutOff => 0,
        Exit::Failed => 1,
        Exit::Usage => 2,
        Exit::Refused => 3,
        Exit::Undecided => 4,
        Exit::Done => 5,
    };
    if rank(other) < rank(one) { other } else { one }
}

/// Proves both sides as the run's plan says. `Err` holds the exit status; the reason was printed.
pub(super) async fn sign_in_for(
    work: &Work,
    run: &RunRecord,
    cancel: &CancellationToken,
    report: &Report,
) -> Result<(), Exit> {
    report.line(&format!("run {} to {}", run.id, run.destination));
    let name = format!("the plan of run {}", run.id);
    let plan = Plan::parse(&run.plan, &name, Timestamp::now()).map_err(|violations| {
        report.error(&violations.to_string(), None);
        Exit::Usage
    })?;
    tokio::select! {
        biased;
        () = cancel.cancelled() => Err(Exit::CutOff),
        proved = prove_both(work, &plan, report) => proved,
    }
}
