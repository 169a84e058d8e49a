//! The arguments of `mask`.

use std::path::PathBuf;

use clap::Args as ClapArgs;

use super::OutputArgs;
use crate::archive::line::KeyAttribute;

pub(super) const MASK_HELP: &str = "\
EXPORT is the number of a run (all its completed exports), an export's ARN, s3://BUCKET/PREFIX/AWSDynamoDB/ID,
or a directory. The plan's source reads it and writes the masked copy, whose files and manifests are laid out
as an export's; its summary says that it is masked, and of what it is a copy. Every file is checked while it is
read, and every masked line before it is written. No two masked items may have one key. Run again after a
break, it goes on where it stopped, with the same secret and the same [mask].

Exit status: 0 the masked copy is complete; 1 the export is damaged, or two masked items have one key; 2 the
usage is wrong; 3 refused before anything was written; 4 cut off, or sign-in needed; 5 something could not be
read.";

/// How `mask` goes.
#[derive(Debug, ClapArgs)]
pub struct MaskArgs {
    /// The export that is masked
    pub export: String,
    /// The plan whose `[mask]` says what is masked, and whose source reads and writes
    #[arg(long, value_name = "PLAN")]
    pub plan: PathBuf,
    /// Where the masked copy goes: `s3://BUCKET/PREFIX`, in the account of the plan's destination, or a
    /// directory; left out, the plan's destination
    #[arg(long, value_name = "PLACE")]
    pub to: Option<String>,
    /// A key attribute of the table with its type S, N or B, as in orderId:S; given twice for a sort key.
    /// Left out, the table is asked where it is still there, and incremental exports name their keys
    #[arg(long, value_name = "NAME:TYPE")]
    pub key: Vec<KeyAttribute>,
    /// Answer the question before a bucket is written to with yes; needed without a terminal
    #[arg(long)]
    pub yes: bool,
    /// The name of an account that is marked production, in place of typing it
    #[arg(long, value_name = "NAME")]
    pub production: Vec<String>,
    /// How to print.
    #[command(flatten)]
    pub output: OutputArgs,
}
