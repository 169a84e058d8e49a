//! Facts: what was read from the accounts, each known, absent, refused to us, or failed.
//!
//! This module decides what there is to know for one plan, and how it is written down. Facts are a
//! file of their own, so that one team can read an account and another judge it. They hold policies,
//! names and times, and no credential.

mod fact;
mod file;
mod fit;
mod principal;
mod resource;

pub use fact::{Fact, ReadError, Unasked};
pub use file::FactsError;
pub use fit::{MatchedFacts, Mismatch, SurveyedAs, SurveyedFor};
pub use principal::{
    Caller, ControlLevel, Organization, PolicyText, PrincipalFacts, RoleFacts, Simulated,
    UnreadPolicy,
};
pub use resource::{
    BucketFacts, DefaultEncryption, GrantFacts, KeyDescription, KeyFacts, KeyManager, Ownership,
    PublicAccessBlock, Recovery, TableDescription, TableFacts,
};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::principal::is_same_principal;
use crate::job::requirement::Who;
use tableferry_policy::arn::AccountId;

/// The only version of the format that there has been.
pub const VERSION: u32 = 1;

/// All that was read for one plan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Facts {
    /// The format's version, [`VERSION`].
    pub version: u32,
    /// When the reading began.
    pub surveyed_at: Timestamp,
    /// What of the plan they were read for tells whether they are of another plan too; `None` in
    /// files that were written before it was noted.
    #[serde(default)]
    pub surveyed_for: Option<SurveyedFor>,
    /// The side that exports.
    pub source: PrincipalFacts,
    /// The side that receives; `None` if the plan names no profile for it.
    #[serde(default)]
    pub destination: Option<PrincipalFacts>,
    /// The plan's tables, in its order, each once.
    #[serde(default)]
    pub tables: Vec<TableFacts>,
    /// The exports of the source's account that run now.
    #[serde(default)]
    pub in_flight: Fact<InFlight>,
    /// The destination's bucket.
    pub bucket: BucketFacts,
    /// The keys that the plan or its tables use.
    #[serde(default)]
    pub keys: Vec<KeyFacts>,
    /// What was tried for real, and whether it worked.
    #[serde(default)]
    pub tried: Vec<ObservedCall>,
    /// What we changed ourselves not long ago.
    #[serde(default)]
    pub changes: Vec<Change>,
    /// Exports that this machine's journal knows.
    #[serde(default)]
    pub exports: Vec<PastExport>,
}

impl Facts {
    /// Facts of which nothing is known yet.
    #[must_use]
    pub fn new(source: PrincipalFacts, bucket: BucketFacts, surveyed_at: Timestamp) -> Self {
        Self {
            version: VERSION,
            surveyed_at,
            surveyed_for: None,
            source,
            destination: None,
            tables: Vec::new(),
            in_flight: Fact::UNASKED,
            bucket,
            keys: Vec::new(),
            tried: Vec::new(),
            changes: Vec::new(),
            exports: Vec::new(),
        }
    }

    /// Whether one identity signs in for both sides: one user, or one role whatever its sessions.
    #[must_use]
    pub fn is_one_identity(&self) -> bool {
        self.destination.as_ref().is_some_and(|destination| {
            let own = self.source.caller.arn.to_string();
            is_same_principal(&own, &destination.caller.arn.to_string())
        })
    }

    /// The key that the plan or a table calls by this name.
    #[must_use]
    pub fn key(&self, asked: &str) -> Option<&KeyFacts> {
        self.keys.iter().find(|key| key.goes_by(asked))
    }

    /// The table that the plan calls by this name or ARN.
    #[must_use]
    pub fn table(&self, asked: &str) -> Option<&TableFacts> {
        self.tables.iter().find(|table| table.asked == asked)
    }
}

/// The exports that run now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct InFlight {
    /// How many.
    pub count: u32,
    /// The size of their tables together, in bytes, where it is known.
    #[serde(default)]
    pub bytes: Option<u64>,
}

/// Something that was tried for real: by the survey, which reads, or by the probe.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ObservedCall {
    /// Who tried.
    pub who: Who,
    /// The action, such as `dynamodb:DescribeTable`.
    pub action: String,
    /// The resource's ARN.
    pub resource: String,
    /// When.
    pub at: Timestamp,
    /// AWS's refusal; `None` where it worked.
    #[serde(default)]
    pub refusal: Option<String>,
}

/// A change that we made, which may take minutes to hold.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change {
    /// What was changed, in words, such as `the policy of bucket export-landing`.
    pub document: String,
    /// When.
    pub at: Timestamp,
}

/// An export that was started before.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PastExport {
    /// Its ARN.
    pub export_arn: String,
    /// The table's ARN.
    pub table_arn: String,
    /// The user's ARN, or the role's, or the session's where the role's is not known; empty where
    /// nobody can tell who started it.
    pub principal: String,
    /// The bucket.
    pub bucket: String,
    /// The prefix.
    #[serde(default)]
    pub prefix: Option<String>,
    /// The key, as it was given.
    #[serde(default)]
    pub key: Option<String>,
    /// When it was started.
    pub started_at: Timestamp,
    /// When it ended, where it did.
    #[serde(default)]
    pub ended_at: Option<Timestamp>,
    /// `IN_PROGRESS`, `COMPLETED` or `FAILED`.
    pub status: String,
    /// `FailureCode` of one that failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure_code: Option<String>,
    /// `FailureMessage` of one that failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure_message: Option<String>,
    /// The owner of the bucket that it was told of, as `S3BucketOwner`.
    #[serde(default)]
    pub owner: Option<AccountId>,
    /// What has become of what bore on its writing, as far as that can be read.
    #[serde(default)]
    pub writing: Drift,
    /// What has become of what bore on reading its table, as far as that can be read.
    #[serde(default)]
    pub reading: Drift,
}

/// What has become, since an export began, of what it relied on, as far as that can be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Drift {
    /// It is not known what it was then, or it was not read now.
    #[default]
    Unknown,
    /// All is as it was.
    Unchanged,
    /// Something is not as it was, or can be read no more.
    Changed,
}
