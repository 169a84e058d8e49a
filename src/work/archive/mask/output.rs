//! Masking one data file: its lines are checked, masked, checked again, compressed and written while they
//! arrive.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read, Write};
use std::sync::{Mutex, PoisonError};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use flate2::Compression;
use flate2::write::GzEncoder;
use md5::{Digest as _, Md5};
use tokio::runtime::Handle;

use super::target::{MaskTarget, MaskedWriter};
use crate::archive::audit::Read as ReadResult;
use crate::archive::data_file::LineSink;
use crate::archive::line::mask::{LineMasker, Masking};
use crate::archive::line::{LineChecker, LineFault};
use crate::work::archive::bucket::Download;
use crate::work::archive::check::{Checker, ScanError, ended_early};
use crate::work::archive::copy::is_entry;
use crate::work::archive::key_index::KeyWriter;
use crate::work::archive::progress::MaskedFile;
use crate::work::archive::source::{DataFile, file_stamp};

/// What masks data files, and what was made of them so far.
#[derive(Debug)]
pub(in crate::work::archive) struct MaskOutput {
    masking: Masking,
    target: MaskTarget,
    made: Mutex<BTreeMap<usize, MaskedFile>>,
}

impl MaskOutput {
    pub(super) fn new(masking: Masking, target: MaskTarget) -> Self {
        Self {
            masking,
            target,
            made: Mutex::default(),
        }
    }

    pub(super) const fn target(&self) -> &MaskTarget {
        &self.target
    }

    /// What was made of a file, by its place in the manifest's list.
    pub(in crate::work::archive) fn made(&self, index: usize) -> Option<MaskedFile> {
        self.lock().get(&index).cloned()
    }

    /// Takes in what an earlier process made of a file, if it is still there.
    pub(in crate::work::archive) fn recall(&self, file: &DataFile, made: MaskedFile) -> bool {
        let is_there = self.target.has(&file.entry);
        if is_there {
            self.lock().insert(file.index, made);
        }
        is_there
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, BTreeMap<usize, MaskedFile>> {
        self.made.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Masks a file of this machine.
    pub(in crate::work::archive) fn write_opened(
        &self,
        checker: &Checker,
        file: &DataFile,
        opened: &File,
        runtime: &Handle,
    ) -> Result<ReadResult, ScanError> {
        let before = file_stamp(opened);
        let written = self.write(checker, file, opened, runtime)?;
        if file_stamp(opened) != before {
            self.lock().remove(&file.index);
            return Ok(ReadResult::Changed);
        }
        Ok(written.unwrap_or_else(|error| ReadResult::Failed(error.to_string())))
    }

    /// Masks an object while it is downloaded.
    pub(in crate::work::archive) fn write_download(
        &self,
        checker: &Checker,
        file: &DataFile,
        download: Download,
        runtime: &Handle,
    ) -> Result<ReadResult, ScanError> {
        let end = download.end();
        match self.write(checker, file, download, runtime)? {
            Ok(result) => Ok(result),
            Err(error) => ended_early(&end, &error),
        }
    }

    /// Masks what is read; the inner error is the reading's.
    fn write(
        &self,
        checker: &Checker,
        file: &DataFile,
        content: impl Read,
        runtime: &Handle,
    ) -> Result<io::Result<ReadResult>, ScanError> {
        let writer = self.target.begin(&file.entry, runtime);
        let mut sink = MaskSink {
            masker: LineMasker::new(&self.masking),
            checker: LineChecker::new(&checker.rules),
            keys: checker.keys.writer(file.number()),
            out: GzEncoder::new(
                Digested::new(writer.map_err(ScanError::Copy)?),
                Compression::default(),
            ),
            lines: 0,
            stopped: None,
        };
        let outcome = match (checker.read(content, &mut sink), sink.stopped.take()) {
            (Err(error), _) => {
                sink.discard();
                return Err(error);
            }
            (_, Some(Stop::Index(error))) => {
                sink.discard();
                return Err(ScanError::Index(error));
            }
            (_, Some(Stop::Write(error))) => return Err(sink.write_failed(error)),
            (_, Some(Stop::Line(fault))) => {
                let line = sink.lines;
                sink.discard();
                let (path, kind) = (fault.path, fault.kind);
                let told = format!("line {line} cannot be masked: {path}: {kind}");
                return Ok(Ok(ReadResult::Failed(told)));
            }
            (Ok(outcome), None) => outcome,
        };
        match outcome {
            Ok(content) => {
                let is_sound = content.faults.is_empty() && content.more_faults == 0;
                if is_sound && is_entry(&file.entry, &content) {
                    let made = sink.finish()?;
                    self.lock().insert(file.index, made);
                } else {
                    sink.discard();
                }
                Ok(Ok(ReadResult::Whole(content)))
            }
            Err(error) => {
                sink.discard();
                Ok(Err(error))
            }
        }
    }
}

/// Takes sound lines, and writes them masked.
struct MaskSink<'s> {
    masker: LineMasker<'s>,
    /// Of masked lines.
    checker: LineChecker,
    keys: KeyWriter<'s>,
    out: GzEncoder<Digested<MaskedWriter<'s>>>,
    lines: u64,
    stopped: Option<Stop>,
}

/// Why a file is not masked to its end.
enum Stop {
    Line(Box<LineFault>),
    Index(io::Error),
    Write(io::Error),
}

impl MaskSink<'_> {
    fn mask(&mut self, text: &str) -> Result<(), Stop> {
        let masked = self.masker.mask(text).map_err(Stop::Line)?;
        let content = self.checker.check(masked).map_err(Stop::Line)?;
        if let Some(key) = content.key {
            self.keys.put_key(self.lines, key).map_err(Stop::Index)?;
        }
        let written = self.out.write_all(masked.as_bytes());
        written
            .and_then(|()| self.out.write_all(b"\n"))
            .map_err(Stop::Write)
    }

    fn write_failed(mut self, error: io::Error) -> ScanError {
        let failure = self.out.get_mut().out.failure();
        self.discard();
        failure.map_or(ScanError::Copy(error), ScanError::Call)
    }

    /// Ends the file, and lets its keys count.
    fn finish(mut self) -> Result<MaskedFile, ScanError> {
        let ended = self.out.try_finish();
        let ended = ended.and_then(|()| self.out.get_mut().out.finish());
        let etag = match ended {
            Ok(etag) => etag,
            Err(error) => return Err(self.write_failed(error)),
        };
        self.keys.finish().map_err(ScanError::Index)?;
        let digest: [u8; 16] = self.out.get_ref().md5.clone().finalize().into();
        Ok(MaskedFile {
            items: self.lines,
            md5: BASE64.encode(digest),
            // What S3 would name it, put in one piece.
            etag: etag.unwrap_or_else(|| hex::encode(digest)),
            counts: self.masker.counts().to_vec(),
        })
    }

    fn discard(mut self) {
        // What the encoder still holds follows when it is dropped, and is thrown away.
        self.out.get_mut().out.discard();
    }
}

impl LineSink for MaskSink<'_> {
    fn put_key(&mut self, _line: u64, _key: &[u8]) -> io::Result<()> {
        // The keys that are compared are those of the masked lines.
        Ok(())
    }

    fn put_line(&mut self, text: &str) -> io::Result<()> {
        self.lines += 1;
        self.mask(text).map_err(|stop| {
            self.stopped = Some(stop);
            io::Error::other("the line is not masked")
        })
    }
}

/// What is written, with its MD5.
struct Digested<W> {
    out: W,
    md5: Md5,
}

impl<W> Digested<W> {
    fn new(out: W) -> Self {
        Self {
            out,
            md5: Md5::new(),
        }
    }
}

impl<W: Write> Write for Digested<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let count = self.out.write(bytes)?;
        self.md5.update(bytes.get(..count).unwrap_or_default());
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}
