//! The context of a request that a service makes for itself, acting for a resource.
//!
//! It follows "Properties of the principal" and "Properties of the resource" of "AWS global condition
//! context keys" (IAM user guide). Such a request has no session, no user and no organization of its
//! own; `aws:Source*` tell of the resource that the service acts for.

use super::{CallContext, add_organization};
use crate::job::requirement::ServiceActor;
use tableferry_policy::evaluate::Context;

/// An account that is nobody's: what a service's request holds of its own account is not told, and it is
/// none of the operator's.
const OF_AWS: &str = "000000000000";
/// The same as an ARN.
const ARN_OF_AWS: &str = "arn:aws:iam::000000000000:root";

/// Adds what tells of the service, and of the resource that it acts for.
pub(super) fn add(context: &mut Context, call: CallContext<'_>, service: &ServiceActor) {
    context.set("aws:PrincipalIsAWSService", "true");
    context.set("aws:PrincipalServiceName", service.name);
    // The service's Regional names may be there too.
    context.set_unknown("aws:PrincipalServiceNamesList");
    context.set("aws:SourceArn", service.source_arn.as_str());
    context.set("aws:SourceAccount", service.source_account.as_str());
    let account = call.facts.account(&service.source_account);
    if !account.organization.is_absent() {
        let known = account.organization.value();
        add_organization(context, known, "aws:SourceOrgID", "aws:SourceOrgPaths");
    }
    for (key, value) in [
        ("aws:PrincipalAccount", OF_AWS),
        ("aws:PrincipalArn", ARN_OF_AWS),
    ] {
        context.set_known_or_absent(key, vec![value.to_owned()]);
    }
    context.set_unknown("aws:PrincipalType");
    context.set_unknown("aws:userid");
}
