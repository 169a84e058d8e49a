//! Authorization: each request against every policy that bears on it, judged by the project's own
//! policy engine, and refused in AWS's words.

pub(super) mod service;

use jiff::Timestamp;

use super::caller::{Caller, CallerIdentity};
use super::world::{KeyGrant, World};
use tableferry_policy::document::Document;
use tableferry_policy::evaluate::{
    Context, Decision, Evaluation, Grant, Level, Named, NamedPolicy, Policies, PolicyKind, Request,
    evaluate,
};

/// What somebody tries to do.
#[derive(Debug, Clone, Copy)]
pub(super) struct Attempt<'a> {
    pub caller: &'a Caller,
    pub action: &'a str,
    /// The resource's ARN, or `*`.
    pub resource: &'a str,
    pub resource_account: &'a str,
    /// The resource's own policy.
    pub policy: Option<&'a str>,
    pub grants: &'a [KeyGrant],
    pub context: &'a Context,
    /// When: a policy that was just written may not hold yet.
    pub now: Timestamp,
}

/// A refusal, with what its sentence needs.
#[derive(Debug, Clone)]
pub(super) struct Denial {
    pub who: String,
    pub action: String,
    pub resource: String,
    pub is_explicit: bool,
    pub kind: PolicyKind,
    /// Whether AWS gives the reason: within one account or organization only.
    pub has_reason: bool,
}

impl Denial {
    /// `User: … is not authorized to perform: … on resource: …`, with the reason where AWS gives it.
    pub(super) fn sentence(&self) -> String {
        self.words(Some(&self.resource))
    }

    /// The same as S3 writes it: the resource in quotes, and none for a listing of buckets.
    pub(super) fn quoted_sentence(&self) -> String {
        let quoted = format!("\"{}\"", self.resource);
        let is_about_something = self.action != "s3:ListAllMyBuckets";
        self.words(is_about_something.then_some(&quoted))
    }

    fn words(&self, resource: Option<&String>) -> String {
        let mut words = format!(
            "User: {} is not authorized to perform: {}",
            self.who, self.action
        );
        if let Some(resource) = resource {
            words.push_str(" on resource: ");
            words.push_str(resource);
        }
        if self.has_reason {
            words.push(' ');
            words.push_str(&self.reason());
        }
        words
    }

    /// The reason, as "Troubleshoot access denied error messages" (IAM user guide) lists them.
    fn reason(&self) -> String {
        let kind = NamedPolicy::from(self.kind);
        if self.is_explicit {
            return kind.explicit_deny();
        }
        format!("{} the {} action", kind.no_allow(), self.action)
    }
}

impl World {
    /// Judges an attempt.
    pub(super) fn authorize(&self, attempt: &Attempt<'_>) -> Result<(), Denial> {
        let request = Request {
            principal: attempt.caller.principal(),
            action: attempt.action,
            resource: attempt.resource,
            resource_account: attempt.resource_account,
            context: attempt.context,
        };
        self.judged
            .note(attempt.action, attempt.resource, attempt.context);
        let answer = evaluate(&request, &self.policies(attempt));
        match answer.decision {
            Decision::Allowed => Ok(()),
            _ => Err(self.denial(attempt, &answer)),
        }
    }

    fn denial(&self, attempt: &Attempt<'_>, answer: &Evaluation) -> Denial {
        let is_trust = attempt.action.starts_with("sts:");
        let kind = match answer.denied_by.unwrap_or(PolicyKind::Identity) {
            PolicyKind::Resource if is_trust => PolicyKind::Trust,
            kind => kind,
        };
        Denial {
            who: attempt.caller.arn.clone(),
            action: attempt.action.to_owned(),
            resource: attempt.resource.to_owned(),
            is_explicit: answer.decision == Decision::ExplicitDeny,
            kind,
            has_reason: self.share_organization(&attempt.caller.account, attempt.resource_account),
        }
    }

    /// Every policy that bears on an attempt. A document that cannot be read allows nothing.
    fn policies<'a>(&'a self, attempt: &Attempt<'a>) -> Policies<'a> {
        let caller = attempt.caller;
        let mut policies = Policies {
            resource_control: self.organization_levels(attempt.resource_account, Control::Resource),
            ..self.own_policies(&caller.account, &caller.identity, attempt.now)
        };
        policies.session = caller
            .session
            .as_ref()
            .and_then(|session| session.policies.first())
            .and_then(|text| named("the session policy", &text.0));
        policies.resource = attempt
            .policy
            .and_then(|text| named(attempt.resource, text));
        policies.grants = attempt.grants.iter().map(grant).collect();
        policies
    }

    /// What is attached to a user or role itself: identity policies, boundary, service control policies.
    pub(super) fn own_policies(
        &self,
        account: &str,
        identity: &CallerIdentity,
        now: Timestamp,
    ) -> Policies<'_> {
        Policies {
            identity: self.identity_policies(account, identity, now),
            boundary: self.boundary(account, identity),
            service_control: self.organization_levels(account, Control::Service),
            ..Policies::default()
        }
    }

    /// The policies attached to a user or role, and those inside it, as they hold at a time.
    fn identity_policies(
        &self,
        account: &str,
        identity: &CallerIdentity,
        now: Timestamp,
    ) -> Vec<Named<'_>> {
        let Some(account) = self.account(account) else {
            return Vec::new();
        };
        let found = match identity {
            CallerIdentity::User { name } => account
                .users
                .get(name)
                .map(|user| (&user.attached, &user.inline)),
            CallerIdentity::Session { role, .. } => account
                .roles
                .get(role)
                .map(|role| (&role.attached, &role.inline)),
        };
        let Some(own) = found else {
            return Vec::new();
        };
        let groups = match identity {
            CallerIdentity::User { name } => {
                account.users.get(name).map(|user| user.groups.as_slice())
            }
            CallerIdentity::Session { .. } => None,
        };
        let of_groups = groups
            .unwrap_or_default()
            .iter()
            .filter_map(|name| account.groups.get(name))
            .map(|group| (&group.attached, &group.inline));
        std::iter::once(own)
            .chain(of_groups)
            .flat_map(|(attached, inline)| {
                let attached = attached
                    .iter()
                    .filter_map(|arn| named(arn, &self.managed_policies.get(arn)?.0));
                let inline = inline
                    .iter()
                    .filter_map(move |(name, policy)| named(name, &policy.in_force(now)?.0));
                attached.chain(inline)
            })
            .collect()
    }

    fn boundary(&self, account: &str, identity: &CallerIdentity) -> Option<Named<'_>> {
        let account = self.account(account)?;
        let arn = match identity {
            CallerIdentity::User { name } => account.users.get(name)?.boundary.as_ref(),
            CallerIdentity::Session { role, .. } => account.roles.get(role)?.boundary.as_ref(),
        }?;
        named(arn, &self.managed_policies.get(arn)?.0)
    }

    /// The organization's policies over an account, from the root down; the management account has
    /// none.
    fn organization_levels(&self, account: &str, control: Control) -> Vec<Level<'_>> {
        let organization = &self.organization;
        if !self.is_member(account) || account == organization.management_account {
            return Vec::new();
        }
        [organization.root.as_str(), account]
            .into_iter()
            .filter_map(|target| {
                let policies = self
                    .attached_controls(target, control)?
                    .iter()
                    .filter_map(|arn| named(arn, &self.managed_policies.get(arn)?.0))
                    .collect();
                let target = target.to_owned();
                Some(Level { target, policies })
            })
            .collect()
    }

    /// The ARNs of the control policies that are attached to the root or to an account; `None` for
    /// an account that has but the policy of full access.
    pub(super) fn attached_controls(&self, target: &str, control: Control) -> Option<&[String]> {
        let organization = &self.organization;
        let attached = if target == organization.root {
            match control {
                Control::Service => &organization.service_control,
                Control::Resource => &organization.resource_control,
            }
        } else {
            let own = organization.of_accounts.get(target)?;
            match control {
                Control::Service => own.service_control.as_ref()?,
                Control::Resource => own.resource_control.as_ref()?,
            }
        };
        Some(attached)
    }
}

/// The two kinds of control policies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Control {
    /// Over an account's principals.
    Service,
    /// Over an account's resources.
    Resource,
}

fn named<'a>(name: &str, text: &'a str) -> Option<Named<'a>> {
    let document = Document::parse(text).ok()?;
    Some(Named::new(name, document))
}

fn grant(grant: &KeyGrant) -> Grant {
    Grant {
        id: grant.id.clone(),
        grantee: grant.grantee.clone(),
        operations: grant.operations.clone(),
        context_subset: grant.context_subset.clone(),
        source_arn: None,
        context_equals: grant.context_equals.clone(),
    }
}
