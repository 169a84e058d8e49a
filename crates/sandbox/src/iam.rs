//! IAM: the reads that the product uses, and the inline policies that it writes.

mod inline;

mod groups;
mod simulation;

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::authorize::Attempt;
use super::call::AuthenticatedCall;
use super::caller::CallerIdentity;
use super::lookup::days_before;
use super::policy_text::Edited;
use super::query::{Parameters, Xml, encode};
use super::refusal::Refusal;
use super::world::{Account, Role, User, World};

/// The namespace of IAM's answers.
pub(super) const NAMESPACE: &str = "https://iam.amazonaws.com/doc/2010-05-08/";

/// Answers an action.
pub(super) fn answer(
    world: &mut World,
    call: &AuthenticatedCall<'_>,
    action: &str,
    parameters: &Parameters,
) -> Result<Xml, Refusal> {
    match action {
        "GetUser" => get_user(world, call, parameters),
        "ListAttachedUserPolicies" | "ListUserPolicies" | "GetUserPolicy" | "ListGroupsForUser" => {
            user_policies(world, call, action, parameters)
        }
        "GetRole" | "ListAttachedRolePolicies" | "ListRolePolicies" | "GetRolePolicy" => {
            role_action(world, call, action, parameters)
        }
        "ListAttachedGroupPolicies" | "ListGroupPolicies" | "GetGroupPolicy" => {
            groups::answer(world, call, action, parameters)
        }
        "SimulatePrincipalPolicy" => simulation::simulate(world, call, parameters),
        "GetPolicy" | "GetPolicyVersion" => managed_policy(world, call, action, parameters),
        "ListAccountAliases" => account_aliases(world, call),
        "PutUserPolicy" | "PutRolePolicy" | "DeleteUserPolicy" | "DeleteRolePolicy" => {
            inline::answer(world, call, action, parameters)
        }
        _ => Err(Refusal::unknown_operation("InvalidAction", "IAM", action)),
    }
}

/// The caller's own account, which is all that IAM ever shows.
fn own_account<'a>(world: &'a World, call: &AuthenticatedCall<'_>) -> Result<&'a Account, Refusal> {
    world
        .account(&call.caller.account)
        .ok_or_else(|| Refusal::with_status(500, "ServiceFailure", "The account is not known."))
}

fn require(
    world: &World,
    call: &AuthenticatedCall<'_>,
    action: &str,
    resource: &str,
) -> Result<(), Refusal> {
    let account = &call.caller.account;
    world
        .authorize(&Attempt {
            caller: call.caller,
            action: &format!("iam:{action}"),
            resource,
            resource_account: account,
            policy: None,
            grants: &[],
            context: &call.context(world, account),
            now: call.now,
        })
        .map_err(|denial| Refusal::with_status(403, "AccessDenied", denial.sentence()))
}

fn no_such(what: &str, name: &str) -> Refusal {
    Refusal::with_status(
        404,
        "NoSuchEntity",
        format!("The {what} with name {name} cannot be found."),
    )
}

fn get_user(
    world: &World,
    call: &AuthenticatedCall<'_>,
    parameters: &Parameters,
) -> Result<Xml, Refusal> {
    let own = match &call.caller.identity {
        CallerIdentity::User { name } => Some(name.as_str()),
        CallerIdentity::Session { .. } => None,
    };
    let name = parameters.get("UserName").or(own).ok_or_else(|| {
        Refusal::new(
            "ValidationError",
            "Must specify userName when calling with non-User credentials",
        )
    })?;
    let account = &call.caller.account;
    let user = own_account(world, call)?.users.get(name);
    let arn = user.map_or_else(
        || call.iam_arn(&format!("user/{name}")),
        |user| user.arn(call.partition, account, name),
    );
    require(world, call, "GetUser", &arn)?;
    let user = user.ok_or_else(|| no_such("user", name))?;
    Ok(Xml::default().node("User", &user_xml(world, user, name, &arn)))
}

fn user_xml(world: &World, user: &User, name: &str, arn: &str) -> Xml {
    let xml = Xml::default()
        .text("Path", &user.path)
        .text("UserName", name)
        .text("UserId", &user.id)
        .text("Arn", arn)
        .text("CreateDate", &created(world));
    with_boundary(xml, user.boundary.as_deref())
}

fn user_policies(
    world: &World,
    call: &AuthenticatedCall<'_>,
    action: &str,
    parameters: &Parameters,
) -> Result<Xml, Refusal> {
    let name = parameters.require("UserName")?;
    let account = &call.caller.account;
    let user = own_account(world, call)?.users.get(name);
    let arn = user.map_or_else(
        || call.iam_arn(&format!("user/{name}")),
        |user| user.arn(call.partition, account, name),
    );
    require(world, call, action, &arn)?;
    let user = user.ok_or_else(|| no_such("user", name))?;
    match action {
        "ListAttachedUserPolicies" => Ok(attached(&user.attached)),
        "ListUserPolicies" => Ok(inline_names(&user.inline)),
        "ListGroupsForUser" => Ok(groups::of_user(call, user)),
        _ => {
            let policy = parameters.require("PolicyName")?;
            inline_policy("User", name, policy, user.inline.get(policy))
        }
    }
}

fn role_action(
    world: &World,
    call: &AuthenticatedCall<'_>,
    action: &str,
    parameters: &Parameters,
) -> Result<Xml, Refusal> {
    let name = parameters.require("RoleName")?;
    let account = &call.caller.account;
    let role = own_account(world, call)?.roles.get(name);
    let arn = role.map_or_else(
        || call.iam_arn(&format!("role/{name}")),
        |role| role.arn(call.partition, account, name),
    );
    require(world, call, action, &arn)?;
    let role = role.ok_or_else(|| no_such("role", name))?;
    match action {
        "GetRole" => Ok(Xml::default().node("Role", &role_xml(world, role, name, &arn))),
        "ListAttachedRolePolicies" => Ok(attached(&role.attached)),
        "ListRolePolicies" => Ok(inline_names(&role.inline)),
        _ => {
            let policy = parameters.require("PolicyName")?;
            inline_policy("Role", name, policy, role.inline.get(policy))
        }
    }
}

fn role_xml(world: &World, role: &Role, name: &str, arn: &str) -> Xml {
    let xml = Xml::default()
        .text("Path", &role.path)
        .text("RoleName", name)
        .text("RoleId", &role.id)
        .text("Arn", arn)
        .text(
            "CreateDate",
            &date(days_before(world.born, role.created_days_ago)),
        )
        .text("AssumeRolePolicyDocument", &encode(&role.trust.0))
        .text("Description", &role.description)
        .text("MaxSessionDuration", &role.max_session_seconds.to_string());
    with_boundary(xml, role.boundary.as_deref())
}

fn with_boundary(xml: Xml, boundary: Option<&str>) -> Xml {
    match boundary {
        None => xml,
        Some(arn) => xml.node(
            "PermissionsBoundary",
            &Xml::default()
                .text("PermissionsBoundaryType", "Policy")
                .text("PermissionsBoundaryArn", arn),
        ),
    }
}

fn attached(arns: &[String]) -> Xml {
    let members = arns.iter().map(|arn| {
        Xml::default()
            .text("PolicyName", policy_name(arn))
            .text("PolicyArn", arn)
    });
    Xml::default()
        .list("AttachedPolicies", members)
        .text("IsTruncated", "false")
}

fn inline_names(policies: &BTreeMap<String, Edited>) -> Xml {
    let written = policies
        .iter()
        .filter(|(_, policy)| policy.current.is_some());
    Xml::default()
        .texts("PolicyNames", written.map(|(name, _)| name.as_str()))
        .text("IsTruncated", "false")
}

fn inline_policy(
    kind: &str,
    owner: &str,
    name: &str,
    policy: Option<&Edited>,
) -> Result<Xml, Refusal> {
    let policy = policy.and_then(|policy| policy.current.as_ref());
    let policy = policy.ok_or_else(|| {
        let kind = kind.to_lowercase();
        no_such(&format!("{kind} policy"), name)
    })?;
    Ok(Xml::default()
        .text(&format!("{kind}Name"), owner)
        .text("PolicyName", name)
        .text("PolicyDocument", &encode(&policy.0)))
}

fn managed_policy(
    world: &World,
    call: &AuthenticatedCall<'_>,
    action: &str,
    parameters: &Parameters,
) -> Result<Xml, Refusal> {
    let arn = parameters.require("PolicyArn")?;
    require(world, call, action, arn)?;
    let own = call.iam_arn("policy/");
    let is_shown = arn.starts_with(&own) || arn.starts_with(&call.partition.managed_policy(""));
    let document = world
        .managed_policies
        .get(arn)
        .filter(|_| is_shown)
        .ok_or_else(|| {
            Refusal::with_status(404, "NoSuchEntity", format!("Policy {arn} was not found."))
        })?;
    if action == "GetPolicy" {
        let policy = Xml::default()
            .text("PolicyName", policy_name(arn))
            .text("Arn", arn)
            .text("Path", "/")
            .text("DefaultVersionId", "v1")
            .text("IsAttachable", "true")
            .text("CreateDate", &created(world))
            .text("UpdateDate", &created(world));
        return Ok(Xml::default().node("Policy", &policy));
    }
    let version = parameters.require("VersionId")?;
    if version != "v1" {
        return Err(Refusal::with_status(
            404,
            "NoSuchEntity",
            format!("Policy {arn} version {version} does not exist or is not attachable."),
        ));
    }
    let version = Xml::default()
        .text("Document", &encode(&document.0))
        .text("VersionId", "v1")
        .text("IsDefaultVersion", "true")
        .text("CreateDate", &created(world));
    Ok(Xml::default().node("PolicyVersion", &version))
}

fn account_aliases(world: &World, call: &AuthenticatedCall<'_>) -> Result<Xml, Refusal> {
    require(world, call, "ListAccountAliases", "*")?;
    let alias = own_account(world, call)?.alias.as_deref();
    Ok(Xml::default()
        .texts("AccountAliases", alias)
        .text("IsTruncated", "false"))
}

fn policy_name(arn: &str) -> &str {
    arn.rsplit('/').next().unwrap_or(arn)
}

/// Users and policies are as old as the world.
fn created(world: &World) -> String {
    date(world.born)
}

fn date(time: Timestamp) -> String {
    time.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}
