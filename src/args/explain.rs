//! The arguments of `explain`.

use std::path::{Path, PathBuf};

use clap::Args as ClapArgs;

use super::{FactsArgs, OutputArgs};

/// How `explain` goes.
#[derive(Debug, ClapArgs)]
pub struct ExplainArgs {
    /// A message, a file, or - for standard input, which is read if it is left out; the number of a run; or
    /// the ARN of an export or import
    #[arg(value_name = "TEXT | FILE | - | RUN | ARN")]
    pub what: Vec<String>,
    /// The plan that the errors are of: its accounts are read now, or --facts are taken, and the assessment
    /// says which causes hold, which are excluded, and what would be refused next
    #[arg(long, value_name = "FILE")]
    pub plan: Option<PathBuf>,
    /// The profile that may ask after an export or import, where no plan is given
    #[arg(long, value_name = "NAME", conflicts_with = "plan")]
    pub profile: Option<String>,
    /// Explain a run by the journal alone; nobody signs in
    #[arg(long, conflicts_with_all = ["plan", "profile", "file"])]
    pub offline: bool,
    /// What the plan is assessed by.
    #[command(flatten)]
    pub facts: FactsArgs,
    /// How to print.
    #[command(flatten)]
    pub output: OutputArgs,
}

impl ExplainArgs {
    fn only(&self) -> Option<&str> {
        match self.what.as_slice() {
            [one] => Some(one),
            _ => None,
        }
    }

    /// Whether a run is named: a number. A file named like one is `./3`.
    #[must_use]
    pub fn is_run(&self) -> bool {
        self.only()
            .is_some_and(|one| !one.is_empty() && one.bytes().all(|byte| byte.is_ascii_digit()))
    }

    /// Whether an export or import is named, by its ARN alone.
    #[must_use]
    pub fn is_operation(&self) -> bool {
        self.only().is_some_and(|one| {
            one.starts_with("arn:")
                && !one.contains(char::is_whitespace)
                && (one.contains("/export/") || one.contains("/import/"))
                && !Path::new(one).exists()
        })
    }

    /// Whether the journal or an account has to be opened for it.
    #[must_use]
    pub fn needs_work(&self) -> bool {
        self.is_run() || self.is_operation() || self.plan.is_some() && self.facts.file.is_none()
    }
}
