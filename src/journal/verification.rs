//! Verifications of archives as the journal keeps them: what was looked at, when, and what was found.
//!
//! They are operations of their own kind and no run: an archive may be of another machine's run, or of none.
//! A row is written once, at the end, and holds no item and no key.

use jiff::Timestamp;
use rusqlite::{Connection, Row, params};
use serde::{Deserialize, Serialize};

use super::operation::{self, Numbered};
use super::row::{Json, Milliseconds, number, to_json};
use super::{Journal, JournalError, RunId};
use crate::archive::audit::ArchiveVerdict;

/// The word of the kind.
const VERIFICATION: &str = "verification";

/// A verification of an archive.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ArchiveVerification {
    /// Where the archive lay.
    pub place: String,
    /// Where it was fetched to, if it was.
    pub fetched_to: Option<String>,
    /// The run that it is of, where it was named by one.
    pub run: Option<RunId>,
    /// The export, by its manifest.
    pub export_arn: Option<String>,
    /// The table, by its manifest.
    pub table_arn: Option<String>,
    /// The principal that read it; `None` of a directory.
    pub reader: Option<String>,
    /// Whether every byte was read.
    pub is_deep: bool,
    /// What was found.
    pub verdict: ArchiveVerdict,
    /// Data files.
    pub files: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Items by the manifest.
    pub items: u64,
    /// Lines that were read.
    pub lines: Option<u64>,
    /// The MD5 of each manifest in base64, by its name.
    pub manifests: Vec<(String, String)>,
    /// The first faults, by file, line and attribute path.
    pub faults: Vec<String>,
    /// How many faults there were.
    pub fault_count: u64,
    /// Whether another machine made it, from where it was handed here.
    #[serde(default)]
    pub is_of_another_machine: bool,
}

/// A verification's number, which no command takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct VerificationId(pub i64);

number!(VerificationId);

/// A verification with its number and time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct VerificationRecord {
    /// Its number.
    pub id: VerificationId,
    /// When it ended.
    pub at: Timestamp,
    /// What was found.
    pub verification: ArchiveVerification,
}

pub(super) const SELECT_VERIFICATION: &str = "
    SELECT number, created_at, request FROM operation WHERE kind = 'verification'";

impl Journal {
    /// Writes down what a verification found; its number.
    pub fn record_verification(
        &self,
        verification: &ArchiveVerification,
        now: Timestamp,
    ) -> Result<VerificationId, JournalError> {
        insert(&self.lock(), verification, now)
    }

    /// Takes in what another machine's verification found, unless it is known; whether it was new here.
    pub fn import_verification(&self, record: &VerificationRecord) -> Result<bool, JournalError> {
        let connection = self.lock();
        let found = &record.verification;
        let is_known: bool = connection.query_row(
            "SELECT count(*) > 0 FROM operation
             WHERE kind = 'verification' AND created_at = ?1 AND subject = ?2",
            params![Milliseconds(record.at), found.place],
            |row| row.get(0),
        )?;
        if !is_known {
            insert(&connection, found, record.at)?;
        }
        Ok(!is_known)
    }

    /// All verifications of archives, the oldest first.
    pub fn verifications(&self) -> Result<Vec<VerificationRecord>, JournalError> {
        let connection = self.lock();
        let mut statement = connection.prepare(&format!(
            "{SELECT_VERIFICATION} ORDER BY created_at, number"
        ))?;
        let found = statement.query_map([], read)?;
        Ok(found.collect::<Result<_, _>>()?)
    }
}

fn insert(
    connection: &Connection,
    verification: &ArchiveVerification,
    at: Timestamp,
) -> Result<VerificationId, JournalError> {
    let account = verification.table_arn.as_deref().unwrap_or_default();
    let numbered = Numbered {
        kind: VERIFICATION,
        account: account.split(':').nth(4).unwrap_or_default(),
        subject: &verification.place,
        request: &to_json(verification)?,
        state: verification.verdict.into(),
    };
    operation::insert_numbered(connection, &numbered, at)
}

fn read(row: &Row<'_>) -> rusqlite::Result<VerificationRecord> {
    Ok(VerificationRecord {
        id: row.get(0)?,
        at: row.get::<_, Milliseconds>(1)?.0,
        verification: row.get::<_, Json<_>>(2)?.0,
    })
}
