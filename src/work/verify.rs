//! Verifying a completed export: its manifests against what lies in the bucket.
//!
//! The destination reads the bucket; where there is none, the source tries, which as a rule may
//! only write. Nobody being able to read is no fault of the export: it is *unknown*.

use std::collections::BTreeMap;

use futures_util::future;

use super::event::{Side, Verification};
use super::{Session, Work};
use crate::archive::checksum;
use crate::archive::layout::{ExportId, Layout, checksum_keys, key_candidates};
use crate::archive::manifest::{FileEntry, Summary};
use crate::archive::verify::{Listed, Report, verify};
use crate::aws::failure::{Failure, FailureKind};
use crate::aws::s3::S3;
use crate::journal::ExportRecord;
use crate::plan::Span;
use tableferry_policy::arn::{AccountId, BucketName};

/// A manifest names each data file in about 250 bytes; imports end at 50,000 files, exports do not.
const LARGEST_MANIFEST: u64 = 256 * 1024 * 1024;

impl Work {
    /// Verifies a completed export, and writes the outcome into its record.
    pub(super) async fn verify(&self, export: &mut ExportRecord) {
        let (verified, text) = self.verification(export).await.to_record();
        export.verified = Some(verified);
        export.verification = Some(text);
    }

    async fn verification(&self, export: &ExportRecord) -> Verification {
        let mut reasons = Vec::new();
        for side in [Side::Destination, Side::Source] {
            let Some(session) = self.session(side) else {
                continue;
            };
            match Reader::open(&session, export).await {
                Ok(reader) => match reader.verify(export).await {
                    Ok(verification) => return verification,
                    Err(failure) => reasons.push(format!("as the {side}: {failure}")),
                },
                Err(failure) => reasons.push(format!("as the {side}: {failure}")),
            }
        }
        Verification::Unknown {
            reason: format!(
                "the bucket could not be read ({}); a destination profile with s3:ListBucket and s3:GetObject (and kms:Decrypt) can",
                reasons.join("; ")
            ),
        }
    }

    /// How many data files lie in the bucket so far, and their bytes; `None` where it cannot be
    /// read, or where the folder is shared with other exports.
    pub(super) async fn files_seen(&self, export: &ExportRecord) -> Option<(u64, u64)> {
        let layout = layout_of(export).filter(|_| !is_incremental(export))?;
        let session = self.session(Side::Destination)?;
        let reader = Reader::open(&session, export).await.ok()?;
        let objects = reader
            .s3
            .list_objects(reader.bucket, &layout.data_folder(), reader.owner)
            .await
            .ok()?;
        let bytes = objects.iter().map(|object| object.size).sum();
        Some((u64::try_from(objects.len()).ok()?, bytes))
    }
}

/// Reads an export's bucket.
struct Reader<'a> {
    s3: S3,
    bucket: &'a BucketName,
    owner: Option<&'a AccountId>,
    prefix: Option<&'a str>,
}

impl<'a> Reader<'a> {
    async fn open(session: &Session, export: &'a ExportRecord) -> Result<Self, Failure> {
        let bucket = &export.request.bucket;
        let region = session.s3(&session.region).locate(bucket).await?;
        Ok(Self {
            s3: session.s3(&region),
            bucket,
            owner: export.request.bucket_owner.as_ref(),
            prefix: export.request.prefix.as_deref(),
        })
    }

    async fn verify(&self, export: &ExportRecord) -> Result<Verification, Failure> {
        let mut findings = Vec::new();
        let Some(summary_key) = summary_key(export) else {
            return Ok(wrong(
                "the export names no manifest, so that nothing says which files belong to it",
            ));
        };
        let Some(bytes) = self.manifest(&summary_key, &mut findings).await? else {
            return Ok(wrong(format!(
                "the manifest {summary_key} is not in the bucket"
            )));
        };
        let summary = match Summary::parse(&bytes) {
            Ok(summary) => summary,
            Err(error) => return Ok(wrong(error.to_string())),
        };
        judge_summary(export, &summary, &mut findings);
        let Some(bytes) = self
            .manifest(&summary.manifest_files_key, &mut findings)
            .await?
        else {
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
        Ok(conclude(&verify(&summary, &entries, &listing), findings))
    }

    /// A manifest under whichever key it is found, checked against its checksum file if it has one.
    async fn manifest(
        &self,
        named: &str,
        findings: &mut Vec<String>,
    ) -> Result<Option<Vec<u8>>, Failure> {
        for key in key_candidates(named, self.prefix) {
            let Some(bytes) = self.object(&key).await? else {
                continue;
            };
            let checksums = future::join_all(
                checksum_keys(&key)
                    .into_iter()
                    .map(|key| async move { self.object(&key).await }),
            )
            .await;
            for checksum in checksums.into_iter().flatten().flatten() {
                let text = String::from_utf8_lossy(&checksum);
                if let Err(mismatch) = checksum::check(&bytes, &text) {
                    findings.push(format!("{key}: {mismatch}"));
                }
            }
            return Ok(Some(bytes));
        }
        Ok(None)
    }

    async fn object(&self, key: &str) -> Result<Option<Vec<u8>>, Failure> {
        match self
            .s3
            .get_text(self.bucket, key, self.owner, LARGEST_MANIFEST)
            .await
        {
            Ok(bytes) => Ok(Some(bytes)),
            Err(failure) if failure.kind == FailureKind::Service && failure.status == Some(404) => {
                Ok(None)
            }
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

fn layout_of(export: &ExportRecord) -> Option<Layout> {
    let id = ExportId::from_export_arn(export.export_arn.as_deref()?).ok()?;
    let prefix = export.request.prefix.as_deref();
    Some(Layout::new(prefix, &id, is_incremental(export)))
}

const fn is_incremental(export: &ExportRecord) -> bool {
    matches!(export.request.span, Span::Incremental { .. })
}

fn summary_key(export: &ExportRecord) -> Option<String> {
    export
        .manifest
        .clone()
        .or_else(|| layout_of(export).map(|layout| layout.manifest_summary()))
}

/// The manifest must be this export's, and agree with what `DescribeExport` says.
fn judge_summary(export: &ExportRecord, summary: &Summary, findings: &mut Vec<String>) {
    if export.export_arn.as_deref() != Some(&summary.export_arn) {
        findings.push(format!("the manifest belongs to {}", summary.export_arn));
    }
    if let Some(items) = export.item_count
        && items != summary.item_count
    {
        findings.push(format!(
            "AWS reports {items} items, the manifest {}",
            summary.item_count
        ));
    }
}

fn conclude(report: &Report, mut findings: Vec<String>) -> Verification {
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
