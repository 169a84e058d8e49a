//! Masking an archive: each of its data files is read once, and what is written has the layout and the
//! manifests of an export.
//!
//! Nothing is written where anything lies that this masking did not write. The manifests come last, and only
//! once every file was read to its end, is what its own manifest says, and no two masked items have one key:
//! then as many keys are distinct as items were read, which is how many were distinct before. Which secret
//! and which rules a masking was begun with is in the journal, by a value that tells nothing of the secret.

pub(super) mod output;
mod target;

use std::io::{BufRead as _, BufReader, Read};
use std::path::PathBuf;
use std::sync::Arc;

use flate2::read::MultiGzDecoder;
use jiff::Timestamp;
use tokio::runtime::Handle;
use tokio::sync::mpsc::UnboundedSender;
use tokio_util::sync::CancellationToken;

use self::output::MaskOutput;
use self::target::{MaskBucket, MaskTarget};
use super::copy::{CopyForm, LocalCopy};
use super::error::{ArchiveError, MaskRefusal};
use super::find::FoundArchive;
use super::progress::MaskedFile;
use super::read::PlannedReading;
use super::source::FileSource;
use super::{ArchiveEvent, ArchiveReport, ArchiveRequest, OpenedArchive};
use crate::archive::audit::{FaultKind, Knowledge, audit, line_rules};
use crate::archive::checksum::md5_base64;
use crate::archive::layout::{ExportId, Layout, checksum_keys, key_candidates};
use crate::archive::line::mask::{MaskSecret, Masking, RuleCounts};
use crate::archive::line::{KeySchema, LineChecker, LineRules};
use crate::archive::manifest::{
    FileEntry, LIST_FILE, MaskedAttribute, MaskedCopy, SUMMARY_FILE, Summary,
};
use crate::job::{Encryption, Format, Mask, MaskMethod, Span};
use crate::journal::NewMasking;
use crate::work::{Side, Work};
use tableferry_policy::arn::{AccountId, Arn, BucketName};

/// An archive that is to be masked.
#[derive(Debug, Clone)]
pub struct MaskRequest {
    /// The archive; of a bucket, with the side that reads it, which also writes.
    pub archive: ArchiveRequest,
    /// What is masked.
    pub mask: Mask,
    /// The secret of the keyed methods.
    pub secret: Option<MaskSecret>,
    /// Where it goes.
    pub to: MaskPlace,
}

/// Where a masked archive goes.
#[derive(Debug, Clone)]
pub enum MaskPlace {
    /// A directory of this machine.
    Directory(PathBuf),
    /// A bucket.
    Bucket {
        /// The bucket.
        bucket: BucketName,
        /// The account that must own it.
        owner: AccountId,
        /// What the objects' keys begin with.
        prefix: Option<String>,
        /// How the objects are encrypted.
        encryption: Encryption,
    },
}

/// A masking that can begin: the archive was looked up, and nothing was written.
#[derive(Debug)]
pub struct PreparedMask {
    opened: OpenedArchive,
    found: FoundArchive,
    knowledge: Knowledge,
    mask: Mask,
    reading: PlannedReading,
    masking: Masking,
    target: MaskTarget,
    new: NewMasking,
    /// The number of the masking that is gone on with, and when it was begun.
    begun: Option<(i64, Timestamp)>,
}

/// What a masking came to.
#[derive(Debug)]
pub struct MaskReport {
    /// What was found in the archive that was read, with what stands twice among the masked keys.
    pub read: ArchiveReport,
    /// Where the masked archive lies.
    pub place: String,
    /// Whether it is whole; if not, it has no manifests.
    pub is_complete: bool,
    /// Its items.
    pub items: u64,
    /// What each rule came to.
    pub rules: Vec<RuleReport>,
}

/// What one rule of a masking came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RuleReport {
    /// The path.
    pub path: String,
    /// The method.
    pub method: &'static str,
    /// The counts.
    pub counts: RuleCounts,
}

impl PreparedMask {
    /// Where the archive lies.
    #[must_use]
    pub fn source(&self) -> String {
        self.opened.reader.place()
    }

    /// Where the masked one will lie.
    #[must_use]
    pub fn place(&self) -> String {
        self.target.place()
    }

    /// The account whose items are masked.
    #[must_use]
    pub fn account(&self) -> Option<AccountId> {
        let arn: Arn = self.found.archive.summary.table_arn.parse().ok()?;
        arn.account_id()
    }

    /// The data files and their bytes.
    #[must_use]
    pub fn size(&self) -> (usize, u64) {
        (self.found.files.len(), self.found.bytes)
    }

    /// Whether a masking is gone on with that was cut off.
    #[must_use]
    pub const fn is_resumed(&self) -> bool {
        self.begun.is_some()
    }
}

impl Work {
    /// Looks an archive up, and whether it can be masked to where it is to go.
    ///
    /// # Errors
    /// Where there is no archive, it cannot be read, or it cannot be masked, which is a refusal.
    pub async fn prepare_mask(
        &self,
        request: &MaskRequest,
        cancel: &CancellationToken,
    ) -> Result<PreparedMask, ArchiveError> {
        let mut opened = self.open_archive(&request.archive, cancel).await?;
        let source = opened.reader.place();
        let damaged = |problem: String| ArchiveError::Damaged {
            place: source.clone(),
            problem,
        };
        let Some(found) = opened.found.take() else {
            let fault = opened.manifests.faults.first();
            let problem = fault.map(|fault| fault.kind.to_string());
            return Err(damaged(problem.unwrap_or_default()));
        };
        self.limit(&opened.reader, &found)?;
        let summary = &found.archive.summary;
        let knowledge = self.known(&request.archive, summary).await;
        let rules = line_rules(summary, &knowledge)
            .ok_or_else(|| damaged(FaultKind::UnknownFormat.to_string()))?;
        check_rules(&request.mask, &opened, &found, &rules).await?;
        let masking = Masking::new(&request.mask.rules, request.secret.as_ref());
        let masking = masking.map_err(|error| damaged(error.to_string()))?;
        let id = ExportId::from_export_arn(&summary.export_arn)
            .map_err(|error| damaged(error.to_string()))?;
        let mut target = self.mask_target(request, &found, &id).await?;
        let place = target.place();
        if place == source {
            return Err(MaskRefusal::SamePlace(place).into());
        }
        let new = NewMasking {
            source,
            place,
            account: summary.table_arn.split(':').nth(4).map(str::to_owned),
            check_value: request.secret.as_ref().map(MaskSecret::check_value),
            rules: words(&request.mask),
        };
        let begun = self.begun_masking(&new)?;
        if let MaskTarget::Bucket(bucket) = &mut target {
            bucket.may_have_uploads = begun.is_some();
        }
        if begun.is_none() && is_occupied(&target, &found) {
            return Err(MaskRefusal::Occupied(new.place).into());
        }
        let purpose = format!(" masked {new:?}");
        let reading = self.prepare_reading(&opened, rules, Some(&purpose));
        if self.inner.settings.state_dir.is_some() && !reading.is_kept() {
            return Err(MaskRefusal::Busy(new.place).into());
        }
        Ok(PreparedMask {
            opened,
            found,
            knowledge,
            mask: request.mask.clone(),
            reading,
            masking,
            target,
            new,
            begun,
        })
    }

    async fn mask_target(
        &self,
        request: &MaskRequest,
        found: &FoundArchive,
        id: &ExportId,
    ) -> Result<MaskTarget, ArchiveError> {
        match &request.to {
            MaskPlace::Directory(path) => {
                if self.settings().are_local_copies_forbidden {
                    return Err(ArchiveError::CopiesForbidden);
                }
                let entries = &found.archive.entries;
                let copy = LocalCopy::open(path, id.as_str(), entries, CopyForm::Archive)?;
                Ok(MaskTarget::Directory(copy))
            }
            MaskPlace::Bucket {
                bucket,
                owner,
                prefix,
                encryption,
            } => {
                let side = Side::Source;
                let session = self.session(side).ok_or(ArchiveError::NotSignedIn(side))?;
                let region = session.s3(&session.region).locate(bucket).await?.region;
                let is_incremental =
                    matches!(found.archive.summary.span, Some(Span::Incremental { .. }));
                Ok(MaskTarget::Bucket(Box::new(MaskBucket {
                    s3: session.s3(&region),
                    name: bucket.clone(),
                    owner: owner.clone(),
                    layout: Layout::new(prefix.as_deref(), id, is_incremental),
                    encryption: encryption.clone(),
                    may_have_uploads: false,
                })))
            }
        }
    }

    /// The masking of this archive to this place that was cut off, where there is one.
    fn begun_masking(&self, new: &NewMasking) -> Result<Option<(i64, Timestamp)>, ArchiveError> {
        let Some(begun) = self.inner.journal.open_masking(&new.source, &new.place)? else {
            return Ok(None);
        };
        let place = || new.place.clone();
        if begun.new.check_value != new.check_value {
            return Err(MaskRefusal::OtherSecret(place()).into());
        }
        if begun.new.rules != new.rules {
            return Err(MaskRefusal::OtherRules(place()).into());
        }
        Ok(Some((begun.number, begun.at)))
    }

    /// Masks an archive. What is damaged in it is what the report tells; the masked one has manifests only
    /// where nothing is.
    ///
    /// # Errors
    /// Where it cannot be read or written to its end.
    pub async fn mask_archive(
        &self,
        prepared: PreparedMask,
        events: &UnboundedSender<ArchiveEvent>,
        cancel: &CancellationToken,
    ) -> Result<MaskReport, ArchiveError> {
        let PreparedMask {
            opened,
            mut found,
            knowledge,
            mask,
            reading,
            masking,
            target,
            new,
            begun,
        } = prepared;
        let (number, masked_at) = if let Some(begun) = begun {
            begun
        } else {
            if !target.begin_archive().await? {
                return Err(MaskRefusal::Occupied(new.place).into());
            }
            // The journal keeps milliseconds, and a masking that is gone on with tells the same time.
            let now = Timestamp::now().as_millisecond();
            let now = Timestamp::from_millisecond(now).unwrap_or_default();
            (self.inner.journal.record_masking(&new, now)?, now)
        };
        let output = Arc::new(MaskOutput::new(masking, target));
        let reading = reading.into_mask(Arc::clone(&output));
        let duplicates = reading.read_all(&mut found, events, cancel).await?;
        let mut report = opened.report(true);
        report.audit = audit(&found.archive, &duplicates, &knowledge);
        let report = opened.manifests.conclude(report);
        let made: Vec<_> = (0..found.archive.entries.len())
            .map_while(|index| output.made(index))
            .collect();
        let is_complete =
            report.audit.faults.is_empty() && made.len() == found.archive.entries.len();
        if is_complete {
            let masked = copy_of(&found.archive.summary, &mask, masked_at);
            write_manifests(output.target(), &found, &made, masked).await?;
            self.inner.journal.end_masking(number, Timestamp::now())?;
        }
        let rules = mask.rules.iter().enumerate().map(|(index, rule)| {
            let mut counts = RuleCounts::default();
            let files = made.iter().filter_map(|file| file.counts.get(index));
            files.for_each(|file| counts.add(file));
            RuleReport {
                path: rule.path.to_string(),
                method: rule.method.as_str(),
                counts,
            }
        });
        Ok(MaskReport {
            rules: rules.collect(),
            place: output.target().place(),
            is_complete,
            items: items(&made),
            read: report,
        })
    }
}

fn items(made: &[MaskedFile]) -> u64 {
    made.iter().map(|file| file.items).sum()
}

/// Writes the manifests of the files that were made; the summary is the last, so that who finds it finds all
/// the rest.
async fn write_manifests(
    target: &MaskTarget,
    found: &FoundArchive,
    made: &[MaskedFile],
    masked: MaskedCopy,
) -> Result<(), ArchiveError> {
    let entries = found.archive.entries.iter().zip(made);
    let entries: Vec<FileEntry> = entries
        .map(|(entry, file)| FileEntry {
            item_count: file.items,
            md5: file.md5.clone(),
            etag: file.etag.clone(),
            key: match target {
                MaskTarget::Directory(_) => entry.key.clone(),
                MaskTarget::Bucket(bucket) => bucket.data_key(entry),
            },
        })
        .collect();
    let summary = Summary {
        item_count: items(made),
        masked: Some(masked),
        ..placed(&found.archive.summary, target)
    };
    let list = FileEntry::write_list(&entries);
    for (name, text) in [(LIST_FILE, list), (SUMMARY_FILE, summary.to_json())] {
        let [checksum, _] = checksum_keys(name);
        let digest = md5_base64(text.as_bytes());
        target.write_small(&checksum, digest.as_bytes()).await?;
        target.write_small(name, text.as_bytes()).await?;
    }
    match target {
        MaskTarget::Directory(copy) => copy.end().map_err(ArchiveError::Copy),
        MaskTarget::Bucket(_) => Ok(()),
    }
}

/// Whether the rules fit the export's format and keys.
async fn check_rules(
    mask: &Mask,
    opened: &OpenedArchive,
    found: &FoundArchive,
    rules: &LineRules,
) -> Result<(), ArchiveError> {
    if rules.format == Format::Ion {
        return Err(MaskRefusal::Ion.into());
    }
    let keys = match &rules.keys {
        Some(keys) => Some(keys.clone()),
        None if rules.view.is_none() => return Err(MaskRefusal::UnknownKeys.into()),
        None => keys_of_changes(opened, found, rules).await,
    };
    let keys = keys.iter().flat_map(KeySchema::attributes);
    match mask.unfit_for_keys(keys.map(|key| key.name.as_str())) {
        None => Ok(()),
        Some(rule) => Err(MaskRefusal::Key {
            path: rule.path.to_string(),
            method: rule.method.as_str(),
        }
        .into()),
    }
}

/// The keys that the first change of an incremental export names; none where there is no change.
async fn keys_of_changes(
    opened: &OpenedArchive,
    found: &FoundArchive,
    rules: &LineRules,
) -> Option<KeySchema> {
    let mut files = found.files.iter();
    let file = files.find(|file| file.entry.item_count > 0)?.clone();
    let (source, rules, runtime) = (
        opened.reader.source.clone(),
        rules.clone(),
        Handle::current(),
    );
    let reading = tokio::task::spawn_blocking(move || {
        let content: Box<dyn Read> = match (&source, &file.object) {
            (FileSource::Bucket(bucket), Some(object)) => {
                Box::new(bucket.open(object, 0, &runtime))
            }
            (FileSource::Bucket(_), None) => return None,
            (FileSource::Directory(directory), _) => {
                Box::new(directory.open_data(&file.entry.key).ok()??)
            }
        };
        let mut lines = BufReader::new(MultiGzDecoder::new(content)).lines();
        let mut checker = LineChecker::new(&rules);
        checker.check(&lines.next()?.ok()?).ok()?;
        checker.keys().cloned()
    });
    reading.await.ok()?
}

/// Whether something lies in the directory that the masked archive goes to. In a bucket the first object
/// that is written tells, since the one who writes there need not be allowed to list it.
fn is_occupied(target: &MaskTarget, found: &FoundArchive) -> bool {
    let mut entries = found.archive.entries.iter();
    match target {
        MaskTarget::Directory(copy) => {
            copy.has_small(SUMMARY_FILE) || entries.any(|entry| copy.has(entry))
        }
        MaskTarget::Bucket(_) => false,
    }
}

/// The rules in words, which the journal keeps.
fn words(mask: &Mask) -> String {
    let rules = mask.rules.iter().map(|rule| {
        let with = match &rule.method {
            MaskMethod::Replace(value) => format!(" {value}"),
            _ => String::new(),
        };
        format!("{} as {}{with}", rule.path, rule.method.as_str())
    });
    rules.collect::<Vec<_>>().join("; ")
}

/// What the summary of a masked copy says of the masking.
fn copy_of(summary: &Summary, mask: &Mask, masked_at: Timestamp) -> MaskedCopy {
    let list = key_candidates(&summary.manifest_files_key, summary.prefix.as_deref());
    let list = list.first().map_or("", String::as_str);
    let folder = list.strip_suffix(LIST_FILE).unwrap_or(list);
    let attributes = mask.rules.iter().map(|rule| MaskedAttribute {
        path: rule.path.to_string(),
        method: rule.method.as_str().to_owned(),
    });
    MaskedCopy {
        of: format!("s3://{}/{folder}", summary.bucket),
        masked_at,
        attributes: attributes.collect(),
    }
}

/// The summary as it is where the masked archive lies; a directory has no bucket to name.
fn placed(summary: &Summary, target: &MaskTarget) -> Summary {
    let mut placed = summary.clone();
    placed.billed_size_bytes = None;
    if let MaskTarget::Bucket(bucket) = target {
        bucket.name.as_str().clone_into(&mut placed.bucket);
        placed.prefix = bucket.layout.prefix().map(str::to_owned);
        placed.manifest_files_key = bucket.layout.manifest_files();
        placed.sse_algorithm = match &bucket.encryption {
            Encryption::BucketDefault => None,
            encryption => Some(encryption.as_str().to_owned()),
        };
        placed.sse_kms_key_id = bucket.encryption.key().map(str::to_owned);
    }
    placed
}
