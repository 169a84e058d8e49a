//! The arguments of `load` and `replay`.

use std::path::PathBuf;

use clap::Args as ClapArgs;
use tableferry_policy::arn::Region;

use super::OutputArgs;
use crate::job::TableRef;
use crate::job::value::InvalidValue;

pub(super) const LOAD_HELP: &str = "\
EXPORT is a run's number, an export's ARN, its folder in a bucket (s3://BUCKET/PREFIX/AWSDynamoDB/ID) or a
directory that `fetch` made. Its items are written as they were exported, by BatchWriteItem at a bounded rate;
an item of the same key is replaced, and items that the export lacks stay. The table must be ACTIVE, have the
exported table's keys, and have point-in-time recovery on; the moment before the first write is kept in the
journal and printed with the command that restores the table to it. The table's name is typed, or given with
--confirm. What is cut off is gone on with by `tableferry resume`.

Exit status: 0 written, and the counts are those of the manifests; 1 the counts differ; 2 the usage is wrong;
3 refused before the first write; 4 cut off, refused on the way, or sign-in needed.";

pub(super) const REPLAY_HELP: &str = "\
Each EXPORT is an incremental export, named as `load` names one; --full is the full export that the table was
loaded or imported from. The windows are put in order: the first must begin at the full export's time or
before, and none may be missing between them. Each is written once every request of the one before was
answered. A window holds the last state of each item that changed in it, so that one that is written twice
changes nothing. Nothing else may write to the table meanwhile.

--dry-run reads all of it and counts what would be put and deleted.

Exit status: as of `load`.";

/// How `load` goes.
#[derive(Debug, ClapArgs)]
pub struct LoadArgs {
    /// The full export
    pub export: String,
    /// The export is filtered: what its projection leaves out is not in the items that are written
    #[arg(long)]
    pub filtered: bool,
    /// Into what, and how.
    #[command(flatten)]
    pub into: IntoTableArgs,
}

/// How `replay` goes.
#[derive(Debug, ClapArgs)]
pub struct ReplayArgs {
    /// The incremental exports
    #[arg(required = true, value_name = "EXPORT")]
    pub exports: Vec<String>,
    /// The full export that the table holds
    #[arg(long, value_name = "EXPORT")]
    pub full: String,
    /// Into what, and how.
    #[command(flatten)]
    pub into: IntoTableArgs,
}

/// The table that is written into, who writes, and how fast.
#[derive(Debug, ClapArgs)]
pub struct IntoTableArgs {
    /// The table that is written into, by its name or ARN
    #[arg(long, value_name = "NAME", value_parser = table)]
    pub table: TableRef,
    /// The profile that writes, in the table's account; the destination's of the run if left out, or the one
    /// that `AWS_PROFILE` chooses
    #[arg(long, value_name = "NAME")]
    pub profile: Option<String>,
    /// The Region of the table, where it is not the profile's
    #[arg(long)]
    pub region: Option<Region>,
    /// The profile that reads the export, where it is not the one that writes
    #[arg(long, value_name = "NAME")]
    pub reader_profile: Option<String>,
    /// The most write units a second; by default 1000, or the table's provisioned units where they are fewer
    #[arg(long, value_name = "UNITS", value_parser = clap::value_parser!(u64).range(1..))]
    pub max_write_units: Option<u64>,
    /// Write into the table although it is the one that was exported
    #[arg(long)]
    pub onto_source: bool,
    /// Write the plan to a file, for `check`, `policies`, `apply` and `run`, and start nothing
    #[arg(long, value_name = "FILE", conflicts_with = "load_start")]
    pub write_plan: Option<PathBuf>,
    /// How it starts.
    #[command(flatten)]
    pub start: LoadStartArgs,
}

/// How a load or a replay starts.
#[derive(Debug, ClapArgs)]
#[group(id = "load_start", multiple = true)]
pub struct LoadStartArgs {
    /// Answer the question before the start with yes; needed without a terminal
    #[arg(long, requires = "confirm")]
    pub yes: bool,
    /// The name of the table that is written into, in place of typing it
    #[arg(long, value_name = "TABLE")]
    pub confirm: Option<String>,
    /// Start although the check before it shows that AWS will refuse
    #[arg(long)]
    pub force: bool,
    /// Do all that comes before the question, and write nothing
    #[arg(long, conflicts_with = "yes")]
    pub dry_run: bool,
    /// The name of an account that is marked production, in place of typing it
    #[arg(long, value_name = "NAME")]
    pub production: Vec<String>,
    /// How to print.
    #[command(flatten)]
    pub output: OutputArgs,
}

fn table(text: &str) -> Result<TableRef, String> {
    text.parse()
        .map_err(|invalid: InvalidValue| format!("{}: {}", invalid.message, invalid.hint))
}
