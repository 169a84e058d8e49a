//! What IAM's simulation says: the only source for service control policies that needs no rights in
//! the organization. It takes no resource policy for a role, and knows no resource control policies.

use aws_sdk_iam::types::{
    ContextEntry, ContextKeyTypeEnum, EvaluationResult, OrganizationsDecisionDetail,
    PermissionsBoundaryDecisionDetail, ResourceSpecificResult,
};
use futures_util::future;

use super::{Failure, Iam};
use crate::assess::facts::Simulated;
use crate::assess::simulation::SimulationQuestion;
use tableferry_policy::arn::Arn;

/// How many resources are asked about in one call. No limit is documented, but answers are long.
const MOST_RESOURCES: usize = 50;

/// Keys that hold a boolean ("AWS global condition context keys").
const BOOLEAN: [&str; 3] = [
    "aws:PrincipalIsAWSService",
    "aws:SecureTransport",
    "aws:ViaAWSService",
];
/// Keys that hold several values (the same page, and "Condition keys for AWS KMS").
const LISTS: [&str; 4] = [
    "aws:CalledVia",
    "aws:PrincipalOrgPaths",
    "aws:ResourceOrgPaths",
    "kms:EncryptionContextKeys",
];

impl Iam {
    /// What the policies of a user or role make of an action on resources, by
    /// `SimulatePrincipalPolicy`; one answer for each resource.
    pub async fn simulate(
        &self,
        principal: &Arn,
        question: &SimulationQuestion,
    ) -> Result<Vec<Simulated>, Failure> {
        let chunks = question.resources.chunks(MOST_RESOURCES);
        let calls = chunks.map(async |resources| {
            let answer = self.simulate_once(principal, question, resources).await?;
            if resources.len() == 1 || are_distinct(&answer, resources) {
                return Ok(answer);
            }
            let one_by_one = resources.iter().map(|resource| {
                self.simulate_once(principal, question, std::slice::from_ref(resource))
            });
            Ok(future::try_join_all(one_by_one).await?.concat())
        });
        Ok(future::try_join_all(calls).await?.concat())
    }

    /// Asks with what is known of the requests; where IAM does not take that, without it. Which keys it
    /// takes is not documented.
    async fn simulate_once(
        &self,
        principal: &Arn,
        question: &SimulationQuestion,
        resources: &[String],
    ) -> Result<Vec<Simulated>, Failure> {
        let answer = self.simulate_as_given(principal, question, resources).await;
        match answer {
            Err(failure) if failure.code.as_deref() == Some("InvalidInput") => {
                let bare = SimulationQuestion {
                    context: Vec::new(),
                    ..question.clone()
                };
                self.simulate_as_given(principal, &bare, resources).await
            }
            answer => answer,
        }
    }

    async fn simulate_as_given(
        &self,
        principal: &Arn,
        question: &SimulationQuestion,
        resources: &[String],
    ) -> Result<Vec<Simulated>, Failure> {
        const OPERATION: &str = "iam:SimulatePrincipalPolicy";
        let target = principal.to_string();
        let context = question.context.iter();
        let context = context.map(|(key, values)| context_entry(key, values));
        let call = self
            .client
            .simulate_principal_policy()
            .policy_source_arn(&target)
            .action_names(question.action)
            .set_resource_arns(Some(resources.to_vec()))
            .set_context_entries(Some(context.collect()))
            .into_paginator()
            .items()
            .send()
            .collect::<Result<Vec<_>, _>>();
        let results = self.mapper.answer(OPERATION, &target, call).await?;
        let answers = results.iter().flat_map(|result| read(result, resources));
        let given = || question.context.iter().map(|(key, _)| key.clone());
        Ok(answers
            .map(|answer| Simulated {
                given: given().collect(),
                ..answer
            })
            .collect())
    }
}

/// Whether the answers tell of each resource by itself. What they say of service control policies is
/// "the aggregate … across all requested resources", the most restrictive.
fn are_distinct(answers: &[Simulated], resources: &[String]) -> bool {
    let is_told = |resource: &String| answers.iter().any(|answer| answer.resource == *resource);
    resources.iter().all(is_told)
        && answers
            .iter()
            .all(|answer| answer.allowed_by_organization != Some(false))
}

fn context_entry(key: &str, values: &[String]) -> ContextEntry {
    let is_one_of = |keys: &[&str]| keys.iter().any(|known| known.eq_ignore_ascii_case(key));
    let kind = if is_one_of(&BOOLEAN) {
        ContextKeyTypeEnum::Boolean
    } else if is_one_of(&LISTS) {
        ContextKeyTypeEnum::StringList
    } else if is_one_of(&["aws:CurrentTime"]) {
        ContextKeyTypeEnum::Date
    } else {
        ContextKeyTypeEnum::String
    };
    ContextEntry::builder()
        .context_key_name(key)
        .set_context_key_values(Some(values.to_vec()))
        .context_key_type(kind)
        .build()
}

/// The answers in one result: one for each resource that it tells of, or, of one resource, what the
/// result says as a whole.
fn read(result: &EvaluationResult, resources: &[String]) -> Vec<Simulated> {
    let specific = result.resource_specific_results();
    let named = |resource: &&String| {
        specific
            .iter()
            .find(|found| found.eval_resource_name() == resource.as_str())
    };
    match resources {
        [resource] => vec![answer(
            result,
            named(&resource).or(specific.first()),
            resource,
        )],
        _ if specific.is_empty() => {
            // One result for each resource, as other servers and AWS of before answer.
            let name = result.eval_resource_name().unwrap_or_default();
            let asked = resources.iter().filter(|resource| *resource == name);
            asked
                .map(|resource| answer(result, None, resource))
                .collect()
        }
        _ => resources
            .iter()
            .filter_map(|resource| Some(answer(result, Some(named(&resource)?), resource)))
            .collect(),
    }
}

fn answer(
    result: &EvaluationResult,
    specific: Option<&ResourceSpecificResult>,
    resource: &str,
) -> Simulated {
    let decision = specific.map_or(result.eval_decision(), |specific| {
        specific.eval_resource_decision()
    });
    let boundary = specific
        .and_then(ResourceSpecificResult::permissions_boundary_decision_detail)
        .or(result.permissions_boundary_decision_detail());
    let mut missing_context: Vec<String> = result
        .missing_context_values()
        .iter()
        .chain(specific.map_or(&[][..], ResourceSpecificResult::missing_context_values))
        .cloned()
        .collect();
    missing_context.sort();
    missing_context.dedup();
    Simulated {
        action: result.eval_action_name().to_owned(),
        resource: resource.to_owned(),
        decision: decision.as_str().to_owned(),
        allowed_by_organization: result
            .organizations_decision_detail()
            .map(OrganizationsDecisionDetail::allowed_by_organizations),
        allowed_by_boundary: boundary
            .map(PermissionsBoundaryDecisionDetail::allowed_by_permissions_boundary),
        missing_context,
        given: Vec::new(),
    }
}
