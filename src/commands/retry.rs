//! `tableferry retry RUN`: what failed or was refused in a run, again, as a new run.
//!
//! A token that was answered names the export that failed, so a new start has new tokens. What is required
//! is assessed again like any start, by what both accounts hold now.

use jiff::Timestamp;
use tokio_util::sync::CancellationToken;

use super::Exit;
use super::error::CommandError;
use super::report::Report;
use super::run::{TableChoice, may_start, run_plan};
use crate::args::RetryArgs;
use crate::job::Plan;
use crate::journal::{Operation, RunId, RunRecord, Stage, Verified};
use crate::work::Work;

/// Starts a run's failed and refused exports again.
pub(super) async fn retry(
    work: &Work,
    args: &RetryArgs,
    cancel: &CancellationToken,
    report: &Report,
) -> Result<Exit, CommandError> {
    may_start(work, &args.start)?;
    let id = RunId(args.run);
    let run = work.run(id)?.ok_or_else(|| CommandError::no_such_run(id))?;
    let Some(plan) = failed_part(&run)? else {
        report.line(&format!(
            "run {id} has no export that failed or was refused: there is nothing to start again"
        ));
        if run.is_open() {
            report.line(&format!(
                "`tableferry resume {id}` goes on with what is left of it"
            ));
        }
        return Ok(Exit::Done);
    };
    let names: Vec<&str> = plan.tables.iter().map(|job| job.table.name()).collect();
    report.line(&format!("again, of run {id}: {}", names.join(", ")));
    run_plan(
        work,
        &args.start,
        (plan, TableChoice::NotHeld),
        cancel,
        report,
    )
    .await
}

/// The plan of a run with those tables alone whose exports came to nothing.
fn failed_part(run: &RunRecord) -> Result<Option<Plan>, CommandError> {
    let name = format!("the plan of run {}", run.id);
    let mut plan = Plan::parse(&run.plan, &name, Timestamp::now())?;
    // The operations are in the plan's order.
    let has_failed = |place: usize| {
        let operation = run.operations.iter().find(|one| one.position == place);
        operation.is_some_and(came_to_nothing)
    };
    let tables = std::mem::take(&mut plan.tables).into_iter().enumerate();
    plan.tables = tables
        .filter(|(place, _)| has_failed(*place))
        .map(|(_, job)| job)
        .collect();
    Ok((!plan.tables.is_empty()).then_some(plan))
}

fn came_to_nothing(operation: &Operation) -> bool {
    match operation.stage {
        Stage::Failed | Stage::Refused | Stage::NotStarted => true,
        Stage::Completed => operation.verified == Some(Verified::No),
        Stage::Planned | Stage::Calling | Stage::InProgress => false,
    }
}
