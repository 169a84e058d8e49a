//! The arguments of `explain`.

use std::path::{Path, PathBuf};

use clap::Args as ClapArgs;

use super::{FactsArgs, OutputArgs};

/// What `explain` reads and prints.
pub(super) const EXPLAIN_HELP: &str = "\
It finds every refusal in what any tool printed (the AWS CLI, SDKs, Terraform, CloudFormation, Spark, Lambda,
CloudTrail, S3 access logs), however it is wrapped, escaped, cut or coloured, and says for each what was
refused, to which principal, on what, by which kind of policy, and why: `the cause` where AWS's words leave no other,
`likely`, or `possible`. What is no refusal (throttling, a wrong parameter, the network, TLS, a bug) is called
what it is. Files packed with gzip are unpacked. It is offline, and repeats no access key, token or signature.

With --output json one object: schema, bytes, lines, errors_not_shown, and errors, one for each kind: class,
refusal, count, first_line, last_line, code, service, operation, action, principal, principal_kind, resource,
other_resources, stated, policy_kind, policy_arn, status, request_id, event_time, message, cut, causes (id,
certainty, place, title, means, fix, look, evidence, sources; the same place where nothing separates two),
excluded, not_known. With --plan also refused_by_plan: requirement and explanation of each requirement that
the assessment denies.

A run is told by the journal, an export or import by DescribeExport and DescribeImport; for a run and with
--plan both accounts are read now. Then the object has of, operations (name, arn, refused, failed_at), errors,
refused_by_plan, last_success, changes (as `changes` prints them) and not_read.

Exit status: 0 every error has a cause that is certain or likely, or there is none; 2 the input cannot be
read; 5 of some the cause is only possible, or not known.";

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
