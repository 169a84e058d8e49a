//! Commands that start exports: of a plan file, of a run that went wrong, or of the command line.

use std::path::PathBuf;

use clap::{Args as ClapArgs, ValueEnum};

use super::{FinishArgs, OutputArgs};

/// What `run` prints for programs.
pub(super) const RUN_HELP: &str = "\
With --output json the last line is always an object with event `finished`: exports, one for each of the
run, with table, export_arn, status and more; started, how many exports this process started; and
maybe_started, of how many that is not known. Both are 0 where nothing was started.";

/// How a start goes, whatever is started.
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a flag of the command line, and any of them may be given with any other"
)]
#[derive(Debug, ClapArgs)]
pub struct StartArgs {
    /// Answer the question before the start with yes; needed without a terminal
    #[arg(long)]
    pub yes: bool,
    /// End after the start, without waiting for the exports
    #[arg(long, conflicts_with = "on_finish")]
    pub no_wait: bool,
    /// Start although the same plan is under way, or was completed within the hour, or an export that
    /// this machine does not know of is writing the same to the same place, or an export to it failed
    /// and nothing that can be read has changed since
    #[arg(long)]
    pub again: bool,
    /// Start although the check before it, or the plan's settings, show that AWS will refuse
    #[arg(long)]
    pub force: bool,
    /// Do all that comes before the question, print the commands that make the same exports by hand, and
    /// start nothing; the exit status is that of `check`
    #[arg(long, conflicts_with_all = ["yes", "no_wait", "again", "force", "on_finish"])]
    pub dry_run: bool,
    /// Start nothing while anything is unknown, depends, or is allowed only as far as what could not be
    /// read does not forbid it
    #[arg(long)]
    pub strict: bool,
    /// What is called at the end.
    #[command(flatten)]
    pub finish: FinishArgs,
    /// How to print.
    #[command(flatten)]
    pub output: OutputArgs,
}

/// How `run` goes.
#[derive(Debug, ClapArgs)]
pub struct RunArgs {
    /// The plan file
    pub plan: PathBuf,
    /// Start only this table of the plan, by name or ARN; may be given several times. What did not start
    /// or failed is started with a new token, and what was planned for it before is given up; what is
    /// complete or under way is started again only with --again
    #[arg(long, value_name = "TABLE")]
    pub only: Vec<String>,
    /// The name of an account that is marked production and that the plan makes a table in, in place of
    /// typing it
    #[arg(long, value_name = "NAME")]
    pub production: Vec<String>,
    /// The name of the table that the plan writes items into, in place of typing it
    #[arg(long, value_name = "TABLE")]
    pub confirm: Option<String>,
    /// How it is started.
    #[command(flatten)]
    pub start: StartArgs,
}

/// How `retry` goes.
#[derive(Debug, ClapArgs)]
pub struct RetryArgs {
    /// The run's number
    pub run: i64,
    /// How it is started.
    #[command(flatten)]
    pub start: StartArgs,
}

/// How `export` goes.
#[derive(Debug, ClapArgs)]
pub struct ExportArgs {
    /// The profile of the account whose tables are exported
    #[arg(long, value_name = "PROFILE")]
    pub from: String,
    /// The Region of the tables, where it is not the profile's
    #[arg(long, value_name = "REGION")]
    pub region: Option<String>,
    /// The profile of the account whose bucket receives them; left out, that side cannot be read, and the
    /// exports stay unverified
    #[arg(long, value_name = "PROFILE")]
    pub to: Option<String>,
    /// A table by name or ARN, or a pattern such as prod-*; may be given several times
    #[arg(long, value_name = "TABLE", required = true)]
    pub table: Vec<String>,
    /// The bucket
    #[arg(long, value_name = "NAME")]
    pub bucket: String,
    /// The bucket's account, where no profile of it is given
    #[arg(long, value_name = "ACCOUNT")]
    pub bucket_owner: Option<String>,
    /// What the objects' keys begin with
    #[arg(long, value_name = "PREFIX")]
    pub prefix: Option<String>,
    /// The tables as they were then, such as "02:10 UTC", "yesterday 18:00", 2h or 2026-11-22T10:00:00Z;
    /// left out, as they are when the export starts
    #[arg(long, value_name = "TIME", conflicts_with = "changes_from")]
    pub time: Option<String>,
    /// What changed in the tables since then, or since `last`, the end of what was exported before
    #[arg(long, value_name = "TIME")]
    pub changes_from: Option<String>,
    /// The end of what changed; left out, five minutes ago
    #[arg(long, value_name = "TIME", requires = "changes_from")]
    pub changes_to: Option<String>,
    /// What the data lines are written in
    #[arg(long, value_enum, value_name = "FORMAT", default_value_t = DataFormat::Json)]
    pub format: DataFormat,
    /// Encrypt with this KMS key, by its ARN
    #[arg(long, value_name = "ARN")]
    pub key: Option<String>,
    /// Write the plan to a new file, too
    #[arg(long, value_name = "FILE")]
    pub save_plan: Option<PathBuf>,
    /// How it is started.
    #[command(flatten)]
    pub start: StartArgs,
}

/// What data lines are written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum DataFormat {
    /// DynamoDB JSON
    Json,
    /// Amazon Ion text
    Ion,
}
