//! Verifying an archive wherever it lies: its manifests, what lies beside them, and with `--deep` every
//! byte. What all of it results in is for [`crate::archive::audit`] to say.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use tokio::sync::mpsc::UnboundedSender;
use tokio_util::sync::CancellationToken;

use super::archive_error::ArchiveError;
use super::bucket::Bucket;
use super::directory::Directory;
use super::key_index::{Capacity, KeyIndex};
use super::scan::{DataFile, Scan, ScanError, Source};
use super::{LARGEST_MANIFEST, Side, Work, layout_of, summary_key};
use crate::archive::audit::{
    Archive, Audit, Duplicates, Fault, FaultKind, FileState, Note, audit, line_rules,
};
use crate::archive::checksum::{self, Mismatch};
use crate::archive::layout::{
    DataPlace, ExportId, Layout, checksum_keys, data_place, key_candidates,
};
use crate::archive::line::{KeyAttribute, KeySchema};
use crate::archive::manifest::{FileEntry, Summary};
use crate::aws::dynamodb::ExportStatus;
use crate::job::Span;
use crate::journal::ExportRecord;
use tableferry_policy::arn::{AccountId, Arn, BucketName};

use crate::archive::audit::Knowledge;

/// An archive that is to be verified.
#[derive(Debug, Clone)]
pub struct ArchiveRequest {
    /// Where it lies.
    pub place: ArchivePlace,
    /// Whether every byte is read.
    pub is_deep: bool,
    /// What is known beside it.
    pub knowledge: Knowledge,
    /// The export that it must be, where it was asked for by its ARN.
    pub export_arn: Option<String>,
}

/// Where an archive lies.
#[derive(Debug, Clone)]
pub enum ArchivePlace {
    /// A directory that holds the manifests, or one above it.
    Directory(PathBuf),
    /// A folder of a bucket that holds the manifests.
    Bucket {
        /// The side that reads it; it must be signed in.
        side: Side,
        /// The bucket.
        bucket: BucketName,
        /// The account that must own it, where that is known.
        owner: Option<AccountId>,
        /// The folder, with a closing slash.
        folder: String,
    },
}

/// What happens meanwhile.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ArchiveEvent {
    /// This much will be read.
    Estimated {
        /// Data files.
        files: u64,
        /// Their bytes.
        bytes: u64,
        /// Calls of S3, at least.
        requests: u64,
    },
    /// This much was read.
    Read {
        /// Data files.
        files: u64,
        /// Bytes.
        bytes: u64,
    },
}

/// What a verification found.
#[derive(Debug, Clone)]
pub struct ArchiveReport {
    /// Where the archive lies.
    pub place: String,
    /// The summary, where it could be read.
    pub summary: Option<Summary>,
    /// Whether every byte was read.
    pub is_deep: bool,
    /// What was found.
    pub audit: Audit,
}

impl From<ScanError> for ArchiveError {
    fn from(error: ScanError) -> Self {
        match error {
            ScanError::SignedOut(failure) => Self::Call(failure),
            ScanError::Index(error) => Self::Index(error),
            ScanError::CutOff => Self::CutOff,
        }
    }
}

/// How often it is told how much was read.
const TICK: Duration = Duration::from_millis(200);

impl Work {
    /// Verifies an archive; damage is what the report tells, and no error.
    ///
    /// # Errors
    /// Where there is no archive, or it cannot be read.
    pub async fn verify_archive(
        &self,
        request: &ArchiveRequest,
        events: &UnboundedSender<ArchiveEvent>,
        cancel: &CancellationToken,
    ) -> Result<ArchiveReport, ArchiveError> {
        let reader = self.open_archive(&request.place).await?;
        let mut manifests = Manifests::default();
        let read = tokio::select! {
            biased;
            () = cancel.cancelled() => return Err(ArchiveError::CutOff),
            read = reader.manifests(&mut manifests) => read?,
        };
        let mut report = ArchiveReport {
            place: reader.place(),
            summary: manifests.summary.clone(),
            is_deep: request.is_deep,
            audit: Audit::default(),
        };
        if let Some((summary, entries)) = read {
            manifests.compare(&summary, request);
            let mut archive = tokio::select! {
                biased;
                () = cancel.cancelled() => return Err(ArchiveError::CutOff),
                found = reader.find(summary, entries) => found?,
            };
            let knowledge = self.known(request, &archive.archive.summary).await;
            let mut duplicates = Duplicates::default();
            if request.is_deep {
                match line_rules(&archive.archive.summary, &knowledge) {
                    Some(rules) => {
                        self.limit(&reader, &archive)?;
                        let scan = Scan::new(
                            reader.source.clone(),
                            std::mem::take(&mut archive.files),
                            rules,
                            KeyIndex::new(self.scratch(), Capacity::default()),
                            cancel.clone(),
                        );
                        duplicates = read_all(scan, &mut archive.archive, &reader, events).await?;
                    }
                    None => manifests
                        .faults
                        .push(Fault::of_export(FaultKind::UnknownFormat)),
                }
            }
            report.audit = audit(&archive.archive, &duplicates, &knowledge);
        }
        report.audit.faults.splice(0..0, manifests.faults);
        report.audit.notes.splice(0..0, manifests.notes);
        Ok(report)
    }

    /// Where the files of a completed export of the journal lie: as the destination reads them where it is
    /// signed in.
    #[must_use]
    pub fn archive_of(&self, export: &ExportRecord) -> Option<ArchivePlace> {
        let folder = match layout_of(export) {
            Some(layout) => layout.folder(),
            None => folder_of_manifest(&summary_key(export)?),
        };
        let side = if self.session(Side::Destination).is_some() {
            Side::Destination
        } else {
            Side::Source
        };
        Some(ArchivePlace::Bucket {
            side,
            bucket: export.request.bucket.clone(),
            owner: export.request.bucket_owner.clone(),
            folder,
        })
    }

    /// Where the files of an export lie, and whether it has a filter, by `DescribeExport`.
    ///
    /// # Errors
    /// Where there is no such export, or it is not complete.
    pub async fn described_archive(
        &self,
        side: Side,
        arn: &Arn,
    ) -> Result<(ArchivePlace, bool), ArchiveError> {
        let session = self.session(side).ok_or(ArchiveError::NotSignedIn(side))?;
        let region = super::super::region_of(arn, &session);
        let described = session.dynamodb(&region).describe_export(arn).await;
        let export = described.map_err(|failure| {
            if failure.code.as_deref() == Some("ExportNotFoundException") {
                ArchiveError::NoSuchExport(Box::new(failure))
            } else {
                failure.into()
            }
        })?;
        match export.status {
            ExportStatus::Completed => {}
            ExportStatus::InProgress => return Err(ArchiveError::StillRunning(arn.clone())),
            ExportStatus::Failed => {
                return Err(ArchiveError::ExportFailed {
                    code: export.failure_code.unwrap_or_default(),
                    message: export.failure_message.unwrap_or_default(),
                });
            }
        }
        let is_incremental = matches!(export.span, Some(Span::Incremental { .. }));
        let folder = match ExportId::from_export_arn(&arn.to_string()) {
            Ok(id) => Layout::new(export.prefix.as_deref(), &id, is_incremental).folder(),
            Err(_) => folder_of_manifest(export.manifest.as_deref().unwrap_or_default()),
        };
        let bucket = export.bucket.as_deref().and_then(|name| name.parse().ok());
        let bucket = bucket.ok_or_else(|| ArchiveError::NoManifest {
            place: arn.to_string(),
        })?;
        let place = ArchivePlace::Bucket {
            side,
            bucket,
            owner: None,
            folder,
        };
        Ok((place, export.filter.is_some()))
    }

    async fn open_archive(&self, place: &ArchivePlace) -> Result<Reader, ArchiveError> {
        let source = match place {
            ArchivePlace::Directory(path) => Source::Directory(Arc::new(Directory::open(path)?)),
            ArchivePlace::Bucket {
                side,
                bucket,
                owner,
                folder,
            } => {
                let session = self
                    .session(*side)
                    .ok_or(ArchiveError::NotSignedIn(*side))?;
                let region = session.s3(&session.region).locate(bucket).await?.region;
                Source::Bucket(Arc::new(Bucket {
                    s3: session.s3(&region),
                    name: bucket.clone(),
                    owner: owner.clone(),
                    folder: folder.clone(),
                }))
            }
        };
        Ok(Reader { source })
    }

    /// Where the index of keys goes that does not fit into memory.
    fn scratch(&self) -> PathBuf {
        let named = self.inner.settings.state_dir.clone();
        named.unwrap_or_else(std::env::temp_dir)
    }

    fn limit(&self, reader: &Reader, found: &Found) -> Result<(), ArchiveError> {
        let is_download = matches!(reader.source, Source::Bucket(_));
        match self.inner.settings.largest_download {
            Some(largest) if is_download && found.bytes > largest => Err(ArchiveError::TooLarge {
                bytes: found.bytes,
                largest,
            }),
            _ => Ok(()),
        }
    }

    /// What is known of the export, with the keys of its table where they can be read and it is still the
    /// same table.
    async fn known(&self, request: &ArchiveRequest, summary: &Summary) -> Knowledge {
        let mut known = request.knowledge.clone();
        if known.keys.is_none() && request.is_deep {
            known.keys = self.table_keys(request, summary).await;
        }
        known
    }

    async fn table_keys(&self, request: &ArchiveRequest, summary: &Summary) -> Option<KeySchema> {
        let ArchivePlace::Bucket { .. } = request.place else {
            return None;
        };
        let arn: Arn = summary.table_arn.parse().ok()?;
        for side in [Side::Source, Side::Destination] {
            let Some(session) = self.session(side) else {
                continue;
            };
            let region = super::super::region_of(&arn, &session);
            let Ok(table) = session
                .dynamodb(&region)
                .describe_table(&summary.table_arn)
                .await
            else {
                continue;
            };
            if summary.table_id.is_some() && table.id != summary.table_id {
                return None;
            }
            let attributes = table.key_attributes.iter().map(|name| {
                let kind = table.attribute_types.get(name)?;
                let attribute: KeyAttribute = format!("{name}:{kind}").parse().ok()?;
                Some(attribute)
            });
            return KeySchema::new(attributes.collect::<Option<_>>()?).ok();
        }
        None
    }
}

/// The folder of a manifest's key, with a closing slash.
fn folder_of_manifest(key: &str) -> String {
    let end = key.rfind('/').map_or(0, |end| end + 1);
    key.get(..end).unwrap_or_default().to_owned()
}

/// Reads all files, while it is told how far that is.
async fn read_all(
    scan: Scan,
    archive: &mut Archive,
    reader: &Reader,
    events: &UnboundedSender<ArchiveEvent>,
) -> Result<Duplicates, ArchiveError> {
    let files = u64::try_from(scan.files.len()).unwrap_or(u64::MAX);
    let sizes = archive.files.iter().map(|file| match file {
        FileState::Present { size, .. } => *size,
        FileState::Missing => 0,
    });
    let requests = match reader.source {
        Source::Directory(_) => 0,
        Source::Bucket(_) => files,
    };
    // The one who does not listen is not told.
    let _ = events.send(ArchiveEvent::Estimated {
        files,
        bytes: sizes.sum(),
        requests,
    });
    let scan = Arc::new(scan);
    let mut tick = tokio::time::interval(TICK);
    let reading = Arc::clone(&scan);
    let mut reading = std::pin::pin!(reading.run());
    let results = loop {
        tokio::select! {
            results = &mut reading => break results?,
            _ = tick.tick() => {
                let _ = events.send(ArchiveEvent::Read {
                    files: scan.counter.files.load(Ordering::Relaxed),
                    bytes: scan.counter.bytes.load(Ordering::Relaxed),
                });
            }
        }
    };
    for (index, result) in results {
        if let Some(FileState::Present { content, .. }) = archive.files.get_mut(index) {
            *content = Some(Box::new(result));
        }
    }
    let searched = tokio::task::spawn_blocking(move || scan.keys.duplicates()).await;
    let searched = searched.unwrap_or_else(|error| Err(io::Error::other(error.to_string())));
    searched.map_err(ArchiveError::Index)
}

/// The manifests, as far as they were read.
#[derive(Default)]
struct Manifests {
    summary: Option<Summary>,
    faults: Vec<Fault>,
    notes: Vec<Note>,
}

impl Manifests {
    /// Whether they are of the export that was asked for.
    fn compare(&mut self, summary: &Summary, request: &ArchiveRequest) {
        if let Some(arn) = &request.export_arn
            && *arn != summary.export_arn
        {
            let told = format!("the manifest belongs to {}", summary.export_arn);
            self.faults
                .push(Fault::of_export(FaultKind::OtherExport(told)));
        }
    }

    /// Checks a manifest against its checksum file, under whichever name that has.
    fn check(&mut self, name: &str, bytes: &[u8], checksums: &[Option<Vec<u8>>]) {
        let mut is_found = false;
        for text in checksums.iter().flatten() {
            is_found = true;
            match checksum::check(bytes, &String::from_utf8_lossy(text)) {
                Ok(()) => {}
                Err(mismatch @ Mismatch::Differs { .. }) => {
                    self.faults
                        .push(Fault::of_file(name, FaultKind::Checksum(mismatch)));
                }
                Err(mismatch @ Mismatch::NoChecksum(_)) => {
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

/// What lies in an archive, and what of it can be read.
struct Found {
    archive: Archive,
    files: Vec<DataFile>,
    bytes: u64,
}

/// Reads an archive's small files and its folders.
struct Reader {
    source: Source,
}

const SUMMARY: &str = "manifest-summary.json";
const LIST: &str = "manifest-files.json";

impl Reader {
    fn place(&self) -> String {
        match &self.source {
            Source::Directory(directory) => directory.path().display().to_string(),
            Source::Bucket(bucket) => format!("s3://{}/{}", bucket.name, bucket.folder),
        }
    }

    /// A file beside the manifests.
    async fn small(&self, name: &str) -> Result<Option<Vec<u8>>, ArchiveError> {
        match &self.source {
            Source::Directory(directory) => {
                directory
                    .read(name, LARGEST_MANIFEST)
                    .map_err(|error| ArchiveError::Unreadable {
                        place: directory.path().join(name).display().to_string(),
                        error,
                    })
            }
            Source::Bucket(bucket) => {
                let key = format!("{}{name}", bucket.folder);
                Ok(bucket.read(&key, LARGEST_MANIFEST).await?)
            }
        }
    }

    /// Both manifests, checked against their checksum files; `None` where one of them cannot be read,
    /// which is a fault.
    async fn manifests(
        &self,
        manifests: &mut Manifests,
    ) -> Result<Option<(Summary, Vec<FileEntry>)>, ArchiveError> {
        let Some(bytes) = self.small(SUMMARY).await? else {
            let place = self.place();
            return Err(ArchiveError::NoManifest { place });
        };
        self.check(SUMMARY, &bytes, manifests).await?;
        let summary = Summary::parse(&bytes);
        let Some(bytes) = self.small(LIST).await? else {
            manifests
                .faults
                .push(Fault::of_file(LIST, FaultKind::NoManifest));
            return Ok(None);
        };
        self.check(LIST, &bytes, manifests).await?;
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
                        .push(unreadable(SUMMARY, error.to_string()));
                }
                if let Err(error) = &entries {
                    manifests.faults.push(unreadable(LIST, error.to_string()));
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
            checksums.push(self.small(&key).await?);
        }
        manifests.check(name, bytes, &checksums);
        Ok(())
    }

    /// Finds the data files, and what lies beside them in a folder of the export's own.
    async fn find(&self, summary: Summary, entries: Vec<FileEntry>) -> Result<Found, ArchiveError> {
        match &self.source {
            Source::Directory(directory) => {
                let directory = Arc::clone(directory);
                let found = tokio::task::spawn_blocking(move || {
                    find_in_directory(&directory, summary, entries)
                });
                let found = found.await;
                found.map_err(|error| ArchiveError::Unreadable {
                    place: self.place(),
                    error: io::Error::other(error.to_string()),
                })?
            }
            Source::Bucket(bucket) => find_in_bucket(bucket, summary, entries).await,
        }
    }
}

/// The name of an own data file.
fn own_name(key: &str) -> Option<String> {
    match data_place(key)? {
        DataPlace::Own(name) => Some(name),
        DataPlace::Shared(_) => None,
    }
}

fn find_in_directory(
    directory: &Directory,
    summary: Summary,
    entries: Vec<FileEntry>,
) -> Result<Found, ArchiveError> {
    let mut files = Vec::new();
    let mut states = Vec::new();
    let mut total = 0;
    for (index, entry) in entries.iter().enumerate() {
        let size = match directory.open_data(&entry.key) {
            Ok(Some(file)) => file.metadata().map_or(0, |found| found.len()),
            Ok(None) => {
                states.push(FileState::Missing);
                continue;
            }
            // It is there; why it cannot be read is told when it is read.
            Err(_) => 0,
        };
        total += size;
        states.push(FileState::Present {
            size,
            etag: None,
            content: None,
        });
        files.push(DataFile {
            index,
            entry: entry.clone(),
            object: None,
        });
    }
    let unlisted = if is_full(&summary) {
        strangers_in(directory, &entries)?
    } else {
        Vec::new()
    };
    let archive = Archive {
        summary,
        entries,
        files: states,
        unlisted,
        is_moved: false,
    };
    Ok(Found {
        archive,
        files,
        bytes: total,
    })
}

/// What lies in the export's own data folder beside its files.
fn strangers_in(directory: &Directory, entries: &[FileEntry]) -> Result<Vec<String>, ArchiveError> {
    let own = entries.iter().filter_map(|entry| own_name(&entry.key));
    let own: BTreeSet<String> = own.collect();
    let lying = directory
        .names()
        .map_err(|error| ArchiveError::Unreadable {
            place: directory.path().join("data").display().to_string(),
            error,
        })?;
    let unlisted = lying.into_iter().filter(|name| !own.contains(name));
    Ok(unlisted.map(|name| format!("data/{name}")).collect())
}

const fn is_full(summary: &Summary) -> bool {
    !matches!(summary.span, Some(Span::Incremental { .. }))
}

async fn find_in_bucket(
    bucket: &Bucket,
    summary: Summary,
    entries: Vec<FileEntry>,
) -> Result<Found, ArchiveError> {
    let prefix = summary.prefix.as_deref();
    let mut unlisted = Vec::new();
    let objects = if is_full(&summary) && entries.iter().all(|entry| own_name(&entry.key).is_some())
    {
        let mut listed: BTreeMap<String, _> = bucket
            .list(&format!("{}data/", bucket.folder))
            .await?
            .into_iter()
            .map(|object| (object.key.clone(), object))
            .collect();
        let mut found = Vec::new();
        for entry in &entries {
            let keys = bucket.keys_of(entry, prefix);
            found.push(keys.iter().find_map(|key| listed.get(key).cloned()));
        }
        for object in found.iter().flatten() {
            listed.remove(&object.key);
        }
        // The marker that consoles make for a folder holds nothing.
        listed.retain(|key, object| !(key.ends_with('/') && object.size == 0));
        unlisted.extend(listed.into_keys());
        found
    } else {
        bucket.look_up(&entries, prefix).await?
    };
    let written_to = key_candidates(&summary.manifest_files_key, prefix);
    let lies_at = format!("{}{LIST}", bucket.folder);
    let is_moved = summary.bucket != bucket.name.as_str() || !written_to.contains(&lies_at);
    let mut files = Vec::new();
    let mut states = Vec::new();
    let mut total = 0;
    for (index, (entry, object)) in entries.iter().zip(objects).enumerate() {
        let Some(object) = object else {
            states.push(FileState::Missing);
            continue;
        };
        total += object.size;
        states.push(FileState::Present {
            size: object.size,
            etag: Some(object.etag.clone()),
            content: None,
        });
        files.push(DataFile {
            index,
            entry: entry.clone(),
            object: Some(object),
        });
    }
    let archive = Archive {
        summary,
        entries,
        files: states,
        unlisted,
        is_moved,
    };
    Ok(Found {
        archive,
        files,
        bytes: total,
    })
}
