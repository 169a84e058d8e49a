//! Which of S3's calls an export makes under each permission, and which headers that policies ask for
//! each of them carries: one row a call, one cell a condition key.
//!
//! Which keys an action has is told by the service authorization reference of S3; which of them a
//! call carries, by the API reference of the call and by what others observed.

use std::fmt;

/// One of S3's calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Call {
    PutObject,
    CreateMultipartUpload,
    UploadPart,
    CompleteMultipartUpload,
    AbortMultipartUpload,
    /// No call of its own: S3 asks for the permission where an upload sends an access control list.
    PutObjectAcl,
    /// A call that carries none of these headers.
    Other,
}

impl fmt::Display for Call {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, out)
    }
}

/// What a call has of a condition key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Carried {
    /// The call sends it.
    Sent,
    /// It has the value of the call that began the upload.
    Inherited,
    /// It has not.
    Absent,
    /// Nobody can tell.
    Unknown,
}

/// A row: the call, what it has of the keys of encryption, what of those of access control lists, and
/// where both are told.
type Row = (Call, Carried, Carried, &'static str);

/// Which access control list an export sends is not documented.
pub(super) const TABLE: [Row; 7] = [
    (
        Call::PutObject,
        Carried::Sent,
        Carried::Unknown,
        "API reference of PutObject; of ExportTableToPointInTime, S3SseAlgorithm",
    ),
    (
        Call::CreateMultipartUpload,
        Carried::Sent,
        Carried::Unknown,
        "API reference of CreateMultipartUpload; of ExportTableToPointInTime, S3SseAlgorithm",
    ),
    (
        Call::UploadPart,
        Carried::Inherited,
        Carried::Absent,
        "API reference of UploadPart, against one report (boto/botocore#471); aws/aws-cli#1674",
    ),
    (
        Call::CompleteMultipartUpload,
        Carried::Inherited,
        Carried::Absent,
        "as UploadPart; the request's headers in S3's model",
    ),
    (
        Call::AbortMultipartUpload,
        Carried::Absent,
        Carried::Absent,
        "the request's headers in S3's model",
    ),
    (
        Call::PutObjectAcl,
        Carried::Sent,
        Carried::Unknown,
        "API reference of PutObject and CreateMultipartUpload, whose headers these are",
    ),
    (
        Call::Other,
        Carried::Absent,
        Carried::Absent,
        "the requests' headers in S3's model",
    ),
];

/// The keys of an upload's encryption.
pub(super) const OF_ENCRYPTION: [&str; 2] = [
    "s3:x-amz-server-side-encryption",
    "s3:x-amz-server-side-encryption-aws-kms-key-id",
];

/// The keys of an upload's access control list.
pub(super) const OF_ACL: [&str; 6] = [
    "s3:x-amz-acl",
    "s3:x-amz-grant-full-control",
    "s3:x-amz-grant-read",
    "s3:x-amz-grant-read-acp",
    "s3:x-amz-grant-write",
    "s3:x-amz-grant-write-acp",
];

impl Call {
    /// The calls that are judged as one action on one object. A data file is a multipart upload even
    /// where it is empty, as its `ETag` shows; the other files are put in one piece.
    pub(super) fn of(action: &str, is_data: bool) -> &'static [Self] {
        match action {
            "s3:PutObject" if is_data => &[
                Self::CreateMultipartUpload,
                Self::UploadPart,
                Self::CompleteMultipartUpload,
            ],
            "s3:PutObject" => &[Self::PutObject],
            "s3:PutObjectAcl" => &[Self::PutObjectAcl],
            "s3:AbortMultipartUpload" => &[Self::AbortMultipartUpload],
            _ => &[Self::Other],
        }
    }

    /// What it has of the keys of encryption.
    pub(super) fn encryption(self) -> Carried {
        self.row().map_or(Carried::Unknown, |row| row.1)
    }

    /// What it has of the keys of access control lists.
    pub(super) fn acl(self) -> Carried {
        self.row().map_or(Carried::Unknown, |row| row.2)
    }

    fn row(self) -> Option<&'static Row> {
        TABLE.iter().find(|row| row.0 == self)
    }
}
