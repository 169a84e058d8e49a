//! A call that is authenticated.

use jiff::Timestamp;

use super::authorize::{Attempt, Denial};
use super::caller::Caller;
use super::context::{self, RequestRoute};
use super::open_questions::OpenQuestions;
use super::world::World;
use tableferry_policy::arn::Partition;
use tableferry_policy::evaluate::Context;

/// One authenticated call.
#[derive(Debug, Clone, Copy)]
pub(super) struct AuthenticatedCall<'a> {
    pub caller: &'a Caller,
    /// The Region whose endpoint was called, from the credential scope.
    pub region: &'a str,
    pub partition: Partition,
    pub now: Timestamp,
    pub open_questions: OpenQuestions,
}

impl AuthenticatedCall<'_> {
    /// The ARN of something of the caller's account in the Region that was called.
    pub(super) fn arn(&self, service: &str, resource: &str) -> String {
        let Self {
            partition, region, ..
        } = self;
        let account = &self.caller.account;
        format!("arn:{partition}:{service}:{region}:{account}:{resource}")
    }

    /// The ARN of an IAM resource of the caller's account.
    pub(super) fn iam_arn(&self, resource: &str) -> String {
        let partition = self.partition;
        format!("arn:{partition}:iam::{}:{resource}", self.caller.account)
    }

    /// The context of this call, made directly.
    pub(super) fn context(&self, world: &World, resource_account: &str) -> Context {
        let mut context = context::of_request(
            world,
            self.caller,
            self.region,
            self.now,
            RequestRoute::Direct,
        );
        context::add_resource_account(&mut context, world, resource_account);
        context
    }

    /// Judges an action on a resource of the caller's own account that has no policy of its own.
    pub(super) fn require(
        &self,
        world: &World,
        action: &str,
        resource: &str,
    ) -> Result<(), Denial> {
        self.require_with(world, action, resource, None)
    }

    /// The same on a resource that may have a policy of its own.
    pub(super) fn require_with(
        &self,
        world: &World,
        action: &str,
        resource: &str,
        policy: Option<&str>,
    ) -> Result<(), Denial> {
        let account = &self.caller.account;
        world.authorize(&Attempt {
            caller: self.caller,
            action,
            resource,
            resource_account: account,
            policy,
            grants: &[],
            context: &self.context(world, account),
            now: self.now,
        })
    }
}
