//! Organizations: which one an account belongs to, and the control policies over it.
//!
//! Any account may ask for its organization; the policies are shown to the management account and
//! to accounts that it delegated this to.

use aws_sdk_organizations::operation::list_policies_for_target::ListPoliciesForTargetOutput;
use aws_sdk_organizations::types::{ParentType, PolicyType};
use futures_util::future::{join_all, try_join_all};

use super::error_mapper::ErrorMapper;
use super::failure::{Failure, FailureKind};
use crate::assess::facts::{ControlLevel, Organization, PolicyText, UnreadPolicy};
use tableferry_policy::arn::AccountId;

/// How deep units nest at most, with the root ("Quotas and service limits for AWS Organizations").
const DEEPEST: usize = 6;

/// Which control policies are asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ControlKind {
    /// Those that bind the account's principals.
    Service,
    /// Those that bind the account's resources.
    Resource,
}

/// Organizations, for one identity.
#[derive(Debug, Clone)]
pub struct Organizations {
    pub(super) client: aws_sdk_organizations::Client,
    pub(super) mapper: ErrorMapper,
}

impl Organizations {
    /// The organization of the identity's account, by `DescribeOrganization`; none where it belongs
    /// to none. Its path is not told.
    pub async fn organization(&self) -> Result<Option<Organization>, Failure> {
        const OPERATION: &str = "organizations:DescribeOrganization";
        let call = self.client.describe_organization().send();
        let absent = "AWSOrganizationsNotInUseException";
        let answer = self
            .mapper
            .answer_unless(absent, OPERATION, "*", call)
            .await?;
        let Some(answer) = answer else {
            return Ok(None);
        };
        let organization = answer.organization().and_then(|told| {
            Some(Organization {
                id: told.id()?.to_owned(),
                management_account: told.master_account_id()?.parse().ok()?,
                path: None,
            })
        });
        organization.map(Some).ok_or_else(|| {
            self.mapper
                .unreadable(OPERATION, "*", "the answer describes no organization")
        })
    }

    /// What an account hangs under, from the root down, without the account itself, by
    /// `ListParents`.
    pub async fn ancestors(&self, account: &AccountId) -> Result<Vec<String>, Failure> {
        const OPERATION: &str = "organizations:ListParents";
        let mut ancestors = Vec::new();
        let mut child = account.to_string();
        while ancestors.len() < DEEPEST {
            let call = self.client.list_parents().child_id(&child).send();
            let answer = self.mapper.answer(OPERATION, &child, call).await?;
            let Some(parent) = answer.parents().first() else {
                break;
            };
            let Some(id) = parent.id() else {
                break;
            };
            ancestors.push(id.to_owned());
            if parent.r#type() == Some(&ParentType::Root) {
                break;
            }
            id.clone_into(&mut child);
        }
        ancestors.reverse();
        Ok(ancestors)
    }

    /// The control policies of one kind over the targets, in their order, by `ListPoliciesForTarget`
    /// and `DescribePolicy`.
    pub async fn control_policies(
        &self,
        targets: &[String],
        kind: ControlKind,
    ) -> Result<Vec<ControlLevel>, Failure> {
        try_join_all(targets.iter().map(|target| self.level(target, kind))).await
    }

    async fn level(&self, target: &str, kind: ControlKind) -> Result<ControlLevel, Failure> {
        const OPERATION: &str = "organizations:ListPoliciesForTarget";
        let filter = match kind {
            ControlKind::Service => PolicyType::ServiceControlPolicy,
            ControlKind::Resource => PolicyType::ResourceControlPolicy,
        };
        let call = self
            .client
            .list_policies_for_target()
            .target_id(target)
            .filter(filter)
            .into_paginator()
            .send()
            .collect::<Result<Vec<_>, _>>();
        let listed = self.mapper.answer(OPERATION, target, call).await?;
        let ids = listed
            .iter()
            .flat_map(ListPoliciesForTargetOutput::policies)
            .filter_map(|policy| policy.id());
        let mut level = ControlLevel {
            target: target.to_owned(),
            policies: Vec::new(),
            unread: Vec::new(),
        };
        let read = ids.map(|id| async move { (id, self.policy(id).await) });
        for (id, policy) in join_all(read).await {
            match policy {
                Ok(policy) => level.policies.push(policy),
                // "DescribePolicy" is allowed policy by policy: what the others deny is denied.
                Err(failure) if failure.kind == FailureKind::AccessDenied => {
                    level.unread.push(UnreadPolicy {
                        name: id.to_owned(),
                        error: failure.into(),
                    });
                }
                Err(failure) => return Err(failure),
            }
        }
        Ok(level)
    }

    async fn policy(&self, id: &str) -> Result<PolicyText, Failure> {
        const OPERATION: &str = "organizations:DescribePolicy";
        let call = self.client.describe_policy().policy_id(id).send();
        let answer = self.mapper.answer(OPERATION, id, call).await?;
        let policy = answer.policy().and_then(|policy| {
            let arn = policy.policy_summary().and_then(|summary| summary.arn());
            Some(PolicyText {
                name: arn.unwrap_or(id).to_owned(),
                document: policy.content()?.into(),
            })
        });
        policy.ok_or_else(|| {
            self.mapper
                .unreadable(OPERATION, id, "the answer holds no document")
        })
    }
}
