//! The arguments of `policy`.

use std::path::PathBuf;

use clap::{Subcommand, ValueEnum};

/// What `simulate` reads and answers.
pub(super) const SIMULATE_HELP: &str = "\
Each line is an object: id (any value, given back), principal (an ARN), action, resource, resource_account,
context (keys and their values; one that is not there is absent), optional_context (keys that hold their values
or are absent), unknown_context (a list of keys), identity_policies (a list of {name, document}),
permissions_boundary, session_policy, service_control_policies and resource_control_policies (lists of {target,
policies}), vpc_endpoint_policy, resource_policy, kms_grants. What is left out is not there. For instance:
  {\"id\":1,\"principal\":\"arn:aws:iam::111111111111:user/mona\",\"action\":\"s3:GetObject\",
   \"resource\":\"arn:aws:s3:::landing/a\",\"resource_account\":\"111111111111\",\"identity_policies\":
   [{\"name\":\"Read\",\"document\":{\"Version\":\"2012-10-17\",\"Statement\":[{\"Effect\":\"Allow\",
   \"Action\":\"s3:GetObject\",\"Resource\":\"*\"}]}}]}
on one line. The answer has id and decision, with what decides or depends; or id and error.

Exit status: 0 every line was answered; 2 a line could not be read.";

/// What can be done with policy documents.
#[derive(Debug, Subcommand)]
pub enum PolicyCommand {
    /// Find what is wrong with a policy document; exit status 1 on errors
    Lint {
        /// The document
        file: PathBuf,
        /// What the document is attached to
        #[arg(long, value_enum)]
        kind: LintKind,
    },
}

/// What a policy document is attached to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum LintKind {
    /// A bucket.
    Bucket,
    /// A KMS key.
    Key,
    /// A user, group or role.
    Identity,
    /// A role, saying who may assume it.
    Trust,
    /// An organization: a service control policy.
    Scp,
    /// An organization: a resource control policy.
    Rcp,
}
