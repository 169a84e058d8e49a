//! The policy of a bucket: read, written, and taken away.

use super::{Failure, S3};
use tableferry_policy::arn::{AccountId, BucketName};

impl S3 {
    /// The bucket's policy as it stands, by `GetBucketPolicy`; none where there is none.
    pub async fn bucket_policy(
        &self,
        bucket: &BucketName,
        owner: Option<&AccountId>,
    ) -> Result<Option<String>, Failure> {
        let call = self
            .client
            .get_bucket_policy()
            .bucket(bucket.as_str())
            .set_expected_bucket_owner(owner.map(ToString::to_string))
            .send();
        let answer = self
            .mapper
            .answer_unless("NoSuchBucketPolicy", "s3:GetBucketPolicy", bucket, call)
            .await?;
        Ok(answer.and_then(|answer| answer.policy))
    }

    /// Writes the bucket's policy over what stands there, by `PutBucketPolicy`. The owner is always
    /// sent, so that no other account's bucket is written ("Verifying bucket ownership with bucket
    /// owner condition").
    pub async fn put_bucket_policy(
        &self,
        bucket: &BucketName,
        owner: &AccountId,
        policy: &str,
    ) -> Result<(), Failure> {
        const OPERATION: &str = "s3:PutBucketPolicy";
        self.write_guard.check(OPERATION, bucket.as_str())?;
        let call = self
            .client
            .put_bucket_policy()
            .bucket(bucket.as_str())
            .expected_bucket_owner(owner.as_str())
            .policy(policy)
            .send();
        self.mapper.answer(OPERATION, bucket, call).await?;
        Ok(())
    }

    /// Takes the bucket's policy away, by `DeleteBucketPolicy`.
    pub async fn delete_bucket_policy(
        &self,
        bucket: &BucketName,
        owner: &AccountId,
    ) -> Result<(), Failure> {
        const OPERATION: &str = "s3:DeleteBucketPolicy";
        self.write_guard.check(OPERATION, bucket.as_str())?;
        let call = self
            .client
            .delete_bucket_policy()
            .bucket(bucket.as_str())
            .expected_bucket_owner(owner.as_str())
            .send();
        self.mapper.answer(OPERATION, bucket, call).await?;
        Ok(())
    }
}
