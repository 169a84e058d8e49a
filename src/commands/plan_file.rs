//! The plan that a command is given as a file.

use std::path::Path;

use jiff::Zoned;

use super::error::CommandError;
use crate::job::Plan;
use crate::regular_file;

/// The most bytes that a plan file may have: some ten thousand tables, thirty times what one account
/// can export at once. What is larger is some other file, and would only take long to be refused.
const LARGEST: u64 = 1024 * 1024;

/// Reads a plan file.
pub(super) fn read_plan(path: &Path) -> Result<Plan, CommandError> {
    let name = path.display().to_string();
    let bytes = regular_file::read(path, LARGEST).map_err(|error| {
        CommandError::usage(format!("cannot read the plan {name}"))
            .because(error)
            .hint("the wizard writes one: start `tableferry`, and save it from the Review step")
    })?;
    Ok(Plan::from_bytes(&bytes, &name, Zoned::now())?)
}
