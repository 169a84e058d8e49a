//! What IAM's simulation says: the only source for service control policies that needs no rights in
//! the organization. It takes no resource policy for a role, and knows no resource control policies.

use aws_sdk_iam::types::{
    EvaluationResult, OrganizationsDecisionDetail, PermissionsBoundaryDecisionDetail,
};

use super::{Failure, Iam};
use crate::access::facts::Simulated;
use crate::arn::Arn;
use crate::aws::plain::plain;

impl Iam {
    /// What the policies of a user or role make of actions on a resource, by
    /// `SimulatePrincipalPolicy`. `resource` may be a pattern.
    pub async fn simulate(
        &self,
        principal: &Arn,
        actions: &[&str],
        resource: &str,
    ) -> Result<Vec<Simulated>, Failure> {
        const OPERATION: &str = "iam:SimulatePrincipalPolicy";
        let target = principal.to_string();
        let results = self
            .client
            .simulate_principal_policy()
            .policy_source_arn(&target)
            .set_action_names(Some(actions.iter().map(ToString::to_string).collect()))
            .resource_arns(resource)
            .into_paginator()
            .items()
            .send()
            .collect::<Result<Vec<_>, _>>()
            .await
            .map_err(|error| self.translator.failure(OPERATION, &target, &error))?;
        Ok(results
            .iter()
            .map(|result| simulated(result, resource))
            .collect())
    }
}

fn simulated(result: &EvaluationResult, resource: &str) -> Simulated {
    Simulated {
        action: plain(result.eval_action_name()),
        resource: resource.to_owned(),
        decision: plain(result.eval_decision().as_str()),
        allowed_by_organization: result
            .organizations_decision_detail()
            .map(OrganizationsDecisionDetail::allowed_by_organizations),
        allowed_by_boundary: result
            .permissions_boundary_decision_detail()
            .map(PermissionsBoundaryDecisionDetail::allowed_by_permissions_boundary),
        missing_context: result
            .missing_context_values()
            .iter()
            .map(|key| plain(key))
            .collect(),
    }
}
