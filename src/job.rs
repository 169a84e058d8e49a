//! The plan: the one description of a job that the wizard writes and every command reads.
//!
//! This room decides whether a plan is well formed, before any call is made, what its job requires, and
//! what each of its tables asks of `ExportTableToPointInTime`. It knows no network and no clock: the
//! time that "now" stands for is handed in. A kind of job is one file: [`export`],
//! [`upload`], [`inventory`], [`reading`], [`import`], [`load`].
//!
//! [`Plan::parse`] reads a plan file and gives either a plan or every [`Violation`] at once;
//! [`Plan::to_toml`] writes it back. What is legal but likely to fail later is no violation:
//! [`Plan::warnings`] tells it.

mod attribute_value;
mod by_hand;
mod command;
mod consistency;
mod encryption;
pub mod export;
mod filter;
pub mod import;
pub mod inventory;
mod kind;
pub mod load;
pub mod mask;
pub mod moment;
mod parse;
pub mod reading;
mod request;
pub mod requirement;
mod section;
mod selector;
mod sign_in;
mod status;
pub mod table_definition;
mod table_job;
#[cfg(test)]
mod tests;
pub mod upload;
pub mod value;
mod violation;
mod warning;
mod write;

pub use by_hand::by_hand;
pub use command::{equivalent_command, recovery_command};
pub(crate) use command::{shell_option, shell_quoted};
pub(crate) use kind::purposes;
pub use kind::{JobWords, Kind, WrittenObject};
pub use mask::{Mask, MaskMethod, MaskPath, MaskRule, MaskStep, SecretSource};
pub use moment::Now;
pub use reading::Reading;
pub use selector::{
    ChangesFrom, Known, Selected, SpanChoice, TablePattern, TableSelector, UnresolvedEntries,
};
pub use status::{ExportStatus, ImportStatus, TableStatus};
pub use value::{InvalidValue, KeyRef, Prefix};
pub use violation::{Violation, Violations};

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use tableferry_policy::arn::{AccountId, Arn, BucketName, Region};

/// The most bytes that a plan file may have: some ten thousand tables, thirty times what one account
/// can export at once. What is larger is some other file, and would only take long to be refused.
pub const LARGEST_PLAN_FILE: u64 = 1024 * 1024;

/// A whole job: what is written by one account to one bucket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// What is to be done.
    pub kind: Kind,
    /// Who does it, and from where.
    pub source: Source,
    /// Where the objects go; of an export with a mask, where it is staged.
    pub destination: Destination,
    /// How the objects are encrypted.
    pub encryption: Encryption,
    /// What is masked of an export before it goes where it is to go.
    pub mask: Option<Box<Mask>>,
    /// What is exported: at least one table or selector of an export; the table that a load or a replay
    /// writes to; none of any other kind.
    pub tables: Vec<TableJob>,
    /// The tables that are meant by patterns, which are looked up before the plan is assessed.
    pub selectors: Vec<TableSelector>,
}

/// The side that exports.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Source {
    /// How the exporting principal signs in.
    pub sign_in: SignIn,
}

/// The side that receives.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Destination {
    /// How the receiving side is read; without it, what would need it is unknown.
    pub sign_in: Option<SignIn>,
    /// The bucket that receives the export.
    pub bucket: BucketName,
    /// The bucket's account, sent as `S3BucketOwner`; found out through the profile if left out.
    pub owner: Option<AccountId>,
    /// What the objects' keys begin with.
    pub prefix: Option<Prefix>,
}

/// How one side signs in: a profile, and what to assume on top of it.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct SignIn {
    /// The profile's name in the shared configuration.
    pub profile: String,
    /// The Region, where it is not the profile's.
    pub region: Option<Region>,
    /// A role to assume on top of the profile.
    pub role: Option<Arn>,
    /// The external id that the role's trust policy asks for.
    pub external_id: Option<String>,
    /// The session's name, as CloudTrail shows it.
    pub session_name: Option<String>,
    /// The source identity that the session carries.
    pub source_identity: Option<String>,
    /// How long the session lasts, in seconds: 900 to 43200.
    pub duration_seconds: Option<u32>,
    /// The MFA device whose code is asked for.
    pub mfa_serial: Option<String>,
}

/// How the objects that a job writes are encrypted.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(tag = "algorithm")]
pub enum Encryption {
    /// SSE-S3; DynamoDB's default.
    #[default]
    #[serde(rename = "AES256")]
    Aes256,
    /// With a KMS key; without one named, with the bucket owner's `aws/s3`.
    #[serde(rename = "KMS")]
    Kms {
        /// The key.
        key: Option<KeyRef>,
    },
    /// Whatever the bucket's default is: the call says nothing.
    #[serde(rename = "BUCKET_DEFAULT")]
    BucketDefault,
}

/// One table and how it is exported.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableJob {
    /// The table's name, or its ARN.
    pub table: TableRef,
    /// What the data lines are written in.
    pub format: Format,
    /// The whole table at a time, or what changed in a window.
    pub span: Span,
    /// What is left out, if anything.
    pub filter: Option<Filter>,
}

/// A table as a plan names it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum TableRef {
    /// A name in the source's account and Region.
    Name(String),
    /// A full ARN, perhaps of another Region than the source's.
    Arn(Arn),
}

/// The format of the data files.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum Format {
    /// One JSON object a line, with DynamoDB's type descriptors.
    #[default]
    #[serde(rename = "DYNAMODB_JSON")]
    DynamoDbJson,
    /// Amazon Ion text.
    #[serde(rename = "ION")]
    Ion,
}

/// Which state or changes an export holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type")]
pub enum Span {
    /// The table as it was at a time; without one, as it is when the export starts.
    #[serde(rename = "FULL_EXPORT")]
    Full {
        /// The time, inside the recovery window.
        time: Option<Timestamp>,
    },
    /// What changed from a time (inclusive) to another (exclusive): 15 minutes to 24 hours.
    #[serde(rename = "INCREMENTAL_EXPORT")]
    Incremental {
        /// The beginning, inclusive.
        from: Timestamp,
        /// The end, exclusive.
        to: Timestamp,
        /// Which images of a changed item are written.
        view: View,
    },
}

/// Which images of a changed item an incremental export holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum View {
    /// The item after the change.
    #[serde(rename = "NEW_IMAGE")]
    NewImage,
    /// The item before and after the change.
    #[default]
    #[serde(rename = "NEW_AND_OLD_IMAGES")]
    NewAndOldImages,
}

/// `FilterSpecification`: which items and attributes are exported.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Filter {
    /// `KeyConditionExpression`: one value of the partition key.
    pub key_condition: Option<String>,
    /// `FilterExpression`.
    pub expression: Option<String>,
    /// `ProjectionExpression`.
    pub projection: Option<String>,
    /// `ExpressionAttributeNames`.
    #[serde(default)]
    pub names: BTreeMap<String, String>,
    /// `ExpressionAttributeValues`, each an attribute value such as `{"S": "x"}`.
    #[serde(default)]
    pub values: BTreeMap<String, serde_json::Value>,
}

/// What one call of `ExportTableToPointInTime` sends, in full.
///
/// It is written to the journal before the call, so that the call can be repeated word for word.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExportRequest {
    /// `TableArn`.
    pub table_arn: Arn,
    /// `S3Bucket`.
    pub bucket: BucketName,
    /// `S3BucketOwner`.
    pub bucket_owner: Option<AccountId>,
    /// `S3Prefix`.
    pub prefix: Option<String>,
    /// `S3SseAlgorithm` and `S3SseKmsKeyId`.
    pub encryption: Encryption,
    /// `ExportFormat`.
    pub format: Format,
    /// `ExportType`, `ExportTime` and `IncrementalExportSpecification`.
    pub span: Span,
    /// `FilterSpecification`.
    pub filter: Option<Filter>,
    /// `ClientToken`.
    pub client_token: String,
}
