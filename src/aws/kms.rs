//! KMS: the keys that an export could be encrypted with.

mod access;
mod policy;

use std::collections::HashMap;

use aws_sdk_kms::types::{self as sdk, KeyManagerType, KeySpec, KeyUsageType};
use futures_util::{StreamExt as _, stream};

use super::error_mapper::ErrorMapper;
use super::failure::Failure;
use super::write_guard::WriteGuard;
use tableferry_policy::arn::Arn;

/// How many keys are described at a time; `DescribeKey` has a quota per second.
const AT_A_TIME: usize = 8;

/// The state of a key that may be listed, but not described.
pub const UNKNOWN_STATE: &str = "unknown";

/// A key as `DescribeKey` shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Key {
    /// Its full ARN.
    pub arn: Arn,
    /// Its aliases in this account, such as `alias/exports`.
    pub aliases: Vec<String>,
    /// Its state, such as `Enabled`; [`UNKNOWN_STATE`] where it could not be read.
    pub state: String,
    /// Whether AWS manages it; such a key cannot be used from another account.
    pub is_aws_managed: bool,
    /// Its description.
    pub description: String,
}

/// KMS in one Region, for one identity.
#[derive(Debug, Clone)]
pub struct Kms {
    pub(super) client: aws_sdk_kms::Client,
    pub(super) mapper: ErrorMapper,
    pub(super) write_guard: WriteGuard,
}

impl Kms {
    /// All keys of the account and Region that S3 can encrypt with, with their aliases, by
    /// `ListKeys`, `ListAliases` and `DescribeKey`.
    ///
    /// A key that may not be described is listed all the same, with its state unknown, and so are
    /// keys whose aliases may not be read. Asymmetric and HMAC keys are left out: SSE-KMS takes
    /// symmetric encryption keys only (S3 User Guide, "Using server-side encryption with AWS KMS
    /// keys").
    pub async fn list_keys(&self) -> Result<Vec<Key>, Failure> {
        let arns = self.key_arns().await?;
        let aliases = self.aliases().await.unwrap_or_default();
        let keys = stream::iter(arns)
            .map(|arn| self.describe_or_name(arn, &aliases))
            .buffered(AT_A_TIME)
            .filter_map(|key| async { key })
            .collect()
            .await;
        Ok(keys)
    }

    /// A key by its id, ARN or alias, by `DescribeKey`; an alias is one of the caller's account.
    pub async fn describe_key(&self, id: &str) -> Result<Key, Failure> {
        let metadata = self.metadata(id).await?;
        let aliases = if id.starts_with("alias/") {
            vec![id.to_owned()]
        } else {
            Vec::new()
        };
        key(&metadata, aliases).ok_or_else(|| {
            self.mapper
                .unreadable("kms:DescribeKey", id, "the answer names no key")
        })
    }

    async fn metadata(&self, id: &str) -> Result<sdk::KeyMetadata, Failure> {
        const OPERATION: &str = "kms:DescribeKey";
        let call = self.client.describe_key().key_id(id).send();
        let answer = self.mapper.answer(OPERATION, id, call).await?;
        answer.key_metadata.ok_or_else(|| {
            self.mapper
                .unreadable(OPERATION, id, "the answer describes no key")
        })
    }

    async fn key_arns(&self) -> Result<Vec<Arn>, Failure> {
        let keys = self.client.list_keys().into_paginator().items().send();
        let call = keys.collect::<Result<Vec<_>, _>>();
        let listed = self.mapper.answer("kms:ListKeys", "all keys", call).await?;
        let arns = listed
            .iter()
            .filter_map(|entry| entry.key_arn()?.parse().ok());
        Ok(arns.collect())
    }

    /// The aliases by key id.
    async fn aliases(&self) -> Result<HashMap<String, Vec<String>>, Failure> {
        let aliases = self.client.list_aliases().into_paginator().items().send();
        let call = aliases.collect::<Result<Vec<_>, _>>();
        let listed = self
            .mapper
            .answer("kms:ListAliases", "all keys", call)
            .await?;
        let mut aliases: HashMap<String, Vec<String>> = HashMap::new();
        for entry in &listed {
            if let (Some(key), Some(alias)) = (entry.target_key_id(), entry.alias_name()) {
                aliases
                    .entry(key.to_owned())
                    .or_default()
                    .push(alias.to_owned());
            }
        }
        Ok(aliases)
    }

    /// The key in full, or as far as the listings tell; none where S3 could not use it.
    async fn describe_or_name(
        &self,
        arn: Arn,
        aliases: &HashMap<String, Vec<String>>,
    ) -> Option<Key> {
        let id = arn.resource_after("key").unwrap_or(&arn.resource);
        let aliases = aliases.get(id).cloned().unwrap_or_default();
        match self.metadata(&arn.to_string()).await {
            Ok(metadata) if !is_usable_by_s3(&metadata) => None,
            Ok(metadata) => key(&metadata, aliases),
            Err(_) => Some(Key {
                is_aws_managed: aliases.iter().any(|alias| alias.starts_with("alias/aws/")),
                state: UNKNOWN_STATE.to_owned(),
                description: String::new(),
                arn,
                aliases,
            }),
        }
    }
}

/// Whether it is a symmetric encryption key; what a server leaves out is taken for the default.
fn is_usable_by_s3(metadata: &sdk::KeyMetadata) -> bool {
    let is_symmetric = metadata
        .key_spec()
        .is_none_or(|spec| *spec == KeySpec::SymmetricDefault);
    let encrypts = metadata
        .key_usage()
        .is_none_or(|usage| *usage == KeyUsageType::EncryptDecrypt);
    is_symmetric && encrypts
}

fn key(metadata: &sdk::KeyMetadata, aliases: Vec<String>) -> Option<Key> {
    Some(Key {
        arn: metadata.arn()?.parse().ok()?,
        aliases,
        state: metadata.key_state().map_or_else(
            || UNKNOWN_STATE.to_owned(),
            |state| state.as_str().to_owned(),
        ),
        is_aws_managed: metadata.key_manager() == Some(&KeyManagerType::Aws),
        description: metadata
            .description()
            .map(str::to_owned)
            .unwrap_or_default(),
    })
}
