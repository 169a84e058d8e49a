//! A bucket's settings that bear on who may write to it and who owns what is written.
//!
//! A setting that was never made is answered with an error, which is read as absent.

use aws_sdk_s3::error::SdkError;
use aws_sdk_s3::types as sdk;
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;

use super::{Failure, S3};
use crate::assess::facts::{Ownership, PublicAccessBlock};
use tableferry_policy::arn::{AccountId, BucketName};

impl S3 {
    /// Who owns new objects, by `GetBucketOwnershipControls`; none where no controls were set.
    pub async fn ownership(
        &self,
        bucket: &BucketName,
        owner: Option<&AccountId>,
    ) -> Result<Option<Ownership>, Failure> {
        const OPERATION: &str = "s3:GetBucketOwnershipControls";
        let answer = self
            .client
            .get_bucket_ownership_controls()
            .bucket(bucket.as_str())
            .set_expected_bucket_owner(owner.map(ToString::to_string))
            .send()
            .await;
        let absent = "OwnershipControlsNotFoundError";
        let Some(answer) = self.unless_absent(answer, OPERATION, bucket, absent)? else {
            return Ok(None);
        };
        let rule = answer
            .ownership_controls()
            .and_then(|controls| controls.rules().first());
        match rule.map(|rule| rule.object_ownership().as_str()) {
            None => Ok(None),
            Some("BucketOwnerEnforced") => Ok(Some(Ownership::BucketOwnerEnforced)),
            Some("BucketOwnerPreferred") => Ok(Some(Ownership::BucketOwnerPreferred)),
            Some("ObjectWriter") => Ok(Some(Ownership::ObjectWriter)),
            Some(other) => {
                let problem = format!("`{other}` is no object ownership that is known here");
                Err(self.mapper.unreadable(OPERATION, bucket.as_str(), &problem))
            }
        }
    }

    /// The bucket's Block Public Access, by `GetPublicAccessBlock`; none where it was never set.
    pub async fn public_access_block(
        &self,
        bucket: &BucketName,
        owner: Option<&AccountId>,
    ) -> Result<Option<PublicAccessBlock>, Failure> {
        let answer = self
            .client
            .get_public_access_block()
            .bucket(bucket.as_str())
            .set_expected_bucket_owner(owner.map(ToString::to_string))
            .send()
            .await;
        let absent = "NoSuchPublicAccessBlockConfiguration";
        let operation = "s3:GetBucketPublicAccessBlock";
        let answer = self.unless_absent(answer, operation, bucket, absent)?;
        let block = answer.and_then(|answer| answer.public_access_block_configuration);
        Ok(block.map(|block| PublicAccessBlock {
            block_public_acls: block.block_public_acls.unwrap_or_default(),
            ignore_public_acls: block.ignore_public_acls.unwrap_or_default(),
            block_public_policy: block.block_public_policy.unwrap_or_default(),
            restrict_public_buckets: block.restrict_public_buckets.unwrap_or_default(),
        }))
    }

    /// Whether the requester pays, by `GetBucketRequestPayment`.
    pub async fn requester_pays(
        &self,
        bucket: &BucketName,
        owner: Option<&AccountId>,
    ) -> Result<bool, Failure> {
        const OPERATION: &str = "s3:GetBucketRequestPayment";
        let answer = self
            .client
            .get_bucket_request_payment()
            .bucket(bucket.as_str())
            .set_expected_bucket_owner(owner.map(ToString::to_string))
            .send()
            .await
            .map_err(|error| self.mapper.failure(OPERATION, bucket.as_str(), &error))?;
        Ok(answer.payer() == Some(&sdk::Payer::Requester))
    }

    /// The answer; none where S3 says with the code `absent` that there is no such setting.
    fn unless_absent<T, E>(
        &self,
        answer: Result<T, SdkError<E, HttpResponse>>,
        operation: &str,
        bucket: &BucketName,
        absent: &str,
    ) -> Result<Option<T>, Failure>
    where
        E: std::error::Error + ProvideErrorMetadata + 'static,
    {
        match answer {
            Ok(answer) => Ok(Some(answer)),
            Err(error) => {
                let failure = self.mapper.failure(operation, bucket.as_str(), &error);
                if failure.code.as_deref() == Some(absent) {
                    Ok(None)
                } else {
                    Err(failure)
                }
            }
        }
    }
}
