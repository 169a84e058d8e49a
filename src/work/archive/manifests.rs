//! The small files of an archive: both manifests, held against their checksum files.

use super::ArchiveReport;
use super::error::ArchiveError;
use super::find::{self, FoundArchive};
use super::source::FileSource;
use crate::archive::audit::{Fault, FaultKind, Note};
use crate::archive::checksum::{self, ChecksumMismatch};
use crate::archive::layout::checksum_keys;
use crate::archive::manifest::{FileEntry, LIST_FILE, SUMMARY_FILE, Summary};
use sha2::{Digest as _, Sha256};
use std::io;
use std::sync::Arc;

/// A manifest names each data file in about 250 bytes; imports end at 50,000 files, exports do not.
pub(in crate::work) const LARGEST_MANIFEST: u64 = 256 * 1024 * 1024;

/// The manifests, as far as they were read.
#[derive(Debug, Default)]
pub(super) struct Manifests {
    pub(super) summary: Option<Summary>,
    pub(super) faults: Vec<Fault>,
    pub(super) notes: Vec<Note>,
    /// Of the bytes of both manifests.
    pub(super) digest: Sha256,
    /// The files as they are, with their checksum files, each behind what it is of.
    pub(super) files: Vec<(String, Vec<u8>)>,
}

impl Manifests {
    /// Whether they are of the export that was asked for.
    pub(super) fn compare(&mut self, summary: &Summary, export_arn: Option<&str>) {
        if let Some(arn) = export_arn
            && arn != summary.export_arn
        {
            let told = format!("the manifest belongs to {}", summary.export_arn);
            self.faults
                .push(Fault::of_export(FaultKind::OtherExport(told)));
        }
    }

    /// Adds what the manifests show to what was found.
    pub(super) fn conclude(self, mut report: ArchiveReport) -> ArchiveReport {
        report.audit.faults.splice(0..0, self.faults);
        report.audit.notes.splice(0..0, self.notes);
        report
    }

    /// The MD5 of each manifest in base64, by its name.
    pub(super) fn checksums(&self) -> Vec<(String, String)> {
        let manifests = self.files.iter();
        manifests
            .filter(|(name, _)| matches!(name.as_str(), SUMMARY_FILE | LIST_FILE))
            .map(|(name, bytes)| (name.clone(), checksum::md5_base64(bytes)))
            .collect()
    }

    /// Checks a manifest against its checksum file, under whichever name that has.
    fn check(&mut self, name: &str, bytes: &[u8], checksums: &[Option<Vec<u8>>]) {
        let mut is_found = false;
        for text in checksums.iter().flatten() {
            is_found = true;
            match checksum::check(bytes, &String::from_utf8_lossy(text)) {
                Ok(()) => {}
                Err(mismatch @ ChecksumMismatch::Differs { .. }) => {
                    self.faults
                        .push(Fault::of_file(name, FaultKind::Checksum(mismatch)));
                }
                Err(mismatch @ ChecksumMismatch::NoChecksum(_)) => {
                    self.notes.push(Note::ChecksumUnreadable {
                        file: name.to_owned(),
                        why: mismatch.to_string(),
                    });
                }
            }
        }
        if !is_found {
            let file = name.to_owned();
            self.notes.push(Note::NoChecksum { file });
        }
    }
}

/// Reads an archive's small files and its folders.
#[derive(Debug)]
pub(super) struct ArchiveReader {
    pub(super) source: FileSource,
}

impl ArchiveReader {
    pub(super) fn place(&self) -> String {
        match &self.source {
            FileSource::Directory(directory) => directory.path().display().to_string(),
            FileSource::Bucket(bucket) => format!("s3://{}/{}", bucket.name, bucket.folder),
        }
    }

    /// A file beside the manifests.
    async fn small(&self, name: &str) -> Result<Option<Vec<u8>>, ArchiveError> {
        match &self.source {
            FileSource::Directory(directory) => {
                directory
                    .read(name, LARGEST_MANIFEST)
                    .map_err(|error| ArchiveError::Unreadable {
                        place: directory.path().join(name).display().to_string(),
                        error,
                    })
            }
            FileSource::Bucket(bucket) => {
                let key = format!("{}{name}", bucket.folder);
                Ok(bucket.read(&key, LARGEST_MANIFEST).await?)
            }
        }
    }

    /// Both manifests, checked against their checksum files; `None` where one of them cannot be read,
    /// which is a fault.
    pub(super) async fn manifests(
        &self,
        manifests: &mut Manifests,
    ) -> Result<Option<(Summary, Vec<FileEntry>)>, ArchiveError> {
        let Some(bytes) = self.small(SUMMARY_FILE).await? else {
            let place = self.place();
            return Err(ArchiveError::NoManifest { place });
        };
        self.check(SUMMARY_FILE, &bytes, manifests).await?;
        let summary = Summary::parse(&bytes);
        let Some(bytes) = self.small(LIST_FILE).await? else {
            manifests
                .faults
                .push(Fault::of_file(LIST_FILE, FaultKind::NoManifest));
            return Ok(None);
        };
        self.check(LIST_FILE, &bytes, manifests).await?;
        let entries = FileEntry::parse_list(&bytes);
        match (summary, entries) {
            (Ok(summary), Ok(entries)) => {
                manifests.summary = Some(summary.clone());
                Ok(Some((summary, entries)))
            }
            (summary, entries) => {
                let unreadable =
                    |name: &str, why: String| Fault::of_file(name, FaultKind::Manifest(why));
                if let Err(error) = &summary {
                    manifests
                        .faults
                        .push(unreadable(SUMMARY_FILE, error.to_string()));
                }
                if let Err(error) = &entries {
                    manifests
                        .faults
                        .push(unreadable(LIST_FILE, error.to_string()));
                }
                manifests.summary = summary.ok();
                Ok(None)
            }
        }
    }

    async fn check(
        &self,
        name: &str,
        bytes: &[u8],
        manifests: &mut Manifests,
    ) -> Result<(), ArchiveError> {
        let mut checksums = Vec::new();
        for key in checksum_keys(name) {
            let checksum = self.small(&key).await?;
            let kept = checksum.clone().map(|bytes| (key, bytes));
            manifests.files.extend(kept);
            checksums.push(checksum);
        }
        manifests.digest.update(Sha256::digest(bytes));
        manifests.files.push((name.to_owned(), bytes.to_vec()));
        manifests.check(name, bytes, &checksums);
        Ok(())
    }

    /// Finds the data files, and what lies beside them in a folder of the export's own.
    pub(super) async fn find(
        &self,
        summary: Summary,
        entries: Vec<FileEntry>,
    ) -> Result<FoundArchive, ArchiveError> {
        match &self.source {
            FileSource::Directory(directory) => {
                let directory = Arc::clone(directory);
                let found = tokio::task::spawn_blocking(move || {
                    find::find_in_directory(&directory, summary, entries)
                });
                let found = found.await;
                found.map_err(|error| ArchiveError::Unreadable {
                    place: self.place(),
                    error: io::Error::other(error.to_string()),
                })?
            }
            FileSource::Bucket(bucket) => find::find_in_bucket(bucket, summary, entries).await,
        }
    }
}
