//! Reading one data file: its bytes are counted, its keys go to the index, and what fails is told apart.

use std::fs::File;
use std::io::{self, Read};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use tokio_util::sync::CancellationToken;

use super::bucket::DownloadEnd;
use super::key_index::{KeyIndex, KeyWriter};
use super::source::{DataFile, file_stamp};
use crate::archive::audit::Read as ReadResult;
use crate::archive::data_file::{FileContent, LineSink, check_file};
use crate::archive::line::LineRules;
use crate::aws::failure::{Failure, FailureKind};

/// How far the reading is.
#[derive(Debug, Default)]
pub(super) struct Counter {
    pub(super) files: AtomicU64,
    pub(super) bytes: AtomicU64,
    recalled_files: AtomicU64,
    recalled_bytes: AtomicU64,
}

/// Why the reading ended before its end.
#[derive(Debug)]
pub(super) enum ScanError {
    /// A call failed without which nothing goes on.
    Call(Box<Failure>),
    /// The index of keys, or what was read, cannot be written down.
    Index(io::Error),
    /// The copy cannot be written.
    Copy(io::Error),
    /// It was cut off.
    CutOff,
}

/// What reads data files, several at a time.
#[derive(Debug)]
pub(super) struct Checker {
    pub(super) rules: LineRules,
    pub(super) keys: KeyIndex,
    pub(super) counter: Counter,
    pub(super) cancel: CancellationToken,
}

impl Checker {
    /// A file that grows or shrinks while it is read is another in the end.
    pub(super) fn check_opened(
        &self,
        file: &DataFile,
        opened: &File,
    ) -> Result<ReadResult, ScanError> {
        let before = file_stamp(opened);
        let checked = self.check_content(file, opened, None)?;
        if file_stamp(opened) != before {
            return Ok(ReadResult::Changed);
        }
        match checked.outcome {
            Ok(_) => checked.accept(),
            Err(error) => Ok(ReadResult::Failed(error.to_string())),
        }
    }

    /// Reads a file; `line` gets each of its sound lines.
    pub(super) fn check_content<'s>(
        &'s self,
        file: &DataFile,
        content: impl Read,
        line: Option<OnLine<'_>>,
    ) -> Result<Checked<'s>, ScanError> {
        let mut sink = Sink {
            keys: self.keys.writer(file.number()),
            line,
            index_failure: None,
            copy_failure: None,
        };
        let outcome = self.read(content, &mut sink)?;
        if let Some(error) = sink.index_failure {
            return Err(ScanError::Index(error));
        }
        if let Some(error) = sink.copy_failure {
            return Err(ScanError::Copy(error));
        }
        Ok(Checked {
            outcome,
            keys: sink.keys,
        })
    }

    /// Reads a file, with what takes its sound lines.
    pub(super) fn read(
        &self,
        content: impl Read,
        sink: &mut dyn LineSink,
    ) -> Result<io::Result<FileContent>, ScanError> {
        let counted = Counted {
            content,
            counter: &self.counter.bytes,
            cancel: &self.cancel,
        };
        let outcome = check_file(counted, &self.rules, sink);
        if self.cancel.is_cancelled() {
            return Err(ScanError::CutOff);
        }
        Ok(outcome)
    }

    /// Counts a file that is not read again.
    pub(super) fn recall(&self, bytes: u64) {
        self.counter.bytes.fetch_add(bytes, Ordering::Relaxed);
        self.counter.recalled_files.fetch_add(1, Ordering::Relaxed);
        self.counter
            .recalled_bytes
            .fetch_add(bytes, Ordering::Relaxed);
    }

    /// How many files, of how many bytes, were not read again.
    pub(super) fn recalled(&self) -> (u64, u64) {
        let counter = &self.counter;
        (
            counter.recalled_files.load(Ordering::Relaxed),
            counter.recalled_bytes.load(Ordering::Relaxed),
        )
    }
}

/// What gets each sound line.
pub(super) type OnLine<'l> = &'l mut dyn FnMut(&str) -> io::Result<()>;

/// What reading a file came to, with its keys, which count for nothing until they are accepted.
pub(super) struct Checked<'s> {
    pub(super) outcome: io::Result<FileContent>,
    keys: KeyWriter<'s>,
}

impl Checked<'_> {
    /// Lets the keys count.
    pub(super) fn accept(self) -> Result<ReadResult, ScanError> {
        match self.outcome {
            Ok(content) => {
                self.keys.finish().map_err(ScanError::Index)?;
                Ok(ReadResult::Whole(content))
            }
            Err(error) => Ok(ReadResult::Failed(error.to_string())),
        }
    }
}

/// Why a download ended before its end.
pub(super) fn ended_early(
    end: &Mutex<Option<DownloadEnd>>,
    error: &io::Error,
) -> Result<ReadResult, ScanError> {
    match lock(end).take() {
        Some(DownloadEnd::Vanished) => Ok(ReadResult::Vanished),
        Some(DownloadEnd::Changed) => Ok(ReadResult::Changed),
        Some(DownloadEnd::Failed(failure)) if failure.kind == FailureKind::Credentials => {
            Err(ScanError::Call(failure))
        }
        Some(DownloadEnd::Failed(failure)) => Ok(ReadResult::Failed(failure.to_string())),
        Some(DownloadEnd::Whole) | None => Ok(ReadResult::Failed(error.to_string())),
    }
}

/// Takes keys and lines, and tells failures of either apart from those of the file.
struct Sink<'s, 'l> {
    keys: KeyWriter<'s>,
    line: Option<OnLine<'l>>,
    index_failure: Option<io::Error>,
    copy_failure: Option<io::Error>,
}

impl LineSink for Sink<'_, '_> {
    fn put_key(&mut self, line: u64, key: &[u8]) -> io::Result<()> {
        self.keys.put_key(line, key).map_err(|error| {
            let kind = error.kind();
            self.index_failure = Some(error);
            kind.into()
        })
    }

    fn put_line(&mut self, text: &str) -> io::Result<()> {
        let Some(line) = &mut self.line else {
            return Ok(());
        };
        line(text).map_err(|error| {
            let kind = error.kind();
            self.copy_failure = Some(error);
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
