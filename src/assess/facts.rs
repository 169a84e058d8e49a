//! Facts: what was read from the accounts, each known, absent, refused to us, or failed.
//!
//! This module decides what there is to know for one plan, and how it is written down. Facts are a
//! file of their own, so that one team can read an account and another judge it. They hold policies,
//! names and times, and no credential.

mod file;
mod fit;
mod principal;
mod resource;

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
use super::requirement::Who;
use tableferry_policy::arn::AccountId;

/// The only version of the format that there has been.
pub const VERSION: u32 = 1;

/// One thing to be known, and how it came to be known or not.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum Fact<T> {
    /// It was read.
    Known {
        /// What it is.
        value: T,
        /// When it was read.
        read_at: Timestamp,
        /// The call or file that told it, such as `s3:GetBucketPolicy`.
        source: String,
    },
    /// It was asked for, and there is none: a bucket without a policy, a table without a key.
    Absent {
        /// When it was asked for.
        read_at: Timestamp,
        /// The call or file that told it.
        source: String,
    },
    /// We may not read it.
    Refused {
        /// The permission that would make it known.
        permission: String,
        /// AWS's words.
        detail: String,
    },
    /// It could not be read for another reason, such as a server that did not answer.
    Failed {
        /// The permission that reading it would need.
        permission: String,
        /// What went wrong.
        detail: String,
    },
    /// Nobody asked.
    #[default]
    Unasked,
}

impl<T> Fact<T> {
    /// A thing that was read.
    pub fn known(value: T, read_at: Timestamp, source: impl Into<String>) -> Self {
        Self::Known {
            value,
            read_at,
            source: source.into(),
        }
    }

    /// A thing that is not there.
    pub fn absent(read_at: Timestamp, source: impl Into<String>) -> Self {
        Self::Absent {
            read_at,
            source: source.into(),
        }
    }

    /// What is known; `None` where it is absent too.
    pub const fn value(&self) -> Option<&T> {
        match self {
            Self::Known { value, .. } => Some(value),
            _ => None,
        }
    }

    /// The same fact about something made of what was read.
    #[must_use]
    pub fn map<U>(self, make: impl FnOnce(T) -> U) -> Fact<U> {
        match self {
            Self::Known {
                value,
                read_at,
                source,
            } => Fact::Known {
                value: make(value),
                read_at,
                source,
            },
            Self::Absent { read_at, source } => Fact::Absent { read_at, source },
            Self::Refused { permission, detail } => Fact::Refused { permission, detail },
            Self::Failed { permission, detail } => Fact::Failed { permission, detail },
            Self::Unasked => Fact::Unasked,
        }
    }

    /// The value, to be changed in place.
    pub const fn value_mut(&mut self) -> Option<&mut T> {
        match self {
            Self::Known { value, .. } => Some(value),
            _ => None,
        }
    }

    /// Whether it is known to be there or not to be there.
    pub const fn is_settled(&self) -> bool {
        matches!(self, Self::Known { .. } | Self::Absent { .. })
    }

    /// Whether it is known not to be there.
    pub const fn is_absent(&self) -> bool {
        matches!(self, Self::Absent { .. })
    }

    /// The permission that would make it known, and what stood in the way; `None` where it is
    /// settled. `usual` is the permission where nobody asked.
    pub fn obstacle(&self, usual: &str) -> Option<ReadError> {
        let (permission, detail) = match self {
            Self::Known { .. } | Self::Absent { .. } => return None,
            Self::Refused { permission, detail } => (permission.clone(), detail.clone()),
            // No permission would make it known.
            Self::Failed { permission, detail } => {
                (String::new(), format!("{permission}: {detail}"))
            }
            Self::Unasked => (usual.to_owned(), "it was not asked for".to_owned()),
        };
        Some(ReadError { permission, detail })
    }

    /// Takes what another identity read, where this one could not.
    pub fn fill(&mut self, other: Self) {
        if !self.is_settled() && other.is_settled() {
            *self = other;
        }
    }

    /// When it was read, if it was.
    pub const fn read_at(&self) -> Option<Timestamp> {
        match self {
            Self::Known { read_at, .. } | Self::Absent { read_at, .. } => Some(*read_at),
            _ => None,
        }
    }
}

/// Why something is not known.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ReadError {
    /// The permission that would make it known.
    pub permission: String,
    /// What stood in the way.
    pub detail: String,
}

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
            in_flight: Fact::Unasked,
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
