//! The kinds of jobs that write exported items into a table that is there: a full export is loaded, and
//! incremental ones are replayed onto a table that holds a full one.
//!
//! The items are written by this program, by `BatchWriteItem` as the source's principal, and the files are
//! read as the destination's. Nothing of the table is taken back by the service, so that its point-in-time
//! recovery must be on.

mod address;
pub(super) mod parse;
mod request;

pub use address::ArchiveAddress;
pub use parse::target;
pub use request::{LoadRequest, Position};

use std::path::PathBuf;

use jiff::Timestamp;

use super::requirement::{
    Actor, Check, Criticality, JobContext, Purpose, RequiredPermission, Resource, SettledBy,
    Subject, literal,
};
use super::{JobWords, Plan, WrittenObject, shell_option};
use tableferry_policy::arn::{AccountId, Arn};

/// Writing the items.
const WRITE: Purpose = Purpose::new(0, "write_items", "TableferryWriteItems");
/// Counting what is there.
const COUNT: Purpose = Purpose::new(1, "count_items", "TableferryCountItems");
/// Reading the files.
const READ: Purpose = Purpose::new(2, "read_archive", "TableferryReadArchive");
/// Decrypting the files.
const DECRYPT: Purpose = Purpose::new(3, "decrypt_archive", "TableferryDecryptArchive");
/// Writing to a table with a customer managed key.
const TABLE_KEY: Purpose = Purpose::new(4, "written_table_key", "TableferryWrittenTableKey");

/// All purposes.
pub(super) const PURPOSES: [Purpose; 5] = [WRITE, COUNT, READ, DECRYPT, TABLE_KEY];

/// What is written into a table that is there.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Load {
    /// The most write units a second; by default the program's own, or the table's where they are fewer.
    pub most_write_units: Option<u64>,
    /// Whether the table may be the one that was exported.
    pub is_onto_source: bool,
    /// A copy of the full export on this machine, which is read in place of the bucket.
    pub directory: Option<PathBuf>,
    /// The incremental exports that are replayed, in the order of their windows; none of a load.
    pub windows: Vec<ArchiveAddress>,
}

impl Load {
    /// Whether incremental exports are replayed, and not a full one loaded.
    #[must_use]
    pub const fn is_replay(&self) -> bool {
        !self.windows.is_empty()
    }

    /// Whether everything is read on this machine.
    fn is_local(&self) -> bool {
        let is_directory = |window: &ArchiveAddress| matches!(window, ArchiveAddress::Directory(_));
        self.directory.is_some() && self.windows.iter().all(is_directory)
    }

    /// What the job is called in messages.
    pub(super) const fn words(&self) -> JobWords {
        let (noun, verb, participle, policy, until) = if self.is_replay() {
            (
                "replay",
                "replays from",
                "replaying",
                "tableferry-replay",
                "the replay is done",
            )
        } else {
            (
                "load",
                "loads from",
                "loading",
                "tableferry-load",
                "the load is done",
            )
        };
        JobWords {
            noun,
            verb,
            participle,
            files: "the exported files",
            on_acl: "without that access control list the writer's account owns what it writes",
            policy,
            until,
        }
    }

    /// The settings and times that bear on the job.
    pub(super) fn checks(&self) -> &'static [Check] {
        if self.is_local() {
            &OF_TABLE
        } else {
            &OF_TABLE_AND_BUCKET
        }
    }
}

const OF_TABLE: [Check; 4] = [
    Check::Table,
    Check::Recovery,
    Check::YoungChange,
    Check::Partition,
];

const OF_TABLE_AND_BUCKET: [Check; 9] = [
    Check::Bucket,
    Check::PublicAccess,
    Check::StalePrincipal,
    Check::KeyName,
    Check::KeyState,
    Check::Table,
    Check::Recovery,
    Check::YoungChange,
    Check::Partition,
];

/// Why no probe of it shows anything.
pub(super) const NOT_PROBED: &str = "whether items may be written is shown by nothing but a write of one, which a probe does not make";

/// A data file as they are named.
const EXAMPLE_FILE: &str = "data/7p2c4kz5bq7dxoiz3fxh2kv5a4.json.gz";

/// Every permission that the job needs, of the principal that writes first.
pub(super) fn requirements(
    plan: &Plan,
    load: &Load,
    context: JobContext<'_>,
) -> Vec<RequiredPermission> {
    let mut needs = table_needs(plan, load, context);
    if !load.is_local() {
        needs.extend(read_needs(plan, load, context));
    }
    needs.extend(table_key_needs(context));
    needs
}

/// The table's ARN.
fn table_arn(plan: &Plan, context: JobContext<'_>) -> Option<Arn> {
    let job = plan.tables.first()?;
    Some(plan.table_arn(job, context.account, context.region))
}

fn table_needs(plan: &Plan, load: &Load, context: JobContext<'_>) -> Vec<RequiredPermission> {
    let Some(table) = table_arn(plan, context) else {
        return Vec::new();
    };
    let need = |purpose, action, criticality, settled_by, reason| RequiredPermission {
        who: Actor::Exporter,
        purpose,
        action,
        resource: Resource::Pattern(table.to_string()),
        subject: Subject::Table,
        account: Some(context.account.clone()),
        via: None,
        service: None,
        criticality,
        is_direct: true,
        settled_by,
        reason,
    };
    let mut needs = vec![
        need(
            WRITE,
            "dynamodb:BatchWriteItem",
            Criticality::Required,
            SettledBy::Start,
            "it writes the items",
        ),
        need(
            WRITE,
            "dynamodb:DescribeTable",
            Criticality::Required,
            SettledBy::Reading,
            "the table's keys, state and capacity are read before the first write",
        ),
        need(
            WRITE,
            "dynamodb:DescribeContinuousBackups",
            Criticality::Required,
            SettledBy::Reading,
            "nothing is written where the table cannot be restored",
        ),
    ];
    if !load.is_replay() {
        needs.push(need(
            COUNT,
            "dynamodb:Scan",
            Criticality::Optional,
            SettledBy::Reading,
            "the items that the export lacks are counted afterwards",
        ));
    }
    needs
}

/// Where the manifests of all exports lie, each a folder with a closing slash, and those of their data
/// files.
fn folders(plan: &Plan, load: &Load) -> Vec<String> {
    let mut folders = vec![plan.archive_folder()];
    for window in &load.windows {
        let ArchiveAddress::Bucket { folder, .. } = window else {
            continue;
        };
        // Incremental exports share one folder of data files beside their own.
        let shared = folder
            .trim_end_matches('/')
            .rsplit_once('/')
            .map(|(above, _)| format!("{above}/data/"));
        folders.push(folder.clone());
        folders.extend(shared.filter(|shared| !folders.contains(shared)));
    }
    folders
}

fn read_needs(plan: &Plan, load: &Load, context: JobContext<'_>) -> Vec<RequiredPermission> {
    let bucket = plan.destination.bucket.arn(context.partition());
    let need = |purpose, action, resource, subject, account, reason| RequiredPermission {
        who: Actor::Reader,
        purpose,
        action,
        resource,
        subject,
        account,
        via: None,
        service: None,
        criticality: Criticality::Required,
        is_direct: true,
        settled_by: SettledBy::Reading,
        reason,
    };
    let owner = context.owner.cloned();
    let folders = folders(plan, load);
    let mut needs: Vec<RequiredPermission> = folders
        .iter()
        .map(|folder| {
            let objects = Resource::Pattern(format!("{bucket}/{}*", literal(folder)));
            let reason = "the manifests and the data files are read";
            need(
                READ,
                "s3:GetObject",
                objects,
                Subject::Object,
                owner.clone(),
                reason,
            )
        })
        .collect();
    needs.push(need(
        READ,
        "s3:ListBucket",
        Resource::Pattern(bucket),
        Subject::Folder,
        owner,
        "the files are compared with the manifests",
    ));
    let keys = context
        .stored_keys
        .or_named(&plan.encryption, context.default_key);
    needs.extend(keys.into_iter().filter_map(|key| {
        let resource = Resource::of_key(&key, context)?;
        let account = key.parse::<Arn>().ok().and_then(|arn| arn.account_id());
        let account = account.unwrap_or_else(|| context.account.clone());
        let reason = "S3 decrypts the files with this key, for the reader";
        Some(need(
            DECRYPT,
            "kms:Decrypt",
            resource,
            Subject::ObjectKey(key),
            Some(account),
            reason,
        ))
    }));
    needs
}

/// A table's own key is used through `DynamoDB` as the caller ("`DynamoDB` encryption at rest: usage
/// notes").
fn table_key_needs(context: JobContext<'_>) -> Vec<RequiredPermission> {
    let actions = [
        ("kms:Decrypt", Criticality::Required),
        ("kms:GenerateDataKey", Criticality::Optional),
    ];
    let keys = context.table_keys.iter();
    keys.flat_map(|key| {
        let suffix = key.partition.dns_suffix();
        actions.map(|(action, criticality)| RequiredPermission {
            who: Actor::Exporter,
            purpose: TABLE_KEY,
            action,
            resource: Resource::Pattern(key.to_string()),
            subject: Subject::TableKey,
            account: key.account_id(),
            via: Some(format!("dynamodb.{}.{suffix}", key.region)),
            service: None,
            criticality,
            is_direct: false,
            settled_by: SettledBy::Start,
            reason: "the table is encrypted with this key",
        })
    })
    .collect()
}

/// The command that restores what a table was at a moment, into a new table: a restore has no other.
#[must_use]
pub fn restore_command(table: &Arn, at: Timestamp) -> String {
    let name = table.resource_after("table").unwrap_or_default();
    format!(
        "aws dynamodb restore-table-to-point-in-time {} {} {} --restore-date-time {at}",
        shell_option("region", &table.region),
        shell_option("source-table-name", name),
        shell_option("target-table-name", &format!("{name}-before"))
    )
}

/// A data file and a manifest, by their keys.
pub(super) fn objects(plan: &Plan) -> Vec<WrittenObject> {
    ["manifest-summary.json", EXAMPLE_FILE]
        .map(|name| WrittenObject {
            key: format!("{}{name}", plan.archive_folder()),
            is_multipart: false,
        })
        .to_vec()
}

/// The table as the plan names it.
fn table(plan: &Plan) -> String {
    plan.tables
        .first()
        .map_or_else(String::new, |job| job.table.to_string())
}

/// What is said first to the one who is asked for something; `principal` is who writes.
pub(super) fn opening(plan: &Plan, load: &Load, principal: &str) -> String {
    let what = if load.is_replay() {
        "replay incremental DynamoDB exports in".to_owned()
    } else {
        "load the DynamoDB export in".to_owned()
    };
    format!(
        "We {what} s3://{}/{} into the table {}. The items are written by {principal}.",
        plan.destination.bucket,
        plan.archive_folder(),
        table(plan)
    )
}

/// The job in a heading.
pub(super) fn title(plan: &Plan, load: &Load, account: &AccountId) -> String {
    format!(
        "the {} of s3://{}/{} into the table {} of account {account}",
        load.words().noun,
        plan.destination.bucket,
        plan.archive_folder(),
        table(plan)
    )
}
