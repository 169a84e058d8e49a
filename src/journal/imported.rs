//! Exports that this machine did not start, as AWS described them: taken in while DynamoDB still knows them,
//! which is 90 days.
//!
//! They are operations of their own kind and no run, so that nothing goes on with them. Taken in again, a
//! description takes the place of the one before.

use jiff::Timestamp;
use rusqlite::{OptionalExtension as _, Row, params};
use serde::{Deserialize, Serialize};

use super::operation::{self, Numbered};
use super::row::{Json, Milliseconds, to_json};
use super::{Journal, JournalError};
use crate::job::ExportStatus;

/// The word of the kind.
const IMPORTED: &str = "imported_export";

/// An export as `DescribeExport` told of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImportedExport {
    /// Its ARN.
    pub export_arn: String,
    /// The table's.
    pub table_arn: String,
    /// How far it was.
    pub status: ExportStatus,
    /// When it started.
    pub started_at: Option<Timestamp>,
    /// When it ended.
    pub ended_at: Option<Timestamp>,
    /// The bucket.
    pub bucket: Option<String>,
    /// The prefix.
    pub prefix: Option<String>,
    /// Items, once it is complete.
    pub item_count: Option<u64>,
    /// Bytes billed, once it is complete.
    pub billed_size_bytes: Option<u64>,
    /// The key of the manifest, once it is complete.
    pub manifest: Option<String>,
    /// The code of its failure.
    pub failure_code: Option<String>,
    /// The message of its failure.
    pub failure_message: Option<String>,
}

/// An imported export, and when it was taken in first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImportedRecord {
    /// When it was taken in.
    pub imported_at: Timestamp,
    /// What was told.
    pub export: ImportedExport,
}

pub(super) const SELECT_IMPORTED: &str = "
    SELECT created_at, request FROM operation WHERE kind = 'imported_export'";

impl Journal {
    /// Takes an export in, unless a run of this machine has it; whether it was new here.
    pub fn import_export(
        &self,
        export: &ImportedExport,
        now: Timestamp,
    ) -> Result<bool, JournalError> {
        let connection = self.lock();
        let is_of_a_run: bool = connection.query_row(
            "SELECT count(*) > 0 FROM operation WHERE run IS NOT NULL AND arn = ?1",
            [&export.export_arn],
            |row| row.get(0),
        )?;
        if is_of_a_run {
            return Ok(false);
        }
        let request = to_json(export)?;
        let known: Option<String> = connection
            .query_row(
                "SELECT state FROM operation
                 WHERE kind = 'imported_export' AND request ->> '$.export_arn' = ?1",
                [&export.export_arn],
                |row| row.get(0),
            )
            .optional()?;
        if let Some(known) = known {
            // Who handed it on may have looked before it ended.
            if known == ExportStatus::InProgress.as_str()
                || export.status != ExportStatus::InProgress
            {
                connection.execute(
                    "UPDATE operation SET request = ?2, state = ?3
                     WHERE kind = 'imported_export' AND request ->> '$.export_arn' = ?1",
                    params![export.export_arn, request, export.status.as_str()],
                )?;
            }
            return Ok(false);
        }
        let numbered = Numbered {
            kind: IMPORTED,
            account: export.table_arn.split(':').nth(4).unwrap_or_default(),
            subject: &export.table_arn,
            request: &request,
            state: export.status.as_str(),
        };
        operation::insert_numbered::<i64>(&connection, &numbered, now)?;
        Ok(true)
    }

    /// All exports that were taken in.
    pub fn imported_exports(&self) -> Result<Vec<ImportedRecord>, JournalError> {
        let connection = self.lock();
        let mut statement = connection.prepare(SELECT_IMPORTED)?;
        let found = statement.query_map([], read)?;
        Ok(found.collect::<Result<_, _>>()?)
    }
}

fn read(row: &Row<'_>) -> rusqlite::Result<ImportedRecord> {
    Ok(ImportedRecord {
        imported_at: row.get::<_, Milliseconds>(0)?.0,
        export: row.get::<_, Json<_>>(1)?.0,
    })
}
