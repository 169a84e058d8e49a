//! The arguments of the commands that work on archives.

use std::path::PathBuf;

use clap::{Args as ClapArgs, ValueEnum};

use super::{OutputArgs, Since};
use crate::archive::line::KeyAttribute;
use crate::work::CopyForm;
use tableferry_policy::arn::{AccountId, Region};

/// What `verify` looks at.
pub(super) const VERIFY_HELP: &str = "\
ARCHIVE is the number of a run (all its completed exports), an export's ARN, s3://BUCKET/PREFIX/AWSDynamoDB/ID,
or a directory with a copy of that folder; a directory whose name is a number is ./3. A moved or copied
archive is verified as it lies: files are found beside their manifest.

With --deep each data file is read once: the MD5 of its bytes, its gzip to the end, and each line as
DynamoDB JSON or Ion of that kind of export; keys that stand twice are found across all files. Faults are
told by file, line and attribute path, and never by value.

Where S3 or KMS refuses, what the reader lacks is told as `check` tells it: what decides, as far as that can be
read, and what fixes it. --save-plan writes the reading as a plan for `policies` and `apply`.

Exit status: 0 whole; 1 damaged; 2 the usage is wrong; 3 larger than [limits] allow; 4 cut off, the export
is still running, or sign-in needed; 5 undecided, or not to be read.";

/// How `verify` goes.
#[derive(Debug, ClapArgs)]
pub struct VerifyArgs {
    /// What is verified
    pub archive: String,
    /// Read every byte
    #[arg(long)]
    pub deep: bool,
    /// Who reads.
    #[command(flatten)]
    pub reader: ReaderArgs,
    /// How to print.
    #[command(flatten)]
    pub output: OutputArgs,
}

/// What `fetch` does.
pub(super) const FETCH_HELP: &str = "\
EXPORT is the number of a run (all its completed exports), an export's ARN, or
s3://BUCKET/PREFIX/AWSDynamoDB/ID. DIRECTORY is made for you alone (0700, files 0600) where there is none;
one that others may look into, or of another user, is refused. The files keep their layout, so that
`tableferry verify DIRECTORY` holds. None has its final name before it was read to its end and its MD5 is
the manifest's; manifests come last. Run again after a break, it goes on where it stopped.

--as json writes DIRECTORY/ID/*.jsonl: one plain JSON object a line, sets as arrays, binary values as base64,
a number as a string where a double cannot hold it.

Exit status: 0 all is here and whole; 1 damaged; 2 the usage is wrong; 3 refused: [allowed] local_copies,
[limits] largest_download, the directory, no room, or a production account whose name was not given; 4 cut
off, the export is still running, or sign-in needed; 5 something could not be read.";

/// How `fetch` goes.
#[derive(Debug, ClapArgs)]
pub struct FetchArgs {
    /// What is fetched
    pub export: String,
    /// Where it goes
    pub directory: PathBuf,
    /// What is written there
    #[arg(long = "as", value_enum, value_name = "FORM", default_value_t = FetchForm::Archive)]
    pub form: FetchForm,
    /// Who reads.
    #[command(flatten)]
    pub reader: ReaderArgs,
    /// The name of the account whose items are fetched, where it is marked production, in place of typing
    /// it; may be given several times
    #[arg(long, value_name = "NAME")]
    pub production: Vec<String>,
    /// How to print.
    #[command(flatten)]
    pub output: OutputArgs,
}

/// What `fetch` writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum FetchForm {
    /// The archive as it is
    Archive,
    /// Its items as plain JSON
    Json,
}

impl From<FetchForm> for CopyForm {
    fn from(form: FetchForm) -> Self {
        match form {
            FetchForm::Archive => Self::Archive,
            FetchForm::Json => Self::PlainJson,
        }
    }
}

/// Who reads an archive, and what is known of it.
#[derive(Debug, Clone, ClapArgs)]
pub struct ReaderArgs {
    /// A key attribute of the table with its type S, N or B, as in orderId:S; given twice for a sort key.
    /// Left out, the table is asked where it is still there, and incremental exports name their keys
    #[arg(long, value_name = "NAME:TYPE")]
    pub key: Vec<KeyAttribute>,
    /// Who reads the bucket.
    #[command(flatten)]
    pub bucket: BucketReaderArgs,
}

/// Who reads what lies in a bucket, and what comes of a refusal.
#[derive(Debug, Clone, ClapArgs)]
pub struct BucketReaderArgs {
    /// The profile that reads, in place of those of a run, or of `AWS_PROFILE`
    #[arg(long, value_name = "NAME")]
    pub profile: Option<String>,
    /// The account that must own the bucket of an s3:// address
    #[arg(long, value_name = "ACCOUNT")]
    pub bucket_owner: Option<AccountId>,
    /// Where S3 or KMS refuses, write the reading to a new file as a plan with `kind = "read"`, for
    /// `policies` and `apply`
    #[arg(long, value_name = "FILE")]
    pub save_plan: Option<PathBuf>,
}

/// How `archives` goes.
#[derive(Debug, ClapArgs)]
pub struct ArchivesArgs {
    /// A bucket as `s3://BUCKET`, or what lies below a prefix as `s3://BUCKET/PREFIX`
    pub place: String,
    /// Who reads the bucket.
    #[command(flatten)]
    pub bucket: BucketReaderArgs,
    /// How to print.
    #[command(flatten)]
    pub output: OutputArgs,
}

/// What `athena` writes.
pub(super) const ATHENA_HELP: &str = "\
EXPORT is as of `verify`. The columns are those of the items themselves, of which up to --sample are read from
the beginning of every data file. Attributes keep their types as fields, as in item.total.n; sets are arrays.
Names that differ in case only, or hold dots or other signs, are mapped. Each export is a partition: a full one
by its folder, an incremental one by the list of its files, which --list writes and the statements say where
to put. Nothing is created in any account.

Exit status: 0 written; 1 damaged; 2 the usage is wrong; 3 refused; 4 cut off; 5 not to be read.";

/// How `athena` goes.
#[derive(Debug, ClapArgs)]
pub struct AthenaArgs {
    /// What is to be queried
    pub export: String,
    /// The name of the table in Athena, in place of one made of the table's
    #[arg(long, value_name = "NAME")]
    pub table: Option<String>,
    /// How many items are read for the columns
    #[arg(long, value_name = "ITEMS", default_value_t = 10_000)]
    pub sample: u64,
    /// Write the list of the data files in place of the statements
    #[arg(long, conflicts_with_all = ["table"])]
    pub list: bool,
    /// Who reads.
    #[command(flatten)]
    pub reader: ReaderArgs,
}

/// What `history` tells.
pub(super) const HISTORY_HELP: &str = "\
With --output json an object a line, of events operation, change, probe, verification and imported_export, each
with at and, where there are files, uri. --import asks DynamoDB for the exports that it still knows (90 days, in
one Region) and keeps what it says of those that this machine did not start.

--export FILE writes what is told of exports and of verifications in buckets, for --import FILE on another machine;
it holds no credential, plan, policy or item, and its digest shows where it was altered. Nothing is doubled that is
known there.

Exit status: 0 told; 2 the usage is wrong; 3 the journal cannot be read; 4 sign-in needed; 5 not all exports could
be described.";

/// How `history` goes.
#[derive(Debug, ClapArgs)]
pub struct HistoryArgs {
    /// Only what concerns this table, by its name or ARN
    #[arg(long, value_name = "TABLE")]
    pub table: Option<String>,
    /// Only what was done since: days, such as `30d`, hours, such as `6h`, or a time
    #[arg(long, value_name = "TIME", value_parser = Since::parse)]
    pub since: Option<Since>,
    /// Take in the exports that `ListExports` and `DescribeExport` still have, or with FILE what another machine
    /// wrote by --export
    #[arg(long, value_name = "FILE", num_args = 0..=1)]
    pub import: Option<Option<PathBuf>>,
    /// Write what is told, as far as it can be handed on, to a new file in place of telling it
    #[arg(long, value_name = "FILE", conflicts_with = "import")]
    pub export: Option<PathBuf>,
    /// The profile whose exports are taken in, in place of `AWS_PROFILE`
    #[arg(long, value_name = "NAME", requires = "import")]
    pub profile: Option<String>,
    /// The Region of those exports, in place of the profile's
    #[arg(long, value_name = "REGION", requires = "import")]
    pub region: Option<Region>,
    /// How to print.
    #[command(flatten)]
    pub output: OutputArgs,
}

/// How `report` goes.
#[derive(Debug, ClapArgs)]
pub struct ReportArgs {
    /// The run's number
    pub run: i64,
    /// How to print: Markdown, or one JSON object.
    #[command(flatten)]
    pub output: OutputArgs,
}
