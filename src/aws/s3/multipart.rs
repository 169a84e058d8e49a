//! Uploads in parts that are begun, found again and taken back: enough to find out whether S3 lets one
//! in, and nothing that would leave an object.

use aws_sdk_s3::config::retry::RetryConfig;
use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::ServerSideEncryption;

use super::S3;
use crate::aws::failure::Failure;
use crate::job::Encryption;
use tableferry_policy::arn::{AccountId, BucketName};

/// Where an upload goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UploadTarget {
    /// The bucket.
    pub bucket: BucketName,
    /// The account that must own it, sent as `ExpectedBucketOwner`.
    pub owner: AccountId,
    /// The object's key.
    pub key: String,
}

/// An upload that was begun, and is there until it is aborted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BegunUpload {
    /// `UploadId`.
    pub id: String,
    /// The ARN of the key that encrypts it, where S3 names one.
    pub kms_key: Option<String>,
}

impl S3 {
    /// Begins an upload, by `CreateMultipartUpload`. It is never sent twice: an answer that was lost
    /// would leave an upload that nobody knows of.
    pub async fn begin_upload(
        &self,
        target: &UploadTarget,
        encryption: &Encryption,
    ) -> Result<BegunUpload, Failure> {
        self.write_guard
            .check("s3:PutObject", &target.to_string())?;
        let algorithm = match encryption {
            Encryption::Aes256 => Some(ServerSideEncryption::Aes256),
            Encryption::Kms { .. } => Some(ServerSideEncryption::AwsKms),
            Encryption::BucketDefault => None,
        };
        let once = aws_sdk_s3::config::Builder::new().retry_config(RetryConfig::disabled());
        let call = self
            .client
            .create_multipart_upload()
            .bucket(target.bucket.as_str())
            .key(&target.key)
            .expected_bucket_owner(target.owner.as_str())
            .set_server_side_encryption(algorithm)
            .set_ssekms_key_id(encryption.key().map(str::to_owned))
            .customize()
            .config_override(once)
            .send();
        let answer = self.mapper.answer("s3:PutObject", target, call).await?;
        let Some(id) = answer.upload_id() else {
            let problem = "the answer names no upload";
            return Err(self
                .mapper
                .unreadable("s3:PutObject", &target.to_string(), problem));
        };
        Ok(BegunUpload {
            id: id.to_owned(),
            kms_key: answer.ssekms_key_id().map(str::to_owned),
        })
    }

    /// Sends the first and only part of an upload, by `UploadPart`.
    pub async fn send_part(
        &self,
        target: &UploadTarget,
        upload: &BegunUpload,
        content: &'static [u8],
    ) -> Result<(), Failure> {
        self.write_guard
            .check("s3:PutObject", &target.to_string())?;
        let call = self
            .client
            .upload_part()
            .bucket(target.bucket.as_str())
            .key(&target.key)
            .expected_bucket_owner(target.owner.as_str())
            .upload_id(&upload.id)
            .part_number(1)
            .body(ByteStream::from_static(content))
            .send();
        self.mapper.answer("s3:PutObject", target, call).await?;
        Ok(())
    }

    /// The ids of the uploads under way to just this key, by `ListMultipartUploads`; not those to keys
    /// that only begin with it.
    pub async fn list_uploads(&self, target: &UploadTarget) -> Result<Vec<String>, Failure> {
        const OPERATION: &str = "s3:ListBucketMultipartUploads";
        // The uploads are "sorted in ascending order based on their object keys" (API reference): with
        // the whole key as the prefix, its own come first, and one page holds a thousand of them.
        let call = self
            .client
            .list_multipart_uploads()
            .bucket(target.bucket.as_str())
            .prefix(&target.key)
            .expected_bucket_owner(target.owner.as_str())
            .send();
        let answer = self.mapper.answer(OPERATION, target, call).await?;
        let of_key = answer
            .uploads()
            .iter()
            .filter(|upload| upload.key() == Some(target.key.as_str()));
        Ok(of_key
            .filter_map(|upload| upload.upload_id().map(str::to_owned))
            .collect())
    }

    /// Takes an upload back with all its parts, by `AbortMultipartUpload`.
    pub async fn abort_upload(&self, target: &UploadTarget, id: &str) -> Result<(), Failure> {
        self.write_guard
            .check("s3:AbortMultipartUpload", &target.to_string())?;
        let call = self
            .client
            .abort_multipart_upload()
            .bucket(target.bucket.as_str())
            .key(&target.key)
            .expected_bucket_owner(target.owner.as_str())
            .upload_id(id)
            .send();
        self.mapper
            .answer("s3:AbortMultipartUpload", target, call)
            .await?;
        Ok(())
    }
}

impl std::fmt::Display for UploadTarget {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}", self.bucket, self.key)
    }
}
