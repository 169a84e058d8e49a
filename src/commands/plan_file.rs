//! The plan that a command is given as a file.

use std::path::Path;

use jiff::Timestamp;

use super::Exit;
use super::report::Report;
use crate::plan::Plan;

/// Reads a plan file; what is wrong with it was printed.
pub(super) fn read_plan(path: &Path, report: &Report) -> Result<Plan, Exit> {
    let name = path.display().to_string();
    let bytes = std::fs::read(path).map_err(|error| {
        report.error(
            &format!("cannot read the plan {name}: {error}"),
            Some("the wizard writes one: start `tableferry`, and save it from the Review step"),
        );
        Exit::Usage
    })?;
    Plan::from_bytes(&bytes, &name, Timestamp::now()).map_err(|violations| {
        for violation in &violations {
            report.error(
                &format!(
                    "{}:{}:{}: {}",
                    violation.file, violation.line, violation.column, violation.message
                ),
                Some(&violation.hint),
            );
        }
        Exit::Usage
    })
}
