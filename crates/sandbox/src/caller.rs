//! Who calls, and the names that AWS gives it.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::policy_text::PolicyText;
use tableferry_policy::arn::Partition;
use tableferry_policy::evaluate::Principal;

/// A principal, as it stood when it called; an export keeps it for as long as it writes.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Caller {
    pub account: String,
    /// The access key id that signed.
    pub access_key: String,
    #[serde(rename = "who")]
    pub identity: CallerIdentity,
    /// The ARN that `GetCallerIdentity` gives and refusals name.
    pub arn: String,
    /// The ARN that `aws:PrincipalArn` holds: of a session, its role's.
    pub principal_arn: String,
    /// The id that `aws:userid` holds.
    pub user_id: String,
    /// What temporary credentials carry; `None` for a user's own keys.
    pub session: Option<SessionFacts>,
}

/// Whether a user calls, or a session of a role.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum CallerIdentity {
    User { name: String },
    Session { role: String, name: String },
}

/// What temporary credentials carry.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct SessionFacts {
    pub issued_at: Timestamp,
    pub has_mfa: bool,
    pub source_identity: Option<String>,
    pub policies: Vec<PolicyText>,
}

impl Caller {
    /// The policy engine's words for the caller.
    pub(super) fn principal(&self) -> Principal {
        match self.identity {
            CallerIdentity::User { .. } => Principal::User {
                arn: self.arn.clone(),
            },
            CallerIdentity::Session { .. } => Principal::Session {
                arn: self.arn.clone(),
                role_arn: Some(self.principal_arn.clone()),
            },
        }
    }
}

/// The ARN of a role's session, which leaves out the role's path.
pub(super) fn session_arn(
    partition: Partition,
    account: &str,
    role: &str,
    session_name: &str,
) -> String {
    format!("arn:{partition}:sts::{account}:assumed-role/{role}/{session_name}")
}
