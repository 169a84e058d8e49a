//! What was done, in the order of time: operations of runs, changes, probes, verifications, and exports that
//! were taken in from AWS.

mod handed;

use futures_util::{StreamExt as _, stream};
use jiff::Timestamp;

pub use self::handed::{HandedHistory, HandedHistoryError, Merged};
use super::{Side, Work, region_of};
use crate::archive::layout::key_candidates;
use crate::aws::failure::Failure;
use crate::journal::{
    ArchiveVerification, ChangeRecord, ImportedExport, ImportedRecord, JournalError, Operation,
    ProbeRecord, RunRecord, VerificationId, VerificationRecord,
};
use tableferry_policy::arn::Arn;

/// How many exports are asked after at once: "Rate exceeded" comes after some twenty quick calls.
const ASKED_AT_ONCE: usize = 4;

/// Something that was done.
#[derive(Debug, Clone)]
pub enum HistoryEntry {
    /// An operation of a run.
    Operation(Box<(RunRecord, Operation)>),
    /// A change of an account.
    Change(Box<ChangeRecord>),
    /// A probe.
    Probe(Box<ProbeRecord>),
    /// A verification of an archive.
    Verification(Box<VerificationRecord>),
    /// An export that another machine started.
    Imported(Box<ImportedRecord>),
}

impl HistoryEntry {
    /// When it was done.
    #[must_use]
    pub fn at(&self) -> Timestamp {
        match self {
            Self::Operation(both) => both
                .1
                .started_at
                .or(both.1.called_at)
                .unwrap_or(both.0.created_at),
            Self::Change(change) => change.created_at,
            Self::Probe(probe) => probe.created_at,
            Self::Verification(record) => record.at,
            Self::Imported(record) => record.export.started_at.unwrap_or(record.imported_at),
        }
    }

    /// The ARN of the table that it concerns, where it is about one.
    #[must_use]
    pub fn table_arn(&self) -> Option<&str> {
        match self {
            Self::Operation(both) => Some(&both.1.subject),
            Self::Verification(record) => record.verification.table_arn.as_deref(),
            Self::Imported(record) => Some(&record.export.table_arn),
            Self::Change(_) | Self::Probe(_) => None,
        }
    }

    /// Whether it is of a table, by its name or ARN.
    #[must_use]
    pub fn is_of_table(&self, table: &str) -> bool {
        self.table_arn()
            .is_some_and(|arn| arn == table || arn.rsplit('/').next() == Some(table))
    }

    /// Where the files of a completed export lie.
    #[must_use]
    pub fn uri(&self) -> Option<String> {
        match self {
            Self::Operation(both) => export_uri(&both.1),
            Self::Verification(record) => {
                let place = &record.verification.place;
                place.starts_with("s3://").then(|| place.clone())
            }
            Self::Imported(record) => {
                let export = &record.export;
                let key = key_candidates(export.manifest.as_deref()?, export.prefix.as_deref());
                uri(export.bucket.as_deref()?, key.first()?)
            }
            Self::Change(_) | Self::Probe(_) => None,
        }
    }
}

/// Where the files of a completed export of the journal lie.
#[must_use]
pub fn export_uri(operation: &Operation) -> Option<String> {
    let export = operation.to_export()?;
    if operation.stage != crate::journal::Stage::Completed {
        return None;
    }
    let bucket = export.request.bucket.to_string();
    if let Some(layout) = super::archive::layout_of(&export) {
        return Some(format!("s3://{bucket}/{}", layout.folder()));
    }
    let key = key_candidates(
        export.result.manifest.as_deref()?,
        export.request.prefix.as_deref(),
    );
    uri(&bucket, key.first()?)
}

fn uri(bucket: &str, manifest: &str) -> Option<String> {
    let folder = manifest.rsplit_once('/')?.0;
    Some(format!("s3://{bucket}/{folder}/"))
}

/// What was taken in.
#[derive(Debug, Default)]
pub struct ImportTotals {
    /// Exports that were not known here.
    pub new: u64,
    /// Exports that were known.
    pub known: u64,
    /// Exports that could not be described, and why.
    pub failed: Vec<(Arn, Failure)>,
}

impl Work {
    /// All that was done, the oldest first.
    pub fn history(&self) -> Result<Vec<HistoryEntry>, JournalError> {
        let journal = &self.inner.journal;
        let mut entries = Vec::new();
        for run in journal.runs()? {
            for operation in &run.operations {
                let both = (run.clone(), operation.clone());
                entries.push(HistoryEntry::Operation(Box::new(both)));
            }
        }
        let boxed = |change| HistoryEntry::Change(Box::new(change));
        entries.extend(journal.changes()?.into_iter().map(boxed));
        let boxed = |probe| HistoryEntry::Probe(Box::new(probe));
        entries.extend(journal.probes()?.into_iter().map(boxed));
        let boxed = |record| HistoryEntry::Verification(Box::new(record));
        entries.extend(journal.verifications()?.into_iter().map(boxed));
        let boxed = |record| HistoryEntry::Imported(Box::new(record));
        entries.extend(journal.imported_exports()?.into_iter().map(boxed));
        entries.sort_by_key(HistoryEntry::at);
        Ok(entries)
    }

    /// Writes down what a verification of an archive found.
    pub fn record_verification(
        &self,
        found: &ArchiveVerification,
    ) -> Result<VerificationId, JournalError> {
        self.inner
            .journal
            .record_verification(found, Timestamp::now())
    }

    /// Takes in the exports that `ListExports` and `DescribeExport` still have, as the source.
    ///
    /// # Errors
    /// Where they cannot be listed, or the journal cannot be written.
    pub async fn import_exports(&self) -> Result<ImportTotals, ImportError> {
        let session = self.session(Side::Source).ok_or(ImportError::NotSignedIn)?;
        let listed = session.dynamodb(&session.region).list_exports(None).await;
        let listed = listed.map_err(|failure| ImportError::Call(Box::new(failure)))?;
        let described = stream::iter(listed).map(|(arn, _)| {
            let session = &session;
            async move {
                let region = region_of(&arn, session);
                let described = session.dynamodb(&region).describe_export(&arn).await;
                (arn, described)
            }
        });
        let mut described = described.buffered(ASKED_AT_ONCE);
        let mut import = ImportTotals::default();
        while let Some((arn, described)) = described.next().await {
            let export = match described {
                Ok(export) => export,
                Err(failure) => {
                    import.failed.push((arn, failure));
                    continue;
                }
            };
            let text = arn.to_string();
            let table = text.split("/export/").next().unwrap_or_default();
            let imported = ImportedExport {
                table_arn: table.to_owned(),
                export_arn: text.clone(),
                status: export.status,
                started_at: export.started_at,
                ended_at: export.ended_at,
                bucket: export.bucket,
                prefix: export.prefix,
                item_count: export.item_count,
                billed_size_bytes: export.billed_size_bytes,
                manifest: export.manifest,
                failure_code: export.failure_code,
                failure_message: export.failure_message,
            };
            if self
                .inner
                .journal
                .import_export(&imported, Timestamp::now())?
            {
                import.new += 1;
            } else {
                import.known += 1;
            }
        }
        Ok(import)
    }
}

/// Why no export was taken in.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// Nobody is signed in.
    #[error("the source is not signed in")]
    NotSignedIn,
    /// They cannot be listed.
    #[error("{0}")]
    Call(Box<Failure>),
    /// They cannot be written down.
    #[error("{0}")]
    Journal(#[from] JournalError),
}
