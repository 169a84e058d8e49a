//! The inventory configurations of a bucket: put, read, listed and taken away.

use std::time::Duration;

use http::StatusCode;
use jiff::Timestamp;
use s3s::dto::{
    DeleteBucketInventoryConfigurationOutput, GetBucketInventoryConfigurationOutput,
    InventoryConfiguration, ListBucketInventoryConfigurationsInput,
    ListBucketInventoryConfigurationsOutput, PutBucketInventoryConfigurationInput,
    PutBucketInventoryConfigurationOutput,
};
use s3s::{S3Error, S3ErrorCode, S3Result};

use super::super::inventory::{Inventory, bucket_name};
use super::super::open_questions::SourceAddress;
use super::super::world::World;
use super::buckets::find;
use super::refusals::no_such_bucket;

/// "You can have up to 1,000 inventory configurations per bucket."
const MOST: usize = 1000;
/// "returns up to 100 configurations at a time" (`ListBucketInventoryConfigurations`).
const PAGE: usize = 100;

/// When a configuration is put, and how its reports are played.
#[derive(Debug, Clone, Copy)]
pub(super) struct Played {
    pub(super) now: Timestamp,
    pub(super) day: Duration,
    pub(super) address: SourceAddress,
}

fn invalid(message: impl Into<String>) -> S3Error {
    S3Error::with_message(S3ErrorCode::InvalidArgument, message.into())
}

pub(super) fn put(
    world: &mut World,
    input: PutBucketInventoryConfigurationInput,
    played: Played,
) -> S3Result<PutBucketInventoryConfigurationOutput> {
    let configuration = input.inventory_configuration;
    if input.id != configuration.id {
        return Err(invalid(
            "The id in the request and in the configuration differ.",
        ));
    }
    check(&configuration)?;
    let known = &find(world, &input.bucket)?.inventories;
    if known.len() >= MOST && !known.contains_key(&input.id) {
        let mut error = S3Error::with_message(
            S3ErrorCode::Custom("TooManyConfigurations".into()),
            "You are attempting to create a new configuration but have already reached the \
             1,000-configuration limit.",
        );
        error.set_status_code(StatusCode::BAD_REQUEST);
        return Err(error);
    }
    let inventory = Inventory::put(configuration, played.day, played.address, played.now);
    let bucket = world.buckets.get_mut(&input.bucket);
    let bucket = bucket.ok_or_else(no_such_bucket)?;
    bucket.inventories.insert(input.id, inventory);
    world.touch();
    Ok(PutBucketInventoryConfigurationOutput::default())
}

/// The values that the API reference lists.
fn check(configuration: &InventoryConfiguration) -> S3Result<()> {
    let target = &configuration.destination.s3_bucket_destination;
    if bucket_name(&target.bucket).is_none() {
        return Err(invalid("Invalid bucket ARN."));
    }
    let one_of = |what: &str, value: &str, known: &[&str]| {
        if known.contains(&value) {
            Ok(())
        } else {
            Err(invalid(format!("`{value}` is not a valid {what}.")))
        }
    };
    let format = target.format.as_str();
    one_of("format", format, &["CSV", "ORC", "Parquet"])?;
    let frequency = configuration.schedule.frequency.as_str();
    one_of("frequency", frequency, &["Daily", "Weekly"])?;
    let versions = configuration.included_object_versions.as_str();
    one_of("included object versions", versions, &["All", "Current"])?;
    if format != "CSV" {
        return Err(S3Error::with_message(
            S3ErrorCode::NotImplemented,
            format!("tableferry's sandbox writes inventory reports in CSV, not in {format}."),
        ));
    }
    Ok(())
}

fn no_such_configuration() -> S3Error {
    let mut error = S3Error::with_message(
        S3ErrorCode::Custom("NoSuchConfiguration".into()),
        "The specified configuration does not exist.",
    );
    error.set_status_code(StatusCode::NOT_FOUND);
    error
}

pub(super) fn get(
    world: &World,
    bucket: &str,
    id: &str,
) -> S3Result<GetBucketInventoryConfigurationOutput> {
    let known = find(world, bucket)?.inventories.get(id);
    let known = known.ok_or_else(no_such_configuration)?;
    Ok(GetBucketInventoryConfigurationOutput {
        inventory_configuration: Some(known.configuration.clone()),
    })
}

pub(super) fn list(
    world: &World,
    input: ListBucketInventoryConfigurationsInput,
) -> S3Result<ListBucketInventoryConfigurationsOutput> {
    let after = input.continuation_token.as_deref();
    let mut listed: Vec<InventoryConfiguration> = find(world, &input.bucket)?
        .inventories
        .iter()
        .filter(|(id, _)| after.is_none_or(|after| id.as_str() > after))
        .map(|(_, inventory)| inventory.configuration.clone())
        .collect();
    let is_truncated = listed.len() > PAGE;
    listed.truncate(PAGE);
    let next = listed.last().map(|last| last.id.clone());
    Ok(ListBucketInventoryConfigurationsOutput {
        next_continuation_token: next.filter(|_| is_truncated),
        continuation_token: input.continuation_token,
        inventory_configuration_list: Some(listed),
        is_truncated: Some(is_truncated),
    })
}

pub(super) fn delete(
    world: &mut World,
    bucket: &str,
    id: &str,
) -> S3Result<DeleteBucketInventoryConfigurationOutput> {
    let bucket = world.buckets.get_mut(bucket).ok_or_else(no_such_bucket)?;
    bucket
        .inventories
        .remove(id)
        .ok_or_else(no_such_configuration)?;
    world.touch();
    Ok(DeleteBucketInventoryConfigurationOutput::default())
}
