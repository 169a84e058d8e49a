//! Where an export's files lie: by the journal, and by what `DescribeExport` says.

use std::path::PathBuf;

use super::error::ArchiveError;
use crate::archive::layout::{ExportId, Layout};
use crate::aws::dynamodb::ExportStatus;
use crate::job::{Prefix, Span};
use crate::journal::ExportRecord;
use crate::work::{Side, Work, region_of};
use tableferry_policy::arn::{AccountId, Arn, BucketName};

/// Where an archive lies.
#[derive(Debug, Clone)]
pub enum ArchivePlace {
    /// A directory that holds the manifests, or one above it.
    Directory(PathBuf),
    /// A folder of a bucket that holds the manifests.
    Bucket {
        /// The side that reads it; it must be signed in.
        side: Side,
        /// The bucket.
        bucket: BucketName,
        /// The account that must own it, where that is known.
        owner: Option<AccountId>,
        /// The folder, with a closing slash.
        folder: String,
    },
}

impl ArchivePlace {
    /// The folder in which all files of the export lie: above its own, since those of incremental exports lie
    /// beside it. `None` of a directory.
    #[must_use]
    pub fn folder_of_all(&self) -> Option<Prefix> {
        let Self::Bucket { folder, .. } = self else {
            return None;
        };
        let above = folder.trim_end_matches('/').rsplit_once('/')?.0;
        above.parse().ok()
    }
}

impl Work {
    /// Where the files of a completed export of the journal lie: as the destination reads them where it is
    /// signed in.
    #[must_use]
    pub fn archive_of(&self, export: &ExportRecord) -> Option<ArchivePlace> {
        let folder = match layout_of(export) {
            Some(layout) => layout.folder(),
            None => folder_of_manifest(&summary_key(export)?),
        };
        let side = if self.session(Side::Destination).is_some() {
            Side::Destination
        } else {
            Side::Source
        };
        Some(ArchivePlace::Bucket {
            side,
            bucket: export.request.bucket.clone(),
            owner: export.request.bucket_owner.clone(),
            folder,
        })
    }

    /// Where the files of an export lie, and whether it has a filter, by `DescribeExport`.
    ///
    /// # Errors
    /// Where there is no such export, or it is not complete.
    pub async fn described_archive(
        &self,
        side: Side,
        arn: &Arn,
    ) -> Result<(ArchivePlace, bool), ArchiveError> {
        let session = self.session(side).ok_or(ArchiveError::NotSignedIn(side))?;
        let region = region_of(arn, &session);
        let described = session.dynamodb(&region).describe_export(arn).await;
        let export = described.map_err(|failure| {
            if failure.code.as_deref() == Some("ExportNotFoundException") {
                ArchiveError::NoSuchExport(Box::new(failure))
            } else {
                failure.into()
            }
        })?;
        match export.status {
            ExportStatus::Completed => {}
            ExportStatus::InProgress => return Err(ArchiveError::StillRunning(arn.clone())),
            ExportStatus::Failed => {
                return Err(ArchiveError::ExportFailed {
                    code: export.failure_code.unwrap_or_default(),
                    message: export.failure_message.unwrap_or_default(),
                });
            }
        }
        let is_incremental = matches!(export.span, Some(Span::Incremental { .. }));
        let folder = match ExportId::from_export_arn(&arn.to_string()) {
            Ok(id) => Layout::new(export.prefix.as_deref(), &id, is_incremental).folder(),
            Err(_) => folder_of_manifest(export.manifest.as_deref().unwrap_or_default()),
        };
        let bucket = export.bucket.as_deref().and_then(|name| name.parse().ok());
        let bucket = bucket.ok_or_else(|| ArchiveError::NoManifest {
            place: arn.to_string(),
        })?;
        let place = ArchivePlace::Bucket {
            side,
            bucket,
            owner: None,
            folder,
        };
        Ok((place, export.filter.is_some()))
    }
}

/// Where an export's files lie; `None` where its id has another form than DynamoDB's.
pub(in crate::work) fn layout_of(export: &ExportRecord) -> Option<Layout> {
    let id = ExportId::from_export_arn(export.operation.arn.as_deref()?).ok()?;
    let prefix = export.request.prefix.as_deref();
    Some(Layout::new(prefix, &id, is_incremental(export)))
}

pub(in crate::work) const fn is_incremental(export: &ExportRecord) -> bool {
    matches!(export.request.span, Span::Incremental { .. })
}

/// The key of an export's summary.
pub(in crate::work) fn summary_key(export: &ExportRecord) -> Option<String> {
    export
        .result
        .manifest
        .clone()
        .or_else(|| layout_of(export).map(|layout| layout.manifest_summary()))
}

/// The folder of a manifest's key, with a closing slash.
pub(super) fn folder_of_manifest(key: &str) -> String {
    let end = key.rfind('/').map_or(0, |end| end + 1);
    key.get(..end).unwrap_or_default().to_owned()
}
