//! History that is handed to another machine as a file: exports, and verifications of archives.
//!
//! It holds what `DescribeExport` tells and what verifications found: no credential, token, plan, policy or
//! item. Changes and probes stay, since only the machine that made them can take them back. What is taken in is
//! another machine's, and nothing goes on with it. The file says its version and its own digest, so that one
//! that was cut or altered on its way is refused whole.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::HistoryEntry;
use crate::job::ExportStatus;
use crate::journal::{ImportedExport, JournalError, Operation, Stage, VerificationRecord};
use crate::work::Work;
use tableferry_policy::arn::{Arn, BucketName};

/// The version of the file that this program writes, the newest that it reads.
const VERSION: u32 = 1;

/// What is handed on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HandedHistory {
    /// The version of the file.
    tableferry_history: u32,
    /// When it was written.
    pub written_at: Timestamp,
    /// Exports that AWS started.
    pub exports: Vec<ImportedExport>,
    /// Verifications of archives in buckets.
    pub verifications: Vec<VerificationRecord>,
    /// SHA-256 of all that stands above it, in hex.
    digest: String,
}

/// The version alone, which every version of the file has.
#[derive(Deserialize)]
struct Versioned {
    tableferry_history: u32,
}

/// Why a file is no history to be taken in.
#[derive(Debug, thiserror::Error)]
pub enum HandedHistoryError {
    /// It is something else.
    #[error("it is no history that tableferry wrote: {0}")]
    Foreign(#[from] serde_json::Error),
    /// A later version of the program wrote it.
    #[error("a later version of tableferry wrote it (format {found}, this one knows {VERSION})")]
    TooNew {
        /// The format found.
        found: u32,
    },
    /// It was cut or altered.
    #[error(
        "its digest is another than that of what stands in it: it was altered after it was written"
    )]
    Altered,
    /// An export is none.
    #[error("`{0}` is not the ARN of an export of the table that it is said to be of")]
    NotAnExport(String),
    /// A bucket's name is none.
    #[error("`{0}` is not the name of a bucket")]
    NotABucket(String),
}

/// How much of it was new.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Merged {
    /// Exports and verifications that were not known here.
    pub new: u64,
    /// Those that were known.
    pub known: u64,
}

impl HandedHistory {
    /// What of these entries is handed on.
    #[must_use]
    pub fn of<'e>(entries: impl IntoIterator<Item = &'e HistoryEntry>, now: Timestamp) -> Self {
        let mut handed = Self {
            tableferry_history: VERSION,
            written_at: now,
            exports: Vec::new(),
            verifications: Vec::new(),
            digest: String::new(),
        };
        for entry in entries {
            match entry {
                HistoryEntry::Operation(both) => handed.exports.extend(export(&both.1)),
                HistoryEntry::Imported(record) => handed.exports.push(record.export.clone()),
                HistoryEntry::Verification(record) => {
                    handed.verifications.extend(verification(record));
                }
                HistoryEntry::Change(_) | HistoryEntry::Probe(_) => {}
            }
        }
        handed.digest = handed.own_digest();
        handed
    }

    /// The file's text.
    ///
    /// # Errors
    /// Where it cannot be written as JSON.
    pub fn to_json(&self) -> Result<String, serde_json::Error> {
        Ok(serde_json::to_string_pretty(self)? + "\n")
    }

    /// Reads a file's text.
    ///
    /// # Errors
    /// Where it is another file, a later version's, altered, or names what is no export.
    pub fn from_json(text: &str) -> Result<Self, HandedHistoryError> {
        let found = serde_json::from_str::<Versioned>(text)?.tableferry_history;
        if found > VERSION {
            return Err(HandedHistoryError::TooNew { found });
        }
        let handed: Self = serde_json::from_str(text)?;
        if handed.digest != handed.own_digest() {
            return Err(HandedHistoryError::Altered);
        }
        handed.exports.iter().try_for_each(check)?;
        Ok(handed)
    }

    fn own_digest(&self) -> String {
        let content = (
            self.tableferry_history,
            self.written_at,
            &self.exports,
            &self.verifications,
        );
        // These types always serialize; an empty text would only be refused as altered.
        let text = serde_json::to_vec(&content).unwrap_or_default();
        hex::encode(Sha256::digest(text))
    }
}

/// An export of a run as `DescribeExport` would tell of it; `None` where none was started.
fn export(operation: &Operation) -> Option<ImportedExport> {
    let export = operation.to_export()?;
    Some(ImportedExport {
        export_arn: operation.arn.clone()?,
        table_arn: operation.subject.clone(),
        status: match operation.stage {
            Stage::Completed => ExportStatus::Completed,
            Stage::Failed => ExportStatus::Failed,
            _ => ExportStatus::InProgress,
        },
        started_at: operation.started_at,
        ended_at: operation.ended_at,
        bucket: Some(export.request.bucket.to_string()),
        prefix: export.request.prefix,
        item_count: export.result.item_count,
        billed_size_bytes: export.result.billed_size_bytes,
        manifest: export.result.manifest,
        failure_code: operation.failure_code.clone(),
        failure_message: operation.failure_message.clone(),
    })
}

/// A verification without what only this machine knows: its runs and its directories.
fn verification(record: &VerificationRecord) -> Option<VerificationRecord> {
    let found = &record.verification;
    found.place.starts_with("s3://").then(|| {
        let mut handed = record.clone();
        handed.verification.run = None;
        handed.verification.fetched_to = None;
        handed.verification.is_of_another_machine = true;
        handed
    })
}

fn check(export: &ImportedExport) -> Result<(), HandedHistoryError> {
    let is_export = export
        .export_arn
        .parse::<Arn>()
        .is_ok_and(|arn| arn.service == "dynamodb");
    let id = export.export_arn.strip_prefix(&export.table_arn);
    let has_id = id
        .and_then(|rest| rest.strip_prefix("/export/"))
        .is_some_and(|id| !id.is_empty() && !id.contains('/'));
    if !is_export || !has_id {
        return Err(HandedHistoryError::NotAnExport(export.export_arn.clone()));
    }
    match &export.bucket {
        Some(name) if name.parse::<BucketName>().is_err() => {
            Err(HandedHistoryError::NotABucket(name.clone()))
        }
        _ => Ok(()),
    }
}

impl Work {
    /// Takes a handed history in. What is known here stays, and what was taken in before is not doubled.
    ///
    /// # Errors
    /// Where the journal cannot be written; what was taken in by then is known the next time.
    pub fn take_in_history(&self, handed: &HandedHistory) -> Result<Merged, JournalError> {
        let journal = &self.inner.journal;
        let mut merged = Merged::default();
        let mut count = |is_new| {
            if is_new {
                merged.new += 1;
            } else {
                merged.known += 1;
            }
        };
        for export in &handed.exports {
            count(journal.import_export(export, Timestamp::now())?);
        }
        for verification in &handed.verifications {
            count(journal.import_verification(verification)?);
        }
        Ok(merged)
    }
}

#[cfg(test)]
mod tests;
