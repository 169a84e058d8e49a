//! Why an archive was not verified; what is damaged in one that was is no error.

use std::io;
use std::path::PathBuf;

use crate::aws::failure::Failure;
use crate::journal::JournalError;
use crate::work::event::Side;
use tableferry_policy::arn::Arn;

/// Why an archive was not verified.
#[derive(Debug, thiserror::Error)]
pub enum ArchiveError {
    /// There is no such directory.
    #[error("there is no directory {}", path.display())]
    NoDirectory {
        /// What was named.
        path: PathBuf,
    },
    /// There is no manifest.
    #[error("there is no manifest-summary.json in {place}")]
    NoManifest {
        /// What was named.
        place: String,
    },
    /// There is more than one export.
    #[error("there are several exports in {place}: {}", exports.join(", "))]
    SeveralExports {
        /// What was named.
        place: String,
        /// Their folders.
        exports: Vec<String>,
    },
    /// DynamoDB does not know the export.
    #[error("there is no such export: {0}")]
    NoSuchExport(Box<Failure>),
    /// The export is under way.
    #[error("the export is still running: {0}")]
    StillRunning(Arn),
    /// The export failed.
    #[error("the export failed: {code}: {message}")]
    ExportFailed {
        /// AWS's code.
        code: String,
        /// AWS's message.
        message: String,
    },
    /// A file cannot be read.
    #[error("cannot read {place}: {error}")]
    Unreadable {
        /// The file.
        place: String,
        /// Why.
        error: io::Error,
    },
    /// A call failed.
    #[error("{0}")]
    Call(Box<Failure>),
    /// Nobody is signed in.
    #[error("the {0} is not signed in")]
    NotSignedIn(Side),
    /// The configuration allows no download of this size.
    #[error(
        "the data files have {}, and the configuration allows a download of {}",
        bytesize::ByteSize(*bytes),
        bytesize::ByteSize(*largest)
    )]
    TooLarge {
        /// The bytes of the data files.
        bytes: u64,
        /// Those that are allowed.
        largest: u64,
    },
    /// The configuration allows no copy on this machine.
    #[error("the configuration forbids copies of archives on this machine")]
    CopiesForbidden,
    /// The directory cannot take a copy.
    #[error("{} takes no copy: {problem}", path.display())]
    UnusableDirectory {
        /// What was named.
        path: PathBuf,
        /// Why.
        problem: String,
    },
    /// The file system is too full for a copy.
    #[error(
        "{} has no room: {} are to be written, and {} are free",
        path.display(),
        bytesize::ByteSize(*needed),
        bytesize::ByteSize(*free)
    )]
    NoRoom {
        /// The directory.
        path: PathBuf,
        /// The bytes that are missing there.
        needed: u64,
        /// The bytes that are free.
        free: u64,
    },
    /// A copy cannot be written.
    #[error("the copy cannot be written: {0}")]
    Copy(io::Error),
    /// It is too damaged to be read at all.
    #[error("{place} cannot be read: {problem}")]
    Damaged {
        /// The archive.
        place: String,
        /// What is damaged.
        problem: String,
    },
    /// The index of keys cannot be written.
    #[error("the index of keys cannot be kept: {0}")]
    Index(io::Error),
    /// It is not masked.
    #[error("{0}")]
    NotMasked(MaskRefusal),
    /// The journal cannot be read or written.
    #[error("{0}")]
    Journal(#[from] JournalError),
    /// It was cut off.
    #[error("cut off before the archive was read to its end")]
    CutOff,
}

/// Why an archive is not masked, of which nothing was written yet.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MaskRefusal {
    /// Its lines are Ion.
    #[error("the export is in Ion, and a mask reads DynamoDB JSON")]
    Ion,
    /// Nobody knows which attributes are the keys.
    #[error("the keys of the table are not known, so that nothing shows that they stay distinct")]
    UnknownKeys,
    /// An attribute of the key is masked otherwise than by `hash`.
    #[error(
        "`{path}` is of the table's key and would be masked by `{method}`, which may make two keys one"
    )]
    Key {
        /// The path.
        path: String,
        /// The method.
        method: &'static str,
    },
    /// The masked archive would lie where the export lies.
    #[error("the masked archive would lie where the export lies: {0}")]
    SamePlace(String),
    /// Something lies there that this masking did not write.
    #[error("an archive, or a part of one, lies in {0} already")]
    Occupied(String),
    /// The masking was begun with another secret.
    #[error("the masking into {0} was begun with another secret")]
    OtherSecret(String),
    /// The masking was begun by other rules.
    #[error("the masking into {0} was begun with other attributes in [mask]")]
    OtherRules(String),
    /// What an earlier process did of it is not to be had, as where another process is at it.
    #[error(
        "another process masks this archive into {0}, or what was done of it cannot be kept beside the journal"
    )]
    Busy(String),
}

impl From<MaskRefusal> for ArchiveError {
    fn from(refusal: MaskRefusal) -> Self {
        Self::NotMasked(refusal)
    }
}

impl From<Failure> for ArchiveError {
    fn from(failure: Failure) -> Self {
        Self::Call(Box::new(failure))
    }
}
