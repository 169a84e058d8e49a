//! The program that is called when a run has ended.

use std::ffi::OsString;

use clap::{ArgAction, Args as ClapArgs};

/// What is called at the end.
#[derive(Debug, Clone, Default, ClapArgs)]
pub struct FinishArgs {
    /// When a run has ended, call this program with these arguments, in place of `command` under `[finish]`
    ///
    /// No shell reads them. `;` ends them, or the end of the line. The program is called once for each run,
    /// also across resumes, and in `watch` once for each account whose exports are in no run. It gets PATH and
    /// HOME, no standard input, and these variables: `TABLEFERRY_RUN` (not of exports that are in no run),
    /// `TABLEFERRY_STATUS` (done, failed, refused or undecided, as the exit status of `run`), `TABLEFERRY_URI`
    /// (the bucket and prefix of a run), `TABLEFERRY_OPERATIONS`, `TABLEFERRY_COMPLETED`,
    /// `TABLEFERRY_FAILED`, `TABLEFERRY_VERIFIED` (how many), and `TABLEFERRY_SANDBOX` (1, in the sandbox
    /// alone). What it prints is not shown. After 60 s it is ended, with all that it started. Its failure is
    /// told and changes no exit status.
    #[arg(
        long,
        value_name = "PROGRAM",
        num_args = 1..,
        action = ArgAction::Set,
        allow_hyphen_values = true,
        value_terminator = ";"
    )]
    pub on_finish: Vec<OsString>,
}
