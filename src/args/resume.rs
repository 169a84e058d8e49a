//! The arguments of the commands on runs of the journal: `resume` and `exports`.

use clap::Args as ClapArgs;

use super::{FinishArgs, OutputArgs};
use tableferry_policy::arn::Arn;

/// What `resume` does with calls that went unanswered.
pub(super) const RESUME_HELP: &str = "\
A call whose answer never came may have started an export. It is looked up by its token first (ListExports,
DescribeExport). One that is not found is made again with the same token for seven hours by AWS's clock,
within which DynamoDB answers with the same export. After that, or where the time of the call is not known,
it is made again only once the listing proves that it started none; otherwise it stays open (exit status 4),
and --started or --not-started settles it.";

/// How `resume` goes.
#[derive(Debug, ClapArgs)]
pub struct ResumeArgs {
    /// The run's number; all runs that are not finished if left out
    pub run: Option<i64>,
    /// Settle a call that went unanswered and cannot be looked up: it started the export with this ARN,
    /// as the console or `aws dynamodb list-exports` shows it. The journal keeps on whose word
    #[arg(
        long,
        value_name = "ARN",
        requires = "run",
        conflicts_with = "not_started"
    )]
    pub started: Option<Arn>,
    /// Settle such a call the other way: it started no export. `run --only TABLE` then starts one
    #[arg(long, requires = "run")]
    pub not_started: bool,
    /// With --not-started, the table that is meant, by name or ARN, where several are open; may be given
    /// several times
    #[arg(long, value_name = "TABLE", requires = "not_started")]
    pub only: Vec<String>,
    /// Look again at the files of all completed exports of the run, whatever was found before. Without
    /// it, those are looked at that were not verified yet, or could not be read
    #[arg(long, requires = "run", conflicts_with_all = ["started", "not_started"])]
    pub verify_again: bool,
    /// What is called at the end.
    #[command(flatten)]
    pub finish: FinishArgs,
    /// How to print.
    #[command(flatten)]
    pub output: OutputArgs,
}

/// How `exports` goes.
#[derive(Debug, ClapArgs)]
pub struct ExportsArgs {
    /// Follow the exports that are under way, until ctrl-c
    #[arg(long)]
    pub watch: bool,
    /// How to print.
    #[command(flatten)]
    pub output: OutputArgs,
}
