//! Writing exported items into a table that is there: a full export is loaded, incremental ones are
//! replayed onto a table that holds a full one.
//!
//! No service does this, so that the journal has no call to be looked up: it has how far the writing is,
//! after every second or so. What was written since is written again when the run is resumed, which changes
//! nothing, since a put of the same item and a delete of the same key do nothing twice.

mod estimate;
mod pace;
mod prepare;
mod target;
mod write;

use std::path::Path;
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::mpsc::UnboundedSender;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

pub use prepare::PreparedLoad;

use self::target::Target;
use self::write::{ItemWriter, Written};
use super::archive::{ArchiveError, ReadableArchive};
use super::event::{Event, OperationProgress, Side, Verification};
use super::follow::RunOutcome;
use super::{ArchivePlace, ArchiveRequest, Session, Work};
use crate::archive::audit::Knowledge;
use crate::archive::layout::key_candidates;
use crate::aws::SignInError;
use crate::aws::failure::Failure;
use crate::job::load::{ArchiveAddress, LoadRequest, Position, restore_command};
use crate::journal::{JournalError, LoadResult, Operation, RunId, Stage};

/// How often the journal learns how far the writing is.
const NOTED_EVERY: Duration = Duration::from_secs(1);
/// How often people do.
const TOLD_EVERY: Duration = Duration::from_secs(10);

/// Why items are not written on.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// There is no such run, or it writes no items.
    #[error("the journal has no load or replay {0}")]
    NoSuchRun(RunId),
    /// The journal could not be read or written.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// A side is not signed in.
    #[error("the {0} is not signed in")]
    NotSignedIn(Side),
    /// A side must be signed in again, which needs somebody.
    #[error("the {0} must be signed in again: {1}")]
    SignIn(Side, SignInError),
    /// The source is another account than the run's.
    #[error("the run writes into account {expected}, but the source is signed in to {found}")]
    OtherAccount {
        /// The run's.
        expected: String,
        /// The session's.
        found: String,
    },
    /// Another process writes into the table.
    #[error("another process of this machine writes into the table")]
    Busy,
    /// The export cannot be read.
    #[error(transparent)]
    Archive(#[from] ArchiveError),
    /// The export's manifests are others than those that the run began with.
    #[error("{0} has other manifests than when the run began")]
    OtherArchive(ArchiveAddress),
    /// The table cannot be described.
    #[error("{0}")]
    Call(Box<Failure>),
    /// The table cannot be written to, for this reason.
    #[error("{0}")]
    Table(String),
    /// A batch was refused.
    #[error("what lies before file {}, line {} of the export was refused: {failure}", until.file + 1, until.line)]
    Write {
        /// What lies behind the batch.
        until: Position,
        /// Why.
        failure: Box<Failure>,
    },
    /// A batch holds what cannot be sent.
    #[error("what lies before file {}, line {} of the export has a binary value that is not base64", .0.file + 1, .0.line)]
    NotSendable(Position),
    /// It was cut off.
    #[error("cut off before everything was written")]
    CutOff,
}

/// What a reading without a write counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct CountedRecords {
    /// Items that would be put.
    pub puts: u64,
    /// Keys that would be deleted.
    pub deletes: u64,
    /// Bytes of the lines.
    pub bytes: u64,
}

impl Work {
    /// Writes what a run is to write, from where it is on, each of its exports after the one before it.
    ///
    /// # Errors
    /// Where it could not be ended; the journal has how far it is.
    pub async fn carry_out_load(
        &self,
        id: RunId,
        events: UnboundedSender<Event>,
        cancel: &CancellationToken,
    ) -> Result<RunOutcome, LoadError> {
        let journal = &self.inner.journal;
        let run = journal.run(id)?.ok_or(LoadError::NoSuchRun(id))?;
        let session = self
            .session(Side::Source)
            .ok_or(LoadError::NotSignedIn(Side::Source))?;
        let mut operations = run.operations;
        for record in &mut operations {
            let (request, _) = record.to_load().ok_or(LoadError::NoSuchRun(id))?;
            if session.identity.account.as_str() != record.account {
                return Err(LoadError::OtherAccount {
                    expected: record.account.clone(),
                    found: session.identity.account.to_string(),
                });
            }
            let locked = journal.try_lock_table(&record.subject)?;
            let Some(_lock) = locked else {
                return Err(LoadError::Busy);
            };
            if record.is_open() {
                let writing = Writing {
                    work: self,
                    request,
                    events: &events,
                    cancel,
                };
                writing.carry_out(&session, record).await?;
            }
            let _ = events.send(Event::Operation(OperationProgress::of(record)));
        }
        Ok(RunOutcome {
            run: id,
            operations,
        })
    }

    /// Reads what a prepared load or replay would write, and counts it.
    ///
    /// # Errors
    /// Where an export cannot be read to its end.
    pub async fn count_records(
        &self,
        prepared: &PreparedLoad,
        cancel: &CancellationToken,
    ) -> Result<Vec<CountedRecords>, LoadError> {
        let mut all = Vec::new();
        for request in prepared.requests() {
            let archive = self.archive_of_load(request, cancel).await?;
            let keys = prepared.keys().clone();
            let mut records = archive.records(Position::default(), keys, u64::MAX, cancel)?;
            let mut counted = CountedRecords::default();
            while let Some(batch) = records.recv().await {
                let batch = batch?;
                counted.bytes += batch.bytes;
                for record in &batch.records {
                    if write::is_delete(record) {
                        counted.deletes += 1;
                    } else {
                        counted.puts += 1;
                    }
                }
            }
            all.push(counted);
        }
        Ok(all)
    }

    /// The bucket and the folder that the archive in a directory was written to, by its manifest.
    ///
    /// # Errors
    /// Where there is no archive.
    pub async fn written_to(&self, directory: &Path) -> Result<(String, String), ArchiveError> {
        let address = ArchiveAddress::Directory(directory.to_owned());
        let archive = self.archive_at(&address, &CancellationToken::new()).await?;
        let summary = archive.summary;
        let keys = key_candidates(&summary.manifest_files_key, summary.prefix.as_deref());
        let key = keys.into_iter().next().unwrap_or_default();
        let folder = key.rsplit_once('/').map_or("", |(folder, _)| folder);
        Ok((summary.bucket, folder.to_owned()))
    }

    /// The archive that a load reads, with the manifests that it began with.
    async fn archive_of_load(
        &self,
        request: &LoadRequest,
        cancel: &CancellationToken,
    ) -> Result<ReadableArchive, LoadError> {
        let archive = self.archive_at(&request.archive, cancel).await?;
        if archive.digest != request.manifests {
            return Err(LoadError::OtherArchive(request.archive.clone()));
        }
        Ok(archive)
    }

    /// The archive at an address, as the destination reads it, or the source where that alone is signed in.
    async fn archive_at(
        &self,
        address: &ArchiveAddress,
        cancel: &CancellationToken,
    ) -> Result<ReadableArchive, ArchiveError> {
        let place = match address {
            ArchiveAddress::Directory(path) => ArchivePlace::Directory(path.clone()),
            ArchiveAddress::Bucket {
                bucket,
                owner,
                folder,
            } => ArchivePlace::Bucket {
                side: match self.session(Side::Destination) {
                    Some(_) => Side::Destination,
                    None => Side::Source,
                },
                bucket: bucket.clone(),
                owner: owner.clone(),
                folder: folder.clone(),
            },
        };
        let request = ArchiveRequest {
            place,
            is_deep: false,
            knowledge: Knowledge::default(),
            export_arn: None,
        };
        self.readable_archive(&request, cancel).await
    }
}

/// One export that is written into a table.
struct Writing<'w> {
    work: &'w Work,
    request: LoadRequest,
    events: &'w UnboundedSender<Event>,
    cancel: &'w CancellationToken,
}

impl Writing<'_> {
    async fn carry_out(&self, session: &Session, record: &mut Operation) -> Result<(), LoadError> {
        let target = Target::read(session, &self.request.table_arn).await?;
        target.check(self.request.table_id.as_deref())?;
        let archive = self
            .work
            .archive_of_load(&self.request, self.cancel)
            .await?;
        let mut result = self.begin(record, &target)?;
        let from = result.done;
        let units = self.request.most_write_units;
        let keys = target.keys()?;
        let records = archive.records(from, keys, units, self.cancel)?;
        let writer = ItemWriter::new(self.work, &self.request.table_arn, units, self.cancel)?;
        let mut noted = Instant::now();
        let mut told = noted;
        let written = writer
            .write_all(records, |written| {
                add(&mut result, written);
                if noted.elapsed() >= NOTED_EVERY {
                    noted = Instant::now();
                    self.note(record, &result)?;
                }
                if told.elapsed() >= TOLD_EVERY {
                    told = Instant::now();
                    self.note(record, &result)?;
                    let _ = self
                        .events
                        .send(Event::Operation(OperationProgress::of(record)));
                }
                Ok(())
            })
            .await;
        self.note(record, &result)?;
        written?;
        self.end(session, record, result).await
    }

    /// The moment before the first write is in the journal before anything is written.
    fn begin(&self, record: &mut Operation, target: &Target) -> Result<LoadResult, LoadError> {
        let (_, mut result) = record.to_load().ok_or(LoadError::NoSuchRun(record.run))?;
        if result.began_at.is_none() {
            let now = target.asked_at.unwrap_or_else(Timestamp::now);
            target.check_recovery(now)?;
            result.began_at = Timestamp::from_second(now.as_second()).ok();
            record.started_at = result.began_at;
            record.stage = Stage::InProgress;
            self.note(record, &result)?;
        }
        if let Some(at) = result.began_at {
            let command = restore_command(&self.request.table_arn, at);
            let message = format!(
                "what was in the table at {at}, before the first write, is restored by: {command}"
            );
            let _ = self.events.send(Event::Noted { message });
        }
        let _ = self
            .events
            .send(Event::Operation(OperationProgress::of(record)));
        Ok(result)
    }

    fn note(&self, record: &mut Operation, result: &LoadResult) -> Result<(), LoadError> {
        // The result's own types always serialize.
        record.result = serde_json::to_value(result).unwrap_or_default();
        Ok(self.work.inner.journal.update_operation(record)?)
    }

    /// Counts what is there, and compares what was written with the manifest.
    async fn end(
        &self,
        session: &Session,
        record: &mut Operation,
        mut result: LoadResult,
    ) -> Result<(), LoadError> {
        let LoadRequest { items, .. } = self.request;
        record.remarks.clear();
        if self.request.window.is_none() {
            let region = super::region_of(&self.request.table_arn, session);
            let session = self.work.session(Side::Source);
            let session = session.ok_or(LoadError::NotSignedIn(Side::Source))?;
            let counting = session.dynamodb(&region);
            tokio::select! {
                () = self.cancel.cancelled() => return Err(LoadError::CutOff),
                counted = counting.count_items(&self.request.table_arn) => match counted {
                    Ok(counted) => {
                        result.counted = Some(counted);
                        let others = counted.saturating_sub(items);
                        record.remarks.push(format!(
                            "the table has {counted} items, of which {others} are not in the export"
                        ));
                    }
                    Err(failure) => record.remarks.push(format!(
                        "the table's items are not counted: {failure}"
                    )),
                },
            }
        }
        let written = result.puts + result.deletes;
        let verification = if written == items {
            Verification::Verified {
                files: self.request.files,
                bytes: self.request.bytes,
                items,
            }
        } else {
            Verification::Wrong {
                findings: vec![format!(
                    "{written} items were written, and the manifest has {items}"
                )],
            }
        };
        let (verified, text) = verification.to_record();
        record.stage = Stage::Completed;
        record.ended_at = Some(Timestamp::now());
        (record.verified, record.verification) = (Some(verified), Some(text));
        record.verified_at = record.ended_at;
        self.note(record, &result)
    }
}

fn add(result: &mut LoadResult, written: Written) {
    result.done = written.until;
    result.puts += written.puts;
    result.deletes += written.deletes;
    result.units += written.units;
}
