//! The kind of job that uploads objects: what the uploader needs, and what is checked before.
//!
//! The upload itself is made by the one who has the files, as the principal that the plan names; this
//! program says whether S3 lets it in. The list is that of the S3 user guide's pages "Multipart upload
//! API and permissions" and "Using server-side encryption with AWS KMS keys", and of AWS re:Post's "Why
//! do I get Access Denied error messages when I upload files to my Amazon S3 bucket that has AWS KMS
//! default encryption?": `PutObject` takes `kms:GenerateDataKey`, an upload in parts `kms:Decrypt` too.

use super::requirement::{
    Actor, Check, Criticality, DefaultKey, JobContext, Purpose, RequiredPermission, Resource,
    SettledBy, Subject, literal,
};
use super::{Encryption, JobWords, Plan, WrittenObject};
use tableferry_policy::arn::{AccountId, Arn};

/// Writing the objects.
const PUT: Purpose = Purpose::new(0, "upload", "TableferryUpload");
/// Encrypting the objects.
const ENCRYPT: Purpose = Purpose::new(1, "encrypt_upload", "TableferryEncryptUpload");

/// All purposes.
pub(super) const PURPOSES: [Purpose; 2] = [PUT, ENCRYPT];

/// An upload: who makes it, and how.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Upload {
    /// The user, role or session that uploads, where it is not the source's profile.
    pub principal: Option<Arn>,
    /// Whether the files are sent in parts, as the AWS CLI and the SDKs' transfer managers do with
    /// all but small ones.
    pub is_multipart: bool,
}

pub(super) const WORDS: JobWords = JobWords {
    noun: "upload",
    verb: "uploads",
    participle: "uploading",
    files: "the uploaded files",
    on_acl: "without that access control list the uploader's account owns what it uploads",
    policy: "tableferry-upload",
    until: "the uploads are done",
};

/// The settings that bear on an upload.
pub(super) const CHECKS: [Check; 12] = [
    Check::Bucket,
    Check::PublicAccess,
    Check::ObjectOwnership,
    Check::RequestPayer,
    Check::DefaultEncryption,
    Check::StalePrincipal,
    Check::KeyName,
    Check::KeyRegion,
    Check::KeyState,
    Check::YoungChange,
    Check::Partition,
    Check::Limit,
];

/// What a probe cannot show.
pub(super) const NOT_SHOWN: [&str; 2] = [
    "an upload from another network: the probe is made from this machine, so that aws:SourceIp, \
     aws:SourceVpc and aws:SourceVpce are this machine's",
    "what the uploader sends besides: an access control list, tags, a storage class or a condition; \
     and the end of an upload, which would leave an object",
];

/// Every permission that the uploader needs.
pub(super) fn requirements(
    plan: &Plan,
    upload: &Upload,
    context: JobContext<'_>,
) -> Vec<RequiredPermission> {
    let mut needs = put_needs(plan, upload, context);
    needs.extend(key_needs(plan, upload, context));
    needs
}

fn put_needs(plan: &Plan, upload: &Upload, context: JobContext<'_>) -> Vec<RequiredPermission> {
    let bucket = plan.destination.bucket.arn(context.partition());
    let objects = match plan.destination.prefix() {
        Some(prefix) => format!("{bucket}/{}/*", literal(prefix)),
        None => format!("{bucket}/*"),
    };
    let need = |action, criticality, reason| RequiredPermission {
        who: Actor::Exporter,
        purpose: PUT,
        action,
        resource: Resource::Pattern(objects.clone()),
        subject: Subject::Object,
        account: context.owner.cloned(),
        via: None,
        service: None,
        criticality,
        is_direct: true,
        settled_by: SettledBy::Probe,
        reason,
    };
    let put = need(
        "s3:PutObject",
        Criticality::Required,
        "the files are uploaded",
    );
    // Only an upload that failed is aborted, by the client's tidying up.
    let abort = need(
        "s3:AbortMultipartUpload",
        Criticality::Optional,
        "an upload that failed is taken back, whose parts are billed otherwise",
    );
    let abort = upload.is_multipart.then_some(abort);
    std::iter::once(put).chain(abort).collect()
}

fn key_needs(plan: &Plan, upload: &Upload, context: JobContext<'_>) -> Vec<RequiredPermission> {
    let named = match (&plan.encryption, context.default_key) {
        (Encryption::BucketDefault, DefaultKey::Named(key)) => Some(key),
        (Encryption::BucketDefault, DefaultKey::None | DefaultKey::Unknown) => None,
        (given, _) => given.key(),
    };
    let Some((key, resource)) = named.and_then(|key| Some((key, Resource::of_key(key, context)?)))
    else {
        return Vec::new();
    };
    let account = key.parse::<Arn>().ok().and_then(|arn| arn.account_id());
    let account = account.unwrap_or_else(|| context.account.clone());
    let need = |action, reason| RequiredPermission {
        who: Actor::Exporter,
        purpose: ENCRYPT,
        action,
        resource: resource.clone(),
        subject: Subject::ObjectKey(key.to_owned()),
        account: Some(account.clone()),
        via: None,
        service: None,
        criticality: Criticality::Required,
        is_direct: true,
        settled_by: SettledBy::Probe,
        reason,
    };
    let generate = need(
        "kms:GenerateDataKey",
        "S3 encrypts the files with this key, for the uploader",
    );
    let decrypt = need(
        "kms:Decrypt",
        "the files are uploaded in parts, whose data key S3 decrypts for each",
    );
    let decrypt = upload.is_multipart.then_some(decrypt);
    std::iter::once(generate).chain(decrypt).collect()
}

/// What is said first to the one who is asked for something; `principal` is who uploads.
pub(super) fn opening(plan: &Plan, principal: &str) -> String {
    format!("We upload files to {} as {principal}.", place(plan))
}

/// The job in a heading.
pub(super) fn title(plan: &Plan, account: &AccountId) -> String {
    format!(
        "uploads from account {account} to the bucket {}",
        plan.destination.bucket
    )
}

/// Where the files go.
fn place(plan: &Plan) -> String {
    match plan.destination.prefix() {
        Some(prefix) => format!("s3://{}/{prefix}/", plan.destination.bucket),
        None => format!("s3://{}/", plan.destination.bucket),
    }
}

/// One object, by its key.
pub(super) fn objects(plan: &Plan, upload: &Upload) -> Vec<WrittenObject> {
    vec![WrittenObject {
        key: under_prefix(plan, "example-file"),
        is_multipart: upload.is_multipart,
    }]
}

pub(super) fn probe_key(plan: &Plan, unique: &str) -> String {
    under_prefix(plan, &format!("tableferry-probe-{unique}"))
}

fn under_prefix(plan: &Plan, name: &str) -> String {
    match &plan.destination.prefix {
        Some(prefix) => format!("{prefix}/{name}"),
        None => name.to_owned(),
    }
}

/// The command that uploads a file.
pub(super) fn command(plan: &Plan) -> String {
    let encryption = match &plan.encryption {
        Encryption::BucketDefault => String::new(),
        Encryption::Aes256 => " --sse AES256".to_owned(),
        Encryption::Kms { key: None } => " --sse aws:kms".to_owned(),
        Encryption::Kms { key: Some(key) } => format!(" --sse aws:kms --sse-kms-key-id {key}"),
    };
    format!("aws s3 cp FILE {}{encryption}", place(plan))
}

/// Who uploads, and with what.
pub(super) fn not_run(plan: &Plan, upload: &Upload) -> (String, String) {
    let who = match &upload.principal {
        Some(principal) => principal.to_string(),
        None => format!("profile {}", plan.source.sign_in.profile),
    };
    let command = command(plan);
    (
        format!(
            "the plan is an upload, which tableferry does not make: the files are uploaded by {who}"
        ),
        format!(
            "`tableferry check` says whether that is allowed, and `tableferry apply` puts right what \
             is missing; then upload as {who}, such as by `{command}`"
        ),
    )
}
