//! What several commands refuse before anything is asked, read or changed.

use std::io::IsTerminal as _;

use super::error::{CommandError, Problem};
use super::exit::Exit;
use crate::assess::assessment::Assessment;
use crate::work::Work;

/// Refuses a command that changes an account where `--read-only` forbids every change. `what` is the
/// command's deed, as in `a run starts exports`.
pub(super) fn check_may_change(work: &Work, what: &str) -> Result<(), CommandError> {
    if !work.is_read_only() {
        return Ok(());
    }
    Err(CommandError::refused(format!(
        "{what}, and nothing may be changed with --read-only"
    ))
    .hint(
        "`tableferry check PLAN` reads and judges without changing anything; leave out --read-only, or \
         read_only in the configuration, to go on",
    ))
}

/// Refuses what must be agreed to where nobody can be asked. `what` is what is agreed to, and `hint` how
/// the command line says yes.
pub(super) fn check_can_ask(is_given: bool, what: &str, hint: &str) -> Result<(), CommandError> {
    if is_given || std::io::stdin().is_terminal() {
        return Ok(());
    }
    Err(CommandError::usage(format!(
        "{what} must be agreed to, and there is no terminal to ask on"
    ))
    .hint(hint))
}

/// What of a plan is outside the configuration's limits or across partitions, which nothing forces.
pub(super) fn out_of_bounds(assessment: &Assessment) -> Option<CommandError> {
    let problems: Vec<Problem> = assessment
        .out_of_bounds()
        .map(|found| Problem::new(&found.explanation).hint(&found.hint))
        .collect();
    (!problems.is_empty()).then(|| CommandError::several(Exit::Refused, problems))
}

/// Refuses a plan that is out of bounds before anything is changed.
pub(super) fn refuse_out_of_bounds(assessment: &Assessment) -> Result<(), CommandError> {
    match out_of_bounds(assessment) {
        Some(error) => Err(error.line("nothing was changed")),
        None => Ok(()),
    }
}
