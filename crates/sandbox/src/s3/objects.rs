//! Objects: read, written and deleted, and the keys that encrypt them.

use bytes::{Bytes, BytesMut};
use futures_util::StreamExt as _;
use http::StatusCode;
use jiff::Timestamp;
use s3s::dto::{
    DeleteObjectInput, DeleteObjectOutput, ETag, GetObjectInput, GetObjectOutput, HeadObjectInput,
    HeadObjectOutput, ObjectCannedACL, PutObjectInput, PutObjectOutput, Range,
    ServerSideEncryption, StreamingBlob,
};
use s3s::{S3Error, S3ErrorCode, S3Response, S3Result};

use super::super::bucket::{Bucket, ForeignOwner, Object, ObjectEncryption, Ownership};
use super::super::caller::Caller;
use super::super::context::RequestRoute;
use super::super::encryption::{KeyProblem, KeyUse};
use super::super::open_questions::{HeadKeyUse, SourceAddress};
use super::super::partitions::via_service;
use super::super::world::World;
use super::buckets::{find, time};
use super::refusals::{access_denied, no_such_bucket};

/// Receives a body whole; a checksum that does not fit ends it with an error.
pub(super) async fn receive(body: Option<StreamingBlob>) -> S3Result<Bytes> {
    let mut content = BytesMut::new();
    let Some(mut body) = body else {
        return Ok(Bytes::new());
    };
    while let Some(chunk) = body.next().await {
        let chunk =
            chunk.map_err(|error| S3Error::with_source(S3ErrorCode::IncompleteBody, error))?;
        content.extend_from_slice(&chunk);
    }
    Ok(content.freeze())
}

/// An object, once its key may be used.
fn open<'a>(
    world: &'a World,
    caller: &Caller,
    (name, key): (&str, &str),
    use_of_key: UseOfKey,
    now: Timestamp,
) -> S3Result<&'a Object> {
    let bucket = find(world, name)?;
    let object = bucket.objects.get(key).ok_or_else(|| {
        S3Error::with_message(S3ErrorCode::NoSuchKey, "The specified key does not exist.")
    })?;
    let is_used = match use_of_key {
        UseOfKey::Always => true,
        UseOfKey::AsPlayed => world.head_key_use == HeadKeyUse::Decrypts,
    };
    if let ObjectEncryption::Kms {
        key: kms_key,
        bucket_key,
    } = &object.encryption
        && is_used
    {
        let place = ObjectPlace {
            bucket,
            name,
            key,
            now,
        };
        let has_bucket_key = bucket_key.unwrap_or_else(|| has_bucket_key(bucket));
        let actions = &["kms:Decrypt"];
        use_key_by(
            world,
            caller,
            &place,
            Some(kms_key),
            actions,
            has_bucket_key,
        )?;
    }
    Ok(object)
}

/// Whether reading takes the key of the object.
#[derive(Clone, Copy)]
enum UseOfKey {
    /// The content does, and so does a checksum ("If you enable checksum mode and the object is …
    /// encrypted with a KMS key, you must have permission to use the kms:Decrypt action", API reference
    /// of `HeadObject`).
    Always,
    /// What the page says of other heads, and reports of 403 against it.
    AsPlayed,
}

/// Whether new objects of a bucket are encrypted by an S3 Bucket Key.
fn has_bucket_key(bucket: &Bucket) -> bool {
    let default = bucket.default_encryption.as_ref();
    default.is_some_and(|default| default.bucket_key)
}

/// Where an object lies, and when it is asked for.
pub(super) struct ObjectPlace<'a> {
    pub(super) bucket: &'a Bucket,
    pub(super) name: &'a str,
    pub(super) key: &'a str,
    pub(super) now: Timestamp,
}

/// Uses a key for the caller who asks S3; gives the key's full ARN.
pub(super) fn use_key(
    world: &World,
    caller: &Caller,
    place: &ObjectPlace<'_>,
    reference: Option<&str>,
    actions: &[&str],
) -> S3Result<String> {
    let has_bucket_key = has_bucket_key(place.bucket);
    use_key_by(world, caller, place, reference, actions, has_bucket_key)
}

/// The same, for an object that was written with or without an S3 Bucket Key.
fn use_key_by(
    world: &World,
    caller: &Caller,
    place: &ObjectPlace<'_>,
    reference: Option<&str>,
    actions: &[&str],
    has_bucket_key: bool,
) -> S3Result<String> {
    let bucket = place.bucket;
    let arn = Bucket::arn(world.partition, place.name);
    let object_arn = format!("{arn}/{}", place.key);
    let named = if has_bucket_key { &arn } else { &object_arn };
    let purpose = KeyUse {
        caller,
        actions,
        via_service: &via_service(world.partition, "s3", &bucket.region),
        encryption_context: &[("aws:s3:arn", named)],
        now: place.now,
        route: RequestRoute::Forwarded {
            // S3 is not among the services that "aws:CalledVia" lists.
            by: &[],
            address: SourceAddress::Operator,
        },
    };
    let (account, key) = world
        .resolve_key(&caller.account, bucket, reference)
        .map_err(key_error)?;
    world.use_key(account, key, &purpose).map_err(key_error)?;
    Ok(key.arn(world.partition, account))
}

fn key_error(problem: KeyProblem) -> S3Error {
    let custom = |code: &str, message: String| {
        let code = format!("KMS.{code}");
        let mut error = S3Error::with_message(S3ErrorCode::Custom(code.into()), message);
        error.set_status_code(StatusCode::BAD_REQUEST);
        error
    };
    match problem {
        KeyProblem::NotFound(message) => custom("NotFoundException", message),
        KeyProblem::State { code, message } => custom(code, message),
        KeyProblem::Denied(message) => S3Error::with_message(S3ErrorCode::AccessDenied, message),
    }
}

/// Takes an upload's canned access control list, and gives the account that owns the object where that
/// is not the bucket's.
pub(super) fn admit_acl(
    world: &World,
    caller: &Caller,
    bucket: &Bucket,
    acl: Option<&ObjectCannedACL>,
) -> S3Result<Option<ForeignOwner>> {
    let acl = acl.map(ObjectCannedACL::as_str);
    // "BucketOwnerEnforced": "requests that set ACLs … fail", but for bucket-owner-full-control.
    if bucket.ownership == Ownership::BucketOwnerEnforced
        && acl.is_some_and(|acl| acl != "bucket-owner-full-control")
    {
        return Err(S3Error::with_message(
            S3ErrorCode::AccessControlListNotSupported,
            "The bucket does not allow ACLs",
        ));
    }
    let is_public = matches!(
        acl,
        Some("public-read" | "public-read-write" | "authenticated-read")
    );
    if is_public && world.blocks(bucket, |block| block.block_public_acls) {
        return Err(access_denied());
    }
    let (writer, owner) = (&caller.account, &bucket.account);
    Ok(bucket.ownership.foreign_owner(acl, writer, owner))
}

/// How an upload will be encrypted: as it says, or as the bucket's default says.
pub(super) fn encryption(
    world: &World,
    caller: &Caller,
    place: &ObjectPlace<'_>,
    algorithm: Option<&ServerSideEncryption>,
    key: Option<&str>,
    actions: &[&str],
) -> S3Result<ObjectEncryption> {
    let default = place.bucket.default_encryption.as_ref();
    let (algorithm, key) = match algorithm {
        Some(algorithm) => (algorithm.as_str(), key),
        None => default.map_or(("AES256", None), |default| {
            (default.algorithm.as_str(), default.key.as_deref())
        }),
    };
    if algorithm == ServerSideEncryption::AES256 {
        return Ok(ObjectEncryption::Aes256);
    }
    let key = use_key(world, caller, place, key, actions)?;
    let bucket_key = Some(has_bucket_key(place.bucket));
    Ok(ObjectEncryption::Kms { key, bucket_key })
}

/// What answers say of an object's encryption.
pub(super) fn named(encryption: &ObjectEncryption) -> (ServerSideEncryption, Option<String>) {
    (
        ServerSideEncryption::from_static(encryption.algorithm()),
        encryption.key().map(str::to_owned),
    )
}

/// What answers say of an S3 Bucket Key, where the object has one.
const fn by_bucket_key(encryption: &ObjectEncryption) -> Option<bool> {
    match encryption {
        ObjectEncryption::Kms {
            bucket_key: Some(true),
            ..
        } => Some(true),
        _ => None,
    }
}

fn content_type(object: &Object) -> String {
    object
        .content_type
        .clone()
        .unwrap_or_else(|| "binary/octet-stream".to_owned())
}

pub(super) fn get(
    world: &World,
    caller: &Caller,
    input: &GetObjectInput,
    now: Timestamp,
) -> S3Result<S3Response<GetObjectOutput>> {
    let place = (input.bucket.as_str(), input.key.as_str());
    let object = open(world, caller, place, UseOfKey::Always, now)?;
    let (content, range) = cut(&object.content, input.range.as_ref())?;
    let (algorithm, key) = named(&object.encryption);
    let output = GetObjectOutput {
        accept_ranges: Some("bytes".to_owned()),
        content_length: i64::try_from(content.len()).ok(),
        content_range: range.clone(),
        content_type: Some(content_type(object)),
        body: Some(StreamingBlob::from(s3s::Body::from(content))),
        e_tag: Some(ETag::Strong(object.etag.clone())),
        last_modified: Some(time(object.modified_at)),
        server_side_encryption: Some(algorithm),
        ssekms_key_id: key,
        bucket_key_enabled: by_bucket_key(&object.encryption),
        ..GetObjectOutput::default()
    };
    Ok(match range {
        Some(_) => S3Response::with_status(output, StatusCode::PARTIAL_CONTENT),
        None => S3Response::new(output),
    })
}

/// The part of a content that was asked for, and how the answer names it.
fn cut(content: &Bytes, range: Option<&Range>) -> S3Result<(Bytes, Option<String>)> {
    let Some(range) = range else {
        return Ok((content.clone(), None));
    };
    let unsatisfiable = || {
        S3Error::with_message(
            S3ErrorCode::InvalidRange,
            "The requested range is not satisfiable",
        )
    };
    let total = content.len();
    let length = u64::try_from(total).unwrap_or(u64::MAX);
    let bounds = range.check(length).map_err(|_| unsatisfiable())?;
    let first = usize::try_from(bounds.start).map_err(|_| unsatisfiable())?;
    let end = usize::try_from(bounds.end).map_err(|_| unsatisfiable())?;
    let named = format!("bytes {first}-{}/{total}", end.saturating_sub(1));
    Ok((content.slice(first..end), Some(named)))
}

pub(super) fn head(
    world: &World,
    caller: &Caller,
    input: &HeadObjectInput,
    now: Timestamp,
) -> S3Result<HeadObjectOutput> {
    let use_of_key = match input.checksum_mode {
        Some(_) => UseOfKey::Always,
        None => UseOfKey::AsPlayed,
    };
    let place = (input.bucket.as_str(), input.key.as_str());
    let object = open(world, caller, place, use_of_key, now)?;
    let (algorithm, key) = named(&object.encryption);
    Ok(HeadObjectOutput {
        accept_ranges: Some("bytes".to_owned()),
        content_length: i64::try_from(object.content.len()).ok(),
        content_type: Some(content_type(object)),
        e_tag: Some(ETag::Strong(object.etag.clone())),
        last_modified: Some(time(object.modified_at)),
        server_side_encryption: Some(algorithm),
        ssekms_key_id: key,
        bucket_key_enabled: by_bucket_key(&object.encryption),
        ..HeadObjectOutput::default()
    })
}

pub(super) fn put(
    world: &mut World,
    caller: &Caller,
    input: &PutObjectInput,
    content: Bytes,
    now: Timestamp,
) -> S3Result<PutObjectOutput> {
    let place = ObjectPlace {
        bucket: find(world, &input.bucket)?,
        name: &input.bucket,
        key: &input.key,
        now,
    };
    if input.if_none_match.is_some() && place.bucket.objects.contains_key(&input.key) {
        // "Otherwise, Amazon S3 returns a 412 Precondition Failed error" (API reference of `PutObject`).
        return Err(S3Error::with_message(
            S3ErrorCode::PreconditionFailed,
            "At least one of the pre-conditions you specified did not hold",
        ));
    }
    let encryption = encryption(
        world,
        caller,
        &place,
        input.server_side_encryption.as_ref(),
        input.ssekms_key_id.as_deref(),
        &["kms:GenerateDataKey"],
    )?;
    let foreign_owner = admit_acl(world, caller, place.bucket, input.acl.as_ref())?;
    let (algorithm, key) = named(&encryption);
    let mut object = Object::put(content, encryption, now);
    object.give_to(foreign_owner);
    object.content_type.clone_from(&input.content_type);
    let etag = object.etag.clone();
    store(world, &input.bucket, &input.key, object)?;
    Ok(PutObjectOutput {
        e_tag: Some(ETag::Strong(etag)),
        server_side_encryption: Some(algorithm),
        ssekms_key_id: key,
        ..PutObjectOutput::default()
    })
}

pub(super) fn store(world: &mut World, name: &str, key: &str, object: Object) -> S3Result<()> {
    let bucket = world.buckets.get_mut(name).ok_or_else(no_such_bucket)?;
    bucket.objects.insert(key.to_owned(), object);
    world.touch();
    Ok(())
}

/// Deletes an object; one that is not there is deleted as well.
pub(super) fn delete(world: &mut World, input: &DeleteObjectInput) -> S3Result<DeleteObjectOutput> {
    let bucket = world
        .buckets
        .get_mut(&input.bucket)
        .ok_or_else(no_such_bucket)?;
    bucket.objects.remove(&input.key);
    world.touch();
    Ok(DeleteObjectOutput::default())
}
