//! What a job requires: which principal must be able to do what, on which resource of which account.
//!
//! A kind of job says it in its own file, as data: who needs the permission, what it is made on, how
//! much depends on it, and what settles it. The one who assesses reads that data, and knows no kinds.

mod id;
mod resource;

use serde::{Deserialize, Serialize, Serializer};

pub use id::{Check, Requirement, RequirementId};
pub use resource::{Resource, literal};

use super::Encryption;
use tableferry_policy::arn::{AccountId, Arn, BucketName, Partition, Region};

/// Whose permission it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Actor {
    /// The principal that makes the export call, as which DynamoDB also writes to S3.
    Exporter,
    /// The identity on the destination's side, which checks what arrived.
    Reader,
    /// An AWS service that acts for a resource, as [`ServiceActor`] says.
    Service,
}

/// An AWS service that makes calls for itself, acting for a resource.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServiceActor {
    /// Its principal, such as `s3.amazonaws.com`.
    pub name: &'static str,
    /// The resource that it acts for, as `aws:SourceArn` has it.
    pub source_arn: String,
    /// The resource's account, as `aws:SourceAccount` has it.
    pub source_account: AccountId,
    /// What a grant to it carries: what keeps others from having it act for them ("The confused deputy
    /// problem"), and what its calls send.
    pub grant_conditions: Vec<GrantCondition>,
}

impl ServiceActor {
    /// A service that acts for a resource, and sends `sent`, key by key.
    #[must_use]
    pub fn new(
        name: &'static str,
        source_arn: String,
        source_account: AccountId,
        sent: &[(&'static str, &str)],
    ) -> Self {
        let mut grant_conditions = vec![
            GrantCondition {
                operator: "ArnLike",
                key: "aws:SourceArn",
                value: source_arn.clone(),
            },
            GrantCondition {
                operator: "StringEquals",
                key: "aws:SourceAccount",
                value: source_account.to_string(),
            },
        ];
        grant_conditions.extend(sent.iter().map(|(key, value)| GrantCondition {
            operator: "StringEquals",
            key,
            value: (*value).to_owned(),
        }));
        Self {
            name,
            source_arn,
            source_account,
            grant_conditions,
        }
    }
}

/// A condition that a grant of a permission carries, so that it lets through no more than is needed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GrantCondition {
    /// The operator.
    pub operator: &'static str,
    /// The condition key.
    pub key: &'static str,
    /// The value.
    pub value: String,
}

/// What a permission is for; permissions of one purpose go into one statement.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Purpose {
    /// Where its statement stands among those of the job.
    rank: u8,
    name: &'static str,
    sid: &'static str,
}

impl Purpose {
    /// A purpose of this name, whose statement has this Sid; purposes of one Sid share no document.
    #[must_use]
    pub const fn new(rank: u8, name: &'static str, sid: &'static str) -> Self {
        Self { rank, name, sid }
    }

    /// The Sid of its statement.
    #[must_use]
    pub const fn sid(self) -> &'static str {
        self.sid
    }
}

impl Serialize for Purpose {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name)
    }
}

/// What the requests under a permission are made on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Subject {
    /// A table of the plan.
    Table,
    /// An export of a table.
    TableExport,
    /// The exports of each table of the plan, as a list.
    ExportList,
    /// The bucket that the job is about, which the source owns.
    SourceBucket,
    /// The objects that the job writes or reads.
    Object,
    /// The folders that the job lists.
    Folder,
    /// The key of the objects, as the plan or the bucket names it.
    ObjectKey(String),
    /// A table's own key.
    TableKey,
    /// Something that is named in full, or of which this ARN is an example: a table that is not there
    /// yet, an import of it, a log.
    Named {
        /// The ARN.
        example: String,
    },
}

impl Subject {
    /// Whether it is the bucket or in it.
    #[must_use]
    pub const fn is_of_bucket(&self) -> bool {
        matches!(self, Self::Object | Self::Folder | Self::SourceBucket)
    }

    /// Whether it is the bucket that the job writes to or reads from, or in it.
    #[must_use]
    pub const fn is_of_destination(&self) -> bool {
        matches!(self, Self::Object | Self::Folder)
    }

    /// The key of the objects, if it is that.
    #[must_use]
    pub fn object_key(&self) -> Option<&str> {
        match self {
            Self::ObjectKey(key) => Some(key),
            _ => None,
        }
    }
}

/// What settles an unknown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum SettledBy {
    /// Reading what could not be read.
    Reading,
    /// The start itself: the call is refused at once, and nothing is started or billed.
    Start,
    /// A probe.
    Probe,
    /// Only the export.
    Export,
    /// Only what the service delivers next.
    Delivery,
    /// Only the import.
    Import,
}

impl SettledBy {
    /// It in words, to be read after "settled by".
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Reading => "reading it",
            Self::Start => "the start, which is refused at once",
            Self::Probe => "a probe",
            Self::Export => "only the export",
            Self::Delivery => "only the next delivery",
            Self::Import => "only the import",
        }
    }
}

/// How much depends on a requirement.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Criticality {
    /// The job itself: without it, it fails.
    Required,
    /// What is read or tidied up beside it: without it, the job goes on unseen or unverified.
    Optional,
}

/// A permission that a plan cannot do without.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequiredPermission {
    /// Who needs it.
    pub who: Actor,
    /// What for.
    pub purpose: Purpose,
    /// The action, such as `s3:PutObject`.
    pub action: &'static str,
    /// On what.
    pub resource: Resource,
    /// What its requests are made on.
    pub subject: Subject,
    /// The account that owns the resource; `None` if nobody knows yet.
    pub account: Option<AccountId>,
    /// The service through which alone it is needed, as `kms:ViaService` names it.
    pub via: Option<String>,
    /// The service that needs it, where it is one.
    pub service: Option<Box<ServiceActor>>,
    /// How much depends on it.
    pub criticality: Criticality,
    /// Whether the principal itself makes the call or S3 does for it, as opposed to `DynamoDB`.
    pub is_direct: bool,
    /// What settles it where it is unknown.
    pub settled_by: SettledBy,
    /// Why, in a sentence's half that follows "because".
    pub reason: &'static str,
}

impl RequiredPermission {
    /// The bucket that it is on, for one on a bucket or on what lies in it.
    #[must_use]
    pub fn bucket(&self) -> Option<BucketName> {
        let (_, resource) = self.resource.pattern().split_once(":s3:::")?;
        resource.split('/').next()?.parse().ok()
    }

    /// What a grant of it carries, beside what narrows its principal.
    #[must_use]
    pub fn grant_conditions(&self) -> &[GrantCondition] {
        let service = self.service.as_ref();
        service.map_or(&[], |service| service.grant_conditions.as_slice())
    }

    /// Whether S3 uses the key of the job's objects for the one who does the job.
    #[must_use]
    pub fn is_encrypting(&self) -> bool {
        self.who != Actor::Reader && self.subject.object_key().is_some()
    }
}

/// The key that a bucket encrypts with by default.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DefaultKey<'a> {
    /// None: S3 holds the keys.
    None,
    /// This one, as the bucket names it.
    Named(&'a str),
    /// It was not read.
    Unknown,
}

/// The KMS keys of the objects that a job reads, as S3 names them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StoredKeys {
    /// None are there, or the job reads none.
    NothingThere,
    /// Nobody could look at one.
    Unread,
    /// These were found, each once; none where S3 holds the keys.
    Found {
        /// Their ARNs.
        keys: Vec<String>,
        /// Whether every object was looked at that was chosen.
        is_whole: bool,
    },
}

/// What must be known beside the plan to say what it requires.
#[derive(Debug, Clone, Copy)]
pub struct JobContext<'a> {
    /// The account of the principal that does the job.
    pub account: &'a AccountId,
    /// The source's Region, for tables that are named without one.
    pub region: &'a Region,
    /// The bucket's account, where it is known.
    pub owner: Option<&'a AccountId>,
    /// The key of the bucket's default encryption.
    pub default_key: DefaultKey<'a>,
    /// What encrypts the objects that are there.
    pub stored_keys: &'a StoredKeys,
    /// The customer managed keys that encrypt the tables, as `SSEDescription` names them; none
    /// where nobody has looked yet.
    pub table_keys: &'a [Arn],
}

impl StoredKeys {
    /// The keys that the objects have or will have: those that were found on them; what could not be
    /// looked at has the one that the plan names; and what is not there yet will have the plan's or
    /// the bucket's default, `default`.
    #[must_use]
    pub fn or_named(&self, encryption: &Encryption, default: DefaultKey<'_>) -> Vec<String> {
        let named = match encryption {
            Encryption::Kms { .. } => Some(encryption.key().unwrap_or(AWS_MANAGED)),
            Encryption::Aes256 | Encryption::BucketDefault => None,
        };
        let default = match (self, encryption, default) {
            (Self::NothingThere, Encryption::BucketDefault, DefaultKey::Named(key)) => Some(key),
            _ => None,
        };
        let (mut keys, is_whole) = match self {
            Self::Found { keys, is_whole } => (keys.clone(), *is_whole),
            Self::NothingThere | Self::Unread => (Vec::new(), false),
        };
        let besides = named.or(default).filter(|_| !is_whole);
        keys.extend(besides.map(str::to_owned).filter(|key| !keys.contains(key)));
        keys
    }
}

/// What stands for a key where KMS is asked for and no key is named.
pub const AWS_MANAGED: &str = "alias/aws/s3";

impl JobContext<'_> {
    /// The partition of the source's Region.
    #[must_use]
    pub fn partition(&self) -> Partition {
        self.region.partition()
    }
}
