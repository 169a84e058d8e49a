//! `run --only`: some of a plan's tables, those whose exports did not start or failed.

use super::Exit;
use super::error::CommandError;
use super::report::Report;
use crate::job::Plan;
use crate::journal::{Operation, RunId, Stage};
use crate::work::{Event, RunOutcome, Work};

/// What is left of a plan.
pub(super) struct Restricted {
    pub plan: Plan,
    /// What was planned before for these tables, and is given up for the new exports.
    pub given_up: Vec<(RunId, usize)>,
}

/// Leaves the named tables in a plan, which must have them all.
pub(super) fn restrict(mut plan: Plan, only: &[String]) -> Result<Plan, CommandError> {
    check(&plan, only)?;
    if !only.is_empty() {
        plan.tables
            .retain(|job| only.iter().any(|name| job.table.is_named(name)));
    }
    Ok(plan)
}

/// Refuses a name that the plan does not have.
pub(super) fn check(plan: &Plan, only: &[String]) -> Result<(), CommandError> {
    let unknown = only
        .iter()
        .find(|name| !plan.tables.iter().any(|job| job.table.is_named(name)));
    if let Some(name) = unknown {
        let tables = plan.tables.iter().map(|job| job.table.to_string());
        return Err(
            CommandError::usage(format!("--only {name}: the plan has no such table"))
                .hint(format!("it has {}", tables.collect::<Vec<_>>().join(", "))),
        );
    }
    Ok(())
}

/// Leaves out the tables whose exports are complete or under way, unless they are asked for again.
/// Where nothing is left, that ends the command.
pub(super) fn leave_out_held(
    work: &Work,
    mut plan: Plan,
    is_again: bool,
    report: &Report,
) -> Result<Restricted, CommandError> {
    let found = work.held_exports(&plan)?;
    let mut held = Vec::new();
    let mut given_up = Vec::new();
    let mut wanted = Vec::new();
    for (job, found) in plan.tables.drain(..).zip(found) {
        if let Some(export) = found.held.filter(|_| !is_again) {
            tell_held(&export, report);
            held.push(export);
        } else {
            given_up.extend(found.planned);
            wanted.push(job);
        }
    }
    plan.tables = wanted;
    match (held.first(), plan.tables.is_empty()) {
        (Some(first), true) => {
            report.keep(&held);
            let exit = Exit::of(&RunOutcome {
                run: first.run,
                operations: held,
            });
            Err(CommandError::silent(exit)
                .line("nothing new was started; --again exports once more"))
        }
        _ => Ok(Restricted { plan, given_up }),
    }
}

fn tell_held(export: &Operation, report: &Report) {
    let (table, run) = (export.name(), export.run);
    let message = match export.stage {
        Stage::Completed => {
            format!("{table}: run {run} has completed it, so it is not started again")
        }
        Stage::Calling => format!(
            "{table}: run {run} may have started it, so it is not started again; `tableferry resume {run}` looks it up"
        ),
        _ => format!(
            "{table}: it is under way in run {run}, so it is not started again; `tableferry resume {run}` follows it"
        ),
    };
    report.happened(&Event::Noted { message });
}
