//! Reading every data file of an archive, several at a time: one thread each, memory bounded by their
//! number.

use std::io;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::runtime::Handle;

use super::bucket::Download;
use super::check::{Checker, ScanError, ended_early};
use super::copy::LocalCopy;
use super::mask::output::MaskOutput;
use super::progress::{Progress, Stamp};
use super::source::{DataFile, FileSource, file_stamp, object_stamp};
use crate::archive::audit::Read as ReadResult;

/// Everything that a worker needs.
#[derive(Debug)]
pub(super) struct Scan {
    pub(super) source: FileSource,
    /// Where what is read is kept, too.
    pub(super) copy: Option<Arc<LocalCopy>>,
    /// Where what is read goes masked.
    pub(super) mask: Option<Arc<MaskOutput>>,
    pub(super) files: Vec<DataFile>,
    pub(super) checker: Checker,
    pub(super) progress: Option<Progress>,
    next: AtomicUsize,
    results: Mutex<Vec<(usize, ReadResult)>>,
    failure: Mutex<Option<ScanError>>,
}

impl Scan {
    pub(super) fn new(source: FileSource, files: Vec<DataFile>, checker: Checker) -> Self {
        Self {
            source,
            copy: None,
            mask: None,
            files,
            checker,
            progress: None,
            next: AtomicUsize::new(0),
            results: Mutex::default(),
            failure: Mutex::default(),
        }
    }

    /// Reads all files, and answers what each came to, by its place in the list.
    pub(super) async fn run(self: &Arc<Self>) -> Result<Vec<(usize, ReadResult)>, ScanError> {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        // A thread that waits for the network needs no core.
        let threads = match self.source {
            FileSource::Directory(_) => cores,
            FileSource::Bucket(_) => (cores * 2).min(8),
        };
        let runtime = Handle::current();
        let workers = (0..threads.min(self.files.len())).map(|_| {
            let (scan, runtime) = (Arc::clone(self), runtime.clone());
            tokio::task::spawn_blocking(move || scan.work(&runtime))
        });
        for worker in workers.collect::<Vec<_>>() {
            // A worker that panicked has left no result, and its file is told as unread.
            let _ = worker.await;
        }
        if let Some(failure) = lock(&self.failure).take() {
            // What was read until now need not be read again; the failure is told in any case.
            let _ = self.write_progress();
            return Err(failure);
        }
        Ok(std::mem::take(&mut *lock(&self.results)))
    }

    fn work(&self, runtime: &Handle) {
        while lock(&self.failure).is_none() {
            let next = self.next.fetch_add(1, Ordering::Relaxed);
            let Some(file) = self.files.get(next) else {
                return;
            };
            match self.read_or_recall(file, runtime) {
                Ok(result) => {
                    lock(&self.results).push((file.index, result));
                    self.checker.counter.files.fetch_add(1, Ordering::Relaxed);
                }
                Err(error) => {
                    lock(&self.failure).get_or_insert(error);
                }
            }
        }
    }

    /// What a file came to when it was read before, or comes to now.
    fn read_or_recall(&self, file: &DataFile, runtime: &Handle) -> Result<ReadResult, ScanError> {
        let stamp = self.stamp(file);
        if let (Some(progress), Some(stamp)) = (&self.progress, &stamp)
            && self.is_copied(file)
            && self.is_masked(file, progress)
            && let Some(content) = progress.content(file.index, stamp)
        {
            self.checker.recall(content.compressed_bytes);
            return Ok(ReadResult::Whole(content));
        }
        let result = self.check(file, runtime)?;
        if let (Some(progress), Some(stamp), ReadResult::Whole(content)) =
            (&self.progress, stamp, &result)
        {
            let masked = self.mask.as_ref().and_then(|mask| mask.made(file.index));
            progress.add(file.index, stamp, content, masked);
        }
        Ok(result)
    }

    fn stamp(&self, file: &DataFile) -> Option<Stamp> {
        match (&self.source, &file.object) {
            (FileSource::Bucket(_), Some(object)) => Some(object_stamp(object)),
            (FileSource::Bucket(_), None) => None,
            (FileSource::Directory(directory), _) => {
                file_stamp(&directory.open_data(&file.entry.key).ok()??)
            }
        }
    }

    /// Whether a copy, where one is made, has the file.
    fn is_copied(&self, file: &DataFile) -> bool {
        let copy = self.copy.as_ref();
        copy.is_none_or(|copy| copy.has(&file.entry))
    }

    /// Whether the masked file, where one is made, was written before.
    fn is_masked(&self, file: &DataFile, progress: &Progress) -> bool {
        let Some(mask) = &self.mask else {
            return true;
        };
        progress
            .masked(file.index)
            .is_some_and(|made| mask.recall(file, made))
    }

    /// Writes down what was read, where it is time to; a full disk ends the reading.
    pub(super) fn write_due_progress(&self) {
        let is_due = self.progress.as_ref().is_some_and(Progress::is_due);
        if is_due && let Err(error) = self.write_progress() {
            lock(&self.failure).get_or_insert(ScanError::Index(error));
        }
    }

    fn write_progress(&self) -> io::Result<()> {
        match &self.progress {
            Some(progress) => progress.write(|| self.checker.keys.persist()),
            None => Ok(()),
        }
    }

    fn check(&self, file: &DataFile, runtime: &Handle) -> Result<ReadResult, ScanError> {
        match (&self.source, &file.object) {
            (FileSource::Directory(directory), _) => match directory.open_data(&file.entry.key) {
                Ok(Some(opened)) => match &self.mask {
                    Some(mask) => mask.write_opened(&self.checker, file, &opened, runtime),
                    None => self.checker.check_opened(file, &opened),
                },
                Ok(None) => Ok(ReadResult::Vanished),
                Err(error) => Ok(ReadResult::Failed(error.to_string())),
            },
            (FileSource::Bucket(bucket), Some(object)) => match (&self.copy, &self.mask) {
                (Some(copy), _) => copy.fetch(&self.checker, file, (bucket, object), runtime),
                (None, Some(mask)) => {
                    let download = bucket.open(object, 0, runtime);
                    mask.write_download(&self.checker, file, download, runtime)
                }
                (None, None) => self.check_download(file, bucket.open(object, 0, runtime)),
            },
            (FileSource::Bucket(_), None) => Ok(ReadResult::Vanished),
        }
    }

    fn check_download(&self, file: &DataFile, download: Download) -> Result<ReadResult, ScanError> {
        let end = download.end();
        let checked = self.checker.check_content(file, download, None)?;
        match &checked.outcome {
            Ok(_) => checked.accept(),
            Err(error) => ended_early(&end, error),
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
