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
            PolicyHolder::User(user) => {
                let call = self.client.get_user_policy().user_name(user);
                let call = call.policy_name(name).send();
                let answer = self.mapper.answer("iam:GetUserPolicy", user, call).await;
                answer.map(|answer| answer.policy_document)
            }
            PolicyHolder::Role(role) => {
                let call = self.client.get_role_policy().role_name(role);
                let call = call.policy_name(name).send();
                let answer = self.mapper.answer("iam:GetRolePolicy", role, call).await;
                answer.map(|answer| answer.policy_document)
            }
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
                let call = self
                    .client
                    .put_user_policy()
                    .user_name(user)
                    .policy_name(name)
                    .policy_document(document)
                    .send();
                self.mapper.answer(OPERATION, user, call).await?;
            }
            PolicyHolder::Role(role) => {
                const OPERATION: &str = "iam:PutRolePolicy";
                self.write_guard.check(OPERATION, role)?;
                let call = self
                    .client
                    .put_role_policy()
                    .role_name(role)
                    .policy_name(name)
                    .policy_document(document)
                    .send();
                self.mapper.answer(OPERATION, role, call).await?;
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
                let call = self
                    .client
                    .delete_user_policy()
                    .user_name(user)
                    .policy_name(name)
                    .send();
                self.mapper.answer(OPERATION, user, call).await?;
            }
            PolicyHolder::Role(role) => {
                const OPERATION: &str = "iam:DeleteRolePolicy";
                self.write_guard.check(OPERATION, role)?;
                let call = self
                    .client
                    .delete_role_policy()
                    .role_name(role)
                    .policy_name(name)
                    .send();
                self.mapper.answer(OPERATION, role, call).await?;
            }
        }
        Ok(())
    }
}

/// `NoSuchEntity` is said of the policy and of its holder alike; only the message tells which.
fn names_the_policy(failure: &Failure, name: &str) -> bool {
    failure.code.as_deref() == Some("NoSuchEntity") && failure.message.contains(name)
}
