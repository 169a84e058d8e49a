//! What S3 tells of objects that are there: whose they are, and what encrypts them.

use super::content::ObjectName;
use super::{Object, S3, object};
use crate::aws::failure::{Failure, FailureKind};
use tableferry_policy::arn::BucketName;

/// An object with its owner.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OwnedObject {
    /// As a listing shows it.
    pub object: Object,
    /// The canonical user id of its owner.
    pub owner: Option<String>,
}

/// What encrypts an object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredEncryption {
    /// `AES256`, `aws:kms` or `aws:kms:dsse`.
    pub algorithm: String,
    /// The KMS key's ARN.
    pub key: Option<String>,
    /// Whether by an S3 Bucket Key.
    pub has_bucket_key: bool,
}

impl S3 {
    /// The first objects whose keys begin with a prefix, with their owners, by one page of
    /// `ListObjectsV2`; and whether there are more.
    pub async fn list_owned_objects(
        &self,
        bucket: &BucketName,
        prefix: &str,
    ) -> Result<(Vec<OwnedObject>, bool), Failure> {
        let call = self
            .client
            .list_objects_v2()
            .bucket(bucket.as_str())
            .prefix(prefix)
            .fetch_owner(true)
            .send();
        let target = format!("{bucket}/{prefix}*");
        let page = self.mapper.answer("s3:ListBucket", target, call).await?;
        let objects = page.contents().iter().filter_map(|listed| {
            Some(OwnedObject {
                object: object(listed)?,
                owner: listed
                    .owner()
                    .and_then(|owner| owner.id())
                    .map(str::to_owned),
            })
        });
        Ok((objects.collect(), page.is_truncated().unwrap_or(false)))
    }

    /// The canonical user id of the account that asks, by `ListBuckets`.
    pub async fn canonical_user(&self) -> Result<Option<String>, Failure> {
        let call = self.client.list_buckets().max_buckets(1).send();
        let answer = self
            .mapper
            .answer("s3:ListAllMyBuckets", "all buckets", call)
            .await?;
        Ok(answer
            .owner()
            .and_then(|owner| owner.id())
            .map(str::to_owned))
    }

    /// What encrypts an object, by `HeadObject` without a checksum.
    pub async fn stored_encryption(
        &self,
        name: ObjectName<'_>,
    ) -> Result<StoredEncryption, Failure> {
        let call = self
            .client
            .head_object()
            .bucket(name.bucket.as_str())
            .key(name.key)
            .set_expected_bucket_owner(name.owner.map(ToString::to_string))
            .send();
        match self.mapper.answer("s3:GetObject", name, call).await {
            Ok(answer) => Ok(StoredEncryption {
                // "Amazon S3 encrypts with SSE-S3" whatever names nothing else.
                algorithm: answer
                    .server_side_encryption()
                    .map_or_else(|| "AES256".to_owned(), |found| found.as_str().to_owned()),
                key: answer.ssekms_key_id().map(str::to_owned),
                has_bucket_key: answer.bucket_key_enabled().unwrap_or(false),
            }),
            Err(mut failure) => {
                // An answer to HEAD has neither code nor message.
                if failure.status == Some(403) {
                    failure.kind = FailureKind::AccessDenied;
                    "refused without a reason, as every head is".clone_into(&mut failure.message);
                }
                Err(failure)
            }
        }
    }

    /// Reads the first byte of an object, by `GetObject` with a range; nothing is kept of it.
    pub async fn read_first_byte(&self, name: ObjectName<'_>) -> Result<StoredEncryption, Failure> {
        let call = self
            .client
            .get_object()
            .bucket(name.bucket.as_str())
            .key(name.key)
            .range("bytes=0-0")
            .set_expected_bucket_owner(name.owner.map(ToString::to_string))
            .send();
        let answer = self.mapper.answer("s3:GetObject", name, call).await?;
        Ok(StoredEncryption {
            algorithm: answer
                .server_side_encryption()
                .map_or_else(|| "AES256".to_owned(), |found| found.as_str().to_owned()),
            key: answer.ssekms_key_id().map(str::to_owned),
            has_bucket_key: answer.bucket_key_enabled().unwrap_or(false),
        })
    }
}
