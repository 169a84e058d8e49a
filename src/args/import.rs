//! The arguments of `import`.

use std::path::PathBuf;

use clap::Args as ClapArgs;
use tableferry_policy::arn::Region;

use super::OutputArgs;
use crate::job::table_definition::{Capacity, KeyPart};
use crate::job::value::InvalidValue;

pub(super) const IMPORT_HELP: &str = "\
The table's keys, indexes and capacity are those of the exported table, which is read as the run's source or
as --source-profile; --partition-key says them where it cannot be read. What an import cannot carry (local
indexes, streams, time to live, tags, recovery, protection, policies) is listed with the command for each.

Exit status: 0 imported, and the counts are those of the manifests; 1 the import failed, or the counts
differ; 2 the usage is wrong; 3 refused before the start; 4 cut off while the import goes on; 5 imported,
with nothing to compare the counts with.";

/// How `import` goes.
#[derive(Debug, ClapArgs)]
pub struct ImportArgs {
    /// The full export: a run's number, an export's ARN, or its folder in a bucket (`s3://…`)
    pub export: String,
    /// The name of the new table
    #[arg(long, value_name = "NAME")]
    pub table: String,
    /// The profile that imports, in the account of the new table; the destination's of the run if left
    /// out, or the one that `AWS_PROFILE` chooses
    #[arg(long, value_name = "NAME")]
    pub profile: Option<String>,
    /// The Region of the new table, where it is not the profile's
    #[arg(long)]
    pub region: Option<Region>,
    /// The profile that reads the exported table; the source's of the run if left out
    #[arg(long, value_name = "NAME")]
    pub source_profile: Option<String>,
    /// The partition key of the new table, such as orderId:S, in place of reading the exported table
    #[arg(long, value_name = "NAME:TYPE", value_parser = key_part)]
    pub partition_key: Option<KeyPart>,
    /// Its sort key
    #[arg(long, value_name = "NAME:TYPE", value_parser = key_part, requires = "partition_key")]
    pub sort_key: Option<KeyPart>,
    /// Read and write capacity units, such as 5,5; without it the capacity is the exported table's
    #[arg(long, value_name = "READ,WRITE", value_parser = capacity)]
    pub capacity: Option<Capacity>,
    /// Make the table with on-demand capacity, whatever the exported table's is
    #[arg(long, conflicts_with = "capacity")]
    pub on_demand: bool,
    /// Leave the global indexes out
    #[arg(long)]
    pub without_indexes: bool,
    /// Encrypt the table with this customer managed key
    #[arg(long, value_name = "ARN")]
    pub key: Option<String>,
    /// The export is filtered, and its lines have the table's keys
    #[arg(long)]
    pub filtered: bool,
    /// Write the plan of the import to a file, for `check`, `policies`, `apply` and `run`, and start nothing
    #[arg(long, value_name = "FILE", conflicts_with = "start")]
    pub write_plan: Option<PathBuf>,
    /// How it starts.
    #[command(flatten)]
    pub start: ImportStartArgs,
}

/// How an import starts.
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a flag of the command line, and any of them may be given with any other"
)]
#[derive(Debug, ClapArgs)]
#[group(id = "start", multiple = true)]
pub struct ImportStartArgs {
    /// Answer the question before the start with yes; needed without a terminal
    #[arg(long)]
    pub yes: bool,
    /// End after the start, without waiting for the import
    #[arg(long)]
    pub no_wait: bool,
    /// Start although the check before it shows that AWS will refuse
    #[arg(long)]
    pub force: bool,
    /// Do all that comes before the question, and start nothing
    #[arg(long, conflicts_with_all = ["yes", "no_wait"])]
    pub dry_run: bool,
    /// The name of an account that is marked production, in place of typing it
    #[arg(long, value_name = "NAME")]
    pub production: Vec<String>,
    /// How to print.
    #[command(flatten)]
    pub output: OutputArgs,
}

fn key_part(text: &str) -> Result<KeyPart, String> {
    text.parse()
        .map_err(|invalid: InvalidValue| format!("{}: {}", invalid.message, invalid.hint))
}

fn capacity(text: &str) -> Result<Capacity, String> {
    let units = |text: &str| text.trim().parse().ok().filter(|units| *units > 0);
    text.split_once(',')
        .and_then(|(read, write)| {
            Some(Capacity {
                read_units: units(read)?,
                write_units: units(write)?,
            })
        })
        .ok_or_else(|| "give read and write units of 1 or more, such as 5,5".to_owned())
}
