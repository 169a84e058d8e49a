//! IAM: what a session's ARN leaves out of its role.

use super::failure::Failure;
use super::plain::plain;
use super::translate::Translator;
use crate::arn::Arn;

/// A role as `GetRole` shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Role {
    /// Its ARN, with its path.
    pub arn: Arn,
    /// Its permissions boundary's ARN.
    pub boundary: Option<String>,
}

/// IAM, for one identity.
#[derive(Debug, Clone)]
pub struct Iam {
    pub(super) client: aws_sdk_iam::Client,
    pub(super) translator: Translator,
}

impl Iam {
    /// A role by its name, without path, by `GetRole`.
    pub async fn role(&self, name: &str) -> Result<Role, Failure> {
        const OPERATION: &str = "iam:GetRole";
        let answer = self
            .client
            .get_role()
            .role_name(name)
            .send()
            .await
            .map_err(|error| self.translator.failure(OPERATION, name, &error))?;
        let role = answer.role().and_then(|role| {
            let boundary = role.permissions_boundary();
            Some(Role {
                arn: role.arn().parse().ok()?,
                boundary: boundary
                    .and_then(|boundary| boundary.permissions_boundary_arn())
                    .map(plain),
            })
        });
        role.ok_or_else(|| {
            self.translator
                .unreadable(OPERATION, name, "the answer describes no role")
        })
    }
}
