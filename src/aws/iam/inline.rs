//! One inline policy of a user or role: read, written, and taken away.
//!
//! `PutRolePolicy` and `PutUserPolicy` replace a policy of the same name, so that anyone who writes
//! looks first.

use super::policies::decoded;
use super::{Failure, Iam, PolicyHolder};

impl Iam {
    /// An inline policy by its name, by `GetUserPolicy` or `GetRolePolicy`; none where there is none
    /// of this name. That the user or role is not there is a failure.
    pub async fn inline_policy(
        &self,
        holder: PolicyHolder<'_>,
        name: &str,
    ) -> Result<Option<String>, Failure> {
        let read = match holder {
            PolicyHolder::User(user) => self
                .client
                .get_user_policy()
                .user_name(user)
                .policy_name(name)
                .send()
                .await
                .map(|answer| answer.policy_document().to_owned())
                .map_err(|error| self.mapper.failure("iam:GetUserPolicy", user, &error)),
            PolicyHolder::Role(role) => self
                .client
                .get_role_policy()
                .role_name(role)
                .policy_name(name)
                .send()
                .await
                .map(|answer| answer.policy_document().to_owned())
                .map_err(|error| self.mapper.failure("iam:GetRolePolicy", role, &error)),
        };
        match read {
            Ok(document) => Ok(Some(decoded(&document))),
            Err(failure) if names_the_policy(&failure, name) => Ok(None),
            Err(failure) => Err(failure),
        }
    }

    /// Writes an inline policy over one of the same name, by `PutUserPolicy` or `PutRolePolicy`.
    pub async fn put_inline_policy(
        &self,
        holder: PolicyHolder<'_>,
        name: &str,
        document: &str,
    ) -> Result<(), Failure> {
        match holder {
            PolicyHolder::User(user) => {
                const OPERATION: &str = "iam:PutUserPolicy";
                self.write_guard.check(OPERATION, user)?;
                self.client
                    .put_user_policy()
                    .user_name(user)
                    .policy_name(name)
                    .policy_document(document)
                    .send()
                    .await
                    .map_err(|error| self.mapper.failure(OPERATION, user, &error))?;
            }
            PolicyHolder::Role(role) => {
                const OPERATION: &str = "iam:PutRolePolicy";
                self.write_guard.check(OPERATION, role)?;
                self.client
                    .put_role_policy()
                    .role_name(role)
                    .policy_name(name)
                    .policy_document(document)
                    .send()
                    .await
                    .map_err(|error| self.mapper.failure(OPERATION, role, &error))?;
            }
        }
        Ok(())
    }

    /// Takes an inline policy away, by `DeleteUserPolicy` or `DeleteRolePolicy`.
    pub async fn delete_inline_policy(
        &self,
        holder: PolicyHolder<'_>,
        name: &str,
    ) -> Result<(), Failure> {
        match holder {
            PolicyHolder::User(user) => {
                const OPERATION: &str = "iam:DeleteUserPolicy";
                self.write_guard.check(OPERATION, user)?;
                self.client
                    .delete_user_policy()
                    .user_name(user)
                    .policy_name(name)
                    .send()
                    .await
                    .map_err(|error| self.mapper.failure(OPERATION, user, &error))?;
            }
            PolicyHolder::Role(role) => {
                const OPERATION: &str = "iam:DeleteRolePolicy";
                self.write_guard.check(OPERATION, role)?;
                self.client
                    .delete_role_policy()
                    .role_name(role)
                    .policy_name(name)
                    .send()
                    .await
                    .map_err(|error| self.mapper.failure(OPERATION, role, &error))?;
            }
        }
        Ok(())
    }
}

/// `NoSuchEntity` is said of the policy and of its holder alike; only the message tells which.
fn names_the_policy(failure: &Failure, name: &str) -> bool {
    failure.code.as_deref() == Some("NoSuchEntity") && failure.message.contains(name)
}
