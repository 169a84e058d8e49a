//! The content of large objects, chunk by chunk, and what a listing would show of a single one.

use std::time::Duration;

use aws_sdk_s3::primitives::ByteStream;
use bytes::Bytes;

use super::{Object, S3};
use crate::aws::failure::{Failure, FailureKind};
use tableferry_policy::arn::{AccountId, BucketName};

/// One object of a bucket.
#[derive(Debug, Clone, Copy)]
pub struct ObjectName<'a> {
    /// The bucket.
    pub bucket: &'a BucketName,
    /// The account that must own it, where it is known.
    pub owner: Option<&'a AccountId>,
    /// The object's key.
    pub key: &'a str,
}

impl std::fmt::Display for ObjectName<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}", self.bucket, self.key)
    }
}

/// The content of an object, or what is left of it behind an offset.
#[derive(Debug)]
pub struct Content {
    body: ByteStream,
    /// The ETag that S3 named, without quotes.
    pub etag: String,
    target: String,
    mapper: crate::aws::error_mapper::ErrorMapper,
}

const GET: &str = "s3:GetObject";

/// How long a body may be silent. The SDK's timeouts end with the head of the answer.
const LONGEST_SILENCE: Duration = Duration::from_secs(30);

impl S3 {
    /// Size and ETag of an object, by `HeadObject`; `None` where there is none, which S3 says only to
    /// those who may list the bucket.
    pub async fn head_object(&self, name: ObjectName<'_>) -> Result<Option<Object>, Failure> {
        let call = self
            .client
            .head_object()
            .bucket(name.bucket.as_str())
            .key(name.key)
            .set_expected_bucket_owner(name.owner.map(ToString::to_string))
            .send();
        match self.mapper.answer(GET, name, call).await {
            Ok(answer) => Ok(Some(Object {
                key: name.key.to_owned(),
                size: answer
                    .content_length()
                    .and_then(|size| size.try_into().ok())
                    .unwrap_or(0),
                etag: bare(answer.e_tag()),
            })),
            Err(mut failure) => {
                match failure.status {
                    Some(404) if failure.request_id.is_some() => return Ok(None),
                    // An answer to HEAD has neither code nor message.
                    Some(403) => {
                        failure.kind = FailureKind::AccessDenied;
                        "refused: s3:GetObject is not granted, or the object is not there and \
                         s3:ListBucket is not granted"
                            .clone_into(&mut failure.message);
                    }
                    _ => {}
                }
                Err(failure)
            }
        }
    }

    /// Opens the content of an object from a byte on, by `GetObject`; `is_of` is the ETag that it must
    /// still have.
    pub async fn open_object(
        &self,
        name: ObjectName<'_>,
        from: u64,
        is_of: Option<&str>,
    ) -> Result<Content, Failure> {
        let target = name.to_string();
        let call = self
            .client
            .get_object()
            .bucket(name.bucket.as_str())
            .key(name.key)
            .set_expected_bucket_owner(name.owner.map(ToString::to_string))
            .set_range((from > 0).then(|| format!("bytes={from}-")))
            .set_if_match(is_of.map(|etag| format!("\"{etag}\"")))
            .send();
        let answer = self.mapper.answer(GET, &target, call).await?;
        if !self.is_of_s3(&answer) {
            let message = "the answer is not S3's: it lacks an ETag or a request id";
            return Err(self.mapper.unreadable(GET, &target, message));
        }
        let is_from_there = |range: &str| range.starts_with(&format!("bytes {from}-"));
        if from > 0 && !answer.content_range().is_some_and(is_from_there) {
            let message = "the answer is not of the part that was asked for";
            return Err(self.mapper.unreadable(GET, &target, message));
        }
        Ok(Content {
            etag: bare(answer.e_tag()),
            body: answer.body,
            target,
            mapper: self.mapper.clone(),
        })
    }
}

impl Content {
    /// The next bytes; `None` at the end. What breaks off may be opened again behind what was read.
    pub async fn next(&mut self) -> Result<Option<Bytes>, Failure> {
        let broke_off = |why: &str| Failure {
            kind: FailureKind::Connection,
            ..self.mapper.unreadable(GET, &self.target, why)
        };
        match tokio::time::timeout(LONGEST_SILENCE, self.body.next()).await {
            Ok(None) => Ok(None),
            Ok(Some(Ok(bytes))) => Ok(Some(bytes)),
            Ok(Some(Err(error))) => {
                let why = crate::aws::error_mapper::innermost(&error);
                Err(broke_off(&format!("the download broke off: {why}")))
            }
            Err(_) => Err(broke_off(&format!(
                "the download was silent for {} seconds",
                LONGEST_SILENCE.as_secs()
            ))),
        }
    }
}

fn bare(etag: Option<&str>) -> String {
    etag.unwrap_or_default().trim_matches('"').to_owned()
}
