//! Runs as the journal keeps them: what was asked for by one plan at one time.

use jiff::Timestamp;
use rusqlite::Row;

use super::export::ExportRecord;
use super::operation::Operation;
use super::row::{Milliseconds, RunId};

/// A run before it has a number.
#[derive(Debug, Clone, Copy)]
pub struct NewRun<'a> {
    /// The plan file's text.
    pub plan: &'a str,
    /// Equal for plans that ask for the same operations.
    pub digest: &'a str,
    /// The source's principal.
    pub source_arn: &'a str,
    /// The source's account.
    pub source_account: &'a str,
    /// The source's Region.
    pub source_region: &'a str,
    /// The bucket and prefix, for people.
    pub destination: &'a str,
    /// The destination's principal, where that side was signed in.
    pub destination_arn: Option<&'a str>,
}

/// A run, with its operations.
#[derive(Debug, Clone)]
pub struct RunRecord {
    /// Its number.
    pub id: RunId,
    /// When it was written down.
    pub created_at: Timestamp,
    /// The plan file's text.
    pub plan: String,
    /// Equal for plans that ask for the same operations.
    pub digest: String,
    /// The source's principal.
    pub source_arn: String,
    /// The source's account.
    pub source_account: String,
    /// The source's Region.
    pub source_region: String,
    /// The bucket and prefix, for people.
    pub destination: String,
    /// The destination's principal; `None` where that side was not signed in, or an earlier version, which
    /// did not write it down, began the run.
    pub destination_arn: Option<String>,
    /// Its operations, in the plan's order.
    pub operations: Vec<Operation>,
}

impl RunRecord {
    /// Whether something is left to be done: a call, waiting, or verifying.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.operations.iter().any(Operation::is_open)
    }

    /// Those of its operations that are exports.
    pub fn exports(&self) -> impl Iterator<Item = ExportRecord> {
        self.operations.iter().filter_map(Operation::to_export)
    }
}

pub(super) const SELECT_RUN: &str = "SELECT id, created_at, plan, digest, source_arn, source_account, source_region, destination, destination_arn FROM run";

pub(super) fn read_run(row: &Row<'_>) -> rusqlite::Result<RunRecord> {
    Ok(RunRecord {
        id: row.get(0)?,
        created_at: row.get::<_, Milliseconds>(1)?.0,
        plan: row.get(2)?,
        digest: row.get(3)?,
        source_arn: row.get(4)?,
        source_account: row.get(5)?,
        source_region: row.get(6)?,
        destination: row.get(7)?,
        destination_arn: row.get(8)?,
        operations: Vec::new(),
    })
}
