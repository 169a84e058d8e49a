//! The plan that a command is given as a file.

use std::io;
use std::path::Path;

use jiff::Timestamp;

use super::Exit;
use super::report::Report;
use crate::job::Plan;
use crate::regular_file;

/// The most bytes that a plan file may have: some ten thousand tables, thirty times what one account
/// can export at once. What is larger is some other file, and would only take long to be refused.
const LARGEST: u64 = 1024 * 1024;

/// The bytes of a plan file, before anything is read out of them.
pub(super) fn read_plan_bytes(path: &Path) -> io::Result<Vec<u8>> {
    regular_file::read(path, LARGEST)
}

/// Reads a plan file; what is wrong with it was printed.
pub(super) fn read_plan(path: &Path, report: &Report) -> Result<Plan, Exit> {
    let name = path.display().to_string();
    let bytes = read_plan_bytes(path).map_err(|error| {
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
