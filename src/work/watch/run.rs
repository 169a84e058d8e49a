//! Watching a run of the journal: it is followed and verified as `resume` does, starting nothing.

use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

use futures_util::future;
use tokio::sync::mpsc::{self, UnboundedReceiver, UnboundedSender};
use tokio_util::sync::CancellationToken;

use super::tables::WatchedTables;
use super::{WatchEvent, WatchedExport, is_full};
use crate::aws::dynamodb::ExportStatus;
use crate::journal::{Operation, RunId, Stage};
use crate::work::event::{Event, OperationProgress, ProgressStage, Side};
use crate::work::follow::{FollowError, RunOutcome, Verify};
use crate::work::{Work, region_of};

/// The exports of one run, as they stand.
struct RunWatch<'a> {
    work: &'a Work,
    tables: WatchedTables,
    operations: Mutex<Vec<Operation>>,
    events: UnboundedSender<WatchEvent>,
}

impl Work {
    /// Follows the exports of a run that are under way, and verifies them. The source is signed in.
    ///
    /// # Errors
    /// As [`Work::follow`].
    pub async fn watch_run(
        &self,
        run: RunId,
        events: UnboundedSender<WatchEvent>,
        cancel: CancellationToken,
    ) -> Result<RunOutcome, FollowError> {
        let record = self.run(run)?.ok_or(FollowError::NoSuchRun(run))?;
        let watch = RunWatch {
            work: self,
            tables: WatchedTables::of_journal(self)?,
            operations: Mutex::new(record.operations),
            events,
        };
        watch.tell_all();
        let (sender, reported) = mpsc::unbounded_channel();
        let followed = self.follow(run, Verify::Open, sender, cancel);
        let mut telling = std::pin::pin!(async {
            future::join(watch.tell(reported), watch.read_tables()).await;
        });
        let mut followed = std::pin::pin!(followed);
        // What is told ends with what is followed, since that holds the channel.
        tokio::select! {
            outcome = &mut followed => watch.end(outcome),
            () = &mut telling => watch.end(followed.await),
        }
    }
}

impl RunWatch<'_> {
    fn exports(&self) -> Vec<WatchedExport> {
        let operations = self
            .operations
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        operations
            .iter()
            .filter_map(|operation| self.watched(operation))
            .collect()
    }

    /// Tells how all exports stand in the end.
    fn end(&self, outcome: Result<RunOutcome, FollowError>) -> Result<RunOutcome, FollowError> {
        if let Ok(outcome) = &outcome {
            let mut operations = self
                .operations
                .lock()
                .unwrap_or_else(PoisonError::into_inner);
            operations.clone_from(&outcome.operations);
            drop(operations);
            self.tell_all();
        }
        outcome
    }

    fn tell_all(&self) {
        for export in self.exports() {
            let _ = self.events.send(WatchEvent::Export(Box::new(export)));
        }
    }

    async fn tell(&self, mut reported: UnboundedReceiver<Event>) {
        while let Some(event) = reported.recv().await {
            match event {
                Event::Operation(progress) => self.take(&progress),
                Event::Noted { message } => {
                    let _ = self.events.send(WatchEvent::Noted { message });
                }
                Event::Identified { .. } | Event::Journalled { .. } => {}
            }
        }
    }

    fn take(&self, progress: &OperationProgress) {
        let mut operations = self
            .operations
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let known = operations
            .iter_mut()
            .find(|known| known.position == progress.index);
        let Some(known) = known else {
            return;
        };
        take_over(known, progress);
        if let Some(mut export) = self.watched(known) {
            export.seen = progress.files_seen.zip(progress.bytes_seen);
            export.verification.clone_from(&progress.verification);
            let _ = self.events.send(WatchEvent::Export(Box::new(export)));
        }
    }

    fn watched(&self, operation: &Operation) -> Option<WatchedExport> {
        let mut export = WatchedExport::of_operation(operation)?;
        let request = operation.to_export()?.request;
        export.table_bytes = self.tables.bytes(&export.table_arn);
        export.usual = self.tables.usual(&export.table_arn, is_full(&request.span));
        Some(export)
    }

    /// Asks the tables for their sizes, one after the other.
    async fn read_tables(&self) {
        let Some(session) = self.work.session(Side::Source) else {
            return;
        };
        let under_way: BTreeSet<(String, String)> = self
            .exports()
            .into_iter()
            .filter(|export| export.stage == Stage::InProgress)
            .map(|export| (export.table_arn, export.region))
            .collect();
        for (table, region) in under_way {
            let Ok(arn) = table.parse() else {
                continue;
            };
            let dynamodb = session.dynamodb(&region_of(&arn, &session));
            let poller = self.work.poller(session.identity.account.as_str(), &region);
            self.tables.read(&table, &dynamodb, &poller).await;
            for export in self.exports() {
                if export.table_arn == table && export.stage == Stage::InProgress {
                    let _ = self.events.send(WatchEvent::Export(Box::new(export)));
                }
            }
        }
    }
}

/// Writes what was reported of an operation into its record.
fn take_over(operation: &mut Operation, progress: &OperationProgress) {
    operation.stage = match progress.stage {
        ProgressStage::Planned => Stage::Planned,
        ProgressStage::Calling => Stage::Calling,
        ProgressStage::Refused => Stage::Refused,
        ProgressStage::NotStarted => Stage::NotStarted,
        ProgressStage::Running(ExportStatus::InProgress) => Stage::InProgress,
        ProgressStage::Running(ExportStatus::Completed) => Stage::Completed,
        ProgressStage::Running(ExportStatus::Failed) => Stage::Failed,
    };
    operation.started_at = progress.started_at;
    operation.ended_at = progress.ended_at;
    operation.arn.clone_from(&progress.arn);
    operation.failure_code.clone_from(&progress.failure_code);
    operation
        .failure_message
        .clone_from(&progress.failure_message);
    if let Some(result) = operation.result.as_object_mut() {
        result.insert("item_count".to_owned(), progress.item_count.into());
        result.insert("manifest".to_owned(), progress.manifest.clone().into());
    }
}
