//! Verifying a completed export: its manifests against what lies in the bucket.
//!
//! The destination reads the bucket; where there is none, the source tries, which as a rule may
//! only write. Where neither may read, that is no fault of the export: it is *unknown*. What fails on the
//! way, or is answered by something else than S3, says nothing at all.

use std::collections::BTreeMap;

use futures_util::future;

use super::archive::{LARGEST_MANIFEST, is_incremental, layout_of, summary_key};
use super::event::{Side, Verification};
use super::operation::Observation;
use super::{Session, Work};
use crate::archive::checksum::{self, ChecksumMismatch};
use crate::archive::layout::{checksum_keys, key_candidates};
use crate::archive::manifest::{FileEntry, Summary};
use crate::archive::origin::differences;
use crate::archive::verify::{Folder, Listed, VerificationReport, verify};
use crate::aws::SignInError;
use crate::aws::failure::{Failure, FailureKind};
use crate::aws::s3::S3;
use crate::journal::ExportRecord;
use tableferry_policy::arn::{AccountId, BucketName};

impl Work {
    /// Looks once whether an export's files are what its manifests say.
    ///
    /// The source is asked where the destination may not read. Nothing is said before each of them has
    /// either read the files or was refused.
    pub(super) async fn look_at_files(&self, export: &ExportRecord) -> Observation {
        let mut refusals = Vec::new();
        let mut unanswered = None;
        for side in [Side::Destination, Side::Source] {
            let Some(session) = self.session(side) else {
                continue;
            };
            let mut look = verify_as(&session, export).await;
            if let Err(failure) = &look
                && failure.kind == FailureKind::Credentials
            {
                match self.renew(side).await {
                    Ok(renewed) => look = verify_as(&renewed, export).await,
                    Err(SignInError::Call(cause)) if cause.is_retryable() => look = Err(*cause),
                    Err(error) => {
                        unanswered.get_or_insert(Observation::SignedOut(error));
                        continue;
                    }
                }
            }
            match look {
                Ok((verification, remarks)) => return Observation::Settled(verification, remarks),
                Err(failure) if decides_nothing(&failure) => {
                    unanswered.get_or_insert(Observation::Unanswered(failure));
                }
                Err(failure) => refusals.push(format!("as the {side}: {failure}")),
            }
        }
        unanswered.unwrap_or_else(|| {
            let reason = format!(
                "the bucket could not be read ({}); a destination profile with s3:ListBucket and s3:GetObject (and kms:Decrypt) can",
                refusals.join("; ")
            );
            Observation::Settled(Verification::Unknown { reason }, Vec::new())
        })
    }

    /// How many data files lie in the bucket so far, and their bytes; `None` where it cannot be
    /// read, or where the folder is shared with other exports.
    pub(super) async fn files_seen(&self, export: &ExportRecord) -> Option<(u64, u64)> {
        let layout = layout_of(export).filter(|_| !is_incremental(export))?;
        let session = self.session(Side::Destination)?;
        let request = &export.request;
        let owner = request.bucket_owner.as_ref();
        let folder = layout.data_folder();
        let counted = count_files(&session, &request.bucket, owner, &folder).await;
        counted.ok()
    }
}

/// How many objects lie in a folder, and their bytes.
pub(super) async fn count_files(
    session: &Session,
    bucket: &BucketName,
    owner: Option<&AccountId>,
    folder: &str,
) -> Result<(u64, u64), Failure> {
    let region = session.s3(&session.region).locate(bucket).await?.region;
    let s3 = session.s3(&region);
    let objects = s3.list_objects(bucket, folder, owner).await?;
    let bytes = objects.iter().map(|object| object.size).sum();
    Ok((objects.len() as u64, bytes))
}

/// Whether a failure leaves open what the same call results in another time. S3 refuses with a code, or,
/// where an answer has no body, with a request id at least: without both, something on the way refused.
fn decides_nothing(failure: &Failure) -> bool {
    // The SDK itself gives an answer of status 404 without a body this code.
    let has_code = !matches!(failure.code.as_deref(), None | Some("NotFound"));
    let is_of_nobody = !has_code
        && failure.request_id.is_none()
        && matches!(failure.status, Some(300..=399 | 403 | 404 | 407));
    failure.is_retryable() || is_of_nobody
}

async fn verify_as(
    session: &Session,
    export: &ExportRecord,
) -> Result<(Verification, Vec<String>), Failure> {
    let reader = BucketReader::open(session, export).await?;
    let mut seen = SeenBeside::default();
    let verification = reader.verify(export, &mut seen).await?;
    Ok((verification, seen.remarks))
}

/// What was seen beside the outcome.
#[derive(Default)]
struct SeenBeside {
    /// What is wrong.
    findings: Vec<String>,
    /// What is no damage.
    remarks: Vec<String>,
}

/// Reads an export's bucket.
struct BucketReader<'a> {
    s3: S3,
    bucket: &'a BucketName,
    owner: Option<&'a AccountId>,
    prefix: Option<&'a str>,
}

impl<'a> BucketReader<'a> {
    async fn open(session: &Session, export: &'a ExportRecord) -> Result<Self, Failure> {
        let bucket = &export.request.bucket;
        let region = session.s3(&session.region).locate(bucket).await?.region;
        Ok(Self {
            s3: session.s3(&region),
            bucket,
            owner: export.request.bucket_owner.as_ref(),
            prefix: export.request.prefix.as_deref(),
        })
    }

    async fn verify(
        &self,
        export: &ExportRecord,
        seen: &mut SeenBeside,
    ) -> Result<Verification, Failure> {
        let Some(summary_key) = summary_key(export) else {
            return Ok(wrong(
                "the export names no manifest, so that nothing says which files belong to it",
            ));
        };
        let Some(bytes) = self.manifest(&summary_key, seen).await? else {
            return Ok(wrong(format!(
                "the manifest {summary_key} is not in the bucket"
            )));
        };
        let summary = match Summary::parse(&bytes) {
            Ok(summary) => summary,
            Err(error) => return Ok(wrong(error.to_string())),
        };
        judge_summary(export, &summary, &mut seen.findings);
        let Some(bytes) = self.manifest(&summary.manifest_files_key, seen).await? else {
            return Ok(wrong(format!(
                "the manifest {} is not in the bucket",
                summary.manifest_files_key
            )));
        };
        let entries = match FileEntry::parse_list(&bytes) {
            Ok(entries) => entries,
            Err(error) => return Ok(wrong(error.to_string())),
        };
        let listing = self.listing(export, &entries).await?;
        let report = verify(&summary, &entries, &listing, folder_of(export));
        Ok(conclude(&report, std::mem::take(&mut seen.findings)))
    }

    /// A manifest under whichever key it is found, checked against its checksum file if it has one.
    async fn manifest(
        &self,
        named: &str,
        seen: &mut SeenBeside,
    ) -> Result<Option<Vec<u8>>, Failure> {
        for key in key_candidates(named, self.prefix) {
            let Some(bytes) = self.object(&key).await? else {
                continue;
            };
            self.check(&key, &bytes, seen).await?;
            return Ok(Some(bytes));
        }
        Ok(None)
    }

    /// Checks a manifest against its checksum file. A file that is missing, or is none, says nothing
    /// against the manifest.
    async fn check(
        &self,
        manifest: &str,
        bytes: &[u8],
        seen: &mut SeenBeside,
    ) -> Result<(), Failure> {
        let files = checksum_keys(manifest)
            .into_iter()
            .map(|key| async move { self.object(&key).await });
        let (mut is_found, mut refusal) = (false, None);
        for file in future::join_all(files).await {
            match file {
                Ok(Some(text)) => {
                    is_found = true;
                    match checksum::check(bytes, &String::from_utf8_lossy(&text)) {
                        Ok(()) => {}
                        Err(fault @ ChecksumMismatch::Differs { .. }) => {
                            seen.findings.push(format!("{manifest}: {fault}"));
                        }
                        Err(fault @ ChecksumMismatch::NoChecksum(_)) => {
                            seen.remarks.push(format!("{manifest}: {fault}"));
                        }
                    }
                }
                Ok(None) => {}
                Err(failure) if decides_nothing(&failure) => return Err(failure),
                Err(failure) => refusal = Some(failure),
            }
        }
        if !is_found {
            seen.remarks.push(match refusal {
                Some(failure) => {
                    format!("{manifest}: its checksum file could not be read: {failure}")
                }
                None => format!("{manifest}: its checksum file is missing"),
            });
        }
        Ok(())
    }

    async fn object(&self, key: &str) -> Result<Option<Vec<u8>>, Failure> {
        match self
            .s3
            .get_text(self.bucket, key, self.owner, LARGEST_MANIFEST)
            .await
        {
            Ok(bytes) => Ok(Some(bytes)),
            Err(failure) if failure.code.as_deref() == Some("NoSuchKey") => Ok(None),
            Err(failure) => Err(failure),
        }
    }

    /// The data files in the bucket, by key. The folder is the export's own, or for an incremental
    /// export the shared one, of which the manifest says what belongs to it.
    async fn listing(
        &self,
        export: &ExportRecord,
        entries: &[FileEntry],
    ) -> Result<BTreeMap<String, Listed>, Failure> {
        let folder = match layout_of(export) {
            Some(layout) => layout.data_folder(),
            // A server with ids of another form: the folder of the first file.
            None => entries
                .first()
                .and_then(|entry| Some(entry.key.rsplit_once('/')?.0.to_owned() + "/"))
                .unwrap_or_default(),
        };
        let objects = self
            .s3
            .list_objects(self.bucket, &folder, self.owner)
            .await?;
        let listed = objects.into_iter().map(|object| {
            let listed = Listed {
                size: object.size,
                etag: object.etag,
            };
            (object.key, listed)
        });
        Ok(listed.collect())
    }
}

fn folder_of(export: &ExportRecord) -> Folder {
    // A server with ids of another form may have folders of another form.
    if is_incremental(export) || layout_of(export).is_none() {
        Folder::Shared
    } else {
        Folder::Own
    }
}

/// The manifest must be this export's, and agree with what `DescribeExport` says.
fn judge_summary(export: &ExportRecord, summary: &Summary, findings: &mut Vec<String>) {
    if export.operation.arn.as_deref() != Some(&summary.export_arn) {
        findings.push(format!("the manifest belongs to {}", summary.export_arn));
    }
    let differences = differences(summary, &export.request);
    findings.extend(differences.iter().map(ToString::to_string));
    if let Some(items) = export.result.item_count
        && items != summary.item_count
    {
        findings.push(format!(
            "AWS reports {items} items, the manifest {}",
            summary.item_count
        ));
    }
}

fn conclude(report: &VerificationReport, mut findings: Vec<String>) -> Verification {
    findings.extend(report.findings.iter().map(ToString::to_string));
    if findings.is_empty() {
        Verification::Verified {
            files: report.files,
            bytes: report.bytes,
            items: report.items,
        }
    } else {
        Verification::Wrong { findings }
    }
}

fn wrong(finding: impl Into<String>) -> Verification {
    Verification::Wrong {
        findings: vec![finding.into()],
    }
}
