//! The arguments of the commands that judge a plan, and of what they go by: `check`, `survey`, `policies`.

use std::path::PathBuf;

use clap::{Args as ClapArgs, ValueEnum};

use super::{GrantOptionArgs, OutputArgs};
use tableferry_policy::arn::{AccountId, Arn};

/// How `check` ends.
pub(super) const CHECK_STATUS: &str = "\
Exit status: 0 all is allowed, or unknown only where the start itself settles it at once; 3 something
that the export cannot do without is denied; 5 something depends on what nobody can tell before, or
could not be read and no earlier export that completed the same way speaks for it, or what only follows
and verifies the export is denied.";

/// How `check` goes.
#[derive(Debug, ClapArgs)]
pub struct CheckArgs {
    /// The plan file
    pub plan: PathBuf,
    /// What is judged.
    #[command(flatten)]
    pub facts: FactsArgs,
    /// What could not be read counts as unknown, not as assumed to be in order; what the start would
    /// settle at once, too
    #[arg(long)]
    pub strict: bool,
    /// Print each need as a line for `simulate`, in place of the verdicts
    #[arg(long, value_enum, value_name = "FORMAT")]
    pub explain_needs: Option<NeedsFormat>,
    /// Try it for real: begin an upload as the export would, send a few bytes, and take it back; what a
    /// probe that was cut off left is taken back first
    #[arg(long, conflicts_with_all = ["file", "explain_needs"])]
    pub probe: bool,
    /// Answer the question before the probe with yes; needed without a terminal
    #[arg(long, requires = "probe")]
    pub yes: bool,
    /// What is asked of remedies.
    #[command(flatten)]
    pub grant_options: GrantOptionArgs,
    /// Policies of the organization.
    #[command(flatten)]
    pub controls: ControlArgs,
    /// How to print.
    #[command(flatten)]
    pub output: OutputArgs,
}

/// What `policies` writes, and how it ends.
pub(super) const POLICIES_HELP: &str = "\
Only the document goes to standard output; what it cannot hold is told on standard error.

json            one object: version, facts_read_at, source_account, bucket, remedies, open. Each remedy
                has kind (bucket_policy, key_policy, role_policy, user_policy, permission_set_policy,
                identity_policy, point_in_time_recovery, plan, message), target, policy_name, account,
                region, value, before, document, added (the Sids of what is new), responsible, fixes,
                lets_through, warnings, problems, is_writable; open holds the verdicts that none fixes
terraform       for the AWS provider from version 5 on, with a provider for each account
cloudformation  a template in YAML for the stack of one account; with several, name one by --account
cli             a script of `aws` commands for sh, which stops where something changed since
message         a text to send for each who can fix something

Exit status: 0 nothing is denied, or what is told fixes it; 3 something that the export cannot do without
stays denied, or a document must not be written as it stands; 5 something stays undecided, such as what
could not be read, or only what follows and verifies the export stays denied.";

/// How `policies` goes.
#[derive(Debug, ClapArgs)]
pub struct PoliciesArgs {
    /// The plan file
    pub plan: PathBuf,
    /// What to write
    #[arg(long = "as", value_enum, value_name = "FORMAT")]
    pub format: PolicyFormat,
    /// Write the whole policies that the plan needs, and not only what is missing
    #[arg(long)]
    pub all: bool,
    /// Write only what is changed in this account, one of those that the plan touches. While
    /// something is missing in another, the exit status is that of `check`
    #[arg(long, value_name = "ID")]
    pub account: Option<AccountId>,
    /// What it goes by.
    #[command(flatten)]
    pub facts: FactsArgs,
    /// How long the grants hold.
    #[command(flatten)]
    pub grant_options: GrantOptionArgs,
    /// Policies of the organization.
    #[command(flatten)]
    pub controls: ControlArgs,
}

/// Facts from a file.
#[derive(Debug, Clone, Default, ClapArgs)]
pub struct FactsArgs {
    /// Go by the facts of this file, written by `survey`, and ask AWS nothing. They must be of the
    /// plan's bucket and Region, and of its identities: by the role that the plan names, or the same
    /// profile name as in the plan that was surveyed. Tables and keys not surveyed are unknown
    #[arg(long = "facts", value_name = "FILE")]
    pub file: Option<PathBuf>,
    /// Vouch for whose the facts are, by the ARN of a user, role or session, where its profile has
    /// another name in this plan; may be given for each side
    #[arg(long = "facts-of", value_name = "ARN", requires = "file")]
    pub of: Vec<Arn>,
}

/// What remedies are written as.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum PolicyFormat {
    /// One JSON object
    Json,
    /// Terraform
    Terraform,
    /// A CloudFormation template
    #[value(name = "cloudformation")]
    CloudFormation,
    /// Commands of the AWS CLI
    Cli,
    /// Texts to other teams
    Message,
}

/// How needs are printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum NeedsFormat {
    /// One JSON object a line, as `simulate` takes them.
    Json,
}

/// How `survey` goes.
#[derive(Debug, ClapArgs)]
pub struct SurveyArgs {
    /// The plan file
    pub plan: PathBuf,
    /// Policies of the organization.
    #[command(flatten)]
    pub controls: ControlArgs,
}

/// Policies of the organization, where it does not show them.
#[derive(Debug, Clone, Default, ClapArgs)]
pub struct ControlArgs {
    /// A service control policy over the source's account; may be given several times
    #[arg(long, value_name = "FILE")]
    pub scp: Vec<PathBuf>,
    /// A resource control policy over the destination's account; may be given several times
    #[arg(long, value_name = "FILE")]
    pub rcp: Vec<PathBuf>,
}
