//! `tableferry load` and `tableferry replay`, and `run` of their plans: look, prove, read, ask, write, count.

mod draw_up;

use serde_json::json;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::Exit;
use super::check::words;
use super::consent::Consent;
use super::error::{CommandError, Problem, Said};
use super::follow::{current_outcome, with_events};
use super::plan_file::write_plan;
use super::refusal::{check_can_ask, check_may_change, out_of_bounds};
use super::report::Report;
use super::run::{refuse_denied, until_cancelled};
use super::sign_in::prove_both;
use crate::args::{IntoTableArgs, LoadArgs, LoadStartArgs, ReplayArgs};
use crate::assess::assessment::Assessment;
use crate::assess::verdict::Overall;
use crate::job::Plan;
use crate::journal::RunId;
use crate::work::{ControlDocuments, Event, LoadError, PreparedLoad, RunOutcome, Side, Work};

/// Loads a full export into a table that is there.
pub(super) async fn load(
    work: &Work,
    args: &LoadArgs,
    cancel: &CancellationToken,
    report: &Report,
) -> Result<Exit, CommandError> {
    may_start(work, &args.into)?;
    let plan = until_cancelled(cancel, draw_up::load(work, args, report)).await?;
    conclude(work, &plan, &args.into, cancel, report).await
}

/// Replays incremental exports onto a table that holds a full one.
pub(super) async fn replay(
    work: &Work,
    args: &ReplayArgs,
    cancel: &CancellationToken,
    report: &Report,
) -> Result<Exit, CommandError> {
    may_start(work, &args.into)?;
    let plan = until_cancelled(cancel, draw_up::replay(work, args, report)).await?;
    conclude(work, &plan, &args.into, cancel, report).await
}

fn may_start(work: &Work, args: &IntoTableArgs) -> Result<(), CommandError> {
    if args.start.dry_run || args.write_plan.is_some() {
        return Ok(());
    }
    check_may_change(work, "a load writes items")?;
    check_can_ask(args.start.yes, "a start", "add --yes --confirm TABLE")
}

async fn conclude(
    work: &Work,
    plan: &Plan,
    args: &IntoTableArgs,
    cancel: &CancellationToken,
    report: &Report,
) -> Result<Exit, CommandError> {
    match &args.write_plan {
        Some(path) => write_plan(plan, path, report),
        None => carry_out(work, plan, &args.start, cancel, report).await,
    }
}

/// Carries out a plan that is a load or a replay.
pub(super) async fn carry_out(
    work: &Work,
    plan: &Plan,
    args: &LoadStartArgs,
    cancel: &CancellationToken,
    report: &Report,
) -> Result<Exit, CommandError> {
    let (assessment, prepared) = until_cancelled(cancel, look(work, plan, cancel, report)).await?;
    tell(&assessment, &prepared, report);
    if let Some(run) = prepared.earlier.first().filter(|_| !args.dry_run) {
        report.line(&format!(
            "run {} of {} writes the same and is not finished: going on with it",
            run.id, run.created_at
        ));
        return go_on(work, run.id, cancel, report).await;
    }
    permit(args, &assessment, &prepared, report)?;
    if args.dry_run {
        count(work, plan, &prepared, cancel, report).await?;
        report.line("nothing was written");
        return Ok(super::check::exit(assessment.overall(false)));
    }
    let agreed = agree(work, args, &prepared, cancel).await;
    agreed.map_err(|refused| refused.line("nothing was written"))?;
    let (sender, mut events) = mpsc::unbounded_channel();
    let run = work.record_load(plan, &prepared, &sender);
    let run = run.map_err(|error| CommandError::from(error).line("nothing was written"))?;
    while let Ok(event) = events.try_recv() {
        report.event(run, &event);
    }
    go_on(work, run, cancel, report).await
}

/// Signs in, reads, and says what would be written.
async fn look(
    work: &Work,
    plan: &Plan,
    cancel: &CancellationToken,
    report: &Report,
) -> Result<(Assessment, PreparedLoad), CommandError> {
    prove_both(work, plan, report).await?;
    let assessed = work.assess(plan, &ControlDocuments::default()).await?;
    let prepared = work.prepare_load(&assessed, cancel).await;
    let prepared = prepared.map_err(|error| {
        if assessed.assessment.overall(false) != Overall::Allowed {
            words::tell(report, &assessed.assessment);
        }
        CommandError::not_loaded(&error, None).line("nothing was written")
    })?;
    Ok((assessed.assessment, prepared))
}

fn tell(assessment: &Assessment, prepared: &PreparedLoad, report: &Report) {
    for line in &prepared.lines {
        report.line(&format!("will {line}"));
    }
    for line in &prepared.estimate {
        report.line(line);
    }
    for warning in &prepared.warnings {
        report.line(&format!("warning: {warning}"));
    }
    report.object(&json!({
        "event": "start", "lines": prepared.lines, "estimate": prepared.estimate,
        "warnings": prepared.warnings,
    }));
    if assessment.overall(false) != Overall::Allowed {
        words::tell(report, assessment);
    }
}

/// Whether what was read lets a start through.
fn permit(
    args: &LoadStartArgs,
    assessment: &Assessment,
    prepared: &PreparedLoad,
    report: &Report,
) -> Result<(), CommandError> {
    if let Some(error) = out_of_bounds(assessment) {
        return Err(error.line("nothing was written"));
    }
    let refusals = prepared.refusals.iter();
    let refusals: Vec<Problem> = refusals
        .map(|(problem, hint)| Problem::new(problem).hint(hint))
        .collect();
    if !refusals.is_empty() {
        let refused = CommandError::several(Exit::Refused, refusals);
        return Err(refused.line("nothing was written"));
    }
    refuse_denied(args.force, assessment, report)
}

/// Reads what a replay would write, and says how much that is.
async fn count(
    work: &Work,
    plan: &Plan,
    prepared: &PreparedLoad,
    cancel: &CancellationToken,
    report: &Report,
) -> Result<(), CommandError> {
    if !plan.load().is_some_and(crate::job::load::Load::is_replay) {
        return Ok(());
    }
    let counted = work.count_records(prepared, cancel).await;
    let counted = counted.map_err(|error| CommandError::not_loaded(&error, None))?;
    for (request, counted) in prepared.requests().iter().zip(counted) {
        report.line(&format!(
            "{}: {} puts, {} deletes, {}",
            request.archive,
            counted.puts,
            counted.deletes,
            bytesize::ByteSize(counted.bytes)
        ));
        report.object(&json!({
            "event": "counted", "export_arn": request.export_arn, "puts": counted.puts,
            "deletes": counted.deletes, "bytes": counted.bytes,
        }));
    }
    Ok(())
}

/// Asks for the start; the table's name is typed whatever its account, and an account's that is marked
/// production.
async fn agree(
    work: &Work,
    args: &LoadStartArgs,
    prepared: &PreparedLoad,
    cancel: &CancellationToken,
) -> Result<(), CommandError> {
    let consent = Consent {
        work,
        cancel,
        is_given: args.yes,
        names: &args.production,
    };
    let account = work.account_of(Side::Source);
    let accounts: Vec<_> = account.iter().collect();
    consent.to("write this", true, &accounts).await?;
    consent
        .to_table(&prepared.table, args.confirm.as_deref())
        .await
}

/// Goes on with a run that writes items, from where it is; both sides are signed in.
pub(super) async fn go_on(
    work: &Work,
    id: RunId,
    cancel: &CancellationToken,
    report: &Report,
) -> Result<Exit, CommandError> {
    check_may_change(work, "a load writes items")?;
    let (sender, mut events) = mpsc::unbounded_channel();
    let print = |event: &Event| report.event(id, event);
    let writing = work.carry_out_load(id, sender, cancel);
    match with_events(Box::pin(writing), &mut events, print).await {
        Ok(outcome) => {
            report.keep(&outcome.operations);
            Ok(Exit::of(&outcome))
        }
        Err(error) => Err(cut_off(work, id, &error, report)),
    }
}

/// Why the writing ended early, how far it is, and how it goes on.
fn cut_off(work: &Work, id: RunId, error: &LoadError, report: &Report) -> CommandError {
    let said = CommandError::not_loaded(error, Some(id)).ending(Exit::CutOff);
    match current_outcome(work, id) {
        Ok(Some(RunOutcome { operations, .. })) => {
            let mut lines = Vec::new();
            for operation in &operations {
                if let Some((request, result)) = operation.to_load() {
                    lines.push(Said::Line(format!(
                        "{}: {} of {} written",
                        request.archive,
                        result.puts + result.deletes,
                        request.items
                    )));
                }
            }
            lines.push(Said::Line(format!(
                "`tableferry resume {id}` goes on from there"
            )));
            report.keep(&operations);
            said.followed_by(lines)
        }
        Ok(None) => said,
        Err(unread) => said.and(unread),
    }
}
