//! The policies of users and roles: attached, inline, and of the groups that a user is in.

use aws_sdk_iam::types::AttachedPolicy;
use futures_util::future::{join, join_all, join3};
use percent_encoding::percent_decode_str;

use super::{Failure, Iam};
use crate::assess::facts::PolicyText;

/// Whose policies are read, by name, without path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PolicyHolder<'a> {
    /// A user's, and those of its groups.
    User(&'a str),
    /// A role's.
    Role(&'a str),
}

/// Policies as far as they could be read: what one denies is denied, whatever the others say.
#[derive(Debug, Default)]
pub struct PartialRead {
    /// Those that were read.
    pub policies: Vec<PolicyText>,
    /// The first failure; none where these are all.
    pub failure: Option<Failure>,
}

impl PartialRead {
    fn failed(failure: Failure) -> Self {
        Self {
            policies: Vec::new(),
            failure: Some(failure),
        }
    }

    fn and(mut self, other: Self) -> Self {
        self.policies.extend(other.policies);
        self.failure = self.failure.or(other.failure);
        self
    }
}

impl FromIterator<Result<PolicyText, Failure>> for PartialRead {
    fn from_iter<I: IntoIterator<Item = Result<PolicyText, Failure>>>(documents: I) -> Self {
        documents
            .into_iter()
            .fold(Self::default(), |mut all, document| {
                match document {
                    Ok(policy) => all.policies.push(policy),
                    Err(failure) => all.failure = all.failure.or(Some(failure)),
                }
                all
            })
    }
}

impl Iam {
    /// Every policy that gives a user or role its permissions, with the documents.
    pub async fn identity_policies(&self, holder: PolicyHolder<'_>) -> PartialRead {
        match holder {
            PolicyHolder::Role(name) => {
                let (attached, inline) =
                    join(self.attached_to_role(name), self.inside_role(name)).await;
                attached.and(inline)
            }
            PolicyHolder::User(name) => {
                let (attached, inline, of_groups) = join3(
                    self.attached_to_user(name),
                    self.inside_user(name),
                    self.policies_of_groups(name),
                )
                .await;
                attached.and(inline).and(of_groups)
            }
        }
    }

    /// The document of a managed policy that is in force, by `GetPolicy` and `GetPolicyVersion`.
    pub async fn managed_policy(&self, arn: &str) -> Result<PolicyText, Failure> {
        const OPERATION: &str = "iam:GetPolicyVersion";
        let call = self.client.get_policy().policy_arn(arn).send();
        let answer = self.mapper.answer("iam:GetPolicy", arn, call).await?;
        let version = answer
            .policy()
            .and_then(|policy| policy.default_version_id());
        let version = version.ok_or_else(|| {
            let problem = "the answer names no default version";
            self.mapper.unreadable("iam:GetPolicy", arn, problem)
        })?;
        let call = self
            .client
            .get_policy_version()
            .policy_arn(arn)
            .version_id(version)
            .send();
        let answer = self.mapper.answer(OPERATION, arn, call).await?;
        let document = answer
            .policy_version()
            .and_then(|version| version.document());
        let document = document.ok_or_else(|| {
            let problem = "the answer holds no document";
            self.mapper.unreadable(OPERATION, arn, problem)
        })?;
        Ok(PolicyText {
            name: arn.to_owned(),
            document: decoded(document).into(),
        })
    }

    async fn managed(&self, attached: Result<Vec<AttachedPolicy>, Failure>) -> PartialRead {
        let attached = match attached {
            Ok(attached) => attached,
            Err(failure) => return PartialRead::failed(failure),
        };
        let arns = attached.iter().filter_map(|policy| policy.policy_arn());
        let documents = arns.map(|arn| self.managed_policy(arn));
        join_all(documents).await.into_iter().collect()
    }

    async fn attached_to_role(&self, name: &str) -> PartialRead {
        const OPERATION: &str = "iam:ListAttachedRolePolicies";
        let call = self.client.list_attached_role_policies().role_name(name);
        let call = call.into_paginator().items().send();
        let attached = call.collect::<Result<Vec<_>, _>>();
        let attached = self.mapper.answer(OPERATION, name, attached).await;
        self.managed(attached).await
    }

    async fn attached_to_user(&self, name: &str) -> PartialRead {
        const OPERATION: &str = "iam:ListAttachedUserPolicies";
        let call = self.client.list_attached_user_policies().user_name(name);
        let call = call.into_paginator().items().send();
        let attached = call.collect::<Result<Vec<_>, _>>();
        let attached = self.mapper.answer(OPERATION, name, attached).await;
        self.managed(attached).await
    }

    async fn attached_to_group(&self, name: &str) -> PartialRead {
        const OPERATION: &str = "iam:ListAttachedGroupPolicies";
        let call = self.client.list_attached_group_policies().group_name(name);
        let call = call.into_paginator().items().send();
        let attached = call.collect::<Result<Vec<_>, _>>();
        let attached = self.mapper.answer(OPERATION, name, attached).await;
        self.managed(attached).await
    }

    async fn inside_role(&self, role: &str) -> PartialRead {
        const LIST: &str = "iam:ListRolePolicies";
        let call = self.client.list_role_policies().role_name(role);
        let call = call.into_paginator().items().send();
        let names = call.collect::<Result<Vec<_>, _>>();
        let names = match self.mapper.answer(LIST, role, names).await {
            Ok(names) => names,
            Err(failure) => return PartialRead::failed(failure),
        };
        let documents = names.into_iter().map(async |name| {
            let call = self.client.get_role_policy().role_name(role);
            let call = call.policy_name(&name).send();
            let answer = self.mapper.answer("iam:GetRolePolicy", role, call).await?;
            Ok(inline(name, answer.policy_document()))
        });
        join_all(documents).await.into_iter().collect()
    }

    async fn inside_user(&self, user: &str) -> PartialRead {
        const LIST: &str = "iam:ListUserPolicies";
        let call = self.client.list_user_policies().user_name(user);
        let call = call.into_paginator().items().send();
        let names = call.collect::<Result<Vec<_>, _>>();
        let names = match self.mapper.answer(LIST, user, names).await {
            Ok(names) => names,
            Err(failure) => return PartialRead::failed(failure),
        };
        let documents = names.into_iter().map(async |name| {
            let call = self.client.get_user_policy().user_name(user);
            let call = call.policy_name(&name).send();
            let answer = self.mapper.answer("iam:GetUserPolicy", user, call).await?;
            Ok(inline(name, answer.policy_document()))
        });
        join_all(documents).await.into_iter().collect()
    }

    async fn inside_group(&self, group: &str) -> PartialRead {
        const LIST: &str = "iam:ListGroupPolicies";
        let call = self.client.list_group_policies().group_name(group);
        let call = call.into_paginator().items().send();
        let names = call.collect::<Result<Vec<_>, _>>();
        let names = match self.mapper.answer(LIST, group, names).await {
            Ok(names) => names,
            Err(failure) => return PartialRead::failed(failure),
        };
        let documents = names.into_iter().map(async |name| {
            let call = self.client.get_group_policy().group_name(group);
            let call = call.policy_name(&name).send();
            let answer = self
                .mapper
                .answer("iam:GetGroupPolicy", group, call)
                .await?;
            Ok(inline(format!("{group}/{name}"), answer.policy_document()))
        });
        join_all(documents).await.into_iter().collect()
    }

    async fn policies_of_groups(&self, user: &str) -> PartialRead {
        const OPERATION: &str = "iam:ListGroupsForUser";
        let call = self.client.list_groups_for_user().user_name(user);
        let call = call.into_paginator().items().send();
        let groups = call.collect::<Result<Vec<_>, _>>();
        let groups = match self.mapper.answer(OPERATION, user, groups).await {
            Ok(groups) => groups,
            Err(failure) => return PartialRead::failed(failure),
        };
        let of_groups = groups.iter().map(async |group| {
            let name = group.group_name();
            let (attached, inline) =
                join(self.attached_to_group(name), self.inside_group(name)).await;
            attached.and(inline)
        });
        let of_groups = join_all(of_groups).await;
        of_groups
            .into_iter()
            .fold(PartialRead::default(), PartialRead::and)
    }
}

fn inline(name: String, document: &str) -> PolicyText {
    PolicyText {
        name,
        document: decoded(document).into(),
    }
}

/// "Policies returned by this operation are URL-encoded compliant with RFC 3986" (API reference of
/// `GetPolicyVersion` and its like). What is no escape stays as it is.
pub(super) fn decoded(text: &str) -> String {
    percent_decode_str(text).decode_utf8_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use super::decoded;

    #[test]
    fn a_document_loses_its_escapes_and_nothing_else() {
        assert_eq!(decoded("%7B%22a%22%3A%20%22%C3%A9%22%7D"), r#"{"a": "é"}"#);
        assert_eq!(
            decoded(r#"{"plus": "a+b", "rate": "100%"}"#),
            r#"{"plus": "a+b", "rate": "100%"}"#
        );
        assert_eq!(decoded("%é%zz"), "%é%zz");
    }
}
