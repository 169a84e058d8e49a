//! The context of a request that an AWS service makes for itself ("Properties of the resource" and
//! "Properties of the request", "AWS global condition context keys", IAM user guide).

use jiff::Timestamp;

use super::{SERVICE_ADDRESS, add_bucket_account, add_resource_account};
use crate::open_questions::{ForwardedTransport, SourceAddress};
use crate::world::World;
use tableferry_policy::evaluate::Context;

/// The resource that a service acts for.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ActingFor<'a> {
    /// The service's principal, such as `s3.amazonaws.com`.
    pub service: &'a str,
    /// Its ARN.
    pub resource: &'a str,
    pub account: &'a str,
    /// Where the service calls from, as far as is told: never from an address of the operator's.
    pub address: SourceAddress,
}

/// The keys that a service's request to a bucket has.
pub(crate) fn of_bucket_request(
    world: &World,
    actor: ActingFor<'_>,
    (region, account): (&str, &str),
    now: Timestamp,
) -> Context {
    let mut context = of_service(world, actor, region, now);
    add_bucket_account(&mut context, world, account);
    context
}

/// The keys that a service's request to a key has.
pub(crate) fn of_key_request(
    world: &World,
    actor: ActingFor<'_>,
    (region, account): (&str, &str),
    now: Timestamp,
) -> Context {
    let mut context = of_service(world, actor, region, now);
    add_resource_account(&mut context, world, account);
    context
}

fn of_service(world: &World, actor: ActingFor<'_>, region: &str, now: Timestamp) -> Context {
    let mut context = Context::default();
    context.set("aws:PrincipalIsAWSService", "true");
    context.set("aws:PrincipalServiceName", actor.service);
    context.set_all(
        "aws:PrincipalServiceNamesList",
        vec![actor.service.to_owned()],
    );
    context.set("aws:SourceArn", actor.resource);
    context.set("aws:SourceAccount", actor.account);
    if world.is_member(actor.account) {
        let organization = &world.organization;
        context.set("aws:SourceOrgID", organization.id.as_str());
        context.set_all(
            "aws:SourceOrgPaths",
            vec![format!("{}/{}/", organization.id, organization.root)],
        );
    }
    context.set("aws:ViaAWSService", "false");
    context.set(
        "aws:CurrentTime",
        now.strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
    );
    context.set("aws:EpochTime", now.as_second().to_string());
    context.set("aws:RequestedRegion", region);
    if world.forwarded_transport == ForwardedTransport::Secure {
        context.set("aws:SecureTransport", "true");
    }
    if actor.address != SourceAddress::Absent {
        context.set("aws:SourceIp", SERVICE_ADDRESS);
    }
    context
}
