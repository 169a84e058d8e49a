//! Whom `Principal` and `NotPrincipal` name, and how closely they name the caller.

use std::borrow::Cow;

use super::condition::Reading;
use super::document::{PrincipalKind, Principals};
use super::request::{Principal, is_account_id};

/// How closely a policy names the caller; it decides which implicit denies its Allow gets past
/// ("How AWS enforcement code logic evaluates requests to allow or deny access").
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Reach {
    /// By account: "both delegate permissions to the account", whose administrator then decides.
    Account,
    /// By its role: the role's permissions boundary and the session policy still limit it.
    Role,
    /// Itself, or everybody: no other policy's implicit deny limits it.
    Itself,
}

/// The caller as principals are compared with it.
pub(crate) struct Caller<'a> {
    pub(crate) principal: &'a Principal,
    account: Option<&'a str>,
    /// The role, for a role or its session.
    role: Option<Cow<'a, str>>,
}

impl<'a> Caller<'a> {
    pub(crate) fn new(principal: &'a Principal, reading: Reading<'a>) -> Self {
        let role = match principal {
            Principal::Role { arn } => Some(Cow::Borrowed(arn.as_str())),
            Principal::Session {
                role_arn: Some(role),
                ..
            } => Some(Cow::Borrowed(role.as_str())),
            Principal::Session {
                arn,
                role_arn: None,
            } => session_role(arn, reading.single("aws:PrincipalArn")),
            _ => None,
        };
        Self {
            principal,
            account: principal.account(),
            role,
        }
    }

    /// How closely a `Principal` element names the caller, if at all.
    pub(crate) fn named_by(&self, principals: &Principals<'_>) -> Option<Reach> {
        if principals.is_everyone {
            return Some(Reach::Itself);
        }
        principals
            .entries
            .iter()
            .filter_map(|(kind, text)| self.named_as(*kind, &text.value))
            .max()
    }

    /// How closely one entry names the caller.
    pub(crate) fn named_as(&self, kind: PrincipalKind, text: &str) -> Option<Reach> {
        match (kind, self.principal) {
            (PrincipalKind::Aws, _) => self.named_by_aws(text),
            (PrincipalKind::Service, Principal::Service { name }) => {
                (name == text).then_some(Reach::Itself)
            }
            (PrincipalKind::Federated, Principal::Federated { provider }) => {
                (provider == text).then_some(Reach::Itself)
            }
            _ => None,
        }
    }

    /// How closely a grant's grantee names the caller: an ARN, or a service.
    pub(crate) fn named_by_grant(&self, grantee: &str) -> Option<Reach> {
        self.named_as(PrincipalKind::Aws, grantee)
            .or_else(|| self.named_as(PrincipalKind::Service, grantee))
            .filter(|_| grantee != "*")
    }

    fn named_by_aws(&self, text: &str) -> Option<Reach> {
        if text == "*" {
            return Some(Reach::Itself);
        }
        if let Some(account) = account_named(text) {
            let is_same = self.account == Some(account) && self.is_same_partition(text);
            return is_same.then_some(Reach::Account);
        }
        match self.principal {
            Principal::User { arn }
            | Principal::FederatedUser { arn }
            | Principal::Session { arn, .. }
                if arn == text =>
            {
                Some(Reach::Itself)
            }
            _ if self.role.as_deref() == Some(text) => Some(Reach::Role),
            _ => None,
        }
    }

    fn is_same_partition(&self, text: &str) -> bool {
        match (partition(text), partition(self.principal.name())) {
            (Some(named), Some(own)) => named == own,
            _ => true,
        }
    }

    /// Whether a `NotPrincipal` element spares the caller.
    ///
    /// "When you use `NotPrincipal`, you must also specify the account ARN of the not-denied
    /// principal"; for an assumed role, AWS checks "the account, then the role, and then the
    /// assumed-role user" ("AWS JSON policy elements: `NotPrincipal`"). So the whole chain is listed,
    /// or the Deny applies.
    pub(crate) fn is_spared_by(&self, principals: &Principals<'_>) -> bool {
        if principals.is_everyone {
            return true;
        }
        let lists = |wanted: Reach| {
            principals
                .entries
                .iter()
                .any(|(kind, text)| self.named_as(*kind, &text.value) == Some(wanted))
        };
        let lists_everyone = principals
            .entries
            .iter()
            .any(|(kind, text)| *kind == PrincipalKind::Aws && text.value == "*");
        lists_everyone
            || match self.principal {
                Principal::User { .. } | Principal::FederatedUser { .. } => {
                    lists(Reach::Itself) && lists(Reach::Account)
                }
                Principal::Role { .. } => lists(Reach::Role) && lists(Reach::Account),
                Principal::Session { .. } => {
                    lists(Reach::Itself) && lists(Reach::Role) && lists(Reach::Account)
                }
                Principal::AccountRoot { .. } => lists(Reach::Account),
                Principal::Service { .. } | Principal::Federated { .. } => lists(Reach::Itself),
                Principal::Anonymous => false,
            }
    }
}

/// The account that a principal entry names as a whole, by its id or by its root's ARN.
pub(crate) fn account_named(text: &str) -> Option<&str> {
    if is_account_id(text) {
        return Some(text);
    }
    let mut parts = text.strip_prefix("arn:")?.splitn(5, ':').skip(1);
    let (service, region, account, resource) =
        (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
    (service == "iam" && region.is_empty() && resource == "root" && is_account_id(account))
        .then_some(account)
}

fn partition(arn: &str) -> Option<&str> {
    arn.strip_prefix("arn:")?.split(':').next()
}

/// The role of a session whose ARN leaves out the role's path: the one that `aws:PrincipalArn`
/// gives, if it is of this account and name, or else the role without a path.
fn session_role<'a>(session: &str, principal_arn: Option<&'a str>) -> Option<Cow<'a, str>> {
    let mut parts = session.splitn(6, ':').skip(1);
    let (partition, _, _, account) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
    let name = parts
        .next()?
        .strip_prefix("assumed-role/")?
        .split('/')
        .next()?;
    if let Some(arn) = principal_arn {
        let mut parts = arn.splitn(6, ':').skip(4);
        let is_own = parts.next() == Some(account)
            && parts.next().is_some_and(|resource| {
                resource.starts_with("role/") && resource.rsplit('/').next() == Some(name)
            });
        if is_own {
            return Some(Cow::Borrowed(arn));
        }
    }
    Some(Cow::Owned(format!(
        "arn:{partition}:iam::{account}:role/{name}"
    )))
}
