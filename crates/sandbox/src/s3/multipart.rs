//! Multipart uploads.

use std::collections::BTreeMap;

use bytes::Bytes;
use jiff::Timestamp;
use md5::{Digest as _, Md5};
use s3s::dto::{
    AbortMultipartUploadInput, AbortMultipartUploadOutput, CompleteMultipartUploadInput,
    CompleteMultipartUploadOutput, CreateMultipartUploadInput, CreateMultipartUploadOutput, ETag,
    ListMultipartUploadsInput, ListMultipartUploadsOutput, MultipartUpload as UploadEntry,
    UploadPartInput, UploadPartOutput,
};
use s3s::{S3Error, S3ErrorCode, S3Result};

use super::super::bucket::{MultipartUpload, Object};
use super::super::caller::Caller;
use super::super::world::World;
use super::buckets::{find, time};
use super::objects::{ObjectPlace, admit_acl, encryption, named, store, use_key};
use super::refusals::no_such_bucket;

fn no_such_upload() -> S3Error {
    S3Error::with_message(
        S3ErrorCode::NoSuchUpload,
        "The specified upload does not exist. The upload ID may be invalid, or the upload may \
         have been aborted or completed.",
    )
}

/// Begins an upload; under a KMS key this takes Decrypt too ("Multipart upload API and
/// permissions", S3 user guide).
pub(super) fn create(
    world: &mut World,
    caller: &Caller,
    input: &CreateMultipartUploadInput,
    now: Timestamp,
) -> S3Result<CreateMultipartUploadOutput> {
    let place = ObjectPlace {
        bucket: find(world, &input.bucket)?,
        name: &input.bucket,
        key: &input.key,
        now,
    };
    let encryption = encryption(
        world,
        caller,
        &place,
        input.server_side_encryption.as_ref(),
        input.ssekms_key_id.as_deref(),
        &["kms:GenerateDataKey", "kms:Decrypt"],
    )?;
    let foreign_owner = admit_acl(world, caller, place.bucket, input.acl.as_ref())?;
    let owner = |is_shared| {
        let owner = foreign_owner.as_ref();
        let owner = owner.filter(|owner| owner.is_shared == is_shared);
        owner.map(|owner| owner.account.clone())
    };
    let (algorithm, kms_key) = named(&encryption);
    let id = super::super::identifier::fresh_uuid();
    let bucket = world
        .buckets
        .get_mut(&input.bucket)
        .ok_or_else(no_such_bucket)?;
    bucket.uploads.insert(
        id.clone(),
        MultipartUpload {
            key: input.key.clone(),
            initiated: now,
            content_type: input.content_type.clone(),
            encryption,
            foreign_owner: owner(false),
            sharing_owner: owner(true),
            parts: BTreeMap::new(),
        },
    );
    world.touch();
    Ok(CreateMultipartUploadOutput {
        bucket: Some(input.bucket.clone()),
        key: Some(input.key.clone()),
        upload_id: Some(id),
        server_side_encryption: Some(algorithm),
        ssekms_key_id: kms_key,
        ..CreateMultipartUploadOutput::default()
    })
}

/// Adds a part. "The requester needs permissions for the `kms:Decrypt` action" on it, too ("Multipart
/// upload API and permissions", S3 user guide).
pub(super) fn add_part(
    world: &mut World,
    caller: &Caller,
    input: &UploadPartInput,
    content: Bytes,
    now: Timestamp,
) -> S3Result<UploadPartOutput> {
    let place = ObjectPlace {
        bucket: find(world, &input.bucket)?,
        name: &input.bucket,
        key: &input.key,
        now,
    };
    let begun = place.bucket.uploads.get(&input.upload_id);
    if let Some(key) = begun.and_then(|upload| upload.encryption.key()) {
        use_key(world, caller, &place, Some(key), &["kms:Decrypt"])?;
    }
    let upload = world
        .buckets
        .get_mut(&input.bucket)
        .ok_or_else(no_such_bucket)?
        .uploads
        .get_mut(&input.upload_id)
        .filter(|upload| upload.key == input.key)
        .ok_or_else(no_such_upload)?;
    let etag = hex::encode(Md5::digest(&content));
    upload.parts.insert(input.part_number, content);
    world.touch();
    Ok(UploadPartOutput {
        e_tag: Some(ETag::Strong(etag)),
        ..UploadPartOutput::default()
    })
}

pub(super) fn complete(
    world: &mut World,
    input: CompleteMultipartUploadInput,
    now: Timestamp,
) -> S3Result<CompleteMultipartUploadOutput> {
    let bucket = world
        .buckets
        .get_mut(&input.bucket)
        .ok_or_else(no_such_bucket)?;
    let upload = bucket
        .uploads
        .get(&input.upload_id)
        .filter(|upload| upload.key == input.key)
        .ok_or_else(no_such_upload)?
        .clone();
    let parts: Vec<Bytes> = input
        .multipart_upload
        .and_then(|upload| upload.parts)
        .unwrap_or_default()
        .iter()
        .map(|part| {
            part.part_number
                .and_then(|number| upload.parts.get(&number))
                .cloned()
                .ok_or_else(|| {
                    S3Error::with_message(
                        S3ErrorCode::InvalidPart,
                        "One or more of the specified parts could not be found.",
                    )
                })
        })
        .collect::<S3Result<_>>()?;
    bucket.uploads.remove(&input.upload_id);
    let (algorithm, kms_key) = named(&upload.encryption);
    let mut object = Object::assembled(&parts, upload.encryption, now);
    object.content_type = upload.content_type;
    object.foreign_owner = upload.foreign_owner;
    object.sharing_owner = upload.sharing_owner;
    let etag = object.etag.clone();
    store(world, &input.bucket, &input.key, object)?;
    Ok(CompleteMultipartUploadOutput {
        e_tag: Some(ETag::Strong(etag)),
        bucket: Some(input.bucket),
        key: Some(input.key),
        server_side_encryption: Some(algorithm),
        ssekms_key_id: kms_key,
        ..CompleteMultipartUploadOutput::default()
    })
}

pub(super) fn abort(
    world: &mut World,
    input: &AbortMultipartUploadInput,
) -> S3Result<AbortMultipartUploadOutput> {
    let uploads = &mut world
        .buckets
        .get_mut(&input.bucket)
        .ok_or_else(no_such_bucket)?
        .uploads;
    // An upload is of the key that it was begun with, as its parts are.
    uploads
        .get(&input.upload_id)
        .filter(|upload| upload.key == input.key)
        .ok_or_else(no_such_upload)?;
    uploads.remove(&input.upload_id);
    world.touch();
    Ok(AbortMultipartUploadOutput::default())
}

/// The uploads under way, "sorted based on two criteria": by key, and within a key by the time at
/// which they were begun (API reference of `ListMultipartUploads`).
pub(super) fn list(
    world: &World,
    input: ListMultipartUploadsInput,
) -> S3Result<ListMultipartUploadsOutput> {
    if input
        .delimiter
        .as_deref()
        .is_some_and(|text| !text.is_empty())
    {
        return Err(S3Error::with_message(
            S3ErrorCode::NotImplemented,
            "The sandbox lists uploads without a delimiter only.",
        ));
    }
    let prefix = input.prefix.as_deref().unwrap_or_default();
    let bucket = find(world, &input.bucket)?;
    let mut uploads: Vec<(&String, &MultipartUpload)> = bucket
        .uploads
        .iter()
        .filter(|(_, upload)| upload.key.starts_with(prefix))
        .collect();
    uploads.sort_by(|(_, one), (_, other)| {
        (&one.key, one.initiated).cmp(&(&other.key, other.initiated))
    });
    let after = start(&uploads, &input);
    uploads.drain(..after);
    let limit = usize::try_from(input.max_uploads.unwrap_or(1000))
        .unwrap_or(0)
        .min(1000);
    let is_truncated = uploads.len() > limit;
    uploads.truncate(limit);
    let next = uploads.last().filter(|_| is_truncated);
    let entries = uploads.iter().map(|(id, upload)| UploadEntry {
        initiated: Some(time(upload.initiated)),
        key: Some(upload.key.clone()),
        upload_id: Some((*id).clone()),
        ..UploadEntry::default()
    });
    Ok(ListMultipartUploadsOutput {
        is_truncated: Some(is_truncated),
        max_uploads: i32::try_from(limit).ok(),
        next_key_marker: next.map(|(_, upload)| upload.key.clone()),
        next_upload_id_marker: next.map(|(id, _)| (*id).clone()),
        uploads: Some(entries.collect()),
        bucket: Some(input.bucket),
        key_marker: input.key_marker,
        prefix: input.prefix,
        upload_id_marker: input.upload_id_marker,
        ..ListMultipartUploadsOutput::default()
    })
}

/// How many uploads lie before the page that is asked for.
fn start(uploads: &[(&String, &MultipartUpload)], input: &ListMultipartUploadsInput) -> usize {
    let Some(key) = input.key_marker.as_ref().filter(|key| !key.is_empty()) else {
        return 0;
    };
    let marked = input.upload_id_marker.as_ref().and_then(|id| {
        let place = uploads.iter().position(|(known, _)| *known == id);
        place.map(|place| place + 1)
    });
    marked.unwrap_or_else(|| uploads.partition_point(|(_, upload)| upload.key <= *key))
}
