//! The policies of users and roles: attached, inline, and of the groups that a user is in.
//!
//! A policy that cannot be read makes the whole unread: half of what allows and denies would be
//! judged as if it were all.

use futures_util::future::{try_join, try_join_all};

use super::{Failure, Iam};
use crate::access::facts::PolicyText;

/// Whose policies are read, by name, without path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Holder<'a> {
    /// A user's, and those of its groups.
    User(&'a str),
    /// A role's.
    Role(&'a str),
}

impl Iam {
    /// Every policy that gives a user or role its permissions, with the documents.
    pub async fn identity_policies(&self, holder: Holder<'_>) -> Result<Vec<PolicyText>, Failure> {
        let (mut policies, more) = match holder {
            Holder::Role(name) => {
                try_join(self.attached_to_role(name), self.inside_role(name)).await?
            }
            Holder::User(name) => {
                let own = try_join(self.attached_to_user(name), self.inside_user(name));
                let ((mut own, inline), of_groups) =
                    try_join(own, self.policies_of_groups(name)).await?;
                own.extend(inline);
                (own, of_groups)
            }
        };
        policies.extend(more);
        Ok(policies)
    }

    /// The document of a managed policy that is in force, by `GetPolicy` and `GetPolicyVersion`.
    pub async fn managed_policy(&self, arn: &str) -> Result<PolicyText, Failure> {
        const OPERATION: &str = "iam:GetPolicyVersion";
        let answer = self
            .client
            .get_policy()
            .policy_arn(arn)
            .send()
            .await
            .map_err(|error| self.translator.failure("iam:GetPolicy", arn, &error))?;
        let version = answer
            .policy()
            .and_then(|policy| policy.default_version_id());
        let version = version.ok_or_else(|| {
            let problem = "the answer names no default version";
            self.translator.unreadable("iam:GetPolicy", arn, problem)
        })?;
        let answer = self
            .client
            .get_policy_version()
            .policy_arn(arn)
            .version_id(version)
            .send()
            .await
            .map_err(|error| self.translator.failure(OPERATION, arn, &error))?;
        let document = answer
            .policy_version()
            .and_then(|version| version.document());
        let document = document.ok_or_else(|| {
            let problem = "the answer holds no document";
            self.translator.unreadable(OPERATION, arn, problem)
        })?;
        Ok(PolicyText {
            name: arn.to_owned(),
            document: decoded(document),
        })
    }

    async fn managed(
        &self,
        attached: Vec<aws_sdk_iam::types::AttachedPolicy>,
    ) -> Result<Vec<PolicyText>, Failure> {
        let arns = attached.iter().filter_map(|policy| policy.policy_arn());
        try_join_all(arns.map(|arn| self.managed_policy(arn))).await
    }

    async fn attached_to_role(&self, name: &str) -> Result<Vec<PolicyText>, Failure> {
        const OPERATION: &str = "iam:ListAttachedRolePolicies";
        let attached = self
            .client
            .list_attached_role_policies()
            .role_name(name)
            .into_paginator()
            .items()
            .send()
            .collect::<Result<Vec<_>, _>>()
            .await
            .map_err(|error| self.translator.failure(OPERATION, name, &error))?;
        self.managed(attached).await
    }

    async fn attached_to_user(&self, name: &str) -> Result<Vec<PolicyText>, Failure> {
        const OPERATION: &str = "iam:ListAttachedUserPolicies";
        let attached = self
            .client
            .list_attached_user_policies()
            .user_name(name)
            .into_paginator()
            .items()
            .send()
            .collect::<Result<Vec<_>, _>>()
            .await
            .map_err(|error| self.translator.failure(OPERATION, name, &error))?;
        self.managed(attached).await
    }

    async fn attached_to_group(&self, name: &str) -> Result<Vec<PolicyText>, Failure> {
        const OPERATION: &str = "iam:ListAttachedGroupPolicies";
        let attached = self
            .client
            .list_attached_group_policies()
            .group_name(name)
            .into_paginator()
            .items()
            .send()
            .collect::<Result<Vec<_>, _>>()
            .await
            .map_err(|error| self.translator.failure(OPERATION, name, &error))?;
        self.managed(attached).await
    }

    async fn inside_role(&self, role: &str) -> Result<Vec<PolicyText>, Failure> {
        let names: Vec<String> = self
            .client
            .list_role_policies()
            .role_name(role)
            .into_paginator()
            .items()
            .send()
            .collect::<Result<_, _>>()
            .await
            .map_err(|error| {
                self.translator
                    .failure("iam:ListRolePolicies", role, &error)
            })?;
        try_join_all(names.into_iter().map(|name| async move {
            let answer = self
                .client
                .get_role_policy()
                .role_name(role)
                .policy_name(&name)
                .send()
                .await
                .map_err(|error| self.translator.failure("iam:GetRolePolicy", role, &error))?;
            Ok(inline(name, answer.policy_document()))
        }))
        .await
    }

    async fn inside_user(&self, user: &str) -> Result<Vec<PolicyText>, Failure> {
        let names: Vec<String> = self
            .client
            .list_user_policies()
            .user_name(user)
            .into_paginator()
            .items()
            .send()
            .collect::<Result<_, _>>()
            .await
            .map_err(|error| {
                self.translator
                    .failure("iam:ListUserPolicies", user, &error)
            })?;
        try_join_all(names.into_iter().map(|name| async move {
            let answer = self
                .client
                .get_user_policy()
                .user_name(user)
                .policy_name(&name)
                .send()
                .await
                .map_err(|error| self.translator.failure("iam:GetUserPolicy", user, &error))?;
            Ok(inline(name, answer.policy_document()))
        }))
        .await
    }

    async fn inside_group(&self, group: &str) -> Result<Vec<PolicyText>, Failure> {
        let names: Vec<String> = self
            .client
            .list_group_policies()
            .group_name(group)
            .into_paginator()
            .items()
            .send()
            .collect::<Result<_, _>>()
            .await
            .map_err(|error| {
                self.translator
                    .failure("iam:ListGroupPolicies", group, &error)
            })?;
        try_join_all(names.into_iter().map(|name| async move {
            let answer = self
                .client
                .get_group_policy()
                .group_name(group)
                .policy_name(&name)
                .send()
                .await
                .map_err(|error| self.translator.failure("iam:GetGroupPolicy", group, &error))?;
            let name = format!("{group}/{name}");
            Ok(inline(name, answer.policy_document()))
        }))
        .await
    }

    async fn policies_of_groups(&self, user: &str) -> Result<Vec<PolicyText>, Failure> {
        let groups = self
            .client
            .list_groups_for_user()
            .user_name(user)
            .into_paginator()
            .items()
            .send()
            .collect::<Result<Vec<_>, _>>()
            .await
            .map_err(|error| {
                self.translator
                    .failure("iam:ListGroupsForUser", user, &error)
            })?;
        let of_groups = try_join_all(groups.iter().map(|group| async move {
            let name = group.group_name();
            try_join(self.attached_to_group(name), self.inside_group(name)).await
        }))
        .await?;
        Ok(of_groups
            .into_iter()
            .flat_map(|(attached, inline)| attached.into_iter().chain(inline))
            .collect())
    }
}

fn inline(name: String, document: &str) -> PolicyText {
    PolicyText {
        name,
        document: decoded(document),
    }
}

/// "Policies returned by this operation are URL-encoded compliant with RFC 3986" (API reference of
/// `GetPolicyVersion` and its like). What is no escape stays as it is.
pub(super) fn decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((plain, escaped)) = rest.split_once('%') {
        bytes.extend_from_slice(plain.as_bytes());
        let byte = escaped
            .get(..2)
            .and_then(|digits| u8::from_str_radix(digits, 16).ok());
        bytes.push(byte.unwrap_or(b'%'));
        rest = match byte {
            Some(_) => escaped.get(2..).unwrap_or_default(),
            None => escaped,
        };
    }
    bytes.extend_from_slice(rest.as_bytes());
    String::from_utf8_lossy(&bytes).into_owned()
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
