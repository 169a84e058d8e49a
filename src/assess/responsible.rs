//! Who can fix what is missing: the operator, or the owner of an account, a key, a permission set, a
//! boundary or the organization.

use std::fmt;

use super::facts::Facts;
use super::principal::SourcePrincipal;
use crate::job::requirement::Actor;
use tableferry_policy::arn::AccountId;

/// Who can fix what is missing.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Responsible {
    /// The operator, in the plan or in the account that exports.
    You,
    /// The one who owns the bucket's account.
    DestinationOwner(Option<AccountId>),
    /// The one who owns the key's account.
    KeyOwner(AccountId),
    /// The one who owns the permission set in IAM Identity Center.
    PermissionSetOwner(String),
    /// The one who owns the permissions boundary of a principal, by its ARN.
    BoundaryOwner(String),
    /// The one who runs the organization.
    Organization,
}

impl fmt::Display for Responsible {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::You => f.write_str("you"),
            Self::DestinationOwner(Some(account)) => {
                write!(f, "the destination's owner ({account})")
            }
            Self::DestinationOwner(None) => f.write_str("the bucket's owner"),
            Self::KeyOwner(account) => write!(f, "the key's owner ({account})"),
            Self::PermissionSetOwner(set) => write!(f, "the owner of the permission set {set}"),
            Self::BoundaryOwner(principal) => {
                write!(f, "the owner of the permissions boundary of {principal}")
            }
            Self::Organization => f.write_str("the organization's administrators"),
        }
    }
}

impl Responsible {
    /// Who can change what a principal may do by itself.
    pub(super) fn for_identity(facts: &Facts, who: Actor) -> Self {
        match who {
            Actor::Reader if facts.is_one_identity() => Self::for_identity(facts, Actor::Exporter),
            // A service has no policies of its own.
            Actor::Service => Self::You,
            Actor::Exporter => match facts.source().naming() {
                SourcePrincipal::IdentityCenter { permission_set, .. } => {
                    Self::PermissionSetOwner(permission_set)
                }
                _ => Self::You,
            },
            Actor::Reader => {
                Self::DestinationOwner(facts.destination().map(|side| side.caller.account.clone()))
            }
        }
    }

    /// Who can change a bucket of an account.
    pub(super) fn for_bucket(facts: &Facts, owner: Option<&AccountId>) -> Self {
        if owner == Some(&facts.source().caller.account) {
            Self::You
        } else {
            Self::DestinationOwner(owner.cloned())
        }
    }

    /// Who can change a key of an account.
    pub(super) fn for_key(facts: &Facts, owner: &AccountId) -> Self {
        if *owner == facts.source().caller.account {
            Self::You
        } else {
            Self::KeyOwner(owner.clone())
        }
    }
}
