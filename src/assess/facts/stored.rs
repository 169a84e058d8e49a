//! What is known of the objects that are there already: whose they are, and what encrypts them.

use serde::{Deserialize, Serialize};

use super::Fact;
use crate::job::requirement::StoredKeys;
use tableferry_policy::arn::AccountId;

/// Objects of a bucket, below the prefix that a job is about.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct StoredObjects {
    /// Those that were looked at.
    pub objects: Vec<StoredObject>,
    /// How many the listing shows.
    pub listed: usize,
    /// Whether there are more than the listing shows.
    #[serde(default)]
    pub has_more: bool,
}

/// One object.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoredObject {
    /// Its key.
    pub key: String,
    /// Whose it is, as a listing with owners tells it.
    #[serde(default)]
    pub owner: Fact<ObjectOwner>,
    /// What encrypts it, as `HeadObject` tells it.
    #[serde(default)]
    pub encryption: Fact<ObjectEncryption>,
}

/// Whose an object is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ObjectOwner {
    /// This account's.
    Account(AccountId),
    /// That of an account that none of the plan's profiles signs in to, by its canonical user id.
    Other(String),
}

/// What encrypts an object.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ObjectEncryption {
    /// `x-amz-server-side-encryption`, such as `AES256` or `aws:kms`.
    pub algorithm: String,
    /// The KMS key's ARN.
    #[serde(default)]
    pub key: Option<String>,
    /// Whether by an S3 Bucket Key, which KMS is then told the bucket of in place of the object.
    #[serde(default)]
    pub has_bucket_key: bool,
}

impl StoredObjects {
    /// The KMS keys that were found on the objects.
    #[must_use]
    pub fn keys(&self) -> StoredKeys {
        if self.objects.is_empty() {
            return StoredKeys::NothingThere;
        }
        let heads = self.objects.iter().map(|object| object.encryption.value());
        let known: Vec<&ObjectEncryption> = heads.clone().flatten().collect();
        if known.is_empty() {
            return StoredKeys::Unread;
        }
        let is_whole = known.len() == heads.count();
        let mut keys: Vec<String> = known.iter().filter_map(|found| found.key.clone()).collect();
        keys.sort();
        keys.dedup();
        StoredKeys::Found { keys, is_whole }
    }

    /// The object of this key.
    #[must_use]
    pub fn object(&self, key: &str) -> Option<&StoredObject> {
        self.objects.iter().find(|object| object.key == key)
    }
}
