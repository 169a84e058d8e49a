//! What is known of a principal: who it is, and every policy that bears on it.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::Fact;
use crate::assess::principal::SourcePrincipal;
use tableferry_policy::arn::{AccountId, Arn, Region};
use tableferry_policy::policy::Policy;

/// Who signed in, as `GetCallerIdentity` tells it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Caller {
    /// The ARN of the user or session.
    pub arn: Arn,
    /// The account.
    pub account: AccountId,
    /// `UserId`, which is what `aws:userid` holds.
    pub user_id: String,
}

/// A role, as `GetRole` tells it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RoleFacts {
    /// Its ARN, with its path.
    pub arn: Arn,
    /// Its unique id, `AROA…`.
    #[serde(default)]
    pub id: Option<String>,
    /// When it was made.
    #[serde(default)]
    pub created_at: Option<Timestamp>,
}

/// A policy document and what it goes by.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PolicyText {
    /// Its ARN where it has one; for an inline policy its name; for a group's, with the group.
    pub name: String,
    /// The document, decoded.
    pub document: Policy,
}

/// What IAM's simulation said of one action (`SimulatePrincipalPolicy`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Simulated {
    /// The action.
    pub action: String,
    /// The resource.
    pub resource: String,
    /// `EvalResourceDecision`: `allowed`, `explicitDeny` or `implicitDeny`.
    pub decision: String,
    /// `OrganizationsDecisionDetail`: whether the service control policies allow it, where told.
    #[serde(default)]
    pub allowed_by_organization: Option<bool>,
    /// `PermissionsBoundaryDecisionDetail`, where told.
    #[serde(default)]
    pub allowed_by_boundary: Option<bool>,
    /// `MissingContextValues`: keys that the identity policies ask for and that were not given.
    #[serde(default)]
    pub missing_context: Vec<String>,
    /// The context keys that were given.
    #[serde(default)]
    pub given: Vec<String>,
}

/// All that bears on one side's principal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PrincipalFacts {
    /// Who it is. Nothing can be judged without it.
    pub caller: Caller,
    /// The Region of its profile, for tables that are named without one.
    pub region: Region,
    /// The principal that the session's role was assumed from, by ARN; absent where no role was assumed.
    #[serde(default)]
    pub assumed_from: Fact<Arn>,
    /// When its session ends; absent for the keys of a user.
    #[serde(default)]
    pub expires_at: Fact<Timestamp>,
    /// The role behind a session; absent for others.
    #[serde(default)]
    pub role: Fact<RoleFacts>,
    /// The identity policies: attached, inline, and of the groups.
    #[serde(default)]
    pub identity_policies: Fact<Vec<PolicyText>>,
    /// Those of them that were read, where not all could be.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub some_identity_policies: Vec<PolicyText>,
    /// The permissions boundary.
    #[serde(default)]
    pub boundary: Fact<PolicyText>,
    /// The ARN of the permissions boundary that it is known to have, read or not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attached_boundary: Option<String>,
    /// What IAM's simulation said.
    #[serde(default)]
    pub simulation: Fact<Vec<Simulated>>,
}

impl PrincipalFacts {
    /// A principal of which no more is known than who it is.
    #[must_use]
    pub const fn new(caller: Caller, region: Region) -> Self {
        Self {
            caller,
            region,
            assumed_from: Fact::UNASKED,
            expires_at: Fact::UNASKED,
            role: Fact::UNASKED,
            identity_policies: Fact::UNASKED,
            some_identity_policies: Vec::new(),
            boundary: Fact::UNASKED,
            attached_boundary: None,
            simulation: Fact::UNASKED,
        }
    }

    /// The identity policies that were read: all of them, or some.
    #[must_use]
    pub fn known_identity_policies(&self) -> &[PolicyText] {
        match self.identity_policies.value() {
            Some(all) => all,
            None => &self.some_identity_policies,
        }
    }

    /// How policies of other accounts name it.
    #[must_use]
    pub fn naming(&self) -> SourcePrincipal {
        SourcePrincipal::from_identity(&self.caller.arn, self.role.value().map(|role| &role.arn))
    }

    /// Whether it is a session of a role.
    #[must_use]
    pub fn is_role_session(&self) -> bool {
        self.caller.arn.service == "sts" && self.caller.arn.resource_after("assumed-role").is_some()
    }

    /// The role's name, for a session of a role.
    #[must_use]
    pub fn role_name(&self) -> Option<&str> {
        let names = self.caller.arn.resource_after("assumed-role")?;
        names.split('/').next()
    }

    /// Takes what another identity read of the same principal, where this one could not.
    pub fn fill(&mut self, other: Self) {
        if other.identity_policies.is_settled() {
            self.some_identity_policies.clear();
        }
        self.role.fill(other.role);
        self.identity_policies.fill(other.identity_policies);
        self.boundary.fill(other.boundary);
        self.attached_boundary = self.attached_boundary.take().or(other.attached_boundary);
    }
}
