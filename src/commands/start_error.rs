//! Why nothing was started, or not all of it, as the commands report it.

use super::Exit;
use super::follow::hint_to_resume;
use super::report::Report;
use crate::work::StartError;

/// Reports why a start or its assessment failed, and gives the exit status.
pub(super) fn report_start_error(report: &Report, error: &StartError) -> Exit {
    match error {
        StartError::Journal(journal) => {
            report.error(&journal.to_string(), Some(&journal.hint()));
            Exit::Refused
        }
        StartError::BrokenOff { run, cause } => {
            report.error(&cause.to_string(), Some(&hint_to_resume(cause, *run)));
            Exit::CutOff
        }
        StartError::NotSignedIn => {
            report.error(&error.to_string(), Some("sign in first"));
            Exit::CutOff
        }
        StartError::Resolve(resolve) => {
            report.error(&resolve.to_string(), Some(&resolve.hint()));
            Exit::Refused
        }
        StartError::ReadOnly => {
            report.error(
                &error.to_string(),
                Some("leave --read-only out to start it"),
            );
            Exit::Refused
        }
    }
}
