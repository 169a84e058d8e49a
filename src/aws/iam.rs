//! IAM: what a session's ARN leaves out of its role, the policies of users and roles, and what IAM's
//! own simulation makes of them.

mod inline;
mod policies;
mod simulation;

pub use policies::PolicyHolder;

use jiff::Timestamp;

use super::error_mapper::ErrorMapper;
use super::failure::Failure;
use super::write_guard::WriteGuard;
use tableferry_policy::arn::Arn;

/// A role as `GetRole` shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Role {
    /// Its ARN, with its path.
    pub arn: Arn,
    /// Its unique id, `AROA…`.
    pub id: String,
    /// When it was made.
    pub created_at: Option<Timestamp>,
    /// Its permissions boundary's ARN.
    pub boundary: Option<String>,
}

/// IAM, for one identity.
#[derive(Debug, Clone)]
pub struct Iam {
    pub(super) client: aws_sdk_iam::Client,
    pub(super) mapper: ErrorMapper,
    pub(super) write_guard: WriteGuard,
}

impl Iam {
    /// A role by its name, without path, by `GetRole`.
    pub async fn role(&self, name: &str) -> Result<Role, Failure> {
        const OPERATION: &str = "iam:GetRole";
        let call = self.client.get_role().role_name(name).send();
        let answer = self.mapper.answer(OPERATION, name, call).await?;
        let role = answer.role().and_then(|role| {
            let boundary = role.permissions_boundary();
            Some(Role {
                arn: role.arn().parse().ok()?,
                id: role.role_id().to_owned(),
                created_at: Timestamp::new(role.create_date().secs(), 0).ok(),
                boundary: boundary
                    .and_then(|boundary| boundary.permissions_boundary_arn())
                    .map(str::to_owned),
            })
        });
        role.ok_or_else(|| {
            self.mapper
                .unreadable(OPERATION, name, "the answer describes no role")
        })
    }

    /// The permissions boundary's ARN of a user by its name, by `GetUser`; none where it has none.
    pub async fn user_boundary(&self, name: &str) -> Result<Option<String>, Failure> {
        let call = self.client.get_user().user_name(name).send();
        let answer = self.mapper.answer("iam:GetUser", name, call).await?;
        Ok(answer
            .user()
            .and_then(|user| user.permissions_boundary())
            .and_then(|boundary| boundary.permissions_boundary_arn())
            .map(str::to_owned))
    }
}
