//! The probe: an upload like the export's own, begun, given a few bytes and taken back, to find out
//! for real what reading policies can only make likely. For a job that reads, a list and the first byte of
//! a few objects instead (the file `reading`).
//!
//! It is made as the exporting identity, through the same bucket, prefix, owner, encryption and key.
//! No object comes of it: an upload that is not completed is none. Once the upload was begun it is
//! taken back, whatever happened in between; where even that fails, the report says what is left and
//! what removes it. A crash in between leaves the journal's row, by which the next probe takes it back.

mod earlier;
mod reading;
mod report;
mod taken_back;

use bytes::Bytes;
use jiff::Timestamp;
use tokio_util::sync::CancellationToken;

pub use reading::ReadingProbe;
pub use report::{Left, ProbeReport, ProbeStep};
pub use taken_back::{TakenBack, TakingBack, removal};

use super::change::LOCK_PAUSE;
use super::event::Side;
use super::survey::bucket::read_encryption;
use super::{Session, SignedIn, Work};
use crate::assess::facts::BucketFacts;
use crate::assess::principal::is_same_principal;
use crate::aws::failure::{Failure, FailureKind};
use crate::aws::s3::S3;
use crate::aws::s3::multipart::{BegunUpload, UploadSettings, UploadTarget};
use crate::job::{Encryption, Plan};
use crate::journal::{JournalError, NewProbe, ProbeId, ProbeLock, ProbeRecord};
use tableferry_policy::arn::{Arn, BucketName, Region};

/// The few bytes that are sent, and never become an object.
const CONTENT: &[u8] = b"A probe of tableferry. It never becomes an object.\n";

/// How many bytes are sent.
pub const SIZE: usize = CONTENT.len();

/// What a probe that uploads leaves.
const LEAVES: &str = "an upload that is not completed is no object; where the probe is cut off, \
                          the journal knows of it, and the next one takes it back first";

/// Why there is nothing to probe with, or nothing was sent.
#[derive(Debug, thiserror::Error)]
pub enum ProbeError {
    /// The source is not signed in.
    #[error("the source is not signed in")]
    NotSignedIn,
    /// The operator forbade every change, and an upload is one.
    #[error("--read-only forbids every change")]
    ReadOnly,
    /// No upload of ours is like what the job does.
    #[error("a probe shows nothing of this plan: {0}")]
    ShowsNothing(&'static str),
    /// The bucket's Region is not known, and S3 takes uploads nowhere else.
    #[error("the Region of the bucket is not known: {0}")]
    Bucket(Failure),
    /// The source is somebody else than was shown.
    #[error("the source is {found} by now, and the probe was drawn up for {wanted}")]
    OtherPrincipal {
        /// Who it is.
        found: Arn,
        /// Who was shown.
        wanted: Arn,
    },
    /// Nobody is signed in as the principal that the plan is about.
    #[error("a probe is made as {0}, which no profile of the plan signs in as")]
    NotSignedInAs(Arn),
    /// The journal could not be read or written, so nothing was sent.
    #[error("nothing was sent: {0}")]
    Journal(#[from] JournalError),
    /// Another of our processes is taking earlier probes back.
    #[error("another tableferry process is taking earlier probes back")]
    Busy,
    /// The program ends while the probe is made.
    #[error("the probe was cut off; the next one takes back what is left of it")]
    CutOff,
}

/// Where the bucket lies, by the source, else by the destination.
async fn locate(
    bucket: &BucketName,
    source: &Session,
    destination: Option<&Session>,
) -> Result<Region, ProbeError> {
    let located = source.s3(&source.region).locate(bucket).await;
    match (located, destination) {
        (Ok(located), _) => Ok(located.region),
        (Err(_), Some(other)) => {
            let located = other.s3(&other.region).locate(bucket).await;
            located
                .map(|found| found.region)
                .map_err(ProbeError::Bucket)
        }
        (Err(failure), None) => Err(ProbeError::Bucket(failure)),
    }
}

/// The key that the bucket encrypts the upload with, where it can be read.
async fn objects_key(plan: &Plan, s3: &S3) -> Option<String> {
    let bucket = &plan.destination.bucket;
    let mut facts = BucketFacts::UNREAD;
    if plan.encryption == Encryption::BucketDefault {
        facts.encryption = read_encryption(bucket, s3).await;
    }
    facts.objects_key(&plan.encryption).map(str::to_owned)
}

/// A probe that was drawn up and not made: nothing was sent yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Probe {
    /// The principal that makes it.
    pub principal: Arn,
    /// The bucket's Region, in which it is made.
    pub region: Region,
    /// The bucket, its expected owner, and a key that no export and no other probe writes.
    pub target: UploadTarget,
    /// The encryption that it asks for, as the job would.
    pub encryption: Encryption,
    /// The key that encrypts it, as the plan or the bucket names it, where that is known.
    pub kms_key: Option<String>,
    /// What it cannot show.
    pub not_shown: &'static [&'static str],
    /// Who else may take it back: the destination, where that is signed in to the bucket's account.
    pub owner_principal: Option<Arn>,
    /// What earlier probes may have left, as far as it is within reach: it is taken back first.
    pub earlier: Vec<ProbeRecord>,
    /// What it reads, where it uploads nothing.
    pub reads: Option<ReadingProbe>,
}

/// One of the probe's calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProbeCall {
    /// `CreateMultipartUpload`.
    Begin,
    /// `UploadPart`.
    SendPart,
    /// `AbortMultipartUpload`.
    Abort,
    /// `ListObjectsV2`.
    List,
    /// `HeadObject`.
    Head,
    /// `GetObject` of one byte.
    ReadFirstByte,
}

impl Work {
    /// Draws a probe of a plan up. Nothing is sent but the question where the bucket lies, where
    /// `bucket` does not tell it, and what it encrypts with by default, where the plan leaves it at that.
    ///
    /// # Errors
    /// Where nothing may be changed, the source is not signed in, nobody tells the bucket's Region, or
    /// the journal cannot be read.
    pub async fn draw_up_probe(
        &self,
        plan: &Plan,
        bucket: Option<&BucketFacts>,
    ) -> Result<Probe, ProbeError> {
        if let Some(why) = plan.not_probed() {
            return Err(ProbeError::ShowsNothing(why));
        }
        // One that only reads changes nothing.
        if self.is_read_only() && !plan.reads_objects() {
            return Err(ProbeError::ReadOnly);
        }
        let source = self.session(Side::Source).ok_or(ProbeError::NotSignedIn)?;
        let destination = plan
            .destination
            .sign_in
            .as_ref()
            .and_then(|_| self.session(Side::Destination));
        if let Some(principal) = plan.principal()
            && !is_same_principal(&principal.to_string(), &source.identity.arn.to_string())
        {
            return Err(ProbeError::NotSignedInAs(principal.clone()));
        }
        let known = bucket;
        let bucket = &plan.destination.bucket;
        let region = match known.and_then(|known| known.region.value()) {
            Some(known) => known.clone(),
            None => locate(bucket, &source, destination.as_ref()).await?,
        };
        let kms_key = if let Some(known) = known {
            known.objects_key(&plan.encryption).map(str::to_owned)
        } else {
            let reader = destination.as_ref().unwrap_or(&source);
            objects_key(plan, &reader.s3(&region)).await
        };
        // Which key an AWS managed one is, only S3's answer tells.
        let kms_key = kms_key.filter(|key| !key.starts_with("alias/aws/"));
        // Without an owner DynamoDB takes the bucket for one of the exporting account, as the API
        // reference has it: S3BucketOwner "is a required parameter" for any other.
        let receiver = destination.map(|session| session.identity);
        let owner = plan
            .destination
            .owner
            .clone()
            .or_else(|| receiver.as_ref().map(|identity| identity.account.clone()))
            .unwrap_or_else(|| source.identity.account.clone());
        let owner_principal = receiver
            .filter(|identity| identity.account == owner)
            .map(|identity| identity.arn);
        let mut earlier = if self.is_read_only() {
            Vec::new()
        } else {
            self.unfinished_probes()?
        };
        earlier.retain(|record| !self.sessions_for(record).is_empty());
        let reads = plan.reads_objects().then(|| ReadingProbe::of(plan, known));
        Ok(Probe {
            reads,
            principal: source.identity.arn.clone(),
            region,
            target: UploadTarget {
                bucket: bucket.clone(),
                owner,
                // Made anew for each probe, so that an upload to it can be nobody else's.
                key: plan.probe_key(&uuid::Uuid::new_v4().to_string()),
            },
            encryption: plan.encryption.clone(),
            kms_key,
            not_shown: plan.not_shown(),
            owner_principal,
            earlier,
        })
    }

    /// Makes a probe, once what earlier ones left was taken back. `cancel` is heeded before each call
    /// but the one that takes the upload back.
    ///
    /// A deed: it goes on to its end though the future is dropped.
    ///
    /// # Errors
    /// Where nothing was sent for this probe; earlier ones may have been taken back all the same.
    pub async fn probe(
        &self,
        plan: &Plan,
        probe: &Probe,
        cancel: &CancellationToken,
    ) -> Result<ProbeReport, ProbeError> {
        let (work, plan, probe) = (self.clone(), plan.to_toml(), probe.clone());
        let cancel = cancel.clone();
        let deed = tokio::spawn(async move { work.make_probe(&plan, &probe, &cancel).await });
        deed.await.map_err(|_| ProbeError::CutOff)?
    }

    async fn make_probe(
        &self,
        plan: &str,
        probe: &Probe,
        cancel: &CancellationToken,
    ) -> Result<ProbeReport, ProbeError> {
        let SignedIn { how, session } = self.prober(probe)?;
        let mut report = ProbeReport::new(probe, Timestamp::now());
        self.revert(&probe.earlier, cancel, &mut report).await?;
        if cancel.is_cancelled() || report.would_leave_another() {
            return Ok(report);
        }
        if let Some(reads) = &probe.reads {
            reads
                .make(&session.s3(&probe.region), cancel, &mut report)
                .await;
            return Ok(report);
        }
        let _turn = self.inner.probing.read().await;
        let Some(_lock) = self.lock_probe().await? else {
            return Err(ProbeError::Busy);
        };
        let target = &probe.target;
        let new = NewProbe {
            principal: &probe.principal,
            source_account: &session.identity.account,
            sign_in: &how,
            plan,
            bucket: &target.bucket,
            owner: &target.owner,
            region: &probe.region,
            key: &target.key,
        };
        let id = self.inner.journal.record_probe(&new, Timestamp::now())?;
        let s3 = session.s3(&probe.region);
        let settings = UploadSettings {
            encryption: &probe.encryption,
            gives_control: false,
        };
        match s3.begin_upload(target, settings).await {
            Ok(upload) => {
                report.note(ProbeCall::Begin, None);
                report.note_key(&upload);
                // The upload is there by now: it is taken back whether this can be written or not.
                report.keep(self.inner.journal.note_upload(id, &upload.id));
                send_and_abort(&s3, &upload, cancel, &mut report).await;
                self.abort_as_owner(id, probe, &mut report).await;
            }
            Err(failure) => {
                if may_have_begun(&failure) {
                    report.left = Left::Perhaps;
                }
                report.note(ProbeCall::Begin, Some(failure));
            }
        }
        self.settle_probe(id, &mut report);
        Ok(report)
    }

    /// Takes the upload back as the bucket's owner, where the source may not.
    async fn abort_as_owner(&self, id: ProbeId, probe: &Probe, report: &mut ProbeReport) {
        if report.left == Left::Nothing || probe.owner_principal.is_none() {
            return;
        }
        let Ok(Some(record)) = self.inner.journal.probe(id) else {
            return;
        };
        let end = self.take_back_one(&record).await;
        if matches!(end, TakingBack::Aborted(_) | TakingBack::NothingThere) {
            report.left = Left::Nothing;
        }
    }

    fn settle_probe(&self, id: ProbeId, report: &mut ProbeReport) {
        if report.left == Left::Nothing {
            let settled = self.inner.journal.settle_probe(id, Timestamp::now());
            report.keep(settled);
        }
    }

    /// The source's session, if it is of the principal that the probe was drawn up for.
    fn prober(&self, probe: &Probe) -> Result<SignedIn, ProbeError> {
        let is_change = probe.reads.is_none() || !probe.earlier.is_empty();
        if self.is_read_only() && is_change {
            return Err(ProbeError::ReadOnly);
        }
        let signed_in = self.sessions().get(&Side::Source).cloned();
        let signed_in = signed_in.ok_or(ProbeError::NotSignedIn)?;
        let found = &signed_in.session.identity.arn;
        if *found == probe.principal {
            return Ok(signed_in);
        }
        Err(ProbeError::OtherPrincipal {
            found: found.clone(),
            wanted: probe.principal.clone(),
        })
    }

    /// Takes the lock that probes are made under, waiting for another process that takes earlier ones
    /// back; `None` where that takes too long.
    async fn lock_probe(&self) -> Result<Option<ProbeLock>, JournalError> {
        let patience = self.inner.settings.propagation.lock_patience;
        let begun = tokio::time::Instant::now();
        loop {
            let lock = self.inner.journal.try_lock_probe()?;
            if lock.is_some() || begun.elapsed() >= patience {
                return Ok(lock);
            }
            tokio::time::sleep(LOCK_PAUSE).await;
        }
    }
}

async fn send_and_abort(
    s3: &S3,
    upload: &BegunUpload,
    cancel: &CancellationToken,
    report: &mut ProbeReport,
) {
    let target = report.target.clone();
    let mut is_part_open = false;
    if !cancel.is_cancelled() {
        let sent = s3.send_part(&target, upload, 1, Bytes::from_static(CONTENT));
        let sent = sent.await.err();
        is_part_open = sent.as_ref().is_some_and(Failure::is_retryable);
        report.note(ProbeCall::SendPart, sent);
    }
    let mut aborted = s3.abort_upload(&target, &upload.id).await;
    // "If any part uploads are currently in progress, those part uploads might or might not succeed.
    // As a result, it might be necessary to abort a given multipart upload multiple times" (API
    // reference of AbortMultipartUpload).
    if is_part_open && aborted.is_ok() {
        aborted = s3.abort_upload(&target, &upload.id).await;
    }
    let failure = aborted.err().filter(|failure| !is_gone(failure));
    if failure.is_some() {
        report.left = Left::Upload {
            id: upload.id.clone(),
        };
    }
    report.note(ProbeCall::Abort, failure);
}

/// Whether an upload may have been begun all the same: S3's own refusals have a code, and what answers
/// in its place, such as a proxy, may do so once S3 has begun it.
fn may_have_begun(failure: &Failure) -> bool {
    let was_sent = !matches!(
        failure.kind,
        FailureKind::ReadOnly | FailureKind::Credentials
    );
    let is_own = failure.code.is_some() && failure.status.is_none_or(|status| status < 500);
    was_sent && !is_own
}

/// Whether there is nothing left to abort: an earlier attempt did it, and its answer was lost.
fn is_gone(failure: &Failure) -> bool {
    failure.code.as_deref() == Some("NoSuchUpload")
}

impl Probe {
    /// What it leaves.
    #[must_use]
    pub const fn leaves(&self) -> &'static str {
        if self.reads.is_some() {
            "it writes nothing, and keeps nothing of what it reads"
        } else {
            LEAVES
        }
    }

    /// What would be sent, one line a call, so that a person can agree to it.
    #[must_use]
    pub fn lines(&self) -> Vec<String> {
        let target = &self.target;
        let encryption = match &self.encryption {
            Encryption::Aes256 => "AES256".to_owned(),
            Encryption::BucketDefault => "the bucket's default".to_owned(),
            Encryption::Kms { key: Some(key) } => format!("aws:kms with key {key}"),
            Encryption::Kms { key: None } => "aws:kms with the key aws/s3".to_owned(),
        };
        let mut lines: Vec<String> = self.earlier.iter().map(earlier::line).collect();
        if let Some(reads) = &self.reads {
            lines.extend(reads.lines(self));
            return lines;
        }
        lines.extend([
            format!(
                "CreateMultipartUpload of s3://{target} in {}, as {}, expected bucket owner {}, \
                 encryption {encryption}",
                self.region, self.principal, target.owner
            ),
            format!("UploadPart of {SIZE} bytes to the same upload"),
            match &self.owner_principal {
                None => "AbortMultipartUpload of the same upload: no object is left".to_owned(),
                Some(owner) => format!(
                    "AbortMultipartUpload of the same upload, as {owner} where the source may not: no \
                     object is left"
                ),
            },
        ]);
        lines
    }
}

impl ProbeCall {
    /// The operation's name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Begin => "CreateMultipartUpload",
            Self::SendPart => "UploadPart",
            Self::Abort => "AbortMultipartUpload",
            Self::List => "ListObjectsV2",
            Self::Head => "HeadObject",
            Self::ReadFirstByte => "GetObject",
        }
    }
}
