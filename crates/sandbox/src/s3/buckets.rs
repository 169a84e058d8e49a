//! Buckets and what they list.

use std::time::SystemTime;

use jiff::Timestamp;
use s3s::dto::{
    Bucket as BucketEntry, BucketLocationConstraint, CommonPrefix, ETag, GetBucketLocationOutput,
    HeadBucketOutput, ListBucketsInput, ListBucketsOutput, ListObjectsV2Input, ListObjectsV2Output,
    Object as ObjectEntry, ObjectStorageClass, Owner,
};
use s3s::{S3Error, S3ErrorCode, S3Result};

use super::super::bucket::{Bucket, Object};
use super::super::caller::Caller;
use super::super::world::World;
use super::refusals::no_such_bucket;

pub(super) fn time(time: Timestamp) -> s3s::dto::Timestamp {
    SystemTime::from(time).into()
}

pub(super) fn find<'a>(world: &'a World, name: &str) -> S3Result<&'a Bucket> {
    world.bucket(name).ok_or_else(no_such_bucket)
}

/// The caller's account's buckets, with their Regions.
pub(super) fn list(world: &World, caller: &Caller, input: &ListBucketsInput) -> ListBucketsOutput {
    let fits = |name: &str, bucket: &Bucket| {
        bucket.account == caller.account
            && input
                .prefix
                .as_deref()
                .is_none_or(|prefix| name.starts_with(prefix))
            && input
                .bucket_region
                .as_deref()
                .is_none_or(|region| bucket.region == region)
            && input
                .continuation_token
                .as_deref()
                .is_none_or(|after| name > after)
    };
    let limit = input
        .max_buckets
        .and_then(|limit| usize::try_from(limit).ok())
        .unwrap_or(10_000);
    let mut names: Vec<&String> = world
        .buckets
        .iter()
        .filter(|(name, bucket)| fits(name, bucket))
        .map(|(name, _)| name)
        .collect();
    let has_more = names.len() > limit;
    names.truncate(limit);
    let entries = names
        .iter()
        .filter_map(|name| {
            Some(BucketEntry {
                bucket_region: Some(world.bucket(name)?.region.clone()),
                creation_date: Some(time(world.born)),
                name: Some((*name).clone()),
            })
        })
        .collect();
    ListBucketsOutput {
        buckets: Some(entries),
        continuation_token: names
            .last()
            .filter(|_| has_more)
            .map(|name| (*name).clone()),
        owner: Some(canonical_user(&caller.account)),
        prefix: input.prefix.clone(),
    }
}

/// An account as S3 names owners.
fn canonical_user(account: &str) -> Owner {
    Owner {
        display_name: None,
        id: Some(super::super::identifier::uuid_of(account)),
    }
}

pub(super) fn head(world: &World, name: &str) -> S3Result<HeadBucketOutput> {
    let bucket = find(world, name)?;
    Ok(HeadBucketOutput {
        bucket_region: Some(bucket.region.clone()),
        ..HeadBucketOutput::default()
    })
}

/// The Region; of the first two it is not the Region's code (`GetBucketLocation`, S3 API reference).
pub(super) fn location(world: &World, name: &str) -> S3Result<GetBucketLocationOutput> {
    let constraint = match find(world, name)?.region.as_str() {
        "us-east-1" => None,
        "eu-west-1" => Some(BucketLocationConstraint::from_static(
            BucketLocationConstraint::EU,
        )),
        region => Some(BucketLocationConstraint::from(region.to_owned())),
    };
    Ok(GetBucketLocationOutput {
        location_constraint: constraint,
    })
}

/// One line of a listing: an object, or a prefix that stands for many.
enum ListingLine<'a> {
    Object(&'a String, &'a Object),
    Prefix(&'a str),
}

impl<'a> ListingLine<'a> {
    fn of(key: &'a String, object: &'a Object, prefix: &str, delimiter: Option<&str>) -> Self {
        let end = delimiter.and_then(|delimiter| {
            let rest = key.get(prefix.len()..)?;
            rest.find(delimiter)
                .map(|at| prefix.len() + at + delimiter.len())
        });
        end.and_then(|end| key.get(..end))
            .map_or(Self::Object(key, object), Self::Prefix)
    }

    fn name(&self) -> &'a str {
        match self {
            Self::Object(key, _) => key,
            Self::Prefix(prefix) => prefix,
        }
    }
}

pub(super) fn list_objects(
    world: &World,
    input: ListObjectsV2Input,
) -> S3Result<ListObjectsV2Output> {
    let bucket = find(world, &input.bucket)?;
    let prefix = input.prefix.as_deref().unwrap_or_default();
    let delimiter = input.delimiter.as_deref().filter(|text| !text.is_empty());
    let after = start(&input)?;
    let limit = usize::try_from(input.max_keys.unwrap_or(1000))
        .unwrap_or(0)
        .min(1000);
    let mut lines: Vec<ListingLine<'_>> = Vec::new();
    for (key, object) in &bucket.objects {
        if !key.starts_with(prefix) {
            continue;
        }
        let line = ListingLine::of(key, object, prefix, delimiter);
        let is_new = lines.last().is_none_or(|last| last.name() != line.name());
        if is_new && after.as_deref().is_none_or(|after| line.name() > after) {
            lines.push(line);
        }
    }
    let is_truncated = lines.len() > limit;
    lines.truncate(limit);
    let next = lines
        .last()
        .filter(|_| is_truncated)
        .map(|line| hex::encode(line.name()));
    let owner = input.fetch_owner.unwrap_or(false).then_some(bucket);
    let (contents, prefixes) = entries(&lines, owner);
    Ok(ListObjectsV2Output {
        key_count: i32::try_from(lines.len()).ok(),
        is_truncated: Some(is_truncated),
        next_continuation_token: next,
        contents: Some(contents),
        common_prefixes: Some(prefixes),
        max_keys: i32::try_from(limit).ok(),
        name: Some(input.bucket.clone()),
        prefix: Some(prefix.to_owned()),
        delimiter: input.delimiter.clone(),
        start_after: input.start_after.clone(),
        continuation_token: input.continuation_token,
        ..ListObjectsV2Output::default()
    })
}

/// Where a page begins.
fn start(input: &ListObjectsV2Input) -> S3Result<Option<String>> {
    let Some(token) = &input.continuation_token else {
        return Ok(input.start_after.clone());
    };
    hex::decode(token)
        .ok()
        .and_then(|bytes| String::from_utf8(bytes).ok())
        .map(Some)
        .ok_or_else(|| {
            S3Error::with_message(
                S3ErrorCode::InvalidArgument,
                "The continuation token provided is incorrect",
            )
        })
}

/// The entries of a page; the objects with their owners where `of` is the bucket that they lie in.
fn entries(
    lines: &[ListingLine<'_>],
    of: Option<&Bucket>,
) -> (Vec<ObjectEntry>, Vec<CommonPrefix>) {
    let mut contents = Vec::new();
    let mut prefixes = Vec::new();
    for line in lines {
        match line {
            ListingLine::Prefix(prefix) => prefixes.push(CommonPrefix {
                prefix: Some((*prefix).to_owned()),
            }),
            ListingLine::Object(key, object) => contents.push(ObjectEntry {
                key: Some((*key).clone()),
                e_tag: Some(ETag::Strong(object.etag.clone())),
                size: i64::try_from(object.content.len()).ok(),
                last_modified: Some(time(object.modified_at)),
                owner: of.map(|bucket| {
                    canonical_user(object.owner_of_others().unwrap_or(&bucket.account))
                }),
                storage_class: Some(ObjectStorageClass::from_static(
                    ObjectStorageClass::STANDARD,
                )),
                ..ObjectEntry::default()
            }),
        }
    }
    (contents, prefixes)
}
