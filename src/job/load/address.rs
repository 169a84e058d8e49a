//! Where an export's files are read from.

use std::fmt;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::job::import::parse::archive;
use crate::job::value::InvalidValue;
use tableferry_policy::arn::{AccountId, BucketName};

/// Where an export's files are read from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ArchiveAddress {
    /// A folder of a bucket that holds the manifests, with a closing slash.
    Bucket {
        /// The bucket.
        bucket: BucketName,
        /// The account that must own it, where that is known.
        owner: Option<AccountId>,
        /// The folder.
        folder: String,
    },
    /// A directory of this machine that holds the manifests, in full.
    Directory(PathBuf),
}

impl ArchiveAddress {
    /// Reads `s3://BUCKET/PREFIX/AWSDynamoDB/EXPORT-ID`, or a directory in full.
    ///
    /// # Errors
    /// Where it is neither.
    pub(super) fn parse(text: &str, owner: Option<&AccountId>) -> Result<Self, InvalidValue> {
        if text.starts_with("s3://") {
            let (bucket, prefix) = archive(text)?;
            return Ok(Self::Bucket {
                bucket,
                owner: owner.cloned(),
                folder: format!("{prefix}/"),
            });
        }
        directory(text).map(Self::Directory)
    }
}

impl fmt::Display for ArchiveAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bucket { bucket, folder, .. } => {
                write!(f, "s3://{bucket}/{}", folder.trim_end_matches('/'))
            }
            Self::Directory(path) => write!(f, "{}", path.display()),
        }
    }
}

/// A directory in full: a plan is carried out from whatever directory.
pub(super) fn directory(text: &str) -> Result<PathBuf, InvalidValue> {
    let path = PathBuf::from(text);
    if path.is_absolute() {
        return Ok(path);
    }
    Err(InvalidValue {
        message: format!("`{text}` is neither an s3:// address nor a directory in full"),
        hint: "give s3://BUCKET/PREFIX/AWSDynamoDB/EXPORT-ID, or a directory from / on".to_owned(),
    })
}
