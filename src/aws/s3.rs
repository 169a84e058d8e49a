//! S3: whose a bucket is, where it lies, and what is in it.

pub mod content;
pub mod inventory;
pub mod multipart;
mod policy;
mod settings;
pub mod stored;

use std::pin::pin;
use std::time::Duration;

use aws_sdk_s3::error::SdkError;
use aws_sdk_s3::operation::RequestId as _;
use aws_sdk_s3::operation::get_object::GetObjectOutput;
use aws_sdk_s3::operation::head_bucket::{HeadBucketError, HeadBucketOutput};
use aws_sdk_s3::operation::list_buckets::ListBucketsOutput;
use aws_sdk_s3::operation::list_objects_v2::ListObjectsV2Output;
use aws_sdk_s3::types as sdk;
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use futures_util::{Stream, StreamExt as _, stream};

use super::clock_skew::ClockSkew;
use super::error_mapper::ErrorMapper;
use super::failure::{Failure, FailureKind};
use super::write_guard::WriteGuard;
use tableferry_policy::arn::{AccountId, BucketName, Region};

/// A bucket as a listing shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bucket {
    /// Its name.
    pub name: BucketName,
    /// Its Region, where the listing says it.
    pub region: Option<Region>,
}

/// What encrypts new objects of a bucket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DefaultEncryption {
    /// `AES256`, `aws:kms` or `aws:kms:dsse`.
    pub algorithm: String,
    /// The key: an ARN, an id or an alias; none means `aws/s3`.
    pub key: Option<String>,
    /// Whether S3 Bucket Keys are on.
    pub has_bucket_key: bool,
}

/// An object as a listing shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Object {
    /// Its key.
    pub key: String,
    /// Its size in bytes.
    pub size: u64,
    /// Its ETag, without the quotes.
    pub etag: String,
}

/// S3 in one Region, for one identity.
#[derive(Debug, Clone)]
pub struct S3 {
    pub(super) client: aws_sdk_s3::Client,
    pub(super) region: Region,
    pub(super) mapper: ErrorMapper,
    pub(super) write_guard: WriteGuard,
}

const HEAD_BUCKET: &str = "s3:ListBucket";

/// Where a bucket lies.
#[derive(Debug, Clone)]
pub struct BucketLocation {
    /// Its Region.
    pub region: Region,
    /// What `HeadBucket` was answered, in the Region that it was sent to.
    pub head: Result<(), Failure>,
}

impl S3 {
    /// The Region that its calls are signed for.
    pub fn region(&self) -> &Region {
        &self.region
    }

    /// The account's buckets, by `ListBuckets`.
    pub async fn list_buckets(&self) -> Result<Vec<Bucket>, Failure> {
        // S3 names the buckets' Regions only where a page size is asked for.
        let pages = self.client.list_buckets().into_paginator().page_size(1000);
        let call = pages.send().collect::<Result<Vec<_>, _>>();
        let pages = self
            .mapper
            .answer("s3:ListAllMyBuckets", "all buckets", call)
            .await?;
        let listed = pages.iter().flat_map(ListBucketsOutput::buckets);
        let buckets = listed.filter_map(|bucket| {
            Some(Bucket {
                name: bucket.name()?.parse().ok()?,
                region: bucket.bucket_region().and_then(|text| text.parse().ok()),
            })
        });
        Ok(buckets.collect())
    }

    /// Whether the bucket is there and ours to list, by `HeadBucket`; where an owner is given, also
    /// whether the bucket is that account's (403 if not). Answers its Region where S3 names it.
    pub async fn head_bucket(
        &self,
        bucket: &BucketName,
        expected_owner: Option<&AccountId>,
    ) -> Result<Option<Region>, Failure> {
        let answer = self
            .head(bucket, expected_owner)
            .await
            .map_err(|error| self.head_failure(bucket, &error))?;
        Ok(answer.bucket_region().and_then(|text| text.parse().ok()))
    }

    /// `HeadBucket`. Where this machine's clock is off, S3 refuses what is signed by it, and an answer to
    /// HEAD has no code by which the SDK would know. It signs by the clock of the last answer, so that
    /// the second refusal is one of the bucket.
    async fn head(
        &self,
        bucket: &BucketName,
        expected_owner: Option<&AccountId>,
    ) -> Result<HeadBucketOutput, SdkError<HeadBucketError, HttpResponse>> {
        let ask = || {
            self.client
                .head_bucket()
                .bucket(bucket.as_str())
                .set_expected_bucket_owner(expected_owner.map(ToString::to_string))
                .send()
        };
        match ask().await {
            Err(error) if is_for_the_clock(&error) => ask().await,
            answer => answer,
        }
    }

    /// The Region a bucket lies in, asked from any Region of its partition.
    ///
    /// S3 names it in a header of its answer to `HeadBucket`, also of a redirection and of a
    /// refusal; `GetBucketLocation` is asked where the header is missing.
    pub async fn locate(&self, bucket: &BucketName) -> Result<BucketLocation, Failure> {
        let head = self.head(bucket, None).await;
        let region = match &head {
            Ok(answer) => answer.bucket_region().and_then(|text| text.parse().ok()),
            Err(error) => region_header(error),
        };
        let located = |region, head: Result<_, Failure>| BucketLocation {
            region,
            head: head.map(|_| ()),
        };
        match (region, head) {
            (Some(region), head) => {
                let head = head.map_err(|error| self.head_failure(bucket, &error));
                Ok(located(region, head))
            }
            (None, Err(error)) if is_pointless_to_ask_on(&error) => {
                Err(self.head_failure(bucket, &error))
            }
            (None, head) => match (self.location(bucket).await, head) {
                (Err(failure), Err(error)) if failure.kind == FailureKind::Unsupported => {
                    Err(self.head_failure(bucket, &error))
                }
                (region, head) => {
                    let head = head.map_err(|error| self.head_failure(bucket, &error));
                    Ok(located(region?, head))
                }
            },
        }
    }

    async fn location(&self, bucket: &BucketName) -> Result<Region, Failure> {
        const OPERATION: &str = "s3:GetBucketLocation";
        let answer = self
            .client
            .get_bucket_location()
            .bucket(bucket.as_str())
            .send()
            .await;
        let constraint = match answer {
            Ok(answer) => answer.location_constraint,
            Err(error) => {
                let failure = self.mapper.failure(OPERATION, bucket.as_str(), &error);
                return region_header(&error).ok_or(failure);
            }
        };
        // An empty constraint stands for us-east-1, and EU for eu-west-1 (API reference of
        // GetBucketLocation).
        let code = match constraint
            .as_ref()
            .map(sdk::BucketLocationConstraint::as_str)
        {
            None | Some("" | "null") => "us-east-1",
            Some("EU") => "eu-west-1",
            Some(code) => code,
        };
        code.parse().map_err(|error| {
            self.mapper
                .unreadable(OPERATION, bucket.as_str(), &format!("{error}"))
        })
    }

    /// What encrypts new objects, by `GetBucketEncryption`. A bucket without a configuration has
    /// S3's own default, `AES256`.
    pub async fn default_encryption(
        &self,
        bucket: &BucketName,
        expected_owner: Option<&AccountId>,
    ) -> Result<DefaultEncryption, Failure> {
        let call = self
            .client
            .get_bucket_encryption()
            .bucket(bucket.as_str())
            .set_expected_bucket_owner(expected_owner.map(ToString::to_string))
            .send();
        let operation = "s3:GetEncryptionConfiguration";
        let absent = "ServerSideEncryptionConfigurationNotFoundError";
        let answer = self
            .mapper
            .answer_unless(absent, operation, bucket, call)
            .await?;
        let Some(answer) = answer else {
            return Ok(DefaultEncryption::none());
        };
        let rule = answer
            .server_side_encryption_configuration()
            .and_then(|configuration| configuration.rules().first());
        let default = rule.and_then(|rule| rule.apply_server_side_encryption_by_default());
        Ok(match default {
            None => DefaultEncryption::none(),
            Some(default) => DefaultEncryption {
                algorithm: default.sse_algorithm().as_str().to_owned(),
                key: default.kms_master_key_id().map(str::to_owned),
                has_bucket_key: rule
                    .and_then(sdk::ServerSideEncryptionRule::bucket_key_enabled)
                    .unwrap_or(false),
            },
        })
    }

    /// All objects whose keys begin with a prefix, by `ListObjectsV2`.
    pub async fn list_objects(
        &self,
        bucket: &BucketName,
        prefix: &str,
        owner: Option<&AccountId>,
    ) -> Result<Vec<Object>, Failure> {
        let (objects, _) = self
            .list_some_objects(bucket, prefix, owner, usize::MAX)
            .await?;
        Ok(objects)
    }

    /// The first objects whose keys begin with a prefix, at most `limit`, and whether there are
    /// more.
    pub async fn list_some_objects(
        &self,
        bucket: &BucketName,
        prefix: &str,
        owner: Option<&AccountId>,
        limit: usize,
    ) -> Result<(Vec<Object>, bool), Failure> {
        let mut pages = self
            .client
            .list_objects_v2()
            .bucket(bucket.as_str())
            .prefix(prefix)
            .set_expected_bucket_owner(owner.map(ToString::to_string))
            .into_paginator()
            .page_size(i32::try_from(limit.clamp(1, 1000)).unwrap_or(1000))
            .send();
        let mut objects = Vec::new();
        while let Some(page) = pages.next().await {
            let page = page.map_err(|error| {
                let target = format!("{bucket}/{prefix}*");
                self.mapper.failure("s3:ListBucket", &target, &error)
            })?;
            objects.extend(page.contents().iter().filter_map(object));
            let has_more = page.is_truncated().unwrap_or(false);
            if objects.len() > limit || (has_more && objects.len() == limit) {
                objects.truncate(limit);
                return Ok((objects, true));
            }
        }
        Ok((objects, false))
    }

    /// The folders right below a folder, which ends with a slash or is empty, by `ListObjectsV2`.
    pub async fn list_folders(
        &self,
        bucket: &BucketName,
        folder: &str,
        owner: Option<&AccountId>,
    ) -> Result<Vec<String>, Failure> {
        let call = self
            .client
            .list_objects_v2()
            .bucket(bucket.as_str())
            .prefix(folder)
            .delimiter("/")
            .set_expected_bucket_owner(owner.map(ToString::to_string))
            .into_paginator()
            .send()
            .collect::<Result<Vec<_>, _>>();
        let target = format!("{bucket}/{folder}");
        let pages = self.mapper.answer("s3:ListBucket", target, call).await?;
        let names = pages.iter().flat_map(ListObjectsV2Output::common_prefixes);
        Ok(names
            .filter_map(|name| name.prefix().map(str::to_owned))
            .collect())
    }

    /// An object's content, by `GetObject`; refused before it is read where it is larger than
    /// `max_bytes`, and as unreadable where it is not S3 that answered.
    pub async fn get_text(
        &self,
        bucket: &BucketName,
        key: &str,
        owner: Option<&AccountId>,
        max_bytes: u64,
    ) -> Result<Vec<u8>, Failure> {
        const OPERATION: &str = "s3:GetObject";
        let target = format!("{bucket}/{key}");
        let call = self
            .client
            .get_object()
            .bucket(bucket.as_str())
            .key(key)
            .set_expected_bucket_owner(owner.map(ToString::to_string))
            .send();
        let answer = self.mapper.answer(OPERATION, &target, call).await?;
        if !self.is_of_s3(&answer) {
            let message = "the answer is not S3's: it lacks an ETag or a request id";
            return Err(self.mapper.unreadable(OPERATION, &target, message));
        }
        let too_large = || {
            let message = format!("the object is larger than {max_bytes} bytes");
            Failure {
                // Asked again, it would be as large.
                kind: FailureKind::Service,
                ..self.mapper.unreadable(OPERATION, &target, &message)
            }
        };
        let declared = answer
            .content_length()
            .and_then(|length| u64::try_from(length).ok());
        if declared.is_some_and(|length| length > max_bytes) {
            return Err(too_large());
        }
        let broke_off = |why: String| Failure {
            kind: FailureKind::Connection,
            ..self.mapper.unreadable(OPERATION, &target, &why)
        };
        let chunks = stream::unfold(answer.body, |mut body| async {
            let chunk = body.next().await?;
            let told = chunk.map_err(|error| super::error_mapper::innermost(&error));
            Some((told, body))
        });
        match download(chunks, max_bytes).await {
            Ok(content) => Ok(content),
            Err(DownloadError::TooLarge) => Err(too_large()),
            Err(DownloadError::BrokeOff(why)) => {
                Err(broke_off(format!("the download broke off: {why}")))
            }
            Err(DownloadError::TooSlow) => Err(broke_off(format!(
                "the download did not end within {} seconds",
                LONGEST_DOWNLOAD.as_secs()
            ))),
        }
    }

    /// Whether S3 itself answered, and not something on the way that has a page for every address. A
    /// server that stands in for S3 may leave the request id out.
    fn is_of_s3(&self, answer: &GetObjectOutput) -> bool {
        let is_page = answer.content_type().is_some_and(|kind| {
            kind.trim_start()
                .to_ascii_lowercase()
                .starts_with("text/html")
        });
        let has_id = answer.request_id().is_some();
        answer.e_tag().is_some() && (has_id || (self.mapper.endpoint.is_some() && !is_page))
    }

    /// Reads a failed `HeadBucket` by its status, since an answer to HEAD has neither code nor
    /// message.
    fn head_failure<E>(&self, bucket: &BucketName, error: &SdkError<E, HttpResponse>) -> Failure
    where
        E: std::error::Error + aws_smithy_types::error::metadata::ProvideErrorMetadata + 'static,
    {
        let mut failure = self.mapper.failure(HEAD_BUCKET, bucket.as_str(), error);
        if failure.kind == FailureKind::Unreadable {
            return failure;
        }
        let (kind, code, message) = match (failure.status, region_header(error)) {
            (Some(301 | 400), Some(region)) if region != self.region => {
                let message = format!("the bucket lies in {region}, not in {}", self.region);
                (FailureKind::Service, Some("PermanentRedirect"), message)
            }
            (Some(403), _) => {
                let message = "refused: the bucket is another account's than expected, or \
                               s3:ListBucket is not granted"
                    .to_owned();
                (FailureKind::AccessDenied, None, message)
            }
            (Some(404), _) => {
                let message = "the bucket does not exist".to_owned();
                (FailureKind::Service, Some("NoSuchBucket"), message)
            }
            _ => return failure,
        };
        failure.kind = kind;
        failure.code = code.map(str::to_owned);
        failure.message = message;
        failure.hint = None;
        failure
    }
}

impl DefaultEncryption {
    fn none() -> Self {
        Self {
            algorithm: "AES256".to_owned(),
            key: None,
            has_bucket_key: false,
        }
    }
}

/// The Region that S3 names in a header, whatever else it answers.
fn region_header<E>(error: &SdkError<E, HttpResponse>) -> Option<Region> {
    let headers = error.raw_response()?.headers();
    headers.get("x-amz-bucket-region")?.parse().ok()
}

/// Whether a refusal may be one for the time that the request was signed at.
fn is_for_the_clock<E>(error: &SdkError<E, HttpResponse>) -> bool {
    error.raw_response().is_some_and(|response| {
        response.status().as_u16() == 403 && ClockSkew::of_answer(response).is_some()
    })
}

/// Whether nobody answered, or the bucket is not there: another call would not help.
fn is_pointless_to_ask_on<E>(error: &SdkError<E, HttpResponse>) -> bool {
    error
        .raw_response()
        .is_none_or(|response| response.status().as_u16() == 404)
}

fn object(listed: &sdk::Object) -> Option<Object> {
    Some(Object {
        key: listed.key()?.to_owned(),
        size: listed
            .size()
            .and_then(|size| size.try_into().ok())
            .unwrap_or(0),
        etag: listed
            .e_tag()
            .map(|etag| etag.trim_matches('"').to_owned())
            .unwrap_or_default(),
    })
}
/// How long the content of one object may take. The timeouts of the SDK end with the head of the answer,
/// or count from the last byte: a body that trickles is bounded by neither.
const LONGEST_DOWNLOAD: Duration = Duration::from_mins(5);

/// Why an object's content was not read.
#[derive(Debug)]
enum DownloadError {
    TooLarge,
    TooSlow,
    BrokeOff(String),
}

/// Reads a content chunk by chunk.
async fn download<C: AsRef<[u8]>>(
    content: impl Stream<Item = Result<C, String>>,
    max_bytes: u64,
) -> Result<Vec<u8>, DownloadError> {
    let all = async {
        let mut chunks = pin!(content);
        let mut content = Vec::new();
        while let Some(chunk) = chunks.next().await {
            let chunk = chunk.map_err(DownloadError::BrokeOff)?;
            content.extend_from_slice(chunk.as_ref());
            if u64::try_from(content.len()).unwrap_or(u64::MAX) > max_bytes {
                return Err(DownloadError::TooLarge);
            }
        }
        Ok(content)
    };
    let all = tokio::time::timeout(LONGEST_DOWNLOAD, all).await;
    all.unwrap_or(Err(DownloadError::TooSlow))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_content_that_trickles_without_end_is_given_up() {
        let begun = tokio::time::Instant::now();
        let trickle = stream::repeat("x").then(async |chunk| {
            tokio::time::sleep(Duration::from_secs(1)).await;
            Ok(chunk)
        });
        let ended = download(trickle, 1 << 20).await;
        assert!(matches!(ended, Err(DownloadError::TooSlow)), "{ended:?}");
        assert_eq!(begun.elapsed().as_secs(), LONGEST_DOWNLOAD.as_secs());
    }

    #[tokio::test]
    async fn a_content_that_ends_is_whole_and_one_that_is_too_large_is_refused() {
        let chunks = |count| stream::repeat("xy").take(count).map(Ok);
        assert_eq!(download(chunks(2), 4).await.unwrap(), b"xyxy");
        let ended = download(chunks(3), 4).await;
        assert!(matches!(ended, Err(DownloadError::TooLarge)), "{ended:?}");
    }
}
