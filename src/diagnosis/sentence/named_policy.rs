//! The kinds of policy that AWS's sentence names.

/// The kind of policy that AWS's sentence names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Deserialize, serde::Serialize)]
pub enum NamedPolicy {
    /// Of a user, group or role.
    #[serde(rename = "identity-based")]
    Identity,
    /// Of a bucket, key, table, queue.
    #[serde(rename = "resource-based")]
    Resource,
    /// Given with the session.
    #[serde(rename = "session")]
    Session,
    /// Of the organization, over principals.
    #[serde(rename = "service control")]
    ServiceControl,
    /// Of the organization, over resources.
    #[serde(rename = "resource control")]
    ResourceControl,
    /// Of a VPC endpoint.
    #[serde(rename = "VPC endpoint")]
    Endpoint,
    /// The largest that a user or role may be granted.
    #[serde(rename = "permissions boundary")]
    Boundary,
    /// Who may assume a role.
    #[serde(rename = "role trust")]
    Trust,
}

impl NamedPolicy {
    /// The kinds with the words that AWS has for them, without white space and in lower case.
    const SQUEEZED: [(Self, &'static str); 8] = [
        (Self::Identity, "identity-based"),
        (Self::Resource, "resource-based"),
        (Self::Session, "session"),
        (Self::ServiceControl, "servicecontrol"),
        (Self::ResourceControl, "resourcecontrol"),
        (Self::Endpoint, "vpcendpoint"),
        (Self::Boundary, "permissionsboundary"),
        (Self::Trust, "roletrust"),
    ];

    /// AWS's words for the kind, `policy` left out.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Identity => "identity-based",
            Self::Resource => "resource-based",
            Self::Session => "session",
            Self::ServiceControl => "service control",
            Self::ResourceControl => "resource control",
            Self::Endpoint => "VPC endpoint",
            Self::Boundary => "permissions boundary",
            Self::Trust => "role trust",
        }
    }

    /// The kind at the start of a text, and how long its name is. A name that the text cuts off counts
    /// where only one kind begins so.
    pub(super) fn at_start(text: &str, is_last: bool) -> Option<(Self, usize)> {
        let whole = Self::SQUEEZED
            .iter()
            .find(|(_, name)| text.starts_with(name));
        if let Some((kind, name)) = whole {
            return Some((*kind, name.len()));
        }
        let rest = text.trim_end_matches(['.', '…']);
        if !is_last || rest.is_empty() || rest.len() > 20 {
            return None;
        }
        let mut begun = Self::SQUEEZED
            .iter()
            .filter(|(_, name)| name.starts_with(rest));
        match (begun.next(), begun.next()) {
            (Some((kind, _)), None) => Some((*kind, text.len())),
            _ => None,
        }
    }
}
