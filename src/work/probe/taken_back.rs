//! What became of what an earlier probe left, in data and in words, and the command that takes it away.

use jiff::SignedDuration;

use crate::aws::failure::{Failure, FailureKind};
use crate::aws::s3::multipart::UploadTarget;
use crate::job::shell_option;
use crate::journal::ProbeRecord;

/// How long a request whose sender died may still arrive: "the client timestamp included with an
/// authenticated request must be within 15 minutes of the Amazon S3 system time when the request is
/// received" ("Signing and authenticating REST requests").
pub(super) const MAY_STILL_ARRIVE: SignedDuration = SignedDuration::from_mins(15);

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
                "`{command}` shows it to a principal that has s3:ListBucketMultipartUploads, and a lifecycle \
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

pub(super) fn time(record: &ProbeRecord) -> impl std::fmt::Display {
    record.created_at.strftime("%Y-%m-%dT%H:%M:%SZ")
}

/// Where a probe's upload goes.
pub(super) fn target(record: &ProbeRecord) -> UploadTarget {
    UploadTarget {
        bucket: record.bucket.clone(),
        owner: record.owner.clone(),
        key: record.key.clone(),
    }
}

/// What takes an upload away, as a command; without its id, what shows it.
#[must_use]
pub fn removal(target: &UploadTarget, upload_id: Option<&str>) -> String {
    let UploadTarget { bucket, owner, key } = target;
    let place = format!("--bucket {bucket} --expected-bucket-owner {owner}");
    match upload_id {
        Some(id) => format!(
            "aws s3api abort-multipart-upload {place} {} {}",
            shell_option("key", key),
            shell_option("upload-id", id)
        ),
        None => format!(
            "aws s3api list-multipart-uploads {place} {}",
            shell_option("prefix", key)
        ),
    }
}
