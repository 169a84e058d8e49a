//! Archives, wherever they lie: reading their manifests, and with all their data files every byte.
//!
//! It is here that an archive is verified and fetched. What all that was read results in is for
//! [`crate::archive::audit`] to say.

mod bucket;
mod check;
mod copy;
mod directory;
mod error;
mod fetch;
mod find;
mod key_index;
mod lines;
mod list;
mod manifests;
mod mask;
mod place;
mod progress;
mod read;
mod refusal;
mod sample;
mod scan;
mod source;

use std::sync::Arc;

use tokio::sync::mpsc::UnboundedSender;
use tokio_util::sync::CancellationToken;

pub use copy::CopyForm;
pub use error::{ArchiveError, MaskRefusal};
pub use fetch::PreparedFetch;
pub(in crate::work) use lines::{ReadableArchive, RecordBatch, Records};
pub use list::ListedArchives;
pub(super) use manifests::LARGEST_MANIFEST;
pub use mask::{MaskPlace, MaskReport, MaskRequest, PreparedMask, RuleReport};
pub use place::ArchivePlace;
pub(super) use place::{is_incremental, layout_of, summary_key};
pub use sample::SampledArchive;

use self::bucket::ArchiveFolder;
use self::directory::Directory;
use self::find::FoundArchive;
use self::manifests::{ArchiveReader, Manifests};
use self::source::FileSource;
use super::{Side, Work, region_of};
use crate::archive::audit::{Audit, Duplicates, Fault, FaultKind, Knowledge, audit, line_rules};
use crate::archive::line::{KeyAttribute, KeySchema};
use crate::archive::manifest::Summary;
use tableferry_policy::arn::Arn;

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
    /// This much of it was read before, and is not read again.
    Recalled {
        /// Data files.
        files: u64,
        /// Their bytes.
        bytes: u64,
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
    /// The MD5 of each manifest in base64, by its name.
    pub manifests: Vec<(String, String)>,
    /// The principal that read it; `None` of a directory.
    pub reader: Option<Arn>,
}

/// An archive whose manifests were read and whose files were found.
#[derive(Debug)]
struct OpenedArchive {
    reader: ArchiveReader,
    /// The principal that reads it.
    reader_arn: Option<Arn>,
    manifests: Manifests,
    /// `None` where a manifest cannot be read, which is a fault.
    found: Option<FoundArchive>,
}

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
        let mut opened = self.open_archive(request, cancel).await?;
        let mut report = opened.report(request.is_deep);
        let Some(mut found) = opened.found.take() else {
            return Ok(opened.manifests.conclude(report));
        };
        let knowledge = self.known(request, &found.archive.summary).await;
        let mut duplicates = Duplicates::default();
        if request.is_deep {
            match line_rules(&found.archive.summary, &knowledge) {
                Some(rules) => {
                    self.limit(&opened.reader, &found)?;
                    let reading = self.prepare_reading(&opened, rules, Some(""));
                    duplicates = reading.read_all(&mut found, events, cancel).await?;
                }
                None => opened
                    .manifests
                    .faults
                    .push(Fault::of_export(FaultKind::UnknownFormat)),
            }
        }
        report.audit = audit(&found.archive, &duplicates, &knowledge);
        Ok(opened.manifests.conclude(report))
    }

    /// Reads an archive's manifests, and finds its files.
    async fn open_archive(
        &self,
        request: &ArchiveRequest,
        cancel: &CancellationToken,
    ) -> Result<OpenedArchive, ArchiveError> {
        let open = async {
            let reader = self.open_reader(&request.place).await?;
            let mut manifests = Manifests::default();
            let read = reader.manifests(&mut manifests).await?;
            let found = match read {
                Some((summary, entries)) => {
                    manifests.compare(&summary, request.export_arn.as_deref());
                    Some(reader.find(summary, entries).await?)
                }
                None => None,
            };
            let reader_arn = match &request.place {
                ArchivePlace::Bucket { side, .. } => self.session(*side),
                ArchivePlace::Directory(_) => None,
            };
            Ok(OpenedArchive {
                reader,
                reader_arn: reader_arn.map(|session| session.identity.arn),
                manifests,
                found,
            })
        };
        tokio::select! {
            biased;
            () = cancel.cancelled() => Err(ArchiveError::CutOff),
            opened = open => opened,
        }
    }

    async fn open_reader(&self, place: &ArchivePlace) -> Result<ArchiveReader, ArchiveError> {
        let source = match place {
            ArchivePlace::Directory(path) => {
                FileSource::Directory(Arc::new(Directory::open(path)?))
            }
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
                FileSource::Bucket(Arc::new(ArchiveFolder {
                    s3: session.s3(&region),
                    name: bucket.clone(),
                    owner: owner.clone(),
                    folder: folder.clone(),
                }))
            }
        };
        Ok(ArchiveReader { source })
    }

    fn limit(&self, reader: &ArchiveReader, found: &FoundArchive) -> Result<(), ArchiveError> {
        let is_download = matches!(reader.source, FileSource::Bucket(_));
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
            let region = region_of(&arn, &session);
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

impl OpenedArchive {
    fn report(&self, is_deep: bool) -> ArchiveReport {
        ArchiveReport {
            place: self.reader.place(),
            summary: self.manifests.summary.clone(),
            is_deep,
            audit: Audit::default(),
            manifests: self.manifests.checksums(),
            reader: self.reader_arn.clone(),
        }
    }
}
