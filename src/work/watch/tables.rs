//! What is known of the tables whose exports are watched: their size, and how long exports of them took.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use jiff::SignedDuration;

use super::{UsualTime, is_full};
use crate::aws::dynamodb::{Dynamodb, Export, ExportStatus};
use crate::journal::{JournalError, RunRecord, Stage};
use crate::work::Work;
use crate::work::poll::Poller;

/// The tables by their ARNs.
#[derive(Debug, Default)]
pub(super) struct WatchedTables(Mutex<BTreeMap<String, WatchedTable>>);

#[derive(Debug, Default)]
struct WatchedTable {
    /// Whether it was asked for its size.
    is_read: bool,
    bytes: Option<u64>,
    /// The times of completed exports, by their ARNs.
    full: BTreeMap<String, SignedDuration>,
    incremental: BTreeMap<String, SignedDuration>,
}

impl WatchedTables {
    /// The tables of the journal's completed exports.
    pub(super) fn of_journal(work: &Work) -> Result<Self, JournalError> {
        let tables = Self::default();
        for run in work.runs()? {
            for export in RunRecord::exports(&run) {
                let operation = &export.operation;
                if operation.stage == Stage::Completed
                    && let (Some(from), Some(to)) = (operation.started_at, operation.ended_at)
                    && let Some(arn) = &operation.arn
                {
                    let is_full = is_full(&export.request.span);
                    tables.add_time(&operation.subject, arn, is_full, to.duration_since(from));
                }
            }
        }
        Ok(tables)
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, WatchedTable>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn add_time(&self, table: &str, arn: &str, is_full: bool, time: SignedDuration) {
        let mut tables = self.lock();
        let table = tables.entry(table.to_owned()).or_default();
        let times = if is_full {
            &mut table.full
        } else {
            &mut table.incremental
        };
        times.insert(arn.to_owned(), time);
    }

    /// Takes what AWS says of a completed export.
    pub(super) fn add(&self, table: &str, export: &Export) {
        if export.status == ExportStatus::Completed
            && let (Some(from), Some(to)) = (export.started_at, export.ended_at)
        {
            let is_full = export.span.as_ref().is_none_or(is_full);
            let arn = export.arn.to_string();
            self.add_time(table, &arn, is_full, to.duration_since(from));
        }
    }

    pub(super) fn usual(&self, table: &str, is_full: bool) -> Option<UsualTime> {
        let tables = self.lock();
        let table = tables.get(table)?;
        let times = if is_full {
            &table.full
        } else {
            &table.incremental
        };
        UsualTime::of(times.values().copied().collect())
    }

    pub(super) fn bytes(&self, table: &str) -> Option<u64> {
        self.lock().get(table)?.bytes
    }

    /// Asks a table for its size, once, and while nobody waits for another call.
    pub(super) async fn read(&self, table: &str, dynamodb: &Dynamodb, poller: &Poller) {
        let is_read = {
            let mut tables = self.lock();
            let table = tables.entry(table.to_owned()).or_default();
            std::mem::replace(&mut table.is_read, true)
        };
        if is_read {
            return;
        }
        poller.wait_behind().await;
        let described = dynamodb.describe_table(table).await;
        poller.note(&described);
        // A size that may not be read is left out.
        let bytes = described.ok().and_then(|table| table.size_bytes);
        self.lock().entry(table.to_owned()).or_default().bytes = bytes;
    }
}
