//! Who may do what in S3: secrets for s3s's signature check, then the token, the Region and every
//! policy.

use std::sync::Arc;

use http::HeaderMap;
use jiff::{SignedDuration, Timestamp};
use s3s::access::{S3Access, S3AccessContext};
use s3s::auth::{S3Auth, SecretKey};
use s3s::path::S3Path;
use s3s::{S3Error, S3ErrorCode, S3Result};

use super::super::authorize::Attempt;
use super::super::bucket::{Bucket, MultipartUpload};
use super::super::caller::Caller;
use super::super::context::{self, RequestRoute};
use super::super::query::Parameters;
use super::super::refusal::Refusal;
use super::super::shared::Shared;
use super::super::signature::{Authorization, read_stamp, signing_time};
use super::super::world::World;
use super::refusals::{access_denied, denied, no_such_bucket};
use tableferry_policy::evaluate::Context;

/// How far a request's time may be off: the `MaxAllowedSkewMilliseconds` of S3's refusal.
const TOLERANCE: SignedDuration = SignedDuration::from_mins(15);

/// The secrets of the world, for s3s.
pub(super) struct AccessKeys {
    pub(super) shared: Arc<Shared>,
}

#[async_trait::async_trait]
impl S3Auth for AccessKeys {
    async fn get_secret_key(&self, access_key: &str) -> S3Result<SecretKey> {
        let world = self.shared.world();
        let opened = world.open_key(access_key).ok_or_else(unknown_key)?;
        Ok(SecretKey::from(opened.secret))
    }
}

/// Judges every request whose signature is right.
pub(super) struct Gate {
    pub(super) shared: Arc<Shared>,
}

#[async_trait::async_trait]
impl S3Access for Gate {
    async fn check(&self, request: &mut S3AccessContext<'_>) -> S3Result<()> {
        let world = self.shared.world();
        let visit = Visit::of(&world, request, self.shared.clock.now())?;
        visit.judge()?;
        let caller = visit.caller;
        request.extensions_mut().insert(caller);
        Ok(())
    }
}

/// An object that is not the bucket owner's.
#[derive(Clone, Copy)]
struct ForeignObject<'a> {
    owner: &'a str,
    /// Whether its access control list gives the bucket's owner something.
    is_shared: bool,
}

/// One request at the gate.
struct Visit<'a> {
    world: &'a World,
    caller: Caller,
    operation: &'a str,
    path: &'a S3Path,
    headers: &'a HeaderMap,
    query: Parameters,
    /// The Region that the request was signed for.
    region: String,
    now: Timestamp,
}

impl<'a> Visit<'a> {
    fn of(world: &'a World, request: &'a S3AccessContext<'_>, now: Timestamp) -> S3Result<Self> {
        let query = Parameters::read(request.uri().query().unwrap_or_default());
        let headers = request.headers();
        // A presigned request may be old: it has an end of its own, which s3s looks after.
        let is_old = signing_time(headers).is_some_and(|at| now.duration_since(at) > TOLERANCE);
        let signed_at =
            signing_time(headers).or_else(|| query.get("X-Amz-Date").and_then(read_stamp));
        if is_old || signed_at.is_some_and(|at| at.duration_since(now) > TOLERANCE) {
            return Err(S3Error::with_message(
                S3ErrorCode::RequestTimeTooSkewed,
                "The difference between the request time and the current time is too large.",
            ));
        }
        let access_key = &request.credentials().ok_or_else(access_denied)?.access_key;
        let opened = world.open_key(access_key).ok_or_else(access_denied)?;
        let region = signed_region(headers, &query);
        if world.is_elsewhere(&region) {
            return Err(unknown_key());
        }
        let token =
            header(headers, "x-amz-security-token").or_else(|| query.get("X-Amz-Security-Token"));
        if opened.token != token {
            return Err(S3Error::with_message(
                S3ErrorCode::InvalidToken,
                "The provided token is malformed or otherwise invalid.",
            ));
        }
        if opened.expires_at.is_some_and(|end| end <= now) {
            return Err(S3Error::with_message(
                S3ErrorCode::ExpiredToken,
                "The provided token has expired.",
            ));
        }
        let caller = opened.caller;
        Ok(Self {
            world,
            caller,
            operation: request.s3_op().name(),
            path: request.s3_path(),
            headers,
            query,
            region,
            now,
        })
    }

    fn judge(&self) -> S3Result<()> {
        let Some(name) = self.path.get_bucket_name() else {
            return self.judge_listing();
        };
        let (action, is_about_object) = action(self.operation).ok_or_else(|| {
            let refusal = Refusal::unknown_operation("NotImplemented", "S3", self.operation);
            S3Error::with_message(S3ErrorCode::NotImplemented, refusal.message)
        })?;
        let bucket = self.world.bucket(name).ok_or_else(no_such_bucket)?;
        self.check_region(bucket)?;
        if header(self.headers, "x-amz-expected-bucket-owner")
            .is_some_and(|owner| owner != bucket.account)
        {
            return Err(access_denied());
        }
        let arn = Bucket::arn(self.world.partition, name);
        let resource = match self.path.get_object_key().filter(|_| is_about_object) {
            Some(key) => format!("{arn}/{key}"),
            None => arn.clone(),
        };
        self.check_payer(bucket)?;
        match self.foreign_owner(bucket) {
            Some(owner) => self.judge_object_of_others(bucket, owner, action, &resource)?,
            None => self.authorize(bucket, action, &resource)?,
        }
        // "To successfully change the objects acl of your PutObject request, you must have the
        // s3:PutObjectAcl" (API reference of PutObject and CreateMultipartUpload).
        let is_write = matches!(self.operation, "PutObject" | "CreateMultipartUpload");
        if is_write && self.headers.contains_key("x-amz-acl") {
            self.authorize(bucket, "s3:PutObjectAcl", &resource)?;
        }
        if self.world.keeps_out(bucket, &self.caller, self.now) {
            return Err(access_denied());
        }
        self.hide_absence(bucket, &arn)?;
        if self.operation.contains("BucketPolicy") && self.caller.account != bucket.account {
            // "PutBucketPolicy" (S3 API reference): identities of other accounts get a 405.
            return Err(S3Error::with_message(
                S3ErrorCode::MethodNotAllowed,
                "The specified method is not allowed against this resource.",
            ));
        }
        Ok(())
    }

    /// "Requesters must include x-amz-request-payer … in their requests" ("Using Requester Pays general
    /// purpose buckets"), but for the bucket owner's account. What tells of the bucket's settings is the
    /// owner's own.
    fn check_payer(&self, bucket: &Bucket) -> S3Result<()> {
        let is_of_objects = self.path.get_object_key().is_some()
            || matches!(
                self.operation,
                "HeadBucket" | "ListObjects" | "ListObjectsV2"
            );
        let is_requesters = bucket.requester_pays && self.caller.account != bucket.account;
        let says_so = header(self.headers, "x-amz-request-payer") == Some("requester");
        if is_of_objects && is_requesters && !says_so {
            return Err(access_denied());
        }
        Ok(())
    }

    /// The account that owns the object that is read, where it is not the bucket's.
    fn foreign_owner<'b>(&self, bucket: &'b Bucket) -> Option<ForeignObject<'b>> {
        let is_read = matches!(self.operation, "GetObject" | "HeadObject");
        let (_, key) = self.path.as_object().filter(|_| is_read)?;
        let object = bucket.objects.get(key)?;
        let owner = object.owner_of_others()?;
        Some(ForeignObject {
            owner,
            is_shared: object.foreign_owner.is_none(),
        })
    }

    /// A bucket policy's permissions "don't apply to objects that are owned by other AWS accounts"
    /// ("Bucket policies for Amazon S3"), its Denies do. What the object's access control list gives to
    /// an account, that account's own policies give on ("How Amazon S3 authorizes a request for an
    /// object operation").
    fn judge_object_of_others(
        &self,
        bucket: &Bucket,
        object: ForeignObject<'_>,
        action: &str,
        resource: &str,
    ) -> S3Result<()> {
        let account = &self.caller.account;
        let is_given = account == object.owner || object.is_shared && *account == bucket.account;
        if !is_given {
            return Err(access_denied());
        }
        let context = self.context(&bucket.account, &bucket.region);
        let policy = bucket.policy.in_force(self.now).map(|text| text.0.as_str());
        for policy in [policy, None] {
            self.world
                .authorize(&Attempt {
                    caller: &self.caller,
                    action,
                    resource,
                    resource_account: account,
                    policy,
                    grants: &[],
                    context: &context,
                    now: self.now,
                })
                .map_err(|denial| denied(&denial))?;
        }
        Ok(())
    }

    /// Who may not list a bucket does not learn that an object is absent.
    fn hide_absence(&self, bucket: &Bucket, arn: &str) -> S3Result<()> {
        let is_read = matches!(self.operation, "GetObject" | "HeadObject");
        match self.path.as_object() {
            Some((_, key)) if is_read && !bucket.objects.contains_key(key) => {
                self.authorize(bucket, "s3:ListBucket", arn)
            }
            _ => Ok(()),
        }
    }

    fn judge_listing(&self) -> S3Result<()> {
        let account = &self.caller.account;
        self.world
            .authorize(&Attempt {
                caller: &self.caller,
                action: "s3:ListAllMyBuckets",
                resource: &Bucket::arn(self.world.partition, "*"),
                resource_account: account,
                policy: None,
                grants: &[],
                context: &self.context(account, &self.region),
                now: self.now,
            })
            .map_err(|denial| denied(&denial))
    }

    fn authorize(&self, bucket: &Bucket, action: &str, resource: &str) -> S3Result<()> {
        self.world
            .authorize(&Attempt {
                caller: &self.caller,
                action,
                resource,
                resource_account: &bucket.account,
                policy: bucket.policy.in_force(self.now).map(|text| text.0.as_str()),
                grants: &[],
                context: &self.context(&bucket.account, &bucket.region),
                now: self.now,
            })
            .map_err(|denial| denied(&denial))
    }

    fn context(&self, resource_account: &str, region: &str) -> Context {
        let mut context = context::of_request(
            self.world,
            &self.caller,
            region,
            self.now,
            RequestRoute::Direct,
        );
        context::add_bucket_account(&mut context, self.world, resource_account);
        let begun = self.begun_upload().map(|upload| &upload.encryption);
        // Only the calls that put or begin an upload have these headers.
        let is_first = matches!(self.operation, "PutObject" | "CreateMultipartUpload");
        let sent = |name| header(self.headers, name).filter(|_| is_first);
        let (algorithm, key) = match begun {
            Some(encryption) => (Some(encryption.algorithm()), encryption.key()),
            None => (
                sent("x-amz-server-side-encryption"),
                sent("x-amz-server-side-encryption-aws-kms-key-id"),
            ),
        };
        context::add_upload(&mut context, algorithm, key, sent("x-amz-acl"));
        self.add_write_conditions(&mut context);
        // s3:ListBucketMultipartUploads has no key for what is listed ("Actions, resources, and
        // condition keys for Amazon S3").
        let is_about_objects = self.operation != "ListMultipartUploads";
        for (parameter, key) in [
            ("prefix", "s3:prefix"),
            ("delimiter", "s3:delimiter"),
            ("max-keys", "s3:max-keys"),
        ] {
            if let Some(value) = self.query.get(parameter).filter(|_| is_about_objects) {
                context.set(key, value);
            }
        }
        context
    }

    /// Whether the call makes an object, and on which condition ("Enforce conditional writes on Amazon
    /// S3 buckets").
    fn add_write_conditions(&self, context: &mut Context) {
        let makes_one = match self.operation {
            "PutObject" | "CompleteMultipartUpload" => true,
            "CreateMultipartUpload" | "UploadPart" => false,
            _ => return,
        };
        context::add_object_creation(context, makes_one);
        for (name, key) in [
            ("if-match", "s3:if-match"),
            ("if-none-match", "s3:if-none-match"),
        ] {
            if let Some(value) = header(self.headers, name).filter(|_| makes_one) {
                context.set(key, value);
            }
        }
    }

    /// The upload that a part or the end of one belongs to. "You don't need to specify the encryption
    /// parameters in each" of its requests (API reference of `UploadPart`), so that these are taken to
    /// be judged by those of its beginning.
    fn begun_upload(&self) -> Option<&MultipartUpload> {
        let is_later = matches!(self.operation, "UploadPart" | "CompleteMultipartUpload");
        let (bucket, _) = self.path.as_object().filter(|_| is_later)?;
        let id = self.query.get("uploadId")?;
        self.world.bucket(bucket)?.uploads.get(id)
    }

    /// A bucket answers in its own Region alone; the header that names it is added to every answer.
    /// A signature of version 2 names no Region.
    fn check_region(&self, bucket: &Bucket) -> S3Result<()> {
        if self.region == bucket.region || self.region.is_empty() {
            return Ok(());
        }
        Err(match self.operation {
            "HeadBucket" | "ListObjects" | "ListObjectsV2" | "GetBucketLocation" => {
                S3Error::with_message(
                    S3ErrorCode::PermanentRedirect,
                    "The bucket you are attempting to access must be addressed using the \
                     specified endpoint. Please send all future requests to this endpoint.",
                )
            }
            _ => S3Error::with_message(
                S3ErrorCode::AuthorizationHeaderMalformed,
                format!(
                    "The authorization header is malformed; the region '{}' is wrong; expecting \
                     '{}'",
                    self.region, bucket.region
                ),
            ),
        })
    }
}

/// The Region that a request was signed for, in its header or in its query.
fn signed_region(headers: &HeaderMap, query: &Parameters) -> String {
    Authorization::of(headers)
        .map(|authorization| authorization.region)
        .or_else(|| {
            let credential = query.get("X-Amz-Credential")?;
            credential.split('/').nth(2).map(str::to_owned)
        })
        .unwrap_or_default()
}

fn unknown_key() -> S3Error {
    S3Error::with_message(
        S3ErrorCode::InvalidAccessKeyId,
        "The AWS Access Key Id you provided does not exist in our records.",
    )
}

fn header<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}

/// The permission that an operation needs ("Required permissions for Amazon S3 API operations", S3
/// user guide), and whether it is about the object; `None` where the sandbox does not know it.
fn action(operation: &str) -> Option<(&'static str, bool)> {
    Some(match operation {
        "HeadBucket" | "ListObjects" | "ListObjectsV2" => ("s3:ListBucket", false),
        "GetBucketLocation" => ("s3:GetBucketLocation", false),
        "GetObject" | "HeadObject" => ("s3:GetObject", true),
        "PutObject" | "CreateMultipartUpload" | "UploadPart" | "CompleteMultipartUpload" => {
            ("s3:PutObject", true)
        }
        "AbortMultipartUpload" => ("s3:AbortMultipartUpload", true),
        "ListMultipartUploads" => ("s3:ListBucketMultipartUploads", false),
        "DeleteObject" => ("s3:DeleteObject", true),
        "GetBucketPolicy" => ("s3:GetBucketPolicy", false),
        "PutBucketPolicy" => ("s3:PutBucketPolicy", false),
        "DeleteBucketPolicy" => ("s3:DeleteBucketPolicy", false),
        "GetBucketPolicyStatus" => ("s3:GetBucketPolicyStatus", false),
        "GetBucketEncryption" => ("s3:GetEncryptionConfiguration", false),
        "GetBucketOwnershipControls" => ("s3:GetBucketOwnershipControls", false),
        "GetBucketRequestPayment" => ("s3:GetBucketRequestPayment", false),
        "GetBucketInventoryConfiguration" | "ListBucketInventoryConfigurations" => {
            ("s3:GetInventoryConfiguration", false)
        }
        "PutBucketInventoryConfiguration" | "DeleteBucketInventoryConfiguration" => {
            ("s3:PutInventoryConfiguration", false)
        }
        "GetPublicAccessBlock" => ("s3:GetBucketPublicAccessBlock", false),
        _ => return None,
    })
}
