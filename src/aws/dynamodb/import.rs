//! Imports as `DescribeImport` tells them.

use jiff::Timestamp;

use super::{Dynamodb, timestamp};
use crate::aws::failure::Failure;
use tableferry_policy::arn::Arn;

/// An import, as far as its failure goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Import {
    /// `ImportStatus`, in AWS's word.
    pub status: String,
    /// The bucket that it reads.
    pub bucket: Option<String>,
    /// When it ended.
    pub ended_at: Option<Timestamp>,
    /// The code of its failure.
    pub failure_code: Option<String>,
    /// The message of its failure; some failures have none.
    pub failure_message: Option<String>,
}

impl Dynamodb {
    /// An import by its ARN, by `DescribeImport`.
    pub async fn describe_import(&self, arn: &Arn) -> Result<Import, Failure> {
        const OPERATION: &str = "dynamodb:DescribeImport";
        let target = arn.to_string();
        let answer = self
            .client
            .describe_import()
            .import_arn(&target)
            .send()
            .await
            .map_err(|error| self.mapper.failure(OPERATION, &target, &error))?;
        let described = answer.import_table_description().ok_or_else(|| {
            self.mapper
                .unreadable(OPERATION, &target, "the answer describes no import")
        })?;
        let status = described.import_status();
        Ok(Import {
            status: status.map_or_else(String::new, |status| status.as_str().to_owned()),
            bucket: described
                .s3_bucket_source()
                .map(|source| source.s3_bucket().to_owned()),
            ended_at: timestamp(described.end_time()),
            failure_code: described.failure_code().map(str::to_owned),
            failure_message: described.failure_message().map(str::to_owned),
        })
    }
}
