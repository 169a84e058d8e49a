//! The kind of job that exports tables to a bucket: what it requires, what it writes, and what is
//! checked before it.
//!
//! The list is that of the developer guide's pages on requesting a table export, and of the S3 user
//! guide's on uploads with KMS keys. It is the one place from which policies are written, so that
//! what is asked for and what is granted cannot drift apart.

use super::requirement::{
    Actor, Check, Criticality, JobContext, Purpose, RequiredPermission, Resource, SettledBy,
    Subject, literal,
};
use super::{JobWords, Plan, Span, WrittenObject};
use tableferry_policy::arn::{AccountId, Arn};

/// Starting exports, and reading what must be known before.
pub const EXPORT: Purpose = Purpose::new(0, "export", "TableferryExport");
/// Following exports that were started.
pub const FOLLOW: Purpose = Purpose::new(1, "follow", "TableferryFollow");
/// Listing the exports of the account.
pub const LIST: Purpose = Purpose::new(2, "list", "TableferryList");
/// Writing the objects.
pub const WRITE: Purpose = Purpose::new(3, "write", "TableferryWrite");
/// Encrypting the objects.
pub const ENCRYPT: Purpose = Purpose::new(4, "encrypt", "TableferryEncrypt");
/// Reading tables that have a customer managed key of their own.
pub const READ_TABLE: Purpose = Purpose::new(5, "read_table", "TableferryReadTable");
/// Checking what arrived.
pub const VERIFY: Purpose = Purpose::new(6, "verify", "TableferryVerify");
/// Reading encrypted objects.
pub const DECRYPT: Purpose = Purpose::new(7, "decrypt", "TableferryDecrypt");

/// All purposes.
pub(super) const PURPOSES: [Purpose; 8] = [
    EXPORT, FOLLOW, LIST, WRITE, ENCRYPT, READ_TABLE, VERIFY, DECRYPT,
];

pub(super) const WORDS: JobWords = JobWords {
    noun: "export",
    verb: "exports",
    participle: "exporting",
    files: "the exported files",
    on_acl: "which access control list an export sends is not documented",
    policy: "tableferry-export",
    until: "the export is done",
};

/// The settings and times that bear on an export.
pub(super) const CHECKS: [Check; 20] = [
    Check::Bucket,
    Check::BucketOwner,
    Check::PublicAccess,
    Check::ObjectOwnership,
    Check::RequesterPays,
    Check::StalePrincipal,
    Check::KeyName,
    Check::KeyRegion,
    Check::KeyState,
    Check::Table,
    Check::Recovery,
    Check::Window,
    Check::Session,
    Check::Quota,
    Check::SamePlace,
    Check::EarlierFailure,
    Check::YoungChange,
    Check::Partition,
    Check::Limit,
    Check::DuplicateRequest,
];

/// What a probe cannot show.
pub(super) const NOT_SHOWN: [&str; 3] = [
    "what an export's own writes carry: DynamoDB forwards them, so that aws:ViaAWSService, \
     aws:CalledVia and the source address differ from a direct call's",
    "s3:PutObjectAcl: the probe sends no access control list, and which one an export sends is not \
     documented",
    "a table's own key, and the right to start the export",
];

/// The id of an export as they look, to stand for the one that the export will get.
pub const EXAMPLE_ID: &str = "01763805600000-a1b2c3d4";
/// A data file as they are named.
const EXAMPLE_FILE: &str = "data/7p2c4kz5bq7dxoiz3fxh2kv5a4.json.gz";

/// Every permission that an export needs, of the exporter first.
pub(super) fn requirements(plan: &Plan, context: JobContext<'_>) -> Vec<RequiredPermission> {
    let mut needs = Vec::new();
    table_needs(plan, context, &mut needs);
    write_needs(plan, context, &mut needs);
    key_needs(plan, context, &mut needs);
    table_key_needs(context, &mut needs);
    needs
}

/// What is needed on each table: the purpose, the action, what follows the table's ARN, and why.
const PER_TABLE: [(Purpose, &str, &str, &str); 4] = [
    (
        EXPORT,
        "dynamodb:ExportTableToPointInTime",
        "",
        "it starts the export",
    ),
    (
        EXPORT,
        "dynamodb:DescribeTable",
        "",
        "the table's state and encryption are read before the start",
    ),
    (
        EXPORT,
        "dynamodb:DescribeContinuousBackups",
        "",
        "the recovery window is read before the start",
    ),
    (
        FOLLOW,
        "dynamodb:DescribeExport",
        "/export/*",
        "the export is followed to its end",
    ),
];

fn table_needs(plan: &Plan, context: JobContext<'_>, needs: &mut Vec<RequiredPermission>) {
    let mut tables: Vec<Arn> = Vec::new();
    for job in &plan.tables {
        let arn = plan.table_arn(job, context.account, context.region);
        if !tables.contains(&arn) {
            tables.push(arn);
        }
    }
    for (purpose, action, suffix, reason) in PER_TABLE {
        // "AccessDeniedException": the call itself is refused, and nothing is started.
        let (criticality, settled_by) = match action {
            "dynamodb:ExportTableToPointInTime" => (Criticality::Required, SettledBy::Start),
            "dynamodb:DescribeExport" => (Criticality::Optional, SettledBy::Export),
            _ => (Criticality::Optional, SettledBy::Reading),
        };
        needs.extend(tables.iter().map(|table| RequiredPermission {
            who: Actor::Exporter,
            purpose,
            action,
            resource: Resource::Pattern(format!("{table}{suffix}")),
            subject: if suffix.is_empty() {
                Subject::Table
            } else {
                Subject::TableExport
            },
            account: Some(context.account.clone()),
            via: None,
            service: None,
            criticality,
            is_direct: true,
            settled_by,
            reason,
        }));
    }
    needs.push(RequiredPermission {
        who: Actor::Exporter,
        purpose: LIST,
        action: "dynamodb:ListExports",
        // The Service Authorization Reference has the table as an optional resource type, and had
        // none before; a list that is not narrowed to a table is judged on `*`.
        resource: Resource::Pattern("*".to_owned()),
        subject: Subject::ExportList,
        account: Some(context.account.clone()),
        via: None,
        service: None,
        criticality: Criticality::Optional,
        is_direct: true,
        settled_by: SettledBy::Reading,
        reason: "an export is found again whose start was not answered",
    });
}

fn write_needs(plan: &Plan, context: JobContext<'_>, needs: &mut Vec<RequiredPermission>) {
    let bucket = plan.destination.bucket.arn(context.partition());
    let folder = match plan.destination.prefix() {
        Some(prefix) => format!("{}/AWSDynamoDB/*", literal(prefix)),
        None => "AWSDynamoDB/*".to_owned(),
    };
    let objects = format!("{bucket}/{folder}");
    let of_exporter = [
        (
            "s3:PutObject",
            SettledBy::Probe,
            "DynamoDB writes the files as the caller",
        ),
        (
            "s3:PutObjectAcl",
            SettledBy::Export,
            "AWS documents it among what an export needs",
        ),
        (
            "s3:AbortMultipartUpload",
            SettledBy::Probe,
            "DynamoDB cleans up after an upload that failed",
        ),
    ];
    needs.extend(
        of_exporter
            .into_iter()
            .map(|(action, settled_by, reason)| RequiredPermission {
                who: Actor::Exporter,
                purpose: WRITE,
                action,
                resource: Resource::Pattern(objects.clone()),
                subject: Subject::Object,
                account: context.owner.cloned(),
                via: None,
                service: None,
                criticality: Criticality::Required,
                is_direct: false,
                settled_by,
                reason,
            }),
    );
    let of_reader = [
        (
            "s3:GetObject",
            objects,
            Subject::Object,
            "the manifests are read",
        ),
        (
            "s3:ListBucket",
            bucket,
            Subject::Folder,
            "the files are compared with the manifests",
        ),
    ];
    needs.extend(
        of_reader
            .into_iter()
            .map(|(action, resource, subject, reason)| RequiredPermission {
                who: Actor::Reader,
                purpose: VERIFY,
                action,
                resource: Resource::Pattern(resource),
                subject,
                account: context.owner.cloned(),
                via: None,
                service: None,
                criticality: Criticality::Optional,
                is_direct: true,
                settled_by: SettledBy::Export,
                reason,
            }),
    );
}

fn key_needs(plan: &Plan, context: JobContext<'_>, needs: &mut Vec<RequiredPermission>) {
    let Some(key) = plan.encryption.key() else {
        return;
    };
    let Some(resource) = Resource::of_key(key, context) else {
        return;
    };
    let account = plan
        .key_account()
        .unwrap_or_else(|| context.account.clone());
    let of_exporter = [
        (
            "kms:GenerateDataKey",
            "S3 encrypts the files with this key, for the caller",
        ),
        (
            "kms:Decrypt",
            "the files are uploaded in parts, whose data key S3 decrypts for each",
        ),
    ];
    needs.extend(
        of_exporter
            .into_iter()
            .map(|(action, reason)| RequiredPermission {
                who: Actor::Exporter,
                purpose: ENCRYPT,
                action,
                resource: resource.clone(),
                subject: Subject::ObjectKey(key.to_owned()),
                account: Some(account.clone()),
                via: None,
                service: None,
                criticality: Criticality::Required,
                is_direct: false,
                settled_by: SettledBy::Probe,
                reason,
            }),
    );
    needs.push(RequiredPermission {
        who: Actor::Reader,
        purpose: DECRYPT,
        action: "kms:Decrypt",
        resource,
        subject: Subject::ObjectKey(key.to_owned()),
        account: Some(account),
        via: None,
        service: None,
        criticality: Criticality::Optional,
        is_direct: true,
        settled_by: SettledBy::Export,
        reason: "the manifests are encrypted with this key",
    });
}

/// A table's own key is used through DynamoDB as the caller (the developer guide's page on
/// encryption at rest). It must lie in the table's Region.
///
/// Reading a table takes `kms:Decrypt`; the other actions on it are for tables that are made or
/// written (developer guide, "DynamoDB encryption at rest: usage notes").
fn table_key_needs(context: JobContext<'_>, needs: &mut Vec<RequiredPermission>) {
    let actions = [
        ("kms:Decrypt", Criticality::Required),
        ("kms:GenerateDataKey", Criticality::Optional),
    ];
    for key in context.table_keys {
        let suffix = key.partition.dns_suffix();
        for (action, criticality) in actions {
            needs.push(RequiredPermission {
                who: Actor::Exporter,
                purpose: READ_TABLE,
                action,
                resource: Resource::Pattern(key.to_string()),
                subject: Subject::TableKey,
                account: key.account_id(),
                via: Some(format!("dynamodb.{}.{suffix}", key.region)),
                service: None,
                criticality,
                is_direct: false,
                settled_by: SettledBy::Export,
                reason: "the table is encrypted with this key",
            });
        }
    }
}

/// One object of each kind that the plan's exports write, by its key (developer guide, "DynamoDB
/// table export output format"). A data file is a multipart upload even where it is empty, as its
/// `ETag` shows; the other files are put in one piece.
pub(super) fn objects(plan: &Plan) -> Vec<WrittenObject> {
    let folder = folder(plan);
    let files = [
        "_started",
        "manifest-summary.json",
        "manifest-summary.md5",
        "manifest-files.json",
        "manifest-files.md5",
    ];
    let mut objects: Vec<WrittenObject> = files
        .iter()
        .map(|file| WrittenObject {
            key: format!("{folder}/{EXAMPLE_ID}/{file}"),
            is_multipart: false,
        })
        .collect();
    let data = |folder: String| WrittenObject {
        key: format!("{folder}/{EXAMPLE_FILE}"),
        is_multipart: true,
    };
    if has_full(plan) {
        objects.push(data(format!("{folder}/{EXAMPLE_ID}")));
    }
    if has_incremental(plan) {
        objects.push(data(folder));
    }
    objects
}

/// A key laid out as a data file's, in a folder that no export is called by: an export's id is made of
/// digits and hexadecimal digits.
pub(super) fn probe_key(plan: &Plan, unique: &str) -> String {
    let folder = folder(plan);
    format!("{folder}/tableferry-probe-{unique}/data/probe.json.gz")
}

/// The folders that the verification lists: those of the data files, with an example of an id in
/// those of full exports.
pub(super) fn listed_folders(plan: &Plan) -> Vec<String> {
    let folder = folder(plan);
    let mut listed = Vec::new();
    if has_full(plan) {
        listed.push(format!("{folder}/{EXAMPLE_ID}/data/"));
    }
    if has_incremental(plan) {
        listed.push(format!("{folder}/data/"));
    }
    listed
}

/// The folder of all exports.
fn folder(plan: &Plan) -> String {
    match &plan.destination.prefix {
        Some(prefix) => format!("{prefix}/AWSDynamoDB"),
        None => "AWSDynamoDB".to_owned(),
    }
}

fn has_full(plan: &Plan) -> bool {
    are_incremental(plan).any(|is_incremental| !is_incremental)
}

fn has_incremental(plan: &Plan) -> bool {
    are_incremental(plan).any(|is_incremental| is_incremental)
}

fn are_incremental(plan: &Plan) -> impl Iterator<Item = bool> {
    let tables = plan.tables.iter();
    let selectors = plan.selectors.iter();
    tables
        .map(|job| matches!(job.span, Span::Incremental { .. }))
        .chain(selectors.map(|selector| selector.span.is_incremental()))
}

/// How many tables a request text names; of more it gives the number.
const MOST_TABLES: usize = 5;

/// What is said first to the one who is asked for something; `principal` is who exports.
pub(super) fn opening(plan: &Plan, account: &AccountId, principal: &str) -> String {
    format!(
        "We export {}{} to the bucket {} by DynamoDB's own export to S3. \
         DynamoDB writes the files as the principal that starts the export, which is {principal}.",
        tables(plan),
        // An ARN tells its account itself, and that may be another one.
        if names_arns(plan) {
            String::new()
        } else {
            format!(" of account {account}")
        },
        plan.destination.bucket
    )
}

/// The job in a heading.
pub(super) fn title(plan: &Plan, account: &AccountId) -> String {
    let tables: Vec<String> = plan
        .tables
        .iter()
        .map(|job| job.table.to_string())
        .collect();
    format!(
        "the export of {} from account {account} to the bucket {}",
        tables.join(", "),
        plan.destination.bucket
    )
}

/// The tables by name, or how many they are.
fn tables(plan: &Plan) -> String {
    let mut names: Vec<String> = plan
        .tables
        .iter()
        .take(MOST_TABLES)
        .map(|job| job.table.to_string())
        .collect();
    let more = plan.tables.len() - names.len();
    if more > 0 {
        names.push(format!("{more} more tables"));
    }
    listed(&names)
}

fn names_arns(plan: &Plan) -> bool {
    let mut tables = plan.tables.iter().take(MOST_TABLES);
    tables.any(|job| job.table.to_string().parse::<Arn>().is_ok())
}

/// `a`, `a and b`, `a, b and c`.
fn listed(words: &[impl AsRef<str>]) -> String {
    let words: Vec<&str> = words.iter().map(AsRef::as_ref).collect();
    match words.split_last() {
        Some((last, [])) => (*last).to_owned(),
        Some((last, rest)) => format!("{} and {last}", rest.join(", ")),
        None => String::new(),
    }
}
