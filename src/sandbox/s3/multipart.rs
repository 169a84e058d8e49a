//! Multipart uploads.

use std::collections::BTreeMap;

use bytes::Bytes;
use jiff::Timestamp;
use md5::{Digest as _, Md5};
use s3s::dto::{
    AbortMultipartUploadInput, AbortMultipartUploadOutput, CompleteMultipartUploadInput,
    CompleteMultipartUploadOutput, CreateMultipartUploadInput, CreateMultipartUploadOutput, ETag,
    UploadPartInput, UploadPartOutput,
};
use s3s::{S3Error, S3ErrorCode, S3Result};

use super::super::bucket::{Object, Upload};
use super::super::caller::Caller;
use super::super::world::World;
use super::buckets::find;
use super::no_such_bucket;
use super::objects::{Place, encryption, named, store};

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
) -> S3Result<CreateMultipartUploadOutput> {
    let place = Place {
        bucket: find(world, &input.bucket)?,
        name: &input.bucket,
        key: &input.key,
    };
    let encryption = encryption(
        world,
        caller,
        &place,
        input.server_side_encryption.as_ref(),
        input.ssekms_key_id.as_deref(),
        &["kms:GenerateDataKey", "kms:Decrypt"],
    )?;
    let (algorithm, kms_key) = named(&encryption);
    let id = super::super::identifier::fresh_uuid();
    let bucket = world
        .buckets
        .get_mut(&input.bucket)
        .ok_or_else(no_such_bucket)?;
    bucket.uploads.insert(
        id.clone(),
        Upload {
            key: input.key.clone(),
            content_type: input.content_type.clone(),
            encryption,
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

pub(super) fn add_part(
    world: &mut World,
    input: &UploadPartInput,
    content: Bytes,
) -> S3Result<UploadPartOutput> {
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
    let mut object = Object::assembled(&parts, upload.encryption, Timestamp::now());
    object.content_type = upload.content_type;
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
    world
        .buckets
        .get_mut(&input.bucket)
        .ok_or_else(no_such_bucket)?
        .uploads
        .remove(&input.upload_id)
        .ok_or_else(no_such_upload)?;
    world.touch();
    Ok(AbortMultipartUploadOutput::default())
}
