//! Uploads: in parts that are begun, found again, completed or taken back, and whole.

use aws_sdk_s3::config::retry::RetryConfig;
use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::{
    CompletedMultipartUpload, CompletedPart, ObjectCannedAcl, ServerSideEncryption,
};
use bytes::Bytes;

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

/// What an upload sends beside its content.
#[derive(Debug, Clone, Copy)]
pub struct UploadSettings<'a> {
    /// How the object is encrypted.
    pub encryption: &'a Encryption,
    /// Whether the bucket's owner gets full control of it, as exports give it.
    pub gives_control: bool,
}

impl UploadSettings<'_> {
    const fn algorithm(self) -> Option<ServerSideEncryption> {
        match self.encryption {
            Encryption::Aes256 => Some(ServerSideEncryption::Aes256),
            Encryption::Kms { .. } => Some(ServerSideEncryption::AwsKms),
            Encryption::BucketDefault => None,
        }
    }

    fn key(self) -> Option<String> {
        self.encryption.key().map(str::to_owned)
    }

    fn acl(self) -> Option<ObjectCannedAcl> {
        self.gives_control
            .then_some(ObjectCannedAcl::BucketOwnerFullControl)
    }
}

impl S3 {
    /// Writes an object in one piece, by `PutObject`; its `ETag`.
    pub async fn put_object(
        &self,
        target: &UploadTarget,
        settings: UploadSettings<'_>,
        content: Bytes,
    ) -> Result<String, Failure> {
        self.put(target, settings, content, None).await
    }

    /// Writes an object in one piece where none of its key is; `false` where one is ("How to prevent object
    /// overwrites with conditional writes", S3 user guide).
    pub async fn put_new_object(
        &self,
        target: &UploadTarget,
        settings: UploadSettings<'_>,
        content: Bytes,
    ) -> Result<bool, Failure> {
        match self.put(target, settings, content, Some("*")).await {
            Ok(_) => Ok(true),
            Err(failure) if failure.status == Some(412) => Ok(false),
            Err(failure) => Err(failure),
        }
    }

    async fn put(
        &self,
        target: &UploadTarget,
        settings: UploadSettings<'_>,
        content: Bytes,
        unless_there: Option<&str>,
    ) -> Result<String, Failure> {
        self.write_guard
            .check("s3:PutObject", &target.to_string())?;
        let call = self
            .client
            .put_object()
            .bucket(target.bucket.as_str())
            .key(&target.key)
            .expected_bucket_owner(target.owner.as_str())
            .set_acl(settings.acl())
            .set_server_side_encryption(settings.algorithm())
            .set_ssekms_key_id(settings.key())
            .set_if_none_match(unless_there.map(str::to_owned))
            .body(ByteStream::from(content))
            .send();
        let answer = self.mapper.answer("s3:PutObject", target, call).await?;
        self.etag_of(target, answer.e_tag())
    }

    fn etag_of(&self, target: &UploadTarget, etag: Option<&str>) -> Result<String, Failure> {
        let etag = etag.map(|etag| etag.trim_matches('"').to_owned());
        etag.ok_or_else(|| {
            let problem = "the answer names no ETag";
            self.mapper
                .unreadable("s3:PutObject", &target.to_string(), problem)
        })
    }

    /// Begins an upload, by `CreateMultipartUpload`. It is never sent twice: an answer that was lost
    /// would leave an upload that nobody knows of.
    pub async fn begin_upload(
        &self,
        target: &UploadTarget,
        settings: UploadSettings<'_>,
    ) -> Result<BegunUpload, Failure> {
        self.write_guard
            .check("s3:PutObject", &target.to_string())?;
        let once = aws_sdk_s3::config::Builder::new().retry_config(RetryConfig::disabled());
        let call = self
            .client
            .create_multipart_upload()
            .bucket(target.bucket.as_str())
            .key(&target.key)
            .expected_bucket_owner(target.owner.as_str())
            .set_acl(settings.acl())
            .set_server_side_encryption(settings.algorithm())
            .set_ssekms_key_id(settings.key())
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

    /// Sends a part of an upload, numbered from 1, by `UploadPart`; its `ETag`.
    pub async fn send_part(
        &self,
        target: &UploadTarget,
        upload: &BegunUpload,
        number: i32,
        content: Bytes,
    ) -> Result<String, Failure> {
        self.write_guard
            .check("s3:PutObject", &target.to_string())?;
        let call = self
            .client
            .upload_part()
            .bucket(target.bucket.as_str())
            .key(&target.key)
            .expected_bucket_owner(target.owner.as_str())
            .upload_id(&upload.id)
            .part_number(number)
            .body(ByteStream::from(content))
            .send();
        let answer = self.mapper.answer("s3:PutObject", target, call).await?;
        self.etag_of(target, answer.e_tag())
    }

    /// Makes an object of the parts that were sent, in their order by their `ETags`, by
    /// `CompleteMultipartUpload`; its `ETag`.
    pub async fn complete_upload(
        &self,
        target: &UploadTarget,
        upload: &BegunUpload,
        parts: &[String],
    ) -> Result<String, Failure> {
        self.write_guard
            .check("s3:PutObject", &target.to_string())?;
        let parts = (1..).zip(parts).map(|(number, etag)| {
            CompletedPart::builder()
                .part_number(number)
                .e_tag(etag)
                .build()
        });
        let parts = CompletedMultipartUpload::builder().set_parts(Some(parts.collect()));
        let call = self
            .client
            .complete_multipart_upload()
            .bucket(target.bucket.as_str())
            .key(&target.key)
            .expected_bucket_owner(target.owner.as_str())
            .upload_id(&upload.id)
            .multipart_upload(parts.build())
            .send();
        let answer = self.mapper.answer("s3:PutObject", target, call).await?;
        self.etag_of(target, answer.e_tag())
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
