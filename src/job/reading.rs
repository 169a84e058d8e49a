//! The kind of job that reads objects that are there: what the reader needs, and what is checked before.
//!
//! The objects are read by the one who wants them, as the principal that the plan names; this program says
//! whether S3 and KMS let it in. The list is that of the S3 user guide's pages "Required permissions for
//! Amazon S3 API operations" and "Using server-side encryption with AWS KMS keys", and of AWS re:Post's
//! "Why are cross-account users getting Access Denied errors when they try to access my bucket that's
//! encrypted by a custom AWS KMS key?": `s3:ListBucket` and `s3:GetObject` on both sides, and
//! `kms:Decrypt` with the key of each object.

pub(super) mod parse;

use super::requirement::{
    Actor, Check, Criticality, JobContext, Purpose, RequiredPermission, Resource, SettledBy,
    Subject, literal,
};
use super::{JobWords, Plan, WrittenObject};
use tableferry_policy::arn::{AccountId, Arn};

/// Listing the objects.
const LIST: Purpose = Purpose::new(0, "list_objects", "TableferryList");
/// Reading the objects.
const GET: Purpose = Purpose::new(1, "read_objects", "TableferryRead");
/// Decrypting the objects.
const DECRYPT: Purpose = Purpose::new(2, "decrypt_objects", "TableferryDecrypt");

/// All purposes.
pub(super) const PURPOSES: [Purpose; 3] = [LIST, GET, DECRYPT];

/// The folder in which DynamoDB lays its exports.
const EXPORTS: &str = "AWSDynamoDB";

/// A reading: who reads. What is read lies below the destination's prefix.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Reading {
    /// The user, role or session that reads, where it is not the source's profile.
    pub principal: Option<Arn>,
}

pub(super) const WORDS: JobWords = JobWords {
    noun: "reading",
    verb: "reads",
    participle: "reading",
    files: "the objects",
    on_acl: "without that access control list the writer's account owns what it writes",
    policy: "tableferry-read",
    until: "the objects are read",
};

/// The settings that bear on a reading.
pub(super) const CHECKS: [Check; 10] = [
    Check::Bucket,
    Check::PublicAccess,
    Check::StoredObjects,
    Check::ObjectOwner,
    Check::RequestPayer,
    Check::StalePrincipal,
    Check::KeyName,
    Check::KeyState,
    Check::YoungChange,
    Check::Partition,
];

/// What a probe cannot show.
pub(super) const NOT_SHOWN: [&str; 2] = [
    "reading from another network: the probe is made from this machine, so that aws:SourceIp, \
     aws:SourceVpc and aws:SourceVpce are this machine's",
    "the other objects below the prefix: the probe reads the first byte of a few, and each may have an \
     owner, a key and a policy's statement of its own",
];

/// Every permission that the reader needs.
pub(super) fn requirements(plan: &Plan, context: JobContext<'_>) -> Vec<RequiredPermission> {
    let mut needs = bucket_needs(plan, context);
    let keys = context
        .stored_keys
        .or_named(&plan.encryption, context.default_key);
    needs.extend(keys.iter().filter_map(|key| key_need(key, context)));
    needs
}

fn bucket_needs(plan: &Plan, context: JobContext<'_>) -> Vec<RequiredPermission> {
    let bucket = plan.destination.bucket.arn(context.partition());
    let objects = match plan.destination.prefix() {
        Some(prefix) => format!("{bucket}/{}/*", literal(prefix)),
        None => format!("{bucket}/*"),
    };
    let need = |purpose, action, resource, subject, reason| RequiredPermission {
        who: Actor::Exporter,
        purpose,
        action,
        resource: Resource::Pattern(resource),
        subject,
        account: context.owner.cloned(),
        via: None,
        service: None,
        criticality: Criticality::Required,
        is_direct: true,
        settled_by: SettledBy::Probe,
        reason,
    };
    vec![
        need(
            LIST,
            "s3:ListBucket",
            bucket,
            Subject::Folder,
            "the objects are listed",
        ),
        need(
            GET,
            "s3:GetObject",
            objects,
            Subject::Object,
            "the objects are read, and their heads",
        ),
    ]
}

fn key_need(key: &str, context: JobContext<'_>) -> Option<RequiredPermission> {
    let resource = Resource::of_key(key, context)?;
    let account = key.parse::<Arn>().ok().and_then(|arn| arn.account_id());
    Some(RequiredPermission {
        who: Actor::Exporter,
        purpose: DECRYPT,
        action: "kms:Decrypt",
        resource,
        subject: Subject::ObjectKey(key.to_owned()),
        account: Some(account.unwrap_or_else(|| context.account.clone())),
        via: None,
        service: None,
        criticality: Criticality::Required,
        is_direct: true,
        settled_by: SettledBy::Probe,
        reason: "S3 decrypts the objects with this key, for the reader",
    })
}

/// What is said first to the one who is asked for something; `principal` is who reads.
pub(super) fn opening(plan: &Plan, principal: &str) -> String {
    format!("We read the objects at {} as {principal}.", place(plan))
}

/// The job in a heading.
pub(super) fn title(plan: &Plan, account: &AccountId) -> String {
    format!(
        "reading from account {account} what lies in the bucket {}",
        plan.destination.bucket
    )
}

/// Where the objects lie.
pub(super) fn place(plan: &Plan) -> String {
    format!("s3://{}/{}", plan.destination.bucket, folder(plan))
}

/// The folder of the objects, with its closing slash; empty for the whole bucket.
fn folder(plan: &Plan) -> String {
    match &plan.destination.prefix {
        Some(prefix) => format!("{prefix}/"),
        None => String::new(),
    }
}

/// One object of each kind, by its key, for as long as nobody knows what is there.
pub(super) fn objects(plan: &Plan) -> Vec<WrittenObject> {
    let folder = folder(plan);
    let is_export = folder.contains(&format!("{EXPORTS}/"));
    let names: &[&str] = if is_export {
        &["manifest-summary.json", "data/example.json.gz"]
    } else {
        &["example-file"]
    };
    let names = names.iter();
    names
        .map(|name| WrittenObject {
            key: format!("{folder}{name}"),
            is_multipart: false,
        })
        .collect()
}

/// The folder that the reader lists.
pub(super) fn listed_folders(plan: &Plan) -> Vec<String> {
    vec![folder(plan)]
}

/// The command that reads all of it.
pub(super) fn command(plan: &Plan) -> String {
    format!("aws s3 cp --recursive {} DIRECTORY", place(plan))
}

/// Who reads, and with what.
pub(super) fn not_run(plan: &Plan, reading: &Reading) -> (String, String) {
    let who = match &reading.principal {
        Some(principal) => principal.to_string(),
        None => format!("profile {}", plan.source.sign_in.profile),
    };
    let command = command(plan);
    (
        format!("the plan is a reading, which `run` does not start: {who} reads the objects"),
        format!(
            "`tableferry check` says whether that is allowed, and `tableferry apply` puts right what \
             is missing; then read as {who}, such as by `{command}`; `tableferry verify` and \
             `tableferry fetch` read an export"
        ),
    )
}
