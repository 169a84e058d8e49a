//! The kinds of policy in AWS's words, as its refusals name them ("Troubleshoot access denied error
//! messages", IAM user guide).

use std::borrow::Cow;

use serde::{Deserialize, Serialize};
use strum::{EnumIter, EnumString, IntoStaticStr};

use super::policies::PolicyKind;

/// The kind of policy that AWS's refusal names; its word leaves `policy` out.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    Hash,
    EnumIter,
    EnumString,
    IntoStaticStr,
    Deserialize,
    Serialize,
)]
#[serde(try_from = "String", into = "&'static str")]
pub enum NamedPolicy {
    /// Of a user, group or role.
    #[strum(serialize = "identity-based")]
    Identity,
    /// Of a bucket, key, table, queue.
    #[strum(serialize = "resource-based")]
    Resource,
    /// Given with the session.
    #[strum(serialize = "session")]
    Session,
    /// Of the organization, over principals.
    #[strum(serialize = "service control")]
    ServiceControl,
    /// Of the organization, over resources.
    #[strum(serialize = "resource control")]
    ResourceControl,
    /// Of a VPC endpoint.
    #[strum(serialize = "VPC endpoint")]
    Endpoint,
    /// The largest that a user or role may be granted.
    #[strum(serialize = "permissions boundary")]
    Boundary,
    /// Who may assume a role.
    #[strum(serialize = "role trust")]
    Trust,
}

impl NamedPolicy {
    /// AWS's word for the kind, `policy` left out.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        self.into()
    }

    /// How a sentence calls it: `identity-based policy`, `permissions boundary`.
    #[must_use]
    pub fn noun(self) -> Cow<'static, str> {
        match self {
            Self::Boundary => Cow::Borrowed(self.as_str()),
            _ => Cow::Owned(format!("{} policy", self.as_str())),
        }
    }

    /// How a sentence introduces it: `an identity-based policy`, `the role trust policy`.
    #[must_use]
    pub fn with_article(self) -> String {
        let article = match self {
            Self::Identity => "an",
            Self::Trust => "the",
            _ => "a",
        };
        format!("{article} {}", self.noun())
    }

    /// Why a request is refused that a Deny of this kind matches.
    #[must_use]
    pub fn explicit_deny(self) -> String {
        format!("with an explicit deny in {}", self.with_article())
    }

    /// Why a request is refused that no policy of this kind allows; the action follows.
    #[must_use]
    pub fn no_allow(self) -> String {
        format!("because no {} allows", self.noun())
    }
}

impl PolicyKind {
    /// How AWS's own refusals call it; a grant, which they do not name, is called a grant.
    #[must_use]
    pub fn noun(self) -> Cow<'static, str> {
        match self {
            Self::Grant => Cow::Borrowed("grant"),
            kind => NamedPolicy::from(kind).noun(),
        }
    }
}

impl From<PolicyKind> for NamedPolicy {
    /// A grant is named as its key's policy is.
    fn from(kind: PolicyKind) -> Self {
        match kind {
            PolicyKind::Identity => Self::Identity,
            PolicyKind::Boundary => Self::Boundary,
            PolicyKind::Session => Self::Session,
            PolicyKind::ServiceControl => Self::ServiceControl,
            PolicyKind::ResourceControl => Self::ResourceControl,
            PolicyKind::VpcEndpoint => Self::Endpoint,
            PolicyKind::Trust => Self::Trust,
            PolicyKind::Resource | PolicyKind::Grant => Self::Resource,
        }
    }
}

impl TryFrom<String> for NamedPolicy {
    type Error = strum::ParseError;

    fn try_from(word: String) -> Result<Self, Self::Error> {
        word.parse()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refusals_are_worded_as_the_user_guide_words_them() {
        // "Troubleshoot access denied error messages", IAM user guide: an example for each kind.
        for (kind, deny, no_allow) in [
            (
                NamedPolicy::Identity,
                "with an explicit deny in an identity-based policy",
                "because no identity-based policy allows",
            ),
            (
                NamedPolicy::Resource,
                "with an explicit deny in a resource-based policy",
                "because no resource-based policy allows",
            ),
            (
                NamedPolicy::Session,
                "with an explicit deny in a session policy",
                "because no session policy allows",
            ),
            (
                NamedPolicy::ServiceControl,
                "with an explicit deny in a service control policy",
                "because no service control policy allows",
            ),
            (
                NamedPolicy::Endpoint,
                "with an explicit deny in a VPC endpoint policy",
                "because no VPC endpoint policy allows",
            ),
            (
                NamedPolicy::Boundary,
                "with an explicit deny in a permissions boundary",
                "because no permissions boundary allows",
            ),
            (
                NamedPolicy::Trust,
                "with an explicit deny in the role trust policy",
                "because no role trust policy allows",
            ),
        ] {
            assert_eq!(kind.explicit_deny(), deny);
            assert_eq!(kind.no_allow(), no_allow);
        }
    }

    #[test]
    fn a_kind_is_read_from_its_word() {
        assert_eq!("VPC endpoint".parse(), Ok(NamedPolicy::Endpoint));
        assert!("vpc".parse::<NamedPolicy>().is_err());
        let json = serde_json::to_string(&NamedPolicy::ResourceControl).unwrap();
        assert_eq!(json, "\"resource control\"");
        let read: NamedPolicy = serde_json::from_str(&json).unwrap();
        assert_eq!(read, NamedPolicy::ResourceControl);
    }
}
