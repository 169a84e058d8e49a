//! What a bucket is set to: its policy, default encryption, ownership and public access.

use std::time::Duration;

use jiff::Timestamp;
use s3s::dto::{
    DeleteBucketPolicyOutput, GetBucketEncryptionOutput, GetBucketOwnershipControlsOutput,
    GetBucketPolicyOutput, GetBucketPolicyStatusOutput, GetBucketRequestPaymentOutput,
    GetPublicAccessBlockOutput, ObjectOwnership, OwnershipControls, OwnershipControlsRule, Payer,
    PolicyStatus, PublicAccessBlockConfiguration, PutBucketPolicyOutput, ServerSideEncryption,
    ServerSideEncryptionByDefault, ServerSideEncryptionConfiguration, ServerSideEncryptionRule,
};
use s3s::{S3Error, S3ErrorCode, S3Result};

use super::super::policy_validation::bucket::{Refused, check_bucket_policy};
use super::super::world::World;
use super::buckets::find;
use super::refusals::{access_denied, no_such_bucket};
use tableferry_policy::document::Document;
use tableferry_policy::public::public_statements;

/// When a policy is written, and how long it takes to hold.
#[derive(Debug, Clone, Copy)]
pub(super) struct PolicyEdit {
    pub(super) at: Timestamp,
    pub(super) delay: Duration,
}

/// The policy's text as it was put.
fn text<'a>(world: &'a World, name: &str) -> S3Result<&'a str> {
    find(world, name)?
        .policy
        .current
        .as_ref()
        .map(|text| text.0.as_str())
        .ok_or_else(|| {
            S3Error::with_message(
                S3ErrorCode::NoSuchBucketPolicy,
                "The bucket policy does not exist",
            )
        })
}

pub(super) fn policy(world: &World, name: &str) -> S3Result<GetBucketPolicyOutput> {
    Ok(GetBucketPolicyOutput {
        policy: Some(text(world, name)?.to_owned()),
    })
}

pub(super) fn policy_status(world: &World, name: &str) -> S3Result<GetBucketPolicyStatusOutput> {
    let is_public = Document::parse(text(world, name)?)
        .is_ok_and(|policy| !public_statements(&policy).is_empty());
    Ok(GetBucketPolicyStatusOutput {
        policy_status: Some(PolicyStatus {
            is_public: Some(is_public),
        }),
    })
}

pub(super) fn put_policy(
    world: &mut World,
    name: &str,
    policy: &str,
    edit: PolicyEdit,
) -> S3Result<PutBucketPolicyOutput> {
    find(world, name)?;
    check_bucket_policy(world, name, policy).map_err(|refused| match refused {
        Refused::Malformed(message) => S3Error::with_message(S3ErrorCode::MalformedPolicy, message),
        Refused::Public => access_denied(),
    })?;
    write(world, name, Some(policy.to_owned()), edit)?;
    Ok(PutBucketPolicyOutput::default())
}

pub(super) fn delete_policy(
    world: &mut World,
    name: &str,
    edit: PolicyEdit,
) -> S3Result<DeleteBucketPolicyOutput> {
    write(world, name, None, edit)?;
    Ok(DeleteBucketPolicyOutput::default())
}

fn write(world: &mut World, name: &str, policy: Option<String>, edit: PolicyEdit) -> S3Result<()> {
    world
        .buckets
        .get_mut(name)
        .ok_or_else(no_such_bucket)?
        .policy
        .write(policy, edit.at, edit.delay);
    world.touch();
    Ok(())
}

/// The default encryption; without one of its own a bucket has SSE-S3.
pub(super) fn encryption(world: &World, name: &str) -> S3Result<GetBucketEncryptionOutput> {
    let default = find(world, name)?.default_encryption.as_ref();
    let algorithm = default.map_or("AES256", |default| &default.algorithm);
    let rule = ServerSideEncryptionRule {
        apply_server_side_encryption_by_default: Some(ServerSideEncryptionByDefault {
            kms_master_key_id: default.and_then(|default| default.key.clone()),
            sse_algorithm: ServerSideEncryption::from(algorithm.to_owned()),
        }),
        bucket_key_enabled: Some(default.is_some_and(|default| default.bucket_key)),
    };
    Ok(GetBucketEncryptionOutput {
        server_side_encryption_configuration: Some(ServerSideEncryptionConfiguration {
            rules: vec![rule],
        }),
    })
}

pub(super) fn ownership(world: &World, name: &str) -> S3Result<GetBucketOwnershipControlsOutput> {
    let ownership = find(world, name)?.ownership;
    Ok(GetBucketOwnershipControlsOutput {
        ownership_controls: Some(OwnershipControls {
            rules: vec![OwnershipControlsRule {
                object_ownership: ObjectOwnership::from_static(ownership.as_str()),
            }],
        }),
    })
}

pub(super) fn request_payment(
    world: &World,
    name: &str,
) -> S3Result<GetBucketRequestPaymentOutput> {
    let payer = if find(world, name)?.requester_pays {
        Payer::REQUESTER
    } else {
        Payer::BUCKET_OWNER
    };
    Ok(GetBucketRequestPaymentOutput {
        payer: Some(Payer::from_static(payer)),
    })
}

pub(super) fn public_access_block(
    world: &World,
    name: &str,
) -> S3Result<GetPublicAccessBlockOutput> {
    let block = find(world, name)?.public_access;
    Ok(GetPublicAccessBlockOutput {
        public_access_block_configuration: Some(PublicAccessBlockConfiguration {
            block_public_acls: Some(block.block_public_acls),
            block_public_policy: Some(block.block_public_policy),
            ignore_public_acls: Some(block.ignore_public_acls),
            restrict_public_buckets: Some(block.restrict_public_buckets),
        }),
    })
}
