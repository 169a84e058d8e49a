//! `tableferry import EXPORT --table NAME`, and `run` of a plan that is an import: look, prove, read, ask,
//! start, follow, compare.

mod draw_up;

use std::cell::Cell;

use serde_json::json;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use self::draw_up::DrawnUp;
use super::Exit;
use super::check::words;
use super::consent::Consent;
use super::error::{CommandError, Problem};
use super::follow::{FollowScope, end, go_on, with_events};
use super::plan_file::write_plan;
use super::refusal::{check_can_ask, check_may_change, out_of_bounds};
use super::report::Report;
use super::run::{not_waiting, refuse_denied, until_cancelled};
use super::sign_in::prove_both;
use crate::args::{ImportArgs, ImportStartArgs};
use crate::assess::assessment::Assessment;
use crate::assess::verdict::Overall;
use crate::job::Plan;
use crate::job::import::left_behind::{NewTable, left_behind};
use crate::journal::RunId;
use crate::work::{ControlDocuments, Event, PreparedImport, Side, Verify, Work};

/// Imports an export into a new table.
pub(super) async fn import(
    work: &Work,
    args: &ImportArgs,
    cancel: &CancellationToken,
    report: &Report,
) -> Result<Exit, CommandError> {
    if !args.start.dry_run && args.write_plan.is_none() {
        check_may_change(work, "an import makes a table")?;
        check_can_ask(args.start.yes, "a start", "add --yes")?;
    }
    let drawn_up = draw_up::draw_up(work, args, cancel, report);
    let drawn_up = until_cancelled(cancel, drawn_up).await?;
    if let Some(path) = &args.write_plan {
        return write_plan(&drawn_up.plan, path, report);
    }
    let exit = carry_out(work, &drawn_up.plan, &args.start, cancel, report).await?;
    tell_left_behind(work, &drawn_up, report);
    Ok(exit)
}

/// What the import does not carry, each with its command.
fn tell_left_behind(work: &Work, drawn_up: &DrawnUp, report: &Report) {
    let plan = &drawn_up.plan;
    let table = plan.new_table().and_then(|table| work.new_table_arn(table));
    let Some(arn) = table else { return };
    let left = left_behind(
        &drawn_up.settings,
        NewTable {
            name: arn.resource_after("table").unwrap_or_default(),
            arn: &arn.to_string(),
            region: &arn.region,
            profile: &plan.source.sign_in.profile,
        },
    );
    if left.is_empty() {
        return;
    }
    report.line("the import leaves behind, to be set on the new table by hand:");
    for setting in left {
        report.line(&format!("  {}: {}", setting.what, setting.how));
        report.object(&json!({
            "event": "left_behind", "what": setting.what, "how": setting.how,
        }));
    }
}

/// Carries out a plan that is an import.
pub(super) async fn carry_out(
    work: &Work,
    plan: &Plan,
    args: &ImportStartArgs,
    cancel: &CancellationToken,
    report: &Report,
) -> Result<Exit, CommandError> {
    let (assessment, prepared) = until_cancelled(cancel, look(work, plan, cancel, report)).await?;
    tell(&assessment, &prepared, report);
    if let Some(run) = prepared.earlier.first() {
        report.line(&format!(
            "run {} of {} asks for the same and is under way: following it",
            run.id, run.created_at
        ));
        let scope = FollowScope::Everything(Verify::Open);
        return go_on(work, run.id, scope, cancel.clone(), report).await;
    }
    permit(args, &assessment, &prepared, report)?;
    if args.dry_run {
        report.line("nothing was started");
        return Ok(super::check::exit(assessment.overall(false)));
    }
    let agreed = agree(work, args, cancel).await;
    agreed.map_err(|refused| refused.line("nothing was started"))?;
    start(work, (plan, &assessment), args, &prepared, cancel, report).await
}

/// Signs in, reads, and says what would be started.
async fn look(
    work: &Work,
    plan: &Plan,
    cancel: &CancellationToken,
    report: &Report,
) -> Result<(Assessment, PreparedImport), CommandError> {
    prove_both(work, plan, report).await?;
    let assessed = work.assess(plan, &ControlDocuments::default()).await?;
    let prepared = work.prepare_import(&assessed, cancel).await?;
    Ok((assessed.assessment, prepared))
}

fn tell(assessment: &Assessment, prepared: &PreparedImport, report: &Report) {
    for line in &prepared.lines {
        report.line(line);
    }
    for warning in &prepared.warnings {
        report.line(&format!("warning: {warning}"));
    }
    report.object(&json!({
        "event": "start", "lines": prepared.lines, "warnings": prepared.warnings,
    }));
    if assessment.overall(false) != Overall::Allowed {
        words::tell(report, assessment);
    }
}

/// Whether what was read lets a start through.
fn permit(
    args: &ImportStartArgs,
    assessment: &Assessment,
    prepared: &PreparedImport,
    report: &Report,
) -> Result<(), CommandError> {
    if let Some(error) = out_of_bounds(assessment) {
        return Err(error.line("nothing was started"));
    }
    let refusals = prepared.refusals.iter();
    let refusals: Vec<Problem> = refusals
        .map(|(problem, hint)| Problem::new(problem).hint(hint))
        .collect();
    if !refusals.is_empty() {
        let refused = CommandError::several(Exit::Refused, refusals);
        return Err(refused.line("nothing was started"));
    }
    refuse_denied(args.force, assessment, report)
}

/// Asks for the start; the name of an account that is marked production is typed.
async fn agree(
    work: &Work,
    args: &ImportStartArgs,
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
    let question = "AWS bills an import by the uncompressed size; start it";
    consent.to(question, true, &accounts).await
}

async fn start(
    work: &Work,
    (plan, assessment): (&Plan, &Assessment),
    args: &ImportStartArgs,
    prepared: &PreparedImport,
    cancel: &CancellationToken,
    report: &Report,
) -> Result<Exit, CommandError> {
    report.start_bar(1);
    let (sender, mut events) = mpsc::unbounded_channel();
    let number = Cell::new(RunId(0));
    let print = |event: &Event| {
        if let Event::Journalled { run } = event {
            number.set(*run);
        }
        report.event(number.get(), event);
    };
    let deed = work.start_import(plan, prepared, sender.clone(), cancel);
    let run = match with_events(deed, &mut events, print).await {
        Ok(run) => run,
        Err(error) => {
            report.stop_bar();
            return Err(CommandError::from(error).line("nothing more was started"));
        }
    };
    if args.no_wait {
        return not_waiting(work, run, report);
    }
    let follow = work.follow(run, Verify::Open, sender, cancel.clone());
    let followed = with_events(follow, &mut events, print).await;
    report.stop_bar();
    end(work, run, followed, Some(assessment), cancel, report).await
}
