//! `tableferry resume [RUN]`: goes on with what was cut off.

use futures_util::future;
use jiff::Timestamp;
use tokio_util::sync::CancellationToken;

use super::Exit;
use super::follow::{Scope, go_on};
use super::report::Report;
use super::sign_in::prove_both;
use crate::args::ResumeArgs;
use crate::journal::{RunId, RunRecord};
use crate::plan::Plan;
use crate::work::Work;

/// Goes on with one run, or with all that are not finished.
pub async fn resume(work: &Work, args: &ResumeArgs, cancel: CancellationToken) -> Exit {
    let report = Report::new(args.output.output);
    let exit = resume_with(work, args, &cancel, &report).await;
    report.finish();
    report.told(exit)
}

async fn resume_with(
    work: &Work,
    args: &ResumeArgs,
    cancel: &CancellationToken,
    report: &Report,
) -> Exit {
    let Some(id) = args.run.map(RunId) else {
        return all_open(work, Scope::Everything, cancel, report).await;
    };
    match work.run(id) {
        Ok(Some(run)) => several(work, vec![run], Scope::Everything, cancel, report).await,
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
    let exports = runs.iter().map(|run| run.exports.len()).sum();
    let mut exits = Vec::new();
    let mut proved = Vec::new();
    for run in runs {
        let own = work.with_own_sessions();
        match sign_in_for(&own, &run, cancel, report).await {
            Ok(()) => proved.push((own, run.id)),
            Err(exit) => exits.push(exit),
        }
    }
    report.start_bar(exports);
    let going = proved
        .iter()
        .map(|(own, id)| go_on(own, *id, scope, cancel.clone(), report));
    let ended = future::join_all(going).await;
    report.stop_bar();
    exits.extend(
        ended
            .into_iter()
            .map(|ended| ended.unwrap_or_else(|exit| exit)),
    );
    exits.into_iter().reduce(worse).unwrap_or(Exit::Done)
}

/// The one of two exit statuses that asks for more: cut off, then failed, then the rest by number.
fn worse(one: Exit, other: Exit) -> Exit {
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
async fn sign_in_for(
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
