//! `tableferry`: the wizard, filled in from a plan file where `--plan` names one.

use std::path::{Path, PathBuf};

use anyhow::Context;
use jiff::Timestamp;

use super::Exit;
use super::output::{print_error, print_words};
use super::plan_file::read_plan_bytes;
use crate::job::Plan;
use crate::journal::RunId;
use crate::tui::{self, WizardOptions};
use crate::work::{RunOutcome, Work};

/// Opens the wizard, and says in the end how to come back to what goes on.
pub async fn wizard(work: Work, plan_file: Option<PathBuf>) -> anyhow::Result<Exit> {
    let plan = match &plan_file {
        None => None,
        Some(path) => match read_plan(path)? {
            Ok(plan) => Some(plan),
            Err(exit) => return Ok(exit),
        },
    };
    let options = WizardOptions {
        plan,
        plan_file,
        is_read_only: work.is_read_only(),
    };
    let ended = tui::run(work.clone(), options).await?;
    let Some(run) = ended.run.map(RunId) else {
        return Ok(Exit::Done);
    };
    let Some(record) = work.run(run)? else {
        return Ok(Exit::Done);
    };
    let exit = Exit::of(&RunOutcome {
        run,
        operations: record.operations,
    });
    if exit == Exit::CutOff {
        print_words(&how_to_come_back(run, work.settings().is_sandbox));
    }
    Ok(exit)
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

fn read_plan(path: &Path) -> anyhow::Result<Result<Plan, Exit>> {
    let name = path.display().to_string();
    let bytes = read_plan_bytes(path).with_context(|| format!("cannot read the plan {name}"))?;
    let plan = Plan::from_bytes(&bytes, &name, Timestamp::now());
    Ok(match plan {
        Err(violations) => {
            print_error(&violations.to_string());
            Err(Exit::Usage)
        }
        Ok(plan) if !tui::has_flow(&plan) => {
            print_error(&format!(
                "the wizard is for what tableferry runs itself, and the plan {name} is an {}: \
                 `tableferry check {name}` judges it, and `tableferry apply {name}` puts right what is \
                 missing",
                plan.words().noun
            ));
            Err(Exit::Usage)
        }
        Ok(plan) => Ok(plan),
    })
}
