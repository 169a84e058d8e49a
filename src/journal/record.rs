//! What the journal's rows say.

use std::fmt;

use jiff::Timestamp;
use rusqlite::Row;

use super::JournalError;
use crate::assess::fingerprint::Fingerprint;
use crate::job::ExportRequest;

/// A run's number, as `resume` takes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RunId(pub i64);

impl fmt::Display for RunId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A run before it has a number.
#[derive(Debug, Clone, Copy)]
pub struct NewRun<'a> {
    /// The plan file's text.
    pub plan: &'a str,
    /// Equal for plans that ask for the same exports.
    pub digest: &'a str,
    /// Who exports.
    pub source_arn: &'a str,
    /// The account that exports.
    pub source_account: &'a str,
    /// The Region that exports.
    pub source_region: &'a str,
    /// The bucket and prefix, for people.
    pub destination: &'a str,
    /// What was read for each export, in the plan's order; empty where no survey was made.
    pub fingerprints: &'a [Fingerprint],
}

/// Which step an export has reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// Written down; no call was made.
    Planned,
    /// A call was made whose answer is not known: the export may have been started.
    Calling,
    /// The call was refused: there is no export.
    Refused,
    /// No export was started, on somebody's word: no look-up could tell, or another took its place.
    NotStarted,
    /// The export is under way.
    InProgress,
    /// The export is complete.
    Completed,
    /// The export failed.
    Failed,
}

const STAGES: [(Stage, &str); 7] = [
    (Stage::Planned, "PLANNED"),
    (Stage::Calling, "CALLING"),
    (Stage::Refused, "REFUSED"),
    (Stage::NotStarted, "NOT_STARTED"),
    (Stage::InProgress, "IN_PROGRESS"),
    (Stage::Completed, "COMPLETED"),
    (Stage::Failed, "FAILED"),
];

impl Stage {
    /// The stage as the journal and the JSON output write it; AWS's words where there are any.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        STAGES
            .iter()
            .find(|(stage, _)| *stage == self)
            .map_or("PLANNED", |(_, text)| text)
    }

    fn parse(text: &str) -> Result<Self, JournalError> {
        STAGES
            .iter()
            .find(|(_, known)| *known == text)
            .map(|(stage, _)| *stage)
            .ok_or_else(|| JournalError::Entry(format!("unknown stage `{text}`")))
    }
}

/// What the verification of a completed export came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verified {
    /// Every file is there and the counts add up.
    Yes,
    /// Something is missing or differs.
    No,
    /// Nobody could read the bucket.
    Unknown,
}

impl Verified {
    /// The word that the journal keeps.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Yes => "yes",
            Self::No => "no",
            Self::Unknown => "unknown",
        }
    }

    fn parse(text: &str) -> Result<Self, JournalError> {
        [Self::Yes, Self::No, Self::Unknown]
            .into_iter()
            .find(|verified| verified.as_str() == text)
            .ok_or_else(|| JournalError::Entry(format!("unknown verification `{text}`")))
    }
}

/// A run, with its exports.
#[derive(Debug, Clone)]
pub struct RunRecord {
    /// Its number.
    pub id: RunId,
    /// When it was written down.
    pub created_at: Timestamp,
    /// The plan file's text.
    pub plan: String,
    /// Equal for plans that ask for the same exports.
    pub digest: String,
    /// Who exports.
    pub source_arn: String,
    /// The account that exports.
    pub source_account: String,
    /// The Region that exports.
    pub source_region: String,
    /// The bucket and prefix, for people.
    pub destination: String,
    /// Its exports, in the plan's order.
    pub exports: Vec<ExportRecord>,
}

impl RunRecord {
    /// Whether something is left to be done: a call, waiting, or verifying.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.exports.iter().any(ExportRecord::is_open)
    }
}

/// One export of a run.
#[derive(Debug, Clone)]
pub struct ExportRecord {
    /// The run.
    pub run: RunId,
    /// Its place in the plan, from 0.
    pub position: usize,
    /// What the call sends, token included.
    pub request: ExportRequest,
    /// Which step it has reached.
    pub stage: Stage,
    /// When the call was first begun, by this machine's clock.
    pub called_at: Option<Timestamp>,
    /// Calls that were made and may have started the export: their answers are not known.
    pub unanswered: u32,
    /// The time that the first of them was signed with, by AWS's clock; `None` where AWS told no time.
    pub first_called: Option<Timestamp>,
    /// The time by AWS's clock after which none of them was signed, where one is known.
    pub last_called: Option<Timestamp>,
    /// The export's ARN, once the call was answered.
    pub export_arn: Option<String>,
    /// When AWS started it.
    pub started_at: Option<Timestamp>,
    /// When AWS ended it.
    pub ended_at: Option<Timestamp>,
    /// The code of a refusal or failure.
    pub failure_code: Option<String>,
    /// The message of a refusal or failure.
    pub failure_message: Option<String>,
    /// Items exported.
    pub item_count: Option<u64>,
    /// Bytes billed.
    pub billed_size_bytes: Option<u64>,
    /// The manifest's key.
    pub manifest: Option<String>,
    /// What the verification came to.
    pub verified: Option<Verified>,
    /// The verification's findings, for people.
    pub verification: Option<String>,
    /// When the files were looked at; `None` also of what was verified before that was written down.
    pub verified_at: Option<Timestamp>,
    /// What else was seen then, which is no damage.
    pub remarks: Vec<String>,
    /// What was read before the start; `None` where no survey was made.
    pub fingerprint: Option<Fingerprint>,
    /// The principal on whose word it was settled whether the export was started, and when.
    pub settled: Option<(String, Timestamp)>,
}

impl ExportRecord {
    /// Whether something is left to be done.
    #[must_use]
    pub fn is_open(&self) -> bool {
        match self.stage {
            Stage::Planned | Stage::Calling | Stage::InProgress => true,
            Stage::Completed => self.verified.is_none(),
            Stage::Refused | Stage::NotStarted | Stage::Failed => false,
        }
    }

    /// The table's name.
    #[must_use]
    pub fn table(&self) -> &str {
        self.request
            .table_arn
            .resource_after("table")
            .unwrap_or(&self.request.table_arn.resource)
    }
}

pub(super) const SELECT_RUN: &str = "SELECT id, created_at, plan, digest, source_arn, source_account, source_region, destination FROM run";

pub(super) const SELECT_EXPORTS: &str = "
    SELECT run, position, request, stage, called_at, export_arn, started_at, ended_at, failure_code,
           failure_message, item_count, billed_size_bytes, manifest, verified, verification,
           writing_fingerprint, reading_fingerprint, unanswered, first_called, last_called,
           settled_by, settled_at, verified_at, remarks
    FROM export WHERE run = ?1 ORDER BY position";

pub(super) fn read_run(row: &Row<'_>) -> rusqlite::Result<RunRecord> {
    Ok(RunRecord {
        id: RunId(row.get(0)?),
        created_at: timestamp(row.get(1)?),
        plan: row.get(2)?,
        digest: row.get(3)?,
        source_arn: row.get(4)?,
        source_account: row.get(5)?,
        source_region: row.get(6)?,
        destination: row.get(7)?,
        exports: Vec::new(),
    })
}

pub(super) fn read_export(row: &Row<'_>) -> Result<ExportRecord, JournalError> {
    let request: String = row.get(2)?;
    let verified: Option<String> = row.get(13)?;
    let digests: (Option<String>, Option<String>) = (row.get(15)?, row.get(16)?);
    let remarks: String = row.get(23)?;
    let settled: (Option<String>, Option<i64>) = (row.get(20)?, row.get(21)?);
    Ok(ExportRecord {
        run: RunId(row.get(0)?),
        position: usize::try_from(row.get::<_, i64>(1)?).unwrap_or(0),
        request: serde_json::from_str(&request)
            .map_err(|error| JournalError::Entry(error.to_string()))?,
        stage: Stage::parse(&row.get::<_, String>(3)?)?,
        called_at: row.get::<_, Option<i64>>(4)?.map(timestamp),
        export_arn: row.get(5)?,
        started_at: row.get::<_, Option<i64>>(6)?.map(timestamp),
        ended_at: row.get::<_, Option<i64>>(7)?.map(timestamp),
        failure_code: row.get(8)?,
        failure_message: row.get(9)?,
        item_count: row.get(10)?,
        billed_size_bytes: row.get(11)?,
        manifest: row.get(12)?,
        verified: verified.as_deref().map(Verified::parse).transpose()?,
        verification: row.get(14)?,
        verified_at: row.get::<_, Option<i64>>(22)?.map(timestamp),
        remarks: remarks.lines().map(str::to_owned).collect(),
        fingerprint: match digests {
            (Some(writing), Some(reading)) => Some(Fingerprint { writing, reading }),
            _ => None,
        },
        unanswered: row.get(17)?,
        first_called: row.get::<_, Option<i64>>(18)?.map(timestamp),
        last_called: row.get::<_, Option<i64>>(19)?.map(timestamp),
        settled: settled.0.zip(settled.1.map(timestamp)),
    })
}

/// A time out of range means a damaged row; the epoch shows that without losing the rest.
pub(super) fn timestamp(milliseconds: i64) -> Timestamp {
    Timestamp::from_millisecond(milliseconds).unwrap_or_default()
}
