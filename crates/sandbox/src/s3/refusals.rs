//! What S3 says when it refuses, where more than one operation says it.

use s3s::{S3Error, S3ErrorCode};

use crate::authorize::Denial;

/// A refusal without a reason.
pub(super) fn access_denied() -> S3Error {
    S3Error::with_message(S3ErrorCode::AccessDenied, "Access Denied")
}

/// S3's refusal for want of a permission; outside the account and organization it says no more.
pub(super) fn denied(denial: &Denial) -> S3Error {
    if denial.has_reason {
        S3Error::with_message(S3ErrorCode::AccessDenied, denial.quoted_sentence())
    } else {
        access_denied()
    }
}

pub(super) fn no_such_bucket() -> S3Error {
    S3Error::with_message(
        S3ErrorCode::NoSuchBucket,
        "The specified bucket does not exist",
    )
}
