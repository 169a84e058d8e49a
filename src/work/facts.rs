//! What is read before a start, each piece known or not with the reason.

use crate::aws::dynamodb::{PointInTimeRecovery, Table};
use crate::aws::failure::Failure;
use crate::aws::s3::DefaultEncryption;
use tableferry_policy::arn::{AccountId, BucketName, Region};

/// A table and its recovery window, as far as they could be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableFacts {
    /// The name or ARN it was asked by.
    pub asked: String,
    /// The table.
    pub table: Result<Table, Failure>,
    /// Its point-in-time recovery.
    pub recovery: Result<PointInTimeRecovery, Failure>,
}

/// A bucket, as far as it could be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BucketFacts {
    /// Its name.
    pub name: BucketName,
    /// Its Region.
    pub region: Result<Region, Failure>,
    /// Its account, where it could be proved.
    pub owner: Result<AccountId, Failure>,
    /// Its default encryption.
    pub encryption: Result<DefaultEncryption, Failure>,
}
