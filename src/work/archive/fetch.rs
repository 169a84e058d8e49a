//! Fetching an archive to a directory of this machine, with the checks of a verification while it arrives.

use std::path::Path;
use std::sync::Arc;

use tokio::sync::mpsc::UnboundedSender;
use tokio_util::sync::CancellationToken;

use super::copy::{CopyForm, LocalCopy};
use super::error::ArchiveError;
use super::find::FoundArchive;
use super::read::PlannedReading;
use super::{ArchiveEvent, ArchiveReport, ArchiveRequest, OpenedArchive};
use crate::archive::audit::{FaultKind, FileState, Knowledge, audit, line_rules};
use crate::archive::layout::ExportId;
use crate::archive::manifest::Summary;
use crate::work::Work;
use tableferry_policy::arn::{AccountId, Arn};

/// An archive that can be fetched: it was looked up, and nothing of it was downloaded but its manifests.
#[derive(Debug)]
pub struct PreparedFetch {
    opened: OpenedArchive,
    found: FoundArchive,
    knowledge: Knowledge,
    reading: PlannedReading,
    copy: LocalCopy,
}

impl PreparedFetch {
    /// The export.
    #[must_use]
    pub const fn summary(&self) -> &Summary {
        &self.found.archive.summary
    }

    /// The account whose items are fetched.
    #[must_use]
    pub fn account(&self) -> Option<AccountId> {
        let arn: Arn = self.summary().table_arn.parse().ok()?;
        arn.account_id()
    }

    /// Where it is fetched from.
    #[must_use]
    pub fn source(&self) -> String {
        self.opened.reader.place()
    }

    /// The bytes of its data files.
    #[must_use]
    pub const fn bytes(&self) -> u64 {
        self.found.bytes
    }

    /// The directory that it goes to.
    #[must_use]
    pub fn directory(&self) -> &Path {
        self.copy.path()
    }
}

impl Work {
    /// Looks an archive up, and whether it may and can be brought into a directory.
    ///
    /// # Errors
    /// Where there is no archive, it cannot be read, or the directory or the configuration forbids a copy.
    pub async fn prepare_fetch(
        &self,
        request: &ArchiveRequest,
        directory: &Path,
        form: CopyForm,
        cancel: &CancellationToken,
    ) -> Result<PreparedFetch, ArchiveError> {
        if self.settings().are_local_copies_forbidden {
            return Err(ArchiveError::CopiesForbidden);
        }
        let mut opened = self.open_archive(request, cancel).await?;
        let place = opened.reader.place();
        let damaged = |problem: String| ArchiveError::Damaged {
            place: place.clone(),
            problem,
        };
        let Some(found) = opened.found.take() else {
            let fault = opened.manifests.faults.first();
            let problem = fault.map(|fault| fault.kind.to_string());
            return Err(damaged(problem.unwrap_or_default()));
        };
        self.limit(&opened.reader, &found)?;
        let knowledge = self.known(request, &found.archive.summary).await;
        let rules = line_rules(&found.archive.summary, &knowledge)
            .ok_or_else(|| damaged(FaultKind::UnknownFormat.to_string()))?;
        let id = ExportId::from_export_arn(&found.archive.summary.export_arn)
            .map_err(|error| damaged(error.to_string()))?;
        let copy = LocalCopy::open(directory, id.as_str(), &found.archive.entries, form)?;
        has_room(&copy, &found)?;
        // A copy of the archive itself is what was read before.
        let purpose = (form == CopyForm::PlainJson).then_some("");
        let reading = self.prepare_reading(&opened, rules, purpose);
        Ok(PreparedFetch {
            opened,
            found,
            knowledge,
            reading,
            copy,
        })
    }

    /// Brings an archive into its directory. What is damaged in it is what the report tells; its manifests
    /// are there only once all its files are.
    ///
    /// # Errors
    /// Where it cannot be read or written to its end.
    pub async fn fetch_archive(
        &self,
        prepared: PreparedFetch,
        form: CopyForm,
        events: &UnboundedSender<ArchiveEvent>,
        cancel: &CancellationToken,
    ) -> Result<ArchiveReport, ArchiveError> {
        let PreparedFetch {
            opened,
            mut found,
            knowledge,
            reading,
            copy,
        } = prepared;
        let mut report = opened.report(true);
        report.place = copy.place();
        let small_files = opened.manifests.files.clone();
        let is_plain = form == CopyForm::PlainJson;
        let copied = Arc::new(copy);
        let reading = reading.into_copy(Arc::clone(&copied));
        let duplicates = reading.read_all(&mut found, events, cancel).await?;
        report.audit = audit(&found.archive, &duplicates, &knowledge);
        let is_here = found.archive.entries.iter().all(|entry| copied.has(entry));
        if is_here && !is_plain {
            // The summary is the last, so that who finds it finds all the rest.
            for (name, bytes) in &small_files {
                copied
                    .write_small(name, bytes)
                    .map_err(ArchiveError::Copy)?;
            }
        }
        copied.end().map_err(ArchiveError::Copy)?;
        Ok(opened.manifests.conclude(report))
    }
}

/// Whether the file system has room for what is not there yet. How much plain JSON takes is not known
/// before; it is never less.
fn has_room(copy: &LocalCopy, found: &FoundArchive) -> Result<(), ArchiveError> {
    let files = found.archive.entries.iter().zip(&found.archive.files);
    let needed = files.map(|(entry, state)| match state {
        FileState::Present { size, .. } => copy.missing_bytes(entry, *size),
        FileState::Missing => 0,
    });
    let needed = needed.sum();
    let free = copy.free_bytes().map_err(ArchiveError::Copy)?;
    if needed <= free {
        return Ok(());
    }
    Err(ArchiveError::NoRoom {
        path: copy.path().to_owned(),
        needed,
        free,
    })
}
