//! `SimulatePrincipalPolicy`: what a user's or role's own policies, its boundary and the service
//! control policies make of actions on resources.
//!
//! It takes no resource policy for a role and knows no resource control policies. Context keys that are
//! not given count as absent; those that identity policies ask for are named, those of service
//! control policies are not (`SimulatePrincipalPolicy` and `EvaluationResult` in the IAM API
//! reference).

use std::collections::BTreeSet;

use super::super::call::AuthenticatedCall;
use super::super::caller::CallerIdentity;
use super::super::query::{Parameters, Xml};
use super::super::refusal::Refusal;
use super::super::world::World;
use super::require;
use tableferry_policy::document::Document;
use tableferry_policy::evaluate::{
    Context, Decision, Named, Policies, PolicyKind, Principal, Request, evaluate,
};

/// Answers the action.
pub(super) fn simulate(
    world: &World,
    call: &AuthenticatedCall<'_>,
    parameters: &Parameters,
) -> Result<Xml, Refusal> {
    let source = parameters.require("PolicySourceArn")?;
    require(world, call, "SimulatePrincipalPolicy", source)?;
    let account = &call.caller.account;
    let (identity, principal) = holder(world, source, account).ok_or_else(|| {
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
    let mut policies = world.own_policies(account, &identity, call.now);
    policies.resource = named("the resource's policy", &delegation);
    let mut resources = members(parameters, "ResourceArns");
    if resources.is_empty() {
        resources.push("*");
    }
    let simulation = Simulation {
        principal,
        policies,
        account,
        context: context(parameters),
    };
    let results = members(parameters, "ActionNames")
        .into_iter()
        .map(|action| simulation.result(action, &resources));
    Ok(Xml::default()
        .list("EvaluationResults", results)
        .text("IsTruncated", "false"))
}

/// The context keys that are given.
fn context(parameters: &Parameters) -> Context {
    let mut context = Context::default();
    for number in 1_u32.. {
        let entry = format!("ContextEntries.member.{number}");
        let Some(key) = parameters.get(&format!("{entry}.ContextKeyName")) else {
            break;
        };
        let values = members(parameters, &format!("{entry}.ContextKeyValues"));
        context.set_all(key, values.into_iter().map(str::to_owned).collect());
    }
    context
}

/// The user or role of the caller's account that an ARN names.
fn holder(world: &World, source: &str, account: &str) -> Option<(CallerIdentity, Principal)> {
    let arn = source.to_owned();
    if let Some((_, name, _)) = world.role_by_arn(source).filter(|found| found.0 == account) {
        let identity = CallerIdentity::Session {
            role: name.to_owned(),
            name: String::new(),
        };
        return Some((identity, Principal::Role { arn }));
    }
    let (_, name, _) = world
        .user_by_arn(source)
        .filter(|found| found.0 == account)?;
    let identity = CallerIdentity::User {
        name: name.to_owned(),
    };
    Some((identity, Principal::User { arn }))
}

/// The values of a list, `Name.member.1` and on.
fn members<'p>(parameters: &'p Parameters, name: &str) -> Vec<&'p str> {
    (1..)
        .map_while(|number: u32| parameters.get(&format!("{name}.member.{number}")))
        .collect()
}

fn named<'a>(name: &str, text: &'a str) -> Option<Named<'a>> {
    let document = Document::parse(text).ok()?;
    Some(Named::new(name, document))
}

/// What is simulated.
struct Simulation<'w> {
    principal: Principal,
    policies: Policies<'w>,
    account: &'w str,
    context: Context,
}

/// What one action on one resource results in.
struct Ending {
    decision: Decision,
    by_organization: bool,
    by_boundary: bool,
}

impl Ending {
    /// What service control policies forbid is an implicit denial, as users report.
    const fn word(&self) -> &'static str {
        match self.decision {
            Decision::Allowed => "allowed",
            Decision::ExplicitDeny if self.by_organization => "explicitDeny",
            _ => "implicitDeny",
        }
    }
}

impl Simulation<'_> {
    /// "A single `EvaluationResult` per action", whose own fields "represent the aggregate decision
    /// across all requested resources" (`EvaluationResult` in the IAM API reference).
    fn result(&self, action: &str, resources: &[&str]) -> Xml {
        let endings: Vec<Ending> = resources
            .iter()
            .map(|resource| self.ending(action, resource))
            .collect();
        let words: Vec<&str> = endings.iter().map(Ending::word).collect();
        let severest = ["explicitDeny", "implicitDeny"]
            .into_iter()
            .find(|word| words.contains(word))
            .unwrap_or("allowed");
        let missing = self.missing();
        let missing = || missing.iter().map(String::as_str);
        let specific = resources.iter().zip(&endings).map(|(resource, ending)| {
            let xml = Xml::default()
                .text("EvalResourceName", resource)
                .text("EvalResourceDecision", ending.word())
                .texts("MissingContextValues", missing());
            self.with_boundary(xml, ending.by_boundary)
        });
        let service = action.split(':').next().unwrap_or_default();
        let mut xml = Xml::default()
            .text("EvalActionName", action)
            .text("EvalResourceName", template(service))
            .text("EvalDecision", severest)
            .texts("MissingContextValues", missing())
            .list("ResourceSpecificResults", specific);
        if !self.policies.service_control.is_empty() {
            let is_allowed = endings.iter().all(|ending| ending.by_organization);
            let detail = Xml::default().text("AllowedByOrganizations", word(is_allowed));
            xml = xml.node("OrganizationsDecisionDetail", &detail);
        }
        self.with_boundary(xml, endings.iter().all(|ending| ending.by_boundary))
    }

    fn with_boundary(&self, xml: Xml, is_allowed: bool) -> Xml {
        if self.policies.boundary.is_none() {
            return xml;
        }
        let detail = Xml::default().text("AllowedByPermissionsBoundary", word(is_allowed));
        xml.node("PermissionsBoundaryDecisionDetail", &detail)
    }

    fn ending(&self, action: &str, resource: &str) -> Ending {
        let request = Request {
            principal: self.principal.clone(),
            action,
            resource,
            resource_account: self.account,
            context: &self.context,
        };
        let decide = |policies: &Policies<'_>| evaluate(&request, policies).decision;
        let allows = |kind| decide(&alone(&self.policies, kind)) == Decision::Allowed;
        Ending {
            decision: decide(&self.policies),
            by_organization: allows(PolicyKind::ServiceControl),
            by_boundary: allows(PolicyKind::Boundary),
        }
    }

    /// The keys that the identity policies ask for, in whatever statement, and that are not given:
    /// "only context keys referenced by identity-based and resource-based policies appear here".
    fn missing(&self) -> BTreeSet<String> {
        self.policies
            .identity
            .iter()
            .flat_map(|named| named.document.context_keys())
            .filter(|key| self.context.get(key).is_none())
            .map(str::to_owned)
            .collect()
    }
}

const fn word(is_true: bool) -> &'static str {
    if is_true { "true" } else { "false" }
}

/// "The ARN template for the simulated resource type", of the services that are known here.
fn template(service: &str) -> &'static str {
    match service {
        "s3" => "arn:${Partition}:s3:::${BucketName}/${ObjectName}",
        "kms" => "arn:${Partition}:kms:${Region}:${Account}:key/${KeyId}",
        "dynamodb" => "arn:${Partition}:dynamodb:${Region}:${Account}:table/${TableName}",
        _ => "*",
    }
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
