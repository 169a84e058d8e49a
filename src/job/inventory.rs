//! The kind of job that has S3 deliver an inventory of a bucket: what the service needs, and what is
//! checked before.
//!
//! S3 writes the reports itself, as its own principal acting for the source bucket, so that no
//! identity policy allows it anything: the destination's bucket policy and the key's policy do. The list
//! is that of the S3 user guide's pages "Amazon S3 Inventory", "Configuring Amazon S3 Inventory" and
//! "Bucket policy examples, Granting permissions for S3 Inventory".

pub mod configuration;
pub(super) mod parse;
pub mod render;

use super::requirement::{
    Actor, Check, Criticality, DefaultKey, JobContext, Purpose, RequiredPermission, Resource,
    ServiceActor, SettledBy, Subject, literal,
};
use super::{Encryption, JobWords, Plan, WrittenObject};
use tableferry_policy::arn::{AccountId, Arn, BucketName};

/// Writing the configuration, by the source's profile.
const SET_UP: Purpose = Purpose::new(0, "inventory_setup", "TableferryInventorySetup");
/// Writing the reports, by S3.
const DELIVER: Purpose = Purpose::new(1, "inventory_delivery", "TableferryInventory");
/// Encrypting the reports, by S3.
const ENCRYPT: Purpose = Purpose::new(2, "inventory_encryption", "TableferryInventoryEncrypt");
/// Checking what arrived, by the destination's profile.
const VERIFY: Purpose = Purpose::new(3, "inventory_status", "TableferryInventoryStatus");
/// Reading encrypted reports, by the destination's profile.
const DECRYPT: Purpose = Purpose::new(4, "inventory_decryption", "TableferryInventoryDecrypt");

/// All purposes.
pub(super) const PURPOSES: [Purpose; 5] = [SET_UP, DELIVER, ENCRYPT, VERIFY, DECRYPT];

/// The principal that S3 delivers as.
const SERVICE: &str = "s3.amazonaws.com";
/// The access control list that the reports come with.
const ACL: &str = "bucket-owner-full-control";

/// What S3 is asked to deliver.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Inventory {
    /// The bucket whose objects are listed.
    pub bucket: BucketName,
    /// The configuration's id.
    pub id: String,
    /// The format of the data files.
    pub format: InventoryFormat,
    /// How often a report is made.
    pub frequency: InventoryFrequency,
    /// Which versions are listed.
    pub versions: InventoryVersions,
    /// What the keys of the listed objects begin with; all where there is none.
    pub filter: Option<String>,
    /// The columns beside bucket and key (`OptionalFields`).
    pub fields: Vec<String>,
}

/// The format of the data files.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum InventoryFormat {
    /// Comma-separated values, compressed with gzip.
    #[default]
    Csv,
    /// Apache ORC, compressed with zlib.
    Orc,
    /// Apache Parquet, compressed with Snappy.
    Parquet,
}

impl InventoryFormat {
    /// The words of the API.
    pub(super) const WORDS: [(&'static str, Self); 3] = [
        ("CSV", Self::Csv),
        ("ORC", Self::Orc),
        ("Parquet", Self::Parquet),
    ];

    /// The word of the API.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Csv => "CSV",
            Self::Orc => "ORC",
            Self::Parquet => "Parquet",
        }
    }
}

/// How often a report is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum InventoryFrequency {
    /// Every day.
    #[default]
    Daily,
    /// On Sundays, by UTC.
    Weekly,
}

impl InventoryFrequency {
    /// The words of the API.
    pub(super) const WORDS: [(&'static str, Self); 2] =
        [("Daily", Self::Daily), ("Weekly", Self::Weekly)];

    /// The word of the API.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Daily => "Daily",
            Self::Weekly => "Weekly",
        }
    }
}

/// Which versions of the objects are listed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum InventoryVersions {
    /// The current one of each.
    #[default]
    Current,
    /// All, with the columns that tell them apart.
    All,
}

impl InventoryVersions {
    /// The words of the API.
    pub(super) const WORDS: [(&'static str, Self); 2] =
        [("Current", Self::Current), ("All", Self::All)];

    /// The word of the API.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Current => "Current",
            Self::All => "All",
        }
    }
}

/// `OptionalFields`, as the API reference of `PutBucketInventoryConfiguration` lists them.
pub(super) const FIELDS: [&str; 19] = [
    "Size",
    "LastModifiedDate",
    "StorageClass",
    "ETag",
    "IsMultipartUploaded",
    "ReplicationStatus",
    "EncryptionStatus",
    "ObjectLockRetainUntilDate",
    "ObjectLockMode",
    "ObjectLockLegalHoldStatus",
    "ObjectLockEventHoldStatus",
    "ObjectLockEventHoldDuration",
    "IntelligentTieringAccessTier",
    "BucketKeyStatus",
    "ChecksumAlgorithm",
    "ObjectAccessControlList",
    "ObjectOwner",
    "LifecycleExpirationDate",
    "IntelligentTieringReferenceDate",
];

pub(super) const WORDS: JobWords = JobWords {
    noun: "inventory",
    verb: "is inventoried",
    participle: "source",
    files: "the inventory reports",
    on_acl: "S3 sends bucket-owner-full-control with each report",
    policy: "tableferry-inventory",
    until: "the reports are no longer wanted",
};

/// The settings that bear on a delivery.
///
/// Not among them: Block Public Access, which lets AWS service principals in, and object ownership,
/// since the reports come with `bucket-owner-full-control`.
pub(super) const CHECKS: [Check; 12] = [
    Check::Bucket,
    Check::SourceBucket,
    Check::SameRegion,
    Check::ExpectedOwner,
    Check::DefaultEncryption,
    Check::StalePrincipal,
    Check::KeyName,
    Check::KeyRegion,
    Check::KeyState,
    Check::YoungChange,
    Check::Partition,
    Check::Limit,
];

impl Inventory {
    /// What the keys of all its reports begin with, without a closing slash.
    #[must_use]
    pub fn folder(&self, plan: &Plan) -> String {
        let name = format!("{}/{}", self.bucket, self.id);
        match &plan.destination.prefix {
            Some(prefix) => format!("{prefix}/{name}"),
            None => name,
        }
    }
}

/// Every permission that the job needs, of the source's profile first.
pub(super) fn requirements(
    plan: &Plan,
    inventory: &Inventory,
    context: JobContext<'_>,
) -> Vec<RequiredPermission> {
    let mut needs = set_up_needs(inventory, context);
    needs.push(delivery_need(plan, inventory, context));
    needs.extend(reader_needs(plan, inventory, context));
    needs.extend(key_needs(plan, inventory, context));
    needs
}

fn set_up_needs(inventory: &Inventory, context: JobContext<'_>) -> Vec<RequiredPermission> {
    let actions = [
        (
            "s3:PutInventoryConfiguration",
            Criticality::Required,
            SettledBy::Start,
            "it writes the inventory configuration",
        ),
        (
            "s3:GetInventoryConfiguration",
            Criticality::Optional,
            SettledBy::Reading,
            "the configuration is read before it is written, and read back",
        ),
    ];
    let needs = actions.into_iter();
    needs
        .map(
            |(action, criticality, settled_by, reason)| RequiredPermission {
                who: Actor::Exporter,
                purpose: SET_UP,
                action,
                resource: Resource::Pattern(inventory.bucket.arn(context.partition())),
                subject: Subject::SourceBucket,
                account: Some(context.account.clone()),
                via: None,
                service: None,
                criticality,
                is_direct: true,
                settled_by,
                reason,
            },
        )
        .collect()
}

/// The service that delivers, for the source bucket.
fn service(
    inventory: &Inventory,
    context: JobContext<'_>,
    sent: &[(&'static str, &str)],
) -> ServiceActor {
    let source_arn = inventory.bucket.arn(context.partition());
    ServiceActor::new(SERVICE, source_arn, context.account.clone(), sent)
}

fn delivery_need(
    plan: &Plan,
    inventory: &Inventory,
    context: JobContext<'_>,
) -> RequiredPermission {
    let bucket = plan.destination.bucket.arn(context.partition());
    // The samples of the user guide lay the files out in more than one way, all below the source's name.
    let folder = match plan.destination.prefix() {
        Some(prefix) => format!("{}/{}", literal(prefix), inventory.bucket),
        None => inventory.bucket.to_string(),
    };
    RequiredPermission {
        who: Actor::Service,
        purpose: DELIVER,
        action: "s3:PutObject",
        resource: Resource::Pattern(format!("{bucket}/{folder}/*")),
        subject: Subject::Object,
        account: context.owner.cloned(),
        via: None,
        service: Some(Box::new(service(
            inventory,
            context,
            &[("s3:x-amz-acl", ACL)],
        ))),
        criticality: Criticality::Required,
        is_direct: true,
        settled_by: SettledBy::Delivery,
        reason: "S3 writes the reports as its own principal",
    }
}

fn reader_needs(
    plan: &Plan,
    inventory: &Inventory,
    context: JobContext<'_>,
) -> Vec<RequiredPermission> {
    let bucket = plan.destination.bucket.arn(context.partition());
    let folder = literal(&inventory.folder(plan));
    let needs = [
        (
            "s3:GetObject",
            format!("{bucket}/{folder}/*"),
            Subject::Object,
            "the newest report is verified",
        ),
        (
            "s3:ListBucket",
            bucket,
            Subject::Folder,
            "the reports that arrived are listed",
        ),
    ];
    let needs = needs.into_iter();
    needs
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
            settled_by: SettledBy::Reading,
            reason,
        })
        .collect()
}

/// "Grant S3 permission to use your AWS KMS key for encryption" ("Configuring Amazon S3 Inventory") has
/// `kms:GenerateDataKey` alone.
fn key_needs(
    plan: &Plan,
    inventory: &Inventory,
    context: JobContext<'_>,
) -> Vec<RequiredPermission> {
    let named = match (&plan.encryption, context.default_key) {
        (Encryption::BucketDefault, DefaultKey::Named(key)) => Some(key),
        (Encryption::BucketDefault, DefaultKey::None | DefaultKey::Unknown) => None,
        (given, _) => given.key(),
    };
    // What is not named by its ARN is told by a check.
    let Some((key, arn)) = named.and_then(|key| Some((key, key.parse::<Arn>().ok()?))) else {
        return Vec::new();
    };
    let Some(resource) = Resource::of_key(key, context) else {
        return Vec::new();
    };
    let service = Box::new(service(inventory, context, &[]));
    let need =
        |who, purpose, action, service: Option<Box<ServiceActor>>, reason| RequiredPermission {
            who,
            purpose,
            action,
            resource: resource.clone(),
            subject: Subject::ObjectKey(key.to_owned()),
            account: arn.account_id(),
            via: None,
            criticality: if service.is_some() {
                Criticality::Required
            } else {
                Criticality::Optional
            },
            settled_by: if service.is_some() {
                SettledBy::Delivery
            } else {
                SettledBy::Reading
            },
            service,
            is_direct: true,
            reason,
        };
    vec![
        need(
            Actor::Service,
            ENCRYPT,
            "kms:GenerateDataKey",
            Some(service),
            "S3 encrypts the reports with this key, as its own principal",
        ),
        need(
            Actor::Reader,
            DECRYPT,
            "kms:Decrypt",
            None,
            "the reports are encrypted with this key",
        ),
    ]
}

/// What is said first to anyone who is asked for something.
pub(super) fn opening(plan: &Plan, inventory: &Inventory, account: &AccountId) -> String {
    format!(
        "We have Amazon S3 deliver inventory reports of the bucket {} (account {account}) to {}. S3 \
         writes them as the service principal {SERVICE}, acting for that bucket, and not as one of \
         our users or roles.",
        inventory.bucket,
        place(plan, inventory)
    )
}

/// The job in a heading.
pub(super) fn title(plan: &Plan, inventory: &Inventory) -> String {
    format!(
        "inventory reports of the bucket {} in the bucket {}",
        inventory.bucket, plan.destination.bucket
    )
}

fn place(plan: &Plan, inventory: &Inventory) -> String {
    format!(
        "s3://{}/{}/",
        plan.destination.bucket,
        inventory.folder(plan)
    )
}

/// One object of each kind, by its key.
pub(super) fn objects(plan: &Plan, inventory: &Inventory) -> Vec<WrittenObject> {
    const AT: &str = "2026-11-22T01-00Z";
    const DATA: &str = "939c6d46-85a9-4ba8-87bd-9db705a579ce";
    let folder = inventory.folder(plan);
    let extension = match inventory.format {
        InventoryFormat::Csv => "csv.gz",
        InventoryFormat::Orc => "orc",
        InventoryFormat::Parquet => "parquet",
    };
    let files = [
        format!("{folder}/{AT}/manifest.json"),
        format!("{folder}/{AT}/manifest.checksum"),
        format!("{folder}/data/{DATA}.{extension}"),
        format!("{folder}/hive/dt=2026-11-22-01-00/symlink.txt"),
    ];
    let files = files.into_iter();
    files
        .map(|key| WrittenObject {
            key,
            // The documented key policy allows no kms:Decrypt, which an upload in parts needs.
            is_multipart: false,
        })
        .collect()
}

/// The folders that `inventory status` lists.
pub(super) fn listed_folders(plan: &Plan, inventory: &Inventory) -> Vec<String> {
    vec![format!("{}/", inventory.folder(plan))]
}

/// What a probe would not show: everything.
pub(super) const NOT_SHOWN: [&str; 1] = [NOT_PROBED];

/// Why no probe shows anything.
pub(super) const NOT_PROBED: &str =
    "S3 writes the reports as its own principal, and no upload of ours is judged as that";

pub(super) fn probe_key(plan: &Plan, inventory: &Inventory, unique: &str) -> String {
    format!("{}/tableferry-probe-{unique}", inventory.folder(plan))
}

/// Who delivers, and what to do for it.
pub(super) fn not_run() -> (String, String) {
    (
        "the plan is an inventory, which `run` does not start: S3 delivers the reports by itself, once \
         the source bucket has the configuration"
            .to_owned(),
        "`tableferry check` says whether S3 may deliver, `tableferry apply` fixes what is missing, \
         `tableferry inventory setup PLAN` writes the configuration, and `tableferry inventory status \
         PLAN` says what arrived"
            .to_owned(),
    )
}
