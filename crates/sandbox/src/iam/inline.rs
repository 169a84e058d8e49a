//! Writing and deleting the inline policies of users and roles.

use super::{no_such, own_account, require};
use crate::call::AuthenticatedCall;
use crate::policy_validation::identity::check_identity_policy;
use crate::query::{Parameters, Xml};
use crate::refusal::Refusal;
use crate::world::World;

/// Whose inline policy an action is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum PolicyOwner {
    User,
    Role,
}

impl PolicyOwner {
    const fn parameter(self) -> &'static str {
        match self {
            Self::User => "UserName",
            Self::Role => "RoleName",
        }
    }

    const fn word(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Role => "role",
        }
    }

    /// How long all inline policies of one may be together, white space left aside ("IAM and AWS STS
    /// quotas").
    const fn limit(self) -> usize {
        match self {
            Self::User => 2_048,
            Self::Role => 10_240,
        }
    }
}

/// Answers an action that writes.
pub(super) fn answer(
    world: &mut World,
    call: &AuthenticatedCall<'_>,
    action: &str,
    parameters: &Parameters,
) -> Result<Xml, Refusal> {
    let holder = if action.contains("User") {
        PolicyOwner::User
    } else {
        PolicyOwner::Role
    };
    let name = parameters.require(holder.parameter())?;
    let policy = parameters.require("PolicyName")?;
    let account = call.caller.account.clone();
    let arn = arn_of(world, call, holder, name)?;
    let is_there = arn.is_some();
    let arn = arn.unwrap_or_else(|| call.iam_arn(&format!("{}/{name}", holder.word())));
    require(world, call, action, &arn)?;
    if !is_there {
        return Err(no_such(holder.word(), name));
    }
    if arn.contains(":role/aws-reserved/") || arn.contains(":role/aws-service-role/") {
        return Err(Refusal::new(
            "UnmodifiableEntity",
            format!(
                "Cannot perform the operation on the protected role '{name}' - this role is only \
                 modifiable by AWS"
            ),
        ));
    }
    let inline = world.accounts.get_mut(&account).and_then(|account| {
        Some(match holder {
            PolicyOwner::User => &mut account.users.get_mut(name)?.inline,
            PolicyOwner::Role => &mut account.roles.get_mut(name)?.inline,
        })
    });
    let Some(inline) = inline else {
        return Err(no_such(holder.word(), name));
    };
    if action.starts_with("Delete") {
        let written = inline
            .get_mut(policy)
            .filter(|found| found.current.is_some())
            .ok_or_else(|| no_such(&format!("{} policy", holder.word()), policy))?;
        written.write(None, call.now, call.open_questions.policy_delay);
    } else {
        let document = parameters.require("PolicyDocument")?;
        check_identity_policy(call.partition, document)
            .map_err(|message| Refusal::new("MalformedPolicyDocument", message))?;
        let others = inline.iter().filter(|(other, _)| other.as_str() != policy);
        let total: usize = others
            .filter_map(|(_, policy)| policy.current.as_ref())
            .map(|text| length(&text.0))
            .sum();
        if total + length(document) > holder.limit() {
            return Err(Refusal::with_status(
                409,
                "LimitExceeded",
                format!(
                    "Maximum policy size of {} bytes exceeded for {} {name}",
                    holder.limit(),
                    holder.word()
                ),
            ));
        }
        let written = inline.entry(policy.to_owned()).or_default();
        written.write(
            Some(document.to_owned()),
            call.now,
            call.open_questions.policy_delay,
        );
    }
    world.touch();
    Ok(Xml::default())
}

fn arn_of(
    world: &World,
    call: &AuthenticatedCall<'_>,
    holder: PolicyOwner,
    name: &str,
) -> Result<Option<String>, Refusal> {
    let account = own_account(world, call)?;
    let id = &call.caller.account;
    Ok(match holder {
        PolicyOwner::User => account
            .users
            .get(name)
            .map(|user| user.arn(call.partition, id, name)),
        PolicyOwner::Role => account
            .roles
            .get(name)
            .map(|role| role.arn(call.partition, id, name)),
    })
}

fn length(document: &str) -> usize {
    document.chars().filter(|c| !c.is_whitespace()).count()
}
