//! What earlier probes left: found by their rows in the journal, and taken back with the consent that
//! a new probe has.
//!
//! It decides which uploads are ours: those to a key that the journal holds, which was made for one
//! probe alone. Where the journal holds the upload's id, just that one; otherwise those that are under
//! way to just this key.

use jiff::Timestamp;
use tokio_util::sync::CancellationToken;

use super::is_gone;
use super::report::ProbeReport;
use super::taken_back::{MAY_STILL_ARRIVE, TakenBack, TakingBack, target, time};
use crate::aws::Session;
use crate::aws::failure::Failure;
use crate::journal::{JournalError, ProbeRecord, ProbeStage};
use crate::work::Work;
use crate::work::event::Side;
use tableferry_policy::arn::AccountId;

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
    pub(super) async fn revert(
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
