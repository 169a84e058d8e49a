//! Reading every data file of an archive, several at a time: one thread each, memory bounded by their
//! number.

use std::fs::File;
use std::io::{self, Read};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use tokio_util::sync::CancellationToken;

use super::bucket::{Bucket, Download, DownloadEnd};
use super::directory::Directory;
use super::key_index::KeyIndex;
use crate::archive::audit::Read as ReadResult;
use crate::archive::data_file::check_file;
use crate::archive::line::LineRules;
use crate::archive::manifest::FileEntry;
use crate::aws::failure::{Failure, FailureKind};
use crate::aws::s3::Object;

/// Where data files are read from.
#[derive(Debug, Clone)]
pub(super) enum Source {
    Directory(Arc<Directory>),
    Bucket(Arc<Bucket>),
}

/// A data file that is there.
#[derive(Debug, Clone)]
pub(super) struct DataFile {
    /// Its place in the manifest's list, from 0.
    pub(super) index: usize,
    pub(super) entry: FileEntry,
    /// As it was listed, where it is an object.
    pub(super) object: Option<Object>,
}

/// How far the reading is.
#[derive(Debug, Default)]
pub(super) struct Counter {
    pub(super) files: AtomicU64,
    pub(super) bytes: AtomicU64,
}

/// Everything that a worker needs.
#[derive(Debug)]
pub(super) struct Scan {
    pub(super) source: Source,
    pub(super) files: Vec<DataFile>,
    pub(super) rules: LineRules,
    pub(super) keys: KeyIndex,
    pub(super) counter: Counter,
    pub(super) cancel: CancellationToken,
    next: AtomicUsize,
    results: Mutex<Vec<(usize, ReadResult)>>,
    failure: Mutex<Option<ScanError>>,
}

/// Why the reading ended before its end.
#[derive(Debug)]
pub(super) enum ScanError {
    /// Nobody may read on as who is signed in.
    SignedOut(Box<Failure>),
    /// The index of keys cannot be written.
    Index(io::Error),
    /// It was cut off.
    CutOff,
}

impl Scan {
    pub(super) fn new(
        source: Source,
        files: Vec<DataFile>,
        rules: LineRules,
        keys: KeyIndex,
        cancel: CancellationToken,
    ) -> Self {
        Self {
            source,
            files,
            rules,
            keys,
            counter: Counter::default(),
            cancel,
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
            Source::Directory(_) => cores,
            Source::Bucket(_) => (cores * 2).min(8),
        };
        let runtime = tokio::runtime::Handle::current();
        let workers = (0..threads.min(self.files.len())).map(|_| {
            let (scan, runtime) = (Arc::clone(self), runtime.clone());
            tokio::task::spawn_blocking(move || scan.work(&runtime))
        });
        for worker in workers.collect::<Vec<_>>() {
            // A worker that panicked has left no result, and its file is told as unread.
            let _ = worker.await;
        }
        if let Some(failure) = lock(&self.failure).take() {
            return Err(failure);
        }
        Ok(std::mem::take(&mut *lock(&self.results)))
    }

    fn work(&self, runtime: &tokio::runtime::Handle) {
        while lock(&self.failure).is_none() {
            let next = self.next.fetch_add(1, Ordering::Relaxed);
            let Some(file) = self.files.get(next) else {
                return;
            };
            match self.check(file, runtime) {
                Ok(result) => {
                    lock(&self.results).push((file.index, result));
                    self.counter.files.fetch_add(1, Ordering::Relaxed);
                }
                Err(error) => {
                    lock(&self.failure).get_or_insert(error);
                }
            }
        }
    }

    fn check(
        &self,
        file: &DataFile,
        runtime: &tokio::runtime::Handle,
    ) -> Result<ReadResult, ScanError> {
        match (&self.source, &file.object) {
            (Source::Directory(directory), _) => match directory.open_data(&file.entry.key) {
                Ok(Some(opened)) => self.check_opened(file, &opened),
                Ok(None) => Ok(ReadResult::Vanished),
                Err(error) => Ok(ReadResult::Failed(error.to_string())),
            },
            (Source::Bucket(bucket), Some(object)) => {
                self.check_download(file, bucket.open(object, runtime))
            }
            (Source::Bucket(_), None) => Ok(ReadResult::Vanished),
        }
    }

    /// A file that grows or shrinks while it is read is another in the end.
    fn check_opened(&self, file: &DataFile, opened: &File) -> Result<ReadResult, ScanError> {
        let stamp = |file: &File| {
            let found = file.metadata().ok()?;
            Some((found.len(), found.modified().ok()))
        };
        let before = stamp(opened);
        let result = self.check_content(file, opened)?;
        if stamp(opened) != before {
            return Ok(ReadResult::Changed);
        }
        Ok(result.unwrap_or_else(|error| ReadResult::Failed(error.to_string())))
    }

    fn check_download(&self, file: &DataFile, download: Download) -> Result<ReadResult, ScanError> {
        let end = download.end();
        let error = match self.check_content(file, download)? {
            Ok(result) => return Ok(result),
            Err(error) => error,
        };
        match lock(&end).take() {
            Some(DownloadEnd::Vanished) => Ok(ReadResult::Vanished),
            Some(DownloadEnd::Changed) => Ok(ReadResult::Changed),
            Some(DownloadEnd::Failed(failure)) if failure.kind == FailureKind::Credentials => {
                Err(ScanError::SignedOut(failure))
            }
            Some(DownloadEnd::Failed(failure)) => Ok(ReadResult::Failed(failure.to_string())),
            Some(DownloadEnd::Whole) | None => Ok(ReadResult::Failed(error.to_string())),
        }
    }

    fn check_content(
        &self,
        file: &DataFile,
        content: impl Read,
    ) -> Result<Result<ReadResult, io::Error>, ScanError> {
        let number = u32::try_from(file.index).unwrap_or(u32::MAX);
        let mut keys = Keys {
            writer: self.keys.writer(number),
            failure: None,
        };
        let counted = Counted {
            content,
            counter: &self.counter.bytes,
            cancel: &self.cancel,
        };
        let checked = check_file(counted, &self.rules, &mut keys);
        if self.cancel.is_cancelled() {
            return Err(ScanError::CutOff);
        }
        if let Some(error) = keys.failure {
            return Err(ScanError::Index(error));
        }
        if checked.is_ok() {
            keys.writer.finish().map_err(ScanError::Index)?;
        }
        Ok(checked.map(ReadResult::Whole))
    }
}

/// A writer whose failure is told apart from that of the file.
struct Keys<'i> {
    writer: super::key_index::KeyWriter<'i>,
    failure: Option<io::Error>,
}

impl crate::archive::data_file::KeySink for Keys<'_> {
    fn put(&mut self, line: u64, key: &[u8]) -> io::Result<()> {
        self.writer.put(line, key).map_err(|error| {
            let kind = error.kind();
            self.failure = Some(error);
            kind.into()
        })
    }
}

/// A file whose bytes are counted as they are read.
struct Counted<'c, R> {
    content: R,
    counter: &'c AtomicU64,
    cancel: &'c CancellationToken,
}

impl<R: Read> Read for Counted<'_, R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        if self.cancel.is_cancelled() {
            return Err(io::Error::other("cut off"));
        }
        let count = self.content.read(into)?;
        self.counter
            .fetch_add(u64::try_from(count).unwrap_or(0), Ordering::Relaxed);
        Ok(count)
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
