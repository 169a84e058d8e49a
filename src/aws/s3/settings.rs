//! A bucket's settings that bear on who may write to it and who owns what is written.
//!
//! A setting that was never made is answered with an error, which is read as absent.

use aws_sdk_s3::types as sdk;

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
        let call = self
            .client
            .get_bucket_ownership_controls()
            .bucket(bucket.as_str())
            .set_expected_bucket_owner(owner.map(ToString::to_string))
            .send();
        let absent = "OwnershipControlsNotFoundError";
        let answer = self.mapper.answer_unless(absent, OPERATION, bucket, call);
        let Some(answer) = answer.await? else {
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
        let call = self
            .client
            .get_public_access_block()
            .bucket(bucket.as_str())
            .set_expected_bucket_owner(owner.map(ToString::to_string))
            .send();
        let absent = "NoSuchPublicAccessBlockConfiguration";
        let operation = "s3:GetBucketPublicAccessBlock";
        let answer = self.mapper.answer_unless(absent, operation, bucket, call);
        let block = answer
            .await?
            .and_then(|answer| answer.public_access_block_configuration);
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
        let call = self
            .client
            .get_bucket_request_payment()
            .bucket(bucket.as_str())
            .set_expected_bucket_owner(owner.map(ToString::to_string))
            .send();
        let answer = self.mapper.answer(OPERATION, bucket, call).await?;
        Ok(answer.payer() == Some(&sdk::Payer::Requester))
    }
}
