//! The part of the configuration that holds the operator back: accounts that are marked production,
//! the only destinations and the largest size that are allowed, and whether nothing may be changed.

use std::collections::BTreeMap;

use bytesize::ByteSize;
use serde::{Deserialize, Deserializer};

use crate::assess::cost::{Money, Prices};
use crate::assess::limits::Limits;
use tableferry_policy::arn::{AccountId, BucketName};

/// What holds the operator back.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Guards {
    /// Whether nothing may be changed in any account.
    pub is_read_only: bool,
    /// The accounts that are marked production, with the names that are typed before a change.
    pub production: BTreeMap<AccountId, String>,
    /// What a plan must keep to.
    pub limits: Limits,
    /// The most bytes that one command may download.
    pub largest_download: Option<u64>,
    /// Whether no archive may be copied to this machine.
    pub are_local_copies_forbidden: bool,
}

/// `[accounts."111111111111"]`
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct AccountFile {
    #[serde(deserialize_with = "account_name")]
    name: String,
    #[serde(default)]
    production: bool,
}

/// `[allowed]`
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct AllowedFile {
    accounts: Option<Vec<AccountId>>,
    #[serde(default, deserialize_with = "organization_id")]
    organization: Option<String>,
    buckets: Option<Vec<BucketName>>,
    #[serde(default, deserialize_with = "size")]
    largest_size: Option<u64>,
    local_copies: Option<bool>,
}

/// `[limits]`
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct LimitsFile {
    #[serde(default, deserialize_with = "size")]
    largest_download: Option<u64>,
    #[serde(default, deserialize_with = "super::prices::money")]
    largest_cost: Option<Money>,
}

impl Guards {
    pub(super) fn of(
        is_read_only: bool,
        accounts: BTreeMap<AccountId, AccountFile>,
        allowed: Option<AllowedFile>,
        (limits, prices): (&LimitsFile, Prices),
    ) -> Self {
        let production = accounts
            .into_iter()
            .filter(|(_, account)| account.production)
            .map(|(id, account)| (id, account.name));
        let allowed = allowed.unwrap_or_default();
        Self {
            is_read_only,
            production: production.collect(),
            limits: Limits {
                accounts: allowed.accounts.unwrap_or_default(),
                organization: allowed.organization,
                buckets: allowed.buckets.unwrap_or_default(),
                largest_bytes: allowed.largest_size,
                largest_cost: limits.largest_cost,
                prices,
            },
            largest_download: limits.largest_download,
            are_local_copies_forbidden: allowed.local_copies == Some(false),
        }
    }
}

/// A list that is there and empty would read as "none", and mean "any".
pub(super) fn allowed<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<AllowedFile>, D::Error> {
    let file = AllowedFile::deserialize(deserializer)?;
    let is_empty = |count: Option<usize>| count == Some(0);
    if is_empty(file.accounts.as_ref().map(Vec::len))
        || is_empty(file.buckets.as_ref().map(Vec::len))
    {
        return Err(serde::de::Error::custom(
            "an empty list under [allowed] would allow nothing: leave it out to allow everything",
        ));
    }
    Ok(Some(file))
}

/// A name that is typed cannot be empty.
fn account_name<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    let name = String::deserialize(deserializer)?;
    if name.trim().is_empty() || name.trim() != name {
        return Err(serde::de::Error::custom(
            "an account's name is typed before a change: give it one, without blanks around it",
        ));
    }
    Ok(name)
}

/// "The regex pattern for an organization ID string requires "o-" followed by from 10 to 32
/// lowercase letters or digits" (API reference of Organizations, `Organization`).
fn organization_id<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    let id = String::deserialize(deserializer)?;
    let is_id = id.strip_prefix("o-").is_some_and(|rest| {
        (10..=32).contains(&rest.len())
            && rest
                .bytes()
                .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
    });
    if !is_id {
        return Err(serde::de::Error::custom(format!(
            "`{id}` is no organization's id: \"o-\" and 10 to 32 lowercase letters or digits"
        )));
    }
    Ok(Some(id))
}

/// A size as people write it, in bytes.
fn size<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<u64>, D::Error> {
    let text = String::deserialize(deserializer)?;
    let size: ByteSize = text.parse().map_err(|_| {
        serde::de::Error::custom(format!("`{text}` is no size, such as \"500 GiB\""))
    })?;
    Ok(Some(size.as_u64()))
}
