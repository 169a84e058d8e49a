//! Requests that an AWS service makes for itself, acting for a resource: no identity policy is attached to
//! it, and no service control policy binds it.

use super::{Control, grant, named};
use crate::world::{KeyGrant, World};
use tableferry_policy::evaluate::{Context, Decision, Policies, Principal, Request, evaluate};

/// What a service tries to do.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ServiceAttempt<'a> {
    /// The service's principal, such as `s3.amazonaws.com`.
    pub service: &'a str,
    pub action: &'a str,
    pub resource: &'a str,
    pub resource_account: &'a str,
    /// The resource's own policy.
    pub policy: Option<&'a str>,
    pub grants: &'a [KeyGrant],
    pub context: &'a Context,
}

impl World {
    /// Whether the policies of the resource's side let a service in.
    pub(crate) fn admits_service(&self, attempt: &ServiceAttempt<'_>) -> bool {
        let request = Request {
            principal: Principal::Service {
                name: attempt.service.to_owned(),
            },
            action: attempt.action,
            resource: attempt.resource,
            resource_account: attempt.resource_account,
            context: attempt.context,
        };
        self.judged
            .note(attempt.action, attempt.resource, attempt.context);
        let policies = Policies {
            resource: attempt
                .policy
                .and_then(|text| named(attempt.resource, text)),
            resource_control: self.organization_levels(attempt.resource_account, Control::Resource),
            grants: attempt.grants.iter().map(grant).collect(),
            ..Policies::default()
        };
        evaluate(&request, &policies).decision == Decision::Allowed
    }
}
