//! The requests that a need stands for: which principal AWS will judge, for which action, on which resource, in
//! which context.
//!
//! A need names a pattern where the name is not known before the start: the objects of an export
//! have its id in their keys. Such a need is judged on one example of each kind of object that an
//! export writes, because a policy may tell them apart. And the role behind a session may have a
//! path that nobody could read: then each role that the policies name and that it may be is tried.

use std::sync::Arc;

use jiff::Timestamp;

use super::applicable_policies::ApplicablePolicies;
use super::call::Call;
use super::context::{self, CallContext};
use super::facts::{Facts, KeyFacts, ObjectOwner, PrincipalFacts, StoredObject, TableFacts};
use super::job_facts::{bucket_owner, tables_of};
use crate::job::Plan;
use crate::job::export::EXAMPLE_ID;
use crate::job::requirement::{Actor, RequiredPermission, Subject};
use tableferry_policy::arn::{AccountId, Arn};
use tableferry_policy::document::Document;
use tableferry_policy::evaluate::{Context, Policies, Principal, Request};

/// One request to be judged, with the policies that bear on it.
#[derive(Debug, Clone)]
pub(super) struct PermissionRequest<'f> {
    pub(super) principal: Principal,
    pub(super) action: &'static str,
    pub(super) call: Call,
    pub(super) resource: String,
    pub(super) account: AccountId,
    /// The table that it is about, as the plan calls it, or the object, or the folder that is listed.
    pub(super) about: Option<String>,
    pub(super) context: Context,
    pub(super) applicable_policies: ApplicablePolicies<'f>,
    /// Whether the resource's own policy is left out of them, since it does not cover the object.
    is_without_resource_policy: bool,
}

impl PermissionRequest<'_> {
    /// Whether it differs from another in the role of the one who asks alone.
    pub(super) fn is_same_but_for_role(&self, other: &Self) -> bool {
        self.call == other.call
            && self.resource == other.resource
            && self.about == other.about
            && self.is_without_resource_policy == other.is_without_resource_policy
    }

    /// The request as the policy room takes it.
    pub(super) fn request(&self) -> Request<'_> {
        Request {
            principal: self.principal.clone(),
            action: self.action,
            resource: &self.resource,
            resource_account: self.account.as_str(),
            context: &self.context,
        }
    }

    /// The policies that were read.
    pub(super) const fn policies(&self) -> &Policies<'_> {
        &self.applicable_policies.policies
    }
}

/// Why a need cannot be put as a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Unresolved {
    /// What is not known.
    pub(super) what: String,
    /// The permission that would make it known.
    pub(super) permission: &'static str,
}

/// The requests of one need, as they come while an export is started, runs and is checked.
pub(super) fn asks<'f>(
    plan: &Plan,
    facts: &'f Facts,
    need: &RequiredPermission,
    now: Timestamp,
) -> Result<Vec<PermissionRequest<'f>>, Unresolved> {
    asks_by(plan, facts, need, now, need.is_direct)
}

/// The same requests, made by the principal itself where an export's are forwarded by DynamoDB.
pub(super) fn direct_asks<'f>(
    plan: &Plan,
    facts: &'f Facts,
    need: &RequiredPermission,
    now: Timestamp,
) -> Result<Vec<PermissionRequest<'f>>, Unresolved> {
    asks_by(plan, facts, need, now, true)
}

fn asks_by<'f>(
    plan: &Plan,
    facts: &'f Facts,
    need: &RequiredPermission,
    now: Timestamp,
    is_direct: bool,
) -> Result<Vec<PermissionRequest<'f>>, Unresolved> {
    let places = places(plan, facts, need)?;
    let principal = principal_of(facts, need.who);
    let (known, roles) = match &need.service {
        Some(service) => {
            let name = service.name.to_owned();
            (Principal::Service { name }, vec![None])
        }
        None => (known_to_iam(principal)?, roles(principal, facts)),
    };
    let mut asks = Vec::new();
    for place in &places {
        for &call in Call::of(need, place.is_multipart) {
            let mut of_call = Vec::new();
            for role in roles.clone() {
                let call = CallContext {
                    plan,
                    facts,
                    now,
                    need,
                    call,
                    account: &place.account,
                    resource: &place.resource,
                    object: place.object.as_deref(),
                    listed: place.listed.as_deref(),
                    table: place.table.as_ref().map(|(_, arn)| arn),
                    role: role.as_deref(),
                    is_direct,
                };
                let principal = as_asked(&known, role.clone());
                of_call.push(ask(facts, call, place, principal));
            }
            if place.is_own {
                of_call = as_of_own(facts, need.who, of_call);
            }
            asks.extend(of_call);
        }
    }
    Ok(asks)
}

/// One call on one place, in its own context.
fn ask<'f>(
    facts: &'f Facts,
    call: CallContext<'_>,
    place: &NeededResource<'f>,
    principal: Principal,
) -> PermissionRequest<'f> {
    let need = call.need;
    let mut context = context::of(call);
    let asked = place.table.as_ref().map(|(asked, _)| asked.as_str());
    let applicable_policies = ApplicablePolicies::of(facts, need, &place.account, place.key, asked);
    context::add_unsettled(&mut context, need.action, applicable_policies.documents());
    PermissionRequest {
        principal,
        action: need.action,
        call: call.call,
        resource: place.resource.clone(),
        account: place.account.clone(),
        about: asked
            .map(str::to_owned)
            .or_else(|| place.object.clone().or_else(|| place.listed.clone())),
        context,
        applicable_policies,
        is_without_resource_policy: false,
    }
}

/// The same requests for an object of the caller's own account in another's bucket, where that needs two
/// of each. A bucket policy's permissions "don't apply to objects that are owned by other AWS accounts"
/// ("Bucket policies for Amazon S3"), its Denies do; the object owner's account gives to its principals
/// ("How Amazon S3 authorizes a request for an object operation"). So both must let the request in: all
/// policies, as within the owner's account, and the same without the bucket's.
fn as_of_own<'f>(
    facts: &Facts,
    who: Actor,
    asks: Vec<PermissionRequest<'f>>,
) -> Vec<PermissionRequest<'f>> {
    let account = &facts.principal(who).caller.account;
    let own = asks.into_iter().map(|ask| PermissionRequest {
        account: account.clone(),
        ..ask
    });
    let whole: Vec<PermissionRequest<'f>> = own.collect();
    let mut all = whole.clone();
    for ask in &mut all {
        ask.applicable_policies.leave_out_resource();
        ask.is_without_resource_policy = true;
    }
    all.extend(whole);
    all
}

fn principal_of(facts: &Facts, who: Actor) -> &PrincipalFacts {
    facts.principal(who)
}

/// One resource that a need is about.
struct NeededResource<'f> {
    resource: String,
    account: AccountId,
    /// The table as the plan calls it, and its ARN.
    table: Option<(String, Arn)>,
    key: Option<&'f KeyFacts>,
    object: Option<String>,
    /// Whether the object is uploaded in parts.
    is_multipart: bool,
    /// The folder that is listed.
    listed: Option<String>,
    /// Whether it is an object of the caller's own account in another's bucket.
    is_own: bool,
}

impl NeededResource<'_> {
    const fn new(resource: String, account: AccountId) -> Self {
        Self {
            resource,
            account,
            table: None,
            key: None,
            object: None,
            is_multipart: false,
            listed: None,
            is_own: false,
        }
    }
}

fn places<'f>(
    plan: &Plan,
    facts: &'f Facts,
    need: &RequiredPermission,
) -> Result<Vec<NeededResource<'f>>, Unresolved> {
    let of_bucket = || {
        bucket_owner(plan, facts).ok_or(Unresolved {
            what: format!("whose bucket {} is", plan.destination.bucket),
            permission: "s3:ListBucket",
        })
    };
    match &need.subject {
        Subject::Table | Subject::TableExport | Subject::ExportList => {
            Ok(table_places(plan, facts, need))
        }
        Subject::Object => {
            let account = of_bucket()?;
            let place = |object: ExampleObject| NeededResource {
                is_multipart: object.is_multipart,
                is_own: object.is_of(&facts.principal(need.who).caller.account, &account),
                ..NeededResource::new(object.arn, account.clone())
            };
            Ok(objects(plan, facts).into_iter().map(place).collect())
        }
        Subject::SourceBucket => {
            let account = need.account.clone();
            let account = account.unwrap_or_else(|| facts.source().caller.account.clone());
            Ok(vec![NeededResource::new(
                need.resource.pattern().to_owned(),
                account,
            )])
        }
        Subject::Named { example } => {
            let account = need.account.clone();
            let account = account.unwrap_or_else(|| facts.source().caller.account.clone());
            Ok(vec![NeededResource::new(example.clone(), account)])
        }
        Subject::Folder => {
            let account = of_bucket()?;
            let place = |folder| NeededResource {
                listed: Some(folder),
                ..NeededResource::new(need.resource.pattern().to_owned(), account.clone())
            };
            Ok(plan.listed_folders().into_iter().map(place).collect())
        }
        Subject::ObjectKey(asked) => {
            let (key, arn, account) = key_named(facts, asked)?;
            let place = |object: ExampleObject| NeededResource {
                key,
                object: Some(object.arn),
                is_multipart: object.is_multipart,
                ..NeededResource::new(arn.to_string(), account.clone())
            };
            let objects = objects(plan, facts).into_iter();
            let of_key = objects.filter(|object| object.may_have_key(asked));
            Ok(of_key.map(place).collect())
        }
        Subject::TableKey => {
            let name = need.resource.pattern();
            let (key, arn, account) = key_named(facts, name)?;
            let uses_it = |table: &&TableFacts| {
                let known = table.description.value();
                known.and_then(|table| table.key.as_ref()) == Some(&arn)
            };
            let place = |table: &TableFacts| {
                Some(NeededResource {
                    table: Some((table.asked.clone(), table.description.value()?.arn.clone())),
                    key,
                    ..NeededResource::new(arn.to_string(), account.clone())
                })
            };
            let tables = tables_of(plan, facts).into_iter();
            Ok(tables.filter(uses_it).filter_map(place).collect())
        }
    }
}

/// The facts about a key, its ARN, and the account in it.
fn key_named<'f>(
    facts: &'f Facts,
    asked: &str,
) -> Result<(Option<&'f KeyFacts>, Arn, AccountId), Unresolved> {
    let key = facts.key(asked);
    let named = || {
        let arn: Arn = asked.parse().ok()?;
        arn.resource.starts_with("key/").then_some(arn)
    };
    key.and_then(KeyFacts::arn)
        .or_else(named)
        .and_then(|arn| {
            let account = arn.account_id()?;
            Some((key, arn, account))
        })
        .ok_or(Unresolved {
            what: format!("which key {asked} is"),
            permission: "kms:DescribeKey",
        })
}

fn table_places<'f>(
    plan: &Plan,
    facts: &Facts,
    need: &RequiredPermission,
) -> Vec<NeededResource<'f>> {
    let account = &facts.source().caller.account;
    let pattern = need.resource.pattern();
    let mut places: Vec<NeededResource<'f>> = Vec::new();
    for job in &plan.tables {
        let arn = plan.table_arn(job, account, &facts.source().region);
        let resource = match need.subject {
            Subject::TableExport => format!("{arn}/export/{EXAMPLE_ID}"),
            _ => arn.to_string(),
        };
        // A list is asked for table by table, so it is judged on each.
        let is_meant = pattern == "*" || pattern.trim_end_matches("/export/*") == arn.to_string();
        if is_meant && places.iter().all(|place| place.resource != resource) {
            places.push(NeededResource {
                table: Some((job.table.to_string(), arn)),
                ..NeededResource::new(resource, account.clone())
            });
        }
    }
    places
}

/// An object that a need is judged on.
struct ExampleObject {
    arn: String,
    /// Whether it is uploaded in parts.
    is_multipart: bool,
    /// What is known of it, where it is there already.
    stored: Option<StoredObject>,
}

impl ExampleObject {
    /// Whether it may be encrypted with this key.
    fn may_have_key(&self, asked: &str) -> bool {
        let stored = self.stored.as_ref();
        let known = stored.and_then(|object| object.encryption.value());
        known.is_none_or(|encryption| encryption.key.as_deref() == Some(asked))
    }

    /// Whether it is this account's, in a bucket of another.
    fn is_of(&self, account: &AccountId, bucket_owner: &AccountId) -> bool {
        let stored = self.stored.as_ref();
        let owner = stored.and_then(|object| object.owner.value());
        account != bucket_owner
            && matches!(owner, Some(ObjectOwner::Account(owner)) if owner == account)
    }
}

/// One object of each kind that the job writes, or those that are there for it to read.
fn objects(plan: &Plan, facts: &Facts) -> Vec<ExampleObject> {
    let name = &plan.destination.bucket;
    let bucket = name.arn(facts.source().caller.arn.partition);
    let stored = facts.bucket(name).objects.value();
    if let Some(stored) = stored.filter(|stored| plan.reads_objects() && !stored.objects.is_empty())
    {
        let stored = stored.objects.iter();
        return stored
            .map(|object| ExampleObject {
                arn: format!("{bucket}/{}", object.key),
                is_multipart: false,
                stored: Some(object.clone()),
            })
            .collect();
    }
    let objects = plan.objects().into_iter();
    objects
        .map(|object| ExampleObject {
            arn: format!("{bucket}/{}", object.key),
            is_multipart: object.is_multipart,
            stored: None,
        })
        .collect()
}

/// The ARNs that the role behind a principal may have; one `None` for the one who is no session.
fn roles(principal: &PrincipalFacts, facts: &Facts) -> Vec<Option<String>> {
    let Some(name) = principal.role_name() else {
        return vec![None];
    };
    if let Some(role) = principal.role.value() {
        return vec![Some(role.arn.to_string())];
    }
    let caller = &principal.caller;
    let plain = Arn::iam(
        caller.arn.partition,
        &caller.account,
        format!("role/{name}"),
    );
    let mut roles = vec![plain.to_string()];
    if name.starts_with("AWSReservedSSO_") {
        // Identity Center's own roles always have its path; which Region is in it is not known.
        let path = "role/aws-reserved/sso.amazonaws.com";
        let regional = format!("{path}/{}/{name}", principal.region);
        roles = [regional, format!("{path}/{name}")]
            .map(|resource| Arn::iam(caller.arn.partition, &caller.account, resource).to_string())
            .to_vec();
    }
    for document in documents_of_resources(facts) {
        for found in roles_named(document, name, caller.account.as_str()) {
            if !roles.contains(&found) {
                roles.push(found);
            }
        }
    }
    roles.into_iter().map(Some).collect()
}

fn documents_of_resources(facts: &Facts) -> impl Iterator<Item = &Document<'_>> {
    let keys = facts.keys().filter_map(|key| key.policy.value());
    let buckets = facts
        .buckets()
        .filter_map(|(_, bucket)| bucket.policy.value());
    let policies = buckets.chain(keys);
    policies.filter_map(|policy| policy.document().ok().map(Arc::as_ref))
}

/// The roles of an account that a policy names and that have this name, under whatever path.
fn roles_named(document: &Document<'_>, name: &str, account: &str) -> Vec<String> {
    let mut found = Vec::new();
    for statement in document.statements() {
        let principals = statement.principals.iter().flat_map(|all| &all.entries);
        let values = statement.conditions.iter().flat_map(|found| &found.values);
        for text in principals.map(|(_, text)| text).chain(values) {
            let arn = text.value.as_ref();
            let is_it = arn.split(':').nth(4) == Some(account)
                && arn.contains(":role/")
                && arn.rsplit('/').next() == Some(name)
                && !arn.contains(['*', '?', '$']);
            if is_it {
                found.push(arn.to_owned());
            }
        }
    }
    found
}

/// The principal as IAM knows it. A server that is not AWS may call its callers by ARNs that IAM
/// gives nobody; what policies mean for them nobody can tell.
fn known_to_iam(principal: &PrincipalFacts) -> Result<Principal, Unresolved> {
    let arn = &principal.caller.arn;
    Principal::parse(&arn.to_string()).ok_or_else(|| Unresolved {
        what: format!("what policies make of {arn}, an ARN that IAM gives nobody,"),
        permission: "",
    })
}

/// The principal with the role behind its session.
fn as_asked(known: &Principal, role: Option<String>) -> Principal {
    match known {
        Principal::Session { arn, .. } => Principal::Session {
            arn: arn.clone(),
            role_arn: role,
        },
        known => known.clone(),
    }
}
