//! The context of each request that an export leads to: what AWS documents that the condition keys
//! hold, which are absent, and which nobody can tell.
//!
//! It follows "AWS global condition context keys" of the IAM user guide, "Condition keys for AWS KMS"
//! of the KMS developer guide, and the service authorization reference of S3. A key that a policy
//! asks for and that none of these settles is unknown, never absent.

mod service;

use jiff::Timestamp;

use super::call::{Call, Carried, Keys, Route, RouteKey};
use super::facts::{Facts, Organization, PrincipalFacts, ReadError};
use super::verdict::{MissingInput, PolicyLayer};
use crate::job::requirement::{Actor, RequiredPermission, Subject};
use crate::job::{Encryption, Plan};
use tableferry_policy::arn::{AccountId, Arn, Region};
use tableferry_policy::document::Document;
use tableferry_policy::evaluate::{Context, is_multivalued};

/// The service that writes and reads for the caller while an export runs.
const EXPORTER: &str = "dynamodb.amazonaws.com";

/// Keys that a request has only where a service calls for itself, or where it goes through an access
/// point; a principal's request to a bucket, a table or a key never has them.
const NEVER_THERE: [&str; 10] = [
    "aws:PrincipalServiceName",
    "aws:PrincipalServiceNamesList",
    "aws:SourceAccount",
    "aws:SourceArn",
    "aws:SourceOrgID",
    "aws:SourceOrgPaths",
    "aws:SourceOwner",
    "s3:AccessPointNetworkOrigin",
    "s3:DataAccessPointAccount",
    "s3:DataAccessPointArn",
];

/// An address of S3's own (`ip-ranges.json`, S3 in eu-west-1): a policy on addresses of the operator's
/// does not hold it, and one that lists those of AWS may.
const OF_S3: &str = "52.218.0.1";

/// The one pair of S3's encryption context.
pub(super) const OBJECT_CONTEXT: &str = "kms:EncryptionContext:aws:s3:arn";
/// How many objects one page of the verification's listing asks for.
const PAGE_SIZE: &str = "1000";

/// What surrounds one request.
#[derive(Debug, Clone, Copy)]
pub(super) struct CallContext<'a> {
    pub(super) plan: &'a Plan,
    pub(super) facts: &'a Facts,
    pub(super) now: Timestamp,
    pub(super) need: &'a RequiredPermission,
    /// The call that is judged.
    pub(super) call: Call,
    /// The account that owns the resource.
    pub(super) account: &'a AccountId,
    /// The resource's ARN.
    pub(super) resource: &'a str,
    /// The table that the request is about, if it is about one.
    pub(super) table: Option<&'a Arn>,
    /// An object that the export writes, whose key the request is about.
    pub(super) object: Option<&'a str>,
    /// The folder that is listed, if the request is a list.
    pub(super) listed: Option<&'a str>,
    /// The role's ARN, for a session.
    pub(super) role: Option<&'a str>,
    /// Whether the principal itself makes the call, as opposed to a service that acts for it.
    pub(super) is_direct: bool,
}

/// The context, as far as it depends on no policy.
pub(super) fn of(call: CallContext<'_>) -> Context {
    let mut context = Context::default();
    match &call.need.service {
        Some(service) => service::add(&mut context, call, service),
        None => add_identity(&mut context, call),
    }
    context.set(
        "aws:CurrentTime",
        call.now.strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
    );
    context.set("aws:EpochTime", call.now.as_second().to_string());
    match call.region() {
        Some(region) => context.set("aws:RequestedRegion", region.as_str()),
        None => context.set_unknown("aws:RequestedRegion"),
    }
    add_route(&mut context, call);
    add_resource(&mut context, call);
    for key in Keys::ALL {
        match call.call.carries(key) {
            Carried::Sent | Carried::Inherited => add_value(&mut context, call, key),
            Carried::SentOrAbsent | Carried::Unknown => set_unknown(&mut context, key.names()),
            Carried::Absent => {}
        }
    }
    context
}

/// What tells of the principal that signs.
fn add_identity(context: &mut Context, call: CallContext<'_>) {
    let principal = call.principal();
    add_principal(context, call.facts, principal, call.role);
    let identity = match call.need.who {
        Actor::Exporter => call.plan.source.sign_in.source_identity.as_deref(),
        Actor::Reader | Actor::Service => None,
    };
    match identity {
        Some(identity) => context.set("aws:SourceIdentity", identity),
        None if principal.is_role_session() => context.set_unknown("aws:SourceIdentity"),
        None => {}
    }
    context.set("aws:PrincipalIsAWSService", "false");
}

impl<'a> CallContext<'a> {
    fn principal(self) -> &'a PrincipalFacts {
        self.facts.principal(self.need.who)
    }

    /// The Region of the endpoint that is called.
    fn region(self) -> Option<Region> {
        match self.need.subject {
            Subject::Table | Subject::TableExport | Subject::ExportList => {
                self.table.and_then(Arn::region_code)
            }
            Subject::Object | Subject::Folder | Subject::SourceBucket => {
                let bucket = self.facts.bucket(&self.need.bucket()?);
                bucket.region.value().cloned()
            }
            Subject::ObjectKey(_) | Subject::TableKey | Subject::Named { .. } => {
                self.resource.parse::<Arn>().ok()?.region_code()
            }
        }
    }
}

fn add_principal(
    context: &mut Context,
    facts: &Facts,
    principal: &PrincipalFacts,
    role: Option<&str>,
) {
    let caller = &principal.caller;
    let arn = caller.arn.to_string();
    context.set("aws:PrincipalArn", role.unwrap_or(&arn));
    context.set("aws:PrincipalAccount", caller.account.as_str());
    // Of a principal that is only named nobody told it.
    if caller.user_id.is_empty() {
        context.set_unknown("aws:userid");
    } else {
        context.set("aws:userid", caller.user_id.as_str());
    }
    let organization = &facts.account(&caller.account).organization;
    if !organization.is_absent() {
        let known = organization.value();
        add_organization(
            context,
            known,
            "aws:PrincipalOrgID",
            "aws:PrincipalOrgPaths",
        );
    }
    let is_session = principal.is_role_session();
    let kind = match (caller.arn.service.as_str(), caller.arn.resource.as_str()) {
        (_, "root") => "Account",
        ("iam", _) => "User",
        _ if is_session => "AssumedRole",
        _ => "FederatedUser",
    };
    context.set("aws:PrincipalType", kind);
    if let Some(user) = caller.arn.resource_after("user").filter(|_| !is_session) {
        let name = user.rsplit('/').next().unwrap_or(user);
        context.set("aws:username", name);
    }
    // The long-term keys of a user carry no word about MFA or issue; temporary ones always do, and
    // no call tells which.
    if is_session || !principal.expires_at.is_absent() {
        for key in [
            "aws:MultiFactorAuthPresent",
            "aws:MultiFactorAuthAge",
            "aws:TokenIssueTime",
        ] {
            context.set_unknown(key);
        }
    }
}

/// How the request reaches the service that judges it.
fn add_route(context: &mut Context, call: CallContext<'_>) {
    let route = call.call.route(call.is_direct);
    for key in RouteKey::ALL {
        match route.carries(key) {
            Carried::Unknown => set_unknown(context, key.names()),
            Carried::SentOrAbsent => {
                for name in key.names() {
                    context.set_known_or_absent(name, vec![route_value(route, key)]);
                }
            }
            Carried::Sent | Carried::Inherited => {
                for name in key.names() {
                    context.set(name, route_value(route, key));
                }
            }
            Carried::Absent => {}
        }
    }
}

/// What a key of the route holds in a request that has it.
fn route_value(route: Route, key: RouteKey) -> String {
    match key {
        RouteKey::ViaAwsService => {
            let is_forwarded = !matches!(route, Route::Direct | Route::OfService);
            is_forwarded.to_string()
        }
        RouteKey::SourceIp => OF_S3.to_owned(),
        RouteKey::SecureTransport => "true".to_owned(),
        _ => EXPORTER.to_owned(),
    }
}

fn set_unknown(context: &mut Context, names: &[&str]) {
    for name in names {
        context.set_unknown(name);
    }
}

fn add_resource(context: &mut Context, call: CallContext<'_>) {
    let account = call.account;
    context.set("aws:ResourceAccount", account.as_str());
    if call.need.subject.is_of_bucket() {
        context.set("s3:ResourceAccount", account.as_str());
    }
    let facts = call.facts;
    let organization = &facts.account(account).organization;
    if !organization.is_absent() {
        add_organization(
            context,
            organization.value(),
            "aws:ResourceOrgID",
            "aws:ResourceOrgPaths",
        );
    }
}

/// Adds an organization's id and path, or says that nobody can tell them.
fn add_organization(
    context: &mut Context,
    organization: Option<&Organization>,
    id_key: &str,
    path_key: &str,
) {
    match organization {
        Some(known) => context.set(id_key, known.id.as_str()),
        None => context.set_unknown(id_key),
    }
    match organization.and_then(|known| known.path.clone()) {
        Some(path) => context.set_all(path_key, vec![path]),
        None => context.set_unknown(path_key),
    }
}

/// What a key holds in a call that has it.
fn add_value(context: &mut Context, call: CallContext<'_>, key: Keys) {
    let [name, ..] = key.names() else {
        return;
    };
    match key {
        Keys::Encryption => {
            match algorithm(&call.plan.encryption) {
                Some(algorithm) => context.set(name, algorithm),
                // Which headers S3 itself sends where it is told nothing is not documented.
                None if call.need.service.is_some() => context.set_unknown(name),
                None => {}
            }
        }
        Keys::EncryptionKey => match call.plan.encryption.key() {
            Some(key) if key.starts_with("arn:") => context.set(name, key),
            // What S3 makes of an id or an alias before it judges is not documented.
            Some(_) => context.set_unknown(name),
            None if call.need.service.is_some() && call.plan.encryption != Encryption::Aes256 => {
                context.set_unknown(name);
            }
            None => {}
        },
        Keys::ObjectCreation => {
            let makes_one = matches!(
                call.call,
                Call::PutObject | Call::CompleteMultipartUpload | Call::PutReport
            );
            context.set(name, makes_one.to_string());
        }
        Keys::Prefix => match call.listed {
            Some(folder) => context.set(name, folder),
            None => context.set_unknown(name),
        },
        Keys::PageSize => context.set(name, PAGE_SIZE),
        Keys::EncryptionContext => add_encryption_context(context, call),
        Keys::KmsAlgorithm => context.set(name, "SYMMETRIC_DEFAULT"),
        Keys::ViaService => match via_service(call) {
            Some(service) => context.set(name, service),
            None => context.set_unknown(name),
        },
        Keys::CallerAccount => context.set(name, call.principal().caller.account.as_str()),
        Keys::Acl => match acl(call.need) {
            Some(acl) => context.set(name, acl),
            None => context.set_unknown(name),
        },
        Keys::InventoryFields => {
            let fields = call.plan.requested_fields();
            if !fields.is_empty() {
                context.set_all(name, fields.to_vec());
            }
        }
        Keys::CustomerKey
        | Keys::AclGrants
        | Keys::ConditionalWrite
        | Keys::Delimiter
        | Keys::GrantTerms
        | Keys::RequestAlias
        | Keys::Items => set_unknown(context, key.names()),
    }
}

/// The access control list that a service sends, which a grant to it asks for.
fn acl(need: &RequiredPermission) -> Option<&str> {
    let mut conditions = need.grant_conditions().iter();
    let found = conditions.find(|condition| condition.key == "s3:x-amz-acl");
    found.map(|condition| condition.value.as_str())
}

/// The header's value; the bucket's default adds none ("Using server-side encryption with Amazon S3
/// managed keys": a policy that asks for the header asks for it in the request).
const fn algorithm(encryption: &Encryption) -> Option<&'static str> {
    match encryption {
        Encryption::Aes256 => Some("AES256"),
        Encryption::Kms { .. } => Some("aws:kms"),
        Encryption::BucketDefault => None,
    }
}

/// The service that calls KMS, in the Region of what it works on.
fn via_service(call: CallContext<'_>) -> Option<String> {
    let suffix = call.principal().caller.arn.partition.dns_suffix();
    match call.call {
        Call::GenerateDataKeyOfTable | Call::DecryptOfTable => {
            Some(format!("dynamodb.{}.{suffix}", call.table?.region))
        }
        _ => {
            let region = call
                .facts
                .bucket(&call.plan.destination.bucket)
                .region
                .value()?;
            Some(format!("s3.{region}.{suffix}"))
        }
    }
}

/// S3's encryption context holds the object's ARN, or with an S3 Bucket Key the bucket's; `DynamoDB`'s
/// the table's name and account.
fn add_encryption_context(context: &mut Context, call: CallContext<'_>) {
    const KEYS: &str = "kms:EncryptionContextKeys";
    if matches!(
        call.call,
        Call::GenerateDataKeyOfTable | Call::DecryptOfTable
    ) {
        let Some(table) = call.table else {
            context.set_unknown(KEYS);
            return;
        };
        let name = table.resource_after("table").unwrap_or_default();
        let pairs = [
            ("aws:dynamodb:tableName", name),
            ("aws:dynamodb:subscriberId", table.account.as_str()),
        ];
        for (pair, value) in pairs {
            context.set(&format!("kms:EncryptionContext:{pair}"), value);
        }
        context.set_all(KEYS, pairs.map(|(pair, _)| pair.to_owned()).to_vec());
        return;
    }
    let partition = call.principal().caller.arn.partition;
    let bucket = &call.plan.destination.bucket;
    let named = match bucket_key_of(call.plan, call.facts, call.object) {
        Some(true) => Some(bucket.arn(partition)),
        Some(false) => call.object.map(str::to_owned),
        None => None,
    };
    match named {
        Some(arn) => context.set(OBJECT_CONTEXT, arn),
        None => context.set_unknown(OBJECT_CONTEXT),
    }
    context.set_all(KEYS, vec!["aws:s3:arn".to_owned()]);
}

/// Whether an object, by its ARN, is encrypted by an S3 Bucket Key, where it is known: as the bucket
/// encrypts what is written now, or as one that is there was encrypted.
fn bucket_key_of(plan: &Plan, facts: &Facts, object: Option<&str>) -> Option<bool> {
    if !plan.reads_objects() {
        return bucket_key(plan, facts);
    }
    let stored = facts.bucket(&plan.destination.bucket).objects.value()?;
    let (_, key) = object?.split_once(":::")?.1.split_once('/')?;
    let encryption = stored.object(key)?.encryption.value()?;
    Some(encryption.has_bucket_key)
}

/// Whether the job's objects are encrypted by S3 Bucket Keys, where it is known and the same of all.
pub(super) fn bucket_key(plan: &Plan, facts: &Facts) -> Option<bool> {
    let bucket = facts.bucket(&plan.destination.bucket);
    if plan.reads_objects() {
        let objects = &bucket.objects.value()?.objects;
        let mut found = objects.iter().filter_map(|object| {
            let encryption = object.encryption.value()?;
            encryption
                .key
                .is_some()
                .then_some(encryption.has_bucket_key)
        });
        let first = found.next()?;
        return found.all(|other| other == first).then_some(first);
    }
    match bucket.encryption.value() {
        Some(encryption) => Some(encryption.has_bucket_key),
        None => bucket.encryption.is_absent().then_some(false),
    }
}

/// Says of each key that these documents ask for, and that is not settled, that nobody can tell it.
pub(super) fn add_unsettled<'d>(
    context: &mut Context,
    action: &str,
    documents: impl Iterator<Item = &'d Document<'d>>,
) {
    for document in documents {
        // "Multivalued context keys require a condition set operator": what AWS makes of a list
        // without one is not documented.
        for statement in document.statements() {
            for condition in &statement.conditions {
                let key = condition.key.value.as_ref();
                if is_multivalued(key) && !condition.operator.takes_lists() {
                    context.set_unknown(key);
                }
            }
        }
        for key in document.context_keys() {
            if context.get(key).is_none() && !is_settled(key, action) {
                context.set_unknown(key);
            }
        }
    }
}

/// Whether a request with this context, as built above, is known not to have a key.
pub(super) fn is_absent(context: &Context, key: &str, action: &str) -> bool {
    context.get(key).is_none() && is_settled(key, action)
}

/// What would have to be read for a key of an organization that nobody can tell: the call that tells
/// it, and whose it is.
pub(super) fn unread_key(
    facts: &Facts,
    ask_account: &AccountId,
    who: Actor,
    key: &str,
) -> Option<MissingInput> {
    let is = |known: &str| known.eq_ignore_ascii_case(key);
    let is_path = is("aws:PrincipalOrgPaths") || is("aws:ResourceOrgPaths");
    let side = if is("aws:PrincipalOrgID") || is("aws:PrincipalOrgPaths") {
        facts.principal(who)
    } else if is("aws:ResourceOrgID") || is("aws:ResourceOrgPaths") {
        facts.side_of(ask_account)?
    } else {
        return None;
    };
    let what = format!("the organization of {}", side.caller.account);
    let organization = &facts.account(&side.caller.account).organization;
    let obstacle = match organization.obstacle("organizations:DescribeOrganization") {
        Some(obstacle) => obstacle,
        None if is_path => ReadError {
            permission: "organizations:ListParents".to_owned(),
            detail: "the path in the organization was not read".to_owned(),
            ..ReadError::default()
        },
        None => return None,
    };
    Some(MissingInput {
        layer: PolicyLayer::Setting,
        what,
        detail: obstacle.words(),
        permission: obstacle.permission,
    })
}

/// Keys whose absence from the context, as built above, means that the request has them not, beside those
/// of the table of calls.
const SETTLED: [&str; 9] = [
    "aws:MultiFactorAuthAge",
    "aws:MultiFactorAuthPresent",
    "aws:PrincipalOrgID",
    "aws:PrincipalOrgPaths",
    "aws:ResourceOrgID",
    "aws:ResourceOrgPaths",
    "aws:SourceIdentity",
    "aws:TokenIssueTime",
    "aws:username",
];

/// Keys that only their own service puts into a request, whatever session makes it. A service that
/// hands out credentials may put keys of its own into all that is done with them, as
/// `ec2:SourceInstanceARN` and `lambda:SourceFunctionArn`, so that of those services only some are
/// here ("Actions, resources, and condition keys for AWS services").
const OF_ONE_SERVICE: [&str; 14] = [
    "autoscaling:",
    "cloudformation:",
    "dynamodb:",
    "ec2:ResourceTag/",
    "elasticloadbalancing:",
    "iam:",
    "kms:",
    "logs:",
    "organizations:",
    "rds:",
    "s3:",
    "secretsmanager:",
    "sns:",
    "sqs:",
];

/// Whether a key that is not in the context of such a request is known to be absent.
fn is_settled(key: &str, action: &str) -> bool {
    let begins = |prefix: &str| {
        key.get(..prefix.len())
            .is_some_and(|head| head.eq_ignore_ascii_case(prefix))
    };
    let of_route = RouteKey::ALL.iter().flat_map(|key| key.names());
    NEVER_THERE
        .iter()
        .chain(&SETTLED)
        .chain(of_route)
        .any(|known| known.eq_ignore_ascii_case(key))
        || Keys::ALL.iter().any(|known| known.is_named(key))
        || begins("sts:")
        || OF_ONE_SERVICE.iter().any(|prefix| begins(prefix)) && !is_of_service(key, action)
}

/// Whether a key is of the service that an action is of.
fn is_of_service(key: &str, action: &str) -> bool {
    let service = |text: &str| text.split(':').next().map(str::to_ascii_lowercase);
    service(key) == service(action)
}
