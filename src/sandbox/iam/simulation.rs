//! `SimulatePrincipalPolicy`: what a user's or role's own policies, its boundary and the service
//! control policies make of actions on resources.
//!
//! It takes no resource policy for a role and knows no resource control policies; context keys that
//! are not given are missing, and named (`SimulatePrincipalPolicy` in the IAM API reference).

use std::collections::BTreeSet;

use super::super::call::{Call, Refusal};
use super::super::caller::Who;
use super::super::query::{Parameters, Xml};
use super::super::world::World;
use super::require;
use crate::policy::document::Document;
use crate::policy::evaluate::{
    Context, Decision, Level, Named, Policies, PolicyKind, Principal, Request, evaluate,
};

/// Answers the action.
pub(super) fn simulate(
    world: &World,
    call: &Call<'_>,
    parameters: &Parameters,
) -> Result<Xml, Refusal> {
    let source = parameters.require("PolicySourceArn")?;
    require(world, call, "SimulatePrincipalPolicy", source)?;
    let account = &call.caller.account;
    let (who, principal) = holder(world, source, account).ok_or_else(|| {
        Refusal::with_status(
            404,
            "NoSuchEntity",
            format!("The policy source {source} cannot be found."),
        )
    })?;
    // What stands in for the policies of resources: it leaves all to the account's own policies.
    let delegation = format!(
        r#"{{"Version":"2012-10-17","Statement":{{"Effect":"Allow","Principal":{{"AWS":"{account}"}},"Action":"*","Resource":"*"}}}}"#
    );
    let mut policies = world.own_policies(account, &who);
    policies.resource = named("the resource's policy", &delegation);
    let mut resources = members(parameters, "ResourceArns");
    if resources.is_empty() {
        resources.push("*");
    }
    let results = members(parameters, "ActionNames")
        .into_iter()
        .flat_map(|action| resources.iter().map(move |resource| (action, *resource)))
        .map(|(action, resource)| result(&principal, &policies, account, action, resource));
    Ok(Xml::default()
        .list("EvaluationResults", results)
        .text("IsTruncated", "false"))
}

/// The user or role of the caller's account that an ARN names.
fn holder(world: &World, source: &str, account: &str) -> Option<(Who, Principal)> {
    let arn = source.to_owned();
    if let Some((_, name, _)) = world.role_by_arn(source).filter(|found| found.0 == account) {
        let who = Who::Session {
            role: name.to_owned(),
            name: String::new(),
        };
        return Some((who, Principal::Role { arn }));
    }
    let (_, name, _) = world
        .user_by_arn(source)
        .filter(|found| found.0 == account)?;
    let who = Who::User {
        name: name.to_owned(),
    };
    Some((who, Principal::User { arn }))
}

/// The values of a list, `Name.member.1` and on.
fn members<'p>(parameters: &'p Parameters, name: &str) -> Vec<&'p str> {
    (1..)
        .map_while(|number: u32| parameters.get(&format!("{name}.member.{number}")))
        .collect()
}

fn named<'a>(name: &str, text: &'a str) -> Option<Named<'a>> {
    let document = Document::parse(text).ok()?;
    Some(Named {
        name: name.to_owned(),
        document,
    })
}

fn result(
    principal: &Principal,
    policies: &Policies<'_>,
    account: &str,
    action: &str,
    resource: &str,
) -> Xml {
    let context = Context::default();
    let request = Request {
        principal: principal.clone(),
        action,
        resource,
        resource_account: account,
        context: &context,
    };
    let decision = match evaluate(&request, policies).decision {
        Decision::Allowed => "allowed",
        Decision::ExplicitDeny => "explicitDeny",
        Decision::ImplicitDeny | Decision::Depends => "implicitDeny",
    };
    let xml = Xml::default()
        .text("EvalActionName", action)
        .text("EvalResourceName", resource)
        .text("EvalDecision", decision)
        .texts(
            "MissingContextValues",
            keys_asked(policies).iter().map(String::as_str),
        );
    let detail = |xml: Xml, node: &str, name: &str, is_allowed: bool| {
        let text = if is_allowed { "true" } else { "false" };
        xml.node(node, &Xml::default().text(name, text))
    };
    let denies = |kind| evaluate(&request, &alone(policies, kind)).decision != Decision::Allowed;
    let mut xml = xml;
    if !policies.service_control.is_empty() {
        let is_allowed = !denies(PolicyKind::ServiceControl);
        xml = detail(
            xml,
            "OrganizationsDecisionDetail",
            "AllowedByOrganizations",
            is_allowed,
        );
    }
    if policies.boundary.is_some() {
        let is_allowed = !denies(PolicyKind::Boundary);
        let node = "PermissionsBoundaryDecisionDetail";
        xml = detail(xml, node, "AllowedByPermissionsBoundary", is_allowed);
    }
    xml
}

/// One kind of guardrail with identity policies that allow everything.
fn alone<'a>(policies: &Policies<'a>, kind: PolicyKind) -> Policies<'a> {
    const ALLOW: &str =
        r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}"#;
    let mut only = Policies {
        identity: named("everything", ALLOW).into_iter().collect(),
        resource: policies.resource.clone(),
        ..Policies::default()
    };
    if kind == PolicyKind::Boundary {
        only.boundary.clone_from(&policies.boundary);
    } else {
        only.service_control.clone_from(&policies.service_control);
    }
    only
}

/// The context keys that the policies ask for, none of which is given.
fn keys_asked(policies: &Policies<'_>) -> BTreeSet<String> {
    let levels = policies.service_control.iter();
    policies
        .identity
        .iter()
        .chain(&policies.boundary)
        .chain(levels.flat_map(|level: &Level<'_>| &level.policies))
        .flat_map(|named| named.document.statements())
        .flat_map(|statement| &statement.conditions)
        .map(|condition| condition.key.value.clone().into_owned())
        .collect()
}
