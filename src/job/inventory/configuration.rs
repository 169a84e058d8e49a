//! The inventory configuration as the API has it: what a plan asks for, as a document.
//!
//! It is written as the AWS CLI takes it with `--inventory-configuration`.

use serde::{Deserialize, Serialize};

use super::Inventory;
use crate::job::{Encryption, Plan};
use tableferry_policy::arn::{AccountId, Partition};

/// `InventoryConfiguration`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct InventoryConfiguration {
    /// Where the reports go.
    pub destination: InventoryDestination,
    /// Whether reports are made.
    pub is_enabled: bool,
    /// Which objects are listed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub filter: Option<InventoryFilter>,
    /// Its id.
    pub id: String,
    /// `All` or `Current`.
    pub included_object_versions: String,
    /// The columns beside bucket and key.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub optional_fields: Vec<String>,
    /// How often.
    pub schedule: InventorySchedule,
}

/// `Destination`, which has one kind only.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InventoryDestination {
    /// The bucket.
    #[serde(rename = "S3BucketDestination")]
    pub bucket: InventoryBucket,
}

/// `S3BucketDestination`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct InventoryBucket {
    /// The account that must own the bucket; "if no account ID is provided, the owner is not validated
    /// before exporting data".
    #[serde(skip_serializing_if = "Option::is_none")]
    pub account_id: Option<String>,
    /// Its ARN.
    pub bucket: String,
    /// `CSV`, `ORC` or `Parquet`.
    pub format: String,
    /// What the keys begin with.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub prefix: Option<String>,
    /// How the reports are encrypted; as the bucket does by default where there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub encryption: Option<InventoryEncryption>,
}

/// `Encryption`: one of the two.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct InventoryEncryption {
    /// SSE-S3.
    #[serde(rename = "SSES3", skip_serializing_if = "Option::is_none")]
    pub s3: Option<Empty>,
    /// With a KMS key.
    #[serde(rename = "SSEKMS", skip_serializing_if = "Option::is_none")]
    pub kms: Option<InventoryKey>,
}

/// An element that holds nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Empty {}

/// `SSEKMS`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct InventoryKey {
    /// The key.
    pub key_id: String,
}

/// `Filter`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct InventoryFilter {
    /// What the keys of the listed objects begin with.
    pub prefix: String,
}

/// `Schedule`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct InventorySchedule {
    /// `Daily` or `Weekly`.
    pub frequency: String,
}

impl InventoryConfiguration {
    /// The document, laid out for people.
    #[must_use]
    pub fn to_json(&self) -> String {
        // A struct of texts cannot fail to be written.
        serde_json::to_string_pretty(self).unwrap_or_default()
    }
}

impl Inventory {
    /// The configuration that a plan asks for; `owner` is the account that must own the destination.
    #[must_use]
    pub fn configuration(
        &self,
        plan: &Plan,
        owner: Option<&AccountId>,
        partition: Partition,
    ) -> InventoryConfiguration {
        let encryption = match &plan.encryption {
            Encryption::BucketDefault => None,
            Encryption::Kms { key: Some(key) } => Some(InventoryEncryption {
                kms: Some(InventoryKey {
                    key_id: key.to_string(),
                }),
                ..InventoryEncryption::default()
            }),
            Encryption::Aes256 | Encryption::Kms { key: None } => Some(InventoryEncryption {
                s3: Some(Empty {}),
                ..InventoryEncryption::default()
            }),
        };
        InventoryConfiguration {
            destination: InventoryDestination {
                bucket: InventoryBucket {
                    account_id: owner.map(ToString::to_string),
                    bucket: plan.destination.bucket.arn(partition),
                    format: self.format.as_str().to_owned(),
                    prefix: plan.destination.prefix().map(str::to_owned),
                    encryption,
                },
            },
            is_enabled: true,
            filter: self.filter.clone().map(|prefix| InventoryFilter { prefix }),
            id: self.id.clone(),
            included_object_versions: self.versions.as_str().to_owned(),
            optional_fields: self.fields.clone(),
            schedule: InventorySchedule {
                frequency: self.frequency.as_str().to_owned(),
            },
        }
    }
}
