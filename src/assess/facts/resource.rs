//! What is known of the resources: tables, buckets, keys.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{Fact, StoredObjects};
use crate::job::requirement::{AWS_MANAGED, DefaultKey, StoredKeys};
use crate::job::{Encryption, TableStatus};
use tableferry_policy::arn::{AccountId, Arn, Region};
use tableferry_policy::policy::Policy;

/// A table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TableFacts {
    /// The name or ARN that the plan gives.
    pub asked: String,
    /// The table; absent where there is none.
    #[serde(default)]
    pub description: Fact<TableDescription>,
    /// Its point-in-time recovery.
    #[serde(default)]
    pub recovery: Fact<Recovery>,
    /// Its resource policy.
    #[serde(default)]
    pub policy: Fact<Policy>,
}

impl TableFacts {
    /// A table of which only the name or ARN is known.
    #[must_use]
    pub fn new(asked: impl Into<String>) -> Self {
        Self {
            asked: asked.into(),
            description: Fact::UNASKED,
            recovery: Fact::UNASKED,
            policy: Fact::UNASKED,
        }
    }

    /// The table's name without its ARN, where it was read.
    #[must_use]
    pub fn name(&self) -> Option<&str> {
        self.description.value()?.arn.resource_after("table")
    }
}

/// A table, as `DescribeTable` tells it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TableDescription {
    /// Its ARN.
    pub arn: Arn,
    /// `TableId`, which is another when a table of this name is made again.
    #[serde(default)]
    pub id: Option<String>,
    /// `TableStatus`.
    pub status: TableStatus,
    /// When it was made.
    #[serde(default)]
    pub created_at: Option<Timestamp>,
    /// `ItemCount`, which DynamoDB brings up to date about every six hours.
    #[serde(default)]
    pub item_count: Option<u64>,
    /// `TableSizeBytes`, which DynamoDB brings up to date about every six hours.
    #[serde(default)]
    pub size_bytes: Option<u64>,
    /// The partition key and, if any, the sort key.
    #[serde(default)]
    pub key_attributes: Vec<String>,
    /// `KMSMasterKeyArn` of `SSEDescription`; `None` where DynamoDB owns the key.
    #[serde(default)]
    pub key: Option<Arn>,
}

/// A table's point-in-time recovery, as `DescribeContinuousBackups` tells it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recovery {
    /// Whether it is on.
    pub is_enabled: bool,
    /// `EarliestRestorableDateTime`.
    #[serde(default)]
    pub earliest: Option<Timestamp>,
    /// `LatestRestorableDateTime`, which moves on with the time.
    #[serde(default)]
    pub latest: Option<Timestamp>,
    /// `RecoveryPeriodInDays`, after which what happened leaves the window.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub period_days: Option<u32>,
}

/// A bucket.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct BucketFacts {
    /// Its account, proved by a call with `ExpectedBucketOwner` or by `ListBuckets`; absent where
    /// there is no such bucket.
    #[serde(default)]
    pub owner: Fact<AccountId>,
    /// Accounts that S3 said are not its owner.
    #[serde(default)]
    pub not_owners: Vec<AccountId>,
    /// Its Region; absent where there is no such bucket.
    #[serde(default)]
    pub region: Fact<Region>,
    /// Its policy.
    #[serde(default)]
    pub policy: Fact<Policy>,
    /// Who owns the objects written to it.
    #[serde(default)]
    pub ownership: Fact<Ownership>,
    /// Block Public Access of the bucket.
    #[serde(default)]
    pub public_access: Fact<PublicAccessBlock>,
    /// Its default encryption.
    #[serde(default)]
    pub encryption: Fact<DefaultEncryption>,
    /// Whether the requester pays, which an export cannot.
    #[serde(default)]
    pub requester_pays: Fact<bool>,
    /// What is there below the prefix of a job that reads.
    #[serde(default)]
    pub objects: Fact<StoredObjects>,
}

impl BucketFacts {
    /// A bucket of which nothing was read.
    pub const UNREAD: Self = Self {
        owner: Fact::UNASKED,
        not_owners: Vec::new(),
        region: Fact::UNASKED,
        policy: Fact::UNASKED,
        ownership: Fact::UNASKED,
        public_access: Fact::UNASKED,
        encryption: Fact::UNASKED,
        requester_pays: Fact::UNASKED,
        objects: Fact::UNASKED,
    };
}

/// `ObjectOwnership`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Ownership {
    /// The bucket's owner owns every object, and access control lists are off.
    BucketOwnerEnforced,
    /// The bucket's owner owns objects written with the list `bucket-owner-full-control`.
    BucketOwnerPreferred,
    /// The one who writes an object owns it.
    ObjectWriter,
}

/// The four settings of Block Public Access.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "PublicAccessBlockConfiguration has these four, each on its own"
)]
#[serde(default)]
pub struct PublicAccessBlock {
    /// `BlockPublicAcls`.
    pub block_public_acls: bool,
    /// `IgnorePublicAcls`.
    pub ignore_public_acls: bool,
    /// `BlockPublicPolicy`: a public policy is refused when it is put.
    pub block_public_policy: bool,
    /// `RestrictPublicBuckets`: while the policy is public, other accounts are kept out.
    pub restrict_public_buckets: bool,
}

/// A bucket's default encryption.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DefaultEncryption {
    /// `SSEAlgorithm`: `AES256`, `aws:kms` or `aws:kms:dsse`.
    pub algorithm: String,
    /// `KMSMasterKeyID`: an ARN, an id or an alias.
    #[serde(default)]
    pub key: Option<String>,
    /// Whether S3 Bucket Keys are on.
    #[serde(default)]
    pub has_bucket_key: bool,
}

impl BucketFacts {
    /// Takes another reading of the same bucket: what could not be read here.
    pub fn fill(&mut self, other: Self) {
        self.owner.fill(other.owner);
        self.not_owners.extend(other.not_owners);
        self.region.fill(other.region);
        self.policy.fill(other.policy);
        self.ownership.fill(other.ownership);
        self.public_access.fill(other.public_access);
        self.encryption.fill(other.encryption);
        self.requester_pays.fill(other.requester_pays);
        self.objects.fill(other.objects);
    }

    /// The key that the bucket encrypts with by default.
    #[must_use]
    pub fn default_key(&self) -> DefaultKey<'_> {
        match &self.encryption {
            Fact::Known { value, .. } if value.algorithm.starts_with("aws:kms") => {
                DefaultKey::Named(value.key.as_deref().unwrap_or(AWS_MANAGED))
            }
            Fact::Known { .. } | Fact::Absent { .. } => DefaultKey::None,
            Fact::Refused(_) | Fact::Failed(_) | Fact::Unasked { .. } => DefaultKey::Unknown,
        }
    }

    /// The key of the objects that a job writes to the bucket, as the plan or the bucket names it.
    #[must_use]
    pub fn objects_key<'a>(&'a self, encryption: &'a Encryption) -> Option<&'a str> {
        match (encryption, self.default_key()) {
            (Encryption::BucketDefault, DefaultKey::Named(key)) => Some(key),
            (Encryption::BucketDefault | Encryption::Aes256, _) => None,
            (Encryption::Kms { .. }, _) => Some(encryption.key().unwrap_or(AWS_MANAGED)),
        }
    }
}

impl BucketFacts {
    /// What encrypts the objects that are there, where a job reads them.
    #[must_use]
    pub fn stored_keys(&self) -> StoredKeys {
        match &self.objects {
            Fact::Known { value, .. } => value.keys(),
            Fact::Absent { .. } | Fact::Unasked { .. } => StoredKeys::NothingThere,
            Fact::Refused(_) | Fact::Failed(_) => StoredKeys::Unread,
        }
    }

    /// The keys of the objects that a job is about: those that were found on them, else the one that the
    /// plan or the bucket names.
    #[must_use]
    pub fn objects_keys(&self, encryption: &Encryption) -> Vec<String> {
        self.stored_keys().or_named(encryption, self.default_key())
    }
}

/// A KMS key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyFacts {
    /// The ARNs, ids and aliases that it was asked for by.
    pub names: BTreeSet<String>,
    /// The key; absent where there is none.
    #[serde(default)]
    pub description: Fact<KeyDescription>,
    /// Its key policy.
    #[serde(default)]
    pub policy: Fact<Policy>,
    /// Its grants.
    #[serde(default)]
    pub grants: Fact<Vec<GrantFacts>>,
}

impl KeyFacts {
    /// A key of which only the name is known.
    #[must_use]
    pub fn new(name: impl Into<String>) -> Self {
        Self {
            names: BTreeSet::from([name.into()]),
            description: Fact::UNASKED,
            policy: Fact::UNASKED,
            grants: Fact::UNASKED,
        }
    }

    /// A name that it was asked for by.
    #[must_use]
    pub fn name(&self) -> &str {
        self.names.first().map_or("", String::as_str)
    }

    /// Whether it was asked for by this name, or has this ARN.
    #[must_use]
    pub fn goes_by(&self, name: &str) -> bool {
        self.names.contains(name)
            || self
                .description
                .value()
                .is_some_and(|key| key.arn.to_string() == name)
    }

    /// The key's own ARN: as read, or as named where it is named by its ARN.
    #[must_use]
    pub fn arn(&self) -> Option<Arn> {
        if let Some(key) = self.description.value() {
            return Some(key.arn.clone());
        }
        let mut arns = self.names.iter().filter_map(|name| name.parse().ok());
        arns.find(|arn: &Arn| arn.resource.starts_with("key/"))
    }

    /// Takes another reading of the same key: the names, and what could not be read here.
    pub fn fill(&mut self, other: Self) {
        self.names.extend(other.names);
        self.description.fill(other.description);
        self.policy.fill(other.policy);
        self.grants.fill(other.grants);
    }
}

/// A key, as `DescribeKey` tells it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyDescription {
    /// Its ARN.
    pub arn: Arn,
    /// `KeyState`, such as `Enabled` or `PendingDeletion`.
    pub state: String,
    /// `KeyManager`.
    pub manager: KeyManager,
}

/// Who manages a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum KeyManager {
    /// The account that owns it.
    Customer,
    /// AWS, for one service.
    Aws,
}

/// A grant on a key, as `ListGrants` tells it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GrantFacts {
    /// `GrantId`.
    pub id: String,
    /// `GranteePrincipal`.
    pub grantee: String,
    /// `Operations`.
    pub operations: Vec<String>,
    /// `EncryptionContextSubset` of its constraints.
    #[serde(default)]
    pub context_subset: BTreeMap<String, String>,
    /// `EncryptionContextEquals` of its constraints.
    #[serde(default)]
    pub context_equals: Option<BTreeMap<String, String>>,
    /// `SourceArn` of its constraints.
    #[serde(default)]
    pub source_arn: Option<String>,
}
