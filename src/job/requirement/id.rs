//! What is assessed, and the id by which remedies, verdicts and screens speak of the same thing.
//!
//! Two requirements are the same exactly if their ids are equal. Words are rendered from an id, and
//! nothing is decided by comparing words.

use std::fmt;

use serde::Serialize;

use super::{Actor, Purpose, RequiredPermission, Resource};

/// What is judged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Requirement {
    /// A permission.
    Permission(RequiredPermission),
    /// A setting or a time, and what it is about: a bucket, a key, a table.
    Check {
        /// Which.
        check: Check,
        /// The thing, by name.
        of: String,
    },
}

/// Which requirement of a plan: it stays the same from one assessment of a plan to the next.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum RequirementId {
    /// A permission.
    Permission {
        /// Who needs it.
        who: Actor,
        /// What for: one key may encrypt the table and the files, with conditions of its own each.
        purpose: Purpose,
        /// The action.
        action: &'static str,
        /// On what.
        resource: Resource,
    },
    /// A setting or a time.
    Check {
        /// Which.
        check: Check,
        /// The thing, by name.
        of: String,
    },
}

impl RequiredPermission {
    /// The id of the requirement of this permission.
    #[must_use]
    pub fn id(&self) -> RequirementId {
        RequirementId::Permission {
            who: self.who,
            purpose: self.purpose,
            action: self.action,
            resource: self.resource.clone(),
        }
    }
}

impl Requirement {
    /// Its id.
    #[must_use]
    pub fn id(&self) -> RequirementId {
        match self {
            Self::Permission(need) => need.id(),
            Self::Check { check, of } => RequirementId::Check {
                check: *check,
                of: of.clone(),
            },
        }
    }
}

impl Requirement {
    /// What it is required of: a resource by its name, or what a check is of.
    #[must_use]
    pub fn of(&self) -> &str {
        match self {
            Self::Permission(need) => {
                let pattern = need.resource.pattern();
                let resource = pattern.splitn(6, ':').nth(5).unwrap_or(pattern);
                resource.strip_prefix("table/").unwrap_or(resource)
            }
            Self::Check { of, .. } => of,
        }
    }
}

impl fmt::Display for Requirement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.id().fmt(f)
    }
}

impl fmt::Display for RequirementId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Permission {
                who,
                action,
                resource,
                ..
            } => {
                let who = match who {
                    Actor::Exporter => "",
                    Actor::Reader => " (destination)",
                    Actor::Service => " (service principal)",
                };
                write!(f, "{action}{who} on {resource}")
            }
            Self::Check { check, of } => write!(f, "{} {of}", check.title()),
        }
    }
}

/// The settings and times that are judged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Check {
    /// The bucket exists, and its Region is known.
    Bucket,
    /// `S3BucketOwner` is sent where it must be, and is right.
    BucketOwner,
    /// Block Public Access leaves other accounts in.
    PublicAccess,
    /// The destination can read what the source writes.
    ObjectOwnership,
    /// The bucket that the job is about exists, and is of the source's account.
    SourceBucket,
    /// Both buckets are in one Region.
    SameRegion,
    /// The account that the service is told to expect is the bucket's owner.
    ExpectedOwner,
    /// The bucket's owner pays.
    RequesterPays,
    /// Where the requester pays, the call says that it will.
    RequestPayer,
    /// What the bucket encrypts with by default is known.
    DefaultEncryption,
    /// The objects that are read are there, and what encrypts them is known.
    StoredObjects,
    /// The objects that are read are those of the bucket's owner, so that its policy covers them.
    ObjectOwner,
    /// The policies name no principal that was deleted.
    StalePrincipal,
    /// The key is one that the export can name.
    KeyName,
    /// The key lies in the bucket's Region.
    KeyRegion,
    /// The key exists and is enabled.
    KeyState,
    /// The table exists, in the account that exports.
    Table,
    /// Point-in-time recovery is on.
    Recovery,
    /// The times lie in the recovery window.
    Window,
    /// The session lasts.
    Session,
    /// The account has room for more exports.
    Quota,
    /// No export of the same table to the same place was started within the hour.
    SamePlace,
    /// No export to the same place failed while all that can be read was as it is now.
    EarlierFailure,
    /// Changes that were just made hold by now.
    YoungChange,
    /// Source, destination, tables and key are of one partition.
    Partition,
    /// The plan keeps to the limits that the configuration sets.
    Limit,
    /// The plan asks for each export once.
    DuplicateRequest,
}

impl Check {
    /// What is checked, in a few words that the thing's name follows.
    #[must_use]
    pub const fn title(self) -> &'static str {
        match self {
            Self::Bucket => "bucket",
            Self::BucketOwner => "owner of bucket",
            Self::PublicAccess => "Block Public Access of",
            Self::ObjectOwnership => "object ownership of",
            Self::SourceBucket => "source bucket",
            Self::SameRegion => "Region of",
            Self::ExpectedOwner => "expected owner of",
            Self::RequesterPays => "payer of",
            Self::RequestPayer => "who pays for requests to",
            Self::DefaultEncryption => "default encryption of",
            Self::StoredObjects => "objects in",
            Self::ObjectOwner => "owner of the objects in",
            Self::StalePrincipal => "principals in the",
            Self::KeyName => "kind of key",
            Self::KeyRegion => "Region of key",
            Self::KeyState => "state of key",
            Self::Table => "table",
            Self::Recovery => "point-in-time recovery of",
            Self::Window => "time of",
            Self::Session => "session of",
            Self::Quota => "running exports of",
            Self::SamePlace => "earlier exports of",
            Self::EarlierFailure => "earlier failure at",
            Self::YoungChange => "change of",
            Self::Partition => "partition of",
            Self::Limit => "configured limit on",
            Self::DuplicateRequest => "repeated request for",
        }
    }

    /// Whether a denial of it puts the plan out of bounds: no remedy brings it back, and nothing forces
    /// it.
    #[must_use]
    pub const fn is_out_of_bounds(self) -> bool {
        matches!(self, Self::Partition | Self::Limit)
    }

    /// Whether a denial of it stops the call itself, so that there is nothing to be gained by trying.
    #[must_use]
    pub const fn stops_the_call(self) -> bool {
        matches!(
            self,
            Self::Bucket
                | Self::BucketOwner
                | Self::Table
                | Self::Recovery
                | Self::Window
                | Self::Partition
                | Self::Limit
                | Self::DuplicateRequest
        )
    }
}
