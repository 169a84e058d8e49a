//! What a plan needs: which principal must be able to do what, on which resource of which account.
//!
//! The list is that of the developer guide's pages on requesting a table export, and of the S3 user
//! guide's on uploads with KMS keys. It is the one place from which policies are written, so that
//! what is asked for and what is granted cannot drift apart.

mod id;

use std::fmt;

use serde::{Deserialize, Serialize};

pub use id::{Check, Requirement, RequirementId};

use super::facts::{Facts, KeyManager};
use crate::job::Plan;
use tableferry_policy::arn::{AccountId, Arn, Partition, Region};

/// Whose permission it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Who {
    /// The principal that makes the export call, as which DynamoDB also writes to S3.
    Exporter,
    /// The identity on the destination's side, which checks what arrived.
    Reader,
}

/// What a need is about; needs of one purpose go into one statement.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Purpose {
    /// Starting exports, and reading what must be known before.
    Export,
    /// Following exports that were started.
    Follow,
    /// Listing the exports of the account.
    List,
    /// Writing the objects.
    Write,
    /// Encrypting the objects.
    Encrypt,
    /// Reading tables that have a customer managed key of their own.
    ReadTable,
    /// Checking what arrived.
    Verify,
    /// Reading encrypted objects.
    Decrypt,
}

/// A resource, as a policy's `Resource` names it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(untagged)]
pub enum Resource {
    /// An ARN or a pattern of ARNs.
    Pattern(String),
    /// The key that has this alias in an account; a policy cannot name a key by its alias, but by
    /// the condition key `kms:ResourceAliases`.
    KeyByAlias {
        /// The pattern of all keys that it may be.
        pattern: String,
        /// The alias, `alias/…`.
        alias: String,
    },
}

impl Resource {
    /// The pattern for `Resource`.
    #[must_use]
    pub fn pattern(&self) -> &str {
        match self {
            Self::Pattern(pattern) | Self::KeyByAlias { pattern, .. } => pattern,
        }
    }
}

impl fmt::Display for Resource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Pattern(pattern) => f.write_str(pattern),
            Self::KeyByAlias { pattern, alias } => match pattern.parse::<Arn>() {
                Ok(arn) => write!(f, "the key of {alias} in {}", arn.account),
                Err(_) => write!(f, "the key of {alias}"),
            },
        }
    }
}

/// A permission that a plan cannot do without.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequiredPermission {
    /// Who needs it.
    pub who: Who,
    /// What for.
    pub purpose: Purpose,
    /// The action, such as `s3:PutObject`.
    pub action: &'static str,
    /// On what.
    pub resource: Resource,
    /// The account that owns the resource; `None` if nobody knows yet.
    pub account: Option<AccountId>,
    /// The service through which alone it is needed, as `kms:ViaService` names it.
    pub via: Option<String>,
    /// Why, in a sentence's half that follows "because".
    pub reason: &'static str,
}

/// What hangs on a need.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Criticality {
    /// The export itself: without it, it fails.
    Required,
    /// What is read before, while and after: without it, the export goes on unseen or unverified.
    Optional,
}

impl RequiredPermission {
    /// What hangs on it.
    ///
    /// Reading a table's own key takes `kms:Decrypt`; the other actions on it are for tables that
    /// are made or written (developer guide, "DynamoDB encryption at rest: usage notes").
    #[must_use]
    pub fn criticality(&self) -> Criticality {
        let is_of_job = match self.purpose {
            Purpose::Write | Purpose::Encrypt => true,
            Purpose::Export => self.action == "dynamodb:ExportTableToPointInTime",
            Purpose::ReadTable => self.action == "kms:Decrypt",
            Purpose::Follow | Purpose::List | Purpose::Verify | Purpose::Decrypt => false,
        };
        if is_of_job {
            Criticality::Required
        } else {
            Criticality::Optional
        }
    }

    /// Whether the principal itself makes the call, as opposed to a service that acts for it.
    #[must_use]
    pub const fn is_direct(&self) -> bool {
        matches!(
            self.purpose,
            Purpose::Export | Purpose::Follow | Purpose::List | Purpose::Verify
        )
    }
}

/// What must be known beside the plan to say what it needs.
#[derive(Debug, Clone, Copy)]
pub struct JobContext<'a> {
    /// The account that exports.
    pub account: &'a AccountId,
    /// The source's Region, for tables that are named without one.
    pub region: &'a Region,
    /// The bucket's account, where it is known.
    pub owner: Option<&'a AccountId>,
    /// The customer managed keys that encrypt the tables, as `SSEDescription` names them; none
    /// where nobody has looked yet.
    pub table_keys: &'a [Arn],
}

/// Every permission that a plan needs, of the exporter first.
#[must_use]
pub fn needs(plan: &Plan, situation: JobContext<'_>) -> Vec<RequiredPermission> {
    let mut needs = Vec::new();
    table_needs(plan, situation, &mut needs);
    write_needs(plan, situation, &mut needs);
    key_needs(plan, situation, &mut needs);
    table_key_needs(situation, &mut needs);
    needs
}

/// Every permission that a plan needs, by what was read; of the reader only where there is one.
#[must_use]
pub fn needs_by(plan: &Plan, facts: &Facts) -> Vec<RequiredPermission> {
    let table_keys = customer_table_keys(facts);
    let owner = bucket_owner(plan, facts);
    let situation = JobContext {
        account: &facts.source.caller.account,
        region: &facts.source.region,
        owner: owner.as_ref(),
        table_keys: &table_keys,
    };
    let mut needs = needs(plan, situation);
    needs.retain(|need| need.who == Who::Exporter || facts.destination.is_some());
    needs
}

/// The bucket's account: as proved, else as the plan says where nothing speaks against it.
#[must_use]
pub fn bucket_owner(plan: &Plan, facts: &Facts) -> Option<AccountId> {
    facts.bucket.owner.value().cloned().or_else(|| {
        let said = plan.destination.owner.clone()?;
        (!facts.bucket.not_owners.contains(&said)).then_some(said)
    })
}

/// The account that is sent as the bucket's owner: the plan's word, else the account of the
/// destination's profile.
#[must_use]
pub fn owner_sent(plan: &Plan, facts: &Facts) -> Option<AccountId> {
    let destination = facts.destination.as_ref();
    let said = plan.destination.owner.as_ref();
    said.or(destination.map(|side| &side.caller.account))
        .cloned()
}

/// The keys of the tables, each once, without those that AWS manages: `aws/dynamodb` may be used by
/// whoever may use the table.
pub(super) fn customer_table_keys(facts: &Facts) -> Vec<Arn> {
    let mut keys: Vec<Arn> = Vec::new();
    for table in &facts.tables {
        let Some(key) = table
            .description
            .value()
            .and_then(|table| table.key.as_ref())
        else {
            continue;
        };
        let is_of_aws = facts
            .key(&key.to_string())
            .and_then(|known| known.description.value())
            .is_some_and(|known| known.manager == KeyManager::Aws);
        if !is_of_aws && !keys.contains(key) {
            keys.push(key.clone());
        }
    }
    keys
}

/// The key policy's side of a plan: the account of a customer managed key that is named by ARN.
#[must_use]
pub fn key_account(plan: &Plan) -> Option<AccountId> {
    plan.encryption.key()?.parse::<Arn>().ok()?.account_id()
}

fn partition(situation: JobContext<'_>) -> Partition {
    situation.region.partition()
}

/// What is needed on each table: the purpose, the action, what follows the table's ARN, and why.
const PER_TABLE: [(Purpose, &str, &str, &str); 4] = [
    (
        Purpose::Export,
        "dynamodb:ExportTableToPointInTime",
        "",
        "it starts the export",
    ),
    (
        Purpose::Export,
        "dynamodb:DescribeTable",
        "",
        "the table's state and encryption are read before the start",
    ),
    (
        Purpose::Export,
        "dynamodb:DescribeContinuousBackups",
        "",
        "the recovery window is read before the start",
    ),
    (
        Purpose::Follow,
        "dynamodb:DescribeExport",
        "/export/*",
        "the export is followed to its end",
    ),
];

fn table_needs(plan: &Plan, situation: JobContext<'_>, needs: &mut Vec<RequiredPermission>) {
    let mut tables: Vec<Arn> = Vec::new();
    for job in &plan.tables {
        let arn = plan.table_arn(job, situation.account, situation.region);
        if !tables.contains(&arn) {
            tables.push(arn);
        }
    }
    for (purpose, action, suffix, reason) in PER_TABLE {
        needs.extend(tables.iter().map(|table| RequiredPermission {
            who: Who::Exporter,
            purpose,
            action,
            resource: Resource::Pattern(format!("{table}{suffix}")),
            account: Some(situation.account.clone()),
            via: None,
            reason,
        }));
    }
    needs.push(RequiredPermission {
        who: Who::Exporter,
        purpose: Purpose::List,
        action: "dynamodb:ListExports",
        // The Service Authorization Reference has the table as an optional resource type, and had
        // none before; a list that is not narrowed to a table is judged on `*`.
        resource: Resource::Pattern("*".to_owned()),
        account: Some(situation.account.clone()),
        via: None,
        reason: "an export is found again whose start was not answered",
    });
}

fn write_needs(plan: &Plan, situation: JobContext<'_>, needs: &mut Vec<RequiredPermission>) {
    let bucket = plan.destination.bucket.arn(partition(situation));
    let folder = match plan.destination.prefix() {
        Some(prefix) => format!("{}/AWSDynamoDB/*", literal(prefix)),
        None => "AWSDynamoDB/*".to_owned(),
    };
    let objects = format!("{bucket}/{folder}");
    let of_exporter = [
        ("s3:PutObject", "DynamoDB writes the files as the caller"),
        (
            "s3:PutObjectAcl",
            "AWS documents it among what an export needs",
        ),
        (
            "s3:AbortMultipartUpload",
            "DynamoDB cleans up after an upload that failed",
        ),
    ];
    let of_reader = [
        ("s3:GetObject", objects.clone(), "the manifests are read"),
        (
            "s3:ListBucket",
            bucket,
            "the files are compared with the manifests",
        ),
    ];
    let need = |who, purpose, action, resource, reason| RequiredPermission {
        who,
        purpose,
        action,
        resource: Resource::Pattern(resource),
        account: situation.owner.cloned(),
        via: None,
        reason,
    };
    for (action, reason) in of_exporter {
        needs.push(need(
            Who::Exporter,
            Purpose::Write,
            action,
            objects.clone(),
            reason,
        ));
    }
    for (action, resource, reason) in of_reader {
        needs.push(need(Who::Reader, Purpose::Verify, action, resource, reason));
    }
}

fn key_needs(plan: &Plan, situation: JobContext<'_>, needs: &mut Vec<RequiredPermission>) {
    let Some(key) = plan.encryption.key() else {
        return;
    };
    let Some(resource) = key_resource(key, situation) else {
        return;
    };
    let account = key_account(plan).unwrap_or_else(|| situation.account.clone());
    let both = [
        (
            Who::Exporter,
            Purpose::Encrypt,
            "kms:GenerateDataKey",
            "S3 encrypts the files with this key, for the caller",
        ),
        (
            Who::Exporter,
            Purpose::Encrypt,
            "kms:Decrypt",
            "the files are uploaded in parts, whose data key S3 decrypts for each",
        ),
        (
            Who::Reader,
            Purpose::Decrypt,
            "kms:Decrypt",
            "the manifests are encrypted with this key",
        ),
    ];
    needs.extend(
        both.into_iter()
            .map(|(who, purpose, action, reason)| RequiredPermission {
                who,
                purpose,
                action,
                resource: resource.clone(),
                account: Some(account.clone()),
                via: None,
                reason,
            }),
    );
}

/// A table's own key is used through DynamoDB as the caller (the developer guide's page on
/// encryption at rest). It must lie in the table's Region.
fn table_key_needs(situation: JobContext<'_>, needs: &mut Vec<RequiredPermission>) {
    for key in situation.table_keys {
        let suffix = key.partition.dns_suffix();
        for action in ["kms:Decrypt", "kms:GenerateDataKey"] {
            needs.push(RequiredPermission {
                who: Who::Exporter,
                purpose: Purpose::ReadTable,
                action,
                resource: Resource::Pattern(key.to_string()),
                account: key.account_id(),
                via: Some(format!("dynamodb.{}.{suffix}", key.region)),
                reason: "the table is encrypted with this key",
            });
        }
    }
}

/// The key as a policy can name it; `None` for an AWS managed key, for which nothing can be
/// granted.
///
/// An id or an alias without an account is looked for in the caller's.
fn key_resource(key: &str, situation: JobContext<'_>) -> Option<Resource> {
    let partition = partition(situation);
    let (region, account, id) = match key.parse::<Arn>() {
        Ok(arn) => (arn.region, arn.account, arn.resource),
        Err(_) if key.starts_with("alias/") => (
            "*".to_owned(),
            situation.account.to_string(),
            key.to_owned(),
        ),
        Err(_) => (
            "*".to_owned(),
            situation.account.to_string(),
            format!("key/{key}"),
        ),
    };
    if id.starts_with("alias/aws/") || id.starts_with("key/aws/") {
        return None;
    }
    let arn = |resource: &str| format!("arn:{partition}:kms:{region}:{account}:{resource}");
    Some(if id.starts_with("alias/") {
        Resource::KeyByAlias {
            pattern: arn("key/*"),
            alias: id,
        }
    } else {
        Resource::Pattern(arn(&id))
    })
}

/// A text as a policy's `Resource` takes it word for word: what would be a wildcard or the
/// beginning of a variable is written as the variable that stands for it (the IAM user guide's
/// page on policy variables, "Special characters").
fn literal(text: &str) -> String {
    let mut written = String::with_capacity(text.len());
    let mut characters = text.chars().peekable();
    while let Some(character) = characters.next() {
        match character {
            '*' => written.push_str("${*}"),
            '?' => written.push_str("${?}"),
            '$' if characters.peek() == Some(&'{') => written.push_str("${$}"),
            other => written.push(other),
        }
    }
    written
}
