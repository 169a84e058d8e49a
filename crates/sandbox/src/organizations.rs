//! Organizations: every account may ask which one it belongs to. Its policies are shown to the
//! management account, and to member accounts that the reading was delegated to.

use serde_json::{Value, json};

use super::authorize::Control;
use super::call::AuthenticatedCall;
use super::json_members::text;
use super::refusal::Refusal;
use super::world::World;

/// The policy of full access that AWS attaches to every target, of each kind.
const FULL_ACCESS: [&str; 2] = [
    "service_control_policy/p-FullAWSAccess",
    "resource_control_policy/p-RCPFullAWSAccess",
];

/// Answers an operation.
pub(super) fn answer(
    world: &World,
    call: &AuthenticatedCall<'_>,
    operation: &str,
    input: &Value,
) -> Result<Value, Refusal> {
    match operation {
        "DescribeOrganization" => describe(world, call),
        "ListParents" | "ListPoliciesForTarget" | "DescribePolicy" => {
            let on = match operation {
                "DescribePolicy" => policy_arn(world, input).map_or("*", String::as_str),
                _ => "*",
            };
            require(world, call, operation, on)?;
            match operation {
                "ListParents" => list_parents(world, input),
                "ListPoliciesForTarget" => list_policies(world, input),
                _ => describe_policy(world, input),
            }
        }
        _ => Err(Refusal::unknown_operation(
            "UnknownOperationException",
            "Organizations",
            operation,
        )),
    }
}

/// "You can only call this operation from the management account or a member account that is a
/// delegated administrator" (Organizations API reference). Of the resources, which the service
/// authorization reference has for each of the operations, policies alone are told apart.
fn require(
    world: &World,
    call: &AuthenticatedCall<'_>,
    operation: &str,
    on: &str,
) -> Result<(), Refusal> {
    let account = &call.caller.account;
    let organization = &world.organization;
    if organization.management_account != *account && !organization.delegated.contains(account) {
        return Err(Refusal::new(
            "AccessDeniedException",
            "You don't have permissions to access this resource.",
        ));
    }
    call.require(world, &format!("organizations:{operation}"), on)
        .map_err(|denial| Refusal::new("AccessDeniedException", denial.sentence()))
}

fn describe(world: &World, call: &AuthenticatedCall<'_>) -> Result<Value, Refusal> {
    call.require(world, "organizations:DescribeOrganization", "*")
        .map_err(|denial| Refusal::new("AccessDeniedException", denial.sentence()))?;
    if !world.is_member(&call.caller.account) {
        return Err(Refusal::new(
            "AWSOrganizationsNotInUseException",
            "Your account is not a member of an organization.",
        ));
    }
    let organization = &world.organization;
    let manager = &organization.management_account;
    let id = &organization.id;
    let partition = world.partition;
    Ok(json!({ "Organization": {
        "Id": id,
        "Arn": format!("arn:{partition}:organizations::{manager}:organization/{id}"),
        "FeatureSet": "ALL",
        "MasterAccountId": manager,
        "MasterAccountArn": format!("arn:{partition}:organizations::{manager}:account/{id}/{manager}"),
        "MasterAccountEmail": "management@example.com",
        "AvailablePolicyTypes": [],
    }}))
}

/// Every account of the sandbox hangs right under the root.
fn list_parents(world: &World, input: &Value) -> Result<Value, Refusal> {
    let child = text(input, "ChildId").unwrap_or_default();
    if !world.is_member(child) {
        return Err(Refusal::new(
            "ChildNotFoundException",
            "You specified a child that doesn't exist.",
        ));
    }
    Ok(json!({ "Parents": [{ "Id": world.organization.root, "Type": "ROOT" }] }))
}

fn list_policies(world: &World, input: &Value) -> Result<Value, Refusal> {
    let target = text(input, "TargetId").unwrap_or_default();
    if target != world.organization.root && !world.is_member(target) {
        return Err(Refusal::new(
            "TargetNotFoundException",
            "You specified a target that doesn't exist.",
        ));
    }
    let [full_service, full_resource] = FULL_ACCESS;
    let (control, full) = match text(input, "Filter") {
        Some("RESOURCE_CONTROL_POLICY") => (Control::Resource, full_resource),
        _ => (Control::Service, full_service),
    };
    let full = [format!(
        "arn:{}:organizations::aws:policy/{full}",
        world.partition
    )];
    let attached = world.attached_controls(target, control).unwrap_or(&full);
    let policies: Vec<Value> = attached.iter().map(|arn| summary(arn)).collect();
    Ok(json!({ "Policies": policies }))
}

fn summary(arn: &str) -> Value {
    let id = arn.rsplit('/').next().unwrap_or(arn);
    let kind = if arn.contains("resource_control_policy") {
        "RESOURCE_CONTROL_POLICY"
    } else {
        "SERVICE_CONTROL_POLICY"
    };
    json!({ "Id": id, "Arn": arn, "Name": id, "Type": kind, "AwsManaged": arn.contains("::aws:") })
}

fn policy_arn<'w>(world: &'w World, input: &Value) -> Option<&'w String> {
    let id = text(input, "PolicyId").unwrap_or_default();
    let mut arns = world.managed_policies.keys();
    arns.find(|arn| arn.contains(":organizations:") && arn.rsplit('/').next() == Some(id))
}

fn describe_policy(world: &World, input: &Value) -> Result<Value, Refusal> {
    let arn = policy_arn(world, input).ok_or_else(|| {
        Refusal::new(
            "PolicyNotFoundException",
            "You specified a policy that doesn't exist.",
        )
    })?;
    let content = &world.managed_policies[arn].0;
    Ok(json!({ "Policy": { "PolicySummary": summary(arn), "Content": content } }))
}
