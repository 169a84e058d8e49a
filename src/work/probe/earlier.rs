//! What earlier probes left: found by their rows in the journal, and taken back with the consent that
//! a new probe has.
//!
//! It decides which uploads are ours: those to a key that the journal holds, which was made for one
//! probe alone. Where the journal holds the upload's id, just that one; otherwise those that are under
//! way to just this key.

use jiff::{SignedDuration, Timestamp};
use tokio_util::sync::CancellationToken;

use super::report::ProbeReport;
use super::{is_gone, removal};
use crate::aws::Session;
use crate::aws::failure::{Failure, FailureKind};
use crate::aws::s3::multipart::UploadTarget;
use crate::journal::{JournalError, ProbeRecord, ProbeStage};
use crate::work::Work;
use crate::work::event::Side;
use tableferry_policy::arn::AccountId;

/// How long a request whose sender died may still arrive: "the client timestamp included with an
/// authenticated request must be within 15 minutes of the Amazon S3 system time when the request is
/// received" ("Signing and authenticating REST requests").
const MAY_STILL_ARRIVE: SignedDuration = SignedDuration::from_mins(15);

/// What became of what an earlier probe left.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TakenBack {
    /// The probe, as the journal had it.
    pub record: ProbeRecord,
    /// What became of it.
    pub end: TakingBack,
}

/// How taking an earlier probe back ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TakingBack {
    /// These uploads were there, and were aborted.
    Aborted(Vec<String>),
    /// Nothing of it was there.
    NothingThere,
    /// Nothing of it is there yet, and what was sent so short ago may still arrive.
    TooYoung,
    /// Another of our processes is making a probe, which may be this one: it was left alone.
    UnderWay,
    /// It could not be found or not be aborted.
    Failed {
        /// The upload that is left, where its id is known.
        upload_id: Option<String>,
        /// What failed.
        cause: Box<Failure>,
    },
}

impl Work {
    /// The probes of which something may be left, the oldest first. One that another process is making
    /// at this moment is among them.
    pub fn unfinished_probes(&self) -> Result<Vec<ProbeRecord>, JournalError> {
        self.inner.journal.unfinished_probes()
    }

    /// The sessions that may take a probe back: that of the account that made it, and that of the
    /// bucket's owner.
    pub(super) fn sessions_for(&self, record: &ProbeRecord) -> Vec<Session> {
        let of = |side, account: &AccountId| {
            let session = self.session(side)?;
            (session.identity.account == *account).then_some(session)
        };
        let source = of(Side::Source, &record.source_account);
        let owner = of(Side::Destination, &record.owner);
        source.into_iter().chain(owner).collect()
    }

    /// Takes back what earlier probes left, unless a probe is being made: it may be one of them.
    pub(super) async fn take_back(
        &self,
        earlier: &[ProbeRecord],
        cancel: &CancellationToken,
        report: &mut ProbeReport,
    ) -> Result<(), JournalError> {
        if earlier.is_empty() {
            return Ok(());
        }
        let turn = self.inner.probing.try_write();
        let lock = self.inner.journal.try_lock_earlier_probes()?;
        let is_alone = turn.is_ok() && lock.is_some();
        for record in earlier {
            if cancel.is_cancelled() {
                break;
            }
            // Another process may have seen to it since it was shown.
            let Some(record) = self.inner.journal.probe(record.id)? else {
                continue;
            };
            if record.stage == ProbeStage::Settled {
                continue;
            }
            let end = if is_alone {
                self.take_back_one(&record).await
            } else {
                TakingBack::UnderWay
            };
            if matches!(end, TakingBack::Aborted(_) | TakingBack::NothingThere) {
                let settled = self.inner.journal.settle_probe(record.id, Timestamp::now());
                report.keep(settled);
            }
            report.taken_back.push(TakenBack { record, end });
        }
        Ok(())
    }

    pub(super) async fn take_back_one(&self, record: &ProbeRecord) -> TakingBack {
        let sessions = self.sessions_for(record);
        let found = match &record.upload_id {
            Some(id) => Ok(vec![id.clone()]),
            None => find(&sessions, record).await,
        };
        let failed = |upload_id, cause| TakingBack::Failed {
            upload_id,
            cause: Box::new(cause),
        };
        let found = match found {
            Ok(found) => found,
            Err(cause) => return failed(None, cause),
        };
        let mut aborted = Vec::new();
        for id in found {
            match abort(&sessions, record, &id).await {
                Ok(true) => aborted.push(id),
                Ok(false) => {}
                Err(cause) => return failed(Some(id), cause),
            }
        }
        let age = Timestamp::now().duration_since(record.created_at);
        if !aborted.is_empty() {
            TakingBack::Aborted(aborted)
        } else if record.upload_id.is_none() && age < MAY_STILL_ARRIVE {
            TakingBack::TooYoung
        } else {
            TakingBack::NothingThere
        }
    }
}

/// Finds the uploads to just this key, as the first that may list them.
async fn find(sessions: &[Session], record: &ProbeRecord) -> Result<Vec<String>, Failure> {
    let mut outcome = Ok(Vec::new());
    for session in sessions {
        let s3 = session.s3(&record.region);
        outcome = match s3.list_uploads(&target(record)).await {
            Err(failure) if is_bucket_gone(&failure) => Ok(Vec::new()),
            outcome => outcome,
        };
        if outcome.is_ok() {
            break;
        }
    }
    outcome
}

/// Aborts an upload, as the first that may; says whether it was there.
async fn abort(sessions: &[Session], record: &ProbeRecord, id: &str) -> Result<bool, Failure> {
    let mut outcome = Ok(false);
    for session in sessions {
        let s3 = session.s3(&record.region);
        outcome = match s3.abort_upload(&target(record), id).await {
            Ok(()) => Ok(true),
            Err(failure) if is_gone(&failure) || is_bucket_gone(&failure) => Ok(false),
            Err(failure) => Err(failure),
        };
        if outcome.is_ok() {
            break;
        }
    }
    outcome
}

/// A bucket that is gone has taken its uploads with it.
fn is_bucket_gone(failure: &Failure) -> bool {
    failure.code.as_deref() == Some("NoSuchBucket")
}

/// Where a probe's upload goes.
pub(super) fn target(record: &ProbeRecord) -> UploadTarget {
    UploadTarget {
        bucket: record.bucket.clone(),
        owner: record.owner.clone(),
        key: record.key.clone(),
    }
}

/// What is sent to take a probe back, so that a person can agree to it.
pub(super) fn line(record: &ProbeRecord) -> String {
    let place = target(record);
    let when = time(record);
    let whose = "as the source or the destination, whichever may";
    match &record.upload_id {
        Some(id) => format!(
            "AbortMultipartUpload of s3://{place}, upload {id}, which the probe of {when} left; {whose}"
        ),
        None => format!(
            "ListMultipartUploads of s3://{place}, where the probe of {when} was cut off, and \
             AbortMultipartUpload of what is found at just this key; {whose}"
        ),
    }
}

impl ProbeRecord {
    /// What may be left of it, in words.
    #[must_use]
    pub fn remainder(&self) -> String {
        let (place, when) = (target(self), time(self));
        match &self.upload_id {
            Some(id) => format!(
                "the probe of {when} left the incomplete upload {id} of s3://{place}: it is no object, \
                 and its parts are billed"
            ),
            None => format!(
                "the probe of {when} was cut off, and may have left an incomplete upload of s3://{place}"
            ),
        }
    }

    /// What takes away what may be left, in words.
    #[must_use]
    pub fn remainder_hint(&self) -> String {
        let command = removal(&target(self), self.upload_id.as_deref());
        let does = match &self.upload_id {
            Some(_) => "removes it",
            None => "shows it",
        };
        format!(
            "`tableferry check PLAN --probe`, with a plan whose source is in {}, takes it back; \
             `{command}` {does}",
            self.source_account
        )
    }
}

impl TakenBack {
    /// What became of it, in words.
    #[must_use]
    pub fn words(&self) -> String {
        let (place, when) = (target(&self.record), time(&self.record));
        match &self.end {
            TakingBack::Aborted(_) => {
                format!(
                    "taken back: the incomplete upload of s3://{place}, left by the probe of {when}"
                )
            }
            TakingBack::NothingThere => {
                format!("nothing is left of the probe of {when} at s3://{place}")
            }
            TakingBack::TooYoung => format!(
                "nothing of the probe of {when} is at s3://{place}; what was sent so short ago may \
                 still arrive, so that a probe after {} looks once more",
                (self.record.created_at + MAY_STILL_ARRIVE).strftime("%H:%M:%SZ")
            ),
            TakingBack::UnderWay => format!(
                "the probe of {when} was left alone: another tableferry process is probing, and it \
                 may be this one"
            ),
            TakingBack::Failed { cause, .. } => format!(
                "what the probe of {when} left at s3://{place} could not be taken back: {cause}"
            ),
        }
    }

    /// Where something is left, what takes it away, in words.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        let TakingBack::Failed { upload_id, .. } = &self.end else {
            return None;
        };
        let command = removal(&target(&self.record), upload_id.as_deref());
        Some(match upload_id {
            Some(_) => format!(
                "`{command}` removes it, and so does a lifecycle rule with \
                 AbortIncompleteMultipartUpload"
            ),
            None => format!(
                "`{command}` shows it to whoever has s3:ListBucketMultipartUploads, and a lifecycle \
                 rule with AbortIncompleteMultipartUpload removes it"
            ),
        })
    }

    /// Whether nobody who is signed in may abort it: a new probe to the same place would end like it.
    pub(super) fn is_refused(&self) -> bool {
        matches!(&self.end, TakingBack::Failed { upload_id: Some(_), cause }
            if cause.kind == FailureKind::AccessDenied)
    }
}

fn time(record: &ProbeRecord) -> impl std::fmt::Display {
    record.created_at.strftime("%Y-%m-%dT%H:%M:%SZ")
}
