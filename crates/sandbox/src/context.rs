//! The context of each request: what condition keys hold when AWS judges it.
//!
//! It is built here, from AWS's pages alone ("AWS global condition context keys" in the IAM user
//! guide, "Condition keys for AWS KMS", and the service authorization reference of S3 and STS), and
//! not with the code that derives needs: otherwise checker and sandbox would only agree with each
//! other.

pub(super) mod service;

use jiff::Timestamp;

use super::caller::{Caller, CallerIdentity};
use super::open_questions::{ForwardedTransport, SourceAddress};
use super::world::World;
use tableferry_policy::evaluate::Context;

/// The address that the operator's own calls come from (TEST-NET-3, RFC 5737).
pub const OPERATOR_ADDRESS: &str = "203.0.113.10";

/// The address that a service's own machines call from (TEST-NET-2, RFC 5737).
pub const SERVICE_ADDRESS: &str = "198.51.100.7";

/// How a request reached the service that judges it.
#[derive(Debug, Clone, Copy)]
pub(super) enum RequestRoute {
    /// The principal called it.
    Direct,
    /// Another service called it on the principal's behalf.
    Forwarded {
        /// The services that forward and that `aws:CalledVia` knows, first one first.
        by: &'static [&'static str],
        address: SourceAddress,
    },
}

/// The keys that every request has.
pub(super) fn of_request(
    world: &World,
    caller: &Caller,
    region: &str,
    now: Timestamp,
    route: RequestRoute,
) -> Context {
    let mut context = of_principal(world, caller, now);
    context.set(
        "aws:CurrentTime",
        now.strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
    );
    context.set("aws:EpochTime", now.as_second().to_string());
    context.set("aws:RequestedRegion", region);
    context.set("aws:PrincipalIsAWSService", "false");
    match route {
        RequestRoute::Direct => {
            // The loopback stands in for AWS's endpoints, which speak TLS.
            context.set("aws:SecureTransport", "true");
            context.set("aws:ViaAWSService", "false");
            context.set("aws:SourceIp", OPERATOR_ADDRESS);
        }
        RequestRoute::Forwarded { by, address } => {
            if world.forwarded_transport == ForwardedTransport::Secure {
                context.set("aws:SecureTransport", "true");
            }
            forward(&mut context, by, address);
        }
    }
    context
}

/// What a forwarded request carries beside the principal's own keys.
fn forward(context: &mut Context, by: &[&str], address: SourceAddress) {
    context.set("aws:ViaAWSService", "true");
    if let (Some(first), Some(last)) = (by.first(), by.last()) {
        let services = by.iter().map(|service| (*service).to_owned()).collect();
        context.set_all("aws:CalledVia", services);
        context.set("aws:CalledViaFirst", *first);
        context.set("aws:CalledViaLast", *last);
    }
    match address {
        SourceAddress::Operator => context.set("aws:SourceIp", OPERATOR_ADDRESS),
        SourceAddress::Service => context.set("aws:SourceIp", SERVICE_ADDRESS),
        SourceAddress::Absent => {}
    }
}

/// The keys that tell of the principal.
fn of_principal(world: &World, caller: &Caller, now: Timestamp) -> Context {
    let mut context = Context::default();
    context.set("aws:PrincipalArn", caller.principal_arn.as_str());
    context.set("aws:PrincipalAccount", caller.account.as_str());
    context.set("aws:userid", caller.user_id.as_str());
    if world.is_member(&caller.account) {
        let organization = &world.organization;
        context.set("aws:PrincipalOrgID", organization.id.as_str());
        context.set_all(
            "aws:PrincipalOrgPaths",
            vec![format!("{}/{}/", organization.id, organization.root)],
        );
    }
    for (key, value) in tags(world, caller) {
        context.set(&format!("aws:PrincipalTag/{key}"), value.as_str());
    }
    match &caller.identity {
        CallerIdentity::User { name } => {
            context.set("aws:PrincipalType", "User");
            context.set("aws:username", name.as_str());
        }
        CallerIdentity::Session { .. } => context.set("aws:PrincipalType", "AssumedRole"),
    }
    // Keys of a user's own carry no word about MFA; temporary ones always do.
    if let Some(session) = &caller.session {
        context.set("aws:MultiFactorAuthPresent", session.has_mfa.to_string());
        context.set("aws:TokenIssueTime", session.issued_at.to_string());
        if session.has_mfa {
            let age = now.as_second() - session.issued_at.as_second();
            context.set("aws:MultiFactorAuthAge", age.to_string());
        }
        if let Some(identity) = &session.source_identity {
            context.set("aws:SourceIdentity", identity.as_str());
        }
    }
    context
}

/// The tags of the caller's user or role.
fn tags<'w>(world: &'w World, caller: &Caller) -> impl Iterator<Item = (&'w String, &'w String)> {
    let account = world.account(&caller.account);
    let tags = account.and_then(|account| match &caller.identity {
        CallerIdentity::User { name } => account.users.get(name).map(|user| &user.tags),
        CallerIdentity::Session { role, .. } => account.roles.get(role).map(|role| &role.tags),
    });
    tags.into_iter().flatten()
}

/// Adds whose the resource is.
pub(super) fn add_resource_account(context: &mut Context, world: &World, account: &str) {
    context.set("aws:ResourceAccount", account);
    if world.is_member(account) {
        let organization = &world.organization;
        context.set("aws:ResourceOrgID", organization.id.as_str());
        context.set_all(
            "aws:ResourceOrgPaths",
            vec![format!("{}/{}/", organization.id, organization.root)],
        );
    }
}

/// Adds whose a bucket is, which S3 has a key of its own for.
pub(super) fn add_bucket_account(context: &mut Context, world: &World, account: &str) {
    add_resource_account(context, world, account);
    context.set("s3:ResourceAccount", account);
}

/// Adds what an upload's headers say of encryption and access control.
pub(super) fn add_upload(
    context: &mut Context,
    algorithm: Option<&str>,
    key: Option<&str>,
    acl: Option<&str>,
) {
    if let Some(algorithm) = algorithm {
        context.set("s3:x-amz-server-side-encryption", algorithm);
    }
    if let Some(key) = key {
        context.set("s3:x-amz-server-side-encryption-aws-kms-key-id", key);
    }
    if let Some(acl) = acl {
        context.set("s3:x-amz-acl", acl);
    }
}

/// Adds whether a call makes an object ("Enforce conditional writes on Amazon S3 buckets").
pub(super) fn add_object_creation(context: &mut Context, makes_one: bool) {
    context.set("s3:ObjectCreationOperation", makes_one.to_string());
}

/// Adds what KMS sees when a service uses a key on a caller's behalf.
pub(super) fn add_key_use(
    context: &mut Context,
    caller_account: &str,
    via_service: Option<&str>,
    encryption_context: &[(&str, &str)],
) {
    context.set("kms:CallerAccount", caller_account);
    if let Some(service) = via_service {
        context.set("kms:ViaService", service);
        // Services use keys to encrypt and decrypt, and symmetric ones alone.
        context.set("kms:EncryptionAlgorithm", "SYMMETRIC_DEFAULT");
    }
    add_encryption_context(context, encryption_context);
}

/// Adds what KMS is told of the data.
pub(super) fn add_encryption_context(context: &mut Context, encryption_context: &[(&str, &str)]) {
    for (name, value) in encryption_context {
        context.set(&format!("kms:EncryptionContext:{name}"), *value);
    }
    if !encryption_context.is_empty() {
        context.set_all(
            "kms:EncryptionContextKeys",
            encryption_context
                .iter()
                .map(|(name, _)| (*name).to_owned())
                .collect(),
        );
    }
}
