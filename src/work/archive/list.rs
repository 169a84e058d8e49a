//! Finding the exports that lie in a bucket, without listing their data files.
//!
//! Folders are walked by their names alone: an export's folder is one below a folder `AWSDynamoDB` whose name
//! is an export's id. The walk is bounded, since a bucket may hold millions of other folders; what was not
//! looked into is told.

use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use tokio_util::sync::CancellationToken;

use super::bucket::ArchiveFolder;
use super::error::ArchiveError;
use super::manifests::LARGEST_MANIFEST;
use crate::archive::layout::{ExportId, FOLDER};
use crate::archive::manifest::{LIST_FILE, SUMMARY_FILE, Summary};
use crate::archive::overview::{FoundExport, FoundState};
use crate::aws::failure::Failure;
use crate::work::{Side, Work};
use tableferry_policy::arn::{AccountId, BucketName};

/// The most folders that are looked into on the way to exports.
const MOST_FOLDERS: usize = 2000;
/// The most levels of folders above an export.
const DEEPEST: usize = 8;
/// How many exports are looked at at once.
const ASKED_AT_ONCE: usize = 16;

/// What was found in a bucket.
#[derive(Debug)]
pub struct ListedArchives {
    /// The exports.
    pub exports: Vec<FoundExport>,
    /// Folders that were not looked into, because there are too many or they lie too deep.
    pub not_looked_into: u64,
}

impl Work {
    /// The exports below a prefix of a bucket, by their manifests.
    ///
    /// # Errors
    /// Where the bucket cannot be listed, or a manifest not be read.
    pub async fn list_archives(
        &self,
        side: Side,
        bucket: &BucketName,
        prefix: &str,
        owner: Option<&AccountId>,
        cancel: &CancellationToken,
    ) -> Result<ListedArchives, ArchiveError> {
        let session = self.session(side).ok_or(ArchiveError::NotSignedIn(side))?;
        let listing = async {
            let region = session.s3(&session.region).locate(bucket).await?.region;
            let bucket = ArchiveFolder {
                s3: session.s3(&region),
                name: bucket.clone(),
                owner: owner.cloned(),
                folder: String::new(),
            };
            let (found, not_looked_into) = export_folders(&bucket, prefix).await?;
            let exports = stream::iter(found)
                .map(|(id, folder)| look_at(&bucket, id, folder))
                .buffered(ASKED_AT_ONCE)
                .try_collect()
                .await?;
            Ok(ListedArchives {
                exports,
                not_looked_into,
            })
        };
        tokio::select! {
            biased;
            () = cancel.cancelled() => Err(ArchiveError::CutOff),
            listed = listing => listed,
        }
    }
}

/// The folders of exports below a prefix, level by level, and how many folders were not looked into.
async fn export_folders(
    bucket: &ArchiveFolder,
    prefix: &str,
) -> Result<(Vec<(ExportId, String)>, u64), Failure> {
    let start = match prefix.trim_end_matches('/') {
        "" => String::new(),
        prefix => format!("{prefix}/"),
    };
    let mut found = Vec::new();
    found.extend(export_folder(&start));
    let (mut level, mut looked, mut left) = (vec![start], 0, 0);
    for _ in 0..=DEEPEST {
        let rest = MOST_FOLDERS.saturating_sub(looked);
        left += level.len().saturating_sub(rest);
        level.truncate(rest);
        looked += level.len();
        let below: Vec<Vec<String>> = stream::iter(&level)
            .map(|folder| bucket.folders(folder))
            .buffered(ASKED_AT_ONCE)
            .try_collect()
            .await?;
        level = Vec::new();
        for folder in below.into_iter().flatten() {
            if let Some(export) = export_folder(&folder) {
                found.push(export);
            } else if !is_of_exports(&folder) {
                level.push(folder);
            }
        }
        if level.is_empty() {
            break;
        }
    }
    left += level.len();
    Ok((found, u64::try_from(left).unwrap_or(u64::MAX)))
}

/// The export whose folder it is.
fn export_folder(folder: &str) -> Option<(ExportId, String)> {
    let mut parts = folder.trim_end_matches('/').rsplit('/');
    let id = parts.next()?.parse().ok()?;
    (parts.next() == Some(FOLDER)).then(|| (id, folder.to_owned()))
}

/// Whether it lies below a folder of exports, such as the data that incremental ones share.
fn is_of_exports(folder: &str) -> bool {
    let mut parts = folder.trim_end_matches('/').rsplit('/');
    parts.next();
    parts.next() == Some(FOLDER)
}

/// What is known of an export by its manifests.
async fn look_at(
    bucket: &ArchiveFolder,
    id: ExportId,
    folder: String,
) -> Result<FoundExport, Failure> {
    let key = format!("{folder}{SUMMARY_FILE}");
    let state = match bucket.read(&key, LARGEST_MANIFEST).await? {
        None => FoundState::WithoutSummary,
        Some(bytes) => match Summary::parse(&bytes) {
            Err(error) => FoundState::Unreadable(error.to_string()),
            Ok(summary) => match bucket.size(&format!("{folder}{LIST_FILE}")).await? {
                Some(_) => FoundState::Complete(Box::new(summary)),
                None => FoundState::WithoutList(Box::new(summary)),
            },
        },
    };
    Ok(FoundExport { id, folder, state })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_exports_folder_is_told_by_its_name_and_the_one_above() {
        let id = "01693685827463-2d8752fd";
        let folder = format!("p/AWSDynamoDB/{id}/");
        let (found, named) = export_folder(&folder).unwrap();
        assert_eq!((found.as_str(), named), (id, folder));
        for other in [
            "p/AWSDynamoDB/data/",
            "p/AWSDynamoDB/",
            &format!("p/{id}/"),
            "",
        ] {
            assert!(export_folder(other).is_none(), "{other}");
        }
        assert!(is_of_exports("p/AWSDynamoDB/data/"));
        assert!(!is_of_exports("p/AWSDynamoDB/"));
    }
}
