//! The records of an archive one after the other, in the order of its manifest and from any of them on: for
//! those who do something with each.
//!
//! One thread reads ahead, by a few batches. A line that is not sound, or a file that is not the manifest's,
//! ends the reading where it is: nothing is passed over.

use std::io;
use std::sync::{Arc, Mutex, PoisonError};

use sha2::Digest as _;
use tokio::runtime::Handle;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::bucket::DownloadEnd;
use super::error::ArchiveError;
use super::source::{DataFile, FileSource};
use super::{ArchiveReport, ArchiveRequest};
use crate::archive::audit::{Duplicates, FaultKind, Knowledge, audit, line_rules};
use crate::archive::checksum::is_same_md5;
use crate::archive::data_file::{FileContent, FileFault, LineSink, check_file};
use crate::archive::line::{KeySchema, LineRules};
use crate::archive::manifest::Summary;
use crate::archive::value::{Record, read_record};
use crate::archive::write_units::write_units;
use crate::job::load::Position;
use crate::work::Work;

/// The most records of a batch: "as many as 25 item put or delete operations" (API reference,
/// `BatchWriteItem`).
const MOST_RECORDS: usize = 25;
/// The most bytes of the lines of a batch, so that little memory is taken whatever the items are; 16 MB
/// are allowed.
const MOST_BYTES: usize = 1024 * 1024;
/// Batches that are read ahead.
const AHEAD: usize = 4;

/// An archive whose records can be read.
#[derive(Debug)]
pub(in crate::work) struct ReadableArchive {
    source: Arc<FileSource>,
    files: Vec<DataFile>,
    /// The summary.
    pub(in crate::work) summary: Summary,
    /// What its manifests and the files' names and sizes show.
    pub(in crate::work) report: ArchiveReport,
    /// Of the bytes of both manifests.
    pub(in crate::work) digest: String,
}

/// Records that follow each other in one file, no two of them of one key.
#[derive(Debug)]
pub(in crate::work) struct RecordBatch {
    pub(in crate::work) records: Vec<Record>,
    /// The write units that writing them takes, of the table alone.
    pub(in crate::work) units: u64,
    /// The bytes of their lines.
    pub(in crate::work) bytes: u64,
    /// What lies behind them.
    pub(in crate::work) until: Position,
}

/// The records, and the one failure that may end them.
pub(in crate::work) type Records = mpsc::Receiver<Result<RecordBatch, ArchiveError>>;

impl Work {
    /// Finds an archive whose records are to be read.
    ///
    /// # Errors
    /// Where there is no archive, or its manifests cannot be read.
    pub(in crate::work) async fn readable_archive(
        &self,
        request: &ArchiveRequest,
        cancel: &CancellationToken,
    ) -> Result<ReadableArchive, ArchiveError> {
        let mut opened = self.open_archive(request, cancel).await?;
        let Some(found) = opened.found.take() else {
            let fault = opened.manifests.faults.first();
            return Err(ArchiveError::Damaged {
                place: opened.reader.place(),
                problem: fault.map_or_else(String::new, |fault| fault.kind.to_string()),
            });
        };
        let mut report = opened.report(false);
        report.audit = audit(&found.archive, &Duplicates::default(), &request.knowledge);
        let digest = hex::encode(opened.manifests.digest.clone().finalize());
        Ok(ReadableArchive {
            source: Arc::new(opened.reader.source.clone()),
            files: found.files,
            summary: found.archive.summary,
            report: opened.manifests.conclude(report),
            digest,
        })
    }
}

impl ReadableArchive {
    /// Begins to read the records behind a position. Each must have these keys; a batch takes at most so
    /// many write units, unless one record takes more.
    pub(in crate::work) fn records(
        &self,
        from: Position,
        keys: KeySchema,
        most_units: u64,
        cancel: &CancellationToken,
    ) -> Result<Records, ArchiveError> {
        let knowledge = Knowledge {
            keys: Some(keys),
            ..Knowledge::default()
        };
        let rules = line_rules(&self.summary, &knowledge);
        let rules = rules.ok_or_else(|| ArchiveError::Damaged {
            place: self.report.place.clone(),
            problem: "the manifest names no format that is known".to_owned(),
        })?;
        let (sender, records) = mpsc::channel(AHEAD);
        let reader = RecordReader {
            source: Arc::clone(&self.source),
            files: self.files.clone(),
            rules,
            from,
            most_units,
            runtime: Handle::current(),
            cancel: cancel.clone(),
            sender,
        };
        tokio::task::spawn_blocking(move || reader.run());
        Ok(records)
    }
}

/// What the thread that reads has.
struct RecordReader {
    source: Arc<FileSource>,
    files: Vec<DataFile>,
    rules: LineRules,
    from: Position,
    most_units: u64,
    runtime: Handle,
    cancel: CancellationToken,
    sender: mpsc::Sender<Result<RecordBatch, ArchiveError>>,
}

impl RecordReader {
    fn run(&self) {
        for (number, file) in (0..).zip(&self.files) {
            if number < self.from.file {
                continue;
            }
            let line = if number == self.from.file {
                self.from.line
            } else {
                0
            };
            match self.read_file(number, file, line) {
                Ok(()) => {}
                Err(Stop::NobodyListens) => return,
                Err(Stop::Failed(error)) => {
                    // The one who listens no more is not told.
                    let _ = self.sender.blocking_send(Err(*error));
                    return;
                }
            }
        }
    }

    fn read_file(&self, number: u64, file: &DataFile, from: u64) -> Result<(), Stop> {
        let mut sink = BatchSink {
            reader: self,
            file: number,
            key_of_file: &file.entry.key,
            from,
            last: 0,
            has_key: false,
            keys: Vec::new(),
            batch: empty(Position {
                file: number,
                line: from,
            }),
            line_bytes: 0,
            stop: None,
        };
        let (outcome, end) = match (&*self.source, &file.object) {
            (FileSource::Directory(directory), _) => match directory.open_data(&file.entry.key) {
                Ok(Some(opened)) => (check_file(opened, &self.rules, &mut sink), None),
                Ok(None) => return Err(damaged(&file.entry.key, "the file is gone")),
                Err(error) => (Err(error), None),
            },
            (FileSource::Bucket(bucket), Some(object)) => {
                let download = bucket.open(object, 0, &self.runtime);
                let end = download.end();
                (check_file(download, &self.rules, &mut sink), Some(end))
            }
            (FileSource::Bucket(_), None) => {
                return Err(damaged(&file.entry.key, "the file is gone"));
            }
        };
        if let Some(stop) = sink.stop {
            return Err(stop);
        }
        let content = outcome.map_err(|error| failed(&file.entry.key, &error, end.as_deref()))?;
        if let Some(problem) = difference(file, &content, sink.last) {
            return Err(damaged(&file.entry.key, &problem));
        }
        // Only now is it known that the file is the manifest's.
        sink.batch.until = Position {
            file: number + 1,
            line: 0,
        };
        self.send(sink.batch)
    }

    fn send(&self, batch: RecordBatch) -> Result<(), Stop> {
        let sent = self.sender.blocking_send(Ok(batch));
        sent.map_err(|_| Stop::NobodyListens)
    }
}

/// Why a file is not read on.
#[derive(Debug)]
enum Stop {
    NobodyListens,
    Failed(Box<ArchiveError>),
}

fn damaged(place: &str, problem: &str) -> Stop {
    Stop::Failed(Box::new(ArchiveError::Damaged {
        place: place.to_owned(),
        problem: problem.to_owned(),
    }))
}

/// Why the bytes of a file did not come to their end.
fn failed(place: &str, error: &io::Error, end: Option<&Mutex<Option<DownloadEnd>>>) -> Stop {
    let end = end.and_then(|end| end.lock().unwrap_or_else(PoisonError::into_inner).take());
    match end {
        Some(DownloadEnd::Vanished) => damaged(place, "the object is gone"),
        Some(DownloadEnd::Changed) => damaged(place, "the object was changed while it was read"),
        Some(DownloadEnd::Failed(failure)) => Stop::Failed(Box::new(ArchiveError::Call(failure))),
        Some(DownloadEnd::Whole) | None => Stop::Failed(Box::new(ArchiveError::Unreadable {
            place: place.to_owned(),
            error: io::Error::new(error.kind(), error.to_string()),
        })),
    }
}

/// How a file differs from what the manifest says of it; `last` is its last sound line.
fn difference(file: &DataFile, content: &FileContent, last: u64) -> Option<String> {
    match content.faults.first() {
        Some(FileFault::Line { line, fault }) => {
            let fault = FaultKind::Line(fault.clone());
            return Some(format!("line {line}: {fault}"));
        }
        Some(FileFault::Gzip { fault, at }) => return Some(format!("{fault}, at byte {at}")),
        None => {}
    }
    let entry = &file.entry;
    if content.lines != entry.item_count || content.lines != last {
        return Some(format!(
            "it has {} lines, and the manifest says {}",
            content.lines, entry.item_count
        ));
    }
    let differs = !entry.md5.is_empty() && !is_same_md5(&entry.md5, &content.md5);
    differs.then(|| {
        format!(
            "its MD5 is {}, and the manifest says {}",
            content.md5, entry.md5
        )
    })
}

const fn empty(until: Position) -> RecordBatch {
    RecordBatch {
        records: Vec::new(),
        units: 0,
        bytes: 0,
        until,
    }
}

/// Makes batches of sound lines.
struct BatchSink<'r> {
    reader: &'r RecordReader,
    file: u64,
    key_of_file: &'r str,
    /// The lines that are passed over, which are written.
    from: u64,
    /// The last line with a key.
    last: u64,
    /// Whether the line that comes next has a key.
    has_key: bool,
    /// The keys of the batch.
    keys: Vec<Vec<u8>>,
    batch: RecordBatch,
    line_bytes: usize,
    stop: Option<Stop>,
}

impl BatchSink<'_> {
    fn end_with(&mut self, stop: Stop) -> io::Error {
        self.stop = Some(stop);
        io::Error::other("ended")
    }

    /// Sends what was gathered.
    fn flush(&mut self) -> Result<(), Stop> {
        if self.batch.records.is_empty() {
            return Ok(());
        }
        let next = empty(self.batch.until);
        self.keys.clear();
        self.line_bytes = 0;
        self.reader.send(std::mem::replace(&mut self.batch, next))
    }

    fn is_full(&self, units: u64, bytes: usize) -> bool {
        self.batch.records.len() >= MOST_RECORDS
            || self.line_bytes + bytes > MOST_BYTES
            || self.batch.units + units > self.reader.most_units
    }
}

impl LineSink for BatchSink<'_> {
    fn put_key(&mut self, line: u64, key: &[u8]) -> io::Result<()> {
        if self.reader.cancel.is_cancelled() {
            return Err(self.end_with(Stop::Failed(Box::new(ArchiveError::CutOff))));
        }
        if line != self.last + 1 {
            let problem = format!(
                "line {} is not sound, or lacks the table's key",
                self.last + 1
            );
            return Err(self.end_with(damaged(self.key_of_file, &problem)));
        }
        self.last = line;
        self.has_key = true;
        if line > self.from {
            if self.keys.iter().any(|known| known == key)
                && let Err(stop) = self.flush()
            {
                return Err(self.end_with(stop));
            }
            self.keys.push(key.to_owned());
        }
        Ok(())
    }

    fn put_line(&mut self, text: &str) -> io::Result<()> {
        if !std::mem::take(&mut self.has_key) {
            let problem = format!("line {} lacks the table's key", self.last + 1);
            return Err(self.end_with(damaged(self.key_of_file, &problem)));
        }
        if self.last <= self.from {
            return Ok(());
        }
        let (format, view) = (self.reader.rules.format, self.reader.rules.view);
        let Some(record) = read_record(text, format, view) else {
            let problem = format!("line {} has no values", self.last);
            return Err(self.end_with(damaged(self.key_of_file, &problem)));
        };
        let units = units(&record);
        if self.is_full(units, text.len()) {
            let key = self.keys.pop();
            if let Err(stop) = self.flush() {
                return Err(self.end_with(stop));
            }
            self.keys.extend(key);
        }
        self.line_bytes += text.len();
        self.batch.records.push(record);
        self.batch.units += units;
        self.batch.bytes += u64::try_from(text.len()).unwrap_or(0) + 1;
        self.batch.until = Position {
            file: self.file,
            line: self.last,
        };
        Ok(())
    }
}

/// The units of a write; of a delete, those of the key alone, since what it deletes is not known.
fn units(record: &Record) -> u64 {
    match record {
        Record::Item(item) => write_units(item),
        Record::Change(change) => {
            let image = change.new_image.as_ref().or(change.old_image.as_ref());
            write_units(image.unwrap_or(&change.keys))
        }
    }
}
