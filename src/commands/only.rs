//! `run --only`: some of a plan's tables, those whose exports did not start or failed.

use super::Exit;
use super::report::Report;
use super::start_error::report_start_error;
use crate::job::Plan;
use crate::journal::{Operation, RunId, Stage};
use crate::work::{Event, RunOutcome, Work};

/// What is left of a plan.
pub(super) struct Restricted {
    pub plan: Plan,
    /// What was planned before for these tables, and is given up for the new exports.
    pub given_up: Vec<(RunId, usize)>,
}

/// Leaves the named tables in a plan; a name that the plan does not have was told.
pub(super) fn restrict(mut plan: Plan, only: &[String], report: &Report) -> Result<Plan, Exit> {
    check(&plan, only, report)?;
    if !only.is_empty() {
        plan.tables
            .retain(|job| only.iter().any(|name| job.table.is_named(name)));
    }
    Ok(plan)
}

/// Whether a plan has all the named tables; what it does not have was told.
pub(super) fn check(plan: &Plan, only: &[String], report: &Report) -> Result<(), Exit> {
    let unknown = only
        .iter()
        .find(|name| !plan.tables.iter().any(|job| job.table.is_named(name)));
    if let Some(name) = unknown {
        let tables = plan.tables.iter().map(|job| job.table.to_string());
        report.error(
            &format!("--only {name}: the plan has no such table"),
            Some(&format!("it has {}", tables.collect::<Vec<_>>().join(", "))),
        );
        return Err(Exit::Usage);
    }
    Ok(())
}

/// Leaves out the tables whose exports are complete or under way, unless they are asked for again.
/// `Err` holds the exit status where nothing is left.
pub(super) fn leave_out_held(
    work: &Work,
    mut plan: Plan,
    is_again: bool,
    report: &Report,
) -> Result<Restricted, Exit> {
    let found = work
        .held_exports(&plan)
        .map_err(|error| report_start_error(report, &error))?;
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
            report.line("nothing new was started; --again exports once more");
            report.keep(&held);
            Err(Exit::of(&RunOutcome {
                run: first.run,
                operations: held,
            }))
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
