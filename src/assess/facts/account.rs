//! What is known of an account: its organization, the control policies over it, and what is set or goes
//! on in it as a whole.

use serde::{Deserialize, Serialize};

use super::{Fact, PolicyText, PublicAccessBlock, ReadError};
use tableferry_policy::arn::AccountId;

/// An account.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct AccountFacts {
    /// Its organization; absent where it belongs to none.
    pub organization: Fact<Organization>,
    /// The service control policies over it, from the root down.
    pub service_control: Fact<Vec<ControlLevel>>,
    /// The resource control policies over its resources, from the root down.
    pub resource_control: Fact<Vec<ControlLevel>>,
    /// Its Block Public Access of S3.
    pub public_access: Fact<PublicAccessBlock>,
    /// Block Public Access of its organization; absent where the account's was read, which is the
    /// effective one.
    pub organization_public_access: Fact<PublicAccessBlock>,
    /// Its exports that run now.
    pub in_flight: Fact<InFlight>,
}

impl AccountFacts {
    /// An account of which nothing was read.
    pub const UNREAD: Self = Self {
        organization: Fact::UNASKED,
        service_control: Fact::UNASKED,
        resource_control: Fact::UNASKED,
        public_access: Fact::UNASKED,
        organization_public_access: Fact::UNASKED,
        in_flight: Fact::UNASKED,
    };

    /// Takes what another reading of the same account told, where this one did not.
    pub fn fill(&mut self, other: Self) {
        self.organization.fill_or_explain(other.organization);
        self.service_control.fill_or_explain(other.service_control);
        self.resource_control
            .fill_or_explain(other.resource_control);
        self.public_access.fill_or_explain(other.public_access);
        self.organization_public_access
            .fill_or_explain(other.organization_public_access);
        self.in_flight.fill_or_explain(other.in_flight);
    }

    /// Whether no control policy binds it: it is alone, or it manages the organization. `id` is its
    /// own.
    #[must_use]
    pub fn is_beyond_control(&self, id: &AccountId) -> bool {
        match &self.organization {
            Fact::Absent { .. } => true,
            Fact::Known { value, .. } => value.management_account == *id,
            _ => false,
        }
    }
}

/// The exports that run now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct InFlight {
    /// How many.
    pub count: u32,
    /// The size of their tables together, in bytes, where it is known.
    #[serde(default)]
    pub bytes: Option<u64>,
}

/// The policies of one level of an organization.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ControlLevel {
    /// What they are attached to: the root, a unit, or the account.
    pub target: String,
    /// The policies that were read.
    pub policies: Vec<PolicyText>,
    /// Those that may not be read.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unread: Vec<UnreadPolicy>,
}

/// A policy that is known to be attached and may not be read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UnreadPolicy {
    /// Its id.
    pub name: String,
    /// The refusal.
    #[serde(flatten)]
    pub error: ReadError,
}

/// The organization that an account belongs to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Organization {
    /// Its id, `o-…`.
    pub id: String,
    /// Its management account, which no control policy binds.
    pub management_account: AccountId,
    /// The account's path, `o-…/r-…/ou-…/`, where it is known.
    #[serde(default)]
    pub path: Option<String>,
}
