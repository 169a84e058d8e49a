//! `tableferry`: the wizard, filled in from a plan file where `--plan` names one.

use std::path::{Path, PathBuf};

use super::Exit;
use super::error::CommandError;
use super::open::open;
use super::output::print_words;
use super::plan_file::read_plan;
use super::report::progress_line;
use crate::args::Global;
use crate::job::Plan;
use crate::journal::{Operation, RunId};
use crate::tui::{self, WizardOptions};
use crate::work::history::export_uri;
use crate::work::{OperationProgress, RunOutcome};

/// Opens the wizard, and says in the end what came of its run and how to come back to what goes on.
pub(super) async fn wizard(
    global: &Global,
    plan_file: Option<PathBuf>,
) -> Result<Exit, CommandError> {
    let work = open(global, &[])?;
    let plan = plan_file.as_deref().map(plan_with_a_flow).transpose()?;
    let options = WizardOptions {
        plan,
        plan_file,
        is_read_only: work.is_read_only(),
    };
    let ended = tui::run(work.clone(), options).await?;
    if ended.opens_sandbox {
        drop(work);
        let practice = Global {
            sandbox: true,
            ..global.clone()
        };
        return Box::pin(wizard(&practice, None)).await;
    }
    let Some(run) = ended.run else {
        return Ok(Exit::Done);
    };
    let record = work.run(run);
    let record = record.map_err(|error| CommandError::from(error).ending(Exit::Usage))?;
    let Some(record) = record else {
        return Ok(Exit::Done);
    };
    for operation in &record.operations {
        print_words(&summary(run, operation));
    }
    let exit = Exit::of(&RunOutcome {
        run,
        operations: record.operations,
    });
    if exit == Exit::CutOff {
        print_words(&how_to_come_back(run, work.settings().is_sandbox));
    }
    Ok(exit)
}

/// What came of an operation of the run, with the place of its files.
fn summary(run: RunId, operation: &Operation) -> String {
    let line = progress_line(&OperationProgress::of(operation));
    let files = export_uri(operation).map_or_else(String::new, |uri| format!("; its files: {uri}"));
    format!("run {run}, {line}{files}")
}

fn how_to_come_back(run: RunId, is_sandbox: bool) -> String {
    if is_sandbox {
        format!(
            "run {run} was cut off; in the sandbox it can be gone on with if --sandbox-state keeps it"
        )
    } else {
        format!(
            "exports that were started go on; `tableferry resume {run}`, or the wizard, goes on here"
        )
    }
}

/// A plan that the wizard can show.
fn plan_with_a_flow(path: &Path) -> Result<Plan, CommandError> {
    let plan = read_plan(path)?;
    if tui::has_flow(&plan) {
        return Ok(plan);
    }
    let name = path.display();
    let problem = if plan.mask.is_some() {
        format!("the wizard has no step for a mask, and the plan {name} has one")
    } else {
        let noun = plan.words().noun;
        format!("the wizard is for what tableferry runs itself, and the plan {name} is an {noun}")
    };
    Err(CommandError::usage(problem)
    .hint(format!(
        "`tableferry check {name}` judges it, and `tableferry apply {name}` puts right what is missing"
    )))
}
