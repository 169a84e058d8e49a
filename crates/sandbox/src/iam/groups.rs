//! Groups: which a user is in, and the policies that they bring.

use super::super::call::AuthenticatedCall;
use super::super::query::{Parameters, Xml};
use super::super::refusal::Refusal;
use super::super::world::{User, World};
use super::{attached, inline_names, inline_policy, no_such, own_account, require};

/// `ListGroupsForUser`.
pub(super) fn of_user(call: &AuthenticatedCall<'_>, user: &User) -> Xml {
    let groups = user.groups.iter().map(|name| {
        Xml::default()
            .text("Path", "/")
            .text("GroupName", name)
            .text("GroupId", &format!("AGPA{}", name.to_uppercase()))
            .text("Arn", &arn(call, name))
            .text("CreateDate", "2026-01-01T00:00:00Z")
    });
    Xml::default()
        .list("Groups", groups)
        .text("IsTruncated", "false")
}

/// The actions on one group.
pub(super) fn answer(
    world: &World,
    call: &AuthenticatedCall<'_>,
    action: &str,
    parameters: &Parameters,
) -> Result<Xml, Refusal> {
    let name = parameters.require("GroupName")?;
    require(world, call, action, &arn(call, name))?;
    let group = own_account(world, call)?
        .groups
        .get(name)
        .ok_or_else(|| no_such("group", name))?;
    match action {
        "ListAttachedGroupPolicies" => Ok(attached(&group.attached)),
        "ListGroupPolicies" => Ok(inline_names(&group.inline)),
        _ => {
            let policy = parameters.require("PolicyName")?;
            inline_policy("Group", name, policy, group.inline.get(policy))
        }
    }
}

fn arn(call: &AuthenticatedCall<'_>, name: &str) -> String {
    call.iam_arn(&format!("group/{name}"))
}
