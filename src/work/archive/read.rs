//! Reading all data files of an archive once, with what was read before it.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use sha2::Digest as _;
use tokio::sync::mpsc::UnboundedSender;
use tokio_util::sync::CancellationToken;

use super::check::{Checker, Counter, ScanError};
use super::copy::LocalCopy;
use super::error::ArchiveError;
use super::find::FoundArchive;
use super::key_index::{HashKey, KeyIndex, MemoryBudget, RunStore};
use super::mask::output::MaskOutput;
use super::progress::{OpenedProgress, Progress};
use super::scan::Scan;
use super::source::{DataFile, FileSource};
use super::{ArchiveEvent, OpenedArchive};
use crate::archive::audit::{Archive, Duplicates, FileState};
use crate::archive::line::LineRules;
use crate::work::Work;

/// How often it is told how much was read.
const TICK: Duration = Duration::from_millis(200);

/// A reading that is about to begin.
#[derive(Debug)]
pub(super) struct PlannedReading {
    source: FileSource,
    rules: LineRules,
    scratch: PathBuf,
    copy: Option<Arc<LocalCopy>>,
    mask: Option<Arc<MaskOutput>>,
    progress: Option<OpenedProgress>,
    digest: [u8; 32],
}

impl From<ScanError> for ArchiveError {
    fn from(error: ScanError) -> Self {
        match error {
            ScanError::Call(failure) => Self::Call(failure),
            ScanError::Index(error) => Self::Index(error),
            ScanError::Copy(error) => Self::Copy(error),
            ScanError::CutOff => Self::CutOff,
        }
    }
}

impl Work {
    /// What is needed to read an archive; what an earlier process read of it to the same end is taken up where
    /// that is kept, which is where a purpose is named.
    pub(super) fn prepare_reading(
        &self,
        opened: &OpenedArchive,
        rules: LineRules,
        purpose: Option<&str>,
    ) -> PlannedReading {
        let settings = &self.inner.settings;
        let digest = |what: &str| -> [u8; 32] {
            let mut digest = opened.manifests.digest.clone();
            digest.update(what);
            digest.finalize().into()
        };
        // What a line is found to be depends on the rules, too.
        let progress =
            settings
                .state_dir
                .as_deref()
                .zip(purpose)
                .and_then(|(state_dir, purpose)| {
                    let name = digest(&format!("{} {rules:?}{purpose}", opened.reader.place()));
                    // Without it all is read, which is what counts.
                    Progress::open(state_dir, &hex::encode(name)).ok().flatten()
                });
        PlannedReading {
            source: opened.reader.source.clone(),
            rules,
            scratch: settings
                .state_dir
                .clone()
                .unwrap_or_else(std::env::temp_dir),
            copy: None,
            mask: None,
            progress,
            // Who holds the index alone knows no manifest, and so not the key of its hashes.
            digest: digest("keys"),
        }
    }
}

impl PlannedReading {
    /// The same, which keeps what it reads.
    pub(super) fn into_copy(self, copy: Arc<LocalCopy>) -> Self {
        Self {
            copy: Some(copy),
            ..self
        }
    }

    /// The same, which masks what it reads; the keys that it compares are the masked ones.
    pub(super) fn into_mask(self, mask: Arc<MaskOutput>) -> Self {
        Self {
            mask: Some(mask),
            ..self
        }
    }

    /// Whether what is read is kept for a later process, so that no other one has it now.
    pub(super) const fn is_kept(&self) -> bool {
        self.progress.is_some()
    }

    /// Reads all files, while it is told how far that is.
    pub(super) async fn read_all(
        self,
        found: &mut FoundArchive,
        events: &UnboundedSender<ArchiveEvent>,
        cancel: &CancellationToken,
    ) -> Result<Duplicates, ArchiveError> {
        // The one who does not listen is not told.
        let _ = events.send(estimate(&self.source, &found.archive));
        let scan = Arc::new(self.into_scan(std::mem::take(&mut found.files), cancel));
        let mut tick = tokio::time::interval(TICK);
        let reading = Arc::clone(&scan);
        let mut reading = std::pin::pin!(reading.run());
        let results = loop {
            tokio::select! {
                results = &mut reading => break results?,
                _ = tick.tick() => {
                    let writing = Arc::clone(&scan);
                    // A task that panics has written nothing, and a later one does.
                    let _ = tokio::task::spawn_blocking(move || writing.write_due_progress()).await;
                    let _ = events.send(ArchiveEvent::Read {
                        files: scan.checker.counter.files.load(Ordering::Relaxed),
                        bytes: scan.checker.counter.bytes.load(Ordering::Relaxed),
                    });
                }
            }
        };
        let (files, bytes) = scan.checker.recalled();
        if files > 0 {
            let _ = events.send(ArchiveEvent::Recalled { files, bytes });
        }
        for (index, result) in results {
            if let Some(FileState::Present { content, .. }) = found.archive.files.get_mut(index) {
                *content = Some(Box::new(result));
            }
        }
        let searched = tokio::task::spawn_blocking(move || {
            let duplicates = scan.checker.keys.duplicates()?;
            if let Some(progress) = &scan.progress {
                progress.remove();
            }
            Ok(duplicates)
        });
        let searched = searched.await;
        let searched = searched.unwrap_or_else(|error| Err(io::Error::other(error.to_string())));
        searched.map_err(ArchiveError::Index)
    }

    fn into_scan(self, files: Vec<DataFile>, cancel: &CancellationToken) -> Scan {
        let (progress, store, readings, key) = match self.progress {
            Some(opened) => (
                Some(opened.progress),
                RunStore::Kept(opened.runs),
                opened.readings,
                HashKey::of_digest(&self.digest),
            ),
            None => (
                None,
                RunStore::Nameless(self.scratch),
                Vec::new(),
                HashKey::random(),
            ),
        };
        let keys = KeyIndex::new(key, store, MemoryBudget::default(), readings);
        let checker = Checker {
            rules: self.rules,
            keys,
            counter: Counter::default(),
            cancel: cancel.clone(),
        };
        let mut scan = Scan::new(self.source, files, checker);
        scan.progress = progress;
        scan.copy = self.copy;
        scan.mask = self.mask;
        scan
    }
}

fn estimate(source: &FileSource, archive: &Archive) -> ArchiveEvent {
    let sizes = archive.files.iter().filter_map(|file| match file {
        FileState::Present { size, .. } => Some(*size),
        FileState::Missing => None,
    });
    let files = u64::try_from(sizes.clone().count()).unwrap_or(u64::MAX);
    ArchiveEvent::Estimated {
        files,
        bytes: sizes.sum(),
        requests: match source {
            FileSource::Directory(_) => 0,
            FileSource::Bucket(_) => files,
        },
    }
}
