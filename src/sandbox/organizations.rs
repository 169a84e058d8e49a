//! Organizations: every account may ask which one it belongs to. Its policies are shown to the
//! management account alone, as which nobody of the sandbox signs in.

use serde_json::{Value, json};

use super::call::{Call, Refusal};
use super::world::World;

/// Answers an operation.
pub(super) fn answer(world: &World, call: &Call<'_>, operation: &str) -> Result<Value, Refusal> {
    match operation {
        "DescribeOrganization" => describe(world, call),
        "ListParents" | "ListPoliciesForTarget" | "DescribePolicy" | "ListRoots" => {
            Err(Refusal::new(
                "AccessDeniedException",
                "You don't have permissions to access this resource.",
            ))
        }
        _ => Err(Refusal::new(
            "UnknownOperationException",
            format!("The sandbox does not know the operation {operation}."),
        )),
    }
}

fn describe(world: &World, call: &Call<'_>) -> Result<Value, Refusal> {
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
    Ok(json!({ "Organization": {
        "Id": id,
        "Arn": format!("arn:aws:organizations::{manager}:organization/{id}"),
        "FeatureSet": "ALL",
        "MasterAccountId": manager,
        "MasterAccountArn": format!("arn:aws:organizations::{manager}:account/{id}/{manager}"),
        "MasterAccountEmail": "management@example.com",
        "AvailablePolicyTypes": [],
    }}))
}
