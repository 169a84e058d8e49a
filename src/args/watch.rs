//! The arguments of `watch`.

use clap::Args as ClapArgs;

use super::{FinishArgs, OutputArgs};
use tableferry_policy::arn::{Arn, Region};

/// What `watch` follows and prints.
pub(super) const WATCH_HELP: &str = "\
Without an ARN, --account or --all it follows what the journal has under way, and verifies what completes.
Exports that another machine started are only looked at: `tableferry verify ARN` verifies one. ctrl-c ends the
watching, not the exports.

Files and bytes that appeared are compressed; the size of the table is not, and DynamoDB counts it every six
hours. The time left is told only where at least two exports of that table were completed: their median.

With --output json an object a line: events export (account, region, table, export_arn, run, status, started_at,
ended_at, elapsed_seconds, files_seen, compressed_bytes_seen, table_bytes, seconds_left, guessed_from_exports,
failure_code, failure_message, causes, verified, uri, unknown), note, error and, last, finished.

Exit status: 0 all are complete; 1 one failed, or did not verify; 2 the usage is wrong; 3 nothing could be
watched; 4 cut off while exports go on, or sign-in needed and no terminal; 5 how one stands is not known, or it
could not be verified.";

/// How `watch` goes.
#[derive(Debug, ClapArgs)]
pub struct WatchArgs {
    /// Exports by their ARNs, also those started elsewhere
    #[arg(value_name = "ARN")]
    pub exports: Vec<Arn>,
    /// What the journal has under way, and all other exports under way in the source accounts of its runs
    #[arg(long, conflicts_with = "exports")]
    pub all: bool,
    /// All exports under way in the account of this profile; may be given several times
    #[arg(long = "account", value_name = "PROFILE")]
    pub accounts: Vec<String>,
    /// The Region in which --account looks, in place of the profile's; may be given several times
    #[arg(long = "region", value_name = "REGION", requires = "accounts")]
    pub regions: Vec<Region>,
    /// The profile that asks after an ARN, in place of that of its run, or of `AWS_PROFILE`
    #[arg(long, value_name = "NAME", requires = "exports")]
    pub profile: Option<String>,
    /// What is called at the end.
    #[command(flatten)]
    pub finish: FinishArgs,
    /// How to print.
    #[command(flatten)]
    pub output: OutputArgs,
}
