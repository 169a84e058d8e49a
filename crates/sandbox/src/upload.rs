//! An export's uploads: `DynamoDB` writes to S3 as the principal that started the export, and here
//! it is decided whether S3 and KMS let it.

use bytes::Bytes;
use jiff::Timestamp;

use super::authorize::Attempt;
use super::bucket::{Bucket, ForeignOwner, Object, ObjectEncryption};
use super::context::{self, RequestRoute};
use super::encryption::{KeyProblem, KeyUse};
use super::export::Export;
use super::open_questions::AclContext;
use super::partitions::via_service;
use super::world::World;

/// The service that forwards.
pub(super) const FORWARDERS: &[&str] = &["dynamodb.amazonaws.com"];

/// Why an upload failed, as `FailureCode` and `FailureMessage` have it.
#[derive(Debug, Clone)]
pub(super) struct UploadFailure {
    pub code: String,
    pub message: String,
}

/// An object to be written.
#[derive(Debug, Clone)]
pub(super) struct NewObject<'a> {
    key: &'a str,
    content: Bytes,
    is_in_parts: bool,
}

impl<'a> NewObject<'a> {
    /// One that is put in one piece.
    pub(super) const fn whole(key: &'a str, content: Bytes) -> Self {
        Self {
            key,
            content,
            is_in_parts: false,
        }
    }

    /// A multipart upload, as data files are even where they are small.
    pub(super) const fn in_parts(key: &'a str, content: Bytes) -> Self {
        Self {
            key,
            content,
            is_in_parts: true,
        }
    }
}

impl World {
    /// Writes an object for an export, if S3 and KMS allow it; gives its `ETag`.
    pub(super) fn upload(
        &mut self,
        export: &Export,
        upload: NewObject<'_>,
        at: Timestamp,
    ) -> Result<String, UploadFailure> {
        let encryption = self.admit(export, &upload, at)?;
        let mut object = if upload.is_in_parts {
            Object::assembled(&[upload.content], encryption, at)
        } else {
            Object::put(upload.content, encryption, at)
        };
        object.give_to(self.foreign_owner(export));
        let etag = object.etag.clone();
        if let Some(bucket) = self.buckets.get_mut(&export.spec.bucket) {
            bucket.objects.insert(upload.key.to_owned(), object);
        }
        Ok(etag)
    }

    /// Whether S3 takes an object, and with which encryption.
    fn admit(
        &self,
        export: &Export,
        upload: &NewObject<'_>,
        at: Timestamp,
    ) -> Result<ObjectEncryption, UploadFailure> {
        let key = upload.key;
        let spec = &export.spec;
        let bucket = self.bucket(&spec.bucket).ok_or_else(|| UploadFailure {
            code: "S3NoSuchBucket".to_owned(),
            message: s3_message("The specified bucket does not exist", 404, "NoSuchBucket"),
        })?;
        let expected_owner = spec
            .bucket_owner
            .as_deref()
            .unwrap_or(&export.caller.account);
        if expected_owner != bucket.account {
            return Err(denied("Access Denied"));
        }
        if bucket.requester_pays || self.keeps_out(bucket, &export.caller, at) {
            // Without the header `x-amz-request-payer` a requester is refused ("Using Requester Pays
            // buckets"); Block Public Access gives no reason to another account.
            return Err(denied("Access Denied"));
        }
        self.admit_by_policies(export, bucket, upload, at)?;
        if spec.algorithm == "KMS" {
            self.admit_by_key(export, bucket, key, at)
        } else {
            Ok(ObjectEncryption::Aes256)
        }
    }

    /// The writer's account, where the object is not the bucket owner's.
    fn foreign_owner(&self, export: &Export) -> Option<ForeignOwner> {
        let bucket = self.bucket(&export.spec.bucket)?;
        let writer = &export.caller.account;
        let acl = export.acl.header();
        bucket.ownership.foreign_owner(acl, writer, &bucket.account)
    }

    /// Each call as S3 judges it: parts and the end of an upload have the encryption of its beginning
    /// (API reference of `UploadPart`) and send no ACL; an abort has neither.
    fn admit_by_policies(
        &self,
        export: &Export,
        bucket: &Bucket,
        upload: &NewObject<'_>,
        at: Timestamp,
    ) -> Result<(), UploadFailure> {
        let spec = &export.spec;
        let acl = export.acl.header();
        let algorithm = Some(if spec.algorithm == "KMS" {
            "aws:kms"
        } else {
            "AES256"
        });
        let encryption = (algorithm, spec.key.as_deref());
        let makes_one = Some(!upload.is_in_parts);
        let mut calls = vec![
            ("s3:PutObject", encryption, acl, makes_one),
            match export.acl_context {
                AclContext::Upload => ("s3:PutObjectAcl", encryption, acl, makes_one),
                AclContext::AclAlone => ("s3:PutObjectAcl", (None, None), acl, None),
            },
        ];
        if upload.is_in_parts {
            calls.push(("s3:PutObject", encryption, None, Some(false)));
            calls.push(("s3:PutObject", encryption, None, Some(true)));
        }
        calls.push(("s3:AbortMultipartUpload", (None, None), None, None));
        let resource = format!(
            "{}/{}",
            Bucket::arn(self.partition, &spec.bucket),
            upload.key
        );
        for (action, (algorithm, key), acl, makes_one) in calls {
            let mut context =
                context::of_request(self, &export.caller, &bucket.region, at, route(export));
            context::add_bucket_account(&mut context, self, &bucket.account);
            context::add_upload(&mut context, algorithm, key, acl);
            if let Some(makes_one) = makes_one {
                context::add_object_creation(&mut context, makes_one);
            }
            self.authorize(&Attempt {
                caller: &export.caller,
                action,
                resource: &resource,
                resource_account: &bucket.account,
                policy: bucket.policy.in_force(at).map(|text| text.0.as_str()),
                grants: &[],
                context: &context,
                now: at,
            })
            .map_err(|denial| {
                if denial.has_reason {
                    denied(&denial.quoted_sentence())
                } else {
                    denied("Access Denied")
                }
            })?;
        }
        Ok(())
    }

    fn admit_by_key(
        &self,
        export: &Export,
        bucket: &Bucket,
        key: &str,
        at: Timestamp,
    ) -> Result<ObjectEncryption, UploadFailure> {
        let spec = &export.spec;
        let caller = &export.caller;
        let (account, kms_key) = self
            .resolve_key(&caller.account, bucket, spec.key.as_deref())
            .map_err(key_failure)?;
        let bucket_arn = Bucket::arn(self.partition, &spec.bucket);
        let object_arn = format!("{bucket_arn}/{key}");
        // With S3 Bucket Keys the encryption context names the bucket, otherwise the object.
        let has_bucket_key = bucket
            .default_encryption
            .as_ref()
            .is_some_and(|default| default.bucket_key);
        let named = if has_bucket_key {
            &bucket_arn
        } else {
            &object_arn
        };
        let purpose = KeyUse {
            caller,
            actions: &["kms:GenerateDataKey", "kms:Decrypt"],
            via_service: &via_service(self.partition, "s3", &bucket.region),
            encryption_context: &[("aws:s3:arn", named)],
            now: at,
            route: route(export),
        };
        self.use_key(account, kms_key, &purpose)
            .map_err(key_failure)?;
        Ok(ObjectEncryption::Kms {
            key: kms_key.arn(self.partition, account),
            bucket_key: Some(has_bucket_key),
        })
    }
}

const fn route(export: &Export) -> RequestRoute {
    RequestRoute::Forwarded {
        by: FORWARDERS,
        address: export.source_address,
    }
}

fn denied(message: &str) -> UploadFailure {
    UploadFailure {
        code: "S3AccessDenied".to_owned(),
        message: s3_message(message, 403, "AccessDenied"),
    }
}

fn key_failure(problem: KeyProblem) -> UploadFailure {
    match problem {
        KeyProblem::NotFound(message) => UploadFailure {
            code: "KmsNotFoundException".to_owned(),
            message: s3_message(&message, 400, "KMS.NotFoundException"),
        },
        // Nobody has published these; they are named as the other is.
        KeyProblem::State { code, message } => UploadFailure {
            code: format!("Kms{code}"),
            message: s3_message(&message, 400, &format!("KMS.{code}")),
        },
        KeyProblem::Denied(message) => denied(&message),
    }
}

/// A message as the SDK inside `DynamoDB` words it.
pub(super) fn s3_message(message: &str, status: u16, code: &str) -> String {
    let letters = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
    let request_id: String = (0..16)
        .filter_map(|_| fastrand::choice(letters).map(|byte| char::from(*byte)))
        .collect();
    let extended: String = (0..75).map(|_| fastrand::alphanumeric()).collect();
    format!(
        "{message} (Service: Amazon S3; Status Code: {status}; Error Code: {code}; Request ID: \
         {request_id}; S3 Extended Request ID: {extended}=; Proxy: null)"
    )
}
