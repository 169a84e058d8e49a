//! The kind of job that imports a full export into a new table: what it requires, what it reads, and what
//! is checked before it.
//!
//! `DynamoDB` reads the objects and writes a CloudWatch log as the principal that starts the import. The
//! list is that of the developer guide's page "Requesting a table import in DynamoDB" (its permissions),
//! with `s3:ListBucket` on the bucket itself: the page's sample grants it on the objects, where it matches
//! nothing.

pub mod left_behind;
pub(super) mod parse;

use serde::{Deserialize, Serialize};

use super::requirement::{
    Actor, Check, Criticality, DefaultKey, JobContext, Purpose, RequiredPermission, Resource,
    SettledBy, Subject, literal,
};
use super::table_definition::TableDefinition;
use super::{Encryption, JobWords, Plan, WrittenObject};
use tableferry_policy::arn::{AccountId, Arn, BucketName};

/// Starting the import.
const IMPORT: Purpose = Purpose::new(0, "import", "TableferryImport");
/// Following it.
const FOLLOW: Purpose = Purpose::new(1, "follow_import", "TableferryFollowImport");
/// Listing the account's imports.
const LIST: Purpose = Purpose::new(2, "list_imports", "TableferryListImports");
/// Reading the objects.
const READ: Purpose = Purpose::new(3, "read_export", "TableferryReadExport");
/// Decrypting the objects.
const DECRYPT: Purpose = Purpose::new(4, "decrypt_export", "TableferryDecryptExport");
/// Writing the log.
const LOG: Purpose = Purpose::new(5, "log_import", "TableferryLogImport");
/// Finding the log group.
const FIND_LOG: Purpose = Purpose::new(6, "find_log", "TableferryFindLog");
/// Making a table with a customer managed key.
const TABLE_KEY: Purpose = Purpose::new(7, "table_key", "TableferryTableKey");

/// All purposes.
pub(super) const PURPOSES: [Purpose; 8] = [
    IMPORT, FOLLOW, LIST, READ, DECRYPT, LOG, FIND_LOG, TABLE_KEY,
];

pub(super) const WORDS: JobWords = JobWords {
    noun: "import",
    verb: "imports from",
    participle: "importing",
    files: "the exported files",
    on_acl: "without that access control list the writer's account owns what it writes",
    policy: "tableferry-import",
    until: "the import is done",
};

/// The settings and times that bear on an import.
pub(super) const CHECKS: [Check; 7] = [
    Check::Bucket,
    Check::PublicAccess,
    Check::StalePrincipal,
    Check::KeyName,
    Check::KeyState,
    Check::YoungChange,
    Check::Partition,
];

/// Why no probe of it shows anything.
pub(super) const NOT_PROBED: &str =
    "an import reads and logs by DynamoDB, as nothing but an import does: no probe shows that";

/// The id of an import as they look, to stand for the one that the import will get.
const EXAMPLE_ID: &str = "01658528578619-c4d4e311";
/// A data file as they are named.
const EXAMPLE_FILE: &str = "7p2c4kz5bq7dxoiz3fxh2kv5a4.json.gz";
/// The group to which imports log (hashicorp/terraform-provider-aws#38946).
const LOG_GROUP: &str = "/aws-dynamodb/imports";

/// What one `ImportTable` sends, as the journal keeps it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImportRequest {
    /// The ARN of the new table, whose Region is called.
    pub table_arn: Arn,
    /// The table.
    pub definition: TableDefinition,
    /// The bucket of the export.
    pub bucket: BucketName,
    /// Its account.
    pub bucket_owner: Option<AccountId>,
    /// What the data files' keys begin with; it ends in `/data/`.
    pub key_prefix: String,
    /// The client token.
    pub client_token: String,
    /// What the export's manifests count, where they could be read.
    pub archive: Option<ImportedArchive>,
}

/// What an export's manifests count.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImportedArchive {
    /// Data files.
    pub files: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Their items.
    pub items: u64,
}

impl Plan {
    /// The folder of the export that is imported, with a closing slash.
    #[must_use]
    pub fn archive_folder(&self) -> String {
        match self.destination.prefix() {
            Some(prefix) => format!("{prefix}/"),
            None => String::new(),
        }
    }

    /// The folder of the export's data files, with a closing slash: a prefix without one is a plain text,
    /// and `data` also means `data2/`.
    #[must_use]
    pub fn data_folder(&self) -> String {
        format!("{}data/", self.archive_folder())
    }
}

/// A need of an import, with what is the same for most of them.
fn need(
    purpose: Purpose,
    action: &'static str,
    resource: String,
    subject: Subject,
    reason: &'static str,
) -> RequiredPermission {
    RequiredPermission {
        who: Actor::Exporter,
        purpose,
        action,
        resource: Resource::Pattern(resource),
        subject,
        account: None,
        via: None,
        service: None,
        criticality: Criticality::Required,
        is_direct: false,
        settled_by: SettledBy::Import,
        reason,
    }
}

/// Every permission that the importer needs.
pub(super) fn requirements(
    plan: &Plan,
    table: &TableDefinition,
    context: JobContext<'_>,
) -> Vec<RequiredPermission> {
    let mut needs = table_needs(table, context);
    needs.extend(read_needs(plan, context));
    needs.extend(log_needs(context));
    needs.extend(table_key_needs(table, context));
    needs
}

fn table_needs(table: &TableDefinition, context: JobContext<'_>) -> Vec<RequiredPermission> {
    let arn = table_arn(table, context);
    let import = format!("{arn}/import/{EXAMPLE_ID}");
    let direct = |purpose, action, resource: String, example: String, reason| RequiredPermission {
        account: Some(context.account.clone()),
        is_direct: true,
        ..need(
            purpose,
            action,
            resource,
            Subject::Named { example },
            reason,
        )
    };
    vec![
        RequiredPermission {
            // The call itself is refused, and nothing is started.
            settled_by: SettledBy::Start,
            ..direct(
                IMPORT,
                "dynamodb:ImportTable",
                arn.clone(),
                arn.clone(),
                "it starts the import and makes the table",
            )
        },
        RequiredPermission {
            criticality: Criticality::Optional,
            settled_by: SettledBy::Reading,
            ..direct(
                IMPORT,
                "dynamodb:DescribeTable",
                arn.clone(),
                arn.clone(),
                "it is looked whether the name is free",
            )
        },
        RequiredPermission {
            criticality: Criticality::Optional,
            ..direct(
                FOLLOW,
                "dynamodb:DescribeImport",
                format!("{arn}/import/*"),
                import,
                "the import is followed to its end",
            )
        },
        RequiredPermission {
            criticality: Criticality::Optional,
            settled_by: SettledBy::Reading,
            ..direct(
                LIST,
                "dynamodb:ListImports",
                "*".to_owned(),
                regional(context, "dynamodb", "table/*"),
                "an import is found again whose start was not answered",
            )
        },
    ]
}

fn read_needs(plan: &Plan, context: JobContext<'_>) -> Vec<RequiredPermission> {
    let bucket = plan.destination.bucket.arn(context.partition());
    let objects = format!("{bucket}/{}*", literal(&plan.data_folder()));
    let of_bucket = |action, resource, subject, reason| RequiredPermission {
        account: context.owner.cloned(),
        ..need(READ, action, resource, subject, reason)
    };
    let mut needs = vec![
        of_bucket(
            "s3:ListBucket",
            bucket,
            Subject::Folder,
            "DynamoDB lists the export's data files as the caller",
        ),
        of_bucket(
            "s3:GetObject",
            objects,
            Subject::Object,
            "DynamoDB reads the export's data files as the caller",
        ),
    ];
    let named = match (&plan.encryption, context.default_key) {
        (Encryption::BucketDefault, DefaultKey::Named(key)) => Some(key),
        (Encryption::BucketDefault, DefaultKey::None | DefaultKey::Unknown) => None,
        (given, _) => given.key(),
    };
    if let Some(key) = named
        && let Some(resource) = Resource::of_key(key, context)
    {
        let account = key.parse::<Arn>().ok().and_then(|arn| arn.account_id());
        let reason = "S3 decrypts the data files with this key, for the caller";
        let subject = Subject::ObjectKey(key.to_owned());
        needs.push(RequiredPermission {
            resource,
            account: Some(account.unwrap_or_else(|| context.account.clone())),
            ..need(DECRYPT, "kms:Decrypt", String::new(), subject, reason)
        });
    }
    needs
}

/// "`logs:DescribeLogGroups` on `*`", the others on the log group (the guide's page). Of the refusals that
/// were seen, one names the stream `<import id>/info` of the group.
fn log_needs(context: JobContext<'_>) -> Vec<RequiredPermission> {
    let group = regional(context, "logs", &format!("log-group:{LOG_GROUP}"));
    let stream = format!("{group}:log-stream:{EXAMPLE_ID}/info");
    let reason = "DynamoDB writes the import's log as the caller, and fails the import without";
    let log = |purpose, action, resource: String, example: String| RequiredPermission {
        account: Some(context.account.clone()),
        ..need(
            purpose,
            action,
            resource,
            Subject::Named { example },
            reason,
        )
    };
    let mut needs = vec![log(
        FIND_LOG,
        "logs:DescribeLogGroups",
        "*".to_owned(),
        regional(context, "logs", "log-group:*"),
    )];
    let everywhere = format!("{group}*");
    for action in [
        "logs:CreateLogGroup",
        "logs:DescribeLogStreams",
        "logs:PutRetentionPolicy",
    ] {
        needs.push(log(LOG, action, everywhere.clone(), group.clone()));
    }
    for action in ["logs:CreateLogStream", "logs:PutLogEvents"] {
        needs.push(log(LOG, action, everywhere.clone(), stream.clone()));
    }
    needs
}

/// The table's own key is used through `DynamoDB` as the caller; a grant is made on it ("DynamoDB
/// encryption at rest: usage notes").
fn table_key_needs(table: &TableDefinition, context: JobContext<'_>) -> Vec<RequiredPermission> {
    let Some(key) = &table.kms_key else {
        return Vec::new();
    };
    let Some(resource) = Resource::of_key(key, context) else {
        return Vec::new();
    };
    let suffix = context.partition().dns_suffix();
    let account = key.parse::<Arn>().ok().and_then(|arn| arn.account_id());
    let account = account.unwrap_or_else(|| context.account.clone());
    ["kms:DescribeKey", "kms:CreateGrant", "kms:Decrypt"]
        .into_iter()
        .map(|action| RequiredPermission {
            resource: resource.clone(),
            account: Some(account.clone()),
            via: Some(format!("dynamodb.{}.{suffix}", context.region)),
            settled_by: SettledBy::Start,
            ..need(
                TABLE_KEY,
                action,
                String::new(),
                Subject::ObjectKey(key.clone()),
                "the new table is encrypted with this key",
            )
        })
        .collect()
}

fn regional(context: JobContext<'_>, service: &str, resource: &str) -> String {
    let (partition, region) = (context.partition(), context.region);
    format!(
        "arn:{partition}:{service}:{region}:{}:{resource}",
        context.account
    )
}

fn table_arn(table: &TableDefinition, context: JobContext<'_>) -> String {
    regional(context, "dynamodb", &format!("table/{}", table.name))
}

/// A data file, by its key.
pub(super) fn objects(plan: &Plan) -> Vec<WrittenObject> {
    vec![WrittenObject {
        key: format!("{}{EXAMPLE_FILE}", plan.data_folder()),
        is_multipart: false,
    }]
}

/// What is said first to the one who is asked for something; `principal` is who imports.
pub(super) fn opening(plan: &Plan, table: &TableDefinition, principal: &str) -> String {
    format!(
        "We import the DynamoDB export in s3://{}/{} into a new table {}. DynamoDB reads the files as \
         the principal that starts the import, which is {principal}.",
        plan.destination.bucket,
        plan.data_folder(),
        table.name
    )
}

/// The job in a heading.
pub(super) fn title(plan: &Plan, table: &TableDefinition, account: &AccountId) -> String {
    format!(
        "the import of s3://{}/{} into the new table {} of account {account}",
        plan.destination.bucket,
        plan.data_folder(),
        table.name
    )
}
