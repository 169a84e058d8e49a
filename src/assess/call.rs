//! Which calls an export and its verification make under each permission, and what each call has of
//! the condition keys that policies usually ask for: one row a call, one cell a key, each with its source.
//!
//! Which keys an action has is told by the service authorization reference; which of them a call has,
//! by the API reference of the call and by what others observed. What a key holds, where a call has it,
//! is told by [`super::context`], which reads this table.

mod cells;
mod route;

use std::fmt;

use crate::job::requirement::{Actor, RequiredPermission, Subject};
pub(super) use cells::{Keys, cells};
pub(super) use route::{Route, RouteKey};

/// One call, by its operation's name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Call {
    PutObject,
    CreateMultipartUpload,
    UploadPart,
    CompleteMultipartUpload,
    AbortMultipartUpload,
    /// No call of its own: S3 asks for the permission where an upload sends an access control list.
    PutObjectAcl,
    GetObject,
    /// The reader of a job asks for an object's head.
    HeadObject,
    ListObjectsV2,
    /// `ListObjectsV2`, by whatever the reader of a job lists with.
    ListObjectsOfReader,
    /// S3 uses the key of the objects.
    GenerateDataKey,
    /// S3 uses the key of the objects.
    Decrypt,
    /// `DynamoDB` uses the key of a table.
    GenerateDataKeyOfTable,
    /// `DynamoDB` uses the key of a table.
    DecryptOfTable,
    ExportTableToPointInTime,
    DescribeTable,
    DescribeContinuousBackups,
    DescribeExport,
    ListExports,
    ImportTable,
    DescribeImport,
    ListImports,
    BatchWriteItem,
    Scan,
    /// `DynamoDB` writes the log of an import.
    DescribeLogGroups,
    CreateLogGroup,
    DescribeLogStreams,
    CreateLogStream,
    PutLogEvents,
    PutRetentionPolicy,
    /// `PutObject`, by S3 itself for an inventory.
    PutReport,
    /// S3 uses the key of an inventory's reports, for itself.
    GenerateDataKeyOfReport,
    PutBucketInventoryConfiguration,
    GetBucketInventoryConfiguration,
    /// A call without a row: nobody can tell what it has.
    Unlisted,
}

impl fmt::Display for Call {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = match self {
            Self::GenerateDataKeyOfTable | Self::GenerateDataKeyOfReport => "GenerateDataKey",
            Self::PutReport => "PutObject",
            Self::ListObjectsOfReader => "ListObjectsV2",
            Self::DecryptOfTable => "Decrypt",
            Self::Unlisted => "a call",
            _ => return fmt::Debug::fmt(self, out),
        };
        out.write_str(name)
    }
}

/// What a call has of a condition key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Carried {
    /// The call itself brings it, or the service that is called adds it.
    Sent,
    /// It has the value of the call that began the upload.
    Inherited,
    /// It has it or has not, and what it would hold is known.
    SentOrAbsent,
    /// It has not.
    Absent,
    /// Nobody can tell.
    Unknown,
}

/// Whether the calls under a permission tell how the plan encrypts: an abort does not.
pub(super) fn tells_encryption(need: &RequiredPermission) -> bool {
    let mut calls = Call::of(need, true).iter();
    calls.any(|call| call.carries(Keys::Encryption) != Carried::Absent)
}

impl Call {
    /// The calls that are made under a permission for one object, key or table; `is_multipart` tells
    /// whether the object is uploaded in parts.
    pub(super) fn of(need: &RequiredPermission, is_multipart: bool) -> &'static [Self] {
        let is_of_table = need.subject == Subject::TableKey;
        // What the job itself reads is read by tools that are not ours.
        let is_of_job = need.who == Actor::Exporter;
        match need.action {
            "s3:PutObject" if need.service.is_some() => &[Self::PutReport],
            "kms:GenerateDataKey" if need.service.is_some() => &[Self::GenerateDataKeyOfReport],
            "s3:PutInventoryConfiguration" => &[Self::PutBucketInventoryConfiguration],
            "s3:GetInventoryConfiguration" => &[Self::GetBucketInventoryConfiguration],
            "s3:PutObject" if is_multipart => &[
                Self::CreateMultipartUpload,
                Self::UploadPart,
                Self::CompleteMultipartUpload,
            ],
            "s3:PutObject" => &[Self::PutObject],
            "s3:PutObjectAcl" => &[Self::PutObjectAcl],
            "s3:AbortMultipartUpload" => &[Self::AbortMultipartUpload],
            "s3:GetObject" if is_of_job => &[Self::GetObject, Self::HeadObject],
            "s3:GetObject" => &[Self::GetObject],
            "s3:ListBucket" if is_of_job => &[Self::ListObjectsOfReader],
            "s3:ListBucket" => &[Self::ListObjectsV2],
            "kms:GenerateDataKey" if is_of_table => &[Self::GenerateDataKeyOfTable],
            "kms:GenerateDataKey" => &[Self::GenerateDataKey],
            "kms:Decrypt" if is_of_table => &[Self::DecryptOfTable],
            "kms:Decrypt" => &[Self::Decrypt],
            "dynamodb:ExportTableToPointInTime" => &[Self::ExportTableToPointInTime],
            "dynamodb:DescribeTable" => &[Self::DescribeTable],
            "dynamodb:DescribeContinuousBackups" => &[Self::DescribeContinuousBackups],
            "dynamodb:DescribeExport" => &[Self::DescribeExport],
            "dynamodb:ListExports" => &[Self::ListExports],
            "dynamodb:ImportTable" => &[Self::ImportTable],
            "dynamodb:DescribeImport" => &[Self::DescribeImport],
            "dynamodb:ListImports" => &[Self::ListImports],
            "dynamodb:BatchWriteItem" => &[Self::BatchWriteItem],
            "dynamodb:Scan" => &[Self::Scan],
            "logs:DescribeLogGroups" => &[Self::DescribeLogGroups],
            "logs:CreateLogGroup" => &[Self::CreateLogGroup],
            "logs:DescribeLogStreams" => &[Self::DescribeLogStreams],
            "logs:CreateLogStream" => &[Self::CreateLogStream],
            "logs:PutLogEvents" => &[Self::PutLogEvents],
            "logs:PutRetentionPolicy" => &[Self::PutRetentionPolicy],
            _ => &[Self::Unlisted],
        }
    }

    /// What the call has of a key; absent where the key is of another service.
    pub(super) fn carries(self, key: Keys) -> Carried {
        if self == Self::Unlisted {
            return Carried::Unknown;
        }
        let cell = cells().find(|(call, of, ..)| *call == self && *of == key);
        cell.map_or(Carried::Absent, |(_, _, carried, _)| *carried)
    }

    /// How the call reaches the service that judges it; `is_direct` tells a call that the principal
    /// makes, and what S3 does for it, from those that `DynamoDB` forwards.
    pub(super) const fn route(self, is_direct: bool) -> Route {
        match self {
            Self::PutReport | Self::GenerateDataKeyOfReport => Route::OfService,
            Self::GenerateDataKeyOfTable | Self::DecryptOfTable => Route::ByDynamoDb,
            Self::GenerateDataKey | Self::Decrypt if is_direct => Route::ByS3,
            Self::GenerateDataKey | Self::Decrypt => Route::ByDynamoDbAndS3,
            _ if is_direct => Route::Direct,
            _ => Route::ByDynamoDb,
        }
    }
}
