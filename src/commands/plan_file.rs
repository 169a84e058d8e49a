//! The plan that a command is given as a file, or writes into one.

use std::path::Path;

use jiff::Zoned;

use super::error::CommandError;
use super::exit::Exit;
use super::report::Report;
use crate::job::{LARGEST_PLAN_FILE, Plan};
use crate::{private_file, regular_file};

/// Reads a plan file.
pub(super) fn read_plan(path: &Path) -> Result<Plan, CommandError> {
    let name = path.display().to_string();
    let bytes = regular_file::read(path, LARGEST_PLAN_FILE).map_err(|error| {
        CommandError::usage(format!("cannot read the plan {name}"))
            .because(error)
            .hint("the wizard writes one: start `tableferry`, and save it from the Review step")
    })?;
    Ok(Plan::from_bytes(&bytes, &name, Zoned::now())?)
}

/// Writes a plan to a new file; `undone` says what was not done where it cannot be written.
pub(super) fn write_new_plan(plan: &Plan, path: &Path, undone: &str) -> Result<(), CommandError> {
    private_file::write_new(path, &plan.to_toml()).map_err(|error| {
        CommandError::usage(format!("cannot write the plan {}", path.display()))
            .because(error)
            .hint(format!("{undone}; name a file that is not there yet"))
    })
}

/// Writes the plan for other commands, which are named.
pub(super) fn write_plan(plan: &Plan, path: &Path, report: &Report) -> Result<Exit, CommandError> {
    write_new_plan(plan, path, "nothing was started")?;
    report.line(&format!(
        "the plan is in {0}: `tableferry check {0}` judges it, `tableferry run {0}` starts it",
        path.display()
    ));
    Ok(Exit::Done)
}
